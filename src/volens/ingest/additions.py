"""A receipt whose refused lines were mended has more lines than the feed that sends it again: that is no contradiction.

1. A copy is known when all its lines are in the table, and all that the table has beyond them was added from the quarantine.
2. Lines are compared by what they say (`purchases.lines.digests`), as often as they stand there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from volens.ingest.receipts import Compared
from volens.purchases.lines import CONTENT, digests, numbers

Additions = Callable[[Sequence[int]], Mapping[int, Counter[int]]]
"""Receipts → the digests of the lines that each got from the quarantine; receipts without such lines are left out."""


def without_additions(result: Compared, stored: pa.Table, additions: Additions) -> Compared:
    """The comparison of one piece, with copies of mended receipts as duplicates and not as contradictions."""
    lines = result.contradicting
    if not lines.num_rows or not stored.num_rows:
        return result
    baskets = numbers(lines, "basket")
    added = additions(np.unique(baskets).tolist())
    if not added:
        return result
    held = of_receipts(stored, set(added))
    copies: dict[tuple[int, int], Counter[int]] = {}
    keys = list(zip(baskets.tolist(), numbers(lines, "copy").tolist(), strict=True))
    for key, digest in zip(keys, digests(lines, CONTENT).view(np.int64).tolist(), strict=True):
        copies.setdefault(key, Counter())[digest] += 1
    known = {
        (basket, copy)
        for (basket, copy), said in copies.items()
        if basket in added and said <= held[basket] and held[basket] - said <= added[basket]
    }
    again = np.array([key in known for key in keys], dtype=bool)
    return replace(
        result,
        contradicting=lines.filter(pa.array(~again)),
        duplicate_receipts=result.duplicate_receipts + len(known),
        duplicate_lines=result.duplicate_lines + int(again.sum()),
    )


def of_receipts(stored: pa.Table, baskets: set[int]) -> dict[int, Counter[int]]:
    """The digests (int64) of the stored lines of these receipts, with how often each stands there."""
    found: dict[int, Counter[int]] = {basket: Counter() for basket in baskets}
    if stored.num_rows:
        for basket, digest in zip(
            numbers(stored, "basket").tolist(), digests(stored, CONTENT).view(np.int64).tolist(), strict=True
        ):
            if basket in found:
                found[basket][digest] += 1
    return found
