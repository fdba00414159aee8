"""The shop's products: the demo's categories and names, as many products as are wanted, under invented brands.

1. Every category has a product. Which product sells best has nothing to do with its category.
2. A brand is maker × category, as everywhere here. The suppliers of the sample programme have the brands that it lists, so
   that a pack can be asked of a simulated shop; all other makers are numbers.
3. Fruit, vegetables, meat, fish and cheese at the counter are sold by the kilogram.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from volens.demo.catalogue import PRODUCT_FILE, SHOP, SHOP_NAME, SUPPLIERS, names
from volens.simulate import shape
from volens.simulate.draws import Stream, apportion, bits, table

WEIGHED = re.compile(
    r"boeuf|porc|fruits-rouges|fruits-tropicaux|fruits-a-noyau|raisins|melons|pommes|pommes-de-terre|tomates|legumes-frais"
    r"|fromages-coupe|charcuterie-coupe|poisson-frais"
)
MAKERS = 24
"""Makers of a category beside its suppliers and the shop itself."""
FIRST_SKU = 1_000_000
TOLD = pa.schema([one for one in PRODUCT_FILE if one.name != "type"])
"""The product file without types: here a category has none."""


@dataclass(frozen=True)
class Products:
    """All products by number, from 0 on."""

    table: pa.Table
    """The columns of the product file."""
    weighed: npt.NDArray[np.bool_]
    price: npt.NDArray[np.int64]
    """Cents for a piece or a kilogram."""
    slots: npt.NDArray[np.int32]
    """2²⁰ slots: `slots[bits]` draws a product as it is bought."""

    @property
    def skus(self) -> pa.Array:
        return self.table.column("sku").combine_chunks()


def products(count: int, seed: int) -> Products:
    """As many products; fewer than there are categories is refused by whoever asks."""
    named = names()
    shelves = list(named.categories.values())
    words = Stream(seed, "products", 0).words(count)
    # The wide shelves of a shop hold many times the products of the narrow ones; each holds one at least.
    places = 1 + apportion([(rank + 3) ** -0.6 for rank in range(len(shelves))], count - len(shelves))
    order = np.argsort(Stream(seed, "shelves", 0).words(len(shelves)), kind="stable")
    # The order in which products sell: they are numbered so that the shelves are mixed.
    shelf_of = np.repeat(order, places)[np.argsort(words, kind="stable")]
    makers = _makers(count, shelf_of, [shelf.slug for shelf in shelves], words)
    weighed = np.asarray([WEIGHED.fullmatch(shelf.slug) is not None for shelf in shelves])[shelf_of]
    piece = np.asarray(shape.prices(shape.PRICE_MEDIAN, shape.PRICE_SIGMA, 4096), dtype=np.int64)
    kilogram = np.asarray(shape.prices(shape.KG_PRICE_MEDIAN, shape.KG_PRICE_SIGMA, 4096), dtype=np.int64)
    step = bits(words, 0, 12)
    columns: dict[str, list[str | None]] = {name: [] for name in TOLD.names}
    listed = {(SUPPLIERS[maker], slug): brand for (maker, slug), brand in named.brands.items() if maker in SUPPLIERS}
    for number, (shelf_number, maker) in enumerate(zip(shelf_of.tolist(), makers, strict=True)):
        shelf = shelves[shelf_number]
        brand = listed.get((maker, shelf.slug)) or _invented(maker, shelf.slug)
        row = {
            "sku": str(FIRST_SKU + number),
            "name_fr": f"{shelf.fr} {number}",
            "name_en": f"{shelf.en} {number}",
            "category": shelf.slug,
            "category_fr": shelf.fr,
            "category_en": shelf.en,
            "brand": brand[0],
            "brand_name": brand[1],
            "maker": maker,
        }
        for name, value in row.items():
            columns[name].append(value)
    return Products(
        pa.table(columns, schema=TOLD),
        weighed,
        np.where(weighed, kilogram[step], piece[step]),
        table(shape.zipf(count), 20),
    )


def _invented(maker: str, category: str) -> tuple[str, str]:
    if maker == SHOP:
        return f"{SHOP}-{category}", SHOP_NAME
    return f"{maker}-{category}", maker.replace("maker-", "Marque ")


def _makers(count: int, shelf_of: npt.NDArray[np.int64], slugs: list[str], words: npt.NDArray[np.uint64]) -> list[str]:
    """The maker of each product: its category's suppliers and the shop first, then others, ever fewer products each."""
    suppliers: dict[str, list[str]] = {slug: [] for slug in slugs}
    for maker, slug in names().brands:
        if maker in SUPPLIERS:
            suppliers[slug].append(SUPPLIERS[maker])
    choices = [
        [*suppliers[slug], SHOP, *(f"maker-{1 + (shelf * 7 + place * 5) % 120}" for place in range(MAKERS))]
        for shelf, slug in enumerate(slugs)
    ]
    tables = {length: table([1 / (place + 2) for place in range(length)], 12) for length in {len(one) for one in choices}}
    drawn = bits(words, 20, 12)
    nth = np.zeros(len(slugs), dtype=np.int64)
    makers = []
    for number in range(count):
        among = choices[shelf_of[number]]
        first = nth[shelf_of[number]]
        nth[shelf_of[number]] += 1
        # The first products of a shelf go round its makers, so that a supplier's brand is never without a product.
        makers.append(among[first] if first < len(among) - MAKERS else among[tables[len(among)][drawn[number]]])
    return makers
