"""The states of an offer's versions and of its countries, as data.

Rules:
1. Whatever is not in `VERSION_MOVES`, `COUNTRY_MOVES` or `TAKING_PART` cannot happen.
2. A version comes into force by two people, one of marketing and one of data protection, in either order.
3. A suspended country opens again by two people; whoever asks for it does not approve it.
"""

from __future__ import annotations

from collections.abc import Mapping

from volens.errors import BadInput, NotNow

PROPOSED, HALF, FORCE, REPLACED, DECLINED = "proposed", "half", "in-force", "replaced", "declined"
"""Of a version: proposed, approved by one of two, in force, in force for those alone who accepted it, declined."""
VERSION_MOVES: Mapping[str, frozenset[str]] = {
    PROPOSED: frozenset({PROPOSED, HALF, DECLINED}),
    HALF: frozenset({PROPOSED, FORCE, DECLINED}),
    FORCE: frozenset({REPLACED}),
    REPLACED: frozenset(),
    DECLINED: frozenset({PROPOSED}),
}

CLOSED, LAUNCHED, SUSPENDED, RESUMING, ENDED = "closed", "launched", "suspended", "resuming", "ended"
"""Of a country: not launched yet, open, stopped for now, stopped and to be opened again, over for good."""
COUNTRY_MOVES: Mapping[str, frozenset[str]] = {
    CLOSED: frozenset({LAUNCHED}),
    LAUNCHED: frozenset({SUSPENDED, ENDED}),
    SUSPENDED: frozenset({RESUMING, ENDED}),
    RESUMING: frozenset({LAUNCHED, SUSPENDED, ENDED}),
    ENDED: frozenset(),
}
STOPPED = frozenset({SUSPENDED, RESUMING, ENDED})

OPEN, DONE, GONE = "open", "done", "ended"
"""Of a participation: acts are to be done, the reward is earned, it ended undone."""
TAKING_PART: Mapping[str, frozenset[str]] = {OPEN: frozenset({DONE, GONE}), DONE: frozenset({OPEN}), GONE: frozenset()}
"""Done becomes open again where an act is taken back before the reward was paid."""

MARKETING, DPO = "marketing", "dpo"
ROLES = (MARKETING, DPO)
BY_MAX = 120


def check_version(offer: str, version: int, state: str, to: str) -> None:
    """`NotNow` unless a version may take this step."""
    if to not in VERSION_MOVES[state]:
        raise NotNow(f"Version {version} of {offer} is {state}.", "A change is a new version: propose it under the next number.")


def check_country(offer: str, country: str, state: str, to: str) -> None:
    """`NotNow` unless an offer may take this step in a country."""
    if to not in COUNTRY_MOVES[state]:
        possible = ", ".join(sorted(COUNTRY_MOVES[state])) or "nothing more"
        raise NotNow(f"The offer {offer} is {state} in {country} and cannot become {to}.", f"What can follow: {possible}.")


def named(by: str) -> str:
    """Who answers for a step; `BadInput` for nobody."""
    if not by.strip() or len(by) > BY_MAX:
        raise BadInput("Somebody answers for an offer.", f"Say who, with --by, in at most {BY_MAX} characters.")
    return by.strip()


def same(one: str, other: str) -> bool:
    """Whether two names are one person's; nobody becomes two by a capital letter."""
    return one.strip().casefold() == other.strip().casefold()
