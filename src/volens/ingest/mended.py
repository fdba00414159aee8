"""What a retry took in from the quarantine, who opened it, and with which mapping each batch was read.

1. A refused line's mark is a keyed hash of what it said: it tells that a line comes again, and nothing else. Marks and receipts'
   keys of mended lines stay for ever, as receipts do: whoever sends the same file again must not be able to count a line twice.
2. A line that several files held can be taken in as often as one file held it, and no more often.
3. Reading what refused lines said is an event with who and why; the names stand here, committed to by the event with a salt.
4. Nothing here says whose a line was: marks and receipts' keys are keyed hashes, mappings are names of columns.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    delete,
    func,
    insert,
    select,
)

from volens.evidence.log import EVENTS, SALT_BYTES, Event, append, commit_to
from volens.evidence.merkle import canonical_json
from volens.holders import Database

MARKS_PER_QUERY = 500
ROWS_PER_STATEMENT = 5_000

metadata = MetaData()

batch_mappings = Table(
    "batch_mappings",
    metadata,
    Column("batch", String(32), primary_key=True),
    Column("mapping", Text, nullable=False),  # YAML: names of columns, nobody's data
)

mended = Table(
    "mended",
    metadata,
    Column("of_batch", String(32), primary_key=True),
    Column("file_number", Integer, primary_key=True, autoincrement=False),
    Column("line_number", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("item", Integer, primary_key=True, autoincrement=False),  # one refused order may be several lines
    Column("batch", String(32), nullable=False),  # that took it in
    Column("mark", LargeBinary, nullable=False),
    Column("basket", BigInteger),  # none where the line was known already and nothing was added
    Column("digest", BigInteger),  # what the line says in the table, as `purchases.lines.digests`
    Index("mended_by_mark", "mark"),
    Index("mended_by_basket", "basket"),
    Index("mended_by_batch", "batch"),
)

openings = Table(
    "quarantine_openings",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("opened_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class Mended:
    """A refused line that a retry took in, or found to be known."""

    of_batch: str
    file_number: int
    line_number: int
    place: int
    item: int
    mark: bytes
    basket: int | None
    digest: int | None


class MendingRecords:
    """What the quarantine's station reads and writes. Every method is one transaction, durable when it returns."""

    def __init__(self, records: Database) -> None:
        self._records = records

    def opened(self, batches_: Mapping[str, int], by: str, why: str, today: date) -> int:
        """Records that somebody reads refused lines of these batches (batch → lines): who and why. The event's number."""
        salt = secrets.token_bytes(SALT_BYTES)
        with self._records.writing() as connection:
            event = Event(
                "quarantine-opened",
                day=today,
                detail={"batches": dict(batches_)},
                commitment=commit_to({"by": by, "why": why}, salt),
            )
            seq = append(connection, EVENTS, [event])
            connection.execute(insert(openings).values(seq=seq, opened_by=by, why=why, salt=salt))
            return seq

    def mapping_of(self, batch: str) -> str | None:
        """The mapping (YAML) that a batch was read with."""
        with self._records.reading() as connection:
            return connection.execute(
                select(batch_mappings.c.mapping).where(batch_mappings.c.batch == batch)
            ).scalar_one_or_none()

    def retried(self, marks: Sequence[bytes]) -> Counter[bytes]:
        """How many refused lines with each of these marks were taken in from the quarantine."""
        found: Counter[bytes] = Counter()
        query = select(mended.c.mark, func.count()).where(mended.c.item == 0).group_by(mended.c.mark)
        distinct = sorted(set(marks))
        with self._records.reading() as connection:
            for start in range(0, len(distinct), MARKS_PER_QUERY):
                some = query.where(mended.c.mark.in_(distinct[start : start + MARKS_PER_QUERY]))
                found.update({bytes(mark): int(count) for mark, count in connection.execute(some)})
        return found

    def retried_of(self, batch: str) -> Counter[bytes]:
        """As `retried`, of one batch's own refused lines."""
        query = select(mended.c.mark, func.count()).where(mended.c.of_batch == batch, mended.c.item == 0).group_by(mended.c.mark)
        with self._records.reading() as connection:
            return Counter({bytes(mark): int(count) for mark, count in connection.execute(query)})

    def additions(self, baskets: Sequence[int]) -> dict[int, Counter[int]]:
        """Of each of these receipts that got mended lines: their digests (int64), with how often."""
        found: dict[int, Counter[int]] = defaultdict(Counter)
        distinct = sorted(set(baskets))
        with self._records.reading() as connection:
            for start in range(0, len(distinct), MARKS_PER_QUERY):
                some = mended.c.basket.in_(distinct[start : start + MARKS_PER_QUERY])
                for basket, digest in connection.execute(select(mended.c.basket, mended.c.digest).where(some)):
                    found[int(basket)][int(digest)] += 1
        return dict(found)


def keep_mapping(connection: Connection, batch: str, mapping: str) -> None:
    """Keeps what a batch is read with."""
    connection.execute(insert(batch_mappings).values(batch=batch, mapping=mapping))


def note(connection: Connection, batch: str, retried: Sequence[Mended]) -> None:
    """Notes what a batch is about to take in from the quarantine."""
    rows = [{"batch": batch, **vars(line)} for line in retried]
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        connection.execute(insert(mended), rows[start : start + ROWS_PER_STATEMENT])


def forget(connection: Connection, batch: str) -> None:
    """The batch took nothing in after all."""
    connection.execute(delete(mended).where(mended.c.batch == batch))


def taken_from(connection: Connection, batch: str) -> list[tuple[str, int, int, int]]:
    """(batch, file, line, place) of every refused line that a batch took in."""
    query = select(mended.c.of_batch, mended.c.file_number, mended.c.line_number, mended.c.place).where(mended.c.batch == batch)
    return sorted({(str(of), int(file), int(line), int(place)) for of, file, line, place in connection.execute(query)})


def digests(connection: Connection, batch: str | None = None) -> dict[str, str]:
    """A hash of what each retry's batch took in (or one batch's), for its events and for the audit."""
    query = select(mended).order_by(*mended.primary_key.columns)
    query = query if batch is None else query.where(mended.c.batch == batch)
    found: dict[str, Any] = {}
    for row in connection.execute(query).mappings():
        whole = found.setdefault(row["batch"], hashlib.sha256())
        whole.update(canonical_json({**row, "mark": bytes(row["mark"]).hex()}))
    return {name: whole.hexdigest() for name, whole in found.items()}


def mapping_digests(connection: Connection, batch: str | None = None) -> dict[str, str]:
    """A hash of every batch's mapping (or one's), for its events and for the audit."""
    query = select(batch_mappings)
    rows = connection.execute(query if batch is None else query.where(batch_mappings.c.batch == batch))
    return {batch: hashlib.sha256(mapping.encode()).hexdigest() for batch, mapping in rows}


def stored_openings(connection: Connection) -> dict[int, bytes]:
    """What each opening of the quarantine must be committed to in its event."""
    rows = connection.execute(select(openings)).mappings()
    return {int(row["seq"]): commit_to({"by": row["opened_by"], "why": row["why"]}, bytes(row["salt"])) for row in rows}
