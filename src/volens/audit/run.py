"""The whole audit, check by check. Reads only; nothing is mended here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from volens.audit.access import check_access
from volens.audit.asking import check_forms, check_questions, check_scans
from volens.audit.audiences import check_audiences
from volens.audit.campaigns import check_campaigns
from volens.audit.choices import check_imports
from volens.audit.devices import check_devices
from volens.audit.doorways import check_doorways
from volens.audit.followers import check_followers
from volens.audit.keys import check_keys
from volens.audit.licences import check_licences
from volens.audit.linking import check_links
from volens.audit.messages import check_messages
from volens.audit.offering import check_offering
from volens.audit.people import TOMBSTONES, check_batches, check_lives, check_people, check_sealed, check_tombstones
from volens.audit.publishing import check_counts, check_publishing
from volens.audit.referring import check_referring
from volens.audit.reminders import check_reminders
from volens.audit.replay import check_choices_and_uses
from volens.audit.report import Report
from volens.audit.rows import check_group_rows
from volens.audit.sponsored import check_sponsored
from volens.audit.table import check_arrivals, check_removals
from volens.audit.trees import check_trees, kept_outside
from volens.audit.wallet import check_wallet
from volens.errors import NotNow, Tampered
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.evidence.merkle import leaf_hash
from volens.evidence.outside import Outside
from volens.evidence.verify import verify_package
from volens.evidence.witness_client import FOLDER, alarms
from volens.holders import Database
from volens.identity.tombstones import Tombstones
from volens.insights import accountant
from volens.releases import store as releases
from volens.releases.workflow import PUBLISHED, REQUESTED, TRANSITIONS, check_move

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUDGET = "every charge and answer is on the public record"
RELEASES = "every release stands where its steps led"
WITNESSES = "no witness refuses what was signed"
PACKAGES = "every published package is there and verifies"


class Opener(Protocol):
    """What the audit needs of the vault. It hands out no name: it says what does not fit."""

    def misfiled(self, connection: Connection) -> list[tuple[int, str]]:
        """Accounts that are not found by their own value, with what is wrong."""

    def keyless(self, wanted: Iterable[int]) -> set[int]:
        """Those of `wanted` whose key is not there."""

    def count_by_kek(self) -> dict[str, int]:
        """Customer keys by the id of the key that wraps them."""

    def reveal(self, sealed: Sequence[tuple[int, bytes]]) -> list[bytes | None]:
        """Opens sealed values; None without a key, b"" where one does not open."""


def audit(
    records: Database, outside: Outside, vault: Opener, packages: Path | None = None, tombstones: Tombstones | None = None
) -> Report:
    """Checks everything in one snapshot of the records, the published packages in a folder, and the list of the erased."""
    report = Report()
    kept = kept_outside(outside)  # before the snapshot: what is signed while we look is newer than what we compare with
    with records.reading() as connection:
        check_trees(connection, outside, kept, report)
        check_group_rows(connection, report)
        drawn = check_choices_and_uses(connection, report)
        check_sealed(connection, vault, report)
        check_people(connection, vault, report)
        check_keys(connection, vault, report)
        if tombstones is not None:
            _check_tombstones(connection, tombstones, report)
        check_links(connection, report)
        check_lives(connection, report)
        check_batches(connection, report)
        check_imports(connection, report)
        check_doorways(connection, report)
        check_removals(connection, report)
        check_arrivals(connection, report)
        check_followers(connection, report)
        check_access(connection, report)
        check_publishing(connection, report)
        check_counts(connection, report)
        check_campaigns(connection, report)
        check_questions(connection, report)
        check_devices(connection, vault, report)
        check_audiences(connection, vault, report)
        check_forms(connection, report)
        check_scans(connection, report)
        check_reminders(connection, report)
        check_sponsored(connection, report)
        check_licences(connection, vault, report)
        check_referring(connection, vault, report)
        check_offering(connection, report)
        check_messages(connection, report)
        check_wallet(connection, report)
        _check_budget(connection, drawn, report)
        _check_releases(connection, report)
        if packages is not None:
            _check_packages(connection, packages, outside, report)
    if (outside.folder / FOLDER).is_dir():
        _check_witnesses(outside, report)
    return report


def _check_witnesses(outside: Outside, report: Report) -> None:
    """What the witnesses last said. They are not asked here: an audit talks to nobody."""
    refusals = alarms(outside.folder)
    with report.checking(WITNESSES) as looked_at:
        looked_at.append(sum(1 for _ in (outside.folder / FOLDER).glob("*.json")))
        for one in refusals:
            report.found(WITNESSES, f"{one.tree} at {one.witness}", f"this witness refuses the tree: {one.alarm}")


def _check_tombstones(connection: Connection, tombstones: Tombstones, report: Report) -> None:
    try:
        stones = tombstones.read()
    except Tampered as error:
        report.found(TOMBSTONES, tombstones.file.name, error.what)
        return
    check_tombstones(connection, stones, report)


def _check_packages(connection: Connection, packages: Path, outside: Outside, report: Report) -> None:
    """What was published is there, verifies, and is what the log committed to."""
    with report.checking(PACKAGES) as looked_at:
        for release in releases.everything(connection):
            if release.state != PUBLISHED:
                continue
            looked_at.append(1)
            file = packages / f"{release.release}.volens"
            if not file.is_file():
                report.found(PACKAGES, file.name, "the published package is gone; publishing again may make it anew")
                continue
            failed = [step for step in verify_package(file, trusted_key=outside.vkey).steps if not step.ok]
            if failed:
                report.found(PACKAGES, file.name, f"it does not verify: {failed[0].detail}")


def _said(row: log.Row | None) -> dict[str, Any]:
    """The detail of a public event; nothing if there is none or it cannot be read."""
    try:
        return row.said() if row is not None else {}
    except ValueError:
        return {}


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
