"""The checkout asks what is missing, over HTTP: one answer for whoever may not be told anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.support.habits import CUSTOMERS, USUAL, shop_with_habits
from tests.web.conftest import Browser

from volens.app import House
from volens.reminding import left
from volens.web.server import application
from volens.web.visitor import Customer, Machine, Staff

SITE = Machine("site", frozenset({"reminders"}), None)
WITHOUT_MILK = [sku for sku in USUAL if sku != "L1"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with shop_with_habits(tmp_path_factory.mktemp("habits"), None) as opened:
        opened.reminders.learn()
        yield opened


def post(house: House, path: str, visitor: Machine = SITE, **body: object) -> tuple[int, dict[str, object]]:
    with TestClient(application(house, recognise=lambda connection: visitor, local=True)) as client:
        answer = client.post(path, json=body)
        return answer.status_code, answer.json()


def test_the_milk_is_missing_and_why(house: House) -> None:
    status, found = post(house, "/v1/reminders", card="C00001", basket="b1", skus=WITHOUT_MILK, language="en")
    assert status == 200
    reminder = found["reminder"]
    assert isinstance(reminder, dict)
    assert reminder["sku"] == "L1"
    assert reminder["name"] == "Item L1"
    assert "of your last" in reminder["why"]
    assert post(house, "/v1/reminders/heard", reminder=reminder["reminder"], what="added") == (200, {"heard": "added"})
    assert house.reminders.outcomes().popitem()[1] == {"added": 1}
    _, french = post(house, "/v1/reminders", card="C00003", basket="b1", skus=WITHOUT_MILK)
    assert "derniers paniers" in str(french)


@pytest.mark.parametrize("card", [f"C{CUSTOMERS:05}", "C99999"])
def test_nobody_and_whoever_does_not_permit_get_the_same(house: House, card: str) -> None:
    assert post(house, "/v1/reminders", card=card, basket="b1", skus=WITHOUT_MILK) == (200, {"reminder": None})


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/v1/reminders", {"card": "C00001", "skus": []}, "basket"),
        ("/v1/reminders", {"card": "C00001", "basket": "b1", "skus": "L1"}, "skus"),
        ("/v1/reminders", {"card": "C00001", "basket": "b1", "skus": [], "withuot": ["L1"]}, "withuot"),
        ("/v1/baskets", {"card": "C00001", "basket": "b1"}, "state"),
        ("/v1/baskets/left", {"card": "C00001", "basket": 7}, "basket"),
    ],
)
def test_what_does_not_fit_is_named(house: House, path: str, body: dict[str, object], named: str) -> None:
    status, told = post(house, path, **body)
    assert status == 400
    assert named in str(told["detail"])
    assert "C00001" not in str(told)


def test_one_word_stops_it(house: House) -> None:
    _, found = post(house, "/v1/reminders", card="C00002", basket="b1", skus=WITHOUT_MILK)
    number = found["reminder"]["reminder"]  # type: ignore[index]
    assert post(house, "/v1/reminders/heard", reminder=number, what="stop")[0] == 200
    assert post(house, "/v1/reminders", card="C00002", basket="b2", skus=WITHOUT_MILK) == (200, {"reminder": None})


@pytest.mark.parametrize("card", ["C00004", f"C{CUSTOMERS:05}", "C99999"])
def test_a_basket_that_was_left_behind_comes_back(house: House, card: str) -> None:
    """Once, for whoever permits it; nobody, and whoever does not, get the same answer as somebody who left nothing."""
    told = {"card": card, "basket": "monday", "state": "open", "skus": ["L1", "S1"]}
    assert post(house, "/v1/baskets", **told) == (200, {"heard": "open"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(left, "_waits", lambda *given: True)  # an hour later
        _, found = post(house, "/v1/baskets/left", card=card, basket="tuesday", language="en")
    if card == "C00004":
        basket = found["left"]
        assert isinstance(basket, dict)
        assert [one["sku"] for one in basket["products"]] == ["L1", "S1"]
        assert basket["why"].startswith("You left it in your basket on ")
        assert post(house, "/v1/reminders/heard", reminder=basket["reminder"], what="added") == (200, {"heard": "added"})
        assert post(house, "/v1/baskets", card=card, basket="monday", state="paid", skus=["L1"]) == (200, {"heard": "paid"})
    else:
        assert found == {"left": None}
    assert post(house, "/v1/baskets/left", card=card, basket="wednesday") == (200, {"left": None})
    assert post(house, "/v1/baskets", card=card, basket="monday", state="lost")[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {"basket": "b", "skus": []},
        {"card": "C1", "email": "a@example.org", "basket": "b", "skus": []},
        {"card": "C1", "basket": "", "skus": []},
        {"card": "C1", "basket": "b", "skus": ["J1"] * 2_001},
        {"card": "C1", "basket": "b", "skus": [], "language": "xx"},
        {"card": "C1", "skus": "J1"},
    ],
)
def test_what_cannot_be_understood_is_said(house: House, body: dict[str, object]) -> None:
    status, said = post(house, "/v1/reminders", **body)
    assert status == 400
    assert said["title"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_marketing_sees_what_each_choice_would_do(house: House, language: str) -> None:
    visitor = Staff("s1", "Claire Exemple", frozenset({"marketing"}))
    with TestClient(application(house, recognise=lambda connection: visitor, local=True)) as client:
        page = client.get("/staff/reminders", headers={"accept-language": language})
    assert page.status_code == 200
    assert {"fr": "en vigueur", "en": "in force"}[language] in page.text
    assert page.text.count("<tr") > 8


def test_the_key_must_allow_it(house: House, tmp_path: Path) -> None:
    for path in ("/v1/reminders", "/v1/reminders/heard", "/v1/baskets", "/v1/baskets/left"):
        assert post(house, path, Machine("site", frozenset({"decisions"}), None), card="C1", basket="b", skus=[])[0] == 403


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_customer_sees_her_habits_and_takes_back_what_she_silenced(house: House, language: str) -> None:
    card = {"fr": "C00005", "en": "C00006"}[language]
    visitor = Customer(house.customer("card", card).customer)
    _, found = post(house, "/v1/reminders", card=card, basket="b1", skus=WITHOUT_MILK)
    post(house, "/v1/reminders/heard", reminder=found["reminder"]["reminder"], what="never")  # type: ignore[index]
    with TestClient(application(house, recognise=lambda connection: visitor, local=True)) as client:
        browser, here = Browser(client, language), "/autorisations/usage/basket-reminder"
        shown = browser.get(here).text
        assert {"fr": "Ce que nous ne vous rappelons plus", "en": "What we do not remind you of any more"}[language] in shown
        need = shown.split('name="need" value="')[1].split('"')[0]
        again = browser.press(here, "/autorisations/rappels/encore", need=need).text
        assert {"fr": "de nouveau vous le rappeler", "en": "remind you of it again"}[language] in again
        assert 'name="need"' not in again
