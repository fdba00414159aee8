"""The effect, against what textbooks compute; and what must not change it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.panel import shoppers

from volens.errors import BadInput
from volens.measuring.effect import Caps, Sales, effect, iroas_of
from volens.measuring.holdout import ARM_MIN, Holdout
from volens.measuring.intervals import Part, fieller, less, student

WIDE = Caps(10**9, 10**9)


def sales(seed: int = 1, people: int = 2_000, share: int = 200, *, lift: float = 0.0, each: float = 0.0) -> Sales:
    them = shoppers(seed, people, lift=lift, each_cents=each)
    held = Holdout("c", "0f" * 32, share).held(np.arange(people))
    return Sales(them.before, np.where(held, them.without, them.with_it), held)


@pytest.mark.parametrize(
    ("probability", "freedom", "tabled"),
    [(0.975, 5, 2.5706), (0.975, 10, 2.2281), (0.95, 30, 1.6973), (0.995, 20, 2.8453), (0.975, 1e9, 1.95996)],
)
def test_students_quantile_is_the_one_in_tables(probability: float, freedom: float, tabled: float) -> None:
    assert student(probability, freedom) == pytest.approx(tabled, abs=1e-3)


def test_without_a_past_it_is_welchs_difference_of_means() -> None:
    found = sales()
    one, other = found.during[~found.held], found.during[found.held]
    plain = effect(found, WIDE).plain
    assert plain.value == pytest.approx(one.mean() - other.mean())
    assert plain.error == pytest.approx(math.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size))


def test_with_a_past_it_is_the_regression_of_the_textbook() -> None:
    """Lin's regression by normal equations, with HC2 in its matrix form."""
    found = sales(lift=0.1)
    around = found.before - found.before.mean()
    reached = (~found.held).astype(float)
    design = np.column_stack([np.ones_like(around), reached, around, reached * around])
    inverse = np.linalg.inv(design.T @ design)
    line = inverse @ design.T @ found.during
    left = found.during - design @ line
    lever = np.einsum("ij,jk,ik->i", design, inverse, design)
    robust = inverse @ (design.T * (left**2 / (1 - lever))) @ design @ inverse
    mine = effect(found, WIDE).per_person
    assert mine.value == pytest.approx(line[1])
    assert mine.error == pytest.approx(math.sqrt(robust[1, 1]))


def test_the_past_makes_the_interval_narrower() -> None:
    assert effect(sales(), WIDE).narrower > 0.05


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(-5_000, 5_000))
def test_a_gift_to_everybody_reached_is_found_exactly(seed: int, gift: int) -> None:
    before = sales(seed, 600)
    after = Sales(before.before, before.during + gift * ~before.held, before.held)
    one, other = effect(before, WIDE).per_person, effect(after, WIDE).per_person
    assert other.value - one.value == pytest.approx(gift, abs=1e-6)
    assert other.error == pytest.approx(one.error)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_order_and_currency_change_nothing(seed: int) -> None:
    found = sales(seed, 600)
    order = np.random.default_rng(seed).permutation(600)
    other = effect(Sales(found.before[order] * 7, found.during[order] * 7, found.held[order]), WIDE)
    mine = effect(found, WIDE)
    assert other.per_person.value == pytest.approx(mine.per_person.value * 7)
    assert other.per_person.low == pytest.approx(mine.per_person.low * 7)
    assert other.narrower == pytest.approx(mine.narrower)


def test_somebody_who_buys_for_a_shop_is_no_result() -> None:
    found = sales()
    spoilt = found.during.copy()
    spoilt[np.flatnonzero(found.held)[0]] = 10**9
    heavy = Sales(found.before, spoilt, found.held)
    capped, bare = effect(heavy, Caps(30_000, 30_000)), effect(heavy, WIDE)
    assert capped.capped[1] >= 1
    assert capped.per_person.error < bare.per_person.error / 100
    assert bare.capped == (0, 0)  # the cap itself is not above it


def test_money_is_the_effect_times_people_and_the_return_that_by_the_cost() -> None:
    found = effect(sales(lift=0.2), WIDE)
    assert found.incremental.value == pytest.approx(found.per_person.value * found.reached)
    assert found.iroas(50_000).low == pytest.approx(found.incremental.low / 50_000)
    assert found.lift is not None
    assert found.lift.value == pytest.approx(found.per_person.value / found.mean_held)
    with pytest.raises(BadInput):
        found.iroas(0)


def test_a_cost_that_does_not_depend_on_anybody_needs_no_fieller() -> None:
    """Fieller's interval with a known divisor is the plain one, divided."""
    found = sales(lift=0.2)
    certain = effect(found, WIDE).iroas(80_000)
    general = iroas_of(found, WIDE, 80_000, np.zeros_like(found.during))
    assert general is not None
    assert general.value == pytest.approx(certain.value)
    assert general.low == pytest.approx(certain.low, rel=0.01)  # the freedom of the smaller side, not Satterthwaite's
    assert general.high == pytest.approx(certain.high, rel=0.01)


def test_a_divisor_that_may_be_zero_gives_no_interval() -> None:
    assert fieller(Part(10, 1, 100), Part(1, 1, 100), 0.0) is None
    assert fieller(Part(10, 1, 100), Part(10, 1, 100), 0.0) is not None


def test_fieller_holds_the_ratios_that_are_not_refused() -> None:
    """A ratio r is in the interval exactly if `over − r · under` may be zero."""
    over, under, together = Part(12.0, 4.0, 200), Part(9.0, 1.5, 200), 0.8
    found = fieller(over, under, together)
    assert found is not None
    step = 1e-6
    low, high = found.low, found.high
    for ratio, inside in [(low + step, True), (low - step, False), (high - step, True), (high + step, False)]:
        variance = over.variance - 2 * ratio * together + ratio**2 * under.variance
        assert (abs(over.value - ratio * under.value) <= student(0.975, 200) * math.sqrt(variance)) is inside


def test_fewer_than_fifty_on_a_side_is_no_figure() -> None:
    people = 2 * ARM_MIN
    before = np.full(people, 100.0)
    Sales(before, before, np.arange(people) < ARM_MIN)
    with pytest.raises(BadInput, match=str(ARM_MIN - 1)):
        Sales(before, before, np.arange(people) < ARM_MIN - 1)


def test_nobody_bought_anything_is_a_mistake_and_no_effect_of_zero() -> None:
    none = np.zeros(200)
    with pytest.raises(BadInput):
        effect(Sales(none, none, np.arange(200) < 100), WIDE)


def test_two_sides_that_differ_by_nothing_have_no_width() -> None:
    assert less(Part(1.0, 0.0, 50), Part(1.0, 0.0, 50)).low == 0.0
