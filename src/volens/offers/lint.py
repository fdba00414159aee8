"""Other people's terms are read for clauses that no offer may contain: leads for a human, never a verdict.

Rules:
1. A lead names the sentence as it stands, its line, the rule of `check` that a structured offer would break, and the article.
2. No lead does not mean that a text is lawful, and a lead does not mean that it is not. What is refused for sure is the document.
3. What is searched is data (`clauses.fr.yaml`, `clauses.en.yaml`), and both languages are looked for in every text.
4. An entry of a list is read with the words that lead to it: "You grant us:" and "perpetual use" are one clause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from volens.offers.check import RULES
from volens.offers.passages import Passage, passages_of
from volens.programme.nodes import NotClean, parse, read_text
from volens.programme.words import fold, pattern

LANGUAGES = ("fr", "en")
SENTENCE_LETTERS_MAX = 2_000
"""A longer sentence is read in pieces of this length; terms have sentences of half a page."""
_NO = re.compile(r"(?<!\w)(?:ne|n'|jamais|aucune?|not|never)(?!\w)|(?<!\w)n'")
"""A negation within the words that were found: "by joining you do not consent"."""


@dataclass(frozen=True)
class Lead:
    """A sentence that somebody should read."""

    rule: str
    title: str
    article: str
    line: int
    sentence: str
    found: str
    """The words that point at it."""


@dataclass(frozen=True)
class Search:
    """One entry of the word lists, compiled."""

    rule: str
    found: re.Pattern[str]
    beside: tuple[re.Pattern[str], ...]
    """Each has to stand in the sentence as well."""
    unless: re.Pattern[str] | None
    even_negated: bool


def lint_file(path: Path) -> tuple[Lead, ...]:
    """The leads in a file of text, Markdown or HTML, in its order. `BadInput` if it cannot be read."""
    try:
        return lint(read_text(path, path.name), path.suffix)
    except NotClean as error:
        raise unreadable(error) from None


def unreadable(error: NotClean) -> Exception:
    """The error for a file that is none of these."""
    from volens.errors import BadInput

    return BadInput(error.finding.message, "Give a file of text, Markdown or HTML in UTF-8.")


def lint(text: str, kind: str = ".txt") -> tuple[Lead, ...]:
    """The leads in a text; `kind` is the suffix of its file: .md, .html, or anything else for plain text."""
    return tuple(lead for passage in passages_of(text, kind) for lead in _leads(passage))


@lru_cache(maxsize=512)
def grants_nothing(text: str) -> bool:
    """Whether a short free text of an offer, such as a name, has no lead at all."""
    return not lint(text)


def _leads(passage: Passage) -> Iterator[Lead]:
    """At most one lead a rule in a passage."""
    said = f"{passage.lead_in} {passage.sentence}" if passage.lead_in else passage.sentence
    told: set[str] = set()
    for start in range(0, len(said), SENTENCE_LETTERS_MAX):
        piece = said[start : start + SENTENCE_LETTERS_MAX]
        own = len(fold(passage.lead_in).text) if passage.lead_in and not start else 0
        for search in _searches():
            if search.rule not in told and (found := _found(search, piece, own)):
                told.add(search.rule)
                rule = RULES[search.rule]
                yield Lead(rule.id, rule.title, rule.article, passage.line, passage.sentence, found)


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
        if not search.even_negated and (folded.negated(hit.start()) or _NO.search(folded.text, hit.start() + 1, hit.end())):
            continue
        return text[folded.origins[hit.start()] : folded.origins[hit.end() - 1] + 1]
    return ""


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
