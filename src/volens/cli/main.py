"""`volens`: every command in one place, each a few lines that call a station."""

from __future__ import annotations

import shlex
import sys
from datetime import date
from pathlib import Path

import click

from volens import __version__
from volens.cli.ads import ad
from volens.cli.ask import ask
from volens.cli.audiences import audience
from volens.cli.backups import backup, restore
from volens.cli.bench import bench
from volens.cli.campaign import campaign
from volens.cli.choices import choices
from volens.cli.customer import customer
from volens.cli.devices import devices
from volens.cli.doorways import doorway, outbox
from volens.cli.feeds import ingest
from volens.cli.followers import followers
from volens.cli.join import join
from volens.cli.keys import keys
from volens.cli.machine import machine
from volens.cli.messages import message
from volens.cli.offers import offer
from volens.cli.paper import paper
from volens.cli.quarantine import quarantine
from volens.cli.receipts import receipt, write_page
from volens.cli.receipts import told as receipts_told
from volens.cli.receipts import write as write_receipts
from volens.cli.referral import referral
from volens.cli.remind import remind
from volens.cli.reports import report
from volens.cli.say import clock, house_option, json_option, speaking, tell
from volens.cli.serve import serve
from volens.cli.simulate import simulate
from volens.cli.texts import texts
from volens.cli.told import told
from volens.cli.upkeep import nightly
from volens.cli.wallet import wallet
from volens.cli.witness import witness

EVIDENCE_HELP = "An older package, receipt or signed checkpoint that you kept."


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="volens")
def main() -> None:
    """Puts purchases to use only as each customer permits, at the moment of each use, and proves it.

    \b
    Start with:  volens demo           a year of real purchases in a minute
    Or with:     volens init my-house
    """


main.add_command(ask)
main.add_command(audience)
main.add_command(backup)
main.add_command(campaign)
main.add_command(customer)
main.add_command(choices)
main.add_command(devices)
main.add_command(doorway)
main.add_command(followers)
main.add_command(ingest)
main.add_command(join)
main.add_command(keys)
main.add_command(machine)
main.add_command(message)
main.add_command(nightly)
main.add_command(offer)
main.add_command(told)
main.add_command(outbox)
main.add_command(receipt)
main.add_command(referral)
main.add_command(remind)
main.add_command(ad)
main.add_command(report)
main.add_command(paper)
main.add_command(quarantine)
main.add_command(restore)
main.add_command(serve)
main.add_command(simulate)
main.add_command(texts)
main.add_command(bench)
main.add_command(wallet)
main.add_command(witness)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--records", "records_url", help="SQLAlchemy URL of the records. Default: SQLite in the folder.")
@click.option("--customers", type=click.IntRange(1), default=100_000, show_default=True,
              help="About how many customers there will be. Fixes the layout of the purchases table.")
