"""`volens quarantine`: refused lines, counted, opened, mended, taken in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from volens.cli.say import bar, clock, house_option, json_option, speaking, tell

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def quarantine() -> None:
    """Lines that were refused: look at them, mend them, take them in. They are kept for 30 days, encrypted.

    \b
    volens quarantine list                              how many, of which batch, and why
    volens quarantine export FILE --by … --why …        to mend them
    volens quarantine retry FILE                        take the mended ones in
    volens quarantine retry                             or all whose reason has passed
    """


def _chosen(function: F) -> F:
    function = click.option("--batch", help="Only lines of this batch; see 'volens quarantine list'.")(function)
    return click.option("--reason", help="Only lines with this reason.")(function)


def _opener(function: F) -> F:
    function = click.option("--by", required=True, help="Who opens the quarantine; it is recorded.")(function)
    return click.option("--why", required=True, help="What for; it is recorded.")(function)


@quarantine.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """How many lines wait, by batch and reason. Nothing of what they say is read."""
    from volens.app import open_house
    from volens.ingest.raw import REASONS

    with open_house(house, clock=clock()) as opened:
        rows = opened.quarantine.waiting()
    out: list[str] = []
    batch = ""
    for row in rows:
        if row["batch"] != batch:
            batch = row["batch"]
            out.append(f"{batch}  {row['source']}, {row['file_name']}, kept until {row['kept_until']}")
        without = row["lines"] - row["sealed"]
        more = f" ({without:,} without their words)" if without else ""
        out.append(f"  {row['lines']:>9,}  {row['reason']}: {REASONS[row['reason']]}{more}")
    tell(rows, "\n".join(out) or "Nothing is in quarantine.", as_json)


@quarantine.command()
@house_option
@_chosen
@_opener
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many lines.")
@json_option
@speaking
def show(house: Path, batch: str | None, reason: str | None, by: str, why: str, limit: int, as_json: bool) -> None:
    """Show what refused lines said. People's data: who looks and why is recorded."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        lines = opened.quarantine.open(by, why, batch, reason, limit)
        opened.checkpoint()
    text = [
        f"batch {line.batch}, file {line.file_number}, line {line.line_number}: {line.reason}\n"
        f"  {json.dumps(line.row, ensure_ascii=False)}"
        for line in lines
    ]
    value = [{name: said for name, said in vars(line).items() if name != "mark"} for line in lines]
    tell(value, "\n".join(text), as_json)


@quarantine.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@house_option
@_chosen
@_opener
@json_option
@speaking
def export(file: Path, house: Path, batch: str | None, reason: str | None, by: str, why: str, as_json: bool) -> None:
    """Write refused lines to FILE (.jsonl, or .csv for a spreadsheet), to mend them there."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        count = opened.quarantine.export(file, by, why, batch, reason)
        opened.checkpoint()
    text = (
        f"{count:,} lines written to {file}, readable by you alone.\n"
        f"  Mend what they say, leave batch, file, line and place, then run: volens quarantine retry {file}\n"
        "  It holds people's data: delete it afterwards."
    )
    tell({"lines": count, "file": str(file)}, text, as_json)


@quarantine.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@house_option
@_chosen
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path, dir_okay=False),
              help="Read the lines with this mapping. Default: that of their batch.")
@click.option("--even-if-equal", is_flag=True, help="Add a line also if its receipt has an equal one: two bottles, not one twice.")
@json_option
@speaking
def retry(
    file: Path | None, house: Path, batch: str | None, reason: str | None, mapping_file: Path | None, even_if_equal: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Take refused lines in: those mended in FILE, or without one all whose reason has passed. Each once."""
    from volens.app import open_house
    from volens.ingest.mapping import load

    mapping = load(mapping_file) if mapping_file is not None else None
    with open_house(house, clock=clock()) as opened:
        with bar("quarantine") as told:
            found = opened.quarantine.retry(
                file, batch, reason, mapping=mapping, even_if_equal=even_if_equal, progress=told
            )
        opened.checkpoint()
    tell(vars(found), found.to_text(), as_json)
