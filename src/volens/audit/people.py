"""Do people, accounts, sealed parts and feeds stand as their events say?

Rules:
1. What is sealed is opened by the vault, one value at a time, and compared as a hash; no name reaches a finding.
2. A value whose key is destroyed cannot be opened, and is passed over: that is what destroying it is for.
3. Accounts and person of somebody who was erased are absent because `erased` says so. If they are there again, or the key is,
   or anything was recorded about her afterwards, that is a finding; so is a key that is gone without an erasure.
4. Refused lines are there until an event says that their time was over.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.evidence import groups, log
from volens.evidence.groups import GROUPS, StoredRow
from volens.evidence.log import EVENTS, SALT_BYTES, Row
from volens.identity import accounts, first_links
from volens.identity.first_links import FirstLink
from volens.identity.tombstones import Stones
from volens.ingest import mended
from volens.ingest import store as intake
from volens.permissions import parents
from volens.permissions.state import PERMITTING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.audit.run import Opener

SEALED = "every sealed part is the one that was committed to"
PEOPLE = "every account and person is as the events say"
TOMBSTONES = "who was erased outside the records is erased in them"
LIVES = "every closing, age and parent's yes is as the events say"
BATCHES = "every feed and refused line is as the events say"
OPENED_AT_ONCE = 5_000


def check_sealed(connection: Connection, vault: Opener, report: Report) -> None:
    """How each choice was said: the sealed part against the commitment in its leaf."""
    with report.checking(SEALED) as looked_at:
        waiting: list[Row | StoredRow] = []

        def judge() -> None:
            opened = vault.reveal([(row.customer or 0, row.sealed or b"") for row in waiting])
            for row, plain in zip(waiting, opened, strict=True):
                if plain is not None and hashlib.sha256(plain).digest() != row.commitment:
                    where = f"events {row.seq}" + (f" row {row.place}" if isinstance(row, StoredRow) else "")
                    report.found(SEALED, where, "its sealed part is not the one that was committed to")
            looked_at.append(len(waiting))
            waiting.clear()

        for row in log.rows(connection, EVENTS):
            if row.kind in GROUPS:
                waiting += [one for one in groups.rows_of(connection, row.seq) if one.sealed is not None]
            elif row.sealed is not None:
                waiting.append(row)
            if len(waiting) >= OPENED_AT_ONCE:
                judge()
        judge()


def check_people(connection: Connection, vault: Opener, report: Report) -> None:
    """Accounts and customers against their events, both ways."""
    with report.checking(PEOPLE) as looked_at:
        linked: dict[Any, tuple[int | None, Any]] = {}
        should: dict[int, tuple[Any, str | None]] = {}
        told: dict[int, Row] = {}
        erased: set[int] = set()
        given = {"account": 0, "customer": 0}
        for row in log.rows(connection, EVENTS, kinds=["linked", first_links.NEWCOMERS, "unlinked", "retired", "person", "erased"]):
            if row.kind == first_links.NEWCOMERS:
                for one in _newcomers(row, erased, report):
                    linked[one.account] = (one.customer, one.kind)
                    should[one.customer] = (one.country, None)
                    given = {"account": max(given["account"], one.account), "customer": max(given["customer"], one.customer)}
                continue
            if row.customer in erased:
                report.found(PEOPLE, f"events {row.seq}", f"customer number {row.customer} had been erased before")
            if row.kind == "erased":
                erased.add(row.customer or 0)
                should.pop(row.customer or 0, None)
                told.pop(row.customer or 0, None)
                for account in _said(row).get("accounts", []):
                    linked.pop(account, None)
                continue
            if row.kind == "person":
                told[row.customer or 0] = row
                continue
            said = _said(row)
            linked[said.get("account", -row.seq)] = (row.customer, said.get("kind"))
            given["account"] = max(given["account"], said.get("account", 0))
            given["customer"] = max(given["customer"], row.customer or 0)
            if said.get("country") is not None:
                should[row.customer or 0] = (said["country"], None)
        stored = accounts.everything(connection)
        looked_at.append(len(stored))
        for account in sorted(linked.keys() | stored.keys()):
            if stored.get(account, (0,))[0] in erased:
                report.found(PEOPLE, f"accounts {account}", "it leads to somebody who was erased")
            elif linked.get(account) != stored.get(account):
                report.found(PEOPLE, f"accounts {account}", "it is not linked as the events say")
        for account, wrong in vault.misfiled(connection):
            report.found(PEOPLE, f"accounts {account}", wrong)
        should |= _told(vault, told)
        people = accounts.customers(connection)
        for customer in sorted(should.keys() | people.keys()):
            if customer in erased:
                report.found(PEOPLE, f"customers {customer}", "somebody who was erased is there again")
            elif should.get(customer) != people.get(customer):
                report.found(PEOPLE, f"customers {customer}", "country or person are not as the events say")
        numbers = accounts.numbers_given(connection)
        for name in sorted({"account", "customer"} - numbers.keys()):
            report.found(PEOPLE, f"numbers {name}", "the last number given is not on record")
        for name, last in numbers.items():
            if last < max(given.get(name, 0), max(stored if name == "account" else people, default=0)):
                report.found(PEOPLE, f"numbers {name}", "numbers that were given would be given again")
        _check_keys(vault, set(people), erased, report)


def _newcomers(row: Row, erased: set[int], report: Report) -> list[FirstLink]:
    """The first links that one event says of many new customers."""
    try:
        found = list(first_links.said(row))
    except ValueError:
        report.found(PEOPLE, f"events {row.seq}", "it cannot be read as it was written")
        return []
    for one in found:
        if one.customer in erased:
            report.found(PEOPLE, f"events {row.seq}", f"customer number {one.customer} had been erased before")
    return found


def _check_keys(vault: Opener, people: set[int], erased: set[int], report: Report) -> None:
    """A key for everybody who is there, and none for those who were erased."""
    for customer in sorted(vault.keyless(people)):
        report.found(PEOPLE, f"customer keys {customer}", "the key is gone and no event says that the customer was erased")
    for customer in sorted(erased - vault.keyless(erased)):
        report.found(PEOPLE, f"customer keys {customer}", "the key of somebody who was erased is there again")


def check_tombstones(connection: Connection, stones: Stones, report: Report) -> None:
    """The list of those who were erased, kept outside the records, against their events, both ways."""
    with report.checking(TOMBSTONES) as looked_at:
        recorded = log.customers_of_kind(connection, "erased")
        looked_at.append(len(stones.everybody))
        for customer in sorted(recorded - stones.everybody):
            report.found(TOMBSTONES, f"tombstones {customer}", "the records say that it was erased, the list outside does not")
        for customer in sorted(stones.done - recorded):
            report.found(TOMBSTONES, f"tombstones {customer}", "this number was erased, and these records do not know it")
        for customer in sorted(set(stones.begun) - stones.done - recorded):
            report.found(TOMBSTONES, f"tombstones {customer}", "its erasure began and did not end: open the house to finish it")


def _told(vault: Opener, told: dict[int, Row]) -> dict[int, tuple[Any, str | None]]:
    """Country and person's hash as the newest event of each customer says, where it can be opened."""
    opened = vault.reveal([(customer, row.sealed or b"") for customer, row in told.items()])
    found: dict[int, tuple[Any, str | None]] = {}
    for customer, plain in zip(told, opened, strict=True):
        if plain:
            said = json.loads(plain[SALT_BYTES:])
            found[customer] = (said["country"], said["person"])
    return found


