"""What a read is given: the data files of one snapshot, and a file of its own with what waits beside the table.

1. The waiting lines of a read are those of its months and of the customers who permit it, nobody else's; of the columns
   it did not ask for, the file has no values.
2. The file lies in a folder that bears the read's number. It goes when the read ends; after a crash the nightly deletion
   takes every folder whose read has no lease any more.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.purchases.arrivals import unpacked
from volens.purchases.lines import LINES, PartitionFiles, numbers

READS = "reads"


def folder_of(purchases: Path, read: int) -> Path:
    """Where a read's own files lie."""
    return purchases / READS / str(read)


def with_arrivals(
    files: Sequence[PartitionFiles],
    waiting: Iterable[tuple[int, bytes]],
    folder: Path,
    permitted: BitMap,
    fields: Collection[str],
    start: date,
    end: date,
) -> tuple[PartitionFiles, ...]:
    """The files of a read with what waits for it, bucket by bucket. Nothing is written when nothing does.

    `waiting`: (bucket, packed lines). Lines of [start, end) of the permitted customers, with `fields` alone.
    """
    chunks: dict[int, list[pa.Table]] = {}
    for bucket, content in waiting:
        lines = unpacked(content)
        day = lines.column("day")
        inside = pc.and_(pc.greater_equal(day, pa.scalar(start)), pc.less(day, pa.scalar(end)))
        lines = lines.filter(pc.and_(inside, pc.is_in(lines.column("customer"), value_set=_numbers(permitted))))
        if lines.num_rows:
            chunks.setdefault(bucket, []).append(lines)
    paths = {part.bucket: part.paths for part in files}
    for bucket, tables in chunks.items():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"bucket={bucket:05d}.parquet"
        lines = pa.concat_tables(tables)
        pq.write_table(_only(lines.take(pa.array(np.argsort(numbers(lines, "day"), kind="stable"))), fields), path)
        paths[bucket] = (*paths.get(bucket, ()), str(path))
    return tuple(PartitionFiles(bucket, paths[bucket]) for bucket in sorted(paths))


def forget_one(folder: Path) -> None:
    """Removes a read's own files. Twice is harmless."""
    shutil.rmtree(folder, ignore_errors=True)


def lying(purchases: Path) -> set[int]:
    """Reads that have files of their own, running or not."""
    return {int(folder.name) for folder in (purchases / READS).glob("*") if folder.name.isdigit()}


def _numbers(customers: BitMap) -> pa.Array:
    return pa.array(np.frombuffer(customers.to_array(), dtype=np.uint32).astype(np.int32))


def _only(lines: pa.Table, fields: Collection[str]) -> pa.Table:
    """The same columns as everywhere, so that every engine reads it beside the others; those not asked for are empty."""
    columns = [
        lines.column(item.name) if item.name in fields else pa.nulls(lines.num_rows, item.type) for item in LINES
    ]
    return pa.table(columns, names=LINES.names)
