"""Loyalty till feeds: CSV, Parquet and JSON lines, one line a product, become `RAW` chunks.

Everything here is by column. What a line says is checked as far as it can be without the catalogue and the
clock; `checks` does the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest import columns as col
from volens.ingest import goods, json_lines
from volens.ingest.currencies import MEANINGS, minor_units
from volens.ingest.files import Piece, files_in, read_csv, read_parquet
from volens.ingest.mapping import Mapping
from volens.ingest.payment_numbers import Watch, role_of
from volens.ingest.raw import RAW, Chunk, Judge, Refusals, together

UNITS = {"piece": "piece", "kg": "kg", "g": "g"}
KINDS = {kind: kind for kind in goods.KINDS}
Known = Callable[[str], bool]
"""Whether the catalogue knows a product code."""
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def nothing_known(code: str) -> bool:
    """A catalogue without products."""
    return False


def read(path: Path, mapping: Mapping, known: Known = nothing_known) -> Iterator[Chunk]:
    """The feed's lines, piece by piece, in the order of its files and lines. `MappingError` when it does not fit."""
    done_before = 0
    for file_number, file in enumerate(files_in(path, mapping.format)):
        for piece in pieces(file, mapping):
            yield chunk(piece, mapping, file_number, done_before, known)
        done_before += file.stat().st_size


def pieces(file: Path, mapping: Mapping) -> Iterator[Piece]:
    """One file's pieces with the mapped columns, under the feed's own names."""
    wanted = list(dict.fromkeys(mapping.columns.values()))
    purchases = mapping.contents == "purchases"
    if mapping.format == "parquet":
        return read_parquet(file, wanted, others=purchases)
    if mapping.format == "jsonl":
        return json_lines.pieces(file, wanted)
    return read_csv(
        file,
        delimiter=mapping.delimiter,
        encoding=mapping.encoding,
        columns=wanted,
        one_line_each=purchases,
        others=purchases,
    )


def chunk(
    piece: Piece, mapping: Mapping, file_number: int, done_before: int = 0, known: Known = nothing_known
) -> Chunk:
    """A piece, typed and judged."""
    lines = piece.table.num_rows
    numbers = {
        "file_number": pa.array(np.full(lines, file_number, dtype=np.int32)),
        "line_number": pa.array(piece.line_numbers.astype(np.int64)),
        "place": pa.array(np.zeros(lines, dtype=np.int32)),
        "row": pa.array(np.arange(lines, dtype=np.int64)),
    }
    judge = Judge(lines)
    watch = Watch(mapping.card_pattern, mapping.receipt_pattern, known)
    judge.refuse(_watched(piece, mapping, watch), "payment-number")
    table = pa.table({**numbers, **_typed(piece.table, mapping, judge)}, schema=RAW)
    blank = _blank(piece.table)
    judge.good &= ~blank
    judge.reason[blank] = None
    refused = judge.refusals(table)
    said = np.array([reason is not None for reason in refused.reason], dtype=bool)
    parts = [_broken(piece, mapping, file_number, watch), _chosen(refused, said)]
    return Chunk(table.filter(pa.array(judge.good)), together(parts), _words(piece), done_before + piece.bytes_done)


def _watched(piece: Piece, mapping: Mapping, watch: Watch) -> np.ndarray:
    """Which lines hold a payment number, in the columns that are read and in those that are not."""
    roles = {column: name for name, column in mapping.columns.items() if name in ("sku", "card", "receipt")}
    found = watch.lines(piece.table, roles)
    if piece.others is not None:
        found |= watch.lines(piece.others, {name: role_of(name) for name in piece.others.column_names})
    return found


