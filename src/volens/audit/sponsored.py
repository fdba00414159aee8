"""Do placements, profiles, and what was shown to people stand as the events say?

Rules:
1. A placement is what its event committed to, in the state of its last event; nobody approved what she proposed.
2. A profile was learned by a read that its customer is in; nobody who was erased has one.
3. What purchases chose went through a door: an event of that day, with its customer in it, for at least as many.
4. What is kept of impressions is no more than was counted, by placement and day, and no more than the caps and the limit.
5. What somebody hid, she said so: there is an event.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate import store as uses
from volens.sponsored import store
from volens.sponsored.placement import read
from volens.sponsored.registry import CONFIRMED, DEFINED, KINDS, digest
from volens.sponsored.station import HID, LEARNED
from volens.sponsored.store import PERSONAL, Stored

if TYPE_CHECKING:
    from sqlalchemy import Connection

PLACEMENTS = "every placement is as it was proposed, and another person approved it"
PROFILES = "what was learned of somebody for advertisements is of people who are there, from a read on record"
SHOWN = "every advertisement that purchases chose went through the door, within its caps"
HIDDEN = "what somebody does not want to see again is as she said"


def check_sponsored(connection: Connection, report: Report) -> None:
    """The seven tables against their events."""
    placements = store.all_placements(connection)
    _check_placements(connection, placements, report)
    _check_profiles(connection, report)
    _check_shown(connection, {one.number: one for one in placements}, report)
    _check_hidden(connection, report)


def _check_placements(connection: Connection, placements: list[Stored], report: Report) -> None:
    with report.checking(PLACEMENTS) as looked_at:
        last: dict[str, log.Row] = {}
        by: dict[tuple[str, str], str] = {}
        for row in log.rows(connection, EVENTS, kinds=sorted(KINDS.values())):
            name = str(row.said().get("placement"))
            last[name], by[name, row.kind] = row, str(row.said().get("by"))
        for one in placements:
            looked_at.append(1)
            where, event = f"ad_placements {one.placement}", log.one(connection, EVENTS, one.number)
            said: dict[str, Any] = event.said() if event is not None else {}
            told = (said.get("placement"), said.get("sha256"), said.get("until"), said.get("by"))
            if event is None or event.kind != DEFINED or told != (one.placement, digest(one.document), one.until, one.proposed_by):
                report.found(PLACEMENTS, where, "its event says something else")
            newest = last.pop(one.placement, None)
            if newest is None or (newest.seq, newest.kind) != (one.seq, KINDS[one.state]):
                report.found(PLACEMENTS, where, "its state is not that of its last event")
            if by.get((one.placement, CONFIRMED), "").casefold() == one.proposed_by.casefold():
                report.found(PLACEMENTS, where, "whoever proposed it approved it")
        for name in last:
            report.found(PLACEMENTS, f"ad_placements {name}", "it has events and is gone")


def _check_profiles(connection: Connection, report: Report) -> None:
    erased = log.customers_of_kind(connection, "erased")
    with report.checking(PROFILES) as looked_at:
        said = {int(row.said()["read"]) for row in log.rows(connection, EVENTS, kinds=[LEARNED])}
        seen = dict[int, frozenset[int]]()
        for customer, number in sorted(store.with_profiles(connection).items()):
            looked_at.append(1)
            where = f"ad_profiles {customer}"
            if customer in erased:
                report.found(PROFILES, where, "it is of somebody who was erased")
            event = log.one(connection, EVENTS, number)
            if event is None or event.kind != "opened":
                report.found(PROFILES, where, "no read on record is the one it is from")
                continue
            if number in said:  # without it the run was killed, and the record says that everybody was seen
                if number not in seen:
                    seen[number] = frozenset(uses.customers_of(connection, number))
                if customer not in seen[number]:
                    report.found(PROFILES, where, "its customer was not in that read")


def _check_shown(connection: Connection, placements: dict[int, Stored], report: Report) -> None:
    with report.checking(SHOWN) as looked_at:
        doors, told = dict[int, frozenset[int]](), Counter[int]()
        a_day, ever, days = Counter[tuple[int, int, str]](), Counter[tuple[int, int]](), Counter[tuple[int, str]]()
        for row in store.all_impressions(connection):
            looked_at.append(1)
            where, event = f"ad_impressions {row.impression[:8]}", log.one(connection, EVENTS, row.seq)
            if event is None or (event.kind, event.day) != ("handed_over", row.day) or "ads" not in event.said():
                report.found(SHOWN, where, "its event says something else")
                continue
            if row.seq not in doors:
                doors[row.seq] = frozenset(uses.customers_of(connection, row.seq))
            if row.customer not in doors[row.seq]:
                report.found(SHOWN, where, "its customer did not go through that door")
            told[row.seq] += 1
            if told[row.seq] == int(event.said()["ads"]) + 1:
                report.found(SHOWN, where, "more was shown than the door says")
            a_day[row.customer, row.number, row.day] += 1
            ever[row.customer, row.number] += 1
            days[row.number, row.day] += 1
        _check_caps(placements, a_day, ever, report)
        _check_counts(connection, placements, days, report)


def _check_caps(
    placements: dict[int, Stored], a_day: Counter[tuple[int, int, str]], ever: Counter[tuple[int, int]], report: Report
) -> None:
    caps = {number: read(one.document).cap for number, one in placements.items()}
    for (customer, number, day), times in sorted(a_day.items()):
        if number in caps and times > caps[number].day:
            report.found(SHOWN, f"ad_impressions {customer}", f"{times} times of placement {number} on {day}")
    for (customer, number), times in sorted(ever.items()):
        if number not in caps or times > caps[number].campaign:
            report.found(SHOWN, f"ad_impressions {customer}", f"{times} times of placement {number}")


def _check_counts(
    connection: Connection, placements: dict[int, Stored], days: Counter[tuple[int, str]], report: Report
) -> None:
    counted, altogether = dict[tuple[int, str], int](), Counter[int]()
    for number, day, way, times in store.shown_by_day(connection):
        altogether[number] += times
        if way == PERSONAL:
            counted[number, day] = times
    for (number, day), times in sorted(days.items()):
        if times > counted.get((number, day), 0):
            report.found(SHOWN, f"ad_counts {number} {day}", "fewer are counted than are kept")
    for number, times in sorted(store.all_totals(connection).items()):
        if times != altogether[number]:
            report.found(SHOWN, f"ad_totals {number}", "it is not the sum of its days")
        most = read(placements[number].document).impressions if number in placements else None
        if most is not None and times > most:
            report.found(SHOWN, f"ad_totals {number}", "it was shown more often than it may be")


def _check_hidden(connection: Connection, report: Report) -> None:
    with report.checking(HIDDEN) as looked_at:
        said = {(row.customer, row.seq) for row in log.rows(connection, EVENTS, kinds=[HID])}
        for customer, number, seq in store.all_hidden(connection):
            looked_at.append(1)
            if (customer, seq) not in said:
                report.found(HIDDEN, f"ad_hidden {customer} {number}", "its person did not say so")
