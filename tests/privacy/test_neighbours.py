"""One customer moves the sums by no more than the plan declares, whatever she buys, brings back or writes into a file."""

from __future__ import annotations

import math
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.privacy.builders import MEASURES, a_pack, a_plan, a_product, keys, opened, spec, store

from volens.engines.clipping import Bounded
from volens.engines.polars_engine import PolarsEngine
from volens.engines.vectors import Entries
from volens.insights.engine import ExactSums
from volens.insights.measurement import draw
from volens.insights.measures import MeasurePlan
from volens.insights.pack import periods
from volens.insights.plan import Plan, plan_pack

ROWS = {1: "soleil", 2: "rest", 3: "lune"}
PACK = a_pack(("soleil", "lune"), periods("4-weeks", date(2017, 1, 1), 3))
PLAN = a_plan(PACK)


def norm(vector: Any) -> float:
    """Exact in whole numbers up to the root."""
    return math.sqrt(sum(int(value) ** 2 for value in vector))


def assert_within(plan: Plan, larger: ExactSums, smaller: ExactSums) -> None:
    for measure in plan.measures:
        moved = larger.sums[measure.measure] - smaller.sums[measure.measure]
        assert norm(moved) <= measure.sensitivity
        assert abs(larger.loss[measure.measure] - smaller.loss[measure.measure]) <= measure.loss_sensitivity


