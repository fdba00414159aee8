"""A house that asks: the sample programme, a clock moved by hand, and people who are plainly invented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.support.shop import HandClock
from volens.app import House, initialise
from volens.ingest.master import Person

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REMINDERS, STATISTICS, ADS, MAIL = "basket-reminder", "supplier-statistics", "targeted-ads", "email-marketing"


def house_that_asks(folder: Path, hand: HandClock, records_url: str | None = None) -> House:
    """A new house with the sample programme."""
    hand.instant = START
    return initialise(folder / "house", records_url=records_url, customers=1_000, clock=hand.clock)


def people(house: House, cards: Sequence[str] = ("CAMILLE-1",), born: str = "1980-05-17") -> list[int]:
    """Customers by the cards they hold."""
    details = {"given_name": "Camille", "family_name": "Exemple", "birth_date": born}
    house.customers.enrol([Person(card, f"{card.lower()}@example.org", "FR", details, line=1) for card in cards])
    return [house.customer("card", card).customer for card in cards]
