"""Whose lines are to be taken out, asked for in the transaction of what makes it necessary, done in one nightly pass.

1. `ask` is a row and its event, in the caller's transaction. Asking again while it waits changes nothing.
2. The gate excludes a person by her permissions, at once; this queue is about what rests in files.
3. A pass is `staged` with its counts before its commit and `finished` after it. After a crash the table's snapshots say
   which: `staged_passes` and then `finish` or `unstage`. There is no other repair.
4. What was done stays on record: who (a number), when asked, when due, when done, how many lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyroaring import BitMap
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)

from volens.evidence.log import EVENTS, Event, append, latest

PROBED = "removal-probed"
ROWS_PER_EVENTS = 5_000
"""Removals finished in one transaction: a withdrawal waits no longer than for that."""

metadata = MetaData()

removals = Table(
    "removals",
    metadata,
    Column("asked", BigInteger, primary_key=True, autoincrement=False),  # seq of its event
    Column("customer", Integer, nullable=False),
    Column("asked_day", String(10), nullable=False),
    Column("due_day", String(10), nullable=False),
    Column("batch", String(32)),  # the pass that is taking, or took, her lines out
    Column("lines", BigInteger),
    Column("done_day", String(10)),
    Column("done", BigInteger),  # seq of its event
    Index("removals_by_customer", "customer"),
    Index("removals_by_due", "done_day", "due_day"),
)


@dataclass(frozen=True)
class Waiting:
    """What the queue holds: `due` is the earliest last day, none when nothing waits."""

    customers: BitMap
    due: date | None


def ask(connection: Connection, customer: int, today: date, due: date) -> int:
    """Asks for the removal of a customer's lines by `due`, in the caller's transaction; returns the seq of the event.

    While an earlier request waits, that one stands: its seq is returned, and nothing is written.
    """
    waiting = connection.execute(
        select(removals.c.asked).where(removals.c.customer == customer, removals.c.done.is_(None))
    ).scalar()
    if waiting is not None:
        return int(waiting)
    event = Event("removal-asked", customer=customer, day=today, detail={"due": due.isoformat()})
    asked = append(connection, EVENTS, [event])
    connection.execute(
        insert(removals).values(asked=asked, customer=customer, asked_day=today.isoformat(), due_day=due.isoformat())
    )
    return asked


def waiting(connection: Connection) -> Waiting:
    """Whose lines are still to be taken out."""
    rows = connection.execute(select(removals.c.customer, removals.c.due_day).where(removals.c.done.is_(None))).all()
    due = min((str(row.due_day) for row in rows), default=None)
    return Waiting(BitMap(int(row.customer) for row in rows), date.fromisoformat(due) if due else None)


def stage(connection: Connection, batch: str, lines: Mapping[int, int], customers: BitMap) -> None:
    """Notes what a pass is about to take out of the table, customer by customer; no mention is no line."""
    rows = [{"whose": int(customer), "of": lines.get(int(customer), 0)} for customer in customers]
    mine = removals.c.customer == bindparam("whose")
    statement = update(removals).where(mine, removals.c.done.is_(None)).values(batch=batch, lines=bindparam("of"))
    if rows:
        connection.execute(statement, rows)


def staged_passes(connection: Connection) -> list[str]:
    """Passes that were staged and neither finished nor taken back."""
    query = select(removals.c.batch).where(removals.c.batch.is_not(None), removals.c.done.is_(None)).distinct()
    return sorted(str(batch) for (batch,) in connection.execute(query))


def lines_of(connection: Connection, batch: str) -> int:
    """How many lines a pass takes out of the table, as it was staged."""
    total = select(func.coalesce(func.sum(removals.c.lines), 0)).where(removals.c.batch == batch)
    return int(connection.execute(total).scalar_one())


def unstage(connection: Connection, batch: str) -> None:
    """The pass was killed before its commit: its counts go, the requests wait on."""
    connection.execute(
        update(removals).where(removals.c.batch == batch, removals.c.done.is_(None)).values(batch=None, lines=None)
    )


def finish(connection: Connection, batch: str, today: date) -> int:
    """Records up to 5,000 removals of a pass as done, each by its event; how many. Call it until it says none."""
    query = (
        select(removals.c.asked, removals.c.customer, removals.c.lines)
        .where(removals.c.batch == batch, removals.c.done.is_(None))
        .order_by(removals.c.asked)
        .limit(ROWS_PER_EVENTS)
    )
    rows = connection.execute(query).all()
    if not rows:
        return 0
    happened = [
        Event("removed", customer=row.customer, day=today, detail={"asked": row.asked, "lines": row.lines}) for row in rows
    ]
    first = append(connection, EVENTS, happened)
    connection.execute(
        update(removals).where(removals.c.asked == bindparam("which")).values(done=bindparam("seq"), done_day=today.isoformat()),
        [{"which": row.asked, "seq": first + place} for place, row in enumerate(rows)],
    )
    return len(rows)


def unproven(connection: Connection) -> BitMap:
    """Whose lines were taken out since the files were last counted and none was found."""
    since = latest(connection, EVENTS, PROBED)
    after = since.seq if since is not None else -1
    rows = connection.execute(select(removals.c.customer, removals.c.done).where(removals.c.done > after))
    return BitMap(int(row.customer) for row in rows)


def proven(connection: Connection, customers: BitMap, today: date) -> None:
    """The files were counted, and hold no line of these customers any more."""
    append(connection, EVENTS, [Event(PROBED, day=today, detail={"customers": len(customers), "lines": 0})])


def overdue(connection: Connection, today: date) -> int:
    """How many removals wait although their last day has passed."""
    late = select(func.count()).where(removals.c.done.is_(None), removals.c.due_day < today.isoformat())
    return int(connection.execute(late).scalar_one())


def everything(connection: Connection) -> dict[int, dict[str, Any]]:
    """Every removal by the seq of its request, for the audit."""
    return {int(row["asked"]): dict(row) for row in connection.execute(select(removals)).mappings()}
