"""Signing in and out, for customers and for the staff.

1. Going out to the provider is a link, coming back is an address that the provider was told; neither shows a form of ours.
2. Whatever does not fit gives one page that says what to do, and a word in our log. It never says whether somebody is known here.
3. A session's number is in a cookie that no script reads, that goes to this host alone, and not along with forms of other sites.
"""

from __future__ import annotations

import logging

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens.access.oidc import Away
from volens.access.providers import CUSTOMERS, LOOPBACK, STAFF
from volens.access.signing_in import WAIT, here
from volens.doorways.links import GOOD, SIGN_IN, LinkExpired, LinkUnknown, LinkUsed
from volens.errors import NotSignedIn
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.limits import sign_in_limit
from volens.web.page import language_of, page
from volens.web.recognising import cookie_name
from volens.web.visitor import Nobody
from volens.web.visitor import Staff as StaffVisitor

log = logging.getLogger("volens.access")
FIRST = {CUSTOMERS: "/autorisations", STAFF: "/staff"}
DOOR = {CUSTOMERS: "/entrer", STAFF: "/staff/entrer"}
SAID = frozenset({
    "not-there", "question", "state", "expired", "used", "no-card", "unverified", "name", "role", "not-again", "away", "account",
    "link-used", "link-expired", "link-unknown",
})  # fmt: skip
"""Reasons that have words of their own on the page; all others are "it did not work"."""


