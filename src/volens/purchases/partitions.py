"""Lines in any order become one table per partition, in bounded memory.

1. A partition is a (bucket, month) pair; every line lands in exactly one, no line is changed.
2. At most `LINES_IN_MEMORY` lines and then one piece are held. What exceeds it waits in Arrow files in a
   folder of their own, which is removed when the spool is closed, also after an error.
3. Partitions come out in ascending order. A partition of more than `LINES_IN_A_PIECE` lines comes in several pieces,
   each of whole days, the days ascending from piece to piece; a single day larger than that comes in pieces of whole
   baskets. A basket is of one day, so its lines stay together.
4. Lines of one basket keep the order in which they arrived.

The folder holds pseudonymised lines. A killed run leaves it behind: it is under the table's own `waiting`
folder, which `PurchasesStore.discard` empties.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from volens.purchases.lines import months, numbers

# 2 million lines are about 300 MB; from there on the disk is used.
LINES_IN_MEMORY = 2_000_000
# What is compared, sorted and written at once: about five times its own size while that goes on.
LINES_IN_A_PIECE = 1_000_000
# A spilled partition is cut into batches of this size, so that a few days can be fetched without the rest.
LINES_IN_A_BATCH = 1 << 17

Partition = tuple[int, int]  # (bucket, months since January 1970)


@dataclass(frozen=True)
class _Spilled:
    """Lines of one partition in one spill file, sorted by day: the record batches `places`, and lines per day."""

    reader: ipc.RecordBatchFileReader
    places: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    days: tuple[np.ndarray, np.ndarray]

    def between(self, first: int, last: int) -> Iterator[pa.Table]:
        for place, low, high in zip(self.places, self.first, self.last, strict=True):
            if low <= last and high >= first:
                table = pa.Table.from_batches([self.reader.get_batch(place)])
                yield table if first <= low and high <= last else _of_days(table, first, last)


class PartitionSpool:
    """Takes tables that have `bucket`, `day` and `basket` columns, gives them back partition by partition."""

    def __init__(
        self, folder: Path, *, lines_in_memory: int = LINES_IN_MEMORY, lines_in_a_piece: int = LINES_IN_A_PIECE
    ) -> None:
        if min(lines_in_memory, lines_in_a_piece) < 1:
            raise ValueError("at least one line must fit into memory")
        self._folder = folder
        self._limit, self._piece = lines_in_memory, lines_in_a_piece
        self._held: dict[Partition, list[pa.Table]] = {}
        self._held_lines = 0
        self._sources: list[pa.OSFile] = []
        self._spilled: dict[Partition, list[_Spilled]] = {}
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

    def pieces(self) -> Iterator[tuple[Partition, pa.Table]]:
        """Each partition once, in one piece or in several that follow each other (rule 3). To be walked once."""
        if self._spilled and self._held_lines:
            self._spill()  # so that what follows needs the memory of one piece alone
        for key in sorted(self._held.keys() | self._spilled.keys()):
            spilled, held = self._spilled.get(key, []), self._held.pop(key, [])
            day, lines = _per_day([part.days for part in spilled] + [_days(table) for table in held])
            for first, last, total in _runs_of_days(day, lines, self._piece):
                tables = [table for part in spilled for table in part.between(first, last)]
                tables += [_of_days(table, first, last) for table in held]
                yield from ((key, piece) for piece in _by_basket(pa.concat_tables(tables), -(-total // self._piece)))

    def close(self) -> None:
        """Forgets everything and removes the folder. Closing twice is harmless."""
        self._spilled, self._held, self._held_lines = {}, {}, 0
        for source in self._sources:
            source.close()
        self._sources = []
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{len(self._sources):05d}.arrow"
        schema = next(iter(self._held.values()))[0].schema
        placed: dict[Partition, tuple[list[int], list[int], list[int], tuple[np.ndarray, np.ndarray]]] = {}
        place = 0
        with ipc.new_file(path, schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer:
            for key in sorted(self._held):
                table = pa.concat_tables(self._held.pop(key)).combine_chunks()
                day = numbers(table, "day")
                if (day[1:] < day[:-1]).any():
                    order = np.argsort(day, kind="stable")
                    table, day = table.take(pa.array(order)).combine_chunks(), day[order]
                places, first, last = [], [], []
                for start in range(0, table.num_rows, LINES_IN_A_BATCH):
                    for batch in table.slice(start, LINES_IN_A_BATCH).to_batches():
                        writer.write_batch(batch)
                        low = numbers(pa.Table.from_batches([batch]), "day")
                        places.append(place)
                        first.append(int(low[0]))
                        last.append(int(low[-1]))
                        place += 1
                placed[key] = (places, first, last, np.unique(day, return_counts=True))
        # Not mapped into memory: what was read of a mapped file counts as ours, however large the feed.
        source = pa.OSFile(str(path))
        self._sources.append(source)
        reader = ipc.open_file(source)
        for key, (places, first, last, days) in placed.items():
            self._spilled.setdefault(key, []).append(_Spilled(reader, tuple(places), tuple(first), tuple(last), days))
        self._held, self._held_lines = {}, 0


def _days(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    return np.unique(numbers(table, "day"), return_counts=True)


def _per_day(counted: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Days, ascending, and how many lines each has over all parts."""
    days, places = np.unique(np.concatenate([day for day, _ in counted]), return_inverse=True)
    return days, np.bincount(places, np.concatenate([lines for _, lines in counted])).astype(np.int64)


def _runs_of_days(days: np.ndarray, lines: np.ndarray, limit: int) -> Iterator[tuple[int, int, int]]:
    """(first day, last day, lines) of runs that together are all days; more than `limit` lines only for a single day."""
    first, total = 0, 0
    for place, count in enumerate(lines.tolist()):
        if total and total + count > limit:
            yield int(days[first]), int(days[place - 1]), total
            first, total = place, 0
        total += count
    yield int(days[first]), int(days[-1]), total


def _of_days(table: pa.Table, first: int, last: int) -> pa.Table:
    day = numbers(table, "day")
    inside = (day >= first) & (day <= last)
    return table if inside.all() else table.filter(pa.array(inside))


def _by_basket(table: pa.Table, parts: int) -> Iterator[pa.Table]:
    """A table in so many pieces of whole baskets."""
    if parts <= 1:
        yield table
        return
    part = (numbers(table, "basket").view(np.uint64) >> np.uint64(7)) % np.uint64(parts)
    for number in range(parts):
        piece = table.filter(pa.array(part == np.uint64(number)))
        if piece.num_rows:
            yield piece


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
