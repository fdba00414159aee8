"""Who is permitted, in plain slow Python, written from the promises and sharing no code with the product.

It keeps the whole history and, for each question, walks through it from the end to the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

YES = ("given", "renewed", "notified", "joined")
SAYS_NOTHING = ("requested", "deferred")


@dataclass(frozen=True)
class Spoken:
    """One choice: who, about what, to whom (`*` for all), what, under which text, on which day."""

    customer: int
    purpose: str
    recipient: str
    kind: str
    text: str
    day: date


def is_permitted(
    history: Sequence[Spoken],
    customer: int,
    purpose: str,
    recipient: str,
    today: date,
    *,
    named: dict[str, set[str]],
    waiting_days: int,
    months: int | None,
) -> bool:
    """Walks back to the newest word that decides, and judges it."""
    for word in reversed(history):
        if (word.customer, word.purpose) != (customer, purpose) or word.kind in SAYS_NOTHING:
            continue
        if word.kind in YES:
            if recipient not in named[word.text] or word.recipient not in ("*", recipient):
                continue
            if word.kind == "notified" and word.day + timedelta(days=waiting_days) > today:
                return False
            return months is None or word.day >= _months_before(today, months)
        if word.recipient in ("*", recipient):
            return False
    return False


def _months_before(today: date, months: int) -> date:
    year, month = today.year, today.month
    for _ in range(months):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    day = today
    for back in range(4):
        try:
            day = date(year, month, today.day - back)
            break
        except ValueError:
            continue
    return day
