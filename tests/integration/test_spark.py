"""Spark gives the same whole numbers as Polars and DuckDB, from exactly the files of the read, in a session it leaves alone."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyroaring import BitMap
from tests.privacy import journey
from tests.privacy.builders import MEASURES, Files, a_pack, a_plan, a_product, keys, opened, spec, store
from tests.support.house import CATEGORY as SHOP_CATEGORY
from tests.support.house import FIRST_DAY, JUICE_MAKER, STATISTICS, a_year_of_juice, sell, stock
from tests.support.needs import require

from volens.app import initialise
from volens.clock import fixed
from volens.engines.duckdb_engine import DuckDBEngine
from volens.engines.polars_engine import PolarsEngine
from volens.engines.spark_engine import SparkEngine, local_session, spark_missing
from volens.errors import BadInput, Refused, Tampered, Unavailable
from volens.gate.policy import ReadRequest
from volens.insights.engine import ExactSums, ProductKeys
from volens.insights.pack import Pack, Period, periods
from volens.insights.plan import Plan
from volens.permissions.ledger import Choice
from volens.purchases import catalogue

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.spark,
    # pyspark hands tables to Java through a socket that it leaves to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"),
]

START = date(2017, 1, 29)
PACKS = 24
HUGE = (2**31 - 1, 2**31, -(2**31), 2**62, -(2**62), 2**63 - 1, -(2**63))
ROWS = {1: "soleil", 2: "rest", 3: "lune", 5: "rest", 6: "soleil"}
BRANDS = (("soleil",), ("soleil", "lune"), ("lune", "soleil"))
GRIDS = (
    periods("week", START, 3),
    periods("13-weeks", START, 1),
    (Period(START, START + timedelta(days=2), "first"), Period(START + timedelta(days=4), date(2017, 2, 20), "last")),
)
# A radius that a 32-bit float cannot hold, and a loss that is held by the ceiling as well as by its limit.
ODD = replace(spec("units", {"own": 3000, "rest": 7000}, "1.1", "0.2", "2"), slack=Decimal("0.25"))
PRODUCTS = (a_product(), a_product(measures=MEASURES | {"units": ODD}))


@pytest.fixture(scope="module")
def session() -> Iterator[SparkSession]:
    if missing := spark_missing():
        require("spark", missing)
    with local_session(1024) as session:
        yield session


def rows_of(pack: Pack) -> dict[int, str]:
    return {product: row if row in pack.brands else "rest" for product, row in ROWS.items()}


def keys_of(pack: Pack) -> ProductKeys:
    return keys(rows_of(pack), pack)


def as_plain(sums: ExactSums) -> tuple[str, dict[str, list[int]], dict[str, int], set[int]]:
    return sums.plan_hash, {name: vector.tolist() for name, vector in sums.sums.items()}, dict(sums.loss), set(sums.seen)


def a_line(**changes: Any) -> dict[str, Any]:
    given = {"customer": 1, "basket": 1, "product": 1, "day": START, "quantity": 1000, "amount": 250, "currency": "EUR"}
    return given | changes


def a_random_pack(seed: int) -> tuple[Plan, list[dict[str, Any]], set[int]]:
    """A plan, lines around it and who permits: returns, huge numbers, other currencies and products, days on the borders."""
    chance = random.Random(seed)
    plan = a_plan(
        a_pack(chance.choice(BRANDS), chance.choice(GRIDS), chance.choice(["EUR", "EUR", "CHF"])), chance.choice(PRODUCTS)
    )
    borders = [period.start for period in plan.pack.periods] + [period.end for period in plan.pack.periods]
    days = [border + timedelta(days=by) for border in borders for by in (-1, 0)]
    lines = [
        a_line(
            customer=chance.randint(2, 12),
            basket=chance.randint(1, 9),
            product=chance.randint(0, 7),
            day=chance.choice([chance.choice(days), START + timedelta(days=chance.randint(-2, 23))]),
            quantity=chance.choice([1000, chance.randint(-3000, 9000), chance.choice(HUGE) if chance.random() < 0.1 else -1000]),
            amount=chance.choice([250, chance.randint(-2000, 4000), chance.choice(HUGE) if chance.random() < 0.1 else -250]),
            currency=chance.choice(["EUR", "EUR", "CHF"]),
        )
        for _ in range(chance.choice([100, 300, 600]))
    ]
    # Somebody takes something huge back: what is left over is small and not clipped, so that every bit of it shows.
    left = [(2**62, 2**62), (-(2**62), -(2**62)), (chance.randint(1, 900), chance.randint(1, 900))]
    lines += [a_line(customer=1, quantity=quantity, amount=amount, currency=plan.pack.currency) for quantity, amount in left]
    return plan, lines, {1} | {customer for customer in range(2, 15) if chance.random() < 0.8}


@pytest.mark.parametrize("seed", range(PACKS))
def test_spark_agrees_with_polars_and_duckdb(session: SparkSession, seed: int, tmp_path: Path) -> None:
    plan, lines, permitted = a_random_pack(seed)
    read = opened(plan, permitted, store(lines, tmp_path, buckets=1 + seed % 3))
    spark, polars, duckdb = (
        as_plain(engine.bounded_sums(read, plan, keys_of(plan.pack)))
        for engine in (SparkEngine(session), PolarsEngine(), DuckDBEngine())
    )
    assert spark == polars == duckdb
    assert sum(spark[1]["buyers"]) > 0, "a pack in which nobody buys compares nothing"
    assert sum(spark[2].values()) > 0, "a pack in which nothing is clipped compares little"


def test_spark_agrees_on_a_real_year_of_juice(session: SparkSession, tmp_path: Path) -> None:
    source = journey.journey()
    plan = a_plan(a_pack(("soleil",), periods("13-weeks", date(2017, 1, 1), 4)))
    products = ProductKeys.of(source.catalogue, plan.pack)
    customers = source.lines["customer"].unique().to_list()
    read = opened(plan, [customer for customer in customers if customer % 10 < 7], journey.files(tmp_path))
    spark, polars, duckdb = (
        as_plain(engine.bounded_sums(read, plan, products)) for engine in (SparkEngine(session), PolarsEngine(), DuckDBEngine())
    )
    assert spark == polars == duckdb
    assert len(spark[3]) > 1000
    assert all(sum(vector) > 0 for vector in spark[1].values())


def test_a_house_draws_a_release_with_spark(session: SparkSession, tmp_path: Path) -> None:
    """The table's own files, through the gate: `docs/spark.md` shows these lines."""
    with initialise(tmp_path / "house", customers=1_000, clock=fixed(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))) as house:
        stock(house, tmp_path)
        lines = a_year_of_juice(12)
        sell(house, tmp_path, lines[::2])
        house.upkeep.nightly()
        sell(house, tmp_path, lines[1::2], "later.csv")  # waits beside the table
        numbers = [house.customer("card", f"C{card:05}").customer for card in range(1, 13)]
        house.permissions.record([Choice(number, STATISTICS, "given") for number in numbers[:-1]])

        desk = replace(house.reports, engine=SparkEngine(session))
        pack = desk.pack(JUICE_MAKER, SHOP_CATEGORY, by="13-weeks", start=FIRST_DAY, count=3)
        assert desk.draw(desk.request(pack, "Alice Exemple").release, "Alice Exemple").cells

        plan, products = desk.plan(pack), ProductKeys.of(catalogue.read(house.settings.purchases).products, pack)
        request = ReadRequest("a test", plan.purpose, pack.supplier, plan.fields, plan.start, plan.end)
        with house.gate.open_purchases(request) as reading:
            engines = (desk.engine, PolarsEngine(), DuckDBEngine())
            spark, polars, duckdb = (as_plain(engine.bounded_sums(reading.opened, plan, products)) for engine in engines)
        assert spark == polars == duckdb
        assert spark[3] == set(numbers[:-1])


