"""Till feeds as JSON lines: one object a product line, flat or nested, also as one array.

1. A column is a key, or the way to it with points between: `customer.card`, `prices.0.amount`. Numbers stay the text that was
   written (`json_values`).
2. A line that is no JSON object is refused alone, with its number.
3. What the mapping does not name is looked at for payment numbers, and kept nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from volens.ingest.files import Piece
from volens.ingest.json_values import Value, read_values
from volens.ingest.payment_numbers import FEWEST

LINES_PER_PIECE = 50_000


def pieces(file: Path, columns: Sequence[str]) -> Iterator[Piece]:
    """The file's pieces with these keys as text."""
    held: list[Value] = []
    for value in read_values(file, lines=True):
        held.append(value)
        if len(held) == LINES_PER_PIECE:
            yield piece(held, columns)
            held = []
    if held:
        yield piece(held, columns)


def piece(values: Sequence[Value], columns: Sequence[str]) -> Piece:
    """Some lines as a table; those that are no objects are broken."""
    broken: list[tuple[int, str]] = []
    numbers: list[int] = []
    wanted: dict[str, list[str | None]] = {name: [] for name in columns}
    others: list[str] = []
    for value in values:
        if not isinstance(value.content, dict):
            text = value.content if isinstance(value.content, str) else json.dumps(value.content)
            broken.append((value.line, text))
            continue
        numbers.append(value.line)
        leaves = dict(leaves_of(value.content))
        for name, found in wanted.items():
            found.append(leaves.pop(name, None))
        others.append("\n".join(text for leaf in leaves.items() for text in leaf if text is not None and len(text) >= FEWEST))
    table = pa.table({name: pa.array(found, pa.string()) for name, found in wanted.items()})
    beside = pa.table({"others": pa.array(others, pa.string())})
    return Piece(table, np.array(numbers, dtype=np.int64), values[-1].bytes_done, broken, beside)


def leaves_of(value: Any, way: str = "") -> Iterator[tuple[str, str | None]]:
    """(way to it, text) of every value that is no object and no list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves_of(inner, f"{way}.{key}" if way else key)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves_of(inner, f"{way}.{place}" if way else str(place))
    elif isinstance(value, bool):
        yield way, str(value).lower()
    else:
        yield way, value