def check_lives(connection: Connection, report: Report) -> None:
    """Closed cards, ages and yeses of parents against their events, both ways."""
    with report.checking(LIVES) as looked_at:
        closed: dict[int, Any] = {}
        until: dict[int, Any] = {}
        for row in log.rows(connection, EVENTS, kinds=["account-closed", "account-opened", "retired", "minor", "erased"]):
            said = _said(row)
            if row.kind == "erased":
                until.pop(row.customer or 0, None)
                for account in said.get("accounts", []):
                    closed.pop(account, None)
            elif row.kind == "minor":
                until[row.customer or 0] = said.get("minor_until")
            else:
                closed[said.get("account", -row.seq)] = row.day if row.kind == "retired" else said.get("closed")
        for table, should, stored in (
            ("accounts", closed, accounts.closings(connection)),
            ("customers", until, accounts.ages(connection)),
        ):
            should = {key: day for key, day in should.items() if day is not None}
            looked_at.append(len(stored))
            for key in sorted(should.keys() | stored.keys()):
                if should.get(key) != stored.get(key):
                    report.found(LIVES, f"{table} {key}", "its closing or its age is not as the events say")
        by_parents: set[int] = set()
        for row in log.rows(connection, EVENTS, kinds=sorted(PERMITTING)):
            said = _said(row)
            if said.get("by") == "parent" or {said.get("of"), said.get("restores")} & by_parents:
                by_parents.add(row.seq)
        for seq in sorted(by_parents ^ parents.everything(connection)):
            report.found(LIVES, f"parental {seq}", "whether a parent gave this yes is not as the events say")


