"""What is learned from everybody: additive, blind to the future and to few, the same each time."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from benchmarks.journey import day, read
from tests.support.rhythms import NEEDS, histories, tables, weekly

from volens.errors import BadInput
from volens.reminders.boosting import Settings, _learn, learn_whether, learn_which
from volens.reminders.histories import Histories, gather
from volens.reminders.questions import FULL_BASKET, NO_BASKET, ask
from volens.reminders.tables import PAIR_CUSTOMERS, count, learn, nothing
from volens.reminders.training import platt, train

CATEGORY, ALLOWED = np.arange(NEEDS, dtype=np.int32), np.ones(NEEDS, bool)
FIRST = 17000


def crowd(people: int, weeks: int = 10, seed: int = 1, needs: int = NEEDS) -> Histories:
    """Customers who each buy mostly their own habits."""
    draw = np.random.default_rng(seed)
    rows = []
    for who in range(people):
        habits = draw.choice(needs, 12, replace=False)
        for week in range(weeks):
            for need in habits[draw.random(12) < 0.8]:
                rows.append((who, who * 1000 + week, FIRST + 7 * week + who % 5, 600, need, 100 + need, 1))
    return gather(*np.array(rows).T)


def test_counts_of_buckets_add_up_to_those_of_all() -> None:
    everybody = crowd(30)
    at_once, added = nothing(NEEDS), nothing(NEEDS)
    count(at_once, everybody, FIRST + 50)
    for bucket in range(3):
        part = nothing(NEEDS)
        count(part, everybody.some(np.flatnonzero(everybody.customer % 3 == bucket)), FIRST + 50)
        added.add(part)
    for field in fields(at_once):
        assert np.array_equal(getattr(at_once, field.name), getattr(added, field.name)), field.name


def test_counts_say_what_they_say() -> None:
    counts = nothing(NEEDS)
    her = histories([(1, 100, 0, [(1, 1), (2, 2)]), (2, 110, 0, [(2, 2)]), (3, 130, 0, [(1, 1)]), (4, 137, 0, [(3, 1)])])
    count(counts, her, 138)
    assert counts.trips.tolist() == [4, 3, 1, 1]
    assert (counts.buyers[1], counts.again[1], counts.waited[1], counts.waited_days[1], counts.waited_trips[1]) == (1, 1, 3, 30, 2)
    assert (counts.season[2], counts.season_before[2], counts.week[3]) == (1, 1, 1)
    assert (counts.together[1, 2], counts.together[2, 1], counts.together[1, 1], counts.pair_customers[1, 2]) == (1, 1, 2, 1)


def test_a_pair_of_fewer_than_twenty_customers_is_in_no_table() -> None:
    def pairs(people: int) -> set[tuple[int, int]]:
        counts = nothing(NEEDS)
        for who in range(people):
            count(counts, histories([(who * 100 + n, FIRST + n, 0, [(1, 1), (2, 2)]) for n in range(9)], who), FIRST + 50)
        for who in range(100, 130):  # enough buyers of each, none of both
            count(counts, histories([(who * 100 + n, FIRST + n, 0, [(1 + n % 2, 1)]) for n in range(9)], who), FIRST + 50)
        made = learn(counts, CATEGORY)
        return {(int(j), int(i)) for j in range(NEEDS) for i in made.other[made.of_need[j] : made.of_need[j + 1]]}

    assert (1, 2) not in pairs(PAIR_CUSTOMERS - 1)
    assert (1, 2) in pairs(PAIR_CUSTOMERS)


def test_tables_of_a_day_know_nothing_of_that_day_or_later() -> None:
    everybody, today = crowd(40), FIRST + 40
    known, cut = nothing(NEEDS), nothing(NEEDS)
    count(known, everybody, today)
    count(cut, everybody.before(today), today + 10_000)
    assert np.array_equal(known.together, cut.together)
    assert np.array_equal(known.again, cut.again)


def test_a_question_is_the_same_when_the_future_is_deleted() -> None:
    """On households of the real panel: each description before a trip needs nothing of that trip or after."""
    panel = read(only=[20, 60, 100])
    of = tables_of(panel.histories, panel.category)
    begin = day("2017-11-06")
    asked = ask(panel.histories, of, panel.allowed, begin, begin + 28, 2)
    assert len(asked.right) > 5
    for today in range(begin, begin + 28):
        one_day = ask(panel.histories, of, panel.allowed, today, today + 1, 2)
        cut = ask(panel.histories.before(today + 1), of, panel.allowed, today, today + 1, 2)
        assert np.array_equal(one_day.x, cut.x)
        assert np.array_equal(one_day.need, cut.need)


def tables_of(some: Histories, category: np.ndarray) -> object:
    counts = nothing(len(category))
    count(counts, some, day("2017-11-06"))
    return learn(counts, category)


def test_a_question_takes_out_a_habit_and_only_one() -> None:
    her = histories(weekly([(n, n) for n in range(9)], 6))
    asked = ask(her, tables(), ALLOWED, FIRST, FIRST + 100, 4)
    assert len(asked.right) == 4 * 3, "the first three weeks nothing is a habit"
    assert np.array_equal(asked.need[asked.right], asked.removed)
    assert np.diff(asked.starts).tolist() == [1] * 12, "all others are in the basket"
    assert not len(ask(her, tables(), ALLOWED, FIRST, FIRST + 100, FULL_BASKET).need)
    assert len(ask(her, tables(), ALLOWED, FIRST, FIRST + 100, NO_BASKET).need) == 9 * 3


def test_trees_find_what_there_is_to_find_and_serve_what_they_learned() -> None:
    draw = np.random.default_rng(3)
    x = draw.random((4000, 5)).astype(np.float32)
    so = x[:, 1] + (x[:, 3] > 0.5) > 0.9
    trees = learn_whether(x, so, Settings(30, 8, 0.3))
    assert ((trees.scores(x) > 0) == so).mean() > 0.97
    starts = np.arange(0, 4001, 10)
    right = starts[:-1] + np.array([np.argmax(x[b : b + 10, 2]) for b in starts[:-1]])
    which = learn_which(x, starts, right, Settings(60, 8, 0.3))
    best = starts[:-1] + np.array([np.argmax(which.scores(x)[b : b + 10]) for b in starts[:-1]])
    assert (best == right).mean() > 0.85


def test_flat_trees_give_exactly_what_was_learned() -> None:
    draw = np.random.default_rng(4)
    x = np.round(draw.random((3000, 4)), 1).astype(np.float32)  # many equal values, on the edges
    kept: list[np.ndarray] = []

    def slope(score: np.ndarray, g: np.ndarray, h: np.ndarray) -> None:
        kept.append(score.copy())
        g[:], h[:] = score - x[:, 0] * x[:, 1], 1

    first = _learn(x, Settings(20, 7, 0.3), slope)
    again = _learn(x, Settings(21, 7, 0.3), slope)  # its last round is asked with the scores of twenty
    assert np.array_equal(first.scores(x), kept[-1])
    assert np.array_equal(again.value[: len(first.value)], first.value)


def test_a_tree_with_too_many_leaves_to_strike_out_is_refused() -> None:
    x = np.arange(4000, dtype=np.float32)[:, None] / 4000
    with pytest.raises(BadInput, match="leaves"):
        learn_whether(x, np.arange(4000) % 100 < 50, Settings(1, 40, 0.3, least_weight=0.1)).scores(x)


def test_a_fitted_line_finds_the_chances() -> None:
    draw = np.random.default_rng(5)
    odds = draw.normal(size=40_000)
    so = draw.random(40_000) < 1 / (1 + np.exp(-(0.7 * odds - 1)))
    assert platt(odds, so) == pytest.approx([0.7, -1], abs=0.05)


def test_the_same_purchases_give_the_same_model_to_the_bit_in_any_number_of_buckets() -> None:
    everybody = crowd(60, weeks=30)

    def model(parts: int) -> bytes:
        buckets = [everybody.some(part) for part in np.array_split(np.arange(60), parts)]
        return train(lambda: buckets, CATEGORY, ALLOWED, FIRST + 210, weeks=16).to_bytes()

    assert model(1) == model(1) == model(3)


def test_too_little_to_learn_from_is_said() -> None:
    with pytest.raises(BadInput, match="too few"):
        train(lambda: [crowd(3)], CATEGORY, ALLOWED, FIRST + 70, weeks=10)
    with pytest.raises(BadInput):
        nothing(0)


def test_customers_are_given_back_one_by_one() -> None:
    everybody = crowd(10)
    assert everybody.one(99).need.tolist() == []
    for who in range(10):
        one = everybody.one(who)
        assert one.customer.tolist() == [who]
        assert set(one.key // 1000) == {who}
    assert replace(everybody).before(0).customer.tolist() == list(range(10))
