"""Without an account, as people meet it: what a short address and a link show, do, and say when something is wrong."""

from __future__ import annotations

import re
import statistics
import time

import pytest
from tests.web.conftest import TOKEN, Browser, Served
from tests.web.test_centre import permitted, visible

from volens import app
from volens.web.customers import doorways
from volens.web.visitor import Machine


def code_of(served: Served) -> str:
    found = served.house.doorways.cards("card", ["C00001"])["C00001"]
    assert found is not None
    return found.code


def tap(browser: Browser, path: str, what: str) -> str:
    """Presses one of the page's buttons, as a browser without cookies and scripts does."""
    shown = browser.get(path)
    assert f'<input type="hidden" name="what" value="{what}">' in shown.text
    action = re.search(r'<form method="post" action="([^"]+)"', shown.text)
    assert action is not None
    browser.client.cookies.clear()
    answer = browser.client.post(action[1], data={"what": what}, headers={"accept-language": browser.language})
    assert answer.status_code == 200, answer.text
    return visible(answer.text)


def token_of(served: Served) -> str:
    """The token in the newest message, when the server's own thread has made it."""
    served.house.doorways.work()
    newest = served.house.delivery.newest(1)[0]
    return served.house.delivery.show(newest.message, by="a test").text.split("/lien/")[1].split()[0]


def test_a_receipts_address_refuses_in_one_tap_and_shows_nothing(stranger: Browser, served: Served) -> None:
    path = f"/n/{code_of(served)}"
    shown = stranger.get(path)
    assert "Camille" not in shown.text
    assert "C00001" not in shown.text
    assert permitted(served), "opening an address changes nothing"
    assert "C'est fait. Tout est refusé." in tap(stranger, path, "everything")
    assert not permitted(served)


def test_one_group_can_be_refused_alone(stranger: Browser, served: Served) -> None:
    assert "La publicité est refusée" in tap(stranger, f"/n/{code_of(served)}", "advertising")
    assert permitted(served)
    assert "D'autres entreprises ne reçoivent plus rien de vos achats" in tap(stranger, f"/n/{code_of(served)}", "brands")
    assert not permitted(served)


def test_the_page_is_the_same_for_every_code_that_was_ever_made(stranger: Browser, served: Served) -> None:
    old = code_of(served)
    before = stranger.get(f"/n/{old}").text
    served.house.doorways.renew(served.customer)
    assert stranger.get(f"/n/{old}").text == before
    served.house.erasure.erase(served.customer, by="Alice Exemple", why="consent-withdrawn")
    assert stranger.get(f"/n/{old}").text == before


def test_an_ended_address_says_that_nothing_changed_and_what_to_do(stranger: Browser, served: Served) -> None:
    old = code_of(served)
    served.house.doorways.renew(served.customer)
    answer = stranger.client.post(f"/n/{old}", data={"what": "everything"}, headers={"accept-language": "fr"})
    assert answer.status_code == 410
    shown = visible(answer.text)
    assert "Rien n'a changé" in shown
    assert 'href="/lien"' in answer.text
    assert permitted(served)


@pytest.mark.parametrize("path", ["/n/ABCD-EFGH-JKMN", "/n/x", "/lien/forged", "/lien/" + "A" * 43])
def test_what_was_never_made_is_told_and_changes_nothing(stranger: Browser, served: Served, path: str) -> None:
    for answer in (stranger.get(path), stranger.client.post(path, data={"what": "everything"})):
        assert answer.status_code == 404
        assert "Rien n'a changé" in visible(answer.text) or "Nothing has changed" in visible(answer.text)
    assert permitted(served)


def test_a_link_is_asked_for_followed_and_used_up(stranger: Browser, served: Served) -> None:
    answer = stranger.press("/lien", "/lien", who="camille@example.org", by="email", purpose="refuse")
    assert "Si nous connaissons cette adresse" in visible(answer.text)
    path = f"/lien/{token_of(served)}"
    assert stranger.get(path).status_code == 200
    assert permitted(served), "programs that look at links change nothing"
    assert "Tout est refusé" in tap(stranger, path, "everything")
    assert not permitted(served)
    for answer in (stranger.get(path), stranger.client.post(path, data={"what": "everything"})):
        assert answer.status_code == 410
    assert "déjà servi" in visible(stranger.get(path).text)


def test_whoever_asks_for_a_link_gets_the_same_page(stranger: Browser) -> None:
    known = stranger.press("/lien", "/lien", who="camille@example.org", by="email", purpose="refuse")
    unknown = stranger.press("/lien", "/lien", who="inconnue@example.org", by="email", purpose="refuse")
    assert known.text == unknown.text
    assert known.status_code == unknown.status_code == 200
    counting = ("ratelimit-", "x-ratelimit-")  # how often this browser called, whatever it asked
    told = [{name: value for name, value in one.headers.items() if not name.startswith(counting)} for one in (known, unknown)]
    assert told[0] == told[1]


