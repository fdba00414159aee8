"""A house with nothing but what ingest needs: a table, records, a small catalogue and plain numbers for people."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from volens import clock
from volens.databases.connect import SqlDatabase, connect
from volens.databases.migrate import upgrade
from volens.ingest.intake import take_in
from volens.ingest.mapping import Mapping
from volens.ingest.store import BatchRecords
from volens.ingest.summary import Summary
from volens.purchases import catalogue
from volens.purchases.store import PurchasesStore

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
HEADER = "card,store,till,receipt,line,time,sku,quantity,amount"
TILLS = Mapping(source="tills", format="csv", columns={name: name for name in HEADER.split(",")})
UNNUMBERED = Mapping(source="tills", format="csv", columns={name: name for name in HEADER.split(",") if name != "line"})


@dataclass
class PlainIdentities:
    """Numbers in the order in which references appear; basket keys that need no key."""

    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def identify(self, kind: str, values: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        found = [self.numbers.setdefault((kind, value), len(self.numbers) + 1) for value in values]
        return np.array(found, dtype=np.int32), np.array(found, dtype=np.int32) + 1000

    def basket_keys(self, identities: Sequence[bytes]) -> np.ndarray:
        keys = [hashlib.blake2b(identity, digest_size=8).digest() for identity in identities]
        return np.frombuffer(b"".join(keys), dtype=np.int64)

    def seal(self, row: bytes) -> bytes:
        return b"sealed:" + row[::-1]

    def mark(self, row: bytes) -> bytes:
        return hashlib.blake2b(row, digest_size=16).digest()


@dataclass
class House:
    """Everything that `take_in` is given."""

    folder: Path
    records: SqlDatabase
    purchases: PurchasesStore
    identities: PlainIdentities = field(default_factory=PlainIdentities)

    @property
    def batches(self) -> BatchRecords:
        return BatchRecords(self.records)

    def take_in(self, path: Path, mapping: Mapping, **more: Any) -> Summary:
        return take_in(
            path,
            mapping,
            identities=self.identities,
            store=self.purchases,
            catalogue_folder=self.folder / "catalogue",
            batches=self.batches,
            clock=clock.fixed(NOW),
            **more,
        )

    def csv(self, name: str, *lines: str, header: str = HEADER) -> Path:
        path = self.folder / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    def lines(self) -> pa.Table:
        """The whole table, in an order of its own content."""
        paths = [path for found in self.purchases.view().paths.values() for path in found]
        if not paths:
            return pa.table({})
        table = pa.concat_tables([pq.ParquetFile(path).read() for path in paths])
        return table.sort_by([(name, "ascending") for name in table.column_names])

    def close(self) -> None:
        self.purchases.close()
        self.records.dispose()


def make_house(folder: Path) -> House:
    """A fresh house in a folder, with the products 1 to 9."""
    folder.mkdir(parents=True, exist_ok=True)
    records = connect(f"sqlite:///{folder / 'records.db'}")
    upgrade(records, "records")
    products = folder / "products.csv"
    products.write_text("sku,category\n" + "".join(f"{sku},juice\n" for sku in range(1, 10)), encoding="utf-8")
    catalogue.load_products(folder / "catalogue", products)
    return House(folder, records, PurchasesStore.create(folder / "purchases", customers=10))
