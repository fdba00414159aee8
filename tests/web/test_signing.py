"""Signing in as people do it: out to a provider, back, and out again. The provider is the one for developers."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import text
from tests.support.serving import served_by_uvicorn
from tests.web.conftest import TOKEN, Browser, Served
from tests.web.test_centre import visible

from volens.cli.serve import serve as serve_command
from volens.errors import BadInput
from volens.web.development.provider import Vouching
from volens.web.limits import SIGN_INS_PER_MINUTE
from volens.web.server import application

BASE = "http://127.0.0.1:8000"
CARD, SESSION, QUESTION = "C00001", "volens-session", "volens-question"


@dataclass
class Door:
    """The whole server with a provider, as `volens serve --development` makes it."""

    served: Served
    base: str
    stack: ExitStack

    def browser(self) -> Browser:
        """Another browser."""
        client = self.stack.enter_context(httpx.Client(base_url=self.base, follow_redirects=True, timeout=60))
        return Browser(client)  # type: ignore[arg-type]


@pytest.fixture
def door(served: Served) -> Iterator[Door]:
    def make(base: str) -> Litestar:
        vouching = Vouching(base, served.house.clock)
        served.house.access.trust(vouching.providers(), back_channel)
        return application(served.house, local=True, vouching=vouching)

    with ExitStack() as stack:
        back_channel = stack.enter_context(httpx.Client(timeout=60))
        yield Door(served, stack.enter_context(served_by_uvicorn(make)), stack)


def choose(browser: Browser, who: dict[str, str], site: str = "/entrer", after: str = "/autorisations") -> Response:
    """To the provider, and chosen there; the answer sends the browser back with a code."""
    page = browser.get(f"{site}/compte?suite={after}")
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    token = TOKEN.search(page.text)
    assert token is not None
    return browser.client.post(
        page.url.path, data={**fields, "_csrf_token": token[1], **who}, headers={"accept-language": "fr"}, follow_redirects=False
    )


def sign_in(browser: Browser, who: dict[str, str] | None = None, site: str = "/entrer", after: str = "/autorisations") -> Response:
    sent = choose(browser, who or {"card": CARD}, site, after)
    assert sent.status_code == 303
    return browser.get(sent.headers["location"])


def test_a_customer_signs_in_and_sees_her_page(door: Door) -> None:
    browser = door.browser()
    asked = browser.get("/autorisations")
    assert (asked.url.path, asked.url.query) == ("/entrer", b"suite=/autorisations")
    shown = sign_in(browser)
    assert (shown.status_code, shown.url.path) == (200, "/autorisations")
    assert browser.get("/autorisations").url.path == "/autorisations"


def test_the_cookie_is_for_this_host_alone_and_no_script(served: Served) -> None:
    served.house.access.trust(Vouching(BASE, served.house.clock).providers())
    for local, prefix, secure in ((True, "volens-", False), (False, "__Host-volens-", True)):
        app = application(served.house, local=local)
        with TestClient(app, base_url=BASE) as client:
            assert client.post("/sortir", data={}).status_code == 403  # without the token of a form nobody is signed out
            client.get("/entrer")
            token = client.cookies[f"{prefix}form"]
            headers = {"x-csrftoken": token, "cookie": f"{prefix}form={token}"}
            answer = client.post("/sortir", headers=headers, data={}, follow_redirects=False)
            cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(prefix + "session="))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert ("Secure" in cookie) is secure


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
        ({"origin": BASE}, True),
        ({"origin": "null"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "https://evil.example"}, False),
    ],
)
def test_a_form_from_elsewhere_is_turned_away_even_with_a_token(served: Served, said: dict[str, str], taken: bool) -> None:
    with TestClient(application(served.house, local=True), base_url=BASE) as client:
        client.get("/entrer")
        headers = {"x-csrftoken": client.cookies["volens-form"], **said}
        assert client.post("/sortir", headers=headers, data={}, follow_redirects=False).status_code == (303 if taken else 403)


def test_signing_in_makes_a_new_session_number(door: Door) -> None:
    """Somebody who planted a number into her browser knows nothing of what it becomes."""
    thief, camille = door.browser(), door.browser()
    sign_in(thief)
    planted = thief.client.cookies[SESSION]
    camille.client.cookies.set(SESSION, planted, domain="127.0.0.1")
    sign_in(camille)
    assert planted not in [one.value for one in camille.client.cookies.jar if one.name == SESSION and one.value != planted]
    assert thief.get("/autorisations").url.path == "/entrer"
    assert camille.get("/autorisations").url.path == "/autorisations"


def test_a_code_cannot_be_used_in_another_browser_nor_twice(door: Door) -> None:
    camille, thief = door.browser(), door.browser()
    back = choose(camille, {"card": CARD}).headers["location"]
    stolen = thief.get(back)
    assert stolen.status_code == 401
    assert thief.get("/autorisations").url.path == "/entrer"
    held = camille.client.cookies[QUESTION]
    assert camille.get(back).status_code == 200
    number = camille.client.cookies[SESSION]
    camille.client.cookies.set(QUESTION, held, domain="127.0.0.1")
    assert camille.get(back).status_code == 401
    assert camille.client.cookies[SESSION] == number
    assert camille.get("/autorisations").url.path == "/autorisations"


@pytest.mark.parametrize("spoil", ["state", "code", "iss"])
def test_an_answer_that_was_changed_signs_nobody_in(door: Door, spoil: str, caplog: pytest.LogCaptureFixture) -> None:
    browser = door.browser()
    parts = urlsplit(choose(browser, {"card": CARD}).headers["location"])
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    query[spoil] = "https://other.example" if spoil == "iss" else "forged"
    with caplog.at_level(logging.WARNING, "volens.access"):
        answer = browser.client.get(parts.path, params=query, headers={"accept-language": "fr"})
    assert answer.status_code == 401
    assert "La connexion n&#39;a pas abouti" in answer.text or "La connexion n'a pas abouti" in answer.text
    assert browser.get("/autorisations").url.path == "/entrer"
    assert "forged" not in caplog.text
    assert CARD not in caplog.text


def test_signing_out_here_and_everywhere(door: Door) -> None:
    here, there, third = door.browser(), door.browser(), door.browser()
    for one in (here, there, third):
        sign_in(one)
    assert here.press("/entrer", "/sortir").url.path == "/entrer"
    assert here.get("/autorisations").url.path == "/entrer"
    assert there.get("/autorisations").url.path == "/autorisations"
    there.press("/entrer", "/sortir", where="everywhere")
    assert third.get("/autorisations").url.path == "/entrer"


def test_staff_come_in_by_their_own_door_under_their_name(door: Door) -> None:
    browser = door.browser()
    sent = choose(browser, {"who": "bruno"}, "/staff/entrer", "/staff")
    browser.client.get(sent.headers["location"], follow_redirects=False)
    session = door.served.house.access.sessions.recognise(browser.client.cookies[SESSION])
    assert session is not None
    assert session.member is not None
    assert (session.member.name, session.member.roles) == ("Bruno Modèle", {"dpo"})
    assert [one.name for one in door.served.house.access.staff.everybody()] == ["Bruno Modèle"]
    assert browser.get("/autorisations").url.path == "/entrer"  # staff are no customers
    nobody = door.browser()
    assert sign_in(nobody, {"who": "farid"}, "/staff/entrer").status_code == 401


def test_a_customer_without_a_card_learns_what_to_do_and_nothing_of_others(door: Door) -> None:
    browser = door.browser()
    answer = sign_in(browser, {"card": "C99999"})
    assert answer.status_code == 401
    assert "carte de fidélité" in answer.text
    assert "C99999" not in answer.text


def test_afterwards_nobody_is_sent_elsewhere(door: Door) -> None:
    browser = door.browser()
    sent = choose(browser, {"card": CARD}, after="https://evil.example/")
    answer = browser.client.get(sent.headers["location"], follow_redirects=False)
    assert answer.headers["location"] == "/autorisations"


def test_a_link_to_sign_in_cannot_hold_an_address_elsewhere(door: Door) -> None:
    page = door.browser().get("/entrer?suite=//evil.example").text
    assert "//evil" not in page
    assert page.count("evil") == page.count("suite=%2F%2Fevil.example&amp;langue="), "in the other language's link to this page"


def test_an_erased_customer_is_signed_out(door: Door) -> None:
    browser = door.browser()
    sign_in(browser)
    door.served.house.erasure.erase(door.served.customer, by="Alice Exemple", why="consent-withdrawn")
    assert browser.get("/autorisations").url.path == "/entrer"
    assert sign_in(browser).status_code == 401


def test_without_records_nobody_is_let_in_and_the_page_says_so(door: Door) -> None:
    browser, fresh = door.browser(), door.browser()
    sign_in(browser)
    back = choose(fresh, {"card": CARD}).headers["location"]
    with door.served.house._stores.records.writing() as connection:
        connection.execute(text("alter table web_sessions rename to elsewhere"))
    answer = browser.get("/autorisations")
    assert answer.status_code == 503
    assert "la réponse est non" in answer.text
    assert fresh.get(back).status_code == 503
    with door.served.house._stores.records.writing() as connection:
        connection.execute(text("alter table elsewhere rename to web_sessions"))
    assert browser.get("/autorisations").status_code == 200


def test_a_provider_that_is_away_is_said(served: Served) -> None:
    served.house.access.trust(Vouching("http://127.0.0.1:9", served.house.clock).providers())  # nobody listens there
    with TestClient(application(served.house, local=True), base_url=BASE) as client:
        answer = client.get("/entrer/compte", headers={"accept-language": "fr"})
    assert answer.status_code == 503
    assert "ne répond pas" in answer.text


def test_without_a_provider_the_page_says_so(served: Served) -> None:
    with TestClient(application(served.house, local=True), base_url=BASE) as client:
        assert "pas encore" in client.get("/entrer", headers={"accept-language": "fr"}).text
        assert client.get("/entrer/compte").status_code == 404
        assert client.get("/developpement/customers/authorize").status_code == 404


def test_the_provider_says_on_its_page_what_it_is_and_serves_this_house_alone(door: Door) -> None:
    browser = door.browser()
    page = browser.get("/entrer/compte")
    assert "sans mot de passe" in page.text
    elsewhere = str(page.url).replace("entrer%2Fretour", "evil")
    assert browser.client.get(elsewhere).status_code == 400
    with pytest.raises(BadInput):
        application(door.served.house, local=False, vouching=Vouching(BASE, door.served.house.clock))


def test_a_development_server_is_refused_to_the_world() -> None:
    from click.testing import CliRunner

    said = CliRunner().invoke(serve_command, ["--host", "0.0.0.0", "--development"])
    assert said.exit_code == 2
    assert "this machine alone" in said.output


def test_who_tries_too_often_waits(door: Door) -> None:
    browser = door.browser()
    codes = [browser.client.get("/entrer/retour?code=x&state=y").status_code for _ in range(SIGN_INS_PER_MINUTE + 1)]
    assert codes[:-1] == [401] * SIGN_INS_PER_MINUTE
    answer = browser.client.get("/entrer/retour?code=x&state=y", headers={"accept-language": "fr"})
    assert (codes[-1], answer.status_code) == (429, 429)
    assert "Attendez" in answer.text
    assert answer.headers["retry-after"]


def test_the_log_holds_patterns_and_nothing_of_anybody(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    browser = door.browser()
    with caplog.at_level(logging.INFO, "volens"):
        sign_in(browser)
        browser.get("/autorisations/nulle-part-C00001?email=camille@example.org")
    lines = [record.getMessage() for record in caplog.records if record.name == "volens.access"]
    assert "GET /autorisations 200" in lines
    assert "GET /entrer/retour 303" in lines
    told = "\n".join(lines)
    for secret in (CARD, "camille", "state", "code=", browser.client.cookies[SESSION]):
        assert secret not in told


def test_a_key_opens_what_its_scopes_say_and_no_page(door: Door) -> None:
    expires = datetime.now(UTC).date() + timedelta(days=3)
    issued = door.served.house.access.machines.add("mail-tool", ["decisions"], expires=expires, by="Bruno Modèle")
    client = door.browser().client
    asked = {"grant_type": "client_credentials", "client_id": "mail-tool", "client_secret": issued.secret}
    given = client.post("/oauth/token", data=asked).json()
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 600, "decisions")
    basic = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(issued.key, issued.secret))
    assert basic.json()["scope"] == "decisions"
    assert basic.headers["cache-control"] == "no-store"
    for shown in (issued.secret, given["access_token"]):
        answer = client.get("/autorisations", headers={"authorization": f"Bearer {shown}"}, follow_redirects=False)
        assert answer.headers["location"].startswith("/entrer")
        assert int(answer.headers["ratelimit-remaining"]) > 0
    for change, status, code in (
        ({"client_secret": "volens_x"}, 401, "invalid_client"), ({"scope": "export"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ):  # fmt: skip
        refused = client.post("/oauth/token", data=asked | change)
        assert (refused.status_code, refused.json()["error"]) == (status, code)
        assert issued.secret not in refused.text


def test_a_session_beside_a_key_counts_for_nothing(door: Door) -> None:
    """Addresses for machines need no form's token, because a cookie alone never opens them."""
    browser = door.browser()
    sign_in(browser)
    answer = browser.client.get("/autorisations", headers={"authorization": "Bearer nothing"}, follow_redirects=False)
    assert answer.status_code == 303


