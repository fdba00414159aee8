"""What was done for an offer, reported by the house's own machines. Scope `acts`.

    POST /v1/acts                   an order, a download or a survey; once by its key        200
    POST /v1/acts/undone            it did not stand: a refund, a return                      200
    GET  /v1/offers/{offer}/open    whether people in a country can join now, or why not      200

Referrals have an address of their own: a friend is not an act that somebody reports of herself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody

from volens.errors import BadInput
from volens.web.given import TheHouse
from volens.web.visitor import with_scope

KINDS = ("order", "download", "survey")


@dataclass
class Done:
    """Exactly one of `card`, `email` and `reference`."""

    offer: str
    kind: str
    key: str
    """The act's own number, for example of the order: it counts once."""
    at: str
    """With its time zone."""
    card: str = ""
    email: str = ""
    reference: str = ""


@dataclass
class Undone:
    """An act that was reported, by its key."""

    offer: str
    key: str
    why: str = "returned"
    """`returned`, `cancelled` or `mistake`: its person reads the sentence, if a reward falls away by it."""


@post("/v1/acts", guards=[with_scope("acts")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def acted(house: TheHouse, data: JSONBody[Done]) -> dict[str, Any]:
    """Counts an act, or says why it does not count. Who takes part in nothing and who is unknown get the same answer."""
    who = [(kind, value) for kind, value in (("card", data.card), ("email", data.email), ("reference", data.reference)) if value]
    if len(who) != 1:
        raise BadInput("Who did it?", "Send exactly one of card, email and reference.")
    if data.kind not in KINDS:
        raise BadInput(f"{data.kind!r} is nothing that is reported here.", f"Send one of: {', '.join(KINDS)}.")
    try:
        at = datetime.fromisoformat(data.at)
    except ValueError:
        raise BadInput("When was it done?", "Send `at` as 2026-12-03T10:15:00+01:00.") from None
    done = house.offering.acted(who[0], data.offer, data.key, kind=data.kind, at=at)
    return done.to_dict()


@post("/v1/acts/undone", guards=[with_scope("acts")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def undone(house: TheHouse, data: JSONBody[Undone]) -> dict[str, Any]:
    """Takes an act back. What was paid stays paid: then only staff are told."""
    one = house.offering.undone(data.offer, data.key, data.why)
    return {"done": one.done, "times": one.times, "state": one.state}


@get("/v1/offers/{offer:str}/open", guards=[with_scope("acts")], exclude_from_csrf=True, sync_to_thread=True)
def open_in(house: TheHouse, offer: FromPath[str], country: FromQuery[str]) -> dict[str, Any]:
    """Whether people in a country can join, with every reason why not."""
    verdict, newest = house.offering.open_in(offer, country), house.offering.newest(offer)
    return {
        "offer": offer, "country": country, "version": newest.version if newest else None, "open": verdict.ok,
        "reasons": [one.to_dict() for one in verdict.reasons],
    }  # fmt: skip


ROUTES = (acted, undone, open_in)
