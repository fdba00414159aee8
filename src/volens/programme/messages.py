"""Marketing messages, as the retailer declares them: by which channels, on which yes each rests, who carries it, how many.

Rules:
1. What is not listed is not sent: a channel without a line here is refused before anybody is looked up.
2. No two channels share a purpose. A yes to letters by e-mail says nothing about calls; a channel may carry several kinds of
   advertisements, each on a yes of its own (`also`).
3. Who sends is a controller of the programme; each message names its legal name and how to reach it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from volens.programme.nodes import Document
from volens.programme.parties import UNWRITTEN, Source
from volens.programme.reminding import UNPAID

FILE = "messages"
"""`messages.yaml`, beside the other files of a programme; a programme may do without, and then no message is sent."""

EMAIL, SMS, PUSH, PHONE, POST = "email", "sms", "push", "phone", "post"
CHANNELS = (EMAIL, SMS, PUSH, PHONE, POST)
ADDRESS_FIELDS: Mapping[str, str] = MappingProxyType(
    {EMAIL: "email", SMS: "phone", PUSH: "device_address", PHONE: "phone", POST: "postal_address"}
)
"""The field of the programme that each channel reaches people by."""
LANGUAGE = "language"
CAP_DAYS = 30


@dataclass(frozen=True)
class Channel:
    """One way to reach people."""

    name: str
    purpose: str
    """What people say yes to before an advertisement goes this way."""
    carried_by: tuple[str, ...]
    """Recipients that may carry; the first is meant where nobody is named."""
    most: int
    """Advertisements to one person within `days`."""
    days: int
    service: str | None = None
    """The purpose on which what is no advertisement rests; none: only advertisements go this way."""
    also: tuple[str, ...] = ()
    """Further purposes of advertisements by this channel, each of which people are asked about apart."""

    @property
    def purposes(self) -> tuple[str, ...]:
        """Every purpose of an advertisement by this channel."""
        return (self.purpose, *self.also)

    def rests_on(self, advertising: bool, purpose: str | None = None) -> str | None:
        """The purpose that a message needs, `purpose` if it names one; none if there is no such way."""
        offered = self.purposes if advertising else (self.service,)
        return (purpose or offered[0]) if purpose is None or purpose in offered else None

    def fields(self, told: frozenset[str]) -> tuple[str, ...]:
        """What is read of a person to reach her this way, for a purpose that lists the fields `told`."""
        return tuple(sorted({ADDRESS_FIELDS[self.name], *({LANGUAGE, UNPAID} & told)}))


@dataclass(frozen=True)
class Messages:
    """What `messages.yaml` says."""

    sender: str
    channels: Mapping[str, Channel]
    source: Source = field(default=UNWRITTEN, compare=False, repr=False)
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False, repr=False)


def build(document: Document | None) -> Messages | None:
    """The values of `messages.yaml`."""
    if document is None:
        return None
    written: Mapping[str, Any] = document.data["channels"]
    channels = {
        name: Channel(
            name, one["purpose"], tuple(one["carried_by"]), one["most"], one.get("days", CAP_DAYS), one.get("service"),
            tuple(one.get("also", ())),
        )
        for name, one in written.items()
    }
    sources = {
        name: Source(document.file, document.at("channels", name).line, document.keys("channels", name)) for name in channels
    }
    return Messages(document.data["sender"], channels, Source(document.file, 1, document.keys()), sources)
