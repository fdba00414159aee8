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
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest import columns as col
from volens.ingest.currencies import MEANINGS, minor_units
from volens.ingest.files import files_in
from volens.ingest.goods import in_kilograms
from volens.ingest.json_values import Value, read_values
from volens.ingest.loyalty import EMAIL, UNITS, Known, line_amounts, nothing_known
from volens.ingest.mapping import Mapping
from volens.ingest.payment_numbers import Watch
from volens.ingest.raw import RAW, Chunk, Judge, Refusals, no_refusals, together

ORDERS_PER_CHUNK = 20_000
# https://schema.org/OrderStatus: an order in one of these was not bought.
NOT_PLACED = frozenset({"OrderCancelled", "OrderReturned", "OrderProblem", "OrderPaymentDue"})
CODES = ("sku", "gtin13", "gtin", "gtin14", "gtin12", "gtin8", "productID")
# UN/CEFACT codes that schema.org's `unitCode` takes.
UNIT_CODES = {"": "", "kgm": "kg", "c62": "piece", "h87": "piece", "ea": "piece", "grm": "g", **UNITS}


@dataclass
class Flat:
    """Orders laid out as columns, one entry an item."""

    order: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    sku: list[str | None] = field(default_factory=list)
    quantity: list[str | None] = field(default_factory=list)
    unit: list[str | None] = field(default_factory=list)
    price: list[str | None] = field(default_factory=list)
    discount: list[str | None] = field(default_factory=list)
    currency: list[str | None] = field(default_factory=list)
    item_line: list[int] = field(default_factory=list)
    # one entry an order
    number: list[str | None] = field(default_factory=list)
    date: list[str | None] = field(default_factory=list)
    email: list[str | None] = field(default_factory=list)
    whole_discount: list[str | None] = field(default_factory=list)
    subtotal: list[str | None] = field(default_factory=list)  # what all items cost after discounts, where it is said
    refunded: list[str | None] = field(default_factory=list)  # paid back, and it is not said for which item
    source: list[int] = field(default_factory=list)  # where the chunk keeps the order's words
    refused: list[tuple[int, int, int, str]] = field(default_factory=list)  # (line, place, source, reason)

    def order_begins(self, number: str, date: str, email: str, source: int, *, discount: str = "", subtotal: str = "",
                     refunded: str = "") -> None:  # fmt: skip
        """One more order; its items follow."""
        self.number.append(number)
        self.date.append(date)
        self.email.append(email)
        self.whole_discount.append(discount)
        self.subtotal.append(subtotal)
        self.refunded.append(refunded)
        self.source.append(source)

    def item(self, line: int, place: int, sku: str, quantity: str, price: str, *, unit: str = "", discount: str = "",
             currency: str = "") -> None:  # fmt: skip
        """One more item of the order that began last."""
        self.order.append(len(self.number) - 1)
        self.item_line.append(line)
        self.place.append(place)
        self.sku.append(sku)
        self.quantity.append(quantity)
        self.price.append(price)
        self.unit.append(unit)
        self.discount.append(discount)
        self.currency.append(currency)


LayOut = Callable[[Value, int, Flat, Watch], None]
"""Lays one order out; what cannot be an order goes to `refused`. The number says where its words are kept."""
ROLES = {**dict.fromkeys(CODES, "sku"), "orderNumber": "receipt", "telephone": "phone"}


def read(path: Path, mapping: Mapping, known: Known = nothing_known) -> Iterator[Chunk]:
    """The orders' items, in the order of files and orders. `MappingError` when a file is not JSON at all."""
    done_before = 0
    for file_number, file in enumerate(files_in(path, mapping.format)):
        for values in in_chunks(read_values(file)):
            yield chunk(values, mapping, file_number, done_before, known)
        done_before += file.stat().st_size


def in_chunks(values: Iterator[Value]) -> Iterator[list[Value]]:
    """Orders by the `ORDERS_PER_CHUNK`."""
    while some := list(islice(values, ORDERS_PER_CHUNK)):
        yield some


def chunk(
    values: Sequence[Value], mapping: Mapping, file_number: int = 0, done_before: int = 0, known: Known = nothing_known,
    lay_out: LayOut | None = None,
) -> Chunk:  # fmt: skip
    """Some orders, typed and judged."""
    flat, watch = Flat(), Watch(mapping.card_pattern, mapping.receipt_pattern, known)
    for place, value in enumerate(values):
        (lay_out or _lay_out)(value, place, flat, watch)
    table, judge = _typed(flat, mapping, file_number)
    refused = together([_whole_orders(flat, file_number), judge.refusals(table)])
    return Chunk(table.filter(pa.array(judge.good)), refused, _words(values), done_before + values[-1].bytes_done)


