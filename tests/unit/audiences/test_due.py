"""Who is due: each customer's own average gap, in whole days."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.audience import TODAY, Town, definition, settle
from tests.support.house import Line, sell

from volens.audiences.due import _due

DAY = 20_000


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("due")
    made = settle(folder)
    rhythm = {1: (70, 50, 30, 10), 2: (70, 50, 30, 28), 3: (100, 90, 80), 4: (20, 10), 5: (60, 40, 20, 1), 6: (40, 20, 0)}
    sell(made.house, folder / "more", [Line(card, TODAY - ago, "S1") for card, each in rhythm.items() for ago in each], "more.csv")
    yield made
    made.house.close()


def due(town: Town, within: int) -> set[int]:
    who = {"due": {"of": {"categories": ["savons"]}, "within": within}}
    audiences = town.house.audiences
    one = definition(audience=f"due-{within}", who=who)
    assert audiences.check(one).refusals == ()
    chosen = audiences._building.choose(one, "a test")
    numbers = {town.number(card): card for card in range(1, 7)}
    return {numbers[customer] for customer in chosen.members}


def test_who_is_due_within_days(town: Town) -> None:
    """1 buys every 20 days, 2 every 14 and is late; 3 has stopped; 4 has no rhythm; 5 was there yesterday, 6 today."""
    assert due(town, 1) == {2}
    assert due(town, 10) == {1, 2}
    assert due(town, 20) == {1, 2, 5, 6}


def test_whoever_says_no_is_not(town: Town) -> None:
    town.say(1)
    assert due(town, 20) == {2, 5, 6}
    town.say(1, "given")


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True), st.integers(1, 90))
def test_as_one_would_reckon_it_by_hand(ago: list[int], within: int) -> None:
    days = sorted(DAY - one for one in ago)
    found = _due(np.full(len(days), 7), np.array(days), DAY, within)
    if len(days) < 3:
        assert not len(found)
        return
    gap = (days[-1] - days[0]) / (len(days) - 1)
    expected = days[-1] + gap <= DAY + within + 1e-9 and DAY - days[-1] <= 2 * gap + 1e-9
    assert (list(found) == [7]) == expected