def _typed(table: pa.Table, mapping: Mapping, judge: Judge) -> dict[str, pa.Array]:
    """The columns of `RAW` below the numbers; what cannot be read is refused in the order of the reasons."""
    given = {name: table.column(column) for name, column in mapping.columns.items()}
    empty = pa.nulls(table.num_rows, pa.string())
    out = {name: col.words(given[name]) if name in given else empty for name in ("store", "till", "receipt", "sku")}
    out["customer"] = _customers(given, mapping, judge)
    if "store" not in given:
        out["store"] = pa.repeat(pa.scalar(mapping.store, pa.string()), table.num_rows)
    for name, reason in (("receipt", "missing-receipt"), ("store", "missing-store"), ("sku", "missing-product")):
        judge.refuse(_null(out[name]), reason)
    codes = goods.carried(out["sku"], mapping.embedded) if mapping.embedded else None
    if codes is not None:
        judge.refuse(codes.broken, "broken-code")
        out["sku"] = codes.sku
    out["local"], out["instant"], bad = _moments(given, mapping)
    judge.refuse(bad, "unreadable-time")
    out |= _measures(given, mapping, judge, codes, table.num_rows)
    if "line" in given:
        out["position"], bad = col.positions(given["line"])
        judge.refuse(bad, "unreadable-position")
    else:
        out["position"] = pa.nulls(table.num_rows, pa.int64())
    return out


def _customers(given: dict[str, pa.ChunkedArray], mapping: Mapping, judge: Judge) -> pa.Array:
    customer = col.words(given[mapping.customer_kind])
    if mapping.customer_kind == "email":
        customer = pc.utf8_lower(customer)
    judge.refuse(_null(customer), "missing-customer")
    pattern = EMAIL if mapping.customer_kind == "email" else mapping.card_pattern
    if pattern is not None:
        fits = pc.match_substring_regex(customer, f"^(?:{pattern})$")
        judge.refuse(~pc.fill_null(fits, False).to_numpy(zero_copy_only=False), "malformed-customer")
    return customer


def _moments(given: dict[str, pa.ChunkedArray], mapping: Mapping) -> tuple[pa.Array, pa.Array, np.ndarray]:
    if "time" in given:
        return col.moments(given["time"], mapping.time_format)
    day = col.words(given["date"])
    if "clock" not in given:
        return col.moments(day, mapping.time_format)
    clock = col.words(given["clock"])
    if mapping.time_format.endswith("%H%M"):
        clock = pc.utf8_lpad(clock, 4, "0")  # 9:05 was stored as the number 905
    return col.moments(pc.binary_join_element_wise(day, clock, " "), mapping.time_format)


