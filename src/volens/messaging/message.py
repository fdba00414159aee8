"""What a tool asks, and what it is told. Values; no database, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from volens.errors import BadInput
from volens.programme.messages import CHANNELS, PUSH

MESSAGES_MAX = 1_000
"""Messages of one call."""
KINDS = ("card", "email", "reference")
"""By what a customer is named."""
NUMBER = "number"
"""By the house's own number: no tool may, the house itself does."""
KEY_MAX, VALUE_MAX, CAMPAIGN_MAX, ADDRESS_MAX = 200, 320, 80, 400
_KEYS = {"key", "channel", "campaign", "advertising", "carrier", "country", "to", "purpose", *KINDS}


@dataclass(frozen=True)
class Message:
    """One message that a tool is about to send."""

    key: str
    """The tool's own number of it: asked twice, it is sent once."""
    channel: str
    kind: str
    value: str = field(repr=False)
    campaign: str
    advertising: bool = True
    carrier: str | None = None
    """The recipient that carries it; none: the first that the programme names for the channel."""
    country: str | None = None
    """For calls: where the tool believes the number to be; none: the house's country."""
    to: str | None = field(default=None, repr=False)
    """For push: the device's address, which the house does not hold."""
    purpose: str | None = None
    """Which of the channel's purposes it rests on; none: the channel's first."""

    def __post_init__(self) -> None:
        if not self.key.strip() or len(self.key) > KEY_MAX:
            raise BadInput("A message has a key of its tool.", f"Send `key`, 1 to {KEY_MAX} characters, another for each message.")
        if self.channel not in CHANNELS:
            raise BadInput("A message goes by a channel.", f"Send one of: {', '.join(CHANNELS)}.")
        if self.kind not in (*KINDS, NUMBER) or not self.value.strip() or len(self.value) > VALUE_MAX:
            raise BadInput("Whom is the message for?", f"Send one of {', '.join(KINDS)}, in at most {VALUE_MAX} characters.")
        if not self.campaign.strip() or len(self.campaign) > CAMPAIGN_MAX:
            raise BadInput("A message belongs to a campaign.", f"Send `campaign`, 1 to {CAMPAIGN_MAX} characters.")
        if (self.to is not None) != (self.channel == PUSH) or (self.to is not None and not 0 < len(self.to) <= ADDRESS_MAX):
            raise BadInput("A push message names its device, and no other message does.", "Send `to` with channel push alone.")


def read(written: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Messages from JSON. `BadInput` for what cannot be understood, with its place; never with what stands in it."""
    if not written or len(written) > MESSAGES_MAX:
        raise BadInput(f"{len(written):,} messages are not a batch.", f"Send 1 to {MESSAGES_MAX:,} at a time.")
    found = []
    for place, one in enumerate(written):
        try:
            found.append(_message(one))
        except BadInput as error:
            raise BadInput(f"Message {place + 1} of this batch: {error.what}", error.remedy) from None
    if len({one.key for one in found}) < len(found):
        raise BadInput("Two messages of this batch have the same key.", "Give each message a key of its own.")
    return found


def _message(one: Mapping[str, Any]) -> Message:
    if not isinstance(one, Mapping):
        raise BadInput("It is not an object.", 'Send {"key": …, "channel": …, "card": …, "campaign": …}.')
    unknown = sorted(set(map(str, one)) - _KEYS)
    if unknown:
        raise BadInput("It has a key that is not known.", f"Use {', '.join(sorted(_KEYS))}.")
    named = [kind for kind in KINDS if one.get(kind)]
    if len(named) != 1:
        raise BadInput("It names nobody, or somebody in two ways.", f"Send one of {', '.join(KINDS)}.")
    texts = {name: one.get(name) for name in ("key", "channel", "campaign", "carrier", "country", "to", "purpose", named[0])}
    advertising = one.get("advertising", True)
    if not isinstance(advertising, bool) or any(value is not None and not isinstance(value, str) for value in texts.values()):
        raise BadInput("A value of it is not of its kind.", "All are texts, and `advertising` is true or false.")
    return Message(
        texts["key"] or "", texts["channel"] or "", named[0], texts[named[0]] or "", texts["campaign"] or "", advertising,
        texts["carrier"] or None, texts["country"] or None, texts["to"] or None,
        texts["purpose"] or None,
    )  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """Why a message cannot go to anybody, and what to do. Says nothing about a person."""

    why: str
    remedy: str


@dataclass(frozen=True)
class Enclosed:
    """What goes with a message that may go."""

    language: str
    unsubscribe: str | None
    """The address that takes the yes back in one step; none for what advertises nothing."""
    footer: str
    right_to_object: str | None
    """In the first message by this channel: stands first, apart from everything else."""
    headers: Mapping[str, str]
    address: str | None = field(default=None, repr=False)
    """Where the person is reached, if the tool asked for it."""


@dataclass(frozen=True)
class Answer:
    """What a tool is told of one message."""

    key: str
    send: bool
    again: bool = False
    """It was let out before under this key: send it only if that did not happen."""
    enclosed: Enclosed | None = None
    refusal: Refusal | None = None

    def to_dict(self) -> dict[str, Any]:
        """As tools and scripts read it."""
        value: dict[str, Any] = {"key": self.key, "send": self.send}
        if self.refusal is not None:
            value |= {"refused": self.refusal.why, "what_to_do": self.refusal.remedy}
        if self.enclosed is not None:
            told = self.enclosed
            value |= {
                "again": self.again, "first": told.right_to_object is not None, "language": told.language,
                "right_to_object": told.right_to_object, "footer": told.footer, "unsubscribe": told.unsubscribe,
                "headers": dict(told.headers),
            }  # fmt: skip
            if told.address is not None:
                value["address"] = told.address
        return value


@dataclass(frozen=True)
class Caller:
    """Who asks: a member of staff or a machine, of the house or of the recipient that carries."""

    name: str
    recipient: str | None = None
