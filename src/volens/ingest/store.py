"""The records of what came in: batches and the quarantine.

1. A batch goes reading → staged → done, or is cleared; never any other way (`TRANSITIONS`).
2. A small batch is staged, kept among the arrivals and done in one transaction. A larger one is staged in one
   transaction with its quarantine, before its lines are added to the table. After a crash the table's snapshots say
   whether a staged batch is in it: `intake.recover` asks them.
3. The quarantine keeps what a refused line said only sealed and for `KEPT_DAYS` days. Of one batch it places the
   first `QUARANTINE_LINES` and keeps the words of `SEALED_LINES`; the rest is counted in the batch's summary. A
   feed that is wrong from top to bottom is not copied into the records.
4. What a retry takes in is noted (`mended`) when its batch is staged and leaves the quarantine in the transaction in which the
   batch is done, so that a run that dies between leaves either both or neither. Notes of a batch that is cleared go with it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
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
    tuple_,
    update,
)

from volens.errors import NotNow
from volens.evidence.log import EVENTS, Event, append
from volens.evidence.merkle import canonical_json
from volens.holders import Database
from volens.ingest import mended
from volens.ingest.mended import MARKS_PER_QUERY, Mended, MendingRecords
from volens.purchases import arrivals
from volens.purchases.partitions import Partition

KEPT_DAYS = 30
QUARANTINE_LINES = 100_000
SEALED_LINES = 10_000
ROWS_PER_STATEMENT = 5_000

TRANSITIONS = MappingProxyType(
    {
        "reading": frozenset({"staged", "cleared"}),
        "staged": frozenset({"done", "cleared"}),
        "done": frozenset[str](),
        "cleared": frozenset[str](),
    }
)

metadata = MetaData()

batches = Table(
    "batches",
    metadata,
    Column("batch", String(32), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("ended_at", String(32)),
    Column("summary", Text, nullable=False),  # JSON of counts
    Index("batches_by_state", "state"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("batch", String(32), primary_key=True),
    Column("file_number", Integer, primary_key=True, autoincrement=False),
    Column("line_number", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("source", String(64), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("kept_until", String(10), nullable=False),
    Column("sealed", LargeBinary),  # the line under the intake key; none beyond the limit
    Column("mark", LargeBinary),  # a keyed hash of what it said (`mended`)
    Index("quarantine_by_day", "kept_until"),
)

@dataclass(frozen=True)
class Quarantined:
    """One refused line."""

    file_number: int
    line_number: int
    place: int
    reason: str
    sealed: bytes | None
    mark: bytes | None = None


@dataclass(frozen=True)
class Batch:
    """A batch as it is recorded."""

    batch: str
    source: str
    file_name: str
    state: str
    started_at: str
    ended_at: str | None
    summary: dict[str, Any]


class BatchRecords:
    """Batches and quarantine in the records. Every method is one transaction, durable when it returns."""

    def __init__(self, records: Database) -> None:
        self._records = records
        self.mending = MendingRecords(records)

    def start(self, batch: str, source: str, file_name: str, now: datetime, mapping: str | None = None) -> None:
        """Records that a batch is being read, and with which mapping (YAML), so that its refused lines can be read again."""
        with self._records.writing() as connection:
            connection.execute(
                insert(batches).values(
                    batch=batch,
                    source=source,
                    file_name=file_name[:255],
                    state="reading",
                    started_at=now.isoformat(timespec="seconds"),
                    summary="{}",
                )
            )
            if mapping is not None:
                mended.keep_mapping(connection, batch, mapping)
            _record(connection, batch, "reading")

    def stage(
        self, batch: str, source: str, summary: dict[str, Any], refused: Iterable[Quarantined], today: date,
        retried: Sequence[Mended] = (),
    ) -> None:  # fmt: skip
        """What is about to be added, and what was refused. Not to be done twice: the second time is `NotNow`."""
        with self._records.writing() as connection:
            self._stage(connection, batch, source, summary, refused, today, retried)

    def arrive(
        self,
        batch: str,
        source: str,
        summary: dict[str, Any],
        refused: Iterable[Quarantined],
        now: datetime,
        lines: Sequence[tuple[Partition, pa.Table]],
        before: str,
        retried: Sequence[Mended] = (),
    ) -> None:
        """A small batch is in: staged, its lines kept among the arrivals, and done, all in one transaction.

        `before`: the state of the arrivals that its receipts were compared with; `Unavailable` if it is another now.
        """
        with self._records.writing() as connection:
            self._stage(connection, batch, source, summary, refused, now.date(), retried)
            arrivals.arrive(connection, batch, lines, now, now.date(), before)
            self._finish(connection, batch, now)

    def waiting_state(self) -> str:
        """What waits among the arrivals, as a digest."""
        with self._records.reading() as connection:
            return arrivals.state(connection)

    def waiting_lines(self, partition: Partition, baskets: np.ndarray) -> pa.Table:
        """The waiting lines of these baskets in one partition, as `PurchasesStore.existing` gives those of the table."""
        with self._records.reading() as connection:
            return arrivals.existing(connection, partition, baskets)

    def _stage(
        self,
        connection: Connection,
        batch: str,
        source: str,
        summary: dict[str, Any],
        refused: Iterable[Quarantined],
        today: date,
        retried: Sequence[Mended],
    ) -> None:
        kept_until = (today + timedelta(days=KEPT_DAYS)).isoformat()
        self._move(connection, batch, "staged", {"summary": json.dumps(summary, sort_keys=True)})
        rows = [{"batch": batch, "source": source, "kept_until": kept_until, **vars(line)} for line in refused]
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            connection.execute(insert(quarantine), rows[start : start + ROWS_PER_STATEMENT])
        mended.note(connection, batch, retried)
        _record(connection, batch, "staged")

    def finish(self, batch: str, now: datetime) -> None:
        """The batch is in the table."""
        with self._records.writing() as connection:
            self._finish(connection, batch, now)

    def _finish(self, connection: Connection, batch: str, now: datetime) -> None:
        self._move(connection, batch, "done", {"ended_at": now.isoformat(timespec="seconds")})
        _leave_quarantine(connection, batch)
        _record(connection, batch, "done")

    def clear(self, batch: str, now: datetime) -> None:
        """The batch is not in the table and never will be: its quarantine goes with it."""
        with self._records.writing() as connection:
            self._move(connection, batch, "cleared", {"ended_at": now.isoformat(timespec="seconds")})
            connection.execute(delete(quarantine).where(quarantine.c.batch == batch))
            mended.forget(connection, batch)
            _record(connection, batch, "cleared")

    def unfinished(self) -> list[Batch]:
        """Batches that are neither done nor cleared, oldest first."""
        with self._records.reading() as connection:
            rows = connection.execute(
                select(batches).where(batches.c.state.in_(("reading", "staged"))).order_by(batches.c.started_at)
            ).mappings()
            return [_batch(dict(row)) for row in rows]

    def batch(self, batch: str) -> Batch | None:
        """One batch, or none."""
        with self._records.reading() as connection:
            row = connection.execute(select(batches).where(batches.c.batch == batch)).mappings().one_or_none()
            return _batch(dict(row)) if row is not None else None

    def quarantined(self, batch: str) -> Sequence[Quarantined]:
        """A batch's refused lines in the order of the feed."""
        fields = ("file_number", "line_number", "place", "reason", "sealed", "mark")
        with self._records.reading() as connection:
            rows = connection.execute(
                select(*(quarantine.c[name] for name in fields))
                .where(quarantine.c.batch == batch)
                .order_by(quarantine.c.file_number, quarantine.c.line_number, quarantine.c.place)
            )
            return [Quarantined(*row) for row in rows]

    def waiting(self) -> list[dict[str, Any]]:
        """Refused lines by batch and reason: batch, source, file_name, reason, lines, sealed, kept_until; oldest first."""
        fields = (quarantine.c.batch, batches.c.source, batches.c.file_name, quarantine.c.reason)
        query = (
            select(
                *fields,
                func.count().label("lines"),
                func.count(quarantine.c.sealed).label("sealed"),
                func.min(quarantine.c.kept_until).label("kept_until"),
            )
            .join(batches, batches.c.batch == quarantine.c.batch)
            .where(batches.c.state == "done")
            .group_by(*fields, batches.c.started_at)
            .order_by(batches.c.started_at, quarantine.c.batch, func.count().desc(), quarantine.c.reason)
        )
        with self._records.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def mappings(self) -> list[str]:
        """The mappings (YAML) with which batches came in of which lines were taken in, each once."""
        known = mended.batch_mappings
        query = select(known.c.mapping).join(batches, batches.c.batch == known.c.batch)
        query = query.where(batches.c.state == "done", batches.c.summary.not_like('%"lines_accepted": 0,%')).distinct()
        with self._records.reading() as connection:
            return [str(mapping) for (mapping,) in connection.execute(query)]

    def expire(self, today: date) -> int:
        """Removes what was kept long enough; how many lines. For retention."""
        with self._records.writing() as connection:
            gone = quarantine.c.kept_until < today.isoformat()
            count = connection.execute(select(func.count()).select_from(quarantine).where(gone)).scalar_one()
            connection.execute(delete(quarantine).where(gone))
            if count:
                append(connection, EVENTS, [Event("quarantine-expired", day=today, detail={"lines": int(count)})])
            return int(count)

    def _move(self, connection: Connection, batch: str, to: str, values: dict[str, Any]) -> None:
        allowed = [state for state, following in TRANSITIONS.items() if to in following]
        moved = connection.execute(
            update(batches).where(batches.c.batch == batch, batches.c.state.in_(allowed)).values(state=to, **values)
        )
        if moved.rowcount != 1:
            raise NotNow(
                f"The batch {batch} cannot become {to!r} now; another run has finished or cleared it.",
                "Run the same command again.",
            )


