"""`volens texts`: what people read comes into force by two people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell
from volens.cli.trials import trial
from volens.publishing.workflow import ROLES, Person

IN_FORCE_NOTE = "Other processes that serve this house are refused until they start again with the new edition."


@click.group()
def texts() -> None:
    """The texts that people are asked under: list, approve, publish, decline."""


texts.add_command(trial)


def acting(function: Callable[..., None]) -> Callable[..., None]:
    """The options of whoever takes a step."""
    for option in (
        click.argument("ids", metavar="TEXT...", nargs=-1, required=True),
        click.option("--by", "name", required=True, help="Your name."),
        click.option("--role", type=click.Choice(ROLES), required=True, help="In which role you act."),
    ):
        function = option(function)
    return function


@texts.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every text in the programme folder: where it stands, and whether people are asked under it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        shown = opened.publishing.texts()
    rows = [
        {"text": one.text.id, "state": one.stands.state, "by": one.stands.by.role if one.stands.by else None,
         "day": one.stands.day or None, "asked_under": one.current, "ended": one.ended, "languages": sorted(one.text.bodies)}
        for one in shown
    ]  # fmt: skip
    lines = [
        f"  {row['text']!s:36} {row['state']!s:10} {'in force' if row['asked_under'] else 'ended' if row['ended'] else '':9}"
        f" {'by ' + str(row['by']) if row['by'] else ''} {row['day'] or ''}".rstrip()
        for row in rows
    ]
    tell(rows, "\n".join(lines), as_json)


@texts.command()
@house_option
@acting
@json_option
@speaking
def approve(house: Path, ids: tuple[str, ...], name: str, role: str, as_json: bool) -> None:
    """Approve TEXTs as they lie in the folder now; a second person, of the other role, publishes them."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.publishing.approve(ids, Person(name, role))
        opened.checkpoint()
    other = next(one for one in ROLES if one != role)
    said = f"Approved: {', '.join(ids)}.\nNext, by a second person: volens texts publish {' '.join(ids)} --by NAME --role {other}"
    tell({"approved": list(ids)}, said, as_json)


@texts.command()
@house_option
@acting
@json_option
@speaking
def publish(house: Path, ids: tuple[str, ...], name: str, role: str, as_json: bool) -> None:
    """Publish TEXTs that somebody of the other role approved: from now on people are asked under them."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.publishing.publish(ids, Person(name, role))
        opened.checkpoint()
    tell({"published": list(ids)}, f"Published: {', '.join(ids)}.\n{IN_FORCE_NOTE}", as_json)


@texts.command()
@house_option
@acting
@click.option("--why", required=True, help="The reason; it stands on the public record.")
@json_option
@speaking
def decline(house: Path, ids: tuple[str, ...], name: str, role: str, why: str, as_json: bool) -> None:
    """Turn TEXTs back before they are published."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.publishing.decline(ids, Person(name, role), why)
        opened.checkpoint()
    tell({"declined": list(ids)}, f"Declined: {', '.join(ids)}.", as_json)


@texts.command()
@house_option
@click.argument("text_id", metavar="TEXT")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The HTML file to write.")
@speaking
def preview(house: Path, text_id: str, out: Path) -> None:
    """Write a page that shows TEXT as customers see it: 390 points wide, in each language. Open it in any browser."""
    from html import escape
    from importlib.resources import files

    from volens.app import open_house
    from volens.publishing.symmetry import faults
    from volens.web.component import component

    style = files("volens.web").joinpath("static", "volens.css").read_text("utf-8")
    frames = []
    with open_house(house, clock=clock()) as opened:
        folder = opened.publishing.folder()
        text = folder.text(text_id)
        for language in (one for one in folder.languages if one in text.bodies):
            question = component(folder, text, language)
            inner = (f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
                     f'<meta name="viewport" content="width=device-width">'
                     f"<style>{style}</style><body><main>{question}</main></body></html>")
            found = faults(question, language)
            frames.append(
                f'<figure><figcaption>{language}: {escape("; ".join(found) or "no and yes are the same")}</figcaption>'
                f'<iframe width="390" height="844" sandbox="" title="{language}" srcdoc="{escape(inner)}"></iframe></figure>'
            )
    whole = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(text_id)}</title>{"".join(frames)}</html>'
    out.write_text(whole, encoding="utf-8")
    click.echo(f"{out} shows {text_id} in {len(frames)} languages, as customers see it.")


@texts.command()
@house_option
@click.option("--by", "way", default="purpose", show_default=True, help="purpose, text, surface, language, store or week.")
@click.option("--purpose", help="Only one purpose.")
@json_option
@speaking
def figures(house: Path, way: str, purpose: str | None, as_json: bool) -> None:
    """How many were asked and what they said, of the weeks that are over: rounded to tens, so that nobody is singled out."""
    from dataclasses import asdict

    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        table = opened.publishing.figures(way, purpose)
    names = ("asked", "permitted", "refused", "withdrawn")
    head = f"  {'':36}" + "".join(f"{name:>12}" for name in names) + "  misunderstood"
    lines = [head]
    for line in (*table.lines, table.total):
        shown = "".join(f"{'< 10' if line.counts[name] is None else format(line.counts[name], ','):>12}" for name in names)
        rate = line.misunderstood
        told = "too few" if rate is None else f"{rate.value:.0%} ({rate.low:.0%} to {rate.high:.0%}, of {rate.of:,})"
        lines.append(f"  {(line.label or ('all' if line is table.total else '–')):36}{shown}  {told}")
    tell(asdict(table), "\n".join(lines), as_json)
