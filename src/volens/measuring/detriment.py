"""No is free: do people who refuse a use pay more for the same thing? Pure.

Rules:
1. The same product, in the same shop, in the same week: anything else compares shops and seasons. What only one side bought is
   in no figure, and counted.
2. What people who refuse paid for their basket, divided by what it would have cost at the prices that those who permit paid
   there and then. 1.01 is one per cent more. Once before discounts (the price on the shelf), once after them (the price paid).
3. “No difference found” is no answer, since few purchases never find one. Equality is shown or not: by two one-sided tests
   (Schuirmann 1987), the 90 % interval must lie inside a margin that was declared before.
4. A person's lines hang together: the error is that of people, not of lines.
5. Never small cells: no figure from fewer than `PEOPLE_MIN` people on either side or `CELLS_MIN` cells, and none about one
   cell.
6. A discount meant for one person because she permitted it may be lost with a no (EDPB 05/2020, 49); a general price may not.
   So a difference after discounts is looked at, one on the shelf is a fault.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from volens.errors import BadInput
from volens.measuring.intervals import Estimate, Flags, Numbers, student

PEOPLE_MIN = 50
CELLS_MIN = 100
MARGIN_THOUSANDTHS = 10
"""Declared before: prices within one per cent are the same."""
MARGIN_MIN, MARGIN_MAX = 1, 100
ONE_SIDE = 0.95
"""Two tests at 5 % each are an interval of 90 %."""

Integers = NDArray[np.int64]


class Finding(StrEnum):
    """What a ratio shows."""

    SAME = "same"
    """It is shown to lie within the margin."""
    MORE = "more"
    """People who refuse are shown to pay more, and not shown to lie within the margin."""
    LESS = "less"
    UNKNOWN = "unknown"
    """Neither is shown: there are too few purchases to tell."""


@dataclass(frozen=True)
class Lines:
    """Purchases, one place a line: numbers of product, shop, week and customer; quantity above zero; money in cents."""

    product: Integers
    store: Integers
    week: Integers
    customer: Integers
    quantity: Integers
    paid: Integers
    discount: Integers
    refuses: Flags

    def __post_init__(self) -> None:
        if len({column.shape for column in vars(self).values()}) != 1:
            raise ValueError("lines are columns of one length")
        if self.quantity.size and self.quantity.min() <= 0:
            raise ValueError("a line that is compared buys something: leave out returns")


@dataclass(frozen=True)
class Ratio:
    """What people who refuse paid, divided by what those who permit would have paid for the same."""

    value: Estimate
    """With its interval of 90 %."""
    margin_thousandths: int

    @property
    def finding(self) -> Finding:
        """Shown to be the same, shown to differ, or not known."""
        margin = self.margin_thousandths / 1000
        if 1 - margin < self.value.low and self.value.high < 1 + margin:
            return Finding.SAME
        if self.value.low > 1:
            return Finding.MORE
        return Finding.LESS if self.value.high < 1 else Finding.UNKNOWN


@dataclass(frozen=True)
class Detriment:
    """Prices of people who refuse beside those who permit."""

    refuse: int
    permit: int
    """People on each side whose purchases are in it."""
    cells: int
    """Product, shop and week that both sides bought."""
    lines: int
    left_out: int
    """Lines of what only one side bought there and then."""
    shelf: Ratio
    paid: Ratio

    @property
    def fault(self) -> bool:
        """Whether people who refuse are shown to find higher prices on the shelf."""
        return self.shelf.finding is Finding.MORE


def detriment(lines: Lines, margin_thousandths: int = MARGIN_THOUSANDTHS) -> Detriment:
    """Prices compared. `BadInput` where too few people or too few things in common are left."""
    if not MARGIN_MIN <= margin_thousandths <= MARGIN_MAX:
        raise BadInput(f"A margin of {margin_thousandths} thousandths says nothing.", f"Declare {MARGIN_MIN} to {MARGIN_MAX}.")
    cell, count = _cells(lines)
    both = (np.bincount(cell[lines.refuses], minlength=count) > 0) & (np.bincount(cell[~lines.refuses], minlength=count) > 0)
    kept = both[cell]
    refuses, customer = lines.refuses[kept], lines.customer[kept]
    sides = (int(np.unique(customer[refuses]).size), int(np.unique(customer[~refuses]).size))
    if min(sides) < PEOPLE_MIN or int(both.sum()) < CELLS_MIN:
        raise BadInput(
            f"{sides[0]} people who refuse and {sides[1]} who permit bought {int(both.sum())} things in common.",
            f"It takes {PEOPLE_MIN} people on each side and {CELLS_MIN} things: compare more weeks.",
        )
    quantity, paid = lines.quantity[kept].astype(np.float64), lines.paid[kept].astype(np.float64)
    before = paid + lines.discount[kept]
    return Detriment(
        refuse=sides[0],
        permit=sides[1],
        cells=int(both.sum()),
        lines=int(kept.sum()),
        left_out=int((~kept).sum()),
        shelf=Ratio(_ratio(cell[kept], refuses, customer, quantity, before), margin_thousandths),
        paid=Ratio(_ratio(cell[kept], refuses, customer, quantity, paid), margin_thousandths),
    )


def _cells(lines: Lines) -> tuple[Integers, int]:
    keys = np.column_stack([lines.product, lines.store, lines.week])
    if not keys.size:
        return np.zeros(0, dtype=np.int64), 0
    found, cell = np.unique(keys, axis=0, return_inverse=True)
    return np.asarray(cell).reshape(-1), len(found)


def _ratio(cell: Integers, refuses: Flags, customer: Integers, quantity: Numbers, money: Numbers) -> Estimate:
    """Σ paid by who refuses / Σ their quantity × the mean price of who permits, over cells; linearised person by person."""
    size = int(cell.max()) + 1
    theirs = np.bincount(cell[refuses], quantity[refuses], size)
    permitted = np.bincount(cell[~refuses], quantity[~refuses], size)
    price = np.bincount(cell[~refuses], money[~refuses], size) / np.where(permitted > 0, permitted, 1.0)
    over, under = float(money[refuses].sum()), float((theirs * price).sum())
    if under <= 0:
        raise BadInput("What was bought in common cost nothing.", "Compare more weeks.")
    value = over / under
    off = money - quantity * price[cell]
    # A line of somebody who refuses moves the upper sum; one of somebody who permits the price, by their share of the quantity.
    moved = np.where(refuses, money - value * quantity * price[cell], 0.0)
    shares = theirs / np.where(permitted > 0, permitted, 1.0)
    moved -= np.where(refuses, 0.0, value * shares[cell] * off)
    people, who = np.unique(customer, return_inverse=True)
    by_person = np.bincount(who.reshape(-1), moved, people.size)
    error = math.sqrt(float((by_person**2).sum()) * people.size / (people.size - 1)) / under
    reach = student(ONE_SIDE, people.size - 1) * error
    return Estimate(value, error, value - reach, value + reach)
