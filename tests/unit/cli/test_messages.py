"""`volens message` as somebody types it, and what the night forgets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.letters import Letters, message, settle

from volens.cli import messages, upkeep
from volens.cli.main import main

BY = ["--by", "Claire Exemple"]
ONE = ["--channel", "email", "--card", "C00001", "--key", "k1", "--campaign", "autumn"]


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Letters]:
    """The commands open the same house, at its own time."""
    made = settle(tmp_path)
    for module in (messages, upkeep):
        monkeypatch.setattr(module, "clock", lambda: made.hand.clock)
    yield made
    made.house.close()


def run(letters: Letters, *words: str, code: int = 0) -> str:
    """What a command prints; it ends with `code`."""
    done = CliRunner().invoke(main, [*words, "--house", str(letters.house.settings.home)])
    assert done.exit_code == code, done.output
    return done.output


def said(letters: Letters, *words: str) -> Any:
    printed = run(letters, "message", *words, "--json").splitlines()
    return json.loads(next(line for line in printed if line[:1] in ("{", "[")))


def test_a_batch_and_one(letters: Letters) -> None:
    file = letters.folder / "queue.jsonl"
    file.write_text("\n".join(json.dumps(message(person)) for person in (1, 2, 99)) + "\n\n", encoding="utf-8")
    told = run(letters, "message", "send", str(file), *BY)
    assert "2 of 3 may go" in told
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in told
    assert "k99  not sent" in told
    assert "Le Panier Distribution SA" in told
    assert "as before" in run(letters, "message", "send", *ONE, *BY)
    found = said(letters, "send", *ONE, "--addresses", *BY)
    assert found["messages"][0]["address"] == "p1@example.org"
    push = run(letters, "message", "send", "--channel", "push", "--to", "d", *ONE[2:6], "--campaign", "x", *BY)
    assert "messages.yaml" in push
    assert "Only advertisements" in run(letters, "message", "send", *ONE[:5], "other", "--campaign", "x", "--service", *BY)


def test_what_cannot_be_read_is_said(letters: Letters) -> None:
    assert "Which messages?" in run(letters, "message", "send", *BY, code=2)
    file = letters.folder / "queue.jsonl"
    file.write_text('{"key": "p1@example.org"', encoding="utf-8")
    told = run(letters, "message", "send", str(file), *BY, code=2)
    assert "cannot be read" in told
    assert "example.org" not in told


def test_reports_and_the_list(letters: Letters) -> None:
    assert "No address is on the list" in run(letters, "message", "suppressed")
    run(letters, "message", "suppress", "--channel", "sms", "--phone", "06 39 98 00 01", "--reason", "bounce", *BY)
    run(letters, "message", "suppress", "--channel", "email", "--card", "C00002", "--reason", "objection", *BY)
    assert said(letters, "suppressed") == [
        {"channel": "email", "reason": "objection", "addresses": 1}, {"channel": "sms", "reason": "bounce", "addresses": 1}
    ]  # fmt: skip
    assert "bounce" not in run(letters, "message", "suppressed", "--channel", "email")
    asked = ["suppressed", "--channel", "sms", "--address"]
    assert said(letters, *asked, "+33639980001") == {"suppressed": True, "reason": "bounce", "since": "2026-09-15"}
    assert said(letters, *asked, "0639980002") == {"suppressed": False}
    assert "Not written to since" in run(letters, "message", *asked, "0639980001")
    assert "not on the list" in run(letters, "message", *asked, "0639980002")
    assert "0 of 1 may go" in run(letters, "message", "send", "--card", "C00002", *ONE[:2], *ONE[4:], *BY)


def test_rules_and_sums(letters: Letters) -> None:
    told = run(letters, "message", "rules")
    assert "opt-in" in told
    assert "Law 2025-594" in told
    assert "envoi-clair" in told
    assert {row["rule"] for row in said(letters, "rules")["calls"]} == {"consent", "hours", "frequency", "holidays"}
    assert "No tool has asked yet" in run(letters, "message", "list")
    run(letters, "message", "send", *ONE, *BY)
    told = run(letters, "message", "list")
    assert "1 asked" in told
    assert "autumn 1" in told
    assert said(letters, "list")["months"][0]["sent"] == 1


def test_the_night_forgets_what_is_old(letters: Letters) -> None:
    run(letters, "message", "send", *ONE, *BY)
    letters.hand.pass_days(801)
    assert json.loads(run(letters, "nightly", "--json").splitlines()[0])["messages"] == 1


def test_links_that_nobody_else_can_open_are_warned_of(letters: Letters) -> None:
    warned = "Set web_address in volens.toml"
    home = letters.house.settings.home
    assert warned in run(letters, "message", "send", *ONE, *BY)
    config = home / "volens.toml"
    written = config.read_text(encoding="utf-8")
    lines = [one for one in written.splitlines() if not one.startswith("web_address")]
    config.write_text("\n".join(['web_address = "https://shop.example"', *lines]) + "\n", encoding="utf-8")
    assert warned not in run(letters, "message", "send", *ONE, *BY)
