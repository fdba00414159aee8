"""However receipts are cut into files, repeated and reordered, the table has the same content."""

from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.ingest.ingest_house import TILLS, UNNUMBERED, House, make_house

Receipt = tuple[str, list[str]]


@st.composite
def receipts(draw: st.DrawFn) -> list[Receipt]:
    """Up to five receipts of up to three customers, with up to four lines of few products."""
    found = []
    for number in range(draw(st.integers(1, 5))):
        card, month = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        skus = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
        lines = [f"c{card},1,1,r{number},{place},2025-0{month}-01T10:00:00,{sku},1,{sku}.50" for place, sku in enumerate(skus)]
        found.append((f"r{number}", lines))
    return found


@st.composite
def feeds(draw: st.DrawFn) -> tuple[list[Receipt], list[list[Receipt]]]:
    """Receipts, and files that hold each of them at least once."""
    known = draw(receipts())
    again = draw(st.lists(st.sampled_from(known), max_size=5))
    shuffled = draw(st.permutations([*known, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=2)))
    borders = [0, *cuts, len(shuffled)]
    return known, [shuffled[start:end] for start, end in pairwise(borders)]


def taken(files: list[list[Receipt]], *, numbered: bool, reverse_lines: bool = False) -> tuple[pa.Table, int, int]:
    """(the table without keys that depend on arrival, lines read, lines refused)."""
    folder = Path(tempfile.mkdtemp())
    house: House = make_house(folder / "house")
    read = refused = 0
    try:
        # Numbers are given in the order of arrival, which is not what is compared.
        house.identities.identify("card", ["c1", "c2", "c3"])
        for place, file in enumerate(files):
            lines = [line for _, found in file for line in (reversed(found) if reverse_lines else found)]
            summary = house.take_in(house.csv(f"{place}.csv", *lines), TILLS if numbered else UNNUMBERED)
            read += summary.lines_read
            refused += summary.lines_refused
        return house.lines(), read, refused
    finally:
        house.close()
        shutil.rmtree(folder)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(feeds(), st.booleans())
def test_splitting_repeating_and_reordering_change_nothing(
    found: tuple[list[Receipt], list[list[Receipt]]], reverse_lines: bool
) -> None:
    known, files = found
    expected, lines, _ = taken([known], numbered=True)
    assert expected.num_rows == lines == sum(len(found) for _, found in known)
    table, read, refused = taken(files, numbered=True, reverse_lines=reverse_lines)
    assert table.equals(expected)
    assert read == sum(len(found) for file in files for _, found in file)
    assert refused == 0


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(receipts(), st.integers(2, 3))
def test_files_repeated_without_line_numbers_change_nothing(known: list[Receipt], times: int) -> None:
    """Without line numbers a copy right behind its original is ambiguous (rule 3), a copy in another file is not."""
    once, _, _ = taken([known], numbered=False)
    again, _, refused = taken([known] * times, numbered=False, reverse_lines=False)
    assert again.equals(once)
    assert refused == 0
