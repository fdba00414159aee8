"""Feeds as files: opened, decompressed, read piece by piece, with an error for each way they can be broken.

1. Memory is bounded by one piece (`BLOCK_BYTES` of text, `PARQUET_LINES` lines), however long the file is.
2. A file that ends too early (cut gzip, cut Parquet) is an error: nothing of it is taken in.
3. A line with too many or too few columns is refused alone; its number is known, and the lines after it keep theirs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from volens.errors import MappingError

BLOCK_BYTES = 1 << 24
PARQUET_LINES = 200_000
# A column of a row group is read through a buffer, so that one giant row group is not held as a whole.
PARQUET_BUFFER = 1 << 20
SUFFIXES = {
    "csv": (".csv", ".txt", ".tsv", ".csv.gz", ".txt.gz", ".tsv.gz"),
    "parquet": (".parquet",),
    "jsonl": (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz"),
    "shopify-orders": (".csv", ".csv.gz", ".json", ".jsonl", ".json.gz", ".jsonl.gz"),
    "schema-org-order": (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"),
}
EXPLAIN = "Run `volens ingest --explain` on the file to see what it holds."


@dataclass(frozen=True)
class Piece:
    """Some lines of a file, the columns that are wanted as they stand there."""

    table: pa.Table
    line_numbers: np.ndarray  # int64, the header being 1; the first row of a Parquet file being 1
    bytes_done: int
    broken: list[tuple[int, str]] = field(default_factory=list)  # (line number, text) with a wrong column count
    others: pa.Table | None = None
    """The columns that mean nothing to the mapping: looked at for payment numbers, and kept nowhere."""

    def first(self, lines: int) -> Piece:
        """Its first lines."""
        last = int(self.line_numbers[:lines][-1]) if self.table.num_rows else lines
        return replace(
            self,
            table=self.table.slice(0, lines),
            line_numbers=self.line_numbers[:lines],
            broken=[line for line in self.broken if line[0] <= last],
            others=self.others.slice(0, lines) if self.others is not None else None,
        )


def files_in(path: Path, feed_format: str) -> list[Path]:
    """The file itself, or a folder's files of that format in the order of their names.

    A file without a byte is a day without sales in a folder; alone, it is asked about.
    """
    if path.is_dir():
        found = sorted(item for item in path.iterdir() if item.name.lower().endswith(SUFFIXES[feed_format]))
        if not found:
            endings = ", ".join(SUFFIXES[feed_format])
            raise MappingError(f"There is no {feed_format} file in the folder {path.name}.", f"Looked for: {endings}.")
        return [item for item in found if item.stat().st_size]
    if not path.is_file():
        raise MappingError(f"There is no file {path}.", "Check the path.")
    if path.stat().st_size == 0:
        raise MappingError(f"{path.name} is empty.", "Ask the sender for it again.")
    return [path]


def open_bytes(path: Path) -> tuple[BinaryIO, pa.NativeFile]:
    """(the file itself, to ask how far we are; its content, decompressed where it is gzip)."""
    raw = path.open("rb")
    start = raw.read(4)
    raw.seek(0)
    if start[:2] == b"PK":
        raw.close()
        raise MappingError(f"{path.name} is a zip archive or an Excel workbook.", "Unpack it, or save it as CSV.")
    source = pa.PythonFile(raw, mode="r")
    if start[:2] == b"\x1f\x8b":
        source = pa.CompressedInputStream(source, "gzip")
    return raw, source


def broken_file(path: Path, error: Exception) -> MappingError:
    """The library's complaint about a file as ours; only its first words, which hold no row."""
    text = str(error)
    if "Truncated compressed stream" in text or "zlib" in text:
        return MappingError(f"{path.name} is cut off: its compression does not end.", "Fetch the file again.")
    if "invalid UTF8" in text or isinstance(error, UnicodeDecodeError):
        return MappingError(
            f"{path.name} does not have the encoding that the mapping names.",
            "Write `encoding: cp1252` under `csv:` (or latin-1, utf-16).",
        )
    if "straddling object" in text:
        return MappingError(
            f"{path.name} has a line longer than {BLOCK_BYTES >> 20} MB.", "A quote is probably not closed. " + EXPLAIN
        )
    if "Parquet" in text or "magic bytes" in text or "footer" in text:
        return MappingError(f"{path.name} is not a whole Parquet file.", "Fetch the file again.")
    return MappingError(f"{path.name} cannot be read.", EXPLAIN)


