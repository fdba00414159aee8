"""`volens referral`: a sponsor's link, what the rules saw, what a person decides, and how well the rules find fraud."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.referring.store import Tie

CARD = click.option("--card", required=True, help="Whose: her card.")
BY = click.option("--by", required=True, help="Who answers for it: on the record.")
REASON = click.option("--reason", required=True, help="Why: sealed under the customer's key.")
NUMBER = click.argument("number", type=int)
PEOPLE_MAX = 1_000_000


@click.group()
def referral() -> None:
    """Invitations: links that sponsors share themselves, and rules against fraud that say what they saw."""


@referral.command()
@click.argument("offer")
@house_option
@CARD
@click.option("--shown", help="The first name that stands beside the link; '' for none. Default: as it is.")
@json_option
@speaking
def link(offer: str, house: Path, card: str, shown: str | None, as_json: bool) -> None:
    """The link of somebody who takes part in OFFER."""
    from volens.app import open_house
    from volens.referring.links import PATH

    with open_house(house, clock=clock()) as opened:
        made = opened.referring.link(opened.customer("card", card).customer, offer, shown=shown)
        address = f"{opened.settings.web_address.rstrip('/')}{PATH}{opened.referring.links.token(made)}"
        opened.checkpoint()
    tell({"offer": offer, "link": address}, f"{address}\nShe shares it herself: nothing is sent from here.", as_json)


@referral.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every offer's invitations, counted by their state."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        counts = opened.referring.counts()
    rows = [{"offer": offer, "state": state, "invitations": count} for (offer, state), count in sorted(counts.items())]
    lines = [f"  {one['offer']:28} {one['state']:9} {one['invitations']:>8,}" for one in rows]
    tell(rows, "\n".join(lines) or "  Nobody was invited yet.", as_json)


@referral.command()
@house_option
@json_option
@speaking
def held(house: Path, as_json: bool) -> None:
    """What waits for a person, the first due first."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.referring.held()
    tell([_plain(one) for one in found], "\n".join(map(_line, found)) or "  Nothing waits.", as_json)


@referral.command()
@NUMBER
@house_option
@BY
@REASON
@json_option
@speaking
def release(number: int, house: Path, by: str, reason: str, as_json: bool) -> None:
    """Let the invitation NUMBER go: it counts."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.referring.release(number, by=by, reason=reason)
        opened.checkpoint()
    tell(_plain(made), f"Released:{_line(made)}", as_json)


@referral.command()
@NUMBER
@house_option
@BY
@REASON
@json_option
@speaking
def refuse(number: int, house: Path, by: str, reason: str, as_json: bool) -> None:
    """The rule is right: the invitation NUMBER does not count. What was paid stays paid."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.referring.refuse(number, by=by, reason=reason)
        opened.checkpoint()
    tell(_plain(made), f"Refused:{_line(made)}", as_json)


@referral.command()
@json_option
@speaking
def rules(as_json: bool) -> None:
    """The rules: what each looks at, what it does, and the sentence that the customer reads."""
    from volens.referring.rules import RULES

    rows = [
        {
            "rule": one.id, "looks_at": one.looks_at, "action": str(one.action), "sentence": dict(one.sentence),
            "article": one.article,
        }
        for one in RULES
    ]  # fmt: skip
    lines = [f"  {one.id:11} {one.action:8} {one.looks_at}\n  {'':20} “{one.sentence['en']}”" for one in RULES]
    tell(rows, "\n".join(lines), as_json)


@referral.command()
@click.option("--people", type=click.IntRange(100, PEOPLE_MAX), default=10_000, show_default=True, help="Invitations a campaign.")
@click.option("--seed", "seeds", type=int, multiple=True, help="A campaign for each. Default: three by chance.")
@click.option("--fraud", type=click.FloatRange(0, 0.5), default=0.05, show_default=True, help="Which share of them is fraud.")
@click.option("--careful", type=click.FloatRange(0, 1), default=0.05, show_default=True,
              help="Which share of each kind of fraud looks like people in all that is looked at.")
@json_option
@speaking
def rehearse(people: int, seeds: tuple[int, ...], fraud: float, careful: float, as_json: bool) -> None:
    """How much fraud the rules find on invented campaigns, and whom they hold for nothing. Needs no house."""
    import secrets

    from volens.referring.rehearsing import rehearse as run

    done = run(seeds or [secrets.randbelow(2**31) for _ in range(3)], people, fraud, careful)
    by_kind = done.by_kind()
    value: dict[str, Any] = {
        "seeds": list(done.seeds), "people": people, "fraud": fraud, "careful": careful,
        "fraud_found": done.fraud_found.to_dict(), "honest_held": done.honest_held.to_dict(),
        "by_kind": {side: {kind: rate.to_dict() for kind, rate in kinds.items()} for side, kinds in by_kind.items()},
        "honest_held_by_rule": dict(done.by_rule),
    }  # fmt: skip
    named = ", ".join(map(str, done.seeds))
    lines = [f"  seeds {named}: {people:,} invitations each, {fraud:.0%} fraud, {careful:.0%} of it careful"]
    lines += [f"  {'fraud found':24}{done.fraud_found.to_text()}", f"  {'honest people held':24}{done.honest_held.to_text()}"]
    for side, kinds in by_kind.items():
        lines += [f"    {side:7} {kind:14} {rate.to_text()}" for kind, rate in kinds.items()]
    lines.append("  An assumption, and no measurement of real fraud: what is careful enough is not found, by nobody.")
    tell(value, "\n".join(lines), as_json)


def _plain(one: Tie) -> dict[str, Any]:
    return {
        "number": one.number, "offer": one.offer, "state": one.state, "rules": list(one.seen_by), "due": one.due,
        "contested": one.contested, "by": one.by,
    }  # fmt: skip


def _line(one: Tie) -> str:
    until = f"  by {one.due}" if one.due else ""
    said = f"  contested {one.contested}" if one.contested else ""
    return f"  {one.number:>8} {one.offer:28} {one.state:9} {', '.join(one.seen_by) or '–'}{until}{said}"
