"""A wallet over a small shop, for tests: a budget, people, rewards, a till and a bank that is a folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from tests.support.shop import Shop
from volens.clock import legal_day
from volens.databases.connect import SqlDatabase
from volens.offers.document import Amount
from volens.wallet import books, claims, out_store
from volens.wallet.carriers import Payer, SepaFiles
from volens.wallet.claims import Promise
from volens.wallet.station import Told, Wallet, in_silence

OFFER, BUDGET = "amis", 1_000_000
IBAN, OTHER_IBAN = "FR7630006000011234567890189", "DE89370400440532013000"
PAYER = Payer("Le Panier SAS", IBAN, "AGRIFRPP")
ALICE, BRUNO = "Alice Exemple", "Bruno Modèle"


def promise(key: str = "participation:1", money: int = 2_000, voucher: int = 8_000, **other: object) -> Promise:
    """What somebody who joins is promised."""
    said = {"offer": OFFER, "version": 1, "country": "FR", "currency": "EUR", "amount": Amount(money, voucher), **other}
    return Promise(key, **said)  # type: ignore[arg-type]


def give_budget(records: SqlDatabase, offer: str, cents: int, day: date) -> None:
    """To an offer that has no document here."""
    with records.writing() as connection:
        claims.set_budget(connection, offer, "FR", cents, "EUR", by=ALICE, day=day)


@dataclass
class Purse:
    """A wallet, and what tests do with it again and again."""

    shop: Shop
    told: Told = in_silence
    budget: int = BUDGET
    wallet: Wallet = field(init=False)

    def __post_init__(self) -> None:
        shop = self.shop
        files = SepaFiles(self.folder, PAYER)
        self.wallet = Wallet(shop.records, shop.vault, shop.keys.mac, files, shop.hand.clock, "FR", "Le Panier", self.told)
        if self.budget:
            give_budget(shop.records, OFFER, self.budget, legal_day(shop.hand.now(), "FR"))

    @property
    def folder(self) -> Path:
        """Where files for the bank are."""
        return self.shop.folder / "payouts"

    @property
    def today(self) -> date:
        return legal_day(self.shop.hand.now(), "FR")

    def person(self, card: str = "C1") -> int:
        """Somebody, by her card; new if she was not there."""
        return self.shop.vault.identify("card", [card])[0].customer

    def reward(
        self, customer: int, key: str = "participation:1", money: int = 2_000, voucher: int = 8_000, days: int = 30,
        held: str | None = None,
    ) -> None:  # fmt: skip
        """She joined, and did it."""
        with self.shop.records.writing() as connection:
            claims.reserve(connection, promise(key, money, voucher), day=self.today)
            claims.earn(
                connection, key, customer, earned=self.today, matures=self.today + timedelta(days=days),
                voucher_days=365 if voucher else 0, why="referral", held=held,
            )  # fmt: skip

    def pass_days(self, days: int) -> None:
        """Days go by, and the night's work is done."""
        self.shop.hand.pass_days(days)
        self.wallet.nightly()

    def codes(self, customer: int) -> list[str]:
        """The codes that she has."""
        return [one.code for purse in self.wallet.of(customer) for one in purse.vouchers]

    def holds(self, currency: str = "EUR") -> dict[str, int]:
        """What each kind of account holds, where it holds anything."""
        with self.shop.records.reading() as connection:
            return {kind: cents for kind, cents in books.trial(connection).get(currency, {}).items() if cents}

    def states(self) -> list[str]:
        """The states of all vouchers."""
        with self.shop.records.reading() as connection:
            return [one.state for one in out_store.all_vouchers(connection)]
