"""Refused lines come in from the quarantine: as they were, now that what was missing is there, or mended by a person.

1. They go the way of every line (`intake.carry_in`): read with the mapping of their batch, checked, identified, added, done.
   What is still refused stays where it is, with its reason of now told.
2. They are *added* to their receipts, also where other lines of those are in the table. Each at most as often as one file held it
   (`mended`, rule 2): a line that two files sent is counted once, and the second leaves the quarantine without being added.
3. A line that equals one which came in by a feed is not added unasked: the sender may have mended it meanwhile.
4. An order that was refused whole comes in whole or not at all.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest import loyalty, readers, shopify, weborders
from volens.ingest.additions import of_receipts
from volens.ingest.files import Piece
from volens.ingest.intake import Progress, Run, Stored
from volens.ingest.json_lines import leaves_of
from volens.ingest.json_values import Value
from volens.ingest.mapping import ORDERS, Mapping
from volens.ingest.mended import Mended
from volens.ingest.raw import Chunk, Refusals
from volens.ingest.tally import Identities, Tally
from volens.purchases.catalogue import Catalogue
from volens.purchases.lines import CONTENT, LINES, digests, numbers
from volens.purchases.partitions import PartitionSpool

LINES_AT_ONCE = 20_000
OF_WHOLE_ORDERS = frozenset({"unreadable-order", "order-not-placed", "payment-number"})


@dataclass(frozen=True)
class Waiting:
    """One refused line, opened: where it stood and what it said, as JSON, or mended."""

    batch: str
    file_number: int
    line_number: int
    place: int
    reason: str
    mark: bytes
    row: Any

    def __repr__(self) -> str:
        return f"Waiting({self.batch}, {self.file_number}, {self.line_number}, {self.place}, {self.reason})"


@dataclass
class RetryTally(Tally):
    """Counts of one retry. Nothing is put into the quarantine: what is refused is there."""

    reasons: dict[int, str] = field(default_factory=dict)
    """Which of the lines are still refused, by their number in the retry."""

    def refuse(self, refused: Refusals, words: Callable[[Sequence[int]], list[str]], identities: Identities) -> None:
        self.refused.update(refused.reason.tolist())
        for line, reason in zip(refused.line_number.tolist(), refused.reason.tolist(), strict=True):
            self.reasons.setdefault(line, reason)


class Retry(Run):
    """The steps of one retry: lines of one batch. `line_number` is the line's number in the retry, from 0."""

    def __init__(
        self,
        waiting: Sequence[Waiting],
        mapping: Mapping,
        identities: Identities,
        dimensions: Catalogue,
        now: datetime,
        buckets: int,
        progress: Progress,
        *,
        even_if_equal: bool,
    ) -> None:
        super().__init__(Path("quarantine"), mapping, identities, dimensions, now, buckets, progress)
        self.tally: RetryTally = RetryTally()
        self.lines = waiting
        self.even_if_equal = even_if_equal
        self._fresh = list(range(len(waiting)))

    def set_known_aside(self, taken: Counter[bytes], taken_of_batch: Counter[bytes], in_batch: Counter[bytes]) -> None:
        """Finds the lines that were taken in already, from this or another file (rule 2); they are noted, not added.

        `taken`: how often each mark was; `taken_of_batch`: of it, from this batch; `in_batch`: how many wait in it now.
        """
        so_far = Counter(taken)
        self._fresh = []
        for number, line in enumerate(self.lines):
            if so_far[line.mark] < in_batch[line.mark] + taken_of_batch[line.mark]:
                so_far[line.mark] += 1
                self._fresh.append(number)
            else:
                self.tally.read += 1
                self.tally.duplicate_lines += 1
                self.mended.append(_note(line, 0, None, None))

    def identified(self) -> Iterator[pa.Table]:
        """The lines that are good now, under customer numbers."""
        if not self._fresh:
            return
        for start in range(0, len(self._fresh), LINES_AT_ONCE):
            some = self._fresh[start : start + LINES_AT_ONCE]
            lines = self._whole_orders(self.checked(self._chunk(some)), some)
            self.progress("reading", start + len(some), len(self._fresh))
            yield self.staged(lines)

    def once(self, spool: PartitionSpool, known_lines: Stored) -> Iterator[pa.Table]:
        """The lines to add (`LINES`), each noted; what its receipt speaks against is refused."""
        for partition, staged in spool.pieces():
            baskets, day = numbers(staged, "basket"), numbers(staged, "day")
            distinct = np.unique(baskets)
            stored = known_lines(partition, distinct, (int(day.min()), int(day.max())))
            added = self.additions(distinct.tolist())
            said = digests(staged, CONTENT).view(np.int64)
            known = of_receipts(stored, set(distinct.tolist()))
            owners = dict(zip(numbers(stored, "basket").tolist(), numbers(stored, "account").tolist(), strict=True))
            reasons = [
                "several-customers" if owners.get(basket, account) != account
                else "equal-line-there" if not self.even_if_equal and (known[basket] - added.get(basket, Counter()))[digest]
                else ""
                for basket, account, digest in zip(
                    baskets.tolist(), numbers(staged, "account").tolist(), said.tolist(), strict=True
                )
            ]  # fmt: skip
            yield from self._added(staged, baskets, said, reasons)
            self.tally.receipts += len(set(distinct.tolist()) - set(owners))
            self.progress("writing", self.tally.accepted, spool.lines)

    def _added(self, staged: pa.Table, baskets: np.ndarray, said: np.ndarray, reasons: list[str]) -> Iterator[pa.Table]:
        numbers_ = numbers(staged, "line_number").tolist()
        wrong = {number: reason for number, reason in zip(numbers_, reasons, strict=True) if reason}
        good = np.array([number not in wrong for number in numbers_], dtype=bool)
        for reason in sorted(set(wrong.values())):
            mask = pa.array([wrong.get(number) == reason for number in numbers_])
            self.refuse(staged.filter(mask), reason)
        items: Counter[int] = Counter()
        for place in np.flatnonzero(good).tolist():
            number = numbers_[place]
            self.mended.append(_note(self.lines[number], items[number], int(baskets[place]), int(said[place])))
            items[number] += 1
        new = staged.filter(pa.array(good)).select(LINES.names)
        self.tally.accept(new)
        if new.num_rows:
            yield new

    def _chunk(self, some: Sequence[int]) -> Chunk:
        known = readers.known_products(self.dimensions)
        if self.mapping.format in ORDERS:
            values = [_order(self.lines[number].row, number) for number in some]
            read = shopify.chunk if self.mapping.format == "shopify-orders" else weborders.chunk
            return self._own_items(read(values, self.mapping, known=known), some)
        columns = list(dict.fromkeys(self.mapping.columns.values()))
        rows = [dict(leaves_of(self.lines[number].row)) for number in some]
        table = pa.table({name: pa.array([_text(row.pop(name, None)) for row in rows], pa.string()) for name in columns})
        others = pa.array(["\n".join(str(text) for leaf in row.items() for text in leaf) for row in rows], pa.string())
        piece = Piece(table, np.array(some, dtype=np.int64), 0, others=pa.table({"others": others}))
        chunk = loyalty.chunk(piece, _as_text(self.mapping, table), 0, known=known)
        return self._nothing_lost(chunk, some)

    def _own_items(self, chunk: Chunk, some: Sequence[int]) -> Chunk:
        """Of an order that stands with each of its refused items, the item that this line is."""

        def own(line: int, place: int, reason: str = "") -> bool:
            waiting = self.lines[line]
            if isinstance(waiting.row, dict) and "rows" in waiting.row:
                return place == waiting.place
            return place == waiting.place or not {waiting.reason, reason}.isdisjoint(OF_WHOLE_ORDERS)

        lines, refused = chunk.lines, chunk.refused
        places = zip(_lines(lines), lines.column("place").to_pylist(), strict=True)
        kept = lines.filter(pa.array([own(line, place) for line, place in places], pa.bool_()))
        said = zip(refused.line_number.tolist(), refused.place.tolist(), refused.reason.tolist(), strict=True)
        mask = np.array([own(*one) for one in said], dtype=bool)
        names = ("file_number", "line_number", "place", "row", "reason")
        chosen = Refusals(*(getattr(refused, name)[mask] for name in names))
        return self._nothing_lost(replace(chunk, lines=kept, refused=chosen), some)

    def _nothing_lost(self, chunk: Chunk, some: Sequence[int]) -> Chunk:
        """A row of which nothing came is no line of this feed."""
        lost = sorted(set(some) - set(_lines(chunk.lines)) - set(chunk.refused.line_number.tolist()))
        if not lost:
            return chunk
        nothing = np.zeros(len(lost), dtype=np.int64)
        more = Refusals(nothing, np.array(lost), nothing, nothing, np.full(len(lost), "wrong-columns", dtype=object))
        names = ("file_number", "line_number", "place", "row", "reason")
        both = (np.concatenate([getattr(chunk.refused, name), getattr(more, name)]) for name in names)
        return replace(chunk, refused=Refusals(*both))

    def _whole_orders(self, lines: pa.Table, some: Sequence[int]) -> pa.Table:
        """Without the good items of a refused whole order of which others are bad (rule 4)."""
        bad = pa.array(sorted(set(some) & set(self.tally.reasons)), pa.int64())
        mask = pc.is_in(lines.column("line_number"), bad)
        for number in lines.filter(mask).column("line_number").to_pylist():
            self.tally.refused[self.tally.reasons[number]] += 1
        return lines.filter(pc.invert(mask))


def _note(line: Waiting, item: int, basket: int | None, digest: int | None) -> Mended:
    return Mended(line.batch, line.file_number, line.line_number, line.place, item, line.mark, basket, digest)


def _order(row: Any, number: int) -> Value:
    """An order as its reader makes it, standing at the line's number in the retry."""
    if isinstance(row, dict) and "rows" in row and isinstance(row.get("lines"), list):
        row = {**row, "lines": [number] * len(row["rows"])}
    return Value(row, number, 0)


def _lines(table: pa.Table) -> list[int]:
    return [int(line) for line in table.column("line_number").to_pylist()]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _as_text(mapping: Mapping, table: pa.Table) -> Mapping:
    """The mapping for values that Parquet had typed and that are text now: times that are ISO's are read as such."""
    if mapping.format != "parquet":
        return mapping
    names = [mapping.columns[name] for name in ("time", "date") if name in mapping.columns]
    texts = [text for name in names for text in table.column(name).to_pylist() if text]
    return replace(mapping, time_format="iso") if texts and all(map(_is_iso, texts)) else mapping


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
