"""The line-item table: where a purchase rests once nobody is named in it (Apache Iceberg).

1. Partitioned by bucket (a plain column, customer % B) and month of `day`; sorted by day within a file. B is
   fixed when the table is made.
2. One batch is one commit: files that come in, files that they replace, or both. Its id stands in the snapshot's
   properties, so that after a crash the table itself says whether the batch is in it. Files that no snapshot names
   are not in the table.
3. One writer: `commit` refuses when the table has changed since the `View` that the batch was compared with.
   The lease in the records is the first line, this is the second.
4. Whoever reads gets exactly the files that Iceberg plans for one snapshot, as local paths; there are no delete
   files here.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import DataFile as IcebergFile
from pyiceberg.table import DataScan, Table

from volens.errors import BadInput, NotFound, Unavailable
from volens.purchases.datafiles import DataFile, groups_of_days
from volens.purchases.iceberg import BUCKETS, IDENTIFIER, make_table, open_catalog
from volens.purchases.lines import CONTENT, LINES, PartitionFiles, month_of, numbers
from volens.purchases.partitions import Partition, PartitionSpool, split

BATCH = "volens.batch"
REMEDY = "Wait until the other writer is done, then run the same command again."


@dataclass(frozen=True)
class View:
    """The table at one snapshot: which data files each partition has."""

    snapshot: int | None
    paths: dict[Partition, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """Data files of a batch, on the disk but in no snapshot yet."""

    batch: str
    paths: tuple[str, ...]
    lines: int


@dataclass(frozen=True)
class Moment:
    """The table as it was at one moment. Its files are there as long as a lease, or the writer's turn, keeps them."""

    snapshot: int | None
    batches: frozenset[str]
    """Ids of the batches that the table's own history names."""
    scan: DataScan = field(repr=False)

    def files(self, start: date, end: date) -> tuple[PartitionFiles, ...]:
        """The data files of the months that [start, end) touches, by bucket; whole months, so filter by day.

        Exactly what Iceberg plans for the snapshot. Order: bucket, then path (which is by month).
        """
        if start >= end:
            raise ValueError("a period must end after it starts")
        first, last = month_of(start), month_of(date.fromordinal(end.toordinal() - 1))
        beyond = date(1970 + (last + 1) // 12, (last + 1) % 12 + 1, 1)
        chosen: dict[int, list[str]] = {}
        for (bucket, month), file in self.planned(f"day >= '{start.replace(day=1)}' and day < '{beyond}'"):
            if first <= month <= last:
                chosen.setdefault(bucket, []).append(local(file))
        return tuple(PartitionFiles(bucket, tuple(sorted(paths))) for bucket, paths in sorted(chosen.items()))

    def planned(self, condition: str = "true") -> Iterator[tuple[Partition, IcebergFile]]:
        """Each data file that Iceberg plans, with its partition."""
        if self.snapshot is None:
            return
        for task in self.scan.filter(condition).plan_files():
            if task.delete_files:
                raise Unavailable(
                    "The purchases table has delete files, which Volens never writes.",
                    "Something else changed the table: compact it with that tool first.",
                )
            yield (task.file.partition[0], task.file.partition[1]), task.file


class PurchasesStore:
    """Append, replace and read. Made by `create` and `open`; close it to let go of the catalog."""

    def __init__(self, folder: Path, catalog: SqlCatalog, table: Table) -> None:
        self.folder = folder
        self.buckets = int(table.properties[BUCKETS])
        self._catalog = catalog
        self._table = table

    @classmethod
    def create(cls, folder: Path, *, customers: int, catalog_url: str | None = None) -> PurchasesStore:
        """Makes an empty table for about `customers` people in `folder`. Refuses where there is one already.

        `catalog_url`: a SQLAlchemy URL; by default the SQLite file `catalog.db` in the folder. On PostgreSQL
        the catalog gets the schema `purchases_catalog`. Durable when it returns.
        """
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        catalog = open_catalog(folder, catalog_url)
        if catalog.table_exists(IDENTIFIER):
            catalog.close()
            raise BadInput(f"There is a purchases table in {folder} already.", "Open it, or choose another folder.")
        try:
            return cls(folder, catalog, make_table(catalog, folder, customers))
        except BaseException:
            catalog.close()
            raise

    @classmethod
    def open(cls, folder: Path, *, catalog_url: str | None = None) -> PurchasesStore:
        """Opens the table that `create` made. `NotFound` when there is none."""
        folder = folder.resolve()
        remedy = "Run `volens init` first, or check the path."
        if catalog_url is None and not (folder / "catalog.db").exists():
            raise NotFound(f"There is no purchases table in {folder}.", remedy)
        catalog = open_catalog(folder, catalog_url)
        try:
            table = catalog.load_table(IDENTIFIER)
        except NoSuchTableError:
            catalog.close()
            raise NotFound(f"There is no purchases table in {folder}.", remedy) from None
        except OSError as error:
            catalog.close()
            raise Unavailable(
                f"The purchases table in {folder} lacks the files that its catalog names.",
                "Restore the folder; after a `volens init` that failed, take its databases away and run it again.",
            ) from error
        return cls(folder, catalog, table)

    def close(self) -> None:
        """Lets go of the catalog's connections. Closing twice is harmless."""
        self._catalog.close()

    @property
    def data(self) -> Path:
        """The folder of the data files, those of no snapshot too."""
        return self.folder / "lines" / "data"

    @property
    def metadata(self) -> Path:
        """The folder of Iceberg's own files, those of no snapshot too."""
        return self.folder / "lines" / "metadata"

    # -- writing ---------------------------------------------------------------------------------------------

    def append(self, tables: Iterable[pa.Table | pa.RecordBatch], batch: str) -> int:
        """Adds lines in any order as one commit; the number of lines added.

        Durable when it returns. All or nothing. Given the same batch id again it does nothing and returns 0.
        Memory: `PartitionSpool`'s limit plus one piece. Looks for no duplicates: that is `ingest`'s.
        """
        view = self.view()
        if self.snapshot_has(batch):
            return 0
        with PartitionSpool(self.waiting(batch)) as spool:
            for table in tables:
                spool.add(table if isinstance(table, pa.Table) else pa.Table.from_batches([table]))
            written = self.write((part for _, part in spool.pieces()), batch)
        self.commit(written, view)
        return written.lines

    def write(self, tables: Iterable[pa.Table], batch: str, start: int = 0) -> Written:
        """Writes Parquet files, one for each partition of each table, sorted by day. In no snapshot yet.

        The files are on the disk when it returns. A partition may come in pieces: tables that follow each other and
        whose days ascend go into one file. `start` numbers the first of them.
        """
        paths: list[str] = []
        lines, target = 0, None
        with ExitStack() as opened:
            for table in tables:
                for partition, part in split(table):
                    if target is None or target.partition != partition:
                        opened.close()
                        target = self.new_file(partition, batch, start + len(paths))
                        opened.enter_context(target)
                        paths.append(str(target.path))
                    target.add(part)
                    lines += part.num_rows
        return Written(batch, tuple(paths), lines)

    def new_file(self, partition: Partition, batch: str, number: int) -> DataFile:
        """A file of a batch to write to, in no snapshot yet. `number` tells its files apart."""
        return DataFile(self.data, partition, f"{batch}-{number:06d}.parquet", self.buckets)

    def commit(self, written: Written, view: View, gone: Collection[str] = ()) -> None:
        """Adds written files and takes `gone` (paths) out, in one commit, with the batch's id in its properties.

        Durable when it returns. `Unavailable` when the table is no longer what `view` saw; then nothing is
        changed. A batch that changes nothing adds no snapshot: there is nothing that could be there twice.
        """
        if not written.paths and not gone:
            return
        now = self.moment()
        if now.snapshot != view.snapshot:
            raise Unavailable("Somebody else changed the purchases table meanwhile; nothing was changed.", REMEDY)
        properties = {BATCH: written.batch}
        try:
            if not gone:
                # Our names hold the batch's id, so looking through all manifests for the same path finds nothing.
                self._table.add_files(list(written.paths), snapshot_properties=properties, check_duplicate_files=False)
                return
            left = set(gone)
            old = [file for _, file in now.planned() if local(file) in left]
            if len(old) != len(left):
                raise ValueError("a file that is to be replaced is not in the table")
            with self._table.transaction() as transaction:
                new = [parquet_file_to_data_file(self._table.io, self._table.metadata, path) for path in written.paths]
                with transaction.update_snapshot(snapshot_properties=properties).overwrite() as change:
                    for file in old:
                        change.delete_data_file(file)
                    for file in new:
                        change.append_data_file(file)
        except CommitFailedException as error:
            raise Unavailable("Somebody else changed the purchases table meanwhile; nothing was changed.", REMEDY) from error

    def snapshot_has(self, batch: str) -> bool:
        """Whether a batch is in the table. True only as long as its snapshot is kept: recover before expiring."""
        return batch in self.moment().batches

    def discard(self, batch: str) -> int:
        """Removes the files of a batch that is in no snapshot; how many there were. Twice is harmless."""
        if self.snapshot_has(batch):
            raise ValueError("this batch is in the table; its files are not to be discarded")
        shutil.rmtree(self.waiting(batch), ignore_errors=True)
        left = sorted(self.data.glob(f"*/*/{batch}-*.parquet"))
        for path in left:
            path.unlink()
        return len(left)

    def waiting(self, batch: str) -> Path:
        """Where a batch's lines may wait while they are sorted into partitions."""
        return self.folder / "waiting" / batch

    # -- forgetting ------------------------------------------------------------------------------------------

    def expire(self, keep: Collection[int]) -> int:
        """Forgets all snapshots but the current one and `keep`; how many. Their files lie there until `deletion.sweep`.

        After it `snapshot_has` knows no more about the batches of those snapshots: recover first.
        """
        current = self.moment().snapshot
        old = [one.snapshot_id for one in self._table.snapshots() if one.snapshot_id not in {current, *keep}]
        if old:
            self._table.maintenance.expire_snapshots().by_ids(old).commit()
        return len(old)

    def named_files(self) -> set[Path]:
        """Every file that the table's metadata names: its own, the manifests and data files of all its snapshots.

        The metadata before the last are among them once: another process may just be reading it.
        """
        self.moment()
        log = self._table.metadata.metadata_log
        named = {self._table.metadata_location, *(entry.metadata_file for entry in log[-1:])}
        for snapshot in self._table.snapshots():
            named.add(snapshot.manifest_list)
            for manifest in snapshot.manifests(self._table.io):
                named.add(manifest.manifest_path)
                named |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(self._table.io)}
        return {Path(str(name).removeprefix("file://")) for name in named}

    # -- reading ---------------------------------------------------------------------------------------------

    def moment(self) -> Moment:
        """The table as it is now."""
        try:
            self._table.refresh()
        except FileNotFoundError:
            # Between the look at the catalog and the look at the file two others committed and one deleted.
            self._table.refresh()
        current = self._table.current_snapshot()
        stated = (snapshot.summary for snapshot in self._table.snapshots())
        named = {summary.additional_properties.get(BATCH) for summary in stated if summary is not None}
        number = current.snapshot_id if current else None
        return Moment(number, frozenset(name for name in named if name), self._table.scan(snapshot_id=number))

    def view(self) -> View:
        """The data files of the table as it is now."""
        now = self.moment()
        paths: dict[Partition, list[str]] = {}
        for partition, file in now.planned():
            paths.setdefault(partition, []).append(local(file))
        return View(now.snapshot, {key: tuple(sorted(found)) for key, found in paths.items()})

    def files(self, start: date, end: date) -> tuple[PartitionFiles, ...]:
        """The data files of [start, end) as the table is now; see `Moment.files`."""
        return self.moment().files(start, end)

    def count_lines(self) -> int:
        """How many lines the current snapshot has, from the files' own record counts."""
        return sum(file.record_count for _, file in self.moment().planned())

    def existing(self, partition: Partition, baskets: np.ndarray, days: tuple[int, int], view: View) -> pa.Table:
        """The stored lines of these baskets (int64) in one partition: the columns of `CONTENT` and `basket`.

        Reads the row groups that may hold a day in `days` (first and last, days since 1970), the keys alone first:
        where no basket is known, nothing else is read.
        """
        columns = ["basket", *CONTENT]
        found: list[pa.Table] = []
        for path in view.paths.get(partition, ()):
            with pq.ParquetFile(path) as source:
                for group in groups_of_days(source, *days):
                    keys = numbers(source.read_row_group(group, columns=["basket"]), "basket")
                    here = np.isin(keys, baskets)
                    if here.any():
                        found.append(source.read_row_group(group, columns=columns).filter(pa.array(here)))
        empty = pa.schema([LINES.field(name) for name in columns]).empty_table()
        return pa.concat_tables([empty, *(table.select(columns).cast(empty.schema) for table in found)])


def local(file: IcebergFile) -> str:
    """Where a data file lies on this machine."""
    return str(file.file_path).removeprefix("file://")
