"""What the model looks at for each need that could be missing from a basket, and what its trees say: compiled.

1. Only the customer's own rhythm, the basket and the shared tables are looked at.
2. A need that the tables do not know is never a candidate and speaks for nothing.
"""

from __future__ import annotations

import numpy as np

from volens.reminders.compiled import compiled
from volens.reminders.kernels import (
    COUNT,
    DECAY,
    FIRST_BOUGHT,
    FIRST_TRIP,
    LAST_BOUGHT,
    LAST_DAY,
    LAST_TRIP,
    N_NEEDS,
    N_RING,
    N_TRIPS,
    NEED,
    NEEDS,
    RING_DAYS,
    RING_LINES,
    STATE,
    TRIP_SIZES,
    Doubles,
    Flags,
    Floats,
    Ints,
    Longs,
    Masks,
    Shorts,
    faded,
)  # fmt: skip

# What the model looks at, for each need that could be missing. Rates are those of everybody, see `tables`.
(
    DECAYED,  # share of trips with it, recent ones weigh more, drawn to the rate at which people buy it again
    TIMES,  # trips with it
    ALIKE,  # share of the last trips with it, those like this basket weigh more
    ALIKE_RARE,  # the same, where what she seldom buys says more
    MOST_ALIKE,  # how much the most similar trip with it is like this basket
    PULL, MOST_PULL,  # how much the basket speaks for it (EASE): sum, and the strongest of its needs
    TASTE,  # how much all that she buys speaks for it, by how often she buys it
    LIFT,  # the same against how common it is, in logarithms
    DECAYED_SHARE, ALIKE_SHARE, PULL_SHARE,  # against the highest among the candidates
    LARGE_SHARE,  # share of the trips with at least half as many needs as this basket
    SIZE,  # usual size of trips with it, against this basket
    SEASON, TREND, WEEK,  # its share of trips in the last 28 days; against the 28 before; of the last 7 against those 28
    AGAIN,  # rate at which people buy it again
    GAP, OVERDUE, OVERDUE_DAYS,  # usual gap in trips; time since the last against the gap, in trips and in days
    SINCE_DAYS, CATEGORY,  # days since the last; needs of its category in the basket
    SIDE_BY_SIDE,  # of her trips with it, the share that had another need of its category; 0 when the basket has none
    BASKET, TRIP_COUNT, AGE,  # needs in the basket; her trips; trips since the first purchase of it
    LATELY, ABSENT,  # her trips in the last 28 days; days since her last trip
) = range(29)  # fmt: skip
FEATURES = 29
SHRINK = np.float32(8)
GAP_WEIGHT = np.float32(2)
NEAR = np.float32(0.98)
"""What a trip weighs after one more, where trips are compared with the basket."""
SMALL = np.float32(0.3)
LATE_DAYS = 28
R_AGAIN, R_GAP, R_GAP_DAYS, R_SEASON, R_TREND, R_WEEK = range(6)
"""Rows of the rates."""

TABLES = "f4[:,::1], i4[::1], i4[::1], f4[::1], i4[::1]"
TREES = "i4[::1], i4[::1], f4[::1], u4[::1], f4[:,::1]"

# Rows of what is gathered for each known need (a column of the table) while the basket and the trips are walked through.
G_PULL, G_MOST_PULL, G_LIFT, G_ALIKE, G_RARE, G_MOST, G_LARGE, G_TRIPS, G_BESIDE, G_TASTE = range(10)


@compiled(f"void(i4[::1], i2[::1], {TABLES}, f4[:,::1], i4[::1], b1[::1])")
def walk_basket(
    basket: Ints, column: Shorts, rates: Floats, of_need: Ints, other: Ints, pull: Floats, category: Ints,
    gathered: Floats, in_category: Ints, inside: Flags,
) -> None:  # fmt: skip
    """What the basket speaks for. Needs that the tables do not know are passed over."""
    for need in basket:
        if need < 0 or need >= len(category):
            continue
        inside[need] = True
        in_category[category[need]] += 1
        for k in range(of_need[need], of_need[need + 1]):
            i = other[k]
            c = column[i]
            if c < 0:
                continue
            gathered[G_PULL, c] += pull[k]
            if pull[k] > 0:
                gathered[G_MOST_PULL, c] = max(gathered[G_MOST_PULL, c], pull[k])
                gathered[G_LIFT, c] += np.log(np.float32(1) + pull[k] / (rates[R_SEASON, i] + np.float32(0.003)))


