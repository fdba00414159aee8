"""Web orders: schema.org `Order` objects as JSON, one on each line, in an array, or as a folder of files.

Understood, as schema.org defines them: `orderNumber`, `orderDate`, `orderStatus`, `customer.email`, `discount`;
`orderedItem` as OrderItem (`orderQuantity`, `orderedItem`) or Product, or `acceptedOffer` as Offer
(`itemOffered`, `eligibleQuantity`); `sku`, `gtin…` or `productID`; `price` and `priceCurrency` beside the item,
in its offer, or in the product's. An `orderItemNumber` is not needed: an order's borders are known.

A discount of a whole order is spread over its lines in proportion to their amounts, to the cent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest import columns as col
from volens.ingest.files import files_in
from volens.ingest.json_values import Value, read_values
from volens.ingest.loyalty import EMAIL, KINDS, line_amounts
from volens.ingest.mapping import CURRENCIES, Mapping
from volens.ingest.raw import RAW, Chunk, Judge, Refusals, no_refusals, together

ORDERS_PER_CHUNK = 20_000
# https://schema.org/OrderStatus: an order in one of these was not bought.
NOT_PLACED = frozenset({"OrderCancelled", "OrderReturned", "OrderProblem", "OrderPaymentDue"})
CODES = ("sku", "gtin13", "gtin", "gtin14", "gtin12", "gtin8", "productID")
# UN/CEFACT codes that schema.org's `unitCode` takes.
UNIT_CODES = {"": "", "kgm": "kg", "c62": "piece", "h87": "piece", "ea": "piece", **KINDS}


@dataclass
class _Flat:
    """Orders laid out as columns, one entry an item."""

    order: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    sku: list[str | None] = field(default_factory=list)
    quantity: list[str | None] = field(default_factory=list)
    unit: list[str | None] = field(default_factory=list)
    price: list[str | None] = field(default_factory=list)
    discount: list[str | None] = field(default_factory=list)
    currency: list[str | None] = field(default_factory=list)
    # one entry an order
    number: list[str | None] = field(default_factory=list)
    date: list[str | None] = field(default_factory=list)
    email: list[str | None] = field(default_factory=list)
    whole_discount: list[str | None] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    source: list[int] = field(default_factory=list)  # where the chunk keeps the order's words
    refused: list[tuple[int, int, str]] = field(default_factory=list)  # (line, source, reason)


def read(path: Path, mapping: Mapping) -> Iterator[Chunk]:
    """The orders' items, in the order of files and orders. `MappingError` when a file is not JSON at all."""
    done_before = 0
    for file_number, file in enumerate(files_in(path, mapping.format)):
        values: list[Value] = []
        for value in read_values(file):
            values.append(value)
            if len(values) == ORDERS_PER_CHUNK:
                yield chunk(values, mapping, file_number, done_before)
                values = []
        if values:
            yield chunk(values, mapping, file_number, done_before)
        done_before += file.stat().st_size


def chunk(values: Sequence[Value], mapping: Mapping, file_number: int = 0, done_before: int = 0) -> Chunk:
    """Some orders, typed and judged."""
    flat = _Flat()
    for place, value in enumerate(values):
        _lay_out(value, place, flat)
    table, judge = _typed(flat, mapping, file_number)
    refused = together([_whole_orders(flat, file_number), judge.refusals(table)])
    return Chunk(table.filter(pa.array(judge.good)), refused, _words(values), done_before + values[-1].bytes_done)


