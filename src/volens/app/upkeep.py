"""The nightly upkeep of the purchases: what waits is appended, moved, taken out, made compact, and what is gone is deleted.

1. `nightly` is the table of contents; each of its lines is one step, and each step killed anywhere is taken up by the same
   command again. There is no other repair.
2. Everything happens under the purchases lease, which is renewed before each commit: who lost it changes nothing.
3. The order matters. What killed runs left is recovered before snapshots are forgotten, since snapshots tell which batch is
   in the table; arrivals are appended before lines are moved or taken out, so that these reach them too; a removal is
   proven, by counting over the files, after the deletion.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Protocol

from volens.clock import Clock, legal_day
from volens.databases.connect import SqlDatabase
from volens.databases.lease import LEASE_SECONDS, PURCHASES_WRITER, held
from volens.errors import NotNow
from volens.gate import leases
from volens.gate.store import hold_ledger
from volens.ingest.intake import recover
from volens.ingest.store import BatchRecords
from volens.purchases import arrivals, compaction, deletion, probe, queue, reading, removal
from volens.purchases.compaction import Compacted
from volens.purchases.deletion import Deleted
from volens.purchases.partitions import PartitionSpool
from volens.purchases.removal import Prepared, Progress, Relabelled, Removed, silent
from volens.purchases.store import PurchasesStore

RENEW_AFTER = timedelta(seconds=LEASE_SECONDS / 8)
OnStep = Callable[[str], None]


class Followed(Protocol):
    """What letting moved accounts' lines follow did."""

    @property
    def accounts(self) -> int: ...
    @property
    def lines(self) -> int: ...


@dataclass(frozen=True)
class Night:
    """What one nightly run did, in numbers."""

    recovered: int
    """Batches and passes of killed runs that were finished or cleared."""
    quarantine: int
    """Refused lines whose time was over."""
    appended: int
    """Lines that had waited and are in the table now."""
    relabelled: Relabelled
    removed: Removed
    compacted: Compacted
    expired: int
    """Snapshots that were forgotten."""
    deleted: Deleted
    probed: int
    """Customers whose removal was looked for in the files."""
    left: int
    """Lines of theirs that were found there. Above zero only while a running read keeps old files."""
    overdue: int
    """Removals that wait although their last day has passed."""

    def to_dict(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self)

    def to_text(self) -> str:
        """For people: a line a step."""
        removed, relabelled, compacted, deleted = self.removed, self.relabelled, self.compacted, self.deleted
        lines = [
            f"  recovered   {self.recovered:,} runs that were killed",
            f"  quarantine  {self.quarantine:,} refused lines had been kept long enough",
            f"  appended    {self.appended:,} lines that had waited",
            f"  relabelled  {relabelled.lines:,} lines of {relabelled.accounts:,} accounts",
            f"  removed     {removed.lines:,} lines of {removed.customers:,} customers, in {removed.partitions:,} partitions",
            f"  compacted   {compacted.files:,} files into {compacted.partitions:,}",
            f"  deleted     {deleted.files:,} files of {self.expired:,} old snapshots and killed runs, {deleted.bytes:,} bytes",
        ]
        if self.probed:
            found = "none is left" if not self.left else f"{self.left:,} lines are left in files that a running read still needs"
            lines.append(f"  counted     the files, for {self.probed:,} removed customers: {found}")
        if self.overdue:
            lines.append(f"  overdue     {self.overdue:,} removals are past their last day")
        return "\n".join(lines)


