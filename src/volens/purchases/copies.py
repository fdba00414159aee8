"""The files of one moment of the table, copied out; and a table made again from such files, wherever it is to lie.

1. What is copied is what Iceberg plans for one snapshot, and the public dimensions. Its own metadata is not: it names files
   by absolute paths, and a table made again is declared anew and given its files in one commit.
2. A table is made again without the lines of those who were erased: they are in no file of it, not even in an old snapshot.
   A line is whose the account is now, whatever number it is still under.
3. Whatever lay in the folder before is gone, the catalog's entry too. The same again gives the same table.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyiceberg.exceptions import NoSuchTableError
from pyroaring import BitMap

from volens.errors import Tampered
from volens.purchases.datafiles import row_groups
from volens.purchases.durable import sync_folder
from volens.purchases.iceberg import IDENTIFIER, open_catalog
from volens.purchases.lines import CUSTOMERS_PER_BUCKET, numbers
from volens.purchases.store import PurchasesStore, Written

DIMENSIONS = ("products.parquet", "stores.parquet")
DATA = "data"
Progress = Callable[[str, int, int], None]


def copy_out(store: PurchasesStore, folder: Path, progress: Progress, renew: Callable[[], None]) -> None:
    """Copies the table as it is now. Call it under the purchases lease; `renew` is called between files."""
    (folder / DATA).mkdir(parents=True, mode=0o700)
    paths = sorted(path for paths in store.view().paths.values() for path in paths)
    for done, path in enumerate(paths, start=1):
        target = folder / DATA / Path(path).relative_to(store.data)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        renew()
        progress("copying purchases", done, len(paths))
    for name in DIMENSIONS:
        if (store.folder / name).exists():
            shutil.copyfile(store.folder / name, folder / name)


@dataclass(frozen=True)
class Gone:
    """Whose lines stay out: of accounts that were erased, and of customers, but for accounts that others hold by now."""

    customers: BitMap
    accounts: BitMap
    others: BitMap

    def goes(self, piece: pa.Table) -> np.ndarray:
        """Which lines (columns `customer` and `account`) stay out."""
        account = numbers(piece, "account")
        hers = _in(numbers(piece, "customer"), self.customers)
        hers[hers] = [int(one) not in self.others for one in account[hers]]  # few: nobody else's accounts are looked up
        return np.asarray(_in(account, self.accounts) | hers)


def _in(values: np.ndarray, wanted: BitMap) -> np.ndarray:
    return np.isin(values, np.fromiter(wanted, dtype=np.int64, count=len(wanted)))


def put_in_place(
    source: Path, folder: Path, buckets: int, gone: Gone, batch: str, catalog_url: str | None, progress: Progress
) -> int:
    """Makes the table in `folder` from a copy, without some people's lines; how many lines it then has."""
    _clear(folder, catalog_url)
    store = PurchasesStore.create(folder, customers=buckets * CUSTOMERS_PER_BUCKET, catalog_url=catalog_url)
    try:
        if store.buckets != buckets:
            raise Tampered(f"A table of {buckets} buckets cannot be made again.", "The back-up's manifest was changed.")
        for name in DIMENSIONS:
            if (source / name).exists():
                shutil.copyfile(source / name, folder / name)
        files = sorted((source / DATA).glob("*/*/*.parquet"))
        paths: list[str] = []
        for done, file in enumerate(files, start=1):
            paths += _put_file(store, file, source / DATA, gone, batch, done)
            progress("putting purchases in place", done, len(files))
        store.commit(Written(batch, tuple(paths), 0), store.view())
        return store.count_lines()
    finally:
        store.close()


def _put_file(store: PurchasesStore, file: Path, source: Path, gone: Gone, batch: str, number: int) -> Sequence[str]:
    """One file, as it is if nobody of `gone` is in it."""
    touched = any(gone.goes(piece).any() for piece in row_groups(str(file), ["customer", "account"]))
    relative = file.relative_to(source)
    if not touched:
        target = store.data / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as old, target.open("wb") as new:
            shutil.copyfileobj(old, new, 1 << 20)
            new.flush()
            os.fsync(new.fileno())
        sync_folder(target.parent)
        return [str(target)]
    bucket, month = (part.partition("=")[2] for part in relative.parts[:2])
    year, _, number_of_month = month.partition("-")
    partition = (int(bucket), (int(year) - 1970) * 12 + int(number_of_month) - 1)
    with store.new_file(partition, batch, number) as fresh:
        for piece in row_groups(str(file)):
            fresh.add(piece.filter(pa.array(~gone.goes(piece))), ordered=True)
    if fresh.lines:
        return [str(fresh.path)]
    fresh.path.unlink()
    return []


def _clear(folder: Path, catalog_url: str | None) -> None:
    if catalog_url is not None:
        catalog = open_catalog(folder, catalog_url)
        with suppress(NoSuchTableError):
            catalog.drop_table(IDENTIFIER)  # the entry alone: its files may be gone, and are not asked for
        catalog.close()
    shutil.rmtree(folder, ignore_errors=True)
