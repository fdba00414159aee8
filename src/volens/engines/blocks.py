"""Whole numbers in blocks of equal ones: sorted, told apart, added up. All in 64 bits, nothing is rounded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from volens.insights.engine import Integers


def sorted_with_place(words: Integers) -> tuple[Integers, Integers]:
    """(words in ascending order, where each was), equal ones in the order in which they were. Words are not negative."""
    bits = len(words).bit_length()
    if int(words.max()).bit_length() + bits > 63:
        place = np.argsort(words, kind="stable")
        return words[place], place
    # A sort of plain numbers is several times faster than one that moves a second array along.
    both = words << bits
    both |= np.arange(len(words))
    both.sort()
    return both >> bits, both & ((1 << bits) - 1)


def changes(values: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Where a value differs from the one before; the first one does."""
    differs = np.empty(len(values), dtype=np.bool_)
    differs[0] = True
    np.not_equal(values[1:], values[:-1], out=differs[1:])
    return differs


def firsts(values: Integers) -> Integers:
    """Where each block of equal values begins. Not for nothing at all."""
    return np.flatnonzero(changes(values))


def between(values: Integers, first: Integers) -> Integers:
    """The sum of each block of values, from one `first` to the next. Wraps around in 64 bits, as its differences do."""
    running = np.cumsum(values)
    upto = np.append(running[first[1:] - 1], running[-1])
    return np.diff(upto, prepend=np.int64(0))
