"""The tables of messages: what waits and what left, codes by which a message is told from a forgery, channels people allow.

Rules:
1. What a message says rests sealed under its person's key. Kind, state and instants are open.
2. `message_codes` names no person and nothing leads from it to one: it outlives an erasure, so that a true message stays true.
3. A state moves by `move` alone, which changes only rows that stand where the caller saw them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
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
    insert,
    or_,
    select,
    update,
)

from volens.delivery.message import CARRIED, FAILED, HANDED, TRANSITIONS, UNADDRESSED, WAITING
from volens.evidence.journeys import insert_rows

CHUNK = 500

metadata = MetaData()

messages = Table(
    "messages",
    metadata,
    Column("message", String(24), primary_key=True),
    Column("customer", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("channel", String(8)),  # none: the one that the customer allows when it leaves
    Column("state", String(12), nullable=False),
    Column("queued", String(40), nullable=False),
    Column("handed", String(40)),  # the newest hand-over
    Column("tries", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("messages_by_state", "state", "queued"),
    Index("messages_by_customer", "customer"),
)

message_codes = Table(
    "message_codes",
    metadata,
    Column("found_by", LargeBinary, primary_key=True),  # keyed hash of the code
    Column("kind", String(32), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("day", String(10), nullable=False),
)

service_channels = Table(
    "service_channels",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("channel", String(8), nullable=False),
)


@dataclass(frozen=True)
class Stored:
    """A message as it rests."""

    message: str
    customer: int
    kind: str
    channel: str | None
    state: str
    queued: str
    handed: str | None
    tries: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True)
class Sent:
    """What is told of a code: a kind, a channel and a day."""

    kind: str
    channel: str
    day: str


def add(connection: Connection, message: Stored) -> None:
    """Puts a message into the outbox; part of the transaction of what it tells."""
    connection.execute(insert(messages).values(**vars(message)))


def due(connection: Connection, handed_before: str, limit: int) -> list[Stored]:
    """Messages that wait, or were handed over before an instant and never acknowledged; oldest first."""
    query = (
        select(messages)
        .where(or_(messages.c.state == WAITING, and_(messages.c.state == HANDED, messages.c.handed < handed_before)))
        .order_by(messages.c.queued, messages.c.message)
        .limit(limit)
    )
    return [Stored(**row) for row in connection.execute(query).mappings()]


def standing(connection: Connection, wanted: Sequence[Stored]) -> set[str]:
    """Those of some messages that still stand where they were seen."""
    found: set[str] = set()
    seen = {one.message: (one.state, one.handed) for one in wanted}
    for start in range(0, len(wanted), CHUNK):
        some = [one.message for one in wanted[start : start + CHUNK]]
        query = select(messages.c.message, messages.c.state, messages.c.handed).where(messages.c.message.in_(some))
        found |= {row.message for row in connection.execute(query) if (row.state, row.handed) == seen[row.message]}
    return found


def carried(connection: Connection, wanted: Sequence[str]) -> dict[str, str]:
    """Those of some messages that a carrier took, with their newest hand-over."""
    found: dict[str, str] = {}
    for start in range(0, len(wanted), CHUNK):
        mine = and_(messages.c.message.in_(wanted[start : start + CHUNK]), messages.c.state == CARRIED)
        found |= {row.message: row.handed for row in connection.execute(select(messages.c.message, messages.c.handed).where(mine))}
    return found


def move(connection: Connection, wanted: Iterable[str], state: str, *, handed: str | None = None) -> None:
    """Brings messages to a state that theirs allows. A hand-over counts as a try."""
    before = [old for old, allowed in TRANSITIONS.items() if state in allowed]
    listed = sorted(wanted)
    changes: dict[str, object] = {"state": state}
    if handed is not None:
        changes |= {"handed": handed, "tries": messages.c.tries + 1}
    for start in range(0, len(listed), CHUNK):
        mine = and_(messages.c.message.in_(listed[start : start + CHUNK]), messages.c.state.in_(before))
        connection.execute(update(messages).where(mine).values(**changes))


def keep_codes(connection: Connection, found: Sequence[tuple[bytes, str, str, str]]) -> None:
    """(what a code is found by, kind, channel, day). Handed over again, a message has its newest day."""
    if found:
        insert_rows(connection, message_codes, ("found_by", "kind", "channel", "day"), found, key=("found_by",))


def code(connection: Connection, found_by: bytes) -> Sent | None:
    """What is known of a code."""
    query = select(message_codes.c.kind, message_codes.c.channel, message_codes.c.day)
    row = connection.execute(query.where(message_codes.c.found_by == found_by)).first()
    return Sent(row.kind, row.channel, row.day) if row is not None else None


def one(connection: Connection, message: str) -> Stored | None:
    """A message by its number."""
    row = connection.execute(select(messages).where(messages.c.message == message)).mappings().first()
    return Stored(**row) if row is not None else None


def newest(connection: Connection, limit: int, customer: int | None = None) -> list[Stored]:
    """The newest messages, of everybody or of one customer."""
    query = select(messages).order_by(messages.c.queued.desc(), messages.c.message).limit(limit)
    if customer is not None:
        query = query.where(messages.c.customer == customer)
    return [Stored(**row) for row in connection.execute(query).mappings()]


def counts(connection: Connection) -> dict[str, int]:
    """How many messages stand in each state."""
    query = select(messages.c.state, func.count()).group_by(messages.c.state)
    return {str(state): int(count) for state, count in connection.execute(query)}


def asked_for(connection: Connection, customer: int, kind: str, since: str) -> bool:
    """Whether a customer has a message of a kind that was asked for at or after an instant."""
    mine = and_(messages.c.customer == customer, messages.c.kind == kind, messages.c.queued >= since)
    return connection.execute(select(messages.c.message).where(mine).limit(1)).first() is not None


def channels(connection: Connection, wanted: Sequence[int]) -> dict[int, str]:
    """The channel that some customers chose; who chose none is left out."""
    found: dict[int, str] = {}
    for start in range(0, len(wanted), CHUNK):
        mine = service_channels.c.customer.in_(list(wanted[start : start + CHUNK]))
        rows = connection.execute(select(service_channels).where(mine))
        found.update({int(customer): str(channel) for customer, channel in rows})
    return found


def all_channels(connection: Connection) -> dict[int, str]:
    """Everybody's, for the audit."""
    return {int(customer): str(channel) for customer, channel in connection.execute(select(service_channels))}


def keep_channel(connection: Connection, customer: int, channel: str) -> None:
    """Part of the transaction that records it."""
    insert_rows(connection, service_channels, ("customer", "channel"), [(customer, channel)], key=("customer",))


def tidy(connection: Connection, messages_before: str, codes_before: str) -> tuple[int, int]:
    """Deletes messages that are done and were asked for before an instant, and codes from before a day; how many of each."""
    over = and_(messages.c.state.in_((CARRIED, FAILED, UNADDRESSED)), messages.c.queued < messages_before)
    gone = connection.execute(delete(messages).where(over)).rowcount
    return gone, connection.execute(delete(message_codes).where(message_codes.c.day < codes_before)).rowcount


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """Deletes what is kept of somebody, in the transaction of her erasure."""
    connection.execute(delete(messages).where(messages.c.customer == customer))
    connection.execute(delete(service_channels).where(service_channels.c.customer == customer))
