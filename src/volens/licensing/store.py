"""What licences keep: each person's word about each purpose, her items, what became of each use, and what has to come down.

Rules:
1. An item's bytes rest sealed under its person's key, and are gone when she deletes it. Nothing here is in clear that was hers.
2. Where something was published is in clear: it must be taken down also when its person's key is destroyed.
3. Rows follow from their events (`seq` is the newest); `volens.audit.licences` compares.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from volens.licensing.states import DELETED, OPEN, OUT, PLANNED

metadata = MetaData()

licences = Table(
    "licences",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("offer", String(64), primary_key=True),
    Column("purpose", String(32), primary_key=True),
    Column("version", Integer, nullable=False),  # the one that she read
    Column("language", String(8), nullable=False),
    Column("country", String(2), nullable=False),
    Column("sha256", String(64), nullable=False),  # of the terms that stood there
    Column("state", String(10), nullable=False),  # states.LICENCE_STEPS
    Column("day", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),
)

items = Table(
    "licence_items",
    metadata,
    Column("item", String(32), primary_key=True),
    Column("customer", Integer, nullable=False),
    Column("offer", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(10), nullable=False),  # states.ITEM_STEPS
    Column("version", Integer),  # of the offer, under which she approved it
    Column("day", String(10), nullable=False),
    Column("sealed", LargeBinary),  # none once it is deleted
    Column("seq", BigInteger, nullable=False),
    Index("licence_items_by_customer", "customer", "offer"),
    Index("licence_items_by_offer", "offer", "state"),
)

uses = Table(
    "licence_uses",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # the seq of its plan
    Column("machine", String(120), nullable=False),
    Column("key", String(120), nullable=False),
    Column("recipient", String(64)),  # whom the machine speaks for; none: the house
    Column("item", String(32), nullable=False),
    Column("customer", Integer, nullable=False),
    Column("offer", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("medium", String(20), nullable=False),
    Column("territory", String(2), nullable=False),
    Column("place", String(500), nullable=False),
    Column("planned", String(10), nullable=False),
    Column("message", String(24)),
    Column("told", String(10)),
    Column("state", String(10), nullable=False),  # states.USE_STEPS
    Column("since", String(40), nullable=False),  # the instant of the state
    Column("seq", BigInteger, nullable=False),
    UniqueConstraint("machine", "key"),
    Index("licence_uses_by_customer", "customer"),
    Index("licence_uses_by_item", "item"),
)

takedowns = Table(
    "licence_takedowns",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # of the use
    Column("customer", Integer, nullable=False),
    Column("reason", String(10), nullable=False),  # withdrawn | expired | deleted | erased
    Column("opened", String(10), nullable=False),
    Column("due", String(10), nullable=False),
    Column("state", String(10), nullable=False),  # states.TAKEDOWN_STEPS
    Column("warned", String(10)),  # the day on which she was told that it is overdue
    Column("proof", Text),
    Column("seq", BigInteger, nullable=False),
    Index("licence_takedowns_by_state", "state", "due"),
    Index("licence_takedowns_by_customer", "customer"),
)

insteads = Table(
    "licence_insteads",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("offer", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("country", String(2), nullable=False),
    Column("state", String(10), nullable=False),  # states.INSTEAD_STEPS
    Column("seq", BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Word:
    """Somebody's last word about one purpose of an offer's licence."""

    customer: int
    offer: str
    purpose: str
    version: int
    language: str
    country: str
    sha256: str
    state: str
    day: str
    seq: int


@dataclass(frozen=True)
class Item:
    """One thing that somebody gave to be published."""

    item: str
    customer: int
    offer: str
    kind: str
    state: str
    version: int | None
    day: str
    sealed: bytes | None = field(repr=False)
    seq: int


@dataclass(frozen=True)
class Use:
    """One item in one place."""

    number: int
    machine: str
    key: str
    recipient: str | None
    item: str
    customer: int
    offer: str
    version: int
    purpose: str
    medium: str
    territory: str
    place: str
    planned: str
    message: str | None
    told: str | None
    state: str
    since: str
    seq: int


@dataclass(frozen=True)
class Takedown:
    """What has to come down, until when, and the proof that it did."""

    number: int
    customer: int
    reason: str
    opened: str
    due: str
    state: str
    warned: str | None
    proof: Mapping[str, Any] | None
    seq: int


@dataclass(frozen=True)
class Instead:
    """The way without a licence that somebody chose."""

    customer: int
    offer: str
    version: int
    country: str
    state: str
    seq: int


# Words


def word(connection: Connection, customer: int, offer: str, purpose: str) -> Word | None:
    """Somebody's last word about a purpose."""
    mine = (licences.c.customer == customer, licences.c.offer == offer, licences.c.purpose == purpose)
    row = connection.execute(select(licences).where(*mine)).mappings().one_or_none()
    return Word(**row) if row is not None else None


