"""Checkouts of the past as questions with known answers: what the model learns from and is judged by.

1. A question sees what was known before the trip: rhythms are replayed receipt by receipt, by the code that serves.
2. "Which is missing?": from a trip of `LEAST_SIZE` needs or more, one that the customer had bought on `HABIT` earlier trips is
   taken out; which one follows from the receipt's key, so that it is the same every time.
3. "Is it soon bought?": nothing is taken out; what could be missing is followed for a week.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from volens.reminders.compiled import compiled
from volens.reminders.describing import FEATURES, TABLES, describe
from volens.reminders.histories import Histories, Trips
from volens.reminders.kernels import (
    DAY_MINUTES,
    FIRST_KEY,
    KEYS,
    LINES,
    NEED,
    NEEDS,
    PRODUCTS,
    RING_LINES,
    ROWS,
    Bytes,
    Flags,
    Floats,
    Ints,
    Longs,
    absorb,
)  # fmt: skip
from volens.reminders.tables import Tables

HABIT = 3
LEAST_SIZE = 8
SOON_DAYS, LATER_DAYS, TOP_UP_NEEDS = 3, 7, 5
# Bits of a row's answer.
RIGHT, SOON, TOP_UP, LATER = 1, 2, 4, 8
FULL_BASKET, NO_BASKET = 0, -1
"""Instead of a number of draws: ask about the basket as it was, or about a trip before anything is in it."""


@dataclass(frozen=True)
class Questions:
    """Q questions, with a row for each need that could be the answer."""

    customer: Longs
    """[Q]"""
    trip: Longs
    """[Q] which of all trips of the histories."""
    removed: Ints
    """[Q] the need taken out; -1 where none was."""
    right: Longs
    """[Q] the row of the need taken out; -1 where it is no row: then nobody can be right."""
    starts: Longs
    """[Q+1] where a question's rows begin."""
    need: Ints
    answer: Bytes
    x: Floats
    """[rows, FEATURES]"""

    def with_answer(self) -> Questions:
        """Those that somebody can answer."""
        return self.some(np.flatnonzero(self.right >= 0))

    def some(self, chosen: Longs) -> Questions:
        """The questions at these places, ascending."""
        lengths = np.diff(self.starts)[chosen]
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        rows = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        right = np.where(self.right[chosen] < 0, -1, self.right[chosen] - self.starts[chosen] + starts[:-1])
        return Questions(
            self.customer[chosen], self.trip[chosen], self.removed[chosen], right, starts,
            self.need[rows], self.answer[rows], self.x[rows],
        )  # fmt: skip


def together(parts: list[Questions]) -> Questions:
    """All questions, one part after another."""
    starts, right, rows = [np.zeros(1, np.int64)], [], 0
    for part in parts:
        starts.append(part.starts[1:] + rows)
        right.append(np.where(part.right < 0, -1, part.right + rows))
        rows += len(part.need)
    joined = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Questions)}
    return Questions(**{**joined, "starts": np.concatenate(starts), "right": np.concatenate(right)})


def ask(
    histories: Histories, tables: Tables, allowed: Flags, begin: int, end: int, draws: int,
    *, least_size: int = LEAST_SIZE, habit: int = HABIT, seed: int = 0,
) -> Questions:  # fmt: skip
    """Questions about the trips of the days `begin` to `end` (without it), `draws` a trip; or see `FULL_BASKET`, `NO_BASKET`."""
    trips = histories.trips
    sizes = np.diff(trips.of_trip)
    wanted = (sizes >= least_size) & (trips.day >= begin) & (trips.day < end)
    parts = []
    for c in range(len(histories.customer)):
        t0, t1 = trips.of_customer[c : c + 2]
        many = int(np.count_nonzero(wanted[t0:t1])) * max(1, draws)
        if many:
            parts.append(_ask_one(histories, tables, allowed, (begin, end, draws, least_size, habit, seed), trips, c, many))
    return together(parts) if parts else together([_nothing()])


def _nothing() -> Questions:
    return Questions(
        np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(1, np.int64),
        np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros((0, FEATURES), np.float32),
    )  # fmt: skip


def _ask_one(
    histories: Histories, tables: Tables, allowed: Flags, how: tuple[int, int, int, int, int, int], trips: Trips, c: int, many: int
) -> Questions:
    r0, r1 = histories.of_customer[c : c + 2]
    t0, t1 = trips.of_customer[c : c + 2]
    l0, l1 = histories.of_receipt[[r0, r1]]
    n0, n1 = trips.of_trip[[t0, t1]]
    told = np.zeros((many, 4), np.int64)
    # One question more than asked: a description is made in place, before it is known how long it is.
    needs, answer = np.empty((many + 1) * NEEDS, np.int32), np.empty((many + 1) * NEEDS, np.uint8)
    x = np.empty(((many + 1) * NEEDS, FEATURES), np.float32)
    asked = _ask(
        histories.key[r0:r1], histories.day[r0:r1], histories.minute[r0:r1], histories.of_receipt[r0 : r1 + 1] - l0,
        histories.need[l0:l1], histories.product[l0:l1], trips.day[t0:t1], trips.minute[t0:t1], trips.receipt[t0 : t1 + 1] - r0,
        trips.of_trip[t0 : t1 + 1] - n0, trips.need[n0:n1], np.array(how, np.int64), allowed,
        tables.rates, tables.of_need, tables.other, tables.pull, tables.category, told, needs, answer, x,
    )  # fmt: skip
    told = told[:asked]
    rows = int(told[-1, 1]) if asked else 0
    return Questions(
        np.full(asked, histories.customer[c]), told[:, 0] + t0, told[:, 2].astype(np.int32), told[:, 3].copy(),
        np.concatenate(([0], told[:, 1])).astype(np.int64), needs[:rows].copy(), answer[:rows].copy(), x[:rows].copy(),
    )  # fmt: skip


