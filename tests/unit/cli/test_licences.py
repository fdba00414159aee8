"""`volens licence` as somebody types it, from what stands to what is down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.licensing import OFFER, SHOPS, SITE, Studio, settled

from volens.cli import licences, upkeep
from volens.cli.main import main

CARD = ["--card", "C00001"]


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """The commands open the same house, at the studio's own time."""
    made = settled(tmp_path)
    for module in (licences, upkeep):
        monkeypatch.setattr(module, "clock", lambda: made.shop.hand.clock)
    yield made
    made.house.close()


def run(studio: Studio, *words: str, code: int = 0, group: str = "licence") -> str:
    """What a command prints; it ends with `code`."""
    done = CliRunner().invoke(main, [*([group] if group else []), *words, "--house", str(studio.house.settings.home)])
    assert done.exit_code == code, done.output
    return done.output


def test_answers_are_told_without_who_gave_them(studio: Studio) -> None:
    giving, who = studio.house.licences.giving, studio.number()
    assert "Nobody has answered" in run(studio, "answers", OFFER)
    giving.choose_instead(who, OFFER)
    giving.answer_instead(who, OFFER, ["orange juice"] * len(giving.questions(OFFER, 1)))
    told = run(studio, "answers", OFFER)
    assert "orange juice" in told
    assert "C00001" not in told
    assert set(said(studio, "answers", OFFER)[0]) == {"version", "answers"}


def said(studio: Studio, *words: str, code: int = 0, group: str = "licence") -> Any:
    return json.loads(run(studio, *words, "--json", code=code, group=group).splitlines()[0])


def test_from_nothing_to_what_is_down(studio: Studio) -> None:
    assert "Nothing was ever said" in run(studio, "show", *CARD)
    assert "nothing of hers" in run(studio, "items", *CARD)
    assert "Nothing is planned" in run(studio, "uses")
    assert "Nothing has to come down" in run(studio, "takedowns")
    studio.say()
    studio.say(purpose=SHOPS)
    use = studio.out(studio.write(text="Camillette"))
    (first, second) = said(studio, "show", *CARD)
    assert {first["purpose"], second["purpose"]} == {SITE, SHOPS}
    assert (first["state"], first["until"]) == ("given", "2027-05-31")
    assert "Camillette" not in run(studio, "items", *CARD)
    assert said(studio, "items", *CARD)[0]["kind"] == "first-name"
    assert said(studio, "uses")[0]["place"] == "https://le-panier.example/clients"
    assert said(studio, "uses", *CARD)[0]["state"] == "published"
    assert said(studio, "withdraw", OFFER, *CARD, "--purpose", SHOPS) == {"withdrawn": 1, "takedowns": 0}
    assert said(studio, "withdraw", OFFER, *CARD) == {"withdrawn": 1, "takedowns": 1}
    assert "by 2026-12-13" in run(studio, "takedowns")
    studio.shop.hand.pass_days(4)
    assert said(studio, "takedowns", code=3)[0]["overdue"] is True
    assert "1 people told that we are late" in run(studio, "nightly", group="")
    run(studio, "down", str(use.number), "--by", "Idriss Exemple", code=2)
    run(studio, "down", "999999", "--by", "Idriss Exemple", "--status", "404", code=6)
    assert said(studio, "down", str(use.number), "--by", "Idriss Exemple", "--status", "410")["state"] == "down"
    assert "Nothing has to come down" in run(studio, "takedowns")
    studio.clean()
