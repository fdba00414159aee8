"""Writing words that follow from something else (a link, an age, a closing) in the transaction in which it happens.

Rules:
1. They are events like any other, with their reason in the open part; the fold of the events gives what is stored.
2. Nothing is checked against the text in force: who gets back an old word gets it as it was, and the gate judges it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from volens.evidence import log
from volens.evidence.log import EVENTS, Event, append
from volens.identity import links
from volens.permissions import parents, store
from volens.permissions.state import ALL, DENYING, Permission, Said
from volens.permissions.stricter import Word, own_word

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

MADE = ("link", "holder")
"""In the detail of a word that was made by a link: which link, or whose no it repeats."""


def write(connection: Connection, words: Sequence[Word], named: Mapping[str, frozenset[str]]) -> list[int]:
    """Appends words and keeps the fold; returns their seqs. The caller holds the head row, or takes it here."""
    if not words:
        return []
    happened = [
        Event(word.kind, word.customer, word.purpose, word.recipient, word.text, word.day, word.detail) for word in words
    ]
    first = append(connection, EVENTS, happened)
    history = [
        Said(first + place, word.customer, word.purpose, word.recipient, word.kind, word.text, word.day)
        for place, word in enumerate(words)
    ]
    store.keep(connection, history, named)
    parents.note_repeated(
        connection,
        {
            first + place: int(word.detail["of"] if "of" in word.detail else word.detail["restores"])
            for place, word in enumerate(words)
            if {"of", "restores"} & word.detail.keys()
        },
    )
    return list(range(first, first + len(words)))


def made(connection: Connection) -> Callable[[Permission], Mapping[str, Any]]:
    """Gives the detail of the event that a permission rests on; empty if it does not say anything."""

    def detail(row: Permission) -> Mapping[str, Any]:
        event = log.one(connection, EVENTS, row.seq)
        found: dict[str, Any] = json.loads(event.detail) if event is not None else {}
        return found

    return detail


def reach_moved_lines(
    connection: Connection,
    history: Sequence[Said],
    named: Mapping[str, frozenset[str]],
    behind: Mapping[int, Iterable[int]] | None = None,
) -> None:
    """A no of whoever holds a card that moved reaches its lines where they still stand. `behind` is what `links.behind` says
    of all of them, where it was asked for already."""
    noes = [said for said in history if said.kind in DENYING]
    if behind is None:
        behind = links.behind(connection, {said.customer for said in noes}) if noes else {}
    for said in noes if behind else ():
        write(connection, repeated(connection, [said], behind, said.day), named)


def repeated(
    connection: Connection, noes: Iterable[Said], behind: Mapping[int, Iterable[int]], day: date
) -> list[Word]:
    """The same no for every number under which lines of the one who said it may still stand.

    A card that moved belongs to its new holder at once; its lines follow at night. Until then a no of the holder must reach
    them where they are.
    """
    detail_of = made(connection)
    words: dict[tuple[int, str, str], Word] = {}
    for said in noes:
        for former in behind.get(said.customer, ()):
            for row in store.of_customers(connection, [former], [said.purpose]):
                if row.permits and said.recipient in (ALL, row.recipient):
                    detail = {"holder": said.seq, "own": dict(own_word(row, detail_of(row)))}
                    key = (former, row.purpose, row.recipient)
                    words[key] = Word(former, row.purpose, row.recipient, "revoked", row.text, day, detail)
    return list(words.values())
