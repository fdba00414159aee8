"""The nightly upkeep on both databases: each line once through every step, nothing left on the disk that nobody owns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyroaring import BitMap
from tests.unit.ingest.ingest_house import NOW
from tests.unit.purchases.upkeep_house import Moved, TableHouse, receipt, strays

from volens.databases.connect import SqlDatabase
from volens.errors import Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate import leases
from volens.purchases import arrivals, probe, queue
from volens.purchases.compaction import MOST_FILES
from volens.purchases.removal import Removed

TODAY = NOW.date()


@pytest.fixture
def house(records: SqlDatabase, tmp_path: Path) -> Iterator[TableHouse]:
    made = TableHouse(tmp_path / "house", records)
    yield made
    made.close()


def ask(house: TableHouse, *customers: int, due: date = TODAY + timedelta(days=15)) -> None:
    with house.records.writing() as connection:
        for customer in customers:
            queue.ask(connection, customer, TODAY, due)


def test_small_feeds_wait_and_copies_are_known(house: TableHouse) -> None:
    first = house.take_in("a.csv", [*receipt(1, 1), *receipt(2, 2)], small=10)
    assert (first.lines_accepted, house.waiting(), house.store.count_lines()) == (4, 4, 0)
    again = house.take_in("b.csv", [*receipt(2, 2), *receipt(3, 3)], small=10)
    assert (again.lines_accepted, again.duplicate_lines, house.waiting()) == (2, 2, 6)
    large = house.take_in("c.csv", [*receipt(3, 3), *receipt(4, 4)], small=0)
    assert (large.lines_accepted, large.duplicate_lines) == (2, 2)
    other = house.take_in("d.csv", receipt(1, 1, lines=3), small=10)
    assert (other.lines_accepted, other.refused) == (0, {"same-receipt-other-lines": 3})
    before = house.known()
    night = house.nightly()
    assert (night.appended, house.waiting(), house.store.count_lines()) == (6, 0, 8)
    assert house.known() == before
    assert house.take_in("e.csv", [*receipt(1, 1), *receipt(4, 4)], small=10).duplicate_lines == 4
    assert strays(house.store) == []


def test_arrivals_are_appended_when_their_time_has_come(house: TableHouse, records: SqlDatabase) -> None:
    house.take_in("a.csv", receipt(1, 1), small=10)
    house.take_in("b.csv", receipt(2, 2), small=10)
    assert house.store.count_lines() == 0
    later = TableHouse(house.folder, records, instant=NOW + arrivals.APPEND_AFTER)
    later.take_in("c.csv", receipt(3, 3), small=10)
    assert (later.store.count_lines(), later.waiting()) == (4, 2)
    later.close()


def test_a_read_has_each_line_once_at_every_step_of_an_append(house: TableHouse) -> None:
    house.take_in("a.csv", [*receipt(1, 1), *receipt(2, 2)], small=10)
    looked: list[str] = []

    def read(step: str) -> None:
        moment = house.store.moment()
        with house.records.reading() as connection:
            waits = arrivals.of_days(connection, date(2025, 1, 1), date(2026, 1, 1), moment.batches)
        there = sum(file.record_count for _, file in moment.planned())
        assert there + sum(arrivals.unpacked(content).num_rows for _, content in waits) == 4, step
        looked.append(step)

    house.nightly(read)
    assert looked[:4] == ["arrivals-staged", "arrivals-written", "arrivals-added", "arrivals-done"]


def test_how_much_may_wait() -> None:
    assert not arrivals.Waiting(0, None).due(NOW)
    waits = arrivals.Waiting(arrivals.APPEND_LINES - 1, NOW)
    assert not waits.due(NOW + arrivals.APPEND_AFTER - timedelta(seconds=1))
    assert waits.due(NOW + arrivals.APPEND_AFTER)
    assert replace(waits, lines=arrivals.APPEND_LINES).due(NOW)


def test_two_feeds_compared_with_the_same_arrivals_are_not_both_taken(house: TableHouse) -> None:
    with house.records.reading() as connection:
        before = arrivals.state(connection)
    house.take_in("a.csv", receipt(1, 1), small=10)

    def again() -> None:
        with house.records.writing() as connection:
            arrivals.arrive(connection, "b", [], NOW, TODAY, before)

    with pytest.raises(Unavailable, match="nothing was added"):
        again()


def test_removal_reaches_table_arrivals_and_files(house: TableHouse) -> None:
    house.take_in("a.csv", [*receipt(1, 1), *receipt(2, 2), *receipt(3, 1, "2025-04-04")])
    house.take_in("b.csv", [*receipt(4, 1), *receipt(5, 3)], small=10)
    ask(house, 1, 77)
    night = house.nightly()
    assert (night.removed.lines, night.removed.customers, night.probed, night.left) == (6, 2, 2, 0)
    assert sorted(set(house.lines().column("customer").to_pylist())) == [2, 3]
    assert probe.lines_of(house.store.folder, [1]) == 0
    assert strays(house.store) == []
    with house.records.reading() as connection:
        done = {row.customer: row.said()["lines"] for row in log.rows(connection, EVENTS, kinds=["removed"])}
        assert done == {1: 6, 77: 0}
        assert queue.waiting(connection).customers == queue.unproven(connection) == BitMap()
    assert "none is left" in night.to_text()
    quiet = house.nightly()
    assert (quiet.removed.lines, quiet.probed, quiet.deleted.files, quiet.expired) == (0, 0, 0, 0)


def test_what_is_late_is_said(house: TableHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(house, 1, due=TODAY - timedelta(days=1))
    monkeypatch.setattr(house.upkeep, "_remove", lambda *_: Removed(0, 0, 0))
    assert "1 removals are past their last day" in house.nightly().to_text()


def test_moved_accounts_are_followed_before_copies_are_looked_for(house: TableHouse) -> None:
    house.take_in("a.csv", [*receipt(1, 1), *receipt(2, 2)])
    house.take_in("b.csv", receipt(3, 1), small=10)
    house.identities.belongs[1001] = 6
    house.moves.append(Moved(1001, 6))
    again = house.take_in("c.csv", [*receipt(1, 1), *receipt(3, 1), *receipt(4, 1)], small=10)
    assert (again.lines_accepted, again.duplicate_lines) == (2, 4)
    assert house.moves == []
    assert sorted(house.lines().column("customer").to_pylist()) == [2] * 2 + [6] * 6


def test_many_files_become_one(house: TableHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_FILES == 8
    monkeypatch.setattr("volens.purchases.compaction.MOST_FILES", few := 2)
    for number in range(few + 1):
        house.take_in(f"{number}.csv", receipt(number, 1))
    before = house.known()
    night = house.nightly()
    assert (night.compacted.partitions, night.compacted.files) == (1, few + 1)
    assert [len(paths) for paths in house.store.view().paths.values()] == [1]
    assert house.known() == before
    assert strays(house.store) == []
    house.take_in("more.csv", receipt(99, 1))
    assert house.nightly().compacted.partitions == 0  # so few stay


def test_a_lease_keeps_what_a_read_needs_for_an_hour(house: TableHouse) -> None:
    house.take_in("a.csv", [*receipt(1, 1), *receipt(2, 2)])
    moment = house.store.moment()
    with house.records.writing() as connection:
        leases.take(connection, 5, moment.snapshot, NOW)
    ask(house, 1)
    night = house.nightly()
    assert night.left == 2
    assert "running read" in night.to_text()
    files = [Path(path) for part in moment.files(date(2025, 1, 1), date(2026, 1, 1)) for path in part.paths]
    assert all(path.exists() for path in files)
    # an hour later the lease counts no more, whoever held it
    later = TableHouse(house.folder, house.records, instant=NOW + leases.LEASE)
    after = later.nightly()
    assert (after.left, after.probed) == (0, 1)
    assert not any(path.exists() for path in files if "bucket=00001" in str(path))
    assert strays(later.store) == []
    later.close()


def test_files_of_killed_reads_and_runs_go(house: TableHouse) -> None:
    house.take_in("a.csv", receipt(1, 1))
    for name in ("reads/12/bucket=00001.parquet", "waiting/dead/00000.arrow", "lines/data/bucket=00001/x-000000.parquet"):
        path = house.store.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left behind")
    assert len(strays(house.store)) == 3
    night = house.nightly()
    assert (night.deleted.files, night.deleted.reads) == (2, 1)
    assert strays(house.store) == []


def test_the_table_can_be_used_by_another_process_after_the_night(house: TableHouse) -> None:
    house.take_in("a.csv", receipt(1, 1))
    other = TableHouse(house.folder, house.records)
    house.take_in("b.csv", receipt(2, 2))
    house.nightly()
    assert other.store.count_lines() == 4
    other.take_in("c.csv", receipt(3, 3))
    assert house.store.count_lines() == 6
    other.close()
