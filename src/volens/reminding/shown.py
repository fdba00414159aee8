"""A reminder as pages, programs and the command line show it."""

from __future__ import annotations

from typing import Any

from volens.reminding.basket import Said
from volens.reminding.left import LeftBehind
from volens.reminding.station import Reminders
from volens.reminding.words import why, why_left


def shown(reminders: Reminders, said: Said | None, language: str) -> dict[str, Any] | None:
    """Product, up to two others of its kind that this customer takes, and why; none for no reminder."""
    if said is None:
        return None
    sku, name = reminders.name_of(said.product, language)
    others = [dict(zip(("sku", "name"), reminders.name_of(one, language), strict=True)) for one in said.others]
    return {"reminder": said.reminder, "sku": sku, "name": name, "others": others, "why": why(said, language)}


def shown_left(reminders: Reminders, left: LeftBehind | None, language: str) -> dict[str, Any] | None:
    """A basket that was left behind: its favourite, what else is in it, and when that was; none for none."""
    if left is None:
        return None
    sku, name = reminders.name_of(left.product, language)
    products = [dict(zip(("sku", "name"), reminders.name_of(one, language), strict=True)) for one in left.products]
    return {
        "reminder": left.reminder, "sku": sku, "name": name, "products": products, "day": left.day.isoformat(),
        "why": why_left(left, language),
    }  # fmt: skip
