"""For whoever publishes: which items may be used, one at a time for one place, and what has to come down. Scope `licences`.

    GET  /v1/licences/{offer}/items           what a use may be planned of, for one purpose, medium and territory   200
    POST /v1/licences/{offer}/instead         somebody did what the way without a licence asks for (house alone)   200
    GET  /v1/licence-uses                     what this publisher planned and has out                              200
    POST /v1/licence-uses                     a use is planned, and its person is told                             200
    POST /v1/licence-uses/{use}/item          the bytes, once its person has had her days                          200
    POST /v1/licence-uses/{use}/published     where it is, and since when                                          200
    POST /v1/licence-uses/{use}/down          it is not there any more, with the proof                             200
    POST /v1/licence-uses/{use}/cancel        a planned use does not happen                                        200
    GET  /v1/takedowns                        what has to come down, and until when                                200

A recipient's machine speaks for its recipient, and sees its own uses alone. What may not be handed out is 403, with every reason.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from volens.app import House
from volens.errors import BadInput, Refused
from volens.licensing.station import Placed
from volens.licensing.store import Use
from volens.licensing.takedowns import Proof
from volens.licensing.using import Publisher, Wanted
from volens.web.given import TheHouse, Who
from volens.web.machines.body import Body
from volens.web.visitor import Machine, Visitor, with_scope

SCOPE = "licences"
GUARDS = [with_scope(SCOPE)]
USES = "/v1/licence-uses"


class Plan(Body):
    """One item in one place. `key` is the caller's own: the same again plans nothing twice."""

    offer: str
    item: str
    purpose: str
    medium: str
    territory: str
    place: str
    key: str


class Shown(Body):
    """Where it is, if that is elsewhere than planned, and since when (an instant of RFC 3339; left out: now)."""

    place: str = ""
    at: str = ""


class Gone(Body):
    """What is there now: a web server's status 404 or 410, or words in `note`; and when it was looked at (left out: now)."""

    status: int | None = None
    note: str = ""
    at: str = ""


class Somebody(Body):
    """One of `card`, `email` and `reference`."""

    card: str = ""
    email: str = ""
    reference: str = ""


@get("/v1/licences/{offer:str}/items", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True)
def items(
    house: TheHouse, visitor: Who, offer: FromPath[str], purpose: FromQuery[str], medium: FromQuery[str], territory: FromQuery[str]
) -> dict[str, Any]:
    """Items that may be used so; without their bytes."""
    found = house.licences.usable(_publisher(house, visitor), offer, purpose=purpose, medium=medium, territory=territory)
    return {"items": [{"item": one.item, "kind": one.kind, "since": one.day} for one in found]}


@post("/v1/licences/{offer:str}/instead", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def instead(house: TheHouse, visitor: Who, offer: FromPath[str], data: JSONBody[Somebody]) -> dict[str, Any]:
    """Somebody did what the way without a licence asks for; she has earned it."""
    if _publisher(house, visitor).recipient is not None:
        raise Refused(("only the house says what somebody did",), "Use a key of the house's own.")
    who = [(kind, value) for kind, value in msgspec.structs.asdict(data).items() if value]
    if len(who) != 1:
        raise BadInput("Who did it?", "Send one of card, email and reference.")
    done = house.licences.giving.done_instead(house.customer(*who[0]).customer, offer)
    return {"offer": offer, "state": done.state}


@get(USES, guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True)
def uses(house: TheHouse, visitor: Who, offer: FromQuery[str] = "") -> dict[str, Any]:
    """What this publisher planned and has out, newest first."""
    return {"uses": [told(one) for one in house.licences.uses(_publisher(house, visitor), offer or None)]}


@post(USES, guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def plan(house: TheHouse, visitor: Who, data: JSONBody[Plan]) -> dict[str, Any]:
    """A use is planned, and its person is told."""
    made = house.licences.using.plan(_publisher(house, visitor), Wanted(**msgspec.structs.asdict(data)))
    return {"use": made.number, "state": made.state}


@post(USES + "/{use:int}/item", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def item(house: TheHouse, visitor: Who, use: FromPath[int]) -> Response[bytes]:
    """The bytes of one item for one use. On record before they leave."""
    _, content, media_type = house.licences.using.hand_over(_publisher(house, visitor), use)
    return Response(content, media_type=media_type)


@post(USES + "/{use:int}/published", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def published(house: TheHouse, visitor: Who, use: FromPath[int], data: JSONBody[Shown]) -> dict[str, Any]:
    """It is up."""
    made = house.licences.using.published(_publisher(house, visitor), use, at=_instant(house, data.at), place=data.place)
    return _state(house, visitor, made)


@post(USES + "/{use:int}/down", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def down(house: TheHouse, visitor: Who, use: FromPath[int], data: JSONBody[Gone]) -> dict[str, Any]:
    """It is down, and this shows it."""
    by = _publisher(house, visitor)
    proof = Proof(_instant(house, data.at), by.machine, data.status, data.note)
    return _state(house, visitor, house.licences.using.down(by, use, proof))


@post(USES + "/{use:int}/cancel", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def cancel(house: TheHouse, visitor: Who, use: FromPath[int]) -> dict[str, Any]:
    """It does not happen."""
    return _state(house, visitor, house.licences.using.cancel(_publisher(house, visitor), use))


@get("/v1/takedowns", guards=GUARDS, exclude_from_csrf=True, sync_to_thread=True)
def takedowns(house: TheHouse, visitor: Who) -> dict[str, Any]:
    """What this publisher has to take down, the most urgent first."""
    return {
        "takedowns": [
            {
                "use": one.use.number, "item": one.use.item, "medium": one.use.medium, "place": one.use.place,
                "reason": one.takedown.reason, "due": one.takedown.due, "overdue": one.overdue,
            }
            for one in house.licences.owed(_publisher(house, visitor))
        ]
    }  # fmt: skip


def told(one: Placed) -> dict[str, Any]:
    """A use as its publisher sees it."""
    use = one.use
    return {
        "use": use.number, "offer": use.offer, "item": use.item, "purpose": use.purpose, "medium": use.medium,
        "territory": use.territory, "place": use.place, "state": use.state, "since": use.since,
        "ready": one.ready.isoformat() if one.ready is not None else None,
        "take_down_by": one.takedown.due if one.takedown is not None and one.takedown.state == "open" else None,
    }  # fmt: skip


def _state(house: House, visitor: Visitor, use: Use) -> dict[str, Any]:
    due = next((one.takedown.due for one in house.licences.owed(_publisher(house, visitor)) if one.use.number == use.number), None)
    return {"use": use.number, "state": use.state, "take_down_by": due}


def _publisher(house: House, visitor: Visitor) -> Publisher:
    assert isinstance(visitor, Machine)  # the guard has seen to it
    name = house.programme.recipient(visitor.recipient).legal_name if visitor.recipient is not None else None
    return Publisher(visitor.name, visitor.recipient, name)


def _instant(house: House, said: str) -> datetime:
    if not said:
        return house.clock.now()
    try:
        instant = datetime.fromisoformat(said)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadInput("This is no instant.", "Send it as RFC 3339 has it: 2026-12-24T18:00:00Z.")
    return instant.astimezone(UTC)


ROUTES = (items, instead, uses, plan, item, published, down, cancel, takedowns)
