"""Polars, DuckDB and plain Python give the same whole numbers, for any lines and any permissions."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap
from tests.privacy.builders import a_pack, a_plan, a_product, keys, opened, spec, store
from tests.reference import pack as reference

from volens.engines.duckdb_engine import DuckDBEngine
from volens.engines.polars_engine import PolarsEngine
from volens.errors import Refused, Tampered
from volens.insights.engine import ExactSums
from volens.insights.pack import Pack, Period, periods
from volens.insights.plan import Plan

START = date(2017, 1, 29)
ENGINES = (PolarsEngine(), DuckDBEngine())
ROWS = {1: "soleil", 2: "rest", 3: "lune", 5: "rest", 6: "soleil"}
GRIDS = (
    periods("week", START, 3),
    periods("13-weeks", START, 1),
    (Period(START, START + timedelta(days=2), "first"), Period(START + timedelta(days=4), date(2017, 2, 20), "last")),
)
huge = st.sampled_from([2**31 - 1, 2**31, -(2**31), 2**62, -(2**62), 2**63 - 1, -(2**63)])
quantities = st.one_of(st.integers(-3000, 9000), st.sampled_from([0, 1, -1, 1000]), huge)
amounts = st.one_of(st.integers(-2000, 4000), huge)
line = st.fixed_dictionaries(
    {
        "customer": st.integers(1, 6),
        "basket": st.integers(1, 5),
        "product": st.integers(0, 7),
        "day": st.integers(-2, 23).map(lambda days: START + timedelta(days=days)),
        "quantity": quantities,
        "amount": amounts,
        "currency": st.sampled_from(["EUR", "EUR", "EUR", "CHF"]),
    }
)
plans = st.builds(
    lambda brands, over: a_plan(a_pack(brands, over)),
    st.sampled_from([("soleil",), ("soleil", "lune"), ("lune", "soleil")]),
    st.sampled_from(GRIDS),
)


def rows_of(pack: Pack) -> dict[int, str]:
    """The pack's row of each product of the category."""
    return {product: row if row in pack.brands else "rest" for product, row in ROWS.items()}


def as_plain(sums: ExactSums) -> tuple[dict[str, list[int]], dict[str, int], set[int]]:
    return {name: vector.tolist() for name, vector in sums.sums.items()}, dict(sums.loss), set(sums.seen)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(lines=st.lists(line, max_size=40), permitted=st.sets(st.integers(1, 8)), plan=plans)
def test_every_engine_agrees_with_plain_python(lines: list[dict[str, Any]], permitted: set[int], plan: Plan) -> None:
    expected = reference.exact(lines, permitted, plan, rows_of(plan.pack))
    with tempfile.TemporaryDirectory() as folder:
        files = store(lines, Path(folder))
        for engine in ENGINES:
            sums = engine.bounded_sums(opened(plan, permitted, files), plan, keys(rows_of(plan.pack), plan.pack))
            assert as_plain(sums) == expected, type(engine).__name__


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(line, max_size=40), permitted=st.sets(st.integers(1, 6)), leavers=st.sets(st.integers(1, 6)))
def test_taking_customers_out_is_exact(lines: list[dict[str, Any]], permitted: set[int], leavers: set[int]) -> None:
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    products = keys(rows_of(plan.pack), plan.pack)
    with tempfile.TemporaryDirectory() as folder:
        files = store(lines, Path(folder))
        for engine in ENGINES:
            everybody = engine.bounded_sums(opened(plan, permitted, files), plan, products)
            gone = engine.bounded_sums(opened(plan, permitted & leavers, files), plan, products)
            rest = engine.bounded_sums(opened(plan, permitted - leavers, files), plan, products)
            assert as_plain(everybody.minus(gone)) == as_plain(rest)


