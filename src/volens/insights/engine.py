"""What an engine promises: exact bounded sums over permitted customers, the same to the bit on every engine.

The arithmetic of one customer in one measure, all in whole numbers except one square root and one division whose
operands, order and rounding are fixed (IEEE 754 doubles):

    v   what the customer counts in a cell, net of returns          buyers: 1 if the net quantity is above zero
    t = min(max(v, 0), cap) · 2²⁴ // cap                             0 … 2²⁴
    S = Σ t² over the cells of the measure
    W = ⌊2²⁴ · min(1, R / √max(S, 1))⌋                               R the radius in fixed point
    q = (t · W) >> 24                                               what is added to the cell
    l = max over cells of (min(max(v, 0), ceiling) · 2²⁴ // cap − q), at least 0 and at most the loss limit

Definitions that every engine keeps:
1. A line counts if its customer is permitted, its day lies in a period, its currency is the pack's and its product is
   in the category. Quantity and amount of a line count up to ±`LINE_LIMIT`.
2. A trip is a distinct basket with at least one line of quantity above zero in the cell. Returns take no trip away.
3. `seen` holds every permitted customer with a line, of any product, of the pack's currency, between the first day of
   the first period and the last day of the last: these are the customers whose rows were read.
4. No files, nobody permitted, nothing bought: zeros.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from volens.errors import BadInput, Refused
from volens.insights.pack import Pack
from volens.insights.plan import Plan

if TYPE_CHECKING:
    from volens.gate.reads import OpenedPurchases

Integers = npt.NDArray[np.int64]
MAX_PRODUCT = 1 << 26
"""Product keys are small and dense; the look-up array has one byte or two for each."""


@dataclass(frozen=True)
class ProductKeys:
    """Which row each product of the public catalogue belongs to."""

    row_of_product: npt.NDArray[np.int16]
    """Indexed by product key: 0 … brands − 1 for the pack's brands, then the rest; −1 outside the category."""

    @classmethod
    def of(cls, catalogue: pa.Table, pack: Pack) -> ProductKeys:
        """From a table with `product` int32, `category` string and `brand` string or null.

        Raises `BadInput` for a brand that the catalogue does not have in the category: a row that nothing can ever fall
        into is a slip, and the catalogue is public.
        """
        columns = catalogue.select(["product", "category", "brand"]).to_pylist()
        inside = [entry for entry in columns if entry["category"] == pack.category]
        if not inside:
            raise BadInput(f"The catalogue has no category {pack.category!r}.", "Choose one that it has.")
        known = {entry["brand"] for entry in inside}
        missing = [brand for brand in pack.brands if brand not in known]
        if missing:
            raise BadInput(
                f"The catalogue has no product of {', '.join(missing)} in {pack.category}.",
                "Leave the brand out, or ask about the category it is in.",
            )
        highest = max(entry["product"] for entry in inside)
        if min(entry["product"] for entry in inside) < 0 or highest > MAX_PRODUCT:
            raise BadInput("The catalogue's product keys are not small whole numbers.", "Load the catalogue again.")
        rows = np.full(highest + 1, -1, dtype=np.int16)
        row_of_brand = {brand: row for row, brand in enumerate(pack.brands)}
        for entry in inside:
            rows[entry["product"]] = row_of_brand.get(entry["brand"], len(pack.brands))
        rows.setflags(write=False)
        return cls(rows)


@dataclass(frozen=True)
class ExactSums:
    """The exact stage's result. Secret: it is subtracted from, given noise, and dropped. It does not print itself."""

    plan_hash: str
    sums: Mapping[str, Integers] = field(repr=False)
    """By measure: one int64 a cell, in 2⁻²⁴ caps."""
    loss: Mapping[str, int] = field(repr=False)
    """By measure: what clipping took away at the most in any one cell, summed over customers, in 2⁻²⁴ caps."""
    seen: BitMap = field(repr=False)

    def __post_init__(self) -> None:
        for vector in self.sums.values():
            if vector.dtype != np.int64 or vector.ndim != 1:
                raise ValueError("sums are one-dimensional int64 arrays")
            vector.setflags(write=False)

    def minus(self, other: ExactSums) -> ExactSums:
        """These sums without some of their customers, exactly: `other` is the same plan run on those customers alone.

        Raises `ValueError` if `other` is of another plan or saw customers that this did not.
        """
        if other.plan_hash != self.plan_hash or other.sums.keys() != self.sums.keys():
            raise ValueError("only sums of the same plan can be subtracted")
        if other.seen - self.seen:
            raise ValueError("customers cannot be taken out of sums that they are not in")
        return ExactSums(
            self.plan_hash,
            {name: vector - other.sums[name] for name, vector in self.sums.items()},
            {name: loss - other.loss[name] for name, loss in self.loss.items()},
            self.seen - other.seen,
        )


class Engine(Protocol):
    """Reads the files of an opened read and adds up bounded vectors."""

    def bounded_sums(self, opened: OpenedPurchases, plan: Plan, products: ProductKeys) -> ExactSums:
        """Exact sums of the permitted customers. Changes nothing; the same arguments give the same numbers, on every
        engine. Lines of others are dropped inside the scan. Raises `Refused` if the read does not cover the plan.
        """
        ...


def check_read(opened: OpenedPurchases, plan: Plan) -> None:
    """Refuses a read that was not opened for what the plan reads: purpose, recipient, columns and days."""
    request = opened.request
    missing = sorted(set(plan.fields) - set(request.fields))
    reasons = []
    if request.purpose != plan.purpose or request.recipient != plan.pack.supplier:
        reasons.append("the read was opened for another purpose or recipient")
    if missing:
        reasons.append(f"the read does not name the fields {', '.join(missing)}")
    if request.start > plan.start or request.end < plan.end:
        reasons.append("the read does not cover the pack's days")
    if reasons:
        raise Refused(reasons, "Open the read with the plan's own purpose, fields and days.")


def zeros(plan: Plan) -> ExactSums:
    """The sums over nobody."""
    return ExactSums(
        plan.hash,
        {measure.measure: np.zeros(measure.size, dtype=np.int64) for measure in plan.measures},
        {measure.measure: 0 for measure in plan.measures},
        BitMap(),
    )
