"""A house for any history: the real stations over one database, and beside it the plain history that the references judge.

Every operation (`tests.support.operations`) does its work twice: through the stations, and by writing down in plain Python
what was said and sold. `World.check` then asks the slow references who is permitted and what a pack would count, and holds
every fast form equal to them.
"""

from __future__ import annotations

import copy
import json
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.reference import gate as plain
from tests.reference.gate import Asked, Spoken
from tests.reference.lives import Lives
from tests.reference.till import Till
from tests.support.house import MAPPING, PRODUCTS, Line
from tests.support.shop import HandClock
from volens.audit.linking import check_links
from volens.audit.people import check_people
from volens.audit.replay import check_choices_and_uses
from volens.audit.report import Report
from volens.clock import legal_day
from volens.customers.linking import Linking
from volens.databases.connect import SqlDatabase, connect
from volens.errors import Refused
from volens.evidence import log
from volens.evidence.log import PUBLIC, Event
from volens.gate.barrier import Barrier
from volens.gate.policy import YES, ReadRequest, decide
from volens.gate.reads import Gate
from volens.identity import keys as house_keys
from volens.identity.pseudonymise import Pseudonymiser
from volens.identity.vault import Vault
from volens.ingest import intake
from volens.ingest.mapping import load as load_mapping
from volens.ingest.store import BatchRecords
from volens.insights.accountant import Accountant
from volens.insights.pack import Pack, periods
from volens.insights.plan import FIELDS
from volens.permissions.ledger import Ledger, Terms
from volens.permissions.state import DENYING, SILENT
from volens.programme.load import load as load_programme
from volens.programme.products import InsightProduct
from volens.programme.start import sample
from volens.purchases import catalogue, removal
from volens.purchases.store import PurchasesStore
from volens.rulebooks import rulebook_of

COUNTRY = "FR"
STATISTICS, REMINDERS, LOYALTY = "supplier-statistics", "reminders", "loyalty"
JUICE, SOLEIL = "vergers-du-midi", "soleil-presse"
PEOPLE = 4
ADOPTED = "programme.json"
"""Where a world keeps its plain programme, for processes that open the same house."""
TOLD = sorted(FIELDS)
FIRST_DAY = date(2025, 3, 3)


def first_programme() -> dict[str, Any]:
    """Statistics rest on consent and last a year; later texts add a supplier, and leave out the amount. Reminders are told,
    and wait. The loyalty account is a contract."""

    def text(recipients: list[str], fields: list[str], keep_months: int | None = 36) -> dict[str, Any]:
        return {
            "recipients": recipients, "fields": fields, "valid_from": "2020-01-01", "invalidated_on": None,
            "keep_months": keep_months,
        }  # fmt: skip

    def purpose(basis: str, recipients: list[str], texts: dict[str, Any], renew_months: int | None = None) -> dict[str, Any]:
        return {
            "basis": basis, "fields": TOLD, "recipients": recipients, "waiting_days": 30, "renew_months": renew_months,
            "texts": texts,
        }  # fmt: skip

    without_amount = [name for name in TOLD if name != "amount"]
    return {
        STATISTICS: purpose(
            "consent",
            [JUICE, SOLEIL],
            {
                f"{STATISTICS}/1": text([JUICE], TOLD),
                f"{STATISTICS}/2": text([JUICE, SOLEIL], TOLD),
                f"{STATISTICS}/3": text([JUICE, SOLEIL], without_amount),
            },
            renew_months=12,
        ),
        REMINDERS: purpose("legitimate-interest", ["shop"], {f"{REMINDERS}/1": text(["shop"], TOLD)}),
        LOYALTY: purpose("contract", ["shop"], {f"{LOYALTY}/1": text(["shop"], TOLD, None)}),
    }


@cache
def product() -> InsightProduct:
    """The sample's pack; loaded once."""
    return load_programme(sample()).product("sales-pack/1")


def packs() -> list[Pack]:
    """A few questions of two suppliers over overlapping times."""
    return [
        Pack("sales-pack/1", JUICE, "jus-frais", ("midi-jus-frais",), periods("13-weeks", FIRST_DAY, 3), "EUR"),
        Pack("sales-pack/1", JUICE, "jus-frais", ("midi-jus-frais",), periods("13-weeks", date(2025, 5, 5), 2), "EUR"),
        Pack("sales-pack/1", SOLEIL, "jus-frais", ("presse-jus-frais",), periods("13-weeks", FIRST_DAY, 2), "EUR"),
    ]


