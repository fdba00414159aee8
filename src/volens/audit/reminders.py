"""Do the habits that were learned, and what was named from them, stand as the events say?

Rules:
1. The model is what its event committed to. Nobody who was erased has a habit, or a basket that was left behind.
2. What was named went through a door: an event of that day for that purpose, with its customer in it.
3. What is not to be named again for good, its person said: there is an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate import store as uses
from volens.reminding import left_store, store
from volens.reminding.station import LEARNED, RESUMED, STOPPED

if TYPE_CHECKING:
    from sqlalchemy import Connection

HABITS = "the habits are of people who are there, and the model is the one that was learned"
NAMED = "everything that was named to a customer went through the door"
RESTS = "what somebody does not want to be named is as she said"


def check_reminders(connection: Connection, report: Report) -> None:
    """The four tables against their events."""
    erased = log.customers_of_kind(connection, "erased")
    with report.checking(HABITS) as looked_at:
        told = {int(row.said()["read"]): row for row in log.rows(connection, EVENTS, kinds=[LEARNED])}
        newest = store.newest_model(connection)
        looked_at.append(len(told))
        if told and (newest is None or newest.read != max(told)):
            report.found(HABITS, "reminder_models", "the newest model is not the one that was learned last")
        if newest is not None:
            event = told.get(newest.read)
            if event is None or event.said().get("digest") != newest.digest or event.day != newest.day:
                report.found(HABITS, f"reminder_models {newest.read}", "its event says something else")
            elif store.digest(newest.model, newest.sold) != newest.digest:
                report.found(HABITS, f"reminder_models {newest.read}", "it is not what was learned")
        for customer in sorted(set(store.with_rhythms(connection)) & erased):
            report.found(HABITS, f"rhythms {customer}", "it is of somebody who was erased")
        for customer in sorted(set(left_store.whose(connection)) & erased):
            report.found(HABITS, f"left_baskets {customer}", "it is of somebody who was erased")
    with report.checking(NAMED) as looked_at:
        doors = dict[int, frozenset[int]]()
        for row in store.everything_named(connection):
            looked_at.append(1)
            where = f"reminders {row.reminder[:8]}"
            event = log.one(connection, EVENTS, row.seq)
            if event is None or (event.kind, event.day) != ("handed_over", row.day) or "reminders" not in event.said():
                report.found(NAMED, where, "its event says something else")
                continue
            if row.seq not in doors:
                doors[row.seq] = frozenset(uses.customers_of(connection, row.seq))
            if row.customer not in doors[row.seq]:
                report.found(NAMED, where, "its customer did not go through that door")
    with report.checking(RESTS) as looked_at:
        resumed = {(row.customer, int(row.said()["stopped"])) for row in log.rows(connection, EVENTS, kinds=[RESUMED])}
        said = {(row.customer, row.seq) for row in log.rows(connection, EVENTS, kinds=[STOPPED])} - resumed
        there = set[tuple[int | None, int]]()
        for customer, need, until, seq in store.all_rests(connection):
            looked_at.append(1)
            if until is None:
                there.add((customer, seq))
                if (customer, seq) not in said:
                    report.found(RESTS, f"reminder_rests {customer} {need}", "its person did not say so")
        for who, seq in sorted((one for one in said - there if one[0] not in erased), key=str):
            report.found(RESTS, f"events {seq}", f"customer {who} does not want something named, and it is not kept")

