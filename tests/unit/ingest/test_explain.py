"""An explanation writes nothing, shows nobody's data, and its proposal works when it is saved."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.ingest.ingest_house import NOW, House

from volens.errors import MappingError
from volens.ingest.explain import explain
from volens.ingest.mapping import load, to_yaml
from volens.ingest.propose import propose
from volens.purchases import catalogue

FRENCH = "N° Carte;Magasin;Caisse;N° Ticket;Date;Heure;Code EAN;Libellé;Quantité;Unité;Montant TTC;Remise"
LINES = [
    f"12345{line // 3:04d};12;3;{line // 3};{line % 28 + 1 if line % 3 == 0 else 1:02d}/05/2025;09:{line % 60:02d};"
    f"{line % 9 + 1};Jus d'orange;{'1' if line % 2 else '0,525'};{'PCE' if line % 2 else 'KG'};{line % 7},10;0,00"
    for line in range(60)
]


def french(folder: Path, *more: str) -> Path:
    path = folder / "ventes_2025-05.csv"
    path.write_bytes("\r\n".join([FRENCH, *LINES, *more]).encode("cp1252"))
    return path


def test_a_french_feed_is_understood_and_the_saved_mapping_works(house: House) -> None:
    path = french(house.folder)
    explanation = explain(path, catalogue=catalogue.read(house.folder / "catalogue"), now=NOW)
    mapping = explanation.mapping
    assert dict(mapping.columns) == {
        "card": "N° Carte", "store": "Magasin", "till": "Caisse", "receipt": "N° Ticket", "date": "Date",
        "clock": "Heure", "sku": "Code EAN", "quantity": "Quantité", "unit": "Unité", "amount": "Montant TTC",
        "discount": "Remise",
    }  # fmt: skip
    assert (mapping.delimiter, mapping.decimal, mapping.encoding) == (";", ",", "cp1252")
    assert mapping.time_format == "%d/%m/%Y %H:%M"
    assert dict(mapping.units) == {"KG": "kg", "PCE": "piece"}
    assert explanation.unused == ("Libellé",)
    saved = house.folder / f"{mapping.source}.yaml"
    saved.write_text(to_yaml(mapping), encoding="utf-8")
    summary = house.take_in(path, load(saved))
    assert (summary.lines_read, summary.lines_accepted) == (explanation.lines_read, explanation.lines_accepted)
    assert explanation.lines_accepted == 60


def test_nothing_is_written(house: House) -> None:
    path = french(house.folder)
    before = {file: file.stat().st_mtime_ns for file in house.folder.rglob("*")}
    explain(path, catalogue=catalogue.read(house.folder / "catalogue"), now=NOW)
    assert {file: file.stat().st_mtime_ns for file in house.folder.rglob("*")} == before


def test_what_would_be_refused_is_said_by_line_and_without_data(house: House) -> None:
    path = french(
        house.folder,
        "555566667777;12;3;999;01/05/2025;09:00;99;x;1;PCE;1,00;0,00",
        ";12;3;999;01/05/2025;09:00;1;x;1;PCE;1,00;0,00",
        "555566667777;12",
        LINES[0],
    )
    explanation = explain(path, catalogue=catalogue.read(house.folder / "catalogue"), now=NOW)
    found = {refusal.reason: refusal.first_lines for refusal in explanation.refusals}
    assert found == {
        "unknown-product": (62,),
        "missing-customer": (63,),
        "wrong-columns": (64,),
        "same-receipt-other-lines": (65,),
    }
    for shown in (explanation.to_text(), json.dumps(explanation.to_dict())):
        assert "5555" not in shown
        assert "12345" not in shown
        assert "volens ingest" in shown
    assert "unknown-product" in explanation.to_text()


def test_only_the_first_thousand_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    lines = [f"c{line},1,r{line},2025-05-01,{line % 9},1,1.00" for line in range(1200)]
    path.write_text("\n".join(["card,store,receipt,time,sku,quantity,amount", *lines, "bad"]), encoding="utf-8")
    explanation = explain(path, now=NOW)
    assert (explanation.lines_read, explanation.lines_accepted, explanation.refusals) == (1000, 1000, ())
    assert any("No products are loaded" in note for note in explanation.notes)


def test_english_parquet_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "transactions.parquet"
    columns = {
        "household_id": [1, 1],
        "store_id": [2, 2],
        "basket_id": [3, 3],
        "product_id": [4, 5],
        "quantity": [1, 1],
        "sales_value": [0.5, 0.25],
        "retail_disc": [0.0, 0.1],
        "transaction_timestamp": pa.array([1_746_093_600_000_000_000] * 2, pa.timestamp("ns")),
    }
    pq.write_table(pa.table(columns), path)
    explanation = explain(path, now=NOW)
    assert (explanation.lines_accepted, explanation.receipts) == (2, 1)
    assert explanation.mapping.columns["amount"] == "sales_value"
    assert explanation.period == ("2025-05-01", "2025-05-01")


def test_cents_scattered_receipts_and_american_days_are_seen(tmp_path: Path) -> None:
    lines = [f"c{place % 20},1,r{place % 20},05/{13 + place % 9}/2025,{place % 7},1,{199 + place}" for place in range(80)]
    path = tmp_path / "feed.csv"
    path.write_text("\n".join(["card,store,receipt,date,sku,qty,amount", *lines]), encoding="utf-8")
    mapping = propose(path)
    assert (mapping.amounts_in, mapping.receipts, mapping.time_format) == ("minor", "scattered", "%m/%d/%Y")


def test_web_orders_and_customers_are_recognized(tmp_path: Path) -> None:
    order = {
        "orderNumber": "A1",
        "orderDate": "2025-05-01T10:00:00+02:00",
        "customer": {"email": "a@example.com"},
        "orderedItem": {"orderQuantity": 1, "price": 2, "orderedItem": {"sku": "1"}},
    }
    (tmp_path / "orders.jsonl").write_text(json.dumps(order) + "\nbroken\n", encoding="utf-8")
    explanation = explain(tmp_path / "orders.jsonl", now=NOW)
    assert (explanation.lines_accepted, explanation.lines_read) == (1, 2)
    assert explanation.mapping.channel == "web"
    master = tmp_path / "clients.csv"
    master.write_text("Carte,Prénom,Nom,Date de naissance\n1,Ana,Test,31/01/1980\n,B,C,\n", encoding="utf-8")
    people = explain(master, now=NOW)
    assert (people.customers, people.refusals[0].reason) == (1, "missing-customer")
    assert people.mapping.contents == "customers"
    assert people.mapping.time_format == "%d/%m/%Y"
    assert "Ana" not in people.to_text()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"card\n1\n", "one column"),
        (b"card,store,amount\n1,2,3\n", "receipt or as sku"),
        (b"5555666677778888,a@example.com,x,y\n1,2,3,4\n", "no column that is recognized"),
        (b"\x00\x01\x02\xff\xfe\x00", "not text"),
    ],
)
def test_what_is_not_understood_is_said_without_data(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(content)
    with pytest.raises(MappingError) as caught:
        explain(path, now=NOW)
    assert says in caught.value.what
    assert caught.value.remedy
    assert "5555" not in str(caught.value)
    assert "example.com" not in str(caught.value)


def test_a_column_called_hour_that_holds_the_day_is_the_time(house: House) -> None:
    header = "carte;magasin;caisse;ticket;heure;article;qte;montant_centimes"
    file = house.csv("odd.csv", "C1;1;1;7;03/03/2025 10:30;J1;1;250", header=header)
    found = propose(file)
    assert (found.columns["time"], found.columns["amount"], found.amounts_in) == ("heure", "montant_centimes", "minor")
