"""The same four figures without any privacy: what DuckDB needs for them, in the fastest ways of asking that we found.

Both count everybody, know no gate and no bound, and give fewer figures than a pack (no category, no whole of the periods).
Products are joined on small whole numbers, which costs DuckDB least; the columns read are those that the pack reads.

`distinct`  one group-by with two count(distinct).
`grouped`   first by cell, customer and receipt, then count(distinct customer) and count(*): right as long as a receipt is of
            one customer, and faster on wide grids. The ratio is to the faster of the two.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from volens.bench.data import Question

STATEMENTS = {
    "distinct": """
        select (p.row_index * 1024 + (l.day - $start) // $days)::int as cell,
               count(distinct l.customer), count(distinct l.basket), sum(l.quantity), sum(l.amount)
        from read_parquet($files, hive_partitioning = false) l join product_row p on p.product = l.product
        where l.day >= $start and l.day < $end and l.currency = 'EUR'
        group by cell
    """,
    "grouped": """
        select cell, count(distinct customer), count(*), sum(quantity), sum(amount)
        from (
            select (p.row_index * 1024 + (l.day - $start) // $days)::int as cell, l.customer, l.basket,
                   sum(l.quantity)::bigint as quantity, sum(l.amount)::bigint as amount
            from read_parquet($files, hive_partitioning = false) l join product_row p on p.product = l.product
            where l.day >= $start and l.day < $end and l.currency = 'EUR'
            group by cell, l.customer, l.basket
        )
        group by cell
    """,
}


def connect(question: Question) -> duckdb.DuckDBPyConnection:
    """A database in memory that knows which row each product is in."""
    rows = question.products.row_of_product
    inside = np.flatnonzero(rows >= 0)
    connection = duckdb.connect()
    connection.register(
        "product_row",
        pa.table({"product": pa.array(inside, pa.int32()), "row_index": pa.array(rows[inside], pa.int32())}),
    )
    return connection


def run(connection: duckdb.DuckDBPyConnection, question: Question, way: str) -> list[tuple[int, ...]]:
    """(cell, buyers, trips, thousandths, minor units) of each cell in which anything was bought."""
    pack = question.plan.pack
    given: dict[str, object] = {
        "files": [path for part in question.files for path in part.paths],
        "start": pack.start,
        "end": pack.end,
        "days": pack.periods[0].days,
    }
    return connection.execute(STATEMENTS[way], given).fetchall()
