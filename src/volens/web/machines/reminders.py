"""For the checkout: what is missing from a basket, and what came of saying so. Scope `reminders`.

    POST /v1/reminders          at most one reminder, or null                             200
    POST /v1/reminders/heard    what came of one; the same again is harmless              200
    POST /v1/baskets            what became of a basket: `open`, `paid` or `emptied`      200
    POST /v1/baskets/left       the basket that somebody left behind, once, or null       200

Nobody by that card, somebody who does not permit, somebody new, and somebody who forgot nothing: the same answer, null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import post
from litestar.params import JSONBody

from volens.app import House
from volens.errors import BadInput
from volens.reminding import basket as baskets
from volens.reminding.shown import shown, shown_left
from volens.web.given import TheHouse
from volens.web.machines.body import Body
from volens.web.visitor import with_scope

LINES_MOST = 2_000
LANGUAGES = ("fr", "en")


class Basket(Body):
    """One of `card`, `email` and `reference`; what the shop calls the basket; its products by SKU; those that cannot be had."""

    basket: str
    skus: list[str]
    card: str = ""
    email: str = ""
    reference: str = ""
    without: list[str] = msgspec.field(default_factory=list)
    language: str = "fr"


class Heard(Body):
    """`added`, `aside` (not now), `never` (not this again) or `stop` (no reminders at all)."""

    reminder: str
    what: str
    language: str = "fr"


class Event(Body):
    """As `Basket`, with what became of it."""

    basket: str
    state: str
    skus: list[str] = msgspec.field(default_factory=list)
    card: str = ""
    email: str = ""
    reference: str = ""


class Return(Body):
    """Somebody is back; `basket` is the one that she fills now."""

    basket: str
    card: str = ""
    email: str = ""
    reference: str = ""
    language: str = "fr"


@post("/v1/reminders", guards=[with_scope("reminders")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def missing(house: TheHouse, data: JSONBody[Basket]) -> dict[str, Any]:
    """The one thing to name, or null."""
    _require_language(data.language)
    reminders = house.reminders
    said = reminders.remind(_basket(house, data, data.skus, data.without))
    return {"reminder": shown(reminders, said, data.language)}


@post("/v1/reminders/heard", guards=[with_scope("reminders")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def heard(house: TheHouse, data: JSONBody[Heard]) -> dict[str, Any]:
    """What came of a reminder."""
    house.reminders.hear(data.reminder, data.what, language=data.language)
    return {"heard": data.what}


@post("/v1/baskets", guards=[with_scope("reminders")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def became(house: TheHouse, data: JSONBody[Event]) -> dict[str, Any]:
    """What became of a basket. Nothing is kept of whoever does not permit it; the answer is the same."""
    house.reminders.left.hear(_basket(house, data, data.skus), data.state)
    return {"heard": data.state}


@post("/v1/baskets/left", guards=[with_scope("reminders")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def left(house: TheHouse, data: JSONBody[Return]) -> dict[str, Any]:
    """The basket that was left behind, or null. It is shown once."""
    _require_language(data.language)
    reminders = house.reminders
    return {"left": shown_left(reminders, reminders.left.show(_basket(house, data, ())), data.language)}


ROUTES = (missing, heard, became, left)


def _basket(house: House, data: Basket | Event | Return, skus: Sequence[str], without: Sequence[str] = ()) -> baskets.Basket:
    who = [(kind, value) for kind, value in (("card", data.card), ("email", data.email), ("reference", data.reference)) if value]
    if len(who) != 1:
        raise BadInput("Whose basket is it?", "Send one of card, email and reference.")
    if len(skus) > LINES_MOST or len(without) > LINES_MOST:
        raise BadInput(f"A basket has at most {LINES_MOST:,} lines.", "Send each product once.")
    return house.reminders.basket(who[0], data.basket, skus, without)


def _require_language(language: str) -> None:
    if language not in LANGUAGES:
        raise BadInput(f"There is no language {language!r} here.", f"Send one of: {', '.join(LANGUAGES)}.")