def _measures(
    given: dict[str, pa.ChunkedArray], mapping: Mapping, judge: Judge, codes: goods.Carried | None, lines: int
) -> dict[str, pa.Array]:
    """quantity, unit, amount, discount, currency."""
    decimal = mapping.decimal if mapping.format == "csv" else "."
    currency, unknown = _worded(given, "currency", MEANINGS, mapping.currency, lines)
    per_whole = minor_units(currency, mapping.amounts_in)
    thousand = 1000 if mapping.quantities_in == "whole" else 1
    quantity, bad_quantity = col.integers(given["quantity"], decimal=decimal, per_whole=thousand)
    amount, bad_amount = col.integers(given["amount"], decimal=decimal, per_whole=per_whole)
    discount = bad_discount = np.zeros(lines, dtype=np.int64)
    if "discount" in given:
        discount, bad_discount = col.integers(given["discount"], decimal=decimal, per_whole=per_whole)
        bad_discount = bad_discount & ~_null(col.words(given["discount"]))
        discount = np.abs(discount)  # feeds write a discount as −0.50 or 0.50; it is its size that is kept
    unit, strange = _worded(given, "unit", {**UNITS, **mapping.units}, mapping.unit, lines)
    quantity, unit, fine = goods.in_kilograms(quantity, unit)
    if codes is not None:
        quantity, unit = _by_weight(codes.grams, quantity, bad_quantity, unit)
    amount = line_amounts(amount, quantity, discount, mapping)
    if codes is not None:
        priced = (codes.price >= 0) & _null(col.words(given["amount"]))
        amount = np.where(priced, codes.price * np.where(bad_quantity, 0, quantity) // 1000, amount)
        bad_amount = bad_amount & ~priced
    if "kind" in given:
        quantity, amount = _by_kind(given["kind"], quantity, amount, mapping, judge)
    judge.refuse(bad_quantity | fine, "unreadable-quantity")
    judge.refuse(bad_amount, "unreadable-amount")
    judge.refuse(np.asarray(bad_discount, dtype=bool), "unreadable-discount")
    judge.refuse(strange, "unknown-unit")
    judge.refuse(unknown, "unknown-currency")
    return {
        "quantity": pa.array(quantity),
        "amount": pa.array(amount),
        "discount": pa.array(discount),
        "unit": unit,
        "currency": currency,
    }


def _by_weight(
    grams: np.ndarray, quantity: np.ndarray, bad_quantity: np.ndarray, unit: pa.Array
) -> tuple[np.ndarray, pa.Array]:
    """Pieces whose code carries their weight are kilograms; where the till weighed them already, its weight stands."""
    weighed = (grams > 0) & pc.equal(unit, "piece").to_numpy(zero_copy_only=False) & ~bad_quantity
    return np.where(weighed, grams * quantity // 1000, quantity), pc.if_else(pa.array(weighed), "kg", unit)


def _by_kind(
    column: pa.ChunkedArray, quantity: np.ndarray, amount: np.ndarray, mapping: Mapping, judge: Judge
) -> tuple[np.ndarray, np.ndarray]:
    """Returns become negative, also where the feed wrote them so already; what was never sold is refused."""
    kind, unknown = col.translated(column, {**KINDS, **mapping.kinds}, missing="sale")
    judge.refuse(unknown, "unknown-kind")
    judge.refuse(pc.is_in(kind, pa.array(["void", "training"])).to_numpy(zero_copy_only=False), "not-a-sale")
    back = pc.fill_null(pc.equal(kind, "return"), False).to_numpy(zero_copy_only=False)
    return np.where(back, -np.abs(quantity), quantity), np.where(back, -np.abs(amount), amount)


def line_amounts(amount: np.ndarray, quantity: np.ndarray, discount: np.ndarray, mapping: Mapping) -> np.ndarray:
    """What was paid for the line, in minor units: prices are multiplied, a discount still to come is taken off.

    A price times a weight is rounded to the nearest cent, halves away from zero, as tills do.
    """
    if mapping.amounts_per == "unit":
        product = amount * quantity
        amount = np.sign(product) * ((np.abs(product) + 500) // 1000)
    if mapping.discount_is == "to-take-off":
        amount = amount - np.sign(amount) * discount
    return amount


def _worded(
    given: dict[str, pa.ChunkedArray], name: str, meanings: AbstractMapping[str, str], missing: str, lines: int
) -> tuple[pa.Array, np.ndarray]:
    if name not in given:
        return pa.repeat(pa.scalar(missing), lines), np.zeros(lines, dtype=bool)
    return col.translated(given[name], meanings, missing=missing)


def _null(column: pa.Array) -> np.ndarray:
    return np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False))


def _blank(table: pa.Table) -> np.ndarray:
    """Empty lines, which some systems write at the end of a file: nothing to refuse and nothing to count."""
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        blank &= _null(col.words(column))
    return blank


def _broken(piece: Piece, mapping: Mapping, file_number: int, watch: Watch) -> Refusals:
    """Broken lines get negative rows: their words are not in the piece's table."""
    count = len(piece.broken)
    reason = "unreadable-line" if mapping.format == "jsonl" else "wrong-columns"
    return Refusals(
        np.full(count, file_number, dtype=np.int32),
        np.array([number for number, _ in piece.broken], dtype=np.int64),
        np.zeros(count, dtype=np.int32),
        -1 - np.arange(count, dtype=np.int64),
        np.array(["payment-number" if watch.value(text, {}) else reason for _, text in piece.broken], dtype=object),
    )


def _chosen(refused: Refusals, mask: np.ndarray) -> Refusals:
    return Refusals(
        refused.file_number[mask], refused.line_number[mask], refused.place[mask], refused.row[mask],
        refused.reason[mask],
    )  # fmt: skip


def _words(piece: Piece) -> Callable[[Sequence[int]], list[str]]:
    def words(rows: Sequence[int]) -> list[str]:
        inside = [row for row in rows if row >= 0]
        found = iter(piece.table.take(pa.array(inside, pa.int64())).to_pylist())
        return [
            json.dumps(next(found) if row >= 0 else {"line": piece.broken[-1 - row][1]}, default=str, ensure_ascii=False)
            for row in rows
        ]

    return words
