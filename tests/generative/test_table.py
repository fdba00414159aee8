"""Any sequence of feeds, arrivals, removals, moves and nights equals a plain list of lines.

The run fails when some operation was never tried.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.unit.ingest.ingest_house import NOW
from tests.unit.purchases.upkeep_house import Moved, TableHouse, receipt, strays

from volens.databases.connect import connect
from volens.purchases import probe, queue

CARDS = range(1, 5)
DAYS = ("2025-03-03", "2025-04-04")
tried: Counter[str] = Counter()

Operation = tuple[str, int, int]
KINDS = ("large", "small", "again", "remove", "move", "night")
OPERATIONS = st.tuples(st.sampled_from(KINDS), st.sampled_from(CARDS), st.integers(0, 1))
EVERYTHING = [
    ("large", 1, 0), ("small", 1, 1), ("again", 1, 0), ("small", 2, 0), ("move", 1, 1), ("again", 1, 1), ("remove", 2, 0),
    ("small", 3, 0), ("night", 1, 0), ("move", 1, 0), ("large", 3, 1), ("night", 1, 0),
]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@example(history=EVERYTHING)
@given(history=st.lists(OPERATIONS, max_size=10))
def test_any_life_of_the_table(migrated: Path, history: list[Operation]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        records = connect(f"sqlite:///{shutil.copy(migrated / 'records.db', folder)}")
        house = TableHouse(Path(folder) / "house", records)
        _live(house, history)
        house.close()
        records.dispose()


def _live(house: TableHouse, history: list[Operation]) -> None:
    plain: list[tuple[int, int, int]] = []  # (card, receipt, line)
    holder = {card: card for card in CARDS}
    asked: set[int] = set()
    for number, (operation, card, other) in enumerate(history):
        tried[operation] += 1
        house.identities.belongs = {1000 + one: customer for one, customer in holder.items()}
        if operation in ("large", "small", "again"):
            # The same receipt again is the last one of that card, whole; else a new one.
            known = [row[1] for row in plain if row[0] == card]
            which = known[-1] if operation == "again" and known else number
            small = 100 if operation == "small" or other else 0
            house.take_in(f"{number}.csv", receipt(which, card, DAYS[which % 2]), small=small)
            plain += [(card, which, line) for line in range(2) if (card, which, line) not in plain]
        elif operation == "move":
            holder[card] = card + 10 * other
            house.moves = [Moved(1000 + one, customer) for one, customer in holder.items()]
            house.identities.belongs[1000 + card] = holder[card]
        elif operation == "remove":
            with house.records.writing() as connection:
                queue.ask(connection, card, NOW.date(), NOW.date())
            asked.add(card)
        else:
            house.nightly()
            plain = [row for row in plain if holder[row[0]] not in asked]
            assert probe.lines_of(house.store.folder, asked) == 0
            assert strays(house.store) == []
            asked = set()
    house.nightly()
    plain = [row for row in plain if holder[row[0]] not in asked]
    lines = house.lines()
    columns = (lines.column(name).to_pylist() for name in ("customer", "account", "minute", "product"))
    there = Counter(zip(*columns, strict=True))
    first = {sku: key for key, sku in enumerate(sorted(set(lines.column("product").to_pylist())))}
    said = Counter((holder[card], 1000 + card, 600 + which % 60, line) for card, which, line in plain)
    assert Counter({(*key[:3], first[key[3]]): count for key, count in there.items()}) == said
    assert strays(house.store) == []


def test_every_operation_was_tried() -> None:
    if not tried:
        pytest.skip("the generative test did not run in this process")
    assert set(tried) == set(KINDS)