@click.option("--upgrade", is_flag=True, help="Bring an existing house to the newest migrations.")
@speaking
def init(folder: Path, records_url: str | None, customers: int, upgrade: bool) -> None:
    """Make a house in FOLDER: sample programme, keys, records, purchases table."""
    from volens import app, settings

    if upgrade:
        app.migrate(settings.load(folder))
        click.echo(f"The records of {folder} are at the newest migration.")
        return
    with app.initialise(folder, records_url=records_url, customers=customers, clock=clock()) as house:
        house.checkpoint()
        click.echo(f"""{folder} is a house now.

  programme/     what you declare: start here; it is a complete sample, {house.programme.name}
  keys/          back this up apart from everything else, and never put it under version control
  checkpoints/   copy this out of the house, regularly: it is what proves that nothing was rewritten
  volens.toml    settings

The key that signs the record (publish it, so that others can compare):
  {house.log_key}

Next:  cd {shlex.quote(str(folder))}  and  volens check programme""")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("programme"))
@click.option("--explain", "rule", metavar="RULE", help="Why a rule exists, with a failing and a passing example.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="Judge by the law of this day. Default: today.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--sarif", is_flag=True, help="SARIF 2.1.0, for code hosts and editors.")
@json_option
@speaking
def check(folder: Path, rule: str | None, day: date | None, strict: bool, sarif: bool, as_json: bool) -> None:
    """Check the programme in FOLDER as a linter checks code. Exit code 2 if it breaks a rule."""
    from volens.programme import lint

    if rule is not None:
        click.echo(lint.explain(rule))
        return
    on = date(day.year, day.month, day.day) if day is not None else lint.legal_today(folder, clock().now())
    report_ = lint.check(folder, on)
    written = lint.to_sarif if sarif else lint.to_json if as_json else lint.to_text
    click.echo(written(report_))
    severities = {finding.severity for finding in report_.findings}
    if "error" in severities or (strict and severities):
        sys.exit(2)


@main.command()
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@click.option("--purpose", help="What the choice is about; see programme/purposes.yaml.")
@click.option("--say", "kind", help="given, refused, withdrawn, objected, notified, joined, …")
@click.option("--recipient", default="*", show_default=True, help="One legal entity, or * for all that the text names.")
@click.option("--language", help="The language in which the text was read; a yes needs it.")
@click.option("--surface", help="Where it was said: till, app, paper …; a yes needs it.")
@click.option("--store", "shop", default="", help="The shop in which it was said, at a till or on a form.")
@click.option("--by", "actor", default="the person", show_default=True,
              help="Who said it: `parent` is the holder of parental responsibility, `proxy` who holds a mandate.")
@click.option("--proof", help="What shows it: a form's number, a record. A parent's or a proxy's yes needs it.")
@click.option("--refuse-everything", is_flag=True, help="No to every purpose that can be refused.")
@click.option("--receipt", "receipt_file", type=click.Path(path_type=Path, dir_okay=False),
              help="Write the receipt here; several choices get a file each, with their number.")
@json_option
@speaking
def permit(house: Path, card: str | None, email: str | None, purpose: str | None, kind: str | None, recipient: str,
           language: str | None, surface: str | None, shop: str, actor: str, proof: str | None, refuse_everything: bool,
           receipt_file: Path | None, as_json: bool) -> None:
    """Record a customer's choice, or show what stands (with neither --say nor --refuse-everything)."""
    from volens.app import open_house
    from volens.errors import BadInput
    from volens.permissions.ages import PARENT
    from volens.permissions.judge import OF_THE_HOUSE
    from volens.permissions.ledger import Choice
    from volens.permissions.state import PERMITTING

    if (card is None) == (email is None):
        raise BadInput("Whose choice is it?", "Name the customer by --card or by --email.")
    if refuse_everything and (kind or purpose):
        raise BadInput("Everything, or one purpose?", "Give --refuse-everything alone, or --purpose with --say.")
    if kind in OF_THE_HOUSE:
        raise BadInput(f"Nobody says {kind!r}: it follows from time, or from the end of a text.",
                       "Say withdrawn, or end a text for everybody with: volens choices invalidate")
    if kind in PERMITTING and not (language and surface):
        raise BadInput("A yes needs to be shown: in which language was the text read, and where?",
                       "Add --language and --surface.")
    if purpose is not None and kind is None:
        raise BadInput(f"What was said about {purpose}?", "Add --say, or leave --purpose out to see what stands.")
    language, surface = language or "fr", surface or "command line"
    actor, proofs = PARENT if actor == "parent" else actor, {"shown by": proof} if proof else {}
    with open_house(house, clock=clock()) as opened:
        customer = opened.customer("card" if card else "email", str(card or email)).customer
        seqs: list[int] = []
        if refuse_everything:
            seqs = opened.permissions.refuse_everything(customer, surface=surface, actor=actor, language=language)
        elif kind is not None:
            if purpose is None:
                raise BadInput("What is the choice about?", "Name the purpose with --purpose.")
            seqs = opened.permissions.record(
                [Choice(customer, purpose, kind, recipient, None, language, surface, actor, proofs, shop)]
            )
        if seqs:
            opened.checkpoint()
        files = write_receipts(opened, customer, seqs, receipt_file) if receipt_file is not None and seqs else []
        standing = opened.permissions.of_customer(customer)
    rows = [f"  {row.purpose:32} {row.recipient:24} {'yes' if row.permits else 'no ':3}  {row.kind}, {row.day}, {row.text}"
            for row in standing]
    choices = "1 choice" if len(seqs) == 1 else f"{len(seqs)} choices"
    said = f"Recorded, and in force: {choices} (number {seqs[0]} and on).\n" if seqs else ""
    nothing = "  Nothing was ever chosen, so nothing is permitted."
    text = said + ("\n".join(rows) or nothing) + (f"\n{receipts_told(files)}" if files else "")
    value = {"recorded": seqs, "standing": [vars(row) for row in standing], "receipts": [str(file) for file in files]}
    tell(value, text, as_json)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--since", type=click.Path(path_type=Path, exists=True, dir_okay=False), help=EVIDENCE_HELP)
@click.option("--key", "trusted", help="The house's key or its fingerprint, if you know it from elsewhere.")
@click.option("--witness", "witnesses", multiple=True, help="A witness that you trust: its key. Again for more.")
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False),
              help="Write the page that checks receipts in a browser, as one file that needs neither server nor network.")
