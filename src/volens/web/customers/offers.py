"""Offers, for customers and for everybody: what is asked, what it earns, joining, leaving, what was accepted; the public register.

Rules:
1. Everything but taking part can be read without an account. Joining is one button, and the no beside it is its equal.
2. How far somebody is, is said in whole numbers; a day is a day of the offer that binds her.
3. The terms that are shown are those that are joined under: their version goes with the form.
"""

from __future__ import annotations

import json
import secrets

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens.app import House
from volens.errors import BadInput, NotFound
from volens.offering.letters import counts
from volens.offering.rules import Verdict
from volens.offering.station import Mine
from volens.offering.version_store import Country
from volens.offers.document import Kind, Offer
from volens.offers.terms import Telling
from volens.web.given import AnyRequest, Form, Me, TheHouse, Who
from volens.web.page import language_of, page, serves, words_of
from volens.web.told import token
from volens.web.visitor import Customer, Visitor
from volens.web.words import shown_in

HOME, REGISTER = "/offres", "/programmes"


@get(HOME, sync_to_thread=True)
def listed(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """The offers of a country, and what the reader takes part in."""
    country, mine = _country(house, visitor), _mine(house, visitor)
    found = [(one, _tell(one, request), _why(verdict, where, request)) for one, verdict, where in house.offering.listed(country)]
    told = [(one, _tell(one.offer, request), _counts(one, request)) for one in mine]
    open_ones = {one[0].participation.offer: one for one in reversed(told) if one[0].participation.state == "open"}
    listed = {one.id for one, _, _ in found}
    hers = [one for offer, one in open_ones.items() if offer not in listed]
    others = [one for one in told if one not in open_ones.values()]
    ways = _ways(request, house, visitor)
    return page(request, "offers/list.html", found=found, open_ones=open_ones, others=others, hers=hers, ways=ways)


def _ways(request: AnyRequest, house: House, visitor: Visitor) -> list[tuple[str, str]]:
    """Pages of what somebody has of offers: (address, its name)."""
    if not isinstance(visitor, Customer):
        return []
    found = [("/cagnotte", "wallet.title"), ("/mes-images", "licences.title")]
    if house.referring.concerns(visitor.number):
        found.insert(1, ("/mon-invitation", "referring.mine.title"))
    return [one for one in found if serves(request, one[0])]


@get(HOME + "/{offer:str}", sync_to_thread=True)
def shown(request: AnyRequest, house: TheHouse, visitor: Who, offer: FromPath[str]) -> Template:
    """One offer: what is asked, what is earned and when, what it needs to know, its last day, its terms; then the choice."""
    mine = [one for one in _mine(house, visitor) if one.participation.offer == offer]
    newest, country = house.offering.newest(offer), _country(house, visitor)
    one = newest or (mine[0].offer if mine else None)
    if one is None:
        raise NotFound("There is no such offer.", "Look at the list of offers.")
    verdict, where = house.offering.open_in(offer, country), _where(house, offer, country)
    against = house.offering.may_join(visitor.number, one, country) if isinstance(visitor, Customer) else Verdict()
    language, running = language_of(request), [each for each in mine if each.participation.state == "open"]
    told = language if language in one.languages else one.languages[0]
    terms = house.offering.terms(offer, one.version, told)
    return page(
        request, "offers/offer.html", offer=one, tell=_tell(one, request), why=_why(verdict, where, request),
        against=[words_of(request).say(f"offers.against.{code}", age=one.min_age) for code in against.codes],
        mine=[(each, _tell(each.offer, request), _counts(each, request)) for each in mine], running=bool(running),
        terms=shown_in(terms.split("\n", 1)[1], told), terms_language=told, key=secrets.token_hex(16),
        more={
            "invite": one.act.kind == Kind.REFERRAL and serves(request, HOME + "/{offer:str}/parrainage"),
            "licence": one.licence is not None and serves(request, HOME + "/{offer:str}/licence"),
        },
    )  # fmt: skip


@get(HOME + "/{offer:str}/conditions/{version:int}", sync_to_thread=True)
def conditions(
    request: AnyRequest, house: TheHouse, visitor: Who, offer: FromPath[str], version: FromPath[int]
) -> Template:
    """The terms of a version that is or was in force, as they were accepted, for ever."""
    one, language = house.offering.document(offer, version), language_of(request)
    told = language if language in one.languages else one.languages[0]
    terms = house.offering.terms(offer, version, told)
    return page(request, "offers/conditions.html", offer=one, terms=shown_in(terms, told), terms_language=told)


@post(HOME + "/{offer:str}/participer", sync_to_thread=True)
def join(request: AnyRequest, house: TheHouse, me: Me, data: Form, offer: FromPath[str]) -> Redirect:
    """The answer to an offer. A no changes nothing, and nothing is kept of it."""
    if data.get("say") not in ("yes", "no"):
        raise BadInput("The form says neither yes nor no.", "Go back, and choose one.")
    if data["say"] == "no":
        return _back(house, me, HOME, "declined")
    version = data.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 6):
        raise BadInput("The form names no version.", "Load the page again.")
    house.offering.join(
        me.number, offer, country=house.offering.country_of(me.number), language=data.get("language", ""), version=int(version),
        adult=data.get("old_enough") == "yes", key=data.get("key", ""),
    )  # fmt: skip
    return _back(house, me, f"{HOME}/{offer}", "joined")


