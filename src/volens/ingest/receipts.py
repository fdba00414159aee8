"""The same receipt twice counts once.

1. A receipt is known by source, store, till, day and number; its `basket` is a keyed hash of these.
2. A *copy* is one occurrence of a receipt in a feed: neighbouring lines, or one web order. The first copy counts.
   A later one with the same lines is a duplicate and is counted; with other lines it goes to quarantine.
   Copies are compared with what the table has in the same way. The order of lines plays no part.
3. Where a feed numbers a receipt's lines, copies are told apart by those numbers and rule 2 is exact. Where it
   does not, a copy that follows its original at once is seen when a block of two or more different lines
   repeats as a whole. One line repeated (two bottles scanned one by one) is two lines.
4. In a feed whose receipts are scattered, all lines of a receipt in one file are one copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.purchases.lines import CONTENT, LINES, digests, numbers

# What travels with a line until its receipt was compared: the copy it belongs to, and where it came from.
EXTRA = pa.schema(
    [
        pa.field("copy", pa.int64()),
        pa.field("position", pa.int64()),
        pa.field("file_number", pa.int32()),
        pa.field("line_number", pa.int64()),
        pa.field("place", pa.int32()),
    ]
)
STAGED = pa.schema([*LINES, *EXTRA])
IDENTITY = ("store", "till", "receipt", "day")


@dataclass(frozen=True)
class Compared:
    """One partition's lines after duplicates are out."""

    new: pa.Table
    contradicting: pa.Table
    receipts: int
    duplicate_receipts: int
    duplicate_lines: int


