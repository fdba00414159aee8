"""Refused lines are mended and taken in: each once, into its own receipt, and the whole file again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.ingest.ingest_house import NOW, TILLS, UNNUMBERED, House

from volens import clock
from volens.audit.people import check_batches
from volens.audit.report import Report
from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.ingest.intake import recover
from volens.ingest.mapping import Mapping
from volens.ingest.quarantine import Quarantine
from volens.purchases import catalogue

GOOD = "c1,1,1,r1,1,2025-05-01T10:00:00,1,1,2.50"
UNKNOWN = "c1,1,1,r1,2,2025-05-01T10:00:00,77,1,1.50"
WRONG = "c1,1,1,r1,3,2025-05-01T10:00:00,3,one,1.00"
BROKEN = "c1,1,1,r1"


@contextmanager
def alone() -> Iterator[Callable[[], None]]:
    yield lambda: None


def desk(house: House) -> Quarantine:
    return Quarantine(
        batches=house.batches,
        identities=house.identities,
        open_sealed=lambda sealed: sealed.removeprefix(b"sealed:")[::-1],
        store=house.purchases,
        catalogue_folder=house.folder / "catalogue",
        clock=clock.fixed(NOW),
        today=NOW.date,
        alone=alone,
    )


def load_product(house: House, sku: int = 77) -> None:
    products = house.folder / "more.csv"
    products.write_text(f"sku,category\n{sku},juice\n", encoding="utf-8")
    catalogue.load_products(house.folder / "catalogue", products)


def amounts(house: House) -> list[int]:
    lines = house.lines()
    return sorted(lines.column("amount").to_pylist()) if lines.num_columns else []


def mended(house: House, change: Callable[[dict[str, Any]], None], name: str = "mended.jsonl", **chosen: str) -> Path:
    """An export with every row changed."""
    path = house.folder / name
    desk(house).export(path, "Ana", "a test", **chosen)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        change(row["row"])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sound(house: House) -> bool:
    report = Report()
    with house.records.reading() as connection:
        check_batches(connection, report)
    assert not report.findings, report.findings
    return True


@pytest.mark.parametrize("mapping", [TILLS, UNNUMBERED], ids=["numbered", "unnumbered"])
def test_a_line_whose_product_came_is_added_to_its_receipt(house: House, mapping: Mapping) -> None:
    path = house.csv("a.csv", GOOD, UNKNOWN, "c2,1,1,r2,1,2025-05-01T10:00:00,77,1,4.00")
    house.take_in(path, mapping)
    assert desk(house).retry().taken_in == 0
    load_product(house)
    found = desk(house).retry()
    assert (found.lines, found.taken_in, found.refused) == (2, 2, {})
    assert amounts(house) == [150, 250, 400]
    baskets = {row["basket"] for row in house.lines().to_pylist() if row["customer"] == 1}
    assert len(baskets) == 1
    assert desk(house).waiting() == []
    assert desk(house).retry().lines == 0
    again = house.take_in(path, mapping)
    assert (again.lines_accepted, again.duplicate_lines, again.refused) == (0, 3, {})
    assert sound(house)


def test_a_mended_line_is_added_and_the_whole_file_again_is_known(house: House) -> None:
    path = house.csv("a.csv", GOOD, WRONG, UNKNOWN)
    house.take_in(path, TILLS)
    file = mended(house, lambda row: row.update(quantity="1"), reason="unreadable-quantity")
    assert desk(house).retry(file).taken_in == 1
    assert amounts(house) == [100, 250]
    assert desk(house).retry(file) == replace(desk(house).retry(file), gone=1, taken_in=0)
    # the unknown one is still refused, and is the only one that is
    again = house.take_in(path, TILLS)
    assert (again.lines_accepted, again.duplicate_lines, again.refused) == (0, 2, {"unknown-product": 1})
    load_product(house)
    # it waits twice now, of two batches; it counts once
    found = desk(house).retry()
    assert (found.lines, found.taken_in, found.known) == (2, 1, 1)
    assert amounts(house) == [100, 150, 250]
    again = house.take_in(path, TILLS)
    assert (again.lines_accepted, again.duplicate_lines, again.refused) == (0, 3, {})
    assert desk(house).waiting() == []
    assert sound(house)


def test_a_mended_line_can_be_written_as_csv(house: House) -> None:
    house.take_in(house.csv("a.csv", GOOD, WRONG, BROKEN), TILLS)
    path = house.folder / "mended.csv"
    assert desk(house).export(path, "Ana", "to mend them") == 2
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text(encoding="utf-8")
    assert text.startswith("_batch,_file,_line,_place,_reason,card,")
    path.write_text(text.replace(",one,", ",1,"), encoding="utf-8")
    found = desk(house).retry(path)
    assert (found.taken_in, found.refused) == (1, {"missing-customer": 1})
    assert amounts(house) == [100, 250]


def test_two_equal_lines_of_one_file_are_two_and_no_more(house: House) -> None:
    twice = "c1,1,1,r1,,2025-05-01T10:00:00,77,1,1.50"
    path = house.csv("a.csv", GOOD, twice, twice)
    house.take_in(path, UNNUMBERED)
    house.take_in(path, UNNUMBERED)
    load_product(house)
    found = desk(house).retry()
    assert (found.lines, found.taken_in, found.known) == (4, 2, 2)
    assert amounts(house) == [150, 150, 250]
    assert house.take_in(path, UNNUMBERED).lines_accepted == 0
    assert sound(house)


def test_what_the_sender_mended_meanwhile_is_not_added_again(house: House) -> None:
    house.take_in(house.csv("a.csv", WRONG), TILLS)
    house.take_in(house.csv("b.csv", WRONG.replace("one", "1")), TILLS)
    file = mended(house, lambda row: row.update(quantity="1"))
    found = desk(house).retry(file)
    assert (found.taken_in, found.refused) == (0, {"equal-line-there": 1})
    assert amounts(house) == [100]
    assert desk(house).retry(file, even_if_equal=True).taken_in == 1
    assert amounts(house) == [100, 100]
    assert sound(house)


def test_a_mended_line_of_somebody_else_does_not_enter_a_receipt(house: House) -> None:
    house.identities.identify("card", ["c1", "x", "y", "z", "c5"])  # c1 and c5 share a bucket
    house.take_in(house.csv("a.csv", GOOD, WRONG), TILLS)
    file = mended(house, lambda row: row.update(quantity="1", card="c5"))
    assert desk(house).retry(file).refused == {"several-customers": 1}
    assert amounts(house) == [250]
    assert len(desk(house).waiting()) == 1


def test_mending_a_wrong_line_wrongly_leaves_it_and_says_where(house: House) -> None:
    house.take_in(house.csv("a.csv", GOOD, WRONG), TILLS)
    found = desk(house).retry(mended(house, lambda row: row.update(quantity="two")))
    assert found.refused == {"unreadable-quantity": 1}
    assert found.places[0][2] == 3
    assert "line 3" in found.to_text()
    assert len(desk(house).waiting()) == 1


@pytest.mark.parametrize("step", ["started", "read", "written", "staged", "added"])
def test_a_retry_that_dies_loses_nothing_and_adds_nothing_twice(house: House, step: str) -> None:
    class Killed(Exception):
        pass

    def die(at: str) -> None:
        if at == step:
            raise Killed

    path = house.csv("a.csv", GOOD, UNKNOWN)
    house.take_in(path, TILLS)
    load_product(house)
    with pytest.raises(Killed):
        desk(house).retry(on_step=die)
    recover(house.purchases, house.batches, clock.fixed(NOW))
    there = step == "added"
    assert amounts(house) == ([150, 250] if there else [250])
    assert bool(desk(house).waiting()) is not there
    desk(house).retry()
    assert amounts(house) == [150, 250]
    assert desk(house).waiting() == []
    assert house.take_in(path, TILLS).duplicate_lines == 2
    assert sound(house)


def test_orders_come_in_by_item_and_whole(house: House) -> None:
    shop = Mapping(source="shop", format="schema-org-order", channel="web", store="web")

    def order(number: str, status: str, *skus: str) -> str:
        items = [{"price": 2 + place, "orderedItem": {"sku": sku}} for place, sku in enumerate(skus)]
        return json.dumps({
            "orderNumber": number, "orderDate": "2025-05-01T10:00:00+02:00", "orderStatus": status,
            "customer": {"email": "a@example.com"}, "orderedItem": items,
        })  # fmt: skip

    path = house.folder / "orders.jsonl"
    path.write_text(order("A1", "", "1", "77", "78") + "\n" + order("A2", "OrderProblem", "1", "2") + "\n", encoding="utf-8")
    assert house.take_in(path, shop).refused == {"unknown-product": 2, "order-not-placed": 1}
    load_product(house)
    found = desk(house).retry()
    assert (found.taken_in, found.refused) == (1, {"unknown-product": 1, "order-not-placed": 1})
    assert amounts(house) == [200, 300]
    file = mended(house, lambda row: row.update(orderStatus=""), reason="order-not-placed")
    assert desk(house).retry(file).taken_in == 2
    assert amounts(house) == [200, 200, 300, 300]
    again = house.take_in(path, shop)
    assert (again.lines_accepted, again.refused) == (0, {"unknown-product": 1})
    assert sound(house)


def test_shopify_rows_come_in_one_by_one(house: House) -> None:
    sample = (Path(__file__).parent / "samples" / "shopify_orders.csv").read_text(encoding="utf-8")
    path = house.folder / "orders.csv"
    path.write_text(sample.replace("4.00,,2,", "4.00,,77,"), encoding="utf-8")
    shop = Mapping(source="shop", format="shopify-orders", channel="web", store="web")
    summary = house.take_in(path, shop)
    assert summary.refused["unknown-product"] == 1
    load_product(house)
    found = desk(house).retry(reason="unknown-product")
    assert (found.taken_in, found.refused) == (1, {})
    assert sorted(row["amount"] for row in house.lines().to_pylist() if row["customer"] == 1) == [360, 540]
    assert house.take_in(path, shop).lines_accepted == 0


def test_parquet_and_json_lines_come_in(house: House) -> None:
    rows = [
        {"card": "c1", "store": 1, "till": 1, "receipt": 9, "line": 1, "time": NOW.replace(tzinfo=None), "sku": 77, "quantity": 1.5,
         "amount": 2.25}
    ]  # fmt: skip
    path = house.folder / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    house.take_in(path, replace(TILLS, format="parquet", time_format="%d/%m/%Y"))
    lines = house.folder / "a.jsonl"
    lines.write_text('{"a": {"card": "c2"}, "r": "5", "t": "2025-05-01", "s": 77, "q": 1, "m": 3.10}\n', encoding="utf-8")
    columns = {"card": "a.card", "receipt": "r", "time": "t", "sku": "s", "quantity": "q", "amount": "m"}
    house.take_in(lines, Mapping(source="lines", format="jsonl", columns=columns, store="1"))
    load_product(house)
    assert desk(house).retry().taken_in == 2
    assert amounts(house) == [225, 310]
    assert {row["minute"] for row in house.lines().to_pylist()} == {0, 12 * 60}


def test_reading_is_recorded_with_who_and_why(house: House) -> None:
    house.take_in(house.csv("a.csv", GOOD, WRONG), TILLS)
    with pytest.raises(BadInput):
        desk(house).open("", "why")
    with pytest.raises(NotFound):
        desk(house).open("Ana", "a look", reason="future-time")
    (line,) = desk(house).open("Ana", "a look")
    assert line.row["quantity"] == "one"
    with house.records.reading() as connection:
        (event,) = log.rows(connection, EVENTS, kinds=["quarantine-opened"])
    assert sum(event.said()["batches"].values()) == 1
    assert "Ana" not in event.detail
    assert sound(house)
    with house.records.writing() as connection:
        connection.exec_driver_sql("update quarantine_openings set opened_by = 'Bo'")
    report = Report()
    with house.records.reading() as connection:
        check_batches(connection, report)
    assert "who opened the quarantine" in str(report.findings)


@pytest.mark.parametrize(
    "change",
    ["delete from mended", "update mended set basket = 1", "update batch_mappings set mapping = 'x'", "delete from quarantine"],
)
def test_the_audit_sees_what_was_changed(house: House, change: str) -> None:
    house.take_in(house.csv("a.csv", GOOD, UNKNOWN, WRONG), TILLS)
    load_product(house)
    desk(house).retry()
    assert sound(house)
    with house.records.writing() as connection:
        connection.exec_driver_sql(change)
    report = Report()
    with house.records.reading() as connection:
        check_batches(connection, report)
    assert report.findings


def test_exports_do_not_overwrite_and_files_of_others_are_refused(house: House) -> None:
    house.take_in(house.csv("a.csv", GOOD, WRONG), TILLS)
    path = house.folder / "x.jsonl"
    path.write_text('{"batch": "b"}\n', encoding="utf-8")
    with pytest.raises(BadInput, match="exists"):
        desk(house).export(path, "Ana", "a test")
    with pytest.raises(BadInput, match="line 1"):
        desk(house).retry(path)
    with pytest.raises(BadInput, match="no reason"):
        desk(house).retry(reason="nonsense")


def test_a_mended_line_with_a_payment_number_is_refused(house: House) -> None:
    house.take_in(house.csv("a.csv", GOOD, WRONG), TILLS)
    file = mended(house, lambda row: row.update(quantity="1", note="4242 4242 4242 4242"))
    assert desk(house).retry(file).refused == {"payment-number": 1}
