"""Boosted trees, learned: small histograms, two kinds of question.

1. "Which of these?": the rows of a checkout compete, one was right (softmax). The likelihood is that of the task, which
   scikit-learn's and LightGBM's kinds of loss are not.
2. "Is it so?": each row by itself (logistic).
3. No chance is involved: the same rows give the same trees, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volens.reminders.compiled import compiled
from volens.reminders.kernels import Bytes, Doubles, Floats, Ints, Longs
from volens.reminders.trees import Trees, join

BINS = 64
SAMPLED_ROWS = 200_000


@dataclass(frozen=True)
class Settings:
    """How much is learned."""

    rounds: int
    leaves: int
    rate: float
    ridge: float = 1.0
    least_weight: float = 5.0
    """The second derivative that each side of a split holds at least."""


def learn_which(x: Floats, starts: Longs, right: Longs, settings: Settings, thin: int = 1) -> Trees:
    """Trees whose scores tell the right row of each checkout. `starts` [Q+1]; `right` [Q] the right row.

    `thin`: of the other rows one in so many is looked at, and counts for so many; the likelihood stays what it is, on average.
    """
    kept = (np.arange(len(x)) % thin == 0)
    kept[right] = True
    ends = np.concatenate(([0], np.cumsum(kept)))
    here, rows = ends[starts], ends[right]
    return _learn(x[kept] if thin > 1 else x, settings, lambda score, g, h: _compete(score, here, rows, float(thin), g, h))


def learn_whether(x: Floats, so: NDArray[np.bool_], settings: Settings) -> Trees:
    """Trees whose scores are log-odds of `so` [rows]."""
    target = so.astype(np.float64)
    return _learn(x, settings, lambda score, g, h: _logistic(score, target, g, h))


def _learn(x: Floats, settings: Settings, slope: Callable[[Doubles, Doubles, Doubles], None]) -> Trees:
    edges, many = _edges(x)
    bins = np.zeros(x.shape, np.uint8)
    _bin(x, edges, many, bins)
    score, g, h = np.zeros(len(x)), np.zeros(len(x)), np.zeros(len(x))
    leaf = np.zeros(len(x), np.int32)
    trees = []
    for _ in range(settings.rounds):
        slope(score, g, h)
        size = 2 * settings.leaves - 1
        feature, bin_, left = np.full(size, -1, np.int32), np.zeros(size, np.int32), np.zeros(size, np.int32)
        value = np.zeros(size, np.float32)
        nodes = _grow(
            bins, g, h, settings.leaves, settings.ridge, settings.least_weight, settings.rate, feature, bin_, left, value, leaf
        )
        score += value[leaf]
        limit = edges[np.maximum(feature, 0), bin_]
        trees.append(Trees(np.zeros(1, np.int32), feature[:nodes], limit[:nodes], left[:nodes], value[:nodes]))
    return join(trees)


def _edges(x: Floats) -> tuple[Floats, Longs]:
    """Where values are parted: quantiles of every n-th row. Bin b holds what is above edge b - 1 and at most edge b."""
    every = max(1, len(x) // SAMPLED_ROWS)
    edges, many = np.zeros((x.shape[1], BINS), np.float32), np.zeros(x.shape[1], np.int64)
    for feature in range(x.shape[1]):
        parted = np.unique(np.quantile(x[::every, feature], np.arange(1, BINS) / BINS, method="lower"))
        edges[feature, : len(parted)], many[feature] = parted, len(parted)
    return edges, many


@compiled("void(f4[:,::1], f4[:,::1], i8[::1], u1[:,::1])")
def _bin(x: Floats, edges: Floats, many: Longs, bins: Bytes) -> None:
    for f in range(x.shape[1]):
        for r in range(len(x)):
            low, high = 0, many[f]
            while low < high:
                middle = (low + high) // 2
                if edges[f, middle] < x[r, f]:
                    low = middle + 1
                else:
                    high = middle
            bins[r, f] = low


@compiled("void(f8[::1], i8[::1], i8[::1], f8, f8[::1], f8[::1])")
def _compete(score: Doubles, starts: Longs, right: Longs, times: float, g: Doubles, h: Doubles) -> None:
    """Slopes of the softmax likelihood: of a checkout's rows, the right one; each of the others stands for `times`."""
    for q in range(len(right)):
        begin, end = starts[q], starts[q + 1]
        most, total = score[begin], 0.0
        for r in range(begin, end):
            most = max(most, score[r])
        for r in range(begin, end):
            g[r] = np.exp(score[r] - most) * (1.0 if r == right[q] else times)
            total += g[r]
        for r in range(begin, end):
            g[r] /= total
            h[r] = max(g[r] * (1 - g[r]), 1e-6)
        g[right[q]] -= 1


