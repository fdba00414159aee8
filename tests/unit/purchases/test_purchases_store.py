"""The table: what is added is there once, what was not committed is not, and others' files are never planned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.support.needs import fresh_schemas

from volens.errors import BadInput, NotFound, Unavailable
from volens.purchases.lines import LINES, buckets_for, digests, month_of
from volens.purchases.partitions import PartitionSpool
from volens.purchases.store import PurchasesStore

START = date(2025, 1, 1)


def some_lines(count: int, *, days: int = 90, seed: int = 1, buckets: int = 4) -> pa.Table:
    """Lines of up to 50 customers over some days."""
    random = np.random.default_rng(seed)
    customer = random.integers(1, 50, count).astype(np.int32)
    day = (np.datetime64(START) + random.integers(0, days, count)).astype("datetime64[D]")
    constant = {"product": 1, "store": 1, "minute": 600, "quantity": 1000, "amount": 100, "discount": 0}
    words = {"channel": "loyalty", "unit": "piece", "currency": "EUR"}
    columns = {
        "customer": customer,
        "account": customer,
        "bucket": (customer % buckets).astype(np.int32),
        "basket": random.integers(0, 2**62, count),
        "ts": pa.array(day.astype("datetime64[us]"), pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
        "day": day,
        **{name: np.full(count, value) for name, value in constant.items()},
        **{name: pa.repeat(value, count) for name, value in words.items()},
    }
    return pa.table({name: columns[name] for name in LINES.names}).cast(LINES)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[PurchasesStore]:
    made = PurchasesStore.create(tmp_path / "purchases", customers=10)
    yield made
    made.close()


def rows(table: PurchasesStore, start: date = START, end: date = date(2025, 12, 31)) -> pa.Table:
    paths = [path for files in table.files(start, end) for path in files.paths]
    return pa.concat_tables([LINES.empty_table(), *(pq.ParquetFile(path).read() for path in paths)])


@pytest.mark.parametrize(
    ("customers", "buckets"),
    [(0, 4), (600_000, 4), (600_001, 8), (1_000_000, 8), (1_200_001, 16), (40_000_000, 512)],
)
def test_how_many_buckets(customers: int, buckets: int) -> None:
    assert buckets_for(customers) == buckets


def test_what_is_added_is_there_once(table: PurchasesStore) -> None:
    lines = some_lines(500)
    assert table.append([lines.slice(0, 200), *lines.slice(200).to_batches()], "b1") == 500
    assert table.append([lines], "b1") == 0
    assert table.count_lines() == 500
    found = rows(table)
    assert np.sort(digests(found)).tolist() == np.sort(digests(lines)).tolist()
    assert table.snapshot_has("b1")
    assert not table.snapshot_has("b2")


def test_one_file_per_partition_sorted_by_day(table: PurchasesStore) -> None:
    table.append([some_lines(500, seed=seed) for seed in range(3)], "b1")
    view = table.view()
    assert {len(paths) for paths in view.paths.values()} == {1}
    assert set(view.paths) == {(bucket, month_of(date(2025, month, 1))) for bucket in range(4) for month in (1, 2, 3)}
    for (bucket, month), (path,) in view.paths.items():
        part = pq.ParquetFile(path).read()
        days = part.column("day").to_pylist()
        assert days == sorted(days)
        assert {month_of(day) for day in days} == {month}
        assert set(part.column("bucket").to_pylist()) == {bucket}
        assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_period_is_read_from_its_months_alone(table: PurchasesStore) -> None:
    table.append([some_lines(500)], "b1")
    files = table.files(date(2025, 2, 10), date(2025, 3, 1))
    assert [found.bucket for found in files] == [0, 1, 2, 3]
    assert all("month=2025-02" in path for found in files for path in found.paths)
    assert table.files(date(2024, 12, 1), date(2025, 1, 1)) == ()
    last = date(2025, 1, 31)
    assert all("month=2025-01" in path for found in table.files(last, last + timedelta(1)) for path in found.paths)
    with pytest.raises(ValueError, match="end after"):
        table.files(last, last)


def test_files_without_a_commit_are_not_in_the_table(table: PurchasesStore) -> None:
    table.append([some_lines(100)], "b1")
    written = table.write([some_lines(100, seed=2)], "b2")
    assert written.lines == 100
    assert rows(table).num_rows == table.count_lines() == 100
    assert table.discard("b2") == len(written.paths)
    assert table.discard("b2") == 0
    with pytest.raises(ValueError, match="in the table"):
        table.discard("b1")
    assert rows(table).num_rows == 100


def test_a_second_writer_is_refused(table: PurchasesStore) -> None:
    view = table.view()
    written = table.write([some_lines(100)], "b1")
    other = PurchasesStore.open(table.folder)
    other.append([some_lines(10, seed=2)], "b2")
    other.close()
    with pytest.raises(Unavailable, match="nothing was changed"):
        table.commit(written, view)
    assert table.count_lines() == 10


def test_stored_lines_of_known_baskets(table: PurchasesStore) -> None:
    lines = some_lines(300)
    table.append([lines], "b1")
    view = table.view()
    partition, (path,) = next(iter(view.paths.items()))
    part = pq.ParquetFile(path).read()
    wanted = part.column("basket").to_numpy()[:3]
    whole = (0, 1 << 20)
    found = table.existing(partition, np.append(wanted, 5), whole, view)
    assert sorted(found.column("basket").to_pylist()) == sorted(wanted.tolist())
    assert table.existing(partition, np.array([5]), whole, view).num_rows == 0
    assert table.existing((0, 0), wanted, whole, view).num_rows == 0
    assert table.existing(partition, wanted, (0, 1), view).num_rows == 0


def test_wrong_lines_are_not_written(table: PurchasesStore) -> None:
    with pytest.raises(ValueError, match="bucket"):
        table.append([some_lines(100, buckets=3)], "b1")
    assert table.count_lines() == 0


def test_an_empty_batch_adds_no_snapshot(table: PurchasesStore) -> None:
    assert table.append([], "b1") == 0
    assert table.view().snapshot is None


def test_a_table_is_made_once_and_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        PurchasesStore.open(tmp_path / "p")
    made = PurchasesStore.create(tmp_path / "p", customers=1_000_000)
    made.append([some_lines(50, buckets=8)], "b1")
    made.close()
    with pytest.raises(BadInput, match="already"):
        PurchasesStore.create(tmp_path / "p", customers=1)
    again = PurchasesStore.open(tmp_path / "p")
    assert (again.buckets, again.count_lines()) == (8, 50)
    again.close()


@pytest.mark.postgres
def test_the_catalog_in_postgresql(tmp_path: Path) -> None:
    schemas = fresh_schemas()
    try:
        made = PurchasesStore.create(tmp_path / "p", customers=10, catalog_url=schemas.records)
        made.append([some_lines(50)], "b1")
        made.close()
        again = PurchasesStore.open(tmp_path / "p", catalog_url=schemas.records)
        assert again.count_lines() == 50
        again.close()
    finally:
        schemas.drop()


@pytest.mark.parametrize("lines_in_memory", [1, 70, 10_000])
@pytest.mark.parametrize("lines_in_a_piece", [1, 9, 10_000])
def test_the_spool_loses_nothing_and_cleans_up(tmp_path: Path, lines_in_memory: int, lines_in_a_piece: int) -> None:
    tables = [a_few_baskets(100, seed=seed) for seed in range(4)]
    with PartitionSpool(tmp_path / "spool", lines_in_memory=lines_in_memory, lines_in_a_piece=lines_in_a_piece) as spool:
        for table in tables:
            spool.add(table)
        pieces = list(spool.pieces())
    keys = [key for key, _ in pieces]
    assert keys == sorted(keys)
    everything = np.concatenate([digests(table) for table in tables])
    assert np.sort(np.concatenate([digests(part) for _, part in pieces])).tolist() == np.sort(everything).tolist()
    baskets = [set(part.column("basket").to_pylist()) for _, part in pieces]
    assert sum(map(len, baskets)) == len(set().union(*baskets)), "a basket came in two pieces"
    for (key, before), (following, after) in pairwise(pieces):
        if key == following and before.num_rows and after.num_rows:
            assert max(before.column("day").to_pylist()) <= min(after.column("day").to_pylist())
    arrived = pa.concat_tables(tables)
    for _, part in pieces:
        for basket in set(part.column("basket").to_pylist()):
            came = arrived.filter(pc.equal(arrived.column("basket"), basket)).column("product").to_pylist()
            assert part.filter(pc.equal(part.column("basket"), basket)).column("product").to_pylist() == came
    assert not (tmp_path / "spool").exists()


def a_few_baskets(count: int, seed: int) -> pa.Table:
    """Lines of baskets that come back, each of one day and customer; products say in which order they came."""
    lines = some_lines(count, seed=1, days=5)
    number = np.random.default_rng(seed).integers(0, count, count)
    lines = lines.take(pa.array(number))
    place = lines.schema.get_field_index("product")
    return lines.set_column(place, LINES.field("product"), pa.array(np.arange(count) + seed * count, pa.int32()))


def test_a_partition_in_pieces_is_one_file_sorted_by_day(table: PurchasesStore) -> None:
    with PartitionSpool(table.waiting("b1"), lines_in_memory=50, lines_in_a_piece=20) as spool:
        spool.add(some_lines(500))
        spool.add(some_lines(500, seed=2))
        written = table.write((part for _, part in spool.pieces()), "b1")
    table.commit(written, table.view())
    assert table.count_lines() == 1000
    view = table.view()
    assert {len(paths) for paths in view.paths.values()} == {1}
    for (path,) in view.paths.values():
        days = pq.ParquetFile(path).read().column("day").to_pylist()
        assert days == sorted(days)


def test_pieces_out_of_order_are_a_defect(table: PurchasesStore) -> None:
    lines = some_lines(50, days=1)
    one = lines.filter(pc.equal(lines.column("bucket"), 1))
    later = one.set_column(one.schema.get_field_index("day"), LINES.field("day"), pa.array([date(2025, 1, 9)] * len(one)))
    with pytest.raises(ValueError, match="order of their days"):
        table.write([later, one], "b1")


def test_metadata_is_forced_to_disk_before_the_catalog_names_it(table: PurchasesStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    table.append([some_lines(10)], "b1")
    metadata = {str(path) for path in (table.folder / "lines" / "metadata").iterdir() if "00000" not in path.name}
    data = {path for files in table.files(START, date(2026, 1, 1)) for path in files.paths}
    assert metadata
    assert metadata | data <= set(synced)
