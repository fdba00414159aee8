"""`volens ad`: sponsored products, from the placement to why somebody sees it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from volens.cli.say import bar, clock, house_option, json_option, speaking, tell

BY = click.option("--by", required=True, help="Who answers for it: on the record.")
FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
LANGUAGE = click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)


@click.group()
def ad() -> None:
    """Sponsored products on the shop's own pages: by purchases where permitted, by the page for everybody else."""


@ad.command()
@FILE
@house_option
@json_option
@speaking
def check(file: Path, house: Path, as_json: bool) -> None:
    """Everything that stands against the placement in FILE. Exit code 3 if anything does."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.sponsored.check(opened.sponsored.read_file(file))
    one = found.placement
    lines = [f"  {one.label('en')}: {len(one.products)} products of {one.advertiser}, {one.first} to {one.until}"]
    how = "by purchases where permitted, else by the page" if one.personal else "by the page alone"
    lines.append(f"  chosen      {how}, under {one.purpose}")
    lines += [f"  {refusal.to_text()}" for refusal in found.refusals] or ["  Nothing stands against it."]
    tell(found.to_dict(), "\n".join(lines), as_json)
    if not found.ok:
        sys.exit(3)


@ad.command()
@FILE
@house_option
@BY
@json_option
@speaking
def define(file: Path, house: Path, by: str, as_json: bool) -> None:
    """Propose the placement in FILE. Exit code 3 if anything stands against it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.sponsored.define(opened.sponsored.read_file(file), by=by)
        opened.checkpoint()
    said = f"Proposed: {made.placement}, until {made.until}.\nNext, by somebody else: volens ad approve {made.placement} --by …"
    tell({"placement": made.placement, "number": made.number, "state": made.state}, said, as_json)


@ad.command()
@click.argument("name")
@house_option
@BY
@json_option
@speaking
def approve(name: str, house: Path, by: str, as_json: bool) -> None:
    """Approve the placement NAME that somebody else proposed: it is shown from its first day."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.sponsored.approve(name, by=by)
        opened.checkpoint()
    said = f"Approved: {made.placement}, until {made.until}.\nNext: volens ad learn"
    tell({"placement": made.placement, "number": made.number, "state": made.state}, said, as_json)


@ad.command()
@click.argument("name")
@house_option
@BY
@json_option
@speaking
def end(name: str, house: Path, by: str, as_json: bool) -> None:
    """The placement NAME is shown no more."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.sponsored.end(name, by=by)
        opened.checkpoint()
    tell({"placement": name, "state": "ended"}, "Ended. A server shows it no more within a second.", as_json)


@ad.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every placement: its state, its days, and how often it was shown by purchases and by the page."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found, shown = opened.sponsored.all(), opened.sponsored.shown()
        hidden = opened.sponsored.hidden()
    rows, lines = [], []
    for stored, one in found:
        days = shown.get(stored.number, {})
        personal, page = (sum(day.get(way, 0) for day in days.values()) for way in ("personal", "page"))
        rows.append({
            "placement": one.id, "state": stored.state, "from": one.first.isoformat(), "until": stored.until,
            "advertiser": one.advertiser, "personal": personal, "page": page, "impressions": one.impressions,
            "hidden": hidden.get(stored.number, 0), "days": days,
        })  # fmt: skip
        most = f" of {one.impressions:,}" if one.impressions is not None else ""
        lines.append(
            f"  {one.id:24} {stored.state:9} until {stored.until}  {one.advertiser:20} "
            f"{personal:>8,} by purchases {page:>8,} by the page{most}"
        )
    tell(rows, "\n".join(lines) or "  No placement is on record.", as_json)


@ad.command()
@house_option
@json_option
@speaking
def learn(house: Path, as_json: bool) -> None:
    """Learn what everybody who permits it buys of the few categories by which placements choose. Once a week is enough."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened, bar("profiles") as progress:
        done = opened.sponsored.learn(progress)
        opened.checkpoint()
    said = f"{done['customers']:,} profiles, of {done['categories']:,} categories.\n"
    said += f"Forgotten: {done['swept']:,} of people who permit it no more."
    tell(done, said, as_json)


@ad.command()
@house_option
@click.option("--card", help="Who looks: her card. Left out: nobody is signed in.")
@click.option("--page", default="", help="What the shop calls the page.")
@click.option("--category", default="", help="A category's page.")
@click.option("--search", default="", help="What was searched for.")
@click.option("--product", default="", help="The product that is looked at.")
@click.option("--slots", default=2, show_default=True)
@click.option("--visit", default="", help="A random key of the visit.")
@LANGUAGE
@json_option
@speaking
def decide(
    house: Path, card: str | None, page: str, category: str, search: str, product: str, slots: int, visit: str, language: str,
    as_json: bool,
) -> None:  # fmt: skip
    """What stands in the sponsored slots of a page, as the shop would ask it. It counts like any other."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        ads = opened.sponsored
        where = ads.page(page=page, category=category, search=search, product=product)
        shown = ads.decide(where, slots, ("card", card) if card else None, visit=visit)
        found = [ads.tell(one).to_dict(language) for one in shown]
    lines = [f"  {one['label']}: {one['name']} ({one['sku']})\n    {one['why']}\n    {one['impression']}" for one in found]
    tell({"ads": found}, "\n".join(lines) or "  Nothing fits this page.", as_json)


@ad.command()
@click.argument("impression")
@house_option
@LANGUAGE
@json_option
@speaking
def why(impression: str, house: Path, language: str, as_json: bool) -> None:
    """Why the advertisement IMPRESSION was there, and who pays for it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.sponsored.why(impression).to_dict(language)
    tell(found, f"  {found['why']}\n  {found['control']['text']}: {found['control']['settings']}", as_json)


@ad.command()
@click.argument("impression")
@click.argument("what", type=click.Choice(["stop", "hide"]))
@house_option
@json_option
@speaking
def heard(impression: str, what: str, house: Path, as_json: bool) -> None:
    """What was said to IMPRESSION: none by my purchases, or not this one again."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.sponsored.hear(impression, what)
        opened.checkpoint()
    words = {"stop": "It is not permitted any more; what was learned is gone.", "hide": "It is not shown to this customer again."}
    tell({"impression": impression, "heard": what}, words[what], as_json)
