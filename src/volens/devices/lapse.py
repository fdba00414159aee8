"""Permissions that nobody uses lapse by themselves: to no, by an event, as a phone takes them back from an app that sleeps.

Rules:
1. A yes lapses when it is older than the programme's days without use, and no data for its purpose were accepted from any of
   the customer's devices in that time. Refused data are no use.
2. It lapses by `expired`, in the ledger like every ending; the customer's page says when and why. A new yes is a new question.
3. Who is asked about (a page, data that arrive) lapses at once; everybody else at night. Nobody waits for the night: the door
   asks the same question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from volens.devices import store
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.holders import Database
from volens.permissions.endings import SWEEP_PAGE, Endings, end_now
from volens.permissions.state import Permission
from volens.programme.devices import AppUse

if TYPE_CHECKING:
    from sqlalchemy import Connection

COUNTS_KEPT_DAYS = 400
"""How long is remembered how often data came: above the longest time without use that a programme can declare."""


def last_day_of_use(use: AppUse, today: date) -> date:
    """A yes that was neither given nor used on this day or later has lapsed."""
    return today - timedelta(days=use.unused_days)


def due_of(connection: Connection, use: AppUse, customer: int, today: date) -> list[Permission]:
    """The yeses of one customer that have lapsed and do not say so yet."""
    return store.unused_since(connection, use.purpose, last_day_of_use(use, today), SWEEP_PAGE, customer)


def end_unused(connection: Connection, due: Sequence[Permission], today: date, named: Mapping[str, frozenset[str]]) -> None:
    """Ends them, in the transaction of the caller, who holds the ledger."""
    end_now(connection, due, "expired", today, named)


@dataclass(frozen=True)
class Lapses:
    """Ends what was not used. Durable when a method returns."""

    records: Database
    uses: tuple[AppUse, ...]
    named: Mapping[str, frozenset[str]]

    def of_customer(self, customer: int, today: date) -> int:
        """Ends one customer's unused permissions; how many."""
        with self.records.reading() as connection:
            if not any(due_of(connection, use, customer, today) for use in self.uses):
                return 0
        with self.records.writing() as connection:
            log.lock(connection, EVENTS)
            due = {row: None for use in self.uses for row in due_of(connection, use, customer, today)}
            if due:
                end_unused(connection, list(due), today, self.named)
        return len(due)

    def of_everybody(self, today: date) -> int:
        """Ends everybody's unused permissions, and forgets counts that are too old to matter; how many ended."""
        endings = Endings(self.records, self.named)
        ended = sum(
            endings.lapse(
                use.purpose,
                today,
                lambda connection, use=use: store.unused_since(  # type: ignore[misc]
                    connection, use.purpose, last_day_of_use(use, today), SWEEP_PAGE
                ),
            )
            for use in self.uses
        )
        with self.records.writing() as connection:
            store.drop_counts(connection, today - timedelta(days=COUNTS_KEPT_DAYS))
        return ended
