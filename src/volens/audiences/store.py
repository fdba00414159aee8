"""The tables of audiences: what is defined, what was built, which lists were handed over, who is taken off them.

Rules:
1. Everything here follows from events (`volens audit` compares), but for `audience_due`, which notes since when it is known that
   somebody has to go, and `audience_sent`, which is what the platform knows her by, sealed.
2. A set of people is kept in blocks, under the number of its event. Who was handed over stands with the door (`gate.store`).
3. Somebody who is erased stays in sets as a bare number, until whoever holds a list has acknowledged that she is off it.
4. Who is in no audience stands elsewhere (`kept_out`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyroaring import BitMap
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    update,
)

from volens.evidence.journeys import insert_rows
from volens.gate.store import BLOCK_BITS, blocks, customer_sets

CHUNK = 500
WRITTEN, PLACED, LOST = "written", "placed", "lost"
"""A list is committed; its file lies where the retailer named; or it was never laid there, and nobody received it."""

metadata = MetaData()

audiences = Table(
    "audiences",
    metadata,
    Column("audience", String(64), primary_key=True),
    Column("document", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),  # of the newest definition
    Column("until", String(10), nullable=False),
    Column("ended", BigInteger),
)

audience_builds = Table(
    "audience_builds",
    metadata,
    Column("audience", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("defined", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("at", String(40), nullable=False),
    Column("people", Integer, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)

audience_sets = Table(
    "audience_sets",
    metadata,
    Column("owner", BigInteger, primary_key=True, autoincrement=False),  # seq of a build or of a removal
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("bitmap", LargeBinary, nullable=False),
)

audience_lists = Table(
    "audience_lists",
    metadata,
    Column("list", BigInteger, primary_key=True, autoincrement=False),  # seq of `handed_over`
    Column("audience", String(64), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),  # of `audience-list`
    Column("file", String(160), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("people", Integer, nullable=False),
    Column("at", String(40), nullable=False),
    Column("state", String(8), nullable=False),
    Index("audience_lists_by_audience", "audience"),
)

audience_sent = Table(
    "audience_sent",
    metadata,
    Column("list", BigInteger, primary_key=True, autoincrement=False),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

audience_removals = Table(
    "audience_removals",
    metadata,
    Column("removal", BigInteger, primary_key=True, autoincrement=False),  # seq of `audience-removal`
    Column("audience", String(64), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("file", String(160), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("people", Integer, nullable=False),
    Column("at", String(40), nullable=False),
    Column("since", String(40), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("acknowledged", BigInteger),
    Index("audience_removals_by_audience", "audience"),
)

audience_due = Table(
    "audience_due",
    metadata,
    Column("audience", String(64), primary_key=True),
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("why", String(16), nullable=False),
    Column("since", String(40), nullable=False),
    Index("audience_due_by_customer", "customer"),
)

@dataclass(frozen=True)
class Defined:
    """An audience on record."""

    audience: str
    document: Mapping[str, Any]
    seq: int
    until: str
    ended: int | None


@dataclass(frozen=True)
class Built:
    """The newest set of people of an audience."""

    audience: str
    seq: int
    defined: int
    position: int
    at: str
    people: int
    salt: bytes = field(repr=False)


@dataclass(frozen=True)
class Listed:
    """A list that passed the door."""

    list: int
    audience: str
    recipient: str
    seq: int
    file: str
    sha256: str
    people: int
    at: str
    state: str


@dataclass(frozen=True)
class Removal:
    """People whom a platform was told to take off a list."""

    removal: int
    audience: str
    recipient: str
    file: str
    sha256: str
    people: int
    at: str
    since: str
    salt: bytes = field(repr=False)
    acknowledged: int | None


# Definitions and builds


def keep(connection: Connection, audience: str, document: Mapping[str, Any], seq: int, until: str) -> None:
    """A definition, in the transaction of its event; the one before it goes."""
    written = json.dumps(document, ensure_ascii=False, sort_keys=True, default=str)
    columns = ("audience", "document", "seq", "until", "ended")
    insert_rows(connection, audiences, columns, [(audience, written, seq, until, None)], key=("audience",))


def end(connection: Connection, audience: str, seq: int) -> None:
    """An audience has ended; what was built of it goes."""
    connection.execute(update(audiences).where(audiences.c.audience == audience).values(ended=seq))
    drop_build(connection, audience)


def all_defined(connection: Connection) -> list[Defined]:
    """Every audience on record, by id."""
    rows = connection.execute(select(audiences).order_by(audiences.c.audience)).mappings()
    return [Defined(**{**row, "document": json.loads(row["document"])}) for row in rows]


def defined(connection: Connection, audience: str) -> Defined | None:
    """An audience by its id."""
    row = connection.execute(select(audiences).where(audiences.c.audience == audience)).mappings().first()
    return Defined(**{**row, "document": json.loads(row["document"])}) if row is not None else None


def keep_build(connection: Connection, made: Built, people: BitMap) -> None:
    """The newest build, with its people; the one before it goes."""
    drop_build(connection, made.audience)
    connection.execute(insert(audience_builds).values(**vars(made)))
    keep_set(connection, made.seq, people)


def drop_build(connection: Connection, audience: str) -> None:
    """Forgets what was built of an audience."""
    before = built(connection, audience)
    if before is not None:
        connection.execute(delete(audience_sets).where(audience_sets.c.owner == before.seq))
        connection.execute(delete(audience_builds).where(audience_builds.c.audience == audience))


def built(connection: Connection, audience: str) -> Built | None:
    """What was built last of an audience."""
    row = connection.execute(select(audience_builds).where(audience_builds.c.audience == audience)).mappings().first()
    return Built(**row) if row is not None else None


def all_built(connection: Connection) -> list[Built]:
    """The newest build of every audience."""
    return [Built(**row) for row in connection.execute(select(audience_builds)).mappings()]


def keep_set(connection: Connection, owner: int, people: BitMap) -> None:
    """A set under the number of its event."""
    rows = [(owner, block, bytes(part.serialize())) for block, part in blocks(people)]
    if rows:
        insert_rows(connection, audience_sets, ("owner", "block", "bitmap"), rows)


def lists_with(connection: Connection, customer: int) -> list[Listed]:
    """The lists that had one customer. Reads one block of each."""
    query = (
        select(audience_lists, customer_sets.c.bitmap)
        .join(customer_sets, customer_sets.c.owner == audience_lists.c.list)
        .where(customer_sets.c.block == customer >> BLOCK_BITS)
        .order_by(audience_lists.c.list)
    )
    return [Listed(**row) for row in _with(connection, query, customer)]


def removals_with(connection: Connection, customer: int) -> list[Removal]:
    """The removals that named one customer. Reads one block of each."""
    query = (
        select(audience_removals, audience_sets.c.bitmap)
        .join(audience_sets, audience_sets.c.owner == audience_removals.c.removal)
        .where(audience_sets.c.block == customer >> BLOCK_BITS)
        .order_by(audience_removals.c.removal)
    )
    return [Removal(**row) for row in _with(connection, query, customer)]


def _with(connection: Connection, query: Select[Any], customer: int) -> Iterator[dict[str, Any]]:
    """The rows whose bitmap has a customer, without it."""
    for row in connection.execute(query).mappings():
        if customer in BitMap.deserialize(bytes(row["bitmap"])):
            yield {key: value for key, value in row.items() if key != "bitmap"}


def set_of(connection: Connection, owner: int) -> BitMap:
    """A set by the number of its event."""
    whole = BitMap()
    for (bitmap,) in connection.execute(select(audience_sets.c.bitmap).where(audience_sets.c.owner == owner)):
        whole |= BitMap.deserialize(bytes(bitmap))
    return whole


def owners(connection: Connection) -> set[int]:
    """The events that have a set, for the audit."""
    return {int(owner) for (owner,) in connection.execute(select(audience_sets.c.owner).distinct())}


# Lists


def add_list(connection: Connection, made: Listed, sent: Iterable[tuple[int, bytes]]) -> None:
    """A list, in the transaction of its door. `sent`: (block, what the platform gets of its people, sealed)."""
    connection.execute(insert(audience_lists).values(**vars(made)))
    rows = [(made.list, block, sealed) for block, sealed in sent]
    if rows:
        insert_rows(connection, audience_sent, ("list", "block", "sealed"), rows)


def set_state(connection: Connection, one: int, state: str) -> None:
    """A list that was written is laid down, or lost; nothing else ever moves."""
    mine = and_(audience_lists.c.list == one, audience_lists.c.state == WRITTEN)
    connection.execute(update(audience_lists).where(mine).values(state=state))
    if state == LOST:
        connection.execute(delete(audience_sent).where(audience_sent.c.list == one))


def lists(connection: Connection, audience: str | None = None, since: str = "") -> list[Listed]:
    """Lists in the order in which they passed the door: of all audiences or of one, from an instant on."""
    query = select(audience_lists).where(audience_lists.c.at >= since).order_by(audience_lists.c.list)
    if audience is not None:
        query = query.where(audience_lists.c.audience == audience)
    return [Listed(**row) for row in connection.execute(query).mappings()]


def sealed_of(connection: Connection, one: int, wanted: Iterable[int]) -> dict[int, bytes]:
    """Blocks of what was sent with a list."""
    chosen, found = sorted(wanted), dict[int, bytes]()
    for start in range(0, len(chosen), CHUNK):
        some = audience_sent.c.block.in_(chosen[start : start + CHUNK])
        for block, sealed in connection.execute(
            select(audience_sent.c.block, audience_sent.c.sealed).where(audience_sent.c.list == one, some)
        ):
            found[int(block)] = bytes(sealed)
    return found


def replace_sealed(connection: Connection, one: int, block: int, sealed: bytes | None) -> None:
    """A block of a list without some of its people; none: it goes."""
    mine = and_(audience_sent.c.list == one, audience_sent.c.block == block)
    if sealed is None:
        connection.execute(delete(audience_sent).where(mine))
    else:
        connection.execute(update(audience_sent).where(mine).values(sealed=sealed))


# Removals


def add_removal(connection: Connection, made: Removal, people: BitMap) -> None:
    """A removal, in the transaction of its event."""
    connection.execute(insert(audience_removals).values(**vars(made)))
    keep_set(connection, made.removal, people)


def acknowledge(connection: Connection, removal: int, seq: int) -> None:
    """A platform has taken these people off."""
    connection.execute(update(audience_removals).where(audience_removals.c.removal == removal).values(acknowledged=seq))


def removals(connection: Connection, audience: str | None = None) -> list[Removal]:
    """Removals in their order, of all audiences or of one."""
    query = select(audience_removals).order_by(audience_removals.c.removal)
    if audience is not None:
        query = query.where(audience_removals.c.audience == audience)
    return [Removal(**row) for row in connection.execute(query).mappings()]


def due(connection: Connection, audience: str | None = None, customer: int | None = None) -> dict[tuple[str, int], tuple[str, str]]:
    """(audience, customer) → (why, since) of those of whom it is known that they have to go."""
    query = select(audience_due)
    if audience is not None:
        query = query.where(audience_due.c.audience == audience)
    if customer is not None:
        query = query.where(audience_due.c.customer == customer)
    return {(row.audience, int(row.customer)): (row.why, row.since) for row in connection.execute(query)}


def note_due(connection: Connection, audience: str, people: Mapping[int, str], since: str) -> None:
    """Notes who has to go, and since when it is known."""
    rows = [(audience, customer, why, since) for customer, why in sorted(people.items())]
    if rows:
        columns = ("audience", "customer", "why", "since")
        insert_rows(connection, audience_due, columns, rows, key=("audience", "customer"))


def no_longer_due(connection: Connection, audience: str, people: Sequence[int]) -> None:
    """Who has not to go any more, or was told of."""
    for start in range(0, len(people), CHUNK):
        some = audience_due.c.customer.in_(list(people[start : start + CHUNK]))
        connection.execute(delete(audience_due).where(audience_due.c.audience == audience, some))


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """In the transaction of somebody's erasure. She stays due for removal, as a number, until each platform has acknowledged."""
    connection.execute(update(audience_due).where(audience_due.c.customer == customer).values(why="erased"))
