"""`volens referral` as somebody types it, from the link to a decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.inviting import FRIENDS, OFFER, SPONSOR, Inviting, settle

from volens.cli import referral, upkeep
from volens.cli.main import main

BY = ["--by", "Claire Exemple", "--reason", "Seen."]
LINA, NOE = FRIENDS[0], FRIENDS[1]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inviting]:
    """The commands open the same house, at the shop's own time."""
    made = settle(tmp_path)
    for module in (referral, upkeep):
        monkeypatch.setattr(module, "clock", lambda: made.hand.clock)
    yield made
    made.house.close()


def run(shop: Inviting, *words: str, code: int = 0) -> str:
    """What a command prints; it ends with `code`."""
    done = CliRunner().invoke(main, [*words, "--house", str(shop.house.settings.home)])
    assert done.exit_code == code, done.output
    return done.output


def said(shop: Inviting, *words: str) -> Any:
    return json.loads(run(shop, "referral", *words, "--json").splitlines()[0])


def test_from_the_link_to_a_decision(shop: Inviting) -> None:
    card = ["--card", f"C{SPONSOR:05}"]
    run(shop, "referral", "link", OFFER, *card, code=5)
    shop.join(SPONSOR, OFFER)
    address = said(shop, "link", OFFER, *card, "--shown", "Ana")["link"]
    assert address == said(shop, "link", OFFER, *card)["link"]
    run(shop, "referral", "link", OFFER, *card, "--shown", "1", code=2)
    token = address.rsplit("/", 1)[1]
    assert shop.house.referring.invitation(token, None).sponsor == "Ana"
    assert "Nobody was invited" in run(shop, "referral", "list")
    assert "Nothing waits" in run(shop, "referral", "held")
    shop.house.referring.accept(shop.newcomer(LINA, email="lina@yopmail.com"), token)
    shop.house.referring.accept(shop.newcomer(NOE, email="noe@yopmail.com"), token)
    shop.ordered(LINA)
    (one,) = said(shop, "held")
    assert (one["state"], one["rules"]) == ("held", ["F6"])
    assert "F6" in run(shop, "referral", "held")
    assert said(shop, "refuse", str(one["number"]), *BY)["state"] == "refused"
    run(shop, "referral", "release", "999999", *BY, code=6)
    shop.ordered(NOE)
    (other,) = said(shop, "held")
    assert "counted" in run(shop, "referral", "release", str(other["number"]), *BY)
    assert {(row["state"], row["invitations"]) for row in said(shop, "list")} == {("refused", 1), ("counted", 1)}
    assert "refused" in run(shop, "referral", "list")


def test_the_night_lets_go_what_nobody_decided(shop: Inviting) -> None:
    shop.invite(LINA, email="lina@yopmail.com")
    shop.ordered(LINA)
    shop.hand.pass_days(11)
    assert "invitations 1 that nobody decided are let go" in run(shop, "nightly")


def test_rules_and_a_rehearsal_need_no_house() -> None:
    told = CliRunner().invoke(main, ["referral", "rules", "--json"])
    assert [one["rule"] for one in json.loads(told.output.splitlines()[0])][:2] == ["F1-person", "F1-mailbox"]
    assert "“" in CliRunner().invoke(main, ["referral", "rules"]).output
    done = CliRunner().invoke(main, ["referral", "rehearse", "--people", "200", "--seed", "1"])
    assert done.exit_code == 0, done.output
    assert "fraud found" in done.output
    value = json.loads(CliRunner().invoke(main, ["referral", "rehearse", "--people", "200", "--json"]).output.splitlines()[0])
    assert len(value["seeds"]) == 3
    assert value["fraud_found"]["of"] == 30
    assert CliRunner().invoke(main, ["referral", "rehearse", "--people", "1"]).exit_code == 2
