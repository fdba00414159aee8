"""What a run counts and refuses, and what it needs of `identity`.

1. Every refused line is counted; the first `QUARANTINE_LINES` of a batch are placed, and `SEALED_LINES` keep their words.
2. A line that was mended and taken in from the quarantine is known when it comes again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap

from volens.ingest.raw import SILENT, Refusals
from volens.ingest.store import QUARANTINE_LINES, SEALED_LINES, Quarantined
from volens.purchases.lines import numbers


class Identities(Protocol):
    """What `identity` gives to ingest: references into numbers, and nothing back."""

    def identify(self, kind: str, values: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """int32 customers and accounts, one of each for each value."""

    def basket_keys(self, identities: Sequence[bytes]) -> np.ndarray:
        """int64 keyed hashes."""

    def seal(self, row: bytes) -> bytes:
        """Encrypts a line for the quarantine."""

    def mark(self, row: bytes) -> bytes:
        """16 bytes, a keyed hash of a refused line: equal for equal lines."""


@dataclass
class Tally:
    """Counts of one run, and what its quarantine will hold."""

    read: int = 0
    accepted: int = 0
    receipts: int = 0
    duplicate_receipts: int = 0
    duplicate_lines: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    kept: list[Quarantined] = field(default_factory=list)
    times_resolved: int = 0
    customers: BitMap = field(default_factory=BitMap)
    first_day: date | None = None
    last_day: date | None = None
    retried: Callable[[Sequence[bytes]], AbstractMapping[bytes, int]] = lambda marks: {}
    """How often refused lines with these marks were taken in from the quarantine."""
    marks: Counter[bytes] = field(default_factory=Counter)

    def accept(self, lines: pa.Table) -> None:
        """Lines that go into the table (columns of `LINES`)."""
        if not lines.num_rows:
            return
        self.accepted += lines.num_rows
        self.customers.update(np.unique(numbers(lines, "customer")).tolist())
        days = pc.min_max(lines.column("day")).as_py()
        self.first_day = min(day for day in (self.first_day, days["min"]) if day)
        self.last_day = max(day for day in (self.last_day, days["max"]) if day)

    def refuse(self, refused: Refusals, words: Callable[[Sequence[int]], list[str]], identities: Identities) -> None:
        """Counts all, places the first `QUARANTINE_LINES` of a batch, and keeps the words of `SEALED_LINES`.

        A line that was mended and taken in from there is known, as often as it was: it is a duplicate and no longer refused.
        """
        sealed = max(0, min(SEALED_LINES - len(self.kept), len(refused)))
        told = [place for place in range(sealed) if refused.reason[place] not in SILENT]
        texts = dict(zip(told, (text.encode() for text in words(refused.row[told].tolist())), strict=True))
        marks = {place: identities.mark(b"%d\x1f%s" % (refused.place[place], text)) for place, text in texts.items()}
        retried = self.retried(list(marks.values())) if marks else {}
        for place in range(len(refused)):
            if len(self.kept) >= QUARANTINE_LINES:
                self.refused.update(refused.reason[place:].tolist())
                break
            mark = marks.get(place)
            if mark is not None and mark in retried:
                self.marks[mark] += 1
                if self.marks[mark] <= retried[mark]:
                    self.duplicate_lines += 1
                    continue
            self.refused[str(refused.reason[place])] += 1
            self.kept.append(
                Quarantined(
                    int(refused.file_number[place]),
                    int(refused.line_number[place]),
                    int(refused.place[place]),
                    str(refused.reason[place]),
                    identities.seal(texts[place]) if place in texts else None,
                    mark,
                )
            )
