"""Predicates over one bucket's lines, in whole numbers; and a definition over sets of customers. Pure.

1. A visit is a distinct day with at least one line of quantity above zero. Quantity and money are net of returns.
2. Every predicate is false for somebody without lines; so only those who have some are looked at, and `not` is taken against
   everybody who is permitted.
3. A share of nothing is no share: who bought nothing of the whole, net of returns, is neither above nor below it. A part that is
   net negative counts as none.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from volens.audiences.definition import QUANTITY, VISITS, All, Any_, Bought, Goods, Lapsed, Leaf, Node, Not, Recency, Share
from volens.audiences.goods import Mask
from volens.audiences.plan import Lines, Plan

Integers = npt.NDArray[np.int64]
NEVER = 1 << 30
"""Days since a purchase that never was."""
THOUSANDTHS = 1_000
SQUARE_MAX = 1 << 28
"""Customers times days, in bytes, up to which days are ticked off in a square; beyond it they are sorted, which is slower."""


class Bucket:
    """Answers predicates over some lines; what two of them need is counted once."""

    def __init__(self, lines: Lines, plan: Plan) -> None:
        self._lines, self._plan = lines, plan
        self._inside: dict[Goods, npt.NDArray[np.bool_]] = {}
        self._counted: dict[tuple[Goods, int, int, str], Integers] = {}

    def holds(self, leaf: Leaf) -> npt.NDArray[np.bool_]:
        """By small number: whether the predicate holds."""
        if isinstance(leaf, Bought):
            unit = THOUSANDTHS if leaf.by == QUANTITY else 1
            return np.asarray(self._count(leaf.of, 0, leaf.days, leaf.by) >= leaf.at_least * unit)
        if isinstance(leaf, Lapsed):
            before = self._count(leaf.of, leaf.silent, leaf.days, VISITS) > 0
            return np.asarray(before & (self._count(leaf.of, 0, leaf.silent, VISITS) == 0))
        if isinstance(leaf, Recency):
            last = self._last(leaf.of, leaf.at_most + 1)
            return np.asarray((last >= leaf.at_least) & (last <= leaf.at_most))
        if isinstance(leaf, Share):
            whole = self._count(leaf.within, 0, leaf.days, leaf.by)
            part = np.maximum(self._count(leaf.of, 0, leaf.days, leaf.by), 0)
            # Per cent of the whole, without dividing: 100 · part between least · whole and most · whole.
            return np.asarray((whole > 0) & (100 * part >= leaf.at_least * whole) & (100 * part <= leaf.at_most * whole))
        raise TypeError("what is due is not answered by lines")

    def _of(self, goods: Goods) -> npt.NDArray[np.bool_]:
        if goods not in self._inside:
            self._inside[goods] = _member(self._plan.masks[goods], self._lines.product)
        return self._inside[goods]

    def _count(self, goods: Goods, first: int, end: int, by: str) -> Integers:
        """Of lines that are `first` to `end` − 1 days old."""
        key = (goods, first, end, by)
        if key not in self._counted:
            lines = self._lines
            place = np.flatnonzero(self._of(goods) & (lines.age >= first) & (lines.age < end))
            found = np.zeros(lines.customers, dtype=np.int64)
            if by == VISITS:
                place = place[lines.quantity[place] > 0]
                found = _distinct(lines.customer[place], lines.age[place], lines.customers, end)
            else:
                np.add.at(found, lines.customer[place], (lines.quantity if by == QUANTITY else lines.amount)[place])
            self._counted[key] = found
        return self._counted[key]

    def _last(self, goods: Goods, end: int) -> Integers:
        """Days since the newest purchase of some goods that is less than `end` days old."""
        lines = self._lines
        place = np.flatnonzero(self._of(goods) & (lines.age >= 0) & (lines.age < end) & (lines.quantity > 0))
        found = np.full(lines.customers, NEVER, dtype=np.int64)
        np.minimum.at(found, lines.customer[place], lines.age[place])
        return found


def _distinct(customer: Integers, age: Integers, customers: int, ages: int) -> Integers:
    """How many different ages below `ages` each customer has."""
    if customers * ages <= SQUARE_MAX:
        met = np.zeros(customers * ages, dtype=np.bool_)
        met[customer * ages + age] = True
        return np.asarray(met.reshape(customers, ages).sum(axis=1, dtype=np.int64))
    found = np.zeros(customers, dtype=np.int64)
    np.add.at(found, np.unique(customer * ages + age) // ages, 1)
    return found


def _member(mask: Mask, product: Integers) -> npt.NDArray[np.bool_]:
    known = (product >= 0) & (product < len(mask))
    return np.asarray(known & mask[np.where(known, product, 0)])


def members(node: Node, holding: Mapping[Leaf, BitMap], population: BitMap) -> BitMap:
    """Those of a population for whom a definition holds, from those for whom each of its predicates does."""
    if isinstance(node, Not):
        return population - members(node.part, holding, population)
    if isinstance(node, All):
        found = population
        for part in node.parts:
            found = found & members(part, holding, population)
        return found
    if isinstance(node, Any_):
        found = BitMap()
        for part in node.parts:
            found |= members(part, holding, population)
        return found
    return holding[node] & population
