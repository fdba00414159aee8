"""The house's keys as its operator sees them: which there are, since when, and a new one in place of an old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from volens.clock import Clock, legal_day
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.holders import Database
from volens.identity import store
from volens.identity.announced import chain
from volens.identity.keys import KEK_ID_BYTES, NAMES, LocalKeys, check_values
from volens.identity.rotation import Progress, Rotated, rotate


@dataclass(frozen=True)
class KeyStatus:
    """One key: its fingerprint (of the key's check value, never of the key's bytes alone) and the day it was announced on."""

    name: str
    fingerprint: str
    since: str | None


@dataclass(frozen=True)
class Status:
    """All keys, and what they hold. `wrapped`: customer keys by the id of the key that wraps them."""

    keys: tuple[KeyStatus, ...]
    wrapped: dict[str, int]
    changing: bool
    """A change of the key-encryption key was begun and has not ended."""
    changes: int
    """How often the key-encryption key was changed."""


class KeyRing:
    """What may be done with the keys. Hands out none of them."""

    def __init__(self, keys: LocalKeys, records: Database, key_store: Database, clock: Clock, country: str) -> None:
        self._keys, self._records, self._key_store = keys, records, key_store
        self._clock, self._country = clock, country

    def rotate(
        self,
        progress: Progress = lambda step, done, total: None,
        on_step: Callable[[str], None] = lambda step: None,
    ) -> Rotated:
        """A new key-encryption key in place of the old one, while others work. See `identity.rotation`."""
        today = legal_day(self._clock.now(), self._country)
        return rotate(self._keys, self._records, self._key_store, today, progress, on_step)

    def status(self) -> Status:
        """Reads the public record and counts customer keys; shows no key."""
        with self._records.reading() as connection:
            rows = list(log.rows(connection, PUBLIC, kinds=["key"]))
        with self._key_store.reading() as connection:
            wrapped = store.count_by_kek(connection)
        checks = check_values(self._keys)
        since = {
            name: next((row.day for row in rows if row.said()["check"].get(name) == checks[name]), None) for name in NAMES
        }
        shown = tuple(KeyStatus(name, checks[name][: 2 * KEK_ID_BYTES], since[name]) for name in NAMES)
        ids, _ = chain(rows)
        return Status(shown, wrapped, len(self._keys.kek_ids) > 1, max(0, len(ids) - 1))
