"""Campaigns over HTTP: for whoever sends or shows one, and for a dashboard of the house. Scope `campaigns`.

    GET  /v1/campaigns                       every campaign, oldest first
    GET  /v1/campaigns/{campaign}            one, with its result and the guidelines' disclosure list once it is measured
    POST /v1/campaigns/{campaign}/sides      {"cards": […]}; who is to get it (`reached`) and who must not (`held`)

Exact figures stay in the house, and so does this scope. Nobody by a card, and somebody who takes no part, are both null: they may
get it as far as its own purpose allows. Planning, launching and measuring are for named people, by command or on the staff's pages.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from volens.campaigns.telling import disclosure
from volens.campaigns.workflow import MEASURED
from volens.errors import BadInput, NotFound
from volens.web.given import AnyRequest, TheHouse
from volens.web.machines.body import Body
from volens.web.visitor import with_scope

ASKED_MOST = 1_000
KINDS = {"cards": "card", "emails": "email", "references": "reference"}
LANGUAGES = ("fr", "en")


class People(Body):
    """Some of `cards`, `emails` and `references`, at most a thousand together."""

    cards: list[str] = msgspec.field(default_factory=list)
    emails: list[str] = msgspec.field(default_factory=list)
    references: list[str] = msgspec.field(default_factory=list)


@get("/v1/campaigns", guards=[with_scope("campaigns")], sync_to_thread=True)
def all_of_them(house: TheHouse) -> dict[str, Any]:
    """Every campaign, oldest first."""
    return {"campaigns": [one.to_dict() for one in house.campaigns.all()]}


@get("/v1/campaigns/{campaign:str}", guards=[with_scope("campaigns")], sync_to_thread=True)
def one(request: AnyRequest, house: TheHouse, campaign: FromPath[str]) -> dict[str, Any]:
    """One campaign."""
    language = request.query_params.get("language", "en")
    if language not in LANGUAGES:
        raise BadInput(f"There is no language {language!r} here.", f"Send one of: {', '.join(LANGUAGES)}.")
    standing = house.campaigns.find(campaign)
    told = {"disclosure": disclosure(standing, language).as_json()} if standing.state == MEASURED else {}
    return {**standing.to_dict(), **told}


@post("/v1/campaigns/{campaign:str}/sides", guards=[with_scope("campaigns")], exclude_from_csrf=True, sync_to_thread=True,
      status_code=200)  # fmt: skip
def sides(house: TheHouse, data: JSONBody[People], campaign: FromPath[str]) -> dict[str, Any]:
    """On which side each of some people is, of those who permit being measured now."""
    asked = {kind: list(dict.fromkeys(getattr(data, kind))) for kind in KINDS}
    if not 0 < sum(map(len, asked.values())) <= ASKED_MOST:
        raise BadInput("About whom is it asked?", f"Send 1 to {ASKED_MOST:,} of cards, emails and references.")
    drawn = house.campaigns.sides(campaign)
    found: dict[str, dict[str, str | None]] = {}
    for kind, names in asked.items():
        for name in names:
            try:
                number = house.customer(KINDS[kind], name).customer
                side = "reached" if number in drawn.reached else "held" if number in drawn.held else None
            except NotFound:
                side = None
            found.setdefault(kind, {})[name] = side
    return {"campaign": campaign, "sides": found}


ROUTES = (all_of_them, one, sides)
