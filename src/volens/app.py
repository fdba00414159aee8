"""The wiring: a folder becomes a house with its stations. The one module that names concrete backends.

Rules:
1. What a house hands out are stations, never a store and never a connection; a test lists its public attributes.
2. Nothing is served from a programme with errors, or whose published texts were changed without a new version.
3. Records that are not at the newest migration, or that lack their keys, do not open.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from volens import settings as settings_of
from volens.audit.report import Report
from volens.audit.run import audit
from volens.clock import Clock, legal_day, system
from volens.databases.connect import SqlDatabase, connect, make_schema
from volens.databases.lease import LEASE_SECONDS, PURCHASES_WRITER, held
from volens.databases.migrate import at_head, upgrade
from volens.engines.polars_engine import PolarsEngine
from volens.errors import BadInput, KeysMissing, ProgrammeError, Unavailable
from volens.evidence import log
from volens.evidence.checkpoint import Checkpoint
from volens.evidence.log import PUBLIC, Event
from volens.evidence.outside import Outside
from volens.gate import store as uses
from volens.gate.barrier import Barrier
from volens.gate.reads import Gate
from volens.gate.store import Use
from volens.identity import keys as house_keys
from volens.identity.pseudonymise import Pseudonymiser
from volens.identity.vault import Identified, Vault
from volens.ingest.explain import Explanation, explain
from volens.ingest.intake import Progress, take_in
from volens.ingest.mapping import Mapping
from volens.ingest.master import PeopleSummary, take_in_people
from volens.ingest.store import BatchRecords
from volens.ingest.summary import Summary
from volens.insights.accountant import Accountant
from volens.permissions.ledger import Ledger
from volens.programme import lint, start
from volens.programme.findings import ProgrammeHasErrors
from volens.programme.load import load as load_programme
from volens.programme.model import Programme
from volens.purchases import catalogue
from volens.purchases.catalogue import Loaded
from volens.purchases.store import PurchasesStore
from volens.releases.desk import ReportDesk
from volens.releases.workflow import Workflow
from volens.rulebooks import recorded, rulebook, terms
from volens.settings import Settings

RENEW_AFTER = timedelta(seconds=LEASE_SECONDS / 8)
AUDITORS_COUNTRY = "FR"
"""The audit makes no customers, so whose legal day it would be does not matter."""
IGNORED = "records.db*\ncustomer-keys.db*\npurchases/\ncheckpoints/\nreleases/\nkeys/\n"


def initialise(
    home: Path, *, records_url: str | None = None, customers: int = 100_000, clock: Clock | None = None
) -> House:
    """Makes a house in an empty folder: sample programme, keys, records, purchases table. Returns it opened."""
    if home.exists() and any(home.iterdir()):
        raise BadInput(f"{home} already holds something.", "Choose an empty folder; nothing is ever overwritten.")
    if set("*?[]{}") & set(str(home.resolve())):
        raise BadInput(f"{home} has a character that query engines read as a pattern.", "Use a path without * ? [ ] { }.")
    home.mkdir(parents=True, exist_ok=True)
    lines = ["# A Volens house. See docs/settings.md for every line.", f"expected_customers = {customers}"]
    if records_url is not None:
        lines.append(f"records_url = {json.dumps(records_url)}")
    (home / settings_of.FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (home / ".gitignore").write_text(IGNORED, encoding="utf-8")
    settings = settings_of.load(home)
    start.init(settings.programme)
    house_keys.make(settings.keys)
    migrate(settings, new=True)
    PurchasesStore.create(settings.purchases, customers=customers, catalog_url=_catalog_url(settings)).close()
    return open_house(home, clock=clock)


def migrate(settings: Settings, *, new: bool = False) -> None:
    """Brings both stores of a house to their newest migration; a `new` house's are made."""
    for url, history in ((settings.records_url, "records"), (settings.customer_keys_url, "customer_keys")):
        make_schema(url)
        database = connect(url, create=new)
        upgrade(database, history)
        database.dispose()


