"""`volens customer`: what is known of a customer without any name, and which cards are one person's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from volens.cli.erasure import customer as customer
from volens.cli.say import bar, clock, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.customers.station import Reference, Shown

BY = click.option("--by", required=True, help="Who decides this: kept sealed, under the person's key.")
WHY = click.option("--reason", default="", help="Why; kept with it.")


def _reference(card: str | None, email: str | None, reference: str | None, whose: str) -> Reference:
    from volens.errors import BadInput

    given = [(kind, value) for kind, value in (("card", card), ("email", email), ("reference", reference)) if value]
    if len(given) != 1:
        raise BadInput(f"{whose} is it?", "Name one, by --card or --email (--to-card, --to-email for whom it belongs to).")
    return given[0]


@customer.command()
@house_option
@click.option("--card", help="A card number.")
@click.option("--email", help="Or an e-mail.")
@click.option("--reference", help="Or the retailer's own number of the person.")
@json_option
@speaking
def show(house: Path, card: str | None, email: str | None, reference: str | None, as_json: bool) -> None:
    """Cards, links and age of a customer, as numbers and days."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        shown = opened.customers.show(_reference(card, email, reference, "Whose card"))
    value = {**vars(shown), **{name: [vars(one) for one in getattr(shown, name)] for name in ("accounts", "links", "waiting")}}
    tell(value, _told(shown), as_json)


@customer.command()
@house_option
@click.option("--card", help="The card that is somebody else's.")
@click.option("--email", help="Or the e-mail.")
@click.option("--to-card", help="A card of the customer to whom it belongs.")
@click.option("--to-email", help="Or an e-mail.")
@click.option("--to-reference", help="Or the retailer's own number of the person.")
@click.option("--whole", is_flag=True, help="With all other cards and logins of its present customer.")
@BY
@WHY
@json_option
@speaking
def link(
    house: Path, card: str | None, email: str | None, to_card: str | None, to_email: str | None, to_reference: str | None,
    whole: bool, by: str, reason: str, as_json: bool,
) -> None:  # fmt: skip
    """Two cards are one person's: from now on the stricter permission counts for both.

    Wherever one of the two has no permission, neither has. The purchases follow at once if nobody else is changing
    them, else with the next feed, pack or `volens customer relabel`.
    """
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        ours = _reference(card, email, None, "Which card or login")
        theirs = _reference(to_card, to_email, to_reference, "Whose")
        done = opened.customers.link(ours, theirs, by=by, reason=reason, whole=whole)
        opened.checkpoint()
        followed = opened.customers.relabel_if_free()
        opened.checkpoint()
    moved = [one for one in done if one.seq is not None]
    text = "Nothing changed: it is that customer's already." if not moved else (
        f"{_count(len(moved), 'card or login', 'cards and logins')} moved from customer {moved[0].former} to customer "
        f"{moved[0].customer}. {_ended(sum(one.revoked for one in moved))}\n{_followed(followed)}"
    )
    tell({"linked": [vars(one) for one in done], "followed": vars(followed) if followed else None}, text, as_json)


@customer.command()
@house_option
@click.option("--card", help="The card that was linked.")
@click.option("--email", help="Or the e-mail.")
@BY
@WHY
@json_option
@speaking
def unlink(house: Path, card: str | None, email: str | None, by: str, reason: str, as_json: bool) -> None:
    """Take the newest link of a card back: its purchases, and each side's own last word.

    What was said since stands; a no that either said meanwhile is a no of both.
    """
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        done = opened.customers.unlink(_reference(card, email, None, "Which card or login"), by=by, reason=reason)
        followed = opened.customers.relabel_if_free()
        opened.checkpoint()
    text = f"It is customer {done.customer}'s again, and no longer customer {done.former}'s.\n{_followed(followed)}"
    tell({"unlinked": vars(done), "followed": vars(followed) if followed else None}, text, as_json)


@customer.command()
@house_option
@json_option
@speaking
def relabel(house: Path, as_json: bool) -> None:
    """Let the purchases of linked cards follow; for the night. Feeds and packs do it themselves before they begin."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened, bar("purchases of linked cards") as told:
        followed = opened.customers.relabel(told)
        opened.checkpoint()
    tell(vars(followed), _followed(followed), as_json)


def _told(shown: Shown) -> str:
    lines = [f"Customer {shown.customer}, {shown.country}." + (f" A minor until {shown.minor_until}." if shown.minor_until else "")]
    for one in shown.accounts:
        lines.append(f"  {one.kind:14} number {one.account}{f'   closed on {one.closed}' if one.closed else ''}")
    for link in shown.links:
        ended = "" if link.undone is None else "; taken back"
        lines.append(f"  account {link.account} moved from customer {link.former} to customer {link.customer}{ended}")
    for row in shown.waiting:
        lines.append(f"  purchases of account {row.account} may still stand under customer {row.former}: volens customer relabel")
    return "\n".join(lines)


def _followed(followed: object) -> str:
    from volens.customers.linking import Followed

    if not isinstance(followed, Followed):
        return "Its purchases follow with the next feed or pack, or with: volens customer relabel"
    if not followed.accounts:
        return "No purchases wait to follow a card."
    words = f" {_count(followed.restored, 'permission was', 'permissions were')} given back." if followed.restored else ""
    return f"{_count(followed.lines, 'line', 'lines')} of {_count(followed.accounts, 'card', 'cards')} followed.{words}"


def _ended(number: int) -> str:
    if not number:
        return "No permission ended: what one of the two had, the other had as well."
    return f"{_count(number, 'permission', 'permissions')} ended, since one of the two had none."


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
