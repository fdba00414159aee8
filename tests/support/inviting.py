"""A house with an offer for invitations in force: a sponsor, people whom she may invite, and a machine that reports orders."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.offers import written
from tests.support.taking_part import NOW, Shop
from tests.support.taking_part import settle as settle_shop
from volens.ingest.master import Person
from volens.referring import store
from volens.referring.orders import Reported
from volens.referring.store import Tie

OFFER = "amis"
SPONSOR, OTHER = 1, 2
FRIENDS = range(31, 37)
"""Cards of people who become customers when they are invited (`Inviting.newcomer`)."""
PAYMENT, ADDRESS = "paid-0123456789abcdef", "home-0123456789abcdef"


def friends_offer(**changed: Any) -> str:
    """Twenty euros in money for one friend."""
    plain = copy.deepcopy(written())
    plain.pop("licence")
    plain |= {
        "offer": OFFER, "name": {"fr": "20 euros pour un ami", "en": "20 euros for a friend"}, "promised_cents": 2000,
        "act": {
            "kind": "referral", "times": 1, "uses": ["account", "invitation", "orders", "payout"], "cap_a_year": 5,
            "friend": "shared-link", "disclosed": True,
        },
        "reward": {"amount": {"money_cents": 2000, "voucher_cents": 0}, "due_days": 30},
        **changed,
    }  # fmt: skip
    return json.dumps(plain)


@dataclass
class Inviting(Shop):
    """The same house, with what invitations need."""

    def newcomer(self, card: int, **details: str) -> int:
        """Somebody becomes a customer now; her number."""
        email = details.pop("email", f"friend{card}@example.org")
        told = {"given_name": "Lina", "family_name": f"Nom{card}", "birth_date": "1990-03-02", **details}
        self.house.customers.enrol([Person(card=f"C{card:05}", email=email, country="FR", details=told)])
        return self.number(card)

    def token(self, card: int = SPONSOR, offer: str = OFFER, shown: str | None = None) -> str:
        """A sponsor's link, who joins if she has not."""
        if self.house.referring.sponsoring(self.number(card), offer).participation is None:
            self.join(card, offer)
        return self.house.referring.links.token(self.house.referring.link(self.number(card), offer, shown=shown))

    def invite(self, card: int, sponsor: int = SPONSOR, **details: str) -> Tie:
        """Somebody new accepts a sponsor's invitation."""
        return self.house.referring.accept(self.newcomer(card, **details), self.token(sponsor))

    def said(self, card: int, kind: str = "order", key: str = "", **told: Any) -> None:
        """A machine's report: an order of 40 euros, ten minutes after now, unless it is told otherwise."""
        at: datetime = told.pop("at", None) or self.hand.now()
        order = told.pop("order", f"order/{card}")
        said = Reported(kind, key or f"{kind}/{order}", order, at, told.pop("cents", 4000), **told)
        self.house.referring.report(("card", f"C{card:05}"), said)

    def ordered(self, card: int, **told: Any) -> Tie:
        """Her order, ten minutes later."""
        self.hand.pass_minutes(10)
        self.said(card, **told)
        return self.tie(card)

    def tie(self, card: int) -> Tie:
        """What became of her invitation."""
        with self.records.reading() as connection:
            found = store.tie_of(connection, self.number(card))
        assert found is not None
        return found

    def reward(self, card: int = SPONSOR, offer: str = OFFER) -> str:
        """The state of the sponsor's newest reward."""
        one = self.house.referring.sponsoring(self.number(card), offer).participation
        assert one is not None
        return self.claim(one.claim)


def settle(folder: Path, records_url: str | None = None, **changed: Any) -> Inviting:
    """A house with the offer launched, and nobody invited."""
    made = settle_shop(folder, records_url)
    shop = Inviting(made.house, made.hand)
    shop.put(friends_offer(**changed), budget_cents=100_000)
    return shop


__all__ = ["NOW", "Inviting", "friends_offer", "settle"]