@post(HOME + "/{offer:str}/quitter", sync_to_thread=True)
def leave(house: TheHouse, me: Me, data: Form, offer: FromPath[str]) -> Redirect:
    """Ends what she had begun."""
    house.offering.leave(me.number, _number(data))
    return _back(house, me, f"{HOME}/{offer}", "left")


@post(HOME + "/{offer:str}/avis", sync_to_thread=True)
def answer(house: TheHouse, me: Me, data: Form, offer: FromPath[str]) -> Redirect:
    """The one question afterwards."""
    if data.get("say") not in ("yes", "no"):
        raise BadInput("The form says neither yes nor no.", "Go back, and choose one.")
    house.offering.answer(me.number, _number(data), data["say"] == "yes")
    return _back(house, me, f"{HOME}/{offer}", "answered")


@get(REGISTER, sync_to_thread=True)
def register(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Every programme that ever was, for everybody."""
    return page(request, "offers/programmes.html", found=house.offering.programmes())


def _number(data: dict[str, str]) -> int:
    said = data.get("participation", "")
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise BadInput("The form names no participation.", "Load the page again.")
    return int(said)


def _back(house: House, me: Customer, where: str, told: str) -> Redirect:
    return Redirect(f"{where}?fait={token(house, me.number, told)}", status_code=303)


def _country(house: House, visitor: Visitor) -> str:
    return house.offering.country_of(visitor.number) if isinstance(visitor, Customer) else house.programme.country


def _mine(house: House, visitor: Visitor) -> list[Mine]:
    return house.offering.mine(visitor.number) if isinstance(visitor, Customer) else []


def _where(house: House, offer: str, country: str) -> Country | None:
    return next((one for one in house.offering.countries(offer) if one.country == country), None)


def _tell(offer: Offer, request: AnyRequest) -> Telling:
    """How figures and days of an offer are said in the page's language."""
    return Telling(offer, language_of(request))


def _counts(one: Mine, request: AnyRequest) -> str:
    """What counts for somebody while her offer is stopped; empty while it is not."""
    if one.where is None or one.where.state not in ("suspended", "resuming", "ended") or one.participation.state == "ended":
        return ""
    return counts(language_of(request), one.participation, one.offer, one.where)


def _why(verdict: Verdict, where: Country | None, request: AnyRequest) -> list[str]:
    """Why nobody can join now, in the reader's words; the reason of a stop as staff gave it."""
    words, found = words_of(request), list[str]()
    for one in verdict.reasons:
        values = {name: words.day(day) for name, day in one.says.items() if day}
        found.append(words.say(f"offers.why.{one.code}", country=words.country(where.country) if where else "", **values))
        if where is not None and one.code in ("suspended", "ended"):
            reason = json.loads(where.reason)
            said = reason.get(words.language) or next(iter(reason.values()), "")
            found.append(words.say("offers.why.reason", reason=said))
    return found


ROUTES = (listed, shown, conditions, join, leave, answer, register)
