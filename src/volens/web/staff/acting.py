"""Who of staff acts, and in which role."""

from __future__ import annotations

from typing import Any

from volens.errors import BadInput
from volens.publishing.workflow import ROLES, Person
from volens.web.given import AnyRequest
from volens.web.page import page
from volens.web.visitor import SignInNeeded, Staff, Visitor

MENU = (
    ("/staff/texts", "staff.nav.texts", ("marketing", "dpo", "auditor", "data")),
    ("/staff/figures", "staff.nav.figures", ("marketing", "dpo", "auditor")),
    ("/staff/reminders", "staff.nav.reminders", ("marketing", "dpo", "auditor")),
    ("/staff/campaigns", "campaigns.nav", ("marketing", "dpo", "auditor")),
    ("/staff/audiences", "staff.nav.audiences", ("marketing", "dpo", "auditor")),
    ("/staff/ads", "ads.nav", ("marketing", "dpo", "auditor")),
    ("/staff/referrals", "referring.staff.title", ("marketing", "dpo", "auditor")),
    ("/staff/offers", "offers.staff.nav", ("marketing", "dpo", "auditor")),
    ("/staff/wallet", "wallet.staff.nav", ("marketing", "dpo", "auditor")),
    ("/staff/messages", "messages.nav", ("marketing", "dpo", "auditor")),
    ("/staff/dit-et-fait", "told.nav", ("marketing", "dpo", "auditor")),
    ("/staff/protection", "staff.nav.protection", ("dpo", "auditor")),
    ("/staff/client", "helping.title", ("support", "dpo")),
    ("/staff/papier", "helping.paper", ("support", "dpo")),
)
"""The staff's pages: address, words, and the roles that come in."""


def acting(visitor: Visitor, wanted: str = "") -> Person:
    """The person in one of her roles; the one that she named, if she has several."""
    if not isinstance(visitor, Staff):
        raise SignInNeeded
    hers = [role for role in ROLES if role in visitor.roles and wanted in ("", role)]
    if not hers:
        raise BadInput("You do not act in this role here.", f"Sign in as one of: {', '.join(ROLES)}.")
    return Person(visitor.name, hers[0])


def staff_page(request: AnyRequest, visitor: Visitor, template: str, status: int = 200, **values: Any) -> Any:
    """A page of the staff's site, with the menu of whoever is signed in."""
    roles = visitor.roles if isinstance(visitor, Staff) else frozenset()
    menu = [(address, words) for address, words, of in MENU if roles & set(of)]
    path = template if "/" in template else f"staff/{template}"
    return page(request, path, status, roles=roles, who=visitor, menu=menu, **values)