@compiled("void(i8[::1], i4[::1], i8, i2[::1], i4[::1], b1[::1], f4[:,::1], f4[::1])")
def walk_trips(
    whole: Longs, ring: Ints, size: int, column: Shorts, category: Ints, inside: Flags, gathered: Floats, totals: Floats
) -> None:
    """What her last trips speak for; `totals`: what divides ALIKE, ALIKE_RARE and LARGE_SHARE."""
    n, trips = len(category), whole[N_RING]
    beside, near = np.zeros(n, np.int16), np.float32(1)
    totals[:] = np.float32(1e-6)
    for k in range(ring[trips]):
        i = ring[RING_LINES + k]
        if i < n and column[i] >= 0:
            gathered[G_TRIPS, column[i]] += 1
    for t in range(trips - 1, -1, -1):
        begin, end = RING_LINES + ring[t], RING_LINES + ring[t + 1]
        common, rare = np.float32(0), np.float32(0.05)
        for k in range(begin, end):
            i = ring[k]
            if i < n:
                beside[category[i]] += 1
                if inside[i]:
                    often = gathered[G_TRIPS, column[i]] if column[i] >= 0 else np.float32(1)
                    common += np.float32(1)
                    rare += np.log(np.float32(trips + 1) / often) + np.float32(0.1)
        length = np.float32(max(end - begin, 1))
        both = np.sqrt(length * np.float32(size))
        alike, rare = near * (common + SMALL) / both, near * rare / np.sqrt(length)
        large = near if 2 * length >= size else np.float32(0)
        totals[0] += alike
        totals[1] += rare
        totals[2] += large
        for k in range(begin, end):
            i = ring[k]
            c = column[i] if i < n else -1
            if c >= 0:
                gathered[G_ALIKE, c] += alike
                gathered[G_RARE, c] += rare
                gathered[G_LARGE, c] += large
                gathered[G_MOST, c] = max(gathered[G_MOST, c], common / both)
                if beside[category[i]] > 1:
                    gathered[G_BESIDE, c] += 1
        for k in range(begin, end):
            if ring[k] < n:
                beside[category[ring[k]]] = 0
        near *= NEAR


@compiled("void(f4[:,::1], i8, i8, i8)")
def share(x: Floats, rows: int, of: int, to: int) -> None:
    """A feature against the highest among the rows."""
    highest = np.float32(1e-6)
    for r in range(rows):
        highest = max(highest, x[r, of])
    for r in range(rows):
        x[r, to] = x[r, of] / highest


@compiled(f"i8({STATE}, i4[::1], i8, i8, b1[::1], {TABLES}, i4[::1], f4[:,::1])")
def describe(
    whole: Longs, table: Ints, weights: Floats, ring: Ints, basket: Ints, today: int, least: int, allowed: Flags,
    rates: Floats, of_need: Ints, other: Ints, pull: Floats, category: Ints, columns: Ints, x: Floats,
) -> int:  # fmt: skip
    """Describe each need that she bought on `least` trips or more, is allowed, and not in the basket: its column of the table and
    its row of `x` [NEEDS, FEATURES]. How many."""
    n, trips, size = len(category), whole[N_TRIPS], max(len(basket), 1)
    gathered, in_category, totals = np.zeros((10, NEEDS), np.float32), np.zeros(n, np.int32), np.zeros(3, np.float32)
    column, inside = np.full(n, -1, np.int16), np.zeros(n, np.bool_)
    for c in range(whole[N_NEEDS]):
        if table[NEED, c] < n:
            column[table[NEED, c]] = c
    walk_basket(basket, column, rates, of_need, other, pull, category, gathered, in_category, inside)
    walk_trips(whole, ring, size, column, category, inside, gathered, totals)
    for c in range(whole[N_NEEDS]):
        need, often = table[NEED, c], weights[0, c] * faded(trips - table[LAST_TRIP, c])
        if need < n and often >= np.float32(0.5):
            for k in range(of_need[need], of_need[need + 1]):
                if column[other[k]] >= 0:
                    gathered[G_TASTE, column[other[k]]] += often * pull[k]
    seen = (np.float32(1) - faded(trips)) / np.float32(1 - DECAY)
    lately = 0
    for t in range(whole[N_RING]):
        lately += today - ring[RING_DAYS + t] <= LATE_DAYS
    m = 0
    for c in range(whole[N_NEEDS]):
        i, times = table[NEED, c], table[COUNT, c]
        if times < least or i >= n or not allowed[i] or inside[i]:
            continue
        columns[m] = c
        row = x[m]
        m += 1
        elapsed, days = trips + 1 - table[LAST_TRIP, c], today - table[LAST_BOUGHT, c]
        known = np.float32(times - 1) + GAP_WEIGHT
        gap = (np.float32(table[LAST_TRIP, c] - table[FIRST_TRIP, c]) + GAP_WEIGHT * rates[R_GAP, i]) / known
        gap_days = (np.float32(table[LAST_BOUGHT, c] - table[FIRST_BOUGHT, c]) + GAP_WEIGHT * rates[R_GAP_DAYS, i]) / known
        row[DECAYED] = (weights[0, c] * faded(elapsed - 1) + SHRINK * rates[R_AGAIN, i]) / (seen + SHRINK)
        row[TIMES] = times
        row[ALIKE] = gathered[G_ALIKE, c] / totals[0]
        row[ALIKE_RARE] = gathered[G_RARE, c] / totals[1]
        row[MOST_ALIKE] = gathered[G_MOST, c]
        row[PULL], row[MOST_PULL], row[LIFT] = gathered[G_PULL, c], gathered[G_MOST_PULL, c], gathered[G_LIFT, c]
        row[TASTE] = gathered[G_TASTE, c] / (seen + np.float32(1))
        row[LARGE_SHARE] = gathered[G_LARGE, c] / totals[2]
        row[SIZE] = np.float32(table[TRIP_SIZES, c]) / np.float32(times * size)
        row[SEASON], row[TREND], row[WEEK], row[AGAIN] = rates[R_SEASON, i], rates[R_TREND, i], rates[R_WEEK, i], rates[R_AGAIN, i]
        row[GAP], row[OVERDUE] = gap, np.float32(elapsed) / gap
        row[OVERDUE_DAYS] = np.float32(days) / max(gap_days, np.float32(0.5))
        row[SINCE_DAYS], row[CATEGORY] = days, in_category[category[i]]
        row[SIDE_BY_SIDE] = 0
        if in_category[category[i]] > 0:
            row[SIDE_BY_SIDE] = gathered[G_BESIDE, c] / max(gathered[G_TRIPS, c], np.float32(1))
        row[BASKET], row[TRIP_COUNT], row[AGE] = size, trips, trips + 1 - table[FIRST_TRIP, c]
        row[LATELY], row[ABSENT] = lately, today - whole[LAST_DAY]
    share(x, m, DECAYED, DECAYED_SHARE)
    share(x, m, ALIKE, ALIKE_SHARE)
    share(x, m, PULL, PULL_SHARE)
    return m


