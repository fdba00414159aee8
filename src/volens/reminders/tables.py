"""What is learned from everybody together: how each need is bought again, what is in season, what goes with what.

1. `Counts` are whole numbers that add up: count each bucket of customers by itself, in the memory of one, and add.
2. Nothing is kept of a pair of needs that fewer than `PAIR_CUSTOMERS` customers have in a trip, nor of a need that fewer bought.
3. Counts of one day (`until`) know nothing of that day or later.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from volens.errors import BadInput
from volens.reminders.compiled import compiled
from volens.reminders.describing import R_AGAIN, R_GAP, R_GAP_DAYS, R_SEASON, R_TREND, R_WEEK
from volens.reminders.histories import Histories
from volens.reminders.kernels import Doubles, Flags, Floats, Ints, Longs

PAIR_CUSTOMERS = 20
SEASON_DAYS, WEEK_DAYS = 28, 7
RIDGE = 200.0
TOP = 100
MAX_NEEDS = 20_000
MAX_PAIRED = 6_000
"""Needs that are paired, those with most buyers: the matrix is this squared, three times over in memory while it is inverted."""
PRIOR_TRIPS = 20.0
"""So many trips of the average need stand behind the rates of each need."""
PRIOR_SHARE = 1e-4


@dataclass(frozen=True)
class Counts:
    """What was counted of some customers before a day. [N] a need, [N, N] a pair of needs."""

    trips: Longs
    """[4] all trips; those of the last `SEASON_DAYS`; of the `SEASON_DAYS` before; of the last `WEEK_DAYS`."""
    buyers: Longs
    again: Longs
    """Purchases after a customer's first."""
    waited: Longs
    """Trips after a customer's first purchase of it."""
    waited_days: Longs
    """Days between a customer's first purchase of it and her last."""
    waited_trips: Longs
    """Trips between a customer's first purchase of it and her last."""
    season: Longs
    """Purchases in the last `SEASON_DAYS`."""
    season_before: Longs
    week: Longs
    together: Ints
    """[N, N] trips with both; on the diagonal, with the need. [0, 0] where pairs are not counted."""
    pair_customers: Ints
    """[N, N] customers with such a trip."""

    def add(self, other: Counts) -> None:
        """Add in place: the matrices are large."""
        for field in fields(self):
            mine = getattr(self, field.name)
            mine += getattr(other, field.name)


PER_NEED = ("buyers", "again", "waited", "waited_days", "waited_trips", "season", "season_before", "week")


def nothing(needs: int, pairs: bool = True) -> Counts:
    """The counts of nobody; `pairs`: count what goes with what, too."""
    if not 0 < needs <= (MAX_PAIRED if pairs else MAX_NEEDS):
        raise BadInput(f"Reminders can pair 1 to {MAX_PAIRED} needs, not {needs}.", "Group products more coarsely.")
    square = (needs, needs) if pairs else (0, 0)
    return Counts(np.zeros(4, np.int64), *np.zeros((len(PER_NEED), needs), np.int64), *np.zeros((2, *square), np.int32))


