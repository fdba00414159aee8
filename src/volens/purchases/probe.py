"""Is anything left of somebody? Counted over the files that lie there, whatever any snapshot says.

Imports nothing of Volens and asks no catalog: what it judges is the work of `removal` and `deletion`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def lines_of(folder: Path, customers: Iterable[int]) -> int:
    """Lines of these customers in all Parquet and Arrow files below a folder, those of no snapshot too.

    Reads one column at a time, the memory of one row group. A file that cannot be read is an error, not a zero.
    """
    wanted = pa.array(sorted({int(customer) for customer in customers}), pa.int64())
    if not len(wanted):
        return 0
    return sum(pc.sum(pc.is_in(pc.cast(found, pa.int64()), value_set=wanted)).as_py() or 0 for found in _customers(folder))


def _customers(folder: Path) -> Iterator[pa.ChunkedArray | pa.Array]:
    for path in sorted(folder.rglob("*.parquet")):
        with pq.ParquetFile(path) as source:
            if "customer" in source.schema_arrow.names:
                for batch in source.iter_batches(columns=["customer"]):
                    yield batch.column(0)
    for path in sorted(folder.rglob("*.arrow")):
        with pa.memory_map(str(path)) as mapped:
            reader = pa.ipc.open_file(mapped)
            for number in range(reader.num_record_batches):
                if "customer" in reader.schema.names:
                    yield reader.get_batch(number).column("customer")
