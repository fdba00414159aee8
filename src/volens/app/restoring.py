"""`volens restore`: a back-up becomes a house again, and nobody who was erased comes back with it.

Rules:
1. Everything is checked before anything is touched. From then on a marker keeps the house closed until the last step: killed
   anywhere, the same command begins again from the back-up, and nothing was served meanwhile.
2. Whoever stands in `keys/tombstones` is erased again before the house may open, and her purchases are in no file of the table.
3. Signed events that the back-up lacks are a loss: refused unless somebody accepts it by name. Their leaves, kept outside, take
   their places, so that the trees go on from what was signed and fork from nothing; what they said is `lost`, for ever.
4. What cannot be known is no. Unless the records in place prove, or somebody vouches by name, that nothing was recorded since,
   every standing yes ends (`invalidated`), every machine's key is revoked, and after a loss numbers jump and years whose charges
   may be lost are spent.
5. Customer keys past their day are refused, and so are those that this house's keys do not open.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from pyroaring import BitMap

from volens import settings as settings_of
from volens.access import session_store
from volens.access.machines import Machines
from volens.app import doors
from volens.app import manifest as manifests
from volens.app.forgetting import OTHERS
from volens.app.manifest import CUSTOMER_KEYS, RECORDS, RELEASES, Manifest
from volens.app.marker import Marker
from volens.clock import Clock, legal_day, system
from volens.databases.connect import SqlDatabase, connect, make_schema
from volens.databases.copies import Copied, put_in_place
from volens.databases.lease import clear_all
from volens.errors import BadInput, NotNow, Tampered, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, RESTORED, TREES, Event
from volens.evidence.outside import Outside
from volens.gate import leases
from volens.identity import announced, tombstones
from volens.identity import keys as house_keys
from volens.identity import store as identity
from volens.identity.keys import LocalKeys
from volens.identity.tombstones import Stones, Tombstones
from volens.identity.vault import Vault
from volens.insights.accountant import Accountant, exhaust
from volens.permissions.ledger import Ledger
from volens.programme.load import load as load_programme
from volens.programme.model import Programme
from volens.purchases import copies, queue
from volens.rights.erasure import Erasure
from volens.rulebooks import terms
from volens.settings import Settings

NUMBERS_SKIPPED = 100_000
"""Added to the last number given after a restore: nobody who came after the back-up shares a number with somebody new."""

Progress = Callable[[str, int, int], None]
OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Given:
    """What the operator said: that a loss is accepted, or that the house had stopped before the back-up, and who says so."""

    accept_loss: bool = False
    was_stopped: bool = False
    by: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        if (self.accept_loss or self.was_stopped) and not (self.by.strip() and self.why.strip()):
            raise BadInput("Who says so, and why?", "Add --by and --why: both stay on the record.")


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    made_at: str
    lost: dict[str, int]
    """Signed events of which only the leaf is left, by tree."""
    erased_again: int
    permissions_ended: int
    lines: int
    years_spent: list[int]
    """Years whose budget counts as spent, since their charges may be among what was lost."""


def restore(
    home: Path,
    folder: Path,
    customer_keys: Path | None = None,
    given: Given | None = None,
    *,
    clock: Clock | None = None,
    progress: Progress = lambda step, done, total: None,
    on_step: OnStep = lambda step: None,
) -> Restored:
    """Makes the house in `home` (its settings, programme, keys and checkpoints are there) from a back-up.

    Without `customer_keys` the store of customer keys that is in place is kept. Nothing else may have the house open.
    `on_step` is told after each step that a crash may follow.
    """
    settings, clock = settings_of.load(home), clock or system()
    one = _Restore(settings, load_programme(settings.programme), house_keys.load(settings.keys), clock, given or Given(), progress)
    one.check(folder, customer_keys)
    on_step("checked")
    one.marker.write({"complete": one.complete, "made_at": one.records.made_at})
    on_step("closed")
    one.put_in_place(folder, customer_keys)
    on_step("in place")
    done = one.make_true(folder, on_step)
    one.marker.remove()
    on_step("opened")
    return done


class _Restore:
    """The steps of one restore that share what was found out."""

    def __init__(
        self, settings: Settings, programme: Programme, keys: LocalKeys, clock: Clock, given: Given, progress: Progress
    ) -> None:
        self.settings, self.programme, self.keys, self.clock = settings, programme, keys, clock
        self.given, self.progress = given, progress
        self.outside = Outside(settings.checkpoints, programme.house, keys.signing_key())
        self.tombstones = Tombstones(settings.keys / tombstones.FILE)
        self.marker = Marker(settings.home)
        self.today: date = legal_day(clock.now(), programme.country)

    def check(self, folder: Path, customer_keys: Path | None) -> None:
        """Everything that can be found out without touching anything. Raises what stops it."""
        self.records = manifests.read(folder, RECORDS, self.keys, self.progress)
        self.stones: Stones = self.tombstones.read()
        if len(self.stones.everybody) < self.records.tombstones:
            raise Tampered(
                f"The list of those who were erased ({self.tombstones.file}) is older than this back-up.",
                "Restore the folder of keys from its newest copy first: without it, people who were erased would come back.",
            )
        self.customer_keys = self._check_customer_keys(customer_keys)
        kind = "sqlite" if self.settings.records_url.startswith("sqlite") else "postgresql"
        if self.records.database != kind:
            raise BadInput(f"This back-up is of {self.records.database}, the house is on {kind}.", "Set records_url accordingly.")
        self._weigh()

    def _weigh(self) -> None:
        """How much is lost, as far as it can be known; `NotNow` if nobody accepts it."""
        newest = {tree: self.outside.latest(tree) for tree in TREES}
        if None in newest.values() and not self.given.accept_loss:
            raise NotNow(
                f"There is no signed checkpoint in {self.settings.checkpoints}: nothing says how old this back-up is.",
                "Put the newest copy of the checkpoints in place first. If there is none: --accept-loss --by NAME --why REASON.",
            )
        self.lost = {tree: max(0, (one.size if one else 0) - self.records.sizes[tree]) for tree, one in newest.items()}
        before, in_place = self.marker.read(), self._in_place()
        went_on = 0
        if in_place is not None and not before:  # else it is our own half-made one
            went_on = sum(max(0, in_place[tree][0] - self.records.sizes[tree]) for tree in TREES)
        same = in_place is not None and all(
            in_place[tree] == (self.records.sizes[tree], self.records.roots[tree]) for tree in TREES
        )
        self.complete = bool(before["complete"]) if before else same
        missing = max(went_on, sum(self.lost.values()))
        if missing and not self.given.accept_loss:
            raise NotNow(
                f"Since this back-up {missing:,} events were recorded that it lacks, refusals perhaps among them.",
                "Restore a newer one. If there is none: --accept-loss --by NAME --why REASON, and every permission ends.",
            )

    def _check_customer_keys(self, folder: Path | None) -> Manifest | None:
        if folder is None:
            return None
        found = manifests.read(folder, CUSTOMER_KEYS, self.keys, self.progress)
        if found.pair != self.records.pair:
            raise BadInput("Records and customer keys are of two different back-ups.", "Use the two that were made together.")
        if date.fromisoformat(found.keep_until) < self.today:
            raise NotNow(
                f"These customer keys were to be kept until {found.keep_until} and no longer.",
                "They would bring back keys that were destroyed for people who were erased. Delete them, and use newer ones.",
            )
        strangers = {kek: count for kek, count in found.keks.items() if kek and kek not in self.keys.kek_ids}
        if strangers:
            raise NotNow(
                f"{sum(strangers.values()):,} of these customer keys are wrapped under a key that this house has no more.",
                "The key-encryption key was changed since (volens keys rotate); a back-up from after that is needed.",
            )
        return found

    def _in_place(self) -> dict[str, tuple[int, str]] | None:
        """Size and root of each tree of the records in place; none if there are none that can be read."""
        try:
            database = connect(self.settings.records_url, create=False)
            try:
                with database.reading() as connection:
                    return {tree: (log.size(connection, tree), log.head(connection, tree).root.hex()) for tree in TREES}
            finally:
                database.dispose()
        except Unavailable:
            return None

    def put_in_place(self, folder: Path, customer_keys: Path | None) -> None:
        """Both databases as they were. Whatever was there is gone."""
        copied = Copied(self.records.database, self.records.revision, self.records.tables)
        make_schema(self.settings.records_url)
        put_in_place(self.settings.records_url, folder / "records", copied, "records")
        if self.customer_keys is not None and customer_keys is not None:
            copied = Copied(self.customer_keys.database, self.customer_keys.revision, self.customer_keys.tables)
            make_schema(self.settings.customer_keys_url)
            put_in_place(self.settings.customer_keys_url, customer_keys / "customer-keys", copied, "customer_keys")
        if (folder / RELEASES).is_dir():
            self.settings.releases.mkdir(parents=True, exist_ok=True)
            for package in sorted((folder / RELEASES).iterdir()):
                if not (self.settings.releases / package.name).exists():
                    shutil.copy2(package, self.settings.releases / package.name)

    def make_true(self, folder: Path, on_step: OnStep) -> Restored:
        """From what was to what is: lost leaves, numbers, keys, purchases, the erased, permissions, and the event that says so."""
        with ExitStack() as undo:
            databases = []
            for url in (self.settings.records_url, self.settings.customer_keys_url):
                databases.append(connect(url, create=False))
                undo.callback(databases[-1].dispose)
            records, key_store = databases
            spent = self._take_over(records)
            on_step("trees")
            self._match_keys(records, key_store)
            on_step("keys")
            lines = copies.put_in_place(
                folder / "purchases", self.settings.purchases, self.records.buckets, self._gone(records),
                f"restored-{self.records.pair}", self._catalog_url(), self.progress,
            )  # fmt: skip
            on_step("purchases")
            vault = Vault(records, key_store, self.keys, self.clock, self.programme.country)
            ledger = Ledger(records, vault, terms(self.programme, self.today), self.clock)
            erasure = Erasure(
                records, vault, ledger, self.tombstones, self.clock, self.programme.country, queue.ask, others=OTHERS,
                first=doors.before_erasure(self.programme, records, vault, self.keys, self.clock),
            )
            again = erasure.erase_again(self.stones)
            on_step("erased again")
            ended = 0 if self._nothing_missing() else ledger.end_everything(self.today)
            on_step("permissions")
            years = exhaust(Accountant(records), self._caps(), self.records.pair, self.today.year) if spent else []
            if not self._nothing_missing():
                Machines(records, self.keys, self.clock, self.programme.country, ()).revoke_all(by="volens restore")
            self._say(records, len(again), ended)
            self.outside.require_not_older(records)
        return Restored(self.records.made_at, self.lost, len(again), ended, lines, years)

    def _gone(self, records: SqlDatabase) -> copies.Gone:
        """Whose purchases stay out of the table: asked before the erased are erased again, while their accounts are there."""
        everybody, erased = self.stones.everybody, self.stones.accounts
        with records.reading() as connection:
            held = identity.linked(connection)
        hers = {account for account, (customer, _) in held.items() if customer in everybody}
        others = set(held) - hers - erased
        return copies.Gone(BitMap(everybody), BitMap(erased | hers), BitMap(others))

    def _nothing_missing(self) -> bool:
        return not any(self.lost.values()) and (self.complete or self.given.was_stopped)

    def _take_over(self, records: SqlDatabase) -> bool:
        """Lost leaves into their places, in one transaction. Returns whether charges may be among what was lost."""
        with records.writing() as connection:
            clear_all(connection)
            leases.forget_all(connection)
            session_store.forget_all(connection)
            for tree in TREES:
                size = log.size(connection, tree)
                if size != self.records.sizes[tree]:
                    raise Tampered("The back-up's records do not have the size that its manifest names.", "Take another copy.")
                kept, newest = self.outside.tree(tree), self.outside.latest(tree)
                last = log.one(connection, tree, min(size, newest.size) - 1) if newest is not None and size else None
                if last is not None and last.leaf != kept.leaf(last.seq):
                    raise Tampered(
                        f"This back-up is not of the history that was signed: they differ at {tree} {last.seq} or before.",
                        "Take another back-up, and compare checkpoints with the copies that others hold.",
                    )
                if newest is not None and newest.size > size:
                    frontier = kept.frontier(newest.size)
                    if frontier.root != newest.root:
                        raise Tampered(f"The leaves kept for {tree} do not give the signed root.", "Restore them from a copy.")
                    log.take_over(connection, tree, kept.leaves(newest.size)[size:], frontier)
            if not self._nothing_missing():
                stood = identity.customers_there(connection)
                identity.raise_numbers(connection, max([*stood, *self.stones.everybody], default=0),
                                       NUMBERS_SKIPPED + self.lost[EVENTS])
        # Each signed state of `events` is one event of the public tree. If as many are lost as were signed, nothing else is.
        states = sum(size > self.records.sizes[EVENTS] for size in self.outside.sizes(EVENTS))
        return self.lost[PUBLIC] > states

    def _match_keys(self, records: SqlDatabase, key_store: SqlDatabase) -> None:
        """A key for everybody who is there, and none beside; the key-encryption key of now on the public record."""
        with records.writing() as connection:
            announced.announce(connection, self.keys, self.keys.kek_ids[-1], self.today)
            there = identity.customers_there(connection)
        with key_store.writing() as connection:
            keyed = identity.with_a_key(connection)
            missing = there - keyed - self.stones.everybody
            if missing:
                raise BadInput(
                    f"{len(missing):,} customers have no key in the store of customer keys.",
                    "Give the customer keys that were backed up together with these records: --customer-keys FOLDER.",
                )
            identity.destroy_keys(connection, sorted(keyed - there))

    def _say(self, records: SqlDatabase, again: int, ended: int) -> None:
        """On both records, for ever: what was put back, what is lost, and who said what."""
        ranges = {tree: [self.records.sizes[tree], self.records.sizes[tree] + self.lost[tree]] for tree in TREES}
        said = {"made_at": self.records.made_at, "lost": ranges, "permissions_ended": not self._nothing_missing()}
        private = {**said, **asdict(self.given), "erased_again": again, "ended": ended}
        with records.writing() as connection:
            log.append(connection, EVENTS, [Event(RESTORED, day=self.today, detail=private)])
            log.append(connection, PUBLIC, [Event(RESTORED, day=self.today, detail=said)])

    def _caps(self) -> int:
        return min((product.rho_per_year_nano for product in self.programme.products.values()), default=0)

    def _catalog_url(self) -> str | None:
        return self.settings.records_url if self.settings.records_url.startswith("postgresql") else None

