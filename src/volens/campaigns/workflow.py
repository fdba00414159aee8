"""planned → launched → closed → measured; or abandoned, which stays on the record too.

Rules:
1. States are data: what is not in `TRANSITIONS` cannot happen.
2. A launch comes after the pre-period and before the first day of sale; a close after the last; a measure after the close.
3. Whoever abandons says why. A campaign that ran is measured: it cannot be abandoned once it is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from volens.campaigns.plan import Plan
from volens.errors import NotNow

PLANNED, LAUNCHED, CLOSED, MEASURED, ABANDONED = "planned", "launched", "closed", "measured", "abandoned"

TRANSITIONS: Mapping[str, frozenset[str]] = {
    PLANNED: frozenset({LAUNCHED, ABANDONED}),
    LAUNCHED: frozenset({CLOSED, ABANDONED}),
    CLOSED: frozenset({MEASURED}),
    MEASURED: frozenset(),
    ABANDONED: frozenset(),
}
COMPARED = "compared"
"""Not a campaign's: prices of people who refuse and of those who permit were compared."""
EVENTS: Mapping[str, str] = {state: f"campaign-{state}" for state in TRANSITIONS} | {COMPARED: "prices-compared"}
"""The public event of each step."""


def check_move(plan: Plan, state: str, to: str, today: date) -> None:
    """Raises `NotNow` with the reason unless this step may be taken now. Used to show and to enforce."""
    if to not in TRANSITIONS[state]:
        possible = ", ".join(sorted(TRANSITIONS[state])) or "nothing more"
        raise NotNow(f"The campaign {plan.id} is {state} and cannot become {to}.", f"What can follow: {possible}.")
    if to == LAUNCHED and today < plan.pre.end:
        raise NotNow(f"The pre-period of {plan.id} ends on {plan.pre.last}.", "Launch it on a day after that.")
    if to == LAUNCHED and today > plan.sale.start:
        raise NotNow(
            f"The sale period of {plan.id} began on {plan.sale.start}: nothing fixed now was fixed beforehand.",
            "Plan it again, with days to come.",
        )
    if to == CLOSED and today < plan.sale.end:
        raise NotNow(f"The sale period of {plan.id} ends on {plan.sale.last}.", "Close it on a day after that.")
