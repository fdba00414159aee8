"""Lists for platforms over HTTP: for the machines of the house that build and upload them, and for platforms that take people off.

    POST /v1/audiences/check                  a definition as JSON    scope `audiences`; what it reads, and what stands against it
    GET  /v1/audiences                                                scope `audiences`; how each stands with who holds its list
    POST /v1/audiences/{audience}/build       {}                      scope `audiences`; the first door
    POST /v1/audiences/{audience}/hand-over   {}                      scope `audiences`; the second door, answered by the file
    GET  /v1/removals                                                 scope `removals`; what is not acknowledged yet
    GET  /v1/removals/{removal}                                       scope `removals`; the file of one
    POST /v1/removals/ack                     {"removal": …}          scope `removals`; these people are off the list

A recipient's machine sees and acknowledges its own removals alone. Who acts is the machine, by its name, on record.
"""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from volens.audiences.definition import read
from volens.errors import BadInput, Refused
from volens.web.given import TheHouse, Who
from volens.web.visitor import Machine, Visitor, with_scope

SHUT = {"exclude_from_csrf": True}
CSV = "text/csv; charset=utf-8"
Said = JSONBody[dict[str, Any]]


@post("/v1/audiences/check", guards=[with_scope("audiences")], opt=SHUT, sync_to_thread=True, status_code=HTTP_200_OK)
def check(house: TheHouse, data: Said) -> dict[str, Any]:
    """Everything that stands against a definition. Reads no purchases."""
    return house.audiences.check(read(data)).to_dict()


@get("/v1/audiences", guards=[with_scope("audiences")], opt=SHUT, sync_to_thread=True)
def standing(house: TheHouse) -> dict[str, Any]:
    """How each audience stands with who holds its list."""
    return {"audiences": [one.to_dict() for one in house.audiences.removals.standing()]}


@post(
    "/v1/audiences/{audience:str}/build", guards=[with_scope("audiences")], opt=SHUT, sync_to_thread=True,
    status_code=HTTP_200_OK,
)  # fmt: skip
def build(house: TheHouse, visitor: Who, data: Said, audience: FromPath[str]) -> dict[str, Any]:
    """Builds an audience on record."""
    made, sizes = house.audiences.build(audience, by=_name(visitor))
    return {"audience": audience, "seq": made.seq, "position": made.position, "people": sizes.people.about}


@post(
    "/v1/audiences/{audience:str}/hand-over", guards=[with_scope("audiences")], opt=SHUT, sync_to_thread=True,
    status_code=HTTP_200_OK,
)  # fmt: skip
def hand_over(house: TheHouse, visitor: Who, data: Said, audience: FromPath[str]) -> Response[bytes]:
    """Hands over what was built; the file lies where the retailer named, and is the answer."""
    handed = house.audiences.hand_over(audience, by=_name(visitor))
    return _file(house.audiences.file(handed.listed), handed.listed.file, handed.listed.sha256)


@get("/v1/removals", guards=[with_scope("removals")], opt=SHUT, sync_to_thread=True)
def removals(house: TheHouse, visitor: Who) -> dict[str, Any]:
    """What is not acknowledged yet."""
    house.audiences.work()
    found = house.audiences.removals.open(_recipient(visitor))
    return {
        "removals": [
            {"removal": one.removal, "recipient": one.recipient, "people": one.people, "sha256": one.sha256, "since": one.since}
            for one in found
        ]
    }


@get("/v1/removals/{removal:int}", guards=[with_scope("removals")], opt=SHUT, sync_to_thread=True)
def removal_file(house: TheHouse, visitor: Who, removal: FromPath[int]) -> Response[bytes]:
    """The people of one removal, as the platform knows them."""
    one = house.audiences.removals.one(removal)
    if _recipient(visitor) not in (None, one.recipient):
        raise Refused(("this removal is another recipient's",), "Fetch your own: GET /v1/removals")
    return _file(house.audiences.removals.file(removal), one.file, one.sha256)


@post("/v1/removals/ack", guards=[with_scope("removals")], opt=SHUT, sync_to_thread=True, status_code=HTTP_200_OK)
def acknowledge(house: TheHouse, visitor: Who, data: Said) -> dict[str, Any]:
    """The platform has taken these people off."""
    removal = data.get("removal")
    if not isinstance(removal, int) or isinstance(removal, bool):
        raise BadInput("Which removal?", 'Send {"removal": …}, the number that GET /v1/removals gave.')
    done = house.audiences.removals.acknowledge(removal, by=_name(visitor), recipient=_recipient(visitor))
    return {"removal": removal, "acknowledged": done.acknowledged}


ROUTES = (check, standing, build, hand_over, removals, removal_file, acknowledge)


def _file(content: bytes, name: str, sha256: str) -> Response[bytes]:
    headers = {"volens-sha256": sha256, "content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=CSV, headers=headers)


def _name(visitor: Visitor) -> str:
    assert isinstance(visitor, Machine)  # the guard has seen to it
    return visitor.name


def _recipient(visitor: Visitor) -> str | None:
    assert isinstance(visitor, Machine)
    return visitor.recipient
