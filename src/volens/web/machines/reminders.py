"""For the checkout: what is missing from a basket, and what came of saying so. Scope `reminders`.

    POST /v1/reminders          at most one reminder, or null                             200
    POST /v1/reminders/heard    what came of one; the same again is harmless              200

Nobody by that card, somebody who does not permit, somebody new, and somebody who forgot nothing: the same answer, null.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from litestar import post
from litestar.params import JSONBody

from volens.errors import BadInput
from volens.reminding.shown import shown
from volens.web.given import TheHouse
from volens.web.visitor import with_scope

LINES_MOST = 2_000
LANGUAGES = ("fr", "en")


@dataclass
class Basket:
    """One of `card`, `email` and `reference`; what the shop calls the basket; its products by SKU; those that cannot be had."""

    basket: str
    skus: list[str]
    card: str = ""
    email: str = ""
    reference: str = ""
    without: list[str] = field(default_factory=list)
    language: str = "fr"


@dataclass
class Heard:
    """`added`, `aside` (not now), `never` (not this again) or `stop` (no reminders at all)."""

    reminder: str
    what: str
    language: str = "fr"


@post("/v1/reminders", guards=[with_scope("reminders")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def missing(house: TheHouse, data: JSONBody[Basket]) -> dict[str, Any]:
    """The one thing to name, or null."""
    who = [(kind, value) for kind, value in (("card", data.card), ("email", data.email), ("reference", data.reference)) if value]
    if len(who) != 1:
        raise BadInput("Whose basket is it?", "Send one of card, email and reference.")
    if len(data.skus) > LINES_MOST or len(data.without) > LINES_MOST:
        raise BadInput(f"A basket has at most {LINES_MOST:,} lines.", "Send each product once.")
    if data.language not in LANGUAGES:
        raise BadInput(f"There is no language {data.language!r} here.", f"Send one of: {', '.join(LANGUAGES)}.")
    reminders = house.reminders
    said = reminders.remind(reminders.basket(who[0], data.basket, data.skus, data.without))
    return {"reminder": shown(reminders, said, data.language)}


@post("/v1/reminders/heard", guards=[with_scope("reminders")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def heard(house: TheHouse, data: JSONBody[Heard]) -> dict[str, Any]:
    """What came of a reminder."""
    house.reminders.hear(data.reminder, data.what, language=data.language)
    return {"heard": data.what}


ROUTES = (missing, heard)
