"""The forgotten item: at most one reminder for a customer and a basket, or none.

1. Which of her habits is missing is told by trees over what her own rhythm, this basket and everybody's tables say.
2. The chance is calibrated: of the reminders said with chance p, p were right, where one habit was missing (see `training`).
   A threshold, chosen by the retailer, keeps the less certain ones quiet; `Model.thresholds` shows both sides of that choice.
3. Never said: what is not allowed (sensitive), what no sold product of hers would answer, what was refused or said already, and
   what something of its category in the basket stands in for.
4. Silent for new customers, and where nothing is a habit: popular goods are never a way out.
5. Nothing is asked of the machine: the day comes in.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from math import exp, log

import numpy as np

from volens.errors import BadInput
from volens.reminders.describing import CATEGORY, FEATURES, LOOKS, SIDE_BY_SIDE, advise
from volens.reminders.kernels import (
    COUNT,
    FIRST_BOUGHT,
    FIRST_PRODUCT,
    LAST_BOUGHT,
    N_RING,
    NEED,
    PRODUCTS,
    RING_LINES,
    TRIPS,
    Doubles,
    Flags,
    Ints,
)  # fmt: skip
from volens.reminders.packed import MODEL, damaged, pack, unpack
from volens.reminders.rhythm import Rhythm
from volens.reminders.tables import Tables
from volens.reminders.trees import Trees

KINDS = "fiifi" + 2 * "iifif" + "dd"
"""Types of the arrays that a model is stored as."""
COLD_TRIPS = 5
"""Trips before the first reminder."""
HABIT_TRIPS = 3
"""Trips with a need that make it a habit."""
MOST_BASKET = 512
"""Different needs of a basket that are looked at."""
STANDS_IN = 0.1
"""A need of the same category in the basket stands in for one that was bought beside its like in a smaller share of trips.
On the validation weeks this silences 4 % of reminders and costs 0.2 points of naming what is missing; a third would silence 9 %
and cost 0.7."""
WINDOWS = (5, 10, 20, TRIPS)
"""The last so many baskets of which a reason can speak."""


@dataclass(frozen=True)
class Threshold:
    """What a threshold does, on checkouts that the trees had not seen."""

    chance: float
    """Reminders below this chance are not said."""
    speaks: float
    """Share of checkouts, as they were, with a reminder."""
    speaks_missing: float
    """Share of checkouts from which one habit was taken out, with a reminder."""
    right: float
    """Share of those reminders that name what was taken out."""
    soon: float
    """Share of reminders at checkouts as they were that were bought within three days."""


@dataclass(frozen=True)
class Model:
    """What was learned."""

    tables: Tables
    which: Trees
    soon: Trees
    fitted: Doubles
    """[2, 2] slope and intercept that make a chance of log-odds: to be what is missing, to be bought within three days."""
    table: Doubles
    """[thresholds, 5] see `Threshold`."""

    def __post_init__(self) -> None:
        seen = max((int(trees.feature.max(initial=-1)) for trees in (self.which, self.soon)), default=-1)
        if seen >= FEATURES or self.fitted.shape != (2, 2) or self.table.ndim != 2 or self.table.shape[1] != 5:
            raise BadInput("This model does not fit what it is used with.", "Train again.")

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The choices, from always speaking to seldom."""
        return tuple(Threshold(*(float(value) for value in row)) for row in self.table)

    def to_bytes(self) -> bytes:
        """The same model is the same bytes. Nothing in them runs."""
        tables = (self.tables.rates, self.tables.of_need, self.tables.other, self.tables.pull, self.tables.category)
        trees = [array for t in (self.which, self.soon) for array in (t.root, t.feature, t.limit, t.left, t.value)]
        return pack(MODEL, [*tables, *trees, self.fitted, self.table])

    @staticmethod
    def from_bytes(data: bytes) -> Model:
        """What `to_bytes` gave. `BadInput` when it is anything else."""
        arrays = unpack(MODEL, data, 17)
        if "".join(array.dtype.char for array in arrays) != KINDS:
            raise damaged(MODEL)
        rates, of_need, other, pull, category, *rest = arrays
        return Model(
            Tables(rates, of_need, other, pull, category),  # type: ignore[arg-type]
            Trees(*rest[:5]),  # type: ignore[arg-type]
            Trees(*rest[5:10]),  # type: ignore[arg-type]
            *rest[10:],  # type: ignore[arg-type]
        )