def test_no_files_nobody_permitted_or_nothing_bought_is_zeros(session: SparkSession, tmp_path: Path) -> None:
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    for permitted, files in (((1,), []), ((), store([a_line()], tmp_path)), ((2,), store([a_line()], tmp_path))):
        sums = SparkEngine(session).bounded_sums(opened(plan, permitted, files), plan, keys_of(plan.pack))
        assert not any(vector.any() for vector in sums.sums.values())
        assert sums.seen == BitMap()
        assert set(sums.loss.values()) == {0}


def test_a_read_for_something_else_is_refused(session: SparkSession, tmp_path: Path) -> None:
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    longer = a_plan(a_pack(("soleil",), periods("week", START, 4)))
    read = opened(plan, (1,), store([a_line()], tmp_path))
    with pytest.raises(Refused, match="does not cover the pack's days"):
        SparkEngine(session).bounded_sums(read, longer, keys_of(plan.pack))


def test_a_path_is_a_name_and_no_pattern_or_partition(session: SparkSession, tmp_path: Path) -> None:
    """Neighbours that a pattern would find are not read, and `customer=9` in a path changes no customer."""
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    paths = []
    for customer, name in enumerate(
        ("a*", "l'été [1] 100%", "{x,y}?", "customer=9/day=2017-02-01", "back\\slash", ".house/_x", "ab"), start=1
    ):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        ((written,),) = (files.paths for files in store([a_line(customer=customer)], folder, buckets=1))
        paths.append(written)
    listed, neighbour = paths[:-1], len(paths)
    sums = SparkEngine(session).bounded_sums(opened(plan, range(1, 10), [Files(0, tuple(listed))]), plan, keys_of(plan.pack))
    assert sums.seen == BitMap(range(1, neighbour))


