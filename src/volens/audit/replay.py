"""Replays the choices: do the stored permissions follow from them, and did every use have only permitted customers?

Rules:
1. The replay goes event by event, in the one order, through the pure fold and the pure `decide`. It shares no query with
   the gate, whose set-wise answers it judges.
2. An old use is judged by the rules of its day: the programme that its event names, which must be the one that was in
   force on the public record when the event was made. A programme that is recorded twice counts as it was first.
3. A read that was never closed counts as having seen everybody permitted: exactly they must stand on record for it.
4. What cannot be read is a finding, never a crash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from volens.audit.report import Report
from volens.evidence import groups, log
from volens.evidence.ended import FLOW_CLOSED, FLOW_OPENED
from volens.evidence.groups import GROUPS, IMPORT, StoredRow
from volens.evidence.log import EVENTS, PUBLIC, TEXT_INVALIDATED, Row
from volens.gate import store as uses
from volens.gate.policy import ReadRequest, Rulebook, decide, without_flows, without_texts
from volens.gate.store import Door, Use
from volens.permissions import store as permissions
from volens.permissions.state import KINDS, Permission, Said, apply
from volens.rulebooks import rulebook_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLD = "stored permissions follow from the choices"
USES = "every use had only permitted customers"
DOORS = "everything that left had only permitted customers"
RULES = "every programme is on the public record once"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a tampered row can raise. Everything else is a defect of ours and stops the audit."""


