"""A house with an offer in force: ten euros for two orders, in France and Luxembourg, and people who may take part."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.offers import written
from tests.support.shop import HandClock
from volens.app import House, initialise, open_house
from volens.ingest.master import Person
from volens.offering import store
from volens.offering.participations import Participation
from volens.wallet import claims
from volens.wallet import store as wallet

NOW = datetime(2026, 12, 3, 9, 0, tzinfo=UTC)
OFFER, FRIENDS = "dix-euros", "cent-euros-parrainage"
CLAIRE, BRUNO, ANNE = "Claire Exemple", "Bruno Modèle", "Anne Essai"
ADULTS, MINOR, ABROAD = range(1, 6), 6, 7
"""Cards: five grown-ups in France, one child there, one grown-up in Luxembourg."""
REASON = {"fr": "Trop de questions restent sans réponse.", "en": "Too many questions have no answer yet."}


def orders(**keys: Any) -> str:
    """Ten euros for two orders, half of them in vouchers; `__` leads into a table, and `...` takes a key away."""
    plain = copy.deepcopy(written())
    plain.pop("licence")
    plain |= {
        "offer": OFFER, "name": {"fr": "10 euros pour deux commandes", "en": "10 euros for two orders"},
        "countries": ["FR", "LU"], "promised_cents": 1000,
        "act": {"kind": "order", "times": 2, "uses": ["account", "orders", "payout"], "cap_a_year": 2},
        "reward": {"amount": {"money_cents": 500, "voucher_cents": 500}, "voucher_days": 365, "due_days": 30},
    }  # fmt: skip
    for path, value in keys.items():
        *into, last = path.split("__")
        table = plain
        for name in into:
            table = table[name]
        if value is ...:
            del table[last]
        else:
            table[last] = value
    cents = sum(plain["reward"]["amount"].values())
    if cents != 1_000 and "name" not in keys:  # the name says what is paid
        plain["name"] = {"fr": f"{cents / 100:g} euros pour deux commandes", "en": f"{cents / 100:g} euros for two orders"}
    return json.dumps(plain)


@dataclass
class Shop:
    """The house and its people."""

    house: House
    hand: HandClock = field(default_factory=lambda: HandClock(NOW))

    def number(self, card: int) -> int:
        """The customer of a card."""
        return self.house.customer("card", f"C{card:05}").customer

    def put(self, document: str | None = None, *, budget_cents: int | None = 5_000) -> None:
        """A version comes into force, and is launched in France with a budget."""
        offering = self.house.offering
        one = offering.registry.propose(document or orders(), by=CLAIRE)
        offering.approve(one.offer, role="marketing", by=CLAIRE)
        offering.approve(one.offer, role="dpo", by=BRUNO)
        if budget_cents is not None:
            self.budget(one.offer, budget_cents)
            offering.launch(one.offer, "FR", by=CLAIRE)

    def budget(self, offer: str, cents: int, country: str = "FR") -> None:
        """What may be promised."""
        self.house.offering.places.give_budget(offer, country, cents, by=CLAIRE)

    @property
    def records(self) -> Any:
        """Where the house keeps its records."""
        return self.house._stores.records

    def join(self, card: int = 1, offer: str = OFFER, **keys: Any) -> Participation:
        """Somebody joins the version in force."""
        newest = self.house.offering.newest(offer)
        said = {
            "country": "FR", "language": "fr", "version": newest.version if newest else 1, "adult": True, "key": f"join/{card}",
            **keys,
        }  # fmt: skip
        return self.house.offering.join(self.number(card), offer, **said)

    def order(self, card: int, key: str, *, ago: timedelta = timedelta(0), offer: str = OFFER, kind: str = "order") -> Any:
        """An order of hers is reported."""
        return self.house.offering.acted(self.number(card), offer, key, kind=kind, at=self.hand.now() - ago)

    def one(self, id: int) -> Participation:
        """A participation as it stands."""
        with self.records.reading() as connection:
            found = store.by_id(connection, id)
        assert found is not None
        return found

    def claim(self, key: str) -> str:
        """The state of a reward."""
        with self.records.reading() as connection:
            found = wallet.claim(connection, key)
        assert found is not None
        return found.state

    def left(self, offer: str = OFFER, country: str = "FR") -> int:
        """What may still be promised."""
        with self.records.reading() as connection:
            found = claims.budget_left(connection, offer, country)
        return found[0] if found is not None else 0

    def clean(self) -> None:
        """The audit finds nothing."""
        report = self.house.audit()
        assert report.ok, report.to_text()


def settle(folder: Path, records_url: str | None = None) -> Shop:
    """A new house with everybody in it, and no offer yet."""
    hand = HandClock(NOW)
    house = initialise(folder / "house", records_url=records_url, customers=100, clock=hand.clock)
    house.customers.enrol([_person(card) for card in (*ADULTS, MINOR, ABROAD)])
    return Shop(house, hand)


def again(folder: Path, template: Path) -> Shop:
    """The same house, copied from one that was settled and closed."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    hand = HandClock(NOW)
    return Shop(open_house(folder / "house", clock=hand.clock), hand)


def _person(card: int) -> Person:
    born = "2014-05-15" if card == MINOR else "1984-05-15"
    details = {"given_name": "Camille", "birth_date": born}
    return Person(card=f"C{card:05}", email=f"c{card}@example.org", country="LU" if card == ABROAD else "FR", details=details)