def test_a_file_that_spark_would_pass_over_stops_the_sum(session: SparkSession, tmp_path: Path) -> None:
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    ((path,),) = (files.paths for files in store([a_line()], tmp_path, buckets=1))
    hidden = Path(path).rename(tmp_path / "_hidden.parquet")
    with pytest.raises(Tampered, match="exactly the files"):
        SparkEngine(session).bounded_sums(opened(plan, (1,), [Files(0, (str(hidden),))]), plan, keys_of(plan.pack))


def test_a_file_that_is_gone_or_lacks_a_column_stops_the_sum(session: SparkSession, tmp_path: Path) -> None:
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    files = store([a_line()], tmp_path, buckets=1)
    ((path,),) = (part.paths for part in files)
    table: pa.Table = pq.read_table(path)
    pq.write_table(table.drop_columns(["currency"]), path)
    with pytest.raises(Tampered, match="no column currency"):
        SparkEngine(session).bounded_sums(opened(plan, (1,), files), plan, keys_of(plan.pack))
    Path(path).unlink()
    with pytest.raises(FileNotFoundError):
        SparkEngine(session).bounded_sums(opened(plan, (1,), files), plan, keys_of(plan.pack))


def test_a_session_that_lets_numbers_wrap_is_refused(session: SparkSession, tmp_path: Path) -> None:
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    read = opened(plan, (1,), store([a_line()], tmp_path))
    engine = SparkEngine(session)
    session.conf.set("spark.sql.ansi.enabled", "false")
    try:
        with pytest.raises(BadInput, match="overflow"):
            SparkEngine(session)
        with pytest.raises(BadInput, match="overflow"):
            engine.bounded_sums(read, plan, keys_of(plan.pack))
    finally:
        session.conf.set("spark.sql.ansi.enabled", "true")


def test_the_session_is_left_as_it_was(session: SparkSession, tmp_path: Path) -> None:
    plan = a_plan(a_pack(("soleil",), GRIDS[0]))
    before = session.conf.getAll
    sums = SparkEngine(session).bounded_sums(opened(plan, (1,), store([a_line()], tmp_path)), plan, keys_of(plan.pack))
    assert sums.seen == BitMap([1])
    assert session.catalog.listTables() == []
    assert session.conf.getAll == before


def test_a_local_session_is_alone_and_the_only_one(session: SparkSession) -> None:
    settings = dict(session.sparkContext.getConf().getAll())
    assert settings["spark.driver.bindAddress"] == settings["spark.driver.host"] == "127.0.0.1"
    assert settings["spark.ui.enabled"] == "false"
    assert settings["spark.io.encryption.enabled"] == "true"
    assert session.conf.get("spark.sql.session.timeZone") == "UTC"
    assert session.conf.get("spark.sql.ansi.enabled") == "true"
    with pytest.raises(BadInput, match="already"):
        local_session(1024)


def test_too_little_memory_is_refused_before_java_starts() -> None:
    with pytest.raises(BadInput, match="1023 MB"):
        local_session(1023)


def test_without_pyspark_people_are_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(Unavailable, match=r"pyspark is not installed.*volens\[spark\].*Java 17"):
        local_session(1024)


def test_without_java_people_are_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("volens.engines.spark_engine.find_spec", lambda _: object())
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match=r"there is no Java.*Java 17"):
        local_session(1024)
