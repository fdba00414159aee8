"""Do audiences, lists, removals and suppression stand as their events say, and had every list only people who passed the door?

Rules:
1. Definitions, builds, lists, removals and suppression are folds of their events, compared both ways.
2. The people of a build and of a removal are those that the event committed to; those of a list are the door's, which
   `audit.replay` judges by everybody's choices.
3. A list that was committed and never laid down is lost by an event, or waits for the next run to say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from volens.audiences import kept_out, store
from volens.audiences.activation import LIST_LOST, LISTED
from volens.audiences.building import BUILT
from volens.audiences.registry import DEFINED, ENDED, RELEASED, SUPPRESSED, digest
from volens.audiences.removals import ACKNOWLEDGED, REMOVAL
from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS, SALT_BYTES, Row
from volens.gate.store import commitment, customers_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

AUDIENCES = "every audience, list and removal is as the events say"
SUPPRESSION = "who is kept out of audiences is as the events say"


class Opener(Protocol):
    """Opens what is sealed; None without a key, b"" where it does not open."""

    def reveal(self, sealed: Sequence[tuple[int, bytes]]) -> list[bytes | None]: ...


def check_audiences(connection: Connection, vault: Opener, report: Report) -> None:
    """Every table of audiences against its events."""
    with report.checking(AUDIENCES) as looked_at:
        events = {row.seq: row for row in log.rows(
            connection, EVENTS, kinds=[DEFINED, ENDED, BUILT, LISTED, LIST_LOST, REMOVAL, ACKNOWLEDGED, "handed_over"]
        )}  # fmt: skip
        looked_at.append(_check_definitions(connection, events, report))
        looked_at.append(_check_lists(connection, events, report))
        looked_at.append(_check_removals(connection, events, report))
        _check_builds(connection, events, report)
        known = {one.seq for one in store.all_built(connection)} | {one.removal for one in store.removals(connection)}
        for owner in sorted(store.owners(connection) - known):
            report.found(AUDIENCES, f"audience_sets {owner}", "a set belongs to no build and to no removal")
    with report.checking(SUPPRESSION) as looked_at:
        looked_at.append(_check_suppression(connection, vault, report))


def _said(row: Row | None) -> Mapping[str, Any]:
    """What an event says; nothing if there is none or it cannot be read."""
    try:
        said = row.said() if row is not None else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _check_definitions(connection: Connection, events: Mapping[int, Row], report: Report) -> int:
    told: dict[Any, list[Any]] = {}
    for row in events.values():
        said = _said(row)
        if row.kind == DEFINED:
            told[said.get("audience")] = [row.seq, said.get("sha256"), said.get("until"), row.recipient, None]
        elif row.kind == ENDED and said.get("audience") in told:
            told[said.get("audience")][4] = row.seq
    stored = {}
    for one in store.all_defined(connection):
        stored[one.audience] = [one.seq, digest(one.document), one.until, one.document.get("recipient"), one.ended]
    for audience in sorted(told.keys() | stored.keys(), key=str):
        if told.get(audience) != stored.get(audience):
            report.found(AUDIENCES, f"audiences {audience}", "it is not as its last event says")
    return len(stored)


def _check_builds(connection: Connection, events: Mapping[int, Row], report: Report) -> None:
    """The newest build of every audience that goes on, unless the audience was defined anew and never built since."""
    last: dict[Any, int] = {}
    for row in events.values():
        audience = _said(row).get("audience")
        if row.kind == BUILT:
            last[audience] = row.seq
        elif row.kind == ENDED:
            last.pop(audience, None)
    stored = {one.audience: one for one in store.all_built(connection)}
    for audience in sorted(last.keys() | stored.keys(), key=str):
        where, one = f"audience_builds {audience}", stored.get(audience)
        if one is None or last.get(audience) != one.seq:
            report.found(AUDIENCES, where, "it is not the build that was made last")
            continue
        said, people = _said(events[one.seq]), store.set_of(connection, one.seq)
        if (said.get("defined"), said.get("position"), said.get("people")) != (one.defined, one.position, one.people):
            report.found(AUDIENCES, where, "it says something else than its event")
        if events[one.seq].commitment != commitment(one.salt, people) or len(people) != one.people:
            report.found(AUDIENCES, where, "the people in it are not those that were committed to")


def _check_lists(connection: Connection, events: Mapping[int, Row], report: Report) -> int:
    listed = {row.seq for row in events.values() if row.kind == LISTED}
    lost = {_said(row).get("list") for row in events.values() if row.kind == LIST_LOST}
    stored = store.lists(connection)
    for one in stored:
        where, event, door = f"audience_lists {one.list}", events.get(one.seq), events.get(one.list)
        listed.discard(one.seq)
        said, out = _said(event), _said(door)
        told = (said.get("audience"), said.get("list"), said.get("file"), said.get("sha256"), said.get("people"))
        if event is None or told != (one.audience, one.list, one.file, one.sha256, one.people) or event.recipient != one.recipient:
            report.found(AUDIENCES, where, "it says something else than its event")
        if door is None or (door.kind, out.get("audience"), door.recipient) != ("handed_over", one.audience, one.recipient):
            report.found(AUDIENCES, where, "nobody passed the door for it")
        elif len(customers_of(connection, one.list)) != one.people:
            report.found(AUDIENCES, where, "it has not as many people as passed the door")
        if (one.list in lost) != (one.state == store.LOST):
            report.found(AUDIENCES, where, "whether it ever reached anybody is not as its events say")
    for seq in sorted(listed):
        report.found(AUDIENCES, f"events {seq}", "a list was handed over and its row is gone")
    return len(stored)


def _check_removals(connection: Connection, events: Mapping[int, Row], report: Report) -> int:
    made = {row.seq for row in events.values() if row.kind == REMOVAL}
    done = {_said(row).get("removal"): row.seq for row in events.values() if row.kind == ACKNOWLEDGED}
    stored = store.removals(connection)
    for one in stored:
        where, event = f"audience_removals {one.removal}", events.get(one.removal)
        made.discard(one.removal)
        said, people = _said(event), store.set_of(connection, one.removal)
        told = (said.get("audience"), said.get("file"), said.get("sha256"), said.get("people"))
        if event is None or told != (one.audience, one.file, one.sha256, one.people) or event.recipient != one.recipient:
            report.found(AUDIENCES, where, "it says something else than its event")
        elif event.commitment != commitment(one.salt, people) or len(people) != one.people:
            report.found(AUDIENCES, where, "the people in it are not those that were committed to")
        if done.pop(one.removal, None) != one.acknowledged:
            report.found(AUDIENCES, where, "whether it is acknowledged is not as its events say")
    for seq in sorted([*made, *done.values()]):
        report.found(AUDIENCES, f"events {seq}", "a removal was made or acknowledged and its row is gone")
    return len(stored)


def _check_suppression(connection: Connection, vault: Opener, report: Report) -> int:
    """Who is kept out, since which event, and why as far as a key still opens it."""
    told: dict[int, Row] = {}
    for row in log.rows(connection, EVENTS, kinds=[SUPPRESSED, RELEASED, "erased"]):
        if row.kind == SUPPRESSED and row.customer is not None:
            told[row.customer] = row
        elif row.customer is not None:
            told.pop(row.customer, None)
    stored = kept_out.suppressed(connection)
    opened = vault.reveal([(customer, told[customer].sealed or b"") for customer in sorted(told)])
    why = dict(zip(sorted(told), opened, strict=True))
    for customer in sorted(told.keys() | stored.keys()):
        where = f"audience_suppressed {customer}"
        if customer not in stored or customer not in told or told[customer].seq != stored[customer][1]:
            report.found(SUPPRESSION, where, "it is not as the last event about this customer says")
            continue
        plain = why[customer]
        if plain:
            try:
                reason = json.loads(plain[SALT_BYTES:])["reason"]
            except (ValueError, KeyError, TypeError):
                reason = None
            if reason != stored[customer][0]:
                report.found(SUPPRESSION, where, "the reason is not the one that was recorded")
    return len(stored)
