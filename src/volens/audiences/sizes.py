"""How many people, told so that no person can be read out of it.

Rules:
1. Below the minimum nothing is told but that it is below it.
2. Above it, a number is told in steps, after moving it by less than a step. By how much follows from exactly these people, under
   the house's key: the same people give the same number however they are asked for, and one person more or less moves it by
   chance. Neither asking again nor asking for two sets that differ in one person tells whether she is in it.
3. The exact number stays on the operator's record, with the set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyroaring import BitMap

Mac = Callable[[str, bytes], bytes]
STEPS = ((1_000, 50), (10_000, 100), (100_000, 1_000))
"""(below so many people, told in steps of)."""
WIDEST = 10_000


def step_for(people: int) -> int:
    """The step in which a number of people is told."""
    return next((step for below, step in STEPS if people < below), WIDEST)


@dataclass(frozen=True)
class Size:
    """A number of people as it may be told: about so many, or fewer than the minimum."""

    about: int | None
    below: int
    """The minimum: what is told where `about` is not."""

    def to_text(self, few: str = "fewer than {count:,}", some: str = "about {count:,}") -> str:
        """In words."""
        return few.format(count=self.below) if self.about is None else some.format(count=self.about)


def told(people: BitMap, minimum: int, mac: Mac) -> Size:
    """What may be told of how many some people are."""
    count = len(people)
    if count < minimum:
        return Size(None, minimum)
    step = step_for(count)
    moved = int.from_bytes(mac("audience-size", bytes(people.to_array()))[:8], "big") % step
    return Size(max((count + moved) // step * step, minimum), minimum)
