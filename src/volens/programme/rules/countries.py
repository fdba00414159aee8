"""Countries by code and by name, in the languages that people read (from the Unicode locale data in Babel)."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale

from volens.programme.words import fold

NOT_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"})


@cache
def _names(lang: str) -> dict[str, str]:
    territories = Locale.parse(lang).territories
    return {code: name for code, name in territories.items() if len(code) == 2 and code not in NOT_COUNTRIES}


def is_country(code: str) -> bool:
    """Whether a value is the two-letter code of one country."""
    return code in _names("en")


def name(code: str, lang: str) -> str:
    """A country's name in a language; the code itself if there is none."""
    return _names(lang).get(code, code)


def names_a_country(folded: str, lang: str) -> bool:
    """Whether a folded sentence names a country."""
    return _any_country(lang).search(folded) is not None


@cache
def _any_country(lang: str) -> re.Pattern[str]:
    folded = sorted((fold(one).text for one in _names(lang).values()), key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(one) for one in folded) + r")(?!\w)")
