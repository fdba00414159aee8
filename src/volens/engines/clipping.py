"""One customer's vector, bounded and added up: the arithmetic of `insights.engine` on whole columns at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from volens.insights.engine import Integers
from volens.insights.measures import FIXED_BITS, ONE, MeasurePlan


def add_bounded(customer: npt.NDArray[np.int32], cell: Integers, value: Integers, measure: MeasurePlan, sums: Integers) -> int:
    """Adds the bounded vectors of some customers to `sums`, and returns what clipping took away, in 2⁻²⁴ caps.

    One entry a (customer, cell) with what the customer counts there; entries of a customer stand together. Values are
    above zero: others count nothing. All whole numbers, except the weight; see the engine's formulas.
    """
    if len(customer) == 0:
        return 0
    caps = np.asarray(measure.cell_caps(), dtype=np.int64)[cell]
    part = (np.minimum(value, caps) << FIXED_BITS) // caps
    # first: where each customer's entries start; from here on one number a customer
    first = np.flatnonzero(np.concatenate(([True], customer[1:] != customer[:-1])))
    entries = np.diff(np.append(first, len(customer)))
    squares = np.add.reduceat(part * part, first)
    root = np.sqrt(np.maximum(squares, 1).astype(np.float64))
    weight = np.floor(float(ONE) * np.minimum(1.0, float(measure.radius_fixed) / root)).astype(np.int64)
    kept = (part * np.repeat(weight, entries)) >> FIXED_BITS
    # Not np.bincount: its sums are doubles, exact only below 2⁵³.
    np.add.at(sums, cell, kept)
    if not measure.loss_limit_fixed:
        return 0
    ceilings = np.repeat(np.asarray(measure.ceilings, dtype=np.int64), len(measure.columns))[cell]
    lost = (np.minimum(value, ceilings) << FIXED_BITS) // caps - kept
    worst = np.maximum.reduceat(lost, first)
    return int(np.clip(worst, 0, measure.loss_limit_fixed).sum())
