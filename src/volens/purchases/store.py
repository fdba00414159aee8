"""The line-item table: where a purchase rests once nobody is named in it (Apache Iceberg).

1. Partitioned by bucket (a plain column, customer % B) and month of `day`; sorted by day within a file. B is
   fixed when the table is made.
2. One batch is one commit. Its id stands in the snapshot's properties, so that after a crash the table itself
   says whether the batch is in it. Files that no snapshot names are not in the table.
3. One writer: `commit` refuses when the table has changed since the `View` that the batch was compared with.
   The lease in the records is the first line, this is the second.
4. Whoever reads gets exactly the files that Iceberg plans, as local paths; there are no delete files here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import IdentityTransform, MonthTransform
from pyiceberg.types import DateType, IcebergType, IntegerType, LongType, NestedField, StringType, TimestamptzType
from sqlalchemy import create_engine, make_url, text

from volens.errors import BadInput, NotFound, Unavailable
from volens.purchases.durable import durable_file, sync_folder
from volens.purchases.lines import CONTENT, LINES, PartitionFiles, buckets_for, month_of, months, numbers
from volens.purchases.partitions import Partition, PartitionSpool, split

IDENTIFIER = ("purchases", "lines")
BATCH = "volens.batch"
BUCKETS = "volens.buckets"
ROWS_PER_GROUP = 1 << 18
CATALOG_SCHEMA = "purchases_catalog"  # in PostgreSQL: a schema of its own, away from the records

_TYPES: dict[pa.DataType, IcebergType] = {
    pa.int32(): IntegerType(),
    pa.int64(): LongType(),
    pa.string(): StringType(),
    pa.date32(): DateType(),
    pa.timestamp("us", tz="UTC"): TimestamptzType(),
}


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


class PurchasesStore:
    """Append and read. Made by `create` and `open`; close it to let go of the catalog."""

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
        catalog = _catalog(folder, catalog_url)
        if catalog.table_exists(IDENTIFIER):
            catalog.close()
            raise BadInput(f"There is a purchases table in {folder} already.", "Open it, or choose another folder.")
        catalog.create_namespace_if_not_exists(IDENTIFIER[0])
        names = {item.name: number for number, item in enumerate(LINES, start=1)}
        schema = Schema(
            *(
                NestedField(field_id=names[item.name], name=item.name, field_type=_TYPES[item.type], required=True)
                for item in LINES
            )
        )
        spec = PartitionSpec(
            PartitionField(names["bucket"], 1000, IdentityTransform(), "bucket_is"),
            PartitionField(names["day"], 1001, MonthTransform(), "month"),
        )
        table = catalog.create_table(
            IDENTIFIER,
            schema=schema,
            location=(folder / "lines").as_uri(),
            partition_spec=spec,
            sort_order=SortOrder(SortField(source_id=names["day"], transform=IdentityTransform())),
            properties={
                BUCKETS: str(buckets_for(customers)),
                "format-version": "2",
                "write.parquet.compression-codec": "zstd",
                # A second writer is an error, not something to merge with: duplicates were looked for in the
                # table as it was (rule 3).
                "commit.retry.num-retries": "0",
            },
        )
        return cls(folder, catalog, table)

    @classmethod
    def open(cls, folder: Path, *, catalog_url: str | None = None) -> PurchasesStore:
        """Opens the table that `create` made. `NotFound` when there is none."""
        folder = folder.resolve()
        remedy = "Run `volens init` first, or check the path."
        if catalog_url is None and not (folder / "catalog.db").exists():
            raise NotFound(f"There is no purchases table in {folder}.", remedy)
        catalog = _catalog(folder, catalog_url)
        try:
            table = catalog.load_table(IDENTIFIER)
        except NoSuchTableError:
            catalog.close()
            raise NotFound(f"There is no purchases table in {folder}.", remedy) from None
        return cls(folder, catalog, table)

    def close(self) -> None:
        """Lets go of the catalog's connections. Closing twice is harmless."""
        self._catalog.close()

    # -- writing ---------------------------------------------------------------------------------------------

    def append(self, tables: Iterable[pa.Table | pa.RecordBatch], batch: str) -> int:
        """Adds lines in any order as one commit; the number of lines added.

        Durable when it returns. All or nothing. Given the same batch id again it does nothing and returns 0.
        Memory: `PartitionSpool`'s limit plus one partition. Looks for no duplicates: that is `ingest`'s.
        """
        view = self.view()
        if self.snapshot_has(batch):
            return 0
        with PartitionSpool(self.waiting(batch)) as spool:
            for table in tables:
                spool.add(table if isinstance(table, pa.Table) else pa.Table.from_batches([table]))
            written = self.write((part for _, part in spool.partitions()), batch)
        self.commit(written, view)
        return written.lines

    def write(self, tables: Iterable[pa.Table], batch: str) -> Written:
        """Writes one Parquet file for each partition of each table, sorted by day. In no snapshot yet.

        The files are on the disk when it returns. To get one file per partition, give one table per partition.
        """
        paths: list[str] = []
        lines = 0
        for table in tables:
            for (bucket, month), part in split(table):
                year, number = 1970 + month // 12, month % 12 + 1
                place = self.folder / "lines" / "data" / f"bucket={bucket:05d}" / f"month={year}-{number:02d}"
                path = place / f"{batch}-{len(paths):06d}.parquet"
                self._write_file(part, path)
                paths.append(str(path))
                lines += part.num_rows
        return Written(batch, tuple(paths), lines)

    def commit(self, written: Written, view: View) -> None:
        """Adds written files to the table in one commit, with the batch's id in the snapshot's properties.

        Durable when it returns. `Unavailable` when the table is no longer what `view` saw; then nothing is
        added. A batch without lines adds no snapshot: there is nothing that could be there twice.
        """
        if not written.paths:
            return
        remedy = "Wait until the other writer is done, then run the same command again."
        self._table.refresh()
        current = self._table.current_snapshot()
        if (current.snapshot_id if current else None) != view.snapshot:
            raise Unavailable("Somebody else changed the purchases table meanwhile; nothing was added.", remedy)
        try:
            # Our names hold the batch's id, so looking through all manifests for the same path finds nothing.
            self._table.add_files(list(written.paths), snapshot_properties={BATCH: written.batch}, check_duplicate_files=False)
        except CommitFailedException as error:
            raise Unavailable("Somebody else changed the purchases table meanwhile; nothing was added.", remedy) from error

    def snapshot_has(self, batch: str) -> bool:
        """Whether a batch is in the table. True only as long as its snapshot is kept: recover before expiring."""
        self._table.refresh()
        return any(
            snapshot.summary is not None and snapshot.summary.additional_properties.get(BATCH) == batch
            for snapshot in self._table.snapshots()
        )

    def discard(self, batch: str) -> int:
        """Removes the files of a batch that is in no snapshot; how many there were. Twice is harmless."""
        if self.snapshot_has(batch):
            raise ValueError("this batch is in the table; its files are not to be discarded")
        shutil.rmtree(self.waiting(batch), ignore_errors=True)
        left = sorted((self.folder / "lines" / "data").glob(f"*/*/{batch}-*.parquet"))
        for path in left:
            path.unlink()
        return len(left)

    def waiting(self, batch: str) -> Path:
        """Where a batch's lines may wait while they are sorted into partitions."""
        return self.folder / "waiting" / batch

    # -- reading ---------------------------------------------------------------------------------------------

    def view(self) -> View:
        """The table as it is now."""
        self._table.refresh()
        snapshot = self._table.current_snapshot()
        paths: dict[Partition, list[str]] = {}
        for bucket, month, path, _ in self._planned("true"):
            paths.setdefault((bucket, month), []).append(path)
        return View(snapshot.snapshot_id if snapshot else None, {key: tuple(sorted(found)) for key, found in paths.items()})

    def files(self, start: date, end: date) -> tuple[PartitionFiles, ...]:
        """The data files of the months that [start, end) touches, by bucket; whole months, so filter by day.

        Exactly what Iceberg plans for the current snapshot. Order: bucket, then path (which is by month).
        """
        if start >= end:
            raise ValueError("a period must end after it starts")
        self._table.refresh()
        first, last = month_of(start), month_of(date.fromordinal(end.toordinal() - 1))
        beyond = date(1970 + (last + 1) // 12, (last + 1) % 12 + 1, 1)
        chosen: dict[int, list[str]] = {}
        for bucket, month, path, _ in self._planned(f"day >= '{start.replace(day=1)}' and day < '{beyond}'"):
            if first <= month <= last:
                chosen.setdefault(bucket, []).append(path)
        return tuple(PartitionFiles(bucket, tuple(sorted(paths))) for bucket, paths in sorted(chosen.items()))

    def count_lines(self) -> int:
        """How many lines the current snapshot has, from the files' own record counts."""
        self._table.refresh()
        return sum(lines for _, _, _, lines in self._planned("true"))

    def existing(self, partition: Partition, baskets: np.ndarray, view: View) -> pa.Table:
        """The stored lines of these baskets (int64) in one partition: the columns of `CONTENT` and `basket`.

        Reads the keys alone first: where no basket is known, nothing else is read.
        """
        columns = ["basket", *CONTENT]
        found: list[pa.Table] = []
        for path in view.paths.get(partition, ()):
            with pq.ParquetFile(path) as source:
                keys = numbers(source.read(columns=["basket"]), "basket")
                here = np.isin(keys, baskets)
                if here.any():
                    found.append(source.read(columns=columns).filter(pa.array(here)))
        empty = pa.schema([LINES.field(name) for name in columns]).empty_table()
        return pa.concat_tables([empty, *(table.select(columns).cast(empty.schema) for table in found)])

    def _planned(self, condition: str) -> Iterator[tuple[int, int, str, int]]:
        """(bucket, month, local path, lines) of each data file that Iceberg plans."""
        for task in self._table.scan(row_filter=condition).plan_files():
            if task.delete_files:
                raise Unavailable(
                    "The purchases table has delete files, which Volens never writes.",
                    "Something else changed the table: compact it with that tool first.",
                )
            file = task.file
            yield file.partition[0], file.partition[1], file.file_path.removeprefix("file://"), file.record_count

    def _write_file(self, table: pa.Table, path: Path) -> None:
        bucket = numbers(table, "bucket")
        if (bucket != numbers(table, "customer") % self.buckets).any():
            raise ValueError("a line's bucket is not customer % buckets")
        # Rows are ordered by day, and within a day a receipt's lines stay together: it compresses best so.
        order = np.lexsort((numbers(table, "basket"), numbers(table, "minute"), numbers(table, "day")))
        ordered = table.select(LINES.names).take(pa.array(order)).cast(LINES)
        if len(np.unique(months(ordered.column("day")))) > 1:
            raise ValueError("a data file holds one month")
        with durable_file(path) as target:
            pq.write_table(
                ordered,
                target,
                compression="zstd",
                row_group_size=ROWS_PER_GROUP,
                use_dictionary=["product", "store", "channel", "unit", "currency", "day", "customer", "account"],
            )
        sync_folder(path.parent.parent)


def catalog_schema(url: str) -> str:
    """In PostgreSQL the catalog has a schema of its own, beside that of the records which the URL names."""
    options = str(make_url(url).query.get("options", ""))
    beside = options.split("search_path=", 1)[1].split()[0] if "search_path=" in options else ""
    if not beside.replace("_", "").isalnum() and beside:
        raise BadInput("The schema in the URL's search path has odd characters.", "Use letters, digits and _ only.")
    return f"{beside}_{CATALOG_SCHEMA}" if beside else CATALOG_SCHEMA


def _catalog(folder: Path, url: str | None) -> SqlCatalog:
    location = url or f"sqlite:///{folder / 'catalog.db'}"
    if make_url(location).get_backend_name() == "postgresql":
        schema = catalog_schema(location)
        engine = create_engine(location)
        with engine.begin() as connection:
            connection.execute(text(f'create schema if not exists "{schema}"'))
        engine.dispose()
        location = (
            make_url(location).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
        )
    return SqlCatalog(
        "volens",
        uri=location,
        warehouse=folder.as_uri(),
        **{"py-io-impl": "volens.purchases.durable.DurableFileIO"},
    )