@compiled("i8(i8, i8, i8)")
def _draw(key: int, draw: int, seed: int) -> int:
    """A number that looks random, the same for the same receipt, draw and seed (the mixing of splitmix64)."""
    z = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(draw * 1000003 + seed)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((z ^ (z >> np.uint64(31))) >> np.uint64(33))  # type: ignore[return-value]


@compiled("void(i4[::1], i4[::1], i8[::1], i4[::1], i8, u1[::1])")
def _look_ahead(day: Ints, minute: Ints, of_trip: Longs, need: Ints, trip: int, ahead: Bytes) -> None:
    """What is bought in the week after a trip, as bits by need."""
    ahead[:] = 0
    for t in range(trip + 1, len(day)):
        passed = (day[t] - day[trip]) * DAY_MINUTES + minute[t] - minute[trip]
        if passed > LATER_DAYS * DAY_MINUTES:
            break
        bits = LATER
        if passed <= SOON_DAYS * DAY_MINUTES:
            bits |= SOON
            if of_trip[t + 1] - of_trip[t] <= TOP_UP_NEEDS:
                bits |= TOP_UP
        for k in range(of_trip[t], of_trip[t + 1]):
            ahead[need[k]] |= bits


@compiled(
    "i8(i8[::1], i4[::1], i4[::1], i8[::1], i4[::1], i4[::1], i4[::1], i4[::1], i8[::1], i8[::1], i4[::1], i8[::1], b1[::1], "
    f"{TABLES}, i8[:,::1], i4[::1], u1[::1], f4[:,::1])"
)
def _ask(
    key: Longs, day: Ints, minute: Ints, of_receipt: Longs, need: Ints, product: Ints, trip_day: Ints, trip_minute: Ints,
    of_trip_receipt: Longs, of_trip: Longs, trip_need: Ints, how: Longs, allowed: Flags,
    rates: Floats, of_need: Ints, other: Ints, pull: Floats, category: Ints, told: Longs, needs: Ints, answer: Bytes, x: Floats,
) -> int:  # fmt: skip
    """The questions of one customer. `told`: trip, end of rows, need taken out, its row."""
    begin_day, end_day, draws, least_size, habit, seed = how
    whole, table = np.zeros(FIRST_KEY + KEYS, np.int64), np.zeros((ROWS, NEEDS), np.int32)
    weights, ring = np.zeros((1 + PRODUCTS, NEEDS), np.float32), np.zeros(RING_LINES + LINES, np.int32)
    columns, times, ahead = np.zeros(NEEDS, np.int32), np.zeros(len(category), np.int32), np.zeros(len(category), np.uint8)
    asked, rows = 0, 0
    for t in range(len(trip_day)):
        if trip_day[t] >= end_day:
            break
        full = trip_need[of_trip[t] : of_trip[t + 1]]
        if trip_day[t] >= begin_day and len(full) >= least_size:
            habits = np.array([k for k in range(len(full)) if times[full[k]] >= habit and allowed[full[k]]], np.int64)
            if draws <= 0:
                _look_ahead(trip_day, trip_minute, of_trip, trip_need, t, ahead)
            for draw in range(max(draws, 1)):
                basket, gone = full, -1
                if draws > 0:
                    if len(habits) == 0:
                        break
                    place = habits[_draw(key[of_trip_receipt[t]], draw, seed) % len(habits)]
                    gone = full[place]
                    basket = np.concatenate((full[:place], full[place + 1 :]))
                elif draws < 0:
                    basket = full[:0]
                m = describe(
                    whole, table, weights, ring, basket, trip_day[t], habit, allowed, rates, of_need, other, pull, category,
                    columns, x[rows:],
                )  # fmt: skip
                told[asked, 0], told[asked, 1], told[asked, 2], told[asked, 3] = t, rows + m, gone, -1
                for r in range(m):
                    i = table[NEED, columns[r]]
                    needs[rows + r] = i
                    answer[rows + r] = RIGHT if i == gone else ahead[i] if draws <= 0 else 0
                    if i == gone:
                        told[asked, 3] = rows + r
                if draws < 0:
                    for r in range(m):
                        if np.any(full == needs[rows + r]):
                            answer[rows + r] |= RIGHT
                rows += m
                asked += 1
        for k in full:
            times[k] += 1
        for r in range(of_trip_receipt[t], of_trip_receipt[t + 1]):
            b, e = of_receipt[r], of_receipt[r + 1]
            absorb(whole, table, weights, ring, key[r], day[r], minute[r], need[b:e], product[b:e])
    return asked
