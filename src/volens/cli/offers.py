"""`volens offer`: an offer checked like code, its terms, and terms that others wrote."""

from __future__ import annotations

import sys
import textwrap
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from volens.cli import offering
from volens.cli.say import clock, json_option, speaking, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volens.offers.lint import Lead
    from volens.offers.reading import Reading
    from volens.programme.findings import Finding

WIDTH = 110
FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
ON = click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="Judge as of this legal day. Default: today.")
LEADS = "Leads for a human, never a verdict: a clause that is not found can be unlawful, and one that is found can be lawful."


@click.group()
def offer() -> None:
    """Offers: what is asked, what it earns, and what nobody can be asked for."""


for _command in offering.COMMANDS:
    offer.add_command(_command)


@offer.command()
@FILE
@ON
@json_option
@speaking
def check(file: Path, day: date | None, as_json: bool) -> None:
    """Everything that stands against the offer in FILE, with reasons and articles. Exit code 2 if anything does."""
    from volens.offers.check import RULES, findings
    from volens.offers.check import check as checked
    from volens.offers.reading import read

    reading = read(file)
    on = _legal(reading, day)
    found: Sequence[Finding] = reading.findings
    if reading.offer is not None and reading.document is not None:
        found = findings(reading.document, checked(reading.offer, on).refusals)
    value = {
        "format": "volens-offer-check/1", "on": on.isoformat(), "ok": not found,
        "offer": reading.offer.id if reading.offer else None, "version": reading.offer.version if reading.offer else None,
        "rules_run": list(RULES) if reading.offer else [],
        "refusals": [{"rule": one.rule, "file": one.file, "line": one.line, "message": one.message, "remedy": one.remedy,
                      "article": one.article} for one in found],
    }  # fmt: skip
    tell(value, _verdict(file, reading, found, on, len(RULES)), as_json)
    if found:
        sys.exit(2)


@offer.command()
@FILE
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@ON
@json_option
@speaking
def terms(file: Path, language: str, day: date | None, as_json: bool) -> None:
    """The terms that people read, generated from FILE in Markdown. Exit code 3 if anything stands against the offer."""
    from volens.offers.reading import offer_of, read
    from volens.offers.terms import terms as written

    reading = read(file)
    one = offer_of(reading)
    page = written(one, language, _legal(reading, day))
    tell({"offer": one.id, "version": one.version, "language": language, "terms": page}, page.rstrip("\n"), as_json)


@offer.command()
@FILE
@json_option
@speaking
def lint(file: Path, as_json: bool) -> None:
    """Clauses that no offer may contain, in terms that somebody wrote (text, Markdown, HTML; French and English).

    Leads for a human, never a verdict. Exit code 3 if there are any, 2 if the file is no text in these languages.
    """
    from volens.offers.lint import lint_file

    leads = lint_file(file)
    value: dict[str, Any] = {"format": "volens-offer-lint/1", "what_this_is": LEADS, "leads": [vars(one) for one in leads]}
    tell(value, _leads(file, leads), as_json)
    if leads:
        sys.exit(3)


def _legal(reading: Reading, day: date | None) -> date:
    """The day that was asked for, else today where the offer is made; in France, if the file does not load."""
    from volens.clock import legal_day

    if day is not None:
        return date(day.year, day.month, day.day)
    return legal_day(clock().now(), reading.offer.countries[0] if reading.offer is not None else "FR")


def _verdict(file: Path, reading: Reading, found: Sequence[Finding], on: date, rules: int) -> str:
    blocks = [file.name] if found else []
    for one in found:
        head = f"  {one.line:>4}  {one.rule}  "
        under = f"→ {one.remedy} ({one.article})" if one.article else f"→ {one.remedy}"
        blocks += [_wrapped(one.message, head), _wrapped(under, " " * len(head))]
    if reading.offer is None:
        return "\n".join([*blocks, "", "The offer does not load. No rule has run yet."])
    name = f"{reading.offer.id}, version {reading.offer.version}"
    if not found:
        return f"Nothing stands against {name}: {rules} rules, as of {on}."
    reasons = len({one.rule for one in found})
    return "\n".join([*blocks, "", f"{name} is refused: {_counted(reasons, 'rule')} broken, as of {on}."])


def _leads(file: Path, leads: Sequence[Lead]) -> str:
    blocks = [file.name] if leads else []
    for one in leads:
        head = f"  {one.line:>4}  {one.rule}  "
        shown = one.sentence if len(one.sentence) <= 300 else one.sentence[:300] + " …"
        blocks += [_wrapped(f"{one.title}: “{one.found}” ({one.article})", head), _wrapped(shown, " " * len(head))]
    return "\n".join([*blocks, "", f"{_counted(len(leads), 'lead')}. {LEADS}"]).lstrip("\n")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _wrapped(words: str, head: str) -> str:
    return textwrap.fill(words, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False,
                         break_long_words=False)  # fmt: skip