def test_a_link_signs_in_once_by_a_button(door: Door) -> None:
    browser, links = door.browser(), door.served.house.doorways
    asked = browser.press("/entrer", "/lien", purpose="sign-in", who="camille@example.org", by="email")
    nobody = browser.press("/entrer", "/lien", purpose="sign-in", who="nobody@example.org", by="email")
    assert visible(asked.text) == visible(nobody.text)
    links.work()
    delivery = door.served.house.delivery
    told = delivery.show(delivery.newest(1)[0].message, by="a test").text
    path = "/connexion/lien/" + told.split("/connexion/lien/")[1].split()[0]
    assert browser.get(path).status_code == 200
    assert browser.get("/autorisations").url.path == "/entrer"  # looking at a link does nothing
    assert browser.client.post(path, data={}).status_code == 403  # and no other site presses its button
    assert browser.press(path, path).url.path == "/autorisations"
    assert "suite=" not in path
    thief = door.browser()
    assert thief.get(path).status_code == 401
    assert thief.get("/connexion/lien/forged").status_code == 401
    assert thief.get("/autorisations").url.path == "/entrer"


@pytest.mark.parametrize(
    ("suite", "lands"),
    [("/offres", "/offres"), ("//evil.example", "/autorisations"), ("https://evil.example", "/autorisations")],
)
def test_a_link_leads_back_to_where_it_was_asked_for(door: Door, suite: str, lands: str) -> None:
    browser, house = door.browser(), door.served.house
    assert 'name="suite" value="/offres"' in browser.get("/entrer?suite=/offres").text
    token = TOKEN.search(browser.get("/entrer?suite=/offres").text)
    assert token is not None
    sent = {"_csrf_token": token[1], "purpose": "sign-in", "who": "camille@example.org", "by": "email", "suite": suite}
    assert browser.client.post("/lien", data=sent).status_code == 200
    house.doorways.links.answer()
    told = house.delivery.show(house.delivery.newest(1)[0].message, by="a test").text
    path = "/connexion/lien/" + told.split("/connexion/lien/")[1].split()[0]
    assert "evil" not in path
    page = browser.get(path)
    form = re.search(r'name="suite" value="([^"]*)"', page.text)
    assert form is not None
    assert browser.press(path, path.partition("?")[0], suite=form[1]).url.path == lands


def test_a_link_that_somebody_else_wrote_leads_nowhere_else(door: Door) -> None:
    browser, house = door.browser(), door.served.house
    browser.press("/entrer", "/lien", purpose="sign-in", who="camille@example.org", by="email")
    house.doorways.links.answer()
    told = house.delivery.show(house.delivery.newest(1)[0].message, by="a test").text
    path = "/connexion/lien/" + told.split("/connexion/lien/")[1].split()[0]
    assert "evil" not in visible(browser.get(f"{path}?suite=//evil.example").text)
    assert browser.press(path, path, suite="//evil.example").url.path == "/autorisations"
