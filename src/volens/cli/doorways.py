"""`volens doorway` and `volens outbox`: short addresses, lines, the page of the year, and messages to customers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from volens.cli.say import clock, errors, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.app import House
    from volens.delivery.store import Stored
    from volens.doorways.station import Doorway


def who_option(function: Any) -> Any:
    """`--card` or `--email`."""
    function = click.option("--email", help="Or the e-mail of the customer's account.")(function)
    return click.option("--card", help="The customer's card number.")(function)


@click.group()
def doorway() -> None:
    """Ways to say no without an account: the short address on cards and receipts, and what is printed with it."""


@doorway.command()
@house_option
@who_option
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Write the QR code here.")
@json_option
@speaking
def card(house: Path, card: str | None, email: str | None, svg: Path | None, as_json: bool) -> None:
    """The short address of a card: its code, where it leads, and its QR code."""
    from volens.app import open_house
    from volens.errors import NotFound

    kind, value = _named(card, email)
    with open_house(house, clock=clock()) as opened:
        found = opened.doorways.cards(kind, [value])[value]
    if found is None:
        raise NotFound(f"No customer is known by that {kind}.", "Check it, or ingest the customer master first.")
    if svg is not None:
        svg.write_text(found.svg + "\n", encoding="utf-8")
    _warn_local(found)
    text = f"  {found.code}\n  {found.url}" + (f"\n  QR code: {svg}" if svg is not None else f"\n\n{_terminal(found.url)}")
    tell({"code": found.code, "url": found.url, "svg": str(svg) if svg else None}, text, as_json)


@doorway.command()
@house_option
@who_option
@click.option("--by", required=True, help="Who asks for it.")
@json_option
@speaking
def renew(house: Path, card: str | None, email: str | None, by: str, as_json: bool) -> None:
    """End the short addresses of a customer's cards, and give each a new one: after a loss, or when somebody misuses one."""
    from volens.app import open_house

    kind, value = _named(card, email)
    with open_house(house, clock=clock()) as opened:
        fresh = opened.doorways.renew(opened.customer(kind, value).customer, by=by)
        opened.checkpoint()
    lines = [f"  {one.kind:8} {one.code}  {one.url}" for one in fresh]
    tell([{"kind": one.kind, "code": one.code, "url": one.url} for one in fresh],
         "The addresses before these no longer work.\n" + "\n".join(lines), as_json)


@doorway.command()
@house_option
@who_option
@click.option("--language", help="Default: every language of the programme.")
@click.option("--width", type=click.IntRange(24, 200), help="Characters of a line of the till's paper.")
@json_option
@speaking
def line(house: Path, card: str | None, email: str | None, language: str | None, width: int | None, as_json: bool) -> None:
    """The line for till receipts and for the end of messages; with a card, also its own address to say no."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        url = None
        if card or email:
            url = opened.doorways.first(opened.customer(*_named(card, email)).customer)
        lines, found = opened.doorways.lines, {}
        for one in [language] if language else opened.programme.languages:
            found[one] = "\n".join(lines.receipt(one, url, width)) if width else lines.line(one, url)
    tell(found, "\n\n".join(found.values()), as_json)


@doorway.command()
@house_option
@who_option
@click.option("--language", help="Default: the customer's own.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to print here.")
@json_option
@speaking
def page(house: Path, card: str | None, email: str | None, language: str | None, html: Path | None, as_json: bool) -> None:
    """One customer's page of the year: what is permitted, what was used, by whom, how to stop it. Sends nothing."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.doorways.yearly.page(opened.customer(*_named(card, email)).customer, language)
    if html is not None:
        html.write_text(found.html, encoding="utf-8")
    tell({"language": found.language, "text": found.text, "html": str(html) if html else None}, found.text, as_json)


@doorway.command()
@house_option
@click.option("--limit", type=click.IntRange(1), help="At most so many. Default: what a night sends.")
@json_option
@speaking
def pages(house: Path, limit: int | None, as_json: bool) -> None:
    """Send the page of the year to those for whom it is due, by the channel that each allows. `volens nightly` does it too."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        sent = opened.doorways.yearly.send(limit)
        carried = opened.doorways.work()
        opened.checkpoint()
    tell({"pages": sent, "carried": carried}, f"  {sent:,} pages of the year; {carried:,} messages carried.", as_json)


@doorway.command()
@house_option
@who_option
@click.option("--channel", type=click.Choice(["email", "sms", "none"]), required=True)
@click.option("--by", default="the person", show_default=True, help="Who says so.")
@json_option
@speaking
def channel(house: Path, card: str | None, email: str | None, channel: str, by: str, as_json: bool) -> None:
    """By which channel a customer is told about her own choices, or by none."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        customer = opened.customer(*_named(card, email)).customer
        opened.delivery.choose_channel(customer, channel, by=by)
        opened.checkpoint()
    tell({"channel": channel}, f"  Recorded: {channel}.", as_json)


@click.group()
def outbox() -> None:
    """Messages to customers: what waits, what left, and what one of them says."""


@outbox.command("list")
@house_option
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@json_option
@speaking
def list_(house: Path, limit: int, as_json: bool) -> None:
    """The newest messages, without what they say."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        counts, found = opened.delivery.counts(), opened.delivery.newest(limit)
    value = {"counts": counts, "messages": [_open_part(one) for one in found]}
    lines = [f"  {one.message}  {one.queued[:16]}  {one.state:12} {one.channel or '':6} {one.kind}" for one in found]
    head = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items())) or "No message was ever asked for"
    tell(value, "\n".join([f"{head}.", *lines]), as_json)


@outbox.command()
@house_option
@click.argument("message")
@click.option("--by", required=True, help="Who looks; it is on the record.")
@json_option
@speaking
def show(house: Path, message: str, by: str, as_json: bool) -> None:
    """One message as its customer gets it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        letter = opened.delivery.show(message, by=by)
    text = f"To: {letter.address} ({letter.channel})\nSubject: {letter.subject}\n\n{letter.text}"
    tell({name: getattr(letter, name) for name in ("message", "kind", "channel", "address", "language", "subject", "text")},
         text, as_json)


@outbox.command()
@house_option
@json_option
@speaking
def send(house: Path, as_json: bool) -> None:
    """Make the links that were asked for, and deliver what waits."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        links = opened.doorways.links.answer()
        done = opened.delivery.deliver()
        opened.checkpoint()
    tell({"links": links, **vars(done)}, f"  {links:,} links made; {done.to_text()}.", as_json)


def _named(card: str | None, email: str | None) -> tuple[str, str]:
    from volens.errors import BadInput

    if (card is None) == (email is None):
        raise BadInput("Whose is it?", "Name the customer by --card or by --email.")
    return ("card", card) if card is not None else ("email", str(email))


def _open_part(one: Stored) -> dict[str, Any]:
    return {"message": one.message, "kind": one.kind, "channel": one.channel, "state": one.state, "queued": one.queued,
            "tries": one.tries}


def _warn_local(found: Doorway) -> None:
    if "//127.0.0.1" in found.url or "//localhost" in found.url:
        errors.print("[dim]This address leads to this machine alone: set web_address in volens.toml before you print it.[/]")


def _terminal(url: str) -> str:
    """The QR code in characters, for a look."""
    import io

    import segno

    drawn = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(out=drawn, compact=True)
    return drawn.getvalue()


def nightly(opened: House) -> tuple[dict[str, int], str]:
    """The doorways' part of the night, for scripts and for people."""
    done = dict(opened.doorways.nightly())
    text = f"  pages       {done['pages']:,} pages of the year, {done['carried']:,} messages carried"
    return done, text
