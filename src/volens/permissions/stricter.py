"""When two customers turn out to be one person, the stricter permission counts for both. Pure: no database, no clock.

Rules:
1. Wherever one of them has no yes that counts today, none of them has one: whose yes it was is `revoked`.
2. Where all have one, the one that is at least as strict as every other (older, and under a text that tells no more) stands
   for all. If none is, nobody keeps a yes: they are asked anew.
3. Whoever never chose counts as no.
4. Each word made here carries the customer's own last word, so that unlinking can give it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from volens.permissions.state import Permission


@dataclass(frozen=True)
class Word:
    """A choice that follows from a link, from an age or from the end of an account. Nobody said it anew."""

    customer: int
    purpose: str
    recipient: str
    kind: str
    text: str
    day: date
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judge:
    """What must be known of the programme to compare permissions (made by `customers` from the gate's rules)."""

    counts: Callable[[Permission], bool]
    """Whether a yes counts today."""
    tells_no_more: Callable[[str, str], bool]
    """Whether the first text lets nothing be done, and no longer, than the second."""


Own = Mapping[str, Any]
"""kind, text, day and seq of what a customer last said."""


def own_word(row: Permission, made: Mapping[str, Any]) -> Own:
    """What the customer said last: the row itself, or what was in the place of a word that was `made`."""
    own = made.get("own")
    return own if own is not None else {"kind": row.kind, "text": row.text, "day": row.day.isoformat(), "seq": row.seq}


def stricter(
    sides: Mapping[int, Iterable[Permission]],
    judge: Judge,
    today: date,
    detail: Mapping[str, Any],
    made: Callable[[Permission], Mapping[str, Any]],
) -> list[Word]:
    """The words after which none of some customers is permitted more than another of them.

    `sides` holds what stands for each customer; `made` gives the detail of the event that a row rests on.
    """
    by_use: dict[tuple[str, str], dict[int, Permission]] = {}
    for rows in sides.values():
        for row in rows:
            by_use.setdefault((row.purpose, row.recipient), {})[row.customer] = row
    words = []
    for (purpose, recipient), standing in sorted(by_use.items()):
        yes = [row for _, row in sorted(standing.items()) if row.permits]
        common = _common(yes, judge) if len(yes) == len(sides) and all(judge.counts(row) for row in yes) else None
        for row in yes:
            said = {**detail, "own": dict(own_word(row, made(row)))}
            if common is None:
                words.append(Word(row.customer, purpose, recipient, "revoked", row.text, today, said))
            elif (row.kind, row.text, row.day) != (common.kind, common.text, common.day):
                said["of"] = common.seq
                words.append(Word(row.customer, purpose, recipient, common.kind, common.text, common.day, said))
    return words


def _common(yes: list[Permission], judge: Judge) -> Permission | None:
    """The yes that is at least as strict as every other, if there is one."""
    for row in sorted(yes, key=lambda one: (one.day, one.seq)):
        if all(row.day <= other.day and judge.tells_no_more(row.text, other.text) for other in yes):
            return row
    return None
