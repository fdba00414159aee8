"""The Complete Journey as histories of needs, for measuring reminders. Times are the source's own, unmoved.

1. Left out: fuel, coupons, postal, products that are in no list, quantity 0 or less.
2. A need is a category with a type; a type alone is ambiguous (`PREMIUM` is bacon and ice cream).
3. What is sensitive is an explicit list of categories, and types that tell a belief; never a part of a word. It is left out as
   well, as a house should: a rhythm that never saw it cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow.parquet as pq

from volens.demo.source import folder
from volens.reminders.histories import Histories, gather

SENSITIVE_CATEGORIES = frozenset(
    {
        "ADULT INCONTINENCE", "ANALGESICS", "ANTACIDS", "BEERS/ALES", "CIGARETTES", "CIGARS", "COLD AND FLU",
        "DIETARY AID PRODUCTS",
        "DOMESTIC WINE", "ETHNIC PERSONAL CARE", "EYE AND EAR CARE PRODUCTS", "FAMILY PLANNING", "FEMININE HYGIENE",
        "FIRST AID PRODUCTS", "FITNESS&DIET", "FOOT CARE PRODUCTS", "GLASSES/VISION AIDS", "HOME HEALTH CARE", "IMPORTED WINE",
        "INFANT FORMULA", "LAXATIVES", "LIQUOR", "MISC WINE", "MISCELLANEOUS HBC", "NATURAL HBC", "NATURAL VITAMINS", "PHARMACY",
        "RESTRICTED DIET", "SINUS AND ALLERGY", "SMOKING CESSATIONS", "TOBACCO OTHER", "VITAMINS",
    }
)  # fmt: skip
BELIEFS = ("KOSHER", "HALAL")
NOT_GOODS = frozenset({"COUPON", "FUEL", "POSTAL CENTER", "CHARITABLE CONT", "CNTRL/STORE SUP"})
NOT_GOODS_CATEGORIES = frozenset({"COUPON", "COUPON/MISC ITEMS", "COUPONS/STORE & MFG", "FUEL", "BOTTLE DEPOSITS"})


@dataclass(frozen=True)
class Panel:
    """The panel, with needs and products as small numbers."""

    histories: Histories
    needs: list[tuple[str, str]]
    """By need: its category and type."""
    category: np.ndarray
    """By need: the number of its category."""
    allowed: np.ndarray
    """By need: not sensitive."""


def read(only: Sequence[int] | None = None) -> Panel:
    """Read and clean the installed package's files; `only`: these households."""
    columns = ["household_id", "basket_id", "product_id", "quantity", "transaction_timestamp"]
    filters = None if only is None else [("household_id", "in", list(only))]
    lines = pq.read_table(folder() / "transactions.parquet", columns=columns, filters=filters)
    listed = pq.read_table(folder() / "products.parquet", columns=["product_id", "department", "product_category", "product_type"])
    of_product = {}
    for product, department, category, kind in zip(*(column.to_pylist() for column in listed.columns), strict=True):
        if category and kind and department not in NOT_GOODS and category not in NOT_GOODS_CATEGORIES:
            of_product[product] = (category, kind)
    needs = sorted(set(of_product.values()))
    numbers = {need: n for n, need in enumerate(needs)}
    ids = np.array(sorted(of_product), np.int64)
    need_of = np.array([numbers[of_product[p]] for p in ids.tolist()], np.int32)
    product = lines.column("product_id").to_numpy()
    place = np.minimum(np.searchsorted(ids, product), len(ids) - 1)
    allowed = np.array([c not in SENSITIVE_CATEGORIES and not any(b in k for b in BELIEFS) for c, k in needs])
    need = np.where((ids[place] == product) & allowed[need_of[place]], need_of[place], -1)
    seconds = lines.column("transaction_timestamp").to_numpy().astype("datetime64[s]").astype(np.int64)
    quantity = lines.column("quantity").to_numpy()
    kept = quantity > 0
    histories = gather(
        lines.column("household_id").to_numpy()[kept], lines.column("basket_id").to_numpy()[kept], (seconds // 86400)[kept],
        (seconds % 86400 // 60)[kept], need[kept], place[kept], quantity[kept],
    )  # fmt: skip
    categories = {category: n for n, category in enumerate(sorted({category for category, _ in needs}))}
    return Panel(histories, needs, np.array([categories[c] for c, _ in needs], np.int32), allowed)


def day(text: str) -> int:
    """Days since 1970-01-01."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days
