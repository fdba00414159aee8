"""Without an account: the short address, the single-use link, and whether a message is true. With one: what others refused, the
page of the year, by which channel one is told.

Rules:
1. Opening an address changes nothing; a form does. The address itself, or the link's token, is what the form is known by, so that
   it works in a browser that keeps no cookie.
2. The page behind a code is the same for every code that the house made. Who asks for a link gets the same page, whoever they are.
3. What can be tried many times is counted per caller's address.
"""

from __future__ import annotations

from litestar import get, post
from litestar.middleware.rate_limit import DurationUnit, RateLimitConfig
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens.access.signing_in import here
from volens.doorways.links import EXPIRED, GOOD, REFUSE, SIGN_IN, USED, LinkExpired, LinkUnknown, LinkUsed
from volens.doorways.refusing import EVERYTHING
from volens.doorways.station import Ended, NotOurs
from volens.errors import BadInput
from volens.web.customers.centre import back
from volens.web.given import AnyRequest, Form, Me, TheHouse
from volens.web.page import language_of, page

FRONT = "/"
OTHERS = "/autorisations/dit-par-d-autres"
YEAR = "/autorisations/mon-annee"
LIMITS: dict[str, tuple[DurationUnit, int]] = {"no": ("minute", 30), "links": ("minute", 10), "true": ("minute", 20)}
"""What one address may call, each apart."""
CHANNELS = ("email", "sms", "none")


def at_most(name: str) -> RateLimitConfig:
    """The limit of one kind of page."""
    return RateLimitConfig(rate_limit=LIMITS[name], store=f"limit-{name}", set_rate_limit_headers=False)


no_limit, links_limit, true_limit = (at_most(name).middleware for name in LIMITS)


@get("/n/{code:str}", sync_to_thread=True, middleware=[no_limit])
def no(request: AnyRequest, house: TheHouse, code: FromPath[str]) -> Template:
    """What a short address opens: refuse, and nothing else."""
    if not house.doorways.ours(code):
        return page(request, "doorways/not-ours.html", 404, why="not-ours")
    return page(request, "doorways/no.html", groups=house.doorways.groups, action=request.url.path)


@post("/n/{code:str}", sync_to_thread=True, exclude_from_csrf=True, status_code=200, middleware=[no_limit])
def say_no(request: AnyRequest, house: TheHouse, code: FromPath[str], data: Form) -> Template:
    """The no. In force when the page answers; a second tap changes nothing."""
    what = data.get("what", EVERYTHING)
    try:
        house.doorways.refuse(code, what, language=language_of(request))
    except NotOurs:
        return page(request, "doorways/not-ours.html", 404, why="not-ours")
    except Ended:
        return page(request, "doorways/not-ours.html", 410, why="ended")
    return page(request, "doorways/done.html", what=what)


@get("/lien", sync_to_thread=True)
def link_form(request: AnyRequest) -> Template:
    """Where a link is asked for."""
    return page(request, "doorways/ask.html", purpose=REFUSE, wrong=False)


@post("/lien", sync_to_thread=True, status_code=200, middleware=[links_limit])
def ask_link(request: AnyRequest, house: TheHouse, data: Form) -> Template:
    """The same answer for everybody, in the same time."""
    value, by = data.get("who", ""), data.get("by", "email")
    purpose = SIGN_IN if data.get("purpose") == SIGN_IN else REFUSE
    after = here(data.get("suite", "")) if purpose == SIGN_IN else FRONT
    try:
        house.doorways.links.ask(
            "email" if "@" in value else "card", value, purpose, language_of(request), by=by, after=after if after != FRONT else "",
        )  # fmt: skip
    except BadInput:
        return page(request, "doorways/ask.html", 400, purpose=purpose, wrong=True)
    return page(request, "doorways/asked.html")


