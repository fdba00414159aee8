"""Shopify's order export, in a small invented sample with the real columns, and the API's Order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.ingest.ingest_house import NOW, House

from volens.errors import MappingError
from volens.ingest import shopify
from volens.ingest.explain import explain
from volens.ingest.mapping import Mapping, load, to_yaml
from volens.ingest.propose import propose

SAMPLE = Path(__file__).parent / "samples" / "shopify_orders.csv"
SHOP = Mapping(source="shop", format="shopify-orders", channel="web", store="web")


def lines(path: Path) -> list[dict[str, Any]]:
    return [row for chunk in shopify.read(path, SHOP) for row in chunk.lines.to_pylist()]


def of(name: str, path: Path = SAMPLE) -> list[tuple[str, int, int, int]]:
    return [(row["sku"], row["quantity"], row["amount"], row["discount"]) for row in lines(path) if row["receipt"] == name]


def test_an_orders_discount_is_spread_to_the_cent() -> None:
    assert of("#1001") == [("1", 2000, 540, 60), ("2", 1000, 360, 40)]
    assert of("#1011") == [("1", 2000, 550, 50)]


def test_a_discount_on_shipping_is_on_no_item() -> None:
    assert of("#1009") == [("1", 1000, 300, 0)]


def test_a_partial_refund_makes_items_cheaper_by_exactly_that() -> None:
    found = of("#1005")
    assert [quantity for _, quantity, _, _ in found] == [1000, 1000]
    assert sum(amount for _, _, amount, _ in found) == 900
    assert found[0][2] == 300


def test_currencies_without_decimals() -> None:
    assert of("#1008") == [("1", 1000, 1500, 0)]


def test_times_have_their_offset() -> None:
    row = next(row for row in lines(SAMPLE) if row["receipt"] == "#1011")
    assert str(row["instant"]) == "2024-10-27 00:30:00+00:00"


def test_what_was_not_bought_is_refused_by_its_row() -> None:
    (chunk,) = shopify.read(SAMPLE, SHOP)
    found = sorted(zip(chunk.refused.line_number.tolist(), chunk.refused.reason.tolist(), strict=True))
    assert found == [
        (4, "order-not-placed"),  # pending
        (5, "order-not-placed"),  # voided
        (6, "order-not-placed"),  # refunded
        (9, "missing-customer"),  # a guest with a phone
        (10, "order-not-placed"),  # cancelled
        (13, "total-disagrees"),
        (15, "payment-number"),
        (16, "payment-number"),
    ]
    assert chunk.read == 15


def test_explain_knows_it_by_its_header_and_its_mapping_works(house: House, tmp_path: Path) -> None:
    explanation = explain(SAMPLE, now=NOW)
    assert explanation.mapping.format == "shopify-orders"
    assert "Shopify" in explanation.to_text()
    assert "example.com" not in explanation.to_text()
    saved = tmp_path / "shop.yaml"
    saved.write_text(to_yaml(explanation.mapping), encoding="utf-8")
    summary = house.take_in(SAMPLE, load(saved))
    assert (summary.lines_accepted, summary.receipts) == (explanation.lines_accepted, explanation.receipts) == (7, 5)
    again = house.take_in(SAMPLE, load(saved))
    assert (again.lines_accepted, again.duplicate_receipts) == (0, 5)


def test_an_order_may_go_on_in_the_next_block(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = lines(SAMPLE)
    monkeypatch.setattr("volens.ingest.files.BLOCK_BYTES", 2048)
    assert lines(SAMPLE) == expected


def test_headers_in_other_spellings(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8").replace("Cancelled at", "Canceled at").replace("Lineitem sku", "Lineitem SKU")
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert lines(path) == lines(SAMPLE)


def test_another_file_is_not_taken_for_an_export(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Name,Email\n#1,a@example.com\n", encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        lines(path)
    assert "lineitem sku" in caught.value.what
    assert "example.com" not in str(caught.value)


def order(**more: Any) -> dict[str, Any]:
    return {
        "id": 1, "name": "#1001", "email": "Ana@Example.com", "created_at": "2025-03-01T10:15:22+01:00",
        "financial_status": "paid", "cancelled_at": None, "currency": "EUR", "subtotal_price": "9.00", "test": False,
        "line_items": [
            {"id": 11, "sku": "1", "quantity": 2, "price": "3.00", "discount_allocations": [{"amount": "0.60"}]},
            {"id": 12, "sku": "2", "quantity": 1, "price": "4.00", "discount_allocations": [{"amount": "0.40"}]},
        ],
        **more,
    }  # fmt: skip


def test_the_api_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps({"orders": [order()]}), encoding="utf-8")
    assert of("#1001", path) == of("#1001")
    assert propose(path).format == "shopify-orders"


def test_items_that_came_back_are_taken_off(tmp_path: Path) -> None:
    back = [{"refund_line_items": [{"line_item_id": 11, "quantity": 1, "subtotal": "2.70"}]}]
    path = tmp_path / "orders.json"
    path.write_text(json.dumps([order(refunds=back, financial_status="partially_refunded")]), encoding="utf-8")
    assert of("#1001", path) == [("1", 1000, 270, 30), ("2", 1000, 360, 40)]


@pytest.mark.parametrize("more", [{"test": True}, {"cancelled_at": "2025-03-02T00:00:00Z"}, {"financial_status": "authorized"}])
def test_orders_that_are_none(tmp_path: Path, more: dict[str, Any]) -> None:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps([order(**more)]), encoding="utf-8")
    (chunk,) = shopify.read(path, SHOP)
    assert chunk.refused.reason.tolist() == ["order-not-placed"]


def test_an_order_twice_in_a_row_counts_once(house: House, tmp_path: Path) -> None:
    header, *rows = SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    twice = tmp_path / "twice.csv"
    twice.write_text("".join([header, *rows[:3], *rows[:3]]), encoding="utf-8")  # a note of the first order has two lines
    assert [value.content["lines"] for value in shopify.orders(twice, SHOP)] == [[2, 3], [4, 5]]
    summary = house.take_in(twice, SHOP)
    assert (summary.lines_accepted, summary.duplicate_receipts, summary.duplicate_lines, summary.refused) == (2, 1, 2, {})
