"""Yeses that end without their person saying so: time has passed, or a text was found wanting.

Rules:
1. Each ended yes gets its own row, `expired` or `invalidated`; many rows are one event (`evidence.groups`).
2. After each event the head row is let go for a moment, so that a withdrawal never waits for a sweep.
3. A text has ended for everybody with the first of its events, `text-invalidated`: the gate and the ledger ask for it. The
   rows that follow make the permissions say so; a sweep that was killed is taken up by the same call.
4. A yes ends only as it stood when it was found: whoever said another word meanwhile is left alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.groups import EXPIRY, INVALIDATION, GroupRow, append_group, prepare
from volens.evidence.log import EVENTS, PUBLIC, TEXT_INVALIDATED, Event, append, lock
from volens.holders import Database
from volens.permissions import store
from volens.permissions.state import Permission, Said

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROWS_AT_ONCE = 100
"""Rows of one event of a sweep. More would be fewer leaves, and a longer wait for a withdrawal on SQLite."""
SWEEP_PAGE = 100_000
"""Permissions looked up at a time."""
TIDY_EVERY = 8
"""Events of bulk work after which it tidies up (`Database.rest`)."""
PAUSE_SECONDS = 0.005
"""Between two events of a sweep nobody holds the head row for this long."""


class Endings:
    """Sweeps over standing yeses. `named` maps texts to the recipients that they name."""

    def __init__(self, records: Database, named: Mapping[str, frozenset[str]]) -> None:
        self._records, self._named = records, named
        self._expired: dict[str, date] = {}

    def expire(self, purpose: str, accepted_before: date, today: date) -> int:
        """Appends `expired` for every yes to `purpose` that was given before a day. Returns how many.

        Time enters the ledger as events, so that what a read was allowed to see can be replayed. What this process has done
        for a day it does not do again: whatever comes due later on that day is refused by the gate all the same.
        """
        if self._expired.get(purpose) == accepted_before:
            return 0
        how_many = self._end(
            EXPIRY, "expired", purpose, None, today,
            lambda connection: store.yes_accepted_before(connection, purpose, accepted_before, SWEEP_PAGE),
        )  # fmt: skip
        self._expired[purpose] = accepted_before
        return how_many

    def invalidate(
        self, text: str, today: date, *, why: str, by: str, progress: Callable[[int], None] = lambda done: None
    ) -> int:
        """Ends one version of a text: from the first commit on no yes under it counts. Returns how many yeses ended.

        Then every standing yes under it gets its own `invalidated`, in events of many rows. After a crash the same call
        goes on where it stopped.
        """
        if text not in self._named:
            raise NotFound(f"There is no text {text!r}.", f"Use one of: {', '.join(sorted(self._named))}.")
        if not (why.strip() and by.strip()):
            raise BadInput("Ending a text needs a reason and a name.", "Say why, and by whom.")
        purpose, detail = text.split("/")[0], {"why": why, "by": by}
        with self._records.writing() as connection:
            lock(connection, EVENTS)
            if text not in log.texts_ended(connection):
                append(connection, EVENTS, [Event(TEXT_INVALIDATED, purpose=purpose, text=text, day=today, detail=detail)])
                append(connection, PUBLIC, [Event(TEXT_INVALIDATED, purpose=purpose, text=text, day=today, detail={"why": why})])
        # From here on the gate refuses the text, whether or not the rest is ever written.
        return self._end(
            INVALIDATION, "invalidated", purpose, text, today,
            lambda connection: store.yes_under(connection, text, SWEEP_PAGE), progress,
        )  # fmt: skip

    def lapse(self, purpose: str, today: date, find: Callable[[Connection], list[Permission]]) -> int:
        """Appends `expired` for every yes to `purpose` that `find` gives, as long as it gives any; how many."""
        return self._end(EXPIRY, "expired", purpose, None, today, find)

    def end_everything(self, today: date, progress: Callable[[int], None] = lambda done: None) -> int:
        """Ends every standing yes, whatever its text; how many. After a loss: whether a no was said since is not known."""
        with self._records.reading() as connection:
            texts = store.texts_of_yeses(connection)
        done = 0
        for text in texts:
            find = partial(store.yes_under, text=text, limit=SWEEP_PAGE)
            done += self._end(INVALIDATION, "invalidated", text.split("/")[0], text, today, find, progress)
        return done

    def _end(
        self,
        group: str,
        kind: str,
        purpose: str,
        text: str | None,
        today: date,
        find: Callable[[Connection], list[Permission]],
        progress: Callable[[int], None] = lambda done: None,
    ) -> int:
        """Appends `kind` for every standing yes that `find` gives, in events of many rows, until it gives none."""
        done = 0
        while True:
            with self._records.reading() as connection:
                due = find(connection)
            if not due:
                return done
            for turn, start in enumerate(range(0, len(due), ROWS_AT_ONCE)):
                done += self._end_some(group, kind, purpose, text, today, due[start : start + ROWS_AT_ONCE])
                progress(done)
                self._records.rest(PAUSE_SECONDS, tidy=turn % TIDY_EVERY == TIDY_EVERY - 1)

    def _end_some(
        self, group: str, kind: str, purpose: str, text: str | None, today: date, due: Sequence[Permission]
    ) -> int:
        prepared = prepare([_ending(kind, row, today) for row in due])
        with self._records.writing() as connection:
            lock(connection, EVENTS)
            # Somebody may have said another word, or another process ended them, since the list was made.
            standing = set(store.of_customers(connection, {row.customer for row in due}, [purpose]))
            still = [row for row in due if row in standing]
            if not still:
                return 0
            if len(still) < len(due):
                prepared = prepare([_ending(kind, row, today) for row in still])
            seq = append_group(connection, group, prepared, {}, purpose=purpose, text=text, day=today)
            history = [
                Said(seq, row.customer, purpose, row.recipient, kind, row.text, today, place=place)
                for place, row in enumerate(still)
            ]
            store.keep(connection, history, self._named)
        return len(still)


def end_now(
    connection: Connection, standing: Sequence[Permission], kind: str, day: date, named: Mapping[str, frozenset[str]]
) -> None:
    """Appends an event of `kind` for each permission, without private details, in the caller's transaction."""
    first = append(connection, EVENTS, [
        Event(kind, customer=row.customer, purpose=row.purpose, recipient=row.recipient, text=row.text, day=day)
        for row in standing
    ])  # fmt: skip
    store.keep(connection, [
        Said(first + place, row.customer, row.purpose, row.recipient, kind, row.text, day) for place, row in enumerate(standing)
    ], named)  # fmt: skip


def _ending(kind: str, row: Permission, today: date) -> GroupRow:
    # It commits to nothing but chance: without it the leaf, which stands beside a neighbour's path, could be guessed.
    blind = secrets.token_bytes(log.SALT_BYTES)
    return GroupRow(kind, row.customer, row.purpose, row.recipient, row.text, today.isoformat(), blind)
