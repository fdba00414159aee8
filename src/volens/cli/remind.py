"""`volens remind`: the forgotten item."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from volens.cli.say import bar, clock, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.app import House
    from volens.reminders.model import Threshold

BARS = 20


@click.group()
def remind() -> None:
    """Tell customers who permit it, before they pay, what they usually take and forgot."""


@remind.command()
@house_option
@json_option
@speaking
def learn(house: Path, as_json: bool) -> None:
    """Learn the habits of everybody who permits reminders, and how sure one can be. Once a week is enough."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened, bar("what people buy again") as progress:
        done = opened.reminders.learn(progress)
        chosen = opened.reminders.told.most_certain_percent
        opened.checkpoint()
    value = {
        "customers": done.customers, "trips": done.trips, "day": done.day, "digest": done.digest, "swept": done.swept,
        "thresholds": [vars(one) for one in done.thresholds],
    }  # fmt: skip
    first = f"Learned the habits of {done.customers:,} customers from {done.trips:,} receipts."
    lines = [first, "", *_table(done.thresholds, chosen)]
    tell(value, "\n".join(lines), as_json)


@remind.command()
@house_option
@json_option
@speaking
def figures(house: Path, as_json: bool) -> None:
    """How often a reminder is right, for each choice of how often it speaks; and what came of those that were shown."""
    from volens.app import open_house
    from volens.errors import NotFound

    with open_house(house, clock=clock()) as opened:
        found, came = opened.reminders.figures(), opened.reminders.outcomes()
        chosen = opened.reminders.told.most_certain_percent
    if found is None:
        raise NotFound("Nothing was learned yet.", "Learn from what people bought: volens remind learn")
    learned, thresholds, chance = found
    value = {
        "learned": learned.day, **learned.figures, "most_certain_percent": chosen, "least_chance": chance,
        "thresholds": [vars(one) for one in thresholds], "shown": came,
    }  # fmt: skip
    lines = [f"Learned on {learned.day}, of {learned.figures['customers']:,} customers.", "", *_table(thresholds, chosen)]
    if came:
        lines += ["", "Shown to customers since:"]
    for month, counts in came.items():
        shown = sum(counts.values())
        lines.append(f"  {month}  {shown:,} shown, {counts.get('added', 0):,} taken, {counts.get('aside', 0):,} waved aside")
    tell(value, "\n".join(lines), as_json)