def test_nobody_looks_who_it_is_before_the_answer_is_given(
    stranger: Browser, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of an answer can tell nothing about what was not looked up: the vault is not asked by the request."""
    served.house.doorways.close()
    asked: list[object] = []
    monkeypatch.setattr(type(served.house._vault), "known", lambda self, kind, values: asked.append(values) or {})
    stranger.press("/lien", "/lien", who="camille@example.org", by="email", purpose="refuse")
    assert asked == []
    served.house.doorways.links.answer()
    assert len(asked) == 1


@pytest.mark.slow
def test_the_time_of_an_answer_does_not_tell_who_is_known(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    took: dict[str, list[float]] = {"camille@example.org": [], "inconnue@example.org": []}
    links = served.house.doorways.links
    for _ in range(60):
        for who, times in took.items():
            began = time.perf_counter()
            links.ask("email", who, "refuse", "fr")
            times.append(time.perf_counter() - began)
    known, unknown = (statistics.median(times) for times in took.values())
    print(f"median {known * 1000:.2f} ms for a customer, {unknown * 1000:.2f} ms for a stranger")
    assert abs(known - unknown) < 0.5 * max(known, unknown)


def test_too_many_tries_are_refused(stranger: Browser) -> None:
    allowed = doorways.LIMITS["true"][1]
    page = stranger.get("/vrai-ou-faux")
    token = TOKEN.search(page.text)
    assert token is not None
    data = {"_csrf_token": token[1], "code": "00000-00000"}
    codes = [stranger.client.post("/vrai-ou-faux", data=data).status_code for _ in range(allowed + 1)]
    assert codes == [200] * allowed + [429]


def test_a_message_that_we_sent_is_recognised_and_another_is_not(stranger: Browser, served: Served) -> None:
    tap(stranger, f"/n/{code_of(served)}", "everything")
    served.house.doorways.work()
    (message,) = served.house.delivery.newest()
    text = served.house.delivery.show(message.message, by="a test").text
    code = re.search(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b", text)
    assert code is not None
    answer = visible(stranger.press("/vrai-ou-faux", "/vrai-ou-faux", code=code[0].lower()).text)
    assert "Oui, ce code est de nous" in answer
    assert "un non qui a été dit" in answer
    assert "camille" not in answer.lower()
    assert "Nous n'avons envoyé aucun message avec ce code" in visible(
        stranger.press("/vrai-ou-faux", "/vrai-ou-faux", code="ABCDE-FGHJK").text
    )


def test_the_english_address_opens_in_english(stranger: Browser) -> None:
    assert "Does this message come from us?" in visible(stranger.get("/true-or-false").text)


def test_the_holder_sees_it_and_puts_it_back_in_one_step(browser: Browser, served: Served) -> None:
    served.house.doorways.refuse(code_of(served), language="fr")
    page = browser.get(doorways.OTHERS)
    assert "Quelqu'un a dit non avec l'adresse de votre carte" in visible(page.text)
    seqs = re.search(r'name="seqs" value="([0-9,]+)"', page.text)
    assert seqs is not None
    answer = browser.press(doorways.OTHERS, f"{doorways.OTHERS}/remettre", seqs=seqs[1])
    assert "Vos réponses d'avant sont revenues" in visible(answer.text)
    assert permitted(served)
    assert "Il n'y a rien à remettre" in visible(browser.get(doorways.OTHERS).text)


def test_nobody_else_sees_or_undoes_it(stranger: Browser, served: Served) -> None:
    served.house.doorways.refuse(code_of(served), language="fr")
    answer = stranger.client.get(doorways.OTHERS, follow_redirects=False)
    assert answer.status_code == 303
    refused = stranger.client.post(f"{doorways.OTHERS}/remettre", data={"seqs": "1"}, follow_redirects=False)
    assert refused.status_code == 403
    assert not permitted(served)


def test_the_holder_ends_old_addresses_and_chooses_a_channel(browser: Browser, served: Served) -> None:
    old = code_of(served)
    browser.press(doorways.OTHERS, f"{doorways.OTHERS}/nouvelle-adresse")
    assert code_of(served) != old
    browser.press(doorways.OTHERS, f"{doorways.OTHERS}/canal", channel="none")
    assert served.house.delivery.channel_of(served.customer) == "none"


def test_the_page_of_the_year_is_there_at_any_time(browser: Browser) -> None:
    shown = browser.get(doorways.YEAR)
    assert "Nous sommes payés pour cela par" in visible(shown.text)
    assert "<svg" in shown.text
    assert "style=" not in shown.text, "the page's own policy would not let it through"


def test_a_till_gets_codes_for_cards_and_nobody_else_does(served: Served, stranger: Browser) -> None:
    assert stranger.client.post("/v1/doorways", json={"cards": ["C00001"]}).status_code in (401, 403)
    served.visitor = Machine("till", frozenset({"decisions"}))
    with served.open() as client:
        assert client.post("/v1/doorways", json={"cards": ["C00001"]}).status_code == 403
    served.visitor = Machine("till", frozenset({"doorways"}))
    with served.open() as client:
        answer = client.post("/v1/doorways", json={"cards": ["C00001", "C00099"], "width": 32}).json()
        assert answer["cards"]["C00001"]["code"] == code_of(served)
        assert answer["cards"]["C00099"] is None
        assert client.post("/v1/doorways", json={"cards": "C00001"}).status_code == 400
        assert client.post("/v1/doorways", json={"cards": ["x"] * 1001}).status_code == 400


def test_every_kind_of_message_has_words() -> None:
    from volens.doorways.words import texts as message_texts
    from volens.web.words import texts

    for language in ("fr", "en"):
        known = {name.split(".")[0] for name in message_texts(language) if name.endswith(".subject")}
        assert set(texts(language)["doorways"]["kind"]) == known
    assert message_texts("fr").keys() == message_texts("en").keys()


def test_a_developers_house_is_where_it_is_served(served: Served) -> None:
    code = code_of(served).replace("-", "")
    with app.open_house(served.house.settings.home, web_address="http://127.0.0.1:8477") as house:
        assert house.doorways.first(served.customer) == f"http://127.0.0.1:8477/n/{code}"


def test_another_language_keeps_what_was_asked(browser: Browser) -> None:
    assert 'href="/autorisations?fait=yes&amp;langue=en"' in browser.get("/autorisations?fait=yes&langue=fr").text
