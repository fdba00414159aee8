"""Before and after: the rehearsal on the past, and the result, as whole numbers that are kept. Pure.

1. Kept figures are integers: cents, thousandths of a cent a person, thousandths of a ratio. Equal input gives equal content.
2. The rehearsal uses the functions that measure, on the pre-period; what it finds decides whether the launch may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from volens.campaigns.plan import Plan
from volens.measuring.effect import Caps, Effect, Sales, effect
from volens.measuring.holdout import Balance, Holdout, balance
from volens.measuring.intervals import Estimate
from volens.measuring.placebo import RUNS, Placebo, placebo
from volens.measuring.power import Power, caps, noise, power
from volens.measuring.rates import difference, wilson

PLACEBO_PEOPLE_MAX = 50_000
"""The A/A test takes as many people, evenly out of all: with fewer people tails weigh more, so it errs on the strict side."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Rehearsal:
    """What the pre-period says of a campaign, before it is launched."""

    balance: Balance
    caps: Caps
    power: Power
    placebo: Placebo

    def require(self) -> None:
        """Raises `BadInput` for a campaign that would not be measured well."""
        self.balance.require()
        self.placebo.require()

    def content(self, read: int) -> dict[str, Any]:
        """As it is kept with the launch."""
        return {
            "read": read,
            "people": self.balance.people,
            "held": self.balance.held,
            "share_chance_millionths": whole(self.balance.chance, 10**6),
            "apart_thousandths": whole(self.balance.distance, 1000),
            "caps_cents": [self.caps.before_cents, self.caps.during_cents],
            "detectable_millicents": whole(self.power.detectable_cents, 1000),
            "detectable_total_cents": whole(self.power.detectable_total_cents),
            "detectable_lift_thousandths": whole(self.power.detectable_lift, 1000),
            "mean_millicents": whole(self.power.mean_cents, 1000),
            "placebo": [self.placebo.runs, self.placebo.alarms],
        }


def rehearse(plan: Plan, draw: Holdout, customers: Integers, spent: Sequence[Integers], runs: int = RUNS) -> Rehearsal:
    """`spent`: cents of each of `customers` in the whole pre-period, its earlier part, and the part that stands for the sale."""
    before, earlier, later = (one.astype(np.float64) for one in spent)
    tried = caps(earlier, later, plan.cap_thousandths)
    declared = Caps(caps(before, later, plan.cap_thousandths).before_cents, tried.during_cents)
    every = -(-customers.size // PLACEBO_PEOPLE_MAX) if customers.size else 1
    some = slice(None, None, every)
    found = power(noise(earlier, later, tried), int(customers.size), plan.hold_out_thousandths)
    looked_at = balance(draw, draw.held(customers), before)
    return Rehearsal(looked_at, declared, found, placebo(customers[some], earlier[some], later[some], draw, tried, runs))


@dataclass(frozen=True)
class Other:
    """Another campaign that reached some of the same people in the same days."""

    campaign: str
    reached: int
    """Of the people reached by this one."""
    held: int
    """Of those held out of this one."""


def measured(
    plan: Plan, draw: Holdout, launched: dict[str, Any], customers: Integers, spent: Sequence[Integers], gone: tuple[int, int],
    others: Sequence[Other], read: int,
) -> dict[str, Any]:  # fmt: skip
    """The result, as it is kept. `spent`: before and during; `gone`: who no longer permits, of those reached and held out."""
    before, during = (one.astype(np.float64) for one in spent)
    found = effect(Sales(before, during, draw.held(customers)), Caps(*launched["caps_cents"]))
    everybody = (found.reached + gone[0], found.held + gone[1])
    apart = difference(wilson(gone[1], everybody[1]), wilson(gone[0], everybody[0]))
    return {
        "read": read,
        "reached": found.reached,
        "held": found.held,
        "gone": list(gone),
        "gone_differs": apart.low > 0 or apart.high < 0,
        "capped": list(found.capped),
        "others": [vars(one) for one in others],
        **_figures(found, plan),
    }


def _figures(found: Effect, plan: Plan) -> dict[str, Any]:
    lift = found.lift
    return {
        "mean_held_millicents": whole(found.mean_held, 1000),
        "per_person_millicents": _kept(found.per_person, 1000),
        "plain_millicents": _kept(found.plain, 1000),
        "narrower_thousandths": whole(found.narrower, 1000),
        "incremental_cents": _kept(found.incremental),
        "lift_thousandths": _kept(lift, 1000) if lift is not None else None,
        "iroas_thousandths": _kept(found.iroas(plan.cost_cents), 1000),
    }


@dataclass(frozen=True)
class Figure:
    """A kept figure with its interval, in its unit."""

    value: int
    low: int
    high: int

    @property
    def shows(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def figure(kept: Sequence[int]) -> Figure:
    """Back from what was kept."""
    return Figure(*kept)


def whole(value: float, unit: int = 1) -> int:
    """The nearest whole number of units."""
    return round(value * unit)


def _kept(estimate: Estimate, unit: int = 1) -> list[int]:
    return [whole(estimate.value, unit), whole(estimate.low, unit), whole(estimate.high, unit)]
