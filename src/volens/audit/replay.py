"""Replays the choices: do the stored permissions follow from them, and did every use have only permitted customers?

Rules:
1. The replay goes event by event, in the one order, through the pure fold and the pure `decide`. It shares no query with
   the gate, whose set-wise answers it judges.
2. An old use is judged by the rules of its day: the programme that its event names, as the public tree recorded it.
3. A read that was never closed counts as having seen everybody permitted; there is nothing to check but that it is known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from pyroaring import BitMap

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, Row
from volens.gate import store as uses
from volens.gate.policy import ReadRequest, Rulebook, decide
from volens.gate.store import Door, Use
from volens.permissions import ledger
from volens.permissions.state import KINDS, Permission, Said, apply
from volens.rulebooks import rulebook_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLD = "stored permissions follow from the choices"
USES = "every use had only permitted customers"
DOORS = "everything that left had only permitted customers"

LONG_AGO, FAR_AHEAD = date(1, 1, 2), date(9999, 1, 1)


@dataclass
class Standing:
    """The fold so far, by (customer, purpose)."""

    named: Mapping[str, frozenset[str]]
    rows: dict[tuple[int, str], dict[str, Permission]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """One more choice."""
        if row.customer is None or row.purpose is None or row.recipient is None or row.day is None:
            return
        said = Said(
            row.seq, row.customer, row.purpose, row.recipient, row.kind, row.text or "", date.fromisoformat(row.day)
        )
        key = (said.customer, said.purpose)
        self.rows[key] = apply(self.rows.get(key, {}), said, self.named.get(said.text, frozenset()))

    def of(self, customer: int, purpose: str, recipient: str) -> Permission | None:
        """What stands between one customer, purpose and recipient."""
        return self.rows.get((customer, purpose), {}).get(recipient)


def check_choices_and_uses(connection: Connection, report: Report) -> None:
    """One pass over the events tree."""
    rulebooks, named = recorded_rules(connection)
    opened = {use.read: use for use in uses.all_uses(connection)}
    left = {door.seq: door for door in uses.all_doors(connection)}
    due: dict[int, list[Use]] = {}
    for use in opened.values():
        due.setdefault(use.position, []).append(use)
    standing = Standing(named)
    events: dict[int, Row] = {}
    with report.checking(USES) as uses_seen, report.checking(DOORS) as doors_seen, report.checking(FOLD) as folded:
        last = -1
        for row in log.rows(connection, EVENTS):
            for use in due.pop(row.seq, ()):
                _judge_use(connection, use, events, rulebooks, standing, report)
            last = row.seq
            if row.kind in KINDS:
                standing.add(row)
            elif row.kind in ("opened", "closed"):
                events[row.seq] = row
            elif row.seq in left:
                _judge_door(connection, left.pop(row.seq), row, rulebooks, standing, report)
                doors_seen.append(1)
            elif row.kind in ("drawn", "handed_over"):
                report.found(DOORS, f"doors {row.seq}", "the event has no row: what left is not known")
        for position in sorted(due):
            for use in due[position]:
                if position > last + 1:
                    report.found(USES, f"uses {use.read}", "it claims a position that the ledger does not have")
                _judge_use(connection, use, events, rulebooks, standing, report)
        for door in left.values():
            report.found(DOORS, f"doors {door.seq}", "the row has no event")
        _check_opened(events, opened, report)
        uses_seen.append(len(opened))
        folded.append(_check_fold(connection, standing, report))


def recorded_rules(connection: Connection) -> tuple[dict[str, Rulebook], dict[str, frozenset[str]]]:
    """Every programme that was ever in force, by digest; and the recipients that each text names."""
    rulebooks: dict[str, Rulebook] = {}
    named: dict[str, frozenset[str]] = {}
    for row in log.rows(connection, PUBLIC, kinds=["programme"]):
        detail = json.loads(row.detail)
        rulebooks[detail["digest"]] = rulebook_of(detail)
        for rule in rulebooks[detail["digest"]].values():
            named.update({text: told.recipients for text, told in rule.texts.items()})
    return rulebooks, named


def _judge_use(
    connection: Connection,
    use: Use,
    events: Mapping[int, Row],
    rulebooks: Mapping[str, Rulebook],
    standing: Standing,
    report: Report,
) -> None:
    """The use's row against its events, and its customers against the choices that stood at its position."""
    where = f"uses {use.read}"
    event = events.get(use.read)
    if event is None or event.kind != "opened":
        report.found(USES, where, "the row has no `opened` event")
        return
    detail = json.loads(event.detail)
    told = (event.purpose, event.recipient, tuple(detail["fields"]), detail["actor"], detail["start"], detail["end"])
    if told != (use.purpose, use.recipient, use.fields, use.actor, use.first_day, use.end_day):
        report.found(USES, where, "the row says something else than its event")
    if use.closed is None:
        return
    closed = log.one(connection, EVENTS, use.closed)
    seen = uses.customers_of(connection, use.read)
    if closed is None or json.loads(closed.detail) != {"read": use.read, "position": use.position}:
        report.found(USES, where, "it is marked closed, and no such event says so")
    elif closed.commitment != uses.commitment(use.salt, seen) or len(seen) != use.customers:
        report.found(USES, where, "the customers in it are not those that were committed to")
    request = ReadRequest(use.actor, use.purpose, use.recipient, use.fields, date.fromisoformat(use.first_day),
                          date.fromisoformat(use.end_day))
    _judge(seen, request, detail["programme"], event.day, rulebooks, standing, report, USES, where)


