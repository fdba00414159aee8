"""What sponsored products keep: placements, how often each was shown, and of whoever permits it her profile and what she saw.

Rules:
1. A profile, an impression of hers and what she hid are of somebody who permits; `forget_all` takes them away when she does not.
2. What was chosen by the page has no person: it is counted by placement, day and way, and by visit for the day.
3. A placement's row in `ad_totals` is taken first by every round that may show it: whoever holds it is alone with its limits.
"""

from __future__ import annotations

import json
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
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from volens.evidence.journeys import Question, ask, insert_rows, rows_about
from volens.holders import Watch

metadata = MetaData()

placements = Table(
    "ad_placements",
    metadata,
    Column("placement", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),  # the seq of its definition; what is shown names it so
    Column("document", Text, nullable=False),
    Column("state", String(10), nullable=False),  # proposed | approved | ended
    Column("proposed_by", String(120), nullable=False),
    Column("until", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),  # the event of its state
)

totals = Table(
    "ad_totals",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("shown", BigInteger, nullable=False),
)

counts = Table(
    "ad_counts",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("day", String(10), primary_key=True),
    Column("way", String(10), primary_key=True),  # personal | page
    Column("shown", BigInteger, nullable=False),
)

visits = Table(
    "ad_visits",
    metadata,
    Column("visit", BigInteger, primary_key=True, autoincrement=False),  # keyed hash of the visit's random key and the day
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("day", String(10), primary_key=True),
    Column("shown", BigInteger, nullable=False),
    Index("ad_visits_by_day", "day"),
)

profiles = Table(
    "ad_profiles",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("read", BigInteger, nullable=False),  # the read that it was learned from
    Column("state", LargeBinary, nullable=False),
)

