"""The tables of marketing messages: what was asked and let out, sums by month, and hashed addresses that are not written to.

Rules:
1. A message is found by a keyed hash of its tool's key: such keys may hold an address. One that was held back names no customer.
2. `message_suppressed` names nobody. It is not reached by an erasure, since it is what an erased person's no lives on in.
3. Sums follow from the events; the audit compares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    delete,
    func,
    select,
)

from volens.evidence.journeys import insert_rows

metadata = MetaData()
CHUNK = 500

marketing_messages = Table(
    "marketing_messages",
    metadata,
    Column("message", LargeBinary, primary_key=True),  # keyed hash of the tool's key
    Column("asked", LargeBinary, nullable=False),  # keyed hash of what was asked under it
    Column("channel", String(8), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("advertising", Integer, nullable=False),  # 1 | 0
    Column("opening", Integer, nullable=False),  # 1: the first to this person by this channel
    Column("customer", Integer),  # none for one that was held back
    Column("day", String(10), nullable=False),
    Column("door", BigInteger, nullable=False),  # the event of the door at which it was decided
    Column("link", LargeBinary),  # what its unsubscription is found by
    Column("point", LargeBinary),  # keyed hash of the address it went to
    Index("marketing_messages_by_customer", "customer", "channel"),
    Index("marketing_messages_by_link", "link", unique=True),
)

marketing_sums = Table(
    "marketing_sums",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("channel", String(8), primary_key=True),
    Column("what", String(32), primary_key=True),
    Column("messages", BigInteger, nullable=False),
)

message_suppressed = Table(
    "message_suppressed",
    metadata,
    Column("channel", String(8), primary_key=True),
    Column("point", LargeBinary, primary_key=True),  # keyed hash of a contact point
    Column("purpose", String(64), primary_key=True),  # of the messages that are not sent; empty: of all
    Column("reason", String(16), nullable=False),
    Column("day", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),  # the event that says so
)


@dataclass(frozen=True)
class Sent:
    """One message that was asked for."""

    message: bytes
    asked: bytes
    channel: str
    purpose: str
    advertising: int
    opening: int
    customer: int | None
    day: str
    door: int
    link: bytes | None
    point: bytes | None

    @property
    def left(self) -> bool:
        """Whether it was let out."""
        return self.customer is not None


@dataclass(frozen=True)
class Suppressed:
    """An address that is not written to by a channel."""

    channel: str
    point: bytes
    purpose: str
    """For which messages; empty: for all of the channel."""
    reason: str
    day: str
    seq: int


def known(connection: Connection, messages: Collection[bytes]) -> dict[bytes, Sent]:
    """Those of some messages that were asked for before."""
    listed, found = list(messages), dict[bytes, Sent]()
    for start in range(0, len(listed), CHUNK):
        some = marketing_messages.c.message.in_(listed[start : start + CHUNK])
        for row in connection.execute(select(marketing_messages).where(some)).mappings():
            one = _sent(dict(row))
            found[one.message] = one
    return found


def add(connection: Connection, rows: Sequence[Sent]) -> None:
    """Messages that were decided, in the transaction of their door."""
    if rows:
        columns = tuple(Sent.__dataclass_fields__)
        insert_rows(connection, marketing_messages, columns, [tuple(vars(one).values()) for one in rows])


def by_link(connection: Connection, link: bytes) -> Sent | None:
    """The message of an unsubscription."""
    row = connection.execute(select(marketing_messages).where(marketing_messages.c.link == link)).mappings().one_or_none()
    return _sent(dict(row)) if row is not None else None


def advertised(connection: Connection, customers: Collection[int], channel: str, since: str) -> dict[int, int]:
    """How many advertisements some customers got by a channel since a day."""
    found, table = dict[int, int](), marketing_messages.c
    for some in _chunks(customers):
        mine = and_(table.customer.in_(some), table.channel == channel, table.advertising == 1, table.day >= since)
        for who, count in connection.execute(select(table.customer, func.count()).where(mine).group_by(table.customer)):
            found[int(who)] = int(count)
    return found


def reached(connection: Connection, customers: Collection[int], channel: str) -> set[int]:
    """Those of some customers who were advertised to by a channel before."""
    found, table = set[int](), marketing_messages.c
    for some in _chunks(customers):
        mine = and_(table.customer.in_(some), table.channel == channel, table.advertising == 1)
        found |= {int(who) for (who,) in connection.execute(select(table.customer).where(mine).distinct())}
    return found


def add_sums(connection: Connection, month: str, sums: Mapping[tuple[str, str], int]) -> None:
    """Adds to the sums of a month: by (channel, what)."""
    rows = [(month, channel, what, count) for (channel, what), count in sorted(sums.items()) if count]
    if rows:
        columns, key = ("month", "channel", "what", "messages"), ("month", "channel", "what")
        insert_rows(connection, marketing_sums, columns, rows, key=key, adding=True)


def sums(connection: Connection) -> dict[tuple[str, str, str], int]:
    """(month, channel, what) → how many."""
    rows = connection.execute(select(marketing_sums))
    return {(row.month, row.channel, row.what): int(row.messages) for row in rows}


def suppress(connection: Connection, one: Suppressed) -> None:
    """An address is not written to by a channel; what was said of it before is replaced."""
    columns = tuple(Suppressed.__dataclass_fields__)
    insert_rows(connection, message_suppressed, columns, [tuple(vars(one).values())], key=("channel", "point", "purpose"))


def suppressed(
    connection: Connection, channel: str, points: Collection[bytes], purpose: str | None = None
) -> dict[bytes, list[Suppressed]]:
    """Those of some addresses that are not written to by a channel: for a purpose or for all of them, if one is named."""
    listed, found = list(points), dict[bytes, list[Suppressed]]()
    for start in range(0, len(listed), CHUNK):
        some = and_(message_suppressed.c.channel == channel, message_suppressed.c.point.in_(listed[start : start + CHUNK]))
        for row in connection.execute(select(message_suppressed).where(some)).mappings():
            one = _suppressed(dict(row))
            if purpose is None or one.purpose in ("", purpose):
                found.setdefault(one.point, []).append(one)
    return found


def all_suppressed(connection: Connection) -> list[Suppressed]:
    """Every address that is not written to, for the audit."""
    query = select(message_suppressed).order_by(message_suppressed.c.seq)
    return [_suppressed(dict(row)) for row in connection.execute(query).mappings()]


def count_suppressed(connection: Connection) -> dict[tuple[str, str], int]:
    """By (channel, reason): how many addresses are not written to."""
    table = message_suppressed.c
    rows = connection.execute(select(table.channel, table.reason, func.count()).group_by(table.channel, table.reason))
    return {(channel, reason): int(count) for channel, reason, count in rows}


def everything(connection: Connection) -> list[Sent]:
    """Every message, for the audit."""
    query = select(marketing_messages).order_by(marketing_messages.c.door, marketing_messages.c.message)
    return [_sent(dict(row)) for row in connection.execute(query).mappings()]


def tidy(connection: Connection, before: str) -> int:
    """Forgets messages of before a day, and with them their links; how many."""
    return int(connection.execute(delete(marketing_messages).where(marketing_messages.c.day < before)).rowcount)


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """Deletes what is kept of somebody's messages, in the transaction of her erasure. Suppression names nobody, and stays."""
    connection.execute(delete(marketing_messages).where(marketing_messages.c.customer == customer))


def _chunks(customers: Collection[int]) -> Iterable[list[int]]:
    listed = sorted(customers)
    return (listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK))


def _sent(row: Mapping[str, Any]) -> Sent:
    binary = {name: bytes(row[name]) if row[name] is not None else None for name in ("message", "asked", "link", "point")}
    return Sent(**{**row, **binary})


def _suppressed(row: Mapping[str, Any]) -> Suppressed:
    return Suppressed(**{**row, "point": bytes(row["point"])})
