"""The reference engine: the whole exact stage as one SQL statement, the same for every pack.

Whatever differs from pack to pack is a table (who is permitted, which row a product is in, which column a day is in,
which cells a line counts in, the bounds), so that the statement can be read, and no text is ever put together.

DuckDB adds whole numbers up in 128 bits; the casts back to 64 bits are checked and would stop the query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from pyroaring import BitMap

from volens.engines.tables import tables
from volens.insights.engine import ExactSums, ProductKeys, check_read, zeros
from volens.insights.measures import LINE_LIMIT
from volens.insights.plan import Plan

if TYPE_CHECKING:
    from volens.gate.reads import OpenedPurchases

STATEMENT = """
    with line as (
        select l.customer, l.product, l.day, l.basket,
               greatest(least(l.quantity, $limit), -$limit) as quantity,
               greatest(least(l.amount, $limit), -$limit) as amount
        from read_parquet($files, hive_partitioning = false) l
        semi join permitted p on p.customer = l.customer
        where l.day >= $start and l.day < $end and l.currency = $currency
    ),
    -- what a customer counts in a cell, net of returns: (measure, cell, customer, value)
    counted as (
        select m.measure, m.cell, m.cap, m.ceiling, l.customer,
               (case m.measure
                    when 'buyers' then (sum(l.quantity) > 0)::bigint
                    when 'trips' then count(distinct l.basket) filter (l.quantity > 0)
                    when 'units' then sum(l.quantity)
                    when 'spend' then sum(l.amount)
                end)::bigint as value
        from line l
        join product_row p on p.product = l.product
        join day_column d on d.day = l.day
        join member m on m.row_index = p.row_index and m.column_index = d.column_index
        group by m.measure, m.cell, m.cap, m.ceiling, l.customer
    ),
    -- clipped to the cap, one cap being 2^24
    part as (
        select *, (least(value, cap) << 24) // cap as part from counted where value > 0
    ),
    -- one number a customer: how much the vector must shrink to fit the radius
    weight as (
        select p.measure, p.customer,
               floor(16777216::double
                     * least(1::double,
                             b.radius::double / sqrt(greatest(sum(p.part * p.part)::bigint, 1)::double)))::bigint
                   as weight
        from part p join bounds b on b.measure = p.measure
        group by p.measure, p.customer, b.radius
    ),
    kept as (
        select p.measure, p.cell, p.customer, (p.part * w.weight) >> 24 as kept,
               (least(p.value, p.ceiling) << 24) // p.cap as wanted
        from part p join weight w on w.measure = p.measure and w.customer = p.customer
    ),
    lost as (
        select k.measure, k.customer, greatest(0, least(max(k.wanted - k.kept), b.loss_limit)) as lost
        from kept k join bounds b on b.measure = k.measure
        where b.loss_limit > 0
        group by k.measure, k.customer, b.loss_limit
    )
    -- here the person drops out of the sums; whom they are about goes to the record of uses
    select measure, cell, sum(kept)::bigint as total from kept group by measure, cell
    union all
    select measure, -1 as cell, sum(lost)::bigint as total from lost group by measure
    union all
    select distinct 'seen' as measure, customer as cell, 1 as total from line
"""


class DuckDBEngine:
    """See `insights.engine.Engine`."""

    def bounded_sums(self, opened: OpenedPurchases, plan: Plan, products: ProductKeys) -> ExactSums:
        check_read(opened, plan)
        empty = zeros(plan)
        files = [path for part in opened.files for path in part.paths]
        if not files or not opened.permitted:
            return empty
        sums = {name: vector.copy() for name, vector in empty.sums.items()}
        loss = dict(empty.loss)
        given: dict[str, object] = {
            "files": files,
            "limit": LINE_LIMIT,
            "start": plan.start,
            "end": plan.end,
            "currency": plan.pack.currency,
        }
        with duckdb.connect() as connection:
            for name, table in tables(opened.permitted, plan, products).items():
                connection.register(name, table)
            totals = connection.sql(STATEMENT, params=given).to_arrow_table()
        seen = BitMap()
        for entry in totals.to_pylist():
            if entry["measure"] == "seen":
                seen.add(entry["cell"])
            elif entry["cell"] == -1:
                loss[entry["measure"]] = entry["total"]
            else:
                sums[entry["measure"]][entry["cell"]] = entry["total"]
        return ExactSums(plan.hash, sums, loss, seen)
