"""The page of devices as a person meets it, and the addresses that apps and servers call."""

from __future__ import annotations

import json
import re
import time

import pytest
from httpx import Response
from tests.support.phone import CAMERA, Phone, say
from tests.web.conftest import Browser, Served
from tests.web.test_centre import visible

from volens.devices.signing import written
from volens.devices.station import EVENTS, REPORTS
from volens.ingest.master import Person
from volens.web.visitor import Machine, Nobody

HERE = "/autorisations/appareils"


def post(browser: Browser, route: str, body: bytes, signature: str | None = None) -> Response:
    """As an app or a server calls."""
    headers = {"content-type": "application/json", **({"volens-signature": signature} if signature is not None else {})}
    return browser.client.post(route, content=body, headers=headers)


@pytest.fixture
def phone(served: Served) -> Phone:
    return Phone().join(served.house, served.customer)


def report(browser: Browser, served: Served, phone: Phone, **states: str) -> Response:
    body = phone.body(served.house.clock.now(), states=states, app_version="4.2.0")
    return post(browser, REPORTS, body, phone.sign(REPORTS, body))


def test_the_page_says_what_it_cannot_do_and_shows_phone_choice_and_servers_apart(
    browser: Browser, served: Served, phone: Phone
) -> None:
    assert report(browser, served, phone, camera="granted", contacts="granted").json() == {"new": 2}
    say(served.house, served.customer, "refused", CAMERA)
    shown = visible(browser.get(HERE).text)
    assert "Nous ne pouvons pas le régler d'ici." in shown
    assert "Votre choix vaut pour tous vos appareils" in shown
    assert "Téléphone d'exemple Autorise. Vu le" in shown
    assert "Votre réponse : non, depuis le" in shown
    assert "Refusent ces données depuis le" in shown
    assert "« Téléphone d'exemple » autorise encore : appareil photo (vu le" in shown
    assert "Vous avez refusé : nos serveurs refusent ces données depuis le" in shown
    assert "Aucune de nos applications ne s'en sert. Nos serveurs refusent ces données." in shown, "contacts"
    assert "Paramètres, Applications, Le Panier, Autorisations, Appareil photo." in shown
    assert "intent:package:example.lepanier.app#Intent" in browser.get(HERE).text


def test_the_same_in_english(served: Served, phone: Phone) -> None:
    with served.open() as client:
        browser = Browser(client, "en")
        assert report(browser, served, phone, location="while-in-use").status_code == 200
        shown = visible(browser.get(HERE).text)
    assert "We cannot set that from here." in shown
    assert "Allows it while in use. Seen on" in shown
    assert "still allows: location" in shown
    assert "You did not say yes: our servers refuse these data." in shown


def test_one_tap_each_way_and_in_force_at_once(browser: Browser, served: Served, phone: Phone) -> None:
    fields = {"purpose": CAMERA, "text": f"{CAMERA}/1", "back": HERE}
    shown = browser.press(HERE, "/autorisations/choix", say="yes", **fields)
    assert "C'est noté. Votre réponse est oui." in visible(shown.text)
    assert "Acceptent ces données depuis le" in visible(shown.text)
    assert phone.send(served.house, "camera").accepted == 1
    shown = browser.press(HERE, "/autorisations/choix", say="no", **fields)
    assert "C'est noté. Votre réponse est non." in visible(shown.text)
    assert phone.send(served.house, "camera", "camera").accepted == 0
    shown = visible(browser.get(HERE).text)
    assert "En 7 jours : 1. En 30 jours : 1." in shown
    assert "Refusé 2 fois, la dernière le" in shown


def test_every_refusal_on_the_page_is_the_symmetric_pair(browser: Browser, served: Served, phone: Phone) -> None:
    report(browser, served, phone, camera="granted")
    page = browser.get(HERE).text
    pairs = re.findall(r'<form method="post" action="/autorisations/choix" class="pair">.*?</form>', page, re.S)
    assert len(pairs) == 3
    for pair in pairs:
        assert re.findall(r'<button class="choice" name="say" value="(\w+)"', pair) == ["no", "yes"]
    assert "checked" not in page