@get("/entrer", sync_to_thread=True)
def enter(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Where a customer signs in."""
    return _door(request, house, visitor, CUSTOMERS)


@get("/staff/entrer", sync_to_thread=True)
def enter_staff(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Where the staff sign in."""
    return _door(request, house, visitor, STAFF)


@get("/entrer/compte", sync_to_thread=True, middleware=[sign_in_limit])
def go(request: AnyRequest, house: TheHouse) -> Redirect | Template:
    """Out to the retailer's own sign-in."""
    return _go(request, house, CUSTOMERS)


@get("/staff/entrer/compte", sync_to_thread=True, middleware=[sign_in_limit])
def go_staff(request: AnyRequest, house: TheHouse) -> Redirect | Template:
    """Out to the staff's own sign-in."""
    return _go(request, house, STAFF)


@get("/entrer/retour", sync_to_thread=True, middleware=[sign_in_limit])
def back(request: AnyRequest, house: TheHouse) -> Redirect | Template:
    """A customer is back."""
    return _back(request, house, CUSTOMERS)


@get("/staff/entrer/retour", sync_to_thread=True, middleware=[sign_in_limit])
def back_staff(request: AnyRequest, house: TheHouse) -> Redirect | Template:
    """A member of staff is back."""
    return _back(request, house, STAFF)


@get("/connexion/lien/{token:str}", sync_to_thread=True, middleware=[sign_in_limit])
def by_link(request: AnyRequest, house: TheHouse, token: FromPath[str]) -> Template:
    """What a link to sign in opens: a button, since programs look at messages before people do."""
    state = house.doorways.links.state(token, SIGN_IN)
    if state != GOOD:
        return _failed(request, CUSTOMERS, f"link-{state}", "")
    return page(request, "signing/link.html", after=here(request.query_params.get("suite", FIRST[CUSTOMERS])))


@post("/connexion/lien/{token:str}", sync_to_thread=True, middleware=[sign_in_limit])
def enter_by_link(request: AnyRequest, house: TheHouse, token: FromPath[str], data: Form) -> Redirect | Template:
    """Signs in and uses the link up, at once."""
    try:
        begun = house.access.sessions.begin_by_link(
            lambda connection: house.doorways.links.redeem(connection, token, SIGN_IN), former=former(request)
        )
    except (LinkUsed, LinkExpired, LinkUnknown):
        return _failed(request, CUSTOMERS, f"link-{house.doorways.links.state(token, SIGN_IN)}", "")
    except NotSignedIn as error:
        return _failed(request, CUSTOMERS, error.reason, error.what)
    after = here(data.get("suite", ""))
    return signed_in(request, begun.number, after if after != "/" else FIRST[CUSTOMERS])


@post("/sortir", sync_to_thread=True)
def leave(request: AnyRequest, house: TheHouse, visitor: Who, data: Form) -> Redirect:
    """Signs out this browser, or all browsers of whoever it is."""
    number = request.cookies.get(_cookie(request, "session"), "")
    if number and data.get("where") == "everywhere":
        house.access.sessions.end_everywhere(number)
    elif number:
        house.access.sessions.end(number)
    site = STAFF if isinstance(visitor, StaffVisitor) else CUSTOMERS
    gone = Redirect(f"{DOOR[site]}?fait=out", status_code=303)
    gone.set_cookie(_kept(request, "session", "", max_age=0))
    return gone


ROUTES = (enter, enter_staff, go, go_staff, back, back_staff, by_link, enter_by_link, leave)


def signed_in(request: AnyRequest, number: str, after: str) -> Redirect:
    """The answer to somebody who has just signed in: the cookie, and on to where she wanted to go."""
    answer = Redirect(here(after), status_code=303)
    answer.set_cookie(_kept(request, "session", number))
    return answer


def former(request: AnyRequest) -> str:
    """The number of the session that this browser has."""
    return request.cookies.get(_cookie(request, "session"), "")


def _door(request: AnyRequest, house: TheHouse, visitor: Who, site: str) -> Template:
    after = here(request.query_params.get("suite", FIRST[site]))
    return page(
        request, "signing/enter.html", site=site, after=after, first=FIRST[site], door=DOOR[site],
        account=site in house.access.signing_in.sites, known=not isinstance(visitor, Nobody),
    )  # fmt: skip


def _go(request: AnyRequest, house: TheHouse, site: str) -> Redirect | Template:
    try:
        started = house.access.signing_in.start(
            site, redirect=_return(request, house, site), after=request.query_params.get("suite", FIRST[site]),
            again=request.query_params.get("encore") == "1", language=language_of(request),
        )  # fmt: skip
    except Away as error:
        return _failed(request, site, "away", error.what)
    answer = Redirect(started.address, status_code=303)
    answer.set_cookie(_kept(request, "question", started.held, max_age=int(WAIT.total_seconds())))
    return answer


def _back(request: AnyRequest, house: TheHouse, site: str) -> Redirect | Template:
    query = {name: str(value) for name, value in request.query_params.items()}
    held = request.cookies.get(_cookie(request, "question"), "")
    answer: Redirect | Template
    try:
        done = house.access.signing_in.finish(
            site, held, query, redirect=_return(request, house, site), former=former(request)
        )
        answer = signed_in(request, done.session.number, done.after if done.after != "/" else FIRST[site])
    except NotSignedIn as error:
        answer = _failed(request, site, error.reason, error.what)
    except Away as error:
        answer = _failed(request, site, "away", error.what)
    answer.set_cookie(_kept(request, "question", "", max_age=0))
    return answer


def _failed(request: AnyRequest, site: str, reason: str, what: str) -> Template:
    log.warning("sign-in of %s: %s (%s)", site, reason, what)
    status = 503 if reason == "away" else 401
    return page(request, "signing/failed.html", status, reason=reason if reason in SAID else "other", door=DOOR[site], site=site)


def _return(request: AnyRequest, house: TheHouse, site: str) -> str:
    """The address that the provider sends a browser back to. On a developer's machine it is wherever the server listens."""
    base = house.settings.web_address
    if request.app.state.local and request.base_url.hostname in LOOPBACK:
        base = f"{request.base_url.scheme}://{request.base_url.netloc}"
    return f"{base}{DOOR[site]}/retour"


def _cookie(request: AnyRequest, name: str) -> str:
    return cookie_name(name, request.app.state.local)


def _kept(request: AnyRequest, name: str, value: str, max_age: int | None = None) -> Cookie:
    return Cookie(
        key=_cookie(request, name), value=value, path="/", secure=not request.app.state.local, httponly=True, samesite="lax",
        max_age=max_age,
    )  # fmt: skip
