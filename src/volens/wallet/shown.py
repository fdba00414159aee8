"""What a person sees of her rewards: what is hers, from which day, why; and what the house sees of all of them. Values alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Waiting:
    """A reward that is earned, and hers from a day on."""

    claim: str
    offer: str
    version: int
    why: str
    money_cents: int
    voucher_cents: int
    earned: str
    day: str
    """The day from which it is hers."""
    reason: str
    """The sentence why it is held; empty if it is not."""
    contested: bool
    answered: bool = False
    """A person has answered her since it is held, or taken back."""
    invited: bool = False
    """An invitation holds it: it is contested, and decided, on the page of the invitations."""

    @property
    def cents(self) -> int:
        """Both together."""
        return self.money_cents + self.voucher_cents


@dataclass(frozen=True)
class Held:
    """A voucher that she has."""

    number: int
    offer: str
    cents: int
    code: str = field(repr=False)
    until: str
    reserved: bool
    """It lies in a basket at this moment."""
    why: str = ""
    """What it was earned by."""


@dataclass(frozen=True)
class Asked:
    """A transfer that she asked for."""

    number: int
    cents: int
    last4: str
    state: str
    day: str
    """The day of its state."""


@dataclass(frozen=True)
class Happened:
    """One line of her history."""

    day: str
    what: str
    """A word that pages have a sentence for: earned, held, released, taken-back, available, voucher, used, over, asked, paid, …"""
    cents: int
    offer: str = ""
    why: str = ""
    """What it was earned by; a licence is not the act of its offer."""


@dataclass(frozen=True)
class Purse:
    """Everything of one currency that one person has."""

    currency: str
    available_cents: int
    waiting: tuple[Waiting, ...]
    taken_back: tuple[Waiting, ...]
    vouchers: tuple[Held, ...]
    on_the_way: tuple[Asked, ...]
    history: tuple[Happened, ...]

    @property
    def waiting_cents(self) -> int:
        """Earned, and not yet hers to use."""
        return sum(one.cents for one in self.waiting)

    @property
    def voucher_cents(self) -> int:
        """In vouchers that she can use."""
        return sum(one.cents for one in self.vouchers)

    @property
    def on_the_way_cents(self) -> int:
        """On its way to her bank."""
        return sum(one.cents for one in self.on_the_way if one.state not in ("confirmed", "failed", "withdrawn"))

    @property
    def total_cents(self) -> int:
        """All that the house owes her."""
        return self.available_cents + self.waiting_cents + self.voucher_cents + self.on_the_way_cents


@dataclass(frozen=True)
class Pot:
    """An offer in a country: what was given, promised, earned, and what it cost."""

    offer: str
    country: str
    currency: str
    budget_cents: int
    left_cents: int
    committed_cents: int
    earned_cents: int
    """Earned, less what was taken back before it was available: what the rewards cost until now."""
    redeemed_cents: int
    expired_cents: int

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return dict(vars(self))


@dataclass(frozen=True)
class Overview:
    """The books of today."""

    trial: Mapping[str, Mapping[str, int]]
    """By currency and kind of account. Each currency adds up to zero."""
    owed: Mapping[str, int]
    """By currency: what the house owes people today."""
    curve: tuple[tuple[str, str, int], ...]
    """(currency, day, cents): what becomes available when."""
    pots: tuple[Pot, ...]
    vouchers: tuple[tuple[str, str, str, int, int], ...]
    """(offer, currency, state, how many, cents)."""
    payouts: tuple[tuple[str, str, int, int], ...]
    """(currency, state, how many, cents)."""
    days: tuple[tuple[str, str, str, int, int], ...]
    """(day, currency, kind, cents, event) of the days that were closed."""

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "trial": {currency: dict(kinds) for currency, kinds in self.trial.items()}, "owed": dict(self.owed),
            "curve": [list(one) for one in self.curve], "pots": [one.to_dict() for one in self.pots],
            "vouchers": [list(one) for one in self.vouchers], "payouts": [list(one) for one in self.payouts],
            "days": [list(one) for one in self.days],
        }  # fmt: skip
