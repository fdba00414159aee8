"""What staff are shown of the counts: how many were asked, said yes, said no, and understood. Pure.

Rules:
1. Only weeks that are over: nobody can watch a figure change by one.
2. A count is shown rounded to the nearest ten, and below ten not at all; a total is rounded on its own. No difference between two
   figures is a person.
3. A rate comes with its interval (Wilson, 95 %), and only from a hundred people asked, or from thirty answers, on.
4. What is being compared in a trial is not shown by text until the trial is over.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from volens.measuring.rates import Rate, wilson
from volens.permissions.counts import OPENED
from volens.permissions.counts import Cell as Choices
from volens.publishing.counts import RIGHT, SKIPPED, UNKNOWN, WRONG
from volens.publishing.counts import Cell as Answers

STEP = 10
"""Counts are shown as multiples of this; below it, as “fewer than 10”."""
ASKED_MIN = 100
"""People asked from whom on a share of yes is shown."""
ANSWERS_MIN = 30
"""Answers from which on a rate of misunderstanding is shown."""

ASKED, PERMITTED, REFUSED, WITHDRAWN = "asked", "permitted", "refused", "withdrawn"
MEANS: Mapping[str, str] = {
    "requested": ASKED, "given": PERMITTED, "renewed": PERMITTED, "notified": PERMITTED, "joined": PERMITTED,
    "refused": REFUSED, "withdrawn": WITHDRAWN, "objected": WITHDRAWN, "revoked": WITHDRAWN,
}  # fmt: skip
"""The column in which a kind of choice counts; others, which nobody said, are in none."""
BY: Mapping[str, Callable[[Choices], str]] = {
    "purpose": lambda cell: cell.purpose,
    "text": lambda cell: cell.text,
    "surface": lambda cell: cell.surface,
    "language": lambda cell: cell.language,
    "store": lambda cell: cell.store,
    "week": lambda cell: cell.week,
}


@dataclass(frozen=True)
class Line:
    """One row of a table: its label, and per column the rounded count; none where fewer than ten were counted."""

    label: str
    counts: Mapping[str, int | None]
    permitted: Rate | None
    """Of those who said yes or no, the share of yes; from the rounded counts."""
    misunderstood: Rate | None
    """Of those who answered the question, the share that did not know what they agreed to."""


@dataclass(frozen=True)
class Table:
    """One view of the counts."""

    by: str
    lines: tuple[Line, ...]
    total: Line
    opened: int | None
    """How many people ever opened the permission centre, until the last week that is over."""


def rounded(count: int) -> int | None:
    """To the nearest ten, halves up; none below ten."""
    return None if count < STEP else (count + STEP // 2) // STEP * STEP


def table(
    choices: Iterable[Choices],
    answers: Iterable[Answers],
    by: str,
    week: str,
    *,
    purpose: str | None = None,
    compared: Collection[str] = (),
) -> Table:
    """The counts of the weeks before `week` (a Monday), by one thing. `compared` are the texts of running trials."""
    hidden = set(compared) if by == "text" else set()
    said = [cell for cell in choices if cell.week < week]
    opened = sum(cell.n for cell in said if cell.kind == OPENED)
    mine = [
        cell for cell in said
        if cell.kind in MEANS and (purpose is None or cell.purpose == purpose) and cell.text not in hidden
    ]  # fmt: skip
    told = [
        cell for cell in answers
        if cell.week < week and (purpose is None or cell.text.split("/")[0] == purpose) and cell.text not in compared
    ]  # fmt: skip
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for choice in mine:
        counted[BY[by](choice)][MEANS[choice.kind]] += choice.n
    for answer in told:
        label = _label(answer, by)
        if label is not None:
            counted[label][answer.answer] += answer.n
    lines = tuple(_line(label, counts) for label, counts in sorted(counted.items()))
    total: Counter[str] = sum(counted.values(), Counter())
    return Table(by, lines, _line("", total), rounded(opened))


def _label(cell: Answers, by: str) -> str | None:
    """Where an answer belongs; answers are not known by shop."""
    return {
        "purpose": cell.text.split("/")[0], "text": cell.text, "surface": cell.surface, "language": cell.language,
        "week": cell.week,
    }.get(by)  # fmt: skip


def _line(label: str, counts: Counter[str]) -> Line:
    shown = {name: rounded(counts[name]) for name in (ASKED, PERMITTED, REFUSED, WITHDRAWN)}
    yes, no = shown[PERMITTED] or 0, shown[REFUSED] or 0
    permitted = wilson(yes, yes + no) if yes + no >= ASKED_MIN else None
    wrong = counts[WRONG] + counts[UNKNOWN]
    known = wrong + counts[RIGHT]
    return Line(
        label,
        {**shown, "answered": rounded(known), "skipped": rounded(counts[SKIPPED])},
        permitted,
        wilson(wrong, known) if known >= ANSWERS_MIN else None,
    )
