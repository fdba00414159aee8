"""Returns by word, grams, and codes that carry a weight or a price."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.ingest.ingest_house import HEADER, TILLS

from volens.errors import MappingError
from volens.ingest import loyalty
from volens.ingest.mapping import Mapping, load, to_yaml

KINDS = replace(
    TILLS, columns={**TILLS.columns, "kind": "kind"}, kinds={"V": "sale", "R": "return", "A": "void", "école": "training"}
)  # fmt: skip


def read(folder: Path, mapping: Mapping, *lines: str, more: str = "") -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    path = folder / "feed.csv"
    path.write_text("\n".join([HEADER + more, *lines]) + "\n", encoding="utf-8")
    (chunk,) = loyalty.read(path, mapping)
    refused = zip(chunk.refused.line_number.tolist(), chunk.refused.reason.tolist(), strict=True)
    return chunk.lines.to_pylist(), sorted(refused)


def line(sku: str = "1", quantity: str = "1", amount: str = "2.50", number: int = 1) -> str:
    return f"c1,1,1,r1,{number},2025-05-01T10:00:00,{sku},{quantity},{amount}"


def test_returns_with_positive_numbers_become_negative(tmp_path: Path) -> None:
    kinds = ("V", "R", "r", "A", "École", "", "?", "return", "sale")
    rows, refused = read(tmp_path, KINDS, *(f"{line()},{kind}" for kind in kinds), more=",kind")
    assert [(row["quantity"], row["amount"]) for row in rows] == [
        (1000, 250), (-1000, -250), (-1000, -250), (1000, 250), (-1000, -250), (1000, 250)
    ]  # fmt: skip
    assert refused == [(5, "not-a-sale"), (6, "not-a-sale"), (8, "unknown-kind")]


def test_returns_that_are_negative_already_stay_so(tmp_path: Path) -> None:
    lines = (line(quantity="-2", amount="-5.00") + ",R", line(quantity="2", amount="-5.00") + ",R")
    rows, _ = read(tmp_path, KINDS, *lines, more=",kind")
    assert [(row["quantity"], row["amount"]) for row in rows] == [(-2000, -500), (-2000, -500)]


def test_grams_become_kilograms(tmp_path: Path) -> None:
    mapping = replace(TILLS, columns={**TILLS.columns, "unit": "unit"}, units={"GR": "g"})
    rows, refused = read(
        tmp_path, mapping, f"{line(quantity='525')},g", f"{line(quantity='1000')},GR", f"{line(quantity='0.5')},g", more=",unit"
    )
    assert [(row["quantity"], row["unit"]) for row in rows] == [(525, "kg"), (1000, "kg")]
    assert refused == [(4, "unreadable-quantity")]


def test_a_price_per_kilogram_is_multiplied_by_kilograms(tmp_path: Path) -> None:
    mapping = replace(TILLS, columns={**TILLS.columns, "unit": "unit"}, amounts_per="unit")
    rows, _ = read(tmp_path, mapping, f"{line(quantity='525', amount='10.00')},g", more=",unit")
    assert rows[0]["amount"] == 525


def code(first: str) -> str:
    """Twelve digits with their check digit."""
    total = sum(int(digit) * (1 if place % 2 == 0 else 3) for place, digit in enumerate(first))
    return first + str(-total % 10)


EMBEDDED = replace(TILLS, embedded={"02": "PPPPPAAAAAC", "21": "PPPPxWWWWWC"})


def test_codes_carry_weights_and_prices_where_the_mapping_says_so(tmp_path: Path) -> None:
    weighed, priced, other = code("211234900525"), code("021234500345"), "4006381333931"
    lines = (
        line(weighed), line(weighed, quantity="2"), line(weighed, quantity="-1", amount="-2.50"),
        line(priced, amount=""), line(priced, quantity="2", amount=""), line(priced, amount="3.40"),
        line(other), line(weighed[:-1] + str((int(weighed[-1]) + 1) % 10)), line(code("221234500525")),
    )  # fmt: skip
    rows, refused = read(tmp_path, EMBEDDED, *lines)
    assert [(row["sku"], row["quantity"], row["unit"], row["amount"]) for row in rows] == [
        ("211234", 525, "kg", 250), ("211234", 1050, "kg", 250), ("211234", -525, "kg", -250),
        ("0212345", 1000, "piece", 345), ("0212345", 2000, "piece", 690), ("0212345", 1000, "piece", 340),
        (other, 1000, "piece", 250), (code("221234500525"), 1000, "piece", 250),
    ]  # fmt: skip
    assert refused == [(9, "broken-code")]


def test_without_a_mapping_entry_codes_stay_whole(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, TILLS, line(code("211234900525")))
    assert (rows[0]["sku"], rows[0]["quantity"]) == (code("211234900525"), 1000)


@pytest.mark.parametrize(
    "embedded", [{"30": "PPPPPWWWWWC"}, {"02": "PPPPPWWWWW"}, {"02": "WWWWWPPPPPC"}, {"02": "PPPPPPPPPPC"}, {"02": "PPPPPWWAAAC"}]
)
def test_layouts_that_cannot_be_are_refused(embedded: dict[str, str]) -> None:
    with pytest.raises(MappingError):
        replace(TILLS, embedded=embedded)


def test_kinds_and_layouts_stand_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    mapping = replace(KINDS, embedded=EMBEDDED.embedded, receipt_pattern="T[0-9]+", path="a.yaml")
    path.write_text(to_yaml(mapping), encoding="utf-8")
    assert load(path) == mapping
