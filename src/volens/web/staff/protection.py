"""The page of whoever protects the data: who has not confirmed a no in time, which texts are in force, and ending one of them."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens.clock import legal_day
from volens.errors import BadInput
from volens.publishing.workflow import DPO
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import of_staff

HOME = "/staff/protection"


@get(HOME, guards=[of_staff(DPO, "auditor")], sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Who is behind, and what people are asked under."""
    in_force = [one for one in house.publishing.texts() if one.text.id in house.programme.texts and not one.ended]
    found: Template = staff_page(
        request, visitor, "protection.html", overdue=house.followers.overdue(),
        lists=house.audiences.removals.overdue(),
        texts=[(one, house.permissions.standing_under(one.text.id)) for one in in_force],
    )  # fmt: skip
    return found


@get(HOME + "/end/{purpose:str}/{version:int}", guards=[of_staff(DPO)], sync_to_thread=True)
def before_ending(
    request: AnyRequest, house: TheHouse, visitor: Who, purpose: FromPath[str], version: FromPath[int]
) -> Template:
    """What ending a text would end, before it is ended."""
    text = house.programme.text(f"{purpose}/{version}")
    today = legal_day(house.clock.now(), house.programme.country)
    others = [one for one in house.programme.texts_of(purpose) if one.id != text.id and one.stands(today)]
    found: Template = staff_page(
        request, visitor, "end.html", text=text, standing=house.permissions.standing_under(text.id), others=others,
        recipients=[house.programme.recipient(one).legal_name for one in sorted(text.recipients)],
        purpose=house.programme.purpose(purpose),
    )  # fmt: skip
    return found


@post(HOME + "/end/{purpose:str}/{version:int}/confirmed", guards=[of_staff(DPO)], sync_to_thread=True)
def end(house: TheHouse, visitor: Who, data: Form, purpose: FromPath[str], version: FromPath[int]) -> Redirect:
    """Ends one version of a text for everybody: from this moment no yes under it counts."""
    person, text = acting(visitor, DPO), f"{purpose}/{version}"
    if data.get("text") != text:
        raise BadInput("The name of the text is not the one that would end.", "Write it exactly as it stands on the page.")
    today = legal_day(house.clock.now(), house.programme.country)
    house.permissions.invalidate(text, today, why=data.get("why", ""), by=person.name)
    house.checkpoint()
    return Redirect(f"{HOME}?fait=text-ended", status_code=303)


ROUTES = (overview, before_ending, end)
