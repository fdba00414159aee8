"""Does who invited whom, and what became of it, stand as the events say?

Rules:
1. An invitation is what its person accepted: her event names the offer openly, and the sponsor under her key while that is there.
2. Its state is that of its last event, and what counts was counted: the act is there, for the sponsor's own participation.
3. No ring, and one sponsor a person: the constraints are tried again here, on what lies in the tables.
4. An invitation that is gone was of somebody who was erased, or of a campaign that is over.
5. A link is what its event says; nobody who was erased has one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS, SALT_BYTES, Row
from volens.offering import store as offering
from volens.offering.participations import found_by
from volens.referring import store
from volens.referring.links import LINKED, UNLINKED
from volens.referring.states import COUNTED, HELD, KINDS, OPEN, REFERRED
from volens.referring.station import FORGOTTEN
from volens.referring.store import ENDED, Tie

if TYPE_CHECKING:
    from sqlalchemy import Connection

TIES = "who invited whom, and what became of it, is as the events say"
GRAPH = "nobody has two sponsors, and no way of invitations leads back"
LINKS = "every link for invitations is as its event says"


class Opener(Protocol):
    """What this needs of the vault."""

    def reveal(self, sealed: Sequence[tuple[int, bytes]]) -> list[bytes | None]:
        """Opens sealed values; None without a key, b"" where one does not open."""


def check_referring(connection: Connection, vault: Opener, report: Report) -> None:
    """The tables of invitations against their events."""
    ties = store.all_ties(connection)
    erased = log.customers_of_kind(connection, "erased")
    _check_ties(connection, vault, ties, erased, report)
    _check_graph(connection, ties, report)
    _check_links(connection, erased, report)


def _check_ties(connection: Connection, vault: Opener, ties: list[Tie], erased: set[int], report: Report) -> None:
    with report.checking(TIES) as looked_at:
        began = {row.seq: row for row in log.rows(connection, EVENTS, kinds=[REFERRED])}
        last: dict[int, Row] = {}
        for row in log.rows(connection, EVENTS, kinds=sorted(KINDS.values())):
            last[int(row.said()["tie"])] = row
        sponsors = _sponsors(vault, began.values())
        for one in ties:
            looked_at.append(1)
            where, first = f"referral_ties {one.number}", began.pop(one.number, None)
            if first is None or (first.customer, first.said().get("offer")) != (one.friend, one.offer):
                report.found(TIES, where, "its event says something else")
                continue
            if sponsors.get(one.number, one.sponsor) != one.sponsor:
                report.found(TIES, where, "its person accepted the invitation of somebody else")
            newest = last.get(one.number)
            found = (newest.kind, newest.seq) if newest is not None else (KINDS[OPEN], first.seq)
            if found != (KINDS[one.state], one.seq):
                report.found(TIES, where, "its state is not that of its last event")
            if one.participation is not None and not _counted(connection, one):
                report.found(TIES, where, "what it counts for has no such act")
            if {one.friend, one.sponsor} & erased:
                report.found(TIES, where, "it is of somebody who was erased")
        _check_gone(connection, began, sponsors, erased, report)


def _counted(connection: Connection, one: Tie) -> bool:
    """Whether the act that an invitation counts as is there, for a participation of its sponsor."""
    if one.state not in (COUNTED, HELD):
        return True
    act = offering.act(connection, found_by(one.offer, one.act))
    return act is not None and (act.participation, act.customer) == (one.participation, one.sponsor)


def _check_gone(
    connection: Connection, began: dict[int, Row], sponsors: dict[int, int], erased: set[int], report: Report
) -> None:
    over = {row.said()["offer"]: row.seq for row in log.rows(connection, EVENTS, kinds=[FORGOTTEN])}
    for number, row in sorted(began.items()):
        of = {row.customer, sponsors.get(number)}
        if not of & erased and over.get(row.said().get("offer"), -1) < number:
            report.found(TIES, f"referral_ties {number}", "somebody accepted it, and it is gone")


def _sponsors(vault: Opener, rows: Iterable[Row]) -> dict[int, int]:
    """Who invited, by the number of the invitation, where the key is there to read it."""
    told = [row for row in rows if row.sealed is not None and row.customer is not None]
    opened = vault.reveal([(row.customer or 0, row.sealed or b"") for row in told])
    found = {}
    for row, plain in zip(told, opened, strict=True):
        if plain is not None:
            try:
                found[row.seq] = int(json.loads(plain[SALT_BYTES:])["sponsor"])
            except (ValueError, KeyError, TypeError):
                found[row.seq] = -1
    return found


def _check_graph(connection: Connection, ties: list[Tie], report: Report) -> None:
    with report.checking(GRAPH) as looked_at:
        above = dict[int, int]()
        for one in ties:
            looked_at.append(1)
            if one.friend in above:
                report.found(GRAPH, f"referral_ties {one.number}", "its person has another sponsor as well")
            above[one.friend] = one.sponsor
        generations = store.all_people(connection)
        for one in ties:
            if generations.get(one.friend, -1) != generations.get(one.sponsor, -2) + 1:
                report.found(GRAPH, f"referral_ties {one.number}", "it does not go down")
            way, at = set[int](), one.friend
            while at in above and at not in way:
                way.add(at)
                at = above[at]
            if at in way:
                report.found(GRAPH, f"referral_ties {one.number}", "the way up leads back")


def _check_links(connection: Connection, erased: set[int], report: Report) -> None:
    with report.checking(LINKS) as looked_at:
        last: dict[tuple[int | None, str], Row] = {}
        for row in log.rows(connection, EVENTS, kinds=[LINKED, UNLINKED]):
            last[row.customer, str(row.said().get("offer"))] = row
        for one in store.all_links(connection):
            looked_at.append(1)
            where = f"referral_links {one.number}"
            made = log.one(connection, EVENTS, one.number)
            if made is None or (made.kind, made.customer, made.said().get("offer")) != (LINKED, one.customer, one.offer):
                report.found(LINKS, where, "its event says something else")
            newest = last.get((one.customer, one.offer))
            if one.state != ENDED and (newest is None or (newest.kind, newest.seq) != (LINKED, one.seq)):
                report.found(LINKS, where, "it was ended, or its last event is another")
            if one.customer in erased:
                report.found(LINKS, where, "it is of somebody who was erased")
