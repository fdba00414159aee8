"""The 27 campaigns of the Complete Journey, compared as far as they can be, and no further.

1. Households were chosen for these campaigns, not drawn: `measuring.observational` compares them with households like them, and
   says what that cannot show. Nothing here is called an effect.
2. Sales are those of the products on a campaign's coupons. The negative control is everything from product types that none of
   its coupons is for.
3. Weeks count from the day on which a campaign began; those before it are halved, the earlier half to match, the later to check
   the match. A campaign without eight such weeks, or with fewer people than it takes, is listed with the reason.
4. Whoever redeemed a coupon chose to. Redemptions are counted and never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from volens.demo.source import FUEL, folder
from volens.errors import BadInput
from volens.measuring.observational import WEEKS_MIN, Compared, Panel, compare

PAST_WEEKS_MAX = 16
WEEK_DAYS = 7


@dataclass(frozen=True)
class Campaign:
    """One campaign of the source, with its own days (2016 to 2018), and what could be compared of it."""

    id: int
    kind: str
    """The source's own: Type A, B or C."""
    start: date
    end: date
    """The last day."""
    sent: int
    """Households it was sent to."""
    redeemed: int
    """Households that redeemed a coupon of it."""
    redemptions: int
    compared: Compared | None
    why_not: str
    """Why it is not compared; empty where it is."""


@dataclass(frozen=True)
class _Bought:
    """All lines: row of the household, place of the product, day since the first, cents."""

    household: NDArray[np.int64]
    product: NDArray[np.int64]
    day: NDArray[np.int64]
    cents: NDArray[np.float64]
    households: NDArray[np.int64]
    products: NDArray[np.int64]
    types: NDArray[np.int64]
    """Of each product, the number of its type."""
    first: date
    last: date


def real_campaigns(data: Path | None = None) -> list[Campaign]:
    """Every campaign of the source, in the order in which they began. Takes ten seconds. `data`: another folder with its files."""
    where = data or folder()
    bought = _bought(where)
    sent = pq.ParquetFile(where / "campaigns.parquet").read()
    coupons = pq.ParquetFile(where / "coupons.parquet").read(columns=["campaign_id", "product_id"])
    used = pq.ParquetFile(where / "coupon_redemptions.parquet").read(columns=["campaign_id", "household_id"])
    days = {
        row["campaign_id"]: (row["campaign_type"], row["start_date"], row["end_date"])
        for row in _plain_days(pq.ParquetFile(where / "campaign_descriptions.parquet").read()).to_pylist()
    }
    members = {one: _of(sent, one, "household_id") for one in days}
    found = []
    for one, (kind, start, end) in sorted(days.items(), key=lambda item: item[1][1]):
        others = [other for other, (_, begun, over) in days.items() if other != one and begun <= end and start <= over]
        mixed = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(members[other] for other in others)]))
        redeemers = _of(used, one, "household_id")
        compared, why_not = None, ""
        try:
            compared = compare(_panel(bought, start, end, members[one], mixed, _of(coupons, one, "product_id")))
        except BadInput as refused:
            why_not = refused.what
        found.append(
            Campaign(one, kind, start, end, members[one].size, int(np.unique(redeemers).size), redeemers.size, compared, why_not)
        )
    return found


def _bought(where: Path) -> _Bought:
    columns = ["household_id", "product_id", "sales_value", "transaction_timestamp"]
    raw = pq.ParquetFile(where / "transactions.parquet").read(columns=columns)
    listed = pq.ParquetFile(where / "products.parquet").read(columns=["product_id", "product_type"])
    fuel = listed.filter(pc.equal(listed.column("product_type"), FUEL)).column("product_id")
    raw = raw.filter(pc.invert(pc.is_in(raw.column("product_id"), value_set=fuel.combine_chunks())))
    days = raw.column("transaction_timestamp").cast(pa.date32(), safe=False).cast(pa.int32()).to_numpy().astype(np.int64)
    households, household = np.unique(raw.column("household_id").to_numpy(), return_inverse=True)
    products, product = np.unique(raw.column("product_id").to_numpy(), return_inverse=True)
    kinds = pc.dictionary_encode(pc.fill_null(listed.column("product_type"), "")).combine_chunks()
    order = np.argsort(listed.column("product_id").to_numpy())
    known = listed.column("product_id").to_numpy()[order]
    place = np.minimum(np.searchsorted(known, products), known.size - 1)
    # A product that is not listed is of no type: of none that has a coupon.
    types = np.where(known[place] == products, kinds.indices.to_numpy()[order][place], -1)
    first = int(days.min())
    return _Bought(
        household, product, days - first, np.round(raw.column("sales_value").to_numpy() * 100), households, products,
        types.astype(np.int64), _date(first), _date(int(days.max())),
    )  # fmt: skip


def _panel(
    bought: _Bought, start: date, end: date, sent: NDArray[np.int64], mixed: NDArray[np.int64], coupons: NDArray[np.int64]
) -> Panel:
    """The weeks around one campaign, per household."""
    begins = (start - bought.first).days
    past = min(PAST_WEEKS_MAX, begins // WEEK_DAYS)
    weeks = ((min(end, bought.last) - start).days + 1) // WEEK_DAYS
    if past < 2 * WEEKS_MIN:
        raise BadInput(f"The source knows {max(past, 0)} weeks before it, and it takes {2 * WEEKS_MIN}.")
    if weeks < 1:
        raise BadInput("The source ends in its first week.")
    on_coupon = np.isin(bought.products, coupons)
    of_its_types = np.isin(bought.types, np.unique(bought.types[on_coupon]))
    week = (bought.day - begins) // WEEK_DAYS + past
    inside = (week >= 0) & (week < past + weeks)

    def table(of: NDArray[np.bool_]) -> NDArray[np.float64]:
        kept = inside & of[bought.product]
        size = bought.households.size * (past + weeks)
        place = bought.household[kept] * (past + weeks) + week[kept]
        return np.asarray(np.bincount(place, bought.cents[kept], size).reshape(-1, past + weeks), dtype=np.float64)

    return Panel(
        sales=table(on_coupon),
        other=table(~of_its_types),
        sent=np.isin(bought.households, sent),
        others=np.isin(bought.households, mixed),
        matched_until=past // 2,
        launched=past,
    )


def _plain_days(table: pa.Table) -> pa.Table:
    for name in ("start_date", "end_date"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(pa.date32(), safe=False))
    return table


def _of(table: pa.Table, campaign: int, column: str) -> NDArray[np.int64]:
    return np.asarray(table.filter(pc.equal(table.column("campaign_id"), campaign)).column(column).to_numpy())


def _date(days: int) -> date:
    return date(1970, 1, 1) + timedelta(days=days)
