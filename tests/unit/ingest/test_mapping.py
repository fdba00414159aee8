"""A mapping that cannot work is refused where it is loaded, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from volens.errors import MappingError
from volens.ingest.mapping import Mapping, load, to_yaml

GOOD = """source: tills
format: csv
csv:
  delimiter: ";"
  decimal: ","
columns:
  card: Carte
  store: Magasin
  receipt: Ticket
  time: Date
  sku: EAN
  quantity: Qte
  amount: Montant
time:
  format: "%d/%m/%Y %H:%M"
  zone: Europe/Paris
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "tills.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_is_read(tmp_path: Path) -> None:
    mapping = load(written(tmp_path, GOOD))
    assert (mapping.delimiter, mapping.decimal, mapping.columns["sku"]) == (";", ",", "EAN")
    assert mapping.customer_kind == "card"


@pytest.mark.parametrize(
    ("find", "replace", "line", "word"),
    [
        ('decimal: ","', 'decimal: "x"', 5, "'x'"),
        ("  sku: EAN\n", "  skuu: EAN\n", 11, "skuu"),
        ("zone: Europe/Paris", "zone: Europe/Atlantis", 16, "Atlantis"),
        ("format: csv", "format: xlsx", 2, "xlsx"),
        ("  sku: EAN\n", "", 6, "sku"),
        ("  card: Carte\n", "", 6, "card or by an e-mail"),
        ("source: tills", "source: Mes Caisses", 1, "not a name"),
        ("csv:\n", "cvs:\n", 3, "cvs"),
        ("  sku: EAN\n", "  sku: EAN\n  sku: SKU\n", 12, "twice"),
        ("  sku: EAN\n", "  sku: [EAN\n", 12, "expected"),
    ],
)
def test_mistakes_are_shown_where_they_stand(tmp_path: Path, find: str, replace: str, line: int, word: str) -> None:
    with pytest.raises(MappingError) as caught:
        load(written(tmp_path, GOOD.replace(find, replace, 1)))
    assert f"line {line}" in caught.value.what
    assert word in caught.value.what


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n", "format: csv\n"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError):
        load(written(tmp_path, text))


def test_a_mapping_survives_being_written(tmp_path: Path) -> None:
    mapping = Mapping(
        source="tills",
        format="csv",
        columns={"card": 'N° "carte"', "receipt": "t", "date": "d", "sku": "a\\b", "quantity": "q", "amount": "m"},
        delimiter="\t",
        time_format="%d/%m/%Y",
        units={"KG": "kg", "l'un": "piece"},
        store="7",
        amounts_in="minor",
        receipts="scattered",
        card_pattern=r"\d{13}",
        path="tills.yaml",
    )
    assert load(written(tmp_path, to_yaml(mapping))) == mapping
