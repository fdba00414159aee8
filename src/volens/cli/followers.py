"""`volens followers`: systems that follow what customers change, how far each is, and what is sent to them."""

from __future__ import annotations

from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

BY = click.option("--by", required=True, help="Who answers for it: on the record.")


@click.group()
def followers() -> None:
    """Systems that must obey: who follows what, how far each has acknowledged, and the set of who permits."""


@followers.command()
@click.argument("name")
@house_option
@click.option("--recipient", required=True, help="The recipient of the programme for which it acts; its pseudonyms are used.")
@click.option("--purpose", "purposes", multiple=True, required=True, help="What it follows. Again for more.")
@click.option("--webhook", help="Where changes are sent. Left out: it asks by itself, with a key of the same name.")
@BY
@json_option
@speaking
def add(
    name: str, house: Path, recipient: str, purposes: tuple[str, ...], webhook: str | None, by: str, as_json: bool
) -> None:
    """Let the system NAME follow purposes for a recipient; again with other options changes them."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.followers.add(name, purposes, recipient=recipient, by=by, webhook=webhook)
        opened.checkpoint()
        secret = opened.followers.secrets(made)[0] if webhook else None
    said = [f"{name} follows {', '.join(made.purposes)} for {recipient}. It begins with the permitted set."]
    key = f"Its key: volens machine add {name} --scope changes --scope export …"
    said.append(f"Its webhook secret: {secret}" if secret else key)
    tell({"follower": name, "recipient": recipient, "purposes": list(made.purposes), "secret": secret}, "\n".join(said), as_json)


@followers.command("list")
@house_option
@click.option("--overdue", is_flag=True, help="Those alone who have not acknowledged a no in time.")
@json_option
@speaking
def list_(house: Path, overdue: bool, as_json: bool) -> None:
    """Who follows, and how far each is."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.followers.overdue() if overdue else opened.followers.standing()
    rows = [
        f"  {one.follower.name:20} {one.follower.recipient:20} {'OVERDUE' if one.overdue else 'waiting' if one.due else 'ok':8}"
        f"{f'since {one.waiting_since:%Y-%m-%d %H:%M} UTC  ' if one.waiting_since else ''}{one.follower.outcome or ''}".rstrip()
        for one in found
    ]
    tell([one.to_dict() for one in found], "\n".join(rows) or f"  Nobody {'is overdue' if overdue else 'follows'}.", as_json)


@followers.command()
@click.argument("name")
@house_option
@click.option("--renew", is_flag=True, help="Make another. Deliveries are signed by both the new and the one before it.")
@click.option("--by", help="Who renews it.")
@json_option
@speaking
def secret(name: str, house: Path, renew: bool, by: str | None, as_json: bool) -> None:
    """Show or renew the webhook secret of the follower NAME."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        one = opened.followers.renew_secret(name, by=by or "") if renew else opened.followers.there(name)
        made = opened.followers.secrets(one)
    tell({"follower": name, "secrets": list(made)}, made[0], as_json)


@followers.command()
@click.argument("name")
@house_option
@BY
@json_option
@speaking
def end(name: str, house: Path, by: str, as_json: bool) -> None:
    """NAME follows no more: nothing is sent to it, and nobody waits for it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.followers.end(name, by=by)
        opened.checkpoint()
    tell({"follower": name, "ended": True}, f"{name} follows no more. Revoke its key too: volens machine revoke {name}", as_json)


@followers.command()
@house_option
@click.option("--follower", "name", help="One of them alone.")
@click.option("--forever", is_flag=True, help="Go on until it is ended. 'volens serve' does so by itself.")
@json_option
@speaking
def deliver(house: Path, name: str | None, forever: bool, as_json: bool) -> None:
    """Send what followers with a webhook have not acknowledged. Nothing is lost if this is killed."""
    from volens.app import open_house
    from volens.followers.webhooks import Delivery

    with open_house(house, clock=clock()) as opened:
        delivery = Delivery(lambda: opened.followers, opened.clock)
        if forever:
            delivery.run()
            return
        sent = delivery.once(name)
    rows = [f"  {one.follower:20} {one.changes:>6} changes  {one.outcome}" for one in sent]
    tell([vars(one) for one in sent], "\n".join(rows) or "  Nothing is waiting.", as_json)


@followers.command()
@click.argument("purpose")
@click.argument("recipient")
@house_option
@click.option("--follower", "name", help="Which follower, where several of the recipient follow the purpose.")
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A .csv or .parquet file.")
@json_option
@speaking
def export(purpose: str, recipient: str, house: Path, name: str | None, file: Path, as_json: bool) -> None:
    """Write who permits PURPOSE to RECIPIENT, as a signed file with a position and an end. It passes the door, on record."""
    from volens.app import open_house
    from volens.errors import BadInput

    with open_house(house, clock=clock()) as opened:
        theirs = [one.name for one in opened.followers.all()
                  if one.recipient == recipient and purpose in one.purposes and name in (None, one.name)]  # fmt: skip
        if len(theirs) != 1:
            raise BadInput(
                f"{len(theirs)} followers of {recipient!r} follow {purpose!r}.",
                f"Name one with --follower: {', '.join(theirs)}." if theirs else "Add one with: volens followers add",
            )
        form = file.suffix.removeprefix(".").lower()
        made = opened.followers.permitted_set(theirs[0], purpose)
        file.write_bytes(made.write(form))
        opened.checkpoint()
    said = f"{made.header['customers']:,} pseudonyms at position {made.header['position']:,}; good until {made.header['expires']}."
    tell({**made.header, "file": str(file)}, said, as_json)


@followers.command()
@house_option
@click.option("--since", default="", help="From this hour on (UTC), as in 2026-03-02T09.")
@json_option
@speaking
def counts(house: Path, since: str, as_json: bool) -> None:
    """How often each machine asked for decisions, by hour, purpose and verdict."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.followers.decisions.counted(since)
    rows = [f"  {one['hour']}  {one['caller']:20} {one['purpose']:28} {one['verdict']:4}{one['answers']:>12,}" for one in found]
    tell(found, "\n".join(rows) or "  Nobody asked.", as_json)