@dataclass
class World:
    """One house and its plain history. Made by `a_world`."""

    folder: Path
    records: SqlDatabase
    key_store: SqlDatabase
    tried: Counter[str]
    crowd: int = PEOPLE

    def __post_init__(self) -> None:
        self.hand = HandClock()
        self.clock = self.hand.clock
        self.programme, self.adopted = first_programme(), 0
        self.current = {STATISTICS: f"{STATISTICS}/1", REMINDERS: f"{REMINDERS}/1", LOYALTY: f"{LOYALTY}/1"}
        self.history: list[Spoken] = []
        self.till, self.feeds = Till(), 0
        self.ended: dict[str, str] = {}
        fresh = not (self.folder / "keys").exists()
        if fresh:
            self._make()
        self.keys = house_keys.load(self.folder / "keys")
        self.vault = Vault(self.records, self.key_store, self.keys, self.clock, COUNTRY)
        self.purchases = PurchasesStore.open(self.folder / "purchases")
        self.mapping = load_mapping(self.folder / "till.yaml")
        self.people = [who.customer for who in self.vault.identify("card", [self.card(n) for n in range(self.crowd)])]
        self.lives = Lives(dict(enumerate(self.people)), dict(enumerate(self.people)))
        if fresh:
            self.adopt()
        else:
            self.programme, self.current, self.adopted = json.loads((self.folder / ADOPTED).read_text(encoding="utf-8"))
            self.start()

    def _make(self) -> None:
        house_keys.make(self.folder / "keys")
        PurchasesStore.create(self.folder / "purchases", customers=1_000).close()
        (self.folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
        (self.folder / "till.yaml").write_text(MAPPING, encoding="utf-8")
        catalogue.load_products(self.folder / "purchases", self.folder / "products.csv")

    def card(self, place: int) -> str:
        """The card of the person at a place of `people`."""
        return f"C{place:05}"

    @property
    def today(self) -> date:
        return legal_day(self.hand.now(), COUNTRY)

    @property
    def digest(self) -> str:
        """The name of the programme in force."""
        return f"programme-{self.adopted}"

    def mark(self, what: str) -> None:
        """Notes that something was really tried; the run fails when it never was."""
        self.tried[what] += 1

    # -- the programme

    def adopt(self) -> None:
        """Puts the plain programme into force and starts again with it, as every process must."""
        self.adopted += 1
        record = {"digest": self.digest, "purposes": copy.deepcopy(self.programme)}
        now = json.dumps([self.programme, self.current, self.adopted])
        (self.folder / ADOPTED).write_text(now, encoding="utf-8")
        with self.records.writing() as connection:
            log.append(connection, PUBLIC, [Event("programme", detail=record)])
        self.start()

    def start(self) -> None:
        """The stations, as a process that starts now has them."""
        self.rules = rulebook_of(json.loads(json.dumps({"purposes": self.programme})))
        self.ledger = Ledger(self.records, self.vault, self._terms(), self.clock)
        self.gate = Gate(self.records, self.ledger, self.rules, self.purchases, self.clock, COUNTRY, self.digest)
        self.barrier = Barrier(self.records, self.rules, self.clock, COUNTRY, self.digest, self.ledger.turn)
        self.linking = Linking(
            self.records, self.vault, self.rules, self.ledger.minors, self.clock, COUNTRY,
            lambda moves, _: removal.relabel(self.purchases, moves, secrets.token_hex(8)).lines,
        )  # fmt: skip
        self.accountant = Accountant(self.records)

    def _terms(self) -> Terms:
        texts = {name: text for rule in self.programme.values() for name, text in rule["texts"].items()}
        return Terms(
            texts={name: frozenset(text["recipients"]) for name, text in texts.items()},
            current=self.current,
            kinds={name: YES[rule["basis"]] | DENYING | SILENT for name, rule in self.programme.items()},
            languages={name: frozenset({"fr", "en"}) for name in texts},
            programme=self.digest,
        )

    @property
    def in_force(self) -> dict[str, Any]:
        """The plain programme, in which a text that was invalidated in one operation counts no more."""
        told = copy.deepcopy(self.programme)
        for name, day in self.ended.items():
            told[name.split("/")[0]]["texts"][name]["invalidated_on"] = day
        return told

    # -- purchases

    def feed(self, lines: Sequence[Line], source: Path | None = None) -> Any:
        """Takes receipts in through the real intake."""
        self.follow()  # as the house does first, so that a receipt that comes again is found
        self.feeds += 1
        file = source or self.folder / f"feed-{self.feeds}.csv"
        header = "carte;magasin;caisse;ticket;heure;article;quantite;montant"
        file.write_text("\n".join([header, *(line.to_csv() for line in lines)]) + "\n", encoding="utf-8")
        return intake.take_in(
            file,
            self.mapping,
            identities=Pseudonymiser(self.vault, self.keys),
            store=self.purchases,
            catalogue_folder=self.folder / "purchases",
            batches=BatchRecords(self.records),
            clock=self.clock,
        )

    def account_of(self, card: int) -> int:
        """The account of the card of the person at a place of `people`."""
        return self.vault.find("card", self.card(card)).account

    def follow(self) -> bool:
        """Lets the lines of cards that moved follow; whether any line moved."""
        followed = self.linking.relabel()
        assert followed.accounts == sum(1 for some in self.lives.formers.values() if some)
        self.lives.follow(self.history, self.today, self.programme)
        return followed.lines > 0

    def feed_all(self) -> None:
        """Takes in every receipt of the plain till, as one feed."""
        self.feed(
            [
                Line(card, (day - FIRST_DAY).days, sku, quantity, cents, receipt)
                for receipt, (card, day, items) in self.till.receipts.items()
                for sku, quantity, cents in sorted(items)
            ]
        )

    def products(self) -> dict[str, int]:
        """sku → key, from the public list."""
        table = catalogue.read(self.folder / "purchases").products
        return dict(zip(table["sku"].to_pylist(), table["product"].to_pylist(), strict=True))

    def customer_of_card(self) -> dict[int, int]:
        """card → the customer under whose number its lines stand."""
        return self.lives.stands

    def plain_lines(self) -> list[dict[str, Any]]:
        """What the table must hold."""
        return self.till.lines(self.customer_of_card(), self.products())

    def stored_lines(self) -> Iterator[dict[str, Any]]:
        """What the table holds, read as anybody with the files could."""
        for part in self.purchases.files(date(2000, 1, 1), date(2100, 1, 1)):
            for path in part.paths:
                yield from pq.ParquetFile(path).read().to_pylist()

    # -- questions

    def asked(self, purpose: str, recipient: str) -> Asked:
        """Today's purchases, with all fields that a pack reads."""
        return Asked(purpose, recipient, tuple(FIELDS), self.today)

    def request(self, asked: Asked) -> ReadRequest:
        """The same for the stations."""
        end = asked.first_day + timedelta(days=1)
        return ReadRequest("a test", asked.purpose, asked.recipient, asked.fields, asked.first_day, end)

    def permitted(self, asked: Asked) -> set[int]:
        """By the reference, now."""
        programme = self.in_force
        return {who for who in self.people if plain.is_permitted(self.history, who, asked, self.today, programme)}

    def expire(self, purpose: str) -> None:
        """Writes down what a read that opens now writes down first."""
        due = plain.expiries(self.history, self.people, purpose, self.today, self.programme)
        if due:
            self.mark("time: a yes grew too old")
        self.history += due

    # -- all the fast forms against the references

    def check(self) -> None:
        """Everything that can be asked, and the table, against the plain history; then the audit."""
        for purpose, rule in self.programme.items():
            everybody = {name for text in rule["texts"].values() for name in text["recipients"]}
            for recipient in sorted(everybody):
                self._check_one(self.asked(purpose, recipient))
        keys = ("customer", "product", "day", "quantity", "amount", "currency")

        def countable(lines: Sequence[dict[str, Any]] | Iterator[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
            return Counter(tuple(line[key] for key in keys) for line in lines)

        assert countable(self.stored_lines()) == countable(self.plain_lines()), "the table is not what was sold"
        with self.records.reading() as connection:
            report = Report()
            check_choices_and_uses(connection, report)
            check_people(connection, self.vault, report)
            check_links(connection, report)
        assert report.ok, report.to_text()

    def _check_one(self, asked: Asked) -> None:
        request = self.request(asked)
        if not plain.can_be_asked(asked, self.today, self.in_force):
            self.mark("a question that nobody's yes could cover")
            for question in (lambda: self.gate.require(request), lambda: self.gate.permitted(request)):
                assert refuses(question), f"{asked} is not refused"
            handed = self.barrier.hand_over(request, self.people, {})
            assert set(handed.customers) == set(), "something left for a question that cannot be asked"
            return
        expected = self.permitted(asked)
        self.mark("somebody is permitted" if expected else "nobody is permitted")
        assert set(self.gate.permitted(request)[0]) == expected, f"{asked}: the set-wise gate"
        for customer in self.people:
            standing = {row.recipient: row for row in self.ledger.of_customer(customer) if row.purpose == asked.purpose}
            verdict = decide(request, standing.get(asked.recipient), self.rules, self.today)
            assert verdict.allowed is (customer in expected), f"{asked}: decide() for {customer} says {verdict}"
        with self.gate.open_purchases(request) as reading:
            assert set(reading.opened.permitted) == expected, f"{asked}: the read"
            reading.saw(reading.opened.permitted)
        self.expire(asked.purpose)
        assert self.permitted(asked) == expected, "an expiry that is written down changes nothing"
        handed = self.barrier.hand_over(request, self.people, {})
        assert (set(handed.customers), set(handed.kept_back)) == (expected, set(self.people) - expected), f"{asked}: the door"

    def close(self) -> None:
        self.purchases.close()
        self.records.dispose()
        self.key_store.dispose()


def refuses(question: Callable[[], object]) -> bool:
    """Whether a question is `Refused`."""
    try:
        question()
    except Refused:
        return True
    return False


@contextmanager
def a_world(folder: Path, migrated: Path, tried: Counter[str]) -> Iterator[World]:
    """A world of its own in an empty folder, over copies of the migrated SQLite stores."""
    place = Path(shutil.copytree(migrated, folder / "house"))
    world = World(place, connect(f"sqlite:///{place}/records.db"), connect(f"sqlite:///{place}/customer-keys.db"), tried)
    try:
        yield world
    finally:
        world.close()
