"""What campaigns read of purchases: sums and prices, of the customers whom the gate let through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from volens.errors import BadInput
from volens.gate.reads import OpenedPurchases

if TYPE_CHECKING:
    from volens.engines.spending import PriceLines

Integers = NDArray[np.int64]


class Spending(Protocol):
    """An engine. Reads nobody who is not permitted, and nothing that the read did not ask for."""

    def spent(
        self, opened: OpenedPurchases, products: Integers | None, periods: Sequence[tuple[date, date]], currency: str
    ) -> tuple[Integers, list[Integers]]:
        """The permitted customers' numbers, ascending, and per period the cents each of them spent, net of returns."""

    def prices(self, opened: OpenedPurchases, start: date, end: date, currency: str) -> PriceLines:
        """The permitted customers' purchases line by line, returns left out."""


def goods(products: pa.Table, category: str | None, brands: Sequence[str]) -> Integers | None:
    """The keys of the goods that count; none for all. `BadInput` for a category or brand that the catalogue does not have."""
    if category is None:
        return None
    rows = products.select(["product", "category", "brand"]).to_pylist()
    inside = [row for row in rows if row["category"] == category]
    missing = set(brands) - {row["brand"] for row in inside}
    if not inside or missing:
        unknown = ", ".join(sorted(missing)) or "nothing"
        raise BadInput(f"The catalogue has no {unknown} in {category}.", "Name a category and brands that it has.")
    return np.array([row["product"] for row in inside if not brands or row["brand"] in brands], dtype=np.int64)
