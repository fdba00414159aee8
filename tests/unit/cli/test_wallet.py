"""`volens wallet` as somebody types it: a budget, the books, a run by two people, what fails, a contest, the bearer's code."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.support.purse import IBAN, PAYER
from tests.support.rewards import open_an_account
from tests.support.shop import HandClock
from tests.support.taking_part import orders

from volens.app import House, initialise, open_house
from volens.cli import erasure, upkeep, wallet
from volens.cli.main import main
from volens.ingest.master import Person
from volens.offers.document import Amount
from volens.wallet import claims
from volens.wallet.claims import Promise

CLAIRE, BRUNO = ["--by", "Claire Exemple"], ["--by", "Bruno Modèle"]
HAND = HandClock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house whose commands run at the test's own time."""
    HAND.instant = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for module in (wallet, upkeep, erasure):
        monkeypatch.setattr(module, "clock", lambda: HAND.clock)
    with initialise(tmp_path / "house", customers=100, clock=HAND.clock) as house:
        house.offering.registry.propose(orders(offer="invitez-un-ami"), by="Claire Exemple")
    open_an_account(tmp_path / "house")
    return tmp_path / "house"


def run(home: Path, *words: str, code: int = 0, group: str = "wallet") -> str:
    """What a command prints; it ends with `code`."""
    done = CliRunner().invoke(main, [*([group] if group else []), *words, "--house", str(home)])
    assert done.exit_code == code, done.output
    return done.output


def said(home: Path, *words: str, group: str = "wallet") -> Any:
    return json.loads(run(home, *words, "--json", group=group).splitlines()[0])


def reward(house: House, card: str, key: str, held: str | None = None) -> int:
    house.customers.enrol([Person(card=card, email=f"{card}@example.org", country="FR", details={})])
    who, today = house.customer("card", card).customer, HAND.now().date()
    with house._stores.records.writing() as connection:
        claims.reserve(connection, Promise(key, "invitez-un-ami", 1, "FR", "EUR", Amount(2_000, 3_000)), day=today)
        claims.earn(
            connection, key, who, earned=today, matures=today + timedelta(days=30), voucher_days=365, why="referral", held=held
        )
    return who


def test_from_a_budget_to_the_bank(home: Path, tmp_path: Path) -> None:
    run(home, "budget", "invitez-un-ami", "--country", "FR", code=6)
    run(home, "budget", "invitez-un-ami", "--country", "FR", "--amount", "500", code=2)
    run(home, "budget", "invitez-un-ami", "--country", "FR", "--amount", "x", *CLAIRE, code=2)
    assert "Known: invitez-un-ami" in run(home, "budget", "invite", "--country", "FR", "--amount", "5", *CLAIRE, code=6)
    assert "It is for: FR, LU" in run(home, "budget", "invitez-un-ami", "--country", "DE", "--amount", "5", *CLAIRE, code=2)
    assert "500.00 EUR" in run(home, "budget", "invitez-un-ami", "--country", "FR", "--amount", "500,00", *CLAIRE)
    with open_house(home, clock=HAND.clock) as house:
        people = [reward(house, f"C{number:05}", f"p:{number}") for number in (1, 2)]
    assert said(home, "claim", "p:1")["state"] == "pending"
    run(home, "claim", "p:9", code=6)
    assert "from 2026-04-01" in run(home, "books")
    HAND.pass_days(30)
    assert said(home, "mature") == {"matured": 2, "vouchers": 4, "expired": 0, "returned": 0}
    assert "Nobody asked" in run(home, "prepare", *CLAIRE)
    with open_house(home, clock=HAND.clock) as house:
        for who in people:
            house.wallet.payouts.ask(who, "EUR", name="Léa Exemple", iban=IBAN, key=f"form-{who}", language="fr")
        (purse,) = house.wallet.of(people[0])
        voucher, other = purse.vouchers[:2]
    name = said(home, "prepare", *CLAIRE)["run"]
    run(home, "release", name, *CLAIRE, code=3)
    run(home, "drop", name, *CLAIRE)
    name = said(home, "prepare", *CLAIRE)["run"]
    file = Path(said(home, "release", name, *BRUNO)["file"])
    assert PAYER.bic in file.read_text(encoding="utf-8")
    listed = run(home, "payouts", name)
    assert "••••0189" in listed
    assert IBAN not in listed
    first = said(home, "payouts", name)[0]["payout"]
    run(home, "confirm", name, "--failed", "999", code=2)
    assert "1 confirmed, 1 failed" in run(home, "confirm", name, "--failed", str(first), "--why", "AC04")
    assert "handed" in run(home, "payouts")
    assert "20.00 EUR, issued" in run(home, "voucher", voucher.code)
    made = said(home, "replace", str(voucher.number), *CLAIRE)
    assert made["replaces"] == voucher.number
    assert "void" in run(home, "voucher", voucher.code)
    trial = said(home, "balance")["EUR"]
    assert (sum(trial.values()), trial["paid"], trial["available"]) == (0, 2_000, 2_000)
    assert said(home, "export", str(tmp_path / "books.csv"))["postings"] == 13
    assert_reconciles(tmp_path, trial)
    assert other.cents == 1_000


