"""The A/A test: draws where nothing happened, counted by how often they find something. Pure.

1. It uses the very functions that measure: the same draw under other numbers, the same caps, the same interval, on two
   stretches of the past between which there was no campaign.
2. Nothing happened, so whatever is found is false. About 5 in 100 are to be: clearly more, and intervals are too narrow for
   these sales; clearly fewer, and they are wider than they need be. The rate comes with its own interval.
3. Clearly more false alarms than two in a hundred above what is declared, and a campaign is not measured this way: `require`.
"""

from __future__ import annotations

from dataclasses import dataclass

from volens.errors import BadInput
from volens.measuring.effect import Caps, Sales, effect
from volens.measuring.holdout import Customers, Holdout
from volens.measuring.intervals import CONFIDENCE, Numbers
from volens.measuring.rates import Rate, wilson

RUNS, RUNS_MIN, RUNS_MAX = 1000, 100, 100_000
TOLERATED = 0.02
"""Two in a hundred more than promised are borne: heavy tails cost about one, and the rate is shown."""


@dataclass(frozen=True)
class Placebo:
    """How often nothing looked like something."""

    runs: int
    alarms: int
    rate: Rate
    declared: float
    """The share of false alarms that the intervals promise."""

    @property
    def too_many(self) -> bool:
        """Whether there are clearly more than can be borne."""
        return self.rate.low > self.declared + TOLERATED

    def require(self) -> None:
        """Raises `BadInput` when the intervals promise more than they keep."""
        if self.too_many:
            raise BadInput(
                f"{self.alarms} of {self.runs} draws found an effect where there was none: more than {self.declared:.0%}.",
                "Hold out more people, or cap at less (volens campaign power), before this is launched.",
            )


def placebo(
    customers: Customers, before: Numbers, during: Numbers, draw: Holdout, caps: Caps, runs: int = RUNS,
    confidence: float = CONFIDENCE,
) -> Placebo:  # fmt: skip
    """So many draws over the same people; `before` and `during` are stretches of the past, in cents a person."""
    if not RUNS_MIN <= runs <= RUNS_MAX:
        raise BadInput(f"{runs} draws say too little or cost too much.", f"Take {RUNS_MIN} to {RUNS_MAX}.")
    alarms = sum(
        effect(Sales(before, during, draw.again(number).held(customers)), caps, confidence).per_person.shows
        for number in range(1, runs + 1)
    )
    return Placebo(runs, alarms, wilson(alarms, runs), round(1 - confidence, 6))
