"""`volens offer`: offers in use, from the proposal to what they cost and won."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell
from volens.errors import NotFound, NotNow
from volens.offering.workflow import ENDED, FORCE

if TYPE_CHECKING:
    from volens.offering.version_store import Country, Version

BY = click.option("--by", required=True, help="Who answers for it: on the record.")
OFFER = click.argument("offer")
COUNTRY = click.option("--country", required=True, help="Two letters, for example FR.")
CARD = click.option("--card", required=True, help="Whose: her card.")
LANGUAGE = click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
VERSION = click.option("--version", type=int, help="Which version. Default: the newest that waits.")
ROLE = click.option("--role", type=click.Choice(["marketing", "dpo"]), required=True, help="In which role.")
FR = click.option("--reason-fr", default="", help="Why, in French: people read it.")
EN = click.option("--reason-en", default="", help="Why, in English: people read it.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@house_option
@BY
@json_option
@speaking
def propose(file: Path, house: Path, by: str, as_json: bool) -> None:
    """Propose the version of an offer that FILE is. Exit code 3 if a rule stands against it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.offering.propose_file(file, by=by)
        opened.checkpoint()
    tell(vars(made), f"{_version(made)}\n{_next(made)}", as_json)


@click.command()
@OFFER
@house_option
@ROLE
@VERSION
@BY
@json_option
@speaking
def approve(offer: str, house: Path, role: str, version: int | None, by: str, as_json: bool) -> None:
    """One of two approvals of OFFER: one in each role, by two people. With the second it is in force."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.offering.approve(offer, role=role, by=by, version=version)
        opened.checkpoint()
    tell(vars(made), _version(made), as_json)


@click.command()
@OFFER
@house_option
@ROLE
@VERSION
@BY
@json_option
@speaking
def decline(offer: str, house: Path, role: str, version: int | None, by: str, as_json: bool) -> None:
    """OFFER is not wanted as it is proposed."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.offering.decline(offer, role=role, by=by, version=version)
        opened.checkpoint()
    tell(vars(made), _version(made), as_json)


@click.command()
@OFFER
@house_option
@COUNTRY
@BY
@json_option
@speaking
def launch(offer: str, house: Path, country: str, by: str, as_json: bool) -> None:
    """People in a country can join OFFER from now on."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.offering.launch(offer, country, by=by)
        why = [] if (verdict := opened.offering.open_in(offer, country)).ok else list(verdict.codes)
        opened.checkpoint()
    said = _country(made) + (f"\nNobody can join yet: {', '.join(why)}." if why else "")
    tell({**vars(made), "not_open": why}, said, as_json)


@click.command()
@OFFER
@house_option
@COUNTRY
@FR
@EN
@BY
@json_option
@speaking
def suspend(offer: str, house: Path, country: str, reason_fr: str, reason_en: str, by: str, as_json: bool) -> None:
    """Nobody new joins OFFER in a country, from this moment on. What is earned stays; who takes part gets a letter."""
    _stop("suspend", offer, house, country, {"fr": reason_fr, "en": reason_en}, by, as_json)


@click.command()
@OFFER
@house_option
@COUNTRY
@FR
@EN
@BY
@json_option
@speaking
def end(offer: str, house: Path, country: str, reason_fr: str, reason_en: str, by: str, as_json: bool) -> None:
    """OFFER is over in a country, for good. What is earned stays; who takes part gets a letter."""
    _stop("end", offer, house, country, {"fr": reason_fr, "en": reason_en}, by, as_json)


def _stop(step: str, offer: str, house: Path, country: str, reason: dict[str, str], by: str, as_json: bool) -> None:
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        if step == "end":
            for before in opened.offering.countries(offer):
                if before.country == country and before.state == ENDED:
                    raise NotNow(f"{offer} is over in {country} since {before.day}.", "Nothing is left to end.")
        made = getattr(opened.offering, step)(offer, country, {key: words for key, words in reason.items() if words}, by=by)
        told = opened.offering.tell()
        opened.checkpoint()
    waits = "1 letter waits" if told == 1 else f"{told:,} letters wait"
    tell({**vars(made), "told": told}, f"{_country(made)}\n{waits} in the outbox: volens outbox send", as_json)


@click.command()
@OFFER
@house_option
@COUNTRY
@BY
@json_option
@speaking
def resume(offer: str, house: Path, country: str, by: str, as_json: bool) -> None:
    """Ask for OFFER to be opened again in a country; a second person says the same, and it is."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.offering.resume(offer, country, by=by)
        opened.checkpoint()
    more = "\nNext, by somebody else: the same command." if made.state == "resuming" else ""
    tell(vars(made), _country(made) + more, as_json)


@click.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every version of every offer, and where each is open."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        versions, countries = opened.offering.versions(), opened.offering.countries()
    lines = [_version(one) for one in versions] + [_country(one) for one in countries]
    value = {"versions": [vars(one) for one in versions], "countries": [vars(one) for one in countries]}
    tell(value, "\n".join(lines) or "  No offer is on record.", as_json)