def assert_reconciles(folder: Path, trial: dict[str, int]) -> None:
    """What an accountant checks: rows, totals and the trial balance say the same."""
    with (folder / "books.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (folder / "books-totals.csv").open(encoding="utf-8") as file:
        totals = {row["account"]: row for row in csv.DictReader(file)}
    for name, total in totals.items():
        came = sum(int(row["cents"]) for row in rows if row["to"] == name)
        went = sum(int(row["cents"]) for row in rows if row["from"] == name)
        assert (int(total["came"]), int(total["went"])) == (came, went)
        assert int(total["before"]) + came - went == int(total["after"])
    kinds: dict[str, int] = dict.fromkeys(trial, 0)
    for name, total in totals.items():
        kinds[name.partition("/")[0]] += int(total["after"])
    assert kinds == trial


def test_a_contest_is_answered_and_the_night_says_what_it_did(home: Path) -> None:
    run(home, "budget", "invitez-un-ami", "--country", "FR", "--amount", "500", *CLAIRE)
    with open_house(home, clock=HAND.clock) as house:
        who = reward(house, "C00001", "p:1", held="Two orders came within the same minute.")
        house.wallet.contests.contest(who, "p:1", "It was me.")
    (one,) = said(home, "contests")
    assert one["words"] == "It was me."
    run(home, "answer", str(one["contest"]), "--words", "You are right.", "--right", *CLAIRE)
    assert "Nobody waits" in run(home, "contests")
    HAND.pass_days(30)
    assert said(home, "nightly", group="")["wallet"]["matured"] == 1


def test_whoever_is_erased_gets_a_code_for_what_she_earned(home: Path) -> None:
    run(home, "budget", "invitez-un-ami", "--country", "FR", "--amount", "500", *CLAIRE)
    with open_house(home, clock=HAND.clock) as house:
        reward(house, "C00001", "p:1")
    told = run(home, "erase", "--card", "C00001", *CLAIRE, "--why", "consent-withdrawn", "--yes", group="customer")
    with open_house(home, clock=HAND.clock) as house:
        code = told.split("/cagnotte/au-porteur")[1].split()[0]
        assert house.wallet.leaving.holder(code) is not None


def test_an_account_that_cannot_be_one_is_said_by_every_command(home: Path) -> None:
    file = home / "volens.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(PAYER.iban, PAYER.iban[:-1] + "0"), encoding="utf-8")
    assert "slip in this IBAN" in run(home, "balance", code=2)
    file.write_text(file.read_text(encoding="utf-8").replace("bic =", "bank ="), encoding="utf-8")
    assert "[payouts]" in run(home, "balance", code=2)
