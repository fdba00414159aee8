"""kill -9 at every step of intake, arrivals, appending, relabelling, removal, compaction and deletion, on both databases.

After each kill the same command is run again. Then every line is there once, nobody's line is there who was removed, no
file lies there that nothing owns, and the audit of the table's records finds nothing.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Urls
from tests.unit.ingest.ingest_house import NOW
from tests.unit.purchases.upkeep_house import Moved, TableHouse, receipt, strays

from volens.audit.people import check_batches
from volens.audit.report import Report
from volens.audit.table import check_arrivals, check_removals
from volens.databases.connect import SqlDatabase
from volens.purchases import compaction, probe, queue

ROOT = Path(__file__).parents[2]
FEED_STEPS = ("started", "read", "written", "staged", "added", "done")
SMALL_STEPS = ("started", "read", "staged")
NIGHT_STEPS = (
    "arrivals-staged", "arrivals-written", "arrivals-added", "arrivals-done", "relabelling-written", "relabelling-added",
    "relabelling-done", "removal-staged", "removal-written", "removal-added", "removal-done", "compaction-written",
    "compaction-added", "expired", "deleted",
)  # fmt: skip


def killed(urls: Urls, folder: Path, task: dict[str, Any], step: str) -> list[str]:
    """Runs a task in a process that dies at a step; the steps that it came to."""
    command = [sys.executable, "-m", "tests.support.table_worker", urls.records, str(folder), json.dumps(task), step]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout.split()[-1] == step
    return done.stdout.split()


@pytest.fixture
def house(records: SqlDatabase, tmp_path: Path) -> TableHouse:
    return TableHouse(tmp_path / "house", records)


def counted(house: TableHouse) -> Counter[tuple[int, int]]:
    """(customer, account) of each line that is there."""
    lines = house.lines()
    return Counter(zip(lines.column("customer").to_pylist(), lines.column("account").to_pylist(), strict=True))


def is_clean(house: TableHouse) -> None:
    assert strays(house.store) == []
    with house.records.reading() as connection:
        report = Report()
        for check in (check_batches, check_removals, check_arrivals):
            check(connection, report)
        assert report.ok, report.to_text()


@pytest.mark.prove
@pytest.mark.parametrize("small", [0, 100])
def test_a_feed_killed_at_any_step_is_in_once(house: TableHouse, urls: Urls, small: int) -> None:
    expected: Counter[tuple[int, int]] = Counter()
    for number, step in enumerate(SMALL_STEPS if small else FEED_STEPS):
        rows = [*receipt(10 * number, 11 + number), *receipt(10 * number + 1, 2)]
        killed(urls, house.folder, {"feed": f"{number}.csv", "rows": rows, "small": small}, step)
        with_it = expected + Counter({(11 + number, 1011 + number): 2, (2, 1002): 2})
        assert counted(house) in (expected, with_it), "a feed is in whole, or not at all"
        house.take_in(f"{number}.csv", rows, small=small)
        expected = with_it
        assert counted(house) == expected, f"killed at {step}"
    house.nightly()
    assert counted(house) == expected
    is_clean(house)


@pytest.mark.prove
def test_a_night_killed_at_every_step_loses_and_doubles_nothing(
    house: TableHouse, urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MOST_FILES", 1)
    expected: Counter[tuple[int, int]] = Counter()
    belongs = {1003: 3}
    passed: set[str] = set()
    for number, step in enumerate(NIGHT_STEPS):
        # Before each night: a file more, lines that wait, somebody to remove, and a card that moves back and forth.
        gone = 100 + number
        for name, small in ((f"{number}-a.csv", 0), (f"{number}-b.csv", 100)):
            at = 1_000 * number + (500 if small else 0)
            rows = [*receipt(at, 1), *receipt(at + 1, 3), *receipt(at + 2, gone)]
            house.identities.belongs = dict(belongs)
            house.take_in(name, rows, small=small)
            expected.update({(1, 1001): 2, (belongs[1003], 1003): 2})
        with house.records.writing() as connection:
            queue.ask(connection, gone, NOW.date(), NOW.date())
        there = expected[(belongs[1003], 1003)]
        del expected[(belongs[1003], 1003)]
        belongs[1003] = 8 - belongs[1003]  # 3 and 5
        expected[(belongs[1003], 1003)] = there
        passed |= set(killed(urls, house.folder, {"moves": list(belongs.items())}, step))
        readable = counted(house)
        assert sum(readable.values()) - readable[(gone, 1000 + gone)] == sum(expected.values()), f"at {step}"
        house.moves = [Moved(*belongs.popitem())]
        belongs[house.moves[0].account] = house.moves[0].customer
        house.nightly(passed.add)
        assert counted(house) == expected, f"killed at {step}"
        assert probe.lines_of(house.store.folder, [gone]) == 0
        is_clean(house)
    assert passed == set(NIGHT_STEPS)
    with house.records.reading() as connection:
        assert len(queue.everything(connection)) == len(NIGHT_STEPS)
        assert not queue.waiting(connection).customers
        assert [row["lines"] for row in queue.everything(connection).values()] == [4] * len(NIGHT_STEPS)
