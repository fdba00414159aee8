"""What a purchase line is once nobody is named in it.

1. `LINES` is the one declaration of the columns; the Iceberg schema in `store` is made from it.
2. Money is integer minor units after discount, quantity is integer thousandths: no fraction is ever stored.
3. `day` and `minute` are the store's calendar, `ts` is the instant in UTC.
4. `digests` describe the lines of a receipt regardless of their order, so that two copies can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CHANNELS = ("loyalty", "web")
UNITS = ("piece", "kg")
MIN_BUCKETS = 4
CUSTOMERS_PER_BUCKET = 100_000

LINES = pa.schema(
    [
        pa.field("customer", pa.int32(), nullable=False),
        pa.field("account", pa.int32(), nullable=False),
        pa.field("bucket", pa.int32(), nullable=False),
        pa.field("basket", pa.int64(), nullable=False),
        pa.field("product", pa.int32(), nullable=False),
        pa.field("store", pa.int32(), nullable=False),
        pa.field("channel", pa.string(), nullable=False),
        pa.field("ts", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("day", pa.date32(), nullable=False),
        pa.field("minute", pa.int32(), nullable=False),
        pa.field("quantity", pa.int64(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
        pa.field("discount", pa.int64(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
    ]
)

# What makes two copies of a receipt the same. `customer` is left out on purpose: linking an account to another
# person relabels its lines, and that must not turn a copy into a contradiction.
CONTENT = ("account", "product", "store", "channel", "ts", "quantity", "unit", "amount", "discount", "currency")


@dataclass(frozen=True)
class PartitionFiles:
    """The data files of one bucket, as plain local paths, in the order of their names."""

    bucket: int
    paths: tuple[str, ...]


def buckets_for(customers: int) -> int:
    """The power of two nearest to one bucket per 100,000 customers, at least 4. Fixed when the table is made."""
    if customers < 0:
        raise ValueError("a number of customers cannot be negative")
    wanted = customers / CUSTOMERS_PER_BUCKET
    buckets = MIN_BUCKETS
    while buckets * 2 - wanted < wanted - buckets:
        buckets *= 2
    return buckets


def month_of(day: date) -> int:
    """Months since January 1970, as Iceberg counts them."""
    return (day.year - 1970) * 12 + day.month - 1


def first_day(month: int) -> date:
    """The first day of a month counted from January 1970."""
    return date(1970 + month // 12, month % 12 + 1, 1)


def month_name(month: int) -> str:
    """`2025-03`, of a month counted from January 1970."""
    return f"{1970 + month // 12}-{month % 12 + 1:02d}"


def months(days: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """int32 months since January 1970 of a column of days."""
    whole = days.combine_chunks() if isinstance(days, pa.ChunkedArray) else days
    numbers = whole.cast(pa.int32()).to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return np.asarray(numbers.astype("datetime64[M]").astype(np.int32))


def numbers(table: pa.Table, column: str) -> np.ndarray:
    """One column without nulls as a numpy array of integers (instants: microseconds; days: days)."""
    values = table.column(column).combine_chunks()
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    elif pa.types.is_date32(values.type):
        values = values.cast(pa.int32())
    return np.asarray(values.to_numpy(zero_copy_only=False))


def digests(table: pa.Table, columns: Sequence[str] = CONTENT) -> np.ndarray:
    """uint64 per line; the sum (mod 2⁶⁴) over a receipt's lines describes the receipt whatever their order.

    Not cryptographic: it tells a copy from a correction, nobody gains by a collision.
    """
    mixed = np.full(table.num_rows, 0x9E3779B97F4A7C15, dtype=np.uint64)
    for place, name in enumerate(columns, start=1):
        values = table.column(name).combine_chunks()
        if pa.types.is_string(values.type):
            words = pc.dictionary_encode(values)
            codes = np.array([_word(word) for word in words.dictionary.to_pylist()] or [0], dtype=np.uint64)
            column = codes[words.indices.to_numpy(zero_copy_only=False)]
        else:
            column = numbers(table, name).astype(np.int64).view(np.uint64)
        mixed = _splitmix(mixed ^ (column + np.uint64(place)))
    return mixed


def _word(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")


def _splitmix(value: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))
