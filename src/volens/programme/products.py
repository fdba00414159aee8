"""Insight products: what a supplier can buy, with its caps and its price in privacy.

Rules:
1. Budgets are whole numbers of 10⁻⁹ of ρ, so that a ledger of them adds up exactly.
2. Caps are declared for a stated number of days and scale in one way only: `MeasureSpec.cap`.
3. `Expected` is public knowledge and serves one thing: to refuse a useless grid before any data is touched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

NANO = 1_000_000_000
MEASURES = ("buyers", "trips", "units", "spend")
ROW_KINDS = ("own", "rest", "category")
PERIODS: Mapping[str, int] = MappingProxyType({"week": 7, "4-weeks": 28, "13-weeks": 91, "month": 31, "quarter": 92})
"""Kinds of period with the most days that one can have."""


@dataclass(frozen=True)
class MeasureSpec:
    """How much one customer can count in one measure.

    A cap is the most that one customer adds to one cell, in the measure's base unit: 1 for buyers, trips, thousandths
    of a unit, or minor units of money.
    """

    measure: str
    caps: Mapping[str, int]
    """By row kind; for `caps_days` days."""
    caps_days: int
    scales: bool
    """Whether caps grow with the length of the period. Being a buyer does not."""
    radius: Decimal | None
    """L2 radius in caps; None means √cells, so that nobody is ever shortened."""
    loss_share: Decimal
    """Part of the measure's budget spent on measuring what clipping took away."""
    loss_limit: Decimal
    """The most that one customer adds to that loss, in caps."""
    slack: Decimal
    """How far beyond the cap a value still counts as loss, in caps."""

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(f"{self.measure!r} is not one of {', '.join(MEASURES)}")
        if not self.caps or any(kind not in ROW_KINDS or cap < 1 for kind, cap in self.caps.items()):
            raise ValueError(f"{self.measure} needs caps of at least 1 for row kinds among {', '.join(ROW_KINDS)}")
        if self.caps_days < 1 or (self.radius is not None and self.radius <= 0):
            raise ValueError(f"{self.measure} needs a positive number of days and a positive radius")
        if not 0 <= self.loss_share < 1 or self.loss_limit < 0 or self.slack < 0:
            raise ValueError(f"{self.measure} has a share, limit or slack out of range")
        if self.loss_share > 0 and self.loss_limit == 0:
            raise ValueError(f"{self.measure} pays for measuring a loss that its limit sets to nothing")

    def cap(self, kind: str, days: int) -> int:
        """The cap of a row kind for periods of up to `days` days, rounded up: the declared one times max(f, √f), where f is
        `days` over `caps_days`.

        Over longer periods a steady customer's purchases add up in proportion. Over shorter ones they come in lumps: nobody
        buys a thirteenth of a bottle a week, and a cap below one purchase would cut everybody short.
        """
        if days < 1:
            raise ValueError("a period has at least one day")
        declared = self.caps[kind]
        if not self.scales:
            return declared
        if days >= self.caps_days:
            return -(-declared * days // self.caps_days)
        # ⌈√n⌉ = ⌊√(n − 1)⌋ + 1 in whole numbers
        return math.isqrt(-(-declared * declared * days // self.caps_days) - 1) + 1


@dataclass(frozen=True)
class Expected:
    """Round public figures about a category, for planning only."""

    customers: int
    """Customers who permit, rounded."""
    penetration_13w: float
    """Part of them who buy in the category within 13 weeks."""
    own_share_of_buyers: float
    """Part of the category's buyers who buy one supplier's brands."""
    trips_per_buyer_13w: float
    units_per_trip: float
    unit_price_minor: int

    def __post_init__(self) -> None:
        if self.customers < 1 or self.unit_price_minor < 1:
            raise ValueError("expected customers and price are positive")
        if not (0 < self.penetration_13w <= 1 and 0 < self.own_share_of_buyers <= 1):
            raise ValueError("expected shares lie between 0 and 1")
        if self.trips_per_buyer_13w <= 0 or self.units_per_trip <= 0:
            raise ValueError("expected trips and units are positive")


@dataclass(frozen=True)
class InsightProduct:
    """A kind of pack: purpose, unit of privacy, budget and measures."""

    id: str
    """`name/version`, e.g. `sales-pack/1`."""
    purpose: str
    unit: str
    """Whose trace is hidden, in one sentence."""
    rho_per_pack_nano: int
    rho_per_year_nano: int
    delta: str
    """As written, e.g. `1e-6`; ε is quoted at this δ."""
    max_half_width: Decimal
    """A grid whose typical interval is wider than this part of the figure is refused."""
    periods: tuple[str, ...]
    max_periods: int
    measures: Mapping[str, MeasureSpec]
    expected: Mapping[str, Expected]
    plain: Mapping[str, str]
    file: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.rho_per_pack_nano <= self.rho_per_year_nano:
            raise ValueError(f"{self.id} needs a pack's budget above zero and within the year's")
        if not 0 < Fraction(self.delta) < 1:
            raise ValueError(f"{self.id} needs a δ between 0 and 1")
        if not self.periods or self.max_periods < 1 or any(kind not in PERIODS for kind in self.periods):
            raise ValueError(f"{self.id} needs periods among {', '.join(PERIODS)}")
        if not self.measures or any(name != spec.measure for name, spec in self.measures.items()):
            raise ValueError(f"{self.id} needs measures under their own names")

    @property
    def name(self) -> str:
        return self.id.split("/")[0]

    @property
    def version(self) -> int:
        return int(self.id.split("/")[1])


def nano(written: str) -> int:
    """A decimal text as a whole number of 10⁻⁹; finer than that is a `ValueError`."""
    scaled = Decimal(written) * NANO
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{written} is finer than 10⁻⁹")
    return int(scaled)
