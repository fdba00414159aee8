"""The first lines of a feed as text, by column, for whoever guesses what they mean. Reads only."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from volens.errors import MappingError
from volens.ingest.files import SUFFIXES, broken_file, open_bytes
from volens.ingest.json_lines import leaves_of
from volens.ingest.json_values import read_values

SAMPLE_LINES = 1_000
SAMPLE_BYTES = 1 << 19


@dataclass(frozen=True)
class Sample:
    """The header and the first lines as text, with what the file's form told."""

    header: list[str]
    columns: dict[str, list[str]]
    settings: dict[str, str]
    notes: list[str]
    keys: frozenset[str] = frozenset()
    """Of JSON objects: the keys on top."""


def first_file(path: Path) -> Path:
    """The file, or the first of a folder."""
    if path.is_dir():
        endings = tuple(ending for found in SUFFIXES.values() for ending in found)
        files = sorted(file for file in path.iterdir() if file.name.lower().endswith(endings))
        if not files:
            raise MappingError(f"The folder {path.name} has no CSV, Parquet or JSON file.", "Check the path.")
        return files[0]
    if not path.is_file():
        raise MappingError(f"There is no file {path}.", "Check the path.")
    return path


def start_of(file: Path) -> bytes:
    """The first bytes, unpacked."""
    raw, source = open_bytes(file)
    with raw:
        try:
            start = bytes(source.read(SAMPLE_BYTES))
        except (pa.ArrowInvalid, OSError) as error:
            raise broken_file(file, error) from error
    if not start.strip():
        raise MappingError(f"{file.name} is empty.", "Ask the sender for it again.")
    return start


def parquet_sample(file: Path) -> Sample:
    """Of a Parquet file."""
    try:
        with pq.ParquetFile(file) as source:
            header = list(source.schema_arrow.names)
            rows = next(source.iter_batches(batch_size=SAMPLE_LINES), None)
    except (pa.ArrowInvalid, OSError) as error:
        raise broken_file(file, error) from error
    columns = {
        name: ["" if value is None else str(value) for value in (rows.column(name).to_pylist() if rows else [])]
        for name in header
    }
    return Sample(header, columns, {"format": "parquet"}, [])


def csv_sample(file: Path, start: bytes) -> Sample:
    """Of a text file with a header."""
    text, encoding = _decoded(start, file)
    notes = [] if encoding == "utf-8" else [f"The file is not UTF-8; it is read as {encoding}."]
    if len(start) == SAMPLE_BYTES:
        text = text[: text.rfind("\n") + 1]  # the last line of the sample is cut
    first = text.splitlines()[0]
    delimiter = max((";", ",", "\t", "|"), key=lambda sign: (first.count(sign), sign == ";"))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [name.strip() for name in next(rows)]
    lines = [row for _, row in zip(range(SAMPLE_LINES), rows, strict=False) if len(row) == len(header)]
    if len(header) < 2:
        raise MappingError(
            f"{file.name} has one column only, whether it is read with ; , tab or |.",
            "Is it a table at all? Export it as CSV with a header.",
        )
    columns = {name: [row[place].strip() for row in lines] for place, name in enumerate(header)}
    return Sample(header, columns, {"format": "csv", "delimiter": delimiter, "encoding": encoding}, notes)


def _decoded(start: bytes, file: Path) -> tuple[str, str]:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return start.decode("utf-16", errors="replace"), "utf-16"
    if b"\x00" in start:
        raise MappingError(f"{file.name} is not text.", "Export it as CSV, Parquet or JSON.")
    for cut in range(4 if len(start) == SAMPLE_BYTES else 1):  # the sample may end inside a letter
        try:
            return start[: len(start) - cut].decode("utf-8-sig"), "utf-8"
        except UnicodeDecodeError:
            continue
    return start.decode("cp1252", errors="replace"), "cp1252"


def json_sample(file: Path) -> Sample:
    """The ways to all values of the first objects (`json_lines`); ways through lists are not columns."""
    objects = [value.content for value in islice(read_values(file, lines=True), SAMPLE_LINES) if isinstance(value.content, dict)]
    rows = [dict(leaves_of(found)) for found in objects]
    header = list(dict.fromkeys(way for row in rows for way in row))
    columns = {way: [row.get(way) or "" for row in rows] for way in header}
    return Sample(header, columns, {"format": "jsonl"}, [], frozenset(key for found in objects for key in found))
