"""Messages on the web: the one-click link as mailbox providers and link scanners use it, what tools ask, what staff see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import Urls
from tests.support.letters import Letters, message, settle
from tests.web.conftest import Browser

from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Staff, Visitor

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
TOOL = Machine("mail-tool", frozenset({"messages"}), "envoi-clair")
CALLS = Machine("call-centre", frozenset({"messages"}), "voix-douce")
OURS = Machine("site", frozenset({"messages"}))
CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))


@dataclass
class Site:
    """A house that writes, with its web site."""

    letters: Letters
    visitor: Visitor = field(default_factory=Nobody)

    def open(self) -> TestClient:  # type: ignore[type-arg]
        return TestClient(application(self.letters.house, recognise=lambda connection: self.visitor, local=True))

    def link(self, person: int, key: str = "", **changed: Any) -> str:
        """The path of an unsubscription."""
        url = self.letters.one(person, key, **changed).to_dict()["unsubscribe"]
        return str(url.removeprefix(self.letters.house.settings.web_address))


@pytest.fixture
def site(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = Site(settle(tmp_path, urls.records if urls.records.startswith("postgresql") else None))
    yield made
    made.letters.house.close()


@pytest.mark.parametrize("how", ["form", "parts"])
def test_a_mailbox_provider_says_no_in_one_request(site: Site, how: str) -> None:
    """RFC 8058, 3.2: POST, no cookie, no redirect, the body as a form or as parts; a provider's own origin does not matter."""
    path = site.link(1)
    with site.open() as client:
        body: dict[str, Any] = {"data": ONE_CLICK} if how == "form" else {"files": {"List-Unsubscribe": (None, "One-Click")}}
        headers = {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}
        answer = client.post(path, **body, headers=headers, follow_redirects=False)
        assert answer.status_code == 200, answer.text
        assert not client.cookies
        assert not site.letters.one(1, "after").send
        assert client.post(path, data=ONE_CLICK).status_code == 200, "again is harmless"
    assert site.letters.house.messages.months()[0].unsubscribed == 1


def test_a_scanner_that_opens_every_link_changes_nothing(site: Site) -> None:
    path = site.link(1)
    with site.open() as client:
        for _ in range(3):
            assert client.get(path).status_code == 200
        looked = client.head(path)
        assert (looked.status_code, looked.content) == (200, b"")
        for body in ({}, {"List-Unsubscribe": "Two-Clicks"}, {"x": "One-Click"}):
            assert client.post(path, data=body).status_code == 400
    assert site.letters.one(1, "after").send


@pytest.mark.parametrize(("language", "said"), [("fr", "C'est fait"), ("en", "It is done")])
def test_a_person_presses_one_button_without_a_script(site: Site, language: str, said: str) -> None:
    path = site.link(1)
    with site.open() as client:
        shown = client.get(path, headers={"accept-language": language}).text
        assert shown.count("<button") == 1
        assert "<script" not in shown
        assert "Ana" not in shown, "the page says nothing about her"
        form = re.search(r'<form method="post" action="([^"]+)".*?name="([^"]+)" value="([^"]+)"', shown, re.S)
        assert form is not None
        client.cookies.clear()
        done = client.post(form[1], data={form[2]: form[3]}, headers={"sec-fetch-site": "cross-site"})
        assert done.status_code == 200
        assert said in done.text.replace("&#39;", "'")
        assert f'lang="{language}"' in done.text
    assert not site.letters.one(1, "after").send


def test_forged_and_old_links_get_a_clear_page(site: Site) -> None:
    path = site.link(1)
    forged = path[:-1] + ("A" if path[-1] != "A" else "B")
    with site.open() as client:
        for answer in (client.get(forged), client.post(forged, data=ONE_CLICK), client.get("/desabonnement/nothing")):
            assert answer.status_code == 404
            assert "pas à nous" in answer.text
        site.letters.house.erasure.erase(site.letters.number(1), by="Alice Exemple", why="no-longer-needed")
        for answer in (client.get(path), client.post(path, data=ONE_CLICK)):
            assert answer.status_code == 410
            assert "trop vieux" in answer.text


