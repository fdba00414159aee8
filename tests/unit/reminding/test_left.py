"""The basket left behind: kept only of whoever permits it, shown once on return, and a paid one brings habits up to date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.support.habits import CUSTOMERS, PURPOSE, shop_with_habits, standing_in
from tests.support.needs import fresh_schemas
from tests.support.shop import HandClock

from volens.app import House
from volens.clock import system
from volens.errors import BadInput
from volens.evidence.journeys import rows_about
from volens.gate import store as uses
from volens.permissions.ledger import Choice
from volens.reminding import left as stops
from volens.reminding import left_store, modelled, store
from volens.reminding.basket import days
from volens.reminding.left import BASKETS_MOST, LeftBehind
from volens.reminding.left_store import Left
from volens.reminding.shown import shown_left


@dataclass
class Shop:
    house: House
    hand: HandClock
    cards: Iterator[int]

    def number(self, card: int) -> int:
        return self.house.customer("card", f"C{card:05}").customer

    def tell(self, card: int, basket: str, state: str, *skus: str) -> None:
        self.house.reminders.left.hear(self.house.reminders.basket(("card", f"C{card:05}"), basket, skus), state)

    def back(self, card: int, basket: str = "the next one") -> LeftBehind | None:
        return self.house.reminders.left.show(self.house.reminders.basket(("card", f"C{card:05}"), basket, ()))

    def later(self, **more: float) -> None:
        self.hand.instant += timedelta(**more)

    def kept(self, card: int) -> list[Left]:
        with self.house._stores.records.reading() as connection:
            return [one for one in left_store.of(connection, self.number(card)) if one.products]

    def say(self, card: int, kind: str) -> None:
        self.house.permissions.record([Choice(self.number(card), PURPOSE, kind, surface="test")])

    def clean(self) -> None:
        report = self.house.audit()
        assert report.ok, report.to_text()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    schemas = fresh_schemas() if request.param == "postgresql" else None
    hand = HandClock(system().now())
    try:
        with standing_in(), shop_with_habits(tmp_path_factory.mktemp("left"), schemas.records if schemas else None, hand) as house:
            house.reminders.learn()
            yield Shop(house, hand, iter(range(1, CUSTOMERS)))
    finally:
        if schemas:
            schemas.drop()


def test_a_basket_is_shown_once_when_its_customer_returns(shop: Shop) -> None:
    card = next(shop.cards)
    shop.tell(card, "monday", "open", "J1", "S1")
    assert shop.back(card, "monday") is None, "she is in it"
    assert shop.back(card) is None, "she was in it a moment ago"
    shop.later(minutes=61)
    assert shop.back(card, "monday") is None, "she is in it again"
    left = shop.back(card)
    assert left is not None
    shown = shown_left(shop.house.reminders, left, "en")
    assert shown is not None
    assert [one["sku"] for one in shown["products"]] == ["J1", "S1"]
    assert shown["sku"] in ("J1", "S1")
    assert shown["why"].startswith("You left it in your basket on ")
    assert "Vous l'avez laissé dans votre panier" in shown_left(shop.house.reminders, left, "fr")["why"]  # type: ignore[index]
    assert shop.back(card) is None, "once"
    shop.tell(card, "monday", "open", "J1", "S1")
    shop.later(minutes=61)
    assert shop.back(card) is None, "once, whatever the website tells later"
    with shop.house._stores.records.reading() as connection:
        row = store.one(connection, left.reminder)
        assert row is not None
        assert shop.number(card) in uses.customers_of(connection, row.seq)
    shop.house.reminders.hear(left.reminder, "added")
    shop.clean()


def test_nothing_is_kept_of_whoever_did_not_permit_it_or_of_nobody(shop: Shop) -> None:
    shop.tell(CUSTOMERS, "monday", "open", "J1")
    shop.tell(9_999, "monday", "open", "J1")
    assert shop.kept(CUSTOMERS) == []
    shop.later(minutes=61)
    assert shop.back(CUSTOMERS) is None
    assert shop.back(9_999) is None
    shop.say(CUSTOMERS, "given")
    assert shop.back(CUSTOMERS) is None, "what was not kept is not there later either"
    shop.say(CUSTOMERS, "withdrawn")


def test_after_a_no_nobody_looks_at_it_and_it_is_swept(shop: Shop) -> None:
    card = next(shop.cards)
    shop.tell(card, "monday", "open", "J1")
    shop.later(minutes=61)
    shop.say(card, "withdrawn")
    assert shop.back(card) is None
    assert shop.kept(card)
    assert shop.house.reminders.sweep() >= 1
    assert shop.kept(card) == []
    shop.clean()


def test_a_no_between_the_look_and_the_door_is_heard(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    card = next(shop.cards)
    shop.tell(card, "monday", "open", "J1")
    shop.later(minutes=61)
    real = stops._waits

    def meanwhile(*given: object) -> bool:
        shop.say(card, "withdrawn")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(stops, "_waits", meanwhile)
    assert shop.back(card) is None
    with shop.house._stores.records.reading() as connection:
        assert all(row.customer != shop.number(card) for row in store.everything_named(connection))


def test_a_basket_without_a_habit_is_not_kept_and_beer_is_none(shop: Shop) -> None:
    card = next(shop.cards)
    shop.tell(card, "monday", "open", "X1")
    shop.tell(card, "tuesday", "open", "no such product")
    assert shop.kept(card) == []
    shop.tell(card, "monday", "open", "X1", "L1")
    assert len(shop.kept(card)) == 1
    shop.tell(card, "monday", "open", "X1")
    assert shop.kept(card) == [], "what she took out again is forgotten"


@pytest.mark.parametrize("end", ["paid", "emptied", "old"])
def test_a_basket_that_is_paid_emptied_or_old_is_not_shown(shop: Shop, end: str) -> None:
    card = next(shop.cards)
    shop.tell(card, "monday", "open", "L1")
    if end == "old":
        told = shop.house.reminders.told.left
        assert told is not None
        shop.later(days=told.days + 1)
    else:
        shop.tell(card, "monday", end, "L1")
        shop.later(minutes=61)
    if end == "paid":
        shop.tell(card, "monday", "open", "L1")
        shop.later(minutes=61)
    assert shop.back(card) is None
    shop.house.reminders.sweep()
    assert shop.kept(card) == []


def test_a_paid_basket_brings_the_habit_up_to_date_once(shop: Shop) -> None:
    card = next(shop.cards)

    def milk() -> tuple[int, int]:
        (one,) = [
            one for one in shop.house.reminders.habits(shop.number(card))
            if shop.house.reminders.name_of(one.product, "en")[0] == "L1"
        ]  # fmt: skip
        return one.times, one.last_days

    times, before = milk()
    shop.tell(card, "monday", "open", "J1")
    shop.later(minutes=61)
    for _ in range(2):
        shop.tell(card, "tuesday", "paid", "L1", "J1", "X1")
    assert milk() == (times + 1, 0), "counted once"
    assert before > 0
    assert shop.back(card) is None, "she bought the juice since, in another basket"


def test_few_baskets_of_one_person_are_kept(shop: Shop) -> None:
    card = next(shop.cards)
    for place in range(BASKETS_MOST + 3):
        shop.later(seconds=1)
        shop.tell(card, f"basket {place}", "open", "L1")
    assert len(shop.kept(card)) == BASKETS_MOST


def test_whoever_is_erased_leaves_no_basket(shop: Shop) -> None:
    card = next(shop.cards)
    shop.tell(card, "monday", "open", "L1")
    gone = shop.number(card)
    shop.house.erasure.erase(gone, by="Alice Exemple", why="consent-withdrawn")
    with shop.house._stores.records.reading() as connection:
        assert left_store.of(connection, gone) == []
        assert list(rows_about(connection, "select customer from left_baskets where customer in (?)", [gone])) == []
    shop.clean()


def test_stopping_from_it_stops_altogether(shop: Shop) -> None:
    card = next(shop.cards)
    shop.tell(card, "monday", "open", "L1")
    shop.tell(card, "tuesday", "open", "B1")
    shop.later(minutes=61)
    left = shop.back(card)
    assert left is not None
    shop.house.reminders.hear(left.reminder, "stop")
    assert shop.kept(card) == []
    assert not any(one.permits for one in shop.house.permissions.of_customer(shop.number(card)) if one.purpose == PURPOSE)


def test_what_makes_no_sense_is_said(shop: Shop) -> None:
    with pytest.raises(BadInput, match="became of the basket"):
        shop.tell(1, "monday", "lost")


def test_a_late_receipt_changes_nothing(shop: Shop) -> None:
    with shop.house._stores.records.reading() as connection:
        state = store.state_of(connection, shop.number(next(shop.cards)))
    ready = shop.house.reminders._ready()
    assert state is not None
    assert ready is not None
    today = days(shop.hand.instant.date())
    product = (ready.products["L1"],)
    assert modelled.after(state, ready, b"12345678", product, today - 100) is None
    fresh = modelled.after(state, ready, b"12345678", product, today)
    assert fresh is not None
    assert modelled.after(fresh, ready, b"12345678", product, today) is None, "seen before"