def _lay_out(value: Value, source: int, flat: Flat, watch: Watch) -> None:
    order = value.content
    if watch.value(order, ROLES):
        flat.refused.append((value.line, 0, source, "payment-number"))
        return
    items = _items(order) if isinstance(order, dict) else []
    if not isinstance(order, dict) or not items:
        flat.refused.append((value.line, 0, source, "unreadable-order"))
        return
    if text_of(order.get("orderStatus")).rsplit("/", 1)[-1] in NOT_PLACED:
        flat.refused.append((value.line, 0, source, "order-not-placed"))
        return
    customer = _one(order.get("customer"))
    flat.order_begins(
        text_of(order.get("orderNumber")),
        text_of(order.get("orderDate")),
        text_of(customer.get("email")).removeprefix("mailto:"),
        source,
        discount=text_of(order.get("discount")),
    )
    currency = text_of(order.get("priceCurrency"))
    for place, item in enumerate(items):
        _lay_out_item(item, place, value.line, currency, flat)


def _lay_out_item(item: dict[str, Any], place: int, line: int, currency: str, flat: Flat) -> None:
    inner = item.get("orderedItem") or item.get("itemOffered")
    product = _one(inner) if inner is not None else item
    quantity = item.get("orderQuantity", item.get("eligibleQuantity", "1"))
    unit = ""
    if isinstance(quantity, dict):
        unit = text_of(quantity.get("unitCode") or quantity.get("unitText"))
        quantity = quantity.get("value")
    price, money = _price(item, product)
    sku = next((text_of(product[code]) for code in CODES if product.get(code)), "")
    flat.item(
        line, place, sku, text_of(quantity), price,
        unit=unit, discount=text_of(item.get("discount")), currency=money or currency,
    )  # fmt: skip


def _price(item: dict[str, Any], product: dict[str, Any]) -> tuple[str, str]:
    """(price, currency) from the first place that has one."""
    if "price" in item:
        return text_of(item["price"]), text_of(item.get("priceCurrency"))
    for holder in (item.get("acceptedOffer"), item.get("offers"), product.get("offers"), product):
        offer = _one(holder)
        if isinstance(offer.get("priceSpecification"), dict) and "price" not in offer:
            offer = offer["priceSpecification"]
        if "price" in offer:
            return text_of(offer["price"]), text_of(offer.get("priceCurrency"))
    return "", ""


def _items(order: dict[str, Any]) -> list[dict[str, Any]]:
    found = order.get("orderedItem") or order.get("acceptedOffer") or []
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _one(value: Any) -> dict[str, Any]:
    """A nested object, also where it is written as a list of one."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}


def text_of(value: Any) -> str:
    """Text of a JSON value; numbers are text already (`json_values`), objects give their `@id` or `@value`."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return text_of(value.get("@value") or value.get("@id"))
    return ""


def _typed(flat: Flat, mapping: Mapping, file_number: int) -> tuple[pa.Table, Judge]:
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
        "line_number": pa.array(flat.item_line, pa.int64()),
        "place": pa.array(flat.place, pa.int32()),
        "row": pa.array(flat.source, pa.int64()).take(of),
        "customer": email,
        "store": pa.repeat(pa.scalar(mapping.store or "web"), lines),
        "till": pa.nulls(lines, pa.string()),
        "receipt": receipt,
        # Where orders are told apart by their numbers alone, one that stands twice in a row is told by its items' places.
        "position": pa.array(flat.place, pa.int64()) if mapping.numbered else pa.nulls(lines, pa.int64()),
        "sku": sku,
        "local": local.take(of),
        "instant": instant.take(of),
        **_measures(flat, mapping, judge),
    }
    return pa.table(columns, schema=RAW), judge


