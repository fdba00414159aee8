"""The money of rewards, for marketing and data protection: what is owed, what each offer cost, transfers, contests."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from volens.errors import BadInput, NotNow
from volens.publishing.workflow import DPO, MARKETING
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.page import words_of
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import Visitor, of_staff

HOME = "/staff/wallet"
GUARDS = [of_staff(MARKETING, DPO)]
LINES_MOST, DAYS_MOST = 30, 14


@get(HOME, guards=[of_staff(MARKETING, DPO, "auditor")], sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """The books of today, runs and contests."""
    return _page(request, visitor, house)


@post(HOME + "/budget", guards=GUARDS, sync_to_thread=True)
def budget(request: AnyRequest, house: TheHouse, visitor: Who, data: Form) -> Redirect | Template:
    """Gives an offer its budget in a country. What does not fit is said beside the field, and stays in it."""
    person = acting(visitor, data.get("role", ""))
    offer, _, country = data.get("place", "").partition("/")
    try:
        cents = _cents(data.get("amount", ""))
    except BadInput:
        return _page(request, visitor, house, 400, wrong="amount", typed=data)
    try:
        house.offering.places.give_budget(offer, country, cents, by=person.name)
    except NotNow:
        return _page(request, visitor, house, 409, wrong="less", typed=data)
    house.checkpoint()
    return Redirect(f"{HOME}?fait=budget", status_code=303)


@post(HOME + "/prepare", guards=GUARDS, sync_to_thread=True)
def prepare(house: TheHouse, visitor: Who, data: Form) -> Redirect:
    """Puts what was asked for into a run."""
    house.wallet.payouts.prepare(data.get("currency", "EUR"), by=acting(visitor, data.get("role", "")).name)
    house.checkpoint()
    return Redirect(f"{HOME}?fait=prepare", status_code=303)


@post(HOME + "/run/{run:str}/step", guards=GUARDS, sync_to_thread=True)
def step(house: TheHouse, visitor: Who, data: Form, run: FromPath[str]) -> Redirect:
    """Another person releases a run, or somebody drops it."""
    person, what = acting(visitor, data.get("role", "")), data.get("step", "")
    if what == "release":
        house.wallet.payouts.release(run, by=person.name)
    elif what == "drop":
        house.wallet.payouts.drop(run, by=person.name)
    else:
        raise BadInput("The form says no step.", "Go back, and choose one.")
    house.checkpoint()
    return Redirect(f"{HOME}?fait={what}", status_code=303)


@post(HOME + "/contest/{number:int}", guards=GUARDS, sync_to_thread=True)
def answer(house: TheHouse, visitor: Who, data: Form, number: FromPath[int]) -> Redirect:
    """A human answers somebody who contests."""
    person, said = acting(visitor, data.get("role", "")), data.get("say", "")
    if said not in ("yes", "no"):
        raise BadInput("The form says neither that she is right nor that she is not.", "Go back, and choose one.")
    house.wallet.contests.answer(number, by=person.name, words=data.get("words", ""), right=said == "yes")
    house.checkpoint()
    return Redirect(f"{HOME}?fait=answer", status_code=303)


def _cents(written: str) -> int:
    try:
        cents = Decimal(written.replace(",", ".").replace("\u202f", "").replace(" ", "")) * 100
    except InvalidOperation:
        raise BadInput("This is no amount.", "Write 500 or 499.90.") from None
    if not cents.is_finite() or cents != int(cents) or cents < 0:
        raise BadInput("This is no amount.", "Write 500 or 499.90.")
    return int(cents)


def _places(house: TheHouse) -> list[tuple[str, str, str]]:
    """(offer, country, currency) of everything that a budget can be given to."""
    found = {}
    for one in house.offering.versions():
        offer = house.offering.proposal(one.offer, one.version)
        found.update({(one.offer, country): offer.currency for country in offer.countries})
    return [(offer, country, currency) for (offer, country), currency in sorted(found.items())]


def _page(request: AnyRequest, visitor: Visitor, house: TheHouse, status: int = 200, **values: Any) -> Template:
    found = house.wallet.books()
    asked = [(currency, count, cents) for currency, state, count, cents in found.payouts if state == "asked"]
    days = sorted({day for day, *_ in found.days}, reverse=True)[:DAYS_MOST]
    waiting = [(one, house.wallet.contests.words(one)[0]) for one in house.wallet.contests.open_ones()[:LINES_MOST]]
    words = words_of(request)

    def about(claim: str) -> str:
        one = house.wallet.claim(claim)
        return f"{house.wallet.names(one.offer, one.version, words.language)}, {words.money(one.cents, one.currency)}"

    shown: Template = staff_page(
        request, visitor, "wallet.html", status, books=found, places=_places(house),
        runs=house.wallet.payouts.runs()[:LINES_MOST], asked=asked,
        curve=found.curve[:LINES_MOST], closed=[one for one in found.days if one[0] in days], contests=waiting,
        names=house.wallet.names, about=about, **{"wrong": "", "typed": {}, **values},
    )  # fmt: skip
    return shown


ROUTES = (overview, budget, prepare, step, answer)
