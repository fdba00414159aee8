"""Payment-card numbers and IBANs: found anywhere, refused, and kept nowhere; other long numbers are left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ingest.ingest_house import HEADER, NOW, TILLS, House

from volens.errors import MappingError
from volens.ingest import master
from volens.ingest.explain import explain
from volens.ingest.mapping import Mapping
from volens.ingest.payment_numbers import (
    IBAN_LENGTHS,
    TEST_CARDS,
    Watch,
    card_number,
    gtin,
    holds_payment_number,
    iban,
    narrow,
    role_of,
)

VISA, MASTERCARD, AMEX = "4242424242424242", "5555555555554444", "378282246310005"
# The examples of SWIFT's IBAN registry.
IBANS = (
    "FR14 2004 1010 0505 0001 3M02 606", "DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "BE68 5390 0754 7034",
    "NO93 8601 1117 947", "IT60 X054 2811 1010 0000 0123 456", "MT84MALT011000012345MTLCAST001S", "CH93 0076 2011 6238 5295 7",
    "ES9121000418450200051332", "LU28 0019 4006 4475 0000",
)  # fmt: skip


@pytest.mark.parametrize("number", TEST_CARDS)
def test_published_test_cards_are_found_however_they_are_written(number: str) -> None:
    grouped = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    for text in (number, grouped, grouped.replace(" ", "-"), f"paid by {grouped} 12/27", f"CB{number}X", f"ref 7 {grouped} 123"):
        assert holds_payment_number(text), text
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not holds_payment_number(wrong)


@pytest.mark.parametrize("number", IBANS)
def test_ibans_are_found_however_they_are_written(number: str) -> None:
    plain = number.replace(" ", "")
    for text in (number, plain, plain.lower(), f"IBAN:{plain}", f"iban{plain}", f"AB12 {number} Jeanne", f"({plain})"):
        assert holds_payment_number(text), text
    wrong = plain[:2] + f"{(int(plain[2:4]) + 1) % 97:02d}" + plain[4:]
    assert not holds_payment_number(wrong)
    assert len(plain) == IBAN_LENGTHS[plain[:2]]


@pytest.mark.parametrize(
    "text",
    [
        "2025-05-01 10:30:00", "20250501103000", "3560070123456", "0033612345678", "+33 6 12 34 56 78", "Jus d'orange 1L x6",
        "1234567890123456", "9999999999999995", "550e8400-e29b-41d4-a716-446655440000", "FR12 fromage blanc nature 500g",
        "42424242424242424242", "4242 4242 4242", "", "C128-0000-1111-2222",
    ],
)  # fmt: skip
def test_other_long_numbers_are_left_alone(text: str) -> None:
    assert not holds_payment_number(text)


WIDE = VISA.translate({ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"})


@pytest.mark.parametrize(
    "text",
    [
        "4111/1111/1111/1111", "3782/822463/10005", "4111\u20111111\u20111111\u20111111", WIDE,
        "4111\u2212 1111 \u2013 1111\u2003-1111",
        f"pay\u00e9 {WIDE[:4]} {WIDE[4:8]}\uff0d{WIDE[8:]}", "004111111111111111", "0000004111111111111111", f"no {'0' * 9}{AMEX}.",
        "FR14\u20112004\u20111010\u20110505\u20110001\u20113M02\u2011606",
    ],
)  # fmt: skip
def test_other_ways_to_write_them_are_found(text: str) -> None:
    assert holds_payment_number(text)
    assert Watch().lines(pa.table({"x": ["a", text, f"said: {text}"]}), {}).tolist() == [False, True, True]


@pytest.mark.parametrize(
    "text", ["04222222222222", "0004222222222222", "42/42/42/4242/424242", "4111/111/1111/1111/11", "004242424242424241"]
)
def test_filled_gtins_and_dates_are_left_alone(text: str) -> None:
    assert not holds_payment_number(text)
    assert not Watch().lines(pa.table({"x": [text, f"said: {text}"]}), {}).any()


@given(st.text("0123456789 -./\u2011\uff14", max_size=40))
def test_by_column_and_one_by_one_are_the_same(text: str) -> None:
    """The fast way over columns of digits against the plain one."""
    found = Watch().lines(pa.table({"a": [text, None, "x"]}), {})
    assert found.tolist() == [holds_payment_number(text), False, False]


@given(st.integers(10**12, 10**19 - 1))
def test_numbers_and_their_text_are_the_same(number: int) -> None:
    expected = card_number(str(number))
    assert Watch().lines(pa.table({"a": pa.array([number], pa.uint64())}), {}).tolist() == [expected]
    assert Watch().lines(pa.table({"a": [str(number)]}), {}).tolist() == [expected]


def test_every_kind_of_column_is_looked_at() -> None:
    for column in (
        pa.array([VISA, "no"]),
        pa.array([VISA, "no"]).dictionary_encode(),
        pa.array([VISA, "no"], pa.large_string()),
        pa.array([int(VISA), 1]),
        pa.array([float(VISA), 1.5]),
        pa.array([int(VISA), 1]).cast(pa.decimal128(22, 2)),
        pa.array([VISA.encode(), b"\xff"]),
        pa.array([[{"pan": VISA}], []]),
        pa.array([{"pay": {"number": VISA}}, None]),
    ):
        assert Watch().lines(pa.table({"a": column}), {}).tolist() == [True, False], column.type
    days = pa.array([np.datetime64("2025-05-01", "us")] * 2)
    for harmless in (pa.array([True, False]), pa.nulls(2), days, pa.array([1.5, None])):
        assert not Watch().lines(pa.table({"a": harmless}), {}).any()
    chunked = pa.chunked_array([["a"], ["b", VISA]])
    assert Watch().lines(pa.table({"a": chunked}), {}).tolist() == [False, False, True]


def test_what_the_mapping_declares_is_excused() -> None:
    german = next(str(code) for code in range(4_006_381_000_000, 4_006_391_000_000) if gtin(str(code)) and card_number(str(code)))
    watch = Watch(card_pattern="4971[0-9]{12}", receipt_pattern="T[0-9]{2}-[0-9]{16}", known=lambda code: code == MASTERCARD)
    assert watch.excused(german, "sku")
    assert not watch.excused(german, "card")
    assert watch.excused(MASTERCARD, "sku")
    assert not watch.excused(VISA, "sku")
    assert watch.excused("4971000000000000", "card")
    assert watch.excused(f"T12-{VISA}", "receipt")
    assert not watch.excused(VISA, "receipt")
    assert not watch.excused(f"T12-{VISA}", "")


@pytest.mark.parametrize(
    ("pattern", "declares"),
    [("[0-9]{16}", False), (".*", False), ("4[0-9]{15}", False), ("9250[0-9]{12}", True), ("[0-9]{12}", True)],
)
def test_a_wide_pattern_excuses_nothing(pattern: str, declares: bool) -> None:
    assert narrow(pattern) is declares
    assert Watch(card_pattern=pattern).excused(VISA, "card") is False


WITH_NOTE = HEADER + ",note"
PLACES = ("card", "store", "till", "receipt", "line", "time", "sku", "quantity", "amount", "note")
GOOD = ["c1", "1", "1", "r1", "1", "2025-05-01", "1", "1", "2.50", "nothing"]


def everything_in(folder: Path) -> bytes:
    """All bytes below a folder, also those of compressed pages of tables."""
    found = [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in ("feed.csv", "feed.jsonl")]
    tables = [str(pq.ParquetFile(path).read().to_pylist()).encode() for path in folder.rglob("*.parquet")]
    return b"".join([*found, *tables])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", [VISA, "5555-5555-5555-4444", IBANS[0]])
def test_nothing_of_such_a_line_is_kept(house: House, place: str, number: str) -> None:
    bad = ["b" + GOOD[0], *GOOD[1:3], "marker-r9", *GOOD[4:]]
    bad[PLACES.index(place)] = number
    path = house.csv("feed.csv", ",".join(GOOD), ",".join(bad), header=WITH_NOTE)
    explanation = explain(path, TILLS, now=NOW)
    summary = house.take_in(path, TILLS)
    assert summary.refused == {"payment-number": 1}
    (line,) = house.batches.quarantined(summary.batch)
    assert (line.line_number, line.reason, line.sealed) == (3, "payment-number", None)
    kept = everything_in(house.folder)
    shown = str(summary) + summary.to_text() + explanation.to_text() + json.dumps(explanation.to_dict())
    for said in (number, number.replace(" ", ""), "marker-r9"):
        assert said.encode() not in kept
        assert said.encode()[::-1] not in kept
        assert said not in shown
    assert "payment-number" in explanation.to_text()


def test_broken_lines_are_looked_at_as_well(house: House) -> None:
    summary = house.take_in(house.csv("feed.csv", ",".join(GOOD[:9]), f"c9,{VISA}", "c9,1"), TILLS)
    assert summary.refused == {"payment-number": 1, "wrong-columns": 1}
    kept = house.batches.quarantined(summary.batch)
    assert [(line.line_number, line.sealed is None) for line in kept] == [(3, True), (4, False)]


def test_orders_and_json_lines_are_looked_at_whole(house: House) -> None:
    order = {
        "orderNumber": "A1", "orderDate": "2025-05-01T10:00:00+02:00", "customer": {"email": "a@example.com"},
        "orderedItem": [{"price": 2, "orderedItem": {"sku": "1"}}],
    }  # fmt: skip
    paid = {**order, "orderNumber": "A2", "paymentMethodId": int(VISA)}
    path = house.folder / "orders.jsonl"
    path.write_text(json.dumps(order) + "\n" + json.dumps(paid) + "\nbroken " + VISA + "\n", encoding="utf-8")
    summary = house.take_in(path, Mapping(source="shop", format="schema-org-order", channel="web", store="web"))
    assert (summary.lines_accepted, summary.refused) == (1, {"payment-number": 2})
    assert {line.sealed for line in house.batches.quarantined(summary.batch)} == {None}


def test_parquet_columns_that_nobody_reads_are_looked_at(house: House) -> None:
    line = dict(zip(HEADER.split(","), GOOD, strict=False)) | {"pay": "cash", "n": 1}
    rows = [{**line, "receipt": f"r{place}"} for place in range(4)]
    rows[1]["pay"], rows[2]["n"] = AMEX, int(VISA)
    path = house.folder / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    summary = house.take_in(path, replace(TILLS, format="parquet"))
    assert (summary.lines_accepted, summary.refused) == (2, {"payment-number": 2})


def test_a_product_code_that_is_a_card_number_is_refused_unless_it_is_a_gtin(house: House) -> None:
    lines = [",".join([*GOOD[:6], sku, *GOOD[7:9]]) for sku in (VISA, "1")]
    assert house.take_in(house.csv("a.csv", *lines), TILLS).refused == {"payment-number": 1}


def test_unread_columns_of_product_codes_may_hold_gtins(house: House) -> None:
    german = next(str(code) for code in range(4_006_381_000_000, 4_006_391_000_000) if gtin(str(code)) and card_number(str(code)))
    line = ",".join([*GOOD[:9], german])
    assert house.take_in(house.csv("a.csv", line, header=HEADER + ",Code EAN"), TILLS).lines_accepted == 1
    assert house.take_in(house.csv("b.csv", line.replace("r1", "r2"), header=HEADER + ",x"), TILLS).refused == {"payment-number": 1}


def test_a_file_that_is_called_by_one_is_refused_without_saying_it(house: House) -> None:
    with pytest.raises(MappingError) as caught:
        house.take_in(house.csv(f"{VISA}.csv", ",".join(GOOD[:9])), TILLS)
    assert VISA not in str(caught.value)


def test_the_customer_master_is_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    path.write_text(f"card,street,phone\nc1,rue A,+4915120000001\nc2,{IBANS[0]},\nc3,rue C,{VISA}\n", encoding="utf-8")
    mapping = Mapping(source="master", format="csv", contents="customers", columns={n: n for n in ("card", "street", "phone")})
    (people,) = master.read(path, mapping)
    assert [person.card for person in people.people] == ["c1"]
    assert list(people.refused) == [("payment-number", 3), ("payment-number", 4)]


def test_telephone_numbers_are_left_alone() -> None:
    german = next(str(number) for number in range(4_915_120_000_000, 4_915_130_000_000) if card_number(str(number)))
    spaced = f"+{german[:2]} {german[2:5]} {german[5:]}"
    assert not holds_payment_number(f"+{german}")
    assert not holds_payment_number(spaced)
    assert holds_payment_number(german)
    assert holds_payment_number(f"+{VISA}")
    assert holds_payment_number(f"{spaced}, {VISA}")
    roles = {name: role_of(name) for name in ("Billing Phone", "Note")}
    table = pa.table({"Billing Phone": [german, VISA, AMEX], "Note": ["", "", ""]})
    assert Watch().lines(table, roles).tolist() == [False, True, True]


def test_gtins_and_ibans_have_their_check_digits() -> None:
    assert gtin("4006381333931")
    assert not gtin("4006381333932")
    assert not gtin("40063813339")
    assert iban("DE89370400440532013000")
    assert not iban("DE8937040044053201300")
