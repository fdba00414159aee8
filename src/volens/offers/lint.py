"""Other people's terms are read for clauses that no offer may contain: leads for a human, never a verdict.

Rules:
1. A lead names the sentence as it stands, its line, the rule of `check` that a structured offer would break, and the article.
2. No lead does not mean that a text is lawful, and a lead does not mean that it is not. What is refused for sure is the document.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from volens.errors import BadInput
from volens.offers.check import RULES
from volens.offers.legible import require_legible
from volens.offers.searching import hits
from volens.programme.nodes import NotClean, read_text


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


def lint_file(path: Path) -> tuple[Lead, ...]:
    """The leads in a file of text, Markdown or HTML, in its order. `BadInput` if it cannot be read, or not in our languages."""
    try:
        text = read_text(path, path.name)
    except NotClean as error:
        raise BadInput(error.finding.message, "Give a file of text, Markdown or HTML in UTF-8, within the limit of size.") from None
    require_legible(text, path.suffix)
    return lint(text, path.suffix)


def lint(text: str, kind: str = ".txt") -> tuple[Lead, ...]:
    """The leads in a text; `kind` is the suffix of its file: .md, .html, or anything else for plain text."""
    return tuple(
        Lead(one.rule, RULES[one.rule].title, RULES[one.rule].article, one.line, one.sentence, one.found)
        for one in hits(text, kind)
    )
