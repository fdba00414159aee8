"""`volens ask`: the question, and its answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.asking import people

from volens.app import initialise
from volens.cli.main import main
from volens.clock import system


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with initialise(tmp_path / "house", customers=1_000, clock=system()) as house:
        people(house)
    return tmp_path / "house"


def run(home: Path, *arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [*map(str, arguments), "--house", str(home)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_a_question_and_its_answer(home: Path) -> None:
    asked = run(home, "ask", "next", "--card", "CAMILLE-1", "--moment", "basket", "--visit", "v1", "--language", "en", "--json")
    question = json.loads(asked.output)["question"]
    assert question["words"] == "Shall we tell you when you forget an item that you usually buy?"
    shown = run(home, "ask", "next", "--email", "camille-1@example.org", "--moment", "basket", "--visit", "v1", "--language", "en")
    assert f"volens ask answer {question['token']} --no" in shown.output
    assert "basket-reminder is permitted" in run(home, "ask", "answer", question["token"], "--yes").output
    assert "basket-reminder is not permitted" in run(home, "ask", "answer", question["token"], "--no").output
    assert "Nothing is to be asked" in run(home, "ask", "next", "--card", "CAMILLE-1", "--moment", "basket", "--visit", "v2").output
    run(home, "audit")


def test_what_is_missing_is_said(home: Path) -> None:
    assert "--card" in run(home, "ask", "next", "--moment", "basket", "--visit", "v1", code=2).output
    assert "--later" in run(home, "ask", "answer", "x", code=2).output
    assert "not known" in run(home, "ask", "answer", "x", "--no", code=6).output


def test_a_card_with_its_answers(home: Path) -> None:
    names = ["--given-name", "Claude", "--family-name", "Exemple", "--form", "a-form-of-its-own"]
    said = json.loads(run(home, "join", *names, "--yes", "basket-reminder", "--no", "supplier-statistics", "--json").output)
    assert dict(said["said"]) == {"loyalty": "joined", "basket-reminder": "given", "supplier-statistics": "refused"}
    assert said["card"] in run(home, "join", *names).output, "the same form is the same card"
    child = run(home, "join", *names[:4], "--birth-date", "2020-01-01", "--yes", "basket-reminder")
    assert "this age does not allow" in child.output
    assert "birth_date" in run(home, "join", *names[:4], "--birth-date", "soon", code=2).output
    run(home, "audit")


def test_a_form_goes_out_and_comes_back(home: Path, tmp_path: Path) -> None:
    made = json.loads(run(home, "paper", "form", "--language", "en", "--out", tmp_path / "form.html", "--json").output)
    assert made["code"] in (tmp_path / "form.html").read_text("utf-8")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.7\n%%EOF\n")
    enter = ["paper", "enter", "--by", "Alice Exemple", "--card", "CAMILLE-1"]
    done = run(home, *enter, "--code", made["code"], "--yes", "basket-reminder", "--no", "email-marketing", "--scan", scan)
    assert "given" in done.output
    again = run(home, *enter, "--code", made["code"], "--yes", "basket-reminder", "--no", "email-marketing", "--scan", scan, code=5)
    assert "entered already" in again.output
    more = run(home, *enter, "--code", made["code"], "--no", "supplier-statistics", "--scan", scan)
    assert "supplier-statistics" in more.output, "what the form says and nobody entered is no second entry"
    refused = run(home, *enter, "--code", "1234", "--yes", "basket-reminder", "--no", "supplier-statistics", code=2)
    assert "refused: a yes to basket-reminder" in refused.output
    listed, _ = json.loads(run(home, "paper", "scans", "--card", "CAMILLE-1", "--json").output)
    out = tmp_path / "opened.pdf"
    run(home, "paper", "scan", "--by", "Alice Exemple", "--card", "CAMILLE-1", "--number", listed["scan"], "--out", out)
    assert out.read_bytes() == scan.read_bytes()
    run(home, "audit")
