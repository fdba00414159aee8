"""A whole house on each database, with two customers and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.shop import HandClock

from volens.app import House, initialise
from volens.ingest.mapping import Mapping

MASTER = """carte;nom;email;pays
C1;Exemple;camille@example.org;FR
C2;Exemple;sacha@example.org;FR
"""


@dataclass
class Home:
    """A house, its clock, and who lives there."""

    house: House
    hand: HandClock
    camille: int
    sacha: int


@pytest.fixture
def home(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Camille and Sacha Exemple are customers; nobody has permitted anything."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    hand = HandClock()
    master = tmp_path / "master.csv"
    master.write_text(MASTER, encoding="utf-8")
    columns = {"card": "carte", "family_name": "nom", "email": "email", "country": "pays"}
    with initialise(tmp_path / "house", records_url=urls.records, customers=1_000, clock=hand.clock) as house:
        house.take_in_people(master, Mapping("master", "csv", "customers", columns, delimiter=";"))
        numbers = [house.customer("email", f"{name}@example.org").customer for name in ("camille", "sacha")]
        yield Home(house, hand, *numbers)
