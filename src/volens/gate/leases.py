"""What a running read needs is not deleted: a lease on the snapshot it reads, for an hour at most.

1. A lease is taken in the transaction of `opened` and given back when the read ends. It names the table's snapshot.
2. The nightly deletion spares what leases need. It takes the ledger's head row while it looks and expires, as `opened`
   does, so that no read can begin in between on a snapshot that is going.
3. After an hour a lease counts no more: a read that was killed keeps files no longer than that.

Nothing here is about a person, and nothing is proven by it: a lease that is taken away makes a read fail, clearly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, delete, insert, select

LEASE = timedelta(hours=1)

metadata = MetaData()

read_leases = Table(
    "read_leases",
    metadata,
    Column("read", BigInteger, primary_key=True, autoincrement=False),
    Column("snapshot", BigInteger),  # none while the table is empty
    Column("until", String(40), nullable=False),  # UTC, ISO 8601
)


@dataclass(frozen=True)
class Held:
    """A lease that counts."""

    read: int
    snapshot: int | None


def take(connection: Connection, read: int, snapshot: int | None, now: datetime) -> datetime:
    """In the transaction of `opened`; returns when it ends by itself."""
    until = now + LEASE
    connection.execute(insert(read_leases).values(read=read, snapshot=snapshot, until=until.isoformat()))
    return until


def give_back(connection: Connection, read: int) -> None:
    """The read has ended. Giving back twice is harmless."""
    connection.execute(delete(read_leases).where(read_leases.c.read == read))


def forget_all(connection: Connection) -> None:
    """In records that were put back: the reads and the snapshots that these leases name are of another time."""
    connection.execute(delete(read_leases))


def held(connection: Connection, now: datetime) -> list[Held]:
    """The leases that still count; those that are over are removed."""
    rows = connection.execute(select(read_leases)).all()
    over = [row.read for row in rows if datetime.fromisoformat(row.until) <= now]
    if over:
        connection.execute(delete(read_leases).where(read_leases.c.read.in_(over)))
    return [Held(int(row.read), row.snapshot) for row in rows if row.read not in over]
