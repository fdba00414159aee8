"""What is measured on: a purchases table and a till feed of a size, made once in a folder, and packs to ask of them.

At 1.47 million lines the table is the Complete Journey, where the package is installed: real purchases of 2,469 households.
Everything else is the invented shop of `volens simulate`, always of the same seed and days.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.bench.lines import write_table
from volens.demo import source
from volens.demo.catalogue import names, product_file
from volens.gate.policy import ReadRequest
from volens.insights.engine import ProductKeys
from volens.insights.pack import Pack, periods
from volens.insights.plan import Plan, plan_measures
from volens.programme.load import load
from volens.programme.start import sample
from volens.purchases.lines import LINES, PartitionFiles
from volens.purchases.store import PurchasesStore
from volens.simulate import Shop, write_all
from volens.simulate.draws import mix

if TYPE_CHECKING:
    from volens.gate.reads import OpenedPurchases

JOURNEY_LINES = 1_470_000
LAST_DAY = date(2026, 10, 31)
SEED = 1
WIDE_ROWS = 64
"""Rows of the wide pack beside the rest and the category: as many brands as a pack may have."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Size:
    """How many lines. Two of the same are measured on the same data."""

    lines: int

    @property
    def real(self) -> bool:
        """Whether this is the Complete Journey."""
        return self.lines == JOURNEY_LINES and find_spec(source.PACKAGE) is not None

    @property
    def shop(self) -> Shop:
        """The invented shop of this size: 22.6 lines a card and year."""
        return Shop(max(50, self.lines * 10 // 226), self.lines, 365, LAST_DAY, SEED, 0.3)

    @property
    def name(self) -> str:
        return "the Complete Journey" if self.real else f"{self.lines:,} simulated lines"


@dataclass(frozen=True)
class Question:
    """A pack, ready to be asked of a table."""

    plan: Plan
    products: ProductKeys
    files: tuple[PartitionFiles, ...]
    highest: int
    """The highest customer number."""

    def opened(self, refuse: float) -> OpenedPurchases:
        """The read, as the gate would have opened it, if so many refused. Over invented or public lines in our own folder:
        nobody's permission is passed by, which is why this may look like what the gate alone gives out.
        """
        numbers = np.arange(1, self.highest + 1, dtype=np.int64)
        refused = mix(numbers, SEED) >> np.uint64(32) < np.uint64(round(refuse * 2**32))
        plan = self.plan
        request = ReadRequest("bench", plan.purpose, plan.pack.supplier, plan.fields, plan.start, plan.end)
        return cast("OpenedPurchases", _Opened(BitMap(numbers[~refused].astype(np.uint32)), self.files, request))


@dataclass(frozen=True)
class _Opened:
    permitted: BitMap
    files: tuple[PartitionFiles, ...]
    request: ReadRequest


def table_folder(work: Path, size: Size) -> Path:
    """Where the table of this size is, or will be."""
    return work / f"table-{size.lines}"


def feed_folder(work: Path, size: Size) -> Path:
    """Where the shop's files of this size are, or will be."""
    return work / f"feed-{size.lines}"


def make_table(work: Path, size: Size, progress: Progress) -> None:
    """The purchases table and its products, unless they are there."""
    folder = table_folder(work, size)
    if (folder / "table.json").exists():
        return
    products, told = _journey(folder, progress) if size.real else _simulated(folder, size.shop, progress)
    pq.write_table(products, folder / "products.parquet")
    (folder / "table.json").write_text(json.dumps(told))


def make_feed(work: Path, size: Size, progress: Progress) -> None:
    """What the shop's tills send, unless it is there."""
    folder = feed_folder(work, size)
    if not (folder / "simulated.json").exists():
        write_all(size.shop, folder, "parquet", progress)


def question(work: Path, size: Size, width: str) -> Question:
    """`narrow`: two brands of one category over four quarters of 91 days. `wide`: all that is sold, by 64 groups of
    categories and the rest, by 52 weeks.
    """
    folder = table_folder(work, size)
    products = pq.read_table(folder / "products.parquet")
    told = json.loads((folder / "table.json").read_text())
    start = date.fromisoformat(told["first_day"])
    offered = load(sample()).product("sales-pack/1")
    if width == "narrow":
        category, brands, over = "jus-frais", ("midi-jus-frais", "presse-jus-frais"), periods("13-weeks", start, 4)
        dimension = products.select(["product", "category", "brand"])
    else:
        counts = pc.value_counts(products["category"]).to_pylist()
        largest = sorted(counts, key=lambda one: (-one["counts"], one["values"]))[:WIDE_ROWS]
        category, brands, over = "everything", tuple(one["values"] for one in largest), periods("week", start, 52)
        row = pc.if_else(pc.is_in(products["category"], pa.array(brands)), products["category"], None)
        dimension = pa.table(
            {"product": products["product"], "category": pa.repeat(category, products.num_rows), "brand": row}
        )
    pack = Pack(offered.id, "bench", category, brands, over, "EUR")
    plan = Plan(pack, offered.purpose, offered.rho_per_pack_nano, offered.delta, plan_measures(pack, offered))
    store = PurchasesStore.open(folder)
    files = store.files(plan.start, plan.end)
    store.close()
    return Question(plan, ProductKeys.of(dimension, pack), files, told["highest"])


def _simulated(folder: Path, shop: Shop, progress: Progress) -> tuple[pa.Table, dict[str, object]]:
    write_table(shop, folder, progress).close()
    return _dimension(shop.products.table), {"first_day": shop.first_day.isoformat(), "highest": shop.customers}


def _dimension(listed: pa.Table) -> pa.Table:
    """Products under the keys that a house would give them, in the order of the list."""
    keys = pa.array(np.arange(1, listed.num_rows + 1, dtype=np.int32))
    return pa.table({"product": keys, "category": listed["category"], "brand": listed["brand"]})


def _journey(folder: Path, progress: Progress) -> tuple[pa.Table, dict[str, object]]:
    """Households are customers, their lines as the demo reads them; the products under the demo's names."""
    year = source.read(LAST_DAY)
    store = PurchasesStore.create(folder, customers=2_500)
    lines = year.lines
    customer = pc.cast(lines["household"], pa.int32())
    local = lines["time"].cast(pa.timestamp("us"))
    rows = lines.num_rows
    listed = year.products["product"].combine_chunks()
    columns = {
        "customer": customer,
        "account": customer,
        "bucket": pa.array(customer.to_numpy() % np.int32(store.buckets)),
        "basket": lines["basket"],
        # Keys from 1 on, in the order of the list of products, as a house gives them.
        "product": pc.cast(pc.add(pc.index_in(lines["product"], value_set=listed), 1), pa.int32()),
        "store": pc.cast(lines["store"], pa.int32()),
        "channel": pa.repeat("loyalty", rows),
        "ts": local.cast(pa.timestamp("us", tz="UTC")),
        "day": lines["time"].cast(pa.date32()),
        "minute": pc.cast(pc.add(pc.multiply(pc.hour(local), 60), pc.minute(local)), pa.int32()),
        "quantity": pc.multiply(lines["quantity"], 1_000),
        "unit": pa.repeat("piece", rows),
        "amount": lines["amount"],
        "discount": lines["discount"],
        "currency": pa.repeat("EUR", rows),
    }
    store.append([pa.table([columns[name] for name in LINES.names], schema=LINES)], "journey")
    store.close()
    progress("lines", rows, rows)
    told = {"first_day": pc.min(columns["day"]).as_py().isoformat(), "highest": pc.max(customer).as_py()}
    return _dimension(product_file(year.products, names())), told
