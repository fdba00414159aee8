"""Do ended codes, channels and pages of the year stand as their events say? Messages and links are no state of a person: what they
did is an event of its own, and is judged there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from volens.audit.report import Report
from volens.delivery import store as delivery
from volens.doorways import store as doorways
from volens.evidence import log
from volens.evidence.log import EVENTS, Row

if TYPE_CHECKING:
    from sqlalchemy import Connection

DOORWAYS = "every ended address, channel and page of the year is as the events say"
KINDS = ["doorway-renewed", "service-channel", "summary-sent", "erased"]


def check_doorways(connection: Connection, report: Report) -> None:
    """Rows against events, both ways."""
    with report.checking(DOORWAYS) as looked_at:
        generations: dict[Any, Any] = {}
        channels: dict[Any, Any] = {}
        pages: dict[Any, Any] = {}
        for row in log.rows(connection, EVENTS, kinds=KINDS):
            said = _said(row)
            if row.kind == "doorway-renewed":
                generations[said.get("account")] = said.get("generation")
            elif row.kind == "service-channel":
                channels[row.customer] = said.get("channel")
            elif row.kind == "summary-sent":
                pages[row.customer] = (row.day, row.seq)
            else:
                channels.pop(row.customer, None)
                pages.pop(row.customer, None)
                for account in said.get("accounts", []):
                    generations.pop(account, None)
        for table, should, stored in (
            ("doorway_generations", generations, doorways.all_generations(connection)),
            ("service_channels", channels, delivery.all_channels(connection)),
            ("summaries", pages, doorways.all_summaries(connection)),
        ):
            looked_at.append(len(stored))
            for key in should.keys() | stored.keys():
                if should.get(key) != stored.get(key):
                    report.found(DOORWAYS, f"{table} {key}", "it is not as its last event says")


def _said(row: Row) -> dict[str, Any]:
    try:
        return row.said()
    except ValueError:
        return {}
