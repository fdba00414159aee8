"""JSON lines as a till feed: flat and nested, nothing rounded, a broken line alone."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.ingest.ingest_house import NOW, TILLS, House

from volens.errors import MappingError
from volens.ingest import json_lines, shopify
from volens.ingest.explain import explain
from volens.ingest.mapping import Mapping, load, to_yaml

NESTED = replace(
    TILLS,
    format="jsonl",
    columns={
        "card": "customer.card", "store": "shop.code", "till": "shop.till", "receipt": "ticket", "line": "line", "time": "at",
        "sku": "item.ean", "quantity": "item.qty", "amount": "price.0.paid",
    },
)  # fmt: skip


def line(receipt: str = "r1", number: int = 1, **more: Any) -> str:
    return json.dumps(
        {
            "customer": {"card": "c1"}, "shop": {"code": 7, "till": 3}, "ticket": receipt, "line": number,
            "at": "2025-05-01T10:00:00", "item": {"ean": "1", "qty": 2}, "price": [{"paid": 3.10}], "staff": {"id": True}, **more,
        }
    )  # fmt: skip


def test_nested_lines_come_in(house: House) -> None:
    path = house.folder / "sales.jsonl"
    path.write_text("\n".join([line(), line(number=2, item={"ean": "2", "qty": 0.125}), ""]), encoding="utf-8")
    summary = house.take_in(path, NESTED)
    assert (summary.lines_accepted, summary.refused) == (2, {})
    rows = house.lines().to_pylist()
    assert [(row["product"], row["quantity"], row["amount"]) for row in rows] == [(1, 2000, 310), (2, 125, 310)]


def test_numbers_are_never_rounded(house: House) -> None:
    path = house.folder / "sales.jsonl"
    text = line().replace("3.1}", "0.30}").replace('"ticket": "r1"', '"ticket": 9007199254740993')
    long = line("r2").replace("3.1}", "0.305}")
    path.write_text(f"{text}\n{long}\n", encoding="utf-8")
    (piece,) = json_lines.pieces(path, ["ticket", "price.0.paid"])
    assert piece.table.column("ticket")[0].as_py() == "9007199254740993"
    assert piece.table.column("price.0.paid").to_pylist() == ["0.30", "0.305"]
    assert house.take_in(path, NESTED).refused == {"unreadable-amount": 1}


DEEP = [
    "[" * 100_000, '{"a":' * 100_000, '{"a":' * 3_000 + "1" + "}" * 3_000, "[" * 3_000 + "]" * 3_000,
    line(staff={"deep": json.loads("[" * 120 + "]" * 120)}),
]  # fmt: skip
NO_JSON = [
    line(price=[{"paid": float("nan")}]), line(staff=float("-inf")), line(ticket="\ud800"), line(**{"\udfff": 1}),
    '"\\ud800"', "NaN",
]  # fmt: skip


BROKEN = ["{", "nonsense", "[1]", '"text"', "7", "null", line()[:-3], line() + line(), *NO_JSON, *DEEP]


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_broken_line_is_refused_alone_with_its_number(house: House, broken: str, place: int) -> None:
    if broken == "[1]" and place == 0:
        return  # an array
    lines = [line("r1"), line("r2")]
    lines.insert(place, broken)
    path = house.folder / "sales.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    summary = house.take_in(path, NESTED)
    assert (summary.lines_accepted, summary.refused) == (2, {"unreadable-line": 1})
    assert [kept.line_number for kept in house.batches.quarantined(summary.batch)] == [place + 1]


def test_escaped_pairs_and_words_about_numbers_are_text(house: House) -> None:
    path = house.folder / "sales.jsonl"
    path.write_text(line("\U0001f34e", staff="NaN, Infinity") + "\n", encoding="utf-8")
    assert house.take_in(path, NESTED).lines_accepted == 1


def test_an_array_with_a_value_that_is_no_json_loses_that_value_alone(house: House) -> None:
    path = house.folder / "sales.json"
    path.write_text("[" + ",\n".join([line("r1"), *NO_JSON, line("r2")]) + "]", encoding="utf-8")
    summary = house.take_in(path, NESTED)
    assert (summary.lines_accepted, summary.refused) == (2, {"unreadable-line": len(NO_JSON)})


def test_an_array_that_is_nested_without_end_is_refused_with_the_line(house: House) -> None:
    path = house.folder / "sales.json"
    path.write_text("[\n" + line("r1") + ",\n" + "[" * 100_000, encoding="utf-8")
    with pytest.raises(MappingError, match=r"sales.json, line 3: what begins there is nested more than 100 deep, 1 objects"):
        house.take_in(path, NESTED)


def test_shopify_s_answers_lose_the_order_that_is_no_json(house: House) -> None:
    path = house.folder / "orders.json"
    path.write_text(json.dumps({"orders": [{"id": 1}, {"id": float("nan")}, {"id": "\ud800"}, {"id": 4}]}), encoding="utf-8")
    found = [value.content for value in shopify.orders(path, Mapping(source="web", format="shopify-orders"))]
    assert found == [{"id": "1"}, '{"id": NaN}', '{"id": "\\ud800"}', {"id": "4"}]


def test_a_first_line_that_is_one_bracket_alone_is_an_object_below_another(house: House) -> None:
    path = house.folder / "sales.json"
    path.write_text("\n".join(json.dumps(json.loads(text), indent=1) for text in (line("r1"), line("r2"))), encoding="utf-8")
    assert house.take_in(path, NESTED).lines_accepted == 2


def test_arrays_and_gzip(house: House) -> None:
    path = house.folder / "sales.json.gz"
    path.write_bytes(gzip.compress(f"[{line('r1')},\n{line('r2')}]".encode()))
    assert house.take_in(path, NESTED).lines_accepted == 2


def test_missing_keys_are_missing_values(house: House) -> None:
    path = house.folder / "sales.jsonl"
    path.write_text(line() + "\n" + line("r2", customer=None) + "\n" + line("r3", item={"qty": 1}) + "\n", encoding="utf-8")
    assert house.take_in(path, NESTED).refused == {"missing-customer": 1, "missing-product": 1}


def test_explain_proposes_a_mapping_that_works(house: House) -> None:
    path = house.folder / "ventes-2026-03-01.jsonl"
    flat = {
        "customer": {"card_number": "c1"}, "store_id": "7", "ticket": "r1", "timestamp": "2025-05-01T10:00:00", "ean": "1",
        "qty": 1, "amount": 2.5, "clerk": "x",
    }  # fmt: skip
    path.write_text("\n".join(json.dumps({**flat, "ticket": f"r{n}"}) for n in range(30)) + "\n", encoding="utf-8")
    explanation = explain(path, now=NOW)
    mapping = explanation.mapping
    assert (mapping.format, mapping.source, mapping.columns["card"]) == ("jsonl", "ventes", "customer.card_number")
    assert explanation.unused == ("clerk",)
    saved = house.folder / "ventes.yaml"
    saved.write_text(to_yaml(mapping), encoding="utf-8")
    assert house.take_in(path, load(saved)).lines_accepted == 30


def test_a_mapping_of_lines_needs_its_columns() -> None:
    assert Mapping(source="a", format="jsonl", columns=NESTED.columns).customer_kind == "card"
