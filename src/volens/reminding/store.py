"""What reminders keep: each customer's rhythm, the models, what was named to whom, and what is not to be named again.

Rules:
1. A rhythm is of somebody who permits; `forget_rhythms` takes those away who do not any more.
2. What was named is written in the transaction of the door through which it left, and once for a basket and a need.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
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
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)

from volens.evidence.journeys import insert_rows, rows_about
from volens.holders import Watch

metadata = MetaData()

rhythms = Table(
    "rhythms",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("read", BigInteger, nullable=False),  # the read that it was learned from
    Column("state", LargeBinary, nullable=False),
)

models = Table(
    "reminder_models",
    metadata,
    Column("read", BigInteger, primary_key=True, autoincrement=False),  # the read that it was learned from
    Column("day", String(10), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of what follows, as its event says
    Column("model", LargeBinary, nullable=False),  # empty once there is a newer one
    Column("sold", LargeBinary, nullable=False),  # a compressed bitmap of the products that can be named
    Column("figures", Text, nullable=False),
)

named = Table(
    "reminders",
    metadata,
    Column("reminder", String(24), primary_key=True),
    Column("customer", Integer, nullable=False),
    Column("basket", LargeBinary, nullable=False),  # keyed hash
    Column("need", Integer, nullable=False),
    Column("product", Integer, nullable=False),
    Column("day", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),  # the door's event
    Column("came_of_it", String(10)),  # added | aside; none as long as nobody says
    UniqueConstraint("customer", "basket", "need"),
    Index("reminders_by_day", "day"),
)

rests = Table(
    "reminder_rests",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("need", Integer, primary_key=True, autoincrement=False),
    Column("until", String(10)),  # day; none for good
    Column("seq", BigInteger, nullable=False),
)

ADDED, ASIDE = "added", "aside"


@dataclass(frozen=True)
class Named:
    """One reminder that was shown."""

    reminder: str
    customer: int
    basket: bytes
    need: int
    product: int
    day: str
    seq: int
    came_of_it: str | None


@dataclass(frozen=True)
class Known:
    """What is to be known of a customer before anything is named to her."""

    state: bytes
    lately: tuple[tuple[bytes, int], ...]
    """(basket, need) of what was named since a day."""
    resting: frozenset[int]
    """Needs that are not to be named today."""


@dataclass(frozen=True)
class Learned:
    """A model, and what it was like."""

    read: int
    day: str
    digest: str
    model: bytes
    sold: bytes
    figures: Mapping[str, Any]


def digest(model: bytes, sold: bytes) -> str:
    """What names a model, on record."""
    return hashlib.sha256(model + sold).hexdigest()


def keep_rhythms(connection: Connection, read: int, states: Sequence[tuple[int, bytes]]) -> None:
    """Puts (customer, state) in the place of what was there."""
    if states:
        rows = [(customer, read, state) for customer, state in states]
        insert_rows(connection, rhythms, ("customer", "read", "state"), rows, key=("customer",))


def with_rhythms(connection: Connection) -> list[int]:
    """Of whom there is a rhythm, ascending."""
    return [int(one) for one in connection.execute(select(rhythms.c.customer).order_by(rhythms.c.customer)).scalars()]


def forget_rhythms(connection: Connection, customers: Iterable[int]) -> None:
    """Takes rhythms away."""
    for _ in rows_about(connection, "delete from rhythms where customer in (?) returning customer", customers):
        continue


def older_than(connection: Connection, read: int) -> list[int]:
    """Of whom there is a rhythm from an earlier read."""
    query = select(rhythms.c.customer).where(rhythms.c.read < read)
    return [int(one) for one in connection.execute(query).scalars()]


def known_of(watch: Watch, customers: Sequence[int], since: str, today: str) -> dict[int, Known]:
    """What is known of some customers, as of one moment each; of whom nothing was learned is not in it."""
    marks = ", ".join("?" * len(customers))
    states = watch.rows(f"select customer, state from rhythms where customer in ({marks})", customers)  # noqa: S608
    if not states:
        return {}
    lately: dict[int, list[tuple[bytes, int]]] = {}
    said = watch.rows(
        f"select customer, basket, need from reminders where customer in ({marks}) and day >= ?", [*customers, since]  # noqa: S608
    )
    for customer, basket, need in said:
        lately.setdefault(int(customer), []).append((bytes(basket), int(need)))
    resting: dict[int, set[int]] = {}
    for customer, need in watch.rows(
        f"select customer, need from reminder_rests where customer in ({marks}) and (until is null or until >= ?)",  # noqa: S608
        [*customers, today],
    ):
        resting.setdefault(int(customer), set()).add(int(need))
    return {
        int(customer): Known(bytes(state), tuple(lately.get(customer, ())), frozenset(resting.get(customer, ())))
        for customer, state in states
    }


def state_of(connection: Connection, customer: int) -> bytes | None:
    """One customer's rhythm."""
    found = connection.execute(select(rhythms.c.state).where(rhythms.c.customer == customer)).scalar_one_or_none()
    return bytes(found) if found is not None else None


def change_rhythm(connection: Connection, customer: int, state: bytes) -> None:
    """Puts another rhythm in the place of one that is there."""
    connection.execute(update(rhythms).where(rhythms.c.customer == customer).values(state=state))


def keep_model(connection: Connection, learned: Learned) -> None:
    """Puts a model in the place of the one before it; the figures of earlier ones stay."""
    connection.execute(update(models).values(model=b""))
    connection.execute(
        insert(models).values(
            read=learned.read, day=learned.day, digest=learned.digest, model=learned.model,
            sold=learned.sold, figures=json.dumps(learned.figures, sort_keys=True),
        )
    )  # fmt: skip


