"""The demo tells the truth: every claim that it makes on the way is checked while it runs, and here once more at the end."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.needs import fresh_schemas

from volens.app import open_house
from volens.clock import system
from volens.demo.story import WEEKS_OF_CHOICES, tell_story
from volens.demo.words import WORDS
from volens.errors import BadInput
from volens.evidence.verify import verify_package
from volens.evidence.witness import Witness

AS_OF = date(2026, 11, 21)


def told(folder: Path, language: str, records_url: str | None = None) -> tuple[str, list[float]]:
    out = io.StringIO()
    figures = tell_story(
        folder, AS_OF, system(), records_url=records_url, language=language, console=Console(file=out, width=100)
    )
    return out.getvalue(), sorted(one.relative for one in figures.cells if one.measure == "buyers")


@pytest.mark.slow
def test_the_story_in_french(tmp_path: Path) -> None:
    story, buyers = told(tmp_path / "demo", "fr")
    assert buyers[len(buyers) // 2] <= 0.20, "the median half-width over buyers, with 30 % of customers refusing"
    story = " ".join(story.split())  # lines are broken anywhere, and French sets thousands apart by narrow blanks
    for word in ("Camille Exemple", "Vergers du Midi SAS", "1 445 709", "16 novembre 2026", "verify"):
        assert word in story
    with open_house(tmp_path / "demo" / "house") as house:
        assert house.audit().ok
        weeks = house.publishing.figures("week").lines
        assert len(weeks) == WEEKS_OF_CHOICES, "the staff's figures have something to show"
        assert all(one.counts["refused"] for one in weeks)
        packages = sorted(house.settings.releases.glob("*.volens"), key=lambda file: file.stat().st_mtime)
        assert [one.state for one in house.reports.releases()] == ["published", "published"]
        assert verify_package(packages[1], since=packages[0], trusted_key=house.log_key).ok
    assert (tmp_path / "demo" / "report.fr.html").is_file()
    assert "Comptés après : 0." in story, "nothing of the customer who was forgotten is left in any file"
    assert "REFUSES events" in story, "the witness found the operator with every key"
    assert {one["kind"] for one in Witness(tmp_path / "demo" / "witness", system()).evidence()} == {"contradiction"}


@pytest.mark.prove
@pytest.mark.postgres
def test_the_story_on_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = fresh_schemas()
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", schemas.customer_keys)
    try:
        story, _ = told(tmp_path / "demo", "en", schemas.records)
    finally:
        schemas.drop()
    assert "Camille Exemple" in story


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(BadInput, match="not a demo"):
        told(tmp_path, "en")
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "precious"


def test_every_sentence_is_there_in_both_languages_with_the_same_values() -> None:
    import string

    for key, (english, french) in WORDS.items():
        assert english, key
        assert french, key
        values = [{(name, form) for _, name, form, _ in string.Formatter().parse(text) if name} for text in (english, french)]
        assert values[0] == values[1], key
