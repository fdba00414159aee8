"""`volens receipt`: what a person keeps of a choice, and can check without asking anybody."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.app import House


@click.command()
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@click.option("--seq", type=click.IntRange(0), help="The number of the choice. Without it: the customer's choices are listed.")
@click.option("--place", type=click.IntRange(0), help="For one of many in an import, if the customer has several in it.")
@click.option("--since", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="An older receipt, package or checkpoint; the receipt then proves that today's log continues it.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The file to write. Default: receipt-<seq>.json")
@json_option
@speaking
def receipt(house: Path, card: str | None, email: str | None, seq: int | None, place: int | None, since: Path | None,
            output: Path | None, as_json: bool) -> None:
    """Write the receipt of one choice, for the person alone: it opens what is sealed under her key."""
    from volens.app import open_house
    from volens.errors import BadInput
    from volens.permissions.receipt import place_of

    if (card is None) == (email is None):
        raise BadInput("Whose choice is it?", "Name the customer by --card or by --email.")
    with open_house(house, clock=clock()) as opened:
        customer = opened.customer("card" if card else "email", str(card or email)).customer
        if seq is None:
            rows = opened.receipts.choices(customer)
            lines = [f"  {row.seq:>10}  {row.day}  {row.kind:12} {row.purpose}" for row in rows]
            value = [{"seq": row.seq, "place": place_of(row), "day": row.day, "kind": row.kind, "purpose": row.purpose}
                     for row in rows]
            tell(value, "\n".join(lines) or "  Nothing was ever chosen.", as_json)
            return
        written = write(opened, customer, [seq], output or Path(f"receipt-{seq}.json"), since, place)
    tell({"files": [str(file) for file in written]}, told(written), as_json)


def write(opened: House, customer: int, seqs: list[int], file: Path, since: Path | None = None,
          place: int | None = None) -> list[Path]:
    """Writes one file a choice: `file` itself for one, with the number before its ending for several."""
    from volens.errors import BadInput

    written = []
    for seq in seqs:
        target = file if len(seqs) == 1 else file.with_name(f"{file.stem}-{seq}{file.suffix or '.json'}")
        if target.exists():
            raise BadInput(f"{target} is there already.", "Name another file; a receipt is never written over.")
        made = opened.receipts.receipt(customer, seq, since, place)
        try:
            target.write_bytes(made)
        except OSError as problem:
            raise BadInput(f"{target} cannot be written: {problem.strerror}.", "Name another file.") from problem
        written.append(target)
    return written


def write_page(file: Path, as_json: bool) -> None:
    """Writes the page that checks receipts in a browser, and says what it is by its hash."""
    from hashlib import sha256

    from volens.errors import BadInput
    from volens.web.customers.verifier import saved

    if file.exists():
        raise BadInput(f"{file} is there already.", "Name another file.")
    page = saved().encode()
    try:
        file.write_bytes(page)
    except OSError as problem:
        raise BadInput(f"{file} cannot be written: {problem.strerror}.", "Name another file.") from problem
    digest = sha256(page).hexdigest()
    tell({"file": str(file), "sha256": digest}, "\n".join([
        str(file), "Open it in a browser; it needs no server and no network.",
        f"Its SHA-256 is {digest}, the same from everybody who has this version of Volens.",
    ]), as_json)


def told(written: list[Path]) -> str:
    """What to do with them."""
    first = json.loads(written[0].read_text(encoding="utf-8"))
    state = first["public"]["checkpoint"].split("\n")
    return "\n".join([
        *map(str, written),
        f"Under the log of {state[1]} public events, root {state[2]}.",
        f"Keep it. Anybody can check it: volens verify {shlex.quote(str(written[0]))}",
    ])
