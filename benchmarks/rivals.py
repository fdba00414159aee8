"""The methods that the reminder model is measured against, tuned as hard: TIFU-KNN (Hu et al., SIGIR 2020) and UP-CF (Faggioli et
al., UMAP 2020), and a customer's own past baskets that resemble this one.

1. Neighbours are customers who are not for reporting, as they were before the window; the customer herself has her whole past.
2. The settings below were found by `tune` on the validation weeks of those customers; the grids stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numba
import numpy as np

from volens.reminders.histories import Trips

# What was tried: every combination of the first line with every one of the second.
TIFU_GRID = {"group": (7, 10, 15, 25, 40, 60), "within": (0.9, 0.95, 1.0), "across": (0.4, 0.6, 0.8)}
TIFU_NEIGHBOURS = {"k": (15, 30, 60, 100, 300), "own": (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)}
UPCF_GRID = {"recent": (20, 40, 100, 1000), "asymmetry": (0.0, 0.25, 0.5, 0.75, 1.0)}
UPCF_NEIGHBOURS = {"locality": (2, 5, 10, 20, 50), "k": (100, 300, 1900)}


@dataclass(frozen=True)
class Tifu:
    """Settings of TIFU-KNN: trips a group, decay within a group and across groups, neighbours, weight of the customer herself."""

    group: int = 10
    within: float = 1.0
    across: float = 0.6
    k: int = 100
    own: float = 0.8


@dataclass(frozen=True)
class Upcf:
    """Settings of UP-CF: trips that count, asymmetry and sharpness of the likeness, neighbours."""

    recent: int = 100
    asymmetry: float = 0.75
    locality: int = 20
    k: int = 1900


@numba.njit
def _vectors(of_customer, of_trip, need, customers, ends, by_age, out):  # type: ignore[no-untyped-def]
    for q in range(len(customers)):
        begin, end = of_customer[customers[q]], ends[q]
        trips = end - begin
        for t in range(begin, end):
            weight = by_age[end - 1 - t, 0] / by_age[trips, 1] if trips else 0.0
            for k in range(of_trip[t], of_trip[t + 1]):
                out[q, need[k]] += weight


def vectors(trips: Trips, customers: np.ndarray, ends: np.ndarray, by_age: np.ndarray, needs: int) -> np.ndarray:
    """[Q, needs] what each customer bought before the trip `ends[q]`, weighted by age and divided by `by_age[trips, 1]`."""
    out = np.zeros((len(customers), needs), np.float32)
    _vectors(trips.of_customer, trips.of_trip, trips.need, customers, ends, by_age, out)
    return out


def tifu_ages(setting: Tifu, longest: int) -> np.ndarray:
    """[longest + 1, 2] a trip's weight by age, and what divides a history of that length: its number of groups."""
    age = np.arange(longest + 1)
    weight = setting.within ** (age % setting.group) * setting.across ** (age // setting.group) / setting.group
    return np.stack([weight, np.maximum(1, np.ceil(age / setting.group))], axis=1)


def upcf_ages(setting: Upcf, longest: int) -> np.ndarray:
    """The same for UP-CF: the last `recent` trips weigh the same."""
    age = np.arange(longest + 1)
    return np.stack([(age < setting.recent).astype(float), np.maximum(1, np.minimum(age, setting.recent))], axis=1)


def tifu_distances(mine: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """[Q, P] squared distances, up to what is the same for all neighbours."""
    far: np.ndarray = (pool**2).sum(1)[None, :] - 2 * mine @ pool.T
    return far


def tifu_neighbours(pool: np.ndarray, order: np.ndarray, k: int) -> np.ndarray:
    """[Q, needs] the mean of the nearest; `order`: the pool by distance, nearest first."""
    near = np.zeros((len(order), len(pool)), np.float32)
    np.put_along_axis(near, order[:, :k], 1 / min(k, len(pool)), axis=1)
    mean: np.ndarray = near @ pool
    return mean


def upcf_likeness(mine: np.ndarray, pool: np.ndarray, asymmetry: float) -> np.ndarray:
    """[Q, P] asymmetric cosine."""
    own = np.maximum((mine**2).sum(1), 1e-12)[:, None] ** asymmetry
    others = np.maximum((pool**2).sum(1), 1e-12)[None, :] ** (1 - asymmetry)
    alike: np.ndarray = mine @ pool.T / (own * others)
    return alike


def upcf_scores(mine: np.ndarray, pool: np.ndarray, alike: np.ndarray, setting: Upcf) -> np.ndarray:
    """[Q, needs]; the customer is her own neighbour with likeness one."""
    sharp = alike**setting.locality
    if setting.k < len(pool):
        floor = np.partition(sharp, -setting.k, axis=1)[:, -setting.k][:, None]
        sharp = np.where(sharp >= floor, sharp, 0)
    scores: np.ndarray = mine + sharp @ pool
    return scores


def grid(of: dict[str, tuple[float, ...]]) -> Iterator[dict[str, float]]:
    """Every combination."""
    for values in product(*of.values()):
        yield dict(zip(of, values, strict=True))