def starts(table: pa.Table, *, by_line: bool) -> np.ndarray:
    """Which lines begin a copy (boolean). `by_line`: every line of the file is one receipt (web orders)."""
    fresh = np.zeros(table.num_rows, dtype=bool)
    if not table.num_rows:
        return fresh
    fresh[0] = True
    for name in ("file_number", "line_number") if by_line else ("file_number", *IDENTITY):
        column = table.column(name).combine_chunks()
        if column.null_count:
            column = pc.fill_null(column, "")
        fresh[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return fresh


def identities(firsts: pa.Table, source: str) -> list[bytes]:
    """One unambiguous byte string for each receipt: every part with its length in front."""
    parts: list[pa.Array] = []
    for name in IDENTITY:
        text = pc.fill_null(firsts.column(name).combine_chunks().cast(pa.string()), "")
        parts += [pc.binary_length(text).cast(pa.string()), text]
    joined = pc.binary_join_element_wise(pa.scalar(source), *parts, "\x1f")
    return [text.encode() for text in joined.to_pylist()]


def several_customers(customers: pa.Array, copy: np.ndarray) -> np.ndarray:
    """Which lines are of a copy that names more than one customer."""
    differs = np.zeros(len(customers), dtype=bool)
    differs[1:] = pc.not_equal(customers[1:], customers[:-1]).to_numpy(zero_copy_only=False) & (copy[1:] == copy[:-1])
    return np.isin(copy, np.unique(copy[differs]))


def repeated_blocks(copy: np.ndarray, product: np.ndarray, digest: Callable[[], np.ndarray]) -> np.ndarray:
    """Which further lines begin a copy because the block before them repeats as a whole (rule 3).

    `copy` int64: ascending copy numbers; `product`: of each line; `digest`: uint64, what each line says, asked
    for only when the products of some copy repeat so.
    """
    fresh = np.zeros(len(copy), dtype=bool)
    if not len(copy):
        return fresh
    begin = np.flatnonzero(np.r_[True, copy[1:] != copy[:-1]])
    lengths = np.diff(np.r_[begin, len(copy)])
    # How often each product stands in its copy; the number of blocks divides all of these counts.
    order = np.lexsort((product, copy))
    change = np.r_[True, (copy[order][1:] != copy[order][:-1]) | (product[order][1:] != product[order][:-1])]
    group = np.flatnonzero(change)
    counts = np.diff(np.r_[group, len(copy)])
    owner = np.searchsorted(begin, order[group], side="right") - 1
    by_owner = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    times = np.gcd.reduceat(counts, by_owner)
    distinct = np.diff(np.r_[by_owner, len(counts)])
    suspects = np.flatnonzero((times > 1) & (distinct > 1))
    line = digest() if len(suspects) else product
    for place in suspects:
        first, length = begin[place], lengths[place]
        block = length // times[place]
        lines = line[first : first + length]
        if (lines[block:] == lines[:-block]).all():
            fresh[first + block : first + length : block] = True
    return fresh


def compare(staged: pa.Table, stored: pa.Table) -> Compared:
    """A partition's lines (columns of `STAGED`) against each other and against what is stored for these baskets."""
    lines = staged.num_rows
    if not lines:
        return Compared(staged, staged, 0, 0, 0)
    basket, copy = numbers(staged, "basket"), numbers(staged, "copy")
    rank = _ranks(basket, copy, staged.column("position"))
    order = np.lexsort((rank, copy, basket))
    sorted_keys = [values[order] for values in (basket, copy, rank)]
    begin = np.flatnonzero(np.r_[True, np.any([keys[1:] != keys[:-1] for keys in sorted_keys], axis=0)])
    counts = np.diff(np.r_[begin, lines])
    with np.errstate(over="ignore"):
        sums = np.add.reduceat(digests(staged)[order], begin)
    of_copy = basket[order][begin]
    # copies: (basket, digest, lines), the copies of one basket next to each other in the order of the feed
    first = np.r_[True, of_copy[1:] != of_copy[:-1]]
    leader = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
    same = (sums == sums[leader]) & (counts == counts[leader])
    known, known_sums, known_counts = _stored(stored)
    place = np.searchsorted(known, of_copy)
    place_in = np.minimum(place, max(len(known) - 1, 0))
    is_known = known[place_in] == of_copy if len(known) else np.zeros(len(of_copy), dtype=bool)
    if len(known):
        same_as_known = (sums == known_sums[place_in]) & (counts == known_counts[place_in])
        same = np.where(is_known, same_as_known, same)
    accepted = first & ~is_known
    duplicate = ~accepted & same
    line_of = np.repeat(np.arange(len(begin)), counts)
    back = np.empty(lines, dtype=np.int64)
    back[order] = line_of
    return Compared(
        staged.filter(pa.array(accepted[back])),
        staged.filter(pa.array((~accepted & ~same)[back])),
        int(accepted.sum()),
        int(duplicate.sum()),
        int(counts[duplicate].sum()),
    )


def _ranks(basket: np.ndarray, copy: np.ndarray, position: pa.ChunkedArray) -> np.ndarray:
    """How many lines with the same position came before in the same copy: 0 for the first, and where there is none."""
    rank = np.zeros(len(basket), dtype=np.int64)
    if position.null_count == len(position):
        return rank
    where = pc.fill_null(position.combine_chunks(), -1).to_numpy(zero_copy_only=False)
    order = np.lexsort((where, copy, basket))  # stable: lines of one position keep the feed's order
    keys = [values[order] for values in (basket, copy, where)]
    fresh = np.r_[True, np.any([values[1:] != values[:-1] for values in keys], axis=0)]
    places = np.arange(len(order))
    rank[order] = places - np.maximum.accumulate(np.where(fresh, places, 0))
    return np.where(where < 0, 0, rank)


def _stored(stored: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(basket, digest, lines) of the stored receipts, by basket."""
    if not stored.num_rows:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing.astype(np.uint64), nothing
    basket = numbers(stored, "basket")
    order = np.argsort(basket, kind="stable")
    begin = np.flatnonzero(np.r_[True, basket[order][1:] != basket[order][:-1]])
    with np.errstate(over="ignore"):
        sums = np.add.reduceat(digests(stored, CONTENT)[order], begin)
    return basket[order][begin], sums, np.diff(np.r_[begin, len(basket)])
