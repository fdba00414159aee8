"""Do the rows of events of many rows give the root that their event committed to?

Rules:
1. Every row is hashed again; a row that no longer gives its leaf is named by its event and place.
2. The root is made from what the rows really give and compared with the event's: rows that were changed together with
   their leaves, added, removed or exchanged make it another.
3. Rows without an event are found too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from volens.audit.report import Report
from volens.evidence import groups, log
from volens.evidence.groups import GROUPS, StoredRow
from volens.evidence.log import EVENTS, Row
from volens.evidence.merkle import leaf_hash, root_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROWS = "rows of events of many rows are those that were committed to"


def check_group_rows(connection: Connection, report: Report) -> None:
    """All events of many rows, one at a time: the memory of one event."""
    with report.checking(ROWS) as looked_at:
        for event in log.rows(connection, EVENTS, kinds=list(GROUPS)):
            rows = groups.rows_of(connection, event.seq)
            looked_at.append(len(rows))
            _check(event, rows, report)
        for seq in groups.strangers(connection):
            report.found(ROWS, f"events {seq}", "rows belong to an event that does not exist, or that has no rows")


def _check(event: Row, rows: list[StoredRow], report: Report) -> None:
    leaves = []
    changed = False
    for place, row in enumerate(rows):
        where = f"events {event.seq} row {row.place}"
        leaves.append(leaf_hash(row.entry()))
        if row.place != place:
            report.found(ROWS, where, "the row before it is missing")
            return
        if leaves[-1] != row.leaf:
            report.found(ROWS, where, f"the row of kind {row.kind!r} was changed after it was recorded")
            changed = True
        if event.kind == groups.IMPORT and row.sealed is None:
            report.found(ROWS, where, "the sealed part of the row is gone: how it was said cannot be shown")
    try:
        said = json.loads(event.detail)
        told = (said["rows"], said["root"])
    except (ValueError, KeyError, TypeError):
        told = (None, None)
    if told != (len(rows), root_of(leaves).hex()) and not changed:
        report.found(ROWS, f"events {event.seq}", "its rows are not those that the event committed to")