def _lay_out(value: Value, place: int, flat: _Flat) -> None:
    order = value.content
    items = _items(order) if isinstance(order, dict) else []
    if not isinstance(order, dict) or not items:
        flat.refused.append((value.line, place, "unreadable-order"))
        return
    if _text(order.get("orderStatus")).rsplit("/", 1)[-1] in NOT_PLACED:
        flat.refused.append((value.line, place, "order-not-placed"))
        return
    customer = _one(order.get("customer"))
    flat.number.append(_text(order.get("orderNumber")))
    flat.date.append(_text(order.get("orderDate")))
    flat.email.append(_text(customer.get("email")).removeprefix("mailto:"))
    flat.whole_discount.append(_text(order.get("discount")))
    flat.line.append(value.line)
    flat.source.append(place)
    currency = _text(order.get("priceCurrency"))
    index = len(flat.line) - 1
    for number, item in enumerate(items):
        flat.order.append(index)
        flat.place.append(number)
        _lay_out_item(item, currency, flat)


def _lay_out_item(item: dict[str, Any], currency: str, flat: _Flat) -> None:
    inner = item.get("orderedItem") or item.get("itemOffered")
    product = _one(inner) if inner is not None else item
    quantity = item.get("orderQuantity", item.get("eligibleQuantity", "1"))
    unit = ""
    if isinstance(quantity, dict):
        unit = _text(quantity.get("unitCode") or quantity.get("unitText"))
        quantity = quantity.get("value")
    price, money = _price(item, product)
    flat.sku.append(next((_text(product[code]) for code in CODES if product.get(code)), ""))
    flat.quantity.append(_text(quantity))
    flat.unit.append(unit)
    flat.price.append(price)
    flat.discount.append(_text(item.get("discount")))
    flat.currency.append(money or currency)


def _price(item: dict[str, Any], product: dict[str, Any]) -> tuple[str, str]:
    """(price, currency) from the first place that has one."""
    if "price" in item:
        return _text(item["price"]), _text(item.get("priceCurrency"))
    for holder in (item.get("acceptedOffer"), item.get("offers"), product.get("offers"), product):
        offer = _one(holder)
        if isinstance(offer.get("priceSpecification"), dict) and "price" not in offer:
            offer = offer["priceSpecification"]
        if "price" in offer:
            return _text(offer["price"]), _text(offer.get("priceCurrency"))
    return "", ""


def _items(order: dict[str, Any]) -> list[dict[str, Any]]:
    found = order.get("orderedItem") or order.get("acceptedOffer") or []
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _one(value: Any) -> dict[str, Any]:
    """A nested object, also where it is written as a list of one."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """Text of a JSON value; numbers are text already (`json_values`), objects give their `@id` or `@value`."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _text(value.get("@value") or value.get("@id"))
    return ""


def _typed(flat: _Flat, mapping: Mapping, file_number: int) -> tuple[pa.Table, Judge]:
    lines = len(flat.order)
    of = pa.array(flat.order, pa.int64())
    judge = Judge(lines)

    def spread(values: list[str | None]) -> pa.Array:
        return col.words(pa.array(values, pa.string())).take(of)

    email = pc.utf8_lower(spread(flat.email))
    judge.refuse(_null(email), "missing-customer")
    judge.refuse(~pc.fill_null(pc.match_substring_regex(email, EMAIL), False).to_numpy(False), "malformed-customer")
    receipt, sku = spread(flat.number), col.words(pa.array(flat.sku, pa.string()))
    judge.refuse(_null(receipt), "missing-receipt")
    judge.refuse(_null(sku), "missing-product")
    local, instant, bad = col.moments(pa.array(flat.date, pa.string()), mapping.time_format)
    judge.refuse(bad[np.asarray(flat.order, dtype=np.int64)], "unreadable-time")
    columns = {
        "file_number": pa.array(np.full(lines, file_number, dtype=np.int32)),
        "line_number": pa.array(flat.line, pa.int64()).take(of),
        "place": pa.array(flat.place, pa.int32()),
        "row": pa.array(flat.source, pa.int64()).take(of),
        "customer": email,
        "store": pa.repeat(pa.scalar(mapping.store or "web"), lines),
        "till": pa.nulls(lines, pa.string()),
        "receipt": receipt,
        "position": pa.nulls(lines, pa.int64()),
        "sku": sku,
        "local": local.take(of),
        "instant": instant.take(of),
        **_measures(flat, mapping, judge),
    }
    return pa.table(columns, schema=RAW), judge


