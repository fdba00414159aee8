"""What is in the table after any feeds, in plain Python: each receipt once, and one that contradicts itself not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

Item = tuple[str, int, int]
"""sku, quantity in units (below zero: brought back), amount in cents of the same sign."""


@dataclass
class Till:
    """All receipts that were ever accepted, by number."""

    receipts: dict[int, tuple[int, date, frozenset[Item]]] = field(default_factory=dict)
    """receipt → (card, day, lines)"""

    def take(self, receipt: int, card: int, day: date, items: frozenset[Item]) -> str:
        """`new`, `again` or `contradicts`."""
        known = self.receipts.get(receipt)
        if known is None:
            self.receipts[receipt] = (card, day, items)
            return "new"
        return "again" if known == (card, day, items) else "contradicts"

    def lines(self, customer_of_card: dict[int, int], products: dict[str, int]) -> list[dict[str, Any]]:
        """The lines as the table has them, as far as a pack looks at them."""
        return [
            {
                "customer": customer_of_card[card],
                "basket": receipt,
                "product": products[sku],
                "day": day,
                "quantity": quantity * 1000,
                "amount": cents,
                "currency": "EUR",
            }
            for receipt, (card, day, items) in self.receipts.items()
            for sku, quantity, cents in sorted(items)
        ]
