"""What privacy costs in time: the gated, bounded exact stage of a sales pack against DuckDB's raw query for the same figures.

    make bench            or: PYTHONPATH=. .venv/bin/python benchmarks/pack.py --copies 10

Both read the same files of the same purchases table, in the same run, alternately; the figure is the ratio of their medians
of CPU seconds, and below 1 means that the private answer is cheaper than the naive one. The raw query counts everybody,
without gate, bound or noise. Purchases are the demo's, each household copied under new numbers.
"""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap
from tests.privacy.builders import opened

from volens.demo import source
from volens.engines.polars_engine import PolarsEngine
from volens.insights.engine import ProductKeys
from volens.insights.pack import Pack, periods
from volens.insights.plan import plan_pack
from volens.programme.load import load
from volens.programme.start import sample
from volens.purchases.store import PurchasesStore

AS_OF, ROUNDS = date(2026, 11, 21), 5
CATEGORY, BRAND, MAKER = "REFRGRATD JUICES/DRNKS", "soleil", 1194

RAW = """
select brand, period, count(distinct customer), count(distinct basket), sum(quantity), sum(amount)
from (
    select p.brand, (l.day - date '{start}') // 91 as period, l.*
    from read_parquet({files}, hive_partitioning = false) l join products p using (product)
    where l.day >= date '{start}' and l.day < date '{end}' and l.currency = 'EUR'
) group by grouping sets ((brand, period), (period), (brand), ())
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--copies", type=int, default=4, help="how often each household is copied (1.4 M lines each)")
    copies = options.parse_args().copies
    journey = source.read(AS_OF)
    with tempfile.TemporaryDirectory() as folder:
        store = PurchasesStore.create(Path(folder) / "purchases", customers=2_500 * copies)
        lines = store.append((_lines(journey, copy, store.buckets) for copy in range(copies)), "benchmark")
        start = pc.min(journey.lines.column("time")).as_py().date()
        files = store.files(start, start + timedelta(days=273))
        print(f"{platform.processor() or platform.machine()}, {lines:,} lines in {sum(len(one.paths) for one in files)} files")
        dimension = _dimension(journey)
        product = load(sample()).product("sales-pack/1")
        plan = plan_pack(Pack(product.id, "soleil", "jus-frais", (BRAND,), periods("13-weeks", start, 3), "EUR"), product)
        keys = ProductKeys.of(dimension, plan.pack)
        everybody = range(1, 2_501 * copies)
        permitted = BitMap(np.random.default_rng(1).choice(everybody, int(len(everybody) * 0.7), replace=False).tolist())
        ours, raw = [], []
        for _ in range(ROUNDS):
            ours.append(_cpu_seconds(lambda: PolarsEngine().bounded_sums(opened(plan, permitted, files), plan, keys)))
            raw.append(_cpu_seconds(lambda: _raw(dimension, files, start)))
        store.close()
    print(f"gated (30 % refuse), bounded, four measures   {median(ours):6.2f} CPU s")
    print(f"raw DuckDB, everybody, no privacy             {median(raw):6.2f} CPU s")
    print(f"ratio                                         {median(ours) / median(raw):6.2f}")


def _lines(journey: source.Journey, copy: int, buckets: int) -> pa.Table:
    table = journey.lines
    customer = pc.cast(pc.add(table.column("household"), copy * 2_500), pa.int32())
    day = table.column("time").cast(pa.date32())
    rows = table.num_rows
    return pa.table(
        {
            "customer": customer,
            "account": customer,
            "bucket": pa.array(customer.to_numpy() % buckets, pa.int32()),
            "basket": pc.add(table.column("basket"), copy * 10**12),
            "product": pc.cast(table.column("product"), pa.int32()),
            "store": pc.cast(table.column("store"), pa.int32()),
            "channel": pa.repeat("loyalty", rows),
            "ts": table.column("time").cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")),
            "day": day,
            "minute": pa.array(np.zeros(rows, dtype=np.int32)),
            "quantity": pc.multiply(table.column("quantity"), 1_000),
            "unit": pa.repeat("piece", rows),
            "amount": table.column("amount"),
            "discount": table.column("discount"),
            "currency": pa.repeat("EUR", rows),
        }
    )


def _dimension(journey: source.Journey) -> pa.Table:
    inside = journey.products.filter(pc.equal(journey.products.column("category"), CATEGORY))
    own = pc.equal(inside.column("maker"), MAKER)
    return pa.table(
        {
            "product": pc.cast(inside.column("product"), pa.int32()),
            "category": pa.repeat("jus-frais", inside.num_rows),
            "brand": pc.if_else(own, BRAND, None),
        }
    )


def _raw(products: pa.Table, files: tuple[object, ...], start: date) -> None:
    paths = [path for one in files for path in one.paths]  # type: ignore[attr-defined]
    connection = duckdb.connect()
    connection.register("products", products)
    statement = RAW.format(files=paths, start=start, end=start + timedelta(days=273))
    connection.execute(statement).fetchall()
    connection.close()


def _cpu_seconds(work: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
