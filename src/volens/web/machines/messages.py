"""For the tools that send: before each message, or each batch, whether it may go now; and what came back. Scope `messages`.

    POST /v1/messages            {"messages": [ … ], "addresses": false}     an answer for each, in their order           200
    POST /v1/baskets/messages    {"addresses": false}                        messages about baskets left behind            200
    POST /v1/messages/suppress   {"reports": [ … ]}                          how many were taken, known here or not       200

A recipient's machine carries for its recipient. Somebody unknown, somebody who does not permit, somebody who has had enough: the
same answer, `{"send": false}`. Keys are apart for each recipient.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import post
from litestar.params import JSONBody

from volens.app.baskets import write_about_baskets
from volens.messaging.message import Caller, read
from volens.messaging.noes import read as read_reports
from volens.messaging.sending import LEAVES_WITHIN_SECONDS
from volens.web.given import TheHouse, Who
from volens.web.machines.body import Body
from volens.web.visitor import Machine, Visitor, with_scope


class Batch(Body):
    """Messages as `volens.messaging.message` describes them; with `addresses`, where each person is reached."""

    messages: list[dict[str, Any]]
    addresses: bool = False


class Reports(Body):
    """Addresses or people that are not to be written to."""

    reports: list[dict[str, Any]]


@post("/v1/messages", guards=[with_scope("messages")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def send(house: TheHouse, visitor: Who, data: JSONBody[Batch]) -> dict[str, Any]:
    """The decision on each message, at the door."""
    asked = house.clock.now()
    answers = house.messages.send(read(data.messages), _caller(visitor), addresses=data.addresses)
    until = asked + timedelta(seconds=LEAVES_WITHIN_SECONDS)
    return {"messages": [one.to_dict() for one in answers], "send_before": until.isoformat(timespec="seconds")}


class AboutBaskets(Body):
    """With `addresses`, where each person is reached."""

    addresses: bool = False


@post("/v1/baskets/messages", guards=[with_scope("messages")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def about_baskets(house: TheHouse, visitor: Who, data: JSONBody[AboutBaskets]) -> dict[str, Any]:
    """The messages about baskets left behind that may go now, each with its basket; each once."""
    asked = house.clock.now()
    told = write_about_baskets(house.reminders, house.messages, _caller(visitor), addresses=data.addresses)
    until = asked + timedelta(seconds=LEAVES_WITHIN_SECONDS)
    return {"messages": [one.to_dict() for one in told], "send_before": until.isoformat(timespec="seconds")}


@post("/v1/messages/suppress", guards=[with_scope("messages")], exclude_from_csrf=True, sync_to_thread=True, status_code=200)
def suppress(house: TheHouse, visitor: Who, data: JSONBody[Reports]) -> dict[str, Any]:
    """Complaints, objections and bounces."""
    return {"taken": house.messages.suppress(read_reports(data.reports), _caller(visitor))}


ROUTES = (send, about_baskets, suppress)


def _caller(visitor: Visitor) -> Caller:
    assert isinstance(visitor, Machine)  # the guard has seen to it
    return Caller(visitor.name, visitor.recipient)
