"""What has to come down when a licence ends: one ticket for each use that is in anybody's hands, open until it is proven done.

Rules:
1. A ticket is opened in the transaction of what ends the licence, with the last legal day. What was only planned is cancelled.
2. A ticket is closed by a proof alone: when, what is there now (404, 410, or in words), and who says so. The proof's SHA-256 is
   in its event.
3. Tickets outlive their person: she may be erased, and her picture still has to come off the wall.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from volens.errors import BadInput
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.licensing import store
from volens.licensing.states import CANCELLED, DOWN, OPEN, OUT, PLANNED, PROVEN, TAKEDOWN_STEPS, USE_STEPS, due_on, step
from volens.licensing.store import Takedown, Use
from volens.offers.document import Licence

if TYPE_CHECKING:
    from sqlalchemy import Connection

OPENED, PROVED, GONE, CANCELLED_BY = "takedown-opened", "takedown-proven", "use-down", "use-cancelled"
WITHDRAWAL, EXPIRY, DELETION, REFUSAL, ERASURE = "withdrawn", "expired", "deleted", "refused", "erased"
REASONS = (WITHDRAWAL, EXPIRY, DELETION, REFUSAL, ERASURE)
NOTE_MAX, BY_MAX = 500, 120
NOTHING_THERE = frozenset({404, 410})
"""Answers of a web server that are proof by themselves; any other needs words."""


@dataclass(frozen=True)
class Proof:
    """That something is not there any more."""

    at: datetime
    by: str
    """The machine or the person who says so."""
    status: int | None = None
    """What a web server answers there now."""
    note: str = ""

    def __post_init__(self) -> None:
        if self.status is not None and not 100 <= self.status <= 599:
            raise BadInput(f"{self.status} is no answer of a web server.", "Send a status from 100 to 599, or none.")
        if self.status not in NOTHING_THERE and not self.note.strip():
            raise BadInput("This does not show that it is down.", "Send the status 404 or 410, or say in `note` what is there now.")
        if len(self.note) > NOTE_MAX or not 0 < len(self.by.strip()) <= BY_MAX:
            raise BadInput("Who says that it is down, and what is there now?", f"Write at most {NOTE_MAX} characters.")

    def to_dict(self) -> dict[str, Any]:
        """As it is kept."""
        return {"at": self.at.isoformat(), "by": self.by.strip(), "status": self.status, "note": self.note.strip()}


def digest(proof: Mapping[str, Any]) -> str:
    """SHA-256 of a proof, as its event names it."""
    return hashlib.sha256(json.dumps(proof, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def end_uses(
    connection: Connection, uses: Iterable[Use], licences: Mapping[tuple[str, int], Licence], reason: str, *, ended: date,
    today: date, now: datetime,
) -> int:  # fmt: skip
    """What has to happen to some uses when what permitted them ended on a day; how many tickets were opened."""
    opened = 0
    for one in uses:
        if one.state == PLANNED:
            cancel(connection, one, reason, today, now)
        elif one.state in OUT and store.takedown(connection, one.number) is None:
            open_one(connection, one, licences[one.offer, one.version], reason, ended=ended, today=today)
            opened += 1
    return opened


def open_one(connection: Connection, one: Use, licence: Licence, reason: str, *, ended: date, today: date) -> None:
    """A ticket for one use."""
    step(TAKEDOWN_STEPS, None, OPEN)
    due = due_on(ended, licence).isoformat()
    event = Event(
        OPENED, customer=one.customer, recipient=one.recipient, day=today,
        detail={"use": one.number, "reason": reason, "due": due},
    )  # fmt: skip
    seq = log.append(connection, EVENTS, [event])
    store.add_takedown(
        connection, Takedown(one.number, one.customer, reason, today.isoformat(), due, OPEN, None, None, seq)
    )


def cancel(connection: Connection, one: Use, why: str, today: date, now: datetime) -> None:
    """A use that was planned does not happen."""
    step(USE_STEPS, one.state, CANCELLED)
    event = Event(
        CANCELLED_BY, customer=one.customer, recipient=one.recipient, day=today, detail={"use": one.number, "why": why}
    )
    seq = log.append(connection, EVENTS, [event])
    store.change_use(connection, one.number, state=CANCELLED, since=now.isoformat(), seq=seq)


def take_down(connection: Connection, one: Use, proof: Proof, today: date) -> None:
    """A use is over, and its ticket, if it has one, is closed by the proof. The caller holds the events."""
    kept = proof.to_dict()
    step(USE_STEPS, one.state, DOWN)
    said = {"use": one.number, "sha256": digest(kept)}
    seq = log.append(connection, EVENTS, [Event(GONE, one.customer, recipient=one.recipient, day=today, detail=said)])
    store.change_use(connection, one.number, state=DOWN, since=proof.at.isoformat(), seq=seq)
    ticket = store.takedown(connection, one.number)
    if ticket is not None:
        step(TAKEDOWN_STEPS, ticket.state, PROVEN)
        seq = log.append(connection, EVENTS, [Event(PROVED, one.customer, recipient=one.recipient, day=today, detail=said)])
        store.prove(connection, one.number, PROVEN, kept, seq)
