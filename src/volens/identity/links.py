"""Which account moved from whom to whom, and whose lines still stand under an old number.

Rules:
1. A row of `links` is one moving of one account; `undone` is the event that took it back, `restored` the one after which
   both sides had their own words again.
2. A row of `relabellings` says that lines of an account may still stand under the number of a former customer. It is written
   in the transaction that moves the account, and goes only when the lines were rewritten for whoever holds it then. It
   outlives the account: lines of somebody who was erased come under her own number first, and are removed with it.
3. No personal data: numbers of accounts, customers and events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, Table, delete, insert, or_, select, update

CHUNK = 500

metadata = MetaData()

links = Table(
    "links",
    metadata,
    Column("link", BigInteger, primary_key=True, autoincrement=False),  # seq of its `linked` event
    Column("account", Integer, nullable=False),
    Column("former", Integer, nullable=False),
    Column("customer", Integer, nullable=False),
    Column("undone", BigInteger),
    Column("restored", BigInteger),
    Index("links_by_account", "account"),
    Index("links_by_former", "former"),
    Index("links_by_customer", "customer"),
)

relabellings = Table(
    "relabellings",
    metadata,
    Column("account", Integer, primary_key=True, autoincrement=False),
    Column("former", Integer, primary_key=True, autoincrement=False),
    Column("customer", Integer, nullable=False),  # who holds the account now, or held it when she was erased
    Column("since", BigInteger, nullable=False),  # seq of the event that moved the account away
    Index("relabellings_by_former", "former"),
    Index("relabellings_by_customer", "customer"),
)


MOVED = (
    "select customer, former from relabellings where customer <> former and (customer in (?) or former in (?))"
)
"""Lines of moved cards that touch some customers (`moves_in`)."""


@dataclass(frozen=True)
class Link:
    """One moving of an account from a former customer to another."""

    link: int
    account: int
    former: int
    customer: int
    undone: int | None
    restored: int | None


@dataclass(frozen=True)
class Pending:
    """Lines of `account`, which `customer` holds now, may still stand under `former`."""

    account: int
    former: int
    since: int
    customer: int


def note_link(connection: Connection, link: int, account: int, former: int, customer: int) -> None:
    """Writes down that an account moved, and that its lines have not followed yet."""
    connection.execute(
        insert(links).values(link=link, account=account, former=former, customer=customer, undone=None, restored=None)
    )
    _note_pending(connection, account, former, customer, link)


def note_unlink(connection: Connection, undone: Link, seq: int) -> None:
    """Writes down that a link was taken back, and that the lines since then have not followed yet."""
    connection.execute(update(links).where(links.c.link == undone.link).values(undone=seq))
    _note_pending(connection, undone.account, undone.customer, undone.former, seq)


def _note_pending(connection: Connection, account: int, former: int, customer: int, since: int) -> None:
    connection.execute(delete(relabellings).where(relabellings.c.account == account, relabellings.c.former == former))
    connection.execute(insert(relabellings).values(account=account, former=former, customer=customer, since=since))
    connection.execute(update(relabellings).where(relabellings.c.account == account).values(customer=customer))


def newest(connection: Connection, account: int) -> Link | None:
    """The newest link of an account that still stands."""
    query = select(links).where(links.c.account == account, links.c.undone.is_(None)).order_by(links.c.link.desc()).limit(1)
    return next(iter(_links(connection, query)), None)


def standing(connection: Connection, customers: Iterable[int]) -> list[Link]:
    """The links that stand and have one of some customers on a side, oldest first."""
    listed, found = sorted(set(customers)), dict[int, Link]()
    for start in range(0, len(listed), CHUNK):
        some = listed[start : start + CHUNK]
        query = select(links).where(links.c.undone.is_(None), or_(links.c.former.in_(some), links.c.customer.in_(some)))
        found |= {link.link: link for link in _links(connection, query)}
    return [found[number] for number in sorted(found)]


def formers(connection: Connection) -> list[int]:
    """Everybody from whom an account was moved away and not back."""
    return sorted(connection.execute(select(links.c.former).where(links.c.undone.is_(None)).distinct()).scalars())


def of_customer(connection: Connection, customer: int) -> list[Link]:
    """Every link that had a customer on a side, oldest first."""
    query = select(links).where(or_(links.c.former == customer, links.c.customer == customer)).order_by(links.c.link)
    return _links(connection, query)


def connected(connection: Connection, customers: Iterable[int]) -> set[int]:
    """Some customers, and everybody whom links ever tied to them, directly or through others."""
    found = set(customers)
    waiting = sorted(found)
    while waiting:
        of_one = of_customer(connection, waiting.pop())
        new = {side for link in of_one for side in (link.former, link.customer)} - found
        found |= new
        waiting += sorted(new)
    return found


def to_restore(connection: Connection, account: int) -> list[Link]:
    """Links of an account that were taken back and whose sides do not have their own words again, newest first."""
    query = (
        select(links)
        .where(links.c.account == account, links.c.undone.is_not(None), links.c.restored.is_(None))
        .order_by(links.c.link.desc())
    )
    return _links(connection, query)


def note_restored(connection: Connection, link: int, seq: int) -> None:
    """Both sides of a link have their own words again, since the event `seq`."""
    connection.execute(update(links).where(links.c.link == link).values(restored=seq))


def pending(connection: Connection) -> list[Pending]:
    """Whose lines may still stand under an old number, with who holds each account now."""
    query = select(relabellings).order_by(relabellings.c.account, relabellings.c.former)
    return [Pending(**row) for row in connection.execute(query).mappings()]


def done(connection: Connection, rows: Sequence[Pending]) -> None:
    """The lines of these accounts were rewritten. What was noted since then stays."""
    for row in rows:
        connection.execute(
            delete(relabellings).where(
                relabellings.c.account == row.account,
                relabellings.c.former == row.former,
                relabellings.c.since == row.since,
            )
        )


def behind(connection: Connection, holders: Iterable[int]) -> dict[int, set[int]]:
    """Under which other numbers lines of some customers' accounts may still stand."""
    listed, found = sorted(set(holders)), dict[int, set[int]]()
    for start in range(0, len(listed), CHUNK):
        query = select(relabellings.c.customer, relabellings.c.former).where(
            relabellings.c.customer.in_(listed[start : start + CHUNK]), relabellings.c.customer != relabellings.c.former
        )
        for holder, former in connection.execute(query):
            found.setdefault(int(holder), set()).add(int(former))
    return found


def in_front(connection: Connection, formers: Iterable[int]) -> set[int]:
    """Those of some customers under whose number lines of somebody else's account may still stand."""
    listed, found = sorted(set(formers)), set[int]()
    for start in range(0, len(listed), CHUNK):
        query = select(relabellings.c.former).where(
            relabellings.c.former.in_(listed[start : start + CHUNK]), relabellings.c.customer != relabellings.c.former
        )
        found |= {int(former) for (former,) in connection.execute(query)}
    return found


def moves_in(rows: Iterable[Sequence[Any]]) -> dict[int, set[int]]:
    """What `MOVED` found: by who holds a card now, under which other numbers its lines may still stand."""
    found: dict[int, set[int]] = {}
    for holder, former in rows:
        found.setdefault(int(holder), set()).add(int(former))
    return found


def all_links(connection: Connection) -> list[Link]:
    """Every link, for the audit."""
    return _links(connection, select(links).order_by(links.c.link))


def _links(connection: Connection, query: Any) -> list[Link]:
    return [Link(**row) for row in connection.execute(query).mappings()]
