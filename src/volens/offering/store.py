"""What offers in use keep of people and in numbers: participations with their acts, counts, answers.

Rules:
1. A participation and its acts are of a person; `forget` takes them away. Counts and answers are of nobody.
2. One participation by a key of its person's, one act by a key: the database says so.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    delete,
    func,
    insert,
    select,
    update,
)

from volens.evidence.journeys import insert_rows, rows_about
from volens.wallet.store import claims

metadata = MetaData()

participations = Table(
    "offer_participations",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # the seq of its event
    Column("customer", Integer, nullable=False),
    Column("offer", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("country", String(2), nullable=False),
    Column("language", String(2), nullable=False),
    Column("key", LargeBinary, nullable=False, unique=True),  # SHA-256 of whose it is and the caller's key
    Column("times", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("state", String(10), nullable=False),  # open | done | ended
    Column("claim", String(64), nullable=False),  # what its reward is called in the wallet
    Column("joined", String(10), nullable=False),
    Column("moved", String(10), nullable=False),
    Column("matures", String(10), nullable=False),  # the day on which the reward is paid; empty before it is earned
    Column("told", BigInteger, nullable=False),  # the newest suspension or end of which its person was told; 0 before
    Column("asked", Integer, nullable=False),  # 1 once it was answered whether it was as expected
    Column("seq", BigInteger, nullable=False),  # the event of its state
    Index("offer_participations_by_customer", "customer", "offer"),
    Index("offer_participations_by_offer", "offer", "country", "state"),
)

acts = Table(
    "offer_acts",
    metadata,
    Column("found_by", LargeBinary, primary_key=True),  # SHA-256 of the offer and the act's key
    Column("participation", BigInteger, nullable=False),
    Column("customer", Integer, nullable=False),
    Column("day", String(10), nullable=False),
    Column("state", String(10), nullable=False),  # counted | undone | late
    Column("seq", BigInteger, nullable=False),
    Index("offer_acts_by_participation", "participation"),
    Index("offer_acts_by_customer", "customer"),
)

counts = Table(
    "offer_counts",
    metadata,
    Column("offer", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("country", String(2), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("what", String(10), primary_key=True),  # joined | acts | done | ended | reopened | late
    Column("times", BigInteger, nullable=False),
)

answers = Table(
    "offer_answers",
    metadata,
    Column("offer", String(64), primary_key=True),
    Column("yes", BigInteger, nullable=False),
    Column("no", BigInteger, nullable=False),
    Column("shown_yes", BigInteger, nullable=False),
    Column("shown_no", BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Participation:
    """One person, one accepted version, one country, one round of the act."""

    id: int
    """The seq of its event."""
    customer: int
    offer: str
    version: int
    country: str
    language: str
    times: int
    done: int
    state: str
    claim: str
    joined: str
    moved: str
    matures: str
    """The day on which the reward is paid; empty before it is earned."""
    told: int
    asked: int
    seq: int

    @property
    def left(self) -> int:
        """How often the act is still to be done."""
        return max(0, self.times - self.done)


@dataclass(frozen=True)
class Act:
    """One act of a participation."""

    participation: int
    customer: int
    day: str
    state: str
    seq: int


@dataclass(frozen=True)
class Answers:
    """What people said of an offer afterwards, and what of it is shown."""

    yes: int = 0
    no: int = 0
    shown_yes: int = 0
    shown_no: int = 0


_PARTICIPATION = [column for column in participations.c if column.name != "key"]


# Participations


def add(connection: Connection, one: Participation, key: bytes) -> None:
    """Somebody takes part."""
    connection.execute(insert(participations).values(**vars(one), key=key))


def by_key(connection: Connection, key: bytes) -> Participation | None:
    """The participation that a call with this key made."""
    return _one(connection, participations.c.key == key)


def by_id(connection: Connection, id: int) -> Participation | None:
    """One participation."""
    return _one(connection, participations.c.id == id)


def by_claim(connection: Connection, claim: str) -> Participation | None:
    """The participation that a reward is for."""
    return _one(connection, participations.c.claim == claim)


def newest(connection: Connection, customer: int, offer: str, state: str | None = None) -> Participation | None:
    """Somebody's newest participation in an offer, in a state or in any."""
    found = [one for one in of_customer(connection, customer) if one.offer == offer and state in (None, one.state)]
    return found[0] if found else None