def words(connection: Connection, *, customer: int | None = None, offer: str | None = None, state: str = "") -> list[Word]:
    """Words of somebody, or about an offer, or of a state; in order of person, offer and purpose."""
    query = select(licences).order_by(licences.c.customer, licences.c.offer, licences.c.purpose)
    if customer is not None:
        query = query.where(licences.c.customer == customer)
    if offer is not None:
        query = query.where(licences.c.offer == offer)
    if state:
        query = query.where(licences.c.state == state)
    return [Word(**row) for row in connection.execute(query).mappings()]


def keep_word(connection: Connection, one: Word) -> None:
    """Puts a word in the place of the one before."""
    mine = (licences.c.customer == one.customer, licences.c.offer == one.offer, licences.c.purpose == one.purpose)
    connection.execute(delete(licences).where(*mine))
    connection.execute(insert(licences).values(**vars(one)))


# Items


def item(connection: Connection, item: str) -> Item | None:
    """An item by its number."""
    row = connection.execute(select(items).where(items.c.item == item)).mappings().one_or_none()
    return Item(**row) if row is not None else None


def items_of(
    connection: Connection, *, customer: int | None = None, offer: str | None = None, states: Collection[str] = ()
) -> list[Item]:
    """Items in the order in which they came, without their bytes."""
    listed = [column for column in items.c if column.name != "sealed"]
    query = select(*listed).order_by(items.c.seq, items.c.item)
    if customer is not None:
        query = query.where(items.c.customer == customer)
    if offer is not None:
        query = query.where(items.c.offer == offer)
    if states:
        query = query.where(items.c.state.in_(sorted(states)))
    return [Item(**row, sealed=None) for row in connection.execute(query).mappings()]


def add_item(connection: Connection, one: Item) -> None:
    """A new item."""
    connection.execute(insert(items).values(**vars(one)))


def move_item(connection: Connection, item: str, state: str, seq: int, version: int | None) -> None:
    """An item's next state; what is deleted has no bytes any more."""
    changes: dict[str, Any] = {"state": state, "seq": seq, "version": version}
    if state == DELETED:
        changes["sealed"] = None
    connection.execute(update(items).where(items.c.item == item).values(**changes))


# Uses


def use(connection: Connection, number: int) -> Use | None:
    """A use by its number."""
    row = connection.execute(select(uses).where(uses.c.number == number)).mappings().one_or_none()
    return Use(**row) if row is not None else None


def planned_before(connection: Connection, machine: str, key: str) -> Use | None:
    """The use that a machine planned with a key."""
    row = connection.execute(select(uses).where(uses.c.machine == machine, uses.c.key == key)).mappings().one_or_none()
    return Use(**row) if row is not None else None


def uses_of(
    connection: Connection, *, customer: int | None = None, offer: str | None = None, item: str | None = None,
    states: Collection[str] = (), untold: bool = False,
) -> list[Use]:  # fmt: skip
    """Uses in the order in which they were planned."""
    query = select(uses).order_by(uses.c.number)
    for column, value in ((uses.c.customer, customer), (uses.c.offer, offer), (uses.c.item, item)):
        if value is not None:
            query = query.where(column == value)
    if states:
        query = query.where(uses.c.state.in_(sorted(states)))
    if untold:
        query = query.where(uses.c.told.is_(None))
    return [Use(**row) for row in connection.execute(query).mappings()]


