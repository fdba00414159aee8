"""The desk helps somebody: what one customer permits, shown to a named member of staff, who says why and whom she sees for it.

The look is on record before anything is shown (`access.staff.read`), and stands on the customer's own page.
"""

from __future__ import annotations

from collections.abc import Sequence

from litestar import get, post
from litestar.response import Redirect, Template

from volens.access.staff import NOTE_CHARACTERS_MAX, REASONS
from volens.centre.standing import Group
from volens.errors import BadInput, NotFound
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.staff.acting import staff_page
from volens.web.visitor import Staff, Visitor, of_staff

HERE = "/staff/client"
GUARDS = [of_staff("support", "dpo")]
ANYBODY = [of_staff("marketing", "data", "dpo", "support", "auditor")]


@get("/staff", guards=ANYBODY, sync_to_thread=False)
def first(visitor: Who) -> Redirect:
    """The page where one's work is."""
    support = isinstance(visitor, Staff) and visitor.roles <= {"support"}
    return Redirect(HERE if support else "/staff/texts", status_code=303)


@get(HERE, guards=GUARDS, sync_to_thread=True)
def ask(request: AnyRequest, visitor: Who) -> Template:
    """Whom, and why."""
    return _page(request, visitor)


@post(HERE + "/voir", guards=GUARDS, sync_to_thread=True, status_code=200)
def look(request: AnyRequest, house: TheHouse, visitor: Who, data: Form) -> Template:
    """What she permits, after the look is on record."""
    if not isinstance(visitor, Staff):
        raise NotFound("There is no such page.", "Sign in as staff.")
    card, reason, note = data.get("card", "").strip(), data.get("reason", ""), data.get("note", "")
    if reason not in REASONS or len(note) > NOTE_CHARACTERS_MAX:
        return _page(request, visitor, 400, wrong="reason" if reason not in REASONS else "note", card=card)
    try:
        customer = house.customer("card", card).customer
    except (BadInput, NotFound):
        return _page(request, visitor, 404, wrong="card", card=card, reason=reason)
    house.access.staff.read(house.access.staff.member(int(visitor.id)), customer, reason, note)
    return _page(request, visitor, card=card, reason=reason, groups=house.centre.groups(customer))


def _page(
    request: AnyRequest, visitor: Visitor, status: int = 200, *, wrong: str = "", card: str = "", reason: str = "",
    groups: Sequence[Group] = (),
) -> Template:  # fmt: skip
    answer: Template = staff_page(
        request, visitor, "client.html", status, reasons=REASONS, wrong=wrong, card=card, reason=reason, groups=groups
    )
    return answer


ROUTES = (first, ask, look)
