"""One retailer's house: its stations, wired. Rules stand in `volens.app`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from volens.access.station import Access
from volens.app import doors
from volens.app.backup import Backups
from volens.app.checked import checked_programme
from volens.app.forgetting import OTHERS
from volens.app.upkeep import RENEW_AFTER, Upkeep
from volens.asking.station import Asking
from volens.audit.report import Report
from volens.audit.run import audit
from volens.centre.station import Centre
from volens.clock import Clock, legal_day
from volens.customers.enrolment import Enrolment
from volens.customers.linking import Linking
from volens.customers.station import Customers
from volens.databases.connect import SqlDatabase
from volens.devices.station import Devices
from volens.engines.polars_engine import PolarsEngine
from volens.evidence import log
from volens.evidence.checkpoint import Checkpoint
from volens.evidence.log import PUBLIC, Event
from volens.evidence.outside import Outside
from volens.evidence.witness_client import WitnessAt, Witnesses
from volens.followers.station import Followers
from volens.gate import store as uses
from volens.gate.barrier import Barrier
from volens.gate.policy import Rulebook
from volens.gate.reads import Gate
from volens.gate.store import Use
from volens.identity import announced, tombstones
from volens.identity import keys as house_keys
from volens.identity.keyring import KeyRing
from volens.identity.pseudonymise import Pseudonymiser
from volens.identity.references import References
from volens.identity.tombstones import Tombstones
from volens.identity.vault import Identified, Vault
from volens.ingest.explain import Explanation, explain
from volens.ingest.intake import Progress, take_in
from volens.ingest.mapping import Mapping
from volens.ingest.master import PeopleSummary, take_in_people
from volens.ingest.payment_numbers import holds_payment_number
from volens.ingest.quarantine import Quarantine
from volens.ingest.sources import known_mappings, require_own_name
from volens.ingest.store import BatchRecords
from volens.ingest.summary import Summary
from volens.insights.accountant import Accountant
from volens.messaging.station import Marketing
from volens.offering.station import Offering
from volens.permissions.importing import Importer
from volens.permissions.ledger import Ledger, Terms
from volens.permissions.receipt import Receipts
from volens.programme.model import Programme
from volens.publishing.adoption import adopted_texts
from volens.publishing.station import Publishing
from volens.purchases import catalogue, queue
from volens.purchases.arrivals import SMALL_LINES
from volens.purchases.catalogue import Loaded
from volens.purchases.store import PurchasesStore
from volens.releases.desk import ReportDesk
from volens.releases.workflow import Workflow
from volens.reminding.station import Reminders
from volens.rights.erasure import Erasure
from volens.rulebooks import recorded, rulebook, terms
from volens.settings import Settings
from volens.sponsored.station import Sponsored

_RENEWING = threading.Lock()
"""One thread of a process takes an edition over at a time."""


@dataclass(frozen=True)
class _Stores:
    records: SqlDatabase
    customer_keys: SqlDatabase
    purchases: PurchasesStore


class House:
    """One retailer's Volens, opened. Close it, or use it in a `with` block."""

    def __init__(
        self,
        settings: Settings,
        programme: Programme,
        keys: house_keys.LocalKeys,
        records: SqlDatabase,
        customer_keys: SqlDatabase,
        purchases: PurchasesStore,
        clock: Clock,
    ) -> None:
        self.settings, self.clock = settings, clock
        self._stores, self._keys = _Stores(records, customer_keys, purchases), keys
        self._vault = Vault(records, customer_keys, keys, clock, programme.country)
        self._outside = Outside(settings.checkpoints, programme.house, keys.signing_key())
        self._outside.require_not_older(records)
        self._tombstones = Tombstones(settings.keys / tombstones.FILE)
        self.publishing = Publishing(
            records, programme, clock, lambda: checked_programme(settings.programme, clock), self.renew, keys.mac,
        )  # fmt: skip
        self.programme = programme = self.publishing.edition
        today = legal_day(clock.now(), programme.country)
        rules = rulebook(programme)
        self.permissions = Ledger(records, self._vault, terms(programme, today), clock)
        self.imports = Importer(records, self._vault, keys, terms(programme, today), clock, programme.country, holds_payment_number)
        self.gate = Gate(records, self.permissions, rules, purchases, clock, programme.country, programme.digest)
        self.upkeep = Upkeep(records, purchases, clock, programme.country, lambda: self.customers.relabel_alone())
        self.barrier = Barrier(records, rules, clock, programme.country, programme.digest, self.permissions.turn)
        self.customers = self._customers(rules)
        self.witnesses = Witnesses(self._outside, tuple(WitnessAt.of(*one) for one in settings.witnesses), clock)
        self._adopt()
        self.access = self._access(records)
        self.asking = self._asking(rules, terms(programme, today))
        self.key_ring = KeyRing(keys, records, customer_keys, clock, programme.country)
        self.delivery = doors.delivery(settings, programme, records, self._vault, self.barrier, keys, clock)
        out = self.delivery
        self.doorways = doors.doorways(settings, programme, today, records, self._vault, keys, self.permissions, out, clock)
        self.audiences = doors.audiences(settings, programme, records, self._vault, self.gate, self.barrier, keys, clock)
        self.messages = self._messages(keys)
        self.licences = doors.licences(programme, records, self._vault, self.delivery, self.permissions, clock, self.doorways)
        self.wallet = doors.wallet(settings, programme, records, self._vault, keys, self.delivery, clock)
        self.erasure = self._erasure(keys)
        self.erasure.finish()
        self.devices = Devices(records, self._vault, self.permissions, programme, rules, clock)
        self.receipts = Receipts(programme, records, self._outside, self._vault, self.checkpoint, settings.checkpoint_url)
        self.centre = Centre(programme, rules, terms(programme, today), self.permissions, records, clock)
        self.backups = Backups(
            programme.house, programme.country, records, customer_keys, purchases, keys, self._tombstones, self.upkeep, clock,
            settings.releases, self.checkpoint,
        )  # fmt: skip
        self.reports = self._report_desk(records)
        self.campaigns = doors.campaigns(settings, programme, records, self.gate, clock)
        self.followers = Followers(
            records, self.gate, self.barrier, self.permissions, rules, programme, keys, clock,
            self._vault.found_by, References(self._vault),
        )  # fmt: skip
        self.reminders, self.sponsored, self.offering = self._reminders(), self._sponsored(), self._offering()
        self.referring = doors.referring(programme, records, self._vault, keys, clock, self.wallet)
        self.told = doors.told(programme, records, clock, self.offering)
        self.quarantine = Quarantine(
            batches=BatchRecords(records),
            identities=Pseudonymiser(self._vault, keys),
            open_sealed=keys.open_intake,
            store=purchases,
            catalogue_folder=settings.purchases,
            clock=clock,
            today=lambda: legal_day(clock.now(), programme.country),
            alone=self._alone,
        )

    def _reminders(self) -> Reminders:
        return Reminders(
            self._stores.records, self.gate, self.barrier, self.permissions, self.programme, self._vault, self._keys.mac,
            self.settings.purchases, self.clock, self._alone, self._vault.found_by,
        )  # fmt: skip

    def _sponsored(self) -> Sponsored:
        return doors.sponsored(
            self.settings, self.programme, self._stores.records, self._vault, self.gate, self.barrier, self.permissions,
            self._keys, self.clock,
        )  # fmt: skip

    def _offering(self) -> Offering:
        stores = self._stores
        return doors.offering(self.settings, self.programme, stores.records, self._vault, self.delivery, self.clock, self.wallet)

    def _erasure(self, keys: house_keys.LocalKeys) -> Erasure:
        return Erasure(
            self._stores.records, self._vault, self.permissions, self._tombstones, self.clock, self.programme.country, queue.ask,
            self.customers.relabel_if_free, OTHERS,
            doors.before_erasure(self.programme, self._stores.records, self._vault, keys, self.clock),
        )  # fmt: skip

    def _messages(self, keys: house_keys.LocalKeys) -> Marketing:
        records = self._stores.records
        return doors.messages(
            self.settings, self.programme, records, self._vault, self.barrier, self.permissions, keys, self.clock
        )

    def _report_desk(self, records: SqlDatabase) -> ReportDesk:
        return ReportDesk(
            programme=self.programme,
            gate=self.gate,
            barrier=self.barrier,
            accountant=Accountant(records),
            workflow=Workflow(records),
            records=records,
            outside=self._outside,
            witnesses=self.witnesses,
            engine=PolarsEngine(),
            catalogue=self.settings.purchases,
            packages=self.settings.releases,
            clock=self.clock,
            checkpoint_url=self.settings.checkpoint_url,
            follow=self.customers.relabel,
        )

    def _asking(self, rules: Rulebook, terms: Terms) -> Asking:
        return Asking(
            self.programme, rules, terms, self.permissions, self._stores.records, self._vault, self.customers.enrol,
            self._keys.mac, self.clock, self.publishing.text_for,
        )  # fmt: skip

    def _access(self, records: SqlDatabase) -> Access:
        here, told = self.programme, self.settings.sign_in
        return Access(records, self._keys, self._vault, self.clock, here.country, here.recipients, here.house, told)

    def _customers(self, rules: Rulebook) -> Customers:
        stores, country = self._stores, self.programme.country
        linking = Linking(
            stores.records, self._vault, rules, self.permissions.minors, self.clock, country,
            self.upkeep.move,
        )  # fmt: skip
        enrolment = Enrolment(stores.records, self._vault, linking, self.permissions.minors, self.clock, country)
        return Customers(stores.records, self._vault, linking, enrolment, self._alone)

    def load_products(self, path: Path) -> Loaded:
        """Takes in the public list of products; keys that were given stay."""
        with self._alone():
            return catalogue.load_products(self.settings.purchases, path)

    def take_in(
        self,
        path: Path,
        mapping: Mapping,
        progress: Progress = lambda step, done, total: None,
        *,
        new_source: bool = False,
    ) -> Summary:
        """Takes a feed of purchases in: all of it or nothing, each receipt once. Quarantine that is old enough goes.

        `new_source`: the mapping's source is a feed of its own, also if a known one finds receipts in the same columns.
        """
        with self._alone() as renew:
            self.upkeep.settle()
            # First, so that a receipt that comes again is found under whom its card belongs to now.
            self.customers.relabel_alone()
            batches = BatchRecords(self._stores.records)
            self.told.require_open(mapping.source)
            if not new_source:
                require_own_name(mapping, known_mappings(batches.mappings()))
            batches.expire(legal_day(self.clock.now(), self.programme.country))

            renewed = self.clock.now()

            def told(step: str, done: int, total: int) -> None:
                nonlocal renewed
                if self.clock.now() - renewed > RENEW_AFTER:
                    renew()
                    renewed = self.clock.now()
                progress(step, done, total)

            def staged(step: str) -> None:
                if step == "staged":
                    renew()
                    self.customers.require_none_pending()

            return take_in(
                path,
                mapping,
                identities=Pseudonymiser(self._vault, self._keys),
                store=self._stores.purchases,
                catalogue_folder=self.settings.purchases,
                batches=batches,
                clock=self.clock,
                count_accounts=self._vault.count_accounts,
                small=SMALL_LINES,
                progress=told,
                # The last moment before lines are added: who lost the lease must not add them.
                # A card that moved while the feed was read may have its receipts under two numbers.
                on_step=staged,
            )

    def _alone(self) -> AbstractContextManager[Callable[[], None]]:
        """The lease of whoever changes the purchases."""
        return self.upkeep.alone()

    def customer(self, kind: str, value: str) -> Identified:
        """The numbers behind a card or an e-mail; `NotFound` if nobody is known by it."""
        return self._vault.find(kind, value)

    def take_in_people(
        self, path: Path, mapping: Mapping, progress: Progress = lambda step, done, total: None
    ) -> PeopleSummary:
        """Takes the customer master in: into the vault and nowhere else."""
        return take_in_people(
            path, mapping, enrol=self.customers.enrol, country=self.programme.country, progress=progress
        )

    def explain(self, path: Path, mapping: Mapping | None = None) -> Explanation:
        """What a feed seems to be, and what would become of its first 1,000 lines. Writes nothing."""
        known = known_mappings(BatchRecords(self._stores.records).mappings())
        products = catalogue.read(self.settings.purchases)
        return explain(path, mapping, catalogue=products, now=self.clock.now(), sources=known)

    def uses_of(self, customer: int) -> list[Use]:
        """Every recorded read that saw one customer, oldest first: where her data went."""
        with self._stores.records.reading() as connection:
            return uses.uses_of(connection, customer)

    def checkpoint(self) -> Checkpoint:
        """Signs both trees as they stand, keeps the checkpoints outside and shows them to the witnesses. Returns the public one."""
        signed = self._outside.publish(self._stores.records)
        self.witnesses.ask()
        return signed

    def secret(self, purpose: str) -> bytes:
        """32 bytes of this house's own for one purpose of the web, the same at each start; they follow from its lookup key."""
        return self._keys.mac(f"web/{purpose}", b"secret")

    @property
    def log_key(self) -> str:
        """The verifier's key of this house: print it, publish it, compare it."""
        return self._outside.vkey

    def audit(self) -> Report:
        """Replays everything; changes nothing."""
        return audit(self._stores.records, self._outside, self._vault, self.settings.releases, self._tombstones)

    def renew(self) -> None:
        """Takes over the edition that is in force now, as a house that is opened again would, and changes nothing else.

        Calls that run meanwhile by the old one are refused, since nothing is done by old rules. Servers of other processes
        take it over too (`keep_up`).
        """
        with _RENEWING:
            self._renew()

    def keep_up(self) -> bool:
        """Takes over what another process brought into force; whether there was such a thing.

        Only if this machine's own folder leads to it: one that lies behind would bring the old edition back into force, so
        there everything goes on being refused until the folder is brought up to date.
        """
        with _RENEWING:
            with self._stores.records.reading() as connection:
                newest = log.latest(connection, PUBLIC, "programme")
            if newest is None or newest.said()["digest"] == self.programme.digest:
                return False
            if self.publishing.read_again().digest != newest.said()["digest"]:
                return False
            self._renew()
        return True

    def _renew(self) -> None:
        programme, stores = checked_programme(self.settings.programme, self.clock), self._stores
        attending, before = self.doorways.attending, self.access
        self.reminders.close()
        self.sponsored.close()
        self.followers.close()
        self.doorways.close()
        self.gate.close()
        House.__init__(
            self, self.settings, programme, self._keys, stores.records, stores.customer_keys, stores.purchases, self.clock
        )
        self.access.go_on_from(before)
        if attending:
            self.doorways.attend()

    def close(self) -> None:
        """Lets go of the databases. Closing twice is harmless."""
        self.reminders.close()
        self.sponsored.close()
        self.followers.close()
        self.doorways.close()
        self.gate.close()
        self._stores.purchases.close()
        self._stores.records.dispose()
        self._stores.customer_keys.dispose()

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _adopt(self) -> None:
        """Puts this edition of the programme on the public record, once."""
        with self._stores.records.reading() as connection:
            rows = list(log.rows(connection, PUBLIC, kinds=["programme", "text", "key"]))
        announced.require_ours([row for row in rows if row.kind == "key"], self._outside.vkey, self._keys)
        happened = adopted_texts(self.programme, rows)
        adopted = [row.said()["digest"] for row in rows if row.kind == "programme"]
        if not rows:
            today = legal_day(self.clock.now(), self.programme.country)
            happened.insert(0, announced.first(self._outside.vkey, self._keys, today))
        if not adopted or adopted[-1] != self.programme.digest:
            happened.append(Event("programme", detail=recorded(self.programme.digest, rulebook(self.programme))))
        if happened:
            with self._stores.records.writing() as connection:
                log.append(connection, PUBLIC, happened)
