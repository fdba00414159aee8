"""Offers, for marketing and data protection: proposed, approved by two, opened and stopped by country, and what they bring.

Rules:
1. Whoever is signed in answers for each step, in the role that she acts in.
2. What stands against a document is shown with its rules and articles, before anybody proposes it.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any

import yaml
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect, Template

from volens.app import House
from volens.clock import legal_day
from volens.errors import BadInput
from volens.offering.registry import DOCUMENT_MAX
from volens.offering.version_store import Country, Version
from volens.offers.check import check as checked
from volens.offers.terms import terms
from volens.publishing.workflow import DPO, MARKETING
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.page import language_of
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import Visitor, of_staff
from volens.web.words import shown_in

HOME = "/staff/offers"
GUARDS = [of_staff(MARKETING, DPO)]
LOOKING = [of_staff(MARKETING, DPO, "auditor")]
FIGURES = ("joined", "acts", "done", "ended", "reopened", "late")
WithFile = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
DONE = {"launched": "launched", "suspended": "suspended", "resuming": "resuming", "ended": "ended"}


@get(HOME, guards=LOOKING, sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Every version, every country, figures, and a field for a new document."""
    return _page(request, visitor, house)


@get(HOME + "/value", guards=LOOKING, sync_to_thread=True)
def value(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """What each programme cost by month, and whom it won."""
    purposes = {id: one.plain for id, one in house.programme.purposes.items()}
    found: Template = staff_page(request, visitor, "offers-value.html", months=house.offering.value(), purposes=purposes)
    return found


@get(HOME + "/{offer:str}/{version:int}", guards=LOOKING, sync_to_thread=True)
def shown(request: AnyRequest, house: TheHouse, visitor: Who, offer: FromPath[str], version: FromPath[int]) -> Template:
    """A version as it would bind: its terms in every language, its document, and beside them the two approvals."""
    stored, one = house.offering.registry.version(offer, version), house.offering.proposal(offer, version)
    read = [(language, shown_in(house.offering.terms(offer, version, language), language)) for language in one.languages]
    written = yaml.safe_dump(house.offering.registry.written(stored), allow_unicode=True, sort_keys=False, width=100)
    made: Template = staff_page(request, visitor, "offer.html", stored=stored, one=one, terms=read, document=written)
    return made


@post(HOME + "/check", guards=GUARDS, sync_to_thread=True)
def check(request: AnyRequest, house: TheHouse, visitor: Who, data: WithFile) -> Template | Redirect:
    """What stands against a document; with `propose` it is proposed."""
    person, written = acting(visitor, str(data.get("role", ""))), _written(data)
    try:
        offer = house.offering.registry.read(written)
    except BadInput as wrong:
        return _page(request, visitor, house, written=written, wrong=wrong)
    day = legal_day(house.clock.now(), offer.countries[0])
    verdict = checked(offer, day)
    if data.get("step") == "propose" and verdict.ok:
        house.offering.registry.propose(written, by=person.name)
        house.checkpoint()
        return Redirect(f"{HOME}?fait=offer-proposed", status_code=303)
    language = language_of(request)
    spoken = language if language in offer.languages else offer.languages[0]
    shown = terms(offer, spoken, day) if verdict.ok else ""
    return _page(request, visitor, house, written=written, checked=verdict, offer=offer, shown=shown)


@post(HOME + "/{offer:str}/{version:int}/step", guards=GUARDS, sync_to_thread=True)
def step(house: TheHouse, visitor: Who, data: Form, offer: FromPath[str], version: FromPath[int]) -> Redirect:
    """One step of one person about a version: approve in a role, or decline."""
    person, what = acting(visitor, data.get("role", "")), data.get("step", "")
    if what == "approve":
        number = data.get("number", "")
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise BadInput("The form names no proposal.", "Load the page again.")
        house.offering.registry.approve(offer, version, int(number), role=person.role, by=person.name)
    elif what == "decline":
        house.offering.decline(offer, role=person.role, by=person.name, version=version)
    else:
        raise BadInput("The form says no step.", "Go back, and choose one.")
    house.checkpoint()
    return Redirect(f"{HOME}?fait=offer-{what}d", status_code=303)


@post(HOME + "/{offer:str}/pays/{country:str}", guards=GUARDS, sync_to_thread=True)
def place(house: TheHouse, visitor: Who, data: Form, offer: FromPath[str], country: FromPath[str]) -> Redirect:
    """One step of one person about a country: launch, suspend, resume, end."""
    person, what, offering = acting(visitor, data.get("role", "")), data.get("step", ""), house.offering
    reason = {language: words for language in ("fr", "en") if (words := data.get(f"reason_{language}", "").strip())}
    if what == "launch":
        made = offering.launch(offer, country, by=person.name)
    elif what == "suspend":
        made = offering.suspend(offer, country, reason, by=person.name)
    elif what == "end":
        if data.get("sure") != "yes":
            raise BadInput("Ending an offer cannot be undone.", "Tick the box beside the button, if you are sure.")
        made = offering.end(offer, country, reason, by=person.name)
    elif what == "resume":
        made = offering.resume(offer, country, by=person.name)
    else:
        raise BadInput("The form says no step.", "Go back, and choose one.")
    house.checkpoint()
    told = "resumed" if what == "resume" and made.state == "launched" else DONE[made.state]
    return Redirect(f"{HOME}?fait=offer-{told}", status_code=303)


def _written(data: dict[str, Any]) -> str:
    file, written = data.get("file"), str(data.get("written", ""))
    if isinstance(file, UploadFile) and file.filename:
        content = file.file.read(DOCUMENT_MAX * 4 + 1)
        try:
            written = content.decode("utf-8")
        except UnicodeDecodeError:
            raise BadInput("The file is no text in UTF-8.", "Save it as UTF-8.") from None
    return written


def _page(request: AnyRequest, visitor: Visitor, house: House, **values: Any) -> Template:
    versions, places = house.offering.versions(), house.offering.countries()
    figures = dict[tuple[str, str], Counter[str]]()
    for offer, _, country, _, what, times in house.offering.counts():
        figures.setdefault((offer, country), Counter())[what] += times
    names = {(one.offer, one.version): house.offering.proposal(one.offer, one.version) for one in versions}
    rows = [(one, names[one.offer, one.version]) for one in versions]
    found: Template = staff_page(
        request, visitor, "offers.html", rows=rows, places=_places(house, versions, places), figures=figures, kinds=FIGURES,
        called=house.offering.name,
        **{"written": "", "checked": None, "wrong": None, "offer": None, "shown": "", **values},
    )  # fmt: skip
    return found


def _places(house: House, versions: list[Version], stand: list[Country]) -> list[tuple[Any, ...]]:
    """(offer, country, state, by whom, reason, (budget left, currency) or none) where a version in force is for, or stood."""
    known = {(one.offer, one.country): one for one in stand}
    wanted = set(known)
    for one in versions:
        if one.state == "in-force":
            wanted |= {(one.offer, country) for country in house.offering.proposal(one.offer, one.version).countries}
    found = []
    for offer, country in sorted(wanted):
        state = known.get((offer, country))
        reason = json.loads(state.reason) if state is not None else {}
        stands, by = (state.state, state.by) if state else ("closed", "")
        found.append((offer, country, stands, by, reason, house.offering.budget_left(offer, country)))
    return found


ROUTES = (overview, value, shown, check, step, place)
