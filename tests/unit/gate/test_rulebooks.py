"""Rules that are put on the public record come back as they were: old uses are judged by them."""

from __future__ import annotations

import json

from tests.support.shop import rules

from volens.programme.load import load
from volens.programme.start import sample
from volens.rulebooks import recorded, rulebook, rulebook_of


def test_rules_come_back_from_the_record_as_they_were() -> None:
    for book in (rules(), rulebook(load(sample()))):
        assert rulebook_of(json.loads(json.dumps(recorded("digest", book)))) == book
