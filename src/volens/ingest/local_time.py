"""A store's clock becomes an instant.

1. A local time that exists twice (clocks go back) or not at all (clocks go forward) takes the later of the two
   instants that its two possible offsets give. It is kept and counted, never refused.
2. Day and minute are what the store's clock showed; where a feed gives instants, they are shown on that clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.ingest.columns import INSTANT, LOCAL


def instants(local: pa.Array, instant: pa.Array, zone: str) -> tuple[pa.Array, pa.Array, np.ndarray]:
    """(instant in UTC, local time, which local times were doubtful) of lines that have one of the two.

    `local` timestamp[us], `instant` timestamp[us, UTC]; exactly one is valid for each line.
    """
    shown = pc.local_timestamp(instant.cast(pa.timestamp("us", tz=zone)))
    first = _assumed(local, zone, "earliest")
    last = _assumed(local, zone, "latest")
    doubtful = pc.fill_null(pc.not_equal(first, last), False).to_numpy(zero_copy_only=False)
    if doubtful.any():
        places = pa.array(np.flatnonzero(doubtful))
        found = pc.dictionary_encode(local.take(places))
        later = pa.array([_later(time, ZoneInfo(zone)) for time in found.dictionary.to_pylist()], INSTANT)
        last = pc.replace_with_mask(last, pa.array(doubtful), later.take(found.indices))
    return pc.coalesce(instant, last), pc.coalesce(local, shown), doubtful


def _assumed(local: pa.Array, zone: str, which: str) -> pa.Array:
    return pc.assume_timezone(local, zone, ambiguous=which, nonexistent=which).cast(INSTANT)


def _later(local: datetime, zone: ZoneInfo) -> datetime:
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def by_zone(
    local: pa.Array, instant: pa.Array, zone_of_line: np.ndarray, zones: tuple[str, ...]
) -> tuple[pa.Array, pa.Array, np.ndarray]:
    """As `instants`, with a zone for each line: an index into `zones`."""
    distinct = np.unique(np.asarray(zones, dtype=object)[np.unique(zone_of_line)].astype(str))
    if len(distinct) <= 1:
        return instants(local, instant, str(distinct[0]) if len(distinct) else "UTC")
    ts, wall = pa.nulls(len(local), INSTANT), pa.nulls(len(local), LOCAL)
    doubtful = np.zeros(len(local), dtype=bool)
    names = np.asarray(zones, dtype=str)[zone_of_line]
    for zone in distinct:
        here = names == zone
        mask = pa.array(here)
        some = instants(local.filter(mask), instant.filter(mask), str(zone))
        ts, wall = pc.replace_with_mask(ts, mask, some[0]), pc.replace_with_mask(wall, mask, some[1])
        doubtful[here] = some[2]
    return ts, wall, doubtful
