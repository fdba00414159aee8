"""SQL of the followers: who follows, how far each has acknowledged, when the ledger had which size, how often was asked.

1. `followers` follows from events but for what is only remembered (`tried`, `outcome`, `rules`, `rules_at`).
2. `moments` says when the house noticed that the ledger had so many events. What nobody waits for any more is deleted.
3. No personal data: names of machines, purposes, positions, counts.
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
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from volens.evidence.groups import GROUPS, group_rows
from volens.evidence.log import EVENTS, events
from volens.permissions.state import ALL, PERMITTING

CHUNK = 400

metadata = MetaData()

followers = Table(
    "followers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("recipient", String(64), nullable=False),
    Column("purposes", Text, nullable=False),
    Column("webhook", Text),  # address; none for a follower that asks by itself
    Column("secret", Integer, nullable=False),  # which of its webhook secrets is in use, from 1
    Column("since", BigInteger, nullable=False),  # seq of its newest `follower` event
    Column("acknowledged", BigInteger, nullable=False),  # it has dealt with everything below this seq
    Column("under", String(16), nullable=False),  # ... and with these rules
    Column("ended", BigInteger),  # seq of `follower-ended`
    Column("tried", String(40)),  # the last delivery, and what came of it
    Column("outcome", Text),
    Column("rules", String(16), nullable=False),  # the newest rules that were noticed, and when
    Column("rules_at", String(40), nullable=False),
)

moments = Table(
    "follower_moments",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
)

counts = Table(
    "decision_counts",
    metadata,
    Column("hour", String(13), primary_key=True),  # UTC
    Column("caller", String(64), primary_key=True),
    Column("purpose", String(64), primary_key=True),
    Column("verdict", String(3), primary_key=True),
    Column("answers", BigInteger, nullable=False),
)


@dataclass(frozen=True)
class Follower:
    """One system that follows: for whom, which purposes, and how far it has acknowledged."""

    name: str
    recipient: str
    purposes: tuple[str, ...]
    webhook: str | None
    secret: int
    since: int
    acknowledged: int
    under: str
    ended: int | None
    tried: str | None
    outcome: str | None
    rules: str
    rules_at: str


@dataclass(frozen=True)
class Happened:
    """Something that a follower of some purposes may have to know. `customer` is none for an event of many rows."""

    seq: int
    kind: str
    customer: int | None
    purpose: str | None
    detail: str


def all_followers(connection: Connection, *, ended: bool = False) -> list[Follower]:
    """Those that follow, by name; with `ended`, also those that once did."""
    query = select(followers).order_by(followers.c.name)
    if not ended:
        query = query.where(followers.c.ended.is_(None))
    return [_follower(row) for row in connection.execute(query).mappings()]


def by_name(connection: Connection, name: str) -> Follower | None:
    """One of them, also if it has ended."""
    row = connection.execute(select(followers).where(followers.c.name == name)).mappings().first()
    return _follower(row) if row is not None else None


def _follower(row: Any) -> Follower:
    return Follower(**{**row, "purposes": tuple(json.loads(row["purposes"]))})


def keep(connection: Connection, follower: Follower) -> None:
    """Stores a follower as it is now, in the transaction of its event."""
    values = {**vars(follower), "purposes": json.dumps(list(follower.purposes))}
    changed = connection.execute(update(followers).where(followers.c.name == follower.name).values(values))
    if not changed.rowcount:
        connection.execute(insert(followers).values(values))


def note_try(connection: Connection, name: str, at: str, outcome: str) -> None:
    """What came of the last delivery."""
    connection.execute(update(followers).where(followers.c.name == name).values(tried=at, outcome=outcome))


def note_rules(connection: Connection, name: str, rules: str, at: str) -> None:
    """From when on a follower has to know of other rules."""
    connection.execute(update(followers).where(followers.c.name == name).values(rules=rules, rules_at=at))


def newest_moment(connection: Connection) -> int | None:
    """The greatest position of which it is known when it was reached."""
    return connection.execute(select(func.max(moments.c.position))).scalar()


def note_moment(connection: Connection, position: int, at: str, needed_from: int) -> None:
    """The ledger has `position` events, and nobody needs to know of times before `needed_from` any more."""
    if connection.execute(select(moments.c.at).where(moments.c.position == position)).first() is None:
        connection.execute(insert(moments).values(position=position, at=at))
    connection.execute(delete(moments).where(moments.c.position <= needed_from, moments.c.position != position))


def noticed(connection: Connection, seq: int) -> str | None:
    """When the house noticed that the event `seq` was there; none if it has not yet, or needs not know any more."""
    query = select(moments.c.at).where(moments.c.position > seq).order_by(moments.c.position).limit(1)
    return connection.execute(query).scalar()


def add_counts(connection: Connection, counted: Mapping[tuple[str, str, str, str], int]) -> None:
    """Adds to the counts of (hour, caller, purpose, verdict)."""
    statement = text(
        "insert into decision_counts (hour, caller, purpose, verdict, answers) values (:hour, :caller, :purpose, :verdict, :n) "
        "on conflict (hour, caller, purpose, verdict) do update set answers = decision_counts.answers + excluded.answers"
    )
    rows = [dict(zip(("hour", "caller", "purpose", "verdict"), key, strict=True), n=n) for key, n in sorted(counted.items())]
    connection.execute(statement, rows)


def counted(connection: Connection, since: str = "") -> list[dict[str, Any]]:
    """How often each caller was answered what, by hour, from an hour on."""
    query = select(counts).where(counts.c.hour >= since).order_by(counts.c.hour, counts.c.caller, counts.c.purpose)
    return [dict(row) for row in connection.execute(query.order_by(counts.c.verdict)).mappings()]


def happened(
    connection: Connection, start: int, end: int, purposes: Collection[str], recipient: str, touching: Collection[str], limit: int
) -> list[Happened]:
    """What was recorded in [start, end) about some purposes and a recipient, and every event of some other kinds; in order."""
    columns = (events.c.seq, events.c.kind, events.c.customer, events.c.purpose, events.c.detail)
    about = and_(events.c.purpose.in_(sorted(purposes)), events.c.recipient.in_((recipient, ALL)), events.c.customer.is_not(None))
    query = (
        select(*columns)
        .where(events.c.tree == EVENTS, events.c.seq >= start, events.c.seq < end)
        .where(or_(about, events.c.kind.in_(sorted({*touching, *GROUPS}))))
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [Happened(*row) for row in connection.execute(query)]


def rows_of_groups(
    connection: Connection, seqs: Sequence[int], purposes: Collection[str], recipient: str
) -> list[tuple[int, int, str]]:
    """(seq, customer, purpose) of the rows of some events of many rows, of some purposes and a recipient; in order."""
    found: list[tuple[int, int, str]] = []
    for start in range(0, len(seqs), CHUNK):
        query = (
            select(group_rows.c.seq, group_rows.c.customer, group_rows.c.purpose)
            .where(group_rows.c.seq.in_(seqs[start : start + CHUNK]), group_rows.c.purpose.in_(sorted(purposes)))
            .where(group_rows.c.recipient.in_((recipient, ALL)))
            .order_by(group_rows.c.seq, group_rows.c.place)
        )
        found += [(int(seq), int(customer), str(purpose)) for seq, customer, purpose in connection.execute(query)]
    return found


def ever_permitted(
    connection: Connection, customers: Iterable[int], purpose: str, recipient: str, texts: Collection[str]
) -> set[int]:
    """Those of some customers who ever said yes to a purpose, for a recipient, under one of some texts."""
    listed, found = sorted(set(customers)), set[int]()
    for table, tree in ((events, events.c.tree == EVENTS), (group_rows, None)):
        for start in range(0, len(listed), CHUNK):
            query = (
                select(table.c.customer)
                .distinct()
                .where(table.c.customer.in_(listed[start : start + CHUNK]), table.c.purpose == purpose)
                .where(table.c.kind.in_(sorted(PERMITTING)), table.c.recipient.in_((recipient, ALL)))
                .where(table.c.text.in_(sorted(texts)))
            )
            if tree is not None:
                query = query.where(tree)
            found |= {int(customer) for (customer,) in connection.execute(query)}
    return found


def last_said(connection: Connection, customer: int, purpose: str, recipient: str) -> int | None:
    """The seq of the newest word about one customer, purpose and recipient."""
    newest: list[int] = []
    for table in (events, group_rows):
        query = select(func.max(table.c.seq)).where(
            table.c.customer == customer, table.c.purpose == purpose, table.c.recipient.in_((recipient, ALL))
        )
        if table is events:
            query = query.where(events.c.tree == EVENTS)
        seq = connection.execute(query).scalar()
        newest += [int(seq)] if seq is not None else []
    return max(newest, default=None)
