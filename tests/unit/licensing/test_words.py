"""Days as letters about licences say them."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from volens.licensing.words import day
from volens.web.words import Words


@pytest.mark.parametrize(
    ("on", "language", "said"),
    [(date(2026, 11, 1), "fr", "1er novembre 2026"), (date(2026, 11, 11), "fr", "11 novembre 2026"),
     (date(2026, 11, 21), "fr", "21 novembre 2026"), (date(2026, 11, 1), "en", "1 November 2026")],
)  # fmt: skip
def test_the_first_of_a_month_is_an_ordinal_in_french(on: date, language: str, said: str) -> None:
    assert day(on, language) == said
    assert Words(language, ZoneInfo("Europe/Paris")).day(on) == said, "on pages as in letters"
