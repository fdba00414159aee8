"""Offers over HTTP: what customers, everybody, staff and machines see and do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import Urls
from tests.support.offers import PRESS
from tests.support.taking_part import BRUNO, FRIENDS, MINOR, OFFER, REASON, Shop, orders, settle
from tests.web.conftest import TOKEN
from tests.web.test_described import DOCUMENT, holds

from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Staff, Visitor

HOME, PAGE = "/staff/offers", f"/offres/{OFFER}"
TILL = Machine("till", frozenset({"acts"}), None)
CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))
IDRISS = Staff("idriss", "Idriss Exemple", frozenset({"dpo"}))
ASTRID = Staff("astrid", "Astrid Exemple", frozenset({"auditor"}))


@dataclass
class Site:
    """A shop with its web site."""

    shop: Shop
    visitor: Visitor = field(default_factory=Nobody)

    def open(self) -> TestClient:  # type: ignore[type-arg]
        return TestClient(application(self.shop.house, recognise=lambda connection: self.visitor, local=True))

    def be(self, card: int) -> None:
        """Signed in as the holder of a card."""
        self.visitor = Customer(self.shop.number(card))


@pytest.fixture
def site(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An offer in force."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = Site(settle(tmp_path, urls.records))
    made.shop.put()
    yield made
    made.shop.house.close()


def token(client: Any) -> str:
    """What goes with every form of a browser."""
    found = TOKEN.search(client.get("/lien").text)
    assert found is not None
    return found[1]


@dataclass
class Browser:
    """What somebody does with forms."""

    client: Any

    def post(self, address: str, **fields: str) -> Any:
        """Sends one; follows to the page that answers."""
        return self.client.post(address, data={"_csrf_token": token(self.client), **fields})


def asked(client: Any, address: str) -> dict[str, Any]:
    """What is answered to a GET, and that it is as described."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    schema = DOCUMENT["paths"]["/v1/offers/{offer}/open"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    holds(answer.json(), schema)
    found: dict[str, Any] = answer.json()
    return found


def acted(client: Any, key: str, path: str = "/v1/acts", code: int = 200, **body: object) -> dict[str, Any]:
    """What is answered to an act, and that it is as described."""
    whole = {"offer": OFFER, "key": key, **body}
    if path == "/v1/acts":
        whole = {"kind": "order", "at": "2026-12-03T09:30:00+01:00", **whole}
    answer = client.post(path, json=whole)
    assert answer.status_code == code, answer.text
    if code == 200:
        holds(answer.json(), DOCUMENT["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"])
    found: dict[str, Any] = answer.json()
    return found


def test_from_the_list_to_the_reward(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client)
        assert "10 euros pour deux commandes" in client.get("/offres").text
        nobody = client.get(PAGE)
        assert "Se connecter pour participer" in nobody.text
        assert "/participer" not in nobody.text
        assert client.post(f"{PAGE}/participer", data={"say": "yes"}, follow_redirects=False).status_code in (303, 403)
        site.be(1)
        page = client.get(PAGE).text
        for words in ("Vous passez 2 commandes.", "30 jours après, au plus tard", "28 février 2027", "18 ans ou plus"):
            assert words in page
        assert page.index("Vous passez 2 commandes.") < page.index("/participer"), "the terms are read before"
        fields = {name: re.findall(f'name="{name}" value="([^"]*)"', page)[0] for name in ("version", "language", "key")}
        no = browser.post(f"{PAGE}/participer", say="no", **fields)
        assert "Vous ne participez pas" in no.text
        assert site.shop.left() == 5_000, "a no leaves nothing behind"
        with_age = {**fields, "old_enough": "yes"}
        assert "vous participez.</p>" in browser.post(f"{PAGE}/participer", say="yes", **with_age).text
        assert "Encore 2 commandes." in client.get(PAGE).text
        site.visitor = TILL
        assert acted(client, "o/1", card="C00001") == {"counted": True, "done": 1, "times": 2, "state": "open", "reasons": []}
        site.be(1)
        half = client.get(PAGE, params={"langue": "en"}).text
        assert "1 of 2 done." in half
        assert "1 order to go." in half
        assert "%" not in half
        assert "progress" not in half
        site.visitor = TILL
        acted(client, "o/2", email="c1@example.org")
        site.be(1)
        assert "It comes on 2 January 2027." in client.get(PAGE).text
        site.shop.hand.pass_days(30)
        assert "Was it what you expected?" in client.get(PAGE).text
        number = re.findall('name="participation" value="([0-9]+)"', client.get(PAGE).text)[0]
        assert "Your answer is counted." in browser.post(f"{PAGE}/avis", say="no", participation=number).text
        assert "Was it what you expected?" not in client.get(PAGE).text
    assert site.shop.house.offering.said(OFFER).no == 1
    site.shop.clean()


