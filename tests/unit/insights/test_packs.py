"""What may be asked, and what is refused before anything is planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.privacy.builders import CATEGORY, a_pack, a_product

from volens.errors import BadInput
from volens.insights.pack import (
    MAX_BRANDS,
    MAX_CELLS,
    MAX_DAYS,
    MAX_PERIODS,
    PERIOD_KINDS,
    Pack,
    Period,
    ask,
    periods,
    starts_well,
)

DAY = date(2017, 1, 1)


def test_rows_are_brands_rest_and_category_and_columns_the_periods_and_the_whole() -> None:
    pack = a_pack(("soleil", "lune"), periods("quarter", DAY, 2))
    assert pack.rows == ("soleil", "lune", "rest", "category")
    assert pack.columns == ("2017-Q1", "2017-Q2", "whole")


def test_one_period_has_no_whole() -> None:
    assert a_pack(over=periods("year", DAY, 1)).columns == ("2017",)


@pytest.mark.parametrize(
    ("by", "labels", "end"),
    [
        ("day", ["2017-01-01", "2017-01-02"], date(2017, 1, 3)),
        ("week", ["2017-01-01/2017-01-07", "2017-01-08/2017-01-14"], date(2017, 1, 15)),
        ("4-weeks", ["2017-01-01/2017-01-28", "2017-01-29/2017-02-25"], date(2017, 2, 26)),
        ("13-weeks", ["2017-01-01/2017-04-01", "2017-04-02/2017-07-01"], date(2017, 7, 2)),
        ("month", ["2017-01", "2017-02"], date(2017, 3, 1)),
        ("quarter", ["2017-Q1", "2017-Q2"], date(2017, 7, 1)),
        ("year", ["2017", "2018"], date(2019, 1, 1)),
    ],
)
def test_periods_have_whole_lengths_and_labels(by: str, labels: list[str], end: date) -> None:
    built = periods(by, DAY, 2)
    assert [period.label for period in built] == labels
    assert built[-1].end == end


def test_a_quarter_can_cross_a_year_and_february_has_its_own_length() -> None:
    assert [p.label for p in periods("quarter", date(2019, 10, 1), 2)] == ["2019-Q4", "2020-Q1"]
    assert [p.days for p in periods("month", date(2020, 1, 1), 3)] == [31, 29, 31]


@given(st.sampled_from(PERIOD_KINDS), st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 40))
def test_periods_follow_each_other_without_gap(by: str, start: date, count: int) -> None:
    if not starts_well(by, start):
        with pytest.raises(BadInput, match="not the first day"):
            periods(by, start, count)
        return
    built = periods(by, start, count)
    assert built[0].start == start
    assert all(before.end == after.start for before, after in pairwise(built))
    assert len({period.label for period in built}) == count


@pytest.mark.parametrize(("by", "count"), [("fortnight", 1), ("week", 0), ("week", MAX_PERIODS + 1)])
def test_unknown_periods_and_numbers_are_refused(by: str, count: int) -> None:
    with pytest.raises(BadInput):
        periods(by, DAY, count)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"brands": ()}, "without a brand"),
        ({"brands": ("soleil", "soleil")}, "named twice"),
        ({"brands": ("rest",)}, "cannot be called"),
        ({"brands": ("",)}, "cannot be called"),
        ({"brands": tuple(f"b{n}" for n in range(MAX_BRANDS + 1))}, "too many"),
        ({"periods": ()}, "at least one period"),
        ({"periods": (Period(DAY, date(2017, 1, 8), "a"), Period(date(2017, 1, 7), date(2017, 1, 9), "b"))}, "overlap"),
        ({"periods": (Period(DAY, date(2017, 1, 8), "a"), Period(date(2017, 1, 8), date(2017, 1, 9), "a"))}, "same label"),
        ({"periods": (Period(DAY, DAY + timedelta(MAX_DAYS + 1), "long"),)}, "spans more"),
        ({"currency": "euro"}, "not a currency"),
        ({"supplier": ""}, "names its product"),
    ],
)
def test_a_wrong_pack_cannot_be_built(changes: dict[str, Any], what: str) -> None:
    given = {
        "product": "sales-pack/1",
        "supplier": "juterie",
        "category": CATEGORY,
        "brands": ("soleil",),
        "periods": periods("week", DAY, 2),
        "currency": "EUR",
    }
    with pytest.raises(BadInput, match=what):
        Pack(**(given | changes))


def test_a_pack_can_be_as_large_as_the_limit_and_no_larger() -> None:
    brands = tuple(f"b{n}" for n in range(MAX_BRANDS))
    columns = MAX_CELLS // (MAX_BRANDS + 2)
    assert len(a_pack(brands, periods("day", DAY, columns - 1)).columns) == columns
    with pytest.raises(BadInput, match="cells"):
        a_pack(brands, periods("day", DAY, columns))


@pytest.mark.parametrize(("end", "label"), [(DAY, "empty"), (DAY - timedelta(1), "backwards"), (date(2018, 1, 1), "whole")])
def test_a_wrong_period_cannot_be_built(end: date, label: str) -> None:
    with pytest.raises(BadInput):
        Period(DAY, end, label)


def test_a_pack_charges_every_year_that_it_touches_and_no_other() -> None:
    assert a_pack(over=periods("week", date(2016, 12, 31), 1)).years == (2016, 2017)
    assert a_pack(over=periods("year", DAY, 1)).years == (2017,)
    gap = (Period(date(2015, 3, 1), date(2015, 4, 1), "then"), Period(date(2017, 3, 1), date(2017, 4, 1), "now"))
    assert a_pack(over=gap).years == (2015, 2017)


def test_the_canonical_form_gives_the_pack_back() -> None:
    pack = a_pack(("soleil", "lune"))
    assert Pack.from_canonical(pack.canonical()) == pack
    with pytest.raises(BadInput, match="not a pack"):
        Pack.from_canonical(pack.canonical() | {"periods": [{"start": "soon"}]})


@dataclass(frozen=True)
class Supplier:
    id: str
    brands: tuple[str, ...]


def asked(**changes: Any) -> Pack:
    given: dict[str, Any] = {"by": "13-weeks", "start": DAY, "count": 3, "currency": "EUR", "brands": ("soleil",)}
    given |= changes
    supplier = cast(Any, Supplier("juterie", ("soleil", "lune")))
    return ask(a_product(), supplier, CATEGORY, given.pop("brands"), **given)


def test_a_supplier_asks_about_its_own_brands() -> None:
    assert asked(brands=("lune", "soleil")).rows == ("lune", "soleil", "rest", "category")
    with pytest.raises(BadInput, match=r"rival: not a brand of juterie\. Its brands are soleil, lune"):
        asked(brands=("soleil", "rival"))


def test_a_product_says_which_periods_it_has() -> None:
    with pytest.raises(BadInput, match="has no periods of kind 'day'"):
        asked(by="day")
    assert len(asked(by="week", count=13).periods) == 13
    with pytest.raises(BadInput, match="at most 13 periods"):
        asked(by="week", count=14)