impressions = Table(
    "ad_impressions",
    metadata,
    Column("impression", String(48), primary_key=True),
    Column("customer", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("product", Integer, nullable=False),
    Column("day", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),  # the door's event
    Column("category", String(64), nullable=False),  # what it was chosen by,
    Column("bought", Integer, nullable=False),  # and on how many days that was bought
    Index("ad_impressions_by_customer", "customer"),
    Index("ad_impressions_by_number", "number", "day"),
)

hidden = Table(
    "ad_hidden",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)

PROPOSED, APPROVED, ENDED = "proposed", "approved", "ended"
PERSONAL, PAGE = "personal", "page"
OF_PEOPLE = (profiles, impressions, hidden)


@dataclass(frozen=True)
class Stored:
    """A placement on record."""

    placement: str
    number: int
    document: Mapping[str, Any]
    state: str
    proposed_by: str
    until: str
    seq: int


@dataclass(frozen=True)
class Impression:
    """One advertisement that was chosen by purchases and shown."""

    impression: str
    customer: int
    number: int
    product: int
    day: str
    seq: int
    category: str
    bought: int


@dataclass(frozen=True)
class Met:
    """What somebody has had of placements: how often on a day, and altogether; and what she hid."""

    today: Mapping[int, int]
    ever: Mapping[int, int]
    hidden: frozenset[int]


NOTHING = Met({}, {}, frozenset())


# Placements


def keep(connection: Connection, one: Stored) -> None:
    """Puts a placement in the place of its earlier form."""
    connection.execute(delete(placements).where(placements.c.placement == one.placement))
    connection.execute(insert(placements).values({**vars(one), "document": json.dumps(one.document, sort_keys=True)}))


def move(connection: Connection, placement: str, state: str, seq: int) -> None:
    """A placement's next state."""
    connection.execute(update(placements).where(placements.c.placement == placement).values(state=state, seq=seq))


def open_total(connection: Connection, number: int) -> None:
    """From now on a placement is counted."""
    connection.execute(insert(totals).values(number=number, shown=0))


def all_placements(connection: Connection) -> list[Stored]:
    """Every placement, by id."""
    rows = connection.execute(select(placements).order_by(placements.c.placement)).mappings()
    return [Stored(**{**row, "document": json.loads(row["document"])}) for row in rows]


def newest_change(watch: Watch) -> int:
    """The newest event of any placement."""
    return int(watch.rows("select coalesce(max(seq), 0) from ad_placements")[0][0])


# One round


def limits(
    connection: Connection, numbers: Collection[int], visits: Collection[int], customers: Collection[int], day: str
) -> tuple[dict[int, int], dict[tuple[int, int], int], dict[int, Met]]:
    """In one journey: how often some placements were shown, how often each in some visits, and what some customers had of them.
    Nobody else shows these placements until the end of the transaction. A visit's key holds its day."""
    shown, visited, seen, put_away = ask(
        connection,
        [
            Question("select number, shown from ad_totals where number in (?) order by number", numbers, locks=True),
            Question("select visit, number, shown from ad_visits where visit in (?)", visits),
            Question(
                "select customer, number, day, count(*) from ad_impressions where customer in (?) group by customer, number, day",
                customers,
            ),
            Question("select customer, number from ad_hidden where customer in (?)", customers),
        ],
    )
    in_visits = {(int(visit), int(number)): int(times) for visit, number, times in visited}
    return {int(number): int(times) for number, times in shown}, in_visits, _met(seen, put_away, customers, day)


def profiles_of(watch: Watch, customers: Sequence[int]) -> dict[int, bytes]:
    """What was learned of some customers."""
    marks = ", ".join("?" * len(customers))
    rows = watch.rows(f"select customer, state from ad_profiles where customer in ({marks})", customers)  # noqa: S608
    return {int(customer): bytes(state) for customer, state in rows}


def _met(seen: Iterable[Any], put_away: Iterable[Any], customers: Collection[int], day: str) -> dict[int, Met]:
    today, ever = dict[int, dict[int, int]](), dict[int, dict[int, int]]()
    for customer, number, when, times in seen:
        of = ever.setdefault(int(customer), {})
        of[int(number)] = of.get(int(number), 0) + int(times)
        if when == day:
            today.setdefault(int(customer), {})[int(number)] = int(times)
    hid = dict[int, set[int]]()
    for customer, number in put_away:
        hid.setdefault(int(customer), set()).add(int(number))
    return {one: Met(today.get(one, {}), ever.get(one, {}), frozenset(hid.get(one, ()))) for one in customers}


def add_shown(connection: Connection, day: str, shown: Mapping[tuple[int, str], int]) -> None:
    """Counts what is shown, by placement and way."""
    if not shown:
        return
    altogether = dict[int, int]()
    for (number, _), times in shown.items():
        altogether[number] = altogether.get(number, 0) + times
    insert_rows(connection, totals, ("number", "shown"), sorted(altogether.items()), key=("number",), adding=True)
    rows = [(number, day, way, times) for (number, way), times in sorted(shown.items())]
    insert_rows(connection, counts, ("number", "day", "way", "shown"), rows, key=("number", "day", "way"), adding=True)


def add_to_visits(connection: Connection, day: str, shown: Mapping[tuple[int, int], int]) -> None:
    """Counts what is shown, by visit and placement."""
    if shown:
        rows = [(visit, number, day, times) for (visit, number), times in sorted(shown.items())]
        insert_rows(connection, visits, ("visit", "number", "day", "shown"), rows, key=("visit", "number", "day"), adding=True)


def keep_impressions(connection: Connection, rows: Sequence[Impression]) -> None:
    """Writes down what is shown to whom, and by what it was chosen."""
    columns = ("impression", "customer", "number", "product", "day", "seq", "category", "bought")
    if rows:
        insert_rows(connection, impressions, columns, [tuple(vars(one)[name] for name in columns) for one in rows])


# What is of people


def keep_profiles(connection: Connection, read: int, states: Sequence[tuple[int, bytes]]) -> None:
    """Puts (customer, state) in the place of what was there."""
    if states:
        rows = [(customer, read, state) for customer, state in states]
        insert_rows(connection, profiles, ("customer", "read", "state"), rows, key=("customer",))


def older_than(connection: Connection, read: int | None) -> list[int]:
    """Of whom there is a profile from an earlier read; of everybody, without one."""
    query = select(profiles.c.customer)
    if read is not None:
        query = query.where(profiles.c.read < read)
    return [int(one) for one in connection.execute(query).scalars()]


def forget_profiles(connection: Connection, customers: Iterable[int]) -> None:
    """Takes profiles away."""
    for _ in rows_about(connection, "delete from ad_profiles where customer in (?) returning customer", customers):
        continue


def somebody(connection: Connection) -> set[int]:
    """Everybody of whom anything is kept."""
    return {int(one) for table in OF_PEOPLE for one in connection.execute(select(table.c.customer).distinct()).scalars()}


def forget_all(connection: Connection, customers: Iterable[int]) -> None:
    """Takes away all that is kept of some people."""
    listed = list(customers)
    for table in OF_PEOPLE:
        words = f"delete from {table.name} where customer in (?) returning customer"  # noqa: S608  # our own words
        for _ in rows_about(connection, words, listed):
            continue


def profile(connection: Connection, customer: int) -> bytes | None:
    """What was learned of somebody."""
    found = connection.execute(select(profiles.c.state).where(profiles.c.customer == customer)).scalar_one_or_none()
    return bytes(found) if found is not None else None


def with_profiles(connection: Connection) -> dict[int, int]:
    """Everybody of whom something was learned, with the read."""
    return {int(customer): int(read) for customer, read in connection.execute(select(profiles.c.customer, profiles.c.read))}


def impression(connection: Connection, impression: str) -> Impression | None:
    """One of somebody's impressions, by its id."""
    row = connection.execute(select(impressions).where(impressions.c.impression == impression)).mappings().one_or_none()
    return Impression(**row) if row is not None else None


def last_shown(connection: Connection, customer: int, most: int) -> list[Impression]:
    """What was chosen for somebody lately, newest first."""
    query = select(impressions).where(impressions.c.customer == customer)
    rows = connection.execute(query.order_by(impressions.c.seq.desc(), impressions.c.impression).limit(most)).mappings()
    return [Impression(**row) for row in rows]


def hides(connection: Connection, customer: int, number: int) -> bool:
    """Whether somebody hid a placement."""
    query = select(hidden.c.seq).where(hidden.c.customer == customer, hidden.c.number == number)
    return connection.execute(query).first() is not None


def hide(connection: Connection, customer: int, number: int, seq: int) -> None:
    """Somebody does not want to see a placement again."""
    connection.execute(insert(hidden).values(customer=customer, number=number, seq=seq))


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """Deletes what is kept of somebody, in the transaction of her erasure."""
    for table in OF_PEOPLE:
        connection.execute(delete(table).where(table.c.customer == customer))


def tidy(connection: Connection, today: str, over: str) -> None:
    """Visits of earlier days go, and what people saw of placements that were over before a day."""
    connection.execute(delete(visits).where(visits.c.day < today))
    past = select(placements.c.number).where(placements.c.until < over)
    for table in (impressions, hidden):
        connection.execute(delete(table).where(table.c.number.in_(past)))


# For staff and the audit


def shown_by_day(connection: Connection) -> list[tuple[int, str, str, int]]:
    """(placement's number, day, way, how often)."""
    rows = connection.execute(select(counts).order_by(counts.c.number, counts.c.day, counts.c.way))
    return [(int(row.number), row.day, row.way, int(row.shown)) for row in rows]


def all_totals(connection: Connection) -> dict[int, int]:
    """How often each placement was shown."""
    return {int(number): int(shown) for number, shown in connection.execute(select(totals.c.number, totals.c.shown))}


def all_impressions(connection: Connection) -> list[Impression]:
    """Every impression of somebody."""
    rows = connection.execute(select(impressions).order_by(impressions.c.seq, impressions.c.impression)).mappings()
    return [Impression(**row) for row in rows]


def all_hidden(connection: Connection) -> list[tuple[int, int, int]]:
    """(customer, number, seq) of what people hid."""
    return [(int(row.customer), int(row.number), int(row.seq)) for row in connection.execute(select(hidden).order_by(hidden.c.seq))]


def count_hidden(connection: Connection) -> dict[int, int]:
    """By placement's number: how many people hid it."""
    query = select(hidden.c.number, func.count()).group_by(hidden.c.number)
    return {int(number): int(count) for number, count in connection.execute(query)}
