"""Keys of products and stores are given once and for ever."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from volens.errors import BadInput
from volens.purchases import catalogue


def written(folder: Path, text: str, name: str = "products.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_keys_stay_when_products_come_and_go(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    first = catalogue.load_products(folder, written(tmp_path, "sku,category,brand\n10,juice,sunny\n20,juice,\n"))
    second = catalogue.load_products(folder, written(tmp_path, "sku;category\n30;juice\n20;soap\n"))
    assert (first.added, first.changed) == (2, 0)
    assert (second.added, second.changed, second.total) == (1, 1, 3)
    rows = {row["sku"]: row for row in catalogue.read(folder).products.to_pylist()}
    assert [(sku, row["product"], row["category"], row["brand"]) for sku, row in rows.items()] == [
        ("10", 1, "juice", "sunny"),
        ("20", 2, "soap", None),
        ("30", 3, "juice", None),
    ]


def test_keys_are_found_by_sku_or_gtin(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    table = pa.table({"sku": ["a", "b"], "gtin": [None, "3017"], "category": ["x", "x"]})
    pq.write_table(table, tmp_path / "p.parquet")
    catalogue.load_products(folder, tmp_path / "p.parquet")
    keys = catalogue.read(folder).product_keys(pa.array(["b", "zz", None, "3017", "a"]))
    assert keys.tolist() == [2, 0, 0, 2, 1]
    assert catalogue.read(tmp_path / "empty").product_keys(pa.array(["a"])).tolist() == [0]


def test_stores_get_keys_when_they_appear(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    catalogue.load_stores(folder, written(tmp_path, "code,zone\nb,Indian/Reunion\n"))
    dimensions = catalogue.read(folder).with_stores(["c", "b", "a"])
    assert dimensions.store_keys(pa.array(["a", "b", "c", "d"])).tolist() == [2, 1, 3, 0]
    assert catalogue.read(folder).stores.equals(dimensions.stores)
    assert dimensions.zones("Europe/Paris") == ("Europe/Paris", "Indian/Reunion", "Europe/Paris", "Europe/Paris")
    assert dimensions.with_stores(["a"]) is dimensions


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sku,name_fr\n1,x\n", "no column category"),
        ("sku,category\n1,juice\n,juice\n", "line 3: sku is empty"),
        ("sku,category\n1,Orange Juice\n", "line 2: category 'Orange Juice'"),
        ("sku,category\n1,juice\n1,soap\n", "line 3: sku '1' was on line 2"),
        ("sku,category\n1,juice,more\n", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        catalogue.load_products(tmp_path / "catalogue", written(tmp_path, text))
    assert says in caught.value.what
    assert caught.value.remedy
    assert not (tmp_path / "catalogue").exists()


def test_a_zone_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="line 2"):
        catalogue.load_stores(tmp_path / "c", written(tmp_path, "code,zone\na,Europe/Atlantis\n"))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file"):
        catalogue.load_products(tmp_path, tmp_path / "nothing.csv")


def test_a_need_keeps_its_number(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    catalogue.load_products(folder, written(tmp_path, "sku,category,type\n10,juice,orange\n20,juice,apple\n30,soap,\n"))
    assert list(catalogue.read(folder).needs().of_product) == [0, 0, 0, 0], "nobody gave them numbers yet"
    first = catalogue.number_needs(folder)
    assert [(first.categories[need], first.types[need]) for need in first.of_product[1:]] == [
        ("juice", "orange"), ("juice", "apple"), ("soap", "")
    ]  # fmt: skip
    catalogue.load_products(folder, written(tmp_path, "sku,category,type\n05,bread,\n40,juice,apple\n10,juice,apple\n"))
    again = catalogue.number_needs(folder)
    juice = first.of_product[2]
    assert list(again.of_product[1:4]) == [juice, juice, first.of_product[3]], "a product may change its need, a need no number"
    assert again.of_product[5] == juice
    assert again.categories[int(again.of_product[4])] == "bread"
    assert list(catalogue.read(folder).needs().of_product) == list(again.of_product)


def test_a_list_of_products_from_before_types_were_told(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    catalogue.load_products(folder, written(tmp_path, "sku,category\n10,juice\n"))
    products = catalogue.read(folder).products.drop_columns(["type"])
    pq.write_table(products, folder / "products.parquet")
    needs = catalogue.number_needs(folder)
    assert needs.types[int(needs.of_product[1])] == ""
