"""The only place where noise is made, and the only one that knows OpenDP.

Rules:
1. Noise is drawn once per sums, by OpenDP's discrete Gaussian on whole numbers, from the operating system's generator.
   There is no way to fix its state.
2. What OpenDP certifies for the plan's sensitivities is compared, as exact fractions, with what the plan paid for;
   more is a defect and nothing is drawn.
3. `epsilon` quotes what ρ means as (ε, δ). It is for reading; budgets add up in ρ.

Sources: discrete Gaussian: Canonne, Kamath & Steinke 2020 (arXiv 2004.00010); privacy-loss distributions: Sommer,
Meiser & Mohammadi 2019, as implemented by `dp-accounting`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import opendp.prelude as dp

from volens.insights.engine import ExactSums
from volens.insights.noisy import Noisy
from volens.insights.plan import Plan

dp.enable_features("contrib")

_STEPS = 60
"""Halvings in the search for the smallest scale that certifies; after 53 of them two doubles are neighbours."""


def draw(sums: ExactSums, plan: Plan) -> Noisy:
    """Noisy cells and losses of exact sums. Every call draws anew: whoever calls stores the result before showing it.

    Raises `ValueError` if the sums are of another plan.
    """
    if sums.plan_hash != plan.hash:
        raise ValueError("these sums are of another plan")
    vectors: dict[str, tuple[int, ...]] = {}
    loss: dict[str, int | None] = {}
    for measure in plan.measures:
        exact = sums.sums[measure.measure]
        if exact.shape != (measure.size,):
            raise ValueError(f"the sums of {measure.measure} have {exact.shape} cells, the plan {measure.size}")
        vectors[measure.measure] = _noisy(exact.tolist(), measure.sensitivity, measure.rho_nano)
        loss[measure.measure] = None
        if measure.loss_limit_fixed:
            (drawn,) = _noisy([sums.loss[measure.measure]], measure.loss_sensitivity, measure.loss_rho_nano)
            loss[measure.measure] = drawn
    return Noisy(plan.hash, vectors, loss)


def _noisy(exact: list[int], sensitivity: int, rho_nano: int) -> tuple[int, ...]:
    measurement = certified(len(exact), sensitivity, rho_nano)
    return tuple(int(value) for value in measurement(exact))


@lru_cache(maxsize=64)
def certified(size: int, sensitivity: int, rho_nano: int) -> Any:
    """OpenDP's measurement for vectors of `size` whole numbers, with the smallest scale that costs at most `rho_nano`.

    `sensitivity` is the L2 distance between neighbours. Raises `ArithmeticError` if no scale near Δ / √(2ρ) certifies.
    """
    budget = Fraction(rho_nano, 10**9)
    ideal = sensitivity / math.sqrt(2 * rho_nano / 1e9)
    low, high = ideal * (1 - 1e-9), ideal * (1 + 1e-9)
    if _price(size, high, sensitivity) > budget:
        raise ArithmeticError("OpenDP certifies no scale near the planned one")
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _price(size, middle, sensitivity) <= budget:
            high = middle
        else:
            low = middle
    if _price(size, high, sensitivity) > budget:
        raise ArithmeticError("OpenDP certifies more than the plan paid for")
    return _gaussian(size, high)


def _gaussian(size: int, scale: float) -> Any:
    space = dp.vector_domain(dp.atom_domain(T="i64"), size=size), dp.l2_distance(T="i64")
    return dp.m.make_gaussian(*space, scale=scale)


def _price(size: int, scale: float, sensitivity: int) -> Fraction:
    """The ρ that OpenDP certifies, exactly as the double that it returns."""
    return Fraction(_gaussian(size, scale).map(sensitivity))


@lru_cache(maxsize=256)
def epsilon(rho_nano: int, delta: str) -> float:
    """ε at δ of Gaussian releases that cost `rho_nano` 10⁻⁹ of ρ together, by privacy-loss distributions.

    A Gaussian release of ρ is as private as one of a single number with sensitivity 1 and σ = 1/√(2ρ); several of them
    are as private as one of the sum of their ρ. 0 for nothing spent.
    """
    if rho_nano < 0 or not 0 < float(delta) < 1:
        raise ValueError("ρ is not negative and δ lies between 0 and 1")
    if rho_nano == 0:
        return 0.0
    # Imported here: the accounting library takes a second to load, and only certificates quote ε.
    from dp_accounting.pld import privacy_loss_distribution

    loss = privacy_loss_distribution.from_gaussian_mechanism(1 / math.sqrt(2 * rho_nano / 1e9))
    return float(loss.get_epsilon_for_delta(float(delta)))


__all__ = ["Noisy", "certified", "draw", "epsilon"]
