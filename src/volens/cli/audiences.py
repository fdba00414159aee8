"""`volens audience`: lists of people for platforms, from the definition to the acknowledged removal."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

BY = click.option("--by", required=True, help="Who answers for it: on the record.")
FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
LANGUAGE = click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)


@click.group()
def audience() -> None:
    """Lists chosen by purchases, for one platform each: check, size, define, build, hand over, take back."""


@audience.command()
@FILE
@house_option
@LANGUAGE
@json_option
@speaking
def check(file: Path, house: Path, language: str, as_json: bool) -> None:
    """What the definition in FILE reads and hands over, and everything that stands against it. Exit code 3 if anything does."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.audiences.check(opened.audiences.read_file(file))
        words = opened.audiences.describe(found.definition, language)
    one = found.definition
    lines = [
        f"  {one.label(language)}: {words}",
        f"  reads       {', '.join(one.fields)}, {one.days} days back, under {one.purpose}",
        f"  hands over  {', '.join(one.identifiers)} to {one.recipient}, as {one.format}, until {one.until}",
    ]
    if found.left_out:
        lines.append(f"  leaves out  {found.left_out:,} products that tell of something private")
    lines += [f"  {refusal.to_text()}" for refusal in found.refusals] or ["  Nothing stands against it."]
    tell({**found.to_dict(), "words": words}, "\n".join(lines), as_json)
    if not found.ok:
        sys.exit(3)


@audience.command()
@FILE
@house_option
@LANGUAGE
@BY
@json_option
@speaking
def size(file: Path, house: Path, language: str, by: str, as_json: bool) -> None:
    """About how many people the definition in FILE has, and why others are left out. One read, on record; nothing is kept."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        one = opened.audiences.read_file(file)
        found = opened.audiences.sizes(one, by=by)
        reasons = opened.audiences.reasons(one, found, language)
    rows = [("permit it", found.permitted), *reasons, ("are in it", found.people)]
    value = {
        "audience": one.id, "position": found.position, "permitted": found.permitted.about, "people": found.people.about,
        "minimum": one.minimum, "left_out": [{"why": why, "people": size.about} for why, size in reasons],
    }  # fmt: skip
    tell(value, "\n".join(f"  {size.to_text():>22}  {why}" for why, size in rows), as_json)


@audience.command()
@FILE
@house_option
@BY
@json_option
@speaking
def define(file: Path, house: Path, by: str, as_json: bool) -> None:
    """Put the definition in FILE on record, or another form of it. Exit code 3 if anything stands against it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made = opened.audiences.define(opened.audiences.read_file(file), by=by)
        opened.checkpoint()
    said = f"On record: {made.audience}, until {made.until}.\nNext: volens audience build {made.audience} --by …"
    tell({"audience": made.audience, "seq": made.seq, "until": made.until}, said, as_json)


@audience.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every audience: until when, what is built, and how it stands with who holds its list."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        standing = {one.audience: one for one in opened.audiences.removals.standing()}
        found = [(one, opened.audiences.built(one.audience)) for one in opened.audiences.all()]
    rows, lines = [], []
    for one, built in found:
        how = standing[one.audience]
        rows.append({**how.to_dict(), "until_day": one.until, "ended": one.ended is not None, "built": built.at if built else None})
        state = "ended" if one.ended is not None else f"until {one.until}"
        late = "  OVERDUE" if how.overdue else ""
        people = f"on it {how.on:,}, to go {how.due:,}, told {how.sent:,}"
        lines.append(f"  {one.audience:24} {state:17} {how.recipient:20} {people}{late}")
    tell(rows, "\n".join(lines) or "  No audience is on record.", as_json)


@audience.command()
@click.argument("name")
@house_option
@LANGUAGE
@BY
@json_option
@speaking
def build(name: str, house: Path, language: str, by: str, as_json: bool) -> None:
    """Build the audience NAME: one read of purchases; what is kept is a set of numbers, for a day."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        made, sizes = opened.audiences.build(name, by=by)
        reasons = opened.audiences.reasons(opened.audiences.one(name), sizes, language)
        opened.checkpoint()
    rows = [f"  {size.to_text():>22}  {why}" for why, size in [*reasons, ("are in it", sizes.people)]]
    rows.append(f"Next, within a day: volens audience hand-over {name} --by …")
    tell({"audience": name, "seq": made.seq, "position": made.position, "people": sizes.people.about}, "\n".join(rows), as_json)


@audience.command("hand-over")
@click.argument("name")
@house_option
@BY
@json_option
@speaking
def hand_over(name: str, house: Path, by: str, as_json: bool) -> None:
    """Hand what was built of NAME to its recipient, as a file: each person is checked once more at the door."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        handed = opened.audiences.hand_over(name, by=by)
        opened.checkpoint()
    lines = [f"{handed.listed.people:,} people: {handed.path}", f"  SHA-256 {handed.listed.sha256}"]
    lines += [f"  {size.to_text():>22}  stayed behind: {STAYED[why]}" for why, size in handed.stayed.items()]
    tell(handed.to_dict(), "\n".join([*lines, "Upload it within a day; then it is deleted here."]), as_json)


