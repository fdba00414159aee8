"""The engine for houses that have a Spark cluster: the exact stage as one Spark SQL statement, the same for every pack.

Rules:
1. Spark reads the files that the read opened, those and no others; a path is a name here, never a pattern. The gate is a
   join with the broadcast numbers of those who permit, in the stage that scans.
2. Sums over lines, of which a customer may have any number, are DECIMAL(38, 0). All other sums stay in 64 bits by the
   bounds of `insights.measures`. In ANSI mode, which is demanded, a number that leaves its type stops the query.
3. Nothing is drawn by chance in a task, so one that runs twice changes nothing. Noise is drawn later, by the caller,
   from the sums, never on an executor.
4. The session is the caller's: none of its settings is changed, no view stays in it, and it is not stopped.

The statement is that of the DuckDB engine in Spark's words, but with windows where that one joins: Spark would run
every branch of the plan again from the files.

pyspark is an extra: this module can be imported without it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import BitMap

from volens.engines.tables import tables as plan_tables
from volens.errors import BadInput, Tampered, Unavailable
from volens.insights.engine import ExactSums, ProductKeys, check_read, zeros
from volens.insights.measures import LINE_LIMIT
from volens.insights.plan import Plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from volens.gate.reads import OpenedPurchases

COLUMNS = {
    "customer": "int",
    "product": "int",
    "day": "date",
    "basket": "bigint",
    "quantity": "bigint",
    "amount": "bigint",
    "currency": "string",
}
"""The columns read, with their Spark types. Given to Spark, so that it neither guesses nor reads more."""
LEAST_MEMORY_MB = 1024
"""Spark itself wants about half of it."""

STATEMENT = """
    with line as (
        select /*+ broadcast(p) */
               l.customer, l.product, l.day, l.basket,
               greatest(least(l.quantity, :limit), -:limit) as quantity,
               greatest(least(l.amount, :limit), -:limit) as amount
        from {lines} l
        left semi join {permitted} p on p.customer = l.customer
        where l.day >= :start and l.day < :end and l.currency = :currency
    ),
    -- the category's lines, shuffled once: what a customer has stands together from here on
    placed as (
        select /*+ broadcast(p, d), repartition(customer) */
               l.customer, l.basket, l.quantity, l.amount, p.row_index, d.column_index
        from line l
        join {product_row} p on p.product = l.product
        join {day_column} d on d.day = l.day
    ),
    -- (measure, cell, customer, basket, quantity, amount): baskets by a grouping of their own, since Spark would shuffle
    -- all lines twice over to count distinct ones
    basket as (
        select /*+ broadcast(m) */
               m.measure, m.cell, m.cap, m.ceiling, m.radius, m.loss_limit, l.customer, l.basket,
               max(l.quantity) > 0 as trip,
               sum(cast(l.quantity as decimal(38, 0))) as quantity,
               sum(cast(l.amount as decimal(38, 0))) as amount
        from placed l
        join {member} m on m.row_index = l.row_index and m.column_index = l.column_index
        group by m.measure, m.cell, m.cap, m.ceiling, m.radius, m.loss_limit, l.customer, l.basket
    ),
    -- what a customer counts in a cell, net of returns: (measure, cell, customer, value)
    counted as (
        select measure, cell, cap, ceiling, radius, loss_limit, customer,
               cast(case measure
                        when 'buyers' then if(sum(quantity) > 0, 1, 0)
                        when 'trips' then count_if(trip)
                        when 'units' then sum(quantity)
                        when 'spend' then sum(amount)
                    end as bigint) as value
        from basket
        group by measure, cell, cap, ceiling, radius, loss_limit, customer
    ),
    -- clipped to the cap, one cap being 2^24; div is division of whole numbers
    part as (
        select measure, cell, customer, radius, loss_limit,
               (least(value, cap) * 16777216L) div cap as part,
               (least(value, ceiling) * 16777216L) div cap as wanted
        from counted
        where value > 0
    ),
    squared as (
        select *, sum(part * part) over (partition by measure, customer) as squares from part
    ),
    -- one weight a customer and measure: how much the vector must shrink to fit the radius
    kept as (
        select measure, cell, customer, loss_limit, wanted,
               shiftright(
                   part * cast(floor(16777216D * least(1D, cast(radius as double)
                                                           / sqrt(cast(greatest(squares, 1L) as double)))) as bigint),
                   24) as kept
        from squared
    ),
    -- the loss is one number a customer and measure, so it stands at one of the customer's cells only
    lost as (
        select measure, cell, kept,
               if(row_number() over (partition by measure, customer order by cell) = 1,
                  greatest(0L, least(max(wanted - kept) over (partition by measure, customer), loss_limit)),
                  0L) as lost
        from kept
    )
    -- here the person drops out of the sums; whom they are about goes to the record of uses
    select measure, cast(cell as bigint) as cell, sum(kept) as total, sum(lost) as lost from lost group by measure, cell
    union all
    select distinct 'seen' as measure, cast(customer as bigint) as cell, 1L as total, 0L as lost from line
