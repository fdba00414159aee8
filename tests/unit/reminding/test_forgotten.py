"""The forgotten item in a house: learned, named, heard, forgotten; nobody who does not permit it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tests.support.habits import CUSTOMERS, PURPOSE, USUAL, shop_with_habits
from tests.support.needs import fresh_schemas

from volens.app import House
from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate import store as uses
from volens.permissions.ledger import Choice
from volens.purchases import catalogue
from volens.reminders.rhythm import Rhythm
from volens.reminding import speaking, store
from volens.reminding.basket import Said

WITHOUT_MILK = [sku for sku in USUAL if sku != "L1"]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    schemas = fresh_schemas() if request.param == "postgresql" else None
    try:
        with shop_with_habits(tmp_path_factory.mktemp("habits"), schemas.records if schemas else None) as opened:
            opened.reminders.learn()
            yield opened
    finally:
        if schemas:
            schemas.drop()


def number(house: House, card: int) -> int:
    return house.customer("card", f"C{card:05}").customer


def asked(house: House, card: int, basket: str, skus: list[str] = WITHOUT_MILK, without: tuple[str, ...] = ()) -> Said | None:
    return house.reminders.remind(house.reminders.basket(("card", f"C{card:05}"), basket, skus, without))


def sku(house: House, said: Said | None) -> str | None:
    return house.reminders.name_of(said.product, "en")[0] if said is not None else None


def say(house: House, card: int, kind: str) -> None:
    house.permissions.record([Choice(number(house, card), PURPOSE, kind, surface="test")])


def clean(house: House) -> None:
    report = house.audit()
    assert report.ok, report.to_text()


def test_what_is_missing_is_named_once_a_basket_and_is_on_record(house: House) -> None:
    said = asked(house, 1, "b1")
    assert said is not None
    assert sku(house, said) == "L1"
    assert 0 < said.bought_in <= said.of_last
    assert said.every_days in range(6, 10)
    assert asked(house, 1, "b1") is None or sku(house, asked(house, 1, "b1")) != "L1"
    with house._stores.records.reading() as connection:
        row = store.one(connection, said.reminder)
        assert row is not None
        assert number(house, 1) in uses.customers_of(connection, row.seq)
    clean(house)


def test_nobody_is_told_anything_who_did_not_permit_it(house: House) -> None:
    assert asked(house, CUSTOMERS, "b1") is None
    assert asked(house, 9_999, "b1") is None
    with house._stores.records.reading() as connection:
        assert store.state_of(connection, number(house, CUSTOMERS)) is None
    assert house.reminders.habits(number(house, CUSTOMERS)) == []


def test_after_a_no_there_is_silence_and_the_habit_is_swept(house: House) -> None:
    assert asked(house, 2, "b1") is not None
    say(house, 2, "withdrawn")
    assert asked(house, 2, "b2") is None
    assert house.reminders.habits(number(house, 2)) == []
    assert house.reminders.sweep() == 1
    assert house.reminders.sweep() == 0
    with house._stores.records.reading() as connection:
        assert store.state_of(connection, number(house, 2)) is None
    say(house, 2, "given")
    assert asked(house, 2, "b3") is None, "what was forgotten is not remembered before it is learned again"
    clean(house)


def test_what_cannot_be_had_or_may_not_be_named_is_not(house: House) -> None:
    assert sku(house, asked(house, 3, "b1", WITHOUT_MILK, without=("L1",))) != "L1"
    beerless = [one for one in USUAL if one != "X1"]
    assert asked(house, 3, "b2", beerless) is None, "beer is bought each week, and is never named"
    assert all(one.product for one in house.reminders.habits(number(house, 3)))
    with house._stores.records.reading() as connection:
        state = store.state_of(connection, number(house, 3))
    beer = catalogue.read(house.settings.purchases).needs()
    (need,) = [one for one, category in beer.categories.items() if category == "bieres"]
    assert state is not None
    assert need not in Rhythm.from_bytes(state).needs, "it is in nobody's habits"
    names = {house.reminders.name_of(one.product, "en")[0] for one in house.reminders.habits(number(house, 3))}
    assert "X1" not in names
    assert {"L1", "B1"} <= names


def test_not_this_again_and_not_now_and_not_at_all(house: House) -> None:
    never, aside, stop = (asked(house, card, "b1") for card in (4, 5, 6))
    assert never is not None
    assert aside is not None
    assert stop is not None
    for _ in range(2):
        house.reminders.hear(never.reminder, "never")
        house.reminders.hear(aside.reminder, "aside")
        house.reminders.hear(stop.reminder, "stop")
    assert sku(house, asked(house, 4, "b2")) != "L1"
    assert sku(house, asked(house, 5, "b2")) != "L1"
    assert asked(house, 6, "b2", [one for one in USUAL if one != "B1"]) is None
    assert not any(one.permits for one in house.permissions.of_customer(number(house, 6)) if one.purpose == PURPOSE)
    with house._stores.records.reading() as connection:
        stopped = list(log.rows(connection, EVENTS, kinds=["reminder-stopped"]))
        assert [row.customer for row in stopped] == [number(house, 4)]
        assert store.rests_of(connection, number(house, 4)) == {store.one(connection, never.reminder).need: None}  # type: ignore[union-attr]
    clean(house)


def test_so_many_a_month_and_no_more(house: House) -> None:
    most = house.reminders.told.most_a_month
    named = sum(asked(house, 7, f"b{place}") is not None for place in range(most + 3))
    assert named == most


def test_few_things_tell_nothing(house: House) -> None:
    assert asked(house, 8, "b1", []) is None
    assert asked(house, 8, "b2", ["no such product"]) is None
    with pytest.raises(BadInput):
        house.reminders.basket(1, "", [])
    with pytest.raises(NotFound):
        house.reminders.hear("nobody", "added")
    with pytest.raises(BadInput):
        house.reminders.hear("nobody", "maybe")


def test_whoever_gets_no_answer_in_time_gets_none(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "ANSWER_SECONDS", 0.05)
    held = threading.Event()
    real = speaking.store.known_of
    monkeypatch.setattr(speaking.store, "known_of", lambda *given: (held.wait(5), real(*given))[1])
    assert asked(house, 9, "b1") is None
    held.set()
    monkeypatch.setattr(speaking, "ANSWER_SECONDS", 30)
    assert asked(house, 9, "b2") is not None


def test_whoever_says_no_between_the_look_and_the_door_hears_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = speaking.store.known_of

    def meanwhile(*given: object) -> object:
        found = real(*given)  # type: ignore[arg-type]
        say(house, 11, "withdrawn")
        return found

    monkeypatch.setattr(speaking.store, "known_of", meanwhile)
    assert asked(house, 11, "b1") is None
    with house._stores.records.reading() as connection:
        assert all(row.customer != number(house, 11) for row in store.everything_named(connection))
    clean(house)


def test_whoever_is_erased_leaves_nothing(house: House) -> None:
    assert asked(house, 10, "b1") is not None
    gone = number(house, 10)
    house.erasure.erase(gone, by="Alice Exemple", why="consent-withdrawn")
    with house._stores.records.reading() as connection:
        assert store.state_of(connection, gone) is None
        assert all(row.customer != gone for row in store.everything_named(connection))
    clean(house)


def test_another_house_learns_the_same(house: House) -> None:
    first = house.reminders.figures()
    again = house.reminders.learn()
    assert first is not None
    assert again.customers >= CUSTOMERS - 4
    assert [one.speaks for one in again.thresholds] == sorted((one.speaks for one in again.thresholds), reverse=True)
    clean(house)


def test_she_sees_her_habits_and_takes_back_what_she_silenced(house: House) -> None:
    card, who = 12, number(house, 12)
    said = asked(house, card, "b1")
    assert said is not None
    house.reminders.hear(said.reminder, "never")
    seen = house.reminders.seen_by(who)
    assert seen is not None
    assert len(seen.habits) > 3
    assert seen.last[0][1] == said.product
    ((need, product),) = seen.silent
    assert house.reminders.name_of(product, "en")[0] == "L1"
    assert house.reminders.again(who, need)
    assert not house.reminders.again(who, need), "once"
    assert house.reminders.seen_by(who).silent == ()  # type: ignore[union-attr]
    assert sku(house, asked(house, card, "b2")) == "L1"
    clean(house)
    assert house.reminders.seen_by(number(house, CUSTOMERS)) is None, "of whoever does not permit it there is nothing"


def test_whoever_of_the_house_looks_says_who(house: House) -> None:
    who = number(house, 13)
    assert house.reminders.show_habits(who, by="Alice Exemple") == house.reminders.habits(who)
    with house._stores.records.reading() as connection:
        assert who in {row.customer for row in log.rows(connection, EVENTS, kinds=["habits-shown"])}
    with pytest.raises(BadInput):
        house.reminders.show_habits(who, by=" ")


def test_waved_aside_after_it_was_taken_it_rests_too(house: House) -> None:
    said = asked(house, 14, "b1")
    assert said is not None
    house.reminders.hear(said.reminder, "added")
    house.reminders.hear(said.reminder, "aside")
    assert sku(house, asked(house, 14, "b2")) != "L1"
