"""How right a ranking is, and how sure we are: measures over checkouts, bootstrapped by household."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from benchmarks.rivals import Tifu, Upcf, tifu_ages, tifu_distances, tifu_neighbours, upcf_ages, upcf_likeness, upcf_scores, vectors

from volens.reminders.histories import Histories, Trips
from volens.reminders.questions import HABIT, Questions

NOWHERE = 10**6
BOOTSTRAPS = 2000
TOP = 10


def ranks_of_model(scores: np.ndarray, questions: Questions) -> np.ndarray:
    """[Q] how many rows are above the one taken out; `NOWHERE` where it is no row. Equals: the lower number first."""
    ranks = np.full(len(questions.right), NOWHERE)
    for q in np.flatnonzero(questions.right >= 0):
        begin, right = questions.starts[q], questions.right[q]
        ranks[q] = np.count_nonzero(scores[begin : questions.starts[q + 1]] > scores[right]) + np.count_nonzero(
            scores[begin:right] == scores[right]
        )
    return ranks


def hits(ranks: np.ndarray) -> np.ndarray:
    """First."""
    return (ranks == 0).astype(float)


def gains(ranks: np.ndarray) -> np.ndarray:
    """NDCG@10 with one right answer."""
    return np.where(ranks < TOP, 1 / np.log2(np.minimum(ranks, NOWHERE) + 2), 0)


@dataclass
class Sure:
    """A mean with its interval of 95 %, over households."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def interval(households: np.ndarray, value: np.ndarray, over: np.ndarray | None = None) -> Sure:
    """The mean of `value`, or the ratio of its sum to that of `over`."""
    over = np.ones(len(value)) if over is None else over
    _, place = np.unique(households, return_inverse=True)
    top, bottom = np.bincount(place, value), np.bincount(place, over)
    draws = np.random.default_rng(7).multinomial(len(top), np.full(len(top), 1 / len(top)), BOOTSTRAPS)
    low, high = np.quantile(draws @ top / np.maximum(draws @ bottom, 1e-9), [0.025, 0.975])
    return Sure(float(top.sum() / bottom.sum()), float(low), float(high))


@dataclass
class Field:
    """The checkouts that rivals are judged on: one place for each trip that questions ask about."""

    customers: np.ndarray
    """[U] place of the customer in the histories asked."""
    ends: np.ndarray
    """[U] the trip, which is where her past ends."""
    of_question: np.ndarray
    """[Q] which of them."""
    basket: np.ndarray
    """[U, needs]"""
    habit: np.ndarray
    """[U, needs] bought on `HABIT` earlier trips, and may be named."""
    same: np.ndarray
    """[U] place of the customer in the pool; -1 where she is not."""


def field(questions: Questions, asked: Histories, trips: Trips, pool: Histories, allowed: np.ndarray, habit: int = HABIT) -> Field:
    """The places of these questions."""
    ends, of_question = np.unique(questions.trip, return_inverse=True)
    customers = np.searchsorted(trips.of_customer, ends, side="right") - 1
    basket = np.zeros((len(ends), len(allowed)), bool)
    for place, trip in enumerate(ends):
        basket[place, trips.need[trips.of_trip[trip] : trips.of_trip[trip + 1]]] = True
    longest = int(np.diff(trips.of_customer).max())
    counted = vectors(trips, customers, ends, np.ones((longest + 1, 2)), len(allowed))
    who = asked.customer[customers]
    same = np.searchsorted(pool.customer, who)
    same = np.where(pool.customer[np.minimum(same, len(pool.customer) - 1)] == who, same, -1)
    return Field(customers, ends, of_question, basket, (counted >= habit) & allowed, same)


class Rivals:
    """Scores of TIFU-KNN and UP-CF for all places of a field, keeping what is the same for many settings."""

    def __init__(self, on: Field, trips: Trips, pool: Histories, needs: int) -> None:
        self.on, self.trips, self.pool, self.needs = on, trips, pool.trips, needs
        self.longest = int(max(np.diff(trips.of_customer).max(), np.diff(self.pool.of_customer).max()))

    def pair(self, by_age: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The vectors of those asked about and of the pool."""
        everybody = np.arange(len(self.pool.of_customer) - 1)
        mine = vectors(self.trips, self.on.customers, self.on.ends, by_age, self.needs)
        return mine, vectors(self.pool, everybody, self.pool.of_customer[1:], by_age, self.needs)

    def tifu(self, setting: Tifu) -> np.ndarray:
        """[U, needs]"""
        mine, pool = self.pair(tifu_ages(setting, self.longest))
        near = tifu_neighbours(pool, self.nearest(mine, pool), setting.k)
        scores: np.ndarray = setting.own * mine + (1 - setting.own) * near
        return scores

    def nearest(self, mine: np.ndarray, pool: np.ndarray) -> np.ndarray:
        """[U, P] the pool by distance, herself last."""
        far = tifu_distances(mine, pool)
        far[np.flatnonzero(self.on.same >= 0), self.on.same[self.on.same >= 0]] = np.inf
        return np.argsort(far, axis=1, kind="stable")

    def alike(self, mine: np.ndarray, pool: np.ndarray, asymmetry: float) -> np.ndarray:
        """[U, P] likeness, none to herself."""
        alike = upcf_likeness(mine, pool, asymmetry)
        alike[np.flatnonzero(self.on.same >= 0), self.on.same[self.on.same >= 0]] = 0
        return alike

    def upcf(self, setting: Upcf) -> np.ndarray:
        """[U, needs]"""
        mine, pool = self.pair(upcf_ages(setting, self.longest))
        return upcf_scores(mine, pool, self.alike(mine, pool, setting.asymmetry), setting)


def ranks_of_rival(scores: np.ndarray, questions: Questions, on: Field) -> np.ndarray:
    """[Q] the same as `ranks_of_model`, among all habits that are not in the basket."""
    places, needs = np.nonzero(on.habit & ~on.basket)
    begins, candidate = np.searchsorted(places, np.arange(len(on.ends) + 1)), scores[places, needs]
    ranks = np.zeros(len(questions.right), int)
    for q, (place, gone) in enumerate(zip(on.of_question.tolist(), questions.removed.tolist(), strict=True)):
        begin, end = begins[place], begins[place + 1]
        mine, score = candidate[begin:end], scores[place, gone]
        ranks[q] = np.count_nonzero(mine > score) + np.count_nonzero(needs[begin:end][mine == score] < gone)
    return ranks


def soon_measures(above: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Of each checkout's candidates, best first, whether they were bought: first right, recall@10 and NDCG@10 (NaN without any)."""
    first, recall, gain = [], [], []
    discount = 1 / np.log2(np.arange(TOP) + 2)
    for bought in above:
        many = bought.sum()
        first.append(float(bought[0]) if len(bought) else 0.0)
        recall.append(bought[:TOP].sum() / many if many else np.nan)
        gain.append((bought[:TOP] * discount[: len(bought[:TOP])]).sum() / discount[: min(many, TOP)].sum() if many else np.nan)
    return {"first": np.array(first), "recall": np.array(recall), "gain": np.array(gain)}
