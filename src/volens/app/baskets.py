"""Messages about baskets that were left behind: what the reminders know, let out by the door of messages.

Rules:
1. Two yeses: to reminders, under which the basket is kept, and to the message, which is asked for at the door. Who has not both, or
   has had enough, gets nothing, and nobody who asks here learns that there was a basket.
2. Once at the most: a basket that was told is not told again, by message or on the website. A tool that dies before it sends has
   lost the message. Killed in here before that is noted, the same is told again under the same key, with `again`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from volens.errors import NotFound
from volens.messaging.message import NUMBER, Answer, Caller, Message
from volens.messaging.station import Marketing
from volens.reminding.left import WRITTEN_MOST
from volens.reminding.left_store import Left
from volens.reminding.shown import shown_left
from volens.reminding.station import Reminders

CAMPAIGN = "left-basket"


@dataclass(frozen=True)
class Told:
    """A message that may go, and the basket that it is about."""

    answer: Answer
    basket: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As tools and scripts read it."""
        return {**self.answer.to_dict(), "basket": {name: self.basket[name] for name in ("sku", "name", "products", "day", "why")}}


def write_about_baskets(
    reminders: Reminders, messages: Marketing, caller: Caller, *, addresses: bool = False, most: int = WRITTEN_MOST
) -> list[Told]:
    """The messages about baskets that may go now, by the channel that rests on their purpose. On record before it returns."""
    left = reminders.told.left
    if left is None or left.message is None:
        raise NotFound(
            "This programme writes to nobody about a basket.", "Name a purpose: `left_basket: {message: …}` in reminders.yaml."
        )
    channel = next(one.name for one in messages.channels() if left.message in one.purposes)
    waiting = {_key(one): (one, behind) for one, behind in reminders.left.waiting(most)}
    asked = [
        Message(key, channel, NUMBER, str(one.customer), CAMPAIGN, purpose=left.message) for key, (one, _) in waiting.items()
    ]
    answers = messages.send(asked, caller, addresses=addresses) if asked else []
    told = [one for one in answers if one.send and one.enclosed is not None]
    found = list[Told]()
    for one in told:
        assert one.enclosed is not None
        shown = shown_left(reminders, waiting[one.key][1], one.enclosed.language)
        assert shown is not None
        found.append(Told(one, shown))
    reminders.left.written([waiting[one.key][0] for one in told])
    return found


def _key(left: Left) -> str:
    """The message's own number. Two people may have baskets that the shop calls the same; nobody is told a customer's number."""
    return f"basket-{blake2b(left.customer.to_bytes(8, 'big'), key=left.basket, digest_size=16).hexdigest()}"
