"""Learning profiles: one gated read; of each customer the days on which she bought something of a few categories.

Rules:
1. Lines come through the gate, of those who permit, with the fields that their text names: customer, day, product. No quantity is
   among them: what was brought back on another day counts as a day.
2. Only categories by which a placement that runs, or is to run, chooses are looked at; what tells of something private never is.
3. A bucket at a time: its profiles are written before the next is read. A run that is killed leaves profiles of two reads beside
   each other, each whole; the next run replaces them all.
4. When nothing is to be chosen by, nothing is read, and what was learned goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate, OpenedPurchases
from volens.holders import Database
from volens.purchases.lines import PartitionFiles, numbers
from volens.sponsored import store

WRITTEN_AT_ONCE = 500
PAUSE_SECONDS = 0.005
Progress = Callable[[str, int, int], None]


def learn(
    gate: Gate, records: Database, request: ReadRequest, category_of: Mapping[int, str], progress: Progress
) -> tuple[int, int]:
    """Reads, folds and writes every profile. The number of the read, and of how many people something was learned.

    category_of: by product key, of those that are looked at."""
    names = sorted(set(category_of.values()))
    places = np.full(max(category_of, default=0) + 1, -1, np.int64)
    for product, name in category_of.items():
        places[product] = names.index(name)
    customers, seen = 0, BitMap()
    with gate.open_purchases(request) as reading:
        for done, part in enumerate(reading.opened.files):
            progress("profiles", done, len(reading.opened.files))
            rows, whom = _rows(part, reading.opened, places)  # (customer, place of category, day), each once, in order
            seen |= whom
            for states in _folded(rows, names):
                with records.writing() as connection:
                    store.keep_profiles(connection, reading.opened.read, states)
                records.rest(PAUSE_SECONDS)
                customers += len(states)
        reading.saw(seen)
    with records.writing() as connection:
        store.forget_profiles(connection, store.older_than(connection, reading.opened.read))
    return reading.opened.read, customers


def watched(categories: Collection[str], category_of: Mapping[int, str]) -> dict[int, str]:
    """By product key the category, of some categories."""
    return {product: name for product, name in category_of.items() if name in categories}


def _rows(
    part: PartitionFiles, opened: OpenedPurchases, places: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], BitMap]:
    """What one bucket's customers who permit bought of what is looked at, and whom its lines are about."""
    permitted = np.zeros(opened.permitted.max() + 2 if opened.permitted else 2, np.bool_)
    permitted[np.frombuffer(opened.permitted.to_array(), dtype=np.uint32)] = True
    found, seen = list[npt.NDArray[np.int64]](), BitMap()
    for path in part.paths:
        table = pq.read_table(path, columns=list(opened.request.fields))
        within = pc.and_(
            pc.greater_equal(table.column("day"), pa.scalar(opened.request.start)),
            pc.less(table.column("day"), pa.scalar(opened.request.end)),
        )
        table = table.filter(within)
        customer, product, day = (numbers(table, name).astype(np.int64) for name in ("customer", "product", "day"))
        mine = permitted[np.minimum(customer, len(permitted) - 1)]
        seen |= BitMap(np.unique(customer[mine]).astype(np.uint32))
        place = np.where(product < len(places), places[np.minimum(product, len(places) - 1)], -1)
        kept = mine & (place >= 0)
        found.append(np.column_stack((customer[kept], place[kept], day[kept])))
    rows = np.concatenate(found) if found else np.zeros((0, 3), np.int64)
    return np.unique(rows, axis=0), seen


def _folded(rows: npt.NDArray[np.int64], names: list[str]) -> Iterator[list[tuple[int, bytes]]]:
    """(customer, what was learned), some at a time."""
    some = list[tuple[int, bytes]]()
    starts = np.flatnonzero(np.diff(rows[:, 0], prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)][: len(starts)], strict=True):
        days = dict[str, list[int]]()
        for _, place, day in rows[start:end].tolist():
            days.setdefault(names[place], []).append(day)
        some.append((int(rows[start, 0]), json.dumps(days, separators=(",", ":")).encode()))
        if len(some) == WRITTEN_AT_ONCE:
            yield some
            some = []
    if some:
        yield some
