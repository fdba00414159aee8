"""The two trees in the records: appending events, and reading them back.

Rules:
1. A change and its event are one transaction: `append` takes the caller's connection and is called by whoever changes
   something; there is no way to append without one.
2. One order. `seq` is taken by updating the tree's head row, which stays locked to the commit: whoever sees n sees all
   below n. It is taken last in the transaction, `events` before `public`, so that two writers never wait for each other.
3. A leaf is the hash of an open part and of a salted commitment to the rest. Salt and rest are sealed under the person's
   key: when that key is destroyed, what remains is about a number that no store maps to anybody.
4. Rows are never changed or removed. That somebody did is found by `volens.audit`, against checkpoints kept elsewhere.

The head row holds the frontier of RFC 9162's tree, so an append costs O(log n) whatever the size.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
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
    func,
    insert,
    select,
    update,
)

from volens.errors import Unavailable
from volens.evidence.journeys import Question, ask, insert_rows, streamed, tell
from volens.evidence.merkle import Frontier, canonical_json, leaf_hash
from volens.holders import Sealer

EVENTS = "events"
PUBLIC = "public"
TREES = (EVENTS, PUBLIC)
TEXT_INVALIDATED = "text-invalidated"
"""From this event on no yes under its text counts, whoever's `invalidated` is still to be written."""
LOST, RESTORED = "lost", "restored"
"""An event of which only the leaf is left, and the event that says so (`volens restore`)."""
SALT_BYTES = 32
LOST_AT_ONCE = 5_000
SALT = "salt"
"""In the detail of every event whose leaf would else hold nothing by chance: packages carry the leaves of `public`, receipts those
beside a path, and such a leaf could be guessed by whoever knows a customer's number."""

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("tree", String(8), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("customer", Integer),
    Column("purpose", Text),
    Column("recipient", Text),
    Column("text", Text),
    Column("day", String(10)),
    Column("detail", Text, nullable=False),
    Column("commitment", LargeBinary),
    Column("leaf", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    Index("events_by_customer", "customer", "seq"),
    Index("events_by_kind", "tree", "kind", "seq"),
)

heads = Table(
    "heads",
    metadata,
    Column("tree", String(8), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
)


# Fixed words: making and hashing a statement costs more than running it, and these run for every choice.
HEADS = {tree: Question(f"select size, frontier from heads where tree = '{tree}'", locks=True) for tree in TREES}  # noqa: S608
"""Takes a tree's head row, and says what is in it (`frontier_of`)."""
RULES = Question(
    "select (select max(seq) from events where tree = 'public' and kind = 'programme'), "
    "(select max(seq) from events where tree = 'events' and kind in ('text-invalidated', 'flow-closed', 'flow-opened'))"
)
"""Where the newest programme stands in the public tree, and the newest end of a text, or of a flow, in `events`."""
_HEAD_MOVED = "update heads set size = ?, frontier = ? where tree = ?"


_COLUMNS = ("tree", "seq", "kind", "customer", "purpose", "recipient", "text", "day", "detail", "commitment", "leaf", "sealed")
"""In the order of `Row`."""


@dataclass(frozen=True)
class Event:
    """What happened. The open part stays for ever; `private` is sealed under the customer's key."""

    kind: str
    customer: int | None = None
    purpose: str | None = None
    recipient: str | None = None
    text: str | None = None
    day: date | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, Any] | None = None
    """Needs a customer, whose key seals it."""
    commitment: bytes | None = None
    """For what is kept elsewhere with its salt (a use's set of customers, a staff member's name)."""
    sealed: bytes | None = None
    """Private details that were sealed beforehand (`sealed_beforehand`); the commitment is to them."""

    def __post_init__(self) -> None:
        if self.private is not None and (self.customer is None or self.commitment is not None):
            raise ValueError("private details need a customer, and are their own commitment")


@dataclass(frozen=True)
class Row:
    """An event as it is stored: the open part, its place and its leaf."""

    tree: str
    seq: int
    kind: str
    customer: int | None
    purpose: str | None
    recipient: str | None
    text: str | None
    day: str | None
    detail: str
    commitment: bytes | None
    leaf: bytes
    sealed: bytes | None

    def entry(self) -> bytes:
        """The bytes whose hash is the leaf."""
        return canonical_json(self.open_part())

    def said(self) -> dict[str, Any]:
        """The detail without the salt that keeps a public leaf from being guessed."""
        detail = json.loads(self.detail)
        return {key: value for key, value in detail.items() if key != SALT}

    def open_part(self) -> dict[str, Any]:
        """The entry as an object, in the shape that packages and receipts carry."""
        return {
            "tree": self.tree,
            "seq": self.seq,
            "kind": self.kind,
            "customer": self.customer,
            "purpose": self.purpose,
            "recipient": self.recipient,
            "text": self.text,
            "day": self.day,
            "detail": json.loads(self.detail) if self.detail != "{}" else {},
            "commitment": self.commitment.hex() if self.commitment is not None else None,
        }


def commit_to(value: Any, salt: bytes) -> bytes:
    """SHA-256 of salt and value: binding, and silent about the value as long as the salt is not shown."""
    return hashlib.sha256(salt + canonical_json(value)).digest()


def lock(connection: Connection, tree: str) -> int:
    """Takes the tree's head row until the end of the transaction and returns the tree's size.

    On SQLite the transaction already is alone (BEGIN IMMEDIATE), so this is a plain read there.
    """
    return hold(connection, tree).size


def hold(connection: Connection, tree: str) -> Frontier:
    """As `lock`, and returns the tree's frontier, which `append` takes if nothing else was appended in between."""
    return frontier_of(tree, ask(connection, [HEADS[tree]])[0])


def frontier_of(tree: str, answer: Sequence[Any]) -> Frontier:
    """What `HEADS` found, for who asks it together with other questions."""
    if not answer:
        raise Unavailable(f"The {tree} tree has no head row.", "Restore the records from a back-up, then run: volens audit")
    ((size, stored),) = answer
    frontier = Frontier.from_bytes(bytes(stored))
    if frontier.size != size:
        raise Unavailable(f"The {tree} tree's head row contradicts itself.", "Run: volens audit")
    return frontier


def append(
    connection: Connection,
    tree: str,
    happened: Sequence[Event],
    sealer: Sealer | None = None,
    *,
    held: Frontier | None = None,
) -> int:
    """Appends events in the caller's transaction; returns the seq of the first.

    `sealer` is needed when an event has private details. Nothing is visible to others before the caller commits. `held` is
    what `hold` returned in the same transaction.
    """
    if not happened:
        raise ValueError("nothing to append")
    sealings = [_seal(event, sealer) for event in happened]
    frontier = held if held is not None else hold(connection, tree)
    first = frontier.size
    rows = [
        _row(tree, first + place, event, commitment, sealed)
        for place, (event, (commitment, sealed)) in enumerate(zip(happened, sealings, strict=True))
    ]
    for row in rows:
        frontier.append(row.leaf)
    insert_rows(connection, events, _COLUMNS, [tuple(vars(row).values()) for row in rows])
    tell(connection, _HEAD_MOVED, (frontier.size, frontier.to_bytes(), tree))
    return first


def _seal(event: Event, sealer: Sealer | None) -> tuple[bytes | None, bytes | None]:
    """Commitment and sealed rest. Done before the head row is taken: it is the slow part of an append."""
    if event.private is None:
        return event.commitment, event.sealed
    if sealer is None or event.customer is None:
        raise ValueError("an event with private details needs a sealer")
    return seal(event.customer, event.private, sealer)


def seal(customer: int, private: Mapping[str, Any], sealer: Sealer) -> tuple[bytes, bytes]:
    """A salted commitment to private details, and salt and details sealed under the customer's key."""
    plain = secrets.token_bytes(SALT_BYTES) + canonical_json(private)
    return hashlib.sha256(plain).digest(), sealer.seal(customer, plain)


def sealed_beforehand(event: Event, sealer: Sealer) -> Event:
    """The same event with its private details sealed, so that nothing slow is left to do while the head row is held."""
    commitment, sealed = _seal(event, sealer)
    return replace(event, private=None, commitment=commitment, sealed=sealed)


def _row(tree: str, seq: int, event: Event, commitment: bytes | None, sealed: bytes | None) -> Row:
    day = event.day.isoformat() if event.day is not None else None
    salt = {SALT: secrets.token_hex(16)} if tree == PUBLIC or commitment is None else {}
    detail = canonical_json({**event.detail, **salt}).decode()
    about = (tree, seq, event.kind, event.customer, event.purpose, event.recipient, event.text, day, detail, commitment)
    return Row(*about, leaf_hash(Row(*about, b"", None).entry()), sealed)


def size(connection: Connection, tree: str) -> int:
    """How many events the tree has, in this snapshot."""
    found = connection.execute(select(heads.c.size).where(heads.c.tree == tree)).scalar_one_or_none()
    if found is None:
        raise Unavailable(f"The {tree} tree has no head row.", "Restore the records from a back-up, then run: volens audit")
    return int(found)


def head(connection: Connection, tree: str) -> Frontier:
    """The tree's frontier, from which its root follows."""
    stored = connection.execute(select(heads.c.frontier).where(heads.c.tree == tree)).scalar_one()
    return Frontier.from_bytes(stored)


def leaves(connection: Connection, tree: str, start: int = 0, end: int | None = None) -> list[bytes]:
    """Leaf hashes of seq in [start, end), in order."""
    query = select(events.c.leaf).where(events.c.tree == tree, events.c.seq >= start).order_by(events.c.seq)
    if end is not None:
        query = query.where(events.c.seq < end)
    return [bytes(leaf) for (leaf,) in connection.execute(query)]


def rows(
    connection: Connection,
    tree: str,
    *,
    start: int = 0,
    kinds: Sequence[str] | None = None,
    customer: int | None = None,
) -> Iterator[Row]:
    """Stored events in order of seq, from `start` on."""
    query = select(events).where(events.c.tree == tree, events.c.seq >= start).order_by(events.c.seq)
    if kinds is not None:
        query = query.where(events.c.kind.in_(kinds))
    if customer is not None:
        query = query.where(events.c.customer == customer)
    for found in streamed(connection, query):
        yield Row(**found)


def one(connection: Connection, tree: str, seq: int) -> Row | None:
    """The event at `seq`, or none."""
    found = connection.execute(select(events).where(events.c.tree == tree, events.c.seq == seq)).mappings().first()
    return Row(**found) if found is not None else None


def latest(connection: Connection, tree: str, kind: str) -> Row | None:
    """The newest event of a kind, or none."""
    query = select(events).where(events.c.tree == tree, events.c.kind == kind).order_by(events.c.seq.desc()).limit(1)
    found = connection.execute(query).mappings().first()
    return Row(**found) if found is not None else None


def latest_about(connection: Connection, tree: str, kind: str, customer: int) -> Row | None:
    """The newest event of a kind about one customer, or none."""
    query = select(events).where(events.c.tree == tree, events.c.kind == kind, events.c.customer == customer)
    found = connection.execute(query.order_by(events.c.seq.desc()).limit(1)).mappings().first()
    return Row(**found) if found is not None else None


def count_about(connection: Connection, tree: str, customer: int) -> int:
    """How many events are about one customer."""
    return int(connection.execute(select(func.count()).where(events.c.tree == tree, events.c.customer == customer)).scalar_one())


def highest_customer(connection: Connection) -> int | None:
    """The highest customer number that any single event is about; none before the first."""
    return connection.execute(select(func.max(events.c.customer))).scalar()


def customers_of_kind(connection: Connection, kind: str) -> set[int]:
    """Everybody about whom there is an event of a kind in the `events` tree."""
    query = select(events.c.customer).distinct().where(events.c.tree == EVENTS, events.c.kind == kind)
    return {int(customer) for (customer,) in connection.execute(query) if customer is not None}


def newest_rules(connection: Connection) -> tuple[int | None, int | None]:
    """Where the newest programme stands in the public tree, and the newest end of a text or flow in `events`."""
    ((programme, ended),) = ask(connection, [RULES])[0]
    return programme, ended


def others_since(since: int, kinds: Collection[str]) -> Question:
    """Finds a row if anything but some kinds was recorded in `events` from `since` on."""
    named = ", ".join(f"'{kind}'" for kind in sorted(kinds))
    return Question(
        f"select seq from events where tree = 'events' and seq >= {int(since)} and kind not in ({named}) limit 1"  # noqa: S608
    )


def texts_ended(connection: Connection) -> frozenset[str]:
    """The texts that were invalidated: from that event on no yes under them counts."""
    query = select(events.c.text).where(events.c.tree == EVENTS, events.c.kind == TEXT_INVALIDATED)
    return frozenset(str(text) for (text,) in connection.execute(query))


def require_programme(connection: Connection, digest: str) -> int:
    """Raises `Unavailable` if another programme came into force meanwhile; returns the size of the public tree.

    A process holds the rules it started with. Whoever reads, lets out or takes a yes by old rules is refused.
    """
    newest = latest(connection, PUBLIC, "programme")
    if newest is None or newest.said()["digest"] != digest:
        raise Unavailable("The programme has changed since this process started.", "Start again; nothing was read.")
    return size(connection, PUBLIC)


def take_over(connection: Connection, tree: str, kept: Sequence[bytes], frontier: Frontier) -> int:
    """Takes leaves over of which nothing else is left, so that the tree goes on from what was signed; how many.

    `kept` are the leaves from the tree's present size on, `frontier` that of the whole. For restoring alone: what such an
    event said is not known any more, and `restored` says so for ever.
    """
    first = lock(connection, tree)
    bare = Row(tree, first, LOST, None, None, None, None, None, "{}", None, b"", None)
    rows = [{**vars(bare), "seq": first + place, "leaf": leaf} for place, leaf in enumerate(kept)]
    for start in range(0, len(rows), LOST_AT_ONCE):
        connection.execute(insert(events), rows[start : start + LOST_AT_ONCE])
    whole = {"size": frontier.size, "frontier": frontier.to_bytes()}
    connection.execute(update(heads).where(heads.c.tree == tree).values(**whole))
    return len(rows)


def strangers(connection: Connection) -> int:
    """Rows of trees that do not exist."""
    return int(connection.execute(select(func.count()).where(events.c.tree.not_in(TREES))).scalar_one())


def count(connection: Connection, tree: str) -> int:
    """Rows really there, by counting them; for the audit, which does not believe the head row."""
    return int(connection.execute(select(func.count()).where(events.c.tree == tree)).scalar_one())
