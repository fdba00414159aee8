"""Till feeds as they really are: signs, encodings, broken lines, broken files."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.ingest.ingest_house import HEADER, TILLS

from volens.errors import MappingError
from volens.ingest import files, loyalty
from volens.ingest.mapping import Mapping
from volens.ingest.raw import Chunk

GOOD = "c1,1,1,r1,1,2025-05-01T10:00:00,1,1,2.50"
FRENCH = replace(TILLS, delimiter=";", decimal=",", time_format="%d/%m/%Y %H:%M", columns={**TILLS.columns, "card": "Numéro"})


def read(path: Path, mapping: Mapping = TILLS) -> list[Chunk]:
    return list(loyalty.read(path, mapping))


def refused(path: Path, mapping: Mapping = TILLS) -> list[tuple[int, str]]:
    found = [
        (int(line), str(reason))
        for chunk in read(path, mapping)
        for line, reason in zip(chunk.refused.line_number, chunk.refused.reason, strict=True)
    ]
    return sorted(found)


def feed(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "feed.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_french_files_in_their_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "feed.csv"
    header = HEADER.replace("card", '"Numéro"').replace(",", ";")
    path.write_bytes((header + '\r\n"c;é";1;1;r1;1;31/05/2025 10:00;1;0,525;"1 234,50"\r\n').encode(encoding))
    mapping = replace(FRENCH, encoding="utf-8" if encoding == "utf-8-sig" else encoding)
    (chunk,) = read(path, mapping)
    assert chunk.lines.select(["customer", "quantity", "amount"]).to_pylist() == [
        {"customer": "c;é", "quantity": 525, "amount": 123450}
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",1,1,r1,1,2025-05-01,1,1,2.50", "missing-customer"),
        ("c1,1,1,,1,2025-05-01,1,1,2.50", "missing-receipt"),
        ("c1,,1,r1,1,2025-05-01,1,1,2.50", "missing-store"),
        ("c1,1,1,r1,1,2025-05-01,,1,2.50", "missing-product"),
        ("c1,1,1,r1,1,2025-02-30,1,1,2.50", "unreadable-time"),
        ("c1,1,1,r1,1,2025-05-01,1,one,2.50", "unreadable-quantity"),
        ("c1,1,1,r1,1,2025-05-01,1,1,2.505", "unreadable-amount"),
        ("c1,1,1,r1,x,2025-05-01,1,1,2.50", "unreadable-position"),
        ("c1,1,1", "wrong-columns"),
        ("c1,1,1,r1,1,2025-05-01,1,1,2.50,more", "wrong-columns"),
    ],
)
def test_a_bad_line_is_refused_alone_and_with_its_number(tmp_path: Path, line: str, reason: str) -> None:
    path = feed(tmp_path, GOOD, line, "", GOOD.replace("r1", "r2"))
    (chunk,) = read(path)
    assert refused(path) == [(3, reason)]
    assert chunk.lines.column("line_number").to_pylist() == [2, 5]
    assert "2.50" in chunk.words(chunk.refused.row.tolist())[0] or reason in ("wrong-columns", "unreadable-amount")


def test_line_numbers_hold_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 200)
    lines = ["broken" if place % 5 == 0 else GOOD.replace("c1", f"c{place}") for place in range(2, 60)]
    chunks = read(feed(tmp_path, *lines))
    assert len(chunks) > 5
    numbers = {
        customer: line
        for chunk in chunks
        for customer, line in zip(
            chunk.lines.column("customer").to_pylist(), chunk.lines.column("line_number").to_pylist(), strict=True
        )
    }
    assert numbers == {f"c{place}": place for place in range(2, 60) if place % 5}
    broken = sorted(int(line) for chunk in chunks for line in chunk.refused.line_number)
    assert broken == [place for place in range(2, 60) if place % 5 == 0]


def test_only_broken_lines(tmp_path: Path) -> None:
    assert refused(feed(tmp_path, "a", "b")) == [(2, "wrong-columns"), (3, "wrong-columns")]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_header_alone_is_a_day_without_sales(tmp_path: Path, end: str) -> None:
    path = tmp_path / "feed.csv"
    path.write_text(HEADER + end, encoding="utf-8")
    assert sum(chunk.read for chunk in read(path)) == 0


def test_prices_discounts_units_and_currencies(tmp_path: Path) -> None:
    header = HEADER + ",unit,discount,currency"
    columns = {**TILLS.columns, "unit": "unit", "discount": "discount", "currency": "currency"}
    path = feed(
        tmp_path,
        "c1,1,1,r1,1,2025-05-01,1,3,1.10,PCE,-0.30,eur",
        "c1,1,1,r1,2,2025-05-01,1,0.335,9.99,kg,,",
        "c1,1,1,r1,3,2025-05-01,1,-1,1.10,,0.10,",
        "c1,1,1,r1,4,2025-05-01,1,1,1,barrel,,",
        "c1,1,1,r1,5,2025-05-01,1,1,1,,,FRF",
        "c1,1,1,r1,6,2025-05-01,1,1,150,,,JPY",
        "c1,1,1,r1,7,2025-05-01,1,1,1.125,,,KWD",
        "c1,1,1,r1,8,2025-05-01,1,1,150.5,,,JPY",
        "c1,1,1,r1,9,2025-05-01,1,1,150.50,,,HUF",
        header=header,
    )
    mapping = replace(TILLS, columns=columns, amounts_per="unit", discount_is="to-take-off", units={"pce": "piece"})
    (chunk,) = read(path, mapping)
    assert chunk.lines.select(["amount", "discount", "unit", "currency"]).to_pylist() == [
        {"amount": 300, "discount": 30, "unit": "piece", "currency": "EUR"},
        {"amount": 335, "discount": 0, "unit": "kg", "currency": "EUR"},
        {"amount": -100, "discount": 10, "unit": "piece", "currency": "EUR"},
        {"amount": 150, "discount": 0, "unit": "piece", "currency": "JPY"},
        {"amount": 1125, "discount": 0, "unit": "piece", "currency": "KWD"},
        {"amount": 15050, "discount": 0, "unit": "piece", "currency": "HUF"},
    ]
    assert refused(path, mapping) == [(5, "unknown-unit"), (6, "unknown-currency"), (9, "unreadable-amount")]


def test_day_and_clock_in_two_columns(tmp_path: Path) -> None:
    columns = {name: name for name in ["card", "store", "receipt", "date", "clock", "sku", "quantity", "amount"]}
    mapping = replace(TILLS, columns=columns, time_format="%Y%m%d %H%M")
    path = feed(tmp_path, "c1,1,r1,20250501,905,1,1,1", header=",".join(columns))
    assert str(read(path, mapping)[0].lines.column("local")[0]) == "2025-05-01 09:05:00"


def test_card_numbers_may_have_a_pattern(tmp_path: Path) -> None:
    path = feed(tmp_path, GOOD, GOOD.replace("c1", "c12"))
    assert refused(path, replace(TILLS, card_pattern="c[0-9]")) == [(3, "malformed-customer")]


def test_emails_as_customers(tmp_path: Path) -> None:
    columns = {"email" if name == "card" else name: column for name, column in TILLS.columns.items()}
    path = feed(tmp_path, GOOD.replace("c1", " A@Example.COM "), GOOD.replace("c1", "nobody"))
    mapping = replace(TILLS, columns=columns)
    assert read(path, mapping)[0].lines.column("customer").to_pylist() == ["a@example.com"]
    assert refused(path, mapping) == [(3, "malformed-customer")]


def test_parquet_with_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "card": pa.array([12.0, None]),
            "store": pa.array(["a", "a"]).dictionary_encode(),
            "till": [1, 1],
            "receipt": [99, 99],
            "line": [1, 2],
            "time": pa.array([1_746_093_600_000_000_000] * 2, pa.timestamp("ns")),
            "sku": [1, 2],
            "quantity": pa.array([1, 2], pa.int8()),
            "amount": [2.5, 1.0],
        }
    )
    pq.write_table(table, tmp_path / "feed.parquet")
    mapping = replace(TILLS, format="parquet")
    (chunk,) = read(tmp_path / "feed.parquet", mapping)
    found = chunk.lines.select(["line_number", "customer", "receipt", "position", "amount"]).to_pylist()
    assert found == [{"line_number": 1, "customer": "12", "receipt": "99", "position": 1, "amount": 250}]
    assert str(chunk.lines.column("local")[0]) == "2025-05-01 10:00:00"
    assert refused(tmp_path / "feed.parquet", mapping) == [(2, "missing-customer")]


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name, card in (("b.csv", "c2"), ("a.csv.gz", "c1"), ("note.md", "c9")):
        content = f"{HEADER}\n{GOOD.replace('c1', card)}\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    chunks = read(tmp_path)
    assert [chunk.lines.column("customer").to_pylist() for chunk in chunks] == [["c1"], ["c2"]]
    assert [chunk.lines.column("file_number").to_pylist() for chunk in chunks] == [[0], [1]]


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def broken_files(folder: Path) -> dict[str, tuple[Path, Mapping]]:
    lines = "\n".join([HEADER, *[GOOD.replace("c1", f"c{place}") for place in range(1000)]])
    pq.write_table(pa.table({"a": list(range(1000))}), folder / "whole.parquet")
    whole = (folder / "whole.parquet").read_bytes()
    contents = {
        "empty": b"",
        "missing column": lines.replace("sku", "ean").encode(),
        "wrong delimiter": lines.replace(",", ";").encode(),
        "cut gzip": cut(gzip.compress(lines.encode()), 0.9),
        "not utf-8": lines.replace("c7", "ç7").encode("latin-1"),
        "excel": b"PK\x03\x04" + bytes(50),
        "same column twice": lines.replace("till", "store").encode(),
        "cut parquet": cut(whole, 0.9),
        "no parquet": lines.encode(),
        "other parquet": whole,
    }
    out = {}
    for name, content in contents.items():
        path = folder / f"{name}.csv"
        path.write_bytes(content)
        out[name] = (path, replace(TILLS, format="parquet") if "parquet" in name else TILLS)
    return out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("empty", "empty"),
        ("missing column", "'sku'"),
        ("wrong delimiter", "delimiter ','"),
        ("cut gzip", "cut off"),
        ("not utf-8", "encoding"),
        ("excel", "Excel"),
        ("same column twice", "twice"),
        ("cut parquet", "whole Parquet"),
        ("no parquet", "whole Parquet"),
        ("other parquet", "no column"),
    ],
)
def test_broken_files_say_what_to_do(tmp_path: Path, name: str, says: str) -> None:
    path, mapping = broken_files(tmp_path)[name]
    with pytest.raises(MappingError) as caught:
        read(path, mapping)
    assert says in caught.value.what
    assert caught.value.remedy


def test_a_file_without_header_does_not_show_its_first_customer(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("2990001234567,a@example.com,1\n", encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        read(path)
    assert "299" not in str(caught.value)
    assert "example" not in str(caught.value)


def test_no_file_and_no_matching_file(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="no file"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(MappingError, match="no csv file"):
        read(tmp_path)