@dataclass(frozen=True)
class Reminder:
    """What to say, and why."""

    need: int
    product: int
    """The one of this need that she buys most, lately most of all."""
    others: tuple[int, ...]
    """At most two more that she buys."""
    chance: float
    """That this is it, if one of her habits is missing."""
    soon: float
    """That she will buy it within three days if she does not now."""
    bought_in: int
    """In so many …"""
    of_last: int
    """… of her last baskets."""
    every_days: int
    """She buys it about every so many days."""
    last_days: int
    """So many days ago the last time."""


def choose(
    model: Model,
    rhythm: Rhythm,
    basket: Ints,
    *,
    allowed: Flags,
    sold: Container[int],
    today: int,
    threshold: float = 0.0,
    refused: Container[int] = frozenset(),
    said: Container[int] = frozenset(),
) -> Reminder | None:
    """The one thing to remind her of, or None.

    `basket`: needs, in any order. `allowed` [N]: needs that may be spoken of; one that is unknown is not. `sold`: products that can
    be had now. `refused`, `said`: needs that she does not want to hear of, and those named for this basket before. `today`: days
    since 1970-01-01, in the store's calendar.
    """
    needs = len(model.tables.category)
    if allowed.shape != (needs,):
        raise BadInput(f"It is said of {len(allowed)} needs whether they may be named; the model knows {needs}.", "Train again.")
    inside = np.unique(np.asarray(basket, np.int32))[:MOST_BASKET]
    if rhythm.trips < COLD_TRIPS or not len(inside):
        return None
    best, columns, odds = np.zeros((LOOKS, FEATURES), np.float32), np.zeros(LOOKS, np.int32), np.zeros((2, LOOKS))
    tables = model.tables
    found = advise(
        rhythm.whole, rhythm.table, rhythm.weights, rhythm.ring, inside, today, HABIT_TRIPS, allowed,
        tables.rates, tables.of_need, tables.other, tables.pull, tables.category,
        *model.which.prepared, best, columns, odds,
    )  # fmt: skip
    for k in range(min(found, LOOKS)):
        need = int(rhythm.table[NEED, columns[k]])
        if need in refused or need in said or (best[k, CATEGORY] and best[k, SIDE_BY_SIDE] < STANDS_IN):
            continue
        chance = _fit(model.fitted[0], _log_odds(float(odds[1, k])))
        if chance < threshold:
            return None  # what follows is less certain still
        products = [product for product in favourites(rhythm, int(columns[k])) if product in sold]
        if products:
            soon = _fit(model.fitted[1], float(model.soon.scores(best[k : k + 1])[0]))
            return _reminder(rhythm, int(columns[k]), products, chance, soon, today)
    return None


def favourites(rhythm: Rhythm, column: int) -> list[int]:
    """Her products of a need, the most and most lately bought first; equals by number."""
    pairs = [(-float(rhythm.weights[1 + k, column]), int(rhythm.table[FIRST_PRODUCT + k, column])) for k in range(PRODUCTS)]
    return [product for _, product in sorted(pairs) if product >= 0]


def _reminder(rhythm: Rhythm, column: int, products: list[int], chance: float, soon: float, today: int) -> Reminder:
    need, times = int(rhythm.table[NEED, column]), int(rhythm.table[COUNT, column])
    first, last = int(rhythm.table[FIRST_BOUGHT, column]), int(rhythm.table[LAST_BOUGHT, column])
    bought_in, of_last = _lately(rhythm, need)
    every = max(1, round((last - first) / max(1, times - 1)))
    return Reminder(need, products[0], tuple(products[1:]), chance, soon, bought_in, of_last, every, max(0, today - last))


def _lately(rhythm: Rhythm, need: int) -> tuple[int, int]:
    """In how many of the last baskets it was; of the windows, the one with the highest share, of equals the longest."""
    trips = int(rhythm.whole[N_RING])
    starts = rhythm.ring[: trips + 1]
    places = np.flatnonzero(rhythm.ring[RING_LINES : RING_LINES + starts[trips]] == need)
    ago = trips - np.searchsorted(starts, places, side="right")  # 0: the last basket
    windows = [min(window, trips) for window in WINDOWS]
    counted = [(int(np.count_nonzero(ago < window)), window) for window in windows]
    return max(counted, key=lambda pair: (pair[0] / pair[1], pair[1]))


def _log_odds(share: float) -> float:
    within = min(max(share, 1e-9), 1 - 1e-9)
    return log(within / (1 - within))


def _fit(line: Doubles, odds: float) -> float:
    return 1 / (1 + exp(-min(max(float(line[0]) * odds + float(line[1]), -30.0), 30.0)))
