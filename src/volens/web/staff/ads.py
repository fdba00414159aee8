"""Sponsored products, for marketing and data protection: what runs, how often it was shown and how it was chosen."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from markupsafe import Markup

from volens.errors import BadInput
from volens.publishing.workflow import DPO, MARKETING
from volens.releases.charts import Bar, Chart, Tick, draw, round_ticks
from volens.sponsored.store import PAGE, PERSONAL
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.page import words_of
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import Visitor, of_staff
from volens.web.words import Words

HOME = "/staff/ads"
GUARDS = [of_staff(MARKETING, DPO)]
WRITTEN_MAX = 20_000
CHARTED_DAYS = 13
"""Days in a chart, the newest last."""


@get(HOME, guards=[of_staff(MARKETING, DPO, "auditor")], sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Every placement, how often each was shown, and a field for a new one."""
    return _page(request, visitor, house, written="")


@post(HOME + "/check", guards=GUARDS, sync_to_thread=True)
def check(request: AnyRequest, house: TheHouse, visitor: Who, data: Form) -> Template | Redirect:
    """What stands against a placement; with `define` it is proposed."""
    written = data.get("definition", "")
    if len(written) > WRITTEN_MAX:
        raise BadInput("The placement is too long.", f"Write at most {WRITTEN_MAX:,} characters.")
    person = acting(visitor, data.get("role", ""))
    try:
        one = house.sponsored.read(written)
    except BadInput as wrong:
        return _page(request, visitor, house, written=written, wrong=wrong)
    found = house.sponsored.check(one)
    if data.get("step") == "define" and found.ok:
        house.sponsored.define(one, by=person.name)
        house.checkpoint()
        return Redirect(f"{HOME}?fait=ad-define", status_code=303)
    return _page(request, visitor, house, written=written, checked=found)


@post(HOME + "/{placement:str}/step", guards=GUARDS, sync_to_thread=True)
def step(house: TheHouse, visitor: Who, data: Form, placement: FromPath[str]) -> Redirect:
    """One step of one person: approve, or end."""
    person, what = acting(visitor, data.get("role", "")), data.get("step", "")
    if what == "approve":
        house.sponsored.approve(placement, by=person.name)
    elif what == "end":
        house.sponsored.end(placement, by=person.name)
    else:
        raise BadInput("The form says no step.", "Go back, and choose one.")
    house.checkpoint()
    return Redirect(f"{HOME}?fait=ad-{what}", status_code=303)


def _page(request: AnyRequest, visitor: Visitor, house: TheHouse, **values: Any) -> Template:
    shown, hidden, words = house.sponsored.shown(), house.sponsored.hidden(), words_of(request)
    rows, payers, listed = [], dict[str, str](), dict[str, list[tuple[str, dict[str, int]]]]()
    for stored, one in house.sponsored.all():
        days = shown.get(stored.number, {})
        counts = {way: sum(day.get(way, 0) for day in days.values()) for way in (PERSONAL, PAGE)}
        rows.append((stored, one, counts, hidden.get(stored.number, 0)))
        payer = house.programme.recipients.get(one.advertiser)
        payers[one.id] = payer.legal_name if payer is not None else one.advertiser
        listed[one.id] = sorted(days.items(), reverse=True)[:CHARTED_DAYS]
    values = {"checked": None, "wrong": None, **values}
    found: Template = staff_page(
        request, visitor, "ads.html", rows=rows, charts=_charts(shown, words), days=listed, payers=payers, **values
    )
    return found


def _charts(shown: dict[int, dict[str, dict[str, int]]], words: Words) -> list[tuple[str, Markup]]:
    """A chart a way: impressions of all placements by day. They were counted one by one: no interval is wider than its line."""
    every = sorted({day for days in shown.values() for day in days})[-CHARTED_DAYS:]
    drawn = []
    for way in (PERSONAL, PAGE) if every else ():
        counts = [(day, sum(days.get(day, {}).get(way, 0) for days in shown.values())) for day in every]
        bars = tuple(Bar(f"{day[8:]}/{day[5:7]}", float(count), float(count), float(count)) for day, count in counts)
        ticks = tuple(Tick(place, words.number(int(place))) for place in round_ticks(max(bar.high for bar in bars), whole=True))
        title, said = words.say(f"ads.chart.{way}"), "; ".join(f"{words.day(day)}: {count}" for day, count in counts)
        drawn.append((title, Markup(draw(Chart(f"ads-{way}", title, said, bars, ticks)))))
    return drawn


ROUTES = (overview, check, step)
