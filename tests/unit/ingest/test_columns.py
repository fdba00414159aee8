"""Values are read exactly or not at all, and a wrong one never touches its neighbours."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volens.ingest.columns import integers, moments, positions, translated, words
from volens.ingest.local_time import by_zone, instants


def as_list(values: np.ndarray, bad: np.ndarray) -> list[int | None]:
    return [None if wrong else int(value) for value, wrong in zip(values, bad, strict=True)]


def test_amounts_with_decimal_commas() -> None:
    texts = ["3,99", "-1", "+2,5", "1 234,50", "1\u202f234,5", "x", "", "1e3", "nan", "3,999", "1.234,5", None, ",5", "٣"]
    expected = [399, -100, 250, 123450, 123450, None, None, None, None, None, None, None, 50, None]
    assert as_list(*integers(pa.array(texts), decimal=",", per_whole=100)) == expected


def test_typed_amounts() -> None:
    floats = pa.array([3.99, None, float("nan"), float("inf"), 1e300, 0.005, 7e-15])
    assert as_list(*integers(floats, decimal=".", per_whole=100)) == [399, None, None, None, None, None, 0]
    exact = pa.array([Decimal("12.34"), None], pa.decimal128(10, 2))
    assert as_list(*integers(exact, decimal=".", per_whole=100)) == [1234, None]
    assert as_list(*integers(pa.array([5, -2]), decimal=".", per_whole=1000)) == [5000, -2000]


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1), st.sampled_from([".", ","]))
def test_every_amount_in_cents_is_read_exactly(cents: list[int], decimal: str) -> None:
    texts = [f"{'-' if value < 0 else ''}{abs(value) // 100}{decimal}{abs(value) % 100:02d}" for value in cents]
    assert as_list(*integers(pa.array(texts), decimal=decimal, per_whole=100)) == cents


def test_codes_lose_blanks_and_trailing_zeros_of_floats() -> None:
    assert words(pa.array([" a ", "", None])).to_pylist() == ["a", None, None]
    assert words(pa.array([12.0, 2.5, None])).to_pylist() == ["12", "2.5", None]
    assert words(pa.array(["x", "y"]).dictionary_encode()).to_pylist() == ["x", "y"]


def test_positions_may_be_missing_but_not_wrong() -> None:
    numbers, bad = positions(pa.array(["1", "", "x", "2.5"]))
    assert numbers.to_pylist() == [1, None, None, None]
    assert bad.tolist() == [False, False, True, True]


def test_words_are_translated() -> None:
    out, bad = translated(pa.array(["KG", "Pce", "", "l"]), {"kg": "kg", "pce": "piece"}, missing="piece")
    assert out.to_pylist() == ["kg", "piece", "piece", None]
    assert bad.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("%d/%m/%Y %H:%M", "28/02/2025 09:05", "2025-02-28 09:05:00"),
        ("%d/%m/%Y %H:%M", "29/02/2025 09:05", None),
        ("%d/%m/%Y %H:%M", "31/04/2025 09:05", None),
        ("%d/%m/%Y %H:%M", "1/5/2025 9:05", "2025-05-01 09:05:00"),
        ("%d/%m/%Y %H:%M", "03/03/2025 09:05", "2025-03-03 09:05:00"),
        ("%d/%m/%Y %H:%M", "2025-03-03 09:05", None),
        ("iso", "2025-03-03T09:05:07", "2025-03-03 09:05:07"),
        ("iso", "2025-02-31", None),
        ("iso", "", None),
    ],
)
def test_times(pattern: str, text: str, expected: str | None) -> None:
    for around in ([], ["nonsense"]):  # the whole column may be read at once, or line by line
        local, instant, bad = moments(pa.array([text, *around]), pattern)
        shown = local[0].as_py()
        assert (shown and str(shown)) == expected
        assert instant[0].as_py() is None
        assert bad.tolist() == [expected is None, *[True for _ in around]]


def test_times_with_an_offset_are_instants() -> None:
    local, instant, bad = moments(pa.array(["2025-03-03T09:05:00+02:00", "2025-03-03T09:05:00Z"]), "iso")
    assert instant.to_pylist() == [datetime(2025, 3, 3, 7, 5, tzinfo=UTC), datetime(2025, 3, 3, 9, 5, tzinfo=UTC)]
    assert local.null_count == 2
    assert not bad.any()


def test_a_doubtful_local_time_takes_the_later_instant() -> None:
    texts = ["2025-03-30 02:30:00", "2025-10-26 02:30:00", "2025-06-01 02:30:00"]
    local, instant, _ = moments(pa.array(texts), "iso")
    ts, wall, doubtful = instants(local, instant, "Europe/Paris")
    assert ts.to_pylist() == [
        datetime(2025, 3, 30, 1, 30, tzinfo=UTC),  # exists not: 01:30 or 00:30 in UTC
        datetime(2025, 10, 26, 1, 30, tzinfo=UTC),  # exists twice: 00:30 and 01:30
        datetime(2025, 6, 1, 0, 30, tzinfo=UTC),
    ]
    assert wall.to_pylist() == local.to_pylist()
    assert doubtful.tolist() == [True, True, False]


def test_each_store_has_its_zone() -> None:
    local, instant, _ = moments(pa.array(["2025-06-01T12:00:00", "2025-06-01T12:00:00"]), "iso")
    zones = ("Europe/Paris", "Europe/Paris", "Indian/Reunion")
    ts, _, _ = by_zone(local, instant, np.array([1, 2]), zones)
    assert [moment.hour for moment in ts.to_pylist()] == [10, 8]
