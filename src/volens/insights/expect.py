"""How wide intervals will be, from public expectations alone. Serves to refuse useless grids, and nothing else.

The model, stated so that it can be argued with:
1. Customers come to buy at random times (Poisson). In 13 weeks a part `penetration_13w` of them buys in the category,
   hence the rate per day; those who buy an own brand are `own_share_of_buyers` of these, hence the own rate, split
   evenly over the brands. Buyers of any period follow from the rate.
2. Trips, units and spend are proportional to the days, and to the rate of the row.
3. The noise is known exactly. What clipping will take away is not: one category buyer in sixteen is taken to lose the
   whole loss limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from volens.insights.measures import ONE, MeasurePlan
from volens.insights.pack import CATEGORY, WHOLE, Pack
from volens.programme.products import Expected

CLIPPED_SHARE = 1 / 16
Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal law."""
_DAYS_13W = 91
_ALMOST_ALL = 0.999


@dataclass(frozen=True)
class ExpectedWidth:
    """What is expected of one figure before any data is touched. `half_width` is a part of `value`: 0.2 is ± 20 %."""

    measure: str
    row: str
    column: str
    value: float
    """In the measure's base unit."""
    half_width: float


@dataclass(frozen=True)
class Typical:
    """The median expected half-width over the period cells of some rows, as a part of the figure."""

    measure: str
    rows: str
    """`own brands` or `category`."""
    half_width: float


def expected_widths(pack: Pack, measures: Iterable[MeasurePlan], expected: Expected) -> tuple[ExpectedWidth, ...]:
    """Expected value and half-width of the figures of own brands and category, in every column."""
    widths = []
    for measure in measures:
        for row in (*pack.brands, CATEGORY):
            for column in pack.columns:
                days = _days(pack, column)
                value = _expected_value(measure.measure, _rate(pack, row, expected), days, expected)
                half_width = _half_width(pack, measure, row, column, expected)
                widths.append(ExpectedWidth(measure.measure, row, column, value, half_width / value))
    return tuple(widths)


def typical_widths(pack: Pack, widths: Iterable[ExpectedWidth]) -> tuple[Typical, ...]:
    """What decides whether a grid is useful: for each measure, buyers first, two medians over the period cells.

    One is over the cells of the own brands, one over those of the category, so that a category that is known well does
    not hide brands that are not. The column `whole` counts only where it is the only one.
    """
    by_measure: dict[str, dict[str, list[float]]] = {}
    for width in widths:
        if width.column == WHOLE:
            continue
        rows = "category" if width.row == CATEGORY else "own brands"
        by_measure.setdefault(width.measure, {}).setdefault(rows, []).append(width.half_width)
    order = sorted(by_measure, key=lambda measure: measure != "buyers")
    return tuple(Typical(measure, rows, median(by_measure[measure][rows])) for measure in order for rows in by_measure[measure])


def _days(pack: Pack, column: str) -> int:
    return sum(period.days for period in pack.periods if column in (period.label, WHOLE))


def _rate(pack: Pack, row: str, expected: Expected) -> float:
    """Purchase occasions of a customer per day in a row."""
    category = -math.log1p(-min(_ALMOST_ALL, expected.penetration_13w)) / _DAYS_13W
    if row == CATEGORY:
        return category
    reached = min(_ALMOST_ALL, expected.penetration_13w * expected.own_share_of_buyers)
    return -math.log1p(-reached) / _DAYS_13W / len(pack.brands)


def _expected_value(measure: str, rate: float, days: int, expected: Expected) -> float:
    """The expected figure, in the measure's base unit."""
    if measure == "buyers":
        return expected.customers * -math.expm1(-rate * days)
    # Trips of the category in 13 weeks are declared; another row has them in proportion to its rate.
    category = -math.log1p(-min(_ALMOST_ALL, expected.penetration_13w)) / _DAYS_13W
    trips_13w = expected.customers * expected.penetration_13w * expected.trips_per_buyer_13w
    trips = trips_13w * (rate / category) * (days / _DAYS_13W)
    units = trips * expected.units_per_trip
    return {"trips": trips, "units": units * 1000, "spend": units * expected.unit_price_minor}[measure]


def _half_width(pack: Pack, measure: MeasurePlan, row: str, column: str, expected: Expected) -> float:
    """Half the expected length of a figure's interval, in the measure's base unit; see `estimates` for the interval."""
    columns = [column] if column in measure.columns else list(measure.columns)
    rows = [row] if row in measure.rows else list(measure.rows)
    caps = [measure.caps[measure.rows.index(r)] for r in rows for _ in columns]
    noise = measure.sigma * math.sqrt(sum(cap * cap for cap in caps)) / ONE
    if not measure.loss_limit_fixed:
        return Z95 * noise
    longest = pack.longest_days
    buyers = _expected_value("buyers", _rate(pack, CATEGORY, expected), longest, expected)
    loss = CLIPPED_SHARE * buyers * measure.loss_limit_fixed / ONE * sum(caps)
    loss_noise = measure.loss_sigma * sum(caps) / ONE
    return (Z95 * noise + loss + Z95 * math.hypot(noise, loss_noise)) / 2


__all__ = ["Z95", "ExpectedWidth", "Typical", "expected_widths", "typical_widths"]