def test_a_device_is_signed_out_and_forgotten_in_one_tap_each(browser: Browser, served: Served, phone: Phone) -> None:
    report(browser, served, phone, camera="granted")
    shown = browser.press(HERE, f"{HERE}/deconnecter", device=phone.device)
    assert "Nous ne prenons plus rien de cet appareil." in visible(shown.text)
    assert "Déconnecté le" in visible(shown.text)
    assert report(browser, served, phone, camera="granted").status_code == 403
    shown = browser.press(HERE, f"{HERE}/oublier", device=phone.device)
    assert "Nous avons effacé ce que nous savions de cet appareil." in visible(shown.text)
    assert "Aucun appareil n'est connecté à votre compte." in visible(shown.text)


def test_somebody_elses_device_stays(browser: Browser, served: Served) -> None:
    served.house.customers.enrol([Person(card="C00002", email="sacha@example.org", country="FR", details={})])
    other = Phone().join(served.house, served.house.customer("card", "C00002").customer)
    mine = Phone().join(served.house, served.customer)
    assert browser.press(HERE, f"{HERE}/oublier", device=other.device).status_code == 404
    assert other.report(served.house, camera="granted") == 1
    assert other.device not in browser.get(HERE).text
    assert mine.device in browser.get(HERE).text


def test_who_is_not_signed_in_sees_and_changes_nothing(stranger: Browser, served: Served) -> None:
    phone = Phone().join(served.house, served.customer)
    for path in (HERE, f"{HERE}/application"):
        assert stranger.client.get(path, follow_redirects=False).status_code == 303
    answer = stranger.client.post(f"{HERE}/oublier", data={"device": phone.device}, follow_redirects=False)
    assert answer.status_code == 403
    assert phone.report(served.house, camera="granted") == 1