def of_customer(connection: Connection, customer: int) -> list[Participation]:
    """Everything somebody takes part in, newest first."""
    query = select(*_PARTICIPATION).where(participations.c.customer == customer).order_by(participations.c.id.desc())
    return _listed(connection, query)


def _one(connection: Connection, where: Any) -> Participation | None:
    found = _listed(connection, select(*_PARTICIPATION).where(where))
    return found[0] if found else None


def _listed(connection: Connection, query: Any) -> list[Participation]:
    return [Participation(**row) for row in connection.execute(query).mappings()]


def change(connection: Connection, id: int, **values: Any) -> None:
    """Changes some columns of a participation."""
    connection.execute(update(participations).where(participations.c.id == id).values(**values))


def to_tell(connection: Connection, offer: str, country: str, stopped: int, since: str, limit: int) -> list[Participation]:
    """Participations whose person was not told of a stop: open ones, and those whose reward comes after a day."""
    concerned = (participations.c.state == "open") | ((participations.c.state == "done") & (participations.c.matures > since))
    query = (
        select(*_PARTICIPATION)
        .where(participations.c.offer == offer, participations.c.country == country, participations.c.told < stopped, concerned)
        .order_by(participations.c.id)
        .limit(limit)
    )
    return _listed(connection, query)


def mark_told(connection: Connection, customers: Iterable[int], offer: str, country: str, stopped: int) -> None:
    """Some people were told of a stop."""
    query = update(participations).where(
        participations.c.customer.in_(list(customers)), participations.c.offer == offer, participations.c.country == country
    )
    connection.execute(query.values(told=stopped))


def open_of(connection: Connection, offer: str, version: int, country: str, after: int, limit: int) -> list[Participation]:
    """Open participations of a version in a country, those behind a number, oldest first."""
    query = select(*_PARTICIPATION).where(
        participations.c.offer == offer, participations.c.version == version, participations.c.country == country,
        participations.c.state == "open", participations.c.id > after,
    )  # fmt: skip
    return _listed(connection, query.order_by(participations.c.id).limit(limit))


def open_versions(connection: Connection) -> list[tuple[str, int, str]]:
    """(offer, version, country) in which somebody's participation is open."""
    columns = (participations.c.offer, participations.c.version, participations.c.country)
    query = select(*columns).where(participations.c.state == "open").distinct()
    return sorted((str(offer), int(version), str(country)) for offer, version, country in connection.execute(query))


def joined_between(connection: Connection, customer: int, offer: str, first: str, last: str) -> int:
    """How often somebody joined from a day to another without its having ended undone."""
    query = select(func.count()).where(
        participations.c.customer == customer, participations.c.offer == offer, participations.c.state != "ended",
        participations.c.joined >= first, participations.c.joined <= last,
    )  # fmt: skip
    return int(connection.execute(query).scalar_one())


def everybody(connection: Connection, offer: str) -> list[tuple[int, int, str]]:
    """(customer, id, month of joining) of everybody who is known to take part or to have taken part, oldest first."""
    columns = (participations.c.customer, participations.c.id, participations.c.joined)
    rows = connection.execute(select(*columns).where(participations.c.offer == offer).order_by(participations.c.id))
    return [(int(customer), int(id), str(joined)[:7]) for customer, id, joined in rows]


# Acts


def act(connection: Connection, found_by: bytes) -> Act | None:
    """One act, by what it is found by."""
    row = connection.execute(select(acts).where(acts.c.found_by == found_by)).mappings().one_or_none()
    return Act(**{key: row[key] for key in row if key != "found_by"}) if row is not None else None


def keep_act(connection: Connection, found_by: bytes, one: Act) -> None:
    """An act that is counted, or in its next state."""
    connection.execute(delete(acts).where(acts.c.found_by == found_by))
    connection.execute(insert(acts).values(found_by=found_by, **vars(one)))


def acts_of(connection: Connection, participation: int) -> list[Act]:
    """The acts of a participation, in order."""
    rows = connection.execute(select(acts).where(acts.c.participation == participation).order_by(acts.c.seq)).mappings()
    return [Act(**{key: row[key] for key in row if key != "found_by"}) for row in rows]


# Counts and answers


def add_count(connection: Connection, one: Participation, month: str, what: str) -> None:
    """Counts something that happened in an offer."""
    key = ("offer", "version", "country", "month", "what")
    row = (one.offer, one.version, one.country, month, what, 1)
    insert_rows(connection, counts, (*key, "times"), [row], key=key, adding=True)


