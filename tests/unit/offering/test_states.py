"""States as data: whatever is not in the tables cannot happen, pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from volens.errors import NotNow
from volens.offering.workflow import (
    CLOSED,
    COUNTRY_MOVES,
    ENDED,
    FORCE,
    LAUNCHED,
    REPLACED,
    RESUMING,
    SUSPENDED,
    TAKING_PART,
    VERSION_MOVES,
    check_country,
    check_version,
)  # fmt: skip


@pytest.mark.parametrize(("start", "to"), list(product(VERSION_MOVES, repeat=2)))
def test_a_version_moves_as_the_table_says(start: str, to: str) -> None:
    if to in VERSION_MOVES[start]:
        check_version("x", 1, start, to)
    else:
        with pytest.raises(NotNow, match="next number"):
            check_version("x", 1, start, to)


@pytest.mark.parametrize(("start", "to"), list(product(COUNTRY_MOVES, repeat=2)))
def test_a_country_moves_as_the_table_says(start: str, to: str) -> None:
    if to in COUNTRY_MOVES[start]:
        check_country("x", "FR", start, to)
    else:
        with pytest.raises(NotNow, match=f"{start} in FR"):
            check_country("x", "FR", start, to)


def test_nothing_leads_out_of_an_end_and_every_state_is_reached() -> None:
    assert COUNTRY_MOVES[ENDED] == VERSION_MOVES[REPLACED] == TAKING_PART["ended"] == frozenset()
    assert COUNTRY_MOVES[SUSPENDED] == {RESUMING, ENDED}, "nobody opens it again alone"
    assert VERSION_MOVES[FORCE] == {REPLACED}, "what is in force is not changed"
    for moves, first in ((COUNTRY_MOVES, CLOSED), (VERSION_MOVES, "proposed"), (TAKING_PART, "open")):
        reached = {first}.union(*moves.values())
        assert reached == set(moves)
    assert COUNTRY_MOVES[CLOSED] == {LAUNCHED}
