"""Did every account move as its events say, and does nobody have a yes that nobody said?

Rules:
1. Links and waiting relabellings are a fold of `linked`, `unlinked` and `relabelled`, compared with what is stored, both ways.
2. A yes that is not a choice of its own (it was given back, or a stricter one took its place) names the choice that it
   repeats: an earlier yes with the same text and day, of the same customer or of one tied to her by a link.
3. What cannot be read is a finding, never a crash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.evidence import groups, log
from volens.evidence.groups import GROUPS
from volens.evidence.log import EVENTS, Row
from volens.identity import links
from volens.identity.links import Link, Pending
from volens.permissions.state import PERMITTING

if TYPE_CHECKING:
    from sqlalchemy import Connection

LINKS = "every link of cards is as the events say"
REPEATED = "every yes that was not said anew was said before"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


@dataclass
class _Told:
    """What the events say so far."""

    links: dict[int, Link] = field(default_factory=dict)
    waiting: dict[tuple[int, int], Pending] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """One more event."""
        said = row.said()
        if row.kind == "relabelled":
            for former, since in said["from"]:
                waits = self.waiting.get((said["account"], former))
                if waits is not None and waits.since == since:
                    del self.waiting[said["account"], former]
            for link in said["restored"]:
                self.links[link] = Link(**{**vars(self.links[link]), "restored": row.seq})
        elif said.get("from") is not None:
            account, former = int(said["account"]), int(said["from"])
            self.waiting[account, former] = Pending(account, former, row.seq, 0)
            for key, waits in self.waiting.items():
                if key[0] == account:
                    self.waiting[key] = Pending(account, waits.former, waits.since, int(row.customer or 0))
            if row.kind == "unlinked":
                undone = said["undoes"]
                self.links[undone] = Link(**{**vars(self.links[undone]), "undone": row.seq})
            else:
                self.links[row.seq] = Link(row.seq, account, former, int(row.customer or 0), None, None)


def check_links(connection: Connection, report: Report) -> None:
    """Links and relabellings against their events, and repeated words against what they repeat."""
    told = _Told()
    with report.checking(LINKS) as looked_at:
        for row in log.rows(connection, EVENTS, kinds=["linked", "unlinked", "relabelled"]):
            try:
                told.add(row)
            except UNREADABLE:
                report.found(LINKS, f"events {row.seq}", "it cannot be read as it was written")
        stored = {link.link: link for link in links.all_links(connection)}
        looked_at.append(len(stored))
        for link in sorted(told.links.keys() | stored.keys()):
            if told.links.get(link) != stored.get(link):
                report.found(LINKS, f"links {link}", "it is not as its events say")
        noted = {(row.account, row.former): row for row in links.pending(connection)}
        for key in sorted(told.waiting.keys() | noted.keys()):
            if told.waiting.get(key) != noted.get(key):
                report.found(LINKS, f"relabellings {key[0]}/{key[1]}", "whose lines wait is not as the events say")
    with report.checking(REPEATED) as looked_at:
        for row in log.rows(connection, EVENTS, kinds=sorted(PERMITTING)):
            if row.commitment is not None:
                continue  # said by somebody, with its proof sealed
            looked_at.append(1)
            if not _was_said(connection, row, told):
                report.found(REPEATED, f"events {row.seq}", f"a {row.kind!r} that nobody said")


def _was_said(connection: Connection, row: Row, told: _Told) -> bool:
    try:
        said: dict[str, Any] = row.said()
        number = said["of"] if "of" in said else said["restores"]
    except UNREADABLE:
        return False
    if not isinstance(number, int) or number >= row.seq:
        return False
    for customer, purpose, kind, text, day in _choices_at(connection, number):
        if (purpose, kind, text, day) != (row.purpose, row.kind, row.text, row.day):
            continue
        if customer == row.customer or _tied(told, customer, row.customer):
            return True
    return False


def _choices_at(connection: Connection, seq: int) -> list[tuple[int | None, str | None, str, str | None, str | None]]:
    """Customer, purpose, kind, text and day of what stands at a number."""
    event = log.one(connection, EVENTS, seq)
    if event is None:
        return []
    if event.kind in GROUPS:
        return [(row.customer, row.purpose, row.kind, row.text, row.day) for row in groups.rows_of(connection, seq)]
    return [(event.customer, event.purpose, event.kind, event.text, event.day)]


def _tied(told: _Told, one: int | None, other: int | None) -> bool:
    """Whether links ever tied two customers, directly or through others."""
    found, waiting = {one}, [one]
    while waiting:
        side = waiting.pop()
        for link in told.links.values():
            for next_ in {link.former, link.customer} - found if side in (link.former, link.customer) else ():
                found.add(next_)
                waiting.append(next_)
    return other in found
