"""A campaign in words: complete, in both languages, and never more than was found."""

from __future__ import annotations

import string
from typing import Any

import pytest
from tests.support.campaigning import LAUNCH, RESULT, spring

from volens.campaigns.station import Campaign
from volens.campaigns.store import Step
from volens.campaigns.telling import disclosure, forecast, sentences, texts
from volens.campaigns.workflow import CLOSED, LAUNCHED, MEASURED, PLANNED
from volens.errors import NotNow
from volens.evidence.merkle import canonical_json
from volens.measuring.disclosure import ITEMS
from volens.measuring.holdout import Holdout
from volens.measuring.observational import Cannot, May


def campaign(**changed: Any) -> Campaign:
    plan = spring()
    contents = [
        (PLANNED, {"plan": plan.canonical(), "seed": "0a" * 32}),
        (LAUNCHED, LAUNCH),
        (CLOSED, {}),
        (MEASURED, {**RESULT, **changed}),
    ]
    steps = [
        Step(seq, plan.id, state, "marketing", "Ana", "2025-04-28", canonical_json(said).decode(), b"")
        for seq, (state, said) in enumerate(contents, start=3)
    ]
    return Campaign(plan, Holdout(plan.id, "0a" * 32, 400), tuple(steps))


def gaps(found: Any) -> dict[str, set[str]]:
    return {
        f"{part}.{id}": {name for _, name, _, _ in string.Formatter().parse(text) if name}
        for part, of_it in found.items()
        for id, text in of_it.items()
    }


def test_both_languages_have_the_same_words_and_gaps() -> None:
    assert gaps(texts("en")) == gaps(texts("fr"))
    assert set(texts("en")["may"]) == {one.value for one in May}
    assert set(texts("en")["cannot"]) == {one.value for one in Cannot}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_item_of_the_guidelines_is_answered(language: str) -> None:
    told = disclosure(campaign(), language)
    assert [item.id for item, _ in told.answers] == [item.id for item in ITEMS]
    assert not [answer.text for _, answer in told.answers if "{" in answer.text]


def test_answers_are_those_of_this_campaign() -> None:
    told = {item.id: answer.text for item, answer in disclosure(campaign(), "en").answers}
    assert told["period"] == "28 April 2025 to 25 May 2025, both included."
    assert "200 of 1,000" in told["baseline"]
    assert "€450" in told["assumptions"]
    assert "48 of 1,000" in told["false-alarms"]
    assert "entry 3" in told["declared"]
    assert "entry 4" in told["declared"]
    assert told["overlap"].startswith("No other measured campaign")
    assert told["cost"] == "€200.00, as agreed before the launch."
    other = disclosure(campaign(others=[{"campaign": "summer", "reached": 7, "held": 2}]), "en")
    assert "summer reached 7" in next(answer.text for item, answer in other.answers if item.id == "overlap")


def test_a_result_is_said_with_its_interval() -> None:
    told = sentences(campaign(), "en")
    assert told[0] == "Sales rose by €1,590 because of the campaign: between €398 and €2,782, 95 times out of 100."
    assert told[1] == "Each €1 spent brought €7.95 in sales that would not have been: between €1.99 and €13.91."
    assert "6 people no longer permit it" in " ".join(told)


def test_where_nothing_shows_nothing_is_said_to_have_come_of_it() -> None:
    told = sentences(campaign(incremental_cents=[10_000, -5_000, 25_000]), "en")
    assert told[0] == "No effect shows. What the campaign changed lies between -€50 and €250, 95 times out of 100."
    assert "because" not in " ".join(told)
    assert "spent brought" not in " ".join(told)


def test_a_loss_is_said_to_be_one() -> None:
    told = sentences(campaign(incremental_cents=[-10_000, -15_000, -5_000]), "en")
    assert told[0] == "Sales fell by €100 because of the campaign: between €50 and €150, 95 times out of 100."


def test_sides_that_lost_unequally_are_said_to_have() -> None:
    assert "with care" in " ".join(sentences(campaign(gone_differs=True), "en"))
    assert "avec prudence" in " ".join(sentences(campaign(gone_differs=True), "fr"))


def test_before_the_launch_what_can_be_found_is_said() -> None:
    first, second = forecast(spring(), LAUNCH, "en")
    assert "€4,000 or more" in first
    assert "4.2% of sales" in first
    assert "48 of 1,000 draws found something; about 50 should" in second


def test_no_result_before_the_end() -> None:
    whole = campaign()
    with pytest.raises(NotNow):
        disclosure(Campaign(whole.plan, whole.draw, whole.steps[:3]), "en")
