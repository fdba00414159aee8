"""Who is due for something: by each customer's own rhythm, of whole days, in whole numbers.

Somebody who bought some goods on n days, n at least 3, took them every g days on average: the days from the first to the last of
them over n - 1. She is expected again g days after the last. She is due within d days if that day is at most d days away, or over;
and not if twice g days have passed since the last: then she has stopped, or it was no rhythm.

It is the explainable form of the renewal models of the field (Fader and Hardie, *Probability Models for Customer-Base Analysis*,
2009, discuss richer ones): each person could do the sum herself, and a page can show it to her.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.gate.reads import OpenedPurchases
from volens.purchases.lines import numbers

LEAST_DAYS = 3
"""Days of buying that make a rhythm."""
STOPPED_AFTER = 2
"""Gaps without it, after which somebody counts as having stopped."""


class OwnRhythm:
    """See `building.DueSource`."""

    def due(self, opened: OpenedPurchases, products: Iterable[int], within_days: int) -> BitMap:
        """Those of the read's permitted customers who are due to buy one of these products within the next days."""
        wanted, due = np.array(sorted(set(products)), np.int64), BitMap()
        permitted = np.frombuffer(opened.permitted.to_array(), np.uint32).astype(np.int64)
        today = (pa.scalar(opened.request.end).cast(pa.int32()).as_py()) - 1
        start = pa.scalar(opened.request.start).cast(pa.int32()).as_py()
        for part in opened.files:
            customers, days = _bought(part.paths, wanted, permitted, start, today)
            due |= BitMap(_due(customers, days, today, within_days).astype(np.uint32))
        return due


def _bought(
    paths: Iterable[str], products: npt.NDArray[np.int64], permitted: npt.NDArray[np.int64], start: int, today: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Customer and day of each line of one bucket that counts."""
    found = list[npt.NDArray[np.int64]]()
    for path in paths:
        table = pq.read_table(path, columns=["customer", "day", "product", "quantity"])
        table = table.filter(pc.is_in(table.column("product"), pa.array(products.astype(np.int32))))
        customer, day, quantity = (numbers(table, name).astype(np.int64) for name in ("customer", "day", "quantity"))
        counts = (quantity > 0) & (start <= day) & (day <= today) & np.isin(customer, permitted)
        found.append(np.stack([customer[counts], day[counts]]))
    whole = np.concatenate(found, axis=1) if found else np.zeros((2, 0), np.int64)
    # (customer, day) each once from here on
    distinct = np.unique(whole, axis=1)
    return distinct[0], distinct[1]


def _due(
    customers: npt.NDArray[np.int64], days: npt.NDArray[np.int64], today: int, within: int
) -> npt.NDArray[np.int64]:
    """Who is due. Both arrays are sorted by customer, then day."""
    who, first, times = np.unique(customers, return_index=True, return_counts=True)
    # customer: days of buying, first and last of them
    begun, last = days[first], days[first + times - 1]
    gaps, span = times - 1, last - begun
    expected = last * gaps + span <= (today + within) * gaps
    goes_on = (today - last) * gaps <= STOPPED_AFTER * span
    due: npt.NDArray[np.int64] = who[(times >= LEAST_DAYS) & expected & goes_on]
    return due