@dataclass
class Standing:
    """The fold so far, by (customer, purpose)."""

    named: Mapping[str, frozenset[str]]
    rows: dict[tuple[int, str], dict[str, Permission]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """Texts that were invalidated so far."""
    closed: set[tuple[str, str]] = field(default_factory=set)
    """Flows that are closed at this point."""

    def add(self, row: Row | StoredRow, *, imported: bool = False) -> None:
        """One more choice: an event of its own, or a row of an event of many."""
        if row.customer is None or row.purpose is None or row.recipient is None or row.day is None:
            raise ValueError("a choice names its customer, purpose, recipient and day")
        day, place = date.fromisoformat(row.day), row.place if isinstance(row, StoredRow) else 0
        said = Said(row.seq, row.customer, row.purpose, row.recipient, row.kind, row.text or "", day, imported, place)
        key = (said.customer, said.purpose)
        self.rows[key] = apply(self.rows.get(key, {}), said, self.named.get(said.text, frozenset()))

    def of(self, customer: int, purpose: str, recipient: str) -> Permission | None:
        """What stands between one customer, purpose and recipient."""
        return self.rows.get((customer, purpose), {}).get(recipient)

    def permitted(self, request: ReadRequest, rules: Rulebook, today: date) -> BitMap:
        """Everybody whom `decide` allows."""
        return BitMap(
            customer
            for (customer, purpose), rows in self.rows.items()
            if purpose == request.purpose and decide(request, rows.get(request.recipient), rules, today).allowed
        )

    def in_force(self, rules: Rulebook) -> Rulebook:
        """Rules of a programme without the texts that have ended so far, and the flows that are closed."""
        return without_flows(without_texts(rules, self.ended), self.closed)


@dataclass(frozen=True)
class Programmes:
    """Every programme that was ever in force: its rules by digest, and when each came."""

    rulebooks: Mapping[str, Rulebook]
    came: tuple[tuple[int, str], ...]
    """(seq in the public tree, digest), in order."""
    named: Mapping[str, frozenset[str]]
    """Recipients that each text names."""

    def in_force(self, digest: str, public_size: int) -> Rulebook:
        """The rules of `digest`; `KeyError` if it was not the newest when the public tree had `public_size` events."""
        before = [one for seq, one in self.came if seq < public_size]
        if not before or before[-1] != digest:
            raise KeyError(digest)
        return self.rulebooks[digest]


@dataclass
class Replay:
    """One pass over the events, with what it needs at hand."""

    connection: Connection
    report: Report
    programmes: Programmes
    sets: dict[int, dict[int, bytes]]
    standing: Standing
    events: dict[int, Row] = field(default_factory=dict)
    """`opened` and `closed` events seen so far."""
    erased: set[int] = field(default_factory=set)

    def customers(self, owner: int, check: str, where: str) -> BitMap:
        """The set stored for a use or a door; a finding if it is not cut into blocks as it should be."""
        stored = self.sets.pop(owner, {})
        whole = BitMap()
        for bitmap in stored.values():
            whole |= BitMap.deserialize(bitmap)
        if {block: bytes(part.serialize()) for block, part in uses.blocks(whole)} != stored:
            self.report.found(check, where, "its customers are not filed where their own pages look for them")
        return whole

    def judge(self, customers: BitMap, request: ReadRequest, row: Row, check: str, where: str) -> None:
        """Everybody in a set against the choices so far, by the rules in force when the event was made."""
        said = row.said()
        try:
            rules = self.standing.in_force(self.programmes.in_force(said["programme"], said["public"]))
        except KeyError:
            self.report.found(check, where, "the programme that it names was not in force")
            return
        today = date.fromisoformat(str(row.day))
        for customer in customers:
            verdict = decide(request, self.standing.of(customer, request.purpose, request.recipient), rules, today)
            if not verdict.allowed:
                self.report.found(check, where, f"customer number {customer} was in it: {'; '.join(verdict.reasons)}")


def check_choices_and_uses(connection: Connection, report: Report) -> set[str]:
    """One pass over the events tree. Returns the plans that were drawn."""
    programmes = recorded_programmes(connection, report)
    replay = Replay(connection, report, programmes, uses.stored_sets(connection), Standing(programmes.named))
    opened = {use.read: use for use in uses.all_uses(connection)}
    left = {door.seq: door for door in uses.all_doors(connection)}
    due: dict[int, list[Use]] = {}
    for use in opened.values():
        due.setdefault(use.position, []).append(use)
    drawn: set[str] = set()
    with report.checking(USES) as uses_seen, report.checking(DOORS) as doors_seen, report.checking(FOLD) as folded:
        last = -1
        for row in log.rows(connection, EVENTS):
            for use in due.pop(row.seq, ()):
                _safely(report, USES, f"uses {use.read}", lambda use=use: _judge_use(replay, use))
            last = row.seq
            if row.kind == log.RESTORED:
                _safely(report, FOLD, f"events {row.seq}", lambda row=row: _judge_restored(replay, row))
            elif row.kind == "erased":
                replay.erased.add(row.customer or 0)
            elif row.kind in KINDS:
                if row.customer in replay.erased:
                    report.found(FOLD, f"events {row.seq}", f"customer number {row.customer} had been erased before")
                _safely(report, FOLD, f"events {row.seq}", lambda row=row: replay.standing.add(row))
            elif row.kind in GROUPS:
                for one in groups.rows_of(connection, row.seq):
                    where = f"events {row.seq} row {one.place}"
                    if one.customer in replay.erased:
                        report.found(FOLD, where, f"customer number {one.customer} had been erased before")
                    _safely(report, FOLD, where, lambda one=one, row=row: replay.standing.add(one, imported=row.kind == IMPORT))
            elif row.kind == TEXT_INVALIDATED:
                replay.standing.ended.add(row.text or "")
            elif row.kind == FLOW_CLOSED:
                replay.standing.closed.add((row.purpose or "", row.recipient or ""))
            elif row.kind == FLOW_OPENED:
                replay.standing.closed.discard((row.purpose or "", row.recipient or ""))
            elif row.kind in ("opened", "closed"):
                replay.events[row.seq] = row
            elif row.kind in ("drawn", "handed_over"):
                door = left.pop(row.seq, None)
                _safely(report, DOORS, f"doors {row.seq}",
                        lambda door=door, row=row: drawn.update(_judge_door(replay, door, row)))
                doors_seen.append(1)
        for position in sorted(due):
            for use in due[position]:
                if position > last + 1:
                    report.found(USES, f"uses {use.read}", "it claims a position that the ledger does not have")
                _safely(report, USES, f"uses {use.read}", lambda use=use: _judge_use(replay, use))
        for door in left.values():
            report.found(DOORS, f"doors {door.seq}", "the row has no event")
        for owner in sorted(replay.sets):
            report.found(USES, f"customer_sets {owner}", "a set of customers belongs to no use and to nothing that left")
        _check_opened(replay, opened)
        uses_seen.append(len(opened))
        folded.append(_check_fold(connection, replay.standing, report))
    return drawn


def recorded_programmes(connection: Connection, report: Report) -> Programmes:
    """Every programme on the public record, as it was recorded first."""
    rulebooks: dict[str, Rulebook] = {}
    first: dict[str, Any] = {}
    named: dict[str, frozenset[str]] = {}
    came = []
    with report.checking(RULES) as looked_at:
        for row in log.rows(connection, PUBLIC, kinds=["programme"]):
            looked_at.append(1)
            try:
                said = row.said()
                digest, rules = said["digest"], rulebook_of(said)
            except UNREADABLE:
                report.found(RULES, f"public {row.seq}", "the programme cannot be read")
                continue
            came.append((row.seq, digest))
            if first.setdefault(digest, said) != said:
                report.found(RULES, f"public {row.seq}", "a programme is recorded again with other rules")
                continue
            rulebooks[digest] = rules
            for rule in rules.values():
                for text, told in rule.texts.items():
                    if named.setdefault(text, told.recipients) != told.recipients:
                        report.found(RULES, f"public {row.seq}", f"the text {text} names other recipients than before")
    return Programmes(rulebooks, tuple(came), named)


def _safely(report: Report, check: str, where: str, judge: Any) -> None:
    try:
        judge()
    except UNREADABLE:
        report.found(check, where, "it cannot be read as it was written")


def _request(said: Mapping[str, Any], purpose: str, recipient: str) -> ReadRequest:
    days = (date.fromisoformat(said["start"]), date.fromisoformat(said["end"]))
    return ReadRequest(said.get("actor", "a door"), purpose, recipient, tuple(said["fields"]), *days)


def _judge_restored(replay: Replay, event: Row) -> None:
    """A restore that could not know every no left no yes standing."""
    if not event.said()["permissions_ended"]:
        return
    for rows in replay.standing.rows.values():
        for row in rows.values():
            if row.permits:
                where = f"permissions {row.customer}/{row.purpose}/{row.recipient}"
                replay.report.found(FOLD, where, f"it stood on after the restore at events {event.seq}, which had to end it")


def _judge_use(replay: Replay, use: Use) -> None:
    """The use's row against its events, and its customers against the choices that stood at its position."""
    report, where = replay.report, f"uses {use.read}"
    event = replay.events.get(use.read)
    customers = replay.customers(use.read, USES, where)
    if event is None or event.kind != "opened":
        report.found(USES, where, "the row has no `opened` event")
        return
    said = event.said()
    told = (event.purpose, event.recipient, tuple(said["fields"]), said["actor"], said["start"], said["end"])
    if told != (use.purpose, use.recipient, use.fields, use.actor, use.first_day, use.end_day):
        report.found(USES, where, "the row says something else than its event")
    request = _request(said, use.purpose, use.recipient)
    replay.judge(customers, request, event, USES, where)
    if use.closed is None:
        _judge_unclosed(replay, use, request, event, customers)
        return
    closed = log.one(replay.connection, EVENTS, use.closed)
    if closed is None or closed.kind != "closed" or closed.said() != {"read": use.read, "position": use.position}:
        report.found(USES, where, "it is marked closed, and no such event says so")
    elif closed.commitment != uses.commitment(use.salt, customers) or len(customers) != use.customers:
        report.found(USES, where, "the customers in it are not those that were committed to")


def _judge_unclosed(replay: Replay, use: Use, request: ReadRequest, event: Row, customers: BitMap) -> None:
    where = f"uses {use.read}"
    if use.customers is not None:
        replay.report.found(USES, where, "it was never closed and claims to know whom it saw")
    if use.position == use.read + 1 and not customers:
        return  # killed before anything was read
    said = event.said()
    rules = replay.standing.in_force(replay.programmes.rulebooks.get(said["programme"], {}))
    if replay.standing.permitted(request, rules, date.fromisoformat(str(event.day))) != customers:
        replay.report.found(USES, where, "it was never closed, and not everybody whom it may have seen stands on record")


def _judge_door(replay: Replay, door: Door | None, event: Row) -> set[str]:
    """What left against its event; returns the plan that was drawn, if it was a draw."""
    report, where = replay.report, f"doors {event.seq}"
    said = event.said()
    plans = {said["plan"]} if event.kind == "drawn" and "plan" in said else set()
    if door is None:
        report.found(DOORS, where, "the event has no row: what left is not known")
        return plans
    customers = replay.customers(door.seq, DOORS, where)
    told = (event.kind, event.purpose, event.recipient, tuple(said["fields"]), said["read"])
    if told != (door.door, door.purpose, door.recipient, door.fields, door.read):
        report.found(DOORS, where, "the row says something else than its event")
    if event.commitment != uses.commitment(door.salt, customers) or len(customers) != door.customers:
        report.found(DOORS, where, "the customers in it are not those that were committed to")
    replay.judge(customers, _request(said, door.purpose, door.recipient), event, DOORS, where)
    return plans


def _check_opened(replay: Replay, opened: Mapping[int, Use]) -> None:
    for seq, row in replay.events.items():
        if row.kind == "opened" and seq not in opened:
            replay.report.found(USES, f"uses {seq}", "the read was recorded and its row is gone")
        if row.kind == "closed":
            try:
                use = opened.get(json.loads(row.detail)["read"])
            except UNREADABLE:
                use = None
            if use is None or use.closed != seq:
                replay.report.found(USES, f"uses {seq}", "the read was closed and its row does not say so")


def _check_fold(connection: Connection, standing: Standing, report: Report) -> int:
    """Every stored permission against the fold, both ways. Returns how many there are."""
    should = {
        (row.customer, row.purpose, row.recipient): _as_stored(row)
        for rows in standing.rows.values()
        for row in rows.values()
    }
    stored = {(row["customer"], row["purpose"], row["recipient"]): row for row in permissions.stored(connection)}
    for key in sorted(should.keys() | stored.keys()):
        where = f"permissions {key[0]}/{key[1]}/{key[2]}"
        if key not in stored:
            report.found(FOLD, where, "the choices give a permission that is not stored")
        elif key not in should:
            report.found(FOLD, where, "it is stored and no choice gives it")
        elif stored[key] != should[key]:
            told, kept = should[key], stored[key]
            differ = ", ".join(sorted(name for name in told if told[name] != kept[name]))
            report.found(FOLD, where, f"what is stored differs from what the choices give in: {differ}")
    return len(should)


def _as_stored(row: Permission) -> dict[str, Any]:
    return {**vars(row), "day": row.day.isoformat()}
