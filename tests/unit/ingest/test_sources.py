"""One feed, one name: who would count receipts twice is asked first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.ingest.ingest_house import NOW, TILLS, House

from volens.errors import MappingError
from volens.ingest.explain import explain
from volens.ingest.mapping import Mapping
from volens.ingest.propose import source_name
from volens.ingest.sources import known_mappings, look_alike, require_own_name

LINE = "c1,1,1,r1,1,2025-05-01T10:00:00,1,1,2.50"
SHOP = Mapping(source="shop", format="shopify-orders", channel="web", store="web")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ventes-2026-03-01.csv", "ventes"), ("ventes_mars_2026.csv.gz", "ventes"), ("20260301.csv", "feed"),
        ("Ventes Mai.CSV", "ventes"), ("CAISSES_EXPORT_JAN26.parquet", "caisses-export"), ("sales.2026-03.jsonl", "sales"),
    ],
)  # fmt: skip
def test_a_name_fits_the_next_file_too(file: str, name: str) -> None:
    assert source_name(Path(file)) == name


@pytest.mark.parametrize(
    ("mapping", "asked"),
    [
        (replace(TILLS, source="tills-2"), True),
        (replace(TILLS, source="tills-2", format="parquet", decimal=",", currency="CHF"), True),
        (TILLS, False),
        (replace(TILLS, source="tills-2", channel="web"), False),
        (replace(TILLS, source="tills-2", columns={**TILLS.columns, "receipt": "ticket"}), False),
        (replace(SHOP, source="shop-2"), True),
        (replace(SHOP, source="shop-2", store="other"), False),
        (replace(SHOP, source="shop-2", format="schema-org-order"), False),
    ],
)
def test_the_rule(mapping: Mapping, asked: bool) -> None:
    known = [TILLS, SHOP]
    assert (look_alike(mapping, known) is not None) is asked
    if asked:
        with pytest.raises(MappingError, match="--new-source"):
            require_own_name(mapping, known)
    else:
        require_own_name(mapping, known)


def test_explain_gives_a_feed_the_name_that_it_had(house: House) -> None:
    path = house.csv("ventes-2026-03-01.csv", *(LINE.replace("r1", f"r{number}") for number in range(20)))
    house.take_in(path, TILLS)
    known = known_mappings(house.batches.mappings())
    assert [mapping.source for mapping in known] == ["tills"]
    explanation = explain(path, now=NOW, sources=known)
    assert explanation.mapping.source == "tills"
    assert "tills.yaml" in explanation.to_text()
    given = explain(path, replace(TILLS, source="march"), now=NOW, sources=known)
    assert "source: tills" in given.to_text()
    assert explain(path, now=NOW).mapping.source == "ventes"


def test_a_feed_of_which_nothing_came_in_gives_no_name(house: House) -> None:
    house.take_in(house.csv("a.csv", LINE.replace(",1,1,2.50", ",99,1,2.50")), TILLS)
    assert house.batches.mappings() == []