@remind.command()
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@click.option("--basket", "key", required=True, help="What the shop calls this basket. An item is named once a basket.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="Of the reason.")
@click.option("--without", multiple=True, help="A product that cannot be had now.")
@click.argument("skus", nargs=-1, required=True)
@json_option
@speaking
def basket(
    house: Path, card: str | None, email: str | None, key: str, language: str, without: tuple[str, ...], skus: tuple[str, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """What is missing from a basket with the products SKUS, if anything. It is on record as shown."""
    from volens.app import open_house
    from volens.reminding.shown import shown

    with open_house(house, clock=clock()) as opened:
        who = _who(opened, card, email)
        said = opened.reminders.remind(opened.reminders.basket(who, key, skus, without))
        value = shown(opened.reminders, said, language)
        opened.checkpoint()
    if value is None:
        tell({"reminder": None}, "Nothing is missing, as far as one may know.", as_json)
        return
    text = f"{value['name']}  ({value['sku']})\n{value['why']}\n\n" + "\n".join(
        f"  volens remind heard {value['reminder']} {what}" for what in ("added", "aside", "never", "stop")
    )
    tell({"reminder": value}, text, as_json)


@remind.command()
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@click.option("--basket", "key", required=True, help="What the shop calls this basket.")
@click.argument("state", type=click.Choice(["open", "paid", "emptied"]))
@click.argument("skus", nargs=-1)
@json_option
@speaking
def became(
    house: Path, card: str | None, email: str | None, key: str, state: str, skus: tuple[str, ...], as_json: bool
) -> None:  # fmt: skip
    """What became of a basket of the website: it holds the products SKUS now, it was paid, or it was emptied."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        who = _who(opened, card, email)
        opened.reminders.left.hear(opened.reminders.basket(who, key, skus), state)
        opened.checkpoint()
    tell({"heard": state}, "Heard. It is kept if its customer permits it, and one of their habits is in it.", as_json)


@remind.command()
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@click.option("--basket", "key", required=True, help="What the shop calls the basket that is filled now.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="Of the reason.")
@json_option
@speaking
def left(house: Path, card: str | None, email: str | None, key: str, language: str, as_json: bool) -> None:
    """The basket that a customer left behind, once. It is on record as shown."""
    from volens.app import open_house
    from volens.reminding.shown import shown_left

    with open_house(house, clock=clock()) as opened:
        who = _who(opened, card, email)
        value = shown_left(opened.reminders, opened.reminders.left.show(opened.reminders.basket(who, key, ())), language)
        opened.checkpoint()
    if value is None:
        tell({"left": None}, "No basket was left behind, as far as one may know.", as_json)
        return
    lines = [value["why"], "", *(f"  {one['name']}  ({one['sku']})" for one in value["products"])]
    tell({"left": value}, "\n".join(lines), as_json)


@remind.command()
@house_option
@click.argument("reminder")
@click.argument("what", type=click.Choice(["added", "aside", "never", "stop"]))
@json_option
@speaking
def heard(house: Path, reminder: str, what: str, as_json: bool) -> None:
    """What came of a REMINDER: taken, waved aside, never this again, or no reminders at all."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.reminders.hear(reminder, what)
        opened.checkpoint()
    words = {
        "added": "Noted: it was taken.",
        "aside": "Noted: not named for a while.",
        "never": "This is not named to them any more.",
        "stop": "Reminders are not permitted any more; what was learned of this customer is gone.",
    }
    tell({"reminder": reminder, "heard": what}, words[what], as_json)


@remind.command()
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True, help="Of the names.")
@click.option("--by", required=True, help="Who looks: on the record.")
@json_option
@speaking
def habits(house: Path, card: str | None, email: str | None, language: str, by: str, as_json: bool) -> None:
    """What was learned of a customer. Nothing, for whoever does not permit it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        customer = opened.customer(*_named(card, email)).customer
        found = [
            {"name": opened.reminders.name_of(one.product, language)[1], "times": one.times, "every_days": one.every_days,
             "last_days": one.last_days}
            for one in opened.reminders.show_habits(customer, by=by)
        ]  # fmt: skip
        opened.checkpoint()
    lines = [
        f"  {one['times']:>4} times, every {one['every_days']:>3} days, last {one['last_days']:>3} days ago  {one['name']}"
        for one in found
    ]
    tell({"habits": found}, "\n".join(lines) or "Nothing was learned of this customer.", as_json)


def _who(opened: House, card: str | None, email: str | None) -> int:
    return opened.customer(*_named(card, email)).customer


def _named(card: str | None, email: str | None) -> tuple[str, str]:
    from volens.errors import BadInput

    if (card is None) == (email is None):
        raise BadInput("Whose basket is it?", "Name the customer by --card or by --email.")
    return ("card" if card else "email", str(card or email))


def _table(thresholds: tuple[Threshold, ...], chosen: int) -> list[str]:
    """One line for each choice: in how many baskets it speaks, and how often it is right then."""
    lines = ["of 100 baskets     right, where something", "it speaks in       was forgotten"]
    marked = next((one for one in thresholds if one.speaks <= chosen / 100), None)
    for one in thresholds:
        filled = "█" * round(BARS * one.right)
        mark = "  ← reminders.yaml" if one is marked else ""
        lines.append(f"{100 * one.speaks:8.0f} {100 * one.right:16.0f} %  {filled:<{BARS}}{mark}")
    return lines

