"""The fast engine's short cuts, each against the long way."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap
from tests.privacy.builders import SCHEMA, a_pack, a_plan, keys, opened, store
from tests.reference import pack as reference

from volens.engines import blocks, clipping, polars_engine
from volens.engines.blocks import between, firsts, sorted_with_place
from volens.engines.clipping import Bounded
from volens.engines.polars_engine import PolarsEngine
from volens.engines.vectors import Entries
from volens.errors import Tampered
from volens.insights.measures import ONE, MeasurePlan
from volens.insights.pack import periods
from volens.purchases.datafiles import CUSTOMERS, CUSTOMERS_ARE

START = date(2017, 1, 29)
ROWS = {1: "soleil", 2: "rest", 3: "rest"}
whole = st.integers(0, 2**62)


def lines(count: int, seed: int = 3) -> list[dict[str, Any]]:
    """Lines whose receipts are torn apart, with returns, other currencies, other days and customers that cannot be."""
    draw = np.random.default_rng(seed)
    return [
        {
            "customer": int(draw.integers(-3, 60)),
            "basket": int(draw.integers(1, 9)) - (2**62 if draw.random() < 0.1 else 0),
            "product": int(draw.integers(-1, 6)),
            "day": START + timedelta(days=int(draw.integers(-3, 30))),
            "quantity": int(draw.integers(-2, 9)) * 1000,
            "amount": int(draw.integers(-200, 900)),
            "currency": "CHF" if draw.random() < 0.1 else "EUR",
        }
        for _ in range(count)
    ]


@pytest.mark.parametrize("buckets", [1, 2, 3, 8])
@pytest.mark.parametrize("selective", [0.0, 2.0])
def test_both_ways_of_reading_give_the_reference(
    buckets: int, selective: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polars_engine, "SELECTIVE", selective)
    some, permitted = lines(400), {number for number in range(60) if number % 3}
    plan = a_plan(a_pack(("soleil",), periods("week", START, 3)))
    expected = reference.exact(some, permitted, plan, ROWS)
    sums = PolarsEngine().bounded_sums(opened(plan, permitted, store(some, tmp_path, buckets)), plan, keys(ROWS, plan.pack))
    assert {name: vector.tolist() for name, vector in sums.sums.items()} == expected[0]
    assert dict(sums.loss) == expected[1]
    assert set(sums.seen) == expected[2]


def test_without_statistics_every_line_is_looked_at(tmp_path: Path) -> None:
    plan = a_plan(a_pack(("soleil",), periods("week", START, 3)))
    some, permitted = lines(300), set(range(60))
    expected = reference.exact(some, permitted, plan, ROWS)
    files = store(some, tmp_path, 2)
    for part in files:
        for path in part.paths:
            pq.write_table(pq.read_table(path, schema=SCHEMA), path, write_statistics=False)
    sums = PolarsEngine().bounded_sums(opened(plan, permitted, files), plan, keys(ROWS, plan.pack))
    assert {name: vector.tolist() for name, vector in sums.sums.items()} == expected[0]
    assert set(sums.seen) == expected[2]


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=50), st.sampled_from([0, 2**40, 2**61]))
def test_a_sort_of_plain_numbers_keeps_the_order_of_equal_ones(words: list[int], above: int) -> None:
    """Also where number and place do not fit in one word together."""
    given_words = np.asarray(words, dtype=np.int64) + above
    found, place = sorted_with_place(given_words)
    assert place.tolist() == np.argsort(given_words, kind="stable").tolist()
    assert found.tolist() == sorted(given_words.tolist())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-(2**40), 2**40)), min_size=1, max_size=40))
def test_sums_of_blocks_are_right_though_running_totals_wrap_around(pairs: list[tuple[int, int]]) -> None:
    pairs.sort(key=lambda pair: pair[0])
    key = np.asarray([pair[0] for pair in pairs])
    # The first block brings the running total to the edge of 64 bits.
    values = np.asarray([2**63 - 1, *(pair[1] for pair in pairs)])
    first = np.concatenate([[0], firsts(key) + 1])
    expected = [2**63 - 1] + [sum(value for other, value in pairs if other == one) for one in sorted(set(key.tolist()))]
    assert between(values, first).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(
    cap=st.integers(1, 30_000),
    slack=st.integers(0, 30_000),
    values=st.lists(st.integers(1, 2**38), min_size=1, max_size=30),
    radius=st.integers(1, 4 * ONE),
    limit=st.sampled_from([0, ONE // 3, 8 * ONE]),
)
def test_a_division_that_is_looked_up_is_the_division(
    cap: int, slack: int, values: list[int], radius: int, limit: int
) -> None:
    measure = MeasurePlan("units", ("own", "rest"), ("p", "q"), (cap, 7), (cap + slack, 9), radius, 10, limit, 5 if limit else 0)
    count = len(values)
    entries = Entries(np.arange(count) // 4, np.arange(count) % 4, np.asarray(values))
    results = []
    for largest in (0, 1 << 40):
        clipping.LARGEST_TABLE, before = largest, clipping.LARGEST_TABLE
        try:
            sums = np.zeros(4, dtype=np.int64)
            lost = Bounded(measure).add([entries], count, sums)
        finally:
            clipping.LARGEST_TABLE = before
        results.append((sums.tolist(), lost))
    assert results[0] == results[1]


def test_sums_beyond_what_a_double_holds_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    cell, kept = np.arange(1_000) % 3, np.full(1_000, ONE)
    at_once = clipping._summed(cell, kept, 3)
    monkeypatch.setattr(clipping, "EXACT_ADDITIONS", 7)
    assert clipping._summed(cell, kept, 3).tolist() == at_once.tolist() == [334 * ONE, 333 * ONE, 333 * ONE]


def test_blocks_begin_where_values_change() -> None:
    assert blocks.firsts(np.asarray([4, 4, 5, 5, 4])).tolist() == [0, 2, 4]


def stating(files: Any, of: Callable[[set[int]], set[int]] = lambda customers: customers) -> None:
    """Gives files the footers that the purchases table writes; `of` says whom they state."""
    for part in files:
        for path in part.paths:
            table = pq.read_table(path, schema=SCHEMA)
            customers = BitMap(of(set(table["customer"].to_pylist())))
            said = {CUSTOMERS: base64.b64encode(customers.serialize()), CUSTOMERS_ARE: b"0/1"}
            pq.write_table(table.replace_schema_metadata(said), path)


@pytest.mark.parametrize("buckets", [1, 2, 3])
def test_whom_files_state_is_whom_their_lines_show(buckets: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polars_engine, "SELECTIVE", 2.0)
    some, permitted = [line for line in lines(400) if line["customer"] >= 0], set(range(0, 60, 2))
    plan = a_plan(a_pack(("soleil",), periods("week", START, 3)))
    expected = reference.exact(some, permitted, plan, ROWS)
    files = store(some, tmp_path, buckets)
    stating(files)
    sums = PolarsEngine().bounded_sums(opened(plan, permitted, files), plan, keys(ROWS, plan.pack))
    assert {name: vector.tolist() for name, vector in sums.sums.items()} == expected[0]
    assert dict(sums.loss) == expected[1]
    assert set(sums.seen) == expected[2]


@pytest.mark.parametrize("kept", [{1}, {1, 7}, {1, 2, 3, 4}, {1, 2, 9}])
def test_a_line_of_somebody_whom_its_file_does_not_state_stops_the_sum(
    kept: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polars_engine, "SELECTIVE", 2.0)
    plan = a_plan(a_pack(("soleil",), periods("week", START, 3)))
    line = {"basket": 1, "product": 1, "day": START, "quantity": 1000, "amount": 250, "currency": "EUR"}
    files = store([{**line, "customer": number} for number in (1, 2, 3, 9)], tmp_path, 1)
    stating(files, lambda _: kept)
    with pytest.raises(Tampered, match="does not state"):
        PolarsEngine().bounded_sums(opened(plan, range(1, 10), files), plan, keys(ROWS, plan.pack))
