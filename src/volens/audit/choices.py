"""Do the records of imported choices stand as their events say?

Rules:
1. How many lines of a file were taken in and refused follows from its events; so does how far it went, and that it is done.
2. Refused lines are those that were committed to, until an event says that their time was over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.groups import IMPORT
from volens.evidence.log import EVENTS, Row
from volens.permissions import imports

if TYPE_CHECKING:
    from sqlalchemy import Connection

IMPORTS = "every import and refused choice is as the events say"


def check_imports(connection: Connection, report: Report) -> None:
    """Imports against their events, both ways."""
    with report.checking(IMPORTS) as looked_at:
        taken: dict[str, int] = {}
        refused: dict[str, int] = {}
        last: dict[str, int] = {}
        done: dict[str, dict[str, Any]] = {}
        waiting: dict[int, dict[str, Any]] = {}
        over = ""
        for row in log.rows(connection, EVENTS, kinds=[IMPORT, imports.REFUSED, imports.DONE, imports.REFUSED_EXPIRED]):
            said = _said(row)
            file = str(said.get("import"))
            if row.kind == imports.REFUSED_EXPIRED:
                over = max(over, str(row.day))
            elif row.kind == imports.DONE:
                done[file] = said
            elif row.kind == imports.REFUSED:
                refused[file] = refused.get(file, 0) + int(said.get("lines") or 0)
                waiting[row.seq] = said
            else:
                taken[file] = taken.get(file, 0) + int(said.get("rows") or 0)
                last[file] = max(last.get(file, 0), int(said.get("last") or 0))
        stored = imports.everything(connection)
        looked_at.append(len(stored))
        for file in sorted(taken.keys() | refused.keys() | done.keys() | stored.keys()):
            one = stored.get(file)
            should = (taken.get(file, 0), refused.get(file, 0), "done" if file in done else "reading")
            if one is None or (one.taken, one.refused, one.state) != should or one.lines < last.get(file, 0):
                report.found(IMPORTS, f"choice_imports {file[:12]}", "it is not as its events say")
            elif one.state == "done" and done[file].get("lines") != one.lines:
                report.found(IMPORTS, f"choice_imports {file[:12]}", "it is not as its last event says")
        _check_waiting(connection, waiting, over, report)


def _check_waiting(connection: Connection, waiting: dict[int, dict[str, Any]], over: str, report: Report) -> None:
    kept = imports.kept_by_event(connection)
    for seq in sorted(waiting.keys() | kept.keys()):
        said, rows = waiting.get(seq, {}), kept.get(seq, [])
        until = said.get("kept_until")
        gone = not rows and until is not None and str(until) < over
        if not gone and said.get("kept") != imports.digest(rows):
            report.found(IMPORTS, f"refused_choices {seq}", "the refused lines are not those that were kept")


def _said(row: Row) -> dict[str, Any]:
    try:
        return row.said()
    except ValueError:
        return {}
