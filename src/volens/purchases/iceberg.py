"""How the line-item table is declared to Iceberg, and where its catalog rests.

The schema is made from `lines.LINES`; partitions are identity(bucket) and month(day); within a file lines are by day.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import IdentityTransform, MonthTransform
from pyiceberg.types import DateType, IcebergType, IntegerType, LongType, NestedField, StringType, TimestamptzType
from sqlalchemy import create_engine, make_url, text

from volens.errors import BadInput
from volens.purchases.lines import LINES, buckets_for

IDENTIFIER = ("purchases", "lines")
BUCKETS = "volens.buckets"
CATALOG_SCHEMA = "purchases_catalog"  # in PostgreSQL: a schema of its own, away from the records

_TYPES: dict[pa.DataType, IcebergType] = {
    pa.int32(): IntegerType(),
    pa.int64(): LongType(),
    pa.string(): StringType(),
    pa.date32(): DateType(),
    pa.timestamp("us", tz="UTC"): TimestamptzType(),
}


def make_table(catalog: SqlCatalog, folder: Path, customers: int) -> Table:
    """An empty table for about `customers` people, its files in `folder`."""
    catalog.create_namespace_if_not_exists(IDENTIFIER[0])
    names = {item.name: number for number, item in enumerate(LINES, start=1)}
    schema = Schema(
        *(NestedField(field_id=names[item.name], name=item.name, field_type=_TYPES[item.type], required=True) for item in LINES)
    )
    spec = PartitionSpec(
        PartitionField(names["bucket"], 1000, IdentityTransform(), "bucket_is"),
        PartitionField(names["day"], 1001, MonthTransform(), "month"),
    )
    return catalog.create_table(
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
            # table as it was.
            "commit.retry.num-retries": "0",
        },
    )


def catalog_schema(url: str) -> str:
    """In PostgreSQL the catalog has a schema of its own, beside that of the records which the URL names."""
    options = str(make_url(url).query.get("options", ""))
    beside = options.split("search_path=", 1)[1].split()[0] if "search_path=" in options else ""
    if not beside.replace("_", "").isalnum() and beside:
        raise BadInput("The schema in the URL's search path has odd characters.", "Use letters, digits and _ only.")
    return f"{beside}_{CATALOG_SCHEMA}" if beside else CATALOG_SCHEMA


def open_catalog(folder: Path, url: str | None) -> SqlCatalog:
    """The catalog at a SQLAlchemy URL; by default the SQLite file `catalog.db` in the folder. Its schema is made."""
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
