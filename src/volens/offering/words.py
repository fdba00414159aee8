"""What letters about offers say, in French and English. Words stand in `words.<language>.yaml`, by id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files

import yaml
from babel.dates import format_date

LANGUAGES = ("fr", "en")
LOCALES = {"fr": "fr_FR", "en": "en_GB"}


@cache
def texts(language: str) -> Mapping[str, str]:
    """All words of a language."""
    found: dict[str, str] = yaml.safe_load(files("volens.offering").joinpath(f"words.{language}.yaml").read_text("utf-8"))
    return found


def say(language: str, name: str, /, **values: object) -> str:
    """One text, with its gaps filled."""
    return texts(language)[name].rstrip("\n").format(**values)


def day(language: str, value: str) -> str:
    """A calendar day: 3 mars 2026."""
    said = str(format_date(date.fromisoformat(value), "d MMMM y", locale=LOCALES[language]))
    return said.replace("1 ", "1er ", 1) if language == "fr" and said.startswith("1 ") else said
