"""What a young person may permit alone, what only a parent can permit, and what stays closed. Pure: no database, no clock.

Rules:
1. Next to a customer stands one coarse day, `minor_until`: the first of the month on or after the 18th birthday. Adults
   and people whose birth date is not known have none. The birth date itself is sealed.
2. Every other age is counted back from it in whole years, so that a law that changes an age, or a move to another country,
   needs no birth date. Somebody comes of an age up to a month late, never early.
3. A yes that rests on consent, said below the age of digital consent of the person's country (GDPR article 8), counts only
   if the holder of parental responsibility gave it; it ends on the day on which the person may decide alone.
4. Advertising that rests on a profile is closed for minors, whatever anybody says (Regulation (EU) 2022/2065, article 28(2)).
5. A no is taken from anybody, at any age.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

MAJORITY = 18
STRICTEST = 16
"""GDPR article 8(1): the age where no national law is known to say a lower one."""
UNKNOWN = date(9999, 12, 1)
"""`minor_until` of whoever counts as a minor because nobody knows better."""
PARENT = "holder of parental responsibility"
"""The actor of a yes that a parent gave."""
PROXY = "proxy"
BROWSER = "browser signal"
"""The actor of what somebody said under a mandate of the person, who undoes it in one step."""
CONSENTS = frozenset({"given", "renewed"})


def _strictest(country: str, on: date) -> int:
    return STRICTEST


def _majority(country: str, on: date) -> int:
    return MAJORITY


@dataclass(frozen=True)
class Ages:
    """What must be known of the programme and of the law (made by `rulebooks`)."""

    consent: frozenset[str] = frozenset()
    """Purposes that rest on consent."""
    profiling_ads: frozenset[str] = frozenset()
    """Purposes that show advertising by profile."""
    alone: Callable[[str, date], int] = _strictest
    """(country, day) → age from which a person consents alone."""
    majority: Callable[[str, date], int] = _majority
    unknown_is_minor: bool = False

    def minor_until(self, birth_date: str | None, country: str, today: date) -> date | None:
        """The coarse day to keep for a birth date (ISO 8601), or none for an adult."""
        if birth_date is None:
            return UNKNOWN if self.unknown_is_minor else None
        born = date.fromisoformat(birth_date)
        comes = _first_of_month(born, self.majority(country, today))
        return comes if comes > today else None

    def alone_from(self, minor_until: date, country: str, today: date) -> date:
        """The day from which somebody consents alone."""
        if minor_until == UNKNOWN:
            return UNKNOWN
        return minor_until.replace(year=minor_until.year - max(0, self.majority(country, today) - self.alone(country, today)))

    def closed_to_minors(self, purpose: str, minor_until: date | None, today: date) -> bool:
        """Whether a purpose is closed for somebody, whatever anybody says."""
        return purpose in self.profiling_ads and minor_until is not None and today < minor_until

    def needs_parent(self, purpose: str, minor_until: date | None, country: str, today: date) -> bool:
        """Whether only a parent can say yes to a purpose for somebody."""
        return purpose in self.consent and minor_until is not None and today < self.alone_from(minor_until, country, today)

    def ends(self, purpose: str, by_parent: bool, minor_until: date | None, country: str, today: date) -> str | None:
        """How a standing yes of somebody ends today because of age: `invalidated`, `expired`, or not at all."""
        if self.closed_to_minors(purpose, minor_until, today):
            return "invalidated"
        below = self.needs_parent(purpose, minor_until, country, today)
        if below and not by_parent:
            return "invalidated"
        return "expired" if by_parent and not below and purpose in self.consent else None

    def against(
        self, purpose: str, by_parent: bool, minor_until: date | None, country: str, today: date
    ) -> tuple[str, str] | None:
        """Why a yes cannot be taken because of age, and what to do; none if it can."""
        if self.closed_to_minors(purpose, minor_until, today):
            return (
                f"{purpose!r} shows advertising by profile and is closed for minors, whoever agrees to it.",
                "Nothing needs to be done; a no is taken from anybody.",
            )
        below = self.needs_parent(purpose, minor_until, country, today)
        if below and not by_parent:
            return (
                f"This person is below the age of {self.alone(country, today)} from which people decide alone in {country}.",
                "Record a parent's yes with --by parent and --proof; a no is taken from anybody.",
            )
        if by_parent and not below:
            return (
                "This person is not known to be below the age from which people decide alone, so nobody decides for them.",
                "Record the person's own yes. If it is a child, its birth date comes with the customer master.",
            )
        return None


def _first_of_month(born: date, years: int) -> date:
    """The first of the month on or after a birthday."""
    year, month = born.year + years, born.month
    if born.day > 1:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, 1)
