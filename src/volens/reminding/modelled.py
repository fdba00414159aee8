"""Everything of the station that needs the model's machine code: learning, loading, speaking, reading habits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from volens.errors import Tampered
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate
from volens.holders import Database
from volens.programme.reminding import Reminding
from volens.purchases import catalogue
from volens.purchases.catalogue import Needs
from volens.reminders.kernels import COUNT, FIRST_BOUGHT, LAST_BOUGHT
from volens.reminders.model import HABIT_TRIPS, Model, favourites
from volens.reminders.rhythm import Again, Rhythm, update
from volens.reminding import store
from volens.reminding.basket import Habit
from volens.reminding.learning import Habits, Progress, fold_all, model_of
from volens.reminding.speaking import Ready, Speaking
from volens.reminding.store import Learned

__all__ = ["Model", "Speaking", "after", "allowed", "habits_of", "learn", "load", "threshold"]


def learn(
    gate: Gate, records: Database, request: ReadRequest, needs: Needs, told: Reminding, progress: Progress
) -> tuple[Habits, Model]:
    """Folds every rhythm, and learns the model."""
    may = allowed(told, needs)
    habits = fold_all(gate, records, request, needs, may, progress)
    progress("model", 0, 1)
    return habits, model_of(habits, needs, may)


def load(learned: Learned, told: Reminding, purchases: Path) -> Ready:
    """A stored model, and what is needed beside it. `Tampered` if it is not the one that was learned."""
    if store.digest(learned.model, learned.sold) != learned.digest:
        raise Tampered("The model of the reminders is damaged.", "Learn it anew: volens remind learn")
    listed = catalogue.read(purchases)
    model, needs = Model.from_bytes(learned.model), listed.needs()
    columns = (listed.products.column(one).to_pylist() for one in ("product", "sku", "name_fr", "name_en"))
    names = {key: (sku, {"fr": fr or sku, "en": en or sku}) for key, sku, fr, en in zip(*columns, strict=True)}
    return Ready(
        learned.read,
        model,
        threshold(model, told.most_certain_percent),
        allowed(told, needs)[: len(model.tables.category)],
        frozenset(BitMap.deserialize(learned.sold)),
        needs,
        {sku: key for key, (sku, _) in names.items()},
        names,
        told.most_a_month,
    )


def threshold(model: Model, most_certain_percent: int) -> float:
    """The chance below which nothing is said, so that it speaks in at most so many of a hundred baskets."""
    fitting = [one.chance for one in model.thresholds if one.speaks <= most_certain_percent / 100]
    return min(fitting, default=max((one.chance for one in model.thresholds), default=1.0))


def habits_of(state: bytes, today: int) -> list[Habit]:
    """Needs bought on some trips, most often first."""
    rhythm, found = Rhythm.from_bytes(state), []
    for column, need in enumerate(rhythm.needs.tolist()):
        times, first, last = (int(rhythm.table[row, column]) for row in (COUNT, FIRST_BOUGHT, LAST_BOUGHT))
        if times >= HABIT_TRIPS:
            every = max(1, round((last - first) / (times - 1)))
            found.append(Habit(need, favourites(rhythm, column)[0], times, every, max(0, today - last)))
    return sorted(found, key=lambda one: (-one.times, one.need))


def after(state: bytes, ready: Ready, key: bytes, products: Sequence[int], day: int) -> bytes | None:
    """A rhythm after one more basket was paid, `day` since 1970; none if that changes nothing. In O(basket)."""
    bought = np.array([one for one in products if one < len(ready.needs.of_product)], np.int32)
    needs = ready.needs.of_product[bought]
    named = np.where((needs < len(ready.allowed)) & ready.allowed[np.minimum(needs, len(ready.allowed) - 1)], needs, -1)
    rhythm, number = Rhythm.from_bytes(state), int.from_bytes(key[:8], "big") >> 1
    fresh = update(rhythm, number, day, 0, named.astype(np.int32), bought)
    return None if isinstance(fresh, Again) or fresh is rhythm else fresh.to_bytes()


def allowed(told: Reminding, needs: Needs) -> npt.NDArray[np.bool_]:
    """[needs] which may be named: by number; 0, the unknown one, never."""
    allowed = np.zeros(max(needs.categories, default=0) + 1, np.bool_)
    for need, category in needs.categories.items():
        allowed[need] = told.allows(category, needs.types[need])
    return allowed
