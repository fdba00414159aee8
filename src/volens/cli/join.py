"""`volens join`: a card for somebody, with her answers."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell


@click.command()
@house_option
@click.option("--given-name", required=True)
@click.option("--family-name", required=True)
@click.option("--email", default="", help="Optional.")
@click.option("--birth-date", default="", help="YYYY-MM-DD; of minors alone.")
@click.option("--yes", "yes", multiple=True, help="A purpose that the person permits; again for more.")
@click.option("--no", "no", multiple=True, help="A purpose that the person refuses; what is not named is no, and not recorded.")
@click.option("--language", default="fr", show_default=True, help="In which the texts were read.")
@click.option("--form", "token", help="The form's own number: the same one again gives the same card. Default: a new one.")
@json_option
@speaking
def join(
    house: Path, given_name: str, family_name: str, email: str, birth_date: str, yes: tuple[str, ...], no: tuple[str, ...],
    language: str, token: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a card for somebody who asks for one, as the sign-up page does. It works with every answer left at no."""
    from volens.app import open_house
    from volens.asking.joining import Application

    answers = dict.fromkeys(yes, "yes") | dict.fromkeys(no, "no")
    details = {"given_name": given_name, "family_name": family_name, "email": email, "birth_date": birth_date}
    with open_house(house, clock=clock()) as opened:
        joinings = opened.asking.joinings
        rendered = {one.purpose: one.rendered_sha256 for one in [*joinings.contract(language), *joinings.optional(language)]}
        token = token or secrets.token_urlsafe(24)
        joined = joinings.join(Application(token, details, answers, rendered, language, "command line", bool(birth_date)))
        opened.checkpoint()
    lines = [f"Card {joined.card}.", *(f"  {kind:10} {purpose}" for purpose, kind in joined.said)]
    lines += [f"  left out: a yes to {purpose}, which this age does not allow" for purpose in joined.too_young]
    tell({"card": joined.card, "said": joined.said, "too_young": joined.too_young}, "\n".join(lines), as_json)
