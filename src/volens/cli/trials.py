"""`volens texts trial`: two texts of one purpose, compared by what is understood and permitted."""

from __future__ import annotations

from pathlib import Path

import click

from volens.cli.say import clock, house_option, json_option, speaking, tell
from volens.publishing.workflow import ROLES, Person

by_option = click.option("--by", "name", required=True, help="Your name.")
role_option = click.option("--role", type=click.Choice(ROLES), required=True, help="In which role you act.")


@click.group()
def trial() -> None:
    """Compare a text with the one in force: start, list, conclude, stop."""


@trial.command()
@house_option
@click.argument("text")
@click.option("--people", type=click.IntRange(1), required=True, help="How many are asked under each text, fixed now.")
@click.option("--days", type=click.IntRange(1), required=True, help="How many days each has to answer, fixed now.")
@by_option
@role_option
@json_option
@speaking
def start(house: Path, text: str, people: int, days: int, name: str, role: str, as_json: bool) -> None:
    """Publish TEXT, which somebody of the other role approved, beside the one in force."""
    from volens.app import open_house
    from volens.web.component import component

    with open_house(house, clock=clock()) as opened:
        folder = opened.publishing.folder()
        begun = opened.publishing.start_trial(
            text, Person(name, role), people=people, days=days, component=lambda one, lang: component(folder, one, lang)
        )
        opened.checkpoint()
    said = (f"Begun: {begun.trial} compares {begun.texts[0]} with {begun.texts[1]}, {people:,} people each, {days} days.\n"
            "There is no result before the end.")
    tell({"trial": begun.trial, "texts": begun.texts, "people": people, "days": days}, said, as_json)


@trial.command("list")
@house_option
@json_option
@speaking
def list_(house: Path, as_json: bool) -> None:
    """Every comparison: how far it is, or what came out."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.publishing.trials()
    rows, lines = [], []
    for one in found:
        rows.append({"trial": one.trial.trial, "texts": one.trial.texts, "people": one.trial.people, "asked": one.asked,
                     "over": one.over, "result": one.trial.result})  # fmt: skip
        if one.trial.running:
            state = "can be concluded" if one.over else "runs"
            lines.append(f"  {one.trial.trial}  {state}: {one.asked[0]:,} and {one.asked[1]:,} of {one.trial.people:,} asked")
        elif one.arms is None:
            lines.append(f"  {one.trial.trial}  stopped without a result")
        else:
            won = one.trial.result["winner"] if one.trial.result else None
            lines.append(f"  {one.trial.trial}  {won or 'no difference shows'}")
            lines += [
                f"    {arm.text:36} understood and permitted {arm.rate.value:.0%} ({arm.rate.low:.0%} to {arm.rate.high:.0%})"
                for arm in one.arms
            ]
    tell(rows, "\n".join(lines) or "  Nothing was ever compared.", as_json)


@trial.command()
@house_option
@click.argument("trial_id", metavar="TRIAL")
@by_option
@role_option
@json_option
@speaking
def conclude(house: Path, trial_id: str, name: str, role: str, as_json: bool) -> None:
    """End TRIAL by its result. Nobody decides: the text that is understood and permitted more often stays."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        won = opened.publishing.conclude_trial(trial_id, Person(name, role))
        opened.checkpoint()
    tell({"trial": trial_id, "winner": won}, f"{won} won." if won else "No difference shows; the text in force stays.", as_json)


@trial.command()
@house_option
@click.argument("trial_id", metavar="TRIAL")
@click.option("--why", required=True, help="The reason; it stands on the public record.")
@by_option
@role_option
@json_option
@speaking
def stop(house: Path, trial_id: str, why: str, name: str, role: str, as_json: bool) -> None:
    """End TRIAL without a result; the text in force stays."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        opened.publishing.stop_trial(trial_id, Person(name, role), why)
        opened.checkpoint()
    tell({"stopped": trial_id}, "Stopped. The text in force stays.", as_json)
