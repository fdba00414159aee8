"""The table of permissions: what the fold of the choices gives, stored so that a gate can read it set-wise.

Rules:
1. Written by `keep` alone, in the transaction that appends the choices, after the head row was taken.
2. A row for `ALL` is a no to everybody (`permissions.state`, rule 6); no request ever names it, so it permits nothing.
3. No personal data: customer numbers, and what stands for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from pyroaring import BitMap
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    cast,
    func,
    or_,
    select,
)

from volens.evidence.journeys import insert_rows, rows_about, streamed
from volens.permissions.state import PERMITTING, Permission, Said, apply

CHUNK = 500
"""Customers named in one statement."""
BLOCK = 65_536
"""Consecutive customer numbers that a database gives as one value."""

metadata = MetaData()

permissions = Table(
    "permissions",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(64), primary_key=True),
    Column("recipient", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("day", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Index("permissions_by_use", "purpose", "recipient", "kind", "text", "customer"),
)

STANDING = (
    "select customer, purpose, recipient, kind, text, day, seq from permissions where customer in (?) "
    "order by customer, purpose, recipient"
)
"""What is stored for some customers (`permissions_in`)."""
_COLUMNS = ("customer", "purpose", "recipient", "kind", "text", "day", "seq")


def keep(
    connection: Connection,
    history: Sequence[Said],
    named: Mapping[str, frozenset[str]],
    stored: Iterable[Permission] | None = None,
) -> int:
    """Stores the fold of what stood and what was said just now. Returns how many permissions it changed.

    `stored` is what `STANDING` found of all these customers in the same transaction, since the head row was taken.
    """
    standing: dict[tuple[int, str], dict[str, Permission]] = defaultdict(dict)
    wanted = {(said.customer, said.purpose) for said in history}
    if stored is None:
        stored = of_customers(connection, {who for who, _ in wanted}, {purpose for _, purpose in wanted})
    for row in stored:
        standing[row.customer, row.purpose][row.recipient] = row
    before = {key: standing[key] for key in wanted}
    for said in history:
        key = (said.customer, said.purpose)
        standing[key] = apply(standing[key], said, named.get(said.text, frozenset()))
    changed = [
        (row.customer, row.purpose, recipient, row.kind, row.text, row.day.isoformat(), row.seq)
        for key in sorted(wanted)
        for recipient, row in standing[key].items()
        if before[key].get(recipient) is not row
    ]
    if changed:
        insert_rows(connection, permissions, _COLUMNS, changed, key=_COLUMNS[:3])
    return len(changed)


def of_customers(
    connection: Connection, wanted: Iterable[int], purposes: Iterable[str] | None = None
) -> Iterator[Permission]:
    """What is stored for some customers, for some purposes or all."""
    yield from permissions_in(rows_about(connection, STANDING, wanted), purposes)


def permissions_in(rows: Iterable[Sequence[Any]], purposes: Iterable[str] | None = None) -> Iterator[Permission]:
    """What `STANDING` found, for some purposes or all."""
    chosen, days = None if purposes is None else set(purposes), dict[str, date]()
    for customer, purpose, recipient, kind, text, day, seq in rows:
        if chosen is not None and purpose not in chosen:
            continue
        if day not in days:
            days[day] = date.fromisoformat(day)
        yield Permission(customer, purpose, recipient, kind, text, days[day], seq)


def stored(connection: Connection) -> Iterator[dict[str, Any]]:
    """All that is stored, as it is stored, for the audit."""
    for row in streamed(connection, select(permissions)):
        yield dict(row)


def yes_accepted_before(connection: Connection, purpose: str, day: date, limit: int) -> list[Permission]:
    """Up to `limit` standing yeses to a purpose from before a day, in order of customer."""
    query = select(permissions).where(
        permissions.c.purpose == purpose,
        permissions.c.kind.in_(sorted(PERMITTING)),
        permissions.c.day < day.isoformat(),
    )
    return _some(connection, query, limit)


def yes_under(connection: Connection, text: str, limit: int) -> list[Permission]:
    """Up to `limit` standing yeses under a text, in order of customer."""
    query = select(permissions).where(
        permissions.c.purpose == text.split("/")[0],
        permissions.c.kind.in_(sorted(PERMITTING)),
        permissions.c.text == text,
    )
    return _some(connection, query, limit)


def count_under(connection: Connection, text: str) -> int:
    """How many customers have a standing yes under a text."""
    query = select(func.count(permissions.c.customer.distinct())).where(
        permissions.c.purpose == text.split("/")[0],
        permissions.c.kind.in_(sorted(PERMITTING)),
        permissions.c.text == text,
    )
    return int(connection.execute(query).scalar_one())


def texts_of_yeses(connection: Connection) -> list[str]:
    """The texts under which somebody's yes stands."""
    query = select(permissions.c.text).where(permissions.c.kind.in_(sorted(PERMITTING))).distinct()
    return sorted(str(text) for (text,) in connection.execute(query))


def _some(connection: Connection, query: Any, limit: int) -> list[Permission]:
    rows = connection.execute(query.limit(limit)).mappings()
    found = [Permission(**{**row, "day": date.fromisoformat(row["day"])}) for row in rows]
    return sorted(found, key=lambda row: (row.customer, row.recipient))


def permitted(
    connection: Connection,
    purpose: str,
    recipient: str,
    texts: Sequence[str],
    kinds: Iterable[str],
    notified_until: date,
    accepted_from: date | None,
    among: Sequence[int] | None = None,
) -> BitMap:
    """Customers whose standing yes for (purpose, recipient) is under one of `texts`.

    The set-wise half of `gate.policy`: only a yes of one of `kinds`, a `notified` only if its day is on or before
    `notified_until`, and no yes from before `accepted_from`. `among` restricts the answer to some customers.
    """
    allowed = sorted(set(kinds) & PERMITTING)
    if not texts or not allowed:
        return BitMap()
    query = select(permissions.c.customer).where(
        permissions.c.purpose == purpose,
        permissions.c.recipient == recipient,
        permissions.c.text.in_(sorted(texts)),
        permissions.c.kind.in_(allowed),
        or_(permissions.c.kind != "notified", permissions.c.day <= notified_until.isoformat()),
    )
    if accepted_from is not None:
        query = query.where(permissions.c.day >= accepted_from.isoformat())
    if among is None:
        # Of everybody: the database writes the numbers of a block into one value. Row by row, a thread that reads a million would
        # wait for every other thread a million times, and they for it.
        block = permissions.c.customer.op("/")(BLOCK)
        joined = query.with_only_columns(func.aggregate_strings(cast(permissions.c.customer, String), ",")).group_by(block)
        found = BitMap()
        for (numbers,) in connection.execute(joined):
            found |= BitMap(np.fromstring(numbers, dtype=np.uint32, sep=","))
        return found
    found = BitMap()
    for start in range(0, len(among), CHUNK):
        some = query.where(permissions.c.customer.in_(among[start : start + CHUNK]))
        found |= BitMap(int(customer) for (customer,) in connection.execute(some))
    return found
