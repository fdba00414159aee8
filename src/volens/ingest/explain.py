"""What would happen to a feed: from its first 1,000 lines, before anything is written.

1. The same code judges the lines as in `take_in`; only the numbers that identity would give are stand-ins.
2. Nothing is written anywhere, and nothing that a line says is shown: line numbers and reasons only.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from volens.ingest import master, readers
from volens.ingest.intake import Run
from volens.ingest.mapping import Mapping, to_yaml
from volens.ingest.payment_numbers import narrow
from volens.ingest.propose import Proposal, proposal
from volens.ingest.raw import REASONS, Chunk
from volens.ingest.receipts import compare
from volens.ingest.samples import SAMPLE_LINES
from volens.ingest.sources import look_alike
from volens.purchases.catalogue import PRODUCTS, STORES, Catalogue
from volens.purchases.lines import MIN_BUCKETS

LINES_SHOWN = 5


@dataclass(frozen=True)
class Refusal:
    """One reason, how many of the first lines it refuses, and where the first of them are."""

    reason: str
    meaning: str
    lines: int
    first_lines: tuple[int, ...]


@dataclass(frozen=True)
class Explanation:
    """What a feed seems to be and what would become of its first lines."""

    file: str
    path: str
    mapping: Mapping
    mapping_given: bool
    notes: tuple[str, ...]
    unused: tuple[str, ...]
    lines_read: int
    lines_accepted: int
    receipts: int
    duplicate_lines: int
    duplicate_receipts: int
    customers: int
    period: tuple[str, str] | None
    refusals: tuple[Refusal, ...]

    @property
    def command(self) -> str:
        """What to run next."""
        mapping = self.mapping.path if self.mapping_given else f"{self.mapping.source}.yaml"
        return f"volens ingest {shlex.quote(self.path)} --mapping {shlex.quote(mapping)}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        out = asdict(replace(self, mapping=None))  # type: ignore[arg-type]  # it is written as YAML below
        return out | {"mapping": to_yaml(self.mapping), "command": self.command}

    def to_text(self) -> str:
        """For people at a terminal."""
        out = [self._form(), "", "What each column is taken for" if self.mapping.columns else "Its fields are known by its format."]
        width = max((len(name) for name in self.mapping.columns), default=0)
        out += [f"  {name:<{width}}  ←  {column}" for name, column in self.mapping.columns.items()]
        out += [f"  not read: {', '.join(self.unused)}"] if self.unused else []
        out += ["", f"The first {self.lines_read:,} lines (nothing was written)", *self._outcome()]
        if self.notes:
            out += ["", "Please look at", *(f"  - {note}" for note in self.notes)]
        if self.mapping_given:
            return "\n".join([*out, "", "To take the file in, run", f"  {self.command}"])
        out += ["", f"Save this as {self.mapping.source}.yaml (change what is wrong)", ""]
        out += [f"  {line}" for line in to_yaml(self.mapping).splitlines()]
        return "\n".join([*out, "", "Then run", f"  {self.command}"])

    def _form(self) -> str:
        kinds = {
            "csv": "a CSV file", "parquet": "a Parquet file", "jsonl": "JSON lines",
            "schema-org-order": "web orders (JSON)", "shopify-orders": "Shopify's export",
        }  # fmt: skip
        form = f"{self.file}: {kinds[self.mapping.format]} of {self.mapping.contents}"
        if self.mapping.format == "csv":
            sign = {"\t": "tabs", ";": "semicolons", ",": "commas"}.get(self.mapping.delimiter, self.mapping.delimiter)
            comma = "comma" if self.mapping.decimal == "," else "point"
            form += f", separated by {sign}, decimal {comma}, {self.mapping.encoding}"
        return form + "."

    def _outcome(self) -> list[str]:
        people = self.mapping.contents == "customers"
        what = f"{self.customers:,} people" if people else f"{self.receipts:,} receipts, {self.customers:,} customers"
        period = f", {self.period[0]} to {self.period[1]}" if self.period else ""
        out = [f"  would be taken in  {self.lines_accepted:>6,}  ({what}{period})"]
        if self.duplicate_receipts:
            out.append(f"  known already      {self.duplicate_lines:>6,}  ({self.duplicate_receipts:,} receipts, again)")
        refused = sum(refusal.lines for refusal in self.refusals)
        out.append(f"  would be refused   {refused:>6,}")
        for refusal in self.refusals:
            lines = ", ".join(str(line) for line in refusal.first_lines)
            more = ", …" if refusal.lines > len(refusal.first_lines) else ""
            out.append(f"    {refusal.lines:>6,}  {refusal.reason}: {refusal.meaning} (line {lines}{more})")
        return out


class _StandIns:
    """Numbers in the order of appearance, forgotten afterwards."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def identify(self, kind: str, values: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        found = [self._numbers.setdefault(value, len(self._numbers) + 1) for value in values]
        return np.array(found, dtype=np.int32), np.array(found, dtype=np.int32)

    def basket_keys(self, identities: Sequence[bytes]) -> np.ndarray:
        joined = b"".join(blake2b(identity, digest_size=8).digest() for identity in identities)
        return np.frombuffer(joined, dtype=np.int64)

    def seal(self, row: bytes) -> bytes:
        return b""

    def mark(self, row: bytes) -> bytes:
        return b""


