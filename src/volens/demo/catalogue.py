"""The shop's product file: the source's cash-register shorthand becomes names that people read.

1. Every product has a category with a name in French and English, and a name: that of its type if `types.csv` has it,
   else that of its category.
2. A brand is one maker's products in one category, under an invented name (`brands.csv`). The shop's own label is a brand
   of the shop; loose produce and makers that take no part in the programme have none.
3. The names are data, in `names/*.csv`; nothing in the code knows a name.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

import pyarrow as pa

OWN_LABEL = 69
LOOSE = 2
SHOP = "le-panier"
SHOP_NAME = "Le Panier"
# The same pairs as `makers` of the sample programme's recipients.
SUPPLIERS = MappingProxyType(
    {
        1194: "vergers-du-midi",
        436: "soleil-presse",
        764: "maison-nette",
        103: "epicerie-valombre",
        1208: "moulin-clair",
        544: "conserves-du-large",
    }
)

PRODUCT_FILE = pa.schema(
    [
        (name, pa.string())
        for name in ("sku", "name_fr", "name_en", "category", "category_fr", "category_en", "type", "brand", "brand_name", "maker")
    ]
)


@dataclass(frozen=True)
class Category:
    """What the shop calls a category."""

    slug: str
    fr: str
    en: str


@dataclass(frozen=True)
class Names:
    """The names, by the source's own words."""

    categories: Mapping[str, Category]
    """By product_category; the empty text stands for products that have none."""
    types: Mapping[tuple[str, str], tuple[str, str]]
    """(product_category, product_type) → (French, English). A type alone is ambiguous: `PREMIUM` is bacon and ice cream."""
    brands: Mapping[tuple[int, str], tuple[str, str]]
    """(maker, category slug) → (brand slug, invented name)."""


def names() -> Names:
    """The names as they stand beside this module."""
    return Names(
        {row["product_category"]: Category(row["slug"], row["fr"], row["en"]) for row in _rows("categories.csv")},
        {(row["product_category"], row["product_type"]): (row["fr"], row["en"]) for row in _rows("types.csv")},
        {(int(row["maker"]), row["category"]): (row["brand"], row["name"]) for row in _rows("brands.csv")},
    )


def product_file(products: pa.Table, named: Names) -> pa.Table:
    """`products` of the source (product, maker, category, type) → the columns of `PRODUCT_FILE`, in the same order."""
    columns: dict[str, list[str | None]] = {name: [] for name in PRODUCT_FILE.names}
    source = (products.column(name).to_pylist() for name in ("product", "maker", "category", "type"))
    known: dict[tuple[int, str, str], dict[str, str | None]] = {}
    for product, maker, category, kind in zip(*source, strict=True):
        key = (maker, category or "", kind or "")
        if key not in known:
            known[key] = _described(*key, named)
        columns["sku"].append(str(product))
        for name, value in known[key].items():
            columns[name].append(value)
    return pa.table(columns, schema=PRODUCT_FILE)


def _described(maker: int, category: str, kind: str, named: Names) -> dict[str, str | None]:
    shelf = named.categories[category]
    fr, en = named.types.get((category, kind), (shelf.fr, shelf.en))
    brand, brand_name = _brand(maker, shelf.slug, named)
    return {
        "name_fr": fr,
        "name_en": en,
        "category": shelf.slug,
        "category_fr": shelf.fr,
        "category_en": shelf.en,
        "type": "-".join(re.findall("[a-z0-9]+", kind.lower())) or None,
        "brand": brand,
        "brand_name": brand_name,
        "maker": _maker(maker),
    }


def _brand(maker: int, category: str, named: Names) -> tuple[str | None, str | None]:
    if maker == OWN_LABEL:
        return f"{SHOP}-{category}", SHOP_NAME
    return named.brands.get((maker, category), (None, None))


def _maker(maker: int) -> str | None:
    """A legal entity of the programme, or else the source's number: it names nobody, and two makers stay two."""
    if maker == LOOSE:
        return None
    return SHOP if maker == OWN_LABEL else SUPPLIERS.get(maker, f"maker-{maker}")


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("volens.demo").joinpath("names", name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())
