"""What becomes of an invitation: states as data.

An invitation is `open` from the moment that somebody accepts it. Her first order makes it `counted`, or `held` until a person has
looked; `blocked` and `refused` earn nothing, and can be contested. An order that is taken back makes it `returned`; another one
counts.
"""

from __future__ import annotations

from collections.abc import Mapping

from volens.errors import NotNow

OPEN, COUNTED, HELD, BLOCKED, REFUSED, RETURNED = "open", "counted", "held", "blocked", "refused", "returned"
STATES = (OPEN, COUNTED, HELD, BLOCKED, REFUSED, RETURNED)

TRANSITIONS: Mapping[str, frozenset[str]] = {
    OPEN: frozenset({COUNTED, HELD, BLOCKED}),
    # More may be seen before the reward is hers: a burst shows when it is over.
    COUNTED: frozenset({HELD, RETURNED}),
    # A person decides; if nobody does in time, it is let go, in favour of the customer.
    HELD: frozenset({OPEN, COUNTED, REFUSED, RETURNED}),
    # Contested: a person looks.
    BLOCKED: frozenset({HELD}),
    REFUSED: frozenset({HELD}),
    RETURNED: frozenset({COUNTED, HELD, BLOCKED}),
}
UNDONE = frozenset({OPEN, RETURNED})
"""Where an order is still to come, or waits for a place."""
KINDS: Mapping[str, str] = {
    COUNTED: "referral-counted", HELD: "referral-held", BLOCKED: "referral-blocked", REFUSED: "referral-refused",
    RETURNED: "referral-returned", OPEN: "referral-reopened",
}  # fmt: skip
"""The event that leads to each state; the first, `referred`, makes the invitation."""
REFERRED = "referred"


def require_move(before: str, after: str) -> None:
    """`NotNow` for a step that there is not."""
    if after not in TRANSITIONS[before]:
        raise NotNow(f"An invitation that is {before} does not become {after}.", "Look at it again: volens referral held")
