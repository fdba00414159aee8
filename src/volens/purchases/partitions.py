"""Lines in any order become one table per partition, in bounded memory.

1. A partition is a (bucket, month) pair; every line lands in exactly one, no line is changed.
2. At most `LINES_IN_MEMORY` lines and then one partition are held. What exceeds it waits in Arrow files in a
   folder of their own, which is removed when the spool is closed, also after an error.
3. Partitions come out in ascending order and lines within one keep the order in which they arrived.

The folder holds pseudonymised lines. A killed run leaves it behind: it is under the table's own `waiting`
folder, which `PurchasesStore.discard` empties.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from volens.purchases.lines import months

# 2 million lines are about 300 MB; from there on the disk is used.
LINES_IN_MEMORY = 2_000_000

Partition = tuple[int, int]  # (bucket, months since January 1970)


class PartitionSpool:
    """Takes tables that have `bucket` and `day` columns, gives them back partition by partition."""

    def __init__(self, folder: Path, *, lines_in_memory: int = LINES_IN_MEMORY) -> None:
        if lines_in_memory < 1:
            raise ValueError("at least one line must fit into memory")
        self._folder = folder
        self._limit = lines_in_memory
        self._held: dict[Partition, list[pa.Table]] = {}
        self._held_lines = 0
        self._spilled: list[tuple[pa.MemoryMappedFile, ipc.RecordBatchFileReader, dict[Partition, int]]] = []
        self.lines = 0

    def __enter__(self) -> PartitionSpool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def add(self, table: pa.Table) -> None:
        """Takes lines in. All tables must have the same columns."""
        if not table.num_rows:
            return
        for key, part in split(table):
            self._held.setdefault(key, []).append(part)
        self._held_lines += table.num_rows
        self.lines += table.num_rows
        if self._held_lines >= self._limit:
            self._spill()

    def partitions(self) -> Iterator[tuple[Partition, pa.Table]]:
        """Each partition once, whole."""
        keys = set(self._held).union(*(index for _, _, index in self._spilled))
        for key in sorted(keys):
            pieces = [
                pa.Table.from_batches([reader.get_batch(index[key])]) for _, reader, index in self._spilled if key in index
            ]
            yield key, pa.concat_tables([*pieces, *self._held.pop(key, [])])

    def close(self) -> None:
        """Forgets everything and removes the folder. Closing twice is harmless."""
        for source, _, _ in self._spilled:
            source.close()
        self._spilled, self._held, self._held_lines = [], {}, 0
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{len(self._spilled):05d}.arrow"
        index: dict[Partition, int] = {}
        schema = next(iter(self._held.values()))[0].schema
        with ipc.new_file(path, schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer:
            for place, key in enumerate(sorted(self._held)):
                # One record batch per partition, so that it can be fetched alone.
                for batch in pa.concat_tables(self._held[key]).combine_chunks().to_batches():
                    writer.write_batch(batch)
                index[key] = place
        source = pa.memory_map(str(path))
        self._spilled.append((source, ipc.open_file(source), index))
        self._held, self._held_lines = {}, 0


def split(table: pa.Table) -> Iterator[tuple[Partition, pa.Table]]:
    """A table's partitions in ascending order; lines keep their order within each."""
    bucket = table.column("bucket").combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64)
    key = (bucket << 32) | months(table.column("day")).astype(np.int64)
    if len(key) == 0:
        return
    if (key == key[0]).all():
        yield _partition(int(key[0])), table
        return
    order = np.argsort(key, kind="stable")
    ordered, moved = key[order], table.take(pa.array(order))
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
        yield _partition(int(ordered[start])), moved.slice(start, end - start)


def _partition(key: int) -> Partition:
    return key >> 32, key & 0xFFFFFFFF
