"""`volens devices`: what a customer's phones and browsers say, what was chosen, what our servers let through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.app import House
    from volens.devices.view import CategoryState, Overview
    from volens.identity.vault import Identified

P = ParamSpec("P")
R = TypeVar("R")


@click.group()
def devices() -> None:
    """Phones and browsers: what they say they allow, what their owner chose, what our servers do."""


def _whose(function: Callable[P, R]) -> Callable[P, R]:
    function = click.option("--email", help="Or the e-mail of the customer's account.")(function)
    return click.option("--card", help="The customer's card number.")(function)


def _found(house: House, card: str | None, email: str | None) -> Identified:
    from volens.errors import BadInput

    if (card is None) == (email is None):
        raise BadInput("Whose devices?", "Name the customer by --card or by --email.")
    return house.customer("card" if card else "email", str(card or email))


@devices.command()
@json_option
@speaking
def categories(as_json: bool) -> None:
    """What phones and browsers guard, with the names of each system: for programme/devices.yaml."""
    from volens.programme import devices as programme

    every = programme.categories()
    lines = []
    for id, one in every.items():
        lines.append(f"{id}: {one.plain['en']} ({one.plain['fr']})")
        for platform, names in one.names.items():
            if names:
                lines.append(f"  {platform:8} {', '.join(sorted(names))}")
    value = {
        id: {"plain": one.plain, **{platform: sorted(names) for platform, names in one.names.items()}, "wide": one.wide}
        for id, one in every.items()
    }
    tell(value, "\n".join(lines), as_json)


@devices.command()
@house_option
@_whose
@json_option
@speaking
def show(house: Path, card: str | None, email: str | None, as_json: bool) -> None:
    """A customer's devices, and for each category: phone, choice, servers, last use, text."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        overview = opened.devices.overview(_found(opened, card, email).customer)
    tell(_value(overview), _in_words(overview), as_json)


@devices.command()
@house_option
@_whose
@click.option("--app", required=True, help="One of programme/devices.yaml.")
@click.option("--platform", required=True, type=click.Choice(["android", "ios", "web"]))
@click.option("--label", required=True, help="What its owner knows it by.")
@click.option("--key", help="Its Ed25519 public key, as base64url. Without one only machines speak for it.")
@json_option
@speaking
def register(
    house: Path, card: str | None, email: str | None, app: str, platform: str, label: str, key: str | None, as_json: bool
) -> None:
    """Add a device to a customer's account, as an app does when somebody signs in."""
    from volens.app import open_house
    from volens.devices.registry import Newcomer
    from volens.devices.signing import read_key

    new = Newcomer(app, platform, label, public_key=read_key(key) if key else None)
    with open_house(house, clock=clock()) as opened:
        found = _found(opened, card, email)
        device = opened.devices.register(found.customer, new, account=found.account)
    tell({"device": device}, f"The device {device} is registered.", as_json)


@devices.command(name="sign-out")
@house_option
@_whose
@click.argument("device")
@json_option
@speaking
def sign_out(house: Path, card: str | None, email: str | None, device: str, as_json: bool) -> None:
    """Take nothing from DEVICE any more: neither what it reports nor what it sends."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        done = opened.devices.sign_out(_found(opened, card, email).customer, device)
    tell({"signed_out": done}, f"{device} is signed out{'' if done else ' already'}.", as_json)


@devices.command()
@house_option
@_whose
@click.argument("device")
@json_option
@speaking
def forget(house: Path, card: str | None, email: str | None, device: str, as_json: bool) -> None:
    """Delete all that is known of DEVICE."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.devices.forget(_found(opened, card, email).customer, device)
    tell({"forgotten": True}, f"Nothing is known of {device} any more; its events stay, sealed.", as_json)


@devices.command()
@house_option
@json_option
@speaking
def lapse(house: Path, as_json: bool) -> None:
    """End the permissions that were not used for the programme's days. `volens nightly` does it too."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        ended = opened.devices.lapse()
        opened.checkpoint()
    tell({"lapsed": ended}, f"{ended:,} permissions were not used and have lapsed.", as_json)


@devices.command()
@house_option
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="How many days back, today included.")
@json_option
@speaking
def used(house: Path, days: int, as_json: bool) -> None:
    """What apps ask for and what of it is really used, over everybody: what nobody uses can be dropped."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.devices.used(days)
    lines = [f"In {days} days:"]
    for (category, purpose), (taken, refused) in sorted(found.items()):
        about = f"{taken:,} taken, {refused:,} refused"
        mark = "  ← declared and not used: ask for it no more" if purpose and not taken else ""
        lines.append(f"  {category:14} {purpose or 'declared by no app':24} {about}{mark}")
    rows = [{"category": category, "purpose": purpose, "taken": taken, "refused": refused}
            for (category, purpose), (taken, refused) in sorted(found.items())]  # fmt: skip
    tell(rows, "\n".join(lines), as_json)


def _value(overview: Overview) -> dict[str, Any]:
    """Plain values for scripts."""
    return {
        "position": overview.position,
        "devices": [vars(one) for one in overview.devices],
        "categories": [
            {
                "category": one.category,
                "uses": [
                    {
                        "app": use.use.app, "purpose": use.use.purpose, "choice": vars(use.choice),
                        "enforced": vars(use.enforced), "last_use": vars(use.last_use), "told": vars(use.told),
                    }
                    for use in one.uses
                ],
                "os_state": [vars(said) for said in one.devices],
                "refused": vars(one.refused),
            }
            for one in overview.categories
        ],
        "unused": list(overview.unused),
    }  # fmt: skip


def _in_words(overview: Overview) -> str:
    lines = [f"{len(overview.devices)} devices"]
    for device in overview.devices:
        heard = f"last heard {device.reported_at:%Y-%m-%d %H:%M} UTC" if device.reported_at else "never heard"
        gone = f", signed out {device.signed_out_at:%Y-%m-%d %H:%M} UTC" if device.signed_out_at else ""
        lines.append(f"  {device.device}  {device.label} ({device.platform}), {heard}{gone}")
    for one in overview.categories:
        lines += ["", one.category, *_category(one)]
    if overview.unused:
        lines += ["", "Nobody uses or reports: " + ", ".join(overview.unused)]
    return "\n".join(lines)


def _category(one: CategoryState) -> list[str]:
    lines = [] if one.uses else ["  no app uses it: our servers refuse it"]
    for use in one.uses:
        choice, taken = use.choice, use.last_use
        when = f" on {choice.day} under {choice.text}" if choice.day else ""
        lines += [
            f"  {use.use.purpose}",
            f"    choice    {choice.answer}{when}",
            f"    servers   {'open' if use.enforced.open else 'shut'}: {'; '.join(use.enforced.reasons)}",
            f"    last use  {taken.at:%Y-%m-%d %H:%M} UTC" if taken.at else "    last use  none",
            f"    7 / 30 days: {taken.in_7_days} / {taken.in_30_days} taken, "
            f"{taken.refused_in_7_days} / {taken.refused_in_30_days} refused",
        ]
    for said in one.devices:
        marks = {"still-open": "  ← it still allows what our servers refuse", "shut-by-phone": "  ← it keeps back what is allowed"}
        age = ", more than 30 days ago" if said.stale else ""
        heard = f"{said.reported_at:%Y-%m-%d %H:%M} UTC"
        lines.append(f"  {said.label}: {said.state}, as it said on {heard}{age}{marks.get(said.contradiction, '')}")
    return lines
