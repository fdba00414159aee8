"""Small arrivals: pseudonymised lines that wait in the records until there are enough of them for a file.

1. A feed of few lines would make a commit and a file for each partition, every minute. Its lines wait here instead, in
   the transaction that makes its batch `done`; from then on every read has them.
2. A row is a chunk: the lines of one batch in one partition, as Arrow. Its digest stands beside it, and each change of
   the table is an event that commits to all digests (`state`), so that the audit finds a changed chunk.
3. Appending is staged under an id, written to the table under that id, and then the chunks go. After a crash the
   table's snapshots say whether they are in; `stage` gives the same id again, and there is no other repair.
4. A line is in exactly one of the two: a chunk whose id the table's history names is in the table and not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
from pyarrow import ipc
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
    func,
    insert,
    select,
    update,
)

from volens.errors import Unavailable
from volens.evidence.log import EVENTS, Event, append, lock
from volens.evidence.merkle import canonical_json
from volens.purchases.lines import CONTENT, LINES, month_of, numbers
from volens.purchases.partitions import Partition

SMALL_LINES = 20_000
"""A feed of at most so many lines waits here."""
APPEND_AFTER = timedelta(minutes=15)
APPEND_LINES = 500_000

metadata = MetaData()

arrivals = Table(
    "arrivals",
    metadata,
    Column("chunk", BigInteger, primary_key=True, autoincrement=False),
    Column("batch", String(32), nullable=False),
    Column("bucket", Integer, nullable=False),
    Column("month", Integer, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("arrived", String(32), nullable=False),  # UTC, ISO 8601
    Column("digest", String(64), nullable=False),  # SHA-256 of the content
    Column("content", LargeBinary, nullable=False),  # Arrow stream with the columns of `LINES`
    Column("staged", String(32)),  # the append that is taking it over
    Index("arrivals_by_partition", "bucket", "month"),
)


@dataclass(frozen=True)
class Waiting:
    """How much waits, and since when."""

    lines: int
    since: datetime | None

    def due(self, now: datetime) -> bool:
        """Whether it is time to append."""
        return self.since is not None and (self.lines >= APPEND_LINES or now - self.since >= APPEND_AFTER)


def waiting(connection: Connection) -> Waiting:
    """How many lines wait, and since when the oldest does."""
    lines, since = connection.execute(select(func.sum(arrivals.c.lines), func.min(arrivals.c.arrived))).one()
    return Waiting(int(lines or 0), datetime.fromisoformat(since) if since else None)


def state(connection: Connection) -> str:
    """A digest of everything that waits, from the digests that stand beside the chunks."""
    rows = connection.execute(select(arrivals.c.chunk, arrivals.c.digest).order_by(arrivals.c.chunk))
    return _state((int(chunk), str(digest)) for chunk, digest in rows)


def arrive(
    connection: Connection, batch: str, parts: Sequence[tuple[Partition, pa.Table]], now: datetime, day: date, before: str
) -> None:
    """Keeps a batch's lines, in the caller's transaction. `before`: the `state` that they were compared with.

    `Unavailable` when something else arrived meanwhile: it may hold the same receipts.
    """
    lock(connection, EVENTS)
    if state(connection) != before:
        raise Unavailable("Somebody else took purchases in meanwhile; nothing was added.", "Run the same command again.")
    if not parts:
        return
    first = int(connection.execute(select(func.coalesce(func.max(arrivals.c.chunk), -1))).scalar_one()) + 1
    rows = []
    for place, ((bucket, month), lines) in enumerate(parts):
        content = _packed(lines)
        rows.append(
            {
                "chunk": first + place,
                "batch": batch,
                "bucket": bucket,
                "month": month,
                "lines": lines.num_rows,
                "arrived": now.isoformat(timespec="seconds"),
                "digest": hashlib.sha256(content).hexdigest(),
                "content": content,
            }
        )
    connection.execute(insert(arrivals), rows)
    _record(connection, "arrived", batch, sum(lines.num_rows for _, lines in parts), day)


def existing(connection: Connection, partition: Partition, baskets: np.ndarray) -> pa.Table:
    """The waiting lines of these baskets (int64) in one partition: the columns of `CONTENT` and `basket`."""
    mine = (arrivals.c.bucket == partition[0]) & (arrivals.c.month == partition[1])
    columns = ["basket", *CONTENT]
    found = [pa.schema([LINES.field(name) for name in columns]).empty_table()]
    for (content,) in connection.execute(select(arrivals.c.content).where(mine).order_by(arrivals.c.chunk)):
        lines = unpacked(content)
        here = np.isin(numbers(lines, "basket"), baskets)
        if here.any():
            found.append(lines.select(columns).filter(pa.array(here)))
    return pa.concat_tables(found)


def of_days(connection: Connection, start: date, end: date, in_table: Collection[str]) -> list[tuple[int, bytes]]:
    """(bucket, packed lines) of what waits in the months of [start, end), for a read that has the snapshot whose history
    names `in_table`: what is in there does not wait any more."""
    months = (month_of(start), month_of(end - timedelta(days=1)))
    query = select(arrivals.c.bucket, arrivals.c.content, arrivals.c.staged).where(arrivals.c.month.between(*months))
    rows = connection.execute(query.order_by(arrivals.c.chunk))
    return [(int(row.bucket), bytes(row.content)) for row in rows if row.staged is None or row.staged not in in_table]


def stage(connection: Connection, batch: str) -> str | None:
    """Everything that waits is to be appended under an id: that of an append that was killed, or `batch`. None if
    nothing waits."""
    lock(connection, EVENTS)
    left = connection.execute(select(arrivals.c.staged).where(arrivals.c.staged.is_not(None)).limit(1)).scalar()
    if left is not None:
        return str(left)
    taken = connection.execute(update(arrivals).values(staged=batch))
    return batch if taken.rowcount else None


def is_staged(connection: Connection) -> bool:
    """Whether an append was begun and its chunks are still here."""
    return connection.execute(select(arrivals.c.chunk).where(arrivals.c.staged.is_not(None)).limit(1)).first() is not None


def staged(connection: Connection, batch: str) -> Iterator[pa.Table]:
    """The lines of an append, chunk by chunk (columns of `LINES`)."""
    for (content,) in connection.execute(
        select(arrivals.c.content).where(arrivals.c.staged == batch).order_by(arrivals.c.chunk)
    ):
        yield unpacked(content)


def finish(connection: Connection, batch: str, day: date) -> int:
    """The append is in the table: its chunks go. Returns how many lines they had."""
    lock(connection, EVENTS)
    mine = arrivals.c.staged == batch
    lines = int(connection.execute(select(func.coalesce(func.sum(arrivals.c.lines), 0)).where(mine)).scalar_one())
    if lines:
        connection.execute(delete(arrivals).where(mine))
        _record(connection, "appended", batch, lines, day)
    return lines


def looked_at(connection: Connection) -> tuple[int, str]:
    """For the audit: how many chunks wait, and their `state` from the contents themselves."""
    rows = connection.execute(select(arrivals.c.chunk, arrivals.c.content).order_by(arrivals.c.chunk))
    digests = [(int(chunk), hashlib.sha256(bytes(content)).hexdigest()) for chunk, content in rows]
    return len(digests), _state(iter(digests))


def unpacked(content: bytes) -> pa.Table:
    """A chunk's lines."""
    return ipc.open_stream(pa.py_buffer(bytes(content))).read_all()


def _packed(lines: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    table = lines.select(LINES.names).combine_chunks().cast(LINES)
    with ipc.new_stream(sink, LINES, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _state(chunks: Iterator[tuple[int, str]]) -> str:
    return hashlib.sha256(canonical_json([[chunk, digest] for chunk, digest in chunks])).hexdigest()


def _record(connection: Connection, what: str, batch: str, lines: int, day: date) -> None:
    detail = {"what": what, "batch": batch, "lines": lines, "state": state(connection)}
    append(connection, EVENTS, [Event("arrivals", day=day, detail=detail)])
