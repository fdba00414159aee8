"""Do the marketing messages, and the addresses that are not written to, stand as the events say?

Rules:
1. What was let out went through a door: an event of that day and purpose for this channel, with its customer in it.
2. The sums of a month are those of the events. Nothing was let out to somebody who is erased.
3. Each address on the list has its event, and each event its address: of an address the newest counts.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate import store as uses
from volens.messaging import store
from volens.messaging.sending import DECIDED
from volens.messaging.station import SERVICE
from volens.messaging.suppression import SUPPRESSED, UNSUBSCRIBED, shown

if TYPE_CHECKING:
    from sqlalchemy import Connection

SENT = "every marketing message that was let out went through the door"
SUMS = "the sums of marketing messages are those of their events"
LISTED = "every address that is not written to is as its event says"


def check_messages(connection: Connection, report: Report) -> None:
    """The three tables against their events."""
    erased = log.customers_of_kind(connection, "erased")
    decided = list(log.rows(connection, EVENTS, kinds=[DECIDED]))
    silenced = list(log.rows(connection, EVENTS, kinds=[SUPPRESSED]))
    with report.checking(SENT) as looked_at:
        _check_sent(connection, {int(row.said()["door"]) for row in decided}, erased, report, looked_at)
    with report.checking(SUMS) as looked_at:
        _check_sums(connection, decided, silenced, report, looked_at)
    with report.checking(LISTED) as looked_at:
        _check_listed(connection, silenced, report, looked_at)


def _check_sent(connection: Connection, told: set[int], erased: set[int], report: Report, looked_at: list[int]) -> None:
    doors = dict[int, frozenset[int]]()
    for row in store.everything(connection):
        looked_at.append(1)
        where = f"marketing_messages {row.message.hex()[:8]}"
        event = log.one(connection, EVENTS, row.door)
        if event is None or (event.kind, event.day, event.purpose) != ("handed_over", row.day, row.purpose):
            report.found(SENT, where, "its event says something else")
            continue
        if event.said().get("messages") != row.channel or row.door not in told:
            report.found(SENT, where, "its door was for another channel, or nobody says what was decided there")
        if not row.left:
            continue
        if row.customer in erased:
            report.found(SENT, where, "it is of somebody who was erased")
        if row.door not in doors:
            doors[row.door] = frozenset(uses.customers_of(connection, row.door))
        if row.customer not in doors[row.door]:
            report.found(SENT, where, "its customer did not go through that door")


def _check_sums(
    connection: Connection, decided: list[log.Row], silenced: list[log.Row], report: Report, looked_at: list[int]
) -> None:
    told = Counter[tuple[str, str, str]]()
    for row in decided:
        looked_at.append(1)
        said = row.said()
        for what, count in said["sums"].items():
            told[str(row.day)[:7], said["channel"], what if said["advertising"] else SERVICE + what] += count
    for row in silenced:
        if row.said()["reason"] == UNSUBSCRIBED:
            told[str(row.day)[:7], row.said()["channel"], UNSUBSCRIBED] += 1
    kept = store.sums(connection)
    for key in sorted(kept.keys() | told.keys()):
        if kept.get(key, 0) != told[key]:
            report.found(SUMS, f"marketing_sums {' '.join(key)}", f"{kept.get(key, 0)} are kept, the events say {told[key]}")


def _check_listed(connection: Connection, silenced: list[log.Row], report: Report, looked_at: list[int]) -> None:
    newest: dict[tuple[str, str, str], log.Row] = {}
    for event in silenced:
        newest[event.said()["channel"], event.said()["point"], event.purpose or ""] = event
    for row in store.all_suppressed(connection):
        looked_at.append(1)
        said = newest.pop((row.channel, shown(row.point), row.purpose), None)
        if said is None or (said.seq, said.day, said.said()["reason"]) != (row.seq, row.day, row.reason):
            report.found(LISTED, f"message_suppressed {row.seq}", "its event says something else")
    for event in newest.values():
        report.found(LISTED, f"events {event.seq}", "its address is not on the list any more")
