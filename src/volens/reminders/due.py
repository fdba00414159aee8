"""When they buy: the chance that a customer buys a need within the next 7, 14 and 28 days.

1. Asked at a day, without a basket, of each need that is a habit; from her rhythm and everybody's tables alone.
2. The chances are calibrated on customers whose answers the trees had not seen: of those given chance p, p bought.
3. A longer horizon never has a smaller chance than a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from volens.errors import BadInput
from volens.reminders.boosting import Settings, learn_whether
from volens.reminders.describing import FEATURES, describe
from volens.reminders.histories import Histories, Trips
from volens.reminders.kernels import NEED, NEEDS, Bytes, Doubles, Flags, Floats, Ints, Longs
from volens.reminders.rhythm import Rhythm, fold
from volens.reminders.tables import Tables
from volens.reminders.training import apply, platt
from volens.reminders.trees import Trees

HORIZONS = (7, 14, 28)
HABIT_TRIPS = 3
WHEN = Settings(rounds=120, leaves=15, rate=0.1, least_weight=20.0)
HELD_CUSTOMERS = 4
"""One customer in so many calibrates."""


@dataclass(frozen=True)
class DueModel:
    """What was learned of when needs come back: trees and a calibrating line for each of `HORIZONS`."""

    trees: tuple[Trees, ...]
    lines: Doubles
    """[horizons, 2]"""

    def chances(self, x: Floats) -> Doubles:
        """[rows, horizons] for described needs."""
        each = [apply(line, trees.scores(x)) for trees, line in zip(self.trees, self.lines, strict=True)]
        chances: Doubles = np.maximum.accumulate(np.stack(each, axis=1), axis=1)
        return chances


@dataclass(frozen=True)
class Due:
    """Rows of (customer, need) at a day."""

    customer: Longs
    need: Ints
    x: Floats
    within: Bytes
    """Bit h: bought within `HORIZONS[h]` days; 0 throughout when asked about the future."""


def due(model: DueModel, tables: Tables, rhythm: Rhythm, allowed: Flags, today: int) -> tuple[Ints, Doubles]:
    """Her habits (needs, ascending) and the chance of each within each horizon [needs, horizons]."""
    need, x = describe_all(tables, rhythm, allowed, today)
    return need, model.chances(x)


def describe_all(tables: Tables, rhythm: Rhythm, allowed: Flags, today: int) -> tuple[Ints, Floats]:
    """Her habits and their descriptions, without a basket."""
    columns, x = np.zeros(NEEDS, np.int32), np.zeros((NEEDS, FEATURES), np.float32)
    many = describe(
        rhythm.whole, rhythm.table, rhythm.weights, rhythm.ring, np.zeros(0, np.int32), today, HABIT_TRIPS, allowed,
        tables.rates, tables.of_need, tables.other, tables.pull, tables.category, columns, x,
    )  # fmt: skip
    return rhythm.table[NEED, columns[:many]].copy(), x[:many].copy()


def ask_due(histories: Histories, tables: Tables, allowed: Flags, today: int) -> Due:
    """What each customer's habits were before `today`, and which of them she bought in the days from `today` on."""
    past, trips = histories.before(today), histories.trips
    customers, needs, xs, within = [], [], [], []
    for c in range(len(histories.customer)):
        rhythm = fold(past.some(np.array([c])))
        need, x = describe_all(tables, rhythm, allowed, today)
        customers.append(np.full(len(need), histories.customer[c]))
        needs.append(need)
        xs.append(x)
        within.append(_bought(trips, c, need, today))
    return Due(
        np.concatenate([np.zeros(0, np.int64), *customers]), np.concatenate([np.zeros(0, np.int32), *needs]),
        np.concatenate([np.zeros((0, FEATURES), np.float32), *xs]), np.concatenate([np.zeros(0, np.uint8), *within]),
    )  # fmt: skip


def _bought(trips: Trips, c: int, need: Ints, today: int) -> Bytes:
    bits = np.zeros(len(need), np.uint8)
    t0, t1 = trips.of_customer[c : c + 2]
    for bit, horizon in enumerate(HORIZONS):
        first, last = t0 + np.searchsorted(trips.day[t0:t1], [today, today + horizon])
        bits |= (np.isin(need, trips.need[trips.of_trip[first] : trips.of_trip[last]]) << bit).astype(np.uint8)
    return bits


def train_due(asked: Iterable[Due]) -> DueModel:
    """Learn from questions of several days, each at least 28 days before the purchases end."""
    parts = list(asked)
    if not parts or not sum(len(part.need) for part in parts):
        raise BadInput("Nothing is known of anybody's habits to learn from.", "Wait for more purchases.")
    customer, x = np.concatenate([part.customer for part in parts]), np.concatenate([part.x for part in parts])
    within = np.concatenate([part.within for part in parts])
    held = customer % HELD_CUSTOMERS == HELD_CUSTOMERS - 1
    trees, lines = [], []
    for bit in range(len(HORIZONS)):
        so = (within >> bit & 1).astype(bool)
        lines.append(platt(learn_whether(x[~held], so[~held], WHEN).scores(x[held]), so[held]))
        trees.append(learn_whether(x, so, WHEN))
    return DueModel(tuple(trees), np.stack(lines))