def newest_model(connection: Connection) -> Learned | None:
    """The model that is used; none before anything was learned."""
    row = connection.execute(select(models).order_by(models.c.read.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return Learned(int(row.read), row.day, row.digest, bytes(row.model), bytes(row.sold), json.loads(row.figures))


def newest_read(connection: Connection) -> int | None:
    """From which read the model was learned that is used."""
    found = connection.execute(select(func.max(models.c.read))).scalar_one()
    return int(found) if found is not None else None


def keep_named(connection: Connection, rows: Sequence[Named]) -> None:
    """Writes down what is named; of a customer, basket and need once."""
    connection.execute(
        insert(named),
        [
            {"reminder": one.reminder, "customer": one.customer, "basket": one.basket, "need": one.need, "product": one.product,
             "day": one.day, "seq": one.seq}
            for one in rows
        ],
    )  # fmt: skip


def named_already(connection: Connection, pairs: Iterable[tuple[int, bytes]]) -> set[tuple[int, bytes, int]]:
    """(customer, basket, need) of what was named already in some baskets."""
    wanted = set(pairs)
    found = set[tuple[int, bytes, int]]()
    for customer in sorted({customer for customer, _ in wanted}):
        baskets = [basket for who, basket in wanted if who == customer]
        query = select(named.c.basket, named.c.need).where(named.c.customer == customer, named.c.basket.in_(baskets))
        found |= {(customer, bytes(basket), int(need)) for basket, need in connection.execute(query)}
    return found


def named_since(connection: Connection, customer: int, day: str) -> int:
    """How many reminders a customer had since a day."""
    query = select(func.count()).where(named.c.customer == customer, named.c.day >= day)
    return int(connection.execute(query).scalar_one())


def one(connection: Connection, reminder: str) -> Named | None:
    """A reminder by its number."""
    row = connection.execute(select(named).where(named.c.reminder == reminder)).mappings().one_or_none()
    return Named(**{**row, "basket": bytes(row["basket"])}) if row is not None else None


def say_what_came(connection: Connection, reminder: str, came_of_it: str) -> bool:
    """Notes what came of a reminder, once; whether it was not noted before."""
    done = connection.execute(
        update(named).where(named.c.reminder == reminder, named.c.came_of_it.is_(None)).values(came_of_it=came_of_it)
    )
    return done.rowcount == 1


def rest(connection: Connection, customer: int, need: int, until: str | None, seq: int) -> None:
    """A need is not named to a customer until a day, or for good; what was for good stays so."""
    if rests_of(connection, customer).get(need, "") is None:
        return
    connection.execute(delete(rests).where(rests.c.customer == customer, rests.c.need == need))
    connection.execute(insert(rests).values(customer=customer, need=need, until=until, seq=seq))


def rests_of(connection: Connection, customer: int) -> dict[int, str | None]:
    """What is not named to a customer, and until when."""
    rows = connection.execute(select(rests.c.need, rests.c.until).where(rests.c.customer == customer))
    return {int(need): until for need, until in rows}


def named_last(connection: Connection, customer: int, most: int) -> list[tuple[str, int]]:
    """(day, product) of what was named to a customer, newest first."""
    query = select(named.c.day, named.c.product).where(named.c.customer == customer)
    rows = connection.execute(query.order_by(named.c.seq.desc(), named.c.reminder).limit(most))
    return [(str(day), int(product)) for day, product in rows]


def rest_seq(connection: Connection, customer: int, need: int) -> int | None:
    """The event from which something is not named to a customer; none if it may be."""
    query = select(rests.c.seq).where(rests.c.customer == customer, rests.c.need == need)
    found = connection.execute(query).scalar_one_or_none()
    return int(found) if found is not None else None


def wake(connection: Connection, customer: int, need: int) -> None:
    """Something may be named to a customer again."""
    connection.execute(delete(rests).where(rests.c.customer == customer, rests.c.need == need))


def everything_named(connection: Connection) -> list[Named]:
    """Every reminder, for the audit."""
    rows = connection.execute(select(named).order_by(named.c.seq, named.c.reminder)).mappings()
    return [Named(**{**row, "basket": bytes(row["basket"])}) for row in rows]


def all_rests(connection: Connection) -> list[tuple[int, int, str | None, int]]:
    """(customer, need, until, seq) of everything that is not named, for the audit."""
    rows = connection.execute(select(rests).order_by(rests.c.customer, rests.c.need))
    return [(int(row.customer), int(row.need), row.until, int(row.seq)) for row in rows]


def outcomes(connection: Connection) -> dict[str, dict[str, int]]:
    """By month: how many were named, added, waved aside."""
    month = func.substr(named.c.day, 1, 7)
    found: dict[str, dict[str, int]] = {}
    for when, came, count in connection.execute(
        select(month, named.c.came_of_it, func.count()).group_by(month, named.c.came_of_it)
    ):
        found.setdefault(when, {})[came or "nothing"] = int(count)
    return found


def tidy(connection: Connection, before: str, today: str) -> int:
    """Takes away what was named before a day, and rests that are over; how many reminders."""
    connection.execute(delete(rests).where(rests.c.until < today))
    return int(connection.execute(delete(named).where(named.c.day < before)).rowcount)


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """Deletes what is kept of somebody, in the transaction of her erasure."""
    for table in (rhythms, named, rests):
        connection.execute(delete(table).where(table.c.customer == customer))
