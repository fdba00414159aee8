"""`volens audience` as somebody types it, from the definition to the acknowledged removal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.audience import LAPSED, Town, document, settle

from volens.cli import audiences, upkeep
from volens.cli.main import main

BY = ["--by", "Claire Exemple"]


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """The commands open the same house, at the town's own time."""
    made = settle(tmp_path)
    for module in (audiences, upkeep):
        monkeypatch.setattr(module, "clock", lambda: made.hand.clock)
    yield made
    made.house.close()


def run(town: Town, *words: str, code: int = 0) -> str:
    """What a command prints; it ends with `code`."""
    done = CliRunner().invoke(main, ["audience", *words, "--house", str(town.house.settings.home)])
    assert done.exit_code == code, done.output
    return done.output


def said(town: Town, *words: str, code: int = 0) -> Any:
    return json.loads(run(town, *words, "--json", code=code).splitlines()[0])


def written(folder: Path, **changed: Any) -> str:
    file = folder / "audience.yaml"
    file.write_text(json.dumps(document(**changed)), encoding="utf-8")
    return str(file)


def test_from_the_definition_to_the_acknowledged_removal(town: Town, tmp_path: Path) -> None:
    file = written(tmp_path)
    assert "Nothing stands against it" in run(town, "check", file)
    assert "jus frais" in run(town, "check", file, "--language", "fr").lower()
    assert "fewer than 100" in run(town, "size", file, *BY), "the forty who still buy it are not told"
    assert said(town, "define", file, *BY)["audience"] == "juice-lapsed"
    assert said(town, "build", "juice-lapsed", *BY)["people"] % 50 == 0
    handed = said(town, "hand-over", "juice-lapsed", *BY)
    assert Path(handed["path"]).read_text(encoding="utf-8").count("\n") == 1 + len(LAPSED)
    assert "placed" in run(town, "lists")
    assert "on it 140" in run(town, "list")
    town.say(7)
    (removal,) = said(town, "removals")["removals"]
    assert "salt" not in removal
    assert "1 people are off" in run(town, "acknowledge", str(removal["removal"]), *BY)
    assert "acknowledged to be gone" in run(town, "removals")
    assert said(town, "end", "juice-lapsed", *BY)["people"] == len(LAPSED) - 1


def test_what_stands_against_it_is_told_with_its_own_exit_code(town: Town, tmp_path: Path) -> None:
    file = written(tmp_path, identifiers=["phone"])
    assert "AUD004" in run(town, "check", file, code=3)
    assert "AUD004" in run(town, "define", file, *BY, code=3)
    assert run(town, "check", written(tmp_path, minimum=3), code=2)
    run(town, "build", "juice-lapsed", *BY, code=6)


def test_overdue_removals_have_their_own_exit_code(town: Town) -> None:
    town.handed()
    town.say(7)
    run(town, "removals")
    town.hand.pass_days(2)
    assert "OVERDUE" in run(town, "removals", "--overdue", code=8)


def test_people_are_kept_out_by_card_or_by_file(town: Town, tmp_path: Path) -> None:
    (tmp_path / "staff.txt").write_text("C00001\nC00002\n", encoding="utf-8")
    cards = ["suppress", "--cards", str(tmp_path / "staff.txt")]
    assert said(town, *cards, "--reason", "staff", *BY) == {"changed": 2, "suppressed": 2}
    assert said(town, "suppress", "--card", "C00001", "--release", *BY) == {"changed": 1, "suppressed": 1}
    run(town, *cards, "--reason", "dislike", *BY, code=2)
    run(town, *cards, *BY, code=2)


def test_the_night_writes_who_has_to_go(town: Town) -> None:
    town.handed()
    town.say(7)
    home = str(town.house.settings.home)
    done = CliRunner().invoke(main, ["nightly", "--house", home])
    assert "1 people to be taken off" in done.output
    assert len(list(town.house.settings.lists.glob("*-remove.csv"))) == 1
