"""For the shop's pages: what stands in the sponsored slots, why, and what came of it. Scope `ads`.

    POST /v1/ads          up to so many sponsored products for a page or a search     200
    POST /v1/ads/heard    `stop` (none by my purchases) or `hide` (not this again)    200
    GET  /v1/ads/why      why one is there, who pays, and the control beside it       200

Nobody, somebody unknown, a minor, and somebody who refused: what the page has, in the same shape and number as everybody.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody

from volens.errors import BadInput
from volens.sponsored.words import LANGUAGES
from volens.web.given import TheHouse
from volens.web.machines.body import Body
from volens.web.visitor import with_scope

WITHOUT_MOST = 2_000


class Slots(Body):
    """At least one of `page`, `category`, `search` and `product`; at most one of `card`, `email` and `reference`."""

    slots: int
    page: str = ""
    category: str = ""
    search: str = ""
    product: str = ""
    card: str = ""
    email: str = ""
    reference: str = ""
    visit: str = ""
    """A key that the shop draws at random for each visit."""
    without: list[str] = msgspec.field(default_factory=list)
    language: str = "fr"


class Heard(Body):
    """`stop`: none by my purchases; `hide`: not this again, also for the rest of the visit if one is named."""

    impression: str
    what: str
    visit: str = ""
    language: str = "fr"


@post("/v1/ads", guards=[with_scope("ads")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def slots(house: TheHouse, data: JSONBody[Slots]) -> dict[str, Any]:
    """What stands in the slots."""
    who = [(kind, value) for kind, value in (("card", data.card), ("email", data.email), ("reference", data.reference)) if value]
    if len(who) > 1:
        raise BadInput("Whose page is it?", "Send at most one of card, email and reference; none for nobody.")
    if len(data.without) > WITHOUT_MOST:
        raise BadInput(f"At most {WITHOUT_MOST:,} products are left out.", "Send each once.")
    _require(data.language)
    ads = house.sponsored
    page = ads.page(page=data.page, category=data.category, search=data.search, product=data.product)
    shown = ads.decide(page, data.slots, who[0] if who else None, visit=data.visit, without=data.without)
    return {"ads": [ads.tell(one).to_dict(data.language) for one in shown]}


@post("/v1/ads/heard", guards=[with_scope("ads")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def heard(house: TheHouse, data: JSONBody[Heard]) -> dict[str, Any]:
    """What came of an advertisement."""
    house.sponsored.hear(data.impression, data.what, visit=data.visit, language=data.language)
    return {"heard": data.what}


@get("/v1/ads/why", guards=[with_scope("ads")], exclude_from_csrf=True, sync_to_thread=True)
def why(house: TheHouse, impression: FromQuery[str], language: FromQuery[str] = "fr") -> dict[str, Any]:
    """Why an advertisement is there."""
    _require(language)
    return house.sponsored.why(impression).to_dict(language)


def _require(language: str) -> None:
    if language not in LANGUAGES:
        raise BadInput(f"There is no language {language!r} here.", f"Send one of: {', '.join(LANGUAGES)}.")


ROUTES = (slots, heard, why)
