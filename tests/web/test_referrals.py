"""Invitations over HTTP: the sponsor's page, the friend's, what machines report, what staff decide."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from litestar.testing import TestClient
from tests.conftest import Urls
from tests.support.inviting import FRIENDS, OFFER, OTHER, PAYMENT, SPONSOR, Inviting, friends_offer, settle
from tests.support.taking_part import REASON
from tests.web.conftest import TOKEN, Browser
from tests.web.test_described import DOCUMENT, holds

from volens.errors import NotNow
from volens.referring.accepting import NEW_DAYS
from volens.referring.states import BLOCKED, COUNTED, HELD, OPEN, REFUSED
from volens.wallet.contests import nowhere_else
from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Staff, Visitor

STAFF, HOME = "/staff/referrals", f"/offres/{OFFER}/parrainage"
TILL = Machine("shop", frozenset({"referrals"}), None)
CLAIRE = Staff("claire", "Claire Exemple", frozenset({"marketing"}))
ASTRID = Staff("astrid", "Astrid Exemple", frozenset({"auditor"}))
LINA, NOE = FRIENDS[0], FRIENDS[1]


@dataclass
class Site:
    """A shop with its web site."""

    shop: Inviting
    visitor: Visitor = field(default_factory=Nobody)

    def open(self) -> TestClient:  # type: ignore[type-arg]
        return TestClient(application(self.shop.house, recognise=lambda connection: self.visitor, local=True))

    def as_customer(self, card: int) -> None:
        self.visitor = Customer(self.shop.number(card))


@pytest.fixture
def site(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = Site(settle(tmp_path, urls.records))
    yield made
    made.shop.house.close()


def test_from_the_link_to_the_counted_order(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client, "fr")
        site.as_customer(SPONSOR)
        assert "participez d&#39;abord" in browser.get(HOME).text
        site.shop.join(SPONSOR, OFFER)
        assert "<textarea" not in browser.get(HOME).text
        page = browser.press(HOME, HOME, shown="Camille").text
        assert "Lien de parrainage\xa0: je reçois 20" in page
        token = page.split("/parrainage/")[1].split("<")[0].split()[0]
        assert "Encore 1\xa0ami" in page or "Encore 1 ami" in page
        site.visitor = Nobody()
        shown = browser.get(f"/parrainage/{token}").text
        assert "Camille vous invite" in shown
        assert f"/entrer?suite=/parrainage/{token}" in shown
        assert client.post(f"/parrainage/{token}", follow_redirects=False).status_code in (303, 403)
        site.shop.newcomer(LINA)
        site.as_customer(LINA)
        no = browser.press(f"/parrainage/{token}", f"/parrainage/{token}", say="no")
        assert (no.status_code, site.shop.house.referring.invited(site.shop.number(LINA))) == (200, None)
        assert "Encore 1 commande" in browser.press(f"/parrainage/{token}", f"/parrainage/{token}", say="yes").text
        assert "Vous avez accepté cette invitation" in browser.get(f"/parrainage/{token}").text
        assert "Lina" in browser.press("/mon-invitation", "/mon-invitation/prenom", shown="Lina").text
        site.shop.hand.pass_minutes(5)
        _report(site, client, LINA)
        assert "Vous n&#39;avez plus rien à faire" in browser.get("/mon-invitation").text
        site.as_customer(SPONSOR)
        page = browser.get(HOME).text
        assert "Lina" in page
        assert "A commandé. Cela compte." in page
        assert "4000" not in page
        assert "leads nowhere any more" in Browser(client, "en").press(HOME, f"{HOME}/arreter").text
        assert client.get(f"/parrainage/{token}").status_code == 404
    assert site.shop.tie(LINA).state == COUNTED


def _report(site: Site, client: TestClient, card: int, status: int = 200, **told: object) -> None:  # type: ignore[type-arg]
    before, site.visitor = site.visitor, TILL
    body = {
        "kind": "order", "key": f"k/{card}", "order": f"o/{card}", "at": site.shop.hand.now().isoformat(), "amount_cents": 4000,
        "card": f"C{card:05}", "payment_token_hash": PAYMENT, **told,
    }  # fmt: skip
    answer = client.post("/v1/referrals/orders", json=body)
    site.visitor = before
    assert answer.status_code == status, answer.text
    if status == 200:
        said = DOCUMENT["paths"]["/v1/referrals/orders"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        holds(answer.json(), said)


def test_machines_learn_nothing_and_what_is_wrong_is_refused(site: Site) -> None:
    site.shop.invite(LINA)
    with site.open() as client:
        _report(site, client, 99_999)
        _report(site, client, LINA)
        _report(site, client, LINA)
        _report(site, client, LINA, 400, amount_cents=1)
        _report(site, client, LINA, 400, key="x", email="a@example.org")
        _report(site, client, LINA, 400, key="x", at="yesterday")
        _report(site, client, LINA, 400, key="x", payment_token_hash="4970100000000055")
        site.visitor = Machine("till", frozenset({"ads"}), None)
        assert client.post("/v1/referrals/orders", json={}).status_code == 403


def test_who_cannot_accept_reads_why(site: Site) -> None:
    token = site.shop.token()
    with site.open() as client:
        for card, why in ((SPONSOR, "Both accounts belong to the same person."), (6, "This invitation is for adults.")):
            site.as_customer(card)
            page = Browser(client, "en").get(f"/parrainage/{token}").text
            assert why in page
            assert 'value="yes"' not in page
        site.shop.invite(LINA)
        site.shop.token(OTHER)
        site.as_customer(LINA)
        other = site.shop.token(OTHER)
        assert "You have accepted an invitation before. You cannot accept" in Browser(client, "en").get(f"/parrainage/{other}").text


def test_held_with_a_sentence_contested_and_decided(site: Site) -> None:
    tie = site.shop.invite(LINA, email="lina@yopmail.com")
    site.shop.ordered(LINA)
    with site.open() as client:
        site.as_customer(LINA)
        page = Browser(client, "fr").get("/mon-invitation").text
        assert "adresse jetable" in page
        assert "13 décembre 2026" in page
        told = Browser(client, "fr").press("/mon-invitation", "/parrainages/contester", invitation=str(tie.number)).text
        assert "Vous avez dit que ce n&#39;est pas juste" in told
        site.visitor = CLAIRE
        browser = Browser(client, "en")
        shown = browser.get(STAFF).text
        assert "1 invitation waits" in shown
        assert "Contested on" in shown
        assert "F6" in shown
        assert browser.press(STAFF, f"{STAFF}/{tie.number}", say="yes", reason="").status_code == 400
        assert "the invitation counts" in browser.press(STAFF, f"{STAFF}/{tie.number}", say="yes", reason="Seen.").text
        for who, status in ((ASTRID, 200), (Staff("s", "Sam Exemple", frozenset({"support"})), 403), (Nobody(), 303)):
            site.visitor = who
            assert client.get(STAFF, follow_redirects=False).status_code == status
    assert site.shop.tie(LINA).state == COUNTED


def test_refused_and_blocked_are_said_to_both(site: Site) -> None:
    one = site.shop.invite(LINA, email="lina@yopmail.com")
    site.shop.ordered(LINA)
    site.shop.house.referring.refuse(one.number, by="Claire Exemple", reason="Seen.")
    site.shop.invite(NOE, email="c3+noe@example.org")
    assert (site.shop.tie(LINA).state, site.shop.tie(NOE).state) == (REFUSED, BLOCKED)
    with site.open() as client:
        site.as_customer(SPONSOR)
        page = Browser(client, "en").get(HOME).text
        assert "A person has looked. It does not count." in page
        assert "It does not count.</p>" in page
        assert "customer already" not in page
        assert page.count("This is not right") == 2
        Browser(client, "en").press(HOME, "/parrainages/contester", invitation=str(one.number))
    assert site.shop.tie(LINA).state == HELD


def test_wrong_forms_change_nothing(site: Site) -> None:
    token = site.shop.token()
    site.shop.newcomer(LINA)
    with site.open() as client:
        site.as_customer(LINA)
        browser = Browser(client, "fr")
        where = f"/parrainage/{token}"
        assert browser.press(where, where, say="maybe").status_code == 400
        assert _contest(browser, where, "x") == 400
        assert _contest(browser, where, "1") == 404
        assert client.get("/mon-invitation").status_code == 404
        assert client.get("/parrainage/forged").status_code == 404
        browser.press(where, where, say="yes")
        assert browser.press("/mon-invitation", "/mon-invitation/prenom", shown="www.x.example").status_code == 400
        site.as_customer(SPONSOR)
        assert browser.press(HOME, HOME, shown="1").status_code == 400
        assert urlsplit(str(client.get("/offres/unknown/parrainage").url)).path.endswith("parrainage")
    assert site.shop.tie(LINA).state == OPEN


def _contest(browser: Browser, page: str, number: str) -> int:
    """Sends the form to contest from a page that does not show it."""
    found = TOKEN.search(browser.get(page).text)
    assert found is not None
    return browser.client.post("/parrainages/contester", data={"_csrf_token": found[1], "invitation": number}).status_code


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_is_looked_at_is_what_the_offer_uses(site: Site, language: str) -> None:
    less = friends_offer(offer="sans", act={**json.loads(friends_offer())["act"], "uses": ["account", "invitation", "payout"]})
    site.shop.put(less, budget_cents=100_000)
    card, home = {"fr": ("carte bancaire", "adresse de livraison"), "en": ("payment card", "address of delivery")}[language]
    with site.open() as client:
        browser = Browser(client, language)
        for offer, sponsor, friend, there in ((OFFER, SPONSOR, LINA, True), ("sans", OTHER, NOE, False)):
            token = site.shop.token(sponsor, offer)
            site.as_customer(sponsor)
            pages = [browser.get(f"/offres/{offer}/parrainage").text]
            site.shop.newcomer(friend)
            site.as_customer(friend)
            pages.append(browser.get(f"/parrainage/{token}").text)
            for page in pages:
                assert (card in page, home in page) == (there, there)
            terms = browser.get(f"/offres/{offer}").text
            for word in {"fr": ("adresse e-mail", "téléphone", "nom)"), "en": ("e-mail address", "telephone", "name)")}[language]:
                assert word in terms
            assert ("vos commandes" in terms or "your orders" in terms) == there


def test_nobody_reads_that_she_ordered_who_did_not(site: Site) -> None:
    tie = site.shop.invite(NOE, email="c3+noe@example.org")
    with site.open() as client:
        for language, ordered, then, more in (
            ("fr", "commandé", "Sans réponse ce jour-là, votre prochaine commande compte.", "Encore 1 commande"),
            ("en", "ordered", "your next order counts.", "1 more order"),
        ):
            site.as_customer(NOE)
            browser = Browser(client, language)
            if language == "fr":
                assert "Cela ne compte pas." in browser.get("/mon-invitation").text
                browser.press("/mon-invitation", "/parrainages/contester", invitation=str(tie.number))
            page = _became(browser.get("/mon-invitation").text)
            assert then in page
            assert ordered not in page
            assert more not in page
            site.as_customer(SPONSOR)
            page = _became(browser.get(HOME).text)
            assert ordered not in page
            assert {"fr": "la prochaine commande de cet ami compte", "en": "this friend&#39;s next order counts"}[language] in page
        site.shop.house.referring.release(tie.number, by="Claire Exemple", reason="Seen.")
        site.as_customer(NOE)
        assert "1 more order" in Browser(client, "en").get("/mon-invitation").text


def _became(page: str) -> str:
    """What a page says of invitations, without what explains it."""
    return page.split("<h1>")[1].split('aria-labelledby="name"')[0].split('aria-labelledby="friends"')[-1].split("<details>")[0]


@pytest.mark.parametrize(
    ("language", "why"), [("fr", "Vous êtes déjà client chez nous."), ("en", "You are a customer of ours already.")]
)
def test_a_customer_of_before_is_told_so_before_anything_is_asked(site: Site, language: str, why: str) -> None:
    site.shop.newcomer(LINA)
    site.shop.newcomer(NOE, email="c3+noe@example.org")
    token = site.shop.token()
    site.shop.hand.pass_days(NEW_DAYS + 1)
    with site.open() as client:
        browser = Browser(client, language)
        for card in (LINA, NOE):
            site.as_customer(card)
            page = browser.get(f"/parrainage/{token}").text
            assert why in page
            assert 'value="yes"' not in page
            assert site.shop.house.referring.invited(site.shop.number(card)) is None
        site.shop.house.referring.accept(site.shop.number(LINA), token)  # from a page that was open before
        site.as_customer(LINA)
        assert why in browser.get("/mon-invitation").text
        line = site.shop.house.referring.sponsoring(site.shop.number(SPONSOR), OFFER).friends[0]
        assert (line.state, line.sentence) == (BLOCKED, {})


@pytest.mark.parametrize("right", [True, False])
def test_one_hold_is_contested_in_one_place(site: Site, right: bool) -> None:
    tie = site.shop.invite(LINA, email="lina@yopmail.com")
    site.shop.ordered(LINA)
    one = site.shop.house.referring.sponsoring(site.shop.number(SPONSOR), OFFER).participation
    assert one is not None
    with site.open() as client:
        site.as_customer(SPONSOR)
        browser = Browser(client, "fr")
        page = browser.get("/cagnotte").text
        assert "En vérification." in page
        assert f'href="{HOME}"' in page
        assert 'action="/cagnotte/contester"' not in page
        with pytest.raises(NotNow):
            site.shop.house.wallet.contests.contest(site.shop.number(SPONSOR), one.claim)
        browser.press(HOME, "/parrainages/contester", invitation=str(tie.number))
        _contested_before(site, one.claim)
        decide = site.shop.house.referring.release if right else site.shop.house.referring.refuse
        decide(tie.number, by="Claire Exemple", reason="Seen.")
        assert site.shop.house.wallet.contests.open_ones() == []
        page = browser.get("/cagnotte").text
        assert "En vérification." not in page
        assert "Notre réponse" not in page, "it is on the page of the invitation"
    site.shop.clean()


def _contested_before(site: Site, claim: str) -> None:
    """A contest of a time when the wallet took it."""
    contests = site.shop.house.wallet.contests
    now, contests.elsewhere = contests.elsewhere, nowhere_else
    contests.contest(site.shop.number(SPONSOR), claim)
    contests.elsewhere = now


def test_a_sponsor_reads_what_is_true_of_her_link_and_of_her_reward(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client, "fr")
        token = site.shop.token()
        site.as_customer(SPONSOR)
        box = browser.get(HOME).text.split("<textarea")[1].split(">", 1)[1]
        assert box.split("<")[0].strip().splitlines()[0].endswith(f"/parrainage/{token}"), "the link is what is seen first"
        site.shop.house.offering.suspend(OFFER, "FR", REASON, by="Claire Exemple")
        site.shop.hand.pass_days(1)
        for page in (browser.get(HOME).text, Browser(client, "en").get(HOME).text):
            assert "<textarea" not in page
            assert "votre lien ne prend personne" in page or "your link takes nobody" in page
        site.shop.house.offering.resume(OFFER, "FR", by="Claire Exemple")
        site.shop.house.offering.resume(OFFER, "FR", by="Bruno Modèle")
        tie = site.shop.invite(LINA, email="lina@yopmail.com")
        site.shop.ordered(LINA)
        page = browser.get(HOME).text
        assert "C&#39;est en vérification." in page
        assert "est dans votre cagnotte" not in page
        assert "<textarea" not in page, "her round is done"
        site.shop.house.referring.release(tie.number, by="Claire Exemple", reason="Seen.")
        assert "Le jour où c&#39;est à vous est dans votre cagnotte" in browser.get(HOME).text


def test_the_pages_of_what_is_hers_lead_to_each_other(site: Site) -> None:
    with site.open() as client:
        browser = Browser(client, "fr")
        site.as_customer(OTHER)
        first = browser.get("/autorisations").text
        assert '<a href="/autorisations/plus">Données, reçus, offres</a>' in first, "its ninety words leave room for one way"
        for page in ("/autorisations/plus", "/cagnotte", "/mes-images"):
            assert 'href="/offres"' in browser.get(page).text, page
        for page in ("/offres", "/autorisations/plus"):
            shown = browser.get(page).text
            there = [f'href="{one}"' in shown for one in ("/cagnotte", "/mes-images", "/mon-invitation")]
            assert there == [True, True, False], "she has no invitation"
        site.shop.invite(LINA)
        for card in (LINA, SPONSOR):
            site.as_customer(card)
            for page in ("/offres", "/autorisations/plus"):
                assert 'href="/mon-invitation"' in browser.get(page).text
        site.visitor = Nobody()
        assert "/mes-images" not in browser.get("/offres").text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_whoever_signs_in_or_makes_a_card_comes_back_to_the_invitation(site: Site, language: str) -> None:
    where = f"/parrainage/{site.shop.token()}"
    with site.open() as client:
        browser = Browser(client, language)
        page = browser.get(where).text
        assert {"fr": "vous revenez ici", "en": "you come back here"}[language] in page
        assert f'href="/adhesion?suite={where}"' in page
        assert f'name="suite" value="{where}"' in browser.get(f"/adhesion?suite={where}").text
        assert f'name="suite" value="{where}"' in browser.get(f"/entrer?suite={where}").text
