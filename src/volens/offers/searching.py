"""Finding in a text the words that point at clauses which no offer may contain.

Rules:
1. What is searched is data (`clauses.fr.yaml`, `clauses.en.yaml`), and both languages are looked for in every text.
2. An entry of a list is read with the words that lead to it: "You grant us:" and "perpetual use" are one clause.
3. A sentence names a rule at most once. A negation before the words in their clause, or within them, takes them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from volens.offers.passages import Passage, passages_of
from volens.programme.nodes import parse
from volens.programme.words import Folded, fold, pattern

LANGUAGES = ("fr", "en")
SENTENCE_LETTERS_MAX = 2_000
"""A longer sentence is read in pieces of this length; terms have sentences of half a page."""
_NO = re.compile(r"(?<!\w)(?:ne|jamais|not|never)(?!\w)|(?<!\w)n'")
"""A negation within the words that were found: "by joining you do not consent"."""
_NO_AFTER = re.compile(
    r"[^.;:,]{0,25}?(?:(?<!\w)(?:ne (?:sont|seront|peuvent)|n'est)(?!\w)[^.;:,]{0,12}(?:jamais|pas)"
    r"|(?:is|are) never|nobody|a personne)"
)
"""A negation right after them: "health data are never used"."""
_JOINED = re.compile(
    r"(?<!\w)(?:et|and) (?=(?:votre|vos|son|sa|ses|leurs?|your|his|her|its|their"
    r"|image|portrait|nom|voix|photo|avis|name|likeness|voice)(?!\w))"
)
"""Where "and" joins things, a negation reaches beyond it: "we never show your name and your photo in perpetuity"."""


@dataclass(frozen=True)
class Hit:
    """Words in a sentence that point at a rule."""

    rule: str
    line: int
    sentence: str
    found: str


@dataclass(frozen=True)
class Search:
    """One entry of the word lists, compiled."""

    rule: str
    found: re.Pattern[str]
    beside: tuple[re.Pattern[str], ...]
    """Each has to stand in the sentence as well."""
    unless: re.Pattern[str] | None
    even_negated: bool


def hits(text: str, kind: str) -> Iterator[Hit]:
    """Every hit in a text, in its order; `kind` is the suffix of its file: .md, .html, or anything else for plain text."""
    for passage in passages_of(text, kind):
        yield from _hits(passage)


@lru_cache(maxsize=512)
def grants_nothing(text: str) -> bool:
    """Whether a short free text of an offer, such as a name, holds no such words."""
    return next(hits(text, ".txt"), None) is None


def _hits(passage: Passage) -> Iterator[Hit]:
    said = f"{passage.lead_in} {passage.sentence}" if passage.lead_in else passage.sentence
    told: set[str] = set()
    for start in range(0, len(said), SENTENCE_LETTERS_MAX):
        piece = said[start : start + SENTENCE_LETTERS_MAX]
        own = len(fold(passage.lead_in).text) if passage.lead_in and not start else 0
        for search in _searches():
            if search.rule not in told and (found := _found(search, piece, own)):
                told.add(search.rule)
                yield Hit(search.rule, passage.line, passage.sentence, found)


def _found(search: Search, text: str, own: int) -> str:
    """The words that point at a clause, or nothing. What leads to a list's entry counts beside it, and not by itself."""
    folded = fold(text)
    if not all(one.search(folded.text) for one in search.beside):
        return ""
    if search.unless is not None and search.unless.search(folded.text):
        return ""
    for hit in search.found.finditer(folded.text):
        if hit.end() <= own:
            continue
        if not search.even_negated and _denied(folded, hit):
            continue
        return text[folded.origins[hit.start()] : folded.origins[hit.end() - 1] + 1]
    return ""


def _denied(folded: Folded, hit: re.Match[str]) -> bool:
    """Whether the clause says no, before the words that were found or within them."""
    if _NO.search(folded.text, hit.start() + 1, hit.end()) or _NO_AFTER.match(folded.text, hit.end()):
        return True
    joined = fold(_JOINED.sub(lambda one: "+" * len(one.group()), folded.text[: hit.start()]))
    return joined.negated(hit.start())


@cache
def _searches() -> tuple[Search, ...]:
    return tuple(
        Search(
            rule,
            pattern(*entry["any"]),
            tuple(pattern(*entry[key]) for key in ("with", "also") if key in entry),
            pattern(*entry["unless"]) if "unless" in entry else None,
            entry.get("even_negated", False),
        )
        for language in LANGUAGES
        for rule, entries in _lists(language).items()
        for entry in entries
    )


def _lists(language: str) -> dict[str, list[dict[str, Any]]]:
    name = f"clauses.{language}.yaml"
    found: dict[str, list[dict[str, Any]]] = parse(resources.files("volens.offers").joinpath(name).read_text("utf-8"), name).data
    return found
