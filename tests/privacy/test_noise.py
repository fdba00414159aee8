"""The noise is what was paid for: certified by OpenDP, and distributed as it should be.

Every statistical test here fails by chance less than once in 10⁵ runs.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from tests.privacy.builders import a_pack, a_plan

from volens.insights.engine import zeros
from volens.insights.measurement import certified, draw, epsilon
from volens.insights.measures import ONE

FALSE_ALARM = 1e-5


def test_openDP_certifies_at_most_what_each_measure_paid_for() -> None:
    plan = a_plan(a_pack(("soleil", "lune")))
    spent = Fraction(0)
    for measure in plan.measures:
        parts = [(measure.size, measure.sensitivity, measure.rho_nano)]
        if measure.loss_limit_fixed:
            parts.append((1, measure.loss_sensitivity, measure.loss_rho_nano))
        for size, sensitivity, rho_nano in parts:
            certificate = Fraction(certified(size, sensitivity, rho_nano).map(sensitivity))
            assert certificate <= Fraction(rho_nano, 10**9)
            assert certificate >= Fraction(rho_nano, 10**9) * (1 - Fraction(1, 10**8)), "noise is not wasted either"
            spent += certificate
    assert spent <= Fraction(plan.rho_nano, 10**9)


def test_noise_has_the_planned_deviation_and_shape() -> None:
    sensitivity, rho_nano, size = ONE, 7_000_000, 20_000
    noise = np.array(certified(size, sensitivity, rho_nano)([0] * size), dtype=np.float64)
    sigma = sensitivity / math.sqrt(2 * rho_nano / 1e9)
    squares = float((noise**2).sum()) / sigma**2
    low, high = stats.chi2.ppf([FALSE_ALARM / 4, 1 - FALSE_ALARM / 4], size)
    assert low <= squares <= high
    assert stats.kstest(noise / sigma, "norm").pvalue > FALSE_ALARM / 2


def test_small_noise_follows_the_discrete_law_point_by_point() -> None:
    size = 20_000
    measurement = certified(size, 1, 80_000_000)
    noise = np.array(measurement([0] * size))
    points = np.arange(-40, 41)
    weights = np.exp(-(points.astype(np.float64) ** 2) * 80_000_000 / 1e9)
    law = weights / weights.sum()
    inside = np.abs(points) <= 7
    expected = np.append(law[inside], law[~inside].sum()) * size
    found = np.array([(noise == point).sum() for point in points[inside]])
    found = np.append(found, size - found.sum())
    assert stats.chisquare(found, expected).pvalue > FALSE_ALARM


def test_every_draw_is_new_and_whole_numbers() -> None:
    plan = a_plan(a_pack())
    first, second = draw(zeros(plan), plan), draw(zeros(plan), plan)
    assert first.vectors != second.vectors
    assert all(type(value) is int for vector in first.vectors.values() for value in vector)
    assert first.loss["buyers"] is None
    assert type(first.loss["units"]) is int


def test_sums_of_another_plan_get_no_noise() -> None:
    plan, other = a_plan(a_pack()), a_plan(a_pack(currency="CHF"))
    with pytest.raises(ValueError, match="another plan"):
        draw(zeros(other), plan)


@pytest.mark.parametrize(("rho_nano", "quoted"), [(28_000_000, 1.0), (351_000_000, 4.0)])
def test_epsilon_is_that_of_the_analytic_gaussian(rho_nano: int, quoted: float) -> None:
    """Balle & Wang 2018, theorem 8: δ(ε) = Φ(μ/2 − ε/μ) − e^ε Φ(−μ/2 − ε/μ), with μ = √(2ρ)."""
    mu = math.sqrt(2 * rho_nano / 1e9)

    def delta(eps: float) -> float:
        return float(stats.norm.cdf(mu / 2 - eps / mu) - math.exp(eps) * stats.norm.cdf(-mu / 2 - eps / mu))

    found = epsilon(rho_nano, "1e-6")
    assert round(found, 2) == quoted
    assert delta(found + 1e-3) <= 1e-6 <= delta(found - 1e-3)
    assert epsilon(0, "1e-6") == 0.0


@pytest.mark.prove
def test_the_noise_of_many_draws_is_independent_between_cells() -> None:
    draws, size = 40_000, 4
    measurement = certified(size, ONE, 7_000_000)
    noise = np.array([measurement([0] * size) for _ in range(draws)], dtype=np.float64)
    correlations = np.corrcoef(noise.T)[np.triu_indices(size, 1)]
    # Each is about normal with deviation 1/√draws; six of them.
    assert np.abs(correlations).max() * math.sqrt(draws) < stats.norm.isf(FALSE_ALARM / 12)
