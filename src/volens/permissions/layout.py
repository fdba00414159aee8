"""Files of choices that were made elsewhere: CSV, Parquet or JSON Lines, read piece by piece.

    card | email   the account: its card number, or its e-mail address
    purpose        a purpose of the programme
    recipient      a legal entity, or * for all that the text names (where it is empty: *)
    kind           given, renewed, notified, joined, refused, withdrawn, revoked, objected, requested, deferred
    text           the version that was shown: purpose/2, or 2
    language       in which it was read
    time           ISO 8601 with its zone: 2024-05-14T10:31:00+02:00
    surface        where it was said: till form, app, paper …
    actor          who said it (where it is empty: the person)
    proof          where the proof lies: the number of a form, of a record (may be empty)

Rules:
1. A file of any size is read in the memory of one piece.
2. Only these columns are kept; what else stands in the file is looked at for payment numbers, and never stored.
3. A mapping gives other names to columns, other words to kinds, and constants for what the whole file has in common.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from volens.errors import BadInput, MappingError
from volens.permissions.state import KINDS

COLUMNS = ("card", "email", "purpose", "recipient", "kind", "text", "language", "time", "surface", "actor", "proof")
NEEDED = ("purpose", "kind", "time", "surface")
LINES_AT_ONCE = 2_000
FIELD_CHARACTERS_MAX = 100_000


@dataclass(frozen=True)
class Mapped:
    """How one file says it. Everything may be left out."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column → the file's."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Our column → what it is in every line where the file does not say."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """The file's word → ours."""
    zone: str | None = None
    """Of times without one. Without it such lines are refused."""
    delimiter: str = ","

    def __post_init__(self) -> None:
        for name in [*self.columns, *self.constants]:
            if name not in COLUMNS:
                raise MappingError(f"There is no column {name!r}.", f"Use one of: {', '.join(COLUMNS)}.")
        for word in self.kinds.values():
            if word not in KINDS:
                raise MappingError(f"There is no choice of kind {word!r}.", f"Use one of: {', '.join(sorted(KINDS))}.")
        if len(self.delimiter) != 1:
            raise MappingError("A delimiter is one character.", 'Write for example: delimiter: ";"')
        if self.zone is not None:
            try:
                ZoneInfo(self.zone)
            except (ZoneInfoNotFoundError, ValueError) as error:
                raise MappingError(f"There is no time zone {self.zone!r}.", "Write for example: zone: Europe/Paris") from error


@dataclass(frozen=True)
class Line:
    """One line by our column names; `said` is none if it could not be read."""

    number: int
    said: dict[str, Any] | None
    beside: str = field(default="", repr=False)
    """What else stands in the line, or all of a line that could not be read: to be looked at, never to be kept."""


def load(path: Path) -> Mapped:
    """Reads a mapping: a YAML file with `columns`, `constants`, `kinds`, `zone` and `delimiter`."""
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MappingError(f"{path.name} cannot be read as YAML.", "See docs/choices.md.") from error
    known = set(Mapped.__dataclass_fields__)
    if not isinstance(written, dict) or set(written) - known:
        raise MappingError(f"{path.name} does not say what a mapping says.", f"It may say: {', '.join(sorted(known))}.")
    for name in ("columns", "constants", "kinds"):
        inner = written.get(name, {})
        if not isinstance(inner, dict):
            raise MappingError(f"{path.name}: {name} is a list of names and words.", "See docs/choices.md.")
        written[name] = {str(key): str(value) for key, value in inner.items()}
    return Mapped(**written)


def read(path: Path, mapped: Mapped) -> Iterator[tuple[list[Line], float]]:
    """The file's lines, a piece at a time, each with the share of the file that was read by then."""
    ending = path.suffix.lower()
    if ending == ".csv":
        pieces = _csv(path, mapped)
    elif ending in (".jsonl", ".ndjson"):
        pieces = _json_lines(path, mapped)
    elif ending == ".parquet":
        pieces = _parquet(path, mapped)
    else:
        raise BadInput(f"{path.name} is neither CSV, Parquet nor JSON Lines.", "Name it .csv, .parquet or .jsonl.")
    return pieces


