"""Small purchases and models for tests of reminders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from volens.reminders.describing import DECAYED
from volens.reminders.histories import Histories, gather
from volens.reminders.model import Model
from volens.reminders.tables import Tables, count, learn, nothing
from volens.reminders.trees import Trees

NEEDS = 40
Receipt = tuple[int, int, int, Sequence[tuple[int, int]]]
"""Key, day, minute, and lines of (need, product)."""


def histories(receipts: Iterable[Receipt], customer: int = 7) -> Histories:
    """The receipts of one customer."""
    rows = [(customer, key, day, minute, need, product, 1) for key, day, minute, lines in receipts for need, product in lines]
    return gather(*(np.array(column, np.int64) for column in zip(*rows, strict=True))) if rows else gather(*[[]] * 7)


def weekly(lines: Sequence[tuple[int, int]], weeks: int, first_day: int = 17000, key: int = 1000) -> list[Receipt]:
    """The same basket every week."""
    return [(key + week, first_day + 7 * week, 600, lines) for week in range(weeks)]


def tables(known: Histories | None = None, category: Sequence[int] | None = None) -> Tables:
    """Tables of these purchases; every need is a category of its own unless it is said otherwise."""
    counts = nothing(NEEDS)
    if known is not None:
        count(counts, known, 60_000)
    return learn(counts, np.array(range(NEEDS) if category is None else category, np.int32))


def model(of: Tables | None = None) -> Model:
    """A model that ranks by decayed frequency: its trees are stumps at rising limits."""
    limits = np.arange(1, 64, dtype=np.float32) / 64
    root = np.arange(len(limits), dtype=np.int32) * 3
    feature = np.tile(np.array([DECAYED, -1, -1], np.int32), len(limits))
    limit = np.repeat(limits, 3)
    left = np.stack([root + 1, np.zeros_like(root), np.zeros_like(root)], axis=1).ravel().astype(np.int32)
    value = np.tile(np.array([0, -0.1, 0.1], np.float32), len(limits))
    which = Trees(root, feature, limit, left, value)
    none = np.zeros(0, np.int32)
    soon = Trees(none, none, np.zeros(0, np.float32), none, np.zeros(0, np.float32))
    return Model(of or tables(), which, soon, np.array([[1.0, 0.0], [1.0, 0.0]]), np.zeros((0, 5)))
