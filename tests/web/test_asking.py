"""Asking on the web: one question where the use would happen, the sign-up form, the app's interface, and paper at the desk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from litestar.testing import TestClient
from tests.web.conftest import TOKEN, Browser, Served

from volens.ingest.master import Person
from volens.permissions import counts
from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Staff

REMINDERS, STATISTICS = "basket-reminder", "supplier-statistics"
PDF = b"%PDF-1.7\n%%EOF\n"
NAMES = {"given_name": "Claude", "family_name": "Exemple"}


def kinds(served: Served, customer: int | None = None) -> list[tuple[str, str]]:
    """What was said by whoever is served, of the purposes that are asked here."""
    said = [(one.purpose, one.kind) for one in served.house.permissions.history(customer or served.customer)]
    return said[2:] if customer is None else said  # the fixture's own two come first


def hidden(page: str) -> dict[str, str]:
    """What a form carries."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


@pytest.fixture
def machine(served: Served) -> Iterator[TestClient]:  # type: ignore[type-arg]
    """The retailer's app."""
    served.visitor = Machine("app", frozenset({"asking"}))
    with served.open() as client:
        yield client


@pytest.fixture
def desk(served: Served) -> Iterator[Browser]:
    """Somebody at the welcome desk."""
    served.visitor = Staff("alice", "Alice Exemple", frozenset({"support"}))
    with served.open() as client:
        yield Browser(client)


def test_the_question_is_a_page_with_two_buttons_of_one_form(browser: Browser, served: Served) -> None:
    page = browser.get("/question?moment=basket").text
    assert "prévienne quand vous oubliez un article habituel" in page
    buttons = re.findall(r'<button class="([a-z]+)" name="say" value="(no|yes)"', page)
    assert buttons == [("choice", "no"), ("choice", "yes")]
    assert browser.get("/question?moment=basket").text.count('name="say"') == 2, "the same question again in the same visit"
    answer = browser.press("/question?moment=basket", "/question", question=hidden(page)["question"], say="no")
    assert "C'est noté : non." in answer.text.replace("&#39;", "'").replace("\u00a0", " ")
    assert kinds(served) == [(REMINDERS, "requested"), (REMINDERS, "refused")]
    assert "rien à vous demander" in browser.get("/question?moment=basket").text
    assert browser.get("/question?moment=toaster").status_code == 404


def test_the_part_for_the_component_is_the_same_form_and_empty_when_nothing_is_asked(browser: Browser, served: Served) -> None:
    part = browser.get("/question?moment=basket&part=1")
    assert "<html" not in part.text
    assert part.text.lstrip().startswith('<section class="card" data-volens="question">')
    question = served.house.asking.questions.shown(REMINDERS, "fr")
    assert question is not None
    assert question.html in part.text, "the fragment stands in the page as it was digested"
    sent = {**hidden(part.text), "say": "yes"}
    answered = browser.client.post("/question?part=1", data=sent)
    assert answered.status_code == 200
    assert 'data-volens="answered"' in answered.text
    assert browser.client.post("/question?part=1", data=sent).status_code == 200, "sent twice"
    assert kinds(served) == [(REMINDERS, "requested"), (REMINDERS, "given")]
    how = served.house.permissions.history(served.customer)[-1].how
    assert (how["surface"], how["proof"]["rendered_sha256"]) == ("web component", question.rendered_sha256)
    nothing = browser.get("/question?moment=basket&part=1")
    assert (nothing.status_code, nothing.text) == (204, "")


def test_whoever_is_not_signed_in_is_asked_nothing_and_answers_nothing(stranger: Browser) -> None:
    assert stranger.get("/question?moment=basket").status_code == 204
    token = TOKEN.search(stranger.get("/adhesion").text)
    assert token is not None
    sent = stranger.client.post("/question", data={"_csrf_token": token[1], "question": "x", "say": "yes"}, follow_redirects=False)
    assert sent.status_code == 303


def test_a_question_of_somebody_else_and_a_forged_answer_are_refused(browser: Browser, served: Served) -> None:
    where = "/question?moment=basket"
    token = hidden(browser.get(where).text)["question"]
    assert browser.press(where, "/question", question="0" * 64, say="yes").status_code == 404
    assert browser.press(where, "/question", question=token, say="perhaps").status_code == 400
    assert browser.client.post("/question", data={"question": token, "say": "yes"}).status_code == 403
    served.house.customers.enrol([Person("C00002", None, "FR", {})])
    served.visitor = Customer(served.house.customer("card", "C00002").customer)
    assert browser.press(where, "/question", question=token, say="yes").status_code == 404
    served.visitor = Customer(served.customer)
    assert kinds(served) == [(REMINDERS, "requested")]


