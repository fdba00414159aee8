"""What pages say, in French and English.

1. Words stand in `words/<site>.<language>.yaml`, by id; both languages have the same ids and gaps (a test holds them to it).
2. French spaces before double punctuation do not break. Plurals are two entries, `…one` and `…other`, chosen by `count`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from volens.releases.wording import spaced

LANGUAGES = ("fr", "en")
LOCALES = {"fr": "fr_FR", "en": "en_GB"}


@cache
def texts(language: str) -> Mapping[str, Any]:
    """All words of a language, by site and id."""
    found: dict[str, Any] = {}
    for file in files("volens.web").joinpath("words").iterdir():
        site, _, rest = file.name.partition(".")
        if rest == f"{language}.yaml":
            written = file.read_text("utf-8")
            found[site] = yaml.safe_load(spaced(written) if language == "fr" else written)
    return found


def shown_in(text: str, language: str) -> str:
    """A text for a page: French spaces before double punctuation do not break there. What is kept stays as it is."""
    return spaced(text) if language == "fr" else text


@dataclass(frozen=True)
class Words:
    """How one language says what stands on a page."""

    language: str
    zone: ZoneInfo

    @property
    def locale(self) -> str:
        """The language with the country whose habits it follows."""
        return LOCALES[self.language]

    def say(self, path: str, **values: object) -> str:
        """The text at `site.id`, with its gaps filled; with `count`, its singular or plural."""
        found: Any = texts(self.language)
        for part in path.split("."):
            found = found[part]
        if isinstance(found, dict):
            # 0 is singular in French and plural in English.
            count = values["count"]
            assert isinstance(count, int)
            found = found["one" if count == 1 or (count == 0 and self.language == "fr") else "other"]
        return str(found).format(**{name: self.number(value) if name == "count" else value for name, value in values.items()})

    def number(self, value: object) -> str:
        """A whole number as people write it."""
        return str(format_decimal(value, locale=self.locale))  # type: ignore[arg-type]

    def money(self, cents: int, currency: str) -> str:
        """An amount of minor units: 12,50 €. An empty currency has no sign."""
        if not currency:
            return self.number(cents // 100)
        return str(format_currency(Decimal(cents) / 100, currency, locale=self.locale))

    def day(self, value: date | str) -> str:
        """A calendar day: 3 mars 2026, 1er mars 2026."""
        day = date.fromisoformat(value) if isinstance(value, str) else value
        return self._first(format_date(day, "d MMMM y", locale=self.locale))

    def moment(self, value: datetime | str) -> str:
        """An instant, in the house's zone: 3 mars 2026 à 10:02."""
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return self._first(format_datetime(instant, "d MMMM y, HH:mm", tzinfo=self.zone, locale=self.locale))

    def time(self, value: datetime) -> str:
        """A time of day, in the house's zone: 10:02."""
        return str(format_datetime(value, "HH:mm", tzinfo=self.zone, locale=self.locale))

    def _first(self, said: str) -> str:
        """The first of a month is an ordinal in French, and no other day is."""
        return said.replace("1 ", "1er ", 1) if self.language == "fr" and said.startswith("1 ") else said

    def country(self, code: str) -> str:
        """The name of a country by its ISO 3166 code."""
        return str(Locale.parse(self.locale).territories.get(code, code))

    def listed(self, values: list[str]) -> str:
        """One, two and three."""
        return str(format_list(values, locale=self.locale))

    def either(self, values: list[str]) -> str:
        """One, two or three."""
        return str(format_list(values, style="or", locale=self.locale))
