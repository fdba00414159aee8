"""One customer's rhythm: what she buys, how often, when last, and what goes together. Updated by each receipt.

1. A receipt costs what it holds: `update` is O(basket), whatever came before.
2. `fold` of all receipts is, bit for bit, the updates one by one; without a receipt it is what it would be had that never been.
3. A receipt counts once. One that comes late, or a return, cannot be put in: the answer is `Again.LATE` and the customer is folded
   from her lines.
4. Receipts at most two hours apart are one trip: tills split receipts. Five times the same need in a trip is once.
5. Everything has a bound: `NEEDS` needs, of which the least lately and least often bought goes first; the last `TRIPS` trips
   with `LINES` lines; `TRIP_NEEDS` needs a trip, in the order of their numbers; three products a need.
6. A need that went is unknown: bought again, it counts from one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from volens.errors import BadInput
from volens.reminders.histories import Histories
from volens.reminders.kernels import (
    BEHIND,
    COUNT,
    DAY_MINUTES,
    FIRST_BOUGHT,
    FIRST_KEY,
    FIRST_PRODUCT,
    FIRST_TRIP,
    KEYS,
    LAST_BOUGHT,
    LAST_TRIP,
    LINES,
    N_KEYS,
    N_NEEDS,
    N_RING,
    N_TRIPS,
    NEED,
    NEEDS,
    PRODUCTS,
    RING_DAYS,
    RING_LINES,
    ROWS,
    SEEN,
    TRIP_SIZES,
    TRIPS,
    Floats,
    Ints,
    Longs,
    absorb_any,
    replay,
)  # fmt: skip
from volens.reminders.packed import RHYTHM, damaged, pack, unpack

SMALL_ROWS = np.array([COUNT, FIRST_TRIP, LAST_TRIP, FIRST_BOUGHT, LAST_BOUGHT])
LARGE_ROWS = np.array([NEED, TRIP_SIZES, *range(FIRST_PRODUCT, FIRST_PRODUCT + PRODUCTS)])
KINDS = (np.int64, np.uint16, np.int32, np.float32, np.uint16, np.uint16, np.int32)
MOST = 65_535
"""Trips of a customer, and the last day (in 2149)."""


class Again(Enum):
    """Why a receipt was not put in."""

    LATE = "late"
    """Older than the newest, or a return: fold the customer from her lines."""


@dataclass(frozen=True, eq=False)
class Rhythm:
    """What is known of one customer's habits. A value: `update` gives another one."""

    whole: Longs
    table: Ints
    weights: Floats
    """[1 + PRODUCTS, NEEDS] decayed counts of the need and of its products, as of its last trip."""
    ring: Ints

    @property
    def trips(self) -> int:
        """How many trips there were."""
        return int(self.whole[N_TRIPS])

    @property
    def needs(self) -> Ints:
        """The needs known, ascending."""
        known: Ints = self.table[NEED, : self.whole[N_NEEDS]]
        return known

    def to_bytes(self) -> bytes:
        """Compact and checked; equal rhythms are equal bytes."""
        needs, trips = int(self.whole[N_NEEDS]), int(self.whole[N_RING])
        table = self.table[:, :needs]
        small, large = table[SMALL_ROWS], table[LARGE_ROWS]
        days, lines = self.ring[RING_DAYS : RING_DAYS + trips], self.ring[RING_LINES : RING_LINES + self.ring[trips]]
        if small.max(initial=0) > MOST or days.max(initial=0) > MOST:
            raise BadInput(f"A rhythm holds at most {MOST} trips, and days to the year 2149.", "Fold it from fewer years.")
        return pack(RHYTHM, [
            self.whole[: FIRST_KEY + self.whole[N_KEYS]], small.astype(np.uint16), large, self.weights[:, :needs],
            self.ring[: trips + 1].astype(np.uint16), days.astype(np.uint16), lines,
        ])  # fmt: skip

    @staticmethod
    def from_bytes(data: bytes) -> Rhythm:
        """What `to_bytes` gave. `BadInput` when it is anything else: fold the customer again."""
        arrays = unpack(RHYTHM, data, len(KINDS))
        if any(array.dtype != kind for array, kind in zip(arrays, KINDS, strict=True)):
            raise damaged(RHYTHM)
        whole, small, large, weights, starts, days, lines = arrays
        made = empty()
        if not FIRST_KEY <= len(whole) <= FIRST_KEY + KEYS:
            raise damaged(RHYTHM)
        made.whole[: len(whole)] = whole
        needs, trips = int(made.whole[N_NEEDS]), int(made.whole[N_RING])
        fits = (
            0 <= needs <= NEEDS
            and 0 <= trips <= TRIPS
            and made.whole[N_KEYS] == len(whole) - FIRST_KEY
            and small.shape == (len(SMALL_ROWS), needs)
            and large.shape == (len(LARGE_ROWS), needs)
            and weights.shape == (1 + PRODUCTS, needs)
            and (len(starts), len(days)) == (trips + 1, trips)
            and len(lines) <= LINES
        )
        if not fits:
            raise damaged(RHYTHM)
        made.table[SMALL_ROWS, :needs], made.table[LARGE_ROWS, :needs], made.weights[:, :needs] = small, large, weights
        made.ring[: trips + 1], made.ring[RING_DAYS : RING_DAYS + trips] = starts, days
        made.ring[RING_LINES : RING_LINES + len(lines)] = lines
        begins, needed = made.ring[: trips + 1], made.table[NEED, :needs]
        newest = lines[begins[trips - 1] :] if trips else lines
        holds = (
            begins[0] == 0
            and begins[-1] == len(lines)
            and np.all(np.diff(begins) >= 0)
            and np.all(np.diff(needed) > 0)
            and int(made.ring.min()) >= 0
            and np.all(np.isin(newest, needed))
            and made.whole[N_TRIPS] >= max(trips, int(made.table[LAST_TRIP].max()), int(made.table[FIRST_TRIP].max()))
            and np.all((made.whole[:N_KEYS] >= 0) & (made.whole[:N_KEYS] <= np.iinfo(np.int32).max))
        )
        if not holds:
            raise damaged(RHYTHM)
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rhythm):
            return NotImplemented
        mine, others = self._parts(), other._parts()
        return all(a.tobytes() == b.tobytes() for a, b in zip(mine, others, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def _parts(self) -> tuple[NDArray[np.generic], ...]:
        return (self.whole, self.table, self.weights, self.ring)


def empty() -> Rhythm:
    """Nothing known."""
    return Rhythm(
        np.zeros(FIRST_KEY + KEYS, np.int64),
        np.zeros((ROWS, NEEDS), np.int32),
        np.zeros((1 + PRODUCTS, NEEDS), np.float32),
        np.zeros(RING_LINES + LINES, np.int32),
    )


def update(
    rhythm: Rhythm, key: int, day: int, minute: int, needs: Ints, products: Ints, returned: bool = False
) -> Rhythm | Literal[Again.LATE]:
    """The rhythm after one more receipt; the same object when that was seen before or holds nothing.

    `key`: of the receipt. `day`: since 1970, `minute` of that day, in the store's calendar. `needs` and `products`: int32, a value
    a line, in any order; lines with a need below zero are left out. `returned`: the receipt takes goods back.
    """
    if returned:
        return Again.LATE
    if not (0 <= day <= MOST and 0 <= minute < DAY_MINUTES and len(needs) == len(products)):
        raise BadInput("A receipt has a day since 1970, a minute of that day, and a product for each need.", "Correct the receipt.")
    whole, table, weights, ring = rhythm.whole.copy(), rhythm.table.copy(), rhythm.weights.copy(), rhythm.ring.copy()
    done = absorb_any(whole, table, weights, ring, key, day, minute, needs, products)
    if done == SEEN:
        return rhythm
    return Again.LATE if done == BEHIND else Rhythm(whole, table, weights, ring)


def fold(histories: Histories) -> Rhythm:
    """The rhythm of the one customer in `histories`, from nothing; an empty one when there is no receipt."""
    made = empty()
    if len(histories.customer) > 1:
        raise ValueError("a rhythm is of one customer")
    replay(made.whole, made.table, made.weights, made.ring, histories.key, histories.day, histories.minute,
            histories.of_receipt, histories.need, histories.product)  # fmt: skip
    return made
