"""schema.org Orders in the forms in which shops write them."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from volens.errors import MappingError
from volens.ingest import json_values, weborders
from volens.ingest.mapping import Mapping
from volens.ingest.raw import Chunk

WEB = Mapping(
    source="shop", format="schema-org-order", channel="web", store="web", amounts_per="unit", discount_is="to-take-off"
)


def order(number: str = "A1", **more: Any) -> dict[str, Any]:
    return {
        "@type": "Order",
        "orderNumber": number,
        "orderDate": "2025-05-01T10:00:00+02:00",
        "priceCurrency": "EUR",
        "customer": {"@type": "Person", "email": "Ana@Example.com"},
        "orderedItem": [{"@type": "OrderItem", "orderQuantity": 2, "price": 1.10, "orderedItem": {"sku": "1"}}],
        **more,
    }


def item(**more: Any) -> dict[str, Any]:
    return {"orderQuantity": 1, "price": "2.00", "orderedItem": {"sku": "1"}, **more}


def read(path: Path, mapping: Mapping = WEB) -> list[Chunk]:
    return list(weborders.read(path, mapping))


def lines(folder: Path, *orders: Any, mapping: Mapping = WEB) -> list[dict[str, Any]]:
    path = folder / "orders.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in orders), encoding="utf-8")
    return [row for chunk in read(path, mapping) for row in chunk.lines.to_pylist()]


def refused(folder: Path, *orders: Any) -> list[tuple[int, int, str]]:
    lines(folder, *orders)
    return [
        (int(line), int(place), str(reason))
        for chunk in read(folder / "orders.jsonl")
        for line, place, reason in zip(chunk.refused.line_number, chunk.refused.place, chunk.refused.reason, strict=True)
    ]


def test_an_order_becomes_lines(tmp_path: Path) -> None:
    (line,) = lines(tmp_path, order())
    expected = {
        "line_number": 1, "place": 0, "customer": "ana@example.com", "store": "web", "receipt": "A1", "sku": "1",
        "quantity": 2000, "amount": 220, "discount": 0, "unit": "piece", "currency": "EUR",
    }  # fmt: skip
    assert {name: line[name] for name in expected} == expected
    assert str(line["instant"]) == "2025-05-01 08:00:00+00:00"


@pytest.mark.parametrize(
    "found",
    [
        item(price=2),
        item(price="2.0"),
        {"orderedItem": {"gtin13": "1", "offers": [{"price": "2.00", "priceCurrency": "EUR"}]}},
        {"@type": "Product", "sku": "1", "offers": {"priceSpecification": {"price": 2.00, "priceCurrency": "EUR"}}},
        {"acceptedOffer": {"price": 2.0}, "orderQuantity": {"value": 1, "unitCode": "C62"}, "orderedItem": [{"sku": "1"}]},
    ],
)
def test_prices_in_the_places_where_they_may_be(tmp_path: Path, found: dict[str, Any]) -> None:
    (line,) = lines(tmp_path, order(orderedItem=found))
    assert (line["sku"], line["amount"], line["quantity"]) == ("1", 200, 1000)


def test_offers_instead_of_items(tmp_path: Path) -> None:
    offer = {"@type": "Offer", "price": "3.10", "eligibleQuantity": {"value": "0.5", "unitCode": "KGM"},
             "itemOffered": {"sku": "4"}}  # fmt: skip
    (line,) = lines(tmp_path, order(orderedItem=None, acceptedOffer=[offer]))
    assert (line["sku"], line["amount"], line["quantity"], line["unit"]) == ("4", 155, 500, "kg")


def test_line_prices_are_not_multiplied(tmp_path: Path) -> None:
    assert lines(tmp_path, order(), mapping=replace(WEB, amounts_per="line"))[0]["amount"] == 110


def test_a_discount_of_the_order_is_spread_to_the_cent(tmp_path: Path) -> None:
    items = [item(price=price) for price in ("1.00", "1.00", "1.00")]
    found = lines(tmp_path, order("A1", orderedItem=items, discount="0.50"), order("A2"))
    assert [line["amount"] for line in found] == [83, 83, 84, 220]
    assert sorted(line["discount"] for line in found) == [0, 16, 17, 17]
    kept = lines(tmp_path, order("A1", orderedItem=items, discount=0.5), mapping=replace(WEB, discount_is="taken-off"))
    assert [line["amount"] for line in kept] == [100, 100, 100]
    assert sum(line["discount"] for line in kept) == 50


def test_what_is_refused_and_why(tmp_path: Path) -> None:
    assert refused(
        tmp_path,
        order("A1", customer={"name": "Ana"}),
        order("A2", customer={"email": "nobody"}),
        order("", orderedItem=[item(), item()]),
        order("A4", orderedItem=[item(), item(price="free"), item(orderedItem={"name": "juice"})]),
        order("A5", orderDate="soon"),
        order("A6", orderStatus="https://schema.org/OrderCancelled"),
        order("A7", orderedItem=[]),
        ["no", "order"],
        order("A9", discount="50.00"),
        order("B1", orderedItem=[item(orderQuantity={"value": 1, "unitCode": "LTR"})]),
    ) == [
        (6, 0, "order-not-placed"),
        (7, 0, "unreadable-order"),
        (8, 0, "unreadable-order"),
        (1, 0, "missing-customer"),
        (2, 0, "malformed-customer"),
        (3, 0, "missing-receipt"),
        (3, 1, "missing-receipt"),
        (4, 1, "unreadable-amount"),
        (4, 2, "missing-product"),
        (5, 0, "unreadable-time"),
        (9, 0, "unreadable-discount"),
        (10, 0, "unknown-unit"),
    ]


@pytest.mark.parametrize("form", ["lines", "array", "pretty array", "pretty objects", "gzip", "bom"])
def test_forms_of_files(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "BLOCK_BYTES", 7)  # values and letters straddle every block
    orders = [order(f"Ç{place}") for place in range(4)]
    text = {
        "array": json.dumps(orders, ensure_ascii=False),
        "pretty array": json.dumps(orders, indent=1),
        "pretty objects": "\n".join(json.dumps(one, indent=1) for one in orders),
    }.get(form, "\n".join(json.dumps(one, ensure_ascii=False) for one in orders) + "\n\n")
    content = text.encode("utf-8-sig" if form == "bom" else "utf-8")
    path = tmp_path / "orders.json"
    path.write_bytes(gzip.compress(content) if form == "gzip" else content)
    found = [row["receipt"] for chunk in read(path) for row in chunk.lines.to_pylist()]
    assert found == ["Ç0", "Ç1", "Ç2", "Ç3"]


def test_a_broken_line_is_refused_alone(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text(f'{json.dumps(order("A1"))}\n{{"orderNumber": "A2", \n{json.dumps(order("A3"))}\n', encoding="utf-8")
    (chunk,) = read(path)
    assert chunk.lines.column("receipt").to_pylist() == ["A1", "A3"]
    assert chunk.refused.line_number.tolist() == [2]


@pytest.mark.parametrize("content", [b'[{"orderNumber": "A1"}, {"ord', b"[1, 2", b"hello", b'{"a": \xff}'])
def test_what_is_cut_or_no_json_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orders.json"
    path.write_bytes(content)
    with pytest.raises(MappingError) as caught:
        read(path)
    assert caught.value.remedy
    assert "A1" not in str(caught.value)


def test_an_order_that_is_no_json_is_refused_alone(tmp_path: Path) -> None:
    bad = [order("\ud800"), order(discount=float("nan")), order(orderedItem=[item(x=float("inf"))])]
    texts = [json.dumps(one) for one in [order(), *bad, order("A2")]]
    for text in ("\n".join(texts), "[" + ",\n".join(texts) + "]"):
        path = tmp_path / "orders.json"
        path.write_text(text, encoding="utf-8")
        chunks = read(path)
        assert [line for chunk in chunks for line in chunk.refused.line_number] == [2, 3, 4]
        assert {reason for chunk in chunks for reason in chunk.refused.reason} == {"unreadable-order"}
