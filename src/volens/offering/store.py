"""What offers in use keep: versions with their terms, countries, participations with their acts, and counts.

Rules:
1. Documents and terms are written once; triggers of the database keep them as they are.
2. A participation and its acts are of a person; `forget` takes them away. Counts and answers are of nobody.
3. One open participation of a person in an offer, one act by a key: the database says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    text,
    update,
)

from volens.evidence.journeys import insert_rows

metadata = MetaData()

documents = Table(
    "offer_documents",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # the seq of its proposal
    Column("document", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
)

versions = Table(
    "offer_versions",
    metadata,
    Column("offer", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("state", String(10), nullable=False),
    Column("proposed_by", String(120), nullable=False),
    Column("marketing", String(120), nullable=False),  # who approved in this role; empty before
    Column("dpo", String(120), nullable=False),
    Column("seq", BigInteger, nullable=False),  # the event of its state
    Column("since", String(10), nullable=False),  # the day of that
)

terms = Table(
    "offer_terms",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("language", String(2), primary_key=True),
    Column("text", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
)

countries = Table(
    "offer_countries",
    metadata,
    Column("offer", String(64), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("day", String(10), nullable=False),
    Column("reason", Text, nullable=False),  # of a suspension or an end, by language; an empty object before
    Column("by", String(120), nullable=False),  # who took the last step
    Column("stopped", BigInteger, nullable=False),  # the event of the newest suspension or end; 0 before
    Column("seq", BigInteger, nullable=False),
)

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
    Index(
        "offer_participations_open", "customer", "offer", unique=True,
        sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'"),
    ),
)  # fmt: skip

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
class Version:
    """A version of an offer on record."""

    offer: str
    version: int
    number: int
    state: str
    proposed_by: str
    marketing: str
    dpo: str
    seq: int
    since: str


@dataclass(frozen=True)
class Country:
    """Where an offer stands in a country."""

    offer: str
    country: str
    state: str
    day: str
    reason: str
    by: str
    stopped: int
    seq: int


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


# Versions


def add_document(connection: Connection, number: int, document: str, sha256: str) -> None:
    """Keeps what was proposed, for good."""
    connection.execute(insert(documents).values(number=number, document=document, sha256=sha256))


def document(connection: Connection, number: int) -> tuple[str, str] | None:
    """What was proposed under a number, and its SHA-256."""
    row = connection.execute(select(documents).where(documents.c.number == number)).one_or_none()
    return (str(row.document), str(row.sha256)) if row is not None else None


def keep_version(connection: Connection, one: Version) -> None:
    """Puts a version in the place of its earlier form."""
    connection.execute(delete(versions).where(versions.c.offer == one.offer, versions.c.version == one.version))
    connection.execute(insert(versions).values(vars(one)))


def all_versions(connection: Connection, offer: str | None = None) -> list[Version]:
    """Every version, or those of an offer, in order."""
    query = select(versions).order_by(versions.c.offer, versions.c.version)
    if offer is not None:
        query = query.where(versions.c.offer == offer)
    return [Version(**row) for row in connection.execute(query).mappings()]


def version(connection: Connection, offer: str, version: int) -> Version | None:
    """One version, or none."""
    query = select(versions).where(versions.c.offer == offer, versions.c.version == version)
    row = connection.execute(query).mappings().one_or_none()
    return Version(**row) if row is not None else None


def add_terms(connection: Connection, number: int, rows: Mapping[str, tuple[str, str]]) -> None:
    """Keeps (text, SHA-256) of a version's terms by language, for good."""
    for language, (words, sha256) in sorted(rows.items()):
        connection.execute(insert(terms).values(number=number, language=language, text=words, sha256=sha256))


def terms_of(connection: Connection, number: int) -> dict[str, tuple[str, str]]:
    """(text, SHA-256) of a version's terms, by language."""
    rows = connection.execute(select(terms).where(terms.c.number == number).order_by(terms.c.language))
    return {str(row.language): (str(row.text), str(row.sha256)) for row in rows}


# Countries


def keep_country(connection: Connection, one: Country) -> None:
    """Where an offer stands in a country from now on."""
    key = (countries.c.offer == one.offer, countries.c.country == one.country)
    connection.execute(delete(countries).where(*key))
    connection.execute(insert(countries).values(vars(one)))


def country(connection: Connection, offer: str, country: str) -> Country | None:
    """Where an offer stands in a country; none if it was never launched there."""
    query = select(countries).where(countries.c.offer == offer, countries.c.country == country)
    row = connection.execute(query).mappings().one_or_none()
    return Country(**row) if row is not None else None


def all_countries(connection: Connection, offer: str | None = None) -> list[Country]:
    """Where every offer stands, or one, by country."""
    query = select(countries).order_by(countries.c.offer, countries.c.country)
    if offer is not None:
        query = query.where(countries.c.offer == offer)
    return [Country(**row) for row in connection.execute(query).mappings()]


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


def open_of(connection: Connection, offer: str, version: int, limit: int, country: str | None = None) -> list[Participation]:
    """Open participations of a version, oldest first."""
    query = select(*_PARTICIPATION).where(
        participations.c.offer == offer, participations.c.version == version, participations.c.state == "open"
    )
    if country is not None:
        query = query.where(participations.c.country == country)
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
