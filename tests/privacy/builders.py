"""What the privacy tests are made of: a product, packs, lines as Parquet files, and an opened read without a gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.gate.policy import ReadRequest
from volens.gate.reads import OpenedPurchases
from volens.insights.engine import ExactSums, ProductKeys
from volens.insights.noisy import Noisy
from volens.insights.pack import Pack, Period, periods
from volens.insights.plan import Plan, plan_measures
from volens.programme.products import Expected, InsightProduct, MeasureSpec

PURPOSE = "supplier-statistics"
SUPPLIER = "juterie"
CATEGORY = "juice"
SCHEMA = pa.schema(
    [
        ("customer", pa.int32()),
        ("bucket", pa.int32()),
        ("basket", pa.int64()),
        ("product", pa.int32()),
        ("day", pa.date32()),
        ("quantity", pa.int64()),
        ("amount", pa.int64()),
        ("currency", pa.string()),
    ]
)


def spec(measure: str, caps: Mapping[str, int], radius: str | None, share: str, limit: str) -> MeasureSpec:
    """A measure whose caps are for 13 weeks."""
    return MeasureSpec(
        measure=measure,
        caps=caps,
        caps_days=91,
        scales=measure != "buyers",
        radius=None if radius is None else Decimal(radius),
        loss_share=Decimal(share),
        loss_limit=Decimal(limit),
        slack=Decimal(1),
    )


MEASURES = {
    "buyers": spec("buyers", {"own": 1, "rest": 1, "category": 1}, None, "0", "0"),
    "trips": spec("trips", {"own": 5, "rest": 15, "category": 15}, "1.25", "0.2", "0.4"),
    "units": spec("units", {"own": 6000, "rest": 24000}, "1.25", "0.2", "0.4"),
    "spend": spec("spend", {"own": 2000, "rest": 3600}, "1.25", "0.2", "0.45"),
}


def a_product(**changes: Any) -> InsightProduct:
    """The sales pack with the sample's numbers, for a category that a shop of 1,700 permitting customers knows."""
    given: dict[str, Any] = {
        "id": "sales-pack/1",
        "purpose": PURPOSE,
        "unit": "one customer's purchases of one calendar year",
        "rho_per_pack_nano": 28_000_000,
        "rho_per_year_nano": 351_000_000,
        "delta": "1e-6",
        "max_half_width": Decimal("0.5"),
        "periods": ("week", "4-weeks", "13-weeks", "month", "quarter"),
        "max_periods": 13,
        "measures": MEASURES,
        "expected": {CATEGORY: an_expectation()},
        "plain": {},
    }
    return InsightProduct(**(given | changes))


def an_expectation(**changes: Any) -> Expected:
    given: dict[str, Any] = {
        "customers": 1700,
        "penetration_13w": 0.47,
        "own_share_of_buyers": 0.31,
        "trips_per_buyer_13w": 3.1,
        "units_per_trip": 1.5,
        "unit_price_minor": 200,
    }
    return Expected(**(given | changes))


def a_pack(brands: tuple[str, ...] = ("soleil",), over: tuple[Period, ...] | None = None, currency: str = "EUR") -> Pack:
    over = periods("13-weeks", date(2017, 1, 1), 3) if over is None else over
    return Pack("sales-pack/1", SUPPLIER, CATEGORY, brands, over, currency)


def a_plan(pack: Pack, product: InsightProduct | None = None) -> Plan:
    """A plan without the test of usefulness, so that tests can use grids of any size."""
    product = a_product() if product is None else product
    return Plan(pack, product.purpose, product.rho_per_pack_nano, product.delta, plan_measures(pack, product))


@dataclass(frozen=True)
class Files:
    bucket: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Opened:
    """Looks like what the gate gives out. Only tests read without a gate, and only their own lines."""

    permitted: BitMap
    files: tuple[Files, ...]
    request: ReadRequest


def opened(plan: Plan, permitted: Iterable[int], files: Sequence[Files]) -> OpenedPurchases:
    request = ReadRequest("test", plan.purpose, plan.pack.supplier, plan.fields, plan.start, plan.end)
    return cast(OpenedPurchases, Opened(BitMap(permitted), tuple(files), request))


def store(lines: Sequence[Mapping[str, Any]], folder: Path, buckets: int = 2) -> list[Files]:
    """Writes lines as the purchases table has them: by bucket and month, sorted by day."""
    parts: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for line in lines:
        bucket = line["customer"] % buckets
        parts.setdefault((bucket, line["day"].strftime("%Y-%m")), []).append({**line, "bucket": bucket})
    paths: dict[int, list[str]] = {bucket: [] for bucket in range(buckets)}
    for (bucket, month), rows in sorted(parts.items()):
        path = folder / f"bucket={bucket}-{month}.parquet"
        pq.write_table(pa.Table.from_pylist(sorted(rows, key=lambda row: row["day"]), SCHEMA), path)
        paths[bucket].append(str(path))
    return [Files(bucket, tuple(found)) for bucket, found in paths.items()]


def keys(row_of_product: Mapping[int, str], pack: Pack) -> ProductKeys:
    """From product → row; products that are in no row are in another category."""
    catalogue = [
        {"product": product, "category": CATEGORY, "brand": None if row == "rest" else row}
        for product, row in row_of_product.items()
    ]
    known = set(row_of_product.values())
    # Every brand asked for has a product, so that a catalogue drawn at random is a catalogue of the pack.
    spare = max(row_of_product, default=0) + 1
    catalogue += [
        {"product": spare + index, "category": CATEGORY, "brand": brand}
        for index, brand in enumerate(pack.brands)
        if brand not in known
    ]
    schema = pa.schema([("product", pa.int32()), ("category", pa.string()), ("brand", pa.string())])
    return ProductKeys.of(pa.Table.from_pylist(catalogue, schema), pack)


def no_noise(sums: ExactSums, plan: Plan) -> Noisy:
    """The vector as it would be without noise: for tests of what comes after. The product has no way to it."""
    return Noisy(
        plan.hash,
        {name: tuple(vector.tolist()) for name, vector in sums.sums.items()},
        {m.measure: sums.loss[m.measure] if m.loss_limit_fixed else None for m in plan.measures},
    )