def all_counts(connection: Connection, offer: str | None = None) -> list[tuple[str, int, str, str, str, int]]:
    """(offer, version, country, month, what, times)."""
    query = select(counts).order_by(*counts.primary_key.columns)
    if offer is not None:
        query = query.where(counts.c.offer == offer)
    return [
        (str(row.offer), int(row.version), str(row.country), str(row.month), str(row.what), int(row.times))
        for row in connection.execute(query)
    ]


def answers_of(connection: Connection, offer: str) -> Answers:
    """What people said of an offer afterwards."""
    row = connection.execute(select(answers).where(answers.c.offer == offer)).mappings().one_or_none()
    return Answers(**{key: int(row[key]) for key in row if key != "offer"}) if row is not None else Answers()


def keep_answers(connection: Connection, offer: str, said: Answers) -> None:
    """What people said of an offer, with one more answer."""
    connection.execute(delete(answers).where(answers.c.offer == offer))
    connection.execute(insert(answers).values(offer=offer, **vars(said)))


# People, and the audit


def open_claims(connection: Connection, customer: int) -> list[str]:
    """What the rewards are called that are reserved for somebody and not earned."""
    query = select(participations.c.claim).where(participations.c.customer == customer, participations.c.state == "open")
    return [str(claim) for claim in connection.execute(query).scalars()]


def forget(connection: Connection, customer: int) -> None:
    """Deletes what is kept of somebody."""
    for table in (acts, participations):
        connection.execute(delete(table).where(table.c.customer == customer))


def give_to(connection: Connection, former: int, to: int) -> None:
    """What is kept under one number is under another from now on."""
    for table in (acts, participations):
        connection.execute(update(table).where(table.c.customer == former).values(customer=to))


def all_participations(connection: Connection) -> list[Participation]:
    """Every participation, by id."""
    return _listed(connection, select(*_PARTICIPATION).order_by(participations.c.id))


def all_acts(connection: Connection) -> list[Act]:
    """Every act, by its event."""
    rows = connection.execute(select(acts).order_by(acts.c.seq)).mappings()
    return [Act(**{key: row[key] for key in row if key != "found_by"}) for row in rows]


def all_answers(connection: Connection) -> dict[str, Answers]:
    """What people said, by offer."""
    rows = connection.execute(select(answers)).mappings()
    return {str(row["offer"]): Answers(**{key: int(row[key]) for key in row if key != "offer"}) for row in rows}


def costs(connection: Connection) -> list[tuple[str, str, str, str, int, int, int]]:
    """(offer, country, currency, month in which it was earned, how many, money, vouchers) of the rewards that stand."""
    month = func.substr(claims.c.earned, 1, 7)
    what = (claims.c.offer, claims.c.country, claims.c.currency, month)
    query = select(*what, func.count(), func.sum(claims.c.money_cents), func.sum(claims.c.voucher_cents))
    rows = connection.execute(query.where(claims.c.state.in_(("pending", "held", "available"))).group_by(*what).order_by(*what))
    return [
        (str(offer), str(country), str(currency), str(when), int(count), int(money), int(voucher))
        for offer, country, currency, when, count, money, voucher in rows
    ]


# What people permit who took part


def yeses_of(connection: Connection, customers: Iterable[int]) -> list[tuple[int, str, str, int, bool]]:
    """(customer, purpose, kind, seq, whether she said it here herself) of every yes of some people, in the order of the record."""
    listed, found = list(customers), list[tuple[int, str, str, int, bool]]()
    kinds = "('given', 'renewed', 'notified', 'joined')"
    for table, where in (("events", "tree = 'events' and "), ("group_rows", "")):
        words = f"select customer, purpose, kind, seq from {table} where {where}kind in {kinds} and customer in (?)"  # noqa: S608
        for customer, purpose, kind, seq in rows_about(connection, words, listed):
            found.append((int(customer), str(purpose), str(kind), int(seq), table == "events" and kind in ("given", "renewed")))
    return sorted(found, key=lambda one: one[3])


def permitting(connection: Connection, customers: Iterable[int]) -> set[tuple[int, str]]:
    """(customer, purpose) for which a yes stands now, for any recipient."""
    words = "select distinct customer, purpose from permissions where kind in ('given', 'renewed') and customer in (?)"
    return {(int(customer), str(purpose)) for customer, purpose in rows_about(connection, words, customers)}
