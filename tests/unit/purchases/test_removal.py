"""Removing and relabelling: exactly those lines, one commit, other files untouched; deletion makes it true on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyroaring import BitMap
from tests.unit.purchases.test_purchases_store import rows, some_lines

from volens.errors import Unavailable
from volens.purchases import probe, removal
from volens.purchases.datafiles import stated_customers
from volens.purchases.lines import LINES, digests
from volens.purchases.store import PurchasesStore


@pytest.fixture
def table(tmp_path: Path) -> Iterator[PurchasesStore]:
    made = PurchasesStore.create(tmp_path / "purchases", customers=10)
    made.append([some_lines(2_000)], "b1")
    made.append([some_lines(500, seed=2)], "b2")
    yield made
    made.close()


def same(found: pa.Table, expected: pa.Table) -> bool:
    return np.array_equal(*(np.sort(digests(part, LINES.names)) for part in (found, expected)))


def test_removal_takes_exactly_these_lines(table: PurchasesStore) -> None:
    before, gone = rows(table), BitMap([3, 7, 999])
    mine = pc.is_in(before.column("customer"), pa.array([3, 7], pa.int32()))
    result = removal.remove(table, gone, "r1")
    assert (result.lines, result.customers) == (pc.sum(mine).as_py(), 2)
    assert result.partitions == 3  # customers 3 and 7 are both of bucket 3, in three months
    assert same(rows(table), before.filter(pc.invert(mine)))
    assert table.count_lines() == before.num_rows - result.lines
    assert table.snapshot_has("r1")


def test_partitions_that_hold_none_of_them_are_not_touched(table: PurchasesStore) -> None:
    before = table.view().paths
    removal.remove(table, BitMap([3]), "r1")
    after = table.view().paths
    assert {key for key in before if before[key] != after.get(key)} == {key for key in before if key[0] == 3}
    assert all(len(after[key]) <= len(before[key]) for key in after)
    for paths in after.values():
        for path in paths:
            days = pq.ParquetFile(path).read().column("day").to_pylist()
            assert days == sorted(days)


def test_nobody_and_strangers_change_nothing(table: PurchasesStore) -> None:
    before = table.view()
    for nobody in (BitMap(), BitMap([1_000_000])):
        result = removal.remove(table, nobody, "r1")
        assert (result.lines, result.partitions, result.customers) == (0, 0, 0)
    assert table.view() == before
    assert not table.snapshot_has("r1")


def test_everybody_can_be_removed(table: PurchasesStore) -> None:
    removal.remove(table, BitMap(range(60)), "r1")
    assert table.count_lines() == 0
    assert table.append([some_lines(10)], "b3") == 10


def test_a_file_of_several_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.purchases.datafiles.ROWS_PER_GROUP", 64)
    made = PurchasesStore.create(tmp_path / "p", customers=10)
    made.append([some_lines(2_000)], "b1")
    before = rows(made)
    removal.remove(made, BitMap([1, 2, 3, 4]), "r1")
    assert same(rows(made), before.filter(pc.greater(before.column("customer"), 4)))
    made.close()


def test_the_old_files_still_hold_them_until_deletion(table: PurchasesStore) -> None:
    assert probe.lines_of(table.folder, [3]) > 0
    removal.remove(table, BitMap([3]), "r1")
    assert 3 not in rows(table).column("customer").to_pylist()
    assert probe.lines_of(table.folder, [3]) > 0


def test_killed_before_the_commit_nothing_has_happened(table: PurchasesStore) -> None:
    before = rows(table)
    prepared = removal.prepare_removal(table, BitMap([3]), "r1")
    assert same(rows(table), before)
    assert table.discard("r1") == len(prepared.written.paths)
    assert removal.remove(table, BitMap([3]), "r2").lines == sum(prepared.counts.values())


def test_another_writer_meanwhile_is_found(table: PurchasesStore) -> None:
    prepared = removal.prepare_removal(table, BitMap([3]), "r1")
    table.append([some_lines(5, seed=9)], "b3")
    with pytest.raises(Unavailable, match="nothing was changed"):
        table.commit(prepared.written, prepared.view, prepared.gone)


def test_relabelling_moves_lines_to_whom_they_belong(table: PurchasesStore) -> None:
    before = rows(table)
    moves = {3: 6, 5: 5, 9: 1, 4_000: 2}  # accounts are numbered as their customers here
    result = removal.relabel(table, moves, "m1")
    account = before.column("account").to_numpy()
    customer = before.column("customer").to_numpy().copy()
    customer[account == 3], customer[account == 9] = 6, 1
    expected = before.set_column(0, LINES.field("customer"), pa.array(customer, pa.int32()))
    expected = expected.set_column(2, LINES.field("bucket"), pa.array((customer % 4).astype(np.int32)))
    assert same(rows(table), expected)
    assert (result.lines, result.accounts) == (int(np.isin(account, [3, 9]).sum()), 2)
    for (bucket, _), paths in table.view().paths.items():
        for path in paths:
            assert set(pq.ParquetFile(path).read().column("bucket").to_pylist()) == {bucket}
    again = table.view()
    assert removal.relabel(table, moves, "m2") == removal.Relabelled(0, 0)
    assert table.view() == again
    # unlinking gives them back
    removal.relabel(table, {3: 3, 9: 9}, "m3")
    assert same(rows(table), before)


def test_relabelled_lines_are_known_as_copies_where_they_are_now(table: PurchasesStore) -> None:
    removal.relabel(table, {3: 6}, "m1")
    view = table.view()
    moved = rows(table, date(2025, 1, 1), date(2025, 2, 1))
    baskets = moved.filter(pc.equal(moved.column("account"), 3)).column("basket").to_numpy()
    month = (2025 - 1970) * 12
    assert table.existing((6 % 4, month), baskets, (0, 1 << 20), view).num_rows == len(baskets) > 0


def test_every_file_states_whose_lines_it_has(table: PurchasesStore) -> None:
    """After appending, removing, relabelling: the statement is made of the lines that were written."""
    removal.remove(table, BitMap([3]), "r1")
    account = rows(table)["account"].to_pylist()[0]
    removal.relabel(table, {account: 9_001}, "m1")
    paths = [path for found in table.view().paths.values() for path in found]
    assert paths
    for path in paths:
        stated = stated_customers(pq.read_metadata(path))
        assert stated is not None
        assert stated.tolist() == sorted(set(pq.ParquetFile(path).read(["customer"])["customer"].to_pylist()))
        assert 3 not in stated.tolist()
