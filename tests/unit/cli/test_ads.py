"""`volens ad` as somebody types it, from the placement to why somebody sees it, and to her no."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.adverts import Shop, document, settle

from volens.cli import ads, upkeep
from volens.cli.main import main
from volens.gate import resident
from volens.sponsored import deciding

CLAIRE, BRUNO = ["--by", "Claire Exemple"], ["--by", "Bruno Modèle"]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The commands open the same house, at the shop's own time."""
    monkeypatch.setattr(deciding, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(resident, "ANSWER_SECONDS", 30.0)
    made = settle(tmp_path)
    for module in (ads, upkeep):
        monkeypatch.setattr(module, "clock", lambda: made.hand.clock)
    yield made
    made.house.close()


def run(shop: Shop, *words: str, code: int = 0, group: str = "ad") -> str:
    """What a command prints; it ends with `code`."""
    done = CliRunner().invoke(main, [*([group] if group else []), *words, "--house", str(shop.house.settings.home)])
    assert done.exit_code == code, done.output
    return done.output


def said(shop: Shop, *words: str, group: str = "ad") -> Any:
    return json.loads(run(shop, *words, "--json", group=group).splitlines()[0])


def written(folder: Path, **changed: Any) -> str:
    file = folder / "placement.yaml"
    file.write_text(json.dumps(document(**changed)), encoding="utf-8")
    return str(file)


def test_from_the_placement_to_her_no(shop: Shop, tmp_path: Path) -> None:
    file = written(tmp_path)
    assert "Nothing stands against it" in run(shop, "check", file)
    assert "No placement" in run(shop, "list")
    assert said(shop, "define", file, *CLAIRE)["state"] == "proposed"
    run(shop, "approve", "oranges-du-midi", *CLAIRE, code=3)
    assert said(shop, "approve", "oranges-du-midi", *BRUNO)["state"] == "approved"
    assert said(shop, "learn") == {"customers": 8, "categories": 1, "swept": 0}
    (hers, page) = said(shop, "decide", "--card", "C00001", "--category", "jus-frais")["ads"]
    assert (hers["personal"], page["personal"]) == (True, False)
    assert "Nothing fits" in run(shop, "decide", "--card", "C00001", "--page", "cart")
    assert "Chilled juices" in run(shop, "why", hers["impression"])
    assert "page alone" in run(shop, "why", page["impression"])
    (row,) = said(shop, "list")
    assert (row["personal"], row["page"]) == (1, 1)
    run(shop, "heard", page["impression"], "stop", code=2)
    run(shop, "heard", hers["impression"], "stop")
    run(shop, "why", hers["impression"], code=6)
    assert not any(one["personal"] for one in said(shop, "decide", "--card", "C00001", "--category", "jus-frais")["ads"])
    run(shop, "end", "oranges-du-midi", *CLAIRE)
    assert "ended" in run(shop, "list")
    shop.clean()


def test_what_stands_against_it_ends_with_3(shop: Shop, tmp_path: Path) -> None:
    file = written(tmp_path, products=["B1"])
    assert "ADS004" in run(shop, "check", file, code=3)
    run(shop, "define", file, *CLAIRE, code=3)


def test_the_night_takes_profiles_away(shop: Shop) -> None:
    shop.run()
    shop.say(3)
    assert said(shop, "nightly", group="")["ads"] == 1
