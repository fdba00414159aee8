"""How much fraud the rules find, and whom they hold for nothing: on invented campaigns, by the functions that judge real ones.

Rules:
1. What counts as found: an invitation that was blocked, held, or reversed before its reward was due. An honest one that was blocked
   or held counts against the rules, also if a person would have let it go; one that was sent back is no fault of theirs.
2. Every rate stands with its interval (Wilson, 95 %), by kind. Nothing is tuned on the seeds that it is measured on.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from volens.measuring import rates
from volens.referring.addresses import letters, mailbox, plainer, thrown_away
from volens.referring.facts import Friend, Pace, Signs, Standing, alike, around, facts_of
from volens.referring.rules import BURST_LEAST, Action, judge
from volens.referring.simulated import Campaign, Human, Invitation, campaign

DUE_DAYS = 30
"""After how many days a reward is due, where the offer says no other number."""


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    found: int
    of: int

    @property
    def share(self) -> float:
        """0 where there is nobody."""
        return self.found / self.of if self.of else 0.0

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        one = rates.wilson(self.found, self.of)
        low, high = one.low, one.high
        return {"found": self.found, "of": self.of, "share": round(self.share, 4), "from": round(low, 4), "to": round(high, 4)}

    def to_text(self) -> str:
        """Share with its interval."""
        one = rates.wilson(self.found, self.of)
        low, high = one.low, one.high
        return f"{self.share:7.2%}  ({low:.2%} to {high:.2%})  {self.found:>6,} of {self.of:>6,}"


@dataclass
class Rehearsed:
    """What came of some campaigns."""

    seeds: Sequence[int]
    careful: float
    found: Counter[str] = field(default_factory=Counter)
    fraud: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    honest: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    """Honest ones, by the rule that held them."""

    @property
    def fraud_found(self) -> Rate:
        """Of all fraud."""
        return Rate(self.found.total(), self.fraud.total())

    @property
    def honest_held(self) -> Rate:
        """Of all honest people."""
        return Rate(self.held.total(), self.honest.total())

    def by_kind(self) -> Mapping[str, Mapping[str, Rate]]:
        """The same of each kind."""
        return {
            "fraud": {kind: Rate(self.found[kind], number) for kind, number in sorted(self.fraud.items())},
            "honest": {kind: Rate(self.held[kind], number) for kind, number in sorted(self.honest.items())},
        }


@dataclass
class _Live:
    """One invitation while a campaign goes on."""

    invited: Invitation
    friend: Friend
    rules: tuple[str, ...] = ()
    stopped: bool = False
    reversed: bool = False


def rehearse(seeds: Sequence[int], people: int, fraud: float = 0.05, careful: float = 0.05, due_days: int = DUE_DAYS) -> Rehearsed:
    """Judges a campaign of each seed as it happens, order by order."""
    told = Rehearsed(tuple(seeds), careful)
    for seed in seeds:
        _count(_run(campaign(seed, people, fraud, careful), due_days), told)
    return told


def _run(made: Campaign, due_days: int) -> list[_Live]:
    all_of = defaultdict[int, list[_Live]](list)
    signs = {one.number: signs_of(one) for each in made.invitations for one in (each.sponsor, each.friend)}
    happening: list[tuple[datetime, int, _Live]] = []
    for number, one in enumerate(made.invitations):
        live = _Live(one, Friend(number, one.accepted, None, replace(signs[one.friend.number], payments=frozenset())))
        happening += [(one.accepted, 0, live), (one.ordered, 1, live)]
        if one.taken_back is not None:
            happening.append((one.taken_back, 2, live))
    hours = _Hours()
    for at, what, live in sorted(happening, key=lambda each: (each[0], each[1], each[2].friend.number)):
        hers = all_of[live.invited.sponsor.number]
        if what == 0:
            hers.append(live)
            hours.add(live.invited.sponsor.number, at)
            _look(live, hers, hours, signs)
        elif what == 1 and not live.stopped:
            live.friend = replace(live.friend, ordered=at, signs=signs[live.invited.friend.number])
            _look(live, hers, hours, signs)
        elif what == 2 and not live.stopped and at < live.invited.ordered + timedelta(days=due_days):
            live.reversed = True
    return [one for each in all_of.values() for one in each]


class _Hours:
    """How many hours of sponsors had how many friends, kept as a campaign goes on."""

    def __init__(self) -> None:
        self._friends = Counter[tuple[int, datetime]]()
        self.times = Counter[int]()

    def add(self, sponsor: int, at: datetime) -> None:
        """One more friend."""
        hour = (sponsor, at.replace(minute=0, second=0, microsecond=0))
        self.times[self._friends[hour]] -= self._friends[hour] > 0
        self._friends[hour] += 1
        self.times[self._friends[hour]] += 1


def _look(live: _Live, hers: list[_Live], hours: _Hours, signs: Mapping[int, Signs]) -> None:
    friends = [other.friend for other in hers]
    # It is asked for only where somebody has many, as the house does.
    pace = Pace.of(+hours.times) if len(around(live.friend, friends)) >= BURST_LEAST else Pace()
    one = live.invited
    known = one.friend.email in one.known or bool(set(plainer(one.friend.email)) & set(one.known))
    standing = Standing(same_person=one.same_person, known_before=known, closes_ring=one.closes_ring)
    verdict = judge(facts_of(live.friend, signs[one.sponsor.number], friends, pace, standing))
    if verdict.action not in (None, Action.FLAG):
        live.stopped, live.rules = True, verdict.ids
    if "F5" in verdict.ids:  # what came before the burst could be seen
        near = {other.number for other in alike(around(live.friend, friends))}
        for other in hers:
            if other.friend.number in near and other.friend.ordered is not None and not other.stopped:
                other.stopped, other.rules = True, ("F5",)


def signs_of(human: Human) -> Signs:
    """What is kept of an invented person."""
    return Signs(
        _hash(mailbox(human.email)), _hash(letters(human.email)), _hash(human.phone), _hash(human.surname), _hash(human.payment),
        _hash(human.address), thrown_away(human.email),
    )  # fmt: skip


def _hash(value: str | None) -> frozenset[bytes]:
    return frozenset({hashlib.blake2b(value.encode(), digest_size=12).digest()} if value else ())


def _count(done: Sequence[_Live], told: Rehearsed) -> None:
    for live in done:
        kind = live.invited.kind
        if live.invited.fraud:
            told.fraud[kind] += 1
            told.found[kind] += live.stopped or live.reversed
        else:
            told.honest[kind] += 1
            told.held[kind] += live.stopped
            told.by_rule.update(live.rules)