def count(into: Counts, histories: Histories, until: int) -> None:
    """Add what these customers did before the day `until`. A customer must be counted whole, in one call."""
    trips = histories.trips.before(until)
    ago = until - 1 - trips.day
    season = np.minimum(ago // SEASON_DAYS, 2).astype(np.int32)
    for place, counted in enumerate((ago >= 0, season == 0, season == 1, ago < WEEK_DAYS)):
        into.trips[place] += np.count_nonzero(counted)
    rows = np.zeros((len(PER_NEED), len(into.buyers)), np.int64)
    _count_needs(rows, trips.of_customer, trips.day, season, (ago < WEEK_DAYS), trips.of_trip, trips.need)
    for row, name in zip(rows, PER_NEED, strict=True):
        getattr(into, name)[:] += row
    if len(into.together):
        _count_pairs(into.together, into.pair_customers, trips.of_customer, trips.of_trip, trips.need)


@compiled("void(i8[:,::1], i8[::1], i4[::1], i4[::1], b1[::1], i8[::1], i4[::1])")
def _count_needs(rows: Longs, of_customer: Longs, day: Ints, season: Ints, week: Flags, of_trip: Longs, need: Ints) -> None:
    """Rows in the order of `PER_NEED`."""
    needs = rows.shape[1]
    first, last, owner = np.zeros(needs, np.int64), np.zeros(needs, np.int64), np.full(needs, -1, np.int64)
    for c in range(len(of_customer) - 1):
        begin, end = of_customer[c], of_customer[c + 1]
        for t in range(begin, end):
            for k in range(of_trip[t], of_trip[t + 1]):
                i = need[k]
                if owner[i] != c:
                    owner[i], first[i] = c, t
                    rows[0, i] += 1
                    rows[2, i] += end - 1 - t
                else:
                    rows[1, i] += 1
                last[i] = t
                if season[t] < 2:
                    rows[5 + season[t], i] += 1
                rows[7, i] += week[t]
        for t in range(begin, end):
            for k in range(of_trip[t], of_trip[t + 1]):
                i = need[k]
                if last[i] == t:
                    rows[3, i] += day[t] - day[first[i]]
                    rows[4, i] += t - first[i]


@compiled("void(i4[:,::1], i4[:,::1], i8[::1], i8[::1], i4[::1])")
def _count_pairs(together: Ints, customers: Ints, of_customer: Longs, of_trip: Longs, need: Ints) -> None:
    n = len(together)
    place = np.full(n, -1, np.int32)
    for c in range(len(of_customer) - 1):
        known = np.zeros(0, np.int32)
        lines = need[of_trip[of_customer[c]] : of_trip[of_customer[c + 1]]]
        known = np.unique(lines)
        for k in range(len(known)):
            place[known[k]] = k
        seen = np.zeros((len(known), len(known)), np.bool_)
        for t in range(of_customer[c], of_customer[c + 1]):
            for a in range(of_trip[t], of_trip[t + 1]):
                for b in range(of_trip[t], of_trip[t + 1]):
                    together[need[a], need[b]] += 1
                    seen[place[need[a]], place[need[b]]] = True
        for a in range(len(known)):
            for b in range(len(known)):
                if seen[a, b]:
                    customers[known[a], known[b]] += 1


@dataclass(frozen=True)
class Tables:
    """What a request looks up."""

    rates: Floats
    """[6, N]: see `describing.R_AGAIN` and the names after it."""
    of_need: Ints
    """[N+1] where a need's pairs begin."""
    other: Ints
    """The other need of each pair, at most `TOP` a need, ascending."""
    pull: Floats
    """How much a need in the basket speaks for the other one (EASE)."""
    category: Ints
    """[N] the category of a need, a number below N."""

    def __post_init__(self) -> None:
        n, pairs = len(self.category), len(self.other)
        ends = self.of_need
        if (
            self.rates.shape != (6, n)
            or len(ends) != n + 1
            or len(self.pull) != pairs
            or ends[0] != 0
            or ends[-1] != pairs
            or np.any(np.diff(ends) < 0)
            or np.any((self.other < 0) | (self.other >= n))
            or np.any((self.category < 0) | (self.category >= n))
        ):
            raise BadInput("These tables do not fit together.", "Train again.")


def learn(counts: Counts, category: Ints) -> Tables:
    """The tables of these counts, which hold pairs."""
    order = np.argsort(-counts.buyers, kind="stable")[:MAX_PAIRED]
    known = np.sort(order[counts.buyers[order] >= PAIR_CUSTOMERS])
    return Tables(_rates(counts), *_pairs(counts, known), np.ascontiguousarray(category, np.int32))


def refresh(tables: Tables, counts: Counts) -> Tables:
    """The same pairs with the rates of newer counts: a week's work is cheap, that of pairs is not."""
    return replace(tables, rates=_rates(counts))


def _rates(counts: Counts) -> Floats:
    known = counts.buyers >= PAIR_CUSTOMERS
    _, lately, earlier, week = (max(1, int(trips)) for trips in counts.trips)
    season = counts.season / lately
    rates = np.zeros((6, len(known)), np.float32)
    rates[R_AGAIN] = _rate(counts.again, counts.waited, known)
    rates[R_GAP] = 1 / _rate(counts.again, counts.waited_trips, known)
    rates[R_GAP_DAYS] = 1 / _rate(counts.again, counts.waited_days, known)
    rates[R_SEASON] = np.where(known, season, 0)
    rates[R_TREND] = np.where(known, (season + PRIOR_SHARE) / (counts.season_before / earlier + PRIOR_SHARE), 1)
    rates[R_WEEK] = np.where(known, (counts.week / week + PRIOR_SHARE) / (season + PRIOR_SHARE), 1)
    return rates


def _rate(events: Longs, waited: Longs, known: Flags) -> Doubles:
    """Events a unit waited, drawn to the average need; that of all where too few bought it."""
    events, waited = np.where(known, events, 0), np.where(known, waited, 0)
    average = max(events.sum(), 1) / max(waited.sum(), 1)
    rate: Doubles = (events + PRIOR_TRIPS * average) / (waited + PRIOR_TRIPS)
    return rate


def _pairs(counts: Counts, known: Longs) -> tuple[Ints, Ints, Floats]:
    """Ridge regression of each need on all others, over trips (Steck, EASE, 2019); the strongest `TOP` pairs of each need."""
    gram = counts.together[np.ix_(known, known)].astype(np.float64)
    gram[np.diag_indices_from(gram)] += RIDGE
    inverse = np.linalg.inv(gram)
    pull = (inverse / -np.diag(inverse)[None, :]).astype(np.float32)
    pull[counts.pair_customers[np.ix_(known, known)] < PAIR_CUSTOMERS] = 0
    np.fill_diagonal(pull, 0)
    needs, others, pulls = [], [], []
    for row in range(len(known)):
        paired = np.flatnonzero(pull[row])
        best = np.sort(paired[np.argsort(-np.abs(pull[row, paired]), kind="stable")[:TOP]])
        needs.append(np.full(len(best), known[row]))
        others.append(known[best])
        pulls.append(pull[row, best])
    begins = np.searchsorted(np.concatenate([np.zeros(0, np.int64), *needs]), np.arange(len(counts.buyers) + 1))
    other = np.concatenate([np.zeros(0, np.int64), *others])
    return begins.astype(np.int32), other.astype(np.int32), np.concatenate([np.zeros(0, np.float32), *pulls])