def test_leaving_and_bad_forms(site: Site) -> None:
    one = site.shop.join(1)
    with site.open() as client:
        browser = Browser(client)
        site.be(2)
        assert browser.post(f"{PAGE}/quitter", participation=str(one.id)).status_code == 404, "somebody else's"
        site.be(1)
        for fields in ({}, {"participation": "x"}, {"participation": "9" * 30}):
            assert browser.post(f"{PAGE}/quitter", **fields).status_code == 400
        assert "vous ne participez plus" in browser.post(f"{PAGE}/quitter", participation=str(one.id)).text
        for fields in ({}, {"say": "perhaps"}, {"say": "yes"}, {"say": "yes", "version": "1", "language": "fr", "key": "k"}):
            assert browser.post(f"{PAGE}/participer", **fields).status_code == 400, fields
        assert browser.post(f"{PAGE}/avis", say="often", participation="1").status_code == 400
        assert client.get("/offres/nulle-part").status_code == 404
        assert client.get(f"{PAGE}/conditions/9").status_code == 404
        site.be(MINOR)
        young = client.get(PAGE).text
        assert "Cette offre est pour les personnes de 18 ans ou plus." in young
        assert "/participer" not in young
    assert site.shop.left() == 5_000


def test_an_offer_that_is_stopped_says_why_and_what_counts(site: Site) -> None:
    site.shop.join(1)
    site.shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    with site.open() as client:
        counts = "Ce que vous avez fait jusqu&#39;au 3 décembre 2026 compte."
        for card, words in ((1, counts), (2, "Cette offre est arrêtée depuis le 3 décembre 2026.")):
            site.be(card)
            for address in (PAGE, "/offres"):
                text = client.get(address).text
                assert words in text, address
                assert REASON["fr"] in text
                assert "/participer" not in text
        assert REASON["en"] in client.get(PAGE, params={"langue": "en"}).text


def test_what_was_accepted_can_be_read_for_ever(site: Site) -> None:
    site.shop.join(1)
    site.shop.put(orders(version=2, reward__due_days=10), budget_cents=None)
    with site.open() as client:
        assert "30 jours au plus" in client.get(f"{PAGE}/conditions/1").text
        assert "10 jours au plus" in client.get(f"{PAGE}/conditions/2").text
        site.be(1)
        assert f"{PAGE}/conditions/1" in client.get(PAGE).text


def test_the_register_is_for_everybody(site: Site) -> None:
    site.shop.join(1)
    site.shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    with site.open() as client:
        page = client.get("/programmes").text
        since = "Version 1, depuis le 3 décembre 2026"
        for words in (since, "Arrêtée le 3 décembre 2026.", REASON["fr"], "Moins de 10 participations"):
            assert words in page
        assert "Claire" not in page
        assert "Fewer than 10" in client.get("/programmes", params={"langue": "en"}).text


def test_machines_report_acts_and_ask_whether_it_is_open(site: Site) -> None:
    site.shop.join(1)
    site.visitor = TILL
    with site.open() as client:
        assert asked(client, f"/v1/offers/{OFFER}/open?country=FR") == {
            "offer": OFFER, "country": "FR", "version": 1, "open": True, "reasons": [],
        }  # fmt: skip
        closed = asked(client, f"/v1/offers/{OFFER}/open?country=LU")
        assert [one["reason"] for one in closed["reasons"]] == ["not-launched", "budget"]
        assert asked(client, "/v1/offers/nothing/open?country=FR")["version"] is None
        assert client.get(f"/v1/offers/{OFFER}/open?country=XX").status_code == 400
        strangers = [acted(client, "o/1", **who) for who in ({"card": "C00002"}, {"email": "nobody@example.org"})]
        assert strangers[0] == strangers[1]
        assert not strangers[0]["counted"]
        assert acted(client, "o/1", card="C00001")["counted"]
        assert acted(client, "o/1", card="C00001")["reasons"][0]["reason"] == "again"
        assert acted(client, "o/1", "/v1/acts/undone", why="cancelled") == {"done": 0, "times": 2, "state": "open"}
        acted(client, "o/9", "/v1/acts/undone", code=404)
        acted(client, "o/1", "/v1/acts/undone", code=400, why="because")
        for wrong in ({}, {"card": "C00001", "email": "x@example.org"}, {"card": "C00001", "kind": "referral"},
                      {"card": "C00001", "at": "yesterday"}, {"card": "C00001", "at": "2026-12-03T09:30:00"}):  # fmt: skip
            acted(client, "o/2", code=400, **wrong)
        site.visitor = Machine("site", frozenset({"ads"}), None)
        acted(client, "o/2", code=403, card="C00001")
        site.visitor = Nobody()
        acted(client, "o/2", code=401, card="C00001")


