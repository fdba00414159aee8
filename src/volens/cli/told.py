"""`volens told`: what people were told, against what is really used."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell
from volens.told.flows import Flow, Kind
from volens.told.station import Incident

HEADINGS = {
    Kind.PURPOSE: "Purposes", Kind.SUPPLIER: "Suppliers", Kind.SOURCE: "Feeds that come in", Kind.MACHINE: "Keys of other systems",
    Kind.OFFER: "Offers", Kind.LICENCE: "Licences",
}  # fmt: skip


@click.group(invoke_without_command=True)
@house_option
@json_option
@click.pass_context
@speaking
def told(context: click.Context, house: Path, as_json: bool) -> None:
    """What the terms named, what was really used, and what never was. Exit code 3 while anything was used that was not told."""
    from volens.app import open_house

    if context.invoked_subcommand is not None:
        return
    with open_house(house, clock=clock()) as opened:
        today, flows, incidents = opened.told.today, opened.told.flows(), opened.told.incidents()
    wrong = [one for one in incidents if one.opened is None]
    value = {"flows": [one.to_dict(today) for one in flows], "incidents": [vars(one) for one in incidents]}
    tell(value, _text(flows, wrong, today), as_json)
    if wrong or any(one.unexplained for one in flows):
        sys.exit(3)


@told.command()
@house_option
@json_option
@speaking
def check(house: Path, as_json: bool) -> None:
    """Raise an incident for all that was used and not told, and close its flow (`volens nightly` does too). Exit code 3 if any."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        new = opened.told.check()
        opened.checkpoint()
    lines = [_incident(one) for one in new]
    tell([vars(one) for one in new], "\n".join(lines) or "  Everything that was used had been told.", as_json)
    if new:
        sys.exit(3)


@told.command("open")
@click.argument("name")
@click.argument("recipient", required=False)
@house_option
@click.option("--why", required=True, help="Why it may go on: on the record.")
@click.option("--by", required=True, help="Who answers for it: on the record.")
@json_option
@speaking
def open_(name: str, recipient: str | None, house: Path, why: str, by: str, as_json: bool) -> None:
    """Open a flow again: the purpose NAME for RECIPIENT, or the feed NAME."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.told.open_again(name, recipient, why=why, by=by)
        opened.checkpoint()
    tell({"name": name, "recipient": recipient, "state": "open"}, "Open again.", as_json)


def _text(flows: Sequence[Flow], wrong: Sequence[Incident], today: date) -> str:
    lines = [_incident(one) for one in wrong]
    for kind, heading in HEADINGS.items():
        mine = [one for one in flows if one.kind is kind and (one.named or one.used)]
        if mine:
            lines += ["", f"{heading}: {len(mine)}"]
        for one in mine:
            lines += _flow(one, today)
    return "\n".join(lines).lstrip("\n")


def _flow(one: Flow, today: date) -> list[str]:
    who = f"{one.name} → {one.recipient}" if one.recipient is not None else one.name
    last = f"last {one.last.isoformat()}" if one.last is not None and one.used else "never used"
    lines = [f"  {who}: {len(one.needed)} of {len(one.named)} used, {last}{'  CLOSED' if one.closed else ''}"]
    if one.unexplained:
        lines.append(f"      used and not told: {', '.join(sorted(one.unexplained))}")
    if drop := one.to_drop(today):
        lines.append(f"      to drop: {'all of it' if one.never else ', '.join(drop)}")
    elif one.unused:
        many = "all of it" if one.never else ", ".join(one.unused)
        lines.append(f"      not used yet: {many}; whether it is needed can be said from {one.ripe_on().isoformat()}")
    return lines


def _incident(one: Incident) -> str:
    who = f"{one.name} → {one.recipient}" if one.recipient is not None else f"the feed {one.name}"
    to = f" {one.recipient}" if one.recipient is not None else ""
    lines = [f"  INCIDENT of {one.day}: {who} used {', '.join(one.items)}, which nobody was told. It is closed."]
    return "\n".join([*lines, f"      volens told open {one.name}{to} --why … --by …"])
