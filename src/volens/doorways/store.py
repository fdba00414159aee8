"""The tables of doorways: which codes were ended, single-use links, requests for them, and who had this year's page.

Rules:
1. A link is kept as a keyed hash of its token, with a seal over whose it is, for what and until when: whoever reads or writes the
   records can neither follow one nor make one. A request is sealed under the intake key.
2. `redeem` changes a link that is there, good and unused, or nothing: two who follow it at once are not both served.
3. No personal data but numbers of accounts and customers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    insert,
    or_,
    select,
    update,
)  # fmt: skip

from volens.delivery.message import EMAIL, SMS
from volens.delivery.store import service_channels
from volens.evidence.journeys import insert_rows
from volens.identity.store import accounts, customers

CHUNK = 500

metadata = MetaData()

doorway_generations = Table(
    "doorway_generations",
    metadata,
    Column("account", Integer, primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),  # above zero: codes of those before it are ended
)

single_use_links = Table(
    "single_use_links",
    metadata,
    Column("found_by", LargeBinary, primary_key=True),  # keyed hash of the token
    Column("customer", Integer, nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("made", String(40), nullable=False),
    Column("expires", String(40), nullable=False),
    Column("redeemed", String(40)),
    Column("seal", LargeBinary, nullable=False),  # keyed hash of all that is fixed about the link
    Index("single_use_links_by_customer", "customer"),
)

link_requests = Table(
    "link_requests",
    metadata,
    Column("request", String(24), primary_key=True),
    Column("asked", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

summaries = Table(
    "summaries",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("day", String(10), nullable=False),  # of the newest
    Column("seq", BigInteger, nullable=False),
    Index("summaries_by_day", "day"),
)


@dataclass(frozen=True)
class Link:
    """A single-use link as it rests."""

    customer: int
    purpose: str
    made: str
    expires: str
    redeemed: str | None
    seal: bytes = field(default=b"", repr=False)

    def fixed(self) -> bytes:
        """What the seal is over."""
        return f"{self.customer}/{self.purpose}/{self.made}/{self.expires}".encode()


@dataclass(frozen=True)
class Request:
    """Somebody asked for a link; for whom is sealed."""

    request: str
    asked: str
    sealed: bytes = field(repr=False)


def generations(connection: Connection, wanted: Sequence[int]) -> dict[int, int]:
    """The generation in force of some accounts; one that was never renewed is left out, and is 0."""
    found: dict[int, int] = {}
    for start in range(0, len(wanted), CHUNK):
        mine = doorway_generations.c.account.in_(list(wanted[start : start + CHUNK]))
        found.update({int(account): int(one) for account, one in connection.execute(select(doorway_generations).where(mine))})
    return found


def all_generations(connection: Connection) -> dict[int, int]:
    """Everybody's, for the audit."""
    return {int(account): int(one) for account, one in connection.execute(select(doorway_generations))}


def keep_generation(connection: Connection, account: int, generation: int) -> None:
    """Part of the transaction that records it."""
    insert_rows(connection, doorway_generations, ("account", "generation"), [(account, generation)], key=("account",))


def add_request(connection: Connection, request: Request) -> None:
    """Keeps a request for a link until somebody looks whom it is about."""
    connection.execute(insert(link_requests).values(**vars(request)))


def requests(connection: Connection, limit: int) -> list[Request]:
    """The oldest requests."""
    query = select(link_requests).order_by(link_requests.c.asked, link_requests.c.request).limit(limit)
    return [Request(**row) for row in connection.execute(query).mappings()]


def count_requests(connection: Connection) -> int:
    """How many wait."""
    return int(connection.execute(select(func.count()).select_from(link_requests)).scalar_one())


def take_request(connection: Connection, request: str) -> bool:
    """Takes a request out; false if somebody else did."""
    return connection.execute(delete(link_requests).where(link_requests.c.request == request)).rowcount == 1


