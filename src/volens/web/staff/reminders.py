"""The forgotten item, for marketing: how often a reminder is right, for each choice of how often it speaks, and what came of it."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from volens.errors import NotFound
from volens.web.given import AnyRequest, TheHouse, Who
from volens.web.staff.acting import staff_page
from volens.web.visitor import of_staff


@get("/staff/reminders", guards=[of_staff("marketing", "dpo", "auditor")], sync_to_thread=True)
def reminders(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """What was learned, what each choice would do, which one stands in the programme, and what customers made of it."""
    try:
        told = house.reminders.told
    except NotFound:
        told = None
    found = house.reminders.figures() if told is not None else None
    learned, thresholds, least = found if found is not None else (None, (), 1.0)
    chosen = next((one for one in thresholds if one.chance == least), None)
    page: Template = staff_page(
        request, visitor, "reminders.html", reminding=told, learned=learned, thresholds=thresholds, chosen=chosen,
        came=house.reminders.outcomes(), percent=lambda share: round(100 * share),
    )  # fmt: skip
    return page


ROUTES = (reminders,)
