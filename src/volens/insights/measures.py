"""One measure of a pack: its grid of noisy cells, its bounds in fixed point, its share of ρ.

Rules:
1. All bounds are whole numbers: 2²⁴ is one cap. No sum of any customers can leave 64 bits.
2. Which figures have a noisy cell of their own, and which are sums of cells, is said in one place: `grid`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from volens.insights.pack import REST, Pack

FIXED_BITS = 24
ONE = 1 << FIXED_BITS
"""One cap, in fixed point."""
LINE_LIMIT = (1 << 31) - 1
"""The most that one line counts, in thousandths or minor units, up or down. 2³² such lines still fit in 64 bits."""
MAX_CUSTOMERS = 1 << 31
"""Customer numbers are int32, so there are fewer."""
MAX_MEASURE_CELLS = 1 << 14
MAX_CEILING = 1 << (62 - FIXED_BITS)
"""A value is shifted left by 24 bits before it is divided by its cap."""

assert MAX_CUSTOMERS * ONE < 1 << 63, "a sum over all customers fits in 64 bits"
assert MAX_MEASURE_CELLS * ONE * ONE < 1 << 63, "a customer's sum of squares fits in 64 bits"


@dataclass(frozen=True)
class MeasurePlan:
    """One measure: its grid of noisy cells, its bounds and its share of ρ. Cells are numbered row by row."""

    measure: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    caps: tuple[int, ...]
    """Per row, in the measure's base unit: 1 buyer, 1 trip, thousandths of a unit, minor units of money."""
    ceilings: tuple[int, ...]
    """Per row: values above count as this when the loss is measured."""
    radius_fixed: int
    """Upper bound of one customer's L2 norm, in 2⁻²⁴ caps."""
    rho_nano: int
    """10⁻⁹ of ρ spent on the cells."""
    loss_limit_fixed: int
    """The most that one customer adds to the loss, in 2⁻²⁴ caps; 0 if the loss is not measured."""
    loss_rho_nano: int

    def __post_init__(self) -> None:
        if not (len(self.rows) == len(self.caps) == len(self.ceilings)) or not self.columns:
            raise ValueError("a measure has a cap and a ceiling for every row, and at least one column")
        if len(self.rows) * len(self.columns) > MAX_MEASURE_CELLS:
            raise ValueError("a measure has too many cells for its sums of squares")
        for cap, ceiling in zip(self.caps, self.ceilings, strict=True):
            if not 1 <= cap <= ceiling <= MAX_CEILING:
                raise ValueError(f"a cap of {cap} with ceiling {ceiling} cannot be summed safely")
        if not 0 < self.radius_fixed < 1 << 45 or self.rho_nano < 1:
            raise ValueError("a measure has a positive radius and a positive share of ρ")
        if (self.loss_limit_fixed > 0) != (self.loss_rho_nano > 0) or not 0 <= self.loss_limit_fixed <= 8 * ONE:
            raise ValueError("the loss is measured with both a limit and a share of ρ, or not at all")

    @property
    def size(self) -> int:
        return len(self.rows) * len(self.columns)

    @property
    def sensitivity(self) -> int:
        """The most by which one customer moves the vector, in L2. The 1 covers the rounding of the radius."""
        return self.radius_fixed + 1

    @property
    def loss_sensitivity(self) -> int:
        return self.loss_limit_fixed + 1 if self.loss_limit_fixed else 0

    def turned_rho_nano(self, shared: bool) -> int:
        """What the vector costs a customer of whom only one of several years is taken away, in 10⁻⁹ of ρ.

        Let x and x' be her bounded vectors with and without that year, R the radius and N the norm of a vector with every
        cell at its cap. Where purchases only add to cells, x = P(y + a) and x' = P(y) with y and a non-negative, and P
        shortening to R: their squared distance is at most R²·max(1, 2 − 2R/N), being R² + |y|²(1 − 2λ) where y keeps its
        length and y + a is shortened by λ ≥ R/N, and at most 2R²(1 − |y|/|y + a|) where both are shortened.
        `shared`: some cell reads both years. Then, where returns are taken off, a year's returns can hide the other year's
        purchases in it, and taking the year away can raise a cell: two non-negative vectors of norm at most R that differ by
        at most one cap a cell lie within min(2R², N²). Returns take no trip away, so trips only add.
        ρ grows with the square. The millionth covers the rounding of cells to whole numbers.
        """
        over = math.sqrt(self.size) * ONE / self.radius_fixed
        most = min(2.0, over * over) if shared and self.measure != "trips" else 2 - 2 / over
        return math.ceil(self.rho_nano * max(1.0, most) * (1 + 1e-6))

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise of a cell, in 2⁻²⁴ caps: Δ / √(2ρ)."""
        return self.sensitivity / math.sqrt(2 * self.rho_nano / 1e9)

    @property
    def loss_sigma(self) -> float:
        """The same for the loss; 0 if it is not measured."""
        return self.loss_sensitivity / math.sqrt(2 * self.loss_rho_nano / 1e9) if self.loss_rho_nano else 0.0

    def cell(self, row: str, column: str) -> int:
        """The number of a cell; `KeyError` if the grid has no such cell."""
        if row not in self.rows or column not in self.columns:
            raise KeyError((row, column))
        return self.rows.index(row) * len(self.columns) + self.columns.index(column)

    def cell_caps(self) -> tuple[int, ...]:
        """The cap of each cell, in the order of the cells."""
        return tuple(cap for cap in self.caps for _ in self.columns)

    def canonical(self) -> dict[str, object]:
        return {
            "measure": self.measure,
            "rows": list(self.rows),
            "columns": list(self.columns),
            "caps": list(self.caps),
            "ceilings": list(self.ceilings),
            "radius": self.radius_fixed,
            "rho": self.rho_nano,
            "loss_limit": self.loss_limit_fixed,
            "loss_rho": self.loss_rho_nano,
        }


def grid(pack: Pack, measure: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Rows and columns that have a noisy cell of their own. What is missing is a sum of cells.

    Distinct buyers add up neither over rows nor over time. A trip has one day, so trips add up over time. Units and
    spend add up over both.
    """
    labels = tuple(period.label for period in pack.periods)
    if measure == "buyers":
        return pack.rows, pack.columns
    if measure == "trips":
        return pack.rows, labels
    return (*pack.brands, REST), labels
