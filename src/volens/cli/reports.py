"""`volens report`: a supplier's question, from the plan to the package."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell
from volens.releases.pagemodel import readable, unit_name

if TYPE_CHECKING:
    from volens.app import House
    from volens.insights.estimates import Figures
    from volens.insights.expect import ExpectedWidth
    from volens.insights.pack import Pack
    from volens.releases.store import Stored

by_option = click.option("--by", "actor", required=True, help="Your name.")
release_argument = click.argument("release")


@click.group()
def report() -> None:
    """Reports for suppliers: plan, request, draw, approve, publish."""


def asking(function: Callable[..., None]) -> Callable[..., None]:
    """The options that make up a question."""
    for option in (
        click.option("--supplier", required=True, help="The legal entity that asks; see programme/recipients.yaml."),
        click.option("--category", required=True, help="The category, as the catalogue names it."),
        click.option("--brand", "brands", multiple=True, help="One of its brands; again for more. Default: all."),
        click.option("--every", default="13-weeks", show_default=True, help="week, 4-weeks, 13-weeks, month, quarter."),
        click.option("--start", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day of the first period."),
        click.option("--count", type=click.IntRange(1), required=True, help="How many periods."),
        click.option("--currency", default="EUR", show_default=True),
    ):
        function = option(function)
    return function


def _pack(house: House, supplier: str, category: str, brands: tuple[str, ...], every: str, start: datetime, count: int,
          currency: str) -> Pack:
    return house.reports.pack(supplier, category, by=every, start=start.date(), count=count, brands=brands,
                              currency=currency)


@report.command()
@house_option
@asking
@json_option
@speaking
def plan(house: Path, supplier: str, category: str, brands: tuple[str, ...], every: str, start: datetime, count: int,
         currency: str, as_json: bool) -> None:
    """What a question would cost and how precise the answer would be. Touches no data, charges nothing."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        planned = opened.reports.plan(_pack(opened, supplier, category, brands, every, start, count, currency))
        budget = [year for year in opened.reports.budget() if year.year in planned.years]
    years = ", ".join(map(str, planned.years))
    lines = [f"Plan {planned.hash[:12]}: costs {planned.charge_nano / 1e9:.3f} of the budget of {years}.",
             "Expected precision, from public expectations alone:"]
    lines += [f"  {width.measure:8} {width.row:26} {width.column:24} about {_people(width):>10}  ± {width.half_width:.0%}"
              for width in planned.expected]
    lines += [f"{year.year}: {year.left_nano / 1e9:.3f} of {year.cap_nano / 1e9:.3f} is left." for year in budget]
    value = {"plan": planned.hash, "rho_nano": planned.charge_nano, "years": planned.years,
             "expected": [vars(width) for width in planned.expected]}
    tell(value, "\n".join(lines), as_json)


@report.command()
@house_option
@asking
@by_option
@json_option
@speaking
def request(house: Path, supplier: str, category: str, brands: tuple[str, ...], every: str, start: datetime, count: int,
            currency: str, actor: str, as_json: bool) -> None:
    """Ask for a report. A grid whose figures would be useless is refused with the coarser one that works."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        pack = _pack(opened, supplier, category, brands, every, start, count, currency)
        made = opened.reports.request(pack, actor)
    tell(vars(made), _standing(made, NEXT[made.state].format(release=made.release)), as_json)


@report.command()
@house_option
@release_argument
@by_option
@json_option
@speaking
def draw(house: Path, release: str, actor: str, as_json: bool) -> None:
    """Charge the budget, read what is permitted, draw the figures once."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        figures = opened.reports.draw(release, actor)
        opened.checkpoint()
    _show(figures, as_json, f"\nNext, by a second person: volens report approve {release} --by NAME")


