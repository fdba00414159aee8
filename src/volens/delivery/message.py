"""Messages as values: what is to be said, and what a carrier is given. No database, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from volens.errors import VolensError

EMAIL, SMS, NONE = "email", "sms", "none"
CHANNELS = (EMAIL, SMS, NONE)
"""What a person can choose for messages about her own choices."""
FIELDS = {EMAIL: ("email", "language"), SMS: ("language", "phone")}
"""What is read of a person to send by a channel."""
WAITING, HANDED, CARRIED, FAILED, UNADDRESSED = "waiting", "handed", "carried", "failed", "unaddressed"
TRANSITIONS = {
    WAITING: frozenset({HANDED, UNADDRESSED, FAILED}),
    HANDED: frozenset({HANDED, CARRIED, FAILED}),
    CARRIED: frozenset[str](),
    FAILED: frozenset[str](),
    UNADDRESSED: frozenset[str](),
}
"""How a message moves. `unaddressed`: there is no address by a channel that its person allows."""
SUBJECT_MAX, TEXT_MAX = 200, 20_000
"""Characters of a message."""


@dataclass(frozen=True)
class Draft:
    """A message to one customer, before it has a code and an address."""

    customer: int
    kind: str
    """What it is about, in one word: the public page tells it to whoever has the code."""
    language: str
    subject: str
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    """A page to print, for carriers that can show one."""
    channel: str | None = None
    """None: the one that the customer allows."""
    address: str = field(default="", repr=False)
    """Where it has to go, if not to the address that the vault has: the one that somebody wrote, and that is this customer's."""

    def __post_init__(self) -> None:
        if not self.kind or len(self.kind) > 32 or self.channel not in (None, EMAIL, SMS):
            raise ValueError("a message is of a kind, and goes by e-mail or SMS")
        if not self.subject or len(self.subject) > SUBJECT_MAX or "\n" in self.subject or not self.text:
            raise ValueError("a message has a subject of one line, and a text")
        if len(self.text) > TEXT_MAX:
            raise ValueError(f"a message has at most {TEXT_MAX} characters")


@dataclass(frozen=True)
class Letter:
    """A message as a carrier gets it."""

    message: str
    """Its number: the same message given twice has the same."""
    kind: str
    channel: str
    address: str = field(repr=False)
    language: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class Undeliverable(VolensError):
    """The carrier answers, and will never take this message: its address does not exist."""


class Reached(Protocol):
    """How a person can be reached, as the vault says it."""

    @property
    def email(self) -> str | None:
        """Her e-mail."""

    @property
    def phone(self) -> str | None:
        """Her phone number."""

    @property
    def language(self) -> str | None:
        """The language that the customer master names."""


def address_of(reached: Reached | None, channel: str) -> str | None:
    """Somebody's address by a channel."""
    if reached is None:
        return None
    return reached.email if channel == EMAIL else reached.phone if channel == SMS else None


class Carrier(Protocol):
    """Whoever brings messages out of the house."""

    @property
    def recipient(self) -> str | None:
        """The legal entity of the programme that carries; none if the house does so itself."""

    @property
    def channels(self) -> frozenset[str]:
        """What it can carry."""

    def carry(self, letter: Letter) -> None:
        """Takes a message over: when it returns, the message is with the carrier for good. `Unavailable` if it is not now,
        `Undeliverable` if this one never will be.

        The same letter may come twice (a kill, an answer that was lost); its number tells. Not ordered.
        """


class Addresses(Protocol):
    """What delivery needs of the vault."""

    def contacts(self, wanted: Sequence[int]) -> Mapping[int, Reached]:
        """How some customers can be reached; who does not exist, or is erased, is left out."""
