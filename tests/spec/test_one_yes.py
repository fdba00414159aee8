"""One yes, wherever it is said: library, command line, sign-up, question, web component, app, paper. It is the same choice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from litestar.testing import TestClient
from tests.support.asking import REMINDERS, people

from volens.app import House, initialise, open_house
from volens.cli.main import main
from volens.clock import system
from volens.programme.model import digest
from volens.web.server import application
from volens.web.visitor import Customer, Machine, Nobody, Visitor

CARD, LANGUAGE = "CAMILLE-1", "en"
PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with initialise(tmp_path / "house", customers=1_000, clock=system()) as house:
        people(house, [CARD])
    return tmp_path / "house"


def browser(house: House, visitor: Visitor) -> TestClient:  # type: ignore[type-arg]
    client: TestClient = TestClient(application(house, recognise=lambda connection: visitor, local=True))  # type: ignore[type-arg]
    client.headers["accept-language"] = LANGUAGE
    return client


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


def by_library(house: House, home: Path) -> tuple[int, str]:
    customer = house.customer("card", CARD).customer
    question = house.asking.next_question(customer, "a visit", "basket", language=LANGUAGE, surface="library")
    assert question is not None
    house.asking.answer(question.token, "yes")
    return customer, question.html


def by_command(house: House, home: Path) -> tuple[int, str]:
    def run(*arguments: str) -> dict[str, object]:
        result = CliRunner().invoke(main, ["ask", *arguments, "--house", str(home), "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        found: dict[str, object] = json.loads(result.output)
        return found

    found = run("next", "--card", CARD, "--moment", "basket", "--visit", "a visit", "--language", LANGUAGE)["question"]
    assert isinstance(found, dict)
    run("answer", found["token"], "--yes")
    return house.customer("card", CARD).customer, found["html"]


def by_signing_up(house: House, home: Path) -> tuple[int, str]:
    with browser(house, Nobody()) as client:
        page = client.get("/adhesion").text
        sent = {**hidden(page), "given_name": "Claude", "family_name": "Exemple", f"say.{REMINDERS}": "yes"}
        card = re.search(r'class="number">(\d+)<', client.post("/adhesion", data=sent).text)
    assert card is not None
    return house.customer("card", card[1]).customer, _fragment(page)


def _asked_on_the_web(house: House, part: str) -> tuple[int, str]:
    customer = house.customer("card", CARD).customer
    with browser(house, Customer(customer)) as client:
        page = client.get(f"/question?moment=basket{part}").text
        assert client.post(f"/question?{part}", data={**hidden(page), "say": "yes"}).status_code == 200
    return customer, _fragment(page)


def by_question(house: House, home: Path) -> tuple[int, str]:
    return _asked_on_the_web(house, "")


def by_component(house: House, home: Path) -> tuple[int, str]:
    return _asked_on_the_web(house, "&part=1")


def by_app(house: House, home: Path) -> tuple[int, str]:
    with browser(house, Machine("app", frozenset({"asking"}))) as client:
        ask = {"card": CARD, "visit": "a visit", "moment": "basket", "language": LANGUAGE}
        question = client.post("/v1/questions", json=ask).json()["question"]
        assert client.post("/v1/answers", json={"question": question["token"], "answer": "yes"}).status_code == 200
    return house.customer("card", CARD).customer, question["html"]


def by_paper(house: House, home: Path) -> tuple[int, str]:
    customer = house.customer("card", CARD).customer
    form = house.asking.paper.form(LANGUAGE, [REMINDERS])
    house.asking.paper.enter(customer, by="Alice Exemple", code=form.code, yes=[REMINDERS], scan=PDF)
    section = re.search(r"<section.*?</section>", form.html, re.S)
    assert section is not None
    return customer, section[0]


def _fragment(page: str) -> str:
    found = re.search(rf'<div class="asked" lang="{LANGUAGE}" data-text="{REMINDERS}/1">.*?</details>\n</div>', page, re.S)
    assert found is not None, "the question does not stand in the page as it is digested"
    return found[0]


WAYS: dict[str, Callable[[House, Path], tuple[int, str]]] = {
    "library": by_library, "command line": by_command, "sign-up": by_signing_up, "question": by_question,
    "web component": by_component, "app": by_app, "paper": by_paper,
}  # fmt: skip


@pytest.mark.parametrize("surface", WAYS)
def test_the_same_yes_is_the_same_choice(home: Path, surface: str) -> None:
    with open_house(home, clock=system()) as house:
        customer, shown = WAYS[surface](house, home)
        (given,) = [one for one in house.permissions.history(customer) if one.kind == "given"]
        assert (given.purpose, given.recipient, given.text, given.how["language"]) == (REMINDERS, "*", f"{REMINDERS}/1", LANGUAGE)
        assert given.how["actor"] == "the person"
        assert given.how["surface"] == surface
        assert given.how["at"]
        assert given.how["proof"]["text_sha256"] == house.programme.text(given.text).digest(LANGUAGE)
        assert given.how["proof"]["rendered_sha256"] == digest(shown), "the proof is of what was shown, to the byte"
        (row,) = [row for row in house.permissions.of_customer(customer) if row.purpose == REMINDERS]
        assert (row.kind, row.text) == ("given", f"{REMINDERS}/1")
        house.checkpoint()
        assert house.receipts.receipt(customer, given.seq)
        assert house.audit().ok
