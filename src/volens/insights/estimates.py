"""From the noisy vector to figures with intervals. Everything shown derives from the noisy vector, so nothing costs more.

Rules:
1. A figure is a noisy cell or a sum of noisy cells of its measure: what adds up in truth adds up in the figures.
2. An interval covers, with 95 %, the noise and what clipping took away. With x the figure, σ its noise, b the sum of
   its cells' caps and T the noisy loss:   [x − zσ,  x + b·max(0, T) + z·√(σ² + (bσ_T)²)].
3. Figures are never clamped or rounded here: a noisy count may be below zero. Views may say so; the data stay.
4. Ratios take their intervals from the 97.5 % intervals of their two parts, so that both hold with 95 %.

Base units: buyers and trips are counts, units are whole units (thousandths ÷ 1,000), spend is in minor units of the
pack's currency. A value is what customers bought net of returns, where a customer whose returns in a cell exceed
purchases counts as nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from volens.insights.measures import ONE, MeasurePlan
from volens.insights.noisy import Noisy
from volens.insights.pack import CATEGORY, REST
from volens.insights.plan import Plan

Z95 = 1.959963984540054
Z975 = 2.241402727604947
"""Two-sided points of the normal law for 95 % and 97.5 %. The discrete Gaussian's tails are no heavier."""
RESTORED = 0.75
"""How much of the most that clipping can have taken from a figure is added back to it. On real purchases it took between a
half (wide rows) and all of it (a supplier's own row) of that bound; the rest of the doubt is in the interval. The same
share for every figure, so that figures which add up still do."""
_UNITS = {"buyers": 1.0, "trips": 1.0, "units": 1000.0, "spend": 1.0}
AVERAGES = (
    ("spend_per_buyer", "spend", "buyers"),
    ("trips_per_buyer", "trips", "buyers"),
    ("units_per_trip", "units", "trips"),
)
DERIVED = ("spend_share", "units_share", "penetration", "spend_per_buyer", "trips_per_buyer", "units_per_trip")


@dataclass(frozen=True)
class Figure:
    """One number with its 95 % interval. A ratio whose base may be nothing has no upper end: `high` is infinite, and
    `value` is not a number where the base's figure is not above zero."""

    measure: str
    row: str
    column: str
    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def relative(self) -> float:
        """Half the interval as a part of the figure; infinite where the figure is not above zero."""
        return self.half_width / self.value if self.value > 0 else math.inf


@dataclass(frozen=True)
class Figures:
    """All figures of a pack: `cells` are measured, `derived` are ratios of them."""

    plan: Plan
    cells: tuple[Figure, ...]
    derived: tuple[Figure, ...]

    def cell(self, measure: str, row: str, column: str) -> Figure:
        """One figure, measured or derived; `KeyError` if the pack has none such."""
        for figure in (*self.cells, *self.derived):
            if (figure.measure, figure.row, figure.column) == (measure, row, column):
                return figure
        raise KeyError((measure, row, column))


def estimate(noisy: Noisy, plan: Plan) -> Figures:
    """The figures of a pack: for every measure, all rows and columns of the pack, then the ratios.

    Raises `ValueError` if the vector is of another plan.
    """
    if noisy.plan_hash != plan.hash:
        raise ValueError("this vector is of another plan")
    for measure in plan.measures:
        if len(noisy.vectors[measure.measure]) != measure.size:
            raise ValueError(f"the vector of {measure.measure} does not fill the plan's grid")
    cells = tuple(
        _figure(noisy, measure, (row,), column, Z95)
        for measure in plan.measures
        for row in plan.pack.rows
        for column in plan.pack.columns
    )
    return Figures(plan, cells, _derived(noisy, plan))


def _cells(measure: MeasurePlan, rows: tuple[str, ...], column: str) -> list[int]:
    """The cells that a figure is the sum of."""
    columns = (column,) if column in measure.columns else measure.columns
    if rows == (CATEGORY,) and CATEGORY not in measure.rows:
        rows = measure.rows
    return [measure.cell(row, each) for row in rows for each in columns]


