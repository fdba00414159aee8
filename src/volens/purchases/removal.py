"""Taking people's lines out of the table, and moving an account's lines to whom it belongs now. Counts, never rows.

1. Never by `Table.delete`: 20,000 ids took 174 s there. A file is looked at by its narrow key column alone; one that
   holds nobody of these is not touched; the others are written anew, row group by row group, through a look-up in a
   boolean array over the dense numbers.
2. A pass is one commit: `prepare_…` writes files that are in no snapshot, `PurchasesStore.commit` swaps them in. Killed
   between the two, nothing has happened, and what was written is cleared as any killed run's.
3. What the old snapshots still hold is gone only after `deletion` has run: until then it is unreachable, not erased.
4. A removal leaves no mark in the files: nobody can see there who was taken out.

This module is the one door to rewriting lines of chosen people; an import contract says who may use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from volens.purchases.datafiles import DataFile, row_groups
from volens.purchases.lines import LINES, numbers
from volens.purchases.partitions import Partition, PartitionSpool
from volens.purchases.store import PurchasesStore, View, Written

Progress = Callable[[str, int, int], None]


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Removed:
    """What a removal did."""

    lines: int
    partitions: int
    """Partitions that were written anew."""
    customers: int
    """Customers who had at least one line."""


@dataclass(frozen=True)
class Relabelled:
    """What a relabelling did: `lines` that belong to another customer now, of so many `accounts`."""

    lines: int
    accounts: int


@dataclass(frozen=True)
class Prepared:
    """Files that are ready to be swapped in, in no snapshot yet."""

    view: View
    written: Written
    gone: tuple[str, ...]
    counts: dict[int, int] = field(repr=False)
    """Lines that were taken out or moved, by customer or account."""

    @property
    def partitions(self) -> int:
        """Partitions of which a file goes."""
        return sum(1 for paths in self.view.paths.values() if set(paths) & set(self.gone))


def remove(store: PurchasesStore, customers: BitMap, batch: str, progress: Progress = silent) -> Removed:
    """Takes all lines of some customers out, as one commit under the id `batch`. Durable when it returns.

    Call it under the purchases lease. Old snapshots hold the lines until `deletion.delete` has run.
    """
    prepared = prepare_removal(store, customers, batch, progress)
    store.commit(prepared.written, prepared.view, prepared.gone)
    return Removed(sum(prepared.counts.values()), prepared.partitions, len(prepared.counts))


def relabel(store: PurchasesStore, moves: Mapping[int, int], batch: str, progress: Progress = silent) -> Relabelled:
    """Gives the lines of accounts to the customers they belong to now, as one commit. Durable when it returns.

    `moves`: account to customer. A line of another bucket moves to another partition. An account whose lines have that
    customer already costs a look at one column; so the same again changes nothing. Call it under the purchases lease.
    """
    prepared = prepare_relabelling(store, moves, batch, progress)
    store.commit(prepared.written, prepared.view, prepared.gone)
    return Relabelled(sum(prepared.counts.values()), len(prepared.counts))


def prepare_removal(store: PurchasesStore, customers: BitMap, batch: str, progress: Progress = silent) -> Prepared:
    """Writes the files that hold the lines of all but these customers. Changes nothing yet."""
    wanted = _Lookup.of({int(customer): 1 for customer in customers})
    buckets = {int(customer) % store.buckets for customer in customers}

    def split(lines: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        customer = numbers(lines, "customer")
        return wanted.has(customer), customer

    return _Pass(store, batch, progress).run("removing", split, ("customer",), buckets, None)


def prepare_relabelling(
    store: PurchasesStore, moves: Mapping[int, int], batch: str, progress: Progress = silent
) -> Prepared:
    """Writes the files in which the lines of these accounts belong to their customers of now. Changes nothing yet."""
    belongs = _Lookup.of({int(account): int(customer) for account, customer in moves.items()})

    def split(lines: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        account = numbers(lines, "account")
        return belongs.has(account) & (belongs.value(account) != numbers(lines, "customer")), account

    def moved(lines: pa.Table) -> pa.Table:
        customer = belongs.value(numbers(lines, "account")).astype(np.int32)
        for name, values in (("customer", customer), ("bucket", (customer % store.buckets).astype(np.int32))):
            lines = lines.set_column(LINES.get_field_index(name), LINES.field(name), pa.array(values, pa.int32()))
        return lines

    return _Pass(store, batch, progress).run("relabelling", split, ("account", "customer"), None, moved)


@dataclass(frozen=True)
class _Lookup:
    """From dense numbers to values by an array: about 8 ns a line, where a join costs three to five times that."""

    values: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, entries: Mapping[int, int]) -> _Lookup:
        size = max(entries, default=0) + 2  # the last place stands for every number beyond
        values, known = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool)
        if entries:
            keys = np.fromiter(entries, dtype=np.int64, count=len(entries))
            known[keys] = True
            values[keys] = np.fromiter(entries.values(), dtype=np.int64, count=len(entries))
        return cls(values, known)

    def has(self, keys: np.ndarray) -> np.ndarray:
        return np.asarray(self.known[np.minimum(keys, len(self.known) - 1)])

    def value(self, keys: np.ndarray) -> np.ndarray:
        return np.asarray(self.values[np.minimum(keys, len(self.values) - 1)])


class _Pass:
    """One walk over the files of the table as it is."""

    def __init__(self, store: PurchasesStore, batch: str, progress: Progress) -> None:
        self._store, self._batch, self._progress = store, batch, progress
        self._counts: dict[int, int] = {}
        self._paths: list[str] = []

    def run(
        self,
        step: str,
        split: Callable[[pa.Table], tuple[np.ndarray, np.ndarray]],
        columns: tuple[str, ...],
        buckets: set[int] | None,
        moved: Callable[[pa.Table], pa.Table] | None,
    ) -> Prepared:
        """`split` says which lines go, and whose they are; `columns` are what it needs to know that.

        `moved` says what they become; without it they are dropped. Only these `buckets` can hold such lines.
        """
        view = self._store.view()
        files = [(key, path) for key in sorted(view.paths) for path in view.paths[key] if buckets is None or key[0] in buckets]
        gone: list[str] = []
        kept = 0
        with PartitionSpool(self._store.waiting(self._batch)) as spool:
            for done, (partition, path) in enumerate(files, start=1):
                if any(split(piece)[0].any() for piece in row_groups(path, columns)):
                    gone.append(path)
                    kept += self._rewrite(partition, path, split, spool, moved)
                self._progress(step, done, len(files))
            written = self._store.write((piece for _, piece in spool.pieces()), self._batch, start=len(self._paths))
        paths = (*self._paths, *written.paths)
        return Prepared(view, Written(self._batch, paths, kept + written.lines), tuple(gone), self._counts)

    def _rewrite(
        self,
        partition: Partition,
        path: str,
        split: Callable[[pa.Table], tuple[np.ndarray, np.ndarray]],
        spool: PartitionSpool,
        moved: Callable[[pa.Table], pa.Table] | None,
    ) -> int:
        """One file anew, without the lines that go; how many stay. A file of which nothing stays is not written."""
        target: DataFile | None = None
        with ExitStack() as opened:
            for piece in row_groups(path):
                goes, whose = split(piece)
                self._count(whose[goes])
                if moved is not None and goes.any():
                    spool.add(moved(piece.filter(pa.array(goes)).select(LINES.names).cast(LINES)))
                if goes.all():
                    continue
                if target is None:
                    target = opened.enter_context(self._store.new_file(partition, self._batch, len(self._paths)))
                    self._paths.append(str(target.path))
                target.add(piece.filter(pa.array(~goes)) if goes.any() else piece, ordered=True)
        return target.lines if target is not None else 0

    def _count(self, whose: np.ndarray) -> None:
        for key, lines in zip(*(found.tolist() for found in np.unique(whose, return_counts=True)), strict=True):
            self._counts[key] = self._counts.get(key, 0) + lines

