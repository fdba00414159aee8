"""What no snapshot holds any more really goes: Iceberg's own expiring forgets files, it deletes none.

1. `PurchasesStore.expire` first: all snapshots but the current one and those that running reads hold by a lease.
2. Then every file below the table's folder that the table does not name is deleted, by our own listing: old data,
   Iceberg's own manifests (they hold the lowest and highest customer of each file), and what killed runs left.
3. Call both under the purchases lease, after every batch was recovered: snapshots tell which batch is in the table.
4. Killed anywhere, the same again deletes the rest.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from volens.purchases.reading import folder_of, forget_one
from volens.purchases.removal import Progress, silent
from volens.purchases.store import PurchasesStore


@dataclass(frozen=True)
class Deleted:
    """What a deletion took away."""

    files: int
    bytes: int
    reads: int
    """Reads that were killed, and left files of their own."""


def sweep(store: PurchasesStore, dead: Collection[int], progress: Progress = silent) -> Deleted:
    """Deletes every file that no kept snapshot needs, and the own files of `dead` reads. Durable when it returns."""
    named = store.named_files()
    lying = [path for path in sorted((store.folder / "lines").rglob("*")) if path.is_file()]
    lying += [path for path in sorted((store.folder / "waiting").rglob("*")) if path.is_file()]
    strays = [path for path in lying if path not in named]
    size = 0
    for done, path in enumerate(strays, start=1):
        size += path.stat().st_size
        path.unlink()
        progress("deleting", done, len(strays))
    shutil.rmtree(store.folder / "waiting", ignore_errors=True)
    for folder in sorted({path.parent for path in strays}, reverse=True):
        _sync(folder)
    for read in dead:
        forget_one(folder_of(store.folder, read))
    return Deleted(len(strays), size, len(dead))


def _sync(folder: Path) -> None:
    """Forces the removal of names to disk; the folder itself may be gone."""
    if folder.is_dir():
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
