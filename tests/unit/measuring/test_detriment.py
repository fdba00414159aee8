"""No is free: the same thing at the same time in the same shop, and a word only where it is shown."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.panel import lines

from volens.errors import BadInput
from volens.measuring.detriment import CELLS_MIN, PEOPLE_MIN, Finding, Lines, detriment


def test_equal_prices_are_shown_to_be_equal() -> None:
    found = detriment(lines())
    assert found.shelf.value.value == pytest.approx(1.0, abs=1e-6)
    assert found.shelf.finding is Finding.SAME
    assert found.paid.finding is Finding.SAME
    assert not found.fault


def test_a_dearer_shelf_is_a_fault() -> None:
    found = detriment(lines(dearer=1.03))
    assert found.shelf.value.value == pytest.approx(1.03, abs=0.001)
    assert found.shelf.finding is Finding.MORE
    assert found.fault


def test_a_discount_of_ones_own_that_was_lost_is_seen_and_is_no_dearer_shelf() -> None:
    found = detriment(lines(lost=0.05))
    assert found.shelf.finding is Finding.SAME
    assert found.paid.finding is Finding.MORE
    assert not found.fault


def test_too_little_to_tell_is_not_called_equal() -> None:
    found = detriment(lines(people=160, each=25, noisy=1.0))
    assert found.shelf.finding is Finding.UNKNOWN


def test_within_the_margin_is_the_same_though_it_differs() -> None:
    """Half a per cent, known to the hundredth: the margin was declared before, and this is inside it."""
    assert detriment(lines(dearer=1.005)).shelf.finding is Finding.SAME
    assert detriment(lines(dearer=1.005), 2).shelf.finding is Finding.MORE


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100))
def test_different_baskets_are_no_different_prices(seed: int) -> None:
    """People who refuse buy dear things only; the ratio does not notice."""
    whole = lines(seed)
    kept = ~whole.refuses | (whole.product > 15)
    found = detriment(Lines(*(column[kept] for column in vars(whole).values())))
    assert found.shelf.value.value == pytest.approx(1.0, abs=1e-6)


def test_what_only_one_side_bought_is_in_no_figure() -> None:
    whole = lines()
    alone = np.where(whole.refuses, whole.product, whole.product + 1000)
    shared = np.where(whole.product < 25, whole.product, alone)
    found = detriment(dataclasses.replace(whole, product=shared))
    assert found.left_out == int((whole.product >= 25).sum())
    assert found.cells == 25 * 3 * 4


def test_few_people_or_few_things_are_no_figure() -> None:
    with pytest.raises(BadInput, match=f"{PEOPLE_MIN - 1} people who refuse"):
        detriment(lines(people=3 * (PEOPLE_MIN - 1)))
    detriment(lines(people=3 * PEOPLE_MIN - 2))
    whole = lines()
    few = whole.product < 8
    assert 8 * 12 < CELLS_MIN <= 9 * 12
    with pytest.raises(BadInput, match="96 things"):
        detriment(Lines(*(column[few] for column in vars(whole).values())))


def test_one_persons_many_lines_are_one_person() -> None:
    """Everybody's lines written twice say nothing new: the interval stays as wide as it was."""
    once = lines(noisy=0.3)
    twice = Lines(*(np.concatenate([column, column]) for column in vars(once).values()))
    assert detriment(twice).shelf.value.error == pytest.approx(detriment(once).shelf.value.error)


@pytest.mark.parametrize("margin", [0, 101])
def test_a_margin_that_says_nothing_is_refused(margin: int) -> None:
    with pytest.raises(BadInput):
        detriment(lines(), margin)


def test_returns_are_not_prices() -> None:
    whole = lines()
    with pytest.raises(ValueError, match="returns"):
        dataclasses.replace(whole, quantity=whole.quantity * 0)
