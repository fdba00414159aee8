"""Everything that can happen to a house, as operations that a history is made of.

To add one (in a module `tests/support/operations_<matter>.py`, which is found by its name):

    @operation("linking", st.tuples(PLACES, PLACES), marks=("linking: the stricter word counted",))
    def link(world, one, other):
        world.…                     # through the real stations
        …                           # and in plain Python: world.history, world.till, what customer_of_card() says

    STORIES["two cards of one person"] = [("choice", (…)), ("linking", (0, 1))]

Arguments are plain values, so that a failing history can be read and written down. The run fails when an operation, a kind
of choice or a mark was never tried: add a story in which it is. Time, choices and everything else are judged at the end of
each history by `World.check`, and at each draw.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.support.world import PEOPLE, World

Step = tuple[str, tuple[Any, ...]]
"""An operation's name and its arguments."""


@dataclass(frozen=True)
class Operation:
    """Something that can happen."""

    name: str
    arguments: st.SearchStrategy[tuple[Any, ...]]
    run: Callable[..., None]
    marks: tuple[str, ...]
    """What must have come about in some history, for the operation to count as tried."""


OPERATIONS: dict[str, Operation] = {}
STORIES: dict[str, list[Step]] = {}
"""Histories that are always tried, by what they tell."""

PLACES = st.integers(0, PEOPLE - 1)
"""Somebody of the few people of a world."""


def operation(name: str, arguments: st.SearchStrategy[tuple[Any, ...]], marks: Sequence[str] = ()) -> Callable[..., Any]:
    """Adds a function to what can happen."""

    def add(run: Callable[..., None]) -> Callable[..., None]:
        assert name not in OPERATIONS, f"two operations are called {name!r}"
        OPERATIONS[name] = Operation(name, arguments, run, tuple(marks))
        return run

    return add


def run(world: World, step: Step) -> None:
    """One step of a history."""
    OPERATIONS[step[0]].run(world, *step[1])
    world.mark(f"operation: {step[0]}")


def steps() -> st.SearchStrategy[list[Step]]:
    """Any history."""
    one = st.one_of([st.tuples(st.just(each.name), each.arguments) for each in OPERATIONS.values()])
    return st.lists(one, max_size=12)


for _more in sorted(Path(__file__).parent.glob("operations_*.py")):
    importlib.import_module(f"tests.support.{_more.stem}")
