"""Many rows that are one event: a bulk import, a night's expiries, the end of a text.

Rules:
1. The event's leaf commits to the root of a small tree (RFC 9162) over its rows, at most `MAX_ROWS`; it also says how many.
2. A row's entry does not name its event: place and event follow from the two proofs, so that all rows are hashed and sealed
   before the head row is taken, and a withdrawal never waits for it.
3. A row carries what an event of one person carries: kind, customer, purpose, recipient, text, day, and a salted commitment
   to the rest, which is sealed under the person's key.
4. Rows are never changed or removed. Each keeps its leaf, so that the audit names the row and not only the event.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
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
    func,
    select,
    union,
)

from volens.errors import NotFound
from volens.evidence import log
from volens.evidence.journeys import insert_rows
from volens.evidence.log import EVENTS, Event, events
from volens.evidence.merkle import Frontier, canonical_json, inclusion_proof, leaf_hash, root_of, verify_inclusion

MAX_ROWS = 5_000
IMPORT, EXPIRY, INVALIDATION = "import", "expiry", "invalidation"
GROUPS = (IMPORT, EXPIRY, INVALIDATION)
"""The kinds of event that are made of rows."""

metadata = MetaData()

group_rows = Table(
    "group_rows",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # of the event
    Column("place", Integer, primary_key=True, autoincrement=False),  # in its small tree, from 0
    Column("kind", String(32), nullable=False),
    Column("customer", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("day", String(10), nullable=False),
    Column("commitment", LargeBinary),
    Column("leaf", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    Index("group_rows_by_customer", "customer", "seq"),
)


_COLUMNS = ("seq", "place", "kind", "customer", "purpose", "recipient", "text", "day", "commitment", "leaf", "sealed")


@dataclass(frozen=True)
class GroupRow:
    """One row before it has an event: what is open, the commitment to the rest, and the rest sealed."""

    kind: str
    customer: int
    purpose: str
    recipient: str
    text: str
    day: str
    commitment: bytes | None = None
    sealed: bytes | None = None

    def open_part(self) -> dict[str, Any]:
        """The entry as an object, in the shape that receipts carry."""
        return {
            "kind": self.kind,
            "customer": self.customer,
            "purpose": self.purpose,
            "recipient": self.recipient,
            "text": self.text,
            "day": self.day,
            "commitment": self.commitment.hex() if self.commitment is not None else None,
        }

    def entry(self) -> bytes:
        """The bytes whose hash is the row's leaf in the small tree."""
        return canonical_json(self.open_part())


@dataclass(frozen=True)
class StoredRow(GroupRow):
    """A row as it is stored: its event, its place in it, and its leaf."""

    seq: int = 0
    place: int = 0
    leaf: bytes = b""


@dataclass(frozen=True)
class Prepared:
    """Rows with their leaves and root: everything that can be done before the head row is taken."""

    rows: tuple[GroupRow, ...]
    leaves: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True)
class RowProof:
    """The first of a row's two proofs: that it is in its event. The second, that the event is in the tree, is as for any
    other event (`merkle.inclusion_proof` over the leaves)."""

    row: Mapping[str, Any]
    """The row's open part."""
    place: int
    rows: int
    path: tuple[bytes, ...]
    root: bytes
    """Which stands in the event's detail."""
    seq: int

    def holds(self) -> bool:
        """Whether the row is under the root; the event's own leaf must then be shown to hold that root."""
        return verify_inclusion(leaf_hash(canonical_json(dict(self.row))), self.place, self.rows, self.path, self.root)


def prepare(rows: Sequence[GroupRow]) -> Prepared:
    """Hashes rows into their small tree. Needs no database."""
    if not 0 < len(rows) <= MAX_ROWS:
        raise ValueError(f"a group has 1 to {MAX_ROWS} rows")
    leaves = tuple(map(leaf_hash, _entries(rows)))
    return Prepared(tuple(rows), leaves, root_of(leaves))


