"""`volens campaign`: from a plan to a result; prices of people who refuse; the real campaigns of the demo's source."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell
from volens.publishing.workflow import ROLES, Person

if TYPE_CHECKING:
    from volens.campaigns.prices import Compared

by_option = click.option("--by", "name", required=True, help="Your name.")
role_option = click.option("--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True, help="In which role you act.")
language_option = click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)
document = click.argument("document", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group()
def campaign() -> None:
    """Did it work? A hold-out drawn before the launch, a result with its interval, and whether a no costs anything."""


@campaign.command()
@house_option
@document
@json_option
@speaking
def check(house: Path, document: Path, as_json: bool) -> None:
    """Look DOCUMENT over: reads no purchases, records nothing."""
    from volens.app import open_house
    from volens.campaigns.plan import read_plan

    plan = read_plan(document)
    with open_house(house, clock=clock()) as opened:
        found = opened.campaigns.check(plan)
    goods = "all goods" if found.goods is None else f"{found.goods:,} goods"
    said = (f"{plan.id}: {found.permit:,} people permit being measured, about {found.held:,} would be held out; {goods} count.\n"
            f"  before  {plan.pre.start} to {plan.pre.last}\n  sale    {plan.sale.start} to {plan.sale.last}\n"
            f"  cost    {plan.cost_cents / 100:,.2f} {plan.currency}\nNext: volens campaign plan {document}")
    tell({**plan.canonical(), "permit": found.permit, "held": found.held, "goods": found.goods}, said, as_json)


@campaign.command()
@house_option
@document
@by_option
@role_option
@json_option
@speaking
def plan(house: Path, document: Path, name: str, role: str, as_json: bool) -> None:
    """Put DOCUMENT and a fresh seed on the public record. What is planned stays as it is."""
    from volens.app import open_house
    from volens.campaigns.plan import read_plan

    wanted = read_plan(document)
    with open_house(house, clock=clock()) as opened:
        planned = opened.campaigns.plan(wanted, Person(name, role))
        opened.checkpoint()
    said = f"Planned: {wanted.id}, entry {planned.steps[0].seq} of the public record.\nNext: volens campaign power {wanted.id}"
    tell(planned.to_dict(), said, as_json)


@campaign.command()
@house_option
@click.argument("campaign_id", metavar="CAMPAIGN")
@by_option
@language_option
@json_option
@speaking
def power(house: Path, campaign_id: str, name: str, language: str, as_json: bool) -> None:
    """What CAMPAIGN could find, from the past. Reads purchases, on record; changes nothing else."""
    from volens.app import open_house
    from volens.campaigns.telling import forecast

    with open_house(house, clock=clock()) as opened:
        kept = opened.campaigns.power(campaign_id, name).content(-1)
        standing = opened.campaigns.find(campaign_id)
    del kept["read"]
    tell(kept, "\n".join(forecast(standing.plan, kept, language)), as_json)


@campaign.command()
@house_option
@click.argument("campaign_id", metavar="CAMPAIGN")
@by_option
@role_option
@language_option
@json_option
@speaking
def launch(house: Path, campaign_id: str, name: str, role: str, language: str, as_json: bool) -> None:
    """Draw who is held out of CAMPAIGN, before its first day. Not launched if it could not be measured well."""
    from volens.app import open_house
    from volens.campaigns.telling import forecast
    from volens.campaigns.workflow import LAUNCHED

    with open_house(house, clock=clock()) as opened:
        launched = opened.campaigns.launch(campaign_id, Person(name, role))
        opened.checkpoint()
    kept = launched.said(LAUNCHED) or {}
    lines = [f"Launched: {kept['held']:,} of {kept['people']:,} people are held out.", *forecast(launched.plan, kept, language)]
    tell(launched.to_dict(), "\n".join(lines), as_json)


@campaign.command()
@house_option
@click.argument("campaign_id", metavar="CAMPAIGN")
@by_option
@role_option
@json_option
@speaking
def close(house: Path, campaign_id: str, name: str, role: str, as_json: bool) -> None:
    """Say that the sale period of CAMPAIGN is over."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        closed = opened.campaigns.close(campaign_id, Person(name, role))
        opened.checkpoint()
    tell(closed.to_dict(), f"Closed. Next: volens campaign measure {campaign_id}", as_json)


@campaign.command()
@house_option
@click.argument("campaign_id", metavar="CAMPAIGN")
@click.option("--why", required=True, help="The reason; it stays with the campaign.")
@by_option
@role_option
@json_option
@speaking
def abandon(house: Path, campaign_id: str, why: str, name: str, role: str, as_json: bool) -> None:
    """Give CAMPAIGN up before it is over."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        given_up = opened.campaigns.abandon(campaign_id, Person(name, role), why)
        opened.checkpoint()
    tell(given_up.to_dict(), "Given up. It stays on the record.", as_json)


@campaign.command()
@house_option
@click.argument("campaign_id", metavar="CAMPAIGN")
@by_option
@role_option
@language_option
@json_option
@speaking
def measure(house: Path, campaign_id: str, name: str, role: str, language: str, as_json: bool) -> None:
    """Compute the result of CAMPAIGN, once. Asking again gives what was stored."""
    from volens.app import open_house
    from volens.campaigns.telling import sentences

    with open_house(house, clock=clock()) as opened:
        measured = opened.campaigns.measure(campaign_id, Person(name, role))
        opened.checkpoint()
    tell(measured.to_dict(), "\n".join(sentences(measured, language)), as_json)


@campaign.command()
@house_option
@click.argument("campaign_id", metavar="CAMPAIGN")
@language_option
@json_option
@speaking
def show(house: Path, campaign_id: str, language: str, as_json: bool) -> None:
    """CAMPAIGN as it stands: plan, steps, result, and the guidelines' disclosure list."""
    from volens.app import open_house
    from volens.campaigns.telling import disclosure, sentences
    from volens.campaigns.workflow import MEASURED

    with open_house(house, clock=clock()) as opened:
        standing = opened.campaigns.find(campaign_id)
    lines = [f"{standing.plan.id}: {standing.plan.name}"]
    lines += [f"  {step.day}  {step.state:10} {step.role}, {step.actor}; entry {step.seq}" for step in standing.steps]
    value = standing.to_dict()
    if standing.state == MEASURED:
        told = disclosure(standing, language)
        lines += ["", *sentences(standing, language), ""]
        lines += [f"  {item.asks[language]}\n    {answer.text}" for item, answer in told.answers]
        value["disclosure"] = told.as_json()
    tell(value, "\n".join(lines), as_json)


