"""How a model is learned from the past of customers who permit it.

1. Weeks of checkouts ask questions (`questions`); what is known of everybody at a week ended before it.
2. What the trees say is made a chance on the last `HELD_WEEKS`, which they had not seen; then all weeks are learned from.
3. Customers come bucket by bucket, in the memory of one; only questions are kept, at most `MOST_ROWS` rows.
4. The same purchases give the same model, to the bit. Buckets must come in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from volens.errors import BadInput
from volens.reminders.boosting import Settings, learn_whether, learn_which
from volens.reminders.histories import Histories
from volens.reminders.kernels import Doubles, Flags, Ints, Longs
from volens.reminders.model import Model
from volens.reminders.questions import FULL_BASKET, SOON, Questions, ask, together
from volens.reminders.tables import Tables, count, learn, nothing, refresh
from volens.reminders.trees import Trees

WEEK = 7
PAIRS_WEEKS = 4
"""Pairs are counted anew so often, rates each week."""
HELD_WEEKS = 8
LEAST_QUESTIONS = 200
MOST_ROWS = 6_000_000
WHICH = Settings(rounds=100, leaves=15, rate=0.12, ridge=20.0, least_weight=40.0)
THIN = 2
"""Of what was not missing, one row in so many is learned from."""
WHETHER = Settings(rounds=60, leaves=15, rate=0.12, ridge=10.0, least_weight=20.0)
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
"""The thresholds that are shown: those at which it speaks in this share of checkouts."""

Buckets = Callable[[], Iterable[Histories]]


@dataclass(frozen=True)
class Lessons:
    """Questions of some weeks."""

    missing: Questions
    """One habit was taken out."""
    as_it_was: Questions
    """Nothing was."""


def tables_at(buckets: Buckets, category: Ints, day: int, pairs_from: Tables | None = None) -> Tables:
    """What everybody did before `day`; with the pairs of older tables if they are given."""
    counts = nothing(len(category), pairs=pairs_from is None)
    for histories in buckets():
        count(counts, histories, day)
    return learn(counts, category) if pairs_from is None else refresh(pairs_from, counts)


def weekly_tables(buckets: Buckets, category: Ints, begin: int, end: int) -> Iterator[tuple[int, Tables]]:
    """The tables at the first day of each week; four weeks are counted in one pass over the buckets."""
    weeks = list(range(begin, end, WEEK))
    for at in range(0, len(weeks), PAIRS_WEEKS):
        some = weeks[at : at + PAIRS_WEEKS]
        counts = [nothing(len(category), pairs=week == some[0]) for week in some]
        for histories in buckets():
            for week, into in zip(some, counts, strict=True):
                count(into, histories, week)
        tables = learn(counts[0], category)
        del counts[0]
        yield some[0], tables
        yield from ((week, refresh(tables, into)) for week, into in zip(some[1:], counts, strict=True))


def lessons(
    buckets: Buckets, weekly: Iterable[tuple[int, Tables]], allowed: Flags, draws: int = 2, every: int = 1
) -> Iterator[tuple[int, Lessons]]:
    """The questions of each week, asked of one customer in `every`."""
    rows = 0
    for week, tables in weekly:
        missing, as_it_was = [], []
        for histories in buckets():
            some = histories if every == 1 else histories.some(np.flatnonzero(histories.customer % every == 0))
            missing.append(ask(some, tables, allowed, week, week + WEEK, draws))
            as_it_was.append(ask(some, tables, allowed, week, week + WEEK, FULL_BASKET))
        made = Lessons(together(missing), together(as_it_was))
        rows += len(made.missing.need) + len(made.as_it_was.need)
        if rows > MOST_ROWS:
            raise BadInput(f"There are more than {MOST_ROWS:,} rows to learn from.", "Ask fewer customers: raise `every`.")
        yield week, made


def train(
    buckets: Buckets, category: Ints, allowed: Flags, until: int, *, weeks: int = 24, draws: int = 2, every: int = 1
) -> Model:
    """The model of what was bought before the day `until`. `buckets` gives the same customers, in the same order, each time.

    `category` [N]: the category of each need, numbers below N. `allowed` [N]: needs that may ever be named.
    """
    weekly = weekly_tables(buckets, category, until - weeks * WEEK, until)
    asked = list(lessons(buckets, weekly, allowed, draws, every))
    return fit(asked, tables_at(buckets, category, until))


def fit(asked: list[tuple[int, Lessons]], tables: Tables) -> Model:
    """The model of these weeks of questions, with these tables to serve from."""
    earlier, whole = _join(asked[:-HELD_WEEKS]), _join(asked[-HELD_WEEKS:])
    if len(earlier.missing.right) < LEAST_QUESTIONS or len(whole.missing.right) < LEAST_QUESTIONS:
        raise BadInput(
            "There are too few checkouts of known customers to learn from.",
            f"At least {LEAST_QUESTIONS} are needed in the last {HELD_WEEKS} weeks and as many before: wait for more purchases.",
        )
    which, soon = learn_missing(earlier.missing), learn_soon(earlier.as_it_was)
    fitted, table = _fit(whole, which, soon)
    everything = _join(asked)
    return Model(tables, learn_missing(everything.missing), learn_soon(everything.as_it_was), fitted, table)


def _join(asked: list[tuple[int, Lessons]]) -> Lessons:
    return Lessons(together([lesson.missing for _, lesson in asked]), together([lesson.as_it_was for _, lesson in asked]))


def learn_missing(questions: Questions) -> Trees:
    """Trees that tell which habit is missing."""
    answered = questions.with_answer()
    return learn_which(answered.x, answered.starts, answered.right, WHICH, THIN)


def learn_soon(questions: Questions) -> Trees:
    """Trees that tell whether a habit that is not in the basket is bought within three days."""
    return learn_whether(questions.x, (questions.answer & SOON) > 0, WHETHER)


def tops(questions: Questions, trees: Trees) -> tuple[Longs, Doubles]:
    """The likeliest row of each question (-1 where there is none) and its share of the softmax."""
    scores = trees.scores(questions.x)
    row, share = np.full(len(questions.right), -1, np.int64), np.zeros(len(questions.right))
    for q, (begin, end) in enumerate(zip(questions.starts[:-1].tolist(), questions.starts[1:].tolist(), strict=True)):
        if end > begin:
            top = int(np.argmax(scores[begin:end]))
            row[q], share[q] = begin + top, 1 / np.exp(scores[begin:end] - scores[begin + top]).sum()
    return row, share


def _fit(held: Lessons, which: Trees, soon: Trees) -> tuple[Doubles, Doubles]:
    top, share = tops(held.missing, which)
    right = (top >= 0) & (top == held.missing.right)
    odds = log_odds(share)
    chance_line = platt(odds, right)
    soon_odds = soon.scores(held.as_it_was.x)
    is_soon = (held.as_it_was.answer & SOON) > 0
    soon_line = platt(soon_odds, is_soon)
    chance = apply(chance_line, odds)
    top_whole, share_whole = tops(held.as_it_was, which)
    chance_whole = np.where(top_whole >= 0, apply(chance_line, log_odds(share_whole)), 0)
    rows = []
    for wanted in SHARES:
        limit = 0.0 if wanted == 1.0 else float(np.quantile(chance_whole, 1 - wanted, method="higher"))
        says, says_whole = (chance >= limit) & (top >= 0), (chance_whole >= limit) & (top_whole >= 0)
        good = right[says].mean() if says.any() else 0.0
        bought = is_soon[top_whole[says_whole]].mean() if says_whole.any() else 0.0
        rows.append((limit, says_whole.mean(), says.mean(), good, bought))
    return np.stack([chance_line, soon_line]), np.array(rows)


def log_odds(share: Doubles) -> Doubles:
    """ln(p / (1 - p)), within bounds."""
    within = np.clip(share, 1e-9, 1 - 1e-9)
    odds: Doubles = np.log(within / (1 - within))
    return odds


def apply(line: Doubles, odds: Doubles) -> Doubles:
    """The chance that a fitted line gives to log-odds."""
    chance: Doubles = 1 / (1 + np.exp(-np.clip(line[0] * odds + line[1], -30, 30)))
    return chance


def platt(odds: Doubles, so: Flags) -> Doubles:
    """Slope and intercept of the logistic regression of `so` on log-odds (Platt, 1999), by Newton's method."""
    line, given = np.array([1.0, 0.0]), np.stack([odds, np.ones(len(odds))])
    target = np.where(so, (so.sum() + 1) / (so.sum() + 2), 1 / ((~so).sum() + 2))
    for _ in range(50):
        p = apply(line, odds)
        slope = given @ (p - target) + 1e-6 * (line - (1, 0))
        bend = (given * (p * (1 - p))) @ given.T + 1e-6 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        line = line - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return line
