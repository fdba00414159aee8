"""Did every text come into force by two people?

Rules:
1. The first programme was taken over whole. Every text that came onto the record after it was approved by one person and
   published by another, of the other role, in the same words.
2. Every programme after the first names only texts that were on the record before it: nobody was asked under a draft.
3. Who took a step is who was committed to, and every step has its event, both ways.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from volens.audit.report import Report
from volens.errors import BadInput, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS as EVENTS_TREE
from volens.evidence.log import PUBLIC, Row
from volens.permissions import counts as choice_counts
from volens.permissions.counts import week_of
from volens.permissions.state import KINDS
from volens.publishing import store, trials
from volens.publishing.adoption import PROMISED
from volens.publishing.counts import who_opened
from volens.publishing.workflow import APPROVED, EVENTS, PUBLISHED, WRITTEN, Person, Stands, check_move

if TYPE_CHECKING:
    from sqlalchemy import Connection

COUNTS = "choices are counted as they were made"
TRIALS = (store.TRIAL_STARTED, store.TRIAL_ENDED)
TEXTS = "every text came into force by two people"
_STATES = {event: state for state, event in EVENTS.items()}
_SAME = (*PROMISED, "files")


def check_publishing(connection: Connection, report: Report) -> None:
    """One pass over the public tree, with the steps beside it."""
    with report.checking(TEXTS) as looked_at:
        steps = store.all_steps(connection)
        unmatched, known, first = set(steps), set[str](), True
        standing: dict[str, tuple[Stands, Row | None]] = {}
        for row in log.rows(connection, PUBLIC, kinds=[*_STATES, *TRIALS, "programme"]):
            looked_at.append(1)
            if row.kind == "programme":
                named = _named(row)
                for text in sorted(named - known) if not first else ():
                    report.found(TEXTS, f"public {row.seq}", f"the programme names {text}, which nobody had published")
                known |= named if first else set()
                first = False
                continue
            text, unmatched = row.text or "", unmatched - {row.seq}
            if first and row.kind == EVENTS[PUBLISHED]:
                known.add(text)
                standing[text] = (Stands(text, PUBLISHED), row)
                continue
            by = _person(row, steps, report)
            if by is None or row.kind in TRIALS:
                continue
            before, approved = standing.get(text, (Stands(text, WRITTEN), None))
            wrong = _against(row, before, approved, by)
            if wrong:
                report.found(TEXTS, f"public {row.seq}", wrong)
            standing[text] = (Stands(text, _STATES[row.kind], by), row)
            known |= {text} if row.kind == EVENTS[PUBLISHED] else set()
        _check_trials(connection, report)
        for seq in sorted(unmatched):
            report.found(TEXTS, f"publishing_steps {seq}", "the step has no public event")


def _check_trials(connection: Connection, report: Report) -> None:
    """What came out of each comparison, counted anew from the events, and whether its winner follows from it."""
    try:
        found = store.all_trials(connection)
    except (ValueError, KeyError, TypeError) as error:
        report.found(TEXTS, "trials", f"they cannot be read: {type(error).__name__}")
        return
    for trial in found:
        arms, where = trials.arms_of(trial), f"trials {trial.trial}"
        if arms is None or trial.result is None:
            continue
        progress = trials.Progress(trial, store.events_from(connection, trial.trial))
        progress.read(connection)
        if trials.outcome(connection, progress) != arms:
            report.found(TEXTS, where, "its result is not what the choices and answers give")
        elif trials.winner(*arms) != trial.result["winner"]:
            report.found(TEXTS, where, "its winner does not follow from its result")


def _week(day: str) -> str:
    """The week of a day; a day that is none is in no week, and found by who replays the choices."""
    try:
        return week_of(date.fromisoformat(day))
    except ValueError:
        return ""


def check_counts(connection: Connection, report: Report) -> None:
    """The counts of choices against the events, by week, purpose, text and kind: where and how they were made is sealed."""
    with report.checking(COUNTS) as looked_at:
        first, should = choice_counts.since(connection), Counter[tuple[str, str, str, str]]()
        for row in log.rows(connection, EVENTS_TREE, start=first, kinds=sorted(KINDS)):
            # Who said something left how it was said, sealed; what followed from time or a link has nothing to seal.
            if row.commitment is not None and row.day is not None:
                should[_week(row.day), str(row.purpose), str(row.text), row.kind] += 1
        stored, opened = Counter[tuple[str, str, str, str]](), 0
        for cell in choice_counts.all_cells(connection):
            if cell.kind == choice_counts.OPENED:
                opened += cell.n
            else:
                stored[cell.week, cell.purpose, cell.text, cell.kind] += cell.n
        looked_at.append(len(stored))
        for key in sorted(should.keys() | stored.keys()):
            if should[key] != stored[key]:
                report.found(COUNTS, f"choice_counts {' '.join(key)}", f"{stored[key]} are counted, and {should[key]} were made")
        who = who_opened(connection)
        if len(who) > opened:
            report.found(COUNTS, "centre_opened", "more people opened the centre than were counted")
        if set(who) & log.customers_of_kind(connection, "erased"):
            report.found(COUNTS, "centre_opened", "somebody who was erased is still in it")


def _named(row: Row) -> set[str]:
    try:
        return {text for rule in row.said()["purposes"].values() for text in rule["texts"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()  # that it cannot be read is found where the choices are replayed


def _person(row: Row, steps: dict[int, store.Step], report: Report) -> Person | None:
    """Who took the step of an event; none, and a finding, if that is not who was committed to."""
    step, where = steps.get(row.seq), f"public {row.seq}"
    if step is None:
        report.found(TEXTS, where, f"{row.text} has the event {row.kind!r}, and nobody who did it")
        return None
    told = (_said(row).get("role"), row.text or _said(row).get("trial"), row.commitment)
    if told != (step.role, step.about, log.commit_to({"actor": step.actor}, step.salt)):
        report.found(TEXTS, f"publishing_steps {row.seq}", "who took this step, or in which role, was changed")
        return None
    try:
        return Person(step.actor, step.role)
    except BadInput as error:
        report.found(TEXTS, where, error.what)
        return None


def _against(row: Row, before: Stands, last: Row | None, by: Person) -> str:
    """What is wrong with a step after what stood before; empty if nothing is."""
    said, earlier = _said(row), _said(last)
    same = all(said.get(name) == earlier.get(name) for name in _SAME)
    if _STATES[row.kind] == PUBLISHED and (before.state != APPROVED or not same):
        return f"{row.text} was published, and nobody had approved these words"
    # Other words begin anew: what was said about earlier ones binds nobody.
    stood = before if same or before.state == PUBLISHED else Stands(before.text, WRITTEN)
    try:
        check_move(stood, _STATES[row.kind], by)
    except NotNow as error:
        return error.what
    return ""


def _said(row: Row | None) -> dict[str, object]:
    try:
        return row.said() if row is not None else {}
    except ValueError:
        return {}
