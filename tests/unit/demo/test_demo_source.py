"""Rules 1 to 4 of `volens.demo.source`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from volens.demo import source
from volens.demo.source import Journey
from volens.errors import BadInput

FIRST = datetime.fromisoformat("2017-01-01T11:53:26")
LAST = datetime.fromisoformat("2018-01-01T04:01:20")


@pytest.mark.parametrize(
    "as_of", [date(2018, 1, 2), date(2018, 1, 8), date(2018, 1, 9), date(2026, 2, 1), date(2031, 12, 25), date(2017, 3, 1)]
)
def test_move_lands_in_the_week_before(as_of: date) -> None:
    times = pa.array([FIRST, LAST], pa.timestamp("ns"))
    moved = source.move(times, as_of).to_pylist()
    assert as_of - timedelta(days=7) <= moved[-1].date() < as_of
    for before, after in zip(times.cast(pa.timestamp("s")).to_pylist(), moved, strict=True):
        assert (before.weekday(), before.time()) == (after.weekday(), after.time())
    assert moved[1] - moved[0] == LAST - FIRST


def test_the_day_itself_is_not_in_the_week_before() -> None:
    assert source.weeks_to_move(LAST, date(2018, 1, 8)) == 0
    assert source.weeks_to_move(LAST, date(2018, 1, 1)) == -1
    assert source.weeks_to_move(date(2018, 1, 1), date(2018, 1, 9)) == 1


def test_money_is_rounded_half_up() -> None:
    dollars = pa.chunked_array([[0.0, 1.005, 2.675, 3.49, 0.004, 840.0]])
    assert source.cents(dollars).to_pylist() == [0, 101, 268, 349, 0, 84_000]


def test_a_missing_package_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(BadInput) as caught:
        source.folder()
    assert "pip install 'volens[demo]'" in caught.value.remedy


def test_what_is_left_out_is_counted(whole: Journey, package: Path) -> None:
    raw = pq.ParquetFile(package / "transactions.parquet").read(columns=["sales_value", "quantity"])
    assert dict(whole.left_out) == {"fuel": 14_697, "nothing-bought": 8_869}
    assert set(whole.left_out) == set(source.LEFT_OUT)
    assert whole.lines.num_rows == raw.num_rows - sum(whole.left_out.values())
    assert len(whole.households) == 2_469


def test_amounts_are_the_sources(journey: Journey, small: Path) -> None:
    raw = pq.ParquetFile(small / "transactions.parquet").read()
    listed = pq.ParquetFile(small / "products.parquet").read()
    fuel = listed.filter(pc.equal(listed.column("product_type"), source.FUEL)).column("product_id")
    some = raw.filter(pc.and_(pc.greater(raw.column("quantity"), 0), pc.invert(pc.is_in(raw.column("product_id"), fuel))))
    for ours, theirs in (("amount", ["sales_value"]), ("discount", ["retail_disc", "coupon_disc"])):
        cents = sum(round(value * 100) for name in theirs for value in some.column(name).to_pylist())
        assert pc.sum(journey.lines.column(ours)).as_py() == cents
    assert pc.min(journey.lines.column("discount")).as_py() == 0
    assert pc.min(journey.lines.column("quantity")).as_py() == 1


def test_lines_come_in_the_order_of_time_and_whole_baskets(journey: Journey) -> None:
    times = journey.lines.column("time").to_pylist()
    assert times == sorted(times)
    baskets = journey.lines.column("basket").to_pylist()
    changes = 1 + sum(one != other for one, other in pairwise(baskets))
    assert changes == len(set(baskets))


def test_an_unsorted_source_is_put_in_order(small: Path, journey: Journey, tmp_path: Path) -> None:
    raw = pq.ParquetFile(small / "transactions.parquet").read()
    mixed = raw.take(pa.array(range(raw.num_rows - 1, -1, -1)))
    pq.write_table(mixed, tmp_path / "transactions.parquet")
    (tmp_path / "products.parquet").write_bytes((small / "products.parquet").read_bytes())
    lines = source.read(date(2025, 6, 1), tmp_path).lines
    assert lines.column("time").to_pylist() == journey.lines.column("time").to_pylist()
    assert lines.column("basket").to_pylist() == journey.lines.column("basket").to_pylist()
