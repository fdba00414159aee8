"""Learning habits: one gated read, each customer's rhythm folded from it, one model for all.

Rules:
1. Lines come through the gate, of those who permit, with the fields that their text names: no hour, no shop, no price.
2. A bucket at a time: its rhythms are written before the next is read. A run that is killed leaves rhythms of two reads beside
   each other, each whole; the next run replaces them all.
3. The model learns from at most `SAMPLED` customers; each rhythm is of its own customer alone.
4. What may not be named is in no habit: it is left out before anything is folded.
5. What is not sold any more (`SOLD_DAYS`) is not named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.errors import BadInput
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate, OpenedPurchases
from volens.holders import Database
from volens.purchases.catalogue import Needs
from volens.purchases.lines import PartitionFiles, numbers
from volens.reminders.histories import Histories, gather
from volens.reminders.model import Model
from volens.reminders.rhythm import fold
from volens.reminders.training import train
from volens.reminding import store

SAMPLED = 20_000
WRITTEN_AT_ONCE = 500
PAUSE_SECONDS = 0.005
SOLD_DAYS = 56
FIELDS = ("basket", "customer", "day", "product", "quantity")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Habits:
    """What one read gave. The model is made from it."""

    read: int
    customers: int
    trips: int
    last_day: int
    """The newest day of any line, days since 1970."""
    sold: BitMap
    sample: tuple[Histories, ...]


def fold_all(
    gate: Gate, records: Database, request: ReadRequest, needs: Needs, allowed: npt.NDArray[np.bool_], told: Progress
) -> Habits:
    """Reads, folds and writes every rhythm. What was learned of others before, is theirs who do not permit any more: it goes."""
    customers = trips = newest = 0
    sample, sold = list[Histories](), dict[int, int]()
    with gate.open_purchases(request) as reading:
        opened, seen = reading.opened, BitMap()
        every = max(1, -(-len(opened.permitted) // SAMPLED))
        for done, part in enumerate(opened.files):
            told("habits", done, len(opened.files))
            histories, whom = _histories(part, opened, needs, allowed, sold)
            seen |= whom
            if len(histories.day):
                newest = max(newest, int(histories.day.max()))
            for written in _written(records, opened.read, histories):
                customers += written
            trips += len(histories.key)
            sample.append(histories.some(np.flatnonzero(histories.customer % every == 0)))
        reading.saw(seen)
    left = BitMap(product for product, day in sold.items() if day > newest - SOLD_DAYS)
    with records.writing() as connection:
        store.forget_rhythms(connection, store.older_than(connection, opened.read))
    return Habits(opened.read, customers, trips, newest, left, tuple(sample))


def model_of(habits: Habits, needs: Needs, allowed: npt.NDArray[np.bool_]) -> Model:
    """The model of these habits. `BadInput` if there are too few checkouts to learn from."""
    places = {category: place for place, category in enumerate(sorted(set(needs.categories.values())))}
    category = np.zeros(len(allowed), np.int32)
    for need, name in needs.categories.items():
        category[need] = places[name]
    if not habits.customers:
        raise BadInput(
            "Nobody who permits reminders has bought anything yet.", "Ask customers for it (volens ask), and take in purchases."
        )
    return train(lambda: habits.sample, category, allowed, habits.last_day + 1)


def _written(records: Database, read: int, histories: Histories) -> Iterator[int]:
    """Folds and writes some customers after the other, with a pause for whoever else writes."""
    for start in range(0, len(histories.customer), WRITTEN_AT_ONCE):
        some = histories.customer[start : start + WRITTEN_AT_ONCE].tolist()
        states = [(customer, fold(histories.one(customer)).to_bytes()) for customer in some]
        with records.writing() as connection:
            store.keep_rhythms(connection, read, states)
        records.rest(PAUSE_SECONDS)
        yield len(some)


def _histories(
    part: PartitionFiles, opened: OpenedPurchases, needs: Needs, allowed: npt.NDArray[np.bool_], sold: dict[int, int]
) -> tuple[Histories, BitMap]:
    """The receipts of one bucket's customers who permit, and whom they are about; `sold`: product → last day, brought up."""
    gate = np.zeros(opened.permitted.max() + 1 if opened.permitted else 1, np.bool_)
    gate[np.frombuffer(opened.permitted.to_array(), dtype=np.uint32)] = True
    columns: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in FIELDS}
    seen = BitMap()
    for path in part.paths:
        table = pq.read_table(path, columns=list(FIELDS))
        table = table.filter(
            pc.and_(
                pc.greater_equal(table.column("day"), pa.scalar(opened.request.start)),
                pc.less(table.column("day"), pa.scalar(opened.request.end)),
            )
        )
        customers = numbers(table, "customer")
        mine = gate[np.minimum(customers, len(gate) - 1)] & (customers < len(gate))
        for name in FIELDS:
            columns[name].append(numbers(table, name)[mine].astype(np.int64))
        seen |= BitMap(np.unique(customers[mine]).astype(np.uint32))
    told = {name: np.concatenate(parts) if parts else np.zeros(0, np.int64) for name, parts in columns.items()}
    bought = told["quantity"] > 0
    products, last = told["product"][bought], told["day"][bought]
    order = np.argsort(last, kind="stable")
    sold.update(
        (product, max(day, sold.get(product, 0)))
        for product, day in dict(zip(products[order].tolist(), last[order].tolist(), strict=True)).items()
    )
    known = told["product"] < len(needs.of_product)
    need = np.where(known, needs.of_product[np.where(known, told["product"], 0)], 0)
    named, hour = np.where(allowed[need], need, -1), np.zeros_like(told["day"])  # the hour is not in the text, and not read
    return gather(told["customer"], told["basket"], told["day"], hour, named, told["product"], told["quantity"]), seen
