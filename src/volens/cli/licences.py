"""`volens licence`: what customers permit to be published, where it is, and what has to come down."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

CARD = click.option("--card", required=True, help="Whose: her card.")
NUMBER = click.argument("use", type=int)


@click.group()
def licence() -> None:
    """Licences in use: given and taken back purpose by purpose, items approved one by one, take-downs with their proof."""


@licence.command()
@house_option
@CARD
@json_option
@speaking
def show(house: Path, card: str, as_json: bool) -> None:
    """What one customer permits, purpose by purpose, and until when."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        held = opened.licences.of_customer(opened.customer("card", card).customer)
    rows = [
        {
            "offer": one.offer.id, "purpose": word.purpose, "state": word.state, "since": word.day, "version": word.version,
            "language": word.language, "until": one.licence.ends.isoformat() if one.licence.ends else None, "terms": word.sha256,
        }
        for one in held for word in one.words
    ]  # fmt: skip
    lines = [
        f"  {row['offer']:24} {row['purpose']:16} {row['state']:10} since {row['since']}  until {row['until']}" for row in rows
    ]
    tell(rows, "\n".join(lines) or "  Nothing was ever said about a licence.", as_json)


@licence.command()
@house_option
@CARD
@json_option
@speaking
def items(house: Path, card: str, as_json: bool) -> None:
    """What one customer added, and what she said yes to. What it is stays sealed."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        held = opened.licences.of_customer(opened.customer("card", card).customer)
    rows = [
        {
            "offer": one.offer.id, "item": item.item, "kind": item.kind, "state": item.state, "version": item.version,
            "since": item.day,
        }
        for one in held for item in one.items
    ]  # fmt: skip
    lines = [f"  {row['item']}  {row['kind']:12} {row['state']:10} since {row['since']}" for row in rows]
    tell(rows, "\n".join(lines) or "  There is nothing of hers.", as_json)


@licence.command()
@house_option
@click.option("--card", help="Of one customer alone.")
@json_option
@speaking
def uses(house: Path, card: str | None, as_json: bool) -> None:
    """Where things are, planned or out: one line a place."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        if card is not None:
            held = opened.licences.of_customer(opened.customer("card", card).customer)
            placed = [use for one in held for use in one.uses]
        else:
            placed = opened.licences.all_uses()
    rows: list[dict[str, Any]] = [
        {
            "use": one.use.number, "offer": one.use.offer, "item": one.use.item, "purpose": one.use.purpose,
            "medium": one.use.medium, "territory": one.use.territory,
            "place": one.use.place, "machine": one.use.machine, "state": one.use.state,
            "since": one.use.since, "ready": one.ready.isoformat() if one.ready else None,
            "down_by": one.takedown.due if one.takedown else None, "overdue": one.overdue,
        }
        for one in placed
    ]  # fmt: skip
    lines = [f"  {row['use']:>6}  {row['state']:10} {row['medium']:12} {row['territory']}  {row['place']}" for row in rows]
    tell(rows, "\n".join(lines) or "  Nothing is planned or published.", as_json)


@licence.command()
@house_option
@json_option
@speaking
def takedowns(house: Path, as_json: bool) -> None:
    """What has to come down and until when, the most urgent first. Exit code 3 if anything is overdue."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        owed = opened.licences.owed()
    rows = [
        {
            "use": one.use.number, "medium": one.use.medium, "place": one.use.place, "machine": one.use.machine,
            "recipient": one.use.recipient, "reason": one.takedown.reason, "due": one.takedown.due, "overdue": one.overdue,
        }
        for one in owed
    ]  # fmt: skip
    lines = [
        f"  {row['use']:>6}  by {row['due']}{' LATE' if row['overdue'] else ''}  {row['medium']:12} {row['place']}"
        for row in rows
    ]
    tell(rows, "\n".join(lines) or "  Nothing has to come down.", as_json)
    if any(one.overdue for one in owed):
        sys.exit(3)


@licence.command()
@click.argument("offer")
@house_option
@CARD
@click.option("--purpose", help="One purpose alone. Left out: all of them.")
@json_option
@speaking
def withdraw(offer: str, house: Path, card: str, purpose: str | None, as_json: bool) -> None:
    """Take a customer's licence for OFFER back in her name, as she asked at the desk or by letter."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        who, giving = opened.customer("card", card).customer, opened.licences.giving
        language = opened.programme.languages[0]
        if purpose is not None:
            ended = int(giving.say(who, offer, purpose, False, language=language, surface="desk").state == "withdrawn")
        else:
            ended = giving.withdraw(who, offer, language=language, surface="desk")
        owed = sum(one.use.customer == who for one in opened.licences.owed())
        opened.checkpoint()
    said = f"Withdrawn: {ended}. To be taken down: {owed}.\nSee: volens licence takedowns"
    tell({"withdrawn": ended, "takedowns": owed}, said, as_json)


@licence.command()
@NUMBER
@house_option
@click.option("--by", required=True, help="Who looked: on the record.")
@click.option("--status", type=int, help="What a web server answers there: 404 or 410.")
@click.option("--note", default="", help="Else, what is there now.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]), help="When it was looked at, UTC. Default: now.")
@json_option
@speaking
def down(use: int, house: Path, by: str, status: int | None, note: str, at: datetime | None, as_json: bool) -> None:
    """Say that USE is down, with what is there now."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        instant = at.replace(tzinfo=UTC) if at is not None else opened.clock.now()
        made = opened.licences.done(use, at=instant, by=by, status=status, note=note)
        opened.checkpoint()
    tell({"use": made.number, "state": made.state}, f"Down: {made.place}", as_json)


@licence.command()
@click.argument("offer")
@house_option
@json_option
@speaking
def answers(offer: str, house: Path, as_json: bool) -> None:
    """What people answered in the survey of OFFER, the way without a licence. Who said what is not told."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.licences.answers(offer)
        asked = {version: opened.licences.giving.questions(offer, version) for version, _ in found}
    rows = [{"version": version, "answers": list(said)} for version, said in found]
    lines = [
        f"  {next(iter(question.values()))}\n    {one}"
        for version, said in found for question, one in zip(asked[version], said, strict=True)
    ]  # fmt: skip
    tell(rows, "\n".join(lines) or "  Nobody has answered yet.", as_json)