def _places(there: Sequence[str], mapped: Mapped, name: str) -> dict[str, str]:
    """Our column → the file's, for those that the file has."""
    found = {ours: mapped.columns.get(ours, ours) for ours in COLUMNS}
    found = {ours: theirs for ours, theirs in found.items() if theirs in there}
    missing = [ours for ours in NEEDED if ours not in found and ours not in mapped.constants]
    if "card" not in found and "email" not in found:
        missing.insert(0, "card or email")
    if missing:
        raise BadInput(
            f"{name} has no column for: {', '.join(missing)}.",
            "Name it so, or write a mapping with `columns` or `constants`: docs/choices.md.",
        )
    return found


def _csv(path: Path, mapped: Mapped) -> Iterator[tuple[list[Line], float]]:
    size = max(path.stat().st_size, 1)
    csv.field_size_limit(FIELD_CHARACTERS_MAX)
    with path.open("rb") as raw:
        text = (line.decode("utf-8-sig" if number == 0 else "utf-8", "replace") for number, line in enumerate(raw))
        reader = csv.reader(text, delimiter=mapped.delimiter)
        header = next(reader, [])
        places = _places(header, mapped, path.name)
        wanted = [(ours, header.index(theirs)) for ours, theirs in places.items()]
        read_at = {at for _, at in wanted}
        piece: list[Line] = []
        while True:
            try:
                row = next(reader, None)
            except csv.Error:
                piece.append(Line(reader.line_num, None))
                continue
            if row is None:
                break
            if not row:
                continue
            if len(row) == len(header):
                beside = "\n".join(word for at, word in enumerate(row) if at not in read_at)
                piece.append(Line(reader.line_num, {ours: row[at] for ours, at in wanted}, beside))
            else:
                piece.append(Line(reader.line_num, None, "\n".join(row)))
            if len(piece) >= LINES_AT_ONCE:
                yield piece, raw.tell() / size
                piece = []
        if piece:
            yield piece, 1.0


def _json_lines(path: Path, mapped: Mapped) -> Iterator[tuple[list[Line], float]]:
    size, piece = max(path.stat().st_size, 1), list[Line]()
    names = [(ours, mapped.columns.get(ours, ours)) for ours in COLUMNS]
    read_keys = {theirs for _, theirs in names}
    with path.open("rb") as raw:
        for number, line in enumerate(raw, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
                # Neither NaN nor half a surrogate pair can be kept.
                json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, dict):
                said = {ours: value[theirs] for ours, theirs in names if theirs in value}
                beside = {key: inner for key, inner in value.items() if key not in read_keys}
                piece.append(Line(number, said, json.dumps(beside, ensure_ascii=False) if beside else ""))
            else:
                piece.append(Line(number, None, line.decode(errors="replace")))
            if len(piece) >= LINES_AT_ONCE:
                yield piece, raw.tell() / size
                piece = []
    if piece:
        yield piece, 1.0


def _parquet(path: Path, mapped: Mapped) -> Iterator[tuple[list[Line], float]]:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{path.name} is not a Parquet file.", "Write it again.") from error
    with file:
        places = _places(file.schema_arrow.names, mapped, path.name)
        total, number = max(file.metadata.num_rows, 1), 0
        others = [name for name in file.schema_arrow.names if name not in places.values()]
        for batch in file.iter_batches(batch_size=LINES_AT_ONCE):
            columns = [batch.column(theirs).to_pylist() for theirs in places.values()]
            besides = batch.select(others).to_pylist()
            piece = []
            for values, beside in zip(zip(*columns, strict=True), besides, strict=True):
                number += 1
                words = "\n".join(str(word) for word in beside.values() if word is not None)
                piece.append(Line(number, dict(zip(places, values, strict=True)), words))
            yield piece, number / total


def instant(value: Any, zone: str | None) -> datetime | None:
    """A time with its zone; none if it cannot be read or has none. A time that exists twice counts as the later."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    if value.tzinfo is None:
        if zone is None:
            return None
        return value.replace(tzinfo=ZoneInfo(zone), fold=1)
    return value