def _entries(rows: Sequence[GroupRow]) -> Iterator[bytes]:
    """The entries of many rows: what `entry` gives, with the words that repeat from row to row written once.

    Half of an import's time was writing JSON; a test holds both forms equal.
    """
    known: dict[tuple[str, str, str, str], str] = {}
    for row in rows:
        key = (row.kind, row.purpose, row.recipient, row.text)
        if key not in known:
            kind, purpose, recipient, text = (json.dumps(word, ensure_ascii=False) for word in key)
            known[key] = f',"kind":{kind},"purpose":{purpose},"recipient":{recipient},"text":{text}' + "}"
        commitment = f'"{row.commitment.hex()}"' if row.commitment is not None else "null"
        day = json.dumps(row.day, ensure_ascii=False)
        yield f'{{"commitment":{commitment},"customer":{row.customer:d},"day":{day}{known[key]}'.encode()


def append_group(
    connection: Connection, kind: str, prepared: Prepared, detail: Mapping[str, Any], held: Frontier | None = None,
    **open_part: Any,
) -> int:  # fmt: skip
    """Appends one event made of rows in the caller's transaction; returns its seq. `held` is as in `log.append`."""
    if kind not in GROUPS:
        raise ValueError(f"{kind!r} is no kind of group")
    said = {**detail, "rows": len(prepared.rows), "root": prepared.root.hex()}
    seq = log.append(connection, EVENTS, [Event(kind, detail=said, **open_part)], held=held)
    insert_rows(connection, group_rows, _COLUMNS, [
        (seq, place, row.kind, row.customer, row.purpose, row.recipient, row.text, row.day, row.commitment, leaf, row.sealed)
        for place, (row, leaf) in enumerate(zip(prepared.rows, prepared.leaves, strict=True))
    ])  # fmt: skip
    return seq


def rows_of(connection: Connection, seq: int) -> list[StoredRow]:
    """The rows of one event, in order."""
    query = select(group_rows).where(group_rows.c.seq == seq).order_by(group_rows.c.place)
    return [StoredRow(**found) for found in connection.execute(query).mappings()]


def of_customer(connection: Connection, customer: int) -> list[StoredRow]:
    """Everything that groups say about one customer, in order."""
    query = select(group_rows).where(group_rows.c.customer == customer).order_by(group_rows.c.seq, group_rows.c.place)
    return [StoredRow(**found) for found in connection.execute(query).mappings()]


def among(connection: Connection, seqs: Collection[int], kind: str) -> set[int]:
    """Those of some events that are of a kind."""
    listed, found = sorted(seqs), set()
    for start in range(0, len(listed), 500):
        query = select(events.c.seq).where(
            events.c.tree == EVENTS, events.c.seq.in_(listed[start : start + 500]), events.c.kind == kind
        )
        found |= {int(seq) for (seq,) in connection.execute(query)}
    return found


def row_proof(connection: Connection, seq: int, place: int) -> RowProof:
    """Shows that a row is in its event. Raises `NotFound` if there is no such row."""
    rows = rows_of(connection, seq)
    if not 0 <= place < len(rows):
        raise NotFound(f"There is no row {place} in the event {seq}.", "See: volens choices history")
    leaves = [leaf_hash(row.entry()) for row in rows]
    return RowProof(rows[place].open_part(), place, len(rows), inclusion_proof(leaves, place), root_of(leaves), seq)


def customers_since(connection: Connection, position: int) -> set[int]:
    """Customers about whom something was recorded at seq ≥ `position`: whoever may have changed their mind."""
    single = select(events.c.customer).where(
        events.c.tree == EVENTS, events.c.seq >= position, events.c.customer.is_not(None)
    )
    grouped = select(group_rows.c.customer).where(group_rows.c.seq >= position)
    return {int(customer) for (customer,) in connection.execute(union(single, grouped))}


def strangers(connection: Connection) -> list[int]:
    """Events that rows claim to belong to and that are no groups, for the audit."""
    known = select(events.c.seq).where(events.c.tree == EVENTS, events.c.kind.in_(GROUPS))
    query = select(group_rows.c.seq).distinct().where(group_rows.c.seq.not_in(known)).order_by(group_rows.c.seq)
    return [int(seq) for (seq,) in connection.execute(query)]


def count(connection: Connection) -> int:
    """How many rows all groups have together."""
    return int(connection.execute(select(func.count()).select_from(group_rows)).scalar_one())
