"""One writer at a time: a lease is a row in the records, held by a process and renewed while it works.

Rules:
1. A lease is taken and given back in transactions of its own; whoever does not get it is told who has it.
2. It ends by itself: a process that was killed loses it after `LEASE_SECONDS`, or at once if it ran on this machine. So does
   one whose taking or giving back was kept although the records reported it lost: it knows what it holds.
3. It is the first line, not the last: the purchases table refuses a second writer's commit on its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, MetaData, String, Table, Text, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from volens.clock import Clock
from volens.errors import Unavailable
from volens.holders import Database

LEASE_SECONDS = 120
PURCHASES_WRITER = "purchases_writer"

_HELD: set[str] = set()
"""What this process holds: a row in its name that is not here was left by a call that failed."""

metadata = MetaData()

leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", Text, nullable=False),  # host:process:token
    Column("until", String(40), nullable=False),  # UTC, ISO 8601
)


@contextmanager
def held(records: Database, name: str, clock: Clock) -> Iterator[Callable[[], None]]:
    """Holds a lease for the block and gives it back. Yields a function that renews it; call it while work goes on."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
    try:
        _take(records, name, holder, clock)
    except IntegrityError as error:
        raise Unavailable("Another process took its turn at the same moment.", "Run the same command again.") from error
    _HELD.add(holder)

    def renew() -> None:
        with records.writing() as connection:
            kept = connection.execute(
                update(leases).where(leases.c.name == name, leases.c.holder == holder).values(until=_until(clock))
            )
        if kept.rowcount != 1:
            raise Unavailable("This run took too long and lost its turn to another.", "Run the same command again.")

    try:
        yield renew
    finally:
        _HELD.discard(holder)
        with records.writing() as connection:
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def clear_all(connection: Connection) -> None:
    """Forgets all leases: in records that were put back, their holders are of another time."""
    connection.execute(delete(leases))


def _take(records: Database, name: str, holder: str, clock: Clock) -> None:
    with records.writing() as connection:
        query = select(leases.c.holder, leases.c.until).where(leases.c.name == name).with_for_update()
        row = connection.execute(query).first()
        if row is not None:
            if datetime.fromisoformat(row.until) > clock.now() and not _dead(row.holder):
                raise Unavailable(
                    f"Another process is changing the purchases ({row.holder.rsplit(':', 1)[0]}).",
                    f"Wait until it is done. If it was killed, its turn ends by itself within {LEASE_SECONDS} seconds.",
                )
            connection.execute(delete(leases).where(leases.c.name == name))
        connection.execute(insert(leases).values(name=name, holder=holder, until=_until(clock)))


def _until(clock: Clock) -> str:
    return (clock.now() + timedelta(seconds=LEASE_SECONDS)).isoformat()


def _dead(holder: str) -> bool:
    """Whether the holder ran on this machine and is gone, or is this process, which holds it no longer."""
    host, process, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    if int(process) == os.getpid():
        return holder not in _HELD
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