BLOCK = 128
"""Rows that are scored side by side."""
MOST_LEAVES = 32
ALL = np.uint32(0xFFFFFFFF)
BRUIJN = np.uint64(0x077CB531)
LOWEST = np.zeros(32, np.int64)
"""Which bit is set, by the top five bits of its product with a de Bruijn number."""
for bit in range(32):
    LOWEST[((0x077CB531 << bit) & 0xFFFFFFFF) >> 27] = bit


@compiled(f"void(f4[:,::1], i8, {TREES}, f8[::1])")
def score(x: Floats, rows: int, begin: Ints, feature: Ints, limit: Floats, keep: Masks, value: Floats, out: Doubles) -> None:
    """Add up the trees for the first rows of `x`.

    No tree is walked down: each of its nodes strikes out the leaves that a row on its right cannot reach, and the first leaf that
    is left is the row's (Lucchese et al., QuickScorer, 2015). Rows are looked at side by side, without a branch.
    """
    across, left = np.empty((x.shape[1], BLOCK), np.float32), np.empty(BLOCK, np.uint32)
    for first in range(0, rows, BLOCK):
        many = min(BLOCK, rows - first)
        for r in range(many):
            out[first + r] = 0.0
            for f in range(x.shape[1]):
                across[f, r] = x[first + r, f]
        for tree in range(len(begin) - 1):
            left[:many] = ALL
            for node in range(begin[tree], begin[tree + 1]):
                column, most, mask = across[feature[node]], limit[node], keep[node]
                for r in range(many):
                    left[r] &= mask if column[r] > most else ALL
            for r in range(many):
                low = np.uint64(left[r]) & (~np.uint64(left[r]) + np.uint64(1))
                out[first + r] += value[tree, LOWEST[((low * BRUIJN) & np.uint64(0xFFFFFFFF)) >> np.uint64(27)]]


LOOKS = 8
"""So many needs are looked at, best first, when the first ones may not be said."""


@compiled(f"i8({STATE}, i4[::1], i8, i8, b1[::1], {TABLES}, {TREES}, f4[:,::1], i4[::1], f8[:,::1])")
def advise(
    whole: Longs, table: Ints, weights: Floats, ring: Ints, basket: Ints, today: int, least: int, allowed: Flags,
    rates: Floats, of_need: Ints, other: Ints, pull: Floats, category: Ints,
    begin: Ints, feature: Ints, limit: Floats, keep: Masks, value: Floats, best: Floats, columns: Ints, odds: Doubles,
) -> int:  # fmt: skip
    """The `LOOKS` likeliest needs, best first, equals by number: descriptions in `best`, columns of the table in `columns`;
    `odds` [2, LOOKS]: their scores, and the share that each has of all candidates (softmax). How many."""
    x, found, scores = np.empty((NEEDS, FEATURES), np.float32), np.empty(NEEDS, np.int32), np.empty(NEEDS)
    m = describe(whole, table, weights, ring, basket, today, least, allowed, rates, of_need, other, pull, category, found, x)
    score(x, m, begin, feature, limit, keep, value, scores)
    total, highest = 0.0, 0.0
    taken = min(m, LOOKS)
    for k in range(taken):
        top = -1
        for r in range(m):
            if found[r] >= 0 and (top < 0 or scores[r] > scores[top]):
                top = r
        columns[k], odds[0, k] = found[top], scores[top]
        best[k] = x[top]
        found[top] = -1
    if taken:
        highest = odds[0, 0]
    for r in range(m):
        total += np.exp(scores[r] - highest)
    for k in range(taken):
        odds[1, k] = np.exp(odds[0, k] - highest) / total
    return m
