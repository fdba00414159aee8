"""What a rule is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from volens.programme.findings import Finding, Place, Severity
from volens.programme.model import Programme

EXAMPLE_DAY = date(2026, 11, 1)
"""The day on which examples are checked, unless they name another."""


@dataclass(frozen=True)
class Hit:
    """One place that breaks the rule."""

    place: Place
    message: str
    remedy: str


@dataclass(frozen=True)
class Change:
    """One change to a file of the minimal programme; with an empty `old`, a new file."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Example:
    """The minimal programme with some changes.

    For a failing example, `file` and `words` say where the finding must point: the line of that file that holds the
    words; empty words mean its first line.
    """

    changes: tuple[Change, ...]
    file: str = ""
    words: str = ""
    on: date = EXAMPLE_DAY


Check = Callable[[Programme, date], Iterator[Hit]]


@dataclass(frozen=True)
class Rule:
    """A rule with its reason, its law and its examples."""

    id: str
    severity: Severity
    family: str
    title: str
    articles: tuple[str, ...]
    """The articles and decisions behind it; the first is shown with each finding."""
    why: str
    check: Check
    failing: Example
    passing: Example

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}[0-9]{3}", self.id):
            raise ValueError(f"{self.id!r} is not an id of three capitals and three digits")
        if not (self.title and self.why and self.articles and self.failing.file):
            raise ValueError(f"{self.id} needs a title, a reason, an article and a place in its failing example")

    def run(self, programme: Programme, on: date) -> Iterator[Finding]:
        """The rule's findings in a programme on a day."""
        for hit in self.check(programme, on):
            yield Finding(
                rule=self.id,
                severity=self.severity,
                file=hit.place.file,
                line=hit.place.line,
                message=hit.message,
                remedy=hit.remedy,
                article=self.articles[0],
            )