def a_line(**changes: Any) -> dict[str, Any]:
    given = {"customer": 1, "basket": 1, "product": 1, "day": START, "quantity": 1000, "amount": 250, "currency": "EUR"}
    return given | changes


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: type(engine).__name__)
class TestEachEngine:
    def counted(self, engine: Any, lines: list[dict[str, Any]], folder: Path, permitted: Any = (1, 2)) -> Any:
        plan = a_plan(a_pack(("soleil",), GRIDS[0]))
        return plan, engine.bounded_sums(opened(plan, permitted, store(lines, folder)), plan, keys(rows_of(plan.pack), plan.pack))

    def test_no_files_nobody_permitted_or_nothing_bought_is_zeros(self, engine: Any, tmp_path: Path) -> None:
        plan = a_plan(a_pack(("soleil",), GRIDS[0]))
        products = keys(rows_of(plan.pack), plan.pack)
        for permitted, files in (((1,), []), ((), store([a_line()], tmp_path)), ((2,), store([a_line()], tmp_path))):
            sums = engine.bounded_sums(opened(plan, permitted, files), plan, products)
            assert not any(vector.any() for vector in sums.sums.values())
            assert sums.seen == BitMap()
            assert set(sums.loss.values()) == {0}

    def test_a_day_belongs_to_the_period_that_starts_on_it(self, engine: Any, tmp_path: Path) -> None:
        days = [START - timedelta(1), START, START + timedelta(6), START + timedelta(7), START + timedelta(21)]
        plan, sums = self.counted(engine, [a_line(day=day, basket=n) for n, day in enumerate(days)], tmp_path)
        trips = plan.measure("trips")
        kept = sums.sums["trips"][[trips.cell("soleil", column) for column in trips.columns]]
        assert (kept > 0).tolist() == [True, True, False]

    def test_a_return_of_everything_leaves_no_buyer_but_keeps_the_trip(self, engine: Any, tmp_path: Path) -> None:
        lines = [a_line(), a_line(basket=2, quantity=-1000, amount=-250)]
        plan, sums = self.counted(engine, lines, tmp_path)
        assert not sums.sums["buyers"].any()
        assert not sums.sums["units"].any()
        assert sums.sums["trips"][plan.measure("trips").cell("soleil", plan.pack.columns[0])] > 0

    def test_a_brand_bought_and_another_returned_is_a_buyer_of_one_only(self, engine: Any, tmp_path: Path) -> None:
        lines = [a_line(), a_line(product=2, quantity=-1000)]
        plan, sums = self.counted(engine, lines, tmp_path)
        buyers, column = plan.measure("buyers"), plan.pack.columns[0]
        found = {row: int(sums.sums["buyers"][buyers.cell(row, column)]) for row in plan.pack.rows}
        assert found == {"soleil": 2**24, "rest": 0, "category": 0}

    def test_customers_with_lines_of_other_products_are_seen_too(self, engine: Any, tmp_path: Path) -> None:
        _, sums = self.counted(engine, [a_line(product=7), a_line(customer=2, currency="CHF")], tmp_path)
        assert sums.seen == BitMap([1])

    def test_nobody_is_seen_through_a_day_outside_the_pack(self, engine: Any, tmp_path: Path) -> None:
        days = [START - timedelta(1), START, START + timedelta(20), START + timedelta(21)]
        lines = [a_line(customer=n + 1, day=day) for n, day in enumerate(days)]
        _, sums = self.counted(engine, lines, tmp_path, permitted=(1, 2, 3, 4))
        assert sums.seen == BitMap([2, 3])

    def test_a_read_for_something_else_is_refused(self, engine: Any, tmp_path: Path) -> None:
        plan = a_plan(a_pack(("soleil",), GRIDS[0]))
        longer = a_plan(a_pack(("soleil",), periods("week", START, 4)))
        read = opened(plan, (1,), store([a_line()], tmp_path))
        with pytest.raises(Refused, match="does not cover the pack's days"):
            engine.bounded_sums(read, longer, keys(rows_of(plan.pack), plan.pack))

    def test_the_answer_does_not_depend_on_how_lines_lie_in_files(self, engine: Any, tmp_path: Path) -> None:
        lines = [a_line(customer=1 + n % 5, basket=n, product=n % 7, quantity=1000 * (n % 9 - 2)) for n in range(60)]
        plan = a_plan(
            a_pack(("soleil",), GRIDS[0]),
            a_product(measures={"units": spec("units", {"own": 3000, "rest": 7000}, "0.7", "0.2", "1")}),
        )
        results = []
        for buckets in (1, 3):
            folder = tmp_path / str(buckets)
            folder.mkdir()
            files = store(lines, folder, buckets)
            results.append(
                as_plain(engine.bounded_sums(opened(plan, range(1, 6), files), plan, keys(rows_of(plan.pack), plan.pack)))
            )
        assert results[0] == results[1]
        assert results[0][1]["units"] > 0


def test_a_customer_in_two_buckets_stops_the_sum(tmp_path: Path) -> None:
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    (first, second) = store([a_line(customer=1), a_line(customer=2)], tmp_path)
    moved = store([a_line(customer=1)], tmp_path, buckets=1)[0]
    twice = [type(first)(0, moved.paths), type(second)(1, moved.paths)]
    with pytest.raises(Tampered):
        PolarsEngine().bounded_sums(opened(plan, (1, 2), twice), plan, keys(rows_of(plan.pack), plan.pack))
