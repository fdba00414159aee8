"""`volens offer` as somebody types it: from the proposal to what it cost, and the stop in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.offers import PRESS
from tests.support.taking_part import OFFER, Shop, orders, settle

from volens.cli import offering, upkeep
from volens.cli.main import main

CLAIRE, BRUNO = ["--by", "Claire Exemple"], ["--by", "Bruno Modèle"]
FR, CARD = ["--country", "FR"], ["--card", "C00001"]
REASON = ["--reason-fr", "Trop de questions.", "--reason-en", "Too many questions."]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The commands open the same house, at the shop's own time."""
    made = settle(tmp_path)
    for module in (offering, upkeep):
        monkeypatch.setattr(module, "clock", lambda: made.hand.clock)
    yield made
    made.house.close()


def run(shop: Shop, *words: str, code: int = 0, group: str = "offer") -> str:
    """What a command prints; it ends with `code`."""
    done = CliRunner().invoke(main, [*([group] if group else []), *words, "--house", str(shop.house.settings.home)])
    assert done.exit_code == code, done.output
    return done.output


def said(shop: Shop, *words: str) -> Any:
    return json.loads(run(shop, *words, "--json").splitlines()[0])


def test_from_the_proposal_to_what_it_cost(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "offer.json"
    file.write_text(orders(), encoding="utf-8")
    assert "No offer is on record" in run(shop, "list")
    assert "Nobody took part" in run(shop, "pays")
    assert "OFF018" in run(shop, "propose", str(PRESS), *CLAIRE, code=3)
    assert said(shop, "propose", str(file), *CLAIRE)["state"] == "proposed"
    assert "proposed" in run(shop, "show", OFFER)
    run(shop, "approve", OFFER, "--role", "dpo", *CLAIRE, code=3)
    assert said(shop, "approve", OFFER, "--role", "marketing", *CLAIRE)["state"] == "half"
    assert "in-force" in run(shop, "approve", OFFER, "--role", "dpo", *BRUNO)
    assert said(shop, "launch", OFFER, *FR, *CLAIRE)["not_open"] == ["budget"]
    shop.budget(OFFER, 2_000)
    joining = ["join", OFFER, *CARD, *FR, "--version", "1"]
    run(shop, *joining, code=2)
    assert said(shop, *joining, "--old-enough", "--key", "k")["done"] == 0
    assert said(shop, *joining, "--old-enough", "--key", "k")["done"] == 0
    acting = ["acted", OFFER, *CARD, "--kind", "order", "--at", "2026-12-03T09:00:00+01:00"]
    assert "1 of 2" in run(shop, *acting, "--key", "a")
    assert "counted before" in run(shop, *acting, "--key", "a")
    assert said(shop, *acting, "--key", "b")["state"] == "done"
    assert said(shop, "show", OFFER)["programme"]["countries"][0]["joined"] is None
    text = run(shop, "show", OFFER)
    assert "fewer than 10 took part" in text
    assert "version 1, since 2026-12-03" in text
    (month,) = said(shop, "pays")
    assert (month["joined"], month["cost_cents"], month["won"]) == (1, 1_000, 0)
    assert "after they had joined" in run(shop, "pays")


def test_stopped_opened_again_by_two_and_ended(shop: Shop, tmp_path: Path) -> None:
    shop.put()
    shop.join()
    run(shop, "suspend", OFFER, *FR, *BRUNO, code=2)
    assert said(shop, "suspend", OFFER, *FR, *REASON, *BRUNO)["told"] == 1
    assert "suspended" in run(shop, "list")
    run(shop, "join", OFFER, "--card", "C00002", *FR, "--version", "1", "--old-enough", code=5)
    assert "Next, by somebody else" in run(shop, "resume", OFFER, *FR, *CLAIRE)
    run(shop, "resume", OFFER, *FR, *CLAIRE, code=3)
    assert said(shop, "resume", OFFER, *FR, *BRUNO)["state"] == "launched"
    assert "1 letter waits" in run(shop, "end", OFFER, *FR, *REASON, *BRUNO)
    shop.hand.pass_days(15)
    assert "1 participations are over" in run(shop, "nightly", group="")
    file = tmp_path / "offer.json"
    file.write_text(orders(version=2, reward__due_days=10), encoding="utf-8")
    run(shop, "propose", str(file), *CLAIRE)
    assert said(shop, "decline", OFFER, "--role", "dpo", *BRUNO)["state"] == "declined"
    shop.clean()


def test_what_there_is_nothing_to_do_for_is_said(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "offer.json"
    file.write_text(orders(), encoding="utf-8")
    assert "volens offer propose" in run(shop, "show", "nope", code=6)
    assert "--role marketing --by …, and --role dpo --by …" in run(shop, "propose", str(file), *CLAIRE)
    run(shop, "approve", OFFER, "--role", "marketing", *CLAIRE)
    assert f"Next: volens offer approve {OFFER} --role dpo --by …" in run(shop, "propose", str(file), *CLAIRE)
    run(shop, "approve", OFFER, "--role", "dpo", *BRUNO)
    again = run(shop, "propose", str(file), *CLAIRE)
    assert "in force" in again
    assert "approve" not in again
    assert f"On record: {OFFER}." in run(shop, "show", "nope", code=6)
    run(shop, "launch", OFFER, *FR, *CLAIRE)
    run(shop, "end", OFFER, *FR, *REASON, *CLAIRE)
    assert "is over in FR since 2026-12-03" in run(shop, "end", OFFER, *FR, *REASON, *CLAIRE, code=5)
