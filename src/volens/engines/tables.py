"""The small public tables that turn a plan into joins: who is permitted, which product is which row, which day which column.

The SQL engines join lines with them. Nothing in them is about a purchase.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from volens.insights.engine import ProductKeys
from volens.insights.measures import MeasurePlan
from volens.insights.pack import CATEGORY, WHOLE
from volens.insights.plan import Plan


def tables(permitted: BitMap, plan: Plan, products: ProductKeys) -> dict[str, pa.Table]:
    """`permitted`, `product_row`, `day_column`, `member` and `bounds`, by name."""
    keys = np.flatnonzero(products.row_of_product >= 0)
    days = [
        (period.start + timedelta(days=offset), index)
        for index, period in enumerate(plan.pack.periods)
        for offset in range(period.days)
    ]
    return {
        "permitted": pa.table({"customer": pa.array(permitted.to_array(), pa.int32())}),
        "product_row": pa.table(
            {
                "product": pa.array(keys, pa.int32()),
                "row_index": pa.array(products.row_of_product[keys], pa.int32()),
            }
        ),
        "day_column": pa.table(
            {
                "day": pa.array([day for day, _ in days], pa.date32()),
                "column_index": pa.array([index for _, index in days], pa.int32()),
            }
        ),
        "member": pa.Table.from_pylist([entry for measure in plan.measures for entry in _members(plan, measure)]),
        "bounds": pa.Table.from_pylist(
            [{"measure": m.measure, "radius": m.radius_fixed, "loss_limit": m.loss_limit_fixed} for m in plan.measures]
        ),
    }


def _members(plan: Plan, measure: MeasurePlan) -> list[dict[str, object]]:
    """For each row and column that a line can be in: the cells of a measure that it counts in."""
    pack = plan.pack
    members: list[dict[str, object]] = []
    for row_index, row in enumerate(pack.rows[:-1]):
        for column_index, period in enumerate(pack.periods):
            for shown_row in sorted({row, CATEGORY} & set(measure.rows)):
                for shown_column in sorted({period.label, WHOLE} & set(measure.columns)):
                    at = measure.rows.index(shown_row)
                    members.append(
                        {
                            "measure": measure.measure,
                            "row_index": row_index,
                            "column_index": column_index,
                            "cell": measure.cell(shown_row, shown_column),
                            "cap": measure.caps[at],
                            "ceiling": measure.ceilings[at],
                        }
                    )
    return members
