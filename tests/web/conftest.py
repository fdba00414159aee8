"""A served house: the sample programme, one customer who joined, and a browser that is signed in as her or as nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx import Response
from litestar.testing import TestClient
from tests.conftest import Urls

from volens import app
from volens.app import House
from volens.clock import system
from volens.ingest.master import Person
from volens.permissions.ledger import Choice
from volens.web.server import application
from volens.web.visitor import Customer, Nobody, Visitor

TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]+)"')


@dataclass
class Browser:
    """What a person does with pages: opens them, and presses buttons of their forms."""

    client: TestClient  # type: ignore[type-arg]
    language: str = "fr"

    def get(self, path: str) -> Response:
        """Opens a page."""
        return self.client.get(path, headers={"accept-language": self.language})

    def press(self, page: str, action: str, **fields: str) -> Response:
        """Opens `page` and sends one of its forms; follows to the page that answers."""
        shown = self.get(page)
        token = TOKEN.search(shown.text)
        assert token is not None, f"no form on {page}"
        assert f'action="{action}"' in shown.text, f"no form to {action} on {page}"
        beside = re.search(f'name="purpose" value="{fields.get("purpose")}">.*?name="shown" value="([0-9a-f]*)"', shown.text, re.S)
        fields = {**({"shown": beside[1]} if beside else {}), **fields}
        return self.client.post(action, data={"_csrf_token": token[1], **fields}, headers={"accept-language": self.language})


@dataclass
class Served:
    """A house and its customer."""

    house: House
    customer: int
    visitor: Visitor

    def open(self, language: str = "fr") -> TestClient:  # type: ignore[type-arg]
        """A client of the real application."""
        return TestClient(application(self.house, recognise=lambda connection: self.visitor, local=True))


@pytest.fixture
def served(urls: Urls, tmp_path: Path) -> Iterator[Served]:
    """One customer with a card and an e-mail, who joined and permits the statistics."""
    records = None if urls.records.startswith("sqlite") else urls.records
    with app.initialise(tmp_path / "house", records_url=records, customers=100, clock=system()) as house:
        house.customers.enrol([Person(card="C00001", email="camille@example.org", country="FR", details={"given_name": "Camille"})])
        customer = house.customer("card", "C00001").customer
        said = (("loyalty", "joined"), ("supplier-statistics", "given"))
        house.permissions.record([Choice(customer, purpose, kind, surface="test") for purpose, kind in said])
        # Whether a choice is followed by a question is drawn; what is drawn has tests of its own.
        house.publishing._understanding._draw = lambda below: below - 1
        yield Served(house, customer, Customer(customer))


@pytest.fixture
def browser(served: Served) -> Iterator[Browser]:
    """Signed in as the customer."""
    with served.open() as client:
        yield Browser(client)


@pytest.fixture
def stranger(served: Served) -> Iterator[Browser]:
    """Not signed in."""
    served.visitor = Nobody()
    with served.open() as client:
        yield Browser(client)
