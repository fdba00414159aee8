"""What the shop sells, who its customers are, and what lies in a basket. Values; no server."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

SHELVES = (
    "jus-frais", "lait", "yaourts", "beurre", "oeufs", "pain-boulangerie", "cafe", "pates", "pommes", "tomates",
    "fromages-libre-service", "biscuits-sucres",
)  # fmt: skip
ON_A_SHELF, FOUND_MOST = 12, 24


@dataclass(frozen=True)
class Product:
    """Something to buy. `shelf` is its category."""

    sku: str
    names: Mapping[str, str]
    shelf: str
    shelf_names: Mapping[str, str]
    brand: str
    cents: int

    def name(self, language: str) -> str:
        return self.names[language]


@dataclass(frozen=True)
class Customer:
    """Somebody who can sign in here; all of them are invented. `usual`: a basket of hers, without one of her usual things."""

    card: str
    name: str
    usual: tuple[str, ...]


@dataclass(frozen=True)
class Shop:
    """Everything that is for sale, and everybody who buys."""

    name: str
    products: Mapping[str, Product]
    shelves: Mapping[str, tuple[Product, ...]]
    customers: Mapping[str, Customer]

    def find(self, words: str) -> list[Product]:
        """Products with every one of some words in a name."""
        wanted = words.casefold().split()
        found = (one for one in self.products.values() if all(word in " ".join(one.names.values()).casefold() for word in wanted))
        return [one for one, _ in zip(found, range(FOUND_MOST), strict=False)] if wanted else []


@dataclass
class Visit:
    """One browser's visit: who is signed in, and what is in the basket."""

    key: str
    """Names this visit to Volens; random, and forgotten with the visit."""
    card: str = ""
    basket: str = ""
    """What the shop calls the basket."""
    lines: dict[str, int] = field(default_factory=dict)
    """SKU → how many."""


def load(folder: Path) -> Shop:
    """A shop from `shop.yaml` and the list of products and prices beside it (`start.py` makes both from the demo)."""
    told = yaml.safe_load((folder / "shop.yaml").read_text(encoding="utf-8"))
    with (folder / "goods.csv").open(encoding="utf-8", newline="") as file:
        products = {row["sku"]: _product(row) for row in csv.DictReader(file)}
    customers = [Customer(str(one["card"]), one["name"], tuple(map(str, one["usual"]))) for one in told["customers"]]
    by_shelf: dict[str, list[Product]] = {shelf: [] for shelf in SHELVES}
    for one in products.values():
        if one.shelf in by_shelf:
            by_shelf[one.shelf].append(one)
    shelves = {shelf: tuple(_distinct(some)[:ON_A_SHELF]) for shelf, some in by_shelf.items() if some}
    return Shop(told["name"], products, shelves, {one.card: one for one in customers})


def _distinct(some: Sequence[Product]) -> list[Product]:
    """One product of each name and brand, in the order of the list."""
    return list({(one.names["fr"], one.brand): one for one in reversed(some)}.values())[::-1]


def _product(row: Mapping[str, str]) -> Product:
    return Product(
        row["sku"], {"fr": row["name_fr"], "en": row["name_en"]}, row["category"],
        {"fr": row["category_fr"], "en": row["category_en"]}, row["brand_name"], int(row["cents"]),
    )  # fmt: skip