def csv_header(path: Path, delimiter: str, encoding: str) -> list[str]:
    """The names in the first line."""
    raw, source = open_bytes(path)
    with raw:
        try:
            start = source.read(65_536)
        except OSError as error:
            raise broken_file(path, error) from error
    return header_names(start, path, delimiter, encoding)


def header_names(start: bytes, path: Path, delimiter: str, encoding: str) -> list[str]:
    """The names in the first line of these bytes."""
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    text = start.decode(encoding, errors="replace")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [name.strip() for name in next(rows, [])]


def read_csv(
    path: Path, *, delimiter: str, encoding: str, columns: Sequence[str], one_line_each: bool = False, others: bool = False
) -> Iterator[Piece]:
    """The file's pieces with these columns as text; the file may have others, which come apart if asked for.

    `one_line_each`: a value that goes on over a line's end is a lone quotation mark, which would swallow all that follows
    it; then every physical line is accounted for, or the file is refused with `MappingError`.
    """
    physical = _physical_lines(path, encoding) if one_line_each else None
    header = csv_header(path, delimiter, encoding)
    if not header:
        return  # compressed, and nothing in it
    _check_header(header, columns, path, f"Its columns, read with the delimiter {delimiter!r}, are")
    names = _told_apart(header)
    beside = [name for name in names if name not in columns] if others else []
    broken: list[tuple[int, str]] = []
    numbers: list[int] = []  # of all broken lines so far, also of blocks that Arrow has read ahead

    def on_broken(row: Any) -> str:
        numbers.append(row.number)
        broken.append((row.number, row.text))
        return "skip"

    raw, source = open_bytes(path)
    done = 0
    with raw:
        try:
            with pa_csv.open_csv(
                source,
                # With several threads Arrow does not know the numbers of broken lines.
                read_options=pa_csv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, encoding=encoding, column_names=names, skip_rows=1
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=on_broken,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys([*columns, *beside], pa.string()),
                    include_columns=[*columns, *beside],
                    strings_can_be_null=False,
                ),
            ) as reader:
                for batch in reader:
                    lines = _line_numbers(done, batch.num_rows, numbers)
                    done += batch.num_rows
                    table = pa.Table.from_batches([batch])
                    unread = table.select(beside) if beside else None
                    yield Piece(table.select(list(columns)), lines, raw.tell(), _taken(broken), unread)
        except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
            # A header and nothing below it is a day without sales.
            if not any(words in str(error) for words in ("Empty CSV file", "Could not skip initial 1 rows")):
                raise broken_file(path, error) from error
    if physical is not None and done + len(numbers) < physical:
        raise _swallowed(path)
    if broken:
        nothing = pa.schema([pa.field(name, pa.string()) for name in columns]).empty_table()
        yield Piece(nothing, np.zeros(0, dtype=np.int64), path.stat().st_size, _taken(broken))


def _told_apart(header: Sequence[str]) -> list[str]:
    """The names, with their places where one stands twice or is missing."""
    return [name if name and list(header).count(name) == 1 else f"{name}\x00{place}" for place, name in enumerate(header)]


def _physical_lines(path: Path, encoding: str) -> int | None:
    """How many lines the file has below its header, by counting line ends; none where bytes do not tell.

    An odd number of quotation marks is refused at once.
    """
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return None
    ends = quotes = 0
    last = b"\n"
    raw, source = open_bytes(path)
    with raw:
        try:
            while block := source.read(BLOCK_BYTES):
                ends += block.count(b"\n")
                quotes += block.count(b'"')
                last = block[-1:]
        except (pa.ArrowInvalid, OSError, EOFError):
            return None  # what is wrong with the file is said when it is read
    if ends == 0:
        return None
    if quotes % 2:
        raise _swallowed(path)
    return ends + (last != b"\n") - 1


