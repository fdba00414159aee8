"""Before anything is sold: could this campaign show anything? From the pre-period alone. Pure.

1. How much people differ is taken from two stretches of the past, the later one standing for the campaign: what is left after
   the earlier one is taken into account is the noise in which an effect would have to be seen.
2. The smallest effect that would be found in four cases of five (`CHANCE`) is said in cents a person, in all, as a share of
   sales, and as the iROAS a campaign of this cost would need. Whether that is worth it, people decide.
3. The cap is taken from here, and is declared with the plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from volens.errors import BadInput
from volens.measuring.effect import CAP_THOUSANDTHS, Caps
from volens.measuring.holdout import ARM_MIN
from volens.measuring.intervals import CONFIDENCE, Numbers

CHANCE = 0.8
PEOPLE_MAX = 2**31


@dataclass(frozen=True)
class Noise:
    """How much people differ in what they spend, in cents, over a stretch as long as the campaign."""

    mean_cents: float
    deviation_cents: float
    """Standard deviation of a person."""
    left_cents: float
    """The same after what was spent before is taken into account."""


@dataclass(frozen=True)
class Power:
    """What a campaign of this size would find."""

    reached: int
    held: int
    detectable_cents: float
    """The smallest effect on a person that is found with `chance`."""
    chance: float
    mean_cents: float

    @property
    def detectable_total_cents(self) -> float:
        """The same for everybody reached."""
        return self.detectable_cents * self.reached

    @property
    def detectable_lift(self) -> float:
        """The same as a share of what people spend anyway."""
        return self.detectable_cents / self.mean_cents

    def iroas(self, cost_cents: int) -> float:
        """The smallest iROAS that would be found."""
        return self.detectable_total_cents / cost_cents


def caps(before: Numbers, during: Numbers, thousandths: int = CAP_THOUSANDTHS) -> Caps:
    """Caps that leave so many thousandths of people as they are, from two stretches of the past as long as the real ones."""
    if not 900 <= thousandths <= 1000:
        raise BadInput(f"A cap at {thousandths} thousandths changes the result.", "Cap between 900 and 1000 thousandths.")
    highest = [math.ceil(float(np.quantile(stretch, thousandths / 1000))) for stretch in (before, during)]
    return Caps(max(1, highest[0]), max(1, highest[1]))


def noise(earlier: Numbers, later: Numbers, capped: Caps) -> Noise:
    """How much people differ, from two stretches of the past: cents per person, in one order."""
    if earlier.shape != later.shape or later.size < 2 * ARM_MIN:
        raise BadInput(f"The pre-period knows {later.size} people, fewer than {2 * ARM_MIN}.", "Wait until more people permit it.")
    before, during = np.minimum(earlier, capped.before_cents), np.minimum(later, capped.during_cents)
    if not during.any():
        raise BadInput("Nobody bought anything in the pre-period.", "Check its days and the products of the campaign.")
    spread = float(during.std(ddof=1))
    level = float(np.corrcoef(before, during)[0, 1]) if before.std() > 0 and spread > 0 else 0.0
    return Noise(float(during.mean()), spread, spread * math.sqrt(1 - level**2))


def power(
    seen: Noise, people: int, share_thousandths: int, chance: float = CHANCE, confidence: float = CONFIDENCE
) -> Power:  # fmt: skip
    """What would be found among so many people, with such a share held out."""
    held = people * share_thousandths // 1000
    if min(held, people - held) < ARM_MIN:
        raise BadInput(f"{held} of {people} people would be held out: too few.", f"Each side needs {ARM_MIN} people at least.")
    error = seen.left_cents * math.sqrt(1 / held + 1 / (people - held))
    return Power(people - held, held, _reach(chance, confidence) * error, chance, seen.mean_cents)


def people_needed(
    seen: Noise, effect_cents: float, share_thousandths: int, chance: float = CHANCE, confidence: float = CONFIDENCE
) -> int:  # fmt: skip
    """How many people it takes, both sides together, to find an effect of so many cents a person."""
    if effect_cents <= 0:
        raise BadInput("An effect to look for is above zero.", "State it in cents a person.")
    share = share_thousandths / 1000
    sizes = (_reach(chance, confidence) * seen.left_cents / effect_cents) ** 2 * (1 / share + 1 / (1 - share))
    return min(PEOPLE_MAX, max(math.ceil(sizes), math.ceil(ARM_MIN / min(share, 1 - share))))


def _reach(chance: float, confidence: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(0.5 + confidence / 2) + normal.inv_cdf(chance)
