"""What offers in use keep of themselves: documents, versions with their terms, and countries.

Rules:
1. Documents and terms are written once; triggers of the database keep them as they are.
2. Nothing here is about a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, Text, delete, insert, select

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
