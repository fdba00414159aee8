"""`volens message`: whether marketing messages may go now, who is not to be written to, the rules, what went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell
from volens.programme.messages import CHANNELS

if TYPE_CHECKING:
    from volens.app import House

BY = click.option("--by", required=True, help="Who answers for it: on the record.")
CHANNEL = click.option("--channel", type=click.Choice(CHANNELS), help="email, sms, push, phone or post.")
CARD = click.option("--card", help="The customer's card number.")
EMAIL = click.option("--email", help="Or the e-mail of a customer.")
REFERENCE = click.option("--reference", help="Or the retailer's own number of a customer.")


@click.group()
def message() -> None:
    """Marketing messages: asked about before each is sent. Who said no since a list was made gets nothing from it."""


@message.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@CHANNEL
@CARD
@EMAIL
@REFERENCE
@click.option("--key", help="The tool's own number of the message.")
@click.option("--campaign", help="What the message belongs to.")
@click.option("--to", help="For push: the device's address.")
@click.option("--purpose", help="Which of the channel's purposes it rests on. Default: its first.")
@click.option("--service", is_flag=True, help="It advertises nothing.")
@click.option("--as", "carrier", help="The recipient that carries. Default: the first that messages.yaml names.")
@click.option("--country", help="For a call: where the number is. Default: the house's country.")
@click.option("--addresses", is_flag=True, help="Say also where each person is reached.")
@BY
@house_option
@json_option
@speaking
def send(file: Path | None, by: str, house: Path, addresses: bool, as_json: bool, **given: Any) -> None:
    """Whether the messages in FILE (a JSON object a line) may go now, and what goes with each; or one, named by options."""
    from volens.app import open_house
    from volens.errors import BadInput
    from volens.messaging.message import Caller, read

    named = {name: value for name, value in given.items() if value and name != "service"}
    if given["service"]:
        named["advertising"] = False
    if (file is None) != bool(named):
        raise BadInput("Which messages?", "Name a FILE with a JSON object a line, or one message by --channel, --card, --key …")
    messages = read(_lines(file) if file is not None else [named])
    with open_house(house, clock=clock()) as opened:
        answers = opened.messages.send(messages, Caller(by), addresses=addresses)
        opened.checkpoint()
        _warn_of_links(opened)
    said = [_said(one.to_dict()) for one in answers] if len(answers) <= 20 else []
    going = sum(one.send for one in answers)
    said.append(f"{going:,} of {len(answers):,} may go, within a minute.")
    tell({"messages": [one.to_dict() for one in answers]}, "\n".join(said), as_json)


@message.command()
@click.option("--addresses", is_flag=True, help="Say also where each person is reached.")
@click.option("--as", "carrier", help="The recipient that carries. Default: the first that messages.yaml names.")
@BY
@house_option
@json_option
@speaking
def baskets(by: str, house: Path, addresses: bool, carrier: str | None, as_json: bool) -> None:
    """The messages about baskets left behind that may go now, each with its basket; each once."""
    from volens.app import open_house
    from volens.app.baskets import write_about_baskets
    from volens.messaging.message import Caller

    with open_house(house, clock=clock()) as opened:
        told = write_about_baskets(opened.reminders, opened.messages, Caller(by, carrier), addresses=addresses)
        opened.checkpoint()
        _warn_of_links(opened)
    values = [one.to_dict() for one in told]
    said = [f"{_said(one)}\n    basket    {one['basket']['why']}" for one in values[:20]]
    said.append(f"{len(values):,} messages may go, within a minute.")
    tell({"messages": values}, "\n".join(said), as_json)


def _warn_of_links(house: House) -> None:
    """A link that nobody can open is no way to say no (RFC 8058 asks for https)."""
    address = house.settings.web_address
    if not address.startswith("https://"):
        said = f"! The links in these messages lead to {address}: mail programs take https alone, and elsewhere nobody can open it."
        click.echo(f"{said} Set web_address in volens.toml before anything is sent.", err=True)


def _lines(file: Path) -> list[dict[str, Any]]:
    from volens.errors import BadInput

    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (ValueError, UnicodeDecodeError):
        raise BadInput("The file cannot be read.", 'Write a line a message: {"key": …, "channel": …, "card": …}') from None


def _said(one: dict[str, Any]) -> str:
    if not one["send"]:
        why = f": {one['refused']} {one['what_to_do']}" if "refused" in one else ""
        return f"  {one['key']}  not sent{why}"
    lines = [f"  {one['key']}  may go{' (as before)' if one['again'] else ''}"]
    lines += [f"    to        {one['address']}"] if "address" in one else []
    lines += [f"    {name}: {value}" for name, value in one["headers"].items()]
    lines += [f"    first     {one['right_to_object']}"] if one["right_to_object"] else []
    lines += [f"    {'footer' if not place else '      '}    {text}" for place, text in enumerate(one["footer"].splitlines())]
    return "\n".join(lines)


@message.command()
@CHANNEL
@CARD
@click.option("--email", help="Or an e-mail address, of a customer or of nobody.")
@REFERENCE
@click.option("--phone", help="Or a phone number.")
@click.option("--postal-address", "postal_address", help="Or a postal address, in a line.")
@click.option("--to", help="Or the address of a device.")
@click.option("--country", help="Of a phone number without a country's code. Default: the house's country.")
@click.option("--reason", required=True, type=click.Choice(["objection", "complaint", "bounce"]), help="What happened.")
@BY
@house_option
@json_option
@speaking
def suppress(reason: str, by: str, house: Path, as_json: bool, **given: str | None) -> None:
    """Somebody, or an address, is not written to by a channel any more. An objection or a complaint is recorded as a no too."""
    from volens.app import open_house
    from volens.messaging.message import Caller
    from volens.messaging.noes import read

    report = {"reason": reason, **{name: value for name, value in given.items() if value}}
    with open_house(house, clock=clock()) as opened:
        opened.messages.suppress(read([report]), Caller(by))
        counts = opened.messages.suppressed()
        opened.checkpoint()
    listed = sum(count for (channel, _), count in counts.items() if channel == given["channel"])
    tell({"taken": 1, "listed": listed}, f"Noted. Not written to by {given['channel']}: {listed:,} in all.", as_json)


@message.command()
@CHANNEL
@click.option("--address", help="Whether this address is on the list, by --channel.")
@click.option("--country", default="", help="Of a phone number without a country's code. Default: the house's country.")
@house_option
@json_option
@speaking
def suppressed(channel: str | None, address: str | None, country: str, house: Path, as_json: bool) -> None:
    """How many addresses are not written to, by channel and reason; or whether one that you have before you is."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        counts = opened.messages.suppressed()
        found = opened.messages.is_suppressed(channel or "", address, country) if address else None
    if address:
        value = {"suppressed": found is not None, **({"reason": found.reason, "since": found.day} if found is not None else {})}
        said = f"Not written to since {found.day}: {found.reason}." if found is not None else "This address is not on the list."
        tell(value, said, as_json)
        return
    rows = [
        {"channel": by, "reason": why, "addresses": count} for (by, why), count in sorted(counts.items()) if channel in (None, by)
    ]
    lines = [f"  {one['channel']:6} {one['reason']:14} {one['addresses']:>8,}" for one in rows]
    tell(rows, "\n".join(lines) or "  No address is on the list.", as_json)


