"""Small things that several of the demo's writers need."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def decimal_text(cents: pa.ChunkedArray, sign: str) -> pa.Array:
    """Cents, 0 or more, as an amount with two decimals: 349 → 3,49."""
    whole = cents.combine_chunks()
    euros = pc.divide(whole, 100)
    rest = pc.utf8_lpad(pc.subtract(whole, pc.multiply(euros, 100)).cast(pa.string()), 2, "0")
    return pc.binary_join_element_wise(euros.cast(pa.string()), rest, sign)


def starts(lines: pa.Table) -> np.ndarray:
    """Where each basket of `source.LINES` begins; a basket's lines follow each other."""
    baskets = lines.column("basket").to_numpy()
    return np.flatnonzero(np.append(True, baskets[1:] != baskets[:-1])[: len(baskets)])
