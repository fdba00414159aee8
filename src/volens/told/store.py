"""What the record says was used: reads and what left, by purpose, recipient and fields. Reads only; there is no table of its own.

It shares no code with the gate that let these uses happen: it counts what is on record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from volens.evidence.log import EVENTS, events
from volens.gate.store import doors, uses


@dataclass(frozen=True)
class Used:
    """Uses of one kind: the same purpose, recipient and fields."""

    purpose: str
    recipient: str
    fields: tuple[str, ...]
    times: int
    last_seq: int
    last: date


def used(connection: Connection) -> Iterator[Used]:
    """Every kind of use on record: purchases that were opened, and people or figures that left."""
    for table, seq in ((uses, uses.c.read), (doors, doors.c.seq)):
        flow = (table.c.purpose, table.c.recipient, table.c.fields)
        query = select(*flow, func.count(), func.max(seq), func.max(events.c.day))
        query = query.join(events, (events.c.tree == EVENTS) & (events.c.seq == seq)).group_by(*flow)
        for purpose, recipient, fields, times, last_seq, last in connection.execute(query.order_by(*flow)):
            yield Used(purpose, recipient, tuple(fields.split(",")), int(times), int(last_seq), date.fromisoformat(last))