@compiled("void(f8[::1], f8[::1], f8[::1], f8[::1])")
def _logistic(score: Doubles, target: Doubles, g: Doubles, h: Doubles) -> None:
    for r in range(len(score)):
        p = 1 / (1 + np.exp(-score[r]))
        g[r] = p - target[r]
        h[r] = max(p * (1 - p), 1e-6)


@compiled("void(u1[:,::1], i8[::1], i8, i8, f8[::1], f8[::1], f8[:,:,::1])")
def _sum_bins(bins: Bytes, rows: Longs, begin: int, end: int, g: Doubles, h: Doubles, sums: NDArray[np.float64]) -> None:
    for k in range(begin, end):
        r = rows[k]
        for f in range(bins.shape[1]):
            sums[f, bins[r, f], 0] += g[r]
            sums[f, bins[r, f], 1] += h[r]


@compiled("void(f8[:,:,::1], f8, f8, f8[::1], i8[:,::1], i8)")
def _find_split(sums: NDArray[np.float64], ridge: float, least: float, gains: Doubles, splits: Longs, node: int) -> None:
    """The best place to part a node: its gain, feature and bin; gain 0 when there is none."""
    all_g, all_h = 0.0, 0.0
    for b in range(sums.shape[1]):
        all_g += sums[0, b, 0]
        all_h += sums[0, b, 1]
    gains[node] = 0.0
    for f in range(sums.shape[0]):
        left_g, left_h = 0.0, 0.0
        for b in range(sums.shape[1] - 1):
            left_g += sums[f, b, 0]
            left_h += sums[f, b, 1]
            right_g, right_h = all_g - left_g, all_h - left_h
            if left_h >= least and right_h >= least:
                gain = left_g**2 / (left_h + ridge) + right_g**2 / (right_h + ridge) - all_g**2 / (all_h + ridge)
                if gain > gains[node] + 1e-9:
                    gains[node], splits[node, 0], splits[node, 1] = gain, f, b


@compiled("i8(u1[:,::1], i8[::1], i8, i8, i8, i8)")
def _part(bins: Bytes, rows: Longs, begin: int, end: int, feature: int, bin_: int) -> int:
    """Rows of the left side first, in their order; where the right side begins."""
    others = np.empty(end - begin, np.int64)
    middle, many = begin, 0
    for k in range(begin, end):
        r = rows[k]
        if bins[r, feature] <= bin_:
            rows[middle] = r
            middle += 1
        else:
            others[many] = r
            many += 1
    rows[middle:end] = others[:many]
    return middle


@compiled("i8(u1[:,::1], f8[::1], f8[::1], i8, f8, f8, f8, i4[::1], i4[::1], i4[::1], f4[::1], i4[::1])")
def _grow(
    bins: Bytes, g: Doubles, h: Doubles, leaves: int, ridge: float, least: float, rate: float,
    feature: Ints, bin_: Ints, left: Ints, value: Floats, leaf: Ints,
) -> int:  # fmt: skip
    """One tree, the node with the most to gain first. Writes its nodes, and the leaf of each row; how many nodes."""
    size = 2 * leaves - 1
    rows, spans = np.arange(len(bins)), np.zeros((size, 2), np.int64)
    sums, gains, splits = np.zeros((size, bins.shape[1], BINS, 2)), np.zeros(size), np.zeros((size, 2), np.int64)
    spans[0, 1] = len(bins)
    _sum_bins(bins, rows, 0, len(bins), g, h, sums[0])
    _find_split(sums[0], ridge, least, gains, splits, 0)
    used = 1
    while used < size:
        node = int(np.argmax(gains[:used]))
        if gains[node] <= 0:
            break
        begin, end = spans[node, 0], spans[node, 1]
        middle = _part(bins, rows, begin, end, splits[node, 0], splits[node, 1])
        feature[node], bin_[node], left[node], gains[node] = splits[node, 0], splits[node, 1], used, 0.0
        spans[used, 0], spans[used, 1], spans[used + 1, 0], spans[used + 1, 1] = begin, middle, middle, end
        small = used if middle - begin < end - middle else used + 1
        _sum_bins(bins, rows, spans[small, 0], spans[small, 1], g, h, sums[small])
        sums[used + used + 1 - small] = sums[node] - sums[small]
        _find_split(sums[used], ridge, least, gains, splits, used)
        _find_split(sums[used + 1], ridge, least, gains, splits, used + 1)
        used += 2
    for node in range(used):
        if feature[node] < 0:
            all_g, all_h = 0.0, 0.0
            for k in range(spans[node, 0], spans[node, 1]):
                all_g += g[rows[k]]
                all_h += h[rows[k]]
                leaf[rows[k]] = node
            value[node] = -rate * all_g / (all_h + ridge)
    return used
