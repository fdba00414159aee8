"""From the noisy vector to figures: without noise they are plain arithmetic; with it they stay consistent."""

from __future__ import annotations

import math
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.privacy.builders import MEASURES, a_pack, a_plan, a_product, keys, no_noise, opened, spec, store
from tests.reference import pack as reference

from volens.engines.polars_engine import PolarsEngine
from volens.errors import Tampered
from volens.insights.engine import zeros
from volens.insights.estimates import DERIVED, RESTORED, Z95, Z975, estimate
from volens.insights.measurement import draw
from volens.insights.measures import ONE
from volens.insights.noisy import Noisy
from volens.insights.pack import periods

PACK = a_pack(("soleil", "lune"), periods("4-weeks", date(2017, 1, 1), 2))
ROWS = {1: "soleil", 2: "lune", 3: "rest"}
WIDE = a_plan(
    PACK,
    a_product(
        measures=MEASURES
        | {
            name: spec(name, {"own": 2**28, "rest": 2**28, "category": 2**28}, "9", "0.2", "0.4")
            for name in ("trips", "units", "spend")
        }
    ),
)
"""Caps that nobody reaches, so that nothing is clipped. They are powers of two, so that no fixed point is cut off."""
lines = st.lists(
    st.fixed_dictionaries(
        {
            "customer": st.integers(1, 9),
            "basket": st.integers(1, 30),
            "product": st.integers(1, 4),
            "day": st.integers(0, 60).map(lambda days: date(2017, 1, 1) + timedelta(days=days)),
            "quantity": st.sampled_from([1000, 2000, 750, 0, -1000]),
            "amount": st.integers(-300, 900),
            "currency": st.just("EUR"),
        }
    ),
    max_size=50,
)


@settings(max_examples=60, deadline=None)
@given(lines)
def test_without_noise_and_clipping_figures_are_plain_arithmetic(bought: list[dict[str, Any]]) -> None:
    permitted = {1, 2, 3, 5, 8}
    truth = reference.truth(bought, permitted, WIDE, ROWS)
    with tempfile.TemporaryDirectory() as folder:
        read = opened(WIDE, permitted, store(bought, Path(folder)))
        sums = PolarsEngine().bounded_sums(read, WIDE, keys(ROWS, PACK))
    figures = estimate(no_noise(sums, WIDE), WIDE)
    assert {(f.measure, f.row, f.column) for f in figures.cells} == truth.keys()
    for figure in figures.cells:
        # Each customer loses less than two 2⁻²⁴ of a cap in a cell to fixed point.
        grain = 0.0 if figure.measure == "buyers" else 2 * 9 * 6 * 2**28 / ONE
        assert truth[figure.measure, figure.row, figure.column] - grain <= figure.value
        assert figure.value <= truth[figure.measure, figure.row, figure.column]


def a_vector(**cells: list[int]) -> tuple[Any, Noisy]:
    plan = a_plan(PACK)
    noisy = draw(zeros(plan), plan)
    return plan, Noisy(plan.hash, {**noisy.vectors, **{k: tuple(v) for k, v in cells.items()}}, noisy.loss)


def test_what_adds_up_in_truth_adds_up_in_the_figures() -> None:
    plan, noisy = a_vector()
    figures = estimate(noisy, plan)
    labels = [period.label for period in PACK.periods]
    for measure in ("units", "spend"):
        for column in PACK.columns:
            parts = [figures.cell(measure, row, column).value for row in PACK.rows[:-1]]
            assert math.isclose(sum(parts), figures.cell(measure, "category", column).value, abs_tol=1e-6)
    for measure in ("trips", "units", "spend"):
        for row in PACK.rows:
            parts = [figures.cell(measure, row, column).value for column in labels]
            assert math.isclose(sum(parts), figures.cell(measure, row, "whole").value, abs_tol=1e-6)


def test_an_interval_of_buyers_is_the_noise_and_nothing_else() -> None:
    plan, noisy = a_vector(buyers=[100 * ONE] * 12)
    figure = estimate(noisy, plan).cell("buyers", "lune", "whole")
    assert figure.value == 100
    half = Z95 * plan.measure("buyers").sigma / ONE
    assert (figure.low, figure.high) == pytest.approx((100 - half, 100 + half))
    assert figure.relative == pytest.approx(half / 100)


