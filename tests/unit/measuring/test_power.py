"""What could be found, said before; and how often nothing looks like something."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.panel import shoppers

from volens.errors import BadInput
from volens.measuring.effect import Caps
from volens.measuring.holdout import ARM_MIN, Holdout
from volens.measuring.placebo import RUNS_MIN, Placebo, placebo
from volens.measuring.power import Noise, caps, noise, people_needed, power
from volens.measuring.rates import wilson

NOISE = Noise(5_000.0, 8_000.0, 6_000.0)


def test_a_textbook_size() -> None:
    """Two equal sides, standard deviation 1, effect 0.5, 5 % and 80 %: 63 a side (Cohen's tables say 64, with Student's t)."""
    assert people_needed(Noise(1.0, 1.0, 1.0), 0.5, 500) == pytest.approx(126, abs=1)


@settings(deadline=None)
@given(st.integers(5_000, 10_000_000), st.integers(10, 500))
def test_size_and_smallest_effect_are_each_others_inverse(people: int, share: int) -> None:
    found = power(NOISE, people, share)
    assert people_needed(NOISE, found.detectable_cents, share) == pytest.approx(people, rel=0.03, abs=2)


@settings(deadline=None)
@given(st.integers(5_000, 1_000_000), st.integers(10, 499))
def test_holding_out_more_finds_smaller_effects(people: int, share: int) -> None:
    assert power(NOISE, people, share + 1).detectable_cents <= power(NOISE, people, share).detectable_cents * (1 + 1e-9)


def test_each_side_of_a_plan_has_fifty_people() -> None:
    power(NOISE, ARM_MIN * 10, 100)
    with pytest.raises(BadInput):
        power(NOISE, ARM_MIN * 10 - 1, 100)
    assert people_needed(NOISE, 10.0**9, 100) == ARM_MIN * 10


def test_what_was_spent_before_explains_a_part() -> None:
    them = shoppers(3, 5_000)
    wide = Caps(10**9, 10**9)
    seen = noise(them.before, them.without, wide)
    assert seen.left_cents < 0.95 * seen.deviation_cents
    other = shoppers(4, 5_000)
    unrelated = noise(other.before, them.without, wide)
    assert unrelated.left_cents == pytest.approx(unrelated.deviation_cents, rel=0.01)


def test_a_cap_leaves_nearly_everybody_as_they_are() -> None:
    them = shoppers(3, 5_000)
    found = caps(them.before, them.without)
    assert 0.994 <= (them.without <= found.during_cents).mean() <= 0.9961
    assert caps(them.before, them.without, 1000).during_cents == them.without.max()
    for wrong in (899, 1001):
        with pytest.raises(BadInput):
            caps(them.before, them.without, wrong)


def test_where_nothing_happened_about_one_in_twenty_finds_something() -> None:
    them = shoppers(5, 1_500)
    found = placebo(np.arange(1_500), them.before, them.without, Holdout("c", "11" * 32, 200), Caps(10**6, 10**6), RUNS_MIN * 4)
    assert found.rate.low < 0.05 < found.rate.high
    found.require()


def test_too_many_false_alarms_stop_a_launch() -> None:
    with pytest.raises(BadInput, match="90 of 1000"):
        Placebo(1000, 90, wilson(90, 1000), 0.05).require()
    Placebo(1000, 60, wilson(60, 1000), 0.05).require()


@pytest.mark.parametrize("runs", [RUNS_MIN - 1, 100_001])
def test_too_few_or_too_many_draws_are_refused(runs: int) -> None:
    them = shoppers(5, 500)
    with pytest.raises(BadInput):
        placebo(np.arange(500), them.before, them.without, Holdout("c", "11" * 32, 200), Caps(10**6, 10**6), runs)
