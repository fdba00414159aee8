"""Batches move only as declared; the quarantine forgets after its days. On both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from volens.audit.people import check_batches
from volens.audit.report import Report
from volens.databases.connect import SqlDatabase
from volens.errors import NotNow
from volens.ingest.mended import Mended
from volens.ingest.store import KEPT_DAYS, TRANSITIONS, BatchRecords, Quarantined

NOW = datetime(2025, 6, 1, tzinfo=UTC)
LINE = Quarantined(0, 7, 0, "unknown-product", b"sealed")


def moved(batches: BatchRecords, batch: str, to: str) -> None:
    if to == "staged":
        batches.stage(batch, "tills", {"lines_accepted": 1}, [LINE], NOW.date())
    elif to == "done":
        batches.finish(batch, NOW)
    else:
        batches.clear(batch, NOW)


PATHS = {"reading": (), "staged": ("staged",), "done": ("staged", "done"), "cleared": ("cleared",)}


@pytest.mark.parametrize("state", list(TRANSITIONS))
@pytest.mark.parametrize("to", ["staged", "done", "cleared"])
def test_every_pair_of_states(records: SqlDatabase, state: str, to: str) -> None:
    batches = BatchRecords(records)
    batches.start("b1", "tills", "a.csv", NOW)
    for step in PATHS[state]:
        moved(batches, "b1", step)
    if to in TRANSITIONS[state]:
        moved(batches, "b1", to)
    else:
        with pytest.raises(NotNow):
            moved(batches, "b1", to)
    found = batches.batch("b1")
    assert found is not None
    assert found.state == (to if to in TRANSITIONS[state] else state)
    assert bool(batches.unfinished()) == (found.state in ("reading", "staged"))


def test_staging_twice_keeps_no_second_quarantine(records: SqlDatabase) -> None:
    batches = BatchRecords(records)
    batches.start("b1", "tills", "a.csv", NOW)
    moved(batches, "b1", "staged")
    with pytest.raises(NotNow):
        batches.stage("b1", "tills", {}, [Quarantined(0, 8, 0, "unknown-product", None)], NOW.date())
    assert list(batches.quarantined("b1")) == [LINE]


def test_the_quarantine_is_kept_for_its_days_and_not_longer(records: SqlDatabase) -> None:
    batches = BatchRecords(records)
    batches.start("b1", "tills", "a.csv", NOW)
    moved(batches, "b1", "staged")
    last = date.fromordinal(NOW.date().toordinal() + KEPT_DAYS)
    assert batches.expire(last) == 0
    assert batches.expire(date.fromordinal(last.toordinal() + 1)) == 1
    assert list(batches.quarantined("b1")) == []


def test_an_unknown_batch_is_none(records: SqlDatabase) -> None:
    assert BatchRecords(records).batch("nothing") is None


def test_mended_lines_leave_the_quarantine_with_their_batch(records: SqlDatabase) -> None:
    batches = BatchRecords(records)
    marks = [bytes([number]) * 16 for number in range(3)]
    refused = [Quarantined(0, number, 0, "unknown-product", b"sealed", marks[number]) for number in range(3)]
    batches.start("b1", "tills", "a.csv", NOW, "source: tills\n")
    batches.stage("b1", "tills", {"lines_accepted": 1}, refused, NOW.date())
    assert batches.waiting() == []
    batches.finish("b1", NOW)
    assert [(row["reason"], row["lines"], row["sealed"]) for row in batches.waiting()] == [("unknown-product", 3, 3)]
    assert batches.mappings() == [batches.mending.mapping_of("b1")] == ["source: tills\n"]

    def note(number: int, item: int = 0, basket: int | None = 5) -> Mended:
        return Mended("b1", 0, number, 0, item, marks[number], basket, -7 if basket else None)

    retried = [note(0), note(0, item=1), note(1, basket=None)]
    for batch, over in (("b2", "cleared"), ("b3", "done")):
        batches.start(batch, "tills", "quarantine", NOW)
        batches.stage(batch, "tills", {"lines_accepted": 2}, [], NOW.date(), retried)
        assert len(batches.quarantined("b1")) == 3
        if over == "cleared":
            batches.clear(batch, NOW)
            assert batches.mending.retried(marks) == {}
        else:
            batches.finish(batch, NOW)
    assert [line.line_number for line in batches.quarantined("b1")] == [2]
    assert batches.mending.retried(marks) == batches.mending.retried_of("b1") == {marks[0]: 1, marks[1]: 1}
    assert batches.mending.additions([5, 6]) == {5: {-7: 2}}
    batches.mending.opened({"b1": 1}, "Ana", "a test", NOW.date())
    report = Report()
    with records.reading() as connection:
        check_batches(connection, report)
    assert report.findings == []
