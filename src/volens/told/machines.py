"""Keys of other systems as flows: what they may ask for, and whether they ever called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from volens.access import machine_store
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.told.flows import WATCHED_DAYS, Flow, Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection


def machines(connection: Connection, today: date) -> Iterator[Flow]:
    """Every key that works. One that has not called for as long as we watch counts as never used: a door that nobody needs."""
    for key in machine_store.keys_of(connection):
        if key.ended is not None or date.fromisoformat(key.expires) < today:
            continue
        last = date.fromisoformat(key.last_used[:10]) if key.last_used is not None else None
        lately = last is not None and last > today - timedelta(days=WATCHED_DAYS)
        added = log.one(connection, EVENTS, key.added)
        since = date.fromisoformat(str(added.day)) if added is not None and added.day is not None else today
        used = dict.fromkeys(key.scopes, 1) if lately else {}
        yield Flow(Kind.MACHINE, f"{key.machine} {key.key}", key.recipient, frozenset(key.scopes), used, since, last)
