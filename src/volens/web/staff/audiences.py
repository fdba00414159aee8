"""Lists for platforms, for marketing and data protection: what each is in words, about how many people, and what became of them."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from markupsafe import Markup

from volens.audiences.building import Sizes
from volens.audiences.definition import Definition
from volens.audiences.sizes import Size, step_for
from volens.errors import BadInput
from volens.publishing.workflow import DPO, MARKETING
from volens.releases.charts import Bar, Chart, Tick, draw, round_ticks
from volens.web.given import AnyRequest, Form, TheHouse, Who
from volens.web.page import words_of
from volens.web.staff.acting import acting, staff_page
from volens.web.visitor import Visitor, of_staff
from volens.web.words import Words

HOME = "/staff/audiences"
GUARDS = [of_staff(MARKETING, DPO)]
LOOKING = [of_staff(MARKETING, DPO, "auditor")]
WRITTEN_MAX = 20_000
"""Characters of a definition that is written into the page."""


@get(HOME, guards=LOOKING, sync_to_thread=True)
def overview(request: AnyRequest, house: TheHouse, visitor: Who) -> Template:
    """Every audience, who is late, and a field for a new one."""
    return _page(request, visitor, house, written="")


@post(HOME + "/check", guards=GUARDS, sync_to_thread=True)
def check(request: AnyRequest, house: TheHouse, visitor: Who, data: Form) -> Template | Redirect:
    """What a definition reads, and what stands against it; with `size` about how many people, with `define` on record."""
    written, step = data.get("definition", ""), data.get("step", "check")
    if len(written) > WRITTEN_MAX:
        raise BadInput("The definition is too long.", f"Write at most {WRITTEN_MAX:,} characters.")
    person = acting(visitor, data.get("role", ""))
    try:
        one = house.audiences.read(written)
    except BadInput as wrong:
        return _page(request, visitor, house, written=written, wrong=wrong)
    found = house.audiences.check(one)
    if step == "define" and found.ok:
        house.audiences.define(one, by=person.name)
        house.checkpoint()
        return Redirect(f"{HOME}/{one.id}?fait=audience-defined", status_code=303)
    words = words_of(request)
    sized = _sized(house, one, house.audiences.sizes(one, by=person.name), words) if step == "size" and found.ok else {}
    return _page(
        request, visitor, house, written=written, checked=found, described=house.audiences.describe(one, words.language), **sized
    )


@get(HOME + "/{audience:str}", guards=LOOKING, sync_to_thread=True)
def audience(request: AnyRequest, house: TheHouse, visitor: Who, audience: FromPath[str]) -> Template:
    """One audience: what it is, what was built, what left, who was taken back."""
    return _one(request, visitor, house, audience)


@post(HOME + "/{audience:str}/step", guards=GUARDS, sync_to_thread=True)
def step(request: AnyRequest, house: TheHouse, visitor: Who, data: Form, audience: FromPath[str]) -> Template | Redirect:
    """One step of one person: build, hand over, or end."""
    person, what = acting(visitor, data.get("role", "")), data.get("step", "")
    if what == "build":
        _, sizes = house.audiences.build(audience, by=person.name)
        house.checkpoint()
        return _one(request, visitor, house, audience, **_sized(house, house.audiences.one(audience), sizes, words_of(request)))
    if what == "hand-over":
        house.audiences.hand_over(audience, by=person.name)
    elif what == "end":
        house.audiences.end(audience, by=person.name)
        house.audiences.work()
    else:
        raise BadInput("The form says no step.", "Go back, and choose one.")
    house.checkpoint()
    return Redirect(f"{HOME}/{audience}?fait=audience-{what}", status_code=303)


def _page(request: AnyRequest, visitor: Visitor, house: TheHouse, **values: Any) -> Template:
    standing = {one.audience: one for one in house.audiences.removals.standing()}
    values = {"checked": None, "wrong": None, "lines": [], **values}
    found: Template = staff_page(
        request, visitor, "audiences.html", rows=[(one, standing[one.audience]) for one in house.audiences.all()],
        overdue=[one for one in standing.values() if one.overdue], told_size=lambda size: told(size, words_of(request)), **values,
    )  # fmt: skip
    return found


def _one(request: AnyRequest, visitor: Visitor, house: TheHouse, audience: str, **values: Any) -> Template:
    one, words = house.audiences.one(audience), words_of(request)
    values = {"lines": [], **values}
    found: Template = staff_page(
        request, visitor, "audience.html", one=one, stands=house.audiences.stands(audience),
        described=house.audiences.describe(one, words.language), recipient=house.programme.recipients.get(one.recipient),
        built=house.audiences.built(audience), lists=house.audiences.lists(audience)[::-1],
        removals=house.audiences.removals.all(audience)[::-1], told_size=lambda size: told(size, words),
        standing=next(each for each in house.audiences.removals.standing() if each.audience == audience), **values,
    )  # fmt: skip
    return found


def told(size: Size, words: Words) -> str:
    """A size in words."""
    if size.about is None:
        return words.say("staff.audience.few", least=words.number(size.below))
    return words.say("staff.audience.about", people=words.number(size.about))


def _sized(house: TheHouse, one: Definition, sizes: Sizes, words: Words) -> dict[str, Any]:
    """Who permits, why others are left out and who is in it: as lines and as a chart of the same."""
    reasons = house.audiences.reasons(one, sizes, words.language)
    lines = [(words.say("staff.audience.permit"), sizes.permitted), *reasons, (words.say("staff.audience.in"), sizes.people)]
    return {"lines": list(enumerate(lines, start=1)), "chart": _chart(lines, words)}


def _chart(lines: list[tuple[str, Size]], words: Words) -> Markup:
    """A bar a line, by its number in the list beside; each with how far the telling may be off."""
    bars = []
    for number, (_, size) in enumerate(lines, start=1):
        value = float(size.about or 0)
        off = float(step_for(size.about)) if size.about is not None else float(size.below)
        bars.append(Bar(str(number), value, max(value - off, 0.0), value + off))
    ticks = round_ticks(max(bar.high for bar in bars), whole=True)
    description = "; ".join(f"{why}: {told(size, words)}" for why, size in lines)
    return Markup(draw(Chart(
        "audience-sizes", words.say("staff.audience.chart"), description, tuple(bars),
        tuple(Tick(place, words.number(int(place))) for place in ticks),
    )))  # fmt: skip


ROUTES = (overview, check, audience, step)
