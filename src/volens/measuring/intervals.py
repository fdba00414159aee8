"""A figure and how far it may be off. Pure.

1. Intervals are Student's with the degrees of freedom of Satterthwaite (1946), so that a small hold-out says how small it is.
2. A ratio of two figures that are both uncertain has Fieller's interval (1954), or none where the divisor may be zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

CONFIDENCE = 0.95
FREEDOM_MIN = 5.0
"""Below this Student's quantile is not computed: nothing here rests on that few."""


@dataclass(frozen=True)
class Estimate:
    """A figure, its standard error and its interval, in the unit of the figure."""

    value: float
    error: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.error) and self.low <= self.value <= self.high):
            raise ValueError("an estimate lies in its own interval")

    @property
    def shows(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def times(self, factor: float) -> Estimate:
        """The same in another unit: all that a known factor changes. `factor` is above zero."""
        return Estimate(self.value * factor, self.error * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Part:
    """A mean with its variance and degrees of freedom."""

    value: float
    variance: float
    freedom: float


def student(probability: float, freedom: float) -> float:
    """Student's quantile by the expansion in 1/freedom (Abramowitz and Stegun 26.7.5): right to 0.001 from five degrees on."""
    if freedom < FREEDOM_MIN:
        raise ValueError("Student's quantile is for five degrees of freedom or more")
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + float(sum(term / freedom**power for power, term in enumerate(terms, start=1)))


def less(one: Part, other: Part, confidence: float = CONFIDENCE) -> Estimate:
    """`one` less `other`, of people who are not the same."""
    value, variance = one.value - other.value, one.variance + other.variance
    reach = _quantile(one, other, confidence) * math.sqrt(variance)
    return Estimate(value, math.sqrt(variance), value - reach, value + reach)


def fieller(over: Part, under: Part, covariance: float, confidence: float = CONFIDENCE) -> Estimate | None:
    """`over` divided by `under`, which hang together by `covariance`; none where `under` may be zero: no finite interval then."""
    t = student(0.5 + confidence / 2, min(over.freedom, under.freedom))
    square = t * t
    first = under.value**2 - square * under.variance
    if first <= 0:
        return None
    middle = over.value * under.value - square * covariance
    root = math.sqrt(max(0.0, middle**2 - first * (over.value**2 - square * over.variance)))
    value, low, high = over.value / under.value, (middle - root) / first, (middle + root) / first
    # To first order, for whoever adds ratios up; the interval does not use it.
    spread = over.variance - 2 * value * covariance + value**2 * under.variance
    return Estimate(value, math.sqrt(max(0.0, spread)) / abs(under.value), min(low, value), max(high, value))


def chance_of(distance: float) -> float:
    """How often something normal lies as many standard errors away, on either side."""
    return 2 * NormalDist().cdf(-abs(distance))


def _quantile(one: Part, other: Part, confidence: float) -> float:
    variance = one.variance + other.variance
    below = one.variance**2 / one.freedom + other.variance**2 / other.freedom
    freedom = variance**2 / below if below > 0 else min(one.freedom, other.freedom)
    return student(0.5 + confidence / 2, freedom)