def add_use(connection: Connection, one: Use) -> None:
    """A new use."""
    connection.execute(insert(uses).values(**vars(one)))


def change_use(connection: Connection, number: int, **changes: Any) -> None:
    """What a step of a use brings."""
    connection.execute(update(uses).where(uses.c.number == number).values(**changes))


# Take-downs


def takedown(connection: Connection, number: int) -> Takedown | None:
    """The take-down of a use."""
    row = connection.execute(select(takedowns).where(takedowns.c.number == number)).mappings().one_or_none()
    return _takedown(row) if row is not None else None


def takedowns_of(connection: Connection, *, customer: int | None = None, state: str = "") -> list[Takedown]:
    """Take-downs, the most urgent first."""
    query = select(takedowns).order_by(takedowns.c.due, takedowns.c.number)
    if customer is not None:
        query = query.where(takedowns.c.customer == customer)
    if state:
        query = query.where(takedowns.c.state == state)
    return [_takedown(row) for row in connection.execute(query).mappings()]


def _takedown(row: Mapping[str, Any]) -> Takedown:
    return Takedown(**{**row, "proof": json.loads(row["proof"]) if row["proof"] is not None else None})


def add_takedown(connection: Connection, one: Takedown) -> None:
    """A new take-down."""
    connection.execute(insert(takedowns).values(**vars(one)))


def prove(connection: Connection, number: int, state: str, proof: Mapping[str, Any], seq: int) -> None:
    """A take-down is done, and this shows it."""
    written = json.dumps(proof, sort_keys=True, ensure_ascii=False)
    connection.execute(update(takedowns).where(takedowns.c.number == number).values(state=state, proof=written, seq=seq))


def warned(connection: Connection, numbers: Sequence[int], day: str) -> None:
    """Their people were told that these are overdue."""
    connection.execute(update(takedowns).where(takedowns.c.number.in_(list(numbers))).values(warned=day))


# The way without a licence


def instead(connection: Connection, customer: int, offer: str) -> Instead | None:
    """Whether somebody chose the way without a licence."""
    query = select(insteads).where(insteads.c.customer == customer, insteads.c.offer == offer)
    row = connection.execute(query).mappings().one_or_none()
    return Instead(**row) if row is not None else None


def all_insteads(connection: Connection) -> list[Instead]:
    """Everybody's."""
    rows = connection.execute(select(insteads).order_by(insteads.c.customer, insteads.c.offer)).mappings()
    return [Instead(**row) for row in rows]


def keep_instead(connection: Connection, one: Instead) -> None:
    """Puts it in the place of what was there."""
    mine = (insteads.c.customer == one.customer, insteads.c.offer == one.offer)
    connection.execute(delete(insteads).where(*mine))
    connection.execute(insert(insteads).values(**vars(one)))


# Forgetting


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """Deletes what is kept of somebody, in the transaction of her erasure. What still has to come down stays until it is down,
    about a number that stands for nobody: `withdraw_all` was done before (`rights.erasure`, its first step)."""
    for table in (licences, items, insteads):
        connection.execute(delete(table).where(table.c.customer == customer))
    waits = select(takedowns.c.number).where(takedowns.c.customer == customer, takedowns.c.state == OPEN)
    for table in (uses, takedowns):
        connection.execute(delete(table).where(table.c.customer == customer, table.c.number.not_in(waits)))


def forget_done(connection: Connection, erased: Collection[int]) -> int:
    """Deletes what came down of people who were erased; how many uses."""
    gone = 0
    for one in takedowns_of(connection):
        if one.customer in erased and one.state != OPEN:
            for table in (uses, takedowns):
                connection.execute(delete(table).where(table.c.number == one.number))
            gone += 1
    return gone


def still_out(connection: Connection, customer: int) -> list[Use]:
    """Somebody's uses that are in anybody's hands, or planned."""
    return uses_of(connection, customer=customer, states={PLANNED, *OUT})

