"""The public register: every programme with its versions, where it is open, how many took part, what was earned, what they said.

Rules:
1. What it says of versions and countries is read from the public record alone; everybody can check it there.
2. Below ten people no exact number is said, and no sum from which it would follow.
3. What people said is shown from ten answers on, with its interval, and moves in steps of ten.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.measuring.rates import Rate, wilson
from volens.offering import store
from volens.offering.places import LAUNCH, RESUME, SEEN
from volens.offering.registry import PUBLISHED

if TYPE_CHECKING:
    from sqlalchemy import Connection

FEW = 10
"""Below it a number of people is said as “fewer than ten”."""


@dataclass(frozen=True)
class Published:
    """A version, as the public record has it."""

    version: int
    since: str
    starts: str
    ends: str
    sha256: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """Something that happened to a programme in a country."""

    kind: str
    day: str
    reason: Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """A programme in a country."""

    country: str
    steps: tuple[Step, ...]
    joined: int | None
    """How often somebody joined; none for fewer than ten."""

    @property
    def open(self) -> bool:
        """Whether the last step opened it."""
        return self.steps[-1].kind in (LAUNCH, RESUME)


@dataclass(frozen=True)
class Programme:
    """One offer in the register."""

    offer: str
    name: Mapping[str, str]
    versions: tuple[Published, ...]
    places: tuple[Place, ...]
    earned: Mapping[str, int] | None
    """What took part and earned, in minor units by currency; none for fewer than ten people."""
    expected: Rate | None
    """How many found it as they had expected."""

    def to_dict(self) -> dict[str, object]:
        """For `--json` and machines."""
        rate = self.expected
        return {
            "offer": self.offer, "name": dict(self.name), "versions": [vars(one) for one in self.versions],
            "countries": [
                {"country": one.country, "open": one.open, "joined": one.joined, "steps": [vars(step) for step in one.steps]}
                for one in self.places
            ],
            "earned": self.earned, "as_expected": vars(rate) if rate is not None else None,
        }  # fmt: skip


def programmes(connection: Connection) -> list[Programme]:
    """Every programme that ever came into force, newest first."""
    names, versions, steps = dict[str, Mapping[str, str]](), dict[str, list[Published]](), dict[tuple[str, str], list[Step]]()
    for row in log.rows(connection, PUBLIC, kinds=[PUBLISHED, *SEEN]):
        said, day = row.said(), str(row.day)
        if row.kind == PUBLISHED:
            names[said["offer"]] = said["name"]
            one = Published(said["version"], day, said["starts"], said["ends"], said["sha256"], tuple(sorted(said["terms"])))
            versions.setdefault(said["offer"], []).append(one)
        else:
            reason = json.loads(said["reason"]) if "reason" in said else {}
            steps.setdefault((said["offer"], said["country"]), []).append(Step(row.kind, day, reason))
    joined, earned = Counter[tuple[str, str]](), dict[str, Counter[str]]()
    for offer, _, country, _, what, times in store.all_counts(connection):
        joined[offer, country] += times if what == "joined" else 0
    for offer, _, currency, _, _, money, vouchers in store.costs(connection):
        earned.setdefault(offer, Counter())[currency] += money + vouchers
    answers = store.all_answers(connection)
    found = []
    for offer in reversed(versions):
        places = [
            Place(country, tuple(some), joined[offer, country] if joined[offer, country] >= FEW else None)
            for (of, country), some in sorted(steps.items())
            if of == offer
        ]
        several = sum(times for (of, _), times in joined.items() if of == offer) >= FEW
        sums = dict(earned.get(offer, {})) if several else None
        rate = _rate(answers.get(offer, store.Answers()))
        found.append(Programme(offer, names[offer], tuple(versions[offer]), tuple(places), sums, rate))
    return found


def _rate(said: store.Answers) -> Rate | None:
    shown = said.shown_yes + said.shown_no
    return wilson(said.shown_yes, shown) if shown >= FEW else None