def test_a_page_that_may_read_the_browser_does_not_ban_it_and_others_do(browser: Browser) -> None:
    for path in (HERE, f"{HERE}/application"):
        answer = browser.get(path)
        assert "camera" not in answer.headers["permissions-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "<script" in answer.text
        assert not re.search(r"<script(?![^>]*src=)", answer.text), "no script inside the page"
    assert "camera=()" in browser.get("/autorisations").headers["permissions-policy"]


def test_an_app_registers_reports_and_sends(browser: Browser, served: Served) -> None:
    phone = Phone()
    token = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', browser.get(f"{HERE}/application").text)
    assert token is not None
    new = {"app": "le-panier", "platform": "web", "label": "Ce navigateur", "app_version": "1.0"}
    new["public_key"] = written(phone.public_key)
    answer = browser.client.post(f"{HERE}/enregistrer", json=new, headers={"x-csrftoken": token[1], "accept": "application/json"})
    assert answer.status_code == 201
    phone.device = answer.json()["device"]
    assert report(browser, served, phone, camera="prompt").status_code == 200
    for kind, status in (("refused", 403), ("given", 202), ("withdrawn", 403)):
        say(served.house, served.customer, kind)
        body = phone.body(served.house.clock.now(), category="camera", data={"trial": True})
        sent = post(browser, EVENTS, body, phone.sign(EVENTS, body))
        assert sent.status_code == status
        assert sent.json()["accepted"] is (status == 202)
        assert sent.json()["reasons"]
    body = phone.body(served.house.clock.now(), events=[{"category": "camera"}, {"category": "sms"}])
    several = post(browser, EVENTS, body, phone.sign(EVENTS, body))
    assert several.status_code == 207
    assert (several.json()["accepted"], several.json()["refused"], len(several.json()["results"])) == (0, 2, 2)


def test_a_registration_without_the_forms_token_is_refused(browser: Browser) -> None:
    new = {"app": "le-panier", "platform": "web", "label": "x", "public_key": written(Phone().public_key)}
    assert browser.client.post(f"{HERE}/enregistrer", json=new, headers={"accept": "application/json"}).status_code == 403


def test_nobody_speaks_for_a_device_without_its_key_or_the_scope(browser: Browser, served: Served, phone: Phone) -> None:
    body = phone.body(served.house.clock.now(), states={"camera": "granted"}, category="camera")
    answers = [post(browser, route, body) for route in (REPORTS, EVENTS)]
    answers += [post(browser, route, body, "AAAA") for route in (REPORTS, EVENTS)]
    served.visitor = Machine("crm", frozenset({"decisions"}))
    answers += [post(browser, route, body) for route in (REPORTS, EVENTS)]
    assert {one.status_code for one in answers} == {403}
    assert len({one.text for one in answers}) == 1, "and nobody learns why"
    served.visitor = Nobody()
    assert post(browser, "/v1/devices", b'{"card": "C00001"}').status_code == 401


def test_a_machine_registers_reports_and_sends(browser: Browser, served: Served) -> None:
    served.visitor = Machine("app-server", frozenset({"devices"}))
    new = {"card": "C00001", "app": "le-panier", "platform": "android", "label": "Téléphone"}
    device = post(browser, "/v1/devices", json.dumps(new).encode()).json()["device"]
    phone = Phone(device)
    body = phone.body(served.house.clock.now(), states={"camera": "granted"})
    assert post(browser, REPORTS, body).json() == {"new": 1}
    assert post(browser, REPORTS, body).status_code == 403, "once"
    sent = json.dumps({"device": device, "category": "camera"}).encode()
    assert post(browser, EVENTS, sent).status_code == 403
    say(served.house, served.customer, "given")
    assert post(browser, EVENTS, sent).status_code == 202
    for wrong in (b"", b"[]", b'{"device": "x", "category": "teleporter"}', b'{"category": "camera"}', b"\xff"):
        assert post(browser, EVENTS, wrong).status_code == 400
    unknown = post(browser, "/v1/devices", json.dumps({**new, "card": "nobody"}).encode())
    assert unknown.status_code == 404
    assert "nobody" not in unknown.text
    for bad in ({**new, "card": ""}, {**new, "email": "x@example.org"}, {**new, "extra": "x"}, {**new, "label": 7}):
        assert post(browser, "/v1/devices", json.dumps(bad).encode()).status_code == 400


def test_a_thousand_events_after_a_refusal_through_the_web(browser: Browser, served: Served, phone: Phone) -> None:
    """Experience M19, over HTTP: from the page that acknowledged the refusal on, all of them. Nothing is waited for."""
    fields = {"purpose": CAMERA, "text": f"{CAMERA}/1", "back": HERE}
    browser.press(HERE, "/autorisations/choix", say="yes", **fields)
    events = [{"category": "camera"}] * 100
    body = phone.body(served.house.clock.now(), events=events)
    assert post(browser, EVENTS, body, phone.sign(EVENTS, body)).json()["accepted"] == 100
    browser.press(HERE, "/autorisations/choix", say="no", **fields)
    acknowledged = time.monotonic()
    refused = 0
    for turn in range(10):
        body = phone.body(served.house.clock.now(), events=events)
        refused += post(browser, EVENTS, body, phone.sign(EVENTS, body)).json()["refused"]
        if turn == 0:
            print(f"first of them judged {time.monotonic() - acknowledged:.3f} s after the page")
    assert refused == 1_000
    assert "Refusé 1 000 fois" in visible(browser.get(HERE).text).replace("\u202f", " ")


def test_what_a_phone_may_send_is_not_said_to_be_a_use_of_purchases(browser: Browser, served: Served) -> None:
    served.house.permissions.refuse_everything(served.customer, surface="test")
    say(served.house, served.customer, "given", CAMERA)
    shown = visible(browser.get("/autorisations").text)
    assert "Vos achats servent à votre carte, et à rien d'autre." in shown
    assert "Mon téléphone 1 sur 3" in shown
    assert "Ce que disent vos appareils" in visible(browser.get("/autorisations/telephone").text)
