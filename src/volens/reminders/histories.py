"""Customers' receipts as flat arrays: what is folded into rhythms and what the model learns from.

1. Receipts of a customer stand in the order of (day, minute, key); a receipt with the same key is one receipt.
2. A line counts by what was kept: returned pieces are taken from the newest earlier receipts that hold the product, and what
   is returned without having been bought is left out.
3. Five pieces of a product, or five products of a need, are one need of that receipt.
4. Customers are numbers here; nothing in this folder knows who they are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volens.errors import BadInput
from volens.reminders.kernels import TRIP_MINUTES, TRIP_NEEDS, Ints, Longs


@dataclass(frozen=True)
class Trips:
    """Receipts at most `TRIP_MINUTES` apart, as one. T trips."""

    of_customer: Longs
    """[C+1]"""
    day: Ints
    """[T] of the first receipt."""
    minute: Ints
    """[T] of the first receipt."""
    receipt: Longs
    """[T+1] where a trip's receipts begin; of all trips, also where some were left out."""
    of_trip: Longs
    """[T+1]"""
    need: Ints
    """Ascending within a trip, each once, at most `TRIP_NEEDS`."""

    last_day: Ints
    """[T] of the last receipt."""

    def before(self, day: int) -> Trips:
        """The trips that ended on earlier days."""
        kept = np.flatnonzero(self.last_day < day)
        return Trips(
            np.searchsorted(kept, self.of_customer).astype(np.int64), self.day[kept], self.minute[kept], self.receipt,
            _starts(np.diff(self.of_trip)[kept]), self.need[_spans(self.of_trip, kept)], self.last_day[kept],
        )  # fmt: skip


@dataclass(frozen=True)
class Histories:
    """Receipts of many customers. Shapes: C customers, R receipts, L lines."""

    customer: Longs
    """[C] ascending."""
    of_customer: Longs
    """[C+1] the receipts of customer c are `of_customer[c]:of_customer[c+1]`."""
    key: Longs
    """[R] the receipt's key, unique within a customer."""
    day: Ints
    """[R] days since 1970-01-01 in the store's calendar."""
    minute: Ints
    """[R] minute of that day, 0 … 1439."""
    of_receipt: Longs
    """[R+1] the lines of receipt r are `of_receipt[r]:of_receipt[r+1]`."""
    need: Ints
    """[L] ascending within a receipt."""
    product: Ints
    """[L] ascending within a need of a receipt."""

    @cached_property
    def trips(self) -> Trips:
        """Receipts at most `TRIP_MINUTES` apart as one, by the same rules as a rhythm's."""
        return _merge(self)

    def one(self, customer: int) -> Histories:
        """The receipts of one customer; none when she is not here."""
        at = int(np.searchsorted(self.customer, customer))
        if at == len(self.customer) or self.customer[at] != customer:
            return gather([], [], [], [], [], [], [])
        return self.some(np.array([at]))

    def some(self, chosen: Longs) -> Histories:
        """The customers at these places, which are ascending."""
        receipts = _spans(self.of_customer, chosen)
        lines = _spans(self.of_receipt, receipts)
        return Histories(
            self.customer[chosen],
            _starts(np.diff(self.of_customer)[chosen]),
            self.key[receipts],
            self.day[receipts],
            self.minute[receipts],
            _starts(np.diff(self.of_receipt)[receipts]),
            self.need[lines],
            self.product[lines],
        )

    def before(self, day: int) -> Histories:
        """The receipts of earlier days."""
        kept = np.flatnonzero(self.day < day)
        of = np.searchsorted(kept, self.of_customer)
        lines = _spans(self.of_receipt, kept)
        return replace(
            self,
            of_customer=of.astype(np.int64),
            key=self.key[kept],
            day=self.day[kept],
            minute=self.minute[kept],
            of_receipt=_starts(np.diff(self.of_receipt)[kept]),
            need=self.need[lines],
            product=self.product[lines],
        )


