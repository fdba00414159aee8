"""`volens backup` and `volens restore`: a copy of the house while it works, and the house again from a copy."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from volens.cli.say import bar, clock, house_option, json_option, speaking, tell

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--customer-keys", type=FOLDER, help="Where the customer keys go. Default: FOLDER.customer-keys.")
@house_option
@json_option
@speaking
def backup(folder: Path, customer_keys: Path | None, house: Path, as_json: bool) -> None:
    """Back the house up into FOLDER, and the customer keys into another: they may not be kept as long.

    The house goes on working; feeds wait until it is done. Not in it, on purpose: keys/ and checkpoints/.
    """
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened, bar("") as told:
        done = opened.backups.make(folder, customer_keys, told)
        opened.checkpoint()
        settings = opened.settings
    text = f"""Backed up: {done.events:,} events, {done.lines:,} lines of purchases, {done.customers:,} customer keys.

  {done.folder}
  {done.customer_keys}     delete this one after {done.keep_until}: it may hold keys of people who are erased until then

Not in it, and to be copied apart from it: {settings.keys} and {settings.checkpoints}"""
    tell(asdict(done), text, as_json)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--customer-keys", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="The customer keys of the same back-up. Without it, those in place are kept.")
@click.option("--accept-loss", is_flag=True, help="Restore although signed events are missing. Every permission ends.")
@click.option("--was-stopped", is_flag=True, help="You vouch that nothing was recorded since: permissions stand.")
@click.option("--by", "actor", default="", help="Your name; needed with either of the two above.")
@click.option("--why", default="", help="The reason; needed with either of the two above. Nobody's data in it.")
@house_option
@json_option
@speaking
def restore(folder: Path, customer_keys: Path | None, accept_loss: bool, was_stopped: bool, actor: str, why: str,
            house: Path, as_json: bool) -> None:
    """Put the back-up in FOLDER in the house's place. Stop everything that has the house open first.

    Whoever was erased since is erased again before the house opens. If it is interrupted, run it again.
    """
    from volens import app

    given = app.Given(accept_loss, was_stopped, actor, why)
    with bar("") as told:
        done = app.restore(house, folder, customer_keys, given, clock=clock(), progress=told)
    with app.open_house(house, clock=clock()) as opened:
        opened.checkpoint()
    lost = sum(done.lost.values())
    lines = [f"Restored from the back-up of {done.made_at}: {done.lines:,} lines of purchases.", ""]
    if lost:
        lines.append(f"  signed events that are lost: {lost:,}. Their hashes stand in their places, and the record says so.")
    if done.erased_again:
        lines.append(f"  customers erased again, since they were erased after the back-up: {done.erased_again:,}")
    if done.permissions_ended:
        lines.append(f"  permissions that ended: {done.permissions_ended:,}. Whether somebody said no since is not known.")
    if done.years_spent:
        lines.append(f"  The budgets of {done.years_spent[0]} to {done.years_spent[-1]} count as spent: charges may be lost.")
    lines += ["", "Now run: volens audit"]
    tell(asdict(done), "\n".join(lines), as_json)
