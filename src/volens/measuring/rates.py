"""Shares and their differences, with intervals that hold for small numbers too. Pure.

Wilson (1927) for a share, Newcombe (1998), method 10, for the difference of two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959964


@dataclass(frozen=True)
class Rate:
    """A share with its interval, all between 0 and 1; of a difference, between −1 and 1."""

    value: float
    low: float
    high: float
    of: int
    """Of how many."""


def wilson(hits: int, of: int, z: float = Z95) -> Rate:
    """A share with Wilson's score interval."""
    if not 0 <= hits <= of or of == 0:
        raise ValueError("a share is of something")
    share, square = hits / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return Rate(share, max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share)), of)


def difference(one: Rate, other: Rate) -> Rate:
    """`other` less `one`, with Newcombe's interval from the two of Wilson's (method 10); `of` is the smaller of both."""
    value = other.value - one.value
    down = math.hypot(other.value - other.low, one.high - one.value)
    up = math.hypot(other.high - other.value, one.value - one.low)
    return Rate(value, value - down, value + up, min(one.of, other.of))
