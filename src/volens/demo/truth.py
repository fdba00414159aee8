"""What really happened, counted from the public source file alone: nothing of Volens is asked, and nothing could answer.

The product has no way to these figures; a retailer who wants them would have to leave the gate. Here they can be had
since the source is public and the people are invented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.demo.source import Journey


@dataclass(frozen=True)
class Truth:
    """Exact figures by (measure, row, column): people, baskets, pieces, euros."""

    figures: dict[tuple[str, str, str], float]

    def of(self, measure: str, row: str, column: str) -> float:
        """One exact figure."""
        return self.figures[measure, row, column]


def count(
    journey: Journey,
    category: str,
    maker: int,
    own: str,
    periods: list[tuple[str, date, date]],
    permits: Callable[[int], bool],
) -> Truth:
    """Counts a category for the households that permit: one maker's row (`own`), the rest, and the category.

    `category` is the source's own name; `periods` are (label, first day, day after the last).
    """
    products = journey.products.filter(pc.equal(journey.products.column("category"), category))
    lines = journey.lines.filter(pc.is_in(journey.lines.column("product"), value_set=products.column("product").combine_chunks()))
    may = pa.array([number for number in journey.households.to_pylist() if permits(number)], pa.int64())
    lines = lines.filter(pc.is_in(lines.column("household"), value_set=may))
    of_maker = products.filter(pc.equal(products.column("maker"), maker)).column("product").combine_chunks()
    mine = pc.is_in(lines.column("product"), value_set=of_maker)
    rows = {own: lines.filter(mine), "rest": lines.filter(pc.invert(mine)), "category": lines}
    spans = [*periods, ("whole", periods[0][1], periods[-1][2])] if len(periods) > 1 else periods
    figures: dict[tuple[str, str, str], float] = {}
    for row, table in rows.items():
        for label, start, end in spans:
            figures.update({(measure, row, label): value for measure, value in _measures(_between(table, start, end)).items()})
    return Truth(figures)


def _between(lines: pa.Table, start: date, end: date) -> pa.Table:
    first, after = (pa.scalar(datetime.combine(day, time()), pa.timestamp("s")) for day in (start, end))
    times = lines.column("time")
    return lines.filter(pc.and_(pc.greater_equal(times, first), pc.less(times, after)))


def _measures(lines: pa.Table) -> dict[str, float]:
    return {
        "buyers": float(len(np.unique(lines.column("household").to_numpy()))),
        "trips": float(len(np.unique(lines.column("basket").to_numpy()))),
        "units": float(pc.sum(lines.column("quantity")).as_py() or 0),
        "spend": float(pc.sum(lines.column("amount")).as_py() or 0) / 100,
    }
