"""Licences, for data protection and marketing: how many stand, what has to come down and until when, and saying that it is down."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens.errors import BadInput
from volens.offers.terms import named
from volens.publishing.workflow import DPO, MARKETING
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import of_staff

HOME = "/staff/licences"


@get(HOME, guards=[of_staff(MARKETING, DPO, "auditor")], sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """What stands, and what is owed to people, the most urgent first. Nobody is named, and nothing of hers is shown."""
    found: Template = staff_page(
        request, visitor, "licences.html", counts=house.licences.counts(), owed=house.licences.owed(), named=named
    )
    return found


@post(HOME + "/{use:int}/down", guards=[of_staff(MARKETING, DPO)], sync_to_thread=True)
def down(house: TheHouse, visitor: Who, data: Form, use: FromPath[int]) -> Redirect:
    """Somebody looked, and it is not there any more."""
    person, status = acting(visitor, data.get("role", "")), data.get("status", "").strip()
    if status and not (status.isascii() and status.isdigit() and len(status) == 3):
        raise BadInput("This is no answer of a web server.", "Write 404 or 410, or leave it empty and say what is there now.")
    house.licences.done(
        use, at=house.clock.now(), by=person.name, status=int(status) if status else None, note=data.get("note", "")
    )
    house.checkpoint()
    return Redirect(f"{HOME}?fait=licence-down", status_code=303)


ROUTES = (overview, down)
