"""What is kept of people for a campaign, and goes with it: signals that rules compare, and what machines reported of orders.

Rules:
1. Signals, and the keys of reports and orders, are keyed hashes.
2. What is forgotten of a person or a campaign is forgotten here, also of who invited whom.
"""

from __future__ import annotations

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
    delete,
    insert,
    or_,
    select,
)

from volens.evidence.journeys import insert_rows
from volens.referring.states import HELD
from volens.referring.store import links, people, ties

metadata = MetaData()

signals = Table(
    "referral_signals",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("offer", String(64), primary_key=True),
    Column("kind", String(12), primary_key=True),  # mailbox | letters | phone | surname | payment | address | thrown
    Column("hash", LargeBinary, primary_key=True),
    Index("referral_signals_by_offer", "offer"),
)

reports = Table(
    "referral_reports",
    metadata,
    Column("key", LargeBinary, primary_key=True),  # keyed hash of the machine's key
    Column("customer", Integer, nullable=False),
    Column("offer", String(64), nullable=False),
    Column("kind", String(8), nullable=False),  # order | refund | return
    Column("about", LargeBinary, nullable=False),  # keyed hash of the order
    Column("at", String(32), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of the whole report: the same key with another is refused
    Index("referral_reports_by_customer", "customer", "offer"),
)

@dataclass(frozen=True)
class Report:
    """What a machine said of an order."""

    key: bytes
    customer: int
    offer: str
    kind: str
    about: bytes
    at: str
    cents: int
    digest: bytes


def keep_signals(connection: Connection, customer: int, offer: str, found: Iterable[tuple[str, bytes]]) -> int:
    """Adds (kind, hash) to what is kept of somebody for a campaign; how many were new."""
    there = set(signals_of(connection, offer, [customer]).get(customer, ()))
    rows = [(customer, offer, kind, digest) for kind, digest in sorted(set(found) - there)]
    if rows:
        insert_rows(connection, signals, ("customer", "offer", "kind", "hash"), rows)
    return len(rows)


def signals_of(connection: Connection, offer: str, customers: Sequence[int]) -> dict[int, list[tuple[str, bytes]]]:
    """(kind, hash) of some people in a campaign."""
    query = select(signals).where(signals.c.offer == offer, signals.c.customer.in_(customers))
    found: dict[int, list[tuple[str, bytes]]] = {}
    for row in connection.execute(query):
        found.setdefault(int(row.customer), []).append((str(row.kind), bytes(row.hash)))
    return found


def report(connection: Connection, key: bytes) -> Report | None:
    """What was reported by a key."""
    row = connection.execute(select(reports).where(reports.c.key == key)).mappings().one_or_none()
    return _report(row) if row is not None else None


def keep_report(connection: Connection, one: Report) -> None:
    """A new report."""
    connection.execute(insert(reports).values(**vars(one)))


def reports_about(connection: Connection, about: bytes) -> list[Report]:
    """Everything reported of an order."""
    rows = connection.execute(select(reports).where(reports.c.about == about).order_by(reports.c.at)).mappings()
    return [_report(row) for row in rows]


def reports_of(connection: Connection, customer: int, offer: str) -> list[Report]:
    """Everything reported of somebody's orders in a campaign, the first first."""
    query = select(reports).where(reports.c.customer == customer, reports.c.offer == offer).order_by(reports.c.at)
    return [_report(row) for row in connection.execute(query).mappings()]


def _report(row: Mapping[Any, Any]) -> Report:
    return Report(**{**row, **{name: bytes(row[name]) for name in ("key", "about", "digest")}})


# Forgetting


def campaigns(connection: Connection) -> set[str]:
    """Offers of which anything is kept."""
    found = (connection.execute(select(table.c.offer).distinct()).scalars() for table in (signals, reports, ties, links))
    return {str(one) for each in found for one in each}


def forget_campaign(connection: Connection, offer: str) -> int:
    """A campaign is over: signals, reports and links go, and who invited whom, except what a person still looks at. That somebody
    was once invited stays: she is invited once. How many rows went."""
    gone = sum(connection.execute(delete(table).where(table.c.offer == offer)).rowcount for table in (signals, reports, links))
    gone += connection.execute(delete(ties).where(ties.c.offer == offer, ties.c.state != HELD)).rowcount
    sponsors = select(ties.c.sponsor).union(select(links.c.customer))
    connection.execute(delete(people).where(people.c.generation == 0, people.c.customer.not_in(sponsors)))
    return gone


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """Deletes what is kept of somebody, in the transaction of her erasure; also whom she invited, since it names her."""
    connection.execute(delete(ties).where(or_(ties.c.friend == customer, ties.c.sponsor == customer)))
    for table in (links, signals, reports, people):
        connection.execute(delete(table).where(table.c.customer == customer))
