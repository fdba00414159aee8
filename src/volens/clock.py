"""The only now.

Rules:
1. Nothing else in Volens asks the machine for the time; everything takes a `Clock` or an instant.
2. Instants are UTC and aware. Legal days are those of a person's country: `legal_day`.
3. `fixed` is for tests and for replays; the product runs on `system` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

# Where a country spans several zones, the one of its capital: the legal day of a choice is a calendar fact
# of the person's country, and a parameter for exotic cases would promise a precision nobody asked for.
ZONES = {
    "FR": "Europe/Paris",
    "BE": "Europe/Brussels",
    "IT": "Europe/Rome",
    "ES": "Europe/Madrid",
    "DE": "Europe/Berlin",
    "LU": "Europe/Luxembourg",
    "CH": "Europe/Zurich",
    "NL": "Europe/Amsterdam",
    "PT": "Europe/Lisbon",
    "IE": "Europe/Dublin",
    "MT": "Europe/Malta",
    "GB": "Europe/London",
    "PL": "Europe/Warsaw",
}


@dataclass(frozen=True)
class Clock:
    """Gives the present instant, always aware and in UTC."""

    read: Callable[[], datetime]

    def now(self) -> datetime:
        instant = self.read()
        if instant.tzinfo is None:
            raise ValueError("a clock must give aware instants")
        return instant.astimezone(UTC)


def system() -> Clock:
    """The machine's clock."""
    return Clock(lambda: datetime.now(UTC))


def fixed(instant: datetime) -> Clock:
    """A clock that stands still, for tests."""
    return Clock(lambda: instant)


def zone(country: str) -> ZoneInfo:
    """The time zone of a country given by its ISO 3166 code; an unknown one is an error, never UTC."""
    try:
        return ZoneInfo(ZONES[country])
    except KeyError:
        raise ValueError(f"no time zone is declared for country {country!r}; add it to clock.ZONES") from None


def legal_day(instant: datetime, country: str) -> date:
    """The calendar day of `instant` for somebody in `country`."""
    return instant.astimezone(zone(country)).date()