def test_each_channel_has_its_page(site: Site) -> None:
    with site.open() as client:
        for channel, said in (("email", "e-mail"), ("sms", "SMS")):
            path = site.link(2, channel, channel=channel)
            assert said in client.get(path).text
            assert said in client.post(path, data=ONE_CLICK).text


def test_a_tool_asks_and_reports(site: Site) -> None:
    with site.open() as client:
        site.visitor = TOOL
        asked = {"messages": [message(1), message(99, "nobody"), message(2, "p", channel="push", to="d")], "addresses": True}
        answer = client.post("/v1/messages", json=asked)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        first, nobody, push = told["messages"]
        assert (first["send"], first["address"], first["first"]) == (True, "p1@example.org", True)
        assert nobody == {"key": "nobody", "send": False}
        assert "messages.yaml" in push["what_to_do"]
        assert told["send_before"] == "2026-09-15T09:01:00+00:00"
        reported = client.post("/v1/messages/suppress", json={"reports": [
            {"channel": "email", "email": "p1@example.org", "reason": "complaint"},
            {"channel": "email", "email": "stranger@example.org", "reason": "bounce"},
        ]})  # fmt: skip
        assert reported.json() == {"taken": 2}
        again = client.post("/v1/messages", json={"messages": [message(1)]}).json()
        assert again["messages"] == [{"key": "k1", "send": False}], "let out before, and a no since"


def test_whoever_carries_another_channel_carries_nothing_here(site: Site) -> None:
    with site.open() as client:
        site.visitor = CALLS
        (answer,) = client.post("/v1/messages", json={"messages": [message(1)]}).json()["messages"]
        assert not answer["send"]
        assert "not carried" in answer["refused"]
        site.visitor = OURS
        (answer,) = client.post("/v1/messages", json={"messages": [message(1)]}).json()["messages"]
        assert answer["send"]


@pytest.mark.parametrize("visitor", [Nobody(), Machine("other", frozenset({"decisions"})), CLAIRE, Customer(1)])
def test_nobody_else_asks(site: Site, visitor: Visitor) -> None:
    site.visitor = visitor
    with site.open() as client:
        for path, body in (("/v1/messages", {"messages": [message(1)]}), ("/v1/messages/suppress", {"reports": [{}]})):
            assert client.post(path, json=body).status_code in (401, 403)


WRONG: list[dict[str, Any]] = [{}, {"messages": []}, {"messages": [{}]}, {"messages": ["x"]}, {"messages": [message(1, more="x")]}]


@pytest.mark.parametrize("body", WRONG)
def test_what_cannot_be_understood_is_said(site: Site, body: dict[str, Any]) -> None:
    site.visitor = TOOL
    with site.open() as client:
        answer = client.post("/v1/messages", json=body)
        assert answer.status_code == 400
        assert answer.json()["title"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_staff_see_sums_and_the_rules(site: Site, language: str) -> None:
    with site.open() as client:
        site.visitor = CLAIRE
        browser = Browser(client, language)
        assert {"fr": "Aucun outil", "en": "No tool"}[language] in browser.get("/staff/messages").text
        client.post(site.link(1), data=ONE_CLICK)
        site.letters.one(99, "nobody")
        shown = browser.get("/staff/messages").text.replace("&#39;", "'")
        assert re.search(r"2026-09</th><td>E-mail</td><td>2</td><td>1</td><td>1</td><td>1</td>", shown), shown
        assert {"fr": "après un oui seulement", "en": "after a yes alone"}[language] in shown
        assert {"fr": "lundi", "en": "Monday"}[language] in shown
        assert "Envoi Clair SAS" in shown
        assert "example.org" not in shown


@pytest.mark.parametrize("roles", [{"support"}, {"data"}])
def test_other_staff_do_not(site: Site, roles: set[str]) -> None:
    site.visitor = Staff("x", "X Exemple", frozenset(roles))
    with site.open() as client:
        assert client.get("/staff/messages").status_code == 403


def test_a_programme_without_messages_has_a_page_all_the_same(site: Site) -> None:
    site.letters.declare()
    site.visitor = CLAIRE
    with site.open() as client:
        assert "messages.yaml" in client.get("/staff/messages").text
