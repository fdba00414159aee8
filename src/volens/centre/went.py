"""Where one customer's data went, and what another answer would have changed. Read from the record of uses alone.

Rules:
1. Every read, draw and hand-over that had the customer is shown, with who, when, why, which fields, and under which choice.
2. A read that was never closed counts as having seen everybody who was permitted; the page says so.
3. What was drawn before a no stays drawn; what would change counts uses, never people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from volens.gate.seen import Seen
from volens.permissions.ledger import Spoken
from volens.permissions.state import ALL, PERMITTING, SILENT

LOOK_BACK_DAYS = 90


@dataclass(frozen=True)
class Journey:
    """One use of a customer's data, with what became of it."""

    seen: Seen
    choice: Spoken | None
    """The yes under which it happened; none where the law asked for it."""
    drawn: bool
    """Figures were drawn from it."""
    published: bool
    """These figures left the house, after two people had looked at them."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that were read or handed over."""
        return tuple(self.seen.detail.get("fields", ()))

    @property
    def start(self) -> str:
        """The first day of the purchases that were read; none for a message, for which no purchases were."""
        return "" if "messages" in self.seen.detail else str(self.seen.detail.get("start", ""))

    @property
    def last_day(self) -> str:
        """The last day of them."""
        return (date.fromisoformat(str(self.seen.detail["end"])) - timedelta(days=1)).isoformat()


@dataclass(frozen=True)
class Change:
    """What the other answer would have changed about one purpose lately."""

    purpose: str
    with_me: int
    """Uses that had this customer: a no would have kept her out of them."""
    without_me: int
    """Uses that did not: a yes would have let her in."""


def journeys(seen: Sequence[Seen], history: Sequence[Spoken], published: Iterable[str]) -> tuple[Journey, ...]:
    """The uses of a customer, newest first. `published`: hashes of the plans whose figures left."""
    drawn: dict[int, Seen] = {one.read: one for one in seen if one.kind == "drawn" and one.read is not None}
    plans = set(published)
    found = []
    for one in seen:
        if one.kind == "drawn":
            continue
        draw = drawn.get(one.seq)
        found.append(
            Journey(
                seen=one,
                choice=yes_before(history, one.purpose, one.recipient, one.seq),
                drawn=draw is not None,
                published=draw is not None and str(draw.detail.get("plan")) in plans,
            )
        )
    return tuple(reversed(found))


def yes_before(history: Sequence[Spoken], purpose: str, recipient: str, seq: int) -> Spoken | None:
    """The last word before an event, if it was a yes."""
    words = [
        one for one in history
        if one.purpose == purpose and one.recipient in (ALL, recipient) and one.seq < seq and one.kind not in SILENT
    ]  # fmt: skip
    return words[-1] if words and words[-1].kind in PERMITTING else None


def changes(used: Sequence[tuple[int, str, str]], mine: Iterable[int], purposes: Iterable[str]) -> Mapping[str, Change]:
    """For each purpose, the uses of the last days with this customer and without her."""
    own, found = set(mine), {}
    for purpose in purposes:
        seqs = [seq for seq, of, _ in used if of == purpose]
        inside = sum(seq in own for seq in seqs)
        found[purpose] = Change(purpose, inside, len(seqs) - inside)
    return found


def looking_back(today: date) -> date:
    """The first day that is looked at."""
    return today - timedelta(days=LOOK_BACK_DAYS)