def _judge_door(
    connection: Connection,
    door: Door,
    event: Row,
    rulebooks: Mapping[str, Rulebook],
    standing: Standing,
    report: Report,
) -> None:
    where = f"doors {door.seq}"
    detail = json.loads(event.detail)
    customers = uses.customers_of(connection, door.seq)
    told = (event.kind, event.purpose, event.recipient, tuple(detail["fields"]), detail["read"])
    if told != (door.door, door.purpose, door.recipient, door.fields, door.read):
        report.found(DOORS, where, "the row says something else than its event")
    if event.commitment != uses.commitment(door.salt, customers) or len(customers) != door.customers:
        report.found(DOORS, where, "the customers in it are not those that were committed to")
    request = ReadRequest("audit", door.purpose, door.recipient, door.fields, LONG_AGO, FAR_AHEAD)
    _judge(customers, request, detail["programme"], event.day, rulebooks, standing, report, DOORS, where)


def _judge(
    customers: BitMap,
    request: ReadRequest,
    programme: str,
    day: str | None,
    rulebooks: Mapping[str, Rulebook],
    standing: Standing,
    report: Report,
    check: str,
    where: str,
) -> None:
    rules = rulebooks.get(programme)
    if rules is None or day is None:
        report.found(check, where, "it names a programme that the public tree does not know")
        return
    today = date.fromisoformat(day)
    for customer in customers:
        verdict = decide(request, standing.of(customer, request.purpose, request.recipient), rules, today)
        if not verdict.allowed:
            report.found(check, where, f"customer number {customer} was in it: {'; '.join(verdict.reasons)}")


def _check_opened(events: Mapping[int, Row], opened: Mapping[int, Use], report: Report) -> None:
    for seq, row in events.items():
        if row.kind == "opened" and seq not in opened:
            report.found(USES, f"uses {seq}", "the read was recorded and its row is gone")
        if row.kind == "closed":
            use = opened.get(json.loads(row.detail)["read"])
            if use is None or use.closed != seq:
                report.found(USES, f"uses {seq}", "the read was closed and its row does not say so")


def _check_fold(connection: Connection, standing: Standing, report: Report) -> int:
    """Every stored permission against the fold, both ways. Returns how many there are."""
    should = {
        (row.customer, row.purpose, row.recipient): row for rows in standing.rows.values() for row in rows.values()
    }
    stored = {(row.customer, row.purpose, row.recipient): row for row in ledger.everything(connection)}
    for key in sorted(should.keys() | stored.keys()):
        where = f"permissions {key[0]}/{key[1]}/{key[2]}"
        if key not in stored:
            report.found(FOLD, where, "the choices give a permission that is not stored")
        elif key not in should:
            report.found(FOLD, where, "it is stored and no choice gives it")
        elif stored[key] != should[key]:
            report.found(FOLD, where, f"stored is {stored[key].kind!r}, the choices give {should[key].kind!r}")
    return len(should)
