"""Changes over HTTP: what a follower has to know, what it has dealt with, and the whole set to begin from.

    GET  /v1/changes?after=CURSOR&limit=500&wait=30     scope `changes`; without `after`, from what it has acknowledged
    POST /v1/changes/ack     {"cursor": "…"}             scope `changes`
    POST /v1/permitted       {"purpose": "…", "format": "csv"}    scope `export`; the set passes the door and is on record

A machine is the follower of its own name (`volens followers add`), and acts for the same recipient.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody, Parameter
from litestar.status_codes import HTTP_200_OK

from volens.app import House
from volens.errors import BadInput, Refused
from volens.followers.export import PermittedSet
from volens.followers.feed import PAGE, PAGE_MOST
from volens.followers.station import Given
from volens.web.given import TheHouse, Who
from volens.web.visitor import Machine, Visitor, with_scope

WAIT_SECONDS_MOST = 30
LOOK_SECONDS = 0.5
MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
SHUT = {"exclude_from_csrf": True}
Said = JSONBody[dict[str, Any]]


@get("/v1/changes", guards=[with_scope("changes")], opt=SHUT)
async def changes(
    house: TheHouse,
    visitor: Who,
    after: Annotated[str | None, Parameter(max_length=100)] = None,
    limit: Annotated[int, Parameter(ge=1, le=PAGE_MOST)] = PAGE,
    wait: Annotated[int, Parameter(ge=0, le=WAIT_SECONDS_MOST)] = 0,
) -> dict[str, Any]:
    """The next page. With `wait`, an empty one is answered only after so many seconds."""
    until, name = time.monotonic() + wait, _follower(visitor)
    while True:
        given: Given = await sync_to_thread(_page, house, visitor, name, after, limit)
        if given.page.changes or given.page.resync or time.monotonic() + LOOK_SECONDS > until:
            return given.to_dict()
        after = given.cursor
        await asyncio.sleep(0 if given.page.more else LOOK_SECONDS)


@post("/v1/changes/ack", guards=[with_scope("changes")], opt=SHUT, sync_to_thread=True, status_code=HTTP_200_OK)
def acknowledge(house: TheHouse, visitor: Who, data: Said) -> dict[str, int]:
    """The follower has dealt with everything up to a cursor that it was given."""
    cursor = data.get("cursor")
    if not isinstance(cursor, str):
        raise BadInput("Which cursor?", 'Send {"cursor": "…"}, exactly as it came with the changes.')
    name = _follower(visitor)
    _require_own(house, visitor, name)
    return {"acknowledged": house.followers.acknowledge(name, cursor)}


@post("/v1/permitted", guards=[with_scope("export")], opt=SHUT, sync_to_thread=True, status_code=HTTP_200_OK)
def permitted(house: TheHouse, visitor: Who, data: Said) -> Response[bytes]:
    """Who permits a purpose, as a signed file under the recipient's own pseudonyms."""
    purpose, form = data.get("purpose"), data.get("format", "csv")
    if not isinstance(purpose, str) or form not in MEDIA:
        raise BadInput("Which purpose, in which format?", 'Send {"purpose": "…", "format": "csv"} or "parquet".')
    name = _follower(visitor)
    _require_own(house, visitor, name)
    made: PermittedSet = house.followers.permitted_set(name, purpose)
    headers = {
        "volens-position": str(made.header["position"]),
        "volens-cursor": made.header["cursor"],
        "volens-expires": made.header["expires"],
        "content-disposition": f'attachment; filename="{purpose}.{form}"',
    }
    return Response(made.write(form), media_type=MEDIA[form], headers=headers)


ROUTES = (changes, acknowledge, permitted)


def _page(house: House, visitor: Visitor, name: str, after: str | None, limit: int) -> Given:
    _require_own(house, visitor, name)
    return house.followers.changes(name, after, limit)


def _follower(visitor: Visitor) -> str:
    assert isinstance(visitor, Machine)  # the guard has seen to it
    return visitor.name


def _require_own(house: House, visitor: Visitor, name: str) -> None:
    """A recipient's machine follows for its own recipient alone."""
    assert isinstance(visitor, Machine)
    if visitor.recipient is not None and house.followers.there(name).recipient != visitor.recipient:
        raise Refused(("this key belongs to another recipient",), "Use the key of the recipient that follows.")
