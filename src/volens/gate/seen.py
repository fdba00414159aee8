"""Which recorded reads and doors had one customer, for her own page. Reads one small block of each set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyroaring import BitMap
from sqlalchemy import Connection, select

from volens.evidence.log import EVENTS, events
from volens.gate.store import BLOCK_BITS, customer_sets, doors, uses

OWNERS_AT_ONCE = 500
"""Events asked for in one statement."""


@dataclass(frozen=True)
class Seen:
    """One event that had a customer in it: a read, an answer that was drawn, or a hand-over."""

    seq: int
    kind: str
    """`opened`, `drawn` or `handed_over`."""
    purpose: str
    recipient: str
    day: str
    detail: Mapping[str, Any]
    read: int | None
    """The read that a draw rests on."""
    complete: bool
    """A read that was never closed may have seen everybody who was permitted."""


def seen_of(connection: Connection, customer: int) -> list[Seen]:
    """Every read and every door that had one customer, oldest first. Reads one block of each set."""
    query = (
        select(customer_sets.c.owner, customer_sets.c.bitmap)
        .where(customer_sets.c.block == customer >> BLOCK_BITS)
        .order_by(customer_sets.c.owner)
    )
    owners = [int(owner) for owner, bitmap in connection.execute(query) if customer in BitMap.deserialize(bytes(bitmap))]
    found = []
    for start in range(0, len(owners), OWNERS_AT_ONCE):
        some = owners[start : start + OWNERS_AT_ONCE]
        rows = connection.execute(
            select(events.c.seq, events.c.kind, events.c.purpose, events.c.recipient, events.c.day, events.c.detail, doors.c.read,
                   uses.c.closed)
            .outerjoin(doors, doors.c.seq == events.c.seq)
            .outerjoin(uses, uses.c.read == events.c.seq)
            .where(events.c.tree == EVENTS, events.c.seq.in_(some))
            .order_by(events.c.seq)
        )  # fmt: skip
        for seq, kind, purpose, recipient, day, detail, read, closed in rows:
            found.append(
                Seen(seq, kind, purpose, recipient, day, json.loads(detail), read, kind != "opened" or closed is not None)
            )
    return found


def used_since(connection: Connection, day: date) -> list[tuple[int, str, str]]:
    """Reads and hand-overs of anybody since a day: seq, purpose and recipient."""
    query = (
        select(events.c.seq, events.c.purpose, events.c.recipient)
        .where(events.c.tree == EVENTS, events.c.kind.in_(["opened", "handed_over"]), events.c.day >= day.isoformat())
        .order_by(events.c.seq)
    )
    return [(int(seq), str(purpose), str(recipient)) for seq, purpose, recipient in connection.execute(query)]
