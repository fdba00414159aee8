"""What is wrong, where, and what to write instead: the one shape for load errors and lint findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from volens.errors import ProgrammeError

SHOWN_IN_AN_ERROR = 5
"""An exception shows this many findings; `volens check` shows them all."""


class Severity(StrEnum):
    """An error stops the programme from being served; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file of the programme; `file` is relative to its folder, `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Finding:
    """One thing to mend."""

    rule: str
    severity: Severity
    file: str
    line: int
    message: str
    """What is wrong."""
    remedy: str
    """What to write instead."""
    article: str = ""
    """The article or decision behind the rule; empty for what is merely malformed."""

    @property
    def place(self) -> Place:
        return Place(self.file, self.line)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule} {self.message} {self.remedy}".strip()


class ProgrammeHasErrors(ProgrammeError):
    """The programme does not load, or breaks rules that stop it. `findings` holds all of them."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        shown = "\n".join(f"  {finding}" for finding in findings[:SHOWN_IN_AN_ERROR])
        more = len(findings) - SHOWN_IN_AN_ERROR
        counted = "1 error" if len(findings) == 1 else f"{len(findings)} errors"
        rest = f"\n  … and {more} more" if more > 0 else ""
        super().__init__(f"The programme has {counted}:\n{shown}{rest}\n", "Mend them, then run `volens check`.")
        self.findings = tuple(findings)


@dataclass(frozen=True)
class LoadCheck:
    """A way in which a programme can fail to load; explained like a rule."""

    id: str
    title: str
    why: str


LOAD_CHECKS: dict[str, LoadCheck] = {
    check.id: check
    for check in (
        LoadCheck(
            "LOAD001",
            "A file is missing or cannot be read",
            "A programme is loaded whole. If one file were skipped, a purpose could lose a limit without anybody noticing.",
        ),
        LoadCheck(
            "LOAD002",
            "A file is not clean YAML or UTF-8",
            "Where YAML leaves room for doubt (the same key twice, anchors, own tags), two readers could "
            "understand two things. Volens refuses instead of choosing.",
        ),
        LoadCheck(
            "LOAD003",
            "A key is unknown, missing or of the wrong kind",
            "A misspelt key is a limit that silently does not apply. The JSON Schemas in `schema/` say what each "
            "file may hold; an editor that knows them helps while you type.",
        ),
        LoadCheck(
            "LOAD004",
            "A name points at nothing",
            "A purpose may only name recipients, fields and controllers that are declared, because that is "
            "where their countries, legal names and plain words stand.",
        ),
        LoadCheck(
            "LOAD005",
            "Something is declared twice",
            "With two declarations of one thing, nobody can say which one people agreed to.",
        ),
        LoadCheck(
            "LOAD006",
            "A date is wrong or out of order",
            "Texts, claims and transfer instruments hold from one day to another; the gate decides by these days.",
        ),
        LoadCheck(
            "LOAD007",
            "A language is missing or not declared",
            "People read in their own language. What is said in one language is said in all those that `programme.yaml` lists.",
        ),
        LoadCheck(
            "LOAD008",
            "A file has no place in a programme",
            "A file that is not read looks as if it counted. Volens names it instead of ignoring it.",
        ),
    )
}
