"""Do the records of the purchases table's own life stand as their events say?

Rules:
1. Every removal that was asked for has its row, and what the row says was done was recorded as done.
2. What waits to be appended is what the last event about it committed to.
3. The lines themselves are not on this record; that none is left is counted over the files, by `purchases.probe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS, Row
from volens.purchases import arrivals, queue

if TYPE_CHECKING:
    from sqlalchemy import Connection

ARRIVALS = "what waits to be appended is what arrived"
REMOVALS = "every removal stands as it was asked for and done"


def check_removals(connection: Connection, report: Report) -> None:
    """Removals against their events, both ways."""
    with report.checking(REMOVALS) as looked_at:
        should: dict[int, tuple[Any, ...]] = {}
        for row in log.rows(connection, EVENTS, kinds=["removal-asked", "removed"]):
            said = _said(row)
            if row.kind == "removal-asked":
                should[row.seq] = (row.customer, row.day, said.get("due"), None, None, None)
                continue
            asked = said.get("asked")
            before = should.get(asked) if isinstance(asked, int) else None
            if before is None or before[0] != row.customer or before[5] is not None:
                report.found(REMOVALS, f"events {row.seq}", "a removal was done that nobody asked for")
                continue
            should[int(asked or 0)] = (*before[:3], said.get("lines"), row.day, row.seq)
        stored = queue.everything(connection)
        looked_at.append(len(stored))
        for seq in sorted(should.keys() | stored.keys()):
            if should.get(seq) != _told(stored.get(seq)):
                report.found(REMOVALS, f"removals {seq}", "it does not stand as its events say")


def check_arrivals(connection: Connection, report: Report) -> None:
    """The chunks that wait, hashed anew, against the newest event about them."""
    with report.checking(ARRIVALS) as looked_at:
        last = log.latest(connection, EVENTS, "arrivals")
        chunks, state = arrivals.looked_at(connection)
        looked_at.append(chunks)
        if (chunks or last is not None) and (last is None or _said(last).get("state") != state):
            report.found(ARRIVALS, "arrivals", "lines that wait were changed, removed or put there by hand")
        if state != arrivals.state(connection):
            report.found(ARRIVALS, "arrivals", "a chunk is not the one whose digest stands beside it")


def _told(row: dict[str, Any] | None) -> tuple[Any, ...] | None:
    """A row in the words of its events. Counts of a pass that has not finished are not on record yet."""
    if row is None:
        return None
    lines = row["lines"] if row["done"] is not None else None
    return (row["customer"], row["asked_day"], row["due_day"], lines, row["done_day"], row["done"])


def _said(row: Row) -> dict[str, Any]:
    try:
        return row.said()
    except ValueError:
        return {}