def explain(
    path: Path,
    mapping: Mapping | None = None,
    *,
    catalogue: Catalogue | None = None,
    now: datetime,
    sources: Sequence[Mapping] = (),
) -> Explanation:
    """Reads the first 1,000 lines, writes nothing. Without a mapping it proposes one.

    `catalogue`: the products that are loaded; without one (or an empty one) every product counts as known, and a
    note says so. `sources`: the mappings that came in before; a feed that looks like one gets its name.
    `MappingError` when the file cannot be read or a needed column is not recognized.
    """
    guess = proposal(path) if mapping is None else Proposal(mapping, ())
    used = guess.mapping
    if used.contents == "customers":
        return _explain_people(path, guess, mapping is not None)
    known = readers.known_products(catalogue or _knows_nothing())
    chunk = readers.first_chunk(path, used, known, SAMPLE_LINES)
    notes = list(guess.notes)
    other = look_alike(used, sources)
    if other is not None and mapping is None:
        used = replace(used, source=other)
        notes.append(f"It looks like the feed `{other}`, which came in before, so it gets that name. Other tills? Rename it.")
    elif other is not None:
        notes.append(
            f"The source `{used.source}` is new and looks like `{other}`, which came in before: under both names a receipt counts "
            f"twice. If they are the same tills, write `source: {other}`."
        )
    for name in ("card_pattern", "receipt_pattern"):
        pattern = getattr(used, name)
        if pattern is not None and not narrow(pattern):
            notes.append(
                f"`{name}` would let payment-card numbers through, so it excuses nothing: numbers that look like one are refused. "
                "Write the digits that yours begin with."
            )
    if catalogue is None or not catalogue.products.num_rows:
        notes.append("No products are loaded yet, so whether products are known was not checked.")
        catalogue = _knows_all(chunk)
    in_memory = replace(catalogue, folder=None)
    run = Run(path, used, _StandIns(), in_memory, now, MIN_BUCKETS, lambda step, done, total: None)
    staged = run.staged(run.checked(chunk))
    result = compare(staged, staged.slice(0, 0))
    run.refuse(result.contradicting, "same-receipt-other-lines")
    run.tally.accept(result.new)
    tally = run.tally
    return Explanation(
        file=path.name,
        path=str(path),
        mapping=used,
        mapping_given=mapping is not None,
        notes=tuple(notes),
        unused=guess.unused,
        lines_read=tally.read,
        lines_accepted=tally.accepted,
        receipts=result.receipts,
        duplicate_lines=result.duplicate_lines,
        duplicate_receipts=result.duplicate_receipts,
        customers=len(tally.customers),
        period=(str(tally.first_day), str(tally.last_day)) if tally.first_day else None,
        refusals=_refusals([(line.reason, line.line_number) for line in tally.kept]),
    )


def _explain_people(path: Path, guess: Proposal, given: bool) -> Explanation:
    people = master.first_people(path, guess.mapping, SAMPLE_LINES)
    return Explanation(
        file=path.name,
        path=str(path),
        mapping=guess.mapping,
        mapping_given=given,
        notes=guess.notes,
        unused=guess.unused,
        lines_read=people.read,
        lines_accepted=len(people.people),
        receipts=0,
        duplicate_lines=0,
        duplicate_receipts=0,
        customers=len({person.card for person in people.people}),
        period=None,
        refusals=_refusals(people.refused),
    )


def _refusals(found: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
    lines: dict[str, list[int]] = {}
    for reason, line in found:
        lines.setdefault(reason, []).append(line)
    return tuple(
        Refusal(reason, REASONS[reason], len(where), tuple(sorted(where)[:LINES_SHOWN]))
        for reason, where in sorted(lines.items(), key=lambda item: -len(item[1]))
    )


def _knows_nothing() -> Catalogue:
    return Catalogue(None, PRODUCTS.empty_table(), STORES.empty_table())


def _knows_all(chunk: Chunk) -> Catalogue:
    codes = sorted(set(chunk.lines.column("sku").to_pylist()))
    rows = [{"product": key, "sku": code, "category": "any"} for key, code in enumerate(codes, start=1)]
    return Catalogue(None, pa.Table.from_pylist(rows, schema=PRODUCTS), STORES.empty_table())
