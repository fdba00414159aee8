"""Messages about baskets left behind: two yeses, once, and nothing after a no."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.support.habits import PURPOSE, shop_with_habits, standing_in
from tests.support.needs import fresh_schemas
from tests.support.shop import HandClock

from volens.app import House
from volens.app.baskets import write_about_baskets
from volens.clock import system
from volens.ingest.master import Person
from volens.messaging.message import Caller
from volens.permissions.ledger import Choice
from volens.web.server import application
from volens.web.visitor import Machine

LETTER = "basket-message"
CALLER = Caller("A test")


@dataclass
class Shop:
    house: House
    hand: HandClock

    def person(self, card: int, *, letters: bool = True) -> int:
        """Somebody with an address, who permits the message too, or does not."""
        self.house.customers.enrol(
            [Person(card=f"C{card:05}", email=f"card{card}@example.org", country="FR", details={"language": "en"})]
        )
        number = self.house.customer("card", f"C{card:05}").customer
        if letters:
            self.say(number, LETTER, "given")
        return number

    def say(self, number: int, purpose: str, kind: str) -> None:
        self.house.permissions.record([Choice(number, purpose, kind, surface="test")])

    def leave(self, number: int, basket: str) -> None:
        self.house.reminders.left.hear(self.house.reminders.basket(number, basket, ["J1", "S1"]), "open")

    def letters(self, addresses: bool = True) -> list[dict[str, object]]:
        found = write_about_baskets(self.house.reminders, self.house.messages, CALLER, addresses=addresses)
        return [one.to_dict() for one in found]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    schemas = fresh_schemas() if request.param == "postgresql" else None
    hand = HandClock(system().now())
    folder: Path = tmp_path_factory.mktemp("letters")
    try:
        with standing_in(), shop_with_habits(folder, schemas.records if schemas else None, hand) as house:
            house.reminders.learn()
            yield Shop(house, hand)
    finally:
        if schemas:
            schemas.drop()


def test_whoever_permits_both_is_written_to_once(shop: Shop) -> None:
    both, one = shop.person(1), shop.person(2, letters=False)
    for number in (both, one):
        shop.leave(number, "monday")
    assert shop.letters() == [], "she was in it a moment ago"
    shop.hand.instant += timedelta(minutes=61)
    (letter,) = shop.letters()
    assert letter["address"] == "card1@example.org"
    assert "List-Unsubscribe" in letter["headers"]  # type: ignore[operator]
    basket = letter["basket"]
    assert isinstance(basket, dict)
    assert [each["sku"] for each in basket["products"]] == ["J1", "S1"]
    assert basket["why"].startswith("You left it in your basket on ")
    assert shop.letters() == [], "once"
    assert shop.house.reminders.left.show(shop.house.reminders.basket(both, "next", [])) is None, "nor on the website"
    assert shop.house.reminders.left.show(shop.house.reminders.basket(one, "next", [])) is not None, "there it is shown to her"
    report = shop.house.audit()
    assert report.ok, report.to_text()


@pytest.mark.parametrize("purpose", [PURPOSE, LETTER])
def test_after_a_no_to_either_nothing_is_sent(shop: Shop, purpose: str) -> None:
    number = shop.person(3 if purpose == PURPOSE else 4)
    shop.leave(number, "monday")
    shop.hand.instant += timedelta(minutes=61)
    shop.say(number, purpose, "withdrawn")
    assert shop.letters() == []


def test_its_link_ends_these_messages_and_no_others(shop: Shop) -> None:
    number = shop.person(5)
    shop.say(number, "email-marketing", "given")
    shop.leave(number, "monday")
    shop.hand.instant += timedelta(minutes=61)
    (letter,) = shop.letters(addresses=False)
    assert "address" not in letter
    token = str(letter["unsubscribe"]).rpartition("/")[2]
    shop.house.messages.unsubscribe(token, language="en")
    standing = {one.purpose for one in shop.house.permissions.of_customer(number) if one.permits}
    assert LETTER not in standing
    assert {PURPOSE, "email-marketing"} <= standing
    shop.leave(number, "tuesday")
    shop.hand.instant += timedelta(minutes=61)
    assert shop.letters() == []


def test_a_mail_tool_asks_over_http(shop: Shop) -> None:
    number = shop.person(6)
    shop.leave(number, "monday")
    shop.hand.instant += timedelta(minutes=61)
    for scopes, status in (({"reminders"}, 403), ({"messages"}, 200), ({"messages"}, 200)):
        tool = Machine("mail", frozenset(scopes), "envoi-clair")
        with TestClient(application(shop.house, recognise=lambda connection, tool=tool: tool, local=True)) as client:
            answer = client.post("/v1/baskets/messages", json={"addresses": True})
            assert answer.status_code == status
            if status == 200:
                told = answer.json()["messages"]
    assert told == [], "the second time"
