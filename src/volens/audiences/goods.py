"""Named goods become product keys. What is sensitive is in none of them, also not in `everything`.

1. A product is sensitive if its category, its own name or its brand tells of a private matter (`sensitive`).
2. A name that the catalogue does not have is refused: a list of nothing is a slip.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from volens.audiences import sensitive
from volens.audiences.definition import Goods

COLUMN = {"categories": "category", "brands": "brand", "makers": "maker", "products": "sku"}
WORDS = {"category": ("category", "category_fr", "category_en"), "brand": ("brand", "brand_name"), "sku": ("name_fr", "name_en")}
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Shelf:
    """The catalogue as audiences see it: rows by product key, and which of them are never in an audience."""

    keys: npt.NDArray[np.int32]
    columns: dict[str, list[str | None]] = field(repr=False)
    hidden: Mask = field(repr=False)
    """By row: whether the product tells of something private."""

    @classmethod
    def of(cls, products: pa.Table) -> Shelf:
        """From the catalogue's table of products."""
        names = ("category", "category_fr", "category_en", "brand", "brand_name", "maker", "sku", "name_fr", "name_en")
        columns = {name: products.column(name).to_pylist() for name in names}
        known: dict[tuple[str | None, ...], bool] = {}
        hidden = np.zeros(products.num_rows, dtype=np.bool_)
        for row in range(products.num_rows):
            said = False
            for parts in WORDS.values():
                words = tuple(columns[name][row] for name in parts)
                if words not in known:
                    known[words] = sensitive.about([word for word in words if word]) is not None
                said = said or known[words]
            hidden[row] = said
        return cls(products.column("product").to_numpy().astype(np.int32), columns, hidden)

    def rows(self, goods: Goods) -> Mask:
        """The rows of some goods, by row; with those that are hidden."""
        if goods.everything:
            return np.ones(len(self.keys), dtype=np.bool_)
        found = np.zeros(len(self.keys), dtype=np.bool_)
        for kind, column in COLUMN.items():
            wanted = set(getattr(goods, kind))
            if wanted:
                found |= np.fromiter((name in wanted for name in self.columns[column]), dtype=np.bool_, count=len(self.keys))
        return found

    def mask(self, goods: Goods) -> Mask:
        """By product key: whether it is among some goods and tells of nothing private. Key 0, the unknown product, never is."""
        mask = np.zeros(int(self.keys.max(initial=0)) + 1, dtype=np.bool_)
        mask[self.keys[self.rows(goods) & ~self.hidden]] = True
        mask[0] = False
        return mask

    def unknown(self, goods: Goods) -> list[tuple[str, str, str]]:
        """(kind, name, what is like it) of what the catalogue does not have."""
        missing = []
        for kind, name in goods.named():
            there = {one for one in self.columns[COLUMN[kind]] if one}
            if name not in there:
                near = difflib.get_close_matches(name, sorted(there), n=2, cutoff=0.6)
                missing.append((kind, name, " or ".join(near)))
        return missing

    def words(self, goods: Goods) -> list[str]:
        """What some goods are called: their own slugs, and the names of every category they lie in and of single products."""
        rows = np.flatnonzero(self.rows(goods))
        said = {name for _, name in goods.named()}
        if not goods.everything:
            said |= {word for name in WORDS["category"] for row in rows if (word := self.columns[name][row])}
        if goods.products:
            chosen = [row for row in rows if self.columns["sku"][row] in set(goods.products)]
            said |= {word for name in WORDS["sku"] for row in chosen if (word := self.columns[name][row])}
        if goods.brands:
            chosen = [row for row in rows if self.columns["brand"][row] in set(goods.brands)]
            said |= {word for row in chosen if (word := self.columns["brand_name"][row])}
        return sorted(said)

    def beside(self, part: Goods, whole: Goods) -> list[str]:
        """What the categories are called of a whole without a part; nothing of everything, since there is always a rest."""
        if whole.everything:
            return []
        rows = np.flatnonzero(self.rows(whole) & ~self.rows(part))
        return sorted({word for name in WORDS["category"] for row in rows if (word := self.columns[name][row])})

    def left_out(self, goods: Goods) -> int:
        """How many of some goods are hidden."""
        return int((self.rows(goods) & self.hidden).sum())