def check_batches(connection: Connection, report: Report) -> None:
    """Feeds and refused lines against their events, both ways."""
    with report.checking(BATCHES) as looked_at:
        rows: dict[str, Any] = {}
        refused: dict[str, tuple[Any, Any]] = {}
        notes: dict[str, dict[str, Any]] = {"mapping": {}, "mended": {}}
        opened: dict[int, Any] = {}
        over = ""
        kinds = ["batch", "quarantine-expired", "quarantine-mended", "quarantine-opened"]
        for row in log.rows(connection, EVENTS, kinds=kinds):
            said = _said(row)
            if row.kind == "quarantine-opened":
                opened[row.seq] = row.commitment
                continue
            if row.kind == "quarantine-mended":
                batch = str(said.get("batch"))
                refused[batch] = (said.get("quarantine"), refused.get(batch, (None, None))[1])
                continue
            if row.kind == "quarantine-expired":
                over = max(over, str(row.day))
                continue
            rows[str(said.get("batch"))] = said.get("row")
            for name, found in notes.items():
                if said.get(name) is not None:
                    found[str(said.get("batch"))] = said[name]
            if said.get("state") == "staged":
                refused[str(said.get("batch"))] = (said.get("quarantine"), said.get("kept_until"))
            elif said.get("state") == "cleared":
                refused.pop(str(said.get("batch")), None)
                notes["mended"].pop(str(said.get("batch")), None)
        stored = intake.row_digests(connection)
        looked_at.append(len(stored))
        for batch in sorted(rows.keys() | stored.keys()):
            if rows.get(batch) != stored.get(batch):
                report.found(BATCHES, f"batches {batch}", "it is not as its last event says")
        _check_mending(connection, notes, opened, report)
        kept = intake.quarantined_batches(connection)
        for batch in sorted(kept | refused.keys()):
            digest, until = refused.get(batch, (None, None))
            gone = until is not None and str(until) < over and batch not in kept
            if not gone and digest != intake.quarantine_digest(connection, batch):
                report.found(BATCHES, f"quarantine {batch}", "its refused lines are not those that were kept")


def _check_mending(
    connection: Connection, notes: dict[str, dict[str, Any]], opened: dict[int, Any], report: Report
) -> None:
    """What was taken in from the quarantine, by whom it was opened, and each batch's mapping, against their events."""
    stored = {"mapping": mended.mapping_digests(connection), "mended": mended.digests(connection)}
    for name, found in notes.items():
        for batch in sorted(found.keys() | stored[name].keys()):
            if found.get(batch) != stored[name].get(batch):
                report.found(BATCHES, f"{name} {batch}", "it is not as the batch's event says")
    openings = mended.stored_openings(connection)
    for seq in sorted(opened.keys() | openings.keys()):
        if opened.get(seq) != openings.get(seq):
            report.found(BATCHES, f"quarantine_openings {seq}", "who opened the quarantine, or why, was changed")


def _said(row: Row) -> dict[str, Any]:
    try:
        return row.said()
    except ValueError:
        return {}
