"""The queue of removals: asked once, done once, on record both times; a pass that was killed is taken back or finished."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pyroaring import BitMap

from volens.databases.connect import SqlDatabase
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.purchases import queue

TODAY = date(2026, 3, 2)
DUE = TODAY + timedelta(days=15)


def test_asking_is_a_row_and_an_event_once(records: SqlDatabase) -> None:
    with records.writing() as connection:
        first = queue.ask(connection, 7, TODAY, DUE)
        assert queue.ask(connection, 7, TODAY + timedelta(days=1), DUE + timedelta(days=1)) == first
        queue.ask(connection, 9, TODAY, DUE - timedelta(days=1))
    with records.reading() as connection:
        assert queue.waiting(connection) == queue.Waiting(BitMap([7, 9]), DUE - timedelta(days=1))
        asked = list(log.rows(connection, EVENTS, kinds=["removal-asked"]))
        assert [(row.customer, row.day, row.said()) for row in asked] == [
            (7, "2026-03-02", {"due": "2026-03-17"}),
            (9, "2026-03-02", {"due": "2026-03-16"}),
        ]
        assert queue.overdue(connection, DUE) == 1
        assert queue.overdue(connection, DUE - timedelta(days=1)) == 0


def test_asking_is_undone_with_its_transaction(records: SqlDatabase) -> None:
    def ask_and_fail() -> None:
        with records.writing() as connection:
            queue.ask(connection, 7, TODAY, DUE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask_and_fail()
    with records.reading() as connection:
        assert queue.waiting(connection) == queue.Waiting(BitMap(), None)
        assert log.count(connection, EVENTS) == 0


def test_a_pass_is_staged_and_finished_or_taken_back(records: SqlDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "ROWS_PER_EVENTS", 2)
    with records.writing() as connection:
        for customer in (1, 2, 3, 4):
            queue.ask(connection, customer, TODAY, DUE)
        queue.stage(connection, "r1", {1: 5}, BitMap([1, 2, 3]))
        assert queue.staged_passes(connection) == ["r1"]
        queue.unstage(connection, "r1")
        assert queue.staged_passes(connection) == []
        queue.stage(connection, "r2", {1: 5, 3: 2}, BitMap([1, 2, 3]))
    done = []
    for _ in range(3):
        with records.writing() as connection:
            done.append(queue.finish(connection, "r2", TODAY))
    assert done == [2, 1, 0]
    with records.reading() as connection:
        assert queue.waiting(connection).customers == BitMap([4])
        said = [(row.customer, row.said()["lines"]) for row in log.rows(connection, EVENTS, kinds=["removed"])]
        assert said == [(1, 5), (2, 0), (3, 2)]
    with records.writing() as connection:  # asked for again later, e.g. after a back-up came back
        again = queue.ask(connection, 1, TODAY, DUE)
        assert queue.waiting(connection).customers == BitMap([1, 4])
        assert queue.everything(connection)[again]["done"] is None
