"""Transfers: their states, their two people, what a failure tells; and contests. Rules of `payouts` and `contests`."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from tests.support.purse import ALICE, BRUNO, IBAN, Purse
from tests.support.shop import Shop

from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.wallet import contests, out_store, payouts
from volens.wallet.out_store import Payout


@pytest.fixture
def asked(purse: Purse) -> Payout:
    """20.00 that somebody asked for."""
    who = purse.person()
    purse.reward(who, voucher=0)
    purse.pass_days(30)
    return ask(purse, who)


def ask(purse: Purse, who: int, key: str = "form-1", iban: str = IBAN) -> Payout:
    return purse.wallet.payouts.ask(who, "EUR", name="Léa Exemple", iban=iban, key=key, language="fr")


def state(purse: Purse, number: int) -> str:
    with purse.shop.records.reading() as connection:
        found = out_store.payout(connection, number)
    assert found is not None
    return found.state


def test_every_pair_of_states_is_allowed_or_not(purse: Purse, asked: Payout) -> None:
    """Each step is tried in each state: it moves along `TRANSITIONS`, or says that it does not now."""
    of = purse.wallet.payouts
    steps: dict[str, Callable[[], object]] = {
        payouts.CALLED_BACK: lambda: of.call_back(asked.customer, asked.payout),
        payouts.CONFIRMED: lambda: of.confirm(asked.payout),
        payouts.FAILED: lambda: of.fail(asked.payout, why="AC04"),
    }
    states = (*steps, payouts.ASKED, payouts.PREPARED, payouts.RELEASED)
    assert set(payouts.TRANSITIONS) == set(states)
    for before, after in itertools.product(states, steps):
        if after == before:
            continue
        with purse.shop.records.writing() as connection:
            out_store.move_payout(connection, asked.payout, state=before)
        if after not in payouts.TRANSITIONS[before]:
            with pytest.raises(NotNow):
                steps[after]()
            assert state(purse, asked.payout) == before


def test_a_run_that_is_dropped_waits_again_and_its_money_is_asked_for_once(purse: Purse, asked: Payout) -> None:
    of = purse.wallet.payouts
    run = of.prepare("EUR", by=ALICE)
    assert run is not None
    assert of.prepare("EUR", by=ALICE) is None
    with pytest.raises(NotNow):
        of.call_back(asked.customer, asked.payout)
    assert of.drop(run.run, by=BRUNO).state == "dropped"
    assert of.drop(run.run, by=BRUNO).state == "dropped"
    with pytest.raises(NotNow):
        of.release(run.run, by=BRUNO)
    assert state(purse, asked.payout) == "asked"
    again = of.prepare("EUR", by=ALICE)
    assert again is not None
    assert of.release(again.run, by=BRUNO).state == "handed"
    with pytest.raises(NotNow):
        of.drop(again.run, by=ALICE)
    (file,) = purse.folder.iterdir()
    file.unlink()  # somebody gave it to the bank
    assert of.release(again.run, by=BRUNO).state == "handed"
    assert of.finish() == 0
    assert list(purse.folder.iterdir()) == [], "a file that was handed over is never written again"


def test_a_run_that_was_cut_short_is_finished_by_the_night(purse: Purse, asked: Payout, monkeypatch: pytest.MonkeyPatch) -> None:
    of = purse.wallet.payouts
    run = of.prepare("EUR", by=ALICE)
    assert run is not None

    def full(order: object) -> str:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(of._carrier, "write", full)
        with pytest.raises(OSError, match="full"):
            of.release(run.run, by=BRUNO)
    assert of.runs()[0].state == "released"
    assert purse.wallet.nightly()["files"] == 1
    assert of.runs()[0].state == "handed"


def test_what_a_bank_gives_back_is_available_and_its_person_is_told(shop: Shop) -> None:
    told: list[tuple[str, Payout]] = []

    def tell(one: Payout) -> Callable[[object], None]:
        told.append(("prepared", one))
        return lambda connection: told.append(("queued", one))

    purse = Purse(shop, tell)
    who = purse.person()
    purse.reward(who, voucher=0)
    purse.pass_days(30)
    one = ask(purse, who)
    run = purse.wallet.payouts.prepare("EUR", by=ALICE)
    assert run is not None
    purse.wallet.payouts.release(run.run, by=BRUNO)
    for _ in range(2):
        purse.wallet.payouts.fail(one.payout, why="AC04")
    assert [what for what, _ in told].count("queued") == 1
    assert purse.wallet.of(who)[0].available_cents == 2_000
    assert ask(purse, who, "form-2").cents == 2_000


def test_all_that_is_available_and_never_somebody_elses_form(purse: Purse, asked: Payout) -> None:
    other = purse.person("C2")
    purse.reward(other, "participation:2", money=1, voucher=0)
    purse.pass_days(30)
    with pytest.raises(NotNow):
        ask(purse, other)
    assert ask(purse, other, "form-2").cents == 1, "there is no least amount"
    with pytest.raises(NotNow):
        ask(purse, other, "form-3")
    with pytest.raises(NotFound):
        purse.wallet.payouts.call_back(other, asked.payout)
    for wrong in ({"iban": "FR76"}, {"key": ""}, {"key": "x" * (payouts.KEY_MAX + 1)}):
        with pytest.raises(BadInput):
            ask(purse, other, **wrong)
    for by in ("", "x" * (payouts.BY_MAX + 1)):
        with pytest.raises(BadInput):
            purse.wallet.payouts.prepare("EUR", by=by)
    with pytest.raises(NotNow):
        purse.wallet.payouts.prepare("CHF", by=ALICE)


def test_the_account_is_sealed_and_forgotten_after_a_while(purse: Purse, asked: Payout) -> None:
    assert IBAN.encode() not in (asked.account or b"")
    run = purse.wallet.payouts.prepare("EUR", by=ALICE)
    assert run is not None
    with pytest.raises(Refused):
        purse.wallet.payouts.release(run.run, by=f" {ALICE} ")
    purse.wallet.payouts.release(run.run, by=BRUNO)
    purse.wallet.payouts.confirm(asked.payout)
    purse.pass_days(payouts.KEPT_DAYS)
    assert purse.wallet.payouts.account_of(purse.wallet.payouts.of_run(run.run)[0]).iban == IBAN
    purse.pass_days(1)
    with pytest.raises(NotNow):
        purse.wallet.payouts.account_of(purse.wallet.payouts.of_run(run.run)[0])


# Contests


def test_whoever_contests_is_answered_or_right(purse: Purse) -> None:
    who = purse.person()
    purse.reward(who, held="Two orders came within the same minute.")
    of = purse.wallet.contests
    first = of.contest(who, "participation:1", "It was me.")
    assert of.contest(who, "participation:1", "Again.") == first
    assert of.words(first) == ("It was me.", "")
    with pytest.raises(NotFound):
        of.contest(purse.person("C2"), "participation:1")
    of.answer(first.contest, by=ALICE, words="We looked, and wait for the second order.", right=False)
    assert purse.wallet.claim("participation:1").state == "held"
    with pytest.raises(NotNow):
        of.answer(first.contest, by=ALICE, words="Again.", right=True)
    with pytest.raises(NotNow):
        of.contest(who, "participation:1", "One hold is answered once.")
    purse.wallet.release("participation:1")
    purse.wallet.hold("participation:1", "Another order came within the same minute.")
    second = of.contest(who, "participation:1", "It really was me.")
    purse.pass_days(contests.ANSWER_DAYS)
    assert purse.wallet.claim("participation:1").state == "held", "its last day is not over"
    purse.pass_days(1)
    assert purse.wallet.claim("participation:1").state == "pending", "silence is for the customer"
    assert [one.state for one in of.of(who)] == ["answered", "answered"]
    assert of.words(of.of(who)[1]) == ("It really was me.", "")
    assert second.contest == of.of(who)[1].contest
    with pytest.raises(NotNow):
        of.contest(who, "participation:1")
    for words in ("", "x" * (contests.WORDS_MAX + 1)):
        with pytest.raises(BadInput):
            of.answer(second.contest, by=ALICE, words=words, right=True)
