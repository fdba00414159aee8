"""`volens told` as somebody types it: what is used, an incident, and opening again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.adverts import Shop, settle
from tests.unit.told.test_told import passed_by_the_gate, read

from volens.cli import told
from volens.cli.main import main

WHY = ["--why", "the field is read no more", "--by", "Dora Protège"]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    made = settle(tmp_path)
    monkeypatch.setattr(told, "clock", lambda: made.hand.clock)
    yield made
    made.house.close()


def run(shop: Shop, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["told", *words, "--house", str(shop.house.settings.home)])
    assert done.exit_code == code, done.output
    return done.output


def test_from_a_list_to_an_incident_and_back(shop: Shop) -> None:
    read(shop.house, "customer", "product")
    listed = run(shop)
    assert "targeted-ads → le-panier: 2 of 3 used, last 2026-03-02" in listed
    assert "not used yet: day; whether it is needed can be said from 2026-05-31" in listed
    assert "Everything that was used had been told" in run(shop, "check")
    passed_by_the_gate(shop.house, "phone")
    assert "used and not told: phone" in run(shop, code=3)
    assert "volens told open targeted-ads le-panier" in run(shop, "check", code=3)
    assert "CLOSED" in run(shop, code=3)
    value = json.loads(run(shop, "--json", code=3).splitlines()[0])
    assert value["incidents"][0]["items"] == ["phone"]
    assert "Open again" in run(shop, "open", "targeted-ads", "le-panier", *WHY)
    assert "CLOSED" not in run(shop)
    assert "Nothing was ever closed" in run(shop, "open", "targeted-ads", "vergers-du-midi", *WHY, code=6)


def test_a_season_later_it_says_what_to_drop(shop: Shop) -> None:
    read(shop.house, "customer", "product")
    shop.hand.pass_days(90)
    listed = run(shop)
    assert "to drop: day" in listed
    assert "to drop: all of it" in listed
