"""Do the questions that were put, the sign-up forms, the printed forms and the scans stand as the events say?

Rules:
1. A question is a `requested` event about the same customer, purpose and text, on the same day; its answer is a later event of
   the same customer about the same purpose.
2. Nobody's question, form or scan outlives her: an erased number has none.
3. How often somebody may be asked follows from the events alone, so a row that is gone changes nothing of that.
4. A sign-up form that is done leads to a `joined` event of its customer. A printed form is what the public tree says of its code.
5. Every `scan` event of somebody who is there has its scan, sealed as it was when it was entered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volens.asking import store
from volens.asking.budget import ASKED
from volens.asking.paper import PRINTED, SCANNED
from volens.audit.report import Report
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC
from volens.identity.store import hashed

if TYPE_CHECKING:
    from sqlalchemy import Connection

QUESTIONS = "every question that was put is as recorded"
FORMS = "every sign-up form and every printed form is as recorded"
SCANS = "every scan of a form is as it was entered"
ANSWERS = {
    "yes": frozenset({"given", "notified"}),
    "no": frozenset({"refused", "withdrawn", "objected"}),
    "later": frozenset({"deferred"}),
}
"""What is recorded for an answer."""


def check_questions(connection: Connection, report: Report) -> None:
    """Questions against their events."""
    erased = log.customers_of_kind(connection, "erased")
    with report.checking(QUESTIONS) as looked_at:
        for put in store.everything(connection):
            looked_at.append(1)
            where = f"questions {put.seq}"
            event = log.one(connection, EVENTS, put.seq)
            told = None if event is None else (event.kind, event.customer, event.purpose, event.text, event.day)
            if told != (ASKED, put.customer, put.purpose, put.text, put.day):
                report.found(QUESTIONS, where, "its event says something else")
            if put.customer in erased:
                report.found(QUESTIONS, where, "it is about somebody who was erased")
            if put.answered is None:
                continue
            answer = log.one(connection, EVENTS, put.answered)
            fits = answer is not None and (answer.customer, answer.purpose) == (put.customer, put.purpose)
            if answer is None or not fits or put.answered < put.seq or answer.kind not in ANSWERS.get(str(put.answer), ()):
                report.found(QUESTIONS, where, "the event of its answer says something else")


def check_forms(connection: Connection, report: Report) -> None:
    """Sign-up forms and printed forms against their events."""
    erased = log.customers_of_kind(connection, "erased")
    with report.checking(FORMS) as looked_at:
        for joining in store.all_joinings(connection):
            looked_at.append(1)
            where = f"joinings {joining.token[:12]}"
            if joining.customer in erased:
                report.found(FORMS, where, "it is about somebody who was erased")
            event = log.one(connection, EVENTS, joining.done) if joining.done is not None else None
            if joining.done is not None and (event is None or (event.kind, event.customer) != ("joined", joining.customer)):
                report.found(FORMS, where, "the event of joining says something else")
        told = {str(said.get("code")): (row.seq, row.day, said) for row in log.rows(connection, PUBLIC, kinds=[PRINTED])
                for said in [row.said()]}  # fmt: skip
        stored = {form.code: form for form in store.all_forms(connection)}
        looked_at.append(len(stored))
        for code in sorted(told.keys() | stored.keys()):
            form, (seq, day, said) = stored.get(code), told.get(code, (-1, None, {}))
            sections = {name: list(one) for name, one in form.sections.items()} if form is not None else None
            if form is None or (form.seq, form.day, form.language, sections) != (
                seq, day, said.get("language"), said.get("sections")
            ):  # fmt: skip
                report.found(FORMS, f"paper_forms {code}", "the printed form is not as its event says")


def check_scans(connection: Connection, report: Report) -> None:
    """Scans against their events, both ways."""
    erased = log.customers_of_kind(connection, "erased")
    with report.checking(SCANS) as looked_at:
        told = {row.seq: row for row in log.rows(connection, EVENTS, kinds=[SCANNED]) if row.customer not in erased}
        there = set()
        for scan in store.all_scans(connection):
            looked_at.append(1)
            there.add(scan.seq)
            row = told.get(scan.seq)
            said = row.said() if row is not None else {}
            fits = row is not None and (row.customer, row.day) == (scan.customer, scan.day)
            if not fits or scan.choice not in said.get("of", ()) or said.get("media") != scan.media:
                report.found(SCANS, f"scans {scan.seq}", "its event says something else")
            elif isinstance(scan.sealed, str) or said.get("sealed") != hashed(bytes(scan.sealed)):
                report.found(SCANS, f"scans {scan.seq}", "it is not what was entered")
        for seq in sorted(told.keys() - there):
            report.found(SCANS, f"scans {seq}", "the scan is gone")