lines_of_one = st.lists(
    st.fixed_dictionaries(
        {
            "basket": st.integers(1, 10**6),
            "product": st.integers(1, 3),
            "day": st.integers(0, 83).map(lambda days: date(2017, 1, 1) + timedelta(days=days)),
            "quantity": st.one_of(st.integers(-5000, 50000), st.sampled_from([2**63 - 1, -(2**63), 2**31, 0])),
            "amount": st.one_of(st.integers(-5000, 50000), st.sampled_from([2**63 - 1, -(2**63)])),
        }
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(hers=lines_of_one, others=lines_of_one)
def test_adding_or_removing_one_customer_stays_within_the_sensitivity(
    hers: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    theirs = [line | {"customer": 3 + 2 * (n % 4), "currency": "EUR"} for n, line in enumerate(others)]
    mine = [line | {"customer": 1, "currency": "EUR"} for line in hers]
    with tempfile.TemporaryDirectory() as folder:
        files = store(theirs + mine, Path(folder))
        products, engine = keys(ROWS, PACK), PolarsEngine()
        with_her = engine.bounded_sums(opened(PLAN, range(1, 12), files), PLAN, products)
        without = engine.bounded_sums(opened(PLAN, range(2, 12), files), PLAN, products)
    assert_within(PLAN, with_her, without)
    assert 1 not in without.seen


def adversarial(measure: MeasurePlan) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Vectors at the edges: all caps, one cell, just above a cap, everything enormous, one less than everything."""
    caps = np.array(measure.cell_caps(), dtype=np.int64)
    one_cell = np.zeros_like(caps)
    one_cell[0] = 2**62
    half = np.where(np.arange(len(caps)) % 2, caps, caps // 2 + 1)
    return [caps, caps + 1, np.full_like(caps, 2**62), np.full_like(caps, 1), one_cell, half, np.maximum(caps - 1, 1)]


def own_vector(values: Any, measure: MeasurePlan) -> tuple[Any, int]:
    """What one customer adds: (cells, loss)."""
    values = np.asarray(values, dtype=np.int64)
    cell = np.flatnonzero(values > 0)
    sums = np.zeros(measure.size, dtype=np.int64)
    loss = Bounded(measure).add([Entries(np.ones(len(cell), dtype=np.int64), cell, values[cell])], 2, sums)
    return sums, loss


def fuzz(customers: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    for round_number in range(20):
        radius = str(round(float(chance.uniform(0.2, 4)), 3))
        caps = {kind: int(chance.integers(1, 10 ** int(chance.integers(1, 9)))) for kind in ("own", "rest", "category")}
        measures = {name: MEASURES["buyers"] if name == "buyers" else spec(name, caps, radius, "0.2", "0.4") for name in MEASURES}
        plan = a_plan(PACK, a_product(measures=measures))
        for measure in plan.measures:
            vectors = adversarial(measure)
            scale = np.array(measure.cell_caps(), dtype=np.float64)
            for _ in range(customers // 80):
                busy = chance.random(measure.size) < chance.random()
                drawn = np.minimum(scale * chance.exponential(10 ** chance.uniform(-2, 2), measure.size), 2.0**61)
                vectors.append((drawn * busy).astype(np.int64))
            for vector in vectors:
                values = np.minimum(vector, 1) if measure.measure == "buyers" else vector
                sums, loss = own_vector(values, measure)
                assert norm(sums) <= measure.sensitivity, (round_number, measure.measure)
                assert sums.min() >= 0
                assert 0 <= loss <= measure.loss_limit_fixed


def test_no_customer_exceeds_the_declared_radius() -> None:
    fuzz(8_000, seed=17)


@pytest.mark.prove
def test_none_of_a_million_customers_exceeds_the_declared_radius() -> None:
    fuzz(1_000_000, seed=18)


def test_the_fuzz_would_notice_a_radius_declared_too_small() -> None:
    """The bound is reached, so a smaller declaration would fail the tests above."""
    for measure in PLAN.measures:
        reached = max(
            norm(own_vector(np.minimum(v, 1) if measure.measure == "buyers" else v, measure)[0]) for v in adversarial(measure)
        )
        assert reached > 0.999 * measure.sensitivity


@pytest.mark.prove
def test_the_best_test_for_one_customer_gains_no_more_than_promised(tmp_path: Path) -> None:
    """Two worlds that differ in one customer who fills every cap. The attacker knows everything else.

    The most powerful test is the projection on the difference (Neyman & Pearson). With μ = √(2ρ) it is right with
    probability Φ(μ/2) at the most; chance alone exceeds the margin less than once in 10⁵ runs.
    """
    trials = 10_000
    whale = [
        {
            "customer": 1,
            "basket": n,
            "product": 1 + n % 3,
            "day": date(2017, 1, 1) + timedelta(days=n % 84),
            "quantity": 90_000,
            "amount": 90_000,
            "currency": "EUR",
        }
        for n in range(500)
    ]
    other = [whale[0] | {"customer": 2}]
    files, products, engine = store(whale + other, tmp_path), keys(ROWS, PACK), PolarsEngine()
    present = engine.bounded_sums(opened(PLAN, (1, 2), files), PLAN, products)
    absent = engine.bounded_sums(opened(PLAN, (2,), files), PLAN, products)

    def direction(sums: ExactSums) -> np.ndarray[Any, np.dtype[np.float64]]:
        """All that is drawn, in units of its noise."""
        parts = [sums.sums[m.measure] / m.sigma for m in PLAN.measures]
        losses = [sums.loss[m.measure] / m.loss_sigma for m in PLAN.measures if m.loss_sigma]
        return np.concatenate([*parts, losses])

    apart = direction(present) - direction(absent)
    mu = math.sqrt(2 * PLAN.rho_nano / 1e9)
    assert 0.9 * mu < float(np.linalg.norm(apart)) <= mu, "the canary is nearly the worst there can be"

    def statistic(sums: ExactSums) -> float:
        noisy = draw(sums, PLAN)
        parts = [np.array(noisy.vectors[m.measure]) / m.sigma for m in PLAN.measures]
        losses = [(noisy.loss[m.measure] or 0) / m.loss_sigma for m in PLAN.measures if m.loss_sigma]
        return float((np.concatenate([*parts, losses]) - direction(absent)) @ apart)

    threshold = float(apart @ apart) / 2
    right = sum(statistic(present) > threshold for _ in range(trials))
    right += sum(statistic(absent) <= threshold for _ in range(trials))
    margin = stats.norm.isf(1e-5) * 0.5 / math.sqrt(2 * trials)
    assert right / (2 * trials) <= stats.norm.cdf(mu / 2) + margin
    assert right / (2 * trials) >= stats.norm.cdf(0.9 * mu / 2) - margin, "the attack works as far as it can"


def test_a_plan_that_would_overflow_cannot_be_built() -> None:
    caps = {"own": 2**40, "rest": 2**40, "category": 2**40}
    measures = {"spend": spec("spend", caps, "1", "0.2", "0.4")}
    with pytest.raises(ValueError, match="cannot be summed safely"):
        a_plan(PACK, a_product(measures=measures))


def test_one_year_of_a_customer_in_a_pack_of_two_moves_the_sums_by_no_more_than_is_charged() -> None:
    """Taking one year away can turn the shortened vector, beyond the radius: such packs cost what that can come to."""
    straddling = plan_pack(a_pack(over=periods("13-weeks", date(2017, 8, 1), 3)), a_product())
    within = plan_pack(a_pack(over=periods("13-weeks", date(2017, 1, 1), 3)), a_product())
    assert within.charge_nano == within.rho_nano < straddling.charge_nano < 2 * straddling.rho_nano
    chosen, beyond = np.random.default_rng(7), 0.0
    for measure in straddling.measures:
        caps = np.asarray(measure.cell_caps())
        for trial in range(600):
            stays = (chosen.random(measure.size) < chosen.random()) * caps
            goes = np.where(stays > 0, 0, caps)
            if trial % 2:  # half of the customers are no extremes
                stays, goes = ((chosen.random(measure.size) * one).astype(np.int64) for one in (stays, goes))
            # Trips only add up. Of the rest, a year's returns can hide what the other year bought in a shared cell.
            both = stays + goes if measure.measure == "trips" or trial % 3 else goes
            moved = norm(_bounded(both, measure) - _bounded(stays, measure)) / measure.sensitivity
            assert measure.rho_nano * moved**2 <= measure.turned_rho_nano(shared=True), measure.measure
            if measure.measure != "trips" and trial % 3:
                assert measure.rho_nano * moved**2 <= measure.turned_rho_nano(shared=False), measure.measure
            beyond = max(beyond, moved)
    assert beyond > 1.2, "without the surcharge the promise would be false"


def _bounded(values: Any, measure: MeasurePlan) -> Any:
    """One customer's contribution, by the engines' own arithmetic."""
    cells = np.arange(measure.size, dtype=np.int64)
    sums = np.zeros(measure.size, dtype=np.int64)
    Bounded(measure).add([Entries(np.zeros(measure.size, dtype=np.int64), cells, values.astype(np.int64))], 1, sums)
    return sums