@report.command()
@house_option
@release_argument
@json_option
@speaking
def show(house: Path, release: str, as_json: bool) -> None:
    """The drawn figures of a release, for staff."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        figures = opened.reports.figures(release)
    _show(figures, as_json, "")


@report.command()
@house_option
@release_argument
@by_option
@json_option
@speaking
def approve(house: Path, release: str, actor: str, as_json: bool) -> None:
    """Approve a drawn report. Must be another person than the one who requested it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        stands = opened.reports.approve(release, actor)
    tell(vars(stands), _standing(stands, f"Next: volens report publish {release} --by NAME"), as_json)


@report.command()
@house_option
@release_argument
@by_option
@json_option
@speaking
def decline(house: Path, release: str, actor: str, as_json: bool) -> None:
    """Decline a report that is not published. Must be another person than the one who requested it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        stands = opened.reports.decline(release, actor)
    tell(vars(stands), _standing(stands, "What it cost stays spent."), as_json)


@report.command()
@house_option
@release_argument
@by_option
@json_option
@speaking
def publish(house: Path, release: str, actor: str, as_json: bool) -> None:
    """Write the package that leaves the house. Publishing again gives the same file."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        file = opened.reports.publish(release, actor)
    tell({"release": release, "file": str(file)}, f"{file}\nAnybody can check it: volens verify {shlex.quote(str(file))}", as_json)


@report.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every release and its state."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.reports.releases()
    lines = [f"{one.release:34} {one.state:10} {_question(one)}" for one in found]
    lines = lines or ["No release yet. Ask with: volens report request"]
    tell([vars(one) for one in found], "\n".join(lines), as_json)


@report.command()
@house_option
@json_option
@speaking
def budget(house: Path, as_json: bool) -> None:
    """What each calendar year's purchases have told, and may still tell. It is never refilled."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        years = opened.reports.budget()
    lines = [f"{year.year}: {year.spent_nano / 1e9:.3f} of {year.cap_nano / 1e9:.3f} spent, {year.left_nano / 1e9:.3f} left"
             for year in years] or ["Nothing was ever charged."]
    tell([vars(year) for year in years], "\n".join(lines), as_json)


NEXT = {
    "requested": "Next: volens report draw {release} --by NAME",
    "drawn": "It is drawn. Next, by a second person: volens report approve {release} --by NAME",
    "approved": "It is approved. Next: volens report publish {release} --by NAME",
    "published": "It is published: the same question has the same answer, in the same package.",
    "declined": "It was declined.",
}
WHOLE_NUMBERS = ("buyers", "trips", "units", "spend")


def _people(width: ExpectedWidth) -> str:
    """An expected figure in the unit that people read: thousandths and cents are for machines."""
    return f"{width.value / {'units': 1000, 'spend': 100}.get(width.measure, 1):,.0f}"


def _standing(stands: Stored, following: str) -> str:
    return f"{stands.release} is {stands.state}.\n{following}"


def _question(one: Stored) -> str:
    """What a release asks, in a few words."""
    asked = json.loads(one.pack)
    last = date.fromisoformat(asked["periods"][-1]["end"]) - timedelta(days=1)
    return f"{one.supplier}, {asked['category']}, {asked['periods'][0]['start']} to {last}"


def _show(figures: Figures, as_json: bool, following: str) -> None:
    currency = figures.plan.pack.currency
    lines = [f"{'':18}{'':26}{'':25}{'estimate':>12}   95 % interval"]
    for one in (*figures.cells, *figures.derived):
        shown = readable(one, currency)
        unit = unit_name(one.measure, currency).replace("count", "")
        form = "{:,.0f}" if one.measure in WHOLE_NUMBERS else "{:,.2f}"
        value, low, high = (form.format(each) for each in (shown.value, shown.low, shown.high))
        lines.append(f"{one.measure:18}{one.row:26}{one.column:25}{value:>12}   {low} to {high} {unit}".rstrip())
    tell([vars(one) for one in (*figures.cells, *figures.derived)], "\n".join(lines) + following, as_json)