def open_house(home: Path, *, clock: Clock | None = None) -> House:
    """Opens the house in a folder. Raises what stops it, with what to do."""
    settings = settings_of.load(home)
    clock = clock or system()
    programme = _checked_programme(settings.programme, clock)
    keys = house_keys.load(settings.keys)
    with ExitStack() as undo:
        databases = []
        for url, history in ((settings.records_url, "records"), (settings.customer_keys_url, "customer_keys")):
            database = connect(url, create=False)
            undo.callback(database.dispose)
            if not at_head(database, history):
                store = history.replace("_", " ")
                raise Unavailable(f"The store of {store} is not up to date.", "Run: volens init --upgrade")
            databases.append(database)
        purchases = PurchasesStore.open(settings.purchases, catalog_url=_catalog_url(settings))
        undo.callback(purchases.close)
        house = House(settings, programme, keys, databases[0], databases[1], purchases, clock)
        undo.pop_all()  # opened whole: from here on the house closes what it holds
    return house


def audit_house(home: Path, *, clock: Clock | None = None) -> Report:
    """Audits the records of a house, also of one that refuses to open because they are not what was signed."""
    settings = settings_of.load(home)
    clock, keys = clock or system(), house_keys.load(settings.keys)
    with ExitStack() as undo:
        databases = []
        for url in (settings.records_url, settings.customer_keys_url):
            databases.append(connect(url, create=False))
            undo.callback(databases[-1].dispose)
        records, customer_keys = databases
        vault = Vault(records, customer_keys, keys, clock, AUDITORS_COUNTRY)
        with records.reading() as connection:
            house = log.latest(connection, PUBLIC, "key")
        # The programme is not asked: it may be broken, or changed, on the very day on which the audit is needed.
        name = str(house.said()["key"]).split("+")[0].removeprefix("volens/") if house is not None else "unknown"
        outside = Outside(settings.checkpoints, name, keys.signing_key())
        return audit(records, outside, vault, settings.releases)


def _checked_programme(folder: Path, clock: Clock) -> Programme:
    """The programme, if no rule of severity `error` stands against it on the house's legal day."""
    programme = load_programme(folder)
    errors = lint.check(programme, legal_day(clock.now(), programme.country)).errors
    if errors:
        raise ProgrammeHasErrors(errors)
    return programme


