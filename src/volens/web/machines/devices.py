"""What apps and servers send about devices. The device signs with its own key, or a machine calls with the scope `devices`.

    POST /v1/devices           a machine registers a device for a card or an e-mail        201
    POST /v1/devices/reports   what a device allows                                        200
    POST /v1/devices/events    what a device sends: judged, counted, handed on             202 · 403 · 207 for several
"""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.params import RawBody

from volens.devices.registry import Newcomer
from volens.devices.signing import not_its_word, read_key
from volens.devices.station import BODY_BYTES_MAX, EVENTS, REPORTS, fields_of
from volens.errors import BadInput
from volens.gate.policy import Verdict
from volens.web.given import AnyRequest, TheHouse
from volens.web.visitor import Machine, with_scope

SIGNATURE = "volens-signature"
SCOPE = "devices"


def by_machine(request: AnyRequest, house: TheHouse, route: str, body: bytes) -> bool:
    """True for a machine with the scope, false for a device that signed this; `Refused` for anybody else."""
    signature = request.headers.get(SIGNATURE)
    if signature is not None:
        house.devices.signed_by_device(route, body, signature)
        return False
    visitor = request.app.state.recognise(request)
    if not isinstance(visitor, Machine) or SCOPE not in visitor.scopes:
        raise not_its_word()
    return True


@post("/v1/devices", exclude_from_csrf=True, guards=[with_scope(SCOPE)], sync_to_thread=True)
def register(house: TheHouse, body: RawBody) -> Response[dict[str, str]]:
    """Adds a device to the account of a card or an e-mail."""
    said = fields_of(body, "card", "email", "app", "platform", "label", "app_version", "public_key")
    if bool(said["card"]) == bool(said["email"]):
        raise BadInput("Whose device is it?", "Name its owner by `card` or by `email`.")
    found = house.customer("card" if said["card"] else "email", said["card"] or said["email"])
    key = read_key(said["public_key"]) if said["public_key"] else None
    new = Newcomer(said["app"], said["platform"], said["label"], said["app_version"], key)
    return Response({"device": house.devices.register(found.customer, new, account=found.account)}, status_code=201)


@post(REPORTS, exclude_from_csrf=True, sync_to_thread=True)
def report(request: AnyRequest, house: TheHouse, body: RawBody) -> Response[dict[str, int]]:
    """What a device says it allows."""
    by_machine(request, house, REPORTS, body)
    return Response({"new": house.devices.report(body)}, status_code=200)


@post(EVENTS, exclude_from_csrf=True, request_max_body_size=BODY_BYTES_MAX, sync_to_thread=True)
def send(request: AnyRequest, house: TheHouse, body: RawBody) -> Response[dict[str, Any]]:
    """Something that a device sends: let through as its owner permits, at this instant."""
    arrived = house.devices.send(body, signed=not by_machine(request, house, EVENTS, body))
    results = [_said(one) for one in arrived.verdicts]
    about = {"position": arrived.position, "handed_on": arrived.handed_on}
    if arrived.several:
        return Response(
            {**about, "accepted": arrived.accepted, "refused": len(results) - arrived.accepted, "results": results}, status_code=207
        )
    return Response({**about, **results[0]}, status_code=202 if results[0]["accepted"] else 403)


def _said(verdict: Verdict) -> dict[str, Any]:
    return {"accepted": verdict.allowed, "reasons": list(verdict.reasons)}


ROUTES = (register, report, send)