def test_staff_propose_approve_launch_stop_and_open_again(site: Site) -> None:
    document = orders(offer="vingt-euros")
    site.visitor = CLAIRE
    with site.open() as client:
        browser = Browser(client)

        def check(step: str, written: str = "", file: bytes = b"") -> Any:
            files = {"file": ("offer.yaml", file, "text/yaml")} if file else {"file": ("", b"", "application/octet-stream")}
            return client.post(f"{HOME}/check", data={"_csrf_token": token(client), "written": written, "step": step}, files=files)

        refused = check("propose", file=PRESS.read_bytes())
        assert "OFF018" in refused.text
        assert "The licence never ends." in refused.text
        assert "does not load" in check("check", "offer: [").text
        assert check("check", file=b"\xff\xfe\x00").status_code == 400
        assert "Rien ne s&#39;y oppose" in check("check", document).text
        assert "Proposée. Deux personnes" in check("propose", document).text
        steps = f"{HOME}/vingt-euros/1/step"
        assert f"{HOME}/vingt-euros/1" in client.get(HOME).text
        read = client.get(f"{HOME}/vingt-euros/1").text
        assert "This offer is made by" in read, "whoever approves reads the terms, in each language"
        assert "Vous gagnez" in read
        assert "offer: vingt-euros" in read
        (number,) = set(re.findall('name="number" value="([0-9]+)"', read))
        assert client.get(f"{HOME}/vingt-euros/9").status_code == 404
        assert browser.post(steps, step="approve").status_code == 400
        assert "Approuvée." in browser.post(steps, step="approve", number=number).text
        site.visitor = IDRISS
        assert browser.post(steps, step="nothing").status_code == 400
        browser.post(steps, step="approve", number=number)
        place = f"{HOME}/vingt-euros/pays/FR"
        assert "Ouverte. On peut y entrer." in browser.post(place, step="launch").text
        assert browser.post(place, step="suspend").status_code == 400, "a stop says why"
        told = {"reason_fr": REASON["fr"], "reason_en": REASON["en"]}
        assert "Arrêtée. Personne n&#39;entre plus" in browser.post(place, step="suspend", **told).text
        assert "Une deuxième personne" in browser.post(place, step="resume").text
        assert "Approuver la reprise" not in client.get(HOME).text, "whoever asked has no button"
        assert browser.post(place, step="resume").status_code == 403
        site.visitor = CLAIRE
        assert "Ouverte de nouveau." in browser.post(place, step="resume").text
        assert browser.post(place, step="end", **told).status_code == 400, "what cannot be undone is said twice"
        assert "Finie." in browser.post(place, step="end", sure="yes", **told).text
        assert browser.post(place, step="dance").status_code == 400
        site.visitor = ASTRID
        assert "vingt-euros" in client.get(HOME).text
        assert browser.post(place, step="launch").status_code == 403
        assert client.get(f"{HOME}/value").status_code == 200
    site.shop.clean()


def test_a_proposal_is_declined_and_staff_see_what_programmes_bring(site: Site) -> None:
    site.shop.join(1)
    for key in ("a", "b"):
        site.shop.order(1, key)
    site.shop.house.offering.registry.propose(orders(offer=FRIENDS), by="Claire Exemple")
    site.visitor = IDRISS
    with site.open() as client:
        assert "Refusée." in Browser(client).post(f"{HOME}/{FRIENDS}/1/step", step="decline").text
        value = client.get(f"{HOME}/value").text
        assert "10,00\u00a0€" in value
        assert "ne dit pas qu&#39;ils l&#39;ont dit à cause de cela" in value
        assert ">1<" in client.get(HOME).text
