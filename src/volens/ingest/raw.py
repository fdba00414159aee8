"""What every reader of a feed yields, whatever the feed looked like, and why a line may be refused.

A `Chunk` is a piece of a feed: lines that could be read (columns of `RAW`), lines that could not with their
reasons, and a way to fetch the words of a line for the quarantine. A reason never holds what the line said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pyarrow as pa

RAW = pa.schema(
    [
        pa.field("file_number", pa.int32()),  # which file of a folder, from 0
        pa.field("line_number", pa.int64()),  # record in the file, the header being 1; lines for JSON Lines
        pa.field("place", pa.int32()),  # which item of the order on that line, from 0
        pa.field("row", pa.int64()),  # where the chunk keeps the line's words
        pa.field("customer", pa.string()),  # the card number or e-mail
        pa.field("store", pa.string()),
        pa.field("till", pa.string()),
        pa.field("receipt", pa.string()),
        pa.field("position", pa.int64()),  # the line's number on its receipt, if the feed says; else null
        pa.field("sku", pa.string()),
        pa.field("local", pa.timestamp("us")),  # what the store's clock showed; null where `instant` is known
        pa.field("instant", pa.timestamp("us", tz="UTC")),
        pa.field("quantity", pa.int64()),  # thousandths
        pa.field("unit", pa.string()),  # piece | kg
        pa.field("amount", pa.int64()),  # minor units after discount
        pa.field("discount", pa.int64()),  # minor units, 0 or more
        pa.field("currency", pa.string()),
    ]
)

REASONS = MappingProxyType(
    {
        "payment-number": "a payment-card number or an IBAN stands in the line; nothing of the line was kept",
        "wrong-columns": "the line does not have as many columns as the header",
        "unreadable-line": "the line is not a JSON object",
        "missing-customer": "no card number or e-mail, so nobody's permission could apply",
        "malformed-customer": "the card number or e-mail does not have the form it should have",
        "missing-receipt": "no receipt number, so a copy could not be told from a second purchase",
        "missing-store": "no store",
        "missing-product": "no product code",
        "unknown-product": "the product is not in the catalogue; load it, then run volens quarantine retry",
        "unreadable-time": "the time does not have the mapping's format, or the day does not exist",
        "impossible-time": "the time lies before 1990",
        "future-time": "the time lies in the future",
        "unreadable-quantity": "the quantity is not a number with at most three decimals",
        "unreadable-amount": "the amount is not a number with at most as many decimals as its currency has",
        "unreadable-discount": "the discount is not a number with at most as many decimals as its currency has",
        "unreadable-position": "the line's number on its receipt is not a whole number",
        "unknown-unit": "the unit is not piece, kg or g; say in the mapping what the feed's words mean",
        "unknown-currency": "the currency is not a current code of ISO 4217",
        "unknown-kind": "the kind of line is not known; say in the mapping what the feed's words mean",
        "not-a-sale": "the till says that this is a void or a training receipt",
        "broken-code": "the code should carry a weight or a price, and its check digit is wrong",
        "signs-disagree": "quantity and amount have opposite signs: neither a purchase nor a return",
        "out-of-range": "quantity, amount or discount is too large to be of one line",
        "unreadable-order": "the line is not a JSON object that describes an order",
        "order-not-placed": "the order was cancelled, returned, not paid, only a test, or has a problem",
        "total-disagrees": "the order's lines cost less than its subtotal, so what was paid for each is not known",
        "several-customers": "one receipt names several customers",
        "same-receipt-other-lines": "this receipt is known already, with other lines",
        "equal-line-there": "the receipt has an equal line already, so the mended one may be there; it stays in quarantine",
    }
)
SILENT = frozenset({"payment-number"})
"""Reasons of lines of which nothing is kept but their place."""
# In the order in which a line is judged: what comes first is what is said.


@dataclass(frozen=True)
class Refusals:
    """Lines that are refused: parallel arrays, one entry a line."""

    file_number: np.ndarray
    line_number: np.ndarray
    place: np.ndarray
    row: np.ndarray
    reason: np.ndarray  # of str objects, keys of REASONS

    def __len__(self) -> int:
        return len(self.line_number)


@dataclass(frozen=True)
class Chunk:
    """A piece of a feed, at most a few hundred thousand lines."""

    lines: pa.Table
    refused: Refusals
    words: Callable[[Sequence[int]], list[str]]
    """The words of rows (numbers from the `row` columns) as JSON, for the quarantine only."""
    bytes_done: int

    @property
    def read(self) -> int:
        """Lines read, good and bad."""
        return int(self.lines.num_rows) + len(self.refused)


class Judge:
    """Collects the first reason against each line of a table. The order of `refuse` calls is the order of reasons."""

    def __init__(self, lines: int) -> None:
        self.reason = np.full(lines, None, dtype=object)
        self.good = np.ones(lines, dtype=bool)

    def refuse(self, bad: np.ndarray, reason: str) -> None:
        """Refuses the lines where `bad` is true and that were not refused before."""
        if reason not in REASONS:
            raise ValueError(f"no such reason: {reason}")
        fresh = bad & self.good
        if fresh.any():
            self.reason[fresh] = reason
            self.good &= ~fresh

    def refusals(self, table: pa.Table) -> Refusals:
        """What was refused, with the numbers from the table's columns."""
        bad = np.flatnonzero(~self.good)
        chosen = table.select(["file_number", "line_number", "place", "row"]).take(pa.array(bad))
        file_number, line_number, place, row = (chosen.column(name).to_numpy() for name in chosen.column_names)
        return Refusals(file_number, line_number, place, row, self.reason[bad])


def no_refusals() -> Refusals:
    """Nothing refused."""
    empty = np.zeros(0, dtype=np.int64)
    return Refusals(empty, empty, empty, empty, np.zeros(0, dtype=object))


def together(parts: Sequence[Refusals]) -> Refusals:
    """Several refusals as one."""
    if not parts:
        return no_refusals()
    return Refusals(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("file_number", "line_number", "place", "row", "reason")
        )
    )
