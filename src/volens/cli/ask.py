"""`volens ask`: one question at the moment of use, and its answer."""

from __future__ import annotations

from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell


@click.group()
def ask() -> None:
    """Ask a customer the one question that may be asked now, and record the answer."""


@ask.command(name="next")
@house_option
@click.option("--card", help="The customer's card number.")
@click.option("--email", help="Or the e-mail of the customer's account.")
@click.option("--moment", required=True, help="Where the use would happen: one of `asked_at` in purposes.yaml.")
@click.option("--visit", required=True, help="What the shop calls this visit. One question a visit.")
@click.option("--language", default="fr", show_default=True, help="In which the question is read.")
@click.option("--surface", default="command line", show_default=True, help="Where it is shown.")
@json_option
@speaking
def next_(
    house: Path, card: str | None, email: str | None, moment: str, visit: str, language: str, surface: str, as_json: bool
) -> None:
    """The question for a customer, recorded as put; or that nothing is to be asked.

    At most one a visit and three a year, never within six months of a no, never for what stands permitted.
    """
    from volens.app import open_house
    from volens.errors import BadInput

    if (card is None) == (email is None):
        raise BadInput("Who is asked?", "Name the customer by --card or by --email.")
    with open_house(house, clock=clock()) as opened:
        customer = opened.customer("card" if card else "email", str(card or email)).customer
        question = opened.asking.next_question(customer, visit, moment, language=language, surface=surface)
        opened.checkpoint()
    if question is None:
        tell({"question": None}, "Nothing is to be asked now.", as_json)
        return
    text = f"{question.words}\n\n  volens ask answer {question.token} --no\n  volens ask answer {question.token} --yes"
    tell({"question": vars(question)}, text, as_json)


@ask.command()
@house_option
@click.argument("token")
@click.option("--no", "said", flag_value="no", help="No.")
@click.option("--yes", "said", flag_value="yes", help="Yes.")
@click.option("--later", "said", flag_value="later", help="Not now: counts as a no for what is asked next.")
@json_option
@speaking
def answer(house: Path, token: str, said: str | None, as_json: bool) -> None:
    """Record the answer to the question TOKEN. The same answer twice is recorded once."""
    from volens.app import open_house
    from volens.errors import BadInput

    if said is None:
        raise BadInput("What was the answer?", "Give --no, --yes or --later.")
    with open_house(house, clock=clock()) as opened:
        done = opened.asking.answer(token, said)
        opened.checkpoint()
    stands = "permitted" if done.permitted else "not permitted"
    tell(vars(done), f"Recorded as number {done.seq}: {done.kind}. {done.purpose} is {stands}.", as_json)
