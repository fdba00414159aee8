"""The demo's last word is hers: she asks to be forgotten, and is, down to the files.

It runs what `volens customer erase` and `volens nightly` run. The count at the end is the product's own probe, which shares no
code with what took her lines out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volens import invented as people
from volens.demo.rewards import what_is_still_hers
from volens.errors import NotFound
from volens.purchases import probe

if TYPE_CHECKING:
    from volens.app import House
    from volens.demo.story import Story


def camille_is_forgotten(story: Story, house: House, officer: str) -> None:
    """Chapter 8: erased at once, out of every file in the night, and the record still holds."""
    story.chapter("8")
    number, folder = story.numbers[people.HEROINE], house.settings.purchases
    before = probe.lines_of(folder, [number])
    with story.timed("step.forget"):
        erased = house.erasure.erase(number, by=officer, why="consent-withdrawn")
        story.say("8.erased", name=officer)
        night = house.upkeep.nightly()
        after = probe.lines_of(folder, [number])
    assert (night.removed.lines, night.left, after) == (before, 0, 0), "gone means gone"
    story.say("8.night", before=before, after=after)
    assert _nobody(house, people.card(people.HEROINE))
    story.say("8.card")
    what_is_still_hers(story, house, number)
    house.checkpoint()
    assert house.audit().ok
    story.say("8.record", number=number, events=erased.events_kept)


def _nobody(house: House, card: str) -> bool:
    """Whether a card leads to nobody."""
    try:
        house.customer("card", card)
    except NotFound:
        return True
    return False
