"""The customer master: which person holds which card. It goes to the vault and nowhere else.

1. A line without a card is refused; a card without a person is no line here at all, and stays a card.
2. What cannot be read in a line (an e-mail without @, a birth date that is no day) is left out and counted; the
   person stays. A detail that is wrong is worse than one that is missing.
3. What follows from a line (a move, a new card, a closing) is `customers.enrolment`'s matter; here lines are read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest import columns as col
from volens.ingest.files import Piece, files_in
from volens.ingest.loyalty import EMAIL, pieces
from volens.ingest.mapping import Mapping
from volens.ingest.payment_numbers import Watch

PEOPLE_PER_CALL = 5_000
LISTED = 100
"""Lines for staff that a summary names one by one."""
OPEN = ("", "0", "no", "n", "non", "false", "faux", "open", "ouvert", "ouverte", "active")
CLOSED = ("1", "yes", "y", "oui", "o", "true", "vrai", "x", "closed", "cloture", "clôturé", "clôturée", "fermé", "fermée")
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
    reference: str | None = None
    """The retailer's own number of the person."""
    replaces: str | None = None
    """The card that this one replaces."""
    closed: str | None = None
    """Day of closing (ISO), `closed` without a day, "" if it is open, none if the master does not say."""
    line: int = field(default=0, compare=False)

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
    changed: int = 0
    """People of whom something new was sealed."""
    cards_linked: int = 0
    """Cards with a life of their own that became another customer's; the stricter permission counts."""
    emails_ended: int = 0
    closed: int = 0
    opened: int = 0
    permissions_ended: int = 0
    for_staff: tuple[str, ...] = ()
    """What somebody should look at: lines and customer numbers, no names."""

    def to_text(self) -> str:
        """For people at a terminal."""
        out = [
            f"Customer master: {self.lines_read:,} lines read, {self.people:,} people in the vault, "
            f"{self.changed:,} with something new."
        ]
        out += [f"  Refused: {lines:,} lines, {reason}." for reason, lines in self.refused.items()]
        out += [f"  Left out, since it cannot be read: {name} of {count:,} people." for name, count in self.left_out.items()]
        if self.emails_of_others:
            out.append(f"  E-mails that belong to somebody else already and stay there: {self.emails_of_others:,}.")
        for count, what in (
            (self.cards_linked, "of these cards became another customer's; where one of the two had no permission, neither has"),
            (self.emails_ended, "former e-mails lead to nobody any more"),
            (self.closed, "cards and e-mails closed"),
            (self.opened, "cards and e-mails open again"),
            (self.permissions_ended, "permissions ended, by age or because the last card was closed"),
        ):
            if count:
                out.append(f"  {count:,} {what}.")
        out += [f"  · {line}" for line in self.for_staff]
        return "\n".join(out)


class Enrolled(Protocol):
    """What became of some people, as `customers.enrolment` tells it."""

    changed: int
    linked: list[tuple[int, int, int]]
    stayed: list[tuple[int, int, int]]
    emails_ended: int
    closed: int
    opened: int
    permissions_ended: int


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
    enrol: Callable[[Sequence[Person]], Enrolled],
    country: str = "FR",
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> PeopleSummary:
    """Gives all people to `enrol` (`customers.enrolment`).

    The same file again changes nothing. A run that was killed is run again: `enrol` is durable call by call.
    """
    total = sum(file.stat().st_size for file in files_in(path, mapping.format))
    read_lines = people = 0
    pieces_done: list[Enrolled] = []
    refused: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for part in read(path, mapping, country=country):
        for start in range(0, len(part.people), PEOPLE_PER_CALL):
            pieces_done.append(enrol(part.people[start : start + PEOPLE_PER_CALL]))
        people += len(part.people)
        read_lines += part.read
        refused.update(reason for reason, _ in part.refused)
        left_out.update(part.left_out)
        progress("reading", part.bytes_done, total)
    return _summary(read_lines, people, refused, left_out, pieces_done)


