"""The whole audit, check by check. Reads only; nothing is mended here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from volens.audit.replay import check_choices_and_uses
from volens.audit.report import Report
from volens.audit.trees import check_trees
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC
from volens.evidence.merkle import leaf_hash
from volens.evidence.outside import Outside
from volens.holders import Database
from volens.identity import accounts
from volens.ingest import store as intake
from volens.insights import accountant
from volens.releases import store as releases

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUDGET = "every charge and answer is on the public record"
RELEASES = "every release stands where its steps led"
BATCHES = "every feed that came in stands where its steps led"
ACCOUNTS = "every account belongs to whom it was linked"


def audit(records: Database, outside: Outside) -> Report:
    """Checks everything in one snapshot of the records."""
    report = Report()
    with records.reading() as connection:
        check_trees(connection, outside, report)
        check_choices_and_uses(connection, report)
        _check_accounts(connection, report)
        _check_batches(connection, report)
        _check_budget(connection, report)
        _check_releases(connection, report)
    return report


def _check_accounts(connection: Connection, report: Report) -> None:
    with report.checking(ACCOUNTS) as looked_at:
        should = {}
        for row in log.rows(connection, EVENTS, kinds=["linked"]):
            detail = json.loads(row.detail)
            should[detail["account"]] = (row.customer, detail["kind"])
        stored = accounts.everything(connection)
        looked_at.append(len(stored))
        for account in sorted(should.keys() | stored.keys()):
            if should.get(account) != stored.get(account):
                report.found(ACCOUNTS, f"accounts {account}", "it is not linked as the events say")


def _check_batches(connection: Connection, report: Report) -> None:
    with report.checking(BATCHES) as looked_at:
        should = {}
        for row in log.rows(connection, EVENTS, kinds=["batch"]):
            detail = json.loads(row.detail)
            should[detail["batch"]] = detail["state"]
        stored = intake.states(connection)
        looked_at.append(len(stored))
        for batch in sorted(should.keys() | stored.keys()):
            if should.get(batch) != stored.get(batch):
                report.found(BATCHES, f"batches {batch}", "its state is not that of its last step")


def _check_budget(connection: Connection, report: Report) -> None:
    """Rows against public events, both ways, and each year against its cap."""
    with report.checking(BUDGET) as looked_at:
        events = {row.seq: row for row in log.rows(connection, PUBLIC, kinds=["reserved", "answered"])}
        spent: dict[int, int] = {}
        caps: dict[int, int] = {}
        known = set()
        for row in accountant.all_reservations(connection):
            looked_at.append(1)
            where = f"reservations {row['plan'][:12]}"
            known |= {row["seq"], row["answered"]}
            reserved = events.get(row["seq"])
            if reserved is None or reserved.kind != "reserved":
                report.found(BUDGET, where, "the charge has no public event")
                continue
            detail = json.loads(reserved.detail)
            charged = [(year, detail["rho_nano"]) for year in detail["years"]]
            if (detail["plan"], detail["supplier"], charged) != (row["plan"], row["supplier"], row["charges"]):
                report.found(BUDGET, where, "the row says something else than its event")
            for year, rho in charged:
                spent[year] = spent.get(year, 0) + rho
                caps[year] = min(caps.get(year, detail["cap_nano"]), detail["cap_nano"])
            _check_answer(row, events, where, report)
        for seq in sorted(set(events) - known):
            report.found(BUDGET, f"public {seq}", f"the {events[seq].kind!r} event has no row")
        for year, total in spent.items():
            if total > caps[year]:
                report.found(BUDGET, f"charges {year}", "the year has spent more than its cap")


def _check_answer(row: dict[str, object], events: dict[int, log.Row], where: str, report: Report) -> None:
    answer, answered = row["answer"], row["answered"]
    if answer is None and answered is None:
        return
    event = events.get(answered) if isinstance(answered, int) else None
    should = {"plan": row["plan"], "answer": leaf_hash(str(answer).encode()).hex()}
    if event is None or json.loads(event.detail) != should:
        report.found(BUDGET, where, "the stored answer is not the one that was drawn")


def _check_releases(connection: Connection, report: Report) -> None:
    with report.checking(RELEASES) as looked_at:
        moves: dict[str, list[releases.Move]] = {}
        for move in releases.moves_of(connection):
            moves.setdefault(move.release, []).append(move)
            event = log.one(connection, PUBLIC, move.seq)
            where = f"release_moves {move.seq}"
            if event is None or (event.kind, json.loads(event.detail)["release"]) != (move.state, move.release):
                report.found(RELEASES, where, "the step has no public event")
            elif event.commitment != log.commit_to({"actor": move.actor}, move.salt):
                report.found(RELEASES, where, "who took this step was changed")
        recorded = set(log.rows(connection, PUBLIC, kinds=["requested", "drawn", "approved", "published", "declined"]))
        known = {move.seq for steps in moves.values() for move in steps}
        for row in sorted(recorded, key=lambda one: one.seq):
            if row.seq not in known:
                report.found(RELEASES, f"public {row.seq}", f"the {row.kind!r} event has no step")
        for release in releases.everything(connection):
            looked_at.append(1)
            steps = moves.pop(release.release, [])
            if not steps or steps[-1].state != release.state:
                report.found(RELEASES, f"releases {release.release}", "its state is not that of its last step")
        for name in moves:
            report.found(RELEASES, f"releases {name}", "it has steps and is gone")
