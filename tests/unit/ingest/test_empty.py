"""A day without sales is no mistake in a folder of days; a single file that says nothing is answered clearly."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.ingest.ingest_house import HEADER, TILLS, House

from volens.errors import MappingError
from volens.ingest import files

LINE = "c1,1,1,r1,1,2025-05-01T10:00:00,1,1,2.50"


def test_a_folder_may_have_days_without_sales(house: House) -> None:
    folder = house.folder / "days"
    folder.mkdir()
    for name, content in (("1.csv", b""), ("2.csv", (HEADER + "\n").encode()), ("3.csv", f"{HEADER}\n{LINE}\n".encode())):
        (folder / name).write_bytes(content)
    (folder / "4.csv.gz").write_bytes(gzip.compress(b""))
    (folder / "5.csv.gz").write_bytes(gzip.compress(HEADER.encode()))
    summary = house.take_in(folder, TILLS)
    assert (summary.lines_read, summary.lines_accepted) == (1, 1)


def test_a_folder_of_nothing_but_empty_files_is_a_quiet_time(house: House) -> None:
    folder = house.folder / "days"
    folder.mkdir()
    (folder / "1.csv").write_bytes(b"")
    assert "nothing to read" in house.take_in(folder, TILLS).to_text()


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "jsonl", "parquet"])
def test_a_file_without_lines_says_so(house: House, kind: str) -> None:
    path = house.folder / f"a.{kind}"
    mapping = replace(TILLS, format=kind.removesuffix(".gz"))
    if kind == "parquet":
        pq.write_table(pa.table({name: pa.array([], pa.string()) for name in HEADER.split(",")}), path)
    else:
        path.write_bytes({"csv": HEADER.encode(), "csv.gz": gzip.compress(HEADER.encode()), "jsonl": b"\n"}[kind])
    assert "nothing to read" in house.take_in(path, mapping).to_text()


def test_a_single_file_without_a_byte_is_asked_about(house: House) -> None:
    path = house.folder / "a.csv"
    path.write_bytes(b"")
    with pytest.raises(MappingError, match="empty"):
        house.take_in(path, TILLS)


def test_columns_that_repeat_come_as_dictionaries_and_others_do_not(tmp_path: Path) -> None:
    """One giant row group of different values must not be held as one dictionary (`files._repeating`)."""
    lines = 50_000
    table = pa.table({"same": ["article"] * lines, "other": [f"article number {place}" for place in range(lines)]})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, row_group_size=lines)
    (piece,) = files.read_parquet(path, ["same"], others=True)
    assert pa.types.is_dictionary(piece.table.column("same").type)
    assert piece.others is not None
    assert pa.types.is_string(piece.others.column("other").type)
    assert piece.others.column("other")[lines - 1].as_py() == f"article number {lines - 1}"
