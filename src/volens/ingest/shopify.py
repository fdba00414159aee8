"""Shopify's orders: the CSV that its admin exports, and the Admin API's Order as JSON.

The CSV (help.shopify.com, "Exporting orders") has a row for each item; what is of the whole order stands on its first row only.

1. Columns are found by name whatever their case; `Canceled at` and `Cancelled at` are the same.
2. Bought is what was paid: `paid` and `partially_refunded`, not cancelled, no test. Everything else is refused, and may come
   in later, from an export in which it was paid.
3. Items must come to the order's subtotal: what they cost above it is the order's discount and is spread to the cent; if they cost
   less, the order is refused. A discount on shipping is in no subtotal and so on no item.
4. A partial refund in the CSV is not said to be of one item: it makes all items cheaper, to the cent, and leaves what was bought.
   The API says which items came back; they are taken off by quantity and amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa

from volens.errors import MappingError
from volens.ingest import weborders
from volens.ingest.files import EXPLAIN, csv_header, files_in, read_csv, shown_name
from volens.ingest.json_values import Value, read_values
from volens.ingest.loyalty import Known, nothing_known
from volens.ingest.mapping import Mapping
from volens.ingest.payment_numbers import Watch, role_of
from volens.ingest.raw import Chunk
from volens.ingest.weborders import Flat, text_of

BOUGHT = frozenset({"paid", "partially_refunded"})
NEEDED = (
    "name", "email", "financial status", "currency", "created at", "lineitem quantity", "lineitem price", "lineitem sku",
)  # fmt: skip
USED = (*NEEDED, "subtotal", "discount amount", "cancelled at", "refunded amount", "lineitem discount", "total")
OF_THE_ORDER = ("financial status", "currency", "total")
"""Filled on an order's first row only."""
ROLES = {"sku": "sku", "lineitem sku": "sku", "barcode": "sku", "name": "receipt", "order_number": "receipt", "phone": "phone"}
HELD_BACK = "payment-number"
"""Stands for an order of which nothing may be kept."""
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)? ?(?:(UTC|Z)|([+-]\d\d):?(\d\d))")


def looks_like_it(header: Sequence[str]) -> bool:
    """Whether these are the columns of Shopify's export."""
    return {_plain(name) for name in header}.issuperset(NEEDED)


def read(path: Path, mapping: Mapping, known: Known = nothing_known) -> Iterator[Chunk]:
    """The orders' items, in the order of files and rows. `MappingError` when a file is not such an export."""
    done_before = 0
    for file_number, file in enumerate(files_in(path, mapping.format)):
        for values in weborders.in_chunks(orders(file, mapping, known)):
            yield chunk(values, mapping, file_number, done_before, known)
        done_before += file.stat().st_size


def chunk(
    values: Sequence[Value], mapping: Mapping, file_number: int = 0, done_before: int = 0, known: Known = nothing_known
) -> Chunk:
    """Some orders, typed and judged. What a price is, and how times are written, is Shopify's and not the mapping's."""
    mapping = replace(
        mapping, amounts_per="unit", discount_is="to-take-off", amounts_in="major", quantities_in="whole", time_format="iso"
    )
    return weborders.chunk(values, mapping, file_number, done_before, known, _lay_out)


def orders(file: Path, mapping: Mapping, known: Known = nothing_known) -> Iterator[Value]:
    """One file's orders: objects of the API, or `rows` of the CSV with their `lines`."""
    if ".csv" not in file.name.lower():
        for value in read_values(file, inside="orders"):
            whole = value.content.get("orders") if isinstance(value.content, dict) else None
            several = whole if isinstance(whole, list) else [value.content]
            for order in several:
                yield Value(order, value.line, value.bytes_done)
        return
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    held_back, done = False, 0
    for row, line, suspect, done in _rows(file, mapping, known):
        begins = not rows or row.get("name") != rows[0].get("name") or any(row.get(name) for name in OF_THE_ORDER)
        if begins and rows:
            yield _order(rows, lines, held_back, done)
            rows, lines, held_back = [], [], False
        rows.append(row)
        lines.append(line)
        held_back |= suspect
    if rows:
        yield _order(rows, lines, held_back, done)


def _order(rows: list[dict[str, str]], lines: list[int], held_back: bool, done: int) -> Value:
    return Value({"rows": [] if held_back else rows, "lines": lines, HELD_BACK: held_back}, lines[0], done)


def _rows(file: Path, mapping: Mapping, known: Known) -> Iterator[tuple[dict[str, str], int, bool, int]]:
    """(the used columns by their plain names, the record's number, whether it holds a payment number, bytes done)."""
    header = csv_header(file, mapping.delimiter, mapping.encoding)
    plain = {_plain(name): name for name in header}
    missing = [name for name in NEEDED if name not in plain]
    if missing:
        found = ", ".join(shown_name(name) for name in header[:30])
        raise MappingError(
            f"{file.name} is no order export of Shopify: it has no column {' and no column '.join(missing)}. It has: {found}.",
            "Export the orders as CSV for Excel from Shopify's admin, whole. " + EXPLAIN,
        )
    used = [name for name in USED if name in plain]
    watch = Watch(mapping.card_pattern, mapping.receipt_pattern, known)
    roles = {plain[name]: role for name, role in ROLES.items() if name in plain}
    for piece in read_csv(
        file, delimiter=mapping.delimiter, encoding=mapping.encoding, columns=[plain[name] for name in used], others=True
    ):
        suspect = watch.lines(piece.table, roles)
        if piece.others is not None:
            suspect |= watch.lines(piece.others, {name: role_of(name) for name in piece.others.column_names})
        table = pa.table(dict(zip(used, piece.table.columns, strict=True)))
        broken = [({"line": text}, number, watch.value(text, {}), piece.bytes_done) for number, text in piece.broken]
        good = [
            (row, int(number), bool(bad), piece.bytes_done)
            for row, number, bad in zip(table.to_pylist(), piece.line_numbers, suspect, strict=True)
        ]
        yield from sorted(good + broken, key=lambda found: found[1]) if broken else good