def _measures(flat: Flat, mapping: Mapping, judge: Judge) -> dict[str, pa.Array]:
    thousand = 1000 if mapping.quantities_in == "whole" else 1

    def read(values: list[str | None], scale: int | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return col.integers(pa.array(values, pa.string()), decimal=".", per_whole=scale)

    order = np.asarray(flat.order, dtype=np.int64)
    begin = np.searchsorted(order, np.arange(len(flat.number) + 1))
    currency, strange = col.translated(pa.array(flat.currency, pa.string()), MEANINGS, missing=mapping.currency)
    per_whole = minor_units(currency, mapping.amounts_in)
    of_order = per_whole if isinstance(per_whole, int) or not len(order) else per_whole[begin[:-1]]
    quantity, bad = read(flat.quantity, thousand)
    unit, unit_strange = col.translated(pa.array(flat.unit, pa.string()), {**UNIT_CODES, **mapping.units}, missing=mapping.unit)
    quantity, unit, fine = in_kilograms(quantity, unit)
    judge.refuse(bad | fine, "unreadable-quantity")
    price, bad = read(flat.price, per_whole)
    judge.refuse(bad, "unreadable-amount")
    discount, bad = read(flat.discount, per_whole)
    judge.refuse(bad & _given(flat.discount), "unreadable-discount")
    amount = line_amounts(price, quantity, np.abs(discount), mapping)
    discount = np.abs(discount)
    for values, take_off in (
        (flat.whole_discount, _whole_discount), (flat.subtotal, _to_subtotal), (flat.refunded, _refund)
    ):  # fmt: skip
        if not any(values):
            continue
        whole, bad = read(values, of_order)
        bad &= _given(values)
        reason, wrong = take_off(np.where(_given(values) & ~bad, whole, -1), begin, amount, discount, mapping)
        judge.refuse((bad | wrong)[order], reason)
    judge.refuse(unit_strange, "unknown-unit")
    judge.refuse(strange, "unknown-currency")
    return {
        "quantity": pa.array(quantity),
        "amount": pa.array(amount),
        "discount": pa.array(discount),
        "unit": unit,
        "currency": currency,
    }


def _given(values: list[str | None]) -> np.ndarray:
    return np.array([bool(text) for text in values], dtype=bool)


def _whole_discount(
    whole: np.ndarray, begin: np.ndarray, amount: np.ndarray, discount: np.ndarray, mapping: Mapping
) -> tuple[str, np.ndarray]:
    """Adds each order's discount (−1: none) to its lines, in place; which orders have one above what they cost."""
    too_much = np.zeros(len(whole), dtype=bool)
    for place in np.flatnonzero(whole > 0):
        lines = slice(begin[place], begin[place + 1])
        shares = spread(int(whole[place]), amount[lines])
        too_much[place] = shares is None
        if shares is not None:
            discount[lines] += shares
            amount[lines] -= shares if mapping.discount_is == "to-take-off" else 0
    return "unreadable-discount", too_much


def _to_subtotal(
    whole: np.ndarray, begin: np.ndarray, amount: np.ndarray, discount: np.ndarray, mapping: Mapping
) -> tuple[str, np.ndarray]:
    """What lines cost above their order's subtotal (−1: not said) is a discount that no line names."""
    wrong = np.zeros(len(whole), dtype=bool)
    for place in np.flatnonzero(whole >= 0):
        lines = slice(begin[place], begin[place + 1])
        shares = spread(int(amount[lines].sum() - whole[place]), amount[lines])
        wrong[place] = shares is None
        if shares is not None:
            discount[lines] += shares
            amount[lines] -= shares
    return "total-disagrees", wrong


def _refund(
    whole: np.ndarray, begin: np.ndarray, amount: np.ndarray, discount: np.ndarray, mapping: Mapping
) -> tuple[str, np.ndarray]:
    """What was paid back (−1: nothing) makes lines cheaper; it may be above what they cost, where it covers the shipping."""
    for place in np.flatnonzero(whole > 0):
        lines = slice(begin[place], begin[place + 1])
        shares = spread(min(int(whole[place]), int(np.maximum(amount[lines], 0).sum())), amount[lines])
        amount[lines] -= shares if shares is not None else 0
    return "unreadable-amount", np.zeros(len(whole), dtype=bool)


def spread(wanted: int, amount: np.ndarray) -> np.ndarray | None:
    """A sum over lines in proportion to their amounts, by largest remainder: whole cents that add up. None if it cannot be."""
    weights = np.maximum(amount, 0)
    total = int(weights.sum())
    if not 0 <= wanted <= total:
        return None
    shares = weights * wanted // max(total, 1)
    rest = weights * wanted - shares * total
    shares[np.argsort(-rest, kind="stable")[: wanted - int(shares.sum())]] += 1
    return np.asarray(shares)


def _whole_orders(flat: Flat, file_number: int) -> Refusals:
    if not flat.refused:
        return no_refusals()
    count = len(flat.refused)
    return Refusals(
        np.full(count, file_number, dtype=np.int32),
        np.array([line for line, _, _, _ in flat.refused], dtype=np.int64),
        np.array([place for _, place, _, _ in flat.refused], dtype=np.int32),
        np.array([source for _, _, source, _ in flat.refused], dtype=np.int64),
        np.array([reason for _, _, _, reason in flat.refused], dtype=object),
    )


def _words(values: Sequence[Value]) -> Callable[[Sequence[int]], list[str]]:
    def words(rows: Sequence[int]) -> list[str]:
        return [json.dumps(values[row].content, ensure_ascii=False) for row in rows]

    return words


def _null(column: pa.Array) -> np.ndarray:
    return np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False))
