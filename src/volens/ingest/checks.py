"""Lines that could be read are held against the catalogue and the clock, and become purchase lines.

After this a line has product, instant, day and minute; it still names its customer by card or e-mail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest.columns import INSTANT, LOCAL
from volens.ingest.local_time import by_zone
from volens.ingest.mapping import Mapping
from volens.ingest.raw import Judge, Refusals
from volens.purchases.catalogue import Catalogue

LARGEST = 10_000_000_000  # 100 million euros, or 10,000 tonnes: no line of a receipt
OLDEST = datetime(1990, 1, 1)  # noqa: DTZ001 (a store's clock)
# A till whose clock is ahead, or a zone that was declared wrongly, is no reason to lose a day's purchases.
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Checked:
    """Good lines with keys and times; refused ones; how many times were doubtful and resolved."""

    lines: pa.Table
    refused: Refusals
    times_resolved: int


def check(table: pa.Table, mapping: Mapping, catalogue: Catalogue, now: datetime) -> Checked:
    """`table` has the columns of `RAW`. A store that has no key yet is no reason to refuse a line."""
    judge = Judge(table.num_rows)
    product = _keys(table.column("sku"), catalogue.product_keys)
    store = _keys(table.column("store"), catalogue.store_keys)
    judge.refuse(product == 0, "unknown-product")
    local, instant = (table.column(name).combine_chunks() for name in ("local", "instant"))
    ts, wall, doubtful = by_zone(local, instant, store, catalogue.zones(mapping.zone))
    judge.refuse(pc.less(wall, pa.scalar(OLDEST, LOCAL)).to_numpy(zero_copy_only=False), "impossible-time")
    judge.refuse(pc.greater(ts, pa.scalar(now + AHEAD, INSTANT)).to_numpy(zero_copy_only=False), "future-time")
    quantity, amount, discount = (table.column(name).to_numpy() for name in ("quantity", "amount", "discount"))
    judge.refuse(np.sign(quantity) * np.sign(amount) < 0, "signs-disagree")
    size = np.maximum(np.maximum(np.abs(quantity), np.abs(amount)), discount)
    judge.refuse(size > LARGEST, "out-of-range")
    minutes = pc.add(pc.multiply(pc.hour(wall), 60), pc.minute(wall)).cast(pa.int32())
    whole = table.drop_columns(["local", "instant", "sku", "row"])
    for name, column in (
        ("product", pa.array(product)),
        ("ts", ts),
        ("day", wall.cast(pa.date32(), safe=False)),
        ("minute", minutes),
    ):
        whole = whole.append_column(name, column)
    good = pa.array(judge.good)
    return Checked(whole.filter(good), judge.refusals(table), int((doubtful & judge.good).sum()))


def _keys(column: pa.ChunkedArray, look_up: Callable[[pa.Array], np.ndarray]) -> np.ndarray:
    distinct = pc.dictionary_encode(column.combine_chunks())
    return np.asarray(look_up(distinct.dictionary)[distinct.indices.to_numpy(zero_copy_only=False)])