def _summary(
    read_lines: int, people: int, refused: Counter[str], left_out: Counter[str], done: Sequence[Enrolled]
) -> PeopleSummary:
    linked = [one for piece in done for one in piece.linked]
    stayed = [one for piece in done for one in piece.stayed]
    look_at = [
        f"line {line}: its card moved from customer {former} to {customer}; to take it back: volens customer unlink"
        for line, former, customer in linked
    ]
    look_at += [
        f"line {line}: the e-mail of customer {customer} belongs to customer {holder}; one person? volens customer link"
        for line, customer, holder in stayed
    ]
    more = len(look_at) - LISTED
    return PeopleSummary(
        lines_read=read_lines,
        people=people,
        refused=dict(refused),
        left_out=dict(left_out),
        emails_of_others=len(stayed),
        changed=sum(one.changed for one in done),
        cards_linked=len(linked),
        emails_ended=sum(one.emails_ended for one in done),
        closed=sum(one.closed for one in done),
        opened=sum(one.opened for one in done),
        permissions_ended=sum(one.permissions_ended for one in done),
        for_staff=(*look_at[:LISTED], *((f"… and {more:,} more",) if more > 0 else ())),
    )


def _people(piece: Piece, mapping: Mapping, country: str) -> People:
    table = piece.table
    left_out: Counter[str] = Counter()
    columns: dict[str, list[str | None]] = {}
    for name, column in mapping.columns.items():
        if name == "birth_date":
            columns[name] = _days(table.column(column), mapping.time_format, left_out, name)
        elif name == "closed":
            columns[name] = _closings(table.column(column), mapping.time_format, left_out)
        else:
            columns[name] = col.words(table.column(column)).to_pylist()
    pattern = re.compile(mapping.card_pattern) if mapping.card_pattern else None
    people: list[Person] = []
    refused: list[tuple[str, int]] = [("wrong-columns", number) for number, _ in piece.broken]
    roles = {column: name for name, column in mapping.columns.items() if name in ("card", "phone")}
    held = Watch(mapping.card_pattern).lines(table, roles)
    for place, card in enumerate(columns["card"]):
        row = {name: value for name, values in columns.items() if (value := values[place]) is not None}
        if not row.keys() - {"closed"}:
            continue  # an empty line
        if held[place]:
            refused.append(("payment-number", int(piece.line_numbers[place])))
            continue
        if card is None or (pattern and not pattern.fullmatch(card)):
            refused.append(("missing-customer" if card is None else "malformed-customer", int(piece.line_numbers[place])))
            continue
        people.append(_person(card, row, country, left_out, int(piece.line_numbers[place])))
    return People(people, refused, left_out)


def _person(card: str, row: dict[str, str], country: str, left_out: Counter[str], line: int) -> Person:
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
    replaces = row.get("replaces") if row.get("replaces") != card else None
    return Person(card, email, land, details, row.get("customer_reference"), replaces, row.get("closed"), line)


def _closings(column: pa.ChunkedArray, pattern: str, left_out: Counter[str]) -> list[str | None]:
    """Days, or words such as yes and no; what is neither is left out and counted, and changes nothing."""
    said = col.words(column).to_pylist()
    as_days: Counter[str] = Counter()
    out: list[str | None] = []
    for word, day in zip(said, _days(column, pattern, as_days, "closed"), strict=True):
        plain = (word or "").strip().casefold()
        if day is not None or plain in OPEN:
            out.append(day or "")
        elif plain in CLOSED:
            out.append("closed")
        else:
            left_out["closed"] += 1
            out.append(None)
    return out


def _days(column: pa.ChunkedArray, pattern: str, left_out: Counter[str], name: str) -> list[str | None]:
    given = pc.is_valid(col.words(column)).to_numpy(zero_copy_only=False)
    local, _, bad = col.moments(column, pattern)
    left_out[name] += int((bad & given).sum())
    if not left_out[name]:
        del left_out[name]
    days: list[str | None] = local.cast(pa.date32(), safe=False).cast(pa.string()).to_pylist()
    return [day if good else None for day, good in zip(days, np.logical_not(bad).tolist(), strict=True)]
