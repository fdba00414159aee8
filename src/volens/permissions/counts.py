"""How many choices were made, by week, text, language, surface, shop and kind: counted as they are recorded.

Rules:
1. Counted in the transaction of the choice: where and in which language it was made is sealed under the person's key, so it
   cannot be counted later. Nothing here leads to a person; that no count of few is shown is the reader's part
   (`publishing.figures`).
2. Only words that cannot name anybody are counted by: a surface or shop with a figure in it, or longer than a label, counts
   as `other`.
3. What came in from files, and what time or a link brought about, is not counted: nobody was asked here.
4. Each kind's sum by week, purpose and text is what the events give, from `since` on: `volens audit` compares.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, Text, select

from volens.evidence.journeys import insert_rows

metadata = MetaData()

choice_counts = Table(
    "choice_counts",
    metadata,
    Column("week", String(10), primary_key=True),
    Column("purpose", String(64), primary_key=True),
    Column("text", Text, primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("surface", String(32), primary_key=True),
    Column("store", String(48), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("n", BigInteger, nullable=False),
)

choice_counts_since = Table(
    "choice_counts_since",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # choices before it were recorded without being counted
)

OTHER = "other"
OPENED = "opened"
"""Of no purpose: how many people opened the permission centre for the first time."""
_SURFACE = re.compile(r"[a-z][a-z -]{0,31}")
_STORE = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '’.-]){0,47}")
_LANGUAGE = re.compile(r"[a-z]{2}(?:-[A-Za-z]{2,4})?")
_KEY = ("week", "purpose", "text", "language", "surface", "store", "kind")


class Counted(Protocol):
    """What is counted of a choice."""

    @property
    def purpose(self) -> str: ...
    @property
    def text(self) -> str | None: ...
    @property
    def language(self) -> str: ...
    @property
    def surface(self) -> str: ...
    @property
    def store(self) -> str: ...
    @property
    def kind(self) -> str: ...


@dataclass(frozen=True)
class Cell:
    """One count."""

    week: str
    """Its Monday, ISO 8601."""
    purpose: str
    text: str
    language: str
    surface: str
    store: str
    """Empty where there was no shop."""
    kind: str
    n: int


def add(connection: Connection, made: Iterable[tuple[Counted, date]]) -> None:
    """Counts some choices, each on its legal day, in the transaction that appends them."""
    cells: Counter[tuple[str, ...]] = Counter(
        (week_of(day), one.purpose, str(one.text), language_label(one.language), surface_label(one.surface),
         label(one.store, _STORE) if one.store else "", one.kind)
        for one, day in made
    )  # fmt: skip
    _keep(connection, cells)


def add_opened(connection: Connection, day: date, language: str, surface: str) -> None:
    """Counts one person who opened the permission centre for the first time."""
    cells: Counter[tuple[str, ...]] = Counter()
    cells[week_of(day), "", "", language_label(language), surface_label(surface), "", OPENED] = 1
    _keep(connection, cells)


def _keep(connection: Connection, cells: Counter[tuple[str, ...]]) -> None:
    insert_rows(connection, choice_counts, (*_KEY, "n"), [(*cell, n) for cell, n in sorted(cells.items())], _KEY, adding=True)


def label(word: str, shape: re.Pattern[str]) -> str:
    """A word to count by, or `other` if it might say more than a label does."""
    return word if shape.fullmatch(word) else OTHER


def surface_label(surface: str) -> str:
    """As choices are counted by it."""
    return label(surface.lower(), _SURFACE)


def language_label(language: str) -> str:
    """As choices are counted by it."""
    return label(language, _LANGUAGE)


def week_of(day: date) -> str:
    """The Monday of a day's week."""
    return (day - timedelta(days=day.weekday())).isoformat()


def all_cells(connection: Connection, before: str | None = None, kinds: Sequence[str] | None = None) -> list[Cell]:
    """Every count, of the weeks before a Monday, or all."""
    query = select(choice_counts).order_by(*(choice_counts.c[name] for name in _KEY))
    if before is not None:
        query = query.where(choice_counts.c.week < before)
    if kinds is not None:
        query = query.where(choice_counts.c.kind.in_(sorted(kinds)))
    return [Cell(**row) for row in connection.execute(query).mappings()]


def since(connection: Connection) -> int:
    """The first seq whose choice was counted."""
    return int(connection.execute(select(choice_counts_since.c.seq)).scalar_one())