@json_option
@speaking
def verify(file: Path | None, since: Path | None, trusted: str | None, witnesses: tuple[str, ...], page: Path | None,
           as_json: bool) -> None:
    """Verify a package or receipt offline: no server, no database, no trust in the retailer. Exit code 8 if it fails."""
    from volens.errors import BadInput
    from volens.evidence.verify import describe, verify_package

    if file is None and page is not None:
        write_page(page, as_json)
        return
    if file is None or page is not None:
        raise BadInput("What is to be verified?", "Name a package or a receipt, or give --page alone to write the page.")
    verdict = verify_package(file, since, trusted, witnesses)
    tell(verdict.as_json(), describe(verdict), as_json)
    if not verdict.ok:
        sys.exit(8)


@main.command()
@house_option
@json_option
@speaking
def audit(house: Path, as_json: bool) -> None:
    """Replay the record: is everything stored what the events say, and are the events those that were signed?"""
    from volens.app import audit_house

    found = audit_house(house, clock=clock())
    tell(found.to_dict(), found.to_text(), as_json)
    if not found.ok:
        sys.exit(8)


@main.command()
@house_option
@json_option
@speaking
def checkpoint(house: Path, as_json: bool) -> None:
    """Sign the record as it stands, keep the checkpoint outside the database, show it to the witnesses.

    Exit code 8 if a witness refuses it because it does not continue what was signed before.
    """
    from volens.app import open_house
    from volens.evidence.witness_client import alarm_of

    with open_house(house, clock=clock()) as opened:
        signed = opened.checkpoint()
        standing = opened.witnesses.ask(patient=True)
        folder, key, address = opened.settings.checkpoints, opened.log_key, opened.settings.checkpoint_url
    lines = [f"Signed: {signed.size} public events, with the key", f"  {key}"]
    lines += [f"  {one.sentence()}" for one in standing] or ["  No witness is named in volens.toml: see docs/witness.md."]
    lines += [f"Everybody can read it at {address}/public/checkpoint" if address else
              f"Copy {folder} to where nobody of this house can change it."]
    value = {"size": signed.size, "root": signed.root.hex(), "folder": str(folder), "key": key, "address": address,
             "witnesses": [{**vars(one), "behind": one.behind} for one in standing]}
    tell(value, "\n".join(lines), as_json)
    if alarm_of(standing) is not None:
        sys.exit(8)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The last purchase lies in the week before. Default: today.")
@click.option("--records", "records_url", help="SQLAlchemy URL of the records. Default: SQLite in the folder.")
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)
@speaking
def demo(folder: Path, as_of: date | None, records_url: str | None, language: str) -> None:
    """One bottle of orange juice: from a year of real purchases to a report that anybody can verify."""
    from volens.demo.story import tell_story

    now = clock().now()
    day = date(as_of.year, as_of.month, as_of.day) if as_of is not None else now.date()
    tell_story(folder, day, clock(), records_url=records_url, language=language)


if __name__ == "__main__":
    main()
