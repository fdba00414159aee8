"""The forgotten item, as the retailer declares it: of what people may be reminded, how often, and how sure one must be.

Rules:
1. What is not listed is never named: a category that is new in the shop is not reminded of before somebody lists it.
2. There is one purpose, and it is the permission: without it no habit is learned, kept or looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from volens.programme.nodes import Document
from volens.programme.parties import UNWRITTEN, Source

FILE = "reminders"
"""`reminders.yaml`, beside the other files of a programme; a programme may do without, and then nobody is reminded."""


NEEDED = frozenset({"customer", "basket", "product", "day", "quantity"})
"""The fields from which habits are learned."""


UNPAID = "unpaid_basket"
"""The field of what somebody put into a basket and did not pay for."""


@dataclass(frozen=True)
class LeftBasket:
    """How a basket that was left behind is dealt with."""

    after_minutes: int
    """How long nothing changes in a basket that counts as left."""
    days: int
    """How long it is kept."""
    message: str | None = None
    """The purpose on which a message about it rests; none: it is shown on the website alone."""


@dataclass(frozen=True)
class Reminding:
    """What `reminders.yaml` says."""

    purpose: str
    months: int
    """How far back purchases are looked at."""
    most_certain_percent: int
    """Of a hundred baskets, the most in which one is named: those in which it is most certain."""
    most_a_month: int
    """Reminders to one customer in 30 days."""
    rest_days: int
    """How long an item is not named again to somebody who waved it aside."""
    may: Mapping[str, frozenset[str]]
    """Categories of which people may be reminded, and the types in each of which they may not."""
    left: LeftBasket | None = None
    """None: no basket of the website is kept."""
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)

    @property
    def needed(self) -> frozenset[str]:
        """The fields that reminders look at."""
        return NEEDED | {UNPAID} if self.left is not None else NEEDED

    def allows(self, category: str, kind: str) -> bool:
        """Whether an item of a category and type may be named."""
        return category in self.may and kind not in self.may[category]


def build(document: Document | None) -> Reminding | None:
    """The values of `reminders.yaml`."""
    if document is None:
        return None
    data: Mapping[str, Any] = document.data
    never: Mapping[str, list[str]] = data.get("except", {})
    return Reminding(
        purpose=data["purpose"],
        months=data["months"],
        most_certain_percent=data["most_certain_percent"],
        most_a_month=data["most_a_month"],
        rest_days=data["rest_days"],
        may={category: frozenset(never.get(category, ())) for category in data["categories"]},
        left=LeftBasket(**data["left_basket"]) if "left_basket" in data else None,
        source=Source(document.file, 1, document.keys()),
    )
