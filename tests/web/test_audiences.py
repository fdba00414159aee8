"""Audiences on the web: what marketing sees and does, what machines do, what the customer and data protection see of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.conftest import Urls
from tests.support.audience import LAPSED, NETWORK, Town, document, settle
from tests.unit.audiences.test_handing_over import hashed
from tests.web.conftest import Browser

from volens.audiences.check import ARTICLES
from volens.clock import zone
from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Staff, Visitor
from volens.web.words import Words

HOME, JUICE = "/staff/audiences", "/staff/audiences/juice-lapsed"
CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))
IDRISS = Staff("idriss", "Idriss Exemple", frozenset({"dpo"}))
ASTRID = Staff("astrid", "Astrid Exemple", frozenset({"auditor"}))
TOOL = Machine("ad-tool", frozenset({"audiences", "removals"}))
THEIRS = Machine("network", frozenset({"removals"}), NETWORK)
ANOTHERS = Machine("travel", frozenset({"removals"}), "voyages-horizon")


@dataclass
class Site:
    """A town with its web site."""

    town: Town
    visitor: Visitor = field(default_factory=Nobody)

    def open(self) -> TestClient:  # type: ignore[type-arg]
        return TestClient(application(self.town.house, recognise=lambda connection: self.visitor, local=True))


@pytest.fixture
def site(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Everybody permits; nothing is defined yet."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = Site(settle(tmp_path, urls.records))
    yield made
    made.town.house.close()


def written(**changed: object) -> str:
    return json.dumps(document(**changed), ensure_ascii=False)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_marketing_checks_sizes_defines_builds_and_hands_over(site: Site, language: str) -> None:
    with site.open() as client:
        site.visitor = CLAIRE
        browser = Browser(client, language)
        checked = browser.press(HOME, f"{HOME}/check", definition=written(), step="check").text
        assert {"fr": "Rien ne s'y oppose", "en": "Nothing stands against it"}[language] in checked.replace("&#39;", "'")
        sized = browser.press(HOME, f"{HOME}/check", definition=written(), step="size").text
        assert '<svg class="chart"' in sized
        assert {"fr": "moins de 100", "en": "fewer than 100"}[language] in sized, "the forty who still buy it"
        assert not re.search(r"\b140\b", sized), "no exact size (a token that holds these digits is none)"
        browser.press(HOME, f"{HOME}/check", definition=written(), step="define")
        built = browser.press(JUICE, f"{JUICE}/step", step="build").text
        assert '<svg class="chart"' in built
        browser.press(JUICE, f"{JUICE}/step", step="hand-over")
        (listed,) = site.town.house.audiences.lists()
        shown = browser.get(JUICE).text
        assert listed.file in shown
        assert f'lang="{language}"' in shown
        assert "juice-lapsed" in browser.get(HOME).text


def test_what_stands_against_a_definition_is_told_and_it_gets_no_button(site: Site) -> None:
    with site.open() as client:
        site.visitor = CLAIRE
        browser = Browser(client, "en")
        beer = written(name={"en": "Ramadan"}, who={"bought": {"of": {"categories": ["savons"]}, "days": 900}})
        shown = browser.press(HOME, f"{HOME}/check", definition=beer, step="define").text
        assert "AUD008" in shown
        assert "Its name itself tells" in shown
        french = Browser(client, "fr").press(HOME, f"{HOME}/check", definition=beer, step="check").text
        assert "Le nom lui-même révèle" in french
        assert "AUD009" in shown
        assert 'value="define"' not in shown
        assert site.town.house.audiences.all() == []
        assert "the key" in browser.press(HOME, f"{HOME}/check", definition="audience: x", step="check").text


def test_who_comes_in_and_who_may_act(site: Site) -> None:
    site.town.handed()
    with site.open() as client:
        for who in (Nobody(), Customer(1), Staff("s", "Sam Exemple", frozenset({"support"}))):
            site.visitor = who
            for page in (HOME, JUICE):
                assert client.get(page, follow_redirects=False).status_code in (303, 401, 403)
        site.visitor = ASTRID
        shown = Browser(client, "en").get(JUICE).text
        assert f"{JUICE}/step" not in shown, "the auditor looks"
        assert client.post(f"{JUICE}/step", data={"step": "end"}).status_code == 403


def test_the_customer_sees_the_list_and_how_she_leaves_it(site: Site) -> None:
    site.town.handed()
    customer = site.town.number(7)
    page = "/autorisations/usage/purchase-audience"
    removals = site.town.house.audiences.removals
    with site.open() as client:
        site.visitor = Customer(customer)
        browser = Browser(client, "en")
        assert "bought Chilled juices in the last 180 days" in browser.get(page).text
        assert "You are on it." in browser.get(page).text
        site.town.say(7)
        removals.notice()
        assert "You are being taken off it." in browser.get(page).text
        (made,) = removals.make()
        assert "wait for the confirmation" in browser.get(page).text
        removals.acknowledge(made.removal, by="the network")
        assert "You are off it" in browser.get(page).text
        site.visitor = Customer(site.town.number(150))
        assert "Lists you are on" not in browser.get(page).text


def test_data_protection_sees_who_is_late(site: Site) -> None:
    site.town.handed()
    site.town.say(7)
    site.town.house.audiences.removals.make()
    site.town.hand.pass_days(2)
    with site.open() as client:
        site.visitor = IDRISS
        assert "should be off by now" in Browser(client, "en").get("/staff/protection").text
        assert "en retard" in Browser(client, "fr").get(HOME).text


def test_machines_check_build_hand_over_and_take_off(site: Site) -> None:
    site.town.house.audiences.define(site.town.house.audiences.read(written()), by="Claire Exemple")
    with site.open() as client:
        site.visitor = TOOL
        assert client.post("/v1/audiences/check", json=document()).json()["ok"] is True
        assert client.post("/v1/audiences/check", json={"audience": "x"}).status_code == 400
        assert client.post("/v1/audiences/juice-lapsed/hand-over", json={}).status_code == 409, "nothing is built"
        assert client.post("/v1/audiences/juice-lapsed/build", json={}).json()["people"] % 50 == 0
        answer = client.post("/v1/audiences/juice-lapsed/hand-over", json={})
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.text.count("\n") == 1 + len(LAPSED)
        assert client.get("/v1/audiences").json()["audiences"][0]["on"] == len(LAPSED)
        site.town.say(7)
        site.visitor = ANOTHERS
        assert client.get("/v1/removals").json() == {"removals": []}
        site.visitor = THEIRS
        (one,) = client.get("/v1/removals").json()["removals"]
        assert hashed(7) in client.get(f"/v1/removals/{one['removal']}").text
        site.visitor = ANOTHERS
        assert client.get(f"/v1/removals/{one['removal']}").status_code == 403
        assert client.post("/v1/removals/ack", json={"removal": one["removal"]}).status_code == 403
        site.visitor = THEIRS
        assert client.post("/v1/removals/ack", json={"removal": one["removal"]}).status_code == 200
        assert client.get("/v1/removals").json() == {"removals": []}
        assert client.post("/v1/removals/ack", json={"removal": "7"}).status_code == 400
        assert client.post("/v1/audiences/juice-lapsed/build", json={}).status_code == 403, "a platform builds nothing"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_refusal_has_its_sentence(language: str) -> None:
    words = Words(language, zone("FR"))
    sentences = {words.say(f"staff.audience.refused.{rule}") for rule in ARTICLES}
    assert len(sentences) == len(ARTICLES)
