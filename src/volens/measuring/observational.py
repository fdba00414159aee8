"""A campaign without a hold-out: people who were sent it, beside people like them who were not. Pure.

Rules:
1. Nobody drew who was sent it: somebody chose them, for what they buy. No arithmetic undoes that. So the result has no
   incremental sales and no return, its difference is called a difference, and `cannot` says what it does not show.
2. Who is compared: for each person sent it, the few most like her among the others, by what they bought in the first stretch of
   the past. Who has nobody near is left out, and counted.
3. The second stretch of the past tests the match, which has not seen it: the two groups must have gone side by side there
   (`before`). Only a difference that is shown to be small counts as side by side; one that is merely not shown to be large does
   not.
4. A negative control: sales that this campaign cannot well have moved. If they moved too, the groups drifted apart by
   themselves.
5. Differences are per person and week, of before and during, sent less compared (difference in differences).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from volens.errors import BadInput
from volens.measuring.intervals import CONFIDENCE, Estimate, Flags, Numbers, Part, less

SENT_MIN = 30
"""People sent a campaign (and matched) below whom nothing is compared."""
COMPARED_MIN = 30
"""People who stand for them, at least."""
NEAREST = 5
FAR = 0.5
"""Farther than so many standard deviations (root mean square over what is compared) is not near."""
MARGIN = 0.1
"""Side by side: within a tenth of what people sent the campaign spend in a week."""
WEEKS_MIN = 4
"""Weeks of each stretch of the past."""


class May(StrEnum):
    """What a comparison without a draw can say at most."""

    DIFFERENCE = "difference"
    """People sent it changed their purchases by so much more than people like them."""
    CONSISTENT = "consistent"
    """Every check was passed, and the difference is not zero: an effect of this size would look so. Other things might too."""


class Cannot(StrEnum):
    """What it cannot say, and why."""

    CAUSE = "cause"
    """That the campaign did it: people were chosen, not drawn."""
    RETURN = "return"
    """What a euro brought back: that needs what it caused."""
    EVERYBODY = "everybody"
    """What it would do to other people than those it was sent to."""
    APART = "apart"
    """That both groups would have gone side by side: before, they did not, or it was not shown that they did."""
    DRIFT = "drift"
    """That the rest stayed as it was: sales it cannot have moved, moved."""
    MIXED = "mixed"
    """Which campaign it was: others ran for many of these people in the same weeks."""


MIXED_FROM = 0.1
"""From this share of people on who were sent another campaign at the time, it is mixed."""


@dataclass(frozen=True)
class Panel:
    """What everybody bought week by week, in cents, and who was sent the campaign."""

    sales: NDArray[np.float64]
    """People × weeks: first those to match on, then those to check with, then those of the campaign."""
    other: NDArray[np.float64]
    """The same of the negative control."""
    sent: Flags
    others: Flags
    """Who was sent another campaign that ran in the same weeks."""
    matched_until: int
    launched: int
    """Columns at which the second stretch and the campaign begin."""

    def __post_init__(self) -> None:
        people, weeks = self.sales.shape
        if self.other.shape != (people, weeks) or self.sent.shape != (people,) or self.others.shape != (people,):
            raise ValueError("a panel is one row per person, everywhere")
        if not (WEEKS_MIN <= self.matched_until <= self.launched - WEEKS_MIN and self.launched < weeks):
            raise BadInput(
                f"{self.launched} weeks before the campaign are too few.",
                f"It takes {WEEKS_MIN} weeks to match and {WEEKS_MIN} more to check the match.",
            )


@dataclass(frozen=True)
class Compared:
    """What came out: cents per person and week."""

    sent: int
    """People sent the campaign and compared."""
    alone: int
    """People sent it who have nobody near."""
    compared: int
    """Different people who stand for them."""
    mean_cents: float
    """What a person sent it spent in a week, before."""
    difference: Estimate
    before: Estimate
    """The same difference between the two stretches of the past: what the match did not see."""
    control: Estimate
    """The same difference in sales that the campaign cannot well have moved."""
    others: tuple[float, float]
    """The share sent another campaign at the time: of people sent this one, of those compared."""

    @property
    def side_by_side(self) -> bool:
        """Whether the groups are shown to have gone side by side before."""
        margin = MARGIN * self.mean_cents
        return -margin < self.before.low and self.before.high < margin

    @property
    def drifted(self) -> bool:
        """Whether sales moved that the campaign cannot have moved."""
        return self.control.shows

    @property
    def may(self) -> tuple[May, ...]:
        """What this may say."""
        passed = self.side_by_side and not self.drifted and not self.mixed and self.difference.shows
        return (May.DIFFERENCE, May.CONSISTENT) if passed else (May.DIFFERENCE,)

    @property
    def mixed(self) -> bool:
        """Whether other campaigns ran for many of these people."""
        return max(self.others) >= MIXED_FROM

    @property
    def cannot(self) -> tuple[Cannot, ...]:
        """What this cannot say. The first three always."""
        found = [Cannot.CAUSE, Cannot.RETURN, Cannot.EVERYBODY]
        found += [Cannot.APART] if not self.side_by_side else []
        found += [Cannot.DRIFT] if self.drifted else []
        found += [Cannot.MIXED] if self.mixed else []
        return tuple(found)


def compare(panel: Panel, confidence: float = CONFIDENCE) -> Compared:
    """The comparison of one campaign. `BadInput` where too few people are left."""
    chosen, near = _match(panel)
    kept = near[:, 0] >= 0
    mine, theirs = chosen[kept], near[kept]
    weights = np.bincount(theirs.ravel(), minlength=panel.sent.size) / theirs.size
    used = np.flatnonzero(weights)
    if mine.size < SENT_MIN or used.size < COMPARED_MIN:
        raise BadInput(
            f"{mine.size} people sent it can be compared, with {used.size} others.",
            f"It takes {SENT_MIN} and {COMPARED_MIN}: nothing is said about fewer.",
        )
    first, second = slice(0, panel.matched_until), slice(panel.matched_until, panel.launched)
    during = slice(panel.launched, panel.sales.shape[1])

    def gap(sales: NDArray[np.float64], earlier: slice, later: slice) -> Estimate:
        change = sales[:, later].mean(axis=1) - sales[:, earlier].mean(axis=1)
        return less(_even(change[mine]), _weighted(change[used], weights[used]), confidence)

    return Compared(
        sent=int(mine.size),
        alone=int((~kept).sum()),
        compared=int(used.size),
        mean_cents=float(panel.sales[mine][:, : panel.launched].mean()),
        difference=gap(panel.sales, second, during),
        before=gap(panel.sales, first, second),
        control=gap(panel.other, second, during),
        others=(float(panel.others[mine].mean()), float((panel.others[used] * weights[used]).sum())),
    )


def _match(panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """People sent the campaign, and for each the rows of the nearest others; −1 all along where nobody is near.

    Compared by what they bought in the two halves of the first stretch, on how many weeks they came, and the control's sales.
    """
    half, until = panel.matched_until // 2, panel.matched_until
    looks = np.column_stack(
        [
            np.log1p(panel.sales[:, :half].mean(axis=1)),
            np.log1p(panel.sales[:, half:until].mean(axis=1)),
            panel.sales[:, :until].mean(axis=1),
            (panel.sales[:, :until] > 0).mean(axis=1),
            np.log1p(panel.other[:, :until].mean(axis=1)),
        ]
    )  # people × looks
    spread = looks.std(axis=0)
    looks = looks / np.where(spread > 0, spread, 1.0)
    sent, others = np.flatnonzero(panel.sent), np.flatnonzero(~panel.sent)
    near = np.full((sent.size, NEAREST), -1, dtype=np.int64)
    if others.size < NEAREST:
        return sent, near
    for row, person in enumerate(sent):
        apart = np.sqrt(((looks[others] - looks[person]) ** 2).mean(axis=1))
        nearest = np.argpartition(apart, NEAREST - 1)[:NEAREST]
        if apart[nearest].max() <= FAR:
            near[row] = others[nearest]
    return sent, near


def _even(values: Numbers) -> Part:
    return Part(float(values.mean()), float(values.var(ddof=1)) / values.size, values.size - 1)


def _weighted(values: Numbers, weights: Numbers) -> Part:
    """A mean of people who each stand for several (`weights` add up to 1); whoever is used often makes it less sure."""
    mean = float((weights * values).sum())
    people = 1 / float((weights**2).sum())
    variance = float((weights**2 * (values - mean) ** 2).sum()) * people / (people - 1)
    return Part(mean, variance, max(people - 1, 5.0))
