"""The short questions: in the programme, on the public record with a new text, and never changed under people's yes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from volens.app import initialise, open_house
from volens.clock import fixed
from volens.errors import ProgrammeError
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.programme.load import load
from volens.programme.model import Basis, digest
from volens.programme.start import sample

NOW = fixed(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
TEXT = "texts/basket-reminder/1/text.yaml"
QUESTION = "Voulez-vous qu'on vous prévienne quand vous oubliez un article habituel ?"


def test_every_consent_of_the_sample_has_a_question_in_each_language() -> None:
    programme = load(sample())
    for purpose in programme.purposes.values():
        if purpose.basis is Basis.CONSENT:
            assert set(programme.current_text(purpose.id).question) == set(programme.languages), purpose.id
    assert programme.text("basket-reminder/1").question["fr"] == QUESTION
    assert "basket" in programme.purpose("basket-reminder").asked_at


def test_a_question_stands_on_the_public_record_and_is_not_changed(tmp_path: Path) -> None:
    with initialise(tmp_path / "house", customers=1_000, clock=NOW) as house:
        with house._stores.records.reading() as connection:
            texts = {row.text: row.said() for row in log.rows(connection, PUBLIC, kinds=["text"])}
        assert texts["basket-reminder/1"]["questions"]["fr"] == digest(QUESTION)
        assert "questions" not in texts["loyalty/1"]
    file = tmp_path / "house" / "programme" / TEXT
    file.write_text(file.read_text("utf-8").replace("un article habituel", "un produit habituel"), "utf-8")
    with pytest.raises(ProgrammeError, match="another question"):
        open_house(tmp_path / "house", clock=NOW)


def test_a_text_on_record_before_it_had_a_question_may_get_one(tmp_path: Path) -> None:
    with initialise(tmp_path / "house", customers=1_000, clock=NOW) as house:
        folder = house.settings.programme
    old, block = folder / "texts/loyalty/1/text.yaml", "keep_months: {FR: 36}\n"
    assert block in old.read_text("utf-8")
    question = block + "question: {fr: \"Voulez-vous la carte ?\", en: \"Would you like the card?\"}\n"
    old.write_text(old.read_text("utf-8").replace(block, question), "utf-8")
    with open_house(tmp_path / "house", clock=NOW) as house:
        assert house.programme.text("loyalty/1").question["en"] == "Would you like the card?"
