"""What invitations keep: who may still be invited, links, who invited whom, signals of a campaign, what was reported of orders.

Rules:
1. No ring and one sponsor a person are constraints of the database: whoever is in `referral_people` has one generation for good, a
   friend stands one below her sponsor, and is a friend once. Every step goes down, so no way leads back.
2. Who invited whom is never changed, by triggers; only what became of it is.
3. Signals are keyed hashes and go with the campaign; `forget` takes all that is of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
    update,
)

from volens.evidence.log import EVENTS, events
from volens.referring.states import HELD, UNDONE

metadata = MetaData()

people = Table(
    "referral_people",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),
    UniqueConstraint("customer", "generation", name="referral_people_once"),
    CheckConstraint("generation >= 0", name="referral_people_from_nought"),
)

links = Table(
    "referral_links",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # the seq of its event
    Column("handle", LargeBinary, nullable=False, unique=True),  # what its token says, beside the house's signature
    Column("customer", Integer, nullable=False),
    Column("offer", String(64), nullable=False),
    Column("country", String(2), nullable=False),
    Column("state", String(8), nullable=False),  # live | ended
    Column("shown", LargeBinary),  # the first name that she shows, sealed under her key; none if she shows nothing
    Column("seq", BigInteger, nullable=False),
    Index(
        "referral_links_live", "customer", "offer", unique=True,
        sqlite_where=text("state = 'live'"), postgresql_where=text("state = 'live'"),
    ),
)  # fmt: skip

ties = Table(
    "referral_ties",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # the seq of `referred`
    Column("friend", Integer, nullable=False, unique=True),
    Column("friend_generation", Integer, nullable=False),
    Column("sponsor", Integer, nullable=False),
    Column("sponsor_generation", Integer, nullable=False),
    Column("offer", String(64), nullable=False),
    Column("country", String(2), nullable=False),
    Column("state", String(8), nullable=False),
    Column("accepted", String(32), nullable=False),  # an instant
    Column("ordered", String(32)),  # the instant of the order that counts, or waits
    Column("participation", BigInteger),  # into which it was counted
    Column("act", String(80), nullable=False),  # by which key
    Column("rules", Text, nullable=False),  # which saw something; commas between
    Column("due", String(10)),  # while it is held: the last day on which a person decides
    Column("contested", String(10)),
    Column("by", String(120), nullable=False),  # who decided last
    Column("shown", LargeBinary),  # the first name that the friend shows, sealed under her key
    Column("seq", BigInteger, nullable=False),  # the event of its state
    CheckConstraint("friend_generation = sponsor_generation + 1", name="referral_ties_go_down"),
    ForeignKeyConstraint(
        ["friend", "friend_generation"], ["referral_people.customer", "referral_people.generation"], name="referral_ties_friend"
    ),
    ForeignKeyConstraint(
        ["sponsor", "sponsor_generation"], ["referral_people.customer", "referral_people.generation"], name="referral_ties_sponsor"
    ),
    Index("referral_ties_by_sponsor", "sponsor", "offer"),
    Index("referral_ties_by_state", "state", "due"),
)

LIVE, ENDED = "live", "ended"


@dataclass(frozen=True)
class Link:
    """A sponsor's link for one offer."""

    number: int
    handle: bytes
    customer: int
    offer: str
    country: str
    state: str
    shown: bytes | None
    seq: int


@dataclass(frozen=True)
class Tie:
    """Who invited whom, and what became of it."""

    number: int
    friend: int
    friend_generation: int
    sponsor: int
    sponsor_generation: int
    offer: str
    country: str
    state: str
    accepted: str
    ordered: str | None
    participation: int | None
    act: str
    rules: str
    due: str | None
    contested: str | None
    by: str
    shown: bytes | None
    seq: int

    @property
    def seen_by(self) -> tuple[str, ...]:
        """The rules that saw something."""
        return tuple(self.rules.split(",")) if self.rules else ()


# People and ties


def generation(connection: Connection, customer: int) -> int | None:
    """Where somebody stands; none for who never invited nor was invited."""
    found = connection.execute(select(people.c.generation).where(people.c.customer == customer)).scalar_one_or_none()
    return int(found) if found is not None else None


def all_people(connection: Connection) -> dict[int, int]:
    """Everybody's generation."""
    return {int(customer): int(generation) for customer, generation in connection.execute(select(people))}


def place(connection: Connection, customer: int, generation: int) -> None:
    """Gives somebody her place, once and for good."""
    connection.execute(insert(people).values(customer=customer, generation=generation))


def above(connection: Connection, customer: int, most: int = 1_000) -> set[int]:
    """Everybody on the way up from somebody: her sponsor, and so on."""
    found = set[int]()
    for _ in range(most):
        sponsor = connection.execute(select(ties.c.sponsor).where(ties.c.friend == customer)).scalar_one_or_none()
        if sponsor is None or int(sponsor) in found:
            break
        customer = int(sponsor)
        found.add(customer)
    return found


def tie(connection: Connection, one: Tie) -> None:
    """Writes down who invited whom. The database refuses a second sponsor, and whatever does not go down."""
    connection.execute(insert(ties).values(**vars(one)))