def _figure(noisy: Noisy, measure: MeasurePlan, rows: tuple[str, ...], column: str, z: float) -> Figure:
    """A figure over one row, or over several that add up, with its interval at `z`."""
    unit = _UNITS[measure.measure] * ONE
    vector, caps, cells = noisy.vectors[measure.measure], measure.cell_caps(), _cells(measure, rows, column)
    value = sum(vector[cell] * caps[cell] for cell in cells) / unit
    noise = measure.sigma * math.sqrt(sum(caps[cell] ** 2 for cell in cells)) / unit
    low, high = value - z * noise, value + z * noise
    lost = noisy.loss[measure.measure]
    if lost is not None:
        bound = sum(caps[cell] for cell in cells)
        most = max(0, lost) * bound / unit
        high = value + most + z * math.hypot(noise, measure.loss_sigma * bound / unit)
        value += RESTORED * most
    return Figure(measure.measure, "+".join(rows), column, value, low, high)


def _derived(noisy: Noisy, plan: Plan) -> tuple[Figure, ...]:
    """The ratios, one kind after the other; only those whose two parts the pack has."""
    names = {measure.measure for measure in plan.measures}
    ratios: list[Figure] = []
    for name, measure in (("spend_share", "spend"), ("units_share", "units")):
        if measure in names:
            ratios += _shares(noisy, plan, name, measure)
    if "buyers" in names:
        ratios += _penetrations(noisy, plan)
    for name, top, base in AVERAGES:
        if top in names and base in names:
            ratios += _averages(noisy, plan, name, top, base)
    return tuple(ratios)


def _shares(noisy: Noisy, plan: Plan, name: str, measure: str) -> list[Figure]:
    """A brand's part of the category: the brand over itself and all others, which grows with one and falls with the
    other."""
    shares = []
    for brand in plan.pack.brands:
        others = tuple(row for row in (*plan.pack.brands, REST) if row != brand)
        for column in plan.pack.columns:
            own = _figure(noisy, plan.measure(measure), (brand,), column, Z975)
            other = _figure(noisy, plan.measure(measure), others, column, Z975)
            shares.append(
                Figure(
                    name,
                    brand,
                    column,
                    _part(own.value, own.value + other.value, math.nan),
                    _part(max(0.0, own.low), max(0.0, own.low) + max(0.0, other.high), 0.0),
                    _part(max(0.0, own.high), max(0.0, own.high) + max(0.0, other.low), 1.0),
                )
            )
    return shares


def _penetrations(noisy: Noisy, plan: Plan) -> list[Figure]:
    """A brand's buyers among the buyers of the category, who are the base; never more than all of them."""
    ratios = []
    for brand in plan.pack.brands:
        for column in plan.pack.columns:
            ratio = _ratio(noisy, plan, ("buyers", brand), ("buyers", CATEGORY), column)
            ratios.append(Figure("penetration", brand, column, ratio[0], min(1.0, ratio[1]), min(1.0, ratio[2])))
    return ratios


def _averages(noisy: Noisy, plan: Plan, name: str, top: str, base: str) -> list[Figure]:
    return [
        Figure(name, row, column, *_ratio(noisy, plan, (top, row), (base, row), column))
        for row in plan.pack.rows
        for column in plan.pack.columns
    ]


def _ratio(noisy: Noisy, plan: Plan, top: tuple[str, str], base: tuple[str, str], column: str) -> tuple[float, float, float]:
    """Value and interval of one (measure, row) over another, both of which are at least zero in truth."""
    above = _figure(noisy, plan.measure(top[0]), (top[1],), column, Z975)
    below = _figure(noisy, plan.measure(base[0]), (base[1],), column, Z975)
    return (
        _part(above.value, below.value, math.nan),
        _part(max(0.0, above.low), below.high, 0.0),
        _part(max(0.0, above.high), below.low, math.inf),
    )


def _part(above: float, below: float, otherwise: float) -> float:
    """above ÷ below, or `otherwise` where there is nothing to divide by."""
    return above / below if below > 0 else otherwise
