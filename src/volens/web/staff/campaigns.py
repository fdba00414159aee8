"""Campaigns, for marketing and data protection: where each stands, whether it could show anything, whether it worked; and prices of
people who refuse.

The reason that closes a step on the page is the one that stops it: `campaigns.workflow.check_move`.
"""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from markupsafe import Markup

from volens.app import House
from volens.campaigns.prices import MILLION
from volens.campaigns.results import figure
from volens.campaigns.station import Campaign
from volens.campaigns.telling import Teller, disclosure, forecast, sentences
from volens.campaigns.workflow import ABANDONED, CLOSED, LAUNCHED, MEASURED, TRANSITIONS, check_move
from volens.clock import legal_day
from volens.errors import BadInput, NotNow
from volens.publishing.workflow import DPO, MARKETING
from volens.releases.charts import Bar, Chart, Tick, draw, round_ticks
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.page import words_of
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import of_staff
from volens.web.words import Words

HOME = "/staff/campaigns"
LOOKING = [of_staff(MARKETING, DPO, "auditor")]
DECIMALS = {"fr": ",", "en": "."}


@get(HOME, guards=LOOKING, sync_to_thread=True)
def all_campaigns(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Every campaign, and every comparison of prices."""
    words = words_of(request)
    prices = [(one, _ratio(words, one, "shelf"), _ratio(words, one, "paid")) for one in house.campaigns.prices.all()]
    found: Template = staff_page(
        request, visitor, "campaigns.html", campaigns=house.campaigns.all(), prices=prices, purposes=house.programme.purposes
    )
    return found


@get(HOME + "/{campaign:str}", guards=LOOKING, sync_to_thread=True)
def one_campaign(request: AnyRequest, house: TheHouse, visitor: Who, campaign: FromPath[str]) -> Template:
    """One campaign: what was fixed, what could be found, what was found, and all that is told with it."""
    standing, words = house.campaigns.find(campaign), words_of(request)
    plan, launched, result = standing.plan, standing.said(LAUNCHED), standing.said(MEASURED)
    teller = Teller(words.language, plan.currency)
    found: Template = staff_page(
        request, visitor, "campaign.html", one=standing, plan=plan, teller=teller, possible=_possible(house, standing),
        before=forecast(plan, launched, words.language) if launched is not None else [],
        sentences=sentences(standing, words.language) if result is not None else [],
        disclosed=disclosure(standing, words.language).answers if result is not None else (),
        chart=_chart(result, words, teller) if result is not None else None,
    )  # fmt: skip
    return found


@post(HOME + "/{campaign:str}/step", guards=[of_staff(MARKETING, DPO)], sync_to_thread=True)
def step(house: TheHouse, visitor: Who, data: Form, campaign: FromPath[str]) -> Redirect:
    """One step of one person."""
    person, what = acting(visitor, data.get("role", "")), data.get("step", "")
    if what == LAUNCHED:
        house.campaigns.launch(campaign, person)
    elif what == CLOSED:
        house.campaigns.close(campaign, person)
    elif what == MEASURED:
        house.campaigns.measure(campaign, person)
    elif what == ABANDONED:
        house.campaigns.abandon(campaign, person, data.get("why", ""))
    else:
        raise BadInput("The form says no step.", "Go back, and choose one.")
    house.checkpoint()
    return Redirect(f"{HOME}/{campaign}?fait=campaign-{what}", status_code=303)


def _possible(house: House, standing: Campaign) -> list[str]:
    """Steps that may be taken today."""
    today = legal_day(house.clock.now(), house.programme.country)
    found = []
    for to in sorted(TRANSITIONS[standing.state]):
        try:
            check_move(standing.plan, standing.state, to, today)
        except NotNow:
            continue
        found.append(to)
    return found


def _chart(result: dict[str, Any], words: Words, teller: Teller) -> Markup:
    """What a person spent on either side; the interval is that of the difference."""
    held, gap = result["mean_held_millicents"], figure(result["per_person_millicents"])
    sides = (("chart-held", held, held, held), ("chart-reached", held + gap.value, held + gap.low, held + gap.high))
    bars = tuple(Bar(words.say(f"campaigns.{label}"), *(part / 1e5 for part in parts)) for label, *parts in sides)
    told = [
        words.say("campaigns.chart-bar", label=bar.label, **{
            name: teller.money(100 * getattr(bar, name), exact=True) for name in ("value", "low", "high")
        })
        for bar in bars
    ]  # fmt: skip
    places = round_ticks(max(bar.high for bar in bars))
    ticks = tuple(Tick(place, teller.money(100 * place, exact=place % 1 != 0)) for place in places)
    return Markup(draw(Chart("chart-spent", words.say("campaigns.chart"), "; ".join(told), bars, ticks)))


def _ratio(words: Words, one: Any, which: str) -> str:
    """A ratio of prices in words."""
    ratio, finding = getattr(one, which), getattr(one, f"{which}_finding")
    margin = Teller(words.language).percent(one.margin_thousandths / 1000)
    numbers = {name: f"{value / MILLION:.3f}".replace(".", DECIMALS[words.language]) for name, value in vars(ratio).items()}
    return words.say("campaigns.ratio", **numbers, finding=words.say(f"campaigns.finding.{finding}", margin=margin))


ROUTES = (all_campaigns, one_campaign, step)