def gather(
    customer: ArrayLike,
    key: ArrayLike,
    day: ArrayLike,
    minute: ArrayLike,
    need: ArrayLike,
    product: ArrayLike,
    quantity: ArrayLike,
) -> Histories:
    """Histories from line items in any order; each argument has a value a line.

    `quantity` may be in pieces or thousandths, a return is below zero. Lines of quantity 0 or need below 0 are left out.
    """
    kinds = (np.int64, np.int64, np.int32, np.int32, np.int32, np.int32, np.int64)
    given = (customer, key, day, minute, need, product, quantity)
    columns = [np.atleast_1d(np.asarray(column)).astype(kind) for column, kind in zip(given, kinds, strict=True)]
    if len({len(column) for column in columns}) != 1:
        raise BadInput("The columns of the purchases have different lengths.", "Give one value a line in each.")
    who, keys, days, minutes, needs, products, quantities = columns
    order = np.lexsort((products, needs, keys, minutes, days, who))
    who, keys, days, minutes, needs, products, quantities = (column[order] for column in columns)
    kept = _kept(who, products, quantities)
    kept &= needs >= 0
    who, keys, days, minutes, needs, products = (column[kept] for column in (who, keys, days, minutes, needs, products))
    # (customer, receipt, need, product), each combination once from here on
    fresh_receipt = _changes(who, keys, days, minutes)
    fresh_line = fresh_receipt | _changes(needs, products)
    first = np.flatnonzero(fresh_receipt)
    lines = np.flatnonzero(fresh_line)
    customers, of_customer = np.unique(who[first], return_index=True)
    return Histories(
        customers.astype(np.int64),
        np.append(of_customer, len(first)).astype(np.int64),
        keys[first],
        days[first],
        minutes[first],
        np.append(np.searchsorted(lines, first), len(lines)).astype(np.int64),
        needs[lines],
        products[lines],
    )


def _changes(*columns: NDArray[np.generic]) -> NDArray[np.bool_]:
    changed = np.ones(len(columns[0]), bool)
    if len(changed):
        changed[1:] = False
        for column in columns:
            changed[1:] |= column[1:] != column[:-1]
    return changed


def _kept(who: Longs, products: Ints, quantities: Longs) -> NDArray[np.bool_]:
    """Which lines are still there when everything returned has been given back. Lines are in the order of time."""
    left = quantities.copy()
    returns = np.flatnonzero(quantities < 0)
    if not len(returns):
        return left > 0
    back = set(zip(who[returns].tolist(), products[returns].tolist(), strict=True))
    concerned = np.isin(products, products[returns]) & np.isin(who, who[returns])
    held: dict[tuple[int, int], list[int]] = defaultdict(list)
    for line in np.flatnonzero(concerned).tolist():
        pair = (int(who[line]), int(products[line]))
        if pair not in back:
            continue
        if left[line] > 0:
            held[pair].append(line)
        while left[line] < 0 and held[pair]:
            newest = held[pair][-1]
            given = min(int(left[newest]), -int(left[line]))
            left[newest] -= given
            left[line] += given
            if not left[newest]:
                held[pair].pop()
    return left > 0


def _spans(of: Longs, chosen: Longs) -> Longs:
    """All places of the chosen spans, one span after another."""
    if not len(chosen):
        return np.zeros(0, np.int64)
    lengths = (of[1:] - of[:-1])[chosen]
    begin = np.repeat(of[chosen] - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
    return (begin + np.arange(len(begin))).astype(np.int64)


def _starts(lengths: Longs) -> Longs:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def _merge(histories: Histories) -> Trips:
    start = np.zeros(len(histories.key), bool)
    start[histories.of_customer[:-1][np.diff(histories.of_customer) > 0]] = True
    time = histories.day.astype(np.int64) * 1440 + histories.minute
    start[1:] |= np.diff(time) > TRIP_MINUTES
    first = np.flatnonzero(start)
    trip = np.repeat(np.cumsum(start) - 1, np.diff(histories.of_receipt))
    # (trip, need) each once
    pairs = np.unique(trip * (np.int64(1) << 32) + histories.need)
    trip, need = pairs >> 32, (pairs & 0xFFFFFFFF).astype(np.int32)
    of_trip = np.searchsorted(trip, np.arange(len(first) + 1))
    kept = np.arange(len(trip)) - of_trip[trip] < TRIP_NEEDS
    of_trip = np.concatenate(([0], np.cumsum(np.minimum(np.diff(of_trip), TRIP_NEEDS))))
    of_customer = np.searchsorted(first, histories.of_customer)
    receipt = np.append(first, len(start))
    return Trips(
        of_customer.astype(np.int64), histories.day[first], histories.minute[first], receipt, of_trip.astype(np.int64), need[kept],
        histories.day[receipt[1:] - 1],
    )  # fmt: skip
