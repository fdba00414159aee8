"""What messages, lines and pages to print say, in French and English. Words stand in `words.<language>.yaml`, by id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import yaml
from babel.dates import format_date, format_time

LANGUAGES = ("fr", "en")
LOCALES = {"fr": "fr_FR", "en": "en_GB"}


@cache
def texts(language: str) -> Mapping[str, str]:
    """All words of a language."""
    found: dict[str, str] = yaml.safe_load(files("volens.doorways").joinpath(f"words.{language}.yaml").read_text("utf-8"))
    return found


def spoken(language: str | None, first: str = "fr") -> str:
    """The language in which somebody is written to: theirs if there are words in it, else the house's, else French."""
    wishes = [(language or "").split("-")[0], first, LANGUAGES[0]]
    return next(wish for wish in wishes if wish in LANGUAGES)


def say(language: str, name: str, **values: object) -> str:
    """One text, with its gaps filled."""
    return texts(language)[name].rstrip("\n").format(**values)


def day(language: str, value: date) -> str:
    """A calendar day: 3 mars 2026."""
    return str(format_date(value, "d MMMM y", locale=LOCALES[language]))


def time(language: str, value: datetime, zone: ZoneInfo) -> str:
    """A time of day in the house's zone: 10:02."""
    return str(format_time(value, "HH:mm", tzinfo=zone, locale=LOCALES[language]))