def add_link(connection: Connection, found_by: bytes, link: Link) -> None:
    """Keeps a link."""
    connection.execute(insert(single_use_links).values(found_by=found_by, **vars(link)))


def link(connection: Connection, found_by: bytes) -> Link | None:
    """A link by the hash of its token."""
    row = connection.execute(select(single_use_links).where(single_use_links.c.found_by == found_by)).mappings().first()
    return Link(**{key: value for key, value in row.items() if key != "found_by"}) if row is not None else None


def links_since(connection: Connection, customer: int, purpose: str, since: str) -> int:
    """How many links of a purpose were made for a customer from an instant on."""
    table = single_use_links.c
    mine = and_(table.customer == customer, table.purpose == purpose, table.made >= since)
    return int(connection.execute(select(func.count()).select_from(single_use_links).where(mine)).scalar_one())


def redeem(connection: Connection, found_by: bytes, purpose: str, now: str) -> Link | None:
    """Uses a link up, if it is good for a purpose at an instant; the link, or none and nothing is changed."""
    table = single_use_links.c
    good = and_(table.found_by == found_by, table.purpose == purpose, table.redeemed.is_(None), table.expires > now)
    if connection.execute(update(single_use_links).where(good).values(redeemed=now)).rowcount != 1:
        return None
    return link(connection, found_by)


def tidy_links(connection: Connection, before: str) -> int:
    """Deletes links that ended before an instant; how many."""
    return connection.execute(delete(single_use_links).where(single_use_links.c.expires < before)).rowcount


def summaries_due(connection: Connection, before: str, limit: int) -> list[int]:
    """Customers whose last page is from before a day, or who had none, longest ago first: those who can be reached by e-mail and
    did not choose otherwise, or chose a channel."""
    email = select(accounts.c.customer).where(
        accounts.c.customer == customers.c.customer, accounts.c.kind == "email", accounts.c.closed.is_(None)
    )
    channel = service_channels.c.channel
    query = (
        select(customers.c.customer)
        .outerjoin(summaries, summaries.c.customer == customers.c.customer)
        .outerjoin(service_channels, service_channels.c.customer == customers.c.customer)
        .where(
            or_(summaries.c.day.is_(None), summaries.c.day < before),
            or_(channel == SMS, and_(or_(channel.is_(None), channel == EMAIL), email.exists())),
        )
        .order_by(func.coalesce(summaries.c.day, ""), customers.c.customer)
        .limit(limit)
    )
    return [int(customer) for (customer,) in connection.execute(query)]


def summary_day(connection: Connection, customer: int) -> str | None:
    """The day of a customer's newest page."""
    return connection.execute(select(summaries.c.day).where(summaries.c.customer == customer)).scalar_one_or_none()


def keep_summary(connection: Connection, customer: int, day: str, seq: int) -> None:
    """Part of the transaction that records it."""
    insert_rows(connection, summaries, ("customer", "day", "seq"), [(customer, day, seq)], key=("customer",))


def all_summaries(connection: Connection) -> dict[int, tuple[str, int]]:
    """Day and event of everybody's newest page, for the audit."""
    return {int(row.customer): (str(row.day), int(row.seq)) for row in connection.execute(select(summaries))}


def count_customers(connection: Connection) -> int:
    """How many customers there are."""
    return int(connection.execute(select(func.count()).select_from(customers)).scalar_one())


def forget(connection: Connection, customer: int, gone: Sequence[int]) -> None:
    """Deletes what is kept of somebody and of the accounts that were hers, in the transaction of her erasure."""
    for start in range(0, len(gone), CHUNK):
        some = list(gone[start : start + CHUNK])
        connection.execute(delete(doorway_generations).where(doorway_generations.c.account.in_(some)))
    connection.execute(delete(single_use_links).where(single_use_links.c.customer == customer))
    connection.execute(delete(summaries).where(summaries.c.customer == customer))