def _swallowed(path: Path) -> MappingError:
    """A lone quotation mark, with the first line that has an odd number of them."""
    raw, source = open_bytes(path)
    where, rest, number = "", b"", 0
    with raw:
        while not where and (block := source.read(BLOCK_BYTES)):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                number += 1
                if line.count(b'"') % 2:
                    where = f" (line {number})"
                    break
    return MappingError(
        f"{path.name} has a quotation mark that is not closed on its line{where}; what follows it would be swallowed.",
        "Mend that line, or have the till write quotation marks inside values twice. Nothing was taken in.",
    )


def _line_numbers(done: int, lines: int, broken: Sequence[int]) -> np.ndarray:
    """Where these good lines stand in the file (the header is 1), broken ones among them counted."""
    plain = np.arange(done + 2, done + 2 + lines)
    # broken[j] − j: the number that a good line after j broken ones has without them.
    return plain + np.searchsorted(np.asarray(broken) - np.arange(len(broken)), plain, side="right")


def _taken(broken: list[tuple[int, str]]) -> list[tuple[int, str]]:
    out = list(broken)
    broken.clear()
    return out


def read_parquet(path: Path, columns: Sequence[str], *, others: bool = False) -> Iterator[Piece]:
    """The file's pieces with these columns, typed as they stand in the file; its others come apart if asked for."""
    try:
        with pq.ParquetFile(path) as source:
            schema, repeating = source.schema_arrow, _repeating(source)
        _check_header(schema.names, columns, path, "Its columns are")
        beside = [name for name in schema.names if name not in columns] if others else []
        with pq.ParquetFile(path, read_dictionary=repeating, buffer_size=PARQUET_BUFFER) as source:
            done, size = 0, path.stat().st_size
            for batch in source.iter_batches(batch_size=PARQUET_LINES, columns=[*columns, *beside]):
                numbers = np.arange(done + 1, done + 1 + batch.num_rows)
                done += batch.num_rows
                table = pa.Table.from_batches([batch])
                bytes_done = size * done // source.metadata.num_rows
                unread = table.select(beside) if beside else None
                yield Piece(table.select(list(columns)), numbers, bytes_done, others=unread)
    except (pa.ArrowInvalid, OSError) as error:
        raise broken_file(path, error) from error


def _repeating(source: pq.ParquetFile) -> list[str]:
    """The text columns whose values stand in dictionaries throughout: each distinct one is then looked at once.

    Others are not read so. A column that the writer gave up to keep in a dictionary would come with all its distinct values at
    once: 1.2 GB for six million of them in one row group. Plain text takes at least the four bytes of its length for each value, so
    fewer bytes say that there is none.
    """
    metadata, schema = source.metadata, source.schema_arrow
    flat = {metadata.schema.column(place).path: place for place in range(metadata.num_columns)}
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return [
        name
        for name, place in flat.items()
        if name in schema.names
        and pa.types.is_string(schema.field(name).type)
        and all(group.column(place).total_uncompressed_size < 4 * group.num_rows for group in groups)
    ]


def _check_header(header: Sequence[str], columns: Sequence[str], path: Path, introduction: str) -> None:
    missing = [name for name in columns if name not in header]
    if missing:
        shown = ", ".join(shown_name(name) for name in header[:30]) if len(header) > 1 else "one only"
        raise MappingError(
            f"{path.name} has no column {' and no column '.join(repr(name) for name in missing)}. {introduction}: {shown}.",
            "Mend `columns` or the delimiter in the mapping. " + EXPLAIN,
        )
    for name in columns:
        if list(header).count(name) > 1:
            raise MappingError(f"{path.name} has the column {name!r} twice.", "Ask the sender to name them apart.")


def shown_name(name: str) -> str:
    """A column's name for a message; where a file has no header, its first line is somebody's purchase."""
    looks_like_data = "@" in name or len(name) > 40 or sum(sign.isdigit() for sign in name) > 3
    return "(not a name)" if looks_like_data else (name or "(no name)")
