"""Batches move only as declared; the quarantine forgets after its days. On both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from volens.databases.connect import SqlDatabase
from volens.errors import NotNow
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
