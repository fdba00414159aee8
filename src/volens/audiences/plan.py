"""A definition, ready to be read: which columns of which days, and the predicates over product keys. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from volens.audiences.definition import Definition, Due, Goods, Leaf, Share
from volens.audiences.goods import Mask, Shelf

LINE_LIMIT = 1 << 40
"""Quantity and amount of a line count up to ± this."""


@dataclass(frozen=True)
class Plan:
    """What a read does for one definition on one day."""

    definition: Definition
    today: date
    leaves: tuple[Leaf, ...]
    """Every predicate but `due`, which no line answers."""
    masks: dict[Goods, Mask]
    """By goods and product key."""

    @property
    def start(self) -> date:
        """The first day that is read."""
        return self.today - timedelta(days=self.definition.days - 1)

    @property
    def end(self) -> date:
        """The day after the last one: today is read too."""
        return self.today + timedelta(days=1)

    @property
    def inside(self) -> Mask:
        """By product key: whether any predicate looks at it."""
        longest = max((len(mask) for mask in self.masks.values()), default=1)
        whole = np.zeros(longest, dtype=np.bool_)
        for mask in self.masks.values():
            whole[: len(mask)] |= mask
        return whole


@dataclass(frozen=True)
class Lines:
    """Lines of some permitted customers within a plan's days, under small numbers; one entry a line."""

    customers: int
    customer: npt.NDArray[np.int64]
    product: npt.NDArray[np.int64]
    age: npt.NDArray[np.int64]
    """Days before today; 0 is today."""
    quantity: npt.NDArray[np.int64]
    amount: npt.NDArray[np.int64]
    """Zero where the plan reads no money, or the money is another currency's."""


def plan_for(definition: Definition, shelf: Shelf, today: date) -> Plan:
    """The plan of a definition over a catalogue."""
    leaves = tuple(leaf for leaf in definition.leaves if not isinstance(leaf, Due))
    goods: list[Goods] = []
    for leaf in leaves:
        goods += [leaf.of, leaf.within] if isinstance(leaf, Share) else [leaf.of]
    return Plan(definition, today, leaves, {one: shelf.mask(one) for one in dict.fromkeys(goods)})
