"""What goes wrong in real deliveries, put into the demo's files on purpose, so that the quarantine has something to show.

1. Each broken line is a copy of a real one with one thing changed, on a receipt of its own: no real line suffers.
2. Half of a till file's broken lines stand among its first hundred receipts, where an explanation of the feed sees them.
3. The same lines give the same mess.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NO_PRODUCT = "999999999"
FIRST_RECEIPT = 90_000_000_001  # above all numbers of the source
EARLY_RECEIPTS = 100

# (reason, column of the old tills' file, what stands there instead). {year} is the line's own.
CSV_FAULTS = (
    ("unknown-product", "Article", NO_PRODUCT),
    ("unreadable-time", "Date", "31/02/{year}"),
    ("signs-disagree", "Quantité", "-1"),
    ("missing-customer", "Carte", ""),
    ("malformed-customer", "Carte", "2900123"),
    ("unreadable-amount", "Montant", "trois euros"),
    ("unreadable-quantity", "Quantité", "une"),
    ("missing-receipt", "Ticket", ""),
    ("future-time", "Date", "01/01/2099"),
    ("wrong-columns", "", ""),
)
PARQUET_FAULTS: tuple[tuple[str, str, Any], ...] = (
    ("unknown-product", "article", NO_PRODUCT),
    ("signs-disagree", "quantite", -2),
    ("missing-customer", "carte", None),
    ("out-of-range", "montant_centimes", 99_999_999_999),
)


@dataclass(frozen=True)
class CsvMess:
    """Texts of whole lines, each with the number of the good line before which it stands, ascending."""

    lines: Sequence[tuple[int, str]]
    refused: Mapping[str, int]


@dataclass(frozen=True)
class ParquetMess:
    """The good lines with the broken ones between them."""

    table: pa.Table
    refused: Mapping[str, int]


@dataclass(frozen=True)
class OrdersMess:
    """The good orders with the broken ones between them, as lines of text."""

    lines: Sequence[str]
    refused: Mapping[str, int]


def for_csv(texts: pa.Table, starts: np.ndarray) -> CsvMess:
    """Broken lines for the old tills' file."""
    lines = []
    for number, (place, (_, column, value)) in enumerate(_spread(starts, CSV_FAULTS)):
        row = {**texts.slice(place, 1).to_pylist()[0], "Ticket": str(FIRST_RECEIPT + number)}
        if column:
            row[column] = value.format(year=row["Date"][-4:])
        words = list(row.values()) if column else list(row.values())[:4]  # a line that was cut off
        lines.append((place, ";".join(words)))
    return CsvMess(lines, _counted(CSV_FAULTS, len(lines)))


def for_parquet(table: pa.Table, starts: np.ndarray) -> ParquetMess:
    """Broken lines for the new tills' file."""
    parts, done, broken = [], 0, 0
    for number, (place, (_, column, value)) in enumerate(_spread(starts, PARQUET_FAULTS)):
        row = {**table.slice(place, 1).to_pylist()[0], "ticket": str(FIRST_RECEIPT + number), column: value}
        parts += [table.slice(done, place - done), pa.Table.from_pylist([row], schema=table.schema)]
        done, broken = place, broken + 1
    whole = pa.concat_tables([*parts, table.slice(done)]).combine_chunks()
    return ParquetMess(whole, _counted(PARQUET_FAULTS, broken))


def for_orders(texts: Sequence[str]) -> OrdersMess:
    """Broken web orders: one cancelled, one under an e-mail that is none, one that was cut off."""
    if not texts:
        return OrdersMess([], {})
    order = json.loads(texts[0])
    items = len(order["acceptedOffer"])
    cancelled = {**order, "orderNumber": f"LP-{FIRST_RECEIPT}", "orderStatus": "https://schema.org/OrderCancelled"}
    nobody = {**order, "orderNumber": f"LP-{FIRST_RECEIPT + 1}", "customer": {"@type": "Person", "email": "camille.exemple"}}
    cut = texts[0][: len(texts[0]) // 2]
    bad = [json.dumps(cancelled, separators=(",", ":")), json.dumps(nobody, separators=(",", ":")), cut]
    middle = len(texts) // 2
    refused = {"order-not-placed": 1, "malformed-customer": items, "unreadable-order": 1}
    return OrdersMess([*texts[:1], *bad[:2], *texts[1:middle], *bad[2:], *texts[middle:]], refused)


def one_receipt(lines: pa.Table, listed: pa.Array) -> int | None:
    """The first basket with two lines, both of products that the shop knows; None if there is none."""
    baskets = lines.column("basket").combine_chunks()
    unknown = lines.filter(pc.invert(pc.is_in(lines.column("product"), value_set=listed))).column("basket")
    counted = pc.value_counts(baskets)
    two = counted.field("values").filter(pc.equal(counted.field("counts"), 2))
    good = two.filter(pc.invert(pc.is_in(two, value_set=unknown.combine_chunks())))
    return int(good[0].as_py()) if len(good) else None


def with_other_amount(lines: pa.Table, basket: int | None) -> pa.Table:
    """The same lines, but one euro more on each line of that basket."""
    if basket is None:
        return lines
    more = pc.multiply(pc.equal(lines.column("basket"), basket).cast(pa.int64()), 100)
    amounts = pc.add(lines.column("amount"), more)
    return lines.set_column(lines.schema.get_field_index("amount"), "amount", amounts)


def _spread(starts: np.ndarray, faults: Sequence[tuple[str, str, Any]]) -> list[tuple[int, tuple[str, str, Any]]]:
    """(line before which it stands, fault), ascending: half among the early receipts, half over the whole file."""
    if not len(starts):
        return []
    early = (len(faults) + 1) // 2
    out = []
    for number, fault in enumerate(faults):
        reach, parts, part = len(starts), len(faults) - early, number - early
        if number < early:
            reach, parts, part = min(len(starts), EARLY_RECEIPTS), early, number
        out.append((int(starts[(part * reach + reach // 2) // parts]), fault))
    return sorted(out, key=lambda item: item[0])


def _counted(faults: Sequence[tuple[str, str, Any]], written: int) -> dict[str, int]:
    return dict(Counter(reason for reason, _, _ in faults)) if written else {}
