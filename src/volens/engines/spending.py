"""What each customer spent, and at which price things were bought: bucket by bucket, with Polars.

1. The gate is a look-up in a boolean array by the customer's number, before a line counts. Memory is that of one bucket.
2. Only the read's own columns, days and customers; nothing is written. Sums are whole cents, net of returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
from pyroaring import BitMap

from volens.errors import BadInput

if TYPE_CHECKING:
    from volens.gate.reads import OpenedPurchases

LINE_LIMIT = 10**9
"""An amount of a line counts up to ± this, in cents."""
PRICE_LINES_MAX = 50_000_000
"""Lines whose prices are compared at once."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PriceLines:
    """Purchases of more than nothing, one place a line. A week begins on Monday; quantity in thousandths, money in cents."""

    product: Integers
    store: Integers
    week: Integers
    customer: Integers
    quantity: Integers
    paid: Integers
    discount: Integers


class PolarsSpending:
    """See `campaigns.reading.Spending`."""

    def spent(
        self, opened: OpenedPurchases, products: npt.NDArray[np.int64] | None, periods: Sequence[tuple[date, date]], currency: str
    ) -> tuple[Integers, list[Integers]]:
        """The permitted customers' numbers, ascending, and for each period what each of them spent.

        products: keys of the goods that count; none for all.
        """
        customers = _numbers(opened.permitted)
        sums = [np.zeros(customers.size, dtype=np.int64) for _ in periods]
        columns = ["customer", "day", "amount"]
        first, last = min(start for start, _ in periods), max(end for _, end in periods)
        for frame in _frames(opened, columns, first, last, currency, products):
            customer, inside = _permitted(frame, customers)
            place = np.searchsorted(customers, customer[inside])
            day = frame["day"].to_physical().to_numpy()[inside]
            amount = np.clip(frame["amount"].to_numpy()[inside].astype(np.int64), -LINE_LIMIT, LINE_LIMIT)
            for number, (start, end) in enumerate(periods):
                of_it = (day >= _day(start)) & (day < _day(end))
                np.add.at(sums[number], place[of_it], amount[of_it])
        return customers, sums

    def prices(self, opened: OpenedPurchases, start: date, end: date, currency: str) -> PriceLines:
        """The permitted customers' purchases, line by line. `BadInput` where they are too many for one comparison."""
        customers = _numbers(opened.permitted)
        columns = ["customer", "day", "product", "store", "quantity", "amount", "discount"]
        found: list[npt.NDArray[np.int64]] = []
        lines = 0
        for frame in _frames(opened, columns, start, end, currency, None):
            bought = frame.filter((pl.col("quantity") > 0) & (pl.col("amount") >= 0))
            customer, inside = _permitted(bought, customers)
            lines += int(inside.sum())
            if lines > PRICE_LINES_MAX:
                raise BadInput(f"These are more than {PRICE_LINES_MAX:,} lines.", "Compare the prices of fewer weeks.")
            week = (bought["day"].to_physical().to_numpy().astype(np.int64) + 3) // 7  # day 0 was a Thursday
            parts = [bought[name].to_numpy().astype(np.int64) for name in ("product", "store")]
            rest = [bought[name].to_numpy().astype(np.int64) for name in ("quantity", "amount", "discount")]
            found.append(np.stack([*parts, week, customer, *rest])[:, inside])
        whole = np.concatenate(found, axis=1) if found else np.zeros((7, 0), dtype=np.int64)
        return PriceLines(*whole)


def _frames(
    opened: OpenedPurchases, columns: list[str], start: date, end: date, currency: str, products: npt.NDArray[np.int64] | None
) -> Iterator[pl.DataFrame]:
    """Bucket by bucket: the lines of the days, currency and products, of everybody; the caller asks the gate."""
    keys = None if products is None else pl.Series(products.astype(np.int32))
    paths: dict[int, list[str]] = {}
    for part in opened.files:
        paths.setdefault(part.bucket, []).extend(part.paths)
    for bucket in sorted(paths):
        if not paths[bucket] or not opened.permitted:
            continue
        asked = pl.scan_parquet(paths[bucket], hive_partitioning=False, glob=False).filter(
            (pl.col("day") >= start) & (pl.col("day") < end) & (pl.col("currency") == currency)
        )
        if keys is not None:
            asked = asked.filter(pl.col("product").is_in(keys.implode()))
        yield asked.select(columns).collect(engine="streaming")


def _permitted(frame: pl.DataFrame, customers: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """A frame's customers, and which of its lines are of somebody who permits."""
    customer = frame["customer"].to_numpy().astype(np.int64)
    allowed = np.zeros(int(customers[-1]) + 1 if customers.size else 1, dtype=np.bool_)
    allowed[customers] = True
    known = (customer >= 0) & (customer < allowed.size)
    return customer, known & allowed[np.where(known, customer, 0)]


def _numbers(customers: BitMap) -> Integers:
    return np.frombuffer(customers.to_array(), dtype=np.uint32).astype(np.int64)


def _day(day: date) -> int:
    return int(np.datetime64(day).astype(np.int64))
