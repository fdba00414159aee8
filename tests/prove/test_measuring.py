"""What intervals promise, counted over many invented campaigns whose truth is known.

Bounds are so wide that a right implementation misses one less than once in ten thousand runs; the draws are seeded besides.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.support.panel import lines, shoppers

from volens.measuring.detriment import Finding, detriment
from volens.measuring.effect import Caps, Sales, effect, iroas_of
from volens.measuring.holdout import Holdout
from volens.measuring.placebo import placebo
from volens.measuring.power import caps, noise, power

pytestmark = pytest.mark.prove

TRIALS = 4_000
"""Two percentage points are then 5.8 standard errors of a coverage of 95 %."""
PEOPLE = 1_200
CAPS = Caps(25_000, 25_000)


@pytest.mark.parametrize("share", [100, 500])
@pytest.mark.parametrize(("lift", "each"), [(0.0, 0.0), (0.05, 0.0), (0.0, 300.0)])
def test_intervals_hold_the_truth_nineteen_times_in_twenty(share: int, lift: float, each: float) -> None:
    """Truth: what capped spending of these very people would differ by; their draw is what is random, like in a campaign."""
    inside = plain = 0
    for trial in range(TRIALS):
        them = shoppers(trial, PEOPLE, lift=lift, each_cents=each)
        held = Holdout(f"t-{trial}", "5c" * 32, share).held(np.arange(PEOPLE))
        found = effect(Sales(them.before, np.where(held, them.without, them.with_it), held), CAPS)
        capped = [np.minimum(spent, CAPS.during_cents) for spent in (them.with_it, them.without)]
        truth = float((capped[0] - capped[1]).mean())
        inside += found.per_person.low <= truth <= found.per_person.high
        plain += found.plain.low <= truth <= found.plain.high
    print(f"share {share}, lift {lift}, each {each}: {inside / TRIALS:.4f} adjusted, {plain / TRIALS:.4f} plain")
    assert 0.93 <= inside / TRIALS <= 0.97
    assert 0.93 <= plain / TRIALS <= 0.97


def test_fiellers_interval_holds_the_return_nineteen_times_in_twenty() -> None:
    """Each coupon costs, so the cost is as uncertain as the sales. Truth: what all people together would bring and cost."""
    inside = refused = 0
    for trial in range(TRIALS):
        them = shoppers(trial, PEOPLE, each_cents=600.0)
        coupon = np.where(np.random.default_rng(trial).random(PEOPLE) < 0.3, 200.0, 0.0) * (them.with_it > 0)
        held = Holdout(f"t-{trial}", "5d" * 32, 500).held(np.arange(PEOPLE))
        sales = Sales(them.before, np.where(held, them.without, them.with_it), held)
        wide = Caps(10**9, 10**9)
        found = iroas_of(sales, wide, 1_000, np.where(held, 0.0, coupon))
        truth = (them.with_it - them.without).mean() / (coupon.mean() + 1_000 / (~held).sum())
        refused += found is None
        inside += found is not None and found.low <= truth <= found.high
    print(f"Fieller: {inside / TRIALS:.4f}, refused {refused}")
    assert refused == 0
    assert 0.93 <= inside / TRIALS <= 0.97


def test_an_effect_of_the_promised_size_is_found_in_four_cases_of_five() -> None:
    """Power comes from the past alone; then a campaign of just that size is run, many times."""
    people, share = 2_000, 200
    past = shoppers(999_999, people)
    declared = caps(past.before, past.without, 1000)
    wide = Caps(declared.before_cents * 10, declared.during_cents * 10)
    size = power(noise(past.before, past.without, wide), people, share).detectable_cents
    found = 0
    for trial in range(TRIALS):
        them = shoppers(trial, people)
        held = Holdout(f"t-{trial}", "5e" * 32, share).held(np.arange(people))
        during = np.where(held, them.without, them.without + size)
        found += effect(Sales(them.before, during, held), wide).per_person.low > 0
    print(f"power: {found / TRIALS:.4f}")
    # The past's noise is itself known to a few per cent only: ± 0.05 of power.
    assert 0.74 <= found / TRIALS <= 0.86


def test_the_placebo_counts_what_it_promises_on_heavy_tails() -> None:
    them = shoppers(12, PEOPLE)
    found = placebo(np.arange(PEOPLE), them.before, them.without, Holdout("c", "5f" * 32, 100), CAPS, runs=TRIALS)
    print(f"placebo: {found.rate}")
    assert abs(found.rate.value - 0.05) < 0.02


def test_equal_prices_that_vary_are_not_called_dearer_too_often() -> None:
    """Prices differ by chance alone: 5 % on each side of 90; and a ratio on the margin is called the same as rarely."""
    more = less = same = 0
    trials = 1_500
    for trial in range(trials):
        found = detriment(lines(trial, people=180, each=20, noisy=0.2)).shelf
        more, less = more + (found.value.low > 1), less + (found.value.high < 1)
        at_the_edge = detriment(lines(trial, people=180, each=20, noisy=0.05, dearer=1.01)).shelf
        same += at_the_edge.finding is Finding.SAME
    print(f"dearer {more / trials:.4f}, cheaper {less / trials:.4f}, wrongly the same {same / trials:.4f}")
    limit = 0.05 + 4 * math.sqrt(0.05 * 0.95 / trials)
    assert more / trials < limit
    assert less / trials < limit
    assert same / trials < limit
