"""What is asked about a basket, and what is said. Light: whoever only passes it on loads no model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Basket:
    """What somebody is about to pay for."""

    who: int | bytes
    """A customer's number, or what a card or e-mail is found by."""
    key: bytes
    products: tuple[int, ...]
    without: frozenset[int] = frozenset()
    """Products that cannot be had here and now."""


@dataclass(frozen=True)
class Said:
    """A reminder, as the shop shows it."""

    reminder: str
    """Its number: whoever has it may say what came of it."""
    product: int
    others: tuple[int, ...]
    bought_in: int
    of_last: int
    every_days: int
    last_days: int


def days(day: date) -> int:
    """Days since 1970."""
    return (day - date(1970, 1, 1)).days


@dataclass(frozen=True)
class Habit:
    """One of a customer's habits, as she may read it."""

    need: int
    product: int
    times: int
    every_days: int
    last_days: int
