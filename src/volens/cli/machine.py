"""`volens machine`: which programs may call the house over HTTP, for whom, for what and until when."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.access.machines import Issued

BY = click.option("--by", required=True, help="Who answers for it: on the record.")
EXPIRES = click.option("--expires", required=True, type=click.DateTime(["%Y-%m-%d"]),
                       help="The last day on which the key works, at most 400 days from today.")


@click.group()
def machine() -> None:
    """Programs that may call the house over HTTP: each has a key, scopes and a last day."""


@machine.command()
@click.argument("name")
@house_option
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do: decisions, changes … Again for more.")
@click.option("--recipient", help="The recipient of the programme for which it calls. Default: the house itself.")
@EXPIRES
@click.option("--address", "addresses", multiple=True, help="Where it calls from. Again for more. Default: anywhere.")
@BY
@json_option
@speaking
def add(
    name: str, house: Path, scopes: tuple[str, ...], recipient: str | None, expires: datetime, addresses: tuple[str, ...],
    by: str, as_json: bool,
) -> None:  # fmt: skip
    """Let the program NAME in. Prints its key, once."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        issued = opened.access.machines.add(
            name, scopes, recipient=recipient, expires=_day(expires), addresses=addresses, by=by
        )
    _show(issued, as_json)


@machine.command()
@click.argument("name")
@house_option
@EXPIRES
@BY
@json_option
@speaking
def renew(name: str, house: Path, expires: datetime, by: str, as_json: bool) -> None:
    """A second key for NAME, like the first, which ends within seven days."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        issued = opened.access.machines.renew(name, expires=_day(expires), by=by)
    _show(issued, as_json)


@machine.command()
@click.argument("name")
@house_option
@BY
@json_option
@speaking
def revoke(name: str, house: Path, by: str, as_json: bool) -> None:
    """Shut NAME out: every key of it stops working within five seconds."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        ended = opened.access.machines.revoke(name, by=by)
    keys = "Its key is" if ended == 1 else f"Its {ended} keys are"
    tell({"machine": name, "revoked": ended}, f"{keys} revoked. A running server takes note within five seconds.", as_json)


@machine.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every key that there was: whose, for what, until when, and when it was last used. Shows no key."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        rows = opened.access.machines.keys()
    value = [{**vars(row), "secret": None} for row in rows]
    lines = [
        f"  {row.machine:24} {row.key}  {row.recipient or 'the house':24} {', '.join(row.scopes):32} "
        f"{'revoked' if row.ended is not None else f'until {row.expires}'}, "
        f"{f'last used {row.last_used}h UTC' if row.last_used else 'never used'}"
        for row in rows
    ]
    tell(value, "\n".join(lines) or "No machine may call. Let one in with: volens machine add NAME", as_json)


def _show(issued: Issued, as_json: bool) -> None:
    text = f"""{issued.machine} may call until {issued.expires}. Its key, shown this once:

  {issued.secret}

  Send it in each request:  Authorization: Bearer KEY
  Keep it where programs keep secrets; change it with: volens machine renew {issued.machine}"""
    tell(vars(issued), text, as_json)


def _day(when: datetime) -> date:
    return date(when.year, when.month, when.day)
