"""Sponsored products over HTTP: the shop's pages, what staff see and do, and what the customer sees of herself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import Urls
from tests.support.adverts import MINOR, PURPOSE, REFUSING, SILENT, Shop, apples, document, settle
from tests.web.conftest import Browser
from tests.web.test_described import DOCUMENT, holds

from volens.gate import resident
from volens.sponsored import deciding
from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Staff, Visitor

HOME = "/staff/ads"
SITE = Machine("site", frozenset({"ads"}), None)
CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))
IDRISS = Staff("idriss", "Idriss Exemple", frozenset({"dpo"}))
ASTRID = Staff("astrid", "Astrid Exemple", frozenset({"auditor"}))


@dataclass
class Site:
    """A shop with its web site."""

    shop: Shop
    visitor: Visitor = field(default=SITE)

    def open(self) -> TestClient:  # type: ignore[type-arg]
        return TestClient(application(self.shop.house, recognise=lambda connection: self.visitor, local=True))


@pytest.fixture
def site(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Everybody said her word; nothing is proposed yet."""
    monkeypatch.setattr(deciding, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(resident, "ANSWER_SECONDS", 30.0)
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = Site(settle(tmp_path, urls.records))
    yield made
    made.shop.house.close()


def ads(client: Any, **body: object) -> list[dict[str, Any]]:
    answer = client.post("/v1/ads", json={"slots": 3, "category": "jus-frais", "language": "en", **body})
    assert answer.status_code == 200, answer.text
    holds(answer.json(), DOCUMENT["paths"]["/v1/ads"]["post"]["responses"]["200"]["content"]["application/json"]["schema"])
    found: list[dict[str, Any]] = answer.json()["ads"]
    return found


def test_whoever_permits_and_whoever_refuses_both_have_full_slots(site: Site) -> None:
    site.shop.run()
    with site.open() as client:
        hers = ads(client, card="C00001")
        others = [ads(client, **who) for who in ({}, *({"card": f"C{card:05}"} for card in (REFUSING, SILENT, MINOR, 9_999)))]
    assert len(hers) == 3
    assert {len(one) for one in others} == {3}
    assert any(one["personal"] for one in hers)
    assert not any(one["personal"] for other in others for one in other)
    assert {frozenset(one) for other in (hers, *others) for one in other} == {frozenset(hers[0])}, "one shape"
    assert {len(one["impression"]) for other in (hers, *others) for one in other} == {48}
    personal = next(one for one in hers if one["personal"])
    assert "Chosen because you bought" in personal["why"]
    assert personal["control"] == {
        "text": "No more ads chosen by my purchases", "what": "stop", "settings": "/autorisations/usage/targeted-ads",
    }  # fmt: skip
    page = others[0][0]
    assert (page["label"], page["control"]["what"]) == ("Sponsored", "hide")
    assert page["advertiser"] in ("Vergers du Midi SAS", "Soleil Pressé SA")
    site.shop.clean()


def test_why_and_one_word_stops_it(site: Site) -> None:
    site.shop.run()
    with site.open() as client:
        first = next(one for one in ads(client, card="C00002") if one["personal"])
        told = client.get("/v1/ads/why", params={"impression": first["impression"], "language": "en"})
        assert told.json() == first
        assert "parce que vous avez acheté «" in client.get("/v1/ads/why", params={"impression": first["impression"]}).json()["why"]
        assert client.post("/v1/ads/heard", json={"impression": first["impression"], "what": "stop"}).json() == {"heard": "stop"}
        assert not any(one["personal"] for one in ads(client, card="C00002"))
        assert len(ads(client, card="C00002")) == 3
        assert client.get("/v1/ads/why", params={"impression": first["impression"]}).status_code == 404
        page = ads(client)[0]
        assert client.post("/v1/ads/heard", json={"impression": page["impression"], "what": "stop"}).status_code == 400
        assert client.post("/v1/ads/heard", json={"impression": page["impression"], "what": "hide"}).status_code == 200
        site.visitor = Customer(site.shop.number(2))
        assert "beside an advertisement" in Browser(client, "en").get(f"/autorisations/usage/{PURPOSE}").text
    assert not any(one.permits for one in site.shop.house.permissions.of_customer(site.shop.number(2)) if one.purpose == PURPOSE)


@pytest.mark.parametrize(
    "body",
    [
        {"category": ""}, {"category": "No slug"}, {"slots": 0}, {"slots": 13}, {"language": "xx"}, {"visit": "short"},
        {"card": "C1", "email": "a@example.org"}, {"without": ["J1"] * 2_001}, {"slots": "two"}, {"search": "x" * 201},
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said(site: Site, body: dict[str, object]) -> None:
    with site.open() as client:
        answer = client.post("/v1/ads", json={"slots": 3, "category": "jus-frais", **body})
    assert answer.status_code == 400
    assert answer.json()["title"]


def test_the_key_must_allow_it(site: Site) -> None:
    site.visitor = Machine("site", frozenset({"reminders"}), None)
    with site.open() as client:
        assert client.post("/v1/ads", json={"slots": 1, "page": "home"}).status_code == 403
        assert client.post("/v1/ads/heard", json={"impression": "x", "what": "stop"}).status_code == 403
        assert client.get("/v1/ads/why", params={"impression": "x"}).status_code == 403


@pytest.mark.parametrize("language", ["fr", "en"])
def test_two_people_of_staff_publish_and_see_how_often_it_was_shown(site: Site, language: str) -> None:
    written = json.dumps(document(), ensure_ascii=False)
    with site.open() as client:
        site.visitor = CLAIRE
        browser = Browser(client, language)
        checked = browser.press(HOME, f"{HOME}/check", definition=written, step="check").text
        assert {"fr": "Rien ne s'y oppose", "en": "Nothing stands against it"}[language] in checked.replace("&#39;", "'")
        browser.press(HOME, f"{HOME}/check", definition=written, step="define")
        assert browser.press(HOME, f"{HOME}/oranges-du-midi/step", step="approve").status_code == 403, "not by whoever proposed it"
        site.visitor = IDRISS
        browser.press(HOME, f"{HOME}/oranges-du-midi/step", step="approve")
        site.shop.house.sponsored.learn()
        site.visitor = SITE
        assert len(ads(client, card="C00001")) == 2
        site.visitor = ASTRID
        shown = browser.get(HOME).text
        assert shown.count('<svg class="chart"') == 2
        assert "Vergers du Midi SAS" in shown
        assert f"{HOME}/oranges-du-midi/step" not in shown, "the auditor looks"
        assert client.post(f"{HOME}/oranges-du-midi/step", data={"step": "end"}).status_code == 403
        site.visitor = CLAIRE
        browser.press(HOME, f"{HOME}/oranges-du-midi/step", step="end")
        assert {"fr": "Terminé", "en": "Ended"}[language] in browser.get(HOME).text
        site.visitor = SITE
    assert site.shop.house.sponsored.registry.one("oranges-du-midi").state == "ended"


def test_what_stands_against_a_placement_is_told_and_it_gets_no_button(site: Site) -> None:
    with site.open() as client:
        site.visitor = CLAIRE
        browser = Browser(client, "en")
        shown = browser.press(HOME, f"{HOME}/check", definition=json.dumps(document(products=["B1"])), step="define").text
        assert "ADS004" in shown
        assert 'value="define"' not in shown
        assert site.shop.house.sponsored.all() == []
        assert "the key" in browser.press(HOME, f"{HOME}/check", definition="placement: x", step="check").text
        for who in (Nobody(), Customer(1), Staff("s", "Sam Exemple", frozenset({"support"}))):
            site.visitor = who
            assert client.get(HOME, follow_redirects=False).status_code in (303, 401, 403)


def test_the_customer_sees_what_is_assumed_of_her_and_what_was_chosen(site: Site) -> None:
    site.shop.run(document(), apples())
    page = f"/autorisations/usage/{PURPOSE}"
    with site.open() as client:
        ads(client, card="C00001")
        site.visitor = Customer(site.shop.number(1))
        shown = Browser(client, "en").get(page).text
        assert "Chilled juices: bought on 4 days in the last 12 months" in shown
        assert "Sponsored by" in shown
        assert "Ce qui est supposé de vous" in Browser(client, "fr").get(page).text
        site.shop.say(1)
        assert "What is assumed about you" not in Browser(client, "en").get(page).text
        site.visitor = Customer(site.shop.number(REFUSING))
        assert "What is assumed about you" not in Browser(client, "en").get(page).text
