"""From lines to what each customer counts in each cell: one sort of whole numbers a bucket, no hash table and no string.

A line becomes one 64-bit word: customer, row and column, and in the lowest bits which line it was. Sorted, a customer's
cells stand together, each cell's lines in the order in which they were read, and sums are differences of running totals.
Running totals may wrap around in 64 bits: differences are right all the same, since no sum of one cell can leave them.

Receipts: neighbouring lines of one customer, basket and column are a run. What is about the whole category (its buyers, its
trips) is counted over runs, of which there are far fewer than lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from volens.engines.blocks import between, changes, firsts, sorted_with_place
from volens.insights.engine import Integers
from volens.insights.pack import Pack


@dataclass(frozen=True)
class Lines:
    """Permitted lines of one bucket, in a category and in a period. Customers under small numbers below `customers`."""

    customers: int
    customer: npt.NDArray[np.int32]
    row: npt.NDArray[np.int16]
    """0 … brands − 1, then the rest."""
    column: npt.NDArray[np.int16]
    basket: Integers
    quantity: Integers
    amount: Integers

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, order: Integers) -> Lines:
        """The same lines in another order."""
        columns = (self.customer, self.row, self.column, self.basket, self.quantity, self.amount)
        return Lines(self.customers, *(column[order] for column in columns))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Entries:
    """What customers count: one entry a (customer, cell), in ascending order of customers. Values are above zero."""

    customer: Integers
    cell: Integers
    value: Integers

    @classmethod
    def of(cls, customer: Integers, cell: Integers, value: Integers) -> Entries:
        """Those of the entries whose value is above zero."""
        above = value > 0
        return cls(customer, cell, value) if above.all() else cls(customer[above], cell[above], value[above])


class Vectors:
    """What the customers of one bucket count in each cell of each measure."""

    def __init__(self, lines: Lines, pack: Pack) -> None:
        self._periods, self._columns = len(pack.periods), len(pack.columns)
        self._category = len(pack.brands) + 1
        self._row_bits, self._column_bits = self._category.bit_length(), self._periods.bit_length()
        # runs: (customer, column, basket), each once; run: which of them a line is in
        self._lines, self._starts, self._run = _receipts(lines)

    def entries(self, measure: str) -> tuple[Entries, ...]:
        """In several parts; no (customer, cell) is in two of them."""
        if not len(self._lines):
            return ()
        if measure == "buyers":
            return self._buyers()
        if measure == "trips":
            return self._trips()
        values = self._quantities if measure == "units" else self._totals(self._lines.amount)
        _, customer, row, column = self._cells
        return (Entries.of(customer, row * self._periods + column, values),)

    def _buyers(self) -> tuple[Entries, ...]:
        """1 where the net quantity is above zero: of rows and category, of periods and all of them."""
        _, customer, row, column = self._cells
        net = np.sign(self._quantities)
        parts = [Entries.of(customer, row * self._columns + column, net)]
        who, when, total = self._category_quantities
        parts.append(Entries.of(who, self._category * self._columns + when, np.sign(total)))
        if self._periods > 1:
            # (customer, row): the cells of one stand together
            key = customer << self._row_bits | row
            first = firsts(key)
            net = np.sign(between(self._quantities, first))
            parts.append(Entries.of(customer[first], row[first] * self._columns + self._periods, net))
            first = firsts(who)
            cell = np.full(len(first), self._category * self._columns + self._periods)
            parts.append(Entries.of(who[first], cell, np.sign(between(total, first))))
        return tuple(parts)

    def _trips(self) -> tuple[Entries, ...]:
        """Distinct baskets with something bought: of a row, and of the category."""
        words, place = self._sorted
        bought = self._lines.quantity > 0
        run = self._run[place]
        if not bought.all():
            some = bought[place]
            words, run = words[some], run[some]
        if not len(words):
            return ()
        # Lines of a run are neighbours within a cell too: a basket begins where cell or run change.
        begins = np.flatnonzero(changes(words) | changes(run))
        words = words[begins]
        first = firsts(words)
        customer, row, column = self._apart(words[first])
        parts = [Entries(customer, row * self._periods + column, np.diff(first, append=len(words)))]
        # (customer, column) of each run in which anything was bought
        some = between(bought.astype(np.int64), self._starts) > 0
        key = self._run_keys[some]
        key.sort()
        first = firsts(key)
        column = key[first] & ((1 << self._column_bits) - 1)
        cell = self._category * self._periods + column
        parts.append(Entries(key[first] >> self._column_bits, cell, np.diff(first, append=len(key))))
        return tuple(parts)

    # -- cells of a row and a column: one sort of all lines --------------------------------------------------

    @cached_property
    def _sorted(self) -> tuple[Integers, Integers]:
        """(words in ascending order, the line of each): a word is customer, row, column."""
        word = self._lines.customer.astype(np.int64)
        word <<= self._row_bits
        word |= self._lines.row
        word <<= self._column_bits
        word |= self._lines.column
        return sorted_with_place(word)

    @cached_property
    def _cells(self) -> tuple[Integers, Integers, Integers, Integers]:
        """(where each cell's lines begin in sorted order, its customer, row and column)."""
        words, _ = self._sorted
        first = firsts(words)
        return first, *self._apart(words[first])

    def _apart(self, words: Integers) -> tuple[Integers, Integers, Integers]:
        """Customer, row and column of words."""
        column = words & ((1 << self._column_bits) - 1)
        row = (words >> self._column_bits) & ((1 << self._row_bits) - 1)
        return words >> (self._column_bits + self._row_bits), row, column

    def _totals(self, values: Integers) -> Integers:
        """Net of returns, of each cell."""
        return between(values[self._sorted[1]], self._cells[0])

    @cached_property
    def _quantities(self) -> Integers:
        return self._totals(self._lines.quantity)

    # -- cells of the category and a column: a sort of runs --------------------------------------------------

    @cached_property
    def _run_keys(self) -> Integers:
        """Customer and column of each run."""
        key = self._lines.customer[self._starts].astype(np.int64) << self._column_bits
        return np.asarray(key | self._lines.column[self._starts])

    @cached_property
    def _category_quantities(self) -> tuple[Integers, Integers, Integers]:
        """(customer, column, net quantity of the category)."""
        words, place = sorted_with_place(self._run_keys)
        first = firsts(words)
        total = between(between(self._lines.quantity, self._starts)[place], first)
        return words[first] >> self._column_bits, words[first] & ((1 << self._column_bits) - 1), total


def _receipts(lines: Lines) -> tuple[Lines, Integers, npt.NDArray[np.int32]]:
    """(the lines, where each run of them begins, the run of each line), every (customer, column, basket) being one run.

    In the table a receipt's lines stand together. Where they do not, they are brought together first.
    """
    if not len(lines):
        nothing = np.zeros(0, dtype=np.int64)
        return lines, nothing, nothing.astype(np.int32)
    begins = _run_begins(lines)
    starts = np.flatnonzero(begins)
    order = _torn_together(lines, starts)
    if order is not None:
        lines = lines.take(order)
        begins = _run_begins(lines)
        starts = np.flatnonzero(begins)
    return lines, starts, np.cumsum(begins, dtype=np.int32)


def _torn_together(lines: Lines, starts: Integers) -> Integers | None:
    """The order of lines in which runs of the same (customer, column, basket) are one; none if they are already."""
    baskets = lines.basket[starts]
    by_basket = np.sort(baskets)
    again = by_basket[1:][by_basket[1:] == by_basket[:-1]]
    if not len(again):
        return None
    runs = np.flatnonzero(np.isin(baskets, again))
    keys = (runs, lines.column[starts[runs]], lines.customer[starts[runs]], baskets[runs])
    runs = runs[np.lexsort(keys)]
    differs = [changes(column[starts[runs]]) for column in (lines.basket, lines.customer, lines.column)]
    first = np.flatnonzero(np.any(differs, axis=0))
    if len(first) == len(runs):
        return None  # equal baskets of several customers or columns
    joins = np.arange(len(starts))
    joins[runs] = np.repeat(runs[first], np.diff(first, append=len(runs)))
    runs = np.argsort(joins, kind="stable")
    # from the order of runs to that of lines: each run's lines follow each other
    length = np.diff(starts, append=len(lines))[runs]
    return np.repeat(starts[runs] - np.cumsum(length) + length, length) + np.arange(len(lines))


def _run_begins(lines: Lines) -> npt.NDArray[np.bool_]:
    return np.asarray(changes(lines.basket) | changes(lines.customer) | changes(lines.column))
