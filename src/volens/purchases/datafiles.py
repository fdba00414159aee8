"""Data files of the table: one per partition and batch, sorted by day, on the disk before anybody names them.

1. A file holds one bucket and one month; `Place` says where it lies. Its name begins with the batch that made it.
2. Lines come in pieces whose days ascend; a piece is sorted, the file as a whole is then. Memory is that of a piece.
3. Durable when it is closed. A file that no snapshot names is not in the table: `discard` and the deletion find it.
4. A file states in its footer whose lines it has, as a compressed bitmap, so that a read can say whom it saw without looking
   at every line. It is made of the lines that were written, by whoever writes a file, so it can be no older than they are.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.purchases.durable import sync_folder
from volens.purchases.lines import LINES, month_name, months, numbers
from volens.purchases.partitions import Partition

ROWS_PER_GROUP = 1 << 18
CUSTOMERS, CUSTOMERS_ARE = b"volens.customers", b"volens.customers.are"
"""Footer: a bitmap (base64) of small numbers n, and `bucket/buckets`; the customers are n · buckets + bucket."""
_DICTIONARIES = [
    "product", "store", "channel", "unit", "currency", "day", "customer", "account", "minute", "quantity", "amount", "discount",
]  # fmt: skip
"""Amounts and quantities repeat: as numbers of a dictionary they cost a reader a third less, and no more room."""


class DataFile:
    """One new file, written piece by piece. Leaving the block with an error removes it."""

    def __init__(self, data: Path, partition: Partition, name: str, buckets: int) -> None:
        self.partition, self._buckets = partition, buckets
        bucket, month = partition
        self.path = data / f"bucket={bucket:05d}" / f"month={month_name(month)}" / name
        self.lines = 0
        self._customers = BitMap()
        self._last_day = -(1 << 31)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._target = self.path.open("wb")
        self._writer = pq.ParquetWriter(self._target, LINES, compression="zstd", use_dictionary=_DICTIONARIES)

    def add(self, piece: pa.Table, *, ordered: bool = False) -> None:
        """Adds lines (columns of `LINES`) of days that are not before those of the last piece.

        `ordered`: the lines are in the order of a file already. `ValueError` for a line that belongs elsewhere.
        """
        if not piece.num_rows:
            return
        bucket, day = numbers(piece, "bucket"), numbers(piece, "day")
        if (bucket != numbers(piece, "customer") % self._buckets).any() or (bucket != self.partition[0]).any():
            raise ValueError("a line's bucket is not customer % buckets, or not the file's")
        if (months(piece.column("day")) != self.partition[1]).any():
            raise ValueError("a data file holds one month")
        lines = piece.select(LINES.names)
        if not ordered:
            # Rows are ordered by day, and within a day a receipt's lines stay together: it compresses best so.
            order = np.lexsort((numbers(piece, "basket"), numbers(piece, "minute"), day))
            lines, day = lines.take(pa.array(order)), day[order]
        if day[0] < self._last_day or (day[1:] < day[:-1]).any():
            raise ValueError("pieces of a data file come in the order of their days")
        self._last_day = int(day[-1])
        self._writer.write_table(lines.cast(LINES), row_group_size=ROWS_PER_GROUP)
        self._customers.update(np.unique(numbers(piece, "customer") // self._buckets).astype(np.uint32))
        self.lines += piece.num_rows

    def close(self) -> None:
        """Forces the file and its names to disk."""
        self._writer.add_key_value_metadata(
            {
                CUSTOMERS: base64.b64encode(self._customers.serialize()),
                CUSTOMERS_ARE: f"{self.partition[0]}/{self._buckets}".encode(),
            }
        )
        try:
            self._writer.close()
            self._target.flush()
            os.fsync(self._target.fileno())
        finally:
            self._target.close()
        sync_folder(self.path.parent)
        sync_folder(self.path.parent.parent)
        sync_folder(self.path.parent.parent.parent)

    def __enter__(self) -> DataFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
            return
        self._writer.close()
        self._target.close()
        self.path.unlink(missing_ok=True)


def stated_customers(footer: pq.FileMetaData) -> np.ndarray | None:
    """Whose lines a file has (int64, ascending), by its own statement; none if it makes none: then its lines say."""
    stated = footer.metadata or {}
    if CUSTOMERS not in stated or CUSTOMERS_ARE not in stated:
        return None
    bucket, buckets = (int(part) for part in stated[CUSTOMERS_ARE].decode().split("/"))
    small = BitMap.deserialize(base64.b64decode(stated[CUSTOMERS])).to_array()
    return np.frombuffer(small, dtype=np.uint32).astype(np.int64) * buckets + bucket


def row_groups(path: str, columns: Iterable[str] | None = None) -> Iterator[pa.Table]:
    """A file's lines piece by piece, in its order: the memory of one row group."""
    with pq.ParquetFile(path) as source:
        for group in range(source.num_row_groups):
            yield source.read_row_group(group, columns=list(columns) if columns is not None else None)


def groups_of_days(source: pq.ParquetFile, first: int, last: int) -> list[int]:
    """The row groups that may hold a day in [first, last] (days since 1970), by the file's own statistics."""
    place = source.schema_arrow.get_field_index("day")
    found = []
    for group in range(source.num_row_groups):
        stated = source.metadata.row_group(group).column(place).statistics
        if stated is None or not stated.has_min_max:
            found.append(group)
            continue
        low, high = (value.toordinal() - _EPOCH for value in (stated.min, stated.max))
        if low <= last and high >= first:
            found.append(group)
    return found


_EPOCH = 719_163  # date(1970, 1, 1).toordinal()
