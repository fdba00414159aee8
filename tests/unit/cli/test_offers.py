"""`volens offer` as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.offers import LAWFUL, PRESS

from volens.cli.main import main

PAGE = Path(__file__).parents[3] / "docs" / "offers.md"


def run(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["offer", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def shown(output: str) -> bool:
    """Whether the page shows these lines, as they are, in a block."""
    return "\n".join(f"    {line}".rstrip() for line in output.rstrip("\n").split("\n")) in PAGE.read_text("utf-8")


def test_the_offer_of_the_press_is_refused() -> None:
    said = run("check", PRESS, "--on", "2026-12-01", code=2)
    assert shown(said), "docs/offers.md shows what the command prints"
    value = json.loads(run("check", PRESS, "--on", "2026-12-01", "--json", code=2))
    assert len({one["rule"] for one in value["refusals"]}) >= 8
    assert all(one["article"] and one["remedy"] and one["line"] for one in value["refusals"])
    assert value["ok"] is False


def test_its_lawful_version_passes_and_has_terms() -> None:
    assert shown(run("check", LAWFUL, "--on", "2026-12-01"))
    assert json.loads(run("check", LAWFUL, "--on", "2026-12-01", "--json"))["ok"] is True
    assert shown(run("terms", LAWFUL, "--language", "en", "--on", "2026-12-01"))
    page = json.loads(run("terms", LAWFUL, "--on", "2026-12-01", "--json"))
    assert page["terms"] == run("terms", LAWFUL, "--language", "fr", "--on", "2026-12-01")
    assert "20 € en argent et 80 € en bons d'achat" in page["terms"].replace("\xa0", " ")


def test_today_is_the_legal_day_of_the_country() -> None:
    value = json.loads(run("check", LAWFUL.parent.parent / "audiences" / "juice-lapsed.yaml", "--json", code=2))
    assert value["offer"] is None
    assert {one["rule"] for one in value["refusals"]} == {"LOAD003"}
    assert value["on"]


def test_what_is_refused_has_no_terms() -> None:
    assert "OFF018" in run("terms", PRESS, "--on", "2026-12-01", code=3)
    assert "does not load" in run("terms", LAWFUL.parent.parent / "audiences" / "juice-lapsed.yaml", code=2)


def test_other_peoples_terms(tmp_path: Path) -> None:
    file = tmp_path / "partner.md"
    file.write_text("# Terms\n\nYou grant us, in any media and in perpetuity, the right to show your photo.\n", "utf-8")
    said = run("lint", file, code=3)
    assert shown(said)
    value = json.loads(run("lint", file, "--json", code=3))
    assert [one["rule"] for one in value["leads"]] == ["OFF018", "OFF019"]
    assert "never a verdict" in value["what_this_is"]
    file.write_text("We ask you before each use.\n", "utf-8")
    assert "0 leads" in run("lint", file)
    file.write_text("", "utf-8")
    assert "The text is empty." in run("lint", file, code=2), "what was not read is an error, and no lead and no clean text"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_generated_terms_have_no_leads(language: str, tmp_path: Path) -> None:
    file = tmp_path / "terms.md"
    file.write_text(run("terms", LAWFUL, "--language", language, "--on", "2026-12-01"), "utf-8")
    assert "0 leads" in run("lint", file)
