"""A rhythm is what its receipts make it, one by one or all at once, and nothing else."""

from __future__ import annotations

import zlib
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.rhythms import Receipt, histories, weekly

from volens.errors import BadInput
from volens.reminders import kernels as k
from volens.reminders.rhythm import Again, Rhythm, empty, fold, update

lines = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 90)), min_size=1, max_size=12)
receipts = st.lists(
    st.tuples(st.integers(-(2**62), 2**62), st.integers(17000, 17400), st.integers(0, 1439), lines),
    max_size=40,
    unique_by=lambda receipt: receipt[0],
)


def put(rhythm: Rhythm, receipt: Receipt) -> Rhythm:
    key, day, minute, of = receipt
    needs, products = (np.array(column, np.int32) for column in zip(*of, strict=True))
    after = update(rhythm, key, day, minute, needs, products)
    assert isinstance(after, Rhythm)
    return after


def in_order(some: list[Receipt]) -> list[Receipt]:
    return sorted(some, key=lambda receipt: (receipt[1], receipt[2], receipt[0]))


@given(receipts)
@settings(deadline=None, max_examples=150)
def test_all_at_once_is_one_by_one_to_the_bit(some: list[Receipt]) -> None:
    one_by_one = reduce(put, in_order(some), empty())
    assert fold(histories(some)) == one_by_one
    assert fold(histories(some)).to_bytes() == one_by_one.to_bytes()


@given(receipts.filter(len), st.data())
@settings(deadline=None, max_examples=100)
def test_without_a_receipt_it_is_as_if_that_had_never_been(some: list[Receipt], data: Any) -> None:
    gone = data.draw(st.sampled_from(some))
    left = [receipt for receipt in some if receipt is not gone]
    assert fold(histories(left)) == reduce(put, in_order(left), empty())


@given(receipts.filter(len))
@settings(deadline=None, max_examples=100)
def test_the_same_receipt_counts_once(some: list[Receipt]) -> None:
    done = reduce(put, in_order(some), empty())
    assert put(done, in_order(some)[-1]) is done


def test_who_comes_late_or_brings_back_is_folded_again() -> None:
    rhythm = fold(histories(weekly([(3, 30)], 4)))
    one = np.array([3], np.int32)
    assert update(rhythm, 1, 17000, 599, one, one) is Again.LATE
    assert update(rhythm, 1, 18000, 600, one, one, returned=True) is Again.LATE


def test_a_receipt_older_than_all_that_are_remembered_is_late_not_counted_twice() -> None:
    some = weekly([(3, 30)], k.KEYS + 5)
    rhythm = fold(histories(some))
    key, day, minute, _ = some[0]
    assert update(rhythm, key, day, minute, np.array([3], np.int32), np.array([30], np.int32)) is Again.LATE


def test_receipts_within_two_hours_are_one_trip() -> None:
    near = fold(histories([(1, 17000, 600, [(3, 30)]), (2, 17000, 720, [(4, 40), (3, 31)])]))
    far = fold(histories([(1, 17000, 600, [(3, 30)]), (2, 17000, 721, [(4, 40), (3, 31)])]))
    assert (near.trips, far.trips) == (1, 2)
    assert near.table[k.COUNT, :2].tolist() == [1, 1]
    assert near.table[k.TRIP_SIZES, :2].tolist() == [2, 2]
    assert far.table[k.COUNT, :2].tolist() == [2, 1]


def test_a_bulk_purchase_is_one_need() -> None:
    rhythm = fold(histories([(1, 17000, 600, [(3, 30)] * 40)]))
    assert rhythm.table[k.COUNT, 0] == 1
    assert rhythm.weights[1, 0] == 1