"""


class SparkEngine:
    """See `insights.engine.Engine`. The files must be where driver and executors see them under the same paths."""

    def __init__(self, session: SparkSession) -> None:
        """Takes a session of the caller's, of pyspark itself and not of Spark Connect.

        Raises `BadInput` if it is not in ANSI mode: whole numbers would wrap without a word.
        """
        _check_ansi(session)
        self._session = session

    def bounded_sums(self, opened: OpenedPurchases, plan: Plan, products: ProductKeys) -> ExactSums:
        check_read(opened, plan)
        paths = [path for part in opened.files for path in part.paths]
        if not paths or not opened.permitted:
            return zeros(plan)
        session = self._session
        _check_ansi(session)
        tables = plan_tables(opened.permitted, plan, products)
        tables["member"] = tables["member"].join(tables.pop("bounds"), "measure")
        frames = {name: session.createDataFrame(table) for name, table in tables.items()}
        given = {"limit": LINE_LIMIT, "start": plan.start, "end": plan.end, "currency": plan.pack.currency}
        totals = session.sql(STATEMENT, given, lines=_lines(session, paths), **frames).toArrow()
        return _result(totals, plan)


def _check_ansi(session: SparkSession) -> None:
    if session.conf.get("spark.sql.ansi.enabled") != "true":
        raise BadInput("This Spark session lets whole numbers overflow silently.", "Set spark.sql.ansi.enabled to true.")


def _lines(session: SparkSession, paths: Sequence[str]) -> DataFrame:
    """The lines of some local Parquet files. Raises `Tampered` unless Spark is going to read exactly these."""
    places = [os.path.abspath(path) for path in paths]
    for place in places:
        missing = COLUMNS.keys() - set(pq.read_schema(place).names)
        if missing:
            # Spark would read nulls there, and the lines would be lost.
            raise Tampered(
                f"A file of the purchases table has no column {', '.join(sorted(missing))}.", "Restore the purchases table."
            )
    # Hadoop takes these characters for patterns.
    names = ["file:" + re.sub(r"([\\*?\[\]{}])", r"\\\1", place) for place in places]
    lines = (
        session.read.schema(", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()))
        .options(ignoreMissingFiles="false", ignoreCorruptFiles="false", mergeSchema="false")
        .parquet(*names)
    )
    # Spark leaves out files whose names start with a dot or an underscore, and says nothing.
    if {unquote(name.removeprefix("file://")) for name in lines.inputFiles()} != set(places):
        raise Tampered("Spark would not read exactly the files of the purchases table.", "Restore the purchases table.")
    return lines


def _result(totals: pa.Table, plan: Plan) -> ExactSums:
    """From the statement's rows: (measure, cell, total, lost), or ('seen', customer, 1, 0)."""
    empty = zeros(plan)
    sums = {name: vector.copy() for name, vector in empty.sums.items()}
    loss = dict(empty.loss)
    seen = pc.equal(totals["measure"], "seen")
    for entry in totals.filter(pc.invert(seen)).to_pylist():
        sums[entry["measure"]][entry["cell"]] = entry["total"]
        loss[entry["measure"]] += entry["lost"]
    return ExactSums(plan.hash, sums, loss, BitMap(totals.filter(seen)["cell"].to_numpy()))


def local_session(memory_mb: int) -> SparkSession:
    """A Spark of this process alone: all cores of this machine, reachable from nowhere else, nothing downloaded.

    `memory_mb` is that of the Java process, which lives as long as this process: after a first session it cannot change.
    What Spark spills to the disk is encrypted with a key that it forgets. The caller stops the session; `with` does.

    Raises `Unavailable` without pyspark or Java, `BadInput` for too little memory or if a session runs already.
    """
    if memory_mb < LEAST_MEMORY_MB:
        raise BadInput(f"Spark cannot work in {memory_mb} MB.", f"Give it {LEAST_MEMORY_MB} MB at least.")
    missing = spark_missing()
    if missing:
        raise Unavailable(f"Spark cannot start: {missing}.", "Run: pip install 'volens[spark]'; it needs Java 17 or newer too.")
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    if SparkSession.getActiveSession() is not None:
        raise BadInput("A Spark session runs in this process already.", "Give that one to SparkEngine, or stop it first.")
    settings = {
        "spark.driver.memory": f"{memory_mb}m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.io.encryption.enabled": "true",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.catalogImplementation": "in-memory",
        # Spark makes this folder even if it holds no tables; by default it stands wherever the program was started.
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "volens-spark-warehouse"),
        # One machine: two hundred shuffle partitions, the default, would be two hundred small tasks a shuffle.
        "spark.sql.shuffle.partitions": str(4 * (os.cpu_count() or 1)),
    }
    builder = SparkSession.builder.master("local[*]").appName("volens")
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise Unavailable(f"Spark cannot start: {error}.", "It needs Java 17 or newer; see JAVA_HOME.") from error


def spark_missing() -> str:
    """What Spark would need and is not on this machine; an empty string if nothing is missing."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed"
    java = Path(os.environ["JAVA_HOME"]) / "bin" / "java" if os.environ.get("JAVA_HOME") else shutil.which("java")
    return "" if java and Path(java).is_file() else "there is no Java"