@pytest.mark.parametrize(("lost", "counted"), [(7, 7), (-7, 0)])
def test_an_interval_of_a_sum_holds_noise_and_clipping(lost: int, counted: int) -> None:
    plan, noisy = a_vector()
    noisy = Noisy(noisy.plan_hash, noisy.vectors, {**noisy.loss, "units": lost * ONE})
    units = plan.measure("units")
    caps = [cap / 1000 for cap in units.caps]
    for row, column, parts in (
        ("soleil", PACK.columns[0], [caps[0]]),
        ("soleil", "whole", [caps[0]] * 2),
        ("category", PACK.columns[1], caps),
        ("category", "whole", caps * 2),
    ):
        figure = estimate(noisy, plan).cell("units", row, column)
        noise = units.sigma / ONE * math.sqrt(sum(cap * cap for cap in parts))
        loss_noise = units.loss_sigma / ONE * sum(parts)
        most = counted * sum(parts)
        assert figure.value - figure.low == pytest.approx(Z95 * noise + RESTORED * most)
        assert figure.high - figure.value == pytest.approx((1 - RESTORED) * most + Z95 * math.hypot(noise, loss_noise))


def test_ratios_come_from_both_parts() -> None:
    plan, noisy = a_vector(buyers=[50 * ONE] * 3 + [20 * ONE] * 3 + [70 * ONE] * 3 + [1000 * ONE] * 3)
    figures = estimate(noisy, plan)
    assert {figure.measure for figure in figures.derived} == set(DERIVED)
    penetration = figures.cell("penetration", "soleil", "whole")
    half = Z975 * plan.measure("buyers").sigma / ONE
    assert penetration.value == 0.05
    assert (penetration.low, penetration.high) == pytest.approx((0, (50 + half) / (1000 - half)))
    column = PACK.columns[0]
    per_buyer = figures.cell("trips_per_buyer", "category", column)
    trips = figures.cell("trips", "category", column).value
    assert per_buyer.value == pytest.approx(trips / 1000)
    shares = [figures.cell("spend_share", brand, column).value for brand in PACK.brands]
    spend = [figures.cell("spend", brand, column).value for brand in PACK.brands]
    total = figures.cell("spend", "category", column).value
    if total > 0:
        assert shares == pytest.approx([part / total for part in spend])


def test_a_base_that_may_be_nothing_gives_no_upper_end_and_a_share_stays_a_share() -> None:
    plan, noisy = a_vector(buyers=[-ONE] * 12, trips=[ONE] * 8, units=[-ONE] * 6, spend=[900 * ONE] * 2 + [-900 * ONE] * 4)
    figures = estimate(noisy, plan)
    lost = figures.cell("spend_per_buyer", "soleil", "whole")
    assert math.isnan(lost.value)
    assert lost.high == math.inf
    assert lost.low >= 0
    for figure in figures.derived:
        if figure.measure in ("spend_share", "units_share", "penetration"):
            assert 0 <= figure.low <= figure.high <= 1
    assert figures.cell("spend_share", "soleil", "whole").high == 1


def test_figures_below_zero_are_shown_as_they_are() -> None:
    plan, noisy = a_vector(buyers=[-3 * ONE] * 12)
    figure = estimate(noisy, plan).cell("buyers", "rest", "whole")
    assert figure.value == -3
    assert figure.relative == math.inf


def test_a_vector_of_another_plan_or_length_is_refused() -> None:
    plan, noisy = a_vector()
    with pytest.raises(ValueError, match="another plan"):
        estimate(noisy, a_plan(a_pack()))
    with pytest.raises(ValueError, match="does not fill"):
        estimate(Noisy(noisy.plan_hash, {**noisy.vectors, "units": (1,)}, noisy.loss), plan)
    with pytest.raises(KeyError):
        estimate(noisy, plan).cell("buyers", "nobody", "whole")


def test_the_stored_vector_comes_back_as_it_was() -> None:
    _, noisy = a_vector()
    assert Noisy.from_json(noisy.to_json()) == noisy
    assert noisy.to_json() == Noisy.from_json(noisy.to_json()).to_json()
    for wrong in ("{}", "[]", "no", noisy.to_json().replace("noisy/1", "noisy/2"), noisy.to_json().replace(":", ": ", 1)):
        with pytest.raises(Tampered):
            Noisy.from_json(wrong)


def test_noisy_values_are_whole_numbers() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        Noisy("hash", {"buyers": (1.5,)}, {"buyers": None})  # type: ignore[arg-type]