class Upkeep:
    """Keeps the purchases table small, true to who is who, and free of what must be gone."""

    def __init__(
        self,
        records: SqlDatabase,
        purchases: PurchasesStore,
        clock: Clock,
        country: str,
        follow: Callable[[], Followed],
    ) -> None:
        """`follow` lets the lines of accounts that moved follow, under the lease, by `move`."""
        self._records, self._store, self._clock, self._country = records, purchases, clock, country
        self._follow = follow
        self._batches = BatchRecords(records)
        self._renew: Callable[[], None] = _nobody
        self._on_step: OnStep = _no_step

    @contextmanager
    def alone(self) -> Iterator[Callable[[], None]]:
        """The lease of whoever changes the purchases; yields what renews it."""
        with held(self._records, PURCHASES_WRITER, self._clock) as renew:
            self._renew = renew
            try:
                yield renew
            finally:
                self._renew = _nobody

    def settle(self, on_step: OnStep = lambda step: None) -> None:
        """Before a feed, under the lease: what killed runs left, and arrivals whose time has come."""
        self._on_step = on_step
        self._recover()
        with self._records.reading() as connection:
            due = arrivals.waiting(connection).due(self._clock.now()) or arrivals.is_staged(connection)
        if due:
            self._append()

    def settle_all(self) -> None:
        """Under the lease: nothing is half done, and nothing waits outside the table. Before a back-up."""
        self.settle()
        self._append()

    def move(self, moves: Mapping[int, int], progress: Progress = silent) -> int:
        """Gives the lines of accounts to customers (account to customer), under the lease; how many lines moved.

        What waits is appended first, so that it moves too. The same again moves nothing.
        """
        self._append()
        prepared = removal.prepare_relabelling(self._store, moves, _id("relabel"), progress)
        self._commit(prepared, "relabelling")
        return sum(prepared.counts.values())

    def nightly(self, progress: Progress = silent, on_step: OnStep = lambda step: None) -> Night:
        """Does everything that is due. Killed anywhere, the same again does the rest."""
        with self.alone() as renew:
            self._on_step = on_step
            today = legal_day(self._clock.now(), self._country)
            told = self._renewing(progress, renew)
            recovered = self._recover()
            quarantine = self._batches.expire(today)
            appended = self._append()
            relabelled = self._follow()
            on_step("relabelling-done")
            removed = self._remove(told)
            compacted = self._compact(told)
            expired, deleted = self._delete(told)
            probed, left = self._probe(today)
            with self._records.reading() as connection:
                overdue = queue.overdue(connection, today)
        moved = Relabelled(relabelled.lines, relabelled.accounts)
        return Night(recovered, quarantine, appended, moved, removed, compacted, expired, deleted, probed, left, overdue)

    def _recover(self) -> int:
        """Batches, and removals that were staged: the table says whether they are in."""
        left = len(recover(self._store, self._batches, self._clock))
        with self._records.reading() as connection:
            passes = queue.staged_passes(connection)
        for batch in passes:
            if self._store.snapshot_has(batch) or not self._has_lines(batch):
                self._finish_removal(batch)
                continue
            self._store.discard(batch)
            with self._records.writing() as connection:
                queue.unstage(connection, batch)
        return left + len(passes)

    def _has_lines(self, batch: str) -> bool:
        with self._records.reading() as connection:
            return queue.lines_of(connection, batch) > 0

    def _append(self) -> int:
        """What waits among the arrivals goes into the table, as one commit."""
        with self._records.writing() as connection:
            batch = arrivals.stage(connection, _id("arrivals"))
        if batch is None:
            return 0
        self._on_step("arrivals-staged")
        if not self._store.snapshot_has(batch):
            self._store.discard(batch)
            view = self._store.view()
            with PartitionSpool(self._store.waiting(batch)) as spool, self._records.reading() as connection:
                for lines in arrivals.staged(connection, batch):
                    spool.add(lines)
                written = self._store.write((piece for _, piece in spool.pieces()), batch)
            self._commit(Prepared(view, written, (), {}), "arrivals")
        with self._records.writing() as connection:
            lines = arrivals.finish(connection, batch, legal_day(self._clock.now(), self._country))
        self._on_step("arrivals-done")
        return lines

    def _remove(self, progress: Progress) -> Removed:
        """Everybody in the queue, as one pass over the files."""
        with self._records.reading() as connection:
            customers = queue.waiting(connection).customers
        if not customers:
            return Removed(0, 0, 0)
        batch = _id("removal")
        prepared = removal.prepare_removal(self._store, customers, batch, progress)
        with self._records.writing() as connection:
            queue.stage(connection, batch, prepared.counts, customers)
        self._on_step("removal-staged")
        self._commit(prepared, "removal")
        self._finish_removal(batch)
        self._on_step("removal-done")
        return Removed(sum(prepared.counts.values()), prepared.partitions, len(customers))

    def _finish_removal(self, batch: str) -> None:
        """On record, 5,000 customers a transaction, so that nobody's withdrawal waits behind a large pass."""
        finished = 1
        while finished:
            with self._records.writing() as connection:
                finished = queue.finish(connection, batch, legal_day(self._clock.now(), self._country))

    def _compact(self, progress: Progress) -> Compacted:
        prepared = compaction.prepare_compaction(self._store, _id("compact"), progress)
        self._commit(prepared, "compaction")
        return Compacted(prepared.partitions, len(prepared.gone))

    def _delete(self, progress: Progress) -> tuple[int, Deleted]:
        """Forgets old snapshots, then deletes what nothing needs any more."""
        self._renew()
        lying = reading.lying(self._store.folder)  # before the leases are read: who begins now has a lease first
        with self._records.writing() as connection:
            hold_ledger(connection)  # nobody opens a read between the look at the leases and the forgetting
            if self._batches.unfinished() or arrivals.is_staged(connection) or queue.staged_passes(connection):
                raise NotNow("Another run has begun meanwhile; nothing was deleted.", "Run the same command again.")
            running = leases.held(connection, self._clock.now())
            expired = self._store.expire({lease.snapshot for lease in running if lease.snapshot is not None})
        self._on_step("expired")
        deleted = deletion.sweep(self._store, lying - {lease.read for lease in running}, progress)
        self._on_step("deleted")
        return expired, deleted

    def _probe(self, today: date) -> tuple[int, int]:
        """Counts over all files what is left of those who were removed: (customers looked for, lines found)."""
        with self._records.reading() as connection:
            customers = queue.unproven(connection)
        if not customers:
            return 0, 0
        left = probe.lines_of(self._store.folder, customers)
        if not left:
            with self._records.writing() as connection:
                queue.proven(connection, customers, today)
        return len(customers), left

    def _commit(self, prepared: Prepared, what: str) -> None:
        self._on_step(f"{what}-written")
        self._renew()  # the last moment: who lost the lease must not change the table
        self._store.commit(prepared.written, prepared.view, prepared.gone)
        self._on_step(f"{what}-added")

    def _renewing(self, progress: Progress, renew: Callable[[], None]) -> Progress:
        renewed = self._clock.now()

        def told(step: str, done: int, total: int) -> None:
            nonlocal renewed
            if self._clock.now() - renewed > RENEW_AFTER:
                renew()
                renewed = self._clock.now()
            progress(step, done, total)

        return told


def _nobody() -> None:
    """Nobody holds the lease: whoever changes the table without it is a defect."""
    raise RuntimeError("the purchases are changed under their lease only: use `alone`")


def _no_step(step: str) -> None:
    """Nobody is told."""


def _id(what: str) -> str:
    return f"{what}-{secrets.token_hex(8)}"
