"""The whole audit, check by check. Reads only; nothing is mended here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from volens.audit.replay import check_choices_and_uses
from volens.audit.report import Report
from volens.audit.trees import check_trees, kept_outside
from volens.errors import NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC
from volens.evidence.merkle import leaf_hash
from volens.evidence.outside import Outside
from volens.holders import Database
from volens.identity import accounts
from volens.ingest import store as intake
from volens.insights import accountant
from volens.releases import store as releases
from volens.releases.workflow import REQUESTED, TRANSITIONS, check_move

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUDGET = "every charge and answer is on the public record"
RELEASES = "every release stands where its steps led"
BATCHES = "every feed that came in stands where its steps led"
ACCOUNTS = "every account belongs to whom it was linked"


def audit(
    records: Database, outside: Outside, misfiled: Callable[[Connection], list[tuple[int, str]]] = lambda _: []
) -> Report:
    """Checks everything in one snapshot of the records.

    `misfiled` is the vault's: it opens each account and says which are not found by their own value.
    """
    report = Report()
    kept = kept_outside(outside)  # before the snapshot: what is signed while we look is newer than what we compare with
    with records.reading() as connection:
        check_trees(connection, outside, kept, report)
        drawn = check_choices_and_uses(connection, report)
        _check_accounts(connection, misfiled, report)
        _check_batches(connection, report)
        _check_budget(connection, drawn, report)
        _check_releases(connection, report)
    return report


def _said(row: log.Row | None) -> dict[str, Any]:
    """The detail of a public event; nothing if there is none or it cannot be read."""
    try:
        return row.said() if row is not None else {}
    except ValueError:
        return {}


def _check_accounts(
    connection: Connection, misfiled: Callable[[Connection], list[tuple[int, str]]], report: Report
) -> None:
    with report.checking(ACCOUNTS) as looked_at:
        should = {}
        for row in log.rows(connection, EVENTS, kinds=["linked"]):
            said = _said(row)
            should[said.get("account", -row.seq)] = (row.customer, said.get("kind"))
        stored = accounts.everything(connection)
        looked_at.append(len(stored))
        for account in sorted(should.keys() | stored.keys()):
            if should.get(account) != stored.get(account):
                report.found(ACCOUNTS, f"accounts {account}", "it is not linked as the events say")
        for account, wrong in misfiled(connection):
            report.found(ACCOUNTS, f"accounts {account}", wrong)
        missing = {customer for customer, _ in should.values()} - accounts.customers(connection)
        for customer in sorted(one for one in missing if one is not None):
            report.found(ACCOUNTS, f"customers {customer}", "the customer of an account is gone")
        for name, last in accounts.numbers_given(connection).items():
            highest = max(stored if name == "account" else [one for one, _ in stored.values()], default=0)
            if last < highest:
                report.found(ACCOUNTS, f"numbers {name}", "numbers that are taken would be given again")


def _check_batches(connection: Connection, report: Report) -> None:
    with report.checking(BATCHES) as looked_at:
        should = {}
        for row in log.rows(connection, EVENTS, kinds=["batch"]):
            said = _said(row)
            should[str(said.get("batch"))] = said.get("state")
        stored = intake.states(connection)
        looked_at.append(len(stored))
        for batch in sorted(should.keys() | stored.keys()):
            if should.get(batch) != stored.get(batch):
                report.found(BATCHES, f"batches {batch}", "its state is not that of its last step")


def _check_budget(connection: Connection, drawn: set[str], report: Report) -> None:
    """Rows against public events, both ways, and each year against its cap."""
    with report.checking(BUDGET) as looked_at:
        events = {row.seq: row for row in log.rows(connection, PUBLIC, kinds=["reserved", "answered"])}
        spent: dict[int, int] = {}
        caps: dict[int, int] = {}
        known: set[Any] = set()
        reserved_plans = set()
        for row in accountant.all_reservations(connection):
            looked_at.append(1)
            where = f"reservations {row['plan'][:12]}"
            known |= {row["seq"], row["answered"]}
            reserved_plans.add(row["plan"])
            said = _said(events.get(row["seq"]))
            years = said.get("years", [])
            charged: list[tuple[Any, Any, Any]] = [(year, said.get("rho_nano"), said.get("cap_nano")) for year in years]
            told = (said.get("plan"), said.get("supplier"), said.get("pack"), charged)
            if told != (row["plan"], row["supplier"], _digest(row["pack"]), row["charges"]):
                report.found(BUDGET, where, "the row says something else than its public event")
                continue
            for year, rho, cap in charged:
                spent[year] = spent.get(year, 0) + rho
                caps[year] = min(caps.get(year, cap), cap)
            _check_answer(row, events, drawn, where, report)
        for seq in sorted(set(events) - known):
            report.found(BUDGET, f"public {seq}", f"the {events[seq].kind!r} event has no row")
        for plan in sorted(accountant.charged_plans(connection) - reserved_plans):
            report.found(BUDGET, f"charges {plan[:12]}", "a charge belongs to no reservation")
        for year, total in spent.items():
            if total > caps[year]:
                report.found(BUDGET, f"charges {year}", "the year has spent more than its cap")


def _check_answer(
    row: dict[str, Any], events: dict[int, log.Row], drawn: set[str], where: str, report: Report
) -> None:
    if row["answer"] is None and row["answered"] is None:
        return
    should = {"plan": row["plan"], "answer": leaf_hash(str(row["answer"]).encode()).hex()}
    if _said(events.get(row["answered"])) != should:
        report.found(BUDGET, where, "the stored answer is not the one that was drawn")
    if row["plan"] not in drawn:
        report.found(BUDGET, where, "it has an answer, and nothing was ever drawn for it")


def _check_releases(connection: Connection, report: Report) -> None:
    with report.checking(RELEASES) as looked_at:
        steps: dict[str, list[releases.Move]] = {}
        for move in releases.moves_of(connection):
            steps.setdefault(move.release, []).append(move)
            event = log.one(connection, PUBLIC, move.seq)
            if event is None or (event.kind, _said(event).get("release")) != (move.state, move.release):
                report.found(RELEASES, f"release_moves {move.seq}", "the step has no public event")
            elif event.commitment != log.commit_to({"actor": move.actor}, move.salt):
                report.found(RELEASES, f"release_moves {move.seq}", "who took this step was changed")
        known = {move.seq for moves in steps.values() for move in moves}
        for row in log.rows(connection, PUBLIC, kinds=sorted(TRANSITIONS)):
            if row.seq not in known:
                report.found(RELEASES, f"public {row.seq}", f"the {row.kind!r} event has no step")
        for release in releases.everything(connection):
            looked_at.append(1)
            _check_release(connection, release, steps.pop(release.release, []), report)
        for name in steps:
            report.found(RELEASES, f"releases {name}", "it has steps and is gone")


def _check_release(
    connection: Connection, release: releases.Stored, steps: list[releases.Move], report: Report
) -> None:
    """A release's row against its steps, and the steps against the workflow that every step must have passed."""
    where = f"releases {release.release}"
    if not steps or steps[-1].state != release.state:
        report.found(RELEASES, where, "its state is not that of its last step")
        return
    certificate = None
    for before, step in zip([None, *steps], steps, strict=False):
        event = log.one(connection, PUBLIC, step.seq)
        said = _said(event)
        certificate = said.pop("certificate", certificate)
        if said != releases.asked(release) or (event is not None and event.recipient != release.supplier):
            report.found(RELEASES, where, "plan, supplier or pack are not those of its steps")
        requested_by = [one.actor for one in steps if one.seq < step.seq and one.state == REQUESTED]
        if before is None:
            if step.state != REQUESTED:
                report.found(RELEASES, where, "its first step is not a request")
            continue
        try:
            stood = replace(release, state=before.state)
            check_move(stood, step.state, step.actor, requested_by[-1] if requested_by else step.actor)
        except NotNow as wrong:
            report.found(RELEASES, f"release_moves {step.seq}", wrong.what)
    if certificate != release.certificate:
        report.found(RELEASES, where, "its certificate is not the one that was published")


def _digest(pack: str) -> str:
    return hashlib.sha256(pack.encode()).hexdigest()