@get("/lien/{token:str}", sync_to_thread=True, middleware=[no_limit])
def by_link(request: AnyRequest, house: TheHouse, token: FromPath[str]) -> Template:
    """What a link opens: the same page as a short address."""
    state = house.doorways.links.state(token, REFUSE)
    if state != GOOD:
        why = {EXPIRED: "expired", USED: "used"}.get(state, "unknown-link")
        return page(request, "doorways/not-ours.html", 404 if why == "unknown-link" else 410, why=why)
    return page(request, "doorways/no.html", groups=house.doorways.groups, action=request.url.path)


@post("/lien/{token:str}", sync_to_thread=True, exclude_from_csrf=True, status_code=200, middleware=[no_limit])
def say_no_by_link(request: AnyRequest, house: TheHouse, token: FromPath[str], data: Form) -> Template:
    """The no, and the end of the link, at once."""
    what = data.get("what", EVERYTHING)
    try:
        house.doorways.refuse_by_link(token, what, language=language_of(request))
    except LinkUsed:
        return page(request, "doorways/not-ours.html", 410, why="used")
    except LinkExpired:
        return page(request, "doorways/not-ours.html", 410, why="expired")
    except LinkUnknown:
        return page(request, "doorways/not-ours.html", 404, why="unknown-link")
    return page(request, "doorways/done.html", what=what)


@get("/true-or-false", sync_to_thread=False)
def true_or_false() -> Redirect:
    """The same page in English."""
    return Redirect("/vrai-ou-faux?langue=en", status_code=303)


@get("/vrai-ou-faux", sync_to_thread=True)
def check_form(request: AnyRequest) -> Template:
    """Where a message's code is looked up."""
    return page(request, "doorways/true.html", asked=False, found=None)


@post("/vrai-ou-faux", sync_to_thread=True, status_code=200, middleware=[true_limit])
def check(request: AnyRequest, house: TheHouse, data: Form) -> Template:
    """Whether the house sent a message with this code; nothing about whom."""
    return page(request, "doorways/true.html", asked=True, found=house.delivery.recognise(data.get("code", "")[:40]))


@get(OTHERS, sync_to_thread=True)
def others(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """What was refused through an address or by somebody else, each with the one step that puts it back."""
    return page(
        request, "doorways/others.html", found=house.doorways.refused_by_links(me.number),
        addresses=house.doorways.of(me.number), channel=house.delivery.channel_of(me.number), channels=CHANNELS,
    )  # fmt: skip


@post(f"{OTHERS}/remettre", sync_to_thread=True)
def put_back(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Redirect:
    """Puts back what stood before."""
    seqs = [int(one) for one in data.get("seqs", "").split(",") if one.isdigit()]
    restored = house.doorways.undo(me.number, seqs, language=language_of(request))
    told = "anew" if restored.ask_anew else "back" if restored.seqs else "nothing"
    return back(house, me, OTHERS, told)


@post(f"{OTHERS}/nouvelle-adresse", sync_to_thread=True)
def renew(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Redirect:
    """Ends the addresses on old paper."""
    house.doorways.renew(me.number)
    return back(house, me, OTHERS, "renewed")


@post(f"{OTHERS}/canal", sync_to_thread=True)
def channel(request: AnyRequest, house: TheHouse, me: Me, data: Form) -> Redirect:
    """By which channel the customer is told."""
    house.delivery.choose_channel(me.number, data.get("channel", ""))
    return back(house, me, OTHERS, "channel")


@get(YEAR, sync_to_thread=True)
def year(request: AnyRequest, house: TheHouse, me: Me) -> Template:
    """The page of the year, to read or to print."""
    language = language_of(request)
    first = next(iter(house.doorways.of(me.number)), None)
    return page(request, "doorways/year.html", shown=house.doorways.yearly.shown(me.number, language), doorway=first)


ROUTES = (
    no, say_no, link_form, ask_link, by_link, say_no_by_link, true_or_false, check_form, check, others, put_back, renew, channel,
    year,
)  # fmt: skip
