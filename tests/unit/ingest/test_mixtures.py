"""Any mixture of good and bad lines: good ones come in, bad ones are named by their line, and everything adds up.

Rules of the game: every line is drawn with what must become of it; the feed is written as CSV, as JSON lines or as Parquet; what is
refused must be refused at its own line for its own reason, and mending all of it afterwards must give the table of a feed without
mistakes, however often files and retries are repeated.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.ingest.ingest_house import TILLS, House, make_house
from tests.unit.ingest.test_quarantine import amounts, desk, load_product, sound

COLUMNS = list(TILLS.columns)
PAN = "4242 4242 4242 4242"
# What is wrong, in which column, and what the line is refused for.
WRONGS = {
    "unreadable-quantity": ("quantity", "one"),
    "unreadable-amount": ("amount", "2.505"),
    "unreadable-time": ("time", "2025-02-31T10:00:00"),
    "future-time": ("time", "2025-07-01T10:00:00"),
    "impossible-time": ("time", "1971-01-01T10:00:00"),
    "unknown-product": ("sku", "77"),
    "missing-customer": ("card", ""),
    "missing-receipt": ("receipt", ""),
    "missing-product": ("sku", ""),
    "signs-disagree": ("quantity", "-1"),
    "out-of-range": ("amount", "100000000000"),
    "unreadable-position": ("line", "x"),
    "payment-number": ("till", PAN),
}


@dataclass(frozen=True)
class Line:
    """A line as it should be, and what is wrong with it."""

    values: dict[str, str]
    wrong: str | None

    @property
    def written(self) -> dict[str, str]:
        if self.wrong is None:
            return self.values
        column, value = WRONGS[self.wrong]
        return {**self.values, column: value}


@st.composite
def feeds(draw: st.DrawFn) -> list[Line]:
    """Up to six receipts of three customers, with up to three lines each, any of them wrong."""
    lines = []
    for receipt in range(draw(st.integers(1, 6))):
        card = draw(st.integers(1, 3))
        for place in range(draw(st.integers(1, 3))):
            values = {
                "card": f"c{card}", "store": "1", "till": "2", "receipt": f"r{receipt}", "line": str(place + 1),
                "time": "2025-05-01T10:00:00", "sku": str(draw(st.integers(1, 3))), "quantity": "1",
                "amount": f"{receipt + 1}.{place}0",
            }  # fmt: skip
            lines.append(Line(values, draw(st.sampled_from([None, None, *WRONGS]))))
    return lines


def write(house: House, lines: list[Line], kind: str) -> Path:
    if kind == "csv":
        return house.csv("feed.csv", *(",".join(line.written[name] for name in COLUMNS) for line in lines))
    path = house.folder / f"feed.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(line.written) + "\n" for line in lines), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist([line.written for line in lines]), path)
    return path


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(feeds(), st.sampled_from(["csv", "jsonl", "parquet"]), st.booleans())
def test_good_lines_come_in_bad_ones_are_named_and_mending_makes_it_whole(lines: list[Line], kind: str, twice: bool) -> None:
    folder = Path(tempfile.mkdtemp())
    house = make_house(folder / "house")
    try:
        house.identities.identify("card", ["c1", "c2", "c3"])
        mapping = replace(TILLS, format=kind)
        path = write(house, lines, kind)
        summary = house.take_in(path, mapping)
        first = 1 if kind != "csv" else 2
        bad = {first + place: line.wrong for place, line in enumerate(lines) if line.wrong}
        assert summary.lines_read == len(lines)
        assert summary.lines_accepted == len(lines) - len(bad)
        assert summary.refused == Counter(bad.values())
        kept = house.batches.quarantined(summary.batch)
        assert {line.line_number: line.reason for line in kept} == bad
        assert all((line.sealed is None) == (line.reason == "payment-number") for line in kept)
        assert PAN.encode() not in b"".join((line.sealed or b"")[::-1] for line in kept)
        mend_everything(house, lines, first, path if twice else None, kind)
        again = house.take_in(path, mapping)
        assert again.lines_read == again.duplicate_lines + again.lines_refused == len(lines)
        assert set(again.refused) <= {"payment-number"}
        whole = [line for line in lines if line.wrong != "payment-number"]
        assert amounts(house) == sorted(round(float(line.values["amount"]) * 100) for line in whole)
        assert sound(house)
    finally:
        house.close()
        shutil.rmtree(folder)


def mend_everything(house: House, lines: list[Line], first: int, sent_again: Path | None, kind: str) -> None:
    """All refused lines as they should be; with the whole file sent once more in between, if asked."""
    if not any(line.wrong not in (None, "payment-number") for line in lines):
        return
    if sent_again is not None:
        house.take_in(sent_again, replace(TILLS, format=kind))
    load_product(house, 99)  # products may come at any time
    file = house.folder / "mended.jsonl"
    desk(house).export(file, "Ana", "a test")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["row"] = lines[row["line"] - first].values
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = desk(house).retry(file)
    wanted = sum(line.wrong not in (None, "payment-number") for line in lines)
    assert (found.taken_in, found.refused) == (wanted, {})
    assert found.known == len(rows) - wanted
    assert desk(house).retry(file).taken_in == 0