def change(connection: Connection, number: int, **values: Any) -> None:
    """What became of an invitation."""
    connection.execute(update(ties).where(ties.c.number == number).values(**values))


def one_tie(connection: Connection, number: int) -> Tie | None:
    """An invitation by its number."""
    row = connection.execute(select(ties).where(ties.c.number == number)).mappings().one_or_none()
    return _tie(row) if row is not None else None


def tie_of(connection: Connection, friend: int) -> Tie | None:
    """By whom somebody was invited."""
    row = connection.execute(select(ties).where(ties.c.friend == friend)).mappings().one_or_none()
    return _tie(row) if row is not None else None


def ties_of(connection: Connection, sponsor: int, offer: str) -> list[Tie]:
    """Whom somebody invited to an offer, the first first."""
    query = select(ties).where(ties.c.sponsor == sponsor, ties.c.offer == offer).order_by(ties.c.number)
    return [_tie(row) for row in connection.execute(query).mappings()]


def offers_of(connection: Connection, sponsor: int) -> list[str]:
    """For which offers somebody has a link or a friend."""
    found = connection.execute(select(links.c.offer).where(links.c.customer == sponsor).distinct()).scalars()
    return sorted({str(one) for one in found})


def in_state(connection: Connection, state: str, *, before: str | None = None, most: int = 500) -> list[Tie]:
    """Invitations in a state, those that are due first; those alone whose last day was before a day."""
    query = select(ties).where(ties.c.state == state).order_by(ties.c.due, ties.c.number).limit(most)
    if before is not None:
        query = query.where(ties.c.due < before)
    return [_tie(row) for row in connection.execute(query).mappings()]


def waiting(connection: Connection) -> list[tuple[int, str]]:
    """(sponsor, offer) of invitations whose order came and is not counted yet."""
    query = select(ties.c.sponsor, ties.c.offer).where(ties.c.state.in_(UNDONE), ties.c.ordered.is_not(None)).distinct()
    return [(int(sponsor), str(offer)) for sponsor, offer in connection.execute(query)]


def held_in(connection: Connection, participation: int) -> list[Tie]:
    """Invitations that count for a participation and are held."""
    query = select(ties).where(ties.c.participation == participation, ties.c.state == HELD).order_by(ties.c.number)
    return [_tie(row) for row in connection.execute(query).mappings()]


def pace(connection: Connection, offer: str) -> dict[int, int]:
    """How many hours of sponsors had how many friends."""
    hour = func.substr(ties.c.accepted, 1, 13)
    each = select(func.count().label("friends")).where(ties.c.offer == offer).group_by(ties.c.sponsor, hour).subquery()
    query = select(each.c.friends, func.count()).group_by(each.c.friends)
    return {int(friends): int(times) for friends, times in connection.execute(query)}


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """By offer and state: how many invitations."""
    query = select(ties.c.offer, ties.c.state, func.count()).group_by(ties.c.offer, ties.c.state)
    return {(str(offer), str(state)): int(times) for offer, state, times in connection.execute(query)}


def known_since(connection: Connection, customer: int) -> str | None:
    """The first day on which anything is on record about somebody."""
    query = select(func.min(events.c.day)).where(events.c.tree == EVENTS, events.c.customer == customer)
    return connection.execute(query).scalar()


def _tie(row: Mapping[Any, Any]) -> Tie:
    return Tie(**{**row, "shown": bytes(row["shown"]) if row["shown"] is not None else None})


# Links


def add_link(connection: Connection, one: Link) -> None:
    """A new link."""
    connection.execute(insert(links).values(**vars(one)))


def show(connection: Connection, number: int, shown: bytes | None, seq: int) -> None:
    """The first name that its owner shows from now on."""
    connection.execute(update(links).where(links.c.number == number).values(shown=shown, seq=seq))


def end_link(connection: Connection, number: int, seq: int) -> None:
    """It leads nowhere from now on."""
    connection.execute(update(links).where(links.c.number == number).values(state=ENDED, seq=seq))


def link_by(connection: Connection, handle: bytes) -> Link | None:
    """A link by what its token says."""
    row = connection.execute(select(links).where(links.c.handle == handle)).mappings().one_or_none()
    return _link(row) if row is not None else None


def live_link(connection: Connection, customer: int, offer: str) -> Link | None:
    """Somebody's link for an offer."""
    query = select(links).where(links.c.customer == customer, links.c.offer == offer, links.c.state == LIVE)
    row = connection.execute(query).mappings().one_or_none()
    return _link(row) if row is not None else None


def all_links(connection: Connection) -> list[Link]:
    """Every link, by number."""
    return [_link(row) for row in connection.execute(select(links).order_by(links.c.number)).mappings()]


def all_ties(connection: Connection) -> list[Tie]:
    """Every invitation, by number."""
    return [_tie(row) for row in connection.execute(select(ties).order_by(ties.c.number)).mappings()]


def _link(row: Mapping[Any, Any]) -> Link:
    shown = bytes(row["shown"]) if row["shown"] is not None else None
    return Link(**{**row, "handle": bytes(row["handle"]), "shown": shown})
