"""The facts of one invitation, from what is kept of a campaign. Pure: the records and the rehearsal both come through here.

Rules:
1. Of two people only whether something is alike is looked at, by hashes; what it is stands nowhere.
2. A friend is compared with her sponsor, with that sponsor's other friends, and with nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from volens.referring.rules import FAST_SECONDS, Burst, Facts

HALF = timedelta(minutes=30)


@dataclass(frozen=True)
class Signs:
    """What is kept of one person for a campaign: keyed hashes, by kind."""

    mailboxes: frozenset[bytes] = frozenset()
    letters: frozenset[bytes] = frozenset()
    phones: frozenset[bytes] = frozenset()
    surnames: frozenset[bytes] = frozenset()
    payments: frozenset[bytes] = frozenset()
    addresses: frozenset[bytes] = frozenset()
    thrown_away: bool = False


NOTHING = Signs()


@dataclass(frozen=True)
class Friend:
    """One friend of a sponsor: when she accepted, when her first order came, and her signs."""

    number: int
    accepted: datetime
    ordered: datetime | None = None
    signs: Signs = NOTHING

    @property
    def seconds(self) -> int | None:
        """From acceptance to order."""
        return int((self.ordered - self.accepted).total_seconds()) if self.ordered is not None else None


@dataclass(frozen=True)
class Pace:
    """How many friends sponsors have in an hour, over the hours of the campaign in which somebody came."""

    hours: int = 0
    median: float = 0.0
    deviation: float = 0.0

    @classmethod
    def of(cls, hours: Mapping[int, int]) -> Pace:
        """From how many hours of sponsors had how many friends."""
        if not hours:
            return cls()
        middle = _median(hours)
        away = Counter[float]()
        for friends, times in hours.items():
            away[abs(friends - middle)] += times
        return cls(sum(hours.values()), middle, _median(away))


@dataclass(frozen=True)
class Standing:
    """What the records alone know of an invitation, beside the signs."""

    same_person: bool = False
    known_before: bool = False
    invited_before: bool = False
    closes_ring: bool = False
    taken_back: bool = False


def facts_of(one: Friend, sponsor: Signs, friends: Collection[Friend], pace: Pace, standing: Standing) -> Facts:
    """The facts of one invitation. `friends`: all of the sponsor's, this one among them."""
    hers = one.signs
    return Facts(
        same_person=standing.same_person,
        same_mailbox=bool(hers.mailboxes & sponsor.mailboxes),
        same_phone=bool(hers.phones & sponsor.phones),
        same_payment=bool(hers.payments & sponsor.payments),
        same_letters=bool(hers.letters & sponsor.letters),
        friends_paid_alike=max(1, sum(bool(other.signs.payments & hers.payments) for other in friends)),
        known_before=standing.known_before,
        invited_before=standing.invited_before,
        same_address=bool(hers.addresses & sponsor.addresses),
        same_surname=bool(hers.surnames & sponsor.surnames),
        closes_ring=standing.closes_ring,
        burst=_burst(around(one, friends), pace),
        thrown_away=hers.thrown_away,
        seconds=one.seconds,
        taken_back=standing.taken_back,
    )


def around(one: Friend, friends: Collection[Friend]) -> list[Friend]:
    """Those friends of the same sponsor who came within half an hour of this one, she herself among them."""
    return [other for other in friends if abs(other.accepted - one.accepted) <= HALF]


def alike(friends: Sequence[Friend]) -> list[Friend]:
    """Those among some friends who share a payment card with another, have a throw-away address, or ordered within seconds."""
    paid = [payment for other in friends for payment in other.signs.payments]
    often = {payment for payment in paid if paid.count(payment) > 1}
    return [
        other
        for other in friends
        if other.signs.thrown_away
        or bool(other.signs.payments & often)
        or (other.seconds is not None and 0 <= other.seconds < FAST_SECONDS)
    ]


def _burst(near: Sequence[Friend], pace: Pace) -> Burst:
    return Burst(len(near), len(alike(near)), pace.hours, pace.median, pace.deviation)


def _median(times: Mapping[int, int] | Mapping[float, int]) -> float:
    """The lower median of values, each so many times."""
    left = (sum(times.values()) + 1) // 2
    for value in sorted(times):
        left -= times[value]  # type: ignore[index]
        if left <= 0:
            return float(value)
    return 0.0
