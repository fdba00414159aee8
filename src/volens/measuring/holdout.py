"""Who is left out of a campaign, so that there is something to compare it with. Pure.

Rules:
1. Who is held out follows from the campaign's seed, its id and the customer's number, and from nothing else: not from what she
   buys, not from who else takes part, not from the order. Anybody with the seed computes it again, in five lines.
2. It is fixed before the launch. A draw is not repeated because it looks uneven: choosing among draws is choosing the result,
   and what is uneven before the start is taken into account by `effect`.
3. A share that cannot have come out of this draw (one time in a million) is a defect, and nothing is measured on it.

One hash serves eight neighbouring numbers: BLAKE2b, keyed by the seed, gives eight words of 64 bits.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volens.errors import BadInput
from volens.measuring.intervals import Estimate, Flags, Numbers, Part, chance_of, less

SHARE_MIN, SHARE_MAX = 10, 500
"""Thousandths: from one in a hundred to every second person."""
SEED_HEX = 64
ARM_MIN = 50
"""People in the smaller arm below whom nothing is shown."""
IMPOSSIBLE = 1e-6
"""A share that a right draw gives less often than this is a defect."""
_WORDS = 8
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(#\d+)?")

Customers = NDArray[np.int64]


@dataclass(frozen=True)
class Holdout:
    """A draw: the campaign, its seed (32 bytes, in hex) and the share held out, in thousandths."""

    campaign: str
    seed: str
    share_thousandths: int

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.campaign):
            raise BadInput(f"{self.campaign!r} is no campaign's id.", "Use small letters, digits and hyphens.")
        if not re.fullmatch(r"[0-9a-f]{64}", self.seed):
            raise BadInput("A seed is 64 hexadecimal digits.", "Let the house draw it.")
        if not SHARE_MIN <= self.share_thousandths <= SHARE_MAX:
            raise BadInput(
                f"{self.share_thousandths} thousandths cannot be held out.", f"Hold out {SHARE_MIN} to {SHARE_MAX} thousandths."
            )

    def held(self, customers: Customers) -> Flags:
        """For each customer's number, whether she is held out."""
        if customers.size == 0:
            return np.zeros(0, dtype=np.bool_)
        blocks, place = np.unique(customers // _WORDS, return_inverse=True)
        key = bytes.fromhex(self.seed)
        hashed = b"".join(
            hashlib.blake2b(f"{self.campaign}\n{block}".encode(), digest_size=8 * _WORDS, key=key).digest()
            for block in blocks.tolist()
        )
        words = np.frombuffer(hashed, dtype=">u8").reshape(-1, _WORDS)
        mine = words[place, customers % _WORDS]
        return np.asarray(mine < np.uint64((self.share_thousandths << 64) // 1000))

    def again(self, number: int) -> Holdout:
        """Another draw of the same kind, for trying out what the draw alone does (`placebo`)."""
        return Holdout(f"{self.campaign}#{number}", self.seed, self.share_thousandths)


@dataclass(frozen=True)
class Balance:
    """How a draw came out, before anything happened."""

    people: int
    held: int
    expected: float
    """How many would be held out on average."""
    chance: float
    """How often a draw is at least as far from that."""
    before: Estimate
    """What those who take part bought before, less what those held out did: cents a person."""
    distance: float
    """The same in standard deviations of a person."""

    @property
    def possible(self) -> bool:
        """Whether the share can have come out of this draw."""
        return self.chance >= IMPOSSIBLE

    def require(self) -> None:
        """Raises `BadInput` for a draw on which nothing may be measured."""
        if min(self.held, self.people - self.held) < ARM_MIN:
            raise BadInput(
                f"{self.held} of {self.people} people are held out: one side has fewer than {ARM_MIN}.",
                "Hold out a larger share, or wait until more people permit it.",
            )
        if not self.possible:
            raise BadInput(
                f"{self.held} of {self.people} people are held out, where about {self.expected:.0f} should be.",
                "The draw and the people do not belong together; nothing is measured on them. Report this.",
            )


def balance(draw: Holdout, held: Flags, before: Numbers) -> Balance:
    """How a draw came out. `before`: cents each person spent in the pre-period, in the order of `held`."""
    if held.shape != before.shape or held.size == 0:
        raise ValueError("a draw is looked at with one figure per person")
    people, count, share = int(held.size), int(held.sum()), draw.share_thousandths / 1000
    expected = people * share
    chance = chance_of(max(0.0, abs(count - expected) - 0.5) / math.sqrt(people * share * (1 - share)))
    gap = less(mean_of(before[~held]), mean_of(before[held]))
    deviation = float(before.std())
    return Balance(people, count, expected, chance, gap, gap.value / deviation if deviation > 0 else 0.0)


def mean_of(values: Numbers) -> Part:
    """A mean of people with the variance of that mean. Refuses to say anything about too few."""
    if values.size < ARM_MIN:
        raise BadInput(f"There are {values.size} people, fewer than {ARM_MIN}.", "Nothing is said about so few.")
    return Part(float(values.mean()), float(values.var(ddof=1)) / values.size, values.size - 1)
