"""The wallet over HTTP: its person's page, whoever holds a code, tills, and staff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import Urls
from tests.support.purse import IBAN, PAYER, give_budget
from tests.support.rewards import OFFER
from tests.support.shop import HandClock
from tests.support.taking_part import orders
from tests.web.conftest import TOKEN
from tests.web.test_described import DOCUMENT, holds

from volens.app import House, initialise
from volens.clock import legal_day
from volens.ingest.master import Person
from volens.offers.document import Amount
from volens.wallet import claims, codes
from volens.wallet.carriers import SepaFiles
from volens.wallet.claims import Promise
from volens.wallet.vouchers import WRONG_MAX
from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Staff, Visitor

TILL = Machine("till", frozenset({"vouchers"}), None)
CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))
IDRISS = Staff("idriss", "Idriss Exemple", frozenset({"dpo"}))
ASTRID = Staff("astrid", "Astrid Exemple", frozenset({"auditor"}))


@dataclass
class Site:
    """A house with rewards in it, and who visits."""

    house: House
    hand: HandClock
    visitor: Visitor = field(default_factory=Nobody)
    people: dict[str, int] = field(default_factory=dict)

    def open(self) -> TestClient:  # type: ignore[type-arg]
        return TestClient(application(self.house, recognise=lambda connection: self.visitor, local=True))

    def person(self, name: str) -> Customer:
        if name not in self.people:
            card = f"C{len(self.people) + 1:05}"
            self.house.customers.enrol([Person(card=card, email=f"{name}@example.org", country="FR", details={})])
            self.people[name] = self.house.customer("card", card).customer
        return Customer(self.people[name])

    def reward(self, name: str, key: str, money: int, voucher: int, held: Any = None) -> None:
        who, today = self.person(name).number, legal_day(self.hand.now(), "FR")
        with self.house._stores.records.writing() as connection:
            claims.reserve(connection, Promise(key, OFFER, 1, "FR", "EUR", Amount(money, voucher)), day=today)
            claims.earn(
                connection, key, who, earned=today, matures=today + timedelta(days=30),
                voucher_days=365 if voucher else 0, why="referral", held=held,
            )  # fmt: skip

    def night(self, days: int = 30) -> None:
        self.hand.pass_days(days)
        self.house.wallet.nightly()


@dataclass
class Browser:
    """Reads pages, and sends forms with the token of the page that was read last."""

    client: Any
    token: str = ""

    def read(self, path: str) -> str:
        answer = self.client.get(path, headers={"accept-language": "fr"})
        assert answer.status_code == 200, path
        self._keep(answer.text)
        return str(answer.text)

    def send(self, path: str, **fields: str) -> Any:
        answer = self.client.post(path, data={"_csrf_token": self.token, **fields}, headers={"accept-language": "fr"})
        self._keep(answer.text)
        return answer

    def press(self, path: str, **fields: str) -> Any:
        answer = self.send(path, **fields)
        assert answer.status_code == 200, answer.text
        return answer

    def _keep(self, page: str) -> None:
        found = TOKEN.search(page)
        self.token = found[1] if found is not None else self.token


@pytest.fixture
def site(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    hand = HandClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    with initialise(tmp_path / "house", records_url=urls.records, customers=100, clock=hand.clock) as house:
        house.wallet.payouts._carrier = SepaFiles(house.settings.payouts, PAYER)
        give_budget(house._stores.records, OFFER, 100_000, hand.now().date())
        yield Site(house, hand)


def test_her_page_says_what_is_hers_and_from_which_day(site: Site) -> None:
    site.reward("lea", "p:1", 2_000, 8_000)
    site.reward("lea", "p:2", 1_500, 0, {"fr": "Deux commandes dans la même minute.", "en": "Two orders in one minute."})
    site.visitor = site.person("lea")
    with site.open() as client:
        browser = Browser(client)
        page = browser.read("/cagnotte")
        assert "115,00\u00a0€" in page
        assert "À vous le 1er avril 2026." in page
        assert "Deux commandes dans la même minute." in page
        assert "Two orders in one minute." in browser.read("/cagnotte?langue=en")
        site.night()
        page = browser.read("/cagnotte?langue=fr")
        found = re.findall(r'<code class="code">([^<]+)</code>', page)
        assert len(found) == 4
        assert {codes.meant(one) is not None for one in found} == {True}
        assert "Recevoir 20,00\u00a0€" in page
        file = client.get("/cagnotte/historique.csv")
        assert file.headers["content-type"].startswith("text/csv")
        assert "80.00" in file.text
    site.visitor = site.person("nour")
    with site.open() as client:
        page = Browser(client).read("/cagnotte")
        assert "Votre cagnotte est vide" in page
        assert not re.search(r"\d,\d\d", page)


def test_she_asks_is_told_what_is_wrong_and_can_change_her_mind(site: Site) -> None:
    site.reward("lea", "p:1", 2_000, 0)
    site.night()
    site.visitor = site.person("lea")
    with site.open() as client:
        browser = Browser(client)
        browser.read("/cagnotte")
        form = {"currency": "EUR", "key": "form-1", "name": "Léa Exemple", "iban": IBAN}
        for wrong, told in (({"iban": IBAN[:-1] + "0"}, "une erreur dans cet IBAN"), ({"name": " "}, "Écrivez le nom")):
            page = browser.press("/cagnotte/virement", **{**form, **wrong}).text
            assert told in page
            assert 'aria-invalid="true"' in page
        page = browser.press("/cagnotte/virement", **form).text
        assert "C’est noté" in page or "C'est noté" in page or "C&#39;est noté" in page
        assert "0189" in page
        assert IBAN not in page
        number = re.search(r'name="payout" value="(\d+)"', page)
        assert number is not None
        assert "de nouveau disponible" in browser.press("/cagnotte/virement/annuler", payout=number[1]).text
        assert site.house.wallet.of(site.people["lea"])[0].available_cents == 2_000
        assert browser.send("/cagnotte/virement/annuler", payout="x").status_code == 400
        site.visitor = site.person("nour")
        assert browser.send("/cagnotte/virement/annuler", payout=number[1]).status_code == 404
        assert browser.send("/cagnotte/contester", claim="p:1").status_code == 404


def test_a_contest_goes_to_a_human_and_back(site: Site) -> None:
    site.reward("lea", "p:1", 2_000, 0, "Somebody looks at it.")
    site.visitor = site.person("lea")
    with site.open() as client:
        browser = Browser(client)
        browser.read("/cagnotte")
        assert "Une personne va vous répondre" in browser.press("/cagnotte/contester", claim="p:1", words="C'était moi.").text
        (contest,) = site.house.wallet.contests.open_ones()
        site.visitor = ASTRID
        page = browser.read("/staff/wallet?langue=fr")
        assert "moi." in page
        assert "/staff/wallet/contest" not in page
        assert browser.send(f"/staff/wallet/contest/{contest.contest}", say="yes", words="Oui.").status_code == 403
        site.visitor = IDRISS
        browser.read("/staff/wallet")
        assert browser.send(f"/staff/wallet/contest/{contest.contest}", say="perhaps", words="Oui.").status_code == 400
        assert "répondu" in browser.press(f"/staff/wallet/contest/{contest.contest}", say="yes", words="Vous avez raison.").text
        site.visitor = site.person("lea")
        assert "Vous avez raison." in browser.read("/cagnotte")
    assert site.house.wallet.claim("p:1").state == "pending"


def test_one_hold_is_answered_once(site: Site) -> None:
    site.reward("lea", "p:1", 2_000, 0, "Somebody looks at it.")
    site.visitor = site.person("lea")
    with site.open() as client:
        browser = Browser(client)
        browser.read("/cagnotte")
        browser.press("/cagnotte/contester", claim="p:1")
        (contest,) = site.house.wallet.contests.open_ones()
        site.house.wallet.contests.answer(contest.contest, by="Idriss Exemple", words="Il manque une commande.", right=False)
        page = browser.read("/cagnotte")
        assert "Il manque une commande." in page
        assert "Une personne vous a répondu." in page
        assert 'action="/cagnotte/contester"' not in page
        assert "Rien n" in browser.send("/cagnotte/contester", claim="p:1").text
    assert site.house.wallet.claim("p:1").state == "held"
    assert site.house.wallet.contests.open_ones() == []


def test_two_of_the_staff_send_money(site: Site) -> None:
    site.reward("lea", "p:1", 2_000, 0)
    site.night()
    site.house.wallet.payouts.ask(site.people["lea"], "EUR", name="Léa Exemple", iban=IBAN, key="form-1", language="fr")
    site.visitor = CLAIRE
    with site.open() as client:
        browser = Browser(client)
        browser.read("/staff/wallet")
        browser.press("/staff/wallet/prepare", currency="EUR")
        (run,) = site.house.wallet.payouts.runs()
        assert browser.send(f"/staff/wallet/run/{run.run}/step", step="release").status_code == 403
        assert browser.send(f"/staff/wallet/run/{run.run}/step", step="leap").status_code == 400
        site.visitor = IDRISS
        assert "Libéré" in browser.press(f"/staff/wallet/run/{run.run}/step", step="release").text
        assert (site.house.settings.payouts / f"{run.run}.xml").exists()
        assert "Il n&#39;y a pas encore d&#39;offre." in browser.read("/staff/wallet")
        assert browser.send("/staff/wallet/budget", place="autre-offre/FR", amount="5").status_code == 404
        site.house.offering.registry.propose(orders(offer="autre-offre"), by="Claire Exemple")
        place = {"place": "autre-offre/FR"}
        assert "10 euros pour deux commandes, France (EUR)" in browser.read("/staff/wallet")
        assert "1\u202f500,00\u00a0€" in browser.press("/staff/wallet/budget", amount="1500,00", **place).text
        for wrong in ("", "x", "-1", "0.001", "nan", "inf"):
            told = browser.send("/staff/wallet/budget", amount=wrong, **place)
            assert told.status_code == 400
            assert "Ce n&#39;est pas un montant." in told.text
            assert f'value="{wrong}" aria-invalid' in told.text, "what was typed stays"
        assert browser.send("/staff/wallet/budget", place="autre-offre/DE", amount="5").status_code == 400
        page = browser.read("/staff/wallet")
        assert IBAN not in page
        assert "Léa" not in page


def test_whoever_holds_the_code_of_somebody_who_is_gone_is_paid(site: Site) -> None:
    site.reward("lea", "p:1", 2_000, 0)
    number = site.person("lea").number
    site.house.erasure.erase(number, by="Alice Exemple", why="consent-withdrawn")
    code = site.house.wallet.leaving.code_of(number)
    assert code is not None
    site.night()
    with site.open() as client:
        browser = Browser(client)
        browser.read("/cagnotte/au-porteur")
        assert "Nous ne connaissons pas ce code" in browser.send("/cagnotte/au-porteur", code=codes.fresh()).text
        assert "20,00" in browser.send("/cagnotte/au-porteur", code=code.lower()).text
        form = {"code": code, "currency": "EUR", "key": "form-1", "name": "Léa Exemple", "iban": IBAN}
        assert "une erreur" in browser.send("/cagnotte/au-porteur/virement", **{**form, "iban": IBAN[:-1] + "0"}).text
        asked = browser.send("/cagnotte/au-porteur/virement", **form).text
        assert "0189" in asked
        (payout,) = re.findall('name="payout" value="([0-9]+)"', asked)
        back = {"code": code, "payout": payout}
        assert "Nous ne connaissons pas" in browser.send("/cagnotte/au-porteur/annuler", **{**back, "code": codes.fresh()}).text
        assert browser.send("/cagnotte/au-porteur/annuler", **{**back, "payout": "x"}).status_code == 400
        assert "est annulé" in browser.send("/cagnotte/au-porteur/annuler", **back).text
        assert "0189" in browser.send("/cagnotte/au-porteur/virement", **{**form, "key": "form-again"}).text
        assert "Nous ne connaissons pas" in browser.send("/cagnotte/au-porteur/virement", **{**form, "code": ""}).text
    assert site.house.wallet.books().owed == {"EUR": 2_000}
    assert site.house.audit().ok


def test_a_till_checks_reserves_redeems_and_rolls_back(site: Site) -> None:
    site.reward("lea", "p:1", 0, 2_000)
    site.night()
    ((held,),) = [one.vouchers for one in site.house.wallet.of(site.people["lea"])]
    site.visitor = TILL

    with site.open() as client:

        def ask(what: str, status: int = 200, **body: object) -> dict[str, Any]:
            answer = client.post(f"/v1/vouchers/{what}", json={"code": held.code, **body})
            assert answer.status_code == status, answer.text
            found: dict[str, Any] = answer.json()
            if status == 200:
                said = DOCUMENT["paths"][f"/v1/vouchers/{what}"]["post"]["responses"]["200"]
                holds(found, said["content"]["application/json"]["schema"])
            assert "lea" not in answer.text
            return found

        assert ask("check") == {"state": "issued", "cents": 2_000, "currency": "EUR", "until": "2027-04-01"}
        assert ask("reserve", key="basket-1")["state"] == "reserved"
        ask("redeem", 409, key="basket-2")
        assert ask("rollback", key="basket-1")["state"] == "issued"
        assert ask("redeem", key="basket-2") == ask("redeem", key="basket-2")
        ask("redeem", 409, key="basket-3")
        ask("rollback", 409, key="basket-2")
        ask("check", 400, code="?")
        ask("reserve", 400, key="")
        for _ in range(WRONG_MAX):
            ask("check", 404, code=codes.fresh())
        answer = client.post("/v1/vouchers/check", json={"code": held.code})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 600
        site.visitor = Machine("other", frozenset({"ads"}), None)
        ask("check", 403)
        site.visitor = Nobody()
        ask("check", 401)


def test_nobody_sees_a_wallet_without_being_signed_in(site: Site) -> None:
    with site.open() as client:
        for path in ("/cagnotte", "/cagnotte/historique.csv", "/staff/wallet"):
            answer = client.get(path, follow_redirects=False)
            assert answer.status_code == 303
            assert "/entrer" in answer.headers["location"]


def test_a_house_without_an_account_promises_no_transfer(site: Site) -> None:
    site.reward("lea", "p:1", 2_000, 0)
    site.night()
    site.visitor = site.person("lea")
    with site.open() as client:
        browser = Browser(client)
        assert 'name="iban"' in browser.read("/cagnotte"), "she loaded the page before"
        site.house.wallet.payouts._carrier = SepaFiles(site.house.settings.payouts, None)
        shown = browser.read("/cagnotte")
        assert "Nous ne faisons pas encore de virements" in shown
        assert 'name="iban"' not in shown
        form = {"currency": "EUR", "key": "form-1", "name": "Léa Exemple", "iban": IBAN}
        assert "Rien n&#39;est disponible" in browser.press("/cagnotte/virement", **form).text
    assert site.house.wallet.payouts.runs() == []


def test_what_became_hers_today_is_said_to_be_hers(site: Site) -> None:
    site.reward("lea", "p:1", 2_000, 0)
    site.visitor = site.person("lea")
    with site.open() as client:
        browser = Browser(client)
        assert "À vous le" in browser.read("/cagnotte")
        site.hand.pass_days(30)
        shown = browser.read("/cagnotte")
        assert "C&#39;est à vous. Dès demain matin" in shown
        assert "À vous le" not in shown
