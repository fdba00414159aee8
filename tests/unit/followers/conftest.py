"""A whole house on each database, a clock moved by hand, and a few people who may be followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.conftest import Urls
from tests.support.shop import START, HandClock
from tests.unit.identity.test_vault import Somebody

from volens.app import House, initialise
from volens.permissions.ledger import Choice

MAIL, TOOL, EMAIL = "envoi-clair", "mail-tool", "email-marketing"
ADS, OWN = "targeted-ads", "le-panier"


@dataclass
class Lived:
    """A house, and a hand on its clock."""

    house: House
    hand: HandClock

    def person(self, card: str) -> int:
        """A new customer with a card and an e-mail; her number."""
        self.house.customers.enrol([Somebody(card, f"{card}@example.org", "FR", {"birth_date": "1980-05-05"})])
        return self.house.customer("card", card).customer

    def say(self, customer: int, kind: str, purpose: str = EMAIL, recipient: str = "*") -> int:
        """One choice; its seq."""
        return self.house.permissions.record([Choice(customer, purpose, kind, recipient=recipient)])[0]

    def follow(
        self, name: str = TOOL, purposes: tuple[str, ...] = (EMAIL,), recipient: str = MAIL, webhook: str | None = None
    ) -> str:
        """A follower that has fetched what it has to know; its cursor."""
        self.house.followers.add(name, purposes, recipient=recipient, by="Bruno Modèle", webhook=webhook)
        cursor = self.house.followers.changes(name).cursor
        self.house.followers.acknowledge(name, cursor)
        return cursor

    def told(self, name: str = TOOL, after: str | None = None) -> list[tuple[str, str, bool]]:
        """(pseudonym, purpose, permitted) of everything that a follower has to hear after a cursor."""
        found, more = [], True
        while more:
            given = self.house.followers.changes(name, after)
            found += [(one.pseudonym, one.purpose, one.permitted) for one in given.page.changes]
            after, more = given.cursor, given.page.more
        return found

    def name(self, customer: int, recipient: str = MAIL) -> str:
        """What a recipient calls a customer."""
        return self.house.followers.pseudonyms.of(recipient, customer)


@pytest.fixture
def lived(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lived]:
    """A house on each database."""
    hand = HandClock(START)
    if urls.records.startswith("postgresql"):
        monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    house = initialise(tmp_path / "house", records_url=urls.records, customers=1_000, clock=hand.clock)
    yield Lived(house, hand)
    house.close()
    if urls.records.startswith("postgresql"):
        engine = create_engine(urls.records)
        with engine.begin() as connection:
            schema = connection.execute(text("select current_schema()")).scalar()
            connection.execute(text(f'drop schema if exists "{schema}_purchases_catalog" cascade'))
        engine.dispose()