@message.command()
@house_option
@json_option
@speaking
def rules(house: Path, as_json: bool) -> None:
    """The channels that are declared, and the rules for calls that stand today, with their sources."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        channels, calls = opened.messages.channels(), opened.messages.calling_rules()
    lines = [
        f"  {one.name:6} {', '.join(one.purposes):36} by {', '.join(one.carried_by):20} {one.most} within {one.days} days"
        for one in channels
    ]
    lines += ["", "  Calls, today:"]
    for row in calls:
        mark = "" if row.confirmed else "  (to be checked)"
        lines.append(f"  {row.country}  {row.kind:10} {_value(row.value)}\n      {row.source}{mark}")
    declared = [{**vars(one), "carried_by": list(one.carried_by)} for one in channels]
    tell({"channels": declared, "calls": [row.to_dict() for row in calls]}, "\n".join(lines), as_json)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(f"{name} {one}" for name, one in value.items())


@message.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """How many were asked about, may go, were held back: by month and channel; then the newest batches."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        months, batches = opened.messages.months(), opened.messages.batches()
    lines = [
        f"  {one.month}  {one.channel:6} {one.asked:>8,} asked  {one.sent:>8,} may go  {one.held:>8,} held back"
        f"  {one.unsubscribed:>6,} unsubscribed" for one in months
    ]  # fmt: skip
    for one in batches:
        told = ", ".join(f"{name} {count:,}" for name, count in one["campaigns"].items()) or "nothing"
        lines.append(f"  {one['day']}  {one['channel']:6} {one['recipient']:14} {told}  (asked by {one['by']})")
    value = {"months": [one.to_dict() for one in months], "batches": batches}
    tell(value, "\n".join(lines) or "  No tool has asked yet.", as_json)
