"""`volens paper`: forms to print, forms that come back, and their scans."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

BY = click.option("--by", required=True, help="Who does this: kept with the choice, as its proof.")
CARD = click.option("--card", required=True, help="The card number on the form.")


@click.group()
def paper() -> None:
    """Print forms from the programme, and enter what people marked on them."""


@paper.command()
@house_option
@click.option("--language", default="fr", show_default=True, help="In which the form is printed.")
@click.option("--purpose", "purposes", multiple=True, help="What it asks for; again for more. Default: what the sign-up page asks.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file. Default: form-CODE.html")
@json_option
@speaking
def form(house: Path, language: str, purposes: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Write a form as an HTML page for A4: open it in a browser and print it."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        printed = opened.asking.paper.form(language, purposes)
        opened.checkpoint()
    file = out or Path(f"form-{printed.code}.html")
    file.write_text(printed.html, encoding="utf-8")
    asked = {purpose: text for purpose, (text, _) in printed.sections.items()}
    said = f"{file}: form {printed.code}, {', '.join(asked.values())}"
    tell({"code": printed.code, "file": str(file), "texts": asked}, said, as_json)


@paper.command()
@house_option
@BY
@CARD
@click.option("--code", default="", help="The code on the form. A no needs none.")
@click.option("--yes", "yes", multiple=True, help="A purpose that is marked yes; again for more.")
@click.option("--no", "no", multiple=True, help="A purpose that is marked no, or both; again for more.")
@click.option("--scan", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="PDF, PNG or JPEG; a yes needs it.")
@click.option("--store", "shop", default="", help="The shop in which it was filled in.")
@json_option
@speaking
def enter(
    house: Path, by: str, card: str, code: str, yes: tuple[str, ...], no: tuple[str, ...], scan: Path | None, shop: str,
    as_json: bool,
) -> None:
    """Enter a form that came back. A no is always taken; exit code 2 if a yes could not be."""
    from volens.app import open_house
    from volens.asking.paper import REASONS
    from volens.asking.scans import SCAN_BYTES_MAX

    with open_house(house, clock=clock()) as opened:
        customer = opened.customer("card", card).customer
        content = None
        if scan is not None:
            with scan.open("rb") as file:
                content = file.read(SCAN_BYTES_MAX + 1)
        done = opened.asking.paper.enter(customer, by=by, code=code, yes=yes, no=no, scan=content, shop=shop)
        opened.checkpoint()
    lines = [f"  {seq:>8}  {kind:10} {purpose}" for purpose, kind, seq in done.said]
    lines += [f"  refused: a yes to {purpose}: {REASONS[why]}" for purpose, why in done.refused.items()]
    lines += [f"  The scan is kept as number {done.scan}."] if done.scan is not None else []
    tell({"said": done.said, "refused": done.refused, "scan": done.scan}, "\n".join(lines), as_json)
    if done.refused:
        sys.exit(2)


@paper.command()
@house_option
@CARD
@json_option
@speaking
def scans(house: Path, card: str, as_json: bool) -> None:
    """List the scans of somebody's forms."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.asking.paper.scans(opened.customer("card", card).customer)
    rows = [{"scan": one.seq, "day": one.day, "media": one.media, "choice": one.choice} for one in found]
    text = "\n".join(f"  {one.seq:>8}  {one.day}  {one.media}  proves number {one.choice}" for one in found)
    tell(rows, text or "  There is none.", as_json)


@paper.command()
@house_option
@BY
@CARD
@click.option("--number", type=int, required=True, help="Of the scan: see `volens paper scans`.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where to write it.")
@speaking
def scan(house: Path, by: str, card: str, number: int, out: Path) -> None:
    """Open a scan. Who opened it is on record before it is written."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        media, content = opened.asking.paper.scan(opened.customer("card", card).customer, number, by=by)
        opened.checkpoint()
    out.touch(mode=0o600)
    out.write_bytes(content)
    tell({}, f"{out}: {media}, {len(content):,} bytes. Delete it when it has been seen.", False)
