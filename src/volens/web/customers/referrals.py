"""Invitations, for who invites and for who is invited: the link, what remains in whole numbers, what is held and why.

Rules:
1. Opening an invitation changes nothing. Whoever accepts is signed in, and the no beside the yes is its equal.
2. A sponsor copies her link herself; there is no field for anybody's address.
3. Each side sees of the other what `referring.told` lets it see, and nothing of what was bought.
"""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens.app import House
from volens.errors import BadInput, NotFound, NotNow
from volens.offers.document import Uses
from volens.offers.terms import Telling
from volens.referring.accepting import NotForHer
from volens.referring.judging import REVIEW_DAYS
from volens.referring.links import PATH, LinkGone
from volens.referring.rules import BY_ID
from volens.referring.station import KEPT_DAYS
from volens.web.given import AnyRequest, Form, Me, TheHouse, Who
from volens.web.page import language_of, page
from volens.web.told import token
from volens.web.visitor import Customer

MINE = "/mon-invitation"
LOOKS = ("who", "email", "phone", "name", "home", "card", "time", "back")
"""What the rules look at, in the order of the page;"""
OF_ORDERS = {"home", "card"}
"""and what of it they get only if the offer names `orders` among what it uses (`referring.orders`)."""


@get("/offres/{offer:str}/parrainage", sync_to_thread=True)
def sponsor(request: AnyRequest, house: TheHouse, me: Me, offer: FromPath[str]) -> Template:
    """A sponsor's page: her link, and what became of each invitation."""
    return _sponsor(request, house, me, offer)


@post("/offres/{offer:str}/parrainage", sync_to_thread=True)
def make(request: AnyRequest, house: TheHouse, me: Me, data: Form, offer: FromPath[str]) -> Redirect | Template:
    """Makes her link, or changes the first name beside it."""
    try:
        house.referring.link(me.number, offer, shown=data.get("shown", ""))
    except BadInput:
        return _sponsor(request, house, me, offer, 400, wrong=True)
    return _back(house, me, f"/offres/{offer}/parrainage", "linked")


@post("/offres/{offer:str}/parrainage/arreter", sync_to_thread=True)
def stop(house: TheHouse, me: Me, data: Form, offer: FromPath[str]) -> Redirect:
    """Her link leads nowhere any more."""
    house.referring.end_link(me.number, offer)
    return _back(house, me, f"/offres/{offer}/parrainage", "unlinked")


@post("/parrainages/contester", sync_to_thread=True)
def contest(house: TheHouse, me: Me, data: Form) -> Redirect:
    """One of the two says that a rule is wrong."""
    number = data.get("invitation", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise BadInput("The form names no invitation.", "Load the page again.")
    tie = house.referring.contest(me.number, int(number))
    return _back(house, me, MINE if tie.friend == me.number else f"/offres/{tie.offer}/parrainage", "contested")


@get(PATH + "{invitation:str}", sync_to_thread=True)
def invitation(request: AnyRequest, house: TheHouse, visitor: Who, invitation: FromPath[str]) -> Template:
    """What a link opens."""
    return _invitation(request, house, visitor.number if isinstance(visitor, Customer) else None, invitation)


@post(PATH + "{invitation:str}", sync_to_thread=True)
def accept(request: AnyRequest, house: TheHouse, me: Me, data: Form, invitation: FromPath[str]) -> Redirect | Template:
    """The answer to an invitation. Of a no nothing is kept."""
    if data.get("say") not in ("yes", "no"):
        raise BadInput("The form says neither yes nor no.", "Go back, and choose one.")
    if data["say"] == "no":
        return _back(house, me, "/offres", "")
    try:
        house.referring.accept(me.number, invitation)
    except LinkGone:
        return page(request, "referring/gone.html", 404)
    except (NotForHer, NotNow):
        return _invitation(request, house, me.number, invitation, 409)
    return _back(house, me, MINE, "accepted")


@get(MINE, sync_to_thread=True)
def mine(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """The invitation that somebody accepted, and those for which she has a link."""
    return _mine(request, house, me)


@post(MINE + "/prenom", sync_to_thread=True)
def show(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Redirect | Template:
    """The first name that her sponsor may read, or none."""
    try:
        house.referring.show(me.number, data.get("shown", ""))
    except BadInput:
        return _mine(request, house, me, 400, wrong=True)
    return _back(house, me, MINE, "shown")


ROUTES = (sponsor, make, stop, contest, invitation, accept, mine, show)


def _sponsor(request: AnyRequest, house: House, me: Customer, offer: str, status: int = 200, *, wrong: bool = False) -> Template:
    told = house.referring.sponsoring(me.number, offer)
    address = (house.settings.web_address or str(request.base_url)).rstrip("/") + PATH + told.token
    return page(
        request, "referring/sponsor.html", status, sponsoring=told, address=address, wrong=wrong, **_said(request, told.offer)
    )


def _invitation(request: AnyRequest, house: House, number: int | None, token: str, status: int = 200) -> Template:
    try:
        told = house.referring.invitation(token, number)
    except LinkGone:
        return page(request, "referring/gone.html", 404)
    why = BY_ID[told.excluded].hers[language_of(request)] if told.excluded in BY_ID else ""
    return page(request, "referring/invitation.html", status, invited=told, why=why, **_said(request, told.offer))


def _mine(request: AnyRequest, house: House, me: Customer, status: int = 200, *, wrong: bool = False) -> Template:
    told, offers = house.referring.invited(me.number), house.referring.sponsored_offers(me.number)
    if told is None and not offers:
        raise NotFound("You have no invitation.", "Open the link that you were sent.")
    said = _said(request, told.offer if told is not None else offers[0])
    return page(request, "referring/mine.html", status, mine=told, offers=offers, wrong=wrong, **said)


def _said(request: AnyRequest, offer: Any) -> dict[str, Any]:
    """How figures of an offer are said, and the days that stand on these pages."""
    tell = Telling(offer, language_of(request))
    return {
        "amount": tell.amount(offer.reward.amount), "tell": tell, "review_days": REVIEW_DAYS, "kept_days": KEPT_DAYS,
        "looks": [one for one in LOOKS if one not in OF_ORDERS or Uses.ORDERS in offer.act.uses],
    }  # fmt: skip


def _back(house: House, me: Customer, where: str, told: str) -> Redirect:
    return Redirect(f"{where}?fait={token(house, me.number, told)}" if told else where, status_code=303)