STAYED = {
    "unknown": "the platform could not find them by anything", "suppressed": "they are in no audience",
    "capped": "they are on enough lists", "no": "they do not permit it any more",
}  # fmt: skip


@audience.command()
@click.argument("name", required=False)
@house_option
@json_option
@speaking
def lists(name: str | None, house: Path, as_json: bool) -> None:
    """What was handed over: file, SHA-256, people."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.audiences.lists(name)
    rows = [f"  {one.at[:16]}  {one.audience:24} {one.file:32} {one.people:>10,}  {one.state}  {one.sha256[:16]}…" for one in found]
    tell([vars(one) for one in found], "\n".join(rows) or "  Nothing was handed over.", as_json)


@audience.command()
@click.argument("name")
@house_option
@BY
@json_option
@speaking
def end(name: str, house: Path, by: str, as_json: bool) -> None:
    """The audience NAME ends: everybody on its list has to go."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.audiences.end(name, by=by)
        done = opened.audiences.work()
        opened.checkpoint()
    said = f"Ended. {done['people']:,} people have to be taken off: see volens audience removals"
    tell({"audience": name, "ended": True, **done}, said, as_json)


@audience.command()
@house_option
@click.option("--overdue", is_flag=True, help="Those alone that are not acknowledged in time.")
@json_option
@speaking
def removals(house: Path, overdue: bool, as_json: bool) -> None:
    """Write who has to go, for every platform; then say what is not acknowledged yet. Exit code 8 if anything is overdue."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.audiences.work()
        late = opened.audiences.removals.overdue()
        found = [one for one in opened.audiences.removals.open()
                 if not overdue or one.audience in {each.audience for each in late}]  # fmt: skip
        folder = opened.settings.lists
        opened.checkpoint()
    rows = [
        f"  {one.removal:>8}  {one.audience:24} {one.recipient:20} {one.people:>8,} people  {folder / one.file}" for one in found
    ]
    rows += [f"  OVERDUE since {one.until:%Y-%m-%d %H:%M} UTC: {one.audience} at {one.recipient}" for one in late]
    value = {"removals": [{key: one for key, one in vars(each).items() if key != "salt"} for each in found],
             "overdue": [one.to_dict() for one in late]}  # fmt: skip
    tell(value, "\n".join(rows) or "  Everybody who had to go is acknowledged to be gone.", as_json)
    if late:
        sys.exit(8)


@audience.command()
@click.argument("removal", type=int)
@house_option
@BY
@json_option
@speaking
def acknowledge(removal: int, house: Path, by: str, as_json: bool) -> None:
    """The platform has taken the people of REMOVAL off; what it knew them by is forgotten here."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        done = opened.audiences.removals.acknowledge(removal, by=by)
        opened.checkpoint()
    said = f"{done.people:,} people are off {done.audience} at {done.recipient}."
    tell({"removal": removal, "acknowledged": done.acknowledged}, said, as_json)


@audience.command()
@house_option
@click.option("--card", "cards", multiple=True, help="Whose card. Again for more.")
@click.option("--cards", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A file with a card a line.")
@click.option("--reason", help="complaint, staff, competitor, dispute, vulnerable or request.")
@click.option("--release", is_flag=True, help="Take it back instead.")
@BY
@json_option
@speaking
def suppress(
    house: Path, cards: tuple[str, ...], file: Path | None, reason: str | None, release: bool, by: str, as_json: bool
) -> None:
    """These people are in no audience from now on, whatever they permit."""
    from volens.app import open_house
    from volens.errors import BadInput

    named = [*cards, *(file.read_text(encoding="utf-8").split() if file is not None else [])]
    if not named or (reason is None) != release:
        raise BadInput("Whom, and why?", "Name cards with --card or --cards, and either --reason or --release.")
    with open_house(house, clock=clock()) as opened:
        customers = [opened.customer("card", card).customer for card in named]
        done = 0 if release else opened.audiences.suppress(customers, str(reason), by=by)
        for customer in customers if release else []:
            opened.audiences.release(customer, by=by)
        standing = len(opened.audiences.suppressed())
        opened.checkpoint()
    said = f"{len(customers) if release else done:,} changed; {standing:,} people are in no audience."
    tell({"changed": len(customers) if release else done, "suppressed": standing}, said, as_json)
