"""The table of who is in no audience, whatever she permits. Rows follow from events (`registry`); why is sealed there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, delete, select

from volens.evidence.journeys import insert_rows

metadata = MetaData()

audience_suppressed = Table(
    "audience_suppressed",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("reason", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
)


def suppress(connection: Connection, customer: int, reason: str, seq: int) -> None:
    """Somebody is never on a list from now on."""
    columns = ("customer", "reason", "seq")
    insert_rows(connection, audience_suppressed, columns, [(customer, reason, seq)], key=("customer",))


def release(connection: Connection, customer: int) -> None:
    """Somebody may be on lists again."""
    connection.execute(delete(audience_suppressed).where(audience_suppressed.c.customer == customer))


def suppressed(connection: Connection) -> dict[int, tuple[str, int]]:
    """Everybody who is never on a list: why, and by which event."""
    return {int(row.customer): (str(row.reason), int(row.seq)) for row in connection.execute(select(audience_suppressed))}


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """In the transaction of somebody's erasure: nothing is kept out that is not there."""
    release(connection, customer)