def _measures(flat: _Flat, mapping: Mapping, judge: Judge) -> dict[str, pa.Array]:
    thousand = 1000 if mapping.quantities_in == "whole" else 1
    per_whole = 100 if mapping.amounts_in == "major" else 1

    def read(values: list[str | None], scale: int) -> tuple[np.ndarray, np.ndarray]:
        return col.integers(pa.array(values, pa.string()), decimal=".", per_whole=scale)

    quantity, bad = read(flat.quantity, thousand)
    judge.refuse(bad, "unreadable-quantity")
    price, bad = read(flat.price, per_whole)
    judge.refuse(bad, "unreadable-amount")
    discount, bad = read(flat.discount, per_whole)
    judge.refuse(bad & np.array([bool(text) for text in flat.discount], dtype=bool), "unreadable-discount")
    amount = line_amounts(price, quantity, np.abs(discount), mapping)
    discount = np.abs(discount)
    whole, bad = read(flat.whole_discount, per_whole)
    given = np.array([bool(text) for text in flat.whole_discount], dtype=bool)
    order = np.asarray(flat.order, dtype=np.int64)
    if given.any():
        too_much = _spread_discounts(np.abs(np.where(bad, 0, whole)), order, amount, discount, mapping)
        judge.refuse(((bad & given) | too_much)[order], "unreadable-discount")
    unit, bad = col.translated(pa.array(flat.unit, pa.string()), {**UNIT_CODES, **mapping.units}, missing=mapping.unit)
    judge.refuse(bad, "unknown-unit")
    currency, bad = col.translated(
        pa.array(flat.currency, pa.string()), {code: code for code in CURRENCIES}, missing=mapping.currency
    )
    judge.refuse(bad, "unknown-currency")
    return {
        "quantity": pa.array(quantity),
        "amount": pa.array(amount),
        "discount": pa.array(discount),
        "unit": unit,
        "currency": currency,
    }


def _spread_discounts(
    whole: np.ndarray, order: np.ndarray, amount: np.ndarray, discount: np.ndarray, mapping: Mapping
) -> np.ndarray:
    """Adds each order's discount to its lines, in place; which orders have a discount above what they cost.

    In proportion to the lines' amounts, by largest remainder: the parts are whole cents and add up exactly.
    """
    too_much = np.zeros(len(whole), dtype=bool)
    begin = np.searchsorted(order, np.arange(len(whole) + 1))
    for place in np.flatnonzero(whole):
        lines = slice(begin[place], begin[place + 1])
        weights = np.maximum(amount[lines], 0)
        total, wanted = int(weights.sum()), int(whole[place])
        if wanted > total:
            too_much[place] = True
            continue
        shares = weights * wanted // total
        rest = weights * wanted - shares * total
        shares[np.argsort(-rest, kind="stable")[: wanted - int(shares.sum())]] += 1
        discount[lines] += shares
        if mapping.discount_is == "to-take-off":
            amount[lines] -= shares
    return too_much


def _whole_orders(flat: _Flat, file_number: int) -> Refusals:
    if not flat.refused:
        return no_refusals()
    count = len(flat.refused)
    return Refusals(
        np.full(count, file_number, dtype=np.int32),
        np.array([line for line, _, _ in flat.refused], dtype=np.int64),
        np.zeros(count, dtype=np.int32),
        np.array([source for _, source, _ in flat.refused], dtype=np.int64),
        np.array([reason for _, _, reason in flat.refused], dtype=object),
    )


def _words(values: Sequence[Value]) -> Callable[[Sequence[int]], list[str]]:
    def words(rows: Sequence[int]) -> list[str]:
        return [json.dumps(values[row].content, ensure_ascii=False) for row in rows]

    return words


def _null(column: pa.Array) -> np.ndarray:
    return np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False))
