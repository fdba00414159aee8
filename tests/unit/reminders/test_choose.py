"""At most one reminder, and never what must not be said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.rhythms import NEEDS, histories, model, tables, weekly

from volens.errors import BadInput
from volens.reminders.model import COLD_TRIPS, Model, Reminder, choose
from volens.reminders.rhythm import Rhythm, fold

MODEL = model()
EVERYTHING = range(1 << 31)
MILK, BREAD, JUICE, WINE = 1, 2, 3, 4
HABITS = [(MILK, 10), (BREAD, 20), (JUICE, 30), (WINE, 40)]
LAST = 17000 + 7 * 9


def allowed(*not_these: int) -> np.ndarray:
    free = np.ones(NEEDS, bool)
    free[list(not_these)] = False
    return free


def ask(rhythm: Rhythm, basket: list[int], of: Model = MODEL, **more: Any) -> Reminder | None:
    given = {"allowed": allowed(WINE), "sold": EVERYTHING, "today": LAST + 7} | more
    return choose(of, rhythm, np.array(basket, np.int32), **given)


HER = fold(histories([*weekly(HABITS, 8), *weekly([(MILK, 10), (JUICE, 31), (BREAD, 20)], 2, 17000 + 56, 2000)]))


def test_what_is_missing_is_named_with_why() -> None:
    found = ask(HER, [MILK, BREAD])
    assert found is not None
    assert (found.need, found.product, found.others) == (JUICE, 30, (31,))
    assert (found.bought_in, found.of_last, found.every_days, found.last_days) == (10, 10, 7, 7)
    assert 0 < found.chance <= 1


def test_what_is_in_the_basket_is_not_missing() -> None:
    assert ask(HER, [MILK, BREAD, JUICE]) is None


def test_what_is_sensitive_is_never_named_though_it_is_the_strongest_habit() -> None:
    drinker = fold(histories(weekly([(WINE, 40), (MILK, 10)], 10)))
    assert ask(drinker, [MILK]) is None
    assert ask(drinker, [MILK], allowed=allowed()) is not None, "it is the list alone that keeps it quiet"


def test_what_is_sold_out_gives_way_to_her_next_product_then_to_silence() -> None:
    second = ask(HER, [MILK, BREAD], sold={31})
    assert second is not None
    assert (second.product, second.others) == (31, ())
    assert ask(HER, [MILK, BREAD], sold=frozenset()) is None


def test_what_was_refused_or_said_is_not_said_again() -> None:
    assert ask(HER, [MILK, BREAD], refused={JUICE}) is None
    assert ask(HER, [MILK, BREAD], said={JUICE}) is None
    other = ask(HER, [BREAD], refused={JUICE})
    assert other is not None
    assert other.need == MILK


def test_what_something_of_its_kind_stands_in_for_is_not_missing() -> None:
    category = np.arange(NEEDS)
    category[[JUICE, 5]] = 0
    of = model(tables(category=category.tolist()))
    assert ask(HER, [MILK, BREAD, 5], of) is None, "other juice is in the basket"
    both = fold(histories(weekly([*HABITS, (5, 50)], 10)))
    beside = ask(both, [MILK, BREAD, 5], of)
    assert beside is not None, "she buys the two side by side"
    assert beside.need == JUICE


def test_who_is_new_hears_nothing() -> None:
    for weeks in range(COLD_TRIPS):
        assert ask(fold(histories(weekly(HABITS, weeks))), [MILK]) is None
    assert ask(fold(histories(weekly(HABITS, COLD_TRIPS))), [MILK]) is not None


def test_where_nothing_is_a_habit_nothing_popular_is_said() -> None:
    one_offs = fold(histories([(n, 17000 + 7 * n, 600, [(n, n)]) for n in range(12)]))
    known = tables(histories(weekly([(n, n) for n in range(12)], 30)))
    assert ask(one_offs, [20], model(known)) is None


def test_an_empty_or_an_unknown_basket_is_no_reason_to_fail() -> None:
    assert ask(HER, []) is None
    assert ask(HER, [30_000, -4, JUICE, MILK, BREAD]) is None


def test_a_threshold_silences_what_is_less_certain() -> None:
    said = ask(HER, [MILK, BREAD])
    assert said is not None
    assert ask(HER, [MILK, BREAD], threshold=said.chance) == said
    assert ask(HER, [MILK, BREAD], threshold=np.nextafter(said.chance, 1)) is None


def test_a_list_of_another_length_is_an_error_not_a_guess() -> None:
    with pytest.raises(BadInput):
        ask(HER, [MILK], allowed=np.ones(NEEDS - 1, bool))


@given(
    st.lists(st.lists(st.integers(0, NEEDS - 1), min_size=1, max_size=10), min_size=5, max_size=25),
    st.sets(st.integers(0, NEEDS - 1), min_size=1, max_size=8),
    st.sets(st.integers(0, NEEDS - 1)), st.sets(st.integers(0, NEEDS - 1)), st.sets(st.integers(0, NEEDS - 1)),
    st.sets(st.integers(0, NEEDS - 1)),
)  # fmt: skip
@settings(deadline=None, max_examples=200)
def test_never_what_is_sensitive_sold_out_refused_said_or_there(
    trips: list[list[int]], basket: set[int], sensitive: set[int], gone: set[int], refused: set[int], said: set[int]
) -> None:
    rhythm = fold(histories([(n, 17000 + 3 * n, 600, [(i, 100 + i) for i in trip]) for n, trip in enumerate(trips)]))
    sold = {100 + i for i in range(NEEDS)} - {100 + i for i in gone}
    more = {"allowed": allowed(*sensitive), "sold": sold, "refused": refused, "said": said, "today": 17000 + 90}
    found = ask(rhythm, sorted(basket), **more)
    assert found == ask(rhythm, sorted(basket, reverse=True), **more), "the same question, the same answer"
    if found is not None:
        assert found.need not in basket | sensitive | gone | refused | said
        assert {found.product, *found.others} <= sold
        assert sum(found.need in trip for trip in trips) >= 3


def test_a_model_is_the_same_after_bytes_and_damaged_ones_are_refused() -> None:
    data = MODEL.to_bytes()
    assert Model.from_bytes(data).to_bytes() == data
    for place in (0, 5, 40, len(data) // 2, len(data) - 1):
        with pytest.raises(BadInput):
            Model.from_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with pytest.raises(BadInput):
        Model.from_bytes(HER.to_bytes())


def test_trees_that_would_not_end_are_refused() -> None:
    with pytest.raises(BadInput):
        replace(MODEL.which, left=np.zeros_like(MODEL.which.left))
    with pytest.raises(BadInput):
        replace(MODEL, which=replace(MODEL.which, feature=MODEL.which.feature + 100))