def test_what_was_brought_back_was_never_bought() -> None:
    from volens.reminders.histories import gather

    kept = gather([7, 7], [1, 2], [17000, 17007], [600, 600], [3, 4], [30, 40], [1, 1])
    returned = gather([7] * 4, [1, 2, 2, 3], [17000, 17007, 17007, 17009], [600] * 4, [3, 4, 5, 5], [30, 40, 50, 50], [1, 1, 2, -2])
    assert fold(returned) == fold(kept)
    some_left = gather([7] * 3, [1, 2, 3], [17000, 17007, 17009], [600] * 3, [3, 5, 5], [30, 50, 50], [1, 2, -1])
    assert fold(some_left).needs.tolist() == [3, 5]


def test_bounds_hold_and_the_least_bought_goes() -> None:
    habit = weekly([(0, 1)], 8)
    crowd = [(5000 + n, 17100 + n, 600, [(10 * n + i + 1, 1) for i in range(10)]) for n in range(k.NEEDS // 10 + 4)]
    rhythm = fold(histories([*habit, *crowd]))
    assert len(rhythm.needs) == k.NEEDS
    assert 0 in rhythm.needs, "a habit stays"
    assert 1 not in rhythm.needs, "bought once, longest ago"
    assert crowd[-1][3][0][0] in rhythm.needs


def test_a_basket_of_ten_thousand_lines_and_a_hundred_trips_stay_within_bounds() -> None:
    huge = [(n, 17000 + n, 600, [(i, i) for i in range(10_000 if n == 3 else 30)]) for n in range(100)]
    rhythm = fold(histories(huge))
    assert rhythm.trips == 100
    assert rhythm.whole[k.N_RING] <= k.TRIPS
    assert rhythm.ring[rhythm.whole[k.N_RING]] <= k.LINES
    assert rhythm.table[k.TRIP_SIZES].max() <= k.TRIP_NEEDS + 99 * 30
    assert len(rhythm.to_bytes()) < 20_000
    assert reduce(put, huge, empty()) == rhythm


@given(receipts)
@settings(deadline=None, max_examples=100)
def test_bytes_give_the_same_rhythm_back(some: list[Receipt]) -> None:
    rhythm = fold(histories(some))
    assert Rhythm.from_bytes(rhythm.to_bytes()) == rhythm


def test_damaged_bytes_are_refused_wherever_the_damage_is() -> None:
    data = fold(histories(weekly([(3, 30), (4, 40)], 5))).to_bytes()
    for place in range(len(data)):
        with pytest.raises(BadInput):
            Rhythm.from_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        with pytest.raises(BadInput):
            Rhythm.from_bytes(data[:place])
    with pytest.raises(BadInput, match=r"Fold it again"):
        Rhythm.from_bytes(data + b"\0")


@given(st.binary(max_size=60), st.integers(0, 400))
@settings(deadline=None, max_examples=300)
def test_bytes_with_a_right_checksum_that_say_nonsense_are_refused_or_a_rhythm(patch: bytes, at: int) -> None:
    body = bytearray(fold(histories(weekly([(3, 30), (4, 40)], 5))).to_bytes()[:-4])
    body[at : at + len(patch)] = patch
    try:
        rhythm = Rhythm.from_bytes(bytes(body) + zlib.crc32(body).to_bytes(4, "little"))
    except BadInput:
        return
    assert len(rhythm.needs) <= k.NEEDS


def test_lines_that_are_no_need_leave_no_trace() -> None:
    rhythm = fold(histories(weekly([(3, 30)], 4)))
    unknown = np.array([-1, -1], np.int32)
    assert update(rhythm, 99, 18000, 600, unknown, unknown) is rhythm
    mixed = update(rhythm, 99, 18000, 600, np.array([4, -1], np.int32), np.array([-7, 50], np.int32))
    assert isinstance(mixed, Rhythm)
    assert mixed == put(rhythm, (99, 18000, 600, [(4, -7)]))


def test_a_receipt_with_an_impossible_time_is_refused() -> None:
    one = np.array([3], np.int32)
    for day, minute in ((-1, 0), (65_536, 0), (17000, 1440), (17000, -1)):
        with pytest.raises(BadInput):
            update(empty(), 1, day, minute, one, one)
