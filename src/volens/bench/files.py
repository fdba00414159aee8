"""Variants that read and write files: purchases taken in, people's lines taken out, and plain copies to hold them against."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens import app
from volens.bench.data import Size, feed_folder, make_feed, make_table, question, table_folder
from volens.clock import system
from volens.purchases.removal import prepare_removal
from volens.purchases.store import PurchasesStore
from volens.simulate.files import feed_mapping

Options = Mapping[str, Any]
Work = Callable[[], dict[str, Any]]


def silent(step: str, done: int, total: int) -> None:
    """Nobody looks at a child."""


def table(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Makes the purchases table."""
    def make() -> dict[str, Any]:
        make_table(work, size, silent)
        return {}

    return make


def feed(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Makes the files of the tills."""
    def make() -> dict[str, Any]:
        make_feed(work, size, silent)
        return {}

    return make


def ingest(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """From the tills' files to lines that can be read: checked, identified, each receipt once, committed."""
    folder = feed_folder(work, size)
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work))) / "house"
    house = stack.enter_context(app.initialise(home, customers=size.shop.customers, clock=system()))
    house.load_products(folder / "produits.csv")

    def take_in() -> dict[str, Any]:
        summary = house.take_in(folder / "caisses", feed_mapping("parquet"))
        return {"lines": summary.lines_accepted, "refused": summary.lines_refused}

    return take_in


def copy(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """The same files read and written again as they are, with the same compression: the least that any intake does."""
    target = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))

    def write_again() -> dict[str, Any]:
        lines = 0
        for path in sorted((feed_folder(work, size) / "caisses").iterdir()):
            with ExitStack() as opened:
                source = opened.enter_context(pq.ParquetFile(path))
                out = opened.enter_context(pq.ParquetWriter(target / path.name, source.schema_arrow, compression="zstd"))
                for batch in source.iter_batches(200_000):
                    out.write_batch(batch)
                    lines += batch.num_rows
        return {"lines": lines}

    return write_again


def remove(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Every hundredth customer's lines are taken out: the files are written anew, not swapped in, so it can be done again."""
    store = PurchasesStore.open(table_folder(work, size))
    stack.callback(store.close)
    batch = f"removal-{time.monotonic_ns():x}"
    stack.callback(lambda: store.discard(batch))
    highest = question(work, size, "narrow").highest
    chosen = BitMap(np.arange(1, highest + 1, 100, dtype=np.uint32))

    def take_out() -> dict[str, Any]:
        prepared = prepare_removal(store, chosen, batch)
        return {"lines": sum(prepared.counts.values()), "customers": len(chosen)}

    return take_out


def rewrite(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """The table's files read and written again as they are, every line kept."""
    target = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
    store = PurchasesStore.open(table_folder(work, size))
    paths = [path for found in store.view().paths.values() for path in found]
    store.close()

    def write_again() -> dict[str, Any]:
        for number, path in enumerate(paths):
            with ExitStack() as opened:
                source = opened.enter_context(pq.ParquetFile(path))
                dictionaries, name = _dictionaries(source), target / f"{number}.parquet"
                out = pq.ParquetWriter(name, source.schema_arrow, compression="zstd", use_dictionary=dictionaries)
                opened.enter_context(out)
                for group in range(source.num_row_groups):
                    out.write_table(source.read_row_group(group))
        return {"files": len(paths)}

    return write_again


def _dictionaries(source: pq.ParquetFile) -> list[str]:
    """The columns that the file holds by dictionary."""
    group = source.metadata.row_group(0)
    columns = [group.column(place) for place in range(group.num_columns)]
    return [column.path_in_schema for column in columns if column.has_dictionary_page]