def _record(connection: Connection, batch: str, state: str) -> None:
    """The batch as it stands now as an event, in the transaction of the change, with the hash of what was refused."""
    detail: dict[str, Any] = {"batch": batch, "state": state, "row": row_digests(connection)[batch]}
    mapping = mended.mapping_digests(connection, batch).get(batch)
    detail |= {"mapping": mapping} if mapping is not None else {}
    if state == "staged":
        digest = mended.digests(connection, batch).get(batch)
        detail |= {"mended": digest} if digest is not None else {}
        kept_until = connection.execute(select(func.max(quarantine.c.kept_until)).where(quarantine.c.batch == batch)).scalar()
        detail |= {"quarantine": quarantine_digest(connection, batch), "kept_until": kept_until}
    append(connection, EVENTS, [Event("batch", detail=detail)])


def _leave_quarantine(connection: Connection, batch: str) -> None:
    """What a batch took in from the quarantine is no longer in it; an event for each batch that it came from."""
    took, parts = mended.taken_from(connection, batch), 4
    place = tuple_(quarantine.c.batch, quarantine.c.file_number, quarantine.c.line_number, quarantine.c.place)
    for start in range(0, len(took), MARKS_PER_QUERY // parts):
        connection.execute(delete(quarantine).where(place.in_(took[start : start + MARKS_PER_QUERY // parts])))
    for of_batch, lines in sorted(Counter(of_batch for of_batch, *_ in took).items()):
        left = quarantine_digest(connection, of_batch)
        append(
            connection, EVENTS,
            [Event("quarantine-mended", detail={"batch": of_batch, "by": batch, "lines": lines, "quarantine": left})],
        )  # fmt: skip


def row_digests(connection: Connection) -> dict[str, str]:
    """A hash of every batch's row, for its events and for the audit."""
    rows = connection.execute(select(batches)).mappings()
    return {row["batch"]: hashlib.sha256(canonical_json(dict(row))).hexdigest() for row in rows}


def quarantine_digest(connection: Connection, batch: str) -> str:
    """A hash of the refused lines that are kept of a batch, sealed as they are."""
    query = (
        select(quarantine)
        .where(quarantine.c.batch == batch)
        .order_by(quarantine.c.file_number, quarantine.c.line_number, quarantine.c.place)
    )
    whole = hashlib.sha256()
    for row in connection.execute(query).mappings():
        sealed = hashlib.sha256(bytes(row["sealed"])).hexdigest() if row["sealed"] is not None else None
        said = {name: value for name, value in row.items() if name != "mark"} | {"sealed": sealed}
        if row["mark"] is not None:
            said["mark"] = bytes(row["mark"]).hex()
        whole.update(canonical_json(said))
    return whole.hexdigest()


def quarantined_batches(connection: Connection) -> set[str]:
    """The batches of which refused lines are kept."""
    return {str(batch) for (batch,) in connection.execute(select(quarantine.c.batch).distinct())}


def _batch(row: dict[str, Any]) -> Batch:
    return Batch(**{**row, "summary": json.loads(row["summary"])})
