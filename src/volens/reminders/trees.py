"""Boosted trees as flat arrays: what is served and stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from volens.errors import BadInput
from volens.reminders.describing import MOST_LEAVES, score
from volens.reminders.kernels import Doubles, Floats, Ints, Masks


@dataclass(frozen=True)
class Trees:
    """Many trees in one row of nodes. A node's children follow each other; a leaf has feature -1."""

    root: Ints
    """Where each tree begins."""
    feature: Ints
    limit: Floats
    """A row goes left when its feature is at most this; right otherwise."""
    left: Ints
    """The left child; the right one is the next."""
    value: Floats
    """What a leaf adds to the score."""

    def __post_init__(self) -> None:
        nodes = len(self.feature)
        inner = self.feature >= 0
        node = np.arange(nodes)
        if (
            not len(self.limit) == len(self.left) == len(self.value) == nodes
            or np.any(self.left[inner] <= node[inner])  # children come later: a walk ends
            or np.any(self.left[inner] + 1 >= nodes)
            or np.any((self.root < 0) | (self.root >= nodes))
        ):
            raise BadInput("These are no trees: their nodes do not fit together.", "Train again.")

    def scores(self, x: Floats) -> Doubles:
        """The sum of the trees for each row [rows, features]."""
        if np.any(self.feature >= x.shape[1]):
            raise BadInput("The trees look at more than there is.", "Train again.")
        out = np.zeros(len(x))
        score(np.ascontiguousarray(x, np.float32), len(x), *self.prepared, out)
        return out

    @cached_property
    def prepared(self) -> tuple[Ints, Ints, Floats, Masks, Floats]:
        """What `score` takes: where each tree's inner nodes begin; their features, limits and the leaves that they keep for a row
        on their right, as bits; and the leaves' values [trees, `MOST_LEAVES`], from left to right."""
        begin: list[int] = [0]
        feature: list[int] = []
        limit: list[float] = []
        keep: list[int] = []
        value = np.zeros((len(self.root), MOST_LEAVES), np.float32)
        for tree, root in enumerate(self.root.tolist()):
            leaves: list[int] = []
            self._strike(root, leaves, feature, limit, keep)
            if len(leaves) > MOST_LEAVES:
                raise BadInput(f"A tree has more than {MOST_LEAVES} leaves.", "Train with fewer.")
            value[tree, : len(leaves)] = self.value[leaves]
            begin.append(len(feature))
        return (
            np.array(begin, np.int32), np.array(feature, np.int32), np.array(limit, np.float32), np.array(keep, np.uint32), value
        )  # fmt: skip

    def _strike(self, node: int, leaves: list[int], feature: list[int], limit: list[float], keep: list[int]) -> None:
        """Number the leaves below a node from left to right, and note what each inner node strikes out."""
        if self.feature[node] < 0:
            leaves.append(node)
            return
        first = len(leaves)
        self._strike(int(self.left[node]), leaves, feature, limit, keep)
        gone = sum(1 << leaf for leaf in range(first, len(leaves)))
        feature.append(int(self.feature[node]))
        limit.append(float(self.limit[node]))
        keep.append(~gone & 0xFFFFFFFF)
        self._strike(int(self.left[node]) + 1, leaves, feature, limit, keep)


def join(trees: list[Trees]) -> Trees:
    """All trees in one row of nodes."""
    starts = np.cumsum([0] + [len(tree.feature) for tree in trees])[:-1].tolist()
    none, nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
    return Trees(
        np.concatenate([none, *(tree.root + start for tree, start in zip(trees, starts, strict=True))]).astype(np.int32),
        np.concatenate([none, *(tree.feature for tree in trees)]),
        np.concatenate([nothing, *(tree.limit for tree in trees)]),
        np.concatenate([none, *(tree.left + start for tree, start in zip(trees, starts, strict=True))]).astype(np.int32),
        np.concatenate([nothing, *(tree.value for tree in trees)]),
    )
