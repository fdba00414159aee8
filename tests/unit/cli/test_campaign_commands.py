"""`volens campaign`: from a document to a result, by commands alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.support.campaigning import PRE_WEEKS, SALE_END, SALE_START, SALE_WEEKS, at, campaigning, document, lines
from tests.support.house import sell

from volens.app import open_house
from volens.cli.main import main
from volens.clock import fixed

ANA = ("--by", "Ana Exemple")


def run(*arguments: str | Path, code: int = 0) -> Result:
    """One command; fails the test with its words if the exit code is another."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, f"{arguments}: {result.exit_code}\n{result.output}\n{result.exception!r}"
    return result


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """Today, for commands; the last of the list."""
    days = [SALE_START]
    monkeypatch.setattr("volens.cli.campaign.clock", lambda: fixed(at(days[-1])))
    return days


def test_from_a_document_to_a_result(tmp_path: Path, day: list[date]) -> None:
    campaigning(tmp_path).close()
    house, file = tmp_path / "house", tmp_path / "spring.yaml"
    file.write_text(yaml.safe_dump(document()), encoding="utf-8")
    here = ("--house", house)
    looked_over = run("campaign", "check", file, *here).output
    assert "260 people permit being measured, about 104 would be held out; all goods count." in looked_over
    assert "No campaign was ever planned" in run("campaign", "list", *here).output
    assert "Planned: spring, entry" in run("campaign", "plan", file, *here, *ANA).output
    assert "four cases of five" in run("campaign", "power", "spring", *here, *ANA).output
    assert "is planned and cannot become measured" in run("campaign", "measure", "spring", *here, *ANA, code=5).output
    assert "of 260 people are held out." in run("campaign", "launch", "spring", *here, *ANA).output
    assert "ends on" in run("campaign", "close", "spring", *here, *ANA, code=5).output
    day.append(SALE_END)
    with open_house(house, clock=fixed(at(SALE_END))) as opened:
        sell(opened, tmp_path / "later", lines(range(PRE_WEEKS, PRE_WEEKS + SALE_WEEKS)), "later.csv")
    run("campaign", "close", "spring", *here, *ANA)
    said = run("campaign", "measure", "spring", *here, *ANA).output
    assert "people were to get it" in said
    assert run("campaign", "measure", "spring", *here, "--by", "Bruno Modèle", "--role", "dpo").output == said
    shown = run("campaign", "show", "spring", *here, "--language", "fr").output
    assert "Si l'incrémentalité a été testée\n    Oui." in shown
    value = json.loads(run("campaign", "show", "spring", *here, "--json").output)
    assert [step["state"] for step in value["steps"]] == ["planned", "launched", "closed", "measured"]
    assert len(value["disclosure"]) == 24
    assert "measured" in run("campaign", "list", *here).output
    assert json.loads(run("audit", *here, "--json").output)["ok"]


def test_wrong_turns_are_said(tmp_path: Path, day: list[date]) -> None:
    campaigning(tmp_path, people=120).close()
    here, file = ("--house", tmp_path / "house"), tmp_path / "spring.yaml"
    assert "There is no campaign" in run("campaign", "show", "spring", *here, code=6).output
    file.write_text("id: [", encoding="utf-8")
    assert "is not YAML" in run("campaign", "check", file, *here, code=2).output
    file.write_text(yaml.safe_dump(document(colour="blue")), encoding="utf-8")
    assert "colour: extra inputs" in run("campaign", "check", file, *here, code=2).output
    file.write_text(yaml.safe_dump(document(id="spring-2", hold_out_thousandths=100)), encoding="utf-8")
    run("campaign", "plan", file, *here, *ANA)
    assert "too few" in run("campaign", "launch", "spring-2", *here, *ANA, code=2).output
    assert "Given up" in run("campaign", "abandon", "spring-2", *here, *ANA, "--why", "Too few people.").output
    assert "Prices were never compared" in run("campaign", "detriment", *here).output
    assert "--from" in run("campaign", "detriment", "targeted-ads", *here, code=2).output
    first, last = str(SALE_START - timedelta(weeks=8)), str(SALE_START - timedelta(days=1))
    asked = ("campaign", "detriment", "targeted-ads", "--from", first, "--to", last, *ANA, *here)
    assert "bought 0 things in common" in run(*asked, code=2).output


def test_the_real_campaigns_and_what_they_cannot_claim() -> None:
    told = run("campaign", "real").output
    assert "People were chosen for it, not drawn." in told
    values = json.loads(run("campaign", "real", "--json").output)
    assert len(values) == 27
    assert all("cause" in one["cannot"] for one in values if not one["why_not"])
