"""The customer master: which person holds which card. It goes to the vault and nowhere else.

1. A line without a card is refused; a card without a person is no line here at all, and stays a card.
2. What cannot be read in a line (an e-mail without @, a birth date that is no day) is left out and counted; the
   person stays. A detail that is wrong is worse than one that is missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest import columns as col
from volens.ingest.files import Piece, files_in
from volens.ingest.loyalty import EMAIL, pieces
from volens.ingest.mapping import Mapping

PEOPLE_PER_CALL = 5_000
DETAILS = ("given_name", "family_name", "phone", "street", "postcode", "city", "birth_date", "language")
_EMAIL = re.compile(EMAIL)
_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Za-z]{2})?")
COUNTRY_NAMES = {"FRANCE": "FR", "BELGIQUE": "BE", "BELGIUM": "BE", "ITALIE": "IT", "ITALIA": "IT", "ITALY": "IT",
                 "SUISSE": "CH", "SWITZERLAND": "CH", "LUXEMBOURG": "LU", "ESPAGNE": "ES", "SPAIN": "ES",
                 "ALLEMAGNE": "DE", "GERMANY": "DE"}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Who holds a card. Never printed: it has no other use than the vault."""

    card: str
    email: str | None
    country: str
    details: AbstractMapping[str, str]
    """Names, phone, post, birth date (ISO), language: only those that the line has."""

    def __repr__(self) -> str:
        return "Person(…)"


@dataclass(frozen=True)
class People:
    """A piece of the master."""

    people: Sequence[Person]
    refused: Sequence[tuple[str, int]]
    """(reason, line)."""
    left_out: Counter[str]
    """Field → how many values could not be read and were left out."""
    bytes_done: int = 0

    @property
    def read(self) -> int:
        """Lines read."""
        return len(self.people) + len(self.refused)


@dataclass(frozen=True)
class PeopleSummary:
    """What came of a customer master."""

    lines_read: int
    people: int
    refused: AbstractMapping[str, int] = field(default_factory=dict)
    left_out: AbstractMapping[str, int] = field(default_factory=dict)
    emails_of_others: int = 0
    """E-mails that belong to another customer already; they stay there."""

    def to_text(self) -> str:
        """For people at a terminal."""
        out = [f"Customer master: {self.lines_read:,} lines read, {self.people:,} people sealed in the vault."]
        out += [f"  Refused: {lines:,} lines, {reason}." for reason, lines in self.refused.items()]
        out += [f"  Left out, since it cannot be read: {name} of {count:,} people." for name, count in self.left_out.items()]
        if self.emails_of_others:
            out.append(f"  E-mails that belong to somebody else already and stay there: {self.emails_of_others:,}.")
        return "\n".join(out)


def read(path: Path, mapping: Mapping, *, country: str = "FR") -> Iterator[People]:
    """The master's people, in pieces; `country` where a line has none that can be read."""
    done_before = 0
    for file in files_in(path, mapping.format):
        for piece in pieces(file, mapping):
            yield replace(_people(piece, mapping, country), bytes_done=done_before + piece.bytes_done)
        done_before += file.stat().st_size


def first_people(path: Path, mapping: Mapping, lines: int) -> People:
    """The first lines only, for an explanation."""
    for file in files_in(path, mapping.format):
        for piece in pieces(file, mapping):
            few = Piece(piece.table.slice(0, lines), piece.line_numbers[:lines], 0, piece.broken[:lines])
            return _people(few, mapping, "FR")
    return People([], [], Counter())


def take_in_people(
    path: Path,
    mapping: Mapping,
    *,
    enrol: Callable[[Sequence[Person]], int],
    country: str = "FR",
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> PeopleSummary:
    """Gives all people to `enrol` (the vault's; returns how many e-mails stayed with somebody else).

    The same file again changes nothing. A run that was killed is run again: `enrol` is durable call by call.
    """
    total = sum(file.stat().st_size for file in files_in(path, mapping.format))
    read_lines = stayed = people = 0
    refused: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for part in read(path, mapping, country=country):
        for start in range(0, len(part.people), PEOPLE_PER_CALL):
            stayed += enrol(part.people[start : start + PEOPLE_PER_CALL])
        people += len(part.people)
        read_lines += part.read
        refused.update(reason for reason, _ in part.refused)
        left_out.update(part.left_out)
        progress("reading", part.bytes_done, total)
    return PeopleSummary(read_lines, people, dict(refused), dict(left_out), stayed)


def _people(piece: Piece, mapping: Mapping, country: str) -> People:
    table = piece.table
    left_out: Counter[str] = Counter()
    columns: dict[str, list[str | None]] = {}
    for name, column in mapping.columns.items():
        if name == "birth_date":
            columns[name] = _birth_dates(table.column(column), mapping.time_format, left_out)
        else:
            columns[name] = col.words(table.column(column)).to_pylist()
    pattern = re.compile(mapping.card_pattern) if mapping.card_pattern else None
    people: list[Person] = []
    refused: list[tuple[str, int]] = [("wrong-columns", number) for number, _ in piece.broken]
    for place, card in enumerate(columns["card"]):
        row = {name: value for name, values in columns.items() if (value := values[place]) is not None}
        if not row:
            continue  # an empty line
        if card is None or (pattern and not pattern.fullmatch(card)):
            refused.append(("missing-customer" if card is None else "malformed-customer", int(piece.line_numbers[place])))
            continue
        people.append(_person(card, row, country, left_out))
    return People(people, refused, left_out)


def _person(card: str, row: dict[str, str], country: str, left_out: Counter[str]) -> Person:
    email = row.get("email", "").lower() or None
    if email is not None and not _EMAIL.match(email):
        left_out["email"] += 1
        email = None
    land = row.get("country", country).upper()
    land = COUNTRY_NAMES.get(land, land)
    if not _COUNTRY.fullmatch(land):
        left_out["country"] += 1
        land = country
    if "language" in row and not _LANGUAGE.fullmatch(row["language"].lower()):
        left_out["language"] += 1
        del row["language"]
    details = {name: row[name] for name in DETAILS if name in row}
    if "language" in details:
        details["language"] = details["language"].lower()
    return Person(card, email, land, details)


def _birth_dates(column: pa.ChunkedArray, pattern: str, left_out: Counter[str]) -> list[str | None]:
    given = pc.is_valid(col.words(column)).to_numpy(zero_copy_only=False)
    local, _, bad = col.moments(column, pattern)
    left_out["birth_date"] += int((bad & given).sum())
    if not left_out["birth_date"]:
        del left_out["birth_date"]
    days: list[str | None] = local.cast(pa.date32(), safe=False).cast(pa.string()).to_pylist()
    return [day if good else None for day, good in zip(days, np.logical_not(bad).tolist(), strict=True)]
