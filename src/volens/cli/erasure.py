"""`volens customer erase`: a customer is erased, and what happened and what remains is said in plain words."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell

GROUNDS = ("no-longer-needed", "consent-withdrawn", "objection", "unlawful", "legal-obligation", "child")


@click.group()
def customer() -> None:
    """One customer: cards, links and age, as numbers and days; no name is ever shown. Or her erasure."""


@customer.command()
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@click.option("--by", "actor", required=True, help="Your name.")
@click.option("--why", type=click.Choice(GROUNDS), required=True, help="The ground, GDPR article 17(1)(a) to (f).")
@click.option("--yes", "sure", is_flag=True, help="Do not ask whether you are sure. There is no way back.")
@json_option
@speaking
def erase(house: Path, card: str | None, email: str | None, actor: str, why: str, sure: bool, as_json: bool) -> None:
    """Erase a customer: key, accounts, name, permissions; her purchases leave the table in the next night.

    If it is interrupted, run it again, or open the house in any other way: it is finished first.
    """
    from volens.app import open_house
    from volens.errors import BadInput, NotFound

    if (card is None) == (email is None):
        raise BadInput("Who is to be erased?", "Name the customer by --card or by --email.")
    with open_house(house, clock=clock()) as opened:
        finished = list(opened.erasure.finished)
        try:
            number = opened.customer("card" if card else "email", str(card or email)).customer
        except NotFound:
            if not finished:
                raise
            opened.checkpoint()
            text = f"An erasure that had been cut short was finished now: customer number {', '.join(map(str, finished))}."
            tell({"finished": finished}, text + "\nNobody else is known by that card or e-mail.", as_json)
            return
        if not (sure or as_json):
            click.confirm(f"Erase customer number {number}? There is no way back", abort=True)
        erased = opened.erasure.erase(number, by=actor, why=why)
        opened.checkpoint()
        code = opened.wallet.leaving.code_of(number)
        where = f"{opened.settings.web_address}/cagnotte/au-porteur"
    text = f"""Customer number {erased.customer} is erased.

  done     the key that sealed name, cards and proofs is destroyed: nobody can read them any more, also not in the records' back-ups
           cards and logins that are gone: {erased.accounts}; shown again, a card is a new customer's
           permissions that ended: {erased.permissions_ended}; no read and nothing that leaves has her, from now on
  asked    her purchases leave the table in the next night, at the latest on {erased.purchases_due}
  remains  {erased.events_kept} entries of the record about a number that leads to nobody: what was permitted and how it was used,
           so that it can still be proven; refused lines of feeds, sealed, for at most 30 days"""
    if code is not None:
        text += f"""
  owed     what she earned is not lost: whoever holds this code has it paid out, at {where}
           {code}"""
    tell({**asdict(erased), "finished": finished, "bearer": code}, text, as_json)
