"""The four arrays that a rhythm is, what a receipt does to them, in place.

1. What is free in an array is zero, so that equal states are equal bytes.
2. A receipt costs what it holds; when a bound is met, at most the length of what is bounded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from volens.reminders.compiled import compiled

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Shorts = NDArray[np.int16]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Masks = NDArray[np.uint32]

NEEDS = 256
TRIPS = 60
LINES = 1024
TRIP_NEEDS = 128
KEYS = 64
PRODUCTS = 3
TRIP_MINUTES = 120
DAY_MINUTES = 1440
DECAY = 0.95
"""What a purchase weighs after one more trip."""
DECAYS = np.cumprod(np.concatenate(([1.0], np.full(511, DECAY)))).astype(np.float32)

# `whole`, int64: numbers about the customer, then the keys of the newest receipts, oldest first.
N_TRIPS, FIRST_DAY, LAST_DAY, LAST_MINUTE, SIZES, N_NEEDS, N_RING, N_KEYS, FIRST_KEY = range(9)
# Rows of `table`, int32 [ROWS, NEEDS]; columns are needs, ascending. The last rows are products, -1 where there is none.
NEED, COUNT, FIRST_TRIP, LAST_TRIP, FIRST_BOUGHT, LAST_BOUGHT, TRIP_SIZES, FIRST_PRODUCT = range(8)
ROWS = FIRST_PRODUCT + PRODUCTS
# `ring`, int32: where each of the newest trips begins (TRIPS + 1 numbers), their days, then their needs; oldest trip first.
RING_DAYS = TRIPS + 1
RING_LINES = RING_DAYS + TRIPS

STATE = "i8[::1], i4[:,::1], f4[:,::1], i4[::1]"
TAKEN, SEEN, BEHIND = range(3)


@compiled("void(i8[::1], i4[::1])")
def drop_oldest_trip(whole: Longs, ring: Ints) -> None:
    """Forget the oldest trip of the ring; what becomes free is zero."""
    trips, gone = whole[N_RING], ring[1]
    lines = ring[trips]
    for k in range(trips):
        ring[k] = ring[k + 1] - gone
        ring[RING_DAYS + k] = ring[RING_DAYS + k + 1] if k + 1 < trips else 0
    ring[trips] = 0
    for k in range(lines):
        ring[RING_LINES + k] = ring[RING_LINES + k + gone] if k + gone < lines else 0
    whole[N_RING] = trips - 1


@compiled("void(i8[::1], i4[::1], i8)")
def open_trip(whole: Longs, ring: Ints, day: int) -> None:
    """A new trip, with nothing in it yet."""
    if whole[N_TRIPS] == 0:
        whole[FIRST_DAY] = day
    whole[N_TRIPS] += 1
    if whole[N_RING] == TRIPS:
        drop_oldest_trip(whole, ring)
    ring[RING_DAYS + whole[N_RING]] = day
    whole[N_RING] += 1
    ring[whole[N_RING]] = ring[whole[N_RING] - 1]


@compiled("i8(i8[::1], i4[:,::1], i8)")
def column_of(whole: Longs, table: Ints, need: int) -> int:
    """The column of a need in the table, or -(where it belongs) - 1."""
    low, high = 0, whole[N_NEEDS]
    while low < high:
        middle = (low + high) // 2
        if table[NEED, middle] < need:
            low = middle + 1
        else:
            high = middle
    return low if low < whole[N_NEEDS] and table[NEED, low] == need else -low - 1


@compiled("void(i4[:,::1], f4[:,::1], i8, i8)")
def copy_column(table: Ints, weights: Floats, to: int, source: int) -> None:
    """One need takes the place of another; a source below zero is a free column."""
    for k in range(ROWS):
        table[k, to] = table[k, source] if source >= 0 else 0
    for k in range(1 + PRODUCTS):
        weights[k, to] = weights[k, source] if source >= 0 else np.float32(0)


@compiled("f4(i8)")
def faded(trips: int) -> float:
    """What a purchase weighs after so many more trips."""
    return DECAYS[max(0, min(trips, len(DECAYS) - 1))]  # type: ignore[no-any-return]


@compiled("void(i8[::1], i4[:,::1], f4[:,::1])")
def let_go(whole: Longs, table: Ints, weights: Floats) -> None:
    """Forget the need whose decayed count is least, of those that are not in the newest trip; of equals the longest ago."""
    worst, least, last, trip = -1, np.float32(0), 0, whole[N_TRIPS]
    for k in range(whole[N_NEEDS]):
        if table[LAST_TRIP, k] == trip:
            continue
        now = weights[0, k] * faded(trip - table[LAST_TRIP, k])
        if worst < 0 or now < least or (now == least and table[LAST_TRIP, k] < last):
            worst, least, last = k, now, table[LAST_TRIP, k]
    for k in range(worst, whole[N_NEEDS] - 1):
        copy_column(table, weights, k, k + 1)
    whole[N_NEEDS] -= 1
    copy_column(table, weights, whole[N_NEEDS], -1)


@compiled("i8(i8[::1], i4[:,::1], f4[:,::1], i8, i8)")
def count_need(whole: Longs, table: Ints, weights: Floats, column: int, need: int) -> int:
    """One more trip with this need; it is put in where there is none (`column` below zero). Its column."""
    trip, day = whole[N_TRIPS], whole[LAST_DAY]
    if column < 0:
        if whole[N_NEEDS] == NEEDS:
            let_go(whole, table, weights)
            column = column_of(whole, table, need)
        column = -column - 1
        for k in range(whole[N_NEEDS], column, -1):
            copy_column(table, weights, k, k - 1)
        copy_column(table, weights, column, -1)
        whole[N_NEEDS] += 1
        for k in range(FIRST_PRODUCT, ROWS):
            table[k, column] = -1
        table[NEED, column] = need
        table[FIRST_TRIP, column] = table[LAST_TRIP, column] = trip
        table[FIRST_BOUGHT, column] = day
    weight = faded(trip - table[LAST_TRIP, column])
    for k in range(1 + PRODUCTS):
        weights[k, column] *= weight
    weights[0, column] += np.float32(1)
    table[COUNT, column] += 1
    table[LAST_TRIP, column] = trip
    table[LAST_BOUGHT, column] = day
    return column


@compiled("void(i4[:,::1], f4[:,::1], i8, i8)")
def count_product(table: Ints, weights: Floats, column: int, product: int) -> None:
    """One more purchase of this product of the need. A new one takes the place of the least bought if that weighs below one."""
    place, least = -1, np.float32(1)
    for k in range(PRODUCTS):
        if table[FIRST_PRODUCT + k, column] == product:
            weights[1 + k, column] += np.float32(1)
            return
        if weights[1 + k, column] < least:
            place, least = k, weights[1 + k, column]
    if place >= 0:
        table[FIRST_PRODUCT + place, column] = product
        weights[1 + place, column] = np.float32(1)


@compiled(f"void({STATE}, i4[::1], i4[::1])")
def put_lines(whole: Longs, table: Ints, weights: Floats, ring: Ints, needs: Ints, products: Ints) -> None:
    """Put lines into the newest trip."""
    trip = whole[N_TRIPS]
    before = ring[whole[N_RING]] - ring[whole[N_RING] - 1]
    column = -1
    for k in range(len(needs)):
        need = needs[k]
        if k == 0 or need != needs[k - 1]:
            column = column_of(whole, table, need)
            if column < 0 or table[LAST_TRIP, column] != trip:
                if ring[whole[N_RING]] - ring[whole[N_RING] - 1] == TRIP_NEEDS:
                    column = -1
                    continue
                column = count_need(whole, table, weights, column, need)
                if ring[whole[N_RING]] == LINES:
                    drop_oldest_trip(whole, ring)
                ring[RING_LINES + ring[whole[N_RING]]] = need
                ring[whole[N_RING]] += 1
        if column >= 0 and (k == 0 or need != needs[k - 1] or products[k] != products[k - 1]):
            count_product(table, weights, column, products[k])
    begin, end = ring[whole[N_RING] - 1], ring[whole[N_RING]]
    added = end - begin - before
    whole[SIZES] += added
    for k in range(begin, end):
        column = column_of(whole, table, ring[RING_LINES + k])
        table[TRIP_SIZES, column] += added if k < begin + before else end - begin


@compiled(f"i8({STATE}, i8, i8, i8, i4[::1], i4[::1])")
def absorb(
    whole: Longs, table: Ints, weights: Floats, ring: Ints, key: int, day: int, minute: int, needs: Ints, products: Ints
) -> int:
    """Put one receipt in, in place: its lines ascend by (need, product). TAKEN, SEEN (nothing changed) or BEHIND (nor then)."""
    n_keys = whole[N_KEYS]
    for k in range(n_keys):
        if whole[FIRST_KEY + k] == key:
            return SEEN
    elapsed = (day - whole[LAST_DAY]) * DAY_MINUTES + minute - whole[LAST_MINUTE]
    if n_keys > 0 and (elapsed < 0 or (elapsed == 0 and key < whole[FIRST_KEY + n_keys - 1])):
        return BEHIND
    if n_keys == KEYS:
        n_keys -= 1
        for k in range(n_keys):
            whole[FIRST_KEY + k] = whole[FIRST_KEY + k + 1]
    whole[FIRST_KEY + n_keys] = key
    whole[N_KEYS] = n_keys + 1
    if n_keys == 0 or elapsed > TRIP_MINUTES:
        open_trip(whole, ring, day)
    whole[LAST_DAY] = day
    whole[LAST_MINUTE] = minute
    put_lines(whole, table, weights, ring, needs, products)
    return TAKEN


@compiled(f"i8({STATE}, i8, i8, i8, i4[::1], i4[::1])")
def absorb_any(
    whole: Longs, table: Ints, weights: Floats, ring: Ints, key: int, day: int, minute: int, needs: Ints, products: Ints
) -> int:
    """The same for lines in any order, also with needs below zero, which are left out; SEEN when none is left."""
    pairs = np.empty(len(needs), np.int64)
    many = 0
    for k in range(len(needs)):
        if needs[k] >= 0:
            pairs[many] = (np.int64(needs[k]) << 32) + (np.int64(products[k]) + 0x80000000)
            many += 1
    if many == 0:
        return SEEN
    pairs = np.sort(pairs[:many])
    sorted_needs, sorted_products = np.empty(many, np.int32), np.empty(many, np.int32)
    for k in range(many):
        sorted_needs[k] = pairs[k] >> 32
        sorted_products[k] = (pairs[k] & 0xFFFFFFFF) - 0x80000000
    return absorb(whole, table, weights, ring, key, day, minute, sorted_needs, sorted_products)


@compiled(f"i8({STATE}, i8[::1], i4[::1], i4[::1], i8[::1], i4[::1], i4[::1])")
def replay(
    whole: Longs, table: Ints, weights: Floats, ring: Ints, key: Longs, day: Ints, minute: Ints, of_receipt: Longs, need: Ints,
    product: Ints,
) -> int:  # fmt: skip
    """Put all receipts of one customer in, in their order; how many there were."""
    for r in range(len(key)):
        begin, end = of_receipt[r], of_receipt[r + 1]
        absorb(whole, table, weights, ring, key[r], day[r], minute[r], need[begin:end], product[begin:end])
    return len(key)
