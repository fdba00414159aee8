"""Invitations that are held, for marketing and data protection: what a rule saw, and what a person decides, until when."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens.errors import BadInput
from volens.publishing.workflow import DPO, MARKETING
from volens.referring.deciding import REASON_MAX
from volens.referring.judging import REVIEW_DAYS
from volens.referring.rules import BY_ID, RULES
from volens.referring.states import STATES
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import of_staff

HOME = "/staff/referrals"


@get(HOME, guards=[of_staff(MARKETING, DPO, "auditor")], sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """What waits for a person, the counts of every offer, and the rules."""
    counted = house.referring.counts()
    offers = sorted({offer for offer, _ in counted})
    rows = [(offer, [counted.get((offer, state), 0) for state in STATES]) for offer in offers]
    held = [(tie, [BY_ID[one] for one in tie.seen_by if one in BY_ID]) for tie in house.referring.held()]
    found: Template = staff_page(
        request, visitor, "referrals.html", held=held, rows=rows, states=STATES, rules=RULES, review_days=REVIEW_DAYS,
        reason_max=REASON_MAX,
    )  # fmt: skip
    return found


@post(HOME + "/{invitation:int}", guards=[of_staff(MARKETING, DPO)], sync_to_thread=True)
def decide(house: TheHouse, visitor: Who, data: Form, invitation: FromPath[int]) -> Redirect:
    """One person lets an invitation go, or says that the rule is right; with a reason."""
    person, reason = acting(visitor, data.get("role", "")), data.get("reason", "")
    if data.get("say") == "yes":
        house.referring.release(invitation, by=person.name, reason=reason)
    elif data.get("say") == "no":
        house.referring.refuse(invitation, by=person.name, reason=reason)
    else:
        raise BadInput("The form says no decision.", "Go back, and choose one.")
    house.checkpoint()
    return Redirect(f"{HOME}?fait=referral-{'released' if data['say'] == 'yes' else 'refused'}", status_code=303)


ROUTES = (overview, decide)
