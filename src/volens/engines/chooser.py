"""Reads the lines that an audience is chosen by: bucket by bucket, only its columns, only those who permit.

1. The gate is a look-up in a boolean array by the customer's number, before a predicate sees a line.
2. Lines of goods that no predicate looks at are left in the files. Memory is that of one bucket.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
from pyroaring import BitMap

from volens.audiences.definition import Leaf
from volens.audiences.evaluate import Bucket
from volens.audiences.plan import LINE_LIMIT, Lines, Plan
from volens.errors import Refused
from volens.gate.reads import OpenedPurchases


class PolarsChooser:
    """See `audiences.building.Chooser`."""

    def holding(self, opened: OpenedPurchases, plan: Plan) -> dict[Leaf, BitMap]:
        """The permitted customers for whom each predicate of a plan holds. Raises `Refused` if the read does not cover it."""
        _require(opened, plan)
        found = {leaf: BitMap() for leaf in plan.leaves}
        if not opened.permitted or not plan.leaves:
            return found
        allowed = np.zeros(opened.permitted.max() + 1, dtype=np.bool_)
        allowed[np.frombuffer(opened.permitted.to_array(), dtype=np.uint32)] = True
        inside = plan.inside
        keys = pl.Series(np.flatnonzero(inside).astype(np.int32))
        paths: dict[int, list[str]] = {}
        for part in opened.files:
            paths.setdefault(part.bucket, []).extend(part.paths)
        for bucket in sorted(paths):
            if not paths[bucket]:
                continue
            numbers, lines = _lines(paths[bucket], plan, keys, allowed)
            # lines: (small customer, product, age, quantity, amount) of permitted people only
            answers = Bucket(lines, plan)
            for leaf in plan.leaves:
                found[leaf] |= BitMap(numbers[answers.holds(leaf)])
        return found


def _require(opened: OpenedPurchases, plan: Plan) -> None:
    request = opened.request
    if request.purpose != plan.definition.purpose or request.recipient != plan.definition.recipient:
        raise Refused(("the read was opened for another purpose or recipient",), "Open it for the audience's own.")
    if set(plan.definition.fields) - set(request.fields) or request.start > plan.start or request.end < plan.end:
        raise Refused(("the read does not cover the audience's fields and days",), "Open it for the audience's own.")


def _lines(
    paths: list[str], plan: Plan, keys: pl.Series, allowed: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.uint32], Lines]:
    """The numbers of a bucket's permitted customers with lines, and these lines."""
    money = "amount" in plan.definition.fields
    columns = ["customer", "product", pl.col("day").to_physical().alias("day"), "quantity"]
    asked = pl.scan_parquet(paths, hive_partitioning=False, glob=False).filter(
        (pl.col("day") >= plan.start) & (pl.col("day") < plan.end) & pl.col("product").is_in(keys.implode())
    )
    frame = asked.select([*columns, *(["amount", "currency"] if money else [])]).collect(engine="streaming")
    customer = frame["customer"].to_numpy()
    known = (customer >= 0) & (customer < len(allowed))
    place = np.flatnonzero(known & allowed[np.where(known, customer, 0)])
    ours = customer[place]
    met = np.zeros(len(allowed), dtype=np.bool_)
    met[ours] = True
    numbers, small = np.flatnonzero(met), (np.cumsum(met) - 1)[ours]
    today = int(np.datetime64(plan.today).astype(np.int64))
    amount = np.zeros(len(place), dtype=np.int64)
    if money:
        counts = (frame["currency"] == plan.definition.currency).to_numpy()[place]
        amount = np.where(counts, _counted(frame["amount"].to_numpy()[place]), 0)
    return numbers.astype(np.uint32), Lines(
        customers=len(numbers),
        customer=small.astype(np.int64),
        product=frame["product"].to_numpy()[place].astype(np.int64),
        age=today - frame["day"].to_numpy()[place].astype(np.int64),
        quantity=_counted(frame["quantity"].to_numpy()[place]),
        amount=amount,
    )


def _counted(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.clip(values.astype(np.int64), -LINE_LIMIT, LINE_LIMIT)
