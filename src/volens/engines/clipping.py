"""Customers' vectors, bounded and added up: the arithmetic of `insights.engine` on whole columns at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from volens.engines.blocks import between, firsts
from volens.engines.vectors import Entries
from volens.insights.engine import Integers
from volens.insights.measures import FIXED_BITS, ONE, MeasurePlan

LARGEST_TABLE = 1 << 17
"""Up to this many values, a division is looked up."""
EXACT_ADDITIONS = 1 << 28
"""A double holds whole numbers exactly below 2⁵³: so many additions of at most 2²⁴ stay below."""

assert EXACT_ADDITIONS * ONE < 1 << 53, "sums of doubles are exact"


class Bounded:
    """One measure's bounds."""

    def __init__(self, measure: MeasurePlan) -> None:
        self._measure = measure
        self._caps = np.asarray(measure.cell_caps(), dtype=np.int64)
        self._ceilings = np.repeat(np.asarray(measure.ceilings, dtype=np.int64), len(measure.columns))
        # kinds: rows of the same cap and ceiling; a table each says what a value is in 2⁻²⁴ caps
        kinds = sorted(set(zip(self._caps.tolist(), self._ceilings.tolist(), strict=True)))
        self._width = max(self._ceilings.tolist()) + 1
        self._tables: Integers | None = None
        if self._width * len(kinds) <= LARGEST_TABLE:
            values = np.arange(self._width, dtype=np.int64)
            self._tables = np.concatenate([(np.minimum(values, ceiling) << FIXED_BITS) // cap for cap, ceiling in kinds])
            number = {kind: place * self._width for place, kind in enumerate(kinds)}
            pairs = zip(self._caps.tolist(), self._ceilings.tolist(), strict=True)
            self._offset = np.asarray([number[pair] for pair in pairs], dtype=np.int64)

    def add(self, entries: Sequence[Entries], customers: int, sums: Integers) -> int:
        """Adds the bounded vectors of some customers to `sums`, and returns what clipping took away, in 2⁻²⁴ caps.

        `customers`: their numbers are below it. All whole numbers, except the weight; see the engine's formulas.
        """
        measure = self._measure
        squares = np.zeros(customers, dtype=np.int64)
        parts = []
        for some in entries:
            if len(some.customer):
                # first: where each customer's entries start
                first, wanted = firsts(some.customer), self._in_caps(some)
                part = np.minimum(wanted, ONE)
                squares[some.customer[first]] += between(part * part, first)
                parts.append((some, first, wanted, part))
        # from here on one weight a customer
        root = np.sqrt(np.maximum(squares, 1).astype(np.float64))
        weight = np.floor(float(ONE) * np.minimum(1.0, float(measure.radius_fixed) / root)).astype(np.int64)
        worst = np.zeros(customers, dtype=np.int64)
        for some, first, wanted, part in parts:
            part *= weight[some.customer]
            part >>= FIXED_BITS
            # here the person drops out of the sums
            sums += _summed(some.cell, part, len(sums))
            if measure.loss_limit_fixed:
                wanted -= part
                who = some.customer[first]
                worst[who] = np.maximum(worst[who], np.maximum.reduceat(wanted, first))
        return int(np.minimum(worst, measure.loss_limit_fixed).sum())

    def _in_caps(self, entries: Entries) -> Integers:
        """Values up to their ceiling, in 2⁻²⁴ caps. Up to the cap it is the lesser of this and one."""
        if self._tables is not None:
            return np.asarray(self._tables[self._offset[entries.cell] + np.minimum(entries.value, self._width - 1)])
        value = np.minimum(entries.value, self._ceilings[entries.cell])
        return np.asarray((value << FIXED_BITS) // self._caps[entries.cell])


def _summed(cell: Integers, kept: Integers, cells: int) -> Integers:
    """The sum of each cell; `kept` are from 0 to 2²⁴."""
    total = np.zeros(cells, dtype=np.int64)
    for start in range(0, len(cell), EXACT_ADDITIONS):
        some = slice(start, start + EXACT_ADDITIONS)
        total += np.bincount(cell[some], kept[some], cells).astype(np.int64)
    return total
