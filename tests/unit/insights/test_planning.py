"""What a pack costs, what its hash covers, and which grids are refused before any data is touched."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyroaring import BitMap
from tests.privacy.builders import CATEGORY, MEASURES, a_pack, a_plan, a_product, an_expectation, spec

from volens.errors import BadInput, GridTooFine, ProgrammeError
from volens.insights.engine import ProductKeys, zeros
from volens.insights.measures import ONE
from volens.insights.pack import Period, periods
from volens.insights.plan import Plan, plan_pack

DAY = date(2017, 1, 1)


def test_the_grid_has_noisy_cells_where_figures_do_not_add_up() -> None:
    plan = a_plan(a_pack(("soleil", "lune")))
    sizes = {measure.measure: (measure.rows, len(measure.columns)) for measure in plan.measures}
    assert sizes == {
        "buyers": (("soleil", "lune", "rest", "category"), 4),
        "trips": (("soleil", "lune", "rest", "category"), 3),
        "units": (("soleil", "lune", "rest"), 3),
        "spend": (("soleil", "lune", "rest"), 3),
    }


def test_each_measure_has_an_equal_share_and_pays_for_its_loss() -> None:
    plan = a_plan(a_pack())
    assert [m.rho_nano + m.loss_rho_nano for m in plan.measures] == [7_000_000] * 4
    assert plan.measure("buyers").loss_rho_nano == 0
    assert plan.measure("units").loss_rho_nano == 1_400_000
    odd = a_plan(a_pack(), a_product(rho_per_pack_nano=28_000_003))
    assert sum(m.rho_nano + m.loss_rho_nano for m in odd.measures) == 28_000_000


def test_bounds_in_fixed_point() -> None:
    plan = a_plan(a_pack())
    buyers, units = plan.measure("buyers"), plan.measure("units")
    assert buyers.radius_fixed == math.ceil(math.sqrt(12) * ONE)
    assert units.radius_fixed == ONE * 5 // 4
    assert units.sensitivity == units.radius_fixed + 1
    assert units.loss_limit_fixed == ONE * 4 // 10
    assert units.caps == (6000, 24000)
    assert units.sigma == pytest.approx(1.25 * ONE / math.sqrt(2 * 0.0056))


def test_the_radius_grows_with_the_root_of_the_periods_and_stops_at_all_cells() -> None:
    measures = {"units": spec("units", {"own": 5, "rest": 5}, "1.25", "0", "0")}
    twelve = a_plan(a_pack(over=periods("week", DAY, 12)), a_product(measures=measures))
    assert twelve.measure("units").radius_fixed == 2 * (ONE * 5 // 4)
    one = a_plan(
        a_pack(over=periods("week", DAY, 1)), a_product(measures={"units": spec("units", {"own": 5, "rest": 5}, "9", "0", "0")})
    )
    assert one.measure("units").radius_fixed == math.ceil(math.sqrt(2) * ONE)


def test_the_hash_covers_what_fixes_the_answer() -> None:
    plan = a_plan(a_pack())
    assert plan.hash == a_plan(a_pack()).hash
    others = [
        a_plan(a_pack(("lune",))),
        a_plan(a_pack(currency="CHF")),
        a_plan(a_pack(over=periods("13-weeks", date(2017, 1, 2), 3))),
        a_plan(a_pack(), a_product(rho_per_pack_nano=29_000_000)),
        a_plan(a_pack(), a_product(measures=MEASURES | {"trips": spec("trips", MEASURES["trips"].caps, "1.6", "0.2", "0.4")})),
        a_plan(a_pack(), a_product(purpose="something-else")),
    ]
    assert len({plan.hash, *(other.hash for other in others)}) == 7


def test_what_is_expected_of_a_category_does_not_change_the_hash() -> None:
    more = a_product(expected={CATEGORY: an_expectation(customers=1_000_000)})
    assert plan_pack(a_pack(), more).hash == plan_pack(a_pack(), a_product()).hash


def test_a_plan_cannot_spend_more_than_it_charges() -> None:
    plan = a_plan(a_pack())
    with pytest.raises(ValueError, match="spend 28000000 of 27000000"):
        Plan(plan.pack, plan.purpose, 27_000_000, plan.delta, plan.measures)


def test_quarters_of_juice_are_useful() -> None:
    plan = plan_pack(a_pack(), a_product())
    assert plan.rho_nano == 28_000_000
    assert plan.years == (2017,)
    assert plan.start == DAY
    widths = {(w.measure, w.row, w.column): w for w in plan.expected}
    buyers = widths["buyers", "soleil", "2017-01-01/2017-04-01"]
    # 1700 · 0.47 · 0.31 buyers, and 1.96 · √12 / √(2 · 0.007) of noise.
    assert buyers.value == pytest.approx(247.69)
    assert buyers.half_width * buyers.value == pytest.approx(1.96 * math.sqrt(12 / 0.014), rel=1e-3)


def test_weeks_are_refused_with_the_next_longer_periods_that_work() -> None:
    with pytest.raises(GridTooFine) as caught:
        plan_pack(a_pack(over=periods("week", DAY, 13)), a_product())
    assert "for buyers of own brands" in caught.value.what
    assert "the limit is ± 50 %" in caught.value.what
    assert "Ask for 1 × 13-weeks from 2017-01-01: there, ±" in caught.value.remedy


def refusal_of(pack: Any, product: Any) -> str | None:
    """The remedy that a refusal names, or None if the pack is planned."""
    try:
        plan_pack(pack, product)
    except GridTooFine as refusal:
        return refusal.remedy
    return None


def test_what_is_proposed_instead_is_accepted() -> None:
    """Whatever the size of the shop: the proposal of a refusal is itself not refused."""
    proposals = set()
    for customers in (300, 700, 1_700, 5_000, 15_000, 60_000):
        product = a_product(expected={CATEGORY: an_expectation(customers=customers)})
        for by, count in (("week", 13), ("4-weeks", 9), ("month", 6)):
            remedy = refusal_of(a_pack(over=periods(by, DAY, count)), product)
            if remedy is None or remedy.startswith("No longer period"):
                continue
            words = remedy.split()
            proposals.add(words[4])
            assert refusal_of(a_pack(over=periods(words[4], DAY, int(words[2]))), product) is None
    assert len(proposals) >= 2


@pytest.mark.parametrize(("days", "cap"), [(7, 28), (28, 56), (91, 100), (364, 400), (31, 59)])
def test_caps_fall_with_the_root_of_shorter_periods_and_grow_with_longer_ones(days: int, cap: int) -> None:
    over = (Period(DAY, DAY + timedelta(days), "it"),)
    measures = {"units": spec("units", {"own": 100, "rest": 1}, "1", "0", "0")}
    assert a_plan(a_pack(over=over), a_product(measures=measures)).measure("units").caps == (cap, -(-days // 91))


def test_a_tiny_shop_is_told_that_no_grid_works() -> None:
    product = a_product(expected={CATEGORY: an_expectation(customers=40)})
    with pytest.raises(GridTooFine, match="No longer period over the same time works"):
        plan_pack(a_pack(), product)


def test_a_category_that_is_known_well_does_not_hide_a_brand_that_is_not() -> None:
    rare = a_product(expected={CATEGORY: an_expectation(own_share_of_buyers=0.02)})
    with pytest.raises(GridTooFine, match="own brands"):
        plan_pack(a_pack(), rare)


@pytest.mark.parametrize(
    ("product", "error"),
    [
        (a_product(id="other/1"), BadInput),
        (a_product(expected={"tea": an_expectation()}), BadInput),
        (a_product(measures={"trips": spec("trips", {"own": 4, "rest": 4}, "1", "0", "0")}), ProgrammeError),
    ],
)
def test_a_product_that_does_not_fit_is_refused(product: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        plan_pack(a_pack(), product)


def test_a_loss_without_share_is_not_measured() -> None:
    plan = a_plan(a_pack(), a_product(measures={"units": spec("units", {"own": 5, "rest": 5}, "1", "0", "0.4")}))
    assert plan.measure("units").loss_limit_fixed == 0
    assert plan.measure("units").loss_sigma == 0.0


def test_products_of_other_categories_are_in_no_row() -> None:
    schema = pa.schema([("product", pa.int32()), ("category", pa.string()), ("brand", pa.string()), ("maker", pa.string())])
    rows = [
        {"product": 1, "category": CATEGORY, "brand": "soleil", "maker": "juterie"},
        {"product": 3, "category": CATEGORY, "brand": None, "maker": None},
        {"product": 4, "category": CATEGORY, "brand": "rival", "maker": "x"},
        {"product": 5, "category": "tea", "brand": "soleil", "maker": "juterie"},
    ]
    catalogue = pa.Table.from_pylist(rows, schema)
    assert ProductKeys.of(catalogue, a_pack()).row_of_product.tolist() == [-1, 0, -1, 1, 1]
    with pytest.raises(BadInput, match="no product of lune"):
        ProductKeys.of(catalogue, a_pack(("lune",)))
    with pytest.raises(BadInput, match="no category"):
        ProductKeys.of(catalogue.slice(3), a_pack())


def test_sums_of_other_plans_or_strangers_are_not_subtracted() -> None:
    plan, other = a_plan(a_pack()), a_plan(a_pack(currency="CHF"))
    with pytest.raises(ValueError, match="same plan"):
        zeros(plan).minus(zeros(other))
    stranger = zeros(plan)
    object.__setattr__(stranger, "seen", BitMap([7]))
    with pytest.raises(ValueError, match="not in"):
        zeros(plan).minus(stranger)


def test_exact_sums_do_not_print_themselves() -> None:
    plan = a_plan(a_pack())
    assert repr(zeros(plan)) == f"ExactSums(plan_hash={plan.hash!r})"
