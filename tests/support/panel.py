"""Invented shoppers for measuring: many buy nothing, a few buy a lot, and who bought before buys again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volens.measuring.detriment import Lines

Cents = NDArray[np.float64]


@dataclass(frozen=True)
class Shoppers:
    """What each would spend: before, during without a campaign, and during with it. In cents."""

    before: Cents
    without: Cents
    with_it: Cents


def shoppers(seed: int, people: int, *, lift: float = 0.0, each_cents: float = 0.0) -> Shoppers:
    """`lift`: a campaign moves what each spends by this share, and by `each_cents` those who buy at all."""
    chance = np.random.default_rng(seed)
    habit = chance.normal(8.0, 1.0, people)  # e⁸ cents are about thirty euros
    before = np.exp(habit + chance.normal(0, 0.5, people)) * (chance.random(people) < 0.8)
    without = np.exp(habit + chance.normal(0, 0.5, people)) * (chance.random(people) < 0.8)
    with_it = without * (1 + lift) + each_cents * (without > 0)
    return Shoppers(np.round(before), np.round(without), np.round(with_it))


def lines(
    seed: int = 1, people: int = 400, each: int = 60, *, dearer: float = 1.0, lost: float = 0.0, noisy: float = 0.0
) -> Lines:  # fmt: skip
    """A third refuse. `dearer`: their shelf price; `lost`: the share of it by which others have a discount of their own."""
    chance = np.random.default_rng(seed)
    size = people * each
    customer = np.repeat(np.arange(people), each)
    refuses = customer % 3 == 0
    product, store, week = chance.integers(0, 30, size), chance.integers(0, 3, size), chance.integers(0, 4, size)
    quantity = chance.integers(1, 4, size) * 1000
    price = 100 + 37 * product + 5 * store + 3 * week
    shelf = price * quantity / 1000 * np.where(refuses, dearer, 1.0) * np.exp(chance.normal(0, noisy, size))
    discount = np.where(refuses, 0.0, shelf * lost)
    return Lines(
        product, store, week, customer, quantity, np.round(shelf - discount).astype(np.int64), np.round(discount).astype(np.int64),
        refuses,
    )  # fmt: skip
