"""`volens choices`: choices made elsewhere come in, a text ends, a customer's history is shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from volens.cli.say import bar, clock, errors, house_option, json_option, speaking, tell

if TYPE_CHECKING:
    from volens.permissions.importing import Summary


@click.group()
def choices() -> None:
    """Bring existing choices in, end a text, or see what somebody chose."""


@choices.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@house_option
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Other names of columns, other words, constants; see docs/choices.md.")
@click.option("--explain", is_flag=True, help="Judge the first 10,000 lines and write nothing.")
@click.option("--again", is_flag=True, help="Judge a file once more: lines that waited may become choices now.")
@json_option
@speaking
def import_(file: Path, house: Path, mapping_file: Path | None, explain: bool, again: bool, as_json: bool) -> None:
    """Take in FILE (CSV, Parquet or JSON Lines): choices that were made elsewhere, each with its proof.

    \b
    Columns: card or email, purpose, recipient, kind, text, language, time, surface, actor, proof
    """
    from volens.app import open_house
    from volens.permissions.judge import REASONS
    from volens.permissions.layout import load

    mapped = load(mapping_file) if mapping_file is not None else None
    with open_house(house, clock=clock()) as opened:
        if explain:
            summary = opened.imports.explain(file, mapped)
        else:
            with bar(file.name) as told:
                summary = opened.imports.take_in(
                    file, mapped, lambda share, _: told("reading", int(share * 1000), 1000), again=again
                )
            opened.checkpoint()
    tell(summary.to_dict(), _in_words(summary, REASONS, explain), as_json)
    if summary.reasons and not summary.kinds:
        errors.print(f"[bold red]✗[/] Not one line of {file.name} could become a choice.")
        errors.print("  [dim]→[/] Look at the reasons above; docs/choices.md shows the layout and how to map another.")
        sys.exit(2)


def _in_words(summary: Summary, reasons: Mapping[str, str], explain: bool) -> str:
    if summary.nothing_new:
        return (f"{summary.file_name} had been taken in whole before: nothing changed.\n"
                "Lines that waited then are judged once more with --again.")
    good = sum(summary.kinds.values())
    if explain:
        lines = [f"Of the first {summary.lines:,} lines of {summary.file_name}, {good:,} would become choices:"]
    else:
        lines = [f"{summary.file_name}: {summary.taken:,} choices taken in."]
    lines += [f"  {number:>12,}  {kind}" for kind, number in summary.kinds.most_common()]
    if summary.known:
        lines.append(f"  {summary.known:>12,}  were known from an earlier file and are not recorded again")
    refused = sum(summary.reasons.values())
    if refused:
        wait = "would wait" if explain else "wait"
        lines.append(f"{refused:,} lines {wait} in quarantine, for 30 days; none of them is a yes:")
        lines += [f"  {number:>12,}  {reason}: {reasons[reason]}" for reason, number in summary.reasons.most_common()]
        places = ", ".join(f"{line} ({reason})" for line, reason in summary.examples[:5])
        lines.append(f"  first of them, by line: {places}")
    return "\n".join(lines)


@choices.command()
@house_option
@json_option
@speaking
def refused(house: Path, as_json: bool) -> None:
    """Lines of imports that wait in quarantine: file, line, reason. Their words stay sealed."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        waiting = opened.imports.waiting()
    rows = [{"file": line.file_name, "line": line.line, "reason": line.reason, "kept_until": line.kept_until} for line in waiting]
    text = [f"  {line.file_name}:{line.line}  {line.reason}, kept until {line.kept_until}" for line in waiting]
    tell(rows, "\n".join(text) or "  No line waits.", as_json)


@choices.command()
@house_option
@click.option("--text", "text_id", required=True, help="The version that ends, for example supplier-statistics/1.")
@click.option("--why", required=True, help="The reason; it stands on the public record.")
@click.option("--by", required=True, help="Who decided it.")
@json_option
@speaking
def invalidate(house: Path, text_id: str, why: str, by: str, as_json: bool) -> None:
    """End one version of a text: from this moment no yes under it counts, for nobody."""
    from volens.app import open_house
    from volens.clock import legal_day

    with open_house(house, clock=clock()) as opened, bar(text_id) as told:
        today = legal_day(opened.clock.now(), opened.programme.country)
        ended = opened.permissions.invalidate(
            text_id, today, why=why, by=by, progress=lambda done: told("writing", done, 0)
        )
        opened.checkpoint()
    said = (f"{text_id} has ended. {ended:,} permissions under it are marked invalidated; nobody can accept it any more.\n"
            "Write its next version, and ask those people again.")
    tell({"text": text_id, "ended": ended}, said, as_json)


@choices.command()
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@json_option
@speaking
def history(house: Path, card: str | None, email: str | None, as_json: bool) -> None:
    """Everything that a customer ever chose, and what time or the house brought about, oldest first."""
    from volens.app import open_house
    from volens.errors import BadInput

    if (card is None) == (email is None):
        raise BadInput("Whose choices?", "Name the customer by --card or by --email.")
    with open_house(house, clock=clock()) as opened:
        customer = opened.customer("card" if card else "email", str(card or email)).customer
        lines = opened.permissions.history(customer)
    rows = [
        f"  {line.seq:>8}  {line.day}  {line.kind:12} {line.purpose:32} {line.recipient:24} {line.text:34} "
        f"{line.how.get('surface', '')}{' (imported)' if line.imported else ''}".rstrip()
        for line in lines
    ]
    tell([vars(line) for line in lines], "\n".join(rows) or "  Nothing was ever chosen.", as_json)
