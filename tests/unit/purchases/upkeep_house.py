"""A house with nothing but the table, the records and the upkeep, on either database; and a plain list beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.unit.ingest.ingest_house import NOW, TILLS, House, PlainIdentities

from volens import clock
from volens.app.upkeep import Night, Upkeep
from volens.databases.connect import SqlDatabase
from volens.ingest.intake import take_in
from volens.ingest.store import BatchRecords
from volens.purchases import arrivals, catalogue
from volens.purchases.lines import LINES, digests
from volens.purchases.removal import Relabelled, silent
from volens.purchases.store import PurchasesStore


@dataclass(frozen=True)
class Moved:
    """One account that belongs to another customer now."""

    account: int
    customer: int


class TableHouse:
    """What upkeep works on."""

    def __init__(self, folder: Path, records: SqlDatabase, instant: Any = NOW) -> None:
        self.folder, self.records, self.clock = folder, records, clock.fixed(instant)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "products.csv").exists():
            products = folder / "products.csv"
            products.write_text("sku,category\n" + "".join(f"{sku},juice\n" for sku in range(1, 10)), encoding="utf-8")
            catalogue.load_products(folder / "catalogue", products)
            self.store = PurchasesStore.create(folder / "purchases", customers=10)
        else:
            self.store = PurchasesStore.open(folder / "purchases")
        self.moves: list[Moved] = []
        self.upkeep = Upkeep(records, self.store, self.clock, "FR", self.follow)
        # Numbers that need no memory, so that another process gives the same: the card's own.
        self.identities = CardNumbers()

    def follow(self) -> Relabelled:
        """Lets the lines of moved accounts follow, as the station of customers does."""
        if not self.moves:
            return Relabelled(0, 0)
        lines = self.upkeep.move({one.account: one.customer for one in self.moves})
        accounts, self.moves = len(self.moves), []
        return Relabelled(lines, accounts)

    def take_in(self, name: str, rows: Sequence[str], small: int = 0, on_step: Callable[[str], None] = lambda step: None) -> Any:
        feed = self.folder / name
        feed.write_text("\n".join(["card,store,till,receipt,line,time,sku,quantity,amount", *rows]) + "\n", encoding="utf-8")
        with self.upkeep.alone():
            self.upkeep.settle(on_step)
            self.follow()
            return take_in(
                feed, TILLS, identities=self.identities, store=self.store, catalogue_folder=self.folder / "catalogue",
                batches=BatchRecords(self.records), clock=self.clock, small=small, on_step=on_step,
            )  # fmt: skip

    def nightly(self, on_step: Callable[[str], None] = lambda step: None) -> Night:
        return self.upkeep.nightly(silent, on_step)

    def lines(self) -> pa.Table:
        """Everything that is there, in the table and waiting beside it."""
        moment = self.store.moment()
        paths = [path for found in self.store.view().paths.values() for path in found]
        found = [LINES.empty_table(), *(pq.ParquetFile(path).read().cast(LINES) for path in paths)]
        with self.records.reading() as connection:
            rows = connection.execute(arrivals.arrivals.select()).mappings().all()
        found += [arrivals.unpacked(row["content"]).cast(LINES) for row in rows if row["staged"] not in moment.batches]
        return pa.concat_tables(found)

    def known(self) -> list[int]:
        """A number for each line that is there, whatever the order."""
        return sorted(digests(self.lines(), LINES.names).tolist())

    def waiting(self) -> int:
        with self.records.reading() as connection:
            return arrivals.waiting(connection).lines

    def close(self) -> None:
        self.store.close()


class CardNumbers(PlainIdentities):
    """Card C7 is customer 7 and account 1007, in every process; `belongs` says who has an account now."""

    belongs: dict[int, int]

    def __init__(self) -> None:
        super().__init__()
        self.belongs = {}

    def identify(self, kind: str, values: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        cards = [int(value[1:]) for value in values]
        customers = [self.belongs.get(1000 + card, card) for card in cards]
        return np.array(customers, dtype=np.int32), np.array(cards, dtype=np.int32) + 1000


def receipt(number: int, card: int, day: str = "2025-03-03", lines: int = 2) -> list[str]:
    """A receipt as the till writes it."""
    return [f"C{card},Lyon,1,{number},{line},{day} 10:{number % 60:02}:00,{1 + line % 9},1,2.50" for line in range(lines)]


def owned_files(store: PurchasesStore) -> set[Path]:
    """Every file that pyiceberg's own inspection of the table names; shares no code with the deletion."""
    table = store._table
    named = {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log[-1:])}
    for snapshot in table.snapshots():
        named.add(snapshot.manifest_list)
    if table.current_snapshot() is not None:
        named |= set(table.inspect.all_manifests()["path"].to_pylist())
        named |= set(table.inspect.all_files()["file_path"].to_pylist())
    return {Path(str(name).removeprefix("file://")) for name in named}


def strays(store: PurchasesStore) -> list[Path]:
    """Files below the table's folder that nothing owns."""
    store.moment()
    owned = owned_files(store)
    places = [store.folder / name for name in ("lines", "waiting", "reads")]
    return [path for place in places for path in sorted(place.rglob("*")) if path.is_file() and path not in owned]


__all__ = ["House", "TableHouse", "receipt", "strays"]
