"""The basket without juice: Camille is told what she forgot, before she refuses everything, and nothing after it. A newsletter
that was queued before her no is not sent after it.

It runs what `volens remind learn`, the checkout's `/v1/reminders` and a mail tool's `/v1/messages` run. Her basket is a real one,
the newest that held at least `LEAST` products and her juice; the juice is taken out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from volens import invented as people
from volens.messaging.message import Caller, read
from volens.permissions.ledger import Choice
from volens.reminding.words import why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volens.app import House
    from volens.demo.source import Journey
    from volens.demo.story import Story
    from volens.messaging.message import Message

LEAST = 8
NEWS, MAIL_TOOL = "email-marketing", Caller("the mail tool", "envoi-clair")


def the_basket_without_juice(story: Story, house: House, journey: Journey, category: str) -> None:
    """Learned of everybody who permits it; named to one, with the reason."""
    story.chapter("juice")
    story.say("juice.wait")
    with story.timed("step.learn"):
        learned = house.reminders.learn()
    story.say("juice.learn", customers=learned.customers, receipts=learned.trips)
    basket = without_juice(journey, category)
    story.say("juice.basket", things=len(basket))
    said = house.reminders.remind(house.reminders.basket(("card", people.card(people.HEROINE)), "the-basket", basket))
    if said is None:
        story.say("juice.silent")
    else:
        _, name = house.reminders.name_of(said.product, story.language)
        mark = "\u00a0?" if story.language == "fr" else "?"
        story.console.print(f"  [bold]{name}{mark}[/] {why(said, story.language)}")
    sure = next(one for one in learned.thresholds if one.speaks <= 0.11)
    story.say("juice.right", always=learned.thresholds[0].right, sure=sure.right)


def the_same_basket_again(story: Story, house: House, journey: Journey, category: str) -> None:
    """After a no: nothing."""
    asked = house.reminders.basket(("card", people.card(people.HEROINE)), "another-basket", without_juice(journey, category))
    assert house.reminders.remind(asked) is None
    house.reminders.sweep()
    assert house.reminders.habits(story.numbers[people.HEROINE]) == []
    story.say("5.basket")


def a_letter_waits(story: Story, house: House) -> Sequence[Message]:
    """Two letters of a mail tool to Camille, who permits them: the first goes; the second, which comes back, waits."""
    house.permissions.record([Choice(story.numbers[people.HEROINE], NEWS, "given", language="fr", surface="account")])
    asked = {"channel": "email", "campaign": "letters", "card": people.card(people.HEROINE)}
    first, second = read([{**asked, "key": f"letter-{number}"} for number in (1, 2)])
    (answer,) = house.messages.send([first], MAIL_TOOL)
    assert answer.send
    return [second]


def the_letter_stays(story: Story, house: House, waiting: Sequence[Message]) -> None:
    """After a no: nothing, however long ago the queue was made."""
    assert not any(answer.send for answer in house.messages.send(waiting, MAIL_TOOL))
    story.say("5.letter")


def without_juice(journey: Journey, category: str) -> list[str]:
    """The products of her newest large basket with juice, without the juice."""
    listed = journey.products.filter(pc.equal(journey.products.column("category"), category))
    juice = set(listed.column("product").to_pylist())
    hers = journey.lines.filter(pc.equal(journey.lines.column("household"), people.HEROINE)).sort_by("time")
    baskets: dict[int, list[int]] = {}
    for basket, product in zip(hers.column("basket").to_pylist(), hers.column("product").to_pylist(), strict=True):
        baskets.setdefault(basket, []).append(product)
    large = [each for each in baskets.values() if len(set(each)) > LEAST and juice & set(each)]
    return [str(product) for product in dict.fromkeys(large[-1]) if product not in juice]
