"""A partition of many files becomes one, sorted by day: each file costs every read an opening and a seek.

1. No line is changed, lost or doubled: the same lines, in the order of their days, in one commit.
2. Memory is that of the spool and one piece, however large the partition; its disk space is needed twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from volens.purchases.datafiles import row_groups
from volens.purchases.partitions import PartitionSpool
from volens.purchases.removal import Prepared, Progress, silent
from volens.purchases.store import PurchasesStore, Written

MOST_FILES = 8


@dataclass(frozen=True)
class Compacted:
    """What a compaction did."""

    partitions: int
    files: int
    """Files that became one for each partition."""


def compact(store: PurchasesStore, batch: str, progress: Progress = silent) -> Compacted:
    """Makes one file of every partition that has more than `MOST_FILES`, as one commit under the id `batch`.

    Durable when it returns. Call it under the purchases lease. The old files go with `deletion`.
    """
    prepared = prepare_compaction(store, batch, progress)
    store.commit(prepared.written, prepared.view, prepared.gone)
    return Compacted(prepared.partitions, len(prepared.gone))


def prepare_compaction(store: PurchasesStore, batch: str, progress: Progress = silent) -> Prepared:
    """Writes the files that are to take the place of many. Changes nothing yet."""
    view = store.view()
    crowded = {key: paths for key, paths in sorted(view.paths.items()) if len(paths) > MOST_FILES}
    written: list[str] = []
    lines = 0
    for done, paths in enumerate(crowded.values(), start=1):
        with PartitionSpool(store.waiting(batch)) as spool:
            for path in paths:
                for piece in row_groups(path):
                    spool.add(piece)
            part = store.write((piece for _, piece in spool.pieces()), batch, start=len(written))
        written += part.paths
        lines += part.lines
        progress("compacting", done, len(crowded))
    gone = tuple(path for paths in crowded.values() for path in paths)
    return Prepared(view, Written(batch, tuple(written), lines), gone, {})
