"""Back-ups: the records and purchases in one folder, the customer keys in another, consistent while the house works.

Rules:
1. Choices and reads go on. Whoever changes the purchases waits: records and table are of one moment.
2. Customer keys are copied after the records, so that there is a key for everybody who is in them; into a folder of their own,
   since they may be kept no longer than the erasure deadline: a key that was destroyed lives on in its back-ups.
3. `keys/`, the tombstones and `checkpoints/` are never in it: they are what a back-up is judged by.
4. The manifest is written last. Killed before, the folder is no back-up, and `volens restore` says so.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from volens.app import manifest as manifests
from volens.app.manifest import CUSTOMER_KEYS, RECORDS, RELEASES, Manifest
from volens.app.upkeep import Upkeep
from volens.clock import Clock, legal_day
from volens.databases.connect import SqlDatabase
from volens.databases.copies import copy_out
from volens.databases.lease import LEASE_SECONDS
from volens.errors import BadInput
from volens.evidence import log
from volens.evidence.log import TREES
from volens.holders import Keys
from volens.identity import store as identity
from volens.identity.tombstones import Tombstones
from volens.purchases import copies
from volens.purchases.store import PurchasesStore
from volens.rights.erasure import deadline_days

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class BackedUp:
    """What was written. `keep_until`: the last day on which the customer keys' folder may be kept."""

    folder: str
    customer_keys: str
    events: int
    lines: int
    customers: int
    keep_until: str


class Backups:
    """Makes back-ups of one house."""

    def __init__(
        self,
        house: str,
        country: str,
        records: SqlDatabase,
        customer_keys: SqlDatabase,
        purchases: PurchasesStore,
        keys: Keys,
        tombstones: Tombstones,
        upkeep: Upkeep,
        clock: Clock,
        releases: Path,
        sign: Callable[[], object],
    ) -> None:
        """`sign` signs both trees as they stand: what was signed before the copy is not missed after a restore."""
        self._house, self._country, self._clock = house, country, clock
        self._records, self._customer_keys, self._purchases = records, customer_keys, purchases
        self._keys, self._tombstones, self._upkeep = keys, tombstones, upkeep
        self._releases, self._sign = releases, sign

    def make(
        self, folder: Path, customer_keys: Path | None = None, progress: Progress = lambda step, done, total: None
    ) -> BackedUp:
        """Writes a back-up into `folder`, and the customer keys into another (default: beside it). Both must be new."""
        beside = customer_keys or folder.with_name(folder.name + ".customer-keys")
        for target in (folder, beside):
            if target.exists() and any(target.iterdir()):
                raise BadInput(f"{target} already holds something.", "A back-up is never written over; choose a new folder.")
        if folder.resolve() == beside.resolve():
            raise BadInput("Customer keys need a folder of their own: they may not be kept as long.", "Name another folder.")
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        pair, now = secrets.token_hex(8), self._clock.now()
        erased = len(self._tombstones.read().everybody)
        with self._upkeep.alone() as renew, _renewing(renew):
            self._upkeep.settle_all()  # a table made again has no history that could tell which batch is in it
            self._sign()
            copied, heads = copy_out(
                self._records, folder / "records", lambda connection: {tree: log.head(connection, tree) for tree in TREES}
            )
            copies.copy_out(self._purchases, folder / "purchases", progress, lambda: None)
            lines = self._purchases.count_lines()
        if self._releases.is_dir():
            shutil.copytree(self._releases, folder / RELEASES)  # packages verify by themselves; a copy is as good
        sizes = {tree: head.size for tree, head in heads.items()}
        roots = {tree: head.root.hex() for tree, head in heads.items()}
        manifests.write(
            Manifest(
                RECORDS, self._house, now.isoformat(), pair, copied.kind, copied.revision, copied.tables,
                manifests.hashed(folder, progress), sizes, roots, erased, self._purchases.buckets, lines,
            ),
            folder, self._keys,
        )  # fmt: skip
        until, customers = self._customer_keys_to(beside, pair, now.isoformat(), progress)
        return BackedUp(str(folder), str(beside), sizes[log.EVENTS], lines, customers, until)

    def _customer_keys_to(self, folder: Path, pair: str, made_at: str, progress: Progress) -> tuple[str, int]:
        today = legal_day(self._clock.now(), self._country)
        until = (today + timedelta(days=deadline_days(self._country, today))).isoformat()
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        copied, keks = copy_out(self._customer_keys, folder / "customer-keys", identity.count_by_kek)
        manifests.write(
            Manifest(
                CUSTOMER_KEYS, self._house, made_at, pair, copied.kind, copied.revision, copied.tables,
                manifests.hashed(folder, progress), keep_until=until, keks=keks,
            ),
            folder, self._keys,
        )  # fmt: skip
        return until, sum(keks.values())


@contextmanager
def _renewing(renew: Callable[[], None]) -> Iterator[None]:
    """Keeps the lease while one long statement runs, by a thread of its own."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(LEASE_SECONDS / 4):
            renew()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
