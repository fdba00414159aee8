"""Whether somebody may be called to be advertised to, by the law of her country, on a day and at an hour. Pure.

Rules:
1. Each row of `calling.yaml` stands from one day to another and names its source; two rows of one country never overlap.
2. What is unknown is no: a country or a day without a row for consent, hours or frequency is not called.
3. Hours and days are the person's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from volens.clock import ZONES, zone
from volens.programme.nodes import read_yaml

CONSENT, HOURS, FREQUENCY, HOLIDAYS = "consent", "hours", "frequency", "holidays"
KINDS = (CONSENT, HOURS, FREQUENCY, HOLIDAYS)
OPT_IN, OPT_OUT, ANY = "opt-in", "opt-out", "any"


@dataclass(frozen=True)
class Row:
    """One rule of one country, with the days on which it stands, both included; None means open."""

    kind: str
    country: str
    value: Any
    valid_from: date | None
    valid_to: date | None
    source: str
    confirmed: bool

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not self.source:
            raise ValueError(f"a rule for calls to {self.country} has no kind or no source")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError(f"the rule {self.kind} of {self.country} ends before it begins")

    def stands(self, on: date) -> bool:
        """Whether it is the rule of a day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    def to_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "rule": self.kind, "country": self.country, "value": self.value, "source": self.source, "confirmed": self.confirmed,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
        }  # fmt: skip


@dataclass(frozen=True)
class Frequency:
    """So many calls to one person within so many days."""

    calls: int
    days: int


@dataclass(frozen=True)
class Calling:
    """The rules of all countries."""

    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        for place, one in enumerate(self.rows):
            for other in self.rows[place + 1 :]:
                if (one.kind, one.country) == (other.kind, other.country) and _overlap(one, other):
                    raise ValueError(f"{one.country} has two rules on {one.kind} on one day")

    def rule(self, kind: str, country: str, on: date) -> Row | None:
        """The rule of a country on a day; none if it is not known."""
        return next((row for row in self.rows if (row.kind, row.country) == (kind, country) and row.stands(on)), None)

    def in_force(self, on: date) -> tuple[Row, ...]:
        """Every rule that stands on a day."""
        return tuple(row for row in self.rows if row.stands(on))

    def against(self, country: str, at: datetime, *, consent: bool) -> str:
        """Why nobody in a country may be called at an instant; empty if somebody may. `consent`: whether people said yes."""
        if country not in ZONES:
            return f"no time zone is known for {country}"
        here = at.astimezone(zone(country))
        today = here.date()
        rules = {kind: self.rule(kind, country, today) for kind in (CONSENT, HOURS, FREQUENCY)}
        unknown = [kind for kind, row in rules.items() if row is None]
        if unknown:
            return f"no rule on {', '.join(unknown)} for calls to {country} is known on {today}"
        asked, hours = rules[CONSENT], rules[HOURS]
        assert asked is not None
        assert hours is not None
        if asked.value == OPT_IN and not consent:
            return f"calls to {country} need consent ({asked.source})"
        return "" if hours.value == ANY else self._against_hours(country, here, hours)

    def _against_hours(self, country: str, here: datetime, hours: Row) -> str:
        value: Mapping[str, Any] = hours.value
        spans = [(time.fromisoformat(begins), time.fromisoformat(ends)) for begins, ends in value["between"]]
        said = ", ".join(f"{begins:%H:%M}–{ends:%H:%M}" for begins, ends in spans)
        if here.isoweekday() not in value["days"]:
            return f"nobody in {country} is called on this day of the week ({hours.source})"
        if not value["holidays"]:
            known = self.rule(HOLIDAYS, country, here.date())
            if known is None:
                return f"the public holidays of {country} are not known on {here.date()}"
            if here.date() in _holidays(known.value, here.year):
                return f"nobody in {country} is called on a public holiday ({hours.source})"
        if not any(begins <= here.time() < ends for begins, ends in spans):
            return f"people in {country} are called at {said} of their time alone ({hours.source})"
        return ""

    def frequency(self, country: str, on: date) -> Frequency | None:
        """How often one person may be called; none if the law sets nothing."""
        row = self.rule(FREQUENCY, country, on)
        return None if row is None or row.value == ANY else Frequency(row.value["calls"], row.value["days"])


@cache
def calling() -> Calling:
    """The rules that are shipped with Volens."""
    return read(Path(str(resources.files("volens.programme").joinpath("calling.yaml"))))


def read(path: Path) -> Calling:
    """Rules from a file of the same shape; a wrong one is a `ValueError`, `KeyError` or `NotClean`."""
    written = read_yaml(path, path.name).data
    return Calling(
        tuple(
            Row(kind, one["country"], one["value"], _day(one["valid_from"]), _day(one["valid_to"]), one["source"], one["confirmed"])
            for kind in KINDS
            for one in written[kind]
        )
    )


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Butcher's method)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


def _holidays(value: Mapping[str, Any], year: int) -> frozenset[date]:
    fixed: Sequence[str] = value["fixed"]
    return frozenset(
        {date.fromisoformat(f"{year}-{one}") for one in fixed}
        | {easter(year) + timedelta(days=after) for after in value["easter"]}
    )


def _day(written: str | date | None) -> date | None:
    return written if written is None or isinstance(written, date) else date.fromisoformat(written)


def _overlap(one: Row, other: Row) -> bool:
    begins = max(one.valid_from or date.min, other.valid_from or date.min)
    ends = min(one.valid_to or date.max, other.valid_to or date.max)
    return begins <= ends