def test_joining_with_nothing_answered_gives_a_card(stranger: Browser, served: Served) -> None:
    page = stranger.get("/adhesion").text
    assert "checked" not in page, "nothing is ticked"
    assert 'name="birth_date"' not in page
    answer = stranger.press("/adhesion", "/adhesion", **{**hidden(page), **NAMES})
    assert answer.status_code == 200
    card = re.search(r'class="number">(29\d{11})<', answer.text)
    assert card is not None
    assert "à rien d'autre" in answer.text.replace("&#39;", "'")
    customer = served.house.customer("card", card[1]).customer
    assert kinds(served, customer) == [("loyalty", "joined")]
    again = stranger.press("/adhesion", "/adhesion", **{**hidden(page), **NAMES})
    assert card[1] in again.text, "the same form is the same card"


def test_each_answer_of_the_form_is_recorded_and_the_part_does_the_same(stranger: Browser, served: Served) -> None:
    page = stranger.client.get("/adhesion?part=1", headers={"accept-language": "en"}).text
    assert "<html" not in page
    sent = {**hidden(page), **NAMES, f"say.{REMINDERS}": "yes", f"say.{STATISTICS}": "no"}
    answer = stranger.client.post("/adhesion?part=1", data=sent, headers={"accept-language": "en"})
    card = re.search(r'class="number">(\d+)<', answer.text)
    assert card is not None
    customer = served.house.customer("card", card[1]).customer
    assert dict(kinds(served, customer)) == {"loyalty": "joined", REMINDERS: "given", STATISTICS: "refused"}
    shown = served.house.asking.questions.shown(REMINDERS, "en")
    assert shown is not None
    assert shown.html in page
    given = next(one for one in served.house.permissions.history(customer) if one.kind == "given")
    assert given.how["proof"] == shown.proof
    assert given.how["language"] == "en"


def test_a_form_that_lacks_something_comes_back_as_it_was_filled_in(stranger: Browser, served: Served) -> None:
    page = stranger.get("/adhesion").text
    before = served.house._vault.count_accounts()
    sent = {**hidden(page), "given_name": "Claude", "minor": "yes", f"say.{REMINDERS}": "no", "email": "nowhere"}
    answer = stranger.press("/adhesion", "/adhesion", **sent)
    assert answer.status_code == 400
    assert 'value="Claude"' in answer.text
    assert f'name="say.{REMINDERS}" value="no" checked' in answer.text
    assert 'name="birth_date"' in answer.text, "asked once somebody says that they are not of age"
    assert answer.text.count('aria-invalid="true"') == 3
    changed = stranger.press("/adhesion", "/adhesion", **{**hidden(page), **NAMES, "shown.loyalty": "0" * 64})
    assert changed.status_code == 409
    assert "Rien n'est perdu" in changed.text.replace("&#39;", "'")
    assert served.house._vault.count_accounts() == before


def test_an_app_asks_and_answers(machine: TestClient, served: Served) -> None:  # type: ignore[type-arg]
    ask = {"card": "C00001", "visit": "session-7", "moment": "basket", "language": "en"}
    question = machine.post("/v1/questions", json=ask).json()["question"]
    assert question["words"] == "Shall we tell you when you forget an item that you usually buy?"
    answer = machine.post("/v1/answers", json={"question": question["token"], "answer": "yes", "store": "Lyon Bellecour"})
    assert answer.json()["permitted"] is True
    with served.house._stores.records.reading() as connection:
        assert {(one.store, one.kind) for one in counts.all_cells(connection)} >= {("Lyon Bellecour", "given")}
    assert machine.post("/v1/answers", json={"question": question["token"], "answer": "yes"}).json() == answer.json()
    assert machine.post("/v1/questions", json=ask).json() == {"question": None}
    assert kinds(served) == [(REMINDERS, "requested"), (REMINDERS, "given")]
    for body, status in (
        ({**ask, "email": "camille@example.org"}, 400), ({"visit": "v", "moment": "basket"}, 400),
        ({**ask, "moment": "toaster"}, 404),
        ({**ask, "card": "unknown"}, 404), ({**ask, "surface": "x" * 65, "visit": "w"}, 400), ({"moment": "basket"}, 400),
    ):  # fmt: skip
        refused = machine.post("/v1/questions", json=body)
        assert refused.status_code == status, body
        assert refused.headers["content-type"] == "application/problem+json"
    assert machine.post("/v1/answers", json={"question": "x", "answer": "yes"}).status_code == 404


def test_without_the_scope_nobody_asks(served: Served) -> None:
    for visitor, status in ((Nobody(), 401), (Machine("mail-tool", frozenset({"decisions"})), 403)):
        with TestClient(application(served.house, recognise=lambda connection, visitor=visitor: visitor, local=True)) as client:
            assert client.post("/v1/questions", json={}).status_code == status
            assert client.post("/v1/answers", json={}).status_code == status


