"""A small house for tests, without a programme on disk: two purposes, two suppliers, two texts, any number of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from volens.clock import Clock
from volens.customers.enrolment import Enrolled, Enrolment, Person
from volens.customers.linking import Linking
from volens.databases.connect import SqlDatabase
from volens.evidence import log
from volens.evidence.log import PUBLIC, Event
from volens.evidence.outside import Outside
from volens.gate.barrier import Barrier
from volens.gate.policy import PurposeRule, ReadRequest, Rulebook, TextRule
from volens.gate.reads import Gate
from volens.identity import keys as house_keys
from volens.identity.vault import Vault
from volens.permissions.ages import Ages
from volens.permissions.ledger import Choice, Ledger, Terms
from volens.permissions.state import DENYING, SILENT
from volens.purchases.store import PurchasesStore
from volens.rulebooks import recorded

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FIELDS = ("customer", "product", "day", "quantity")
STATISTICS, REMINDERS = "statistics", "reminders"
JUICE, SOAP = "jus-exemple", "savon-exemple"


@dataclass
class HandClock:
    """A clock that a test moves by hand."""

    instant: datetime = START

    def now(self) -> datetime:
        return self.instant

    def pass_days(self, days: int) -> None:
        self.instant += timedelta(days=days)

    def pass_minutes(self, minutes: int) -> None:
        self.instant += timedelta(minutes=minutes)

    @property
    def clock(self) -> Clock:
        return Clock(self.now)


def rules() -> Rulebook:
    """Statistics rest on consent and last a year; version 2 of their text adds a supplier. Reminders are told, and wait."""
    both = frozenset({JUICE, SOAP})
    told = frozenset(FIELDS)
    return {
        STATISTICS: PurposeRule(
            basis="consent",
            fields=told,
            recipients=both,
            waiting_days=30,
            renew_months=12,
            texts={
                "statistics/1": TextRule(frozenset({JUICE}), told, date(2020, 1, 1), None, 36),
                "statistics/2": TextRule(both, told, date(2020, 1, 1), None, 36),
            },
        ),
        REMINDERS: PurposeRule(
            basis="legitimate-interest",
            fields=told,
            recipients=frozenset({"shop"}),
            waiting_days=30,
            renew_months=None,
            texts={"reminders/1": TextRule(frozenset({"shop"}), told, date(2020, 1, 1), None, 36)},
        ),
    }


def terms(current: str = "statistics/2") -> Terms:
    """The same for the ledger. `current` is the text that is shown for statistics."""
    book = rules()
    return Terms(
        texts={name: text.recipients for rule in book.values() for name, text in rule.texts.items()},
        current={STATISTICS: current, REMINDERS: "reminders/1"},
        kinds={
            STATISTICS: frozenset({"given", "renewed"}) | DENYING | SILENT,
            REMINDERS: frozenset({"notified"}) | DENYING | SILENT,
        },
        languages={name: frozenset({"fr", "en"}) for rule in book.values() for name in rule.texts},
        programme="digest",
        ages=Ages(consent=frozenset({STATISTICS}), alone=lambda country, on: {"FR": 15, "DE": 16}.get(country, 16)),
        periods={name: (text.valid_from, text.invalidated_on) for rule in book.values() for name, text in rule.texts.items()},
    )


@dataclass
class Shop:
    """Everything that the way of a choice needs, over one database."""

    records: SqlDatabase
    key_store: SqlDatabase
    folder: Path
    hand: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        if not (self.folder / "keys").exists():
            house_keys.make(self.folder / "keys")
        self.keys = house_keys.load(self.folder / "keys")
        clock = self.hand.clock
        self.vault = Vault(self.records, self.key_store, self.keys, clock, "FR")
        self.rules = rules()
        self.purchases = self._purchases()
        self.outside = Outside(self.folder / "checkpoints", "test", self.keys.signing_key())
        self._declare()
        self.ledger = Ledger(self.records, self.vault, terms(), clock)
        self.old_ledger = Ledger(self.records, self.vault, terms("statistics/1"), clock)
        self.gate = Gate(self.records, self.ledger, self.rules, self.purchases, clock, "FR", "digest")
        self.moved: list[dict[int, int]] = []
        minors = self.ledger.minors
        self.linking = Linking(self.records, self.vault, self.rules, minors, clock, "FR", self._relabel)
        self.enrolment = Enrolment(self.records, self.vault, self.linking, minors, clock, "FR")
        self.barrier = Barrier(self.records, self.rules, clock, "FR", "digest", self.ledger.turn)

    def _purchases(self) -> PurchasesStore:
        folder = self.folder / "purchases"
        if (folder / "catalog.db").exists():
            return PurchasesStore.open(folder)
        return PurchasesStore.create(folder, customers=1_000)

    def enrol(self, people: Sequence[Person]) -> Enrolled:
        """Takes lines of a customer master in."""
        return self.enrolment.enrol(people)

    def _relabel(self, moves: Mapping[int, int], _progress: object = None) -> int:
        """There are no lines here: it is written down who would move."""
        self.moved.append(dict(moves))
        return 0

    def _declare(self) -> None:
        with self.records.writing() as connection:
            if log.count(connection, PUBLIC) == 0:
                log.append(connection, PUBLIC, [Event("programme", detail=recorded("digest", self.rules))])

    def people(self, how_many: int) -> list[int]:
        """New customers, by card; their numbers."""
        return [found.customer for found in self.vault.identify("card", [f"card-{n}" for n in range(how_many)])]

    def say(self, customer: int, kind: str, purpose: str = STATISTICS, recipient: str = "*", old: bool = False) -> int:
        """One choice; its seq. `old` says it under version 1 of the statistics text, while that was in force."""
        ledger = self.old_ledger if old else self.ledger
        return ledger.record([Choice(customer, purpose, kind, recipient=recipient)])[0]

    def request(
        self, recipient: str = JUICE, purpose: str = STATISTICS, fields: Sequence[str] = FIELDS
    ) -> ReadRequest:
        """A read of the year's purchases."""
        return ReadRequest("a test", purpose, recipient, tuple(fields), date(2026, 1, 1), date(2027, 1, 1))

    def close(self) -> None:
        self.gate.close()
        self.purchases.close()
