"""`volens nightly`: what has to happen to the purchases once a day."""

from __future__ import annotations

from pathlib import Path

import click

from volens.cli.say import bar, clock, house_option, json_option, speaking, tell


@click.command()
@house_option
@json_option
@speaking
def nightly(house: Path, as_json: bool) -> None:
    """Keep the purchases in order: append, move, remove, compact, delete. Run it once a day, best at night.

    Killed anywhere, the same command again does the rest.
    """
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        with bar("the purchases") as told:
            night = opened.upkeep.nightly(told)
        opened.checkpoint()
    tell(night.to_dict(), night.to_text(), as_json)
