"""What a campaign changed: everybody who was to get it, against everybody held out. Pure.

Rules:
1. Intention to treat: people count on the side the draw put them on, whether or not anything reached them. Who bought because
   she saw it and who saw it because she was buying cannot be told apart; who was drawn can.
2. What people spent before is taken into account (Deng, Xu, Kohavi and Walker 2013), on each side by its own slope (Lin 2013):
   this is never worse than not doing it, also when few are held out. Errors are HC2, so that unequal sides and heavy spenders
   are allowed for.
3. A person counts up to a cap that was declared before the launch: one wholesale buyer is not a result. How many were capped is
   said.
4. Incremental sales are the effect on a person times the people who were to get the campaign. iROAS divides them by the cost. A
   cost that was agreed is a number, so the interval is divided too. Where the cost depends on what people did (coupons), it is
   uncertain like the sales and hangs together with them: then the interval is Fieller's, since the delta method's is too short
   when the cost is not known well, and never says that a ratio is not known at all.
5. Cents are whole outside and real numbers here; nothing is rounded before it is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from volens.errors import BadInput
from volens.measuring.holdout import ARM_MIN
from volens.measuring.intervals import CONFIDENCE, Estimate, Flags, Numbers, Part, fieller, less

CAP_THOUSANDTHS = 995
"""The share of people whose spending the cap leaves as it was, unless the plan says otherwise."""


@dataclass(frozen=True)
class Sales:
    """What each person spent before and during, in cents, and who was held out: three columns in one order."""

    before: Numbers
    during: Numbers
    held: Flags

    def __post_init__(self) -> None:
        if not (self.before.ndim == 1 and self.before.shape == self.during.shape == self.held.shape):
            raise ValueError("sales are three columns of one length")
        if not (np.isfinite(self.before).all() and np.isfinite(self.during).all()):
            raise ValueError("sales are numbers")
        smaller = min(int(self.held.sum()), int((~self.held).sum()))
        if smaller < ARM_MIN:
            raise BadInput(f"One side has {smaller} people, fewer than {ARM_MIN}.", "Nothing is said about so few.")


@dataclass(frozen=True)
class Caps:
    """Up to how much a person counts, in cents: declared before the launch."""

    before_cents: int
    during_cents: int

    def __post_init__(self) -> None:
        if min(self.before_cents, self.during_cents) <= 0:
            raise BadInput("A cap is above zero.", "Take it from the pre-period: volens campaign power.")

    def of(self, sales: Sales) -> Sales:
        """The same sales, nobody above the cap."""
        return Sales(np.minimum(sales.before, self.before_cents), np.minimum(sales.during, self.during_cents), sales.held)


@dataclass(frozen=True)
class Effect:
    """What came out. Money in cents."""

    reached: int
    """People who were to get the campaign."""
    held: int
    capped: tuple[int, int]
    """How many spent more than the cap during it: of those reached, of those held out."""
    mean_held: float
    """What a person held out spent during it: what would have been."""
    per_person: Estimate
    """The effect, with spending before taken into account. This one decides."""
    plain: Estimate
    """The same without, to be shown beside it."""
    narrower: float
    """By what share the interval got narrower: 0 nothing, 0.5 half as wide."""

    @property
    def incremental(self) -> Estimate:
        """Sales that would not have been, all people together."""
        return self.per_person.times(self.reached)

    @property
    def lift(self) -> Estimate | None:
        """The effect as a share of what would have been, this taken as known; none where nothing would have been sold."""
        return self.per_person.times(1 / self.mean_held) if self.mean_held > 0 else None

    def iroas(self, cost_cents: int) -> Estimate:
        """Incremental sales for each unit of an agreed cost."""
        if cost_cents <= 0:
            raise BadInput("A campaign that costs nothing has no return on its cost.", "State its cost in cents, above zero.")
        return self.incremental.times(1 / cost_cents)


def effect(sales: Sales, caps: Caps, confidence: float = CONFIDENCE) -> Effect:
    """What the campaign changed in what a person spent. `BadInput` where one side is too small or nobody bought anything."""
    counted = caps.of(sales)
    if not counted.during.any():
        raise BadInput("Nobody bought anything in these days.", "Check the days and the products of the campaign.")
    held, over = sales.held, sales.during > caps.during_cents
    flat = np.zeros_like(counted.before)
    adjusted = _gap(counted, counted.before, confidence)
    plain = _gap(counted, flat, confidence)
    return Effect(
        reached=int((~held).sum()),
        held=int(held.sum()),
        capped=(int(over[~held].sum()), int(over[held].sum())),
        mean_held=float(counted.during[held].mean()),
        per_person=adjusted,
        plain=plain,
        narrower=1 - adjusted.error / plain.error if plain.error > 0 else 0.0,
    )


def iroas_of(sales: Sales, caps: Caps, fixed_cents: int, each_cents: Numbers, confidence: float = CONFIDENCE) -> Estimate | None:
    """Incremental sales for each unit of a cost that depends on what people did. None where the cost may be zero.

    `each_cents`: what each person cost (zero for those held out), in the order of `sales`; `fixed_cents`: what was agreed besides.
    """
    counted, reached = caps.of(sales), ~sales.held
    people, at = int(reached.sum()), float(counted.before.mean())
    one, weights, left = _level(counted.during[reached], counted.before[reached], at)
    other, _, _ = _level(counted.during[~reached], counted.before[~reached], at)
    each = each_cents[reached]
    from_mean = each - each.mean()
    # Both as sums over the people reached.
    over = Part((one.value - other.value) * people, (one.variance + other.variance) * people**2, min(one.freedom, other.freedom))
    under = Part(fixed_cents + float(each.sum()), float((from_mean**2).sum()) * people / (people - 1), people - 1)
    together = float((weights * left * from_mean).sum()) * people * people / (people - 1)
    return fieller(over, under, together, confidence)


def _gap(sales: Sales, before: Numbers, confidence: float) -> Estimate:
    at = float(before.mean())
    one, _, _ = _level(sales.during[~sales.held], before[~sales.held], at)
    other, _, _ = _level(sales.during[sales.held], before[sales.held], at)
    return less(one, other, confidence)


def _level(spent: Numbers, before: Numbers, at: float) -> tuple[Part, Numbers, Numbers]:
    """What people of one side would have spent had they spent `at` before: a line through them, read off there.

    That level is a weighted sum of what each spent. Returns it with HC2's variance, the weights and the residuals. Where everybody
    spent the same before, it is the mean with its ordinary variance.
    """
    people = spent.size
    around = before - before.mean()
    squares = float((around**2).sum())
    slope = float((around * spent).sum()) / squares if squares > 0 else 0.0
    share = around / squares if squares > 0 else around
    weights = 1 / people + (at - float(before.mean())) * share
    left = spent - spent.mean() - slope * around
    lever = 1 / people + around * share
    # Somebody on whom the whole line hangs has a lever of 1: her residual is zero, and says nothing.
    variance = float((weights**2 * left**2 / np.maximum(1 - lever, 1e-9)).sum())
    if not math.isfinite(variance):
        raise BadInput("These sales cannot be compared.", "Look for amounts that are not cents.")
    return Part(float((weights * spent).sum()), variance, people - (2 if squares > 0 else 1)), weights, left