def test_a_form_is_printed_and_entered_at_the_desk(desk: Browser, served: Served) -> None:
    printed = desk.get("/staff/papier/formulaire?langue=fr")
    assert "style-src 'sha256-" in printed.headers["content-security-policy"]
    code = re.search(r"[1-9A-Z]{4}-[1-9A-Z]{4}-[1-9A-Z]", printed.text)
    assert code is not None
    page = desk.get(f"/staff/papier?code={code[0]}").text
    assert page.count('type="radio"') == 15, "five questions, three answers each"
    about = {"card": "C00001", "store": "Lyon Bellecour"}
    sent = {**hidden(page), **about, f"say.{REMINDERS}": "yes", "say.email-marketing": "no", "say.targeted-ads": ""}
    scan = {"scan": ("scan.pdf", PDF, "application/pdf")}
    done = desk.client.post("/staff/papier", data=sent, files=scan)
    assert done.status_code == 200, done.text
    assert kinds(served) == [("email-marketing", "refused"), (REMINDERS, "given")]
    with served.house._stores.records.reading() as connection:
        assert {one.kind for one in counts.all_cells(connection) if one.store == "Lyon Bellecour"} == {"refused", "given"}
    given = served.house.permissions.history(served.customer)[-1]
    assert given.how["proof"]["by"] == "Alice Exemple"
    unsure = {**sent, f"say.{REMINDERS}": "yes", "code": "1111"}
    refused = desk.client.post("/staff/papier", data=unsure, files={"scan": ("scan.pdf", PDF + b"%%EOF\n", "application/pdf")})
    assert refused.status_code == 409
    assert "illisible" in refused.text
    wrong = desk.client.post("/staff/papier", data=sent, files={"scan": ("scan.exe", b"MZ", "application/pdf")})
    assert wrong.status_code == 400
    assert desk.client.post("/staff/papier", data={**sent, "card": "nobody's"}, files=scan).status_code == 400


def test_a_form_entered_without_its_code_is_completed_with_it(desk: Browser, served: Served) -> None:
    code = served.house.asking.paper.form("fr").code
    page = desk.get("/staff/papier").text
    sent = {**hidden(page), "card": "C00001", f"say.{REMINDERS}": "yes", "say.email-marketing": "no"}
    scan = {"scan": ("scan.pdf", PDF, "application/pdf")}
    assert desk.client.post("/staff/papier", data={**sent, "code": ""}, files=scan).status_code == 409
    assert desk.client.post("/staff/papier", data={**sent, "code": code}, files=scan).status_code == 200
    assert kinds(served) == [("email-marketing", "refused"), (REMINDERS, "given")]
    third = desk.client.post("/staff/papier", data={**sent, "code": code}, files=scan, headers={"accept-language": "fr"})
    assert third.status_code == 409
    assert "Cette copie a déjà été saisie." in third.text


@pytest.mark.parametrize(
    ("marked", "content", "said"),
    [
        ({}, b"", "Rien n&#39;est coché."),
        ({"say.email-marketing": "no"}, b"MZ", "Ce fichier n&#39;est ni un PDF"),
        ({"say.email-marketing": "no"}, PDF[:8], "La copie n&#39;est pas entière."),
    ],
)
def test_what_is_wrong_with_a_form_is_said_in_the_language_of_the_page(
    desk: Browser, marked: dict[str, str], content: bytes, said: str
) -> None:
    sent = {**hidden(desk.get("/staff/papier").text), "card": "C00001", **marked}
    files = {"scan": ("scan.pdf", content, "application/pdf")}
    answer = desk.client.post("/staff/papier", data=sent, files=files, headers={"accept-language": "fr"})
    assert answer.status_code == 400
    assert said in answer.text
    assert "--" not in answer.text.split('<div class="note" role="alert">', 1)[1].split("</div>", 1)[0]


def test_paper_is_for_staff(browser: Browser) -> None:
    for path in ("/staff/papier", "/staff/papier/formulaire"):
        assert browser.client.get(path, follow_redirects=False).status_code == 303


def test_the_component_is_small_and_asks_nothing_of_the_policy(browser: Browser) -> None:
    script = browser.get("/static/volens-question.js")
    assert len(script.content) < 6_000
    assert not re.search(r"innerHTML|eval\(|new Function|https?://|\.style\b|localStorage|document\.cookie", script.text)
    assert json.dumps("/question") in script.text


@pytest.mark.parametrize(
    ("suite", "to"), [("/parrainage/abc", "/entrer?suite=/parrainage/abc"), ("//evil.example", "/entrer?suite=/")]
)
def test_who_makes_a_card_can_go_back_to_where_she_was(stranger: Browser, suite: str, to: str) -> None:
    where = f"/adhesion?suite={suite}"
    page = stranger.get(where).text
    answer = stranger.press(where, "/adhesion", **{**hidden(page), **NAMES}).text
    assert f'href="{to}"' in answer
    assert "Me connecter, et revenir" in answer
    plain = stranger.press("/adhesion", "/adhesion", **{**hidden(stranger.get("/adhesion").text), **NAMES}).text
    assert "Me connecter, et revenir" not in plain
