"""Numbers and lists that the law may change, each with its days and its source.

Rules:
1. Every value is asked for a day: the answer is what stood on that day, or None if nothing is known.
2. What was not checked against a primary source is marked, and says so where it is shown (`Dated.said`).
3. A list that overlaps itself cannot be loaded: on one day there is one answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from volens.programme.nodes import read_yaml

EVERY_EEA_COUNTRY = "EU"


@dataclass(frozen=True)
class Dated:
    """A value of the law with the days on which it stands, both included; None means open."""

    key: tuple[str, ...]
    """What it is about, e.g. country and activity."""
    value: int
    valid_from: date | None
    valid_to: date | None
    source: str
    confirmed: bool
    scope: str = ""
    """For whom alone it holds; empty means for all."""

    def __post_init__(self) -> None:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError(f"{self.key} ends before it begins")
        if not self.source:
            raise ValueError(f"{self.key} names no source")

    def stands(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)

    @property
    def said(self) -> str:
        """The source as it is shown to people."""
        return self.source if self.confirmed else f"{self.source} (not confirmed)"


@dataclass(frozen=True)
class StaleInstrument:
    """A transfer instrument that no longer holds, under all its names."""

    name: str
    names: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Parameters:
    """All of them. `as_of` is the day on which the facts were last gathered."""

    as_of: date
    activities: Mapping[str, str]
    eea: frozenset[str]
    retention: tuple[Dated, ...]
    consent: tuple[Dated, ...]
    ages: tuple[Dated, ...]
    adequate: tuple[Dated, ...]
    stale_instruments: tuple[StaleInstrument, ...]
    majority: tuple[Dated, ...] = ()
    erasure: tuple[Dated, ...] = ()

    def __post_init__(self) -> None:
        for table in (self.retention, self.consent, self.ages, self.adequate, self.majority, self.erasure):
            _refuse_overlap(table)

    def retention_max_months(self, country: str, activity: str, on: date) -> Dated | None:
        """The longest that data may be kept for an activity in a country."""
        return _standing(self.retention, (country, activity), on)

    def consent_required(self, use: str, country: str, on: date) -> Dated | None:
        """Why a use needs consent in a country, if the law says that it does."""
        ours = _standing(self.consent, (use, country), on)
        if ours is None and country in self.eea:
            return _standing(self.consent, (use, EVERY_EEA_COUNTRY), on)
        return ours

    def consent_age(self, country: str, on: date) -> Dated | None:
        """The age from which a young person consents alone; in the EEA that of the GDPR where no national law is known."""
        ours = _standing(self.ages, (country,), on)
        return _standing(self.ages, (EVERY_EEA_COUNTRY,), on) if ours is None and country in self.eea else ours

    def majority_age(self, country: str, on: date) -> Dated | None:
        """The age from which advertising may rest on a profile; no country is known to have another than the rest."""
        return _standing(self.majority, (country,), on) or _standing(self.majority, (EVERY_EEA_COUNTRY,), on)

    def erasure_days(self, country: str, on: date) -> Dated | None:
        """Days within which an erasure must have reached everything, back-ups of customer keys included."""
        ours = _standing(self.erasure, (country,), on)
        if ours is None and country in self.eea:
            return _standing(self.erasure, (EVERY_EEA_COUNTRY,), on)
        return ours

    def adequacy(self, country: str, on: date) -> Dated | None:
        """The decision that finds a country adequate; look at its `scope`."""
        return _standing(self.adequate, (country,), on)


@cache
def parameters() -> Parameters:
    """The parameters that are shipped with Volens."""
    path = Path(str(resources.files("volens.programme").joinpath("parameters.yaml")))
    return read(path)


def read(path: Path) -> Parameters:
    """Parameters from a file of the same shape; a wrong one is a `ValueError`, `KeyError` or `NotClean`."""
    written = read_yaml(path, path.name).data
    return Parameters(
        as_of=date.fromisoformat(written["as_of"]),
        activities=dict(written["activities"]),
        eea=frozenset(written["eea"]),
        retention=tuple(_dated(row, "country", "activity") for row in written["retention_max_months"]),
        consent=tuple(_dated(row, "use", "country") for row in written["consent_required"]),
        ages=tuple(_dated(row, "country") for row in written["consent_age"]),
        adequate=tuple(_dated(row, "country") for row in written["adequate"]),
        stale_instruments=tuple(
            StaleInstrument(row["name"], (row["name"], *row["also"]), row["source"]) for row in written["stale_instruments"]
        ),
        majority=tuple(_dated(row, "country") for row in written["majority"]),
        erasure=tuple(_dated(row, "country") for row in written["erasure_days"]),
    )


def _dated(row: Mapping[str, Any], *key: str) -> Dated:
    return Dated(
        key=tuple(row[part] for part in key),
        value=row.get("value", 0),
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        source=row["source"],
        confirmed=row["confirmed"],
        scope=row.get("scope") or "",
    )


def _day(written: str | None) -> date | None:
    return None if written is None else date.fromisoformat(written)


def _standing(table: Sequence[Dated], key: tuple[str, ...], on: date) -> Dated | None:
    return next((row for row in table if row.key == key and row.stands(on)), None)


def _refuse_overlap(table: Sequence[Dated]) -> None:
    for index, row in enumerate(table):
        for other in table[index + 1 :]:
            if row.key != other.key:
                continue
            begins = max(row.valid_from or date.min, other.valid_from or date.min)
            ends = min(row.valid_to or date.max, other.valid_to or date.max)
            if begins <= ends:
                raise ValueError(f"{row.key} has two values on {begins}")
