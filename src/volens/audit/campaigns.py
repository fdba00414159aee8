"""Was everything that decides a campaign fixed before it began, and does what is stored follow from what was fixed?

Rules:
1. Every step has its public event, both ways, and its content, actor and role are those committed to.
2. The steps follow the workflow, on days on which each was allowed.
3. The launch and the result rest on reads that are on record for that purpose; who was held out follows from seed and numbers,
   and the people who were measured are those drawn, without those who went.
4. The sums themselves are not computed again: that would be another use of purchases.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.campaigns import store
from volens.campaigns.plan import Plan
from volens.campaigns.station import split
from volens.campaigns.store import Step
from volens.campaigns.workflow import COMPARED, EVENTS, LAUNCHED, MEASURED, PLANNED, check_move
from volens.errors import BadInput, NotNow
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.gate import store as uses
from volens.gate.store import Use
from volens.measuring.holdout import Holdout

if TYPE_CHECKING:
    from sqlalchemy import Connection

CAMPAIGNS = "every campaign was fixed before it began"
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, BadInput)


def check_campaigns(connection: Connection, report: Report) -> None:
    """All steps against their events, the workflow and the reads."""
    with report.checking(CAMPAIGNS) as looked_at:
        steps = {step.seq: step for step in store.steps_of(connection)}
        looked_at.append(len(steps))
        rows = list(log.rows(connection, PUBLIC, kinds=sorted(set(EVENTS.values()))))
        for row in rows:
            step = steps.get(row.seq)
            if step is None:
                report.found(CAMPAIGNS, f"public {row.seq}", f"the {row.kind!r} event has no step")
            elif not _fits(step, row):
                report.found(CAMPAIGNS, f"campaign_steps {row.seq}", "it is not what was committed to")
        for seq in sorted(steps.keys() - {row.seq for row in rows}):
            report.found(CAMPAIGNS, f"campaign_steps {seq}", "the step has no public event")
        reads = {use.read: use for use in uses.all_uses(connection)}
        purposes = {row.seq: str(row.purpose) for row in rows}
        found: dict[str, list[Step]] = {}
        for step in steps.values():
            found.setdefault(step.about, []).append(step)
        for about, taken in found.items():
            try:
                _check(connection, taken, reads, purposes, report)
            except _UNREADABLE:
                report.found(CAMPAIGNS, f"campaign_steps {about}", "it cannot be read as it was written")


def _fits(step: Step, row: log.Row) -> bool:
    try:
        said = row.said()
    except ValueError:
        return False
    told = (EVENTS.get(step.state), step.about, step.role, step.day, step.commitment)
    return told == (row.kind, said.get("about"), said.get("role"), row.day, row.commitment)


def _check(
    connection: Connection, taken: list[Step], reads: Mapping[int, Use], purposes: Mapping[int, str], report: Report
) -> None:  # fmt: skip
    """The steps about one thing."""
    for step in taken:
        if step.state in (LAUNCHED, MEASURED, COMPARED):
            use = reads.get(step.said()["read"])
            if use is None or use.purpose != purposes.get(step.seq) or use.closed is None:
                report.found(CAMPAIGNS, f"campaign_steps {step.seq}", "it rests on a read that is not on record as such")
    if taken[0].state == COMPARED:
        return
    said = taken[0].said()
    plan = Plan.from_canonical(said["plan"])
    if taken[0].state != PLANNED or plan.id != taken[0].about:
        report.found(CAMPAIGNS, f"campaign_steps {taken[0].seq}", "its first step is not its plan")
    for before, step in pairwise(taken):
        try:
            check_move(plan, before.state, step.state, date.fromisoformat(step.day))
        except (NotNow, KeyError) as wrong:
            report.found(CAMPAIGNS, f"campaign_steps {step.seq}", str(getattr(wrong, "what", "no such step")))
    _check_people(connection, Holdout(plan.id, said["seed"], plan.hold_out_thousandths), taken, report)


def _check_people(connection: Connection, draw: Holdout, taken: list[Step], report: Report) -> None:
    """The counts on both sides against the sets that are on record."""
    said: dict[str, dict[str, Any]] = {step.state: step.said() for step in taken}
    if LAUNCHED not in said:
        return
    drawn, where = uses.customers_of(connection, said[LAUNCHED]["read"]), f"campaign_steps {taken[0].about}"
    reached, held = split(draw, drawn)
    if (len(drawn), len(held)) != (said[LAUNCHED]["people"], said[LAUNCHED]["held"]):
        report.found(CAMPAIGNS, where, "the people drawn are not those of its launch")
    if MEASURED not in said:
        return
    people, result = uses.customers_of(connection, said[MEASURED]["read"]), said[MEASURED]
    sides = (len(people & reached), len(people & held), len(reached - people), len(held - people), len(people - drawn))
    if sides != (result["reached"], result["held"], *result["gone"], 0):
        report.found(CAMPAIGNS, where, "the people measured are not those drawn who still permitted it")