@click.command()
@OFFER
@house_option
@json_option
@speaking
def show(offer: str, house: Path, as_json: bool) -> None:
    """OFFER as the public register has it: versions, countries with their reasons, how many took part, what they earned."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        if not opened.offering.versions(offer):
            known = ", ".join(dict.fromkeys(one.offer for one in opened.offering.versions()))
            raise NotFound(f"No offer {offer!r} is on record.", f"On record: {known}." if known else "See: volens offer propose")
        found = [one for one in opened.offering.programmes() if one.offer == offer]
        waiting = [one for one in opened.offering.versions(offer) if one.state in ("proposed", "half", "declined")]
    lines = [_version(one) for one in waiting]
    for one in found:
        lines += [f"  {one.name.get('en') or next(iter(one.name.values()))}"]
        lines += [f"  version {each.version}, since {each.since}: {each.starts} to {each.ends}" for each in one.versions]
        for place in one.places:
            took = f"{place.joined:,}" if place.joined is not None else "fewer than 10"
            lines.append(f"  {place.country}: {'open' if place.open else 'closed'}; {took} took part")
            lines += [f"    {each.day}  {each.kind}  {each.reason.get('en', '')}".rstrip() for each in place.steps]
    value = {"programme": found[0].to_dict() if found else None, "waiting": [vars(one) for one in waiting]}
    tell(value, "\n".join(lines), as_json)


@click.command()
@OFFER
@house_option
@CARD
@COUNTRY
@LANGUAGE
@click.option("--version", type=int, required=True, help="The version whose terms she read.")
@click.option("--old-enough", is_flag=True, help="She declares that she is old enough.")
@click.option("--key", default="", help="The same key again is the same participation. Default: a random one.")
@json_option
@speaking
def join(
    offer: str, house: Path, card: str, country: str, language: str, version: int, old_enough: bool, key: str, as_json: bool
) -> None:
    """A customer takes part in OFFER, as she said at a desk. Her reward is set aside."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        customer = opened.customer("card", card).customer
        made = opened.offering.join(
            customer, offer, country=country, language=language, version=version, adult=old_enough, key=key or secrets.token_hex(16)
        )
        opened.checkpoint()
    said = f"  {made.offer}, version {made.version}: {made.done} of {made.times} done, {made.state}"
    tell(vars(made), said, as_json)


@click.command()
@OFFER
@house_option
@CARD
@click.option("--kind", type=click.Choice(["order", "download", "survey"]), required=True, help="What was done.")
@click.option("--key", required=True, help="The act's own number: it counts once.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="When, with its zone. Default: now.")
@json_option
@speaking
def acted(offer: str, house: Path, card: str, kind: str, key: str, at: datetime | None, as_json: bool) -> None:
    """Something was done for OFFER. Counted once by its key; at the last one the reward is earned."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        done = opened.offering.acted(("card", card), offer, key, kind=kind, at=at or opened.clock.now())
        opened.checkpoint()
    why = " ".join(one.text for one in done.reasons)
    said = f"  counted: {done.done} of {done.times}, {done.state}" if done.counted else f"  not counted: {why}"
    tell(done.to_dict(), said, as_json)


@click.command()
@house_option
@json_option
@speaking
def pays(house: Path, as_json: bool) -> None:
    """What each programme cost by month, how many took part, how many permit something since, and what that was used for."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.offering.value()
    lines = [f"  {'offer':24} {'month':8} {'joined':>7} {'rewards':>8} {'cost':>10} {'permit':>7} {'each':>8}  used for"]
    for one in found:
        each = f"{one.cents_each / 100:.2f}" if one.cents_each is not None else "–"
        used = ", ".join(f"{purpose} {times:,}" for purpose, times in one.uses.items())
        lines.append(
            f"  {one.offer:24} {one.month:8} {one.joined:>7,} {one.rewards:>8,} {one.cost_cents / 100:>10,.2f} {one.won:>7,} "
            f"{each:>8}  {used}"
        )
    if found:
        lines.append("  They said yes after they had joined; that does not say that they did so because of it.")
    tell([one.to_dict() for one in found], "\n".join(lines) if found else "  Nobody took part in anything yet.", as_json)


def _version(one: Version) -> str:
    by = ", ".join(f"{role}: {name}" for role, name in (("marketing", one.marketing), ("dpo", one.dpo)) if name)
    return f"  {one.offer:24} version {one.version}  {one.state:9} since {one.since}  proposed by {one.proposed_by}" + (
        f"; {by}" if by else ""
    )


def _next(one: Version) -> str:
    """What is to be done after a proposal; the same again may be approved already."""
    if one.state == FORCE:
        return "It is in force as it is. A change is the next version."
    roles = [role for role, name in (("marketing", one.marketing), ("dpo", one.dpo)) if not name]
    return f"Next: volens offer approve {one.offer} --role {' --by …, and --role '.join(roles)} --by …"


def _country(one: Country) -> str:
    return f"  {one.offer:24} {one.country}  {one.state:9} since {one.day}  by {one.by}"


COMMANDS: tuple[Any, ...] = (propose, approve, decline, launch, suspend, end, resume, list_, show, join, acted, pays)
