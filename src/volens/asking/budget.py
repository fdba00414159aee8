"""May this person be asked for this purpose today? Pure: what was said and asked before, and a day.

1. Three questions in 365 days, whatever they were about.
2. For one purpose, six calendar months of silence after a no, a "not now" or a question: who did not answer has answered.
3. What ended by itself (a yes that expired, a text that was invalidated) is no no of the person, and may be asked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

PER_YEAR = 3
YEAR_DAYS = 365
SILENT_MONTHS = 6
"""As the CNIL recommends for the choice about trackers (not confirmed); here for every purpose."""
ASKED = "requested"
NOES = frozenset({ASKED, "deferred", "refused", "withdrawn", "revoked", "objected"})
"""Kinds after which a purpose is not asked for, for a while."""


@dataclass(frozen=True)
class Past:
    """One thing that was said or asked, on any surface."""

    kind: str
    purpose: str
    day: date


def year_is_full(past: Iterable[Past], today: date) -> bool:
    """Whether somebody was asked as often as a year allows."""
    since = today - timedelta(days=YEAR_DAYS)
    return sum(one.kind == ASKED and one.day > since for one in past) >= PER_YEAR


def is_silent(purpose: str, past: Iterable[Past], today: date) -> bool:
    """Whether somebody must not be asked for a purpose, because of what was said or asked about it before."""
    return any(one.purpose == purpose and one.kind in NOES and today < silent_until(one.day) for one in past)


def silent_until(day: date) -> date:
    """The first day on which a purpose may be asked for again after a no; in a short month its last day and one more."""
    years, month = divmod(day.month - 1 + SILENT_MONTHS, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(day.year + years, month + 1, number) + timedelta(days=day.day - number > 0)
        except ValueError:
            continue
    return date(day.year + years, month + 1, day.day)