def _plain(name: str) -> str:
    return name.strip().lower().replace("canceled", "cancelled").replace("-", " ")


def _lay_out(value: Value, source: int, flat: Flat, watch: Watch) -> None:
    order = value.content
    if isinstance(order, dict) and "rows" in order and "lines" in order:
        _lay_out_rows(order["rows"], [int(line) for line in order["lines"]], bool(order.get(HELD_BACK)), source, flat)
    elif watch.value(order, ROLES):
        flat.refused.append((value.line, 0, source, "payment-number"))
    elif not isinstance(order, dict) or not isinstance(order.get("line_items"), list) or not order["line_items"]:
        flat.refused.append((value.line, 0, source, "unreadable-order"))
    elif text_of(order.get("financial_status")) not in BOUGHT or order.get("cancelled_at") or order.get("test") is True:
        flat.refused.append((value.line, 0, source, "order-not-placed"))
    else:
        _lay_out_object(order, value.line, source, flat)


def _lay_out_rows(rows: list[dict[str, str]], lines: list[int], held_back: bool, source: int, flat: Flat) -> None:
    reason = "payment-number" if held_back else ""
    if not reason and "line" in rows[0] and "name" not in rows[0]:
        reason = "wrong-columns"
    elif not reason and (rows[0].get("financial status") not in BOUGHT or rows[0].get("cancelled at")):
        reason = "order-not-placed"
    if reason:
        flat.refused += [(line, place, source, reason) for place, line in enumerate(lines)]
        return
    first = rows[0]
    flat.order_begins(
        first.get("name") or "",
        when(first.get("created at") or ""),
        first.get("email") or "",
        source,
        discount="" if first.get("subtotal") else first.get("discount amount") or "",
        subtotal=first.get("subtotal") or "",
        refunded=first.get("refunded amount") or "",
    )
    for place, (row, line) in enumerate(zip(rows, lines, strict=True)):
        flat.item(
            line,
            place,
            row.get("lineitem sku") or "",
            row.get("lineitem quantity") or "",
            row.get("lineitem price") or "",
            discount=row.get("lineitem discount") or "",
            currency=first.get("currency") or "",
        )


def _lay_out_object(order: dict[str, Any], line: int, source: int, flat: Flat) -> None:
    customer = order.get("customer")
    given = text_of(order.get("email")) or text_of(order.get("contact_email"))
    back = _came_back(order)
    flat.order_begins(
        text_of(order.get("name")) or text_of(order.get("order_number")),
        when(text_of(order.get("created_at"))),
        given or (text_of(customer.get("email")) if isinstance(customer, dict) else ""),
        source,
        subtotal="" if back else text_of(order.get("subtotal_price")),
    )
    for place, item in enumerate(order["line_items"]):
        item = item if isinstance(item, dict) else {}
        quantity, price = _number(item.get("quantity")), _number(item.get("price"))
        allocated = item.get("discount_allocations") or []
        discount = sum((_number(one.get("amount")) or Decimal(0) for one in allocated if isinstance(one, dict)), Decimal(0))
        discount = discount or _number(item.get("total_discount")) or Decimal(0)
        returned, paid_back = back.get(text_of(item.get("id")), (Decimal(0), Decimal(0)))
        if returned and quantity is not None and price is not None:
            # of the discount stays what the refund did not give back of the price
            discount -= price * returned - paid_back
            quantity -= returned
        flat.item(
            line,
            place,
            text_of(item.get("sku")),
            "" if quantity is None else format(quantity, "f"),
            text_of(item.get("price")),
            discount=format(max(discount, Decimal(0)), "f"),
            currency=text_of(order.get("currency")),
        )


def _came_back(order: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    """Item's id → (how many came back, what was paid back for them)."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for refund in order.get("refunds") or []:
        for one in (refund.get("refund_line_items") or []) if isinstance(refund, dict) else []:
            name = text_of(one.get("line_item_id"))
            quantity, paid = found.get(name, (Decimal(0), Decimal(0)))
            found[name] = (
                quantity + (_number(one.get("quantity")) or Decimal(0)),
                paid + (_number(one.get("subtotal")) or Decimal(0)),
            )
    return found


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(text_of(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def when(text: str) -> str:
    """Shopify's times in ISO's form; what is none stays, and is refused as unreadable."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return text
    day, clock, utc, hours, minutes = found.groups()
    return f"{day}T{clock}{'+00:00' if utc else f'{hours}:{minutes}'}"
