"""A place on the page: two juice makers pay for it, and a no leaves no hole.

It runs what `volens ad define|approve|learn` and the shop's `/v1/ads` run, with the two placements of examples/le-panier/ads; their
days are the demo's own. Camille permits it; her neighbour was never asked.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from volens import invented as people
from volens.clock import legal_day
from volens.sponsored.shown import Told

if TYPE_CHECKING:
    from volens.app import House
    from volens.demo.story import Story

PLACES, DAYS = 2, 180
PURPOSE = people.ADS_PURPOSE
WHO_PROPOSES, WHO_APPROVES = "Alice Exemple", "Bruno Modèle"
EVERY_JUICE = ("jus-frais", "jus-longue-conservation", "jus-surgeles")
PLACEMENTS = (
    {
        "placement": "oranges-du-midi", "name": {"fr": "Oranges du Midi", "en": "Oranges from the South"},
        "advertiser": "vergers-du-midi", "products": ["999104", "1005274", "907099", "1053530"],
        "for": {"bought": {"of": {"categories": ["jus-frais"]}, "days": 365, "visits": 2}},
    },
    {
        "placement": "agrumes-presses", "name": {"fr": "Agrumes pressés", "en": "Pressed citrus"},
        "advertiser": "soleil-presse", "products": ["901776", "1009187", "983936", "950206"],
        "for": {"bought": {"of": {"categories": ["jus-longue-conservation"]}, "days": 180}},
    },
)  # fmt: skip


def a_place_on_the_page(story: Story, house: House) -> None:
    """Proposed by one, approved by another; as many places for whoever permits it as for whoever does not."""
    story.chapter("ads")
    today = legal_day(story.house_clock().now(), house.programme.country)
    for one in PLACEMENTS:
        document = {
            **one, "purpose": PURPOSE, "from": today.isoformat(), "until": (today + timedelta(days=DAYS)).isoformat(),
            "contexts": {"categories": list(EVERY_JUICE), "pages": ["accueil", "panier"], "words": ["jus", "juice"]},
            "cap": {"day": 3, "campaign": 40, "visit": 6},
        }  # fmt: skip
        placement = house.sponsored.read(json.dumps(document))
        house.sponsored.define(placement, by=WHO_PROPOSES)
        house.sponsored.approve(placement.id, by=WHO_APPROVES)
    with story.timed("step.profiles"):
        learned = house.sponsored.learn()
    story.say("ads.learn", profiles=learned["customers"])
    neighbour = next(one for one in story.numbers if not people.ads(one))
    for who, name in ((people.HEROINE, "ads.camille"), (neighbour, "ads.neighbour")):
        shown = seen_by(house, people.card(who))
        assert len(shown) == PLACES
        story.say(name)
        for told in shown:
            story.console.print(f"  [bold]{told.name[story.language]}[/]  {told.why(story.language)}", soft_wrap=False)
    story.say("ads.same")


def seen_by(house: House, card: str) -> list[Told]:
    """What stands in the places of the juice page for somebody."""
    shown = house.sponsored.decide(house.sponsored.page(category="jus-frais"), PLACES, ("card", card))
    return [house.sponsored.tell(one) for one in shown]


def the_same_page_again(story: Story, house: House) -> None:
    """After a no: as many, and none by what she buys."""
    shown = seen_by(house, people.card(people.HEROINE))
    assert len(shown) == PLACES
    assert not any(one.personal for one in shown)
    house.sponsored.sweep()
    story.say("5.ads")