@campaign.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every campaign, oldest first."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.campaigns.all()
    lines = [f"  {one.plan.id:32} {one.state:10} {one.plan.sale.start} to {one.plan.sale.last}  {one.plan.name}" for one in found]
    tell([one.to_dict() for one in found], "\n".join(lines) or "  No campaign was ever planned.", as_json)


@campaign.command()
@house_option
@click.argument("use", required=False)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last day.")
@click.option("--margin", "margin", type=int, default=10, show_default=True,
              help="Prices within so many thousandths are the same; fixed before looking.")
@click.option("--by", "name", help="Your name.")
@role_option
@language_option
@json_option
@speaking
def detriment(house: Path, use: str | None, first: date | None, last: date | None, margin: int, name: str | None, role: str,
              language: str, as_json: bool) -> None:
    """Do people who refuse USE pay more for the same? Kept on the record; without USE, what was found so far.

    Exit code 8 if they are shown to find higher prices on the shelf.
    """
    from volens.app import open_house
    from volens.campaigns.plan import Days
    from volens.errors import BadInput

    if use is not None and not (first and last and name):
        raise BadInput("Which days, and who asks?", "Add --from, --to and --by.")
    with open_house(house, clock=clock()) as opened:
        if use is None or first is None or last is None or name is None:
            found = opened.campaigns.prices.all()
        else:
            days = Days(date(first.year, first.month, first.day), date(last.year, last.month, last.day) + timedelta(days=1))
            found = [opened.campaigns.prices.compare(use, days, Person(name, role), margin)]
            opened.checkpoint()
    lines = [line for one in found for line in _prices(one, language)]
    tell([_prices_json(one) for one in found], "\n".join(lines) or "  Prices were never compared.", as_json)
    if use is not None and any(one.fault for one in found):
        raise SystemExit(8)


@campaign.command()
@language_option
@json_option
@speaking
def real(language: str, as_json: bool) -> None:
    """The 27 campaigns of the demo's source, which nobody drew: what a comparison shows, and what it cannot claim."""
    from volens.campaigns.telling import texts
    from volens.demo.campaigns import real_campaigns

    lines, values, words = [], [], texts(language)
    for one in real_campaigns():
        value: dict[str, Any] = {"campaign": one.id, "type": one.kind, "start": one.start, "sent": one.sent,
                                 "redeemed": one.redeemed, "why_not": one.why_not}  # fmt: skip
        head = f"  {one.id:2} {one.kind} {one.start}  sent to {one.sent:5,}, {one.redeemed:3} redeemed  "
        if one.compared is None:
            lines.append(f"{head}not compared: {one.why_not}")
        else:
            gap = one.compared.difference
            lines.append(f"{head}{gap.value / 100:+6.2f} a week ({gap.low / 100:+.2f} to {gap.high / 100:+.2f});"
                         f" cannot say: {', '.join(one.compared.cannot)}")  # fmt: skip
            value |= {"difference_cents": [gap.value, gap.low, gap.high],
                      "before_cents": one.compared.before.value, "control_cents": one.compared.control.value,
                      "may": one.compared.may, "cannot": one.compared.cannot}  # fmt: skip
        values.append(value)
    lines += ["", *(f"  {id:11} {text}" for id, text in words["cannot"].items())]
    tell(values, "\n".join(lines), as_json)


def _prices(found: Compared, language: str) -> list[str]:
    """One comparison in lines."""
    from volens.campaigns.telling import Teller, texts

    teller, words = Teller(language), texts(language)["prices"]
    margin = teller.percent(found.margin_thousandths / 1000)
    lines = [f"  {found.use}: {found.days.start} to {found.days.last}, {found.refuse:,} refuse, {found.permit:,} permit,"
             f" {found.cells:,} things in common"]  # fmt: skip
    for label, ratio, finding in (("shelf", found.shelf, found.shelf_finding), ("paid", found.paid, found.paid_finding)):
        numbers = f"{ratio.value / 10**6:.4f} ({ratio.low / 10**6:.4f} to {ratio.high / 10**6:.4f})"
        lines.append(f"    {label:6} {numbers}  {words[finding].format(margin=margin)}")
    return lines


def _prices_json(found: Compared) -> dict[str, Any]:
    return {**vars(found), "days": [found.days.start, found.days.last], "shelf": vars(found.shelf), "paid": vars(found.paid),
            "fault": found.fault}  # fmt: skip
