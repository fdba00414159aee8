"""The fast engine: bucket by bucket, read with Polars, then whole-number arithmetic with numpy.

1. A customer lives in one bucket, so a bucket's customers can be bounded without looking at any other. Memory is that
   of one bucket.
2. The gate is a look-up in a boolean array by the dense customer number, before anything is counted: a join would cost
   three to five times that.
3. Only the plan's columns of the files that the read opened are read; nothing is written. Days and currencies are not
   even decoded where a file's own statistics prove that all of its lines count.
4. Whom a read saw is said by the files that it looked into: by their lines, or by the statement in their footers. A line of
   somebody whom its file does not state stops the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.engines.clipping import Bounded
from volens.engines.vectors import Lines, Vectors
from volens.errors import Tampered
from volens.insights.engine import ExactSums, ProductKeys, check_read, zeros
from volens.insights.measures import LINE_LIMIT
from volens.insights.plan import Plan
from volens.purchases.datafiles import stated_customers

if TYPE_CHECKING:
    from volens.gate.reads import OpenedPurchases

SELECTIVE = 0.25
"""Where a category has fewer of the products than this, its lines are picked out inside the scan."""


class PolarsEngine:
    """See `insights.engine.Engine`."""

    def bounded_sums(self, opened: OpenedPurchases, plan: Plan, products: ProductKeys) -> ExactSums:
        check_read(opened, plan)
        empty = zeros(plan)
        if not opened.permitted:
            return empty
        sums = {name: vector.copy() for name, vector in empty.sums.items()}
        loss = dict(empty.loss)
        seen = BitMap()
        reader = _Reader(plan, products, _gate(opened.permitted))
        bounded = {measure.measure: Bounded(measure) for measure in plan.measures}
        for paths in _buckets(opened):
            customers, lines = reader.read(paths)
            if seen & customers:
                raise Tampered("A customer has purchases in two buckets.", "Restore the purchases table; no sum is safe.")
            seen |= customers
            vectors = Vectors(lines, plan.pack)
            for name in bounded:
                loss[name] += bounded[name].add(vectors.entries(name), lines.customers, sums[name])
        return ExactSums(plan.hash, sums, loss, seen)


def _buckets(opened: OpenedPurchases) -> list[list[str]]:
    """The paths of each bucket that has any."""
    paths: dict[int, list[str]] = {}
    for part in opened.files:
        paths.setdefault(part.bucket, []).extend(part.paths)
    return [paths[bucket] for bucket in sorted(paths) if paths[bucket]]


def _gate(permitted: BitMap) -> npt.NDArray[np.bool_]:
    """True at the numbers of those who permit, up to the highest of them."""
    allowed = np.zeros(permitted.max() + 1, dtype=np.bool_)
    allowed[np.frombuffer(permitted.to_array(), dtype=np.uint32)] = True
    return allowed


@dataclass(frozen=True)
class _Keys:
    """The customers of a bucket under small numbers: their own, without the low bits that all of them share."""

    shift: int
    residue: int
    allowed: npt.NDArray[np.bool_]
    """By small number: whether this customer permits. The last one stands for numbers that nobody can have."""

    @classmethod
    def of(cls, customers: npt.NDArray[np.int32], gate: npt.NDArray[np.bool_]) -> _Keys:
        """Of the customers of a bucket's lines."""
        if not len(customers):
            return cls(0, 0, np.zeros(1, dtype=np.bool_))
        first = int(customers[0])
        differ = int(np.bitwise_or.reduce(customers ^ customers[0])) & 0x7FFFFFFF
        shift = (differ & -differ).bit_length() - 1 if differ else 31
        residue = first & ((1 << shift) - 1)
        allowed = np.zeros((max(int(customers.max()), 0) >> shift) + 2, dtype=np.bool_)
        known = gate[residue :: 1 << shift][: len(allowed) - 1]
        allowed[: len(known)] = known
        return cls(shift, residue, allowed)

    def holds(self, customers: npt.NDArray[np.int32], others: npt.NDArray[np.int32]) -> bool:
        """Whether all `others` are among the customers that these keys were made of."""
        met = np.zeros(len(self.allowed), dtype=np.bool_)
        met[self.small(customers)] = True
        if len(others) and (int(others.max()) >> self.shift) >= len(met):
            return False
        same = bool((others & np.int32((1 << self.shift) - 1) == self.residue).all())
        return same and bool(met[self.small(others)].all())

    def small(self, customers: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Customers under their small numbers."""
        small = customers >> np.int32(self.shift)
        if len(small) and small.min() < 0:
            small[small < 0] = len(self.allowed) - 1
        return small

    def numbers(self, small: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The customers' own numbers."""
        return (small << self.shift) | self.residue


@dataclass(frozen=True)
class _Part:
    """Lines that were asked for, and whose they are as far as their files state it."""

    asked: pl.LazyFrame
    stated: Sequence[npt.NDArray[np.int64] | None]

    def customers(self) -> npt.NDArray[np.int32]:
        """Everybody who has one of the lines; the same number may come again."""
        known = [some for some in self.stated if some is not None]
        if len(known) == len(self.stated):
            return np.concatenate(known).astype(np.int32)
        return np.asarray(_numbers(self.asked.select("customer").collect(engine="streaming"), "customer"))


class _Reader:
    """Reads one bucket after the other."""

    def __init__(self, plan: Plan, products: ProductKeys, gate: npt.NDArray[np.bool_]) -> None:
        self._plan, self._gate = plan, gate
        self._rows = products.row_of_product
        inside = self._rows >= 0
        self._selective = bool(inside.mean() < SELECTIVE)
        self._inside = pl.Series(np.flatnonzero(inside).astype(np.int32))
        self._columns = _column_of_day(plan)

    def read(self, paths: Sequence[str]) -> tuple[BitMap, Lines]:
        """The permitted customers that a bucket's files speak of, and their lines of the category."""
        parts = self._parts(paths)
        wanted = [pl.col("product"), pl.col("day").to_physical(), "customer", "basket", "quantity", "amount"]
        # asked: the lines of the plan's days and currency, of all products and customers
        if not self._selective:
            frame = pl.concat([part.asked.select(wanted) for part in parts]).collect(engine="streaming")
            customers = _numbers(frame, "customer")
            keys = _Keys.of(customers, self._gate)
            return self._seen(keys, customers), self._lines(frame, keys)
        # Whose lines they are, from the files' own statements where these are whole; of the others the category's lines alone.
        customers = np.concatenate([part.customers() for part in parts])
        keys = _Keys.of(customers, self._gate)
        chosen = pl.col("product").is_in(self._inside.implode())
        frame = pl.concat([part.asked.filter(chosen).select(wanted) for part in parts]).collect(engine="streaming")
        if not keys.holds(customers, _numbers(frame, "customer")):
            raise Tampered("A file of purchases has lines of customers whom it does not state.", "Restore the purchases table.")
        return self._seen(keys, customers), self._lines(frame, keys)

    def _parts(self, paths: Sequence[str]) -> list[_Part]:
        """Files of which every line counts, and those whose days and currencies must be looked at."""
        plan = self._plan
        footers = {path: pq.read_metadata(path) for path in paths}
        proven = [path for path in paths if self._all_count(footers[path])]
        others = [path for path in paths if path not in set(proven)]
        parts = []
        if proven:
            parts.append(_Part(_scan(proven), [stated_customers(footers[path]) for path in proven]))
        if others:
            day, currency = pl.col("day"), pl.col("currency")
            counts = (day >= plan.start) & (day < plan.end) & (currency == plan.pack.currency)
            parts.append(_Part(_scan(others).filter(counts), [None]))
        return parts

    def _all_count(self, footer: pq.FileMetaData) -> bool:
        """Whether a file's statistics prove that all its lines are of the plan's days and currency."""
        plan = self._plan
        places = {footer.schema.column(place).path: place for place in range(footer.num_columns)}
        for group in range(footer.num_row_groups):
            for name, low, high in (
                ("day", plan.start, plan.end - timedelta(days=1)),
                ("currency", plan.pack.currency, plan.pack.currency),
            ):
                known = footer.row_group(group).column(places[name]).statistics
                if known is None or not known.has_min_max or known.null_count != 0 or known.min < low or known.max > high:
                    return False
        return True

    def _seen(self, keys: _Keys, customers: npt.NDArray[np.int32]) -> BitMap:
        met = np.zeros(len(keys.allowed), dtype=np.bool_)
        met[keys.small(customers)] = True
        return BitMap(keys.numbers(np.flatnonzero(met & keys.allowed)).astype(np.uint32))

    def _lines(self, frame: pl.DataFrame, keys: _Keys) -> Lines:
        """The permitted lines of the category and of a period, under small numbers."""
        customer = keys.small(_numbers(frame, "customer"))
        product = _numbers(frame, "product")
        column = self._columns[_numbers(frame, "day") - self._first_day]
        inside = (product >= 0) & (product < len(self._rows))
        row = self._rows[product] if inside.all() else np.where(inside, self._rows[np.where(inside, product, 0)], -1)
        counts = keys.allowed[customer] & (row >= 0) & (column >= 0)
        place = np.flatnonzero(counts)
        customer, highest = customer[place], len(keys.allowed)
        if len(place) < highest:
            # Few lines: their customers under numbers as small as they are few.
            met = np.zeros(highest, dtype=np.bool_)
            met[customer] = True
            customer, highest = (np.cumsum(met, dtype=np.int32) - 1)[customer], int(met.sum())
        return Lines(
            customers=highest,
            customer=customer,
            row=row[place],
            column=column[place],
            basket=_numbers(frame, "basket")[place],
            quantity=_counted(_numbers(frame, "quantity")[place]),
            amount=_counted(_numbers(frame, "amount")[place]),
        )

    @property
    def _first_day(self) -> int:
        return int(np.datetime64(self._plan.start).astype(np.int64))


def _scan(paths: Sequence[str]) -> pl.LazyFrame:
    return pl.scan_parquet(list(paths), hive_partitioning=False, glob=False)


def _numbers(frame: pl.DataFrame, column: str) -> npt.NDArray[Any]:
    """A column of whole numbers without nulls, in the type that it has in the file."""
    return frame[column].to_numpy()


def _counted(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What a line counts: up to ±`LINE_LIMIT`."""
    if len(values) == 0 or (values.max() <= LINE_LIMIT and values.min() >= -LINE_LIMIT):
        return values
    return np.clip(values, -LINE_LIMIT, LINE_LIMIT)


def _column_of_day(plan: Plan) -> npt.NDArray[np.int16]:
    """Which period each day since the first belongs to; −1 for days between periods."""
    columns = np.full((plan.end - plan.start).days, -1, dtype=np.int16)
    for index, period in enumerate(plan.pack.periods):
        columns[(period.start - plan.start).days : (period.end - plan.start).days] = index
    return columns