def _catalog_url(settings: Settings) -> str | None:
    """On PostgreSQL the purchases' catalogue has a schema of its own; on SQLite a file beside the table."""
    return settings.records_url if settings.records_url.startswith("postgresql") else None


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
        self.settings, self.programme, self.clock = settings, programme, clock
        self._stores = _Stores(records, customer_keys, purchases)
        self._keys = keys
        self._vault = Vault(records, customer_keys, keys, clock, programme.country)
        self._outside = Outside(settings.checkpoints, programme.house, keys.signing_key())
        self._outside.require_not_older(records)
        today = legal_day(clock.now(), programme.country)
        rules = rulebook(programme)
        self.permissions = Ledger(records, self._vault, terms(programme, today), clock)
        self.gate = Gate(records, self.permissions, rules, purchases, clock, programme.country, programme.digest)
        self.barrier = Barrier(records, rules, clock, programme.country, programme.digest)
        self._adopt()
        self.reports = ReportDesk(
            programme=programme,
            gate=self.gate,
            barrier=self.barrier,
            accountant=Accountant(records),
            workflow=Workflow(records),
            records=records,
            outside=self._outside,
            engine=PolarsEngine(),
            catalogue=settings.purchases,
            packages=settings.releases,
            clock=clock,
        )

    def load_products(self, path: Path) -> Loaded:
        """Takes in the public list of products; keys that were given stay."""
        with self._alone():
            return catalogue.load_products(self.settings.purchases, path)

    def take_in(self, path: Path, mapping: Mapping, progress: Progress = lambda step, done, total: None) -> Summary:
        """Takes a feed of purchases in: all of it or nothing, each receipt once. Quarantine that is old enough goes."""
        with self._alone() as renew:
            batches = BatchRecords(self._stores.records)
            batches.expire(legal_day(self.clock.now(), self.programme.country))

            renewed = self.clock.now()

            def told(step: str, done: int, total: int) -> None:
                nonlocal renewed
                if self.clock.now() - renewed > RENEW_AFTER:
                    renew()
                    renewed = self.clock.now()
                progress(step, done, total)

            return take_in(
                path,
                mapping,
                identities=Pseudonymiser(self._vault, self._keys),
                store=self._stores.purchases,
                catalogue_folder=self.settings.purchases,
                batches=batches,
                clock=self.clock,
                count_accounts=self._vault.count_accounts,
                progress=told,
                # The last moment before lines are added: who lost the lease must not add them.
                on_step=lambda step: renew() if step == "staged" else None,
            )

    def _alone(self) -> AbstractContextManager[Callable[[], None]]:
        """The lease of whoever changes the purchases."""
        return held(self._stores.records, PURCHASES_WRITER, self.clock)

    def customer(self, kind: str, value: str) -> Identified:
        """The numbers behind a card or an e-mail; `NotFound` if nobody is known by it."""
        return self._vault.find(kind, value)

    def take_in_people(
        self, path: Path, mapping: Mapping, progress: Progress = lambda step, done, total: None
    ) -> PeopleSummary:
        """Takes the customer master in: into the vault and nowhere else."""
        return take_in_people(
            path, mapping, enrol=self._vault.enrol, country=self.programme.country, progress=progress
        )

    def explain(self, path: Path, mapping: Mapping | None = None) -> Explanation:
        """What a feed seems to be, and what would become of its first 1,000 lines. Writes nothing."""
        return explain(path, mapping, catalogue=catalogue.read(self.settings.purchases), now=self.clock.now())

    def uses_of(self, customer: int) -> list[Use]:
        """Every recorded read that saw one customer, oldest first: where her data went."""
        with self._stores.records.reading() as connection:
            return uses.uses_of(connection, customer)

    def checkpoint(self) -> Checkpoint:
        """Signs both trees as they stand and keeps the checkpoints outside. Returns the public one."""
        return self._outside.publish(self._stores.records)

    @property
    def log_key(self) -> str:
        """The verifier's key of this house: print it, publish it, compare it."""
        return self._outside.vkey

    def audit(self) -> Report:
        """Replays everything; changes nothing."""
        return audit(self._stores.records, self._outside, self._vault, self.settings.releases)

    def close(self) -> None:
        """Lets go of the databases. Closing twice is harmless."""
        self._stores.purchases.close()
        self._stores.records.dispose()
        self._stores.customer_keys.dispose()

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _adopt(self) -> None:
        """Puts this version of the programme on the public record, once.

        A text that people may have accepted cannot be changed afterwards: it needs a new version, and a new yes.
        """
        with self._stores.records.reading() as connection:
            rows = list(log.rows(connection, PUBLIC, kinds=["programme", "text", "key"]))
        texts = {detail["text"]: detail for detail in (row.said() for row in rows if row.kind == "text")}
        ours = {"key": self._outside.vkey, "check": house_keys.check_values(self._keys)}
        for row in rows:
            if row.kind == "key" and row.said() != ours:
                raise KeysMissing(
                    "These keys belong to another house: they are not those on its public record.",
                    "Point VOLENS_KEYS at this house's own key folder.",
                )
        happened = []
        for text in self.programme.texts.values():
            detail = {
                "text": text.id,
                "recipients": sorted(text.recipients),
                "fields": sorted(text.fields),
                "bodies": {language: text.digest(language) for language in sorted(text.bodies)},
            }
            if text.id not in texts:
                happened.append(Event("text", purpose=text.purpose, text=text.id, detail=detail))
            elif texts[text.id] != detail:
                raise ProgrammeError(
                    f"The text {text.id} is on the public record with other words, recipients or fields.",
                    f"Put it back, and write texts/{text.purpose}/{text.version + 1}/ instead.",
                )
        adopted = [row.said()["digest"] for row in rows if row.kind == "programme"]
        if not rows:
            happened.insert(0, Event("key", detail=ours))
        if not adopted or adopted[-1] != self.programme.digest:
            happened.append(Event("programme", detail=recorded(self.programme.digest, rulebook(self.programme))))
        if happened:
            with self._stores.records.writing() as connection:
                log.append(connection, PUBLIC, happened)
