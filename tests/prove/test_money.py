"""Promise 11: money adds up, whatever happens at once, in whatever order, and wherever it is killed.

1. Any history of operations leaves what a plain model says, and zero in each currency.
2. Two hundred thousand random postings add up to zero, and the audit makes the same accounts of them.
3. Of 32 threads that join, as many are let in as the budget has; of 32 that redeem one voucher, one does.
4. kill -9 at each step of the night, of a payout and of a till: nothing is there twice, nothing is gone.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from tests.conftest import Urls
from tests.support import killing
from tests.support.purse import ALICE, BRUNO, IBAN, Purse, promise
from tests.support.shop import Shop

from volens.audit.report import Report
from volens.audit.wallet import check_wallet
from volens.databases.connect import connect
from volens.errors import NotNow, VolensError
from volens.evidence.log import Event
from volens.wallet import books, claims, nights, out_store, store
from volens.wallet.books import Move, Posting

THREADS, POSTINGS, TOGETHER, MOVES, STEPS_MAX = 32, 200_000, 2_000, 20, 80


def looked(purse: Purse) -> None:
    report = Report()
    with purse.shop.records.reading() as connection:
        check_wallet(connection, report)
    assert report.findings == []


# Any history


class AnyHistory(RuleBasedStateMachine):
    """People join, do it, are held and released, send things back, are paid, use vouchers; days go by. The model is arithmetic."""

    purse: Purse

    @initialize()
    def begin(self) -> None:
        self.number, self.model, self.waiting = 0, Counter[str](), dict[str, tuple[int, int, int]]()
        self.budget(20_000)

    def take(self, step: Callable[[Any], None]) -> bool:
        """One transaction; whether it was let through."""
        try:
            with self.purse.shop.records.writing() as connection:
                step(connection)
        except NotNow:
            return False
        return True

    @rule(cents=st.integers(0, 40_000))
    def budget(self, cents: int) -> None:
        given = -self.model["outside"]
        used = given - self.model["budget"]
        day = self.purse.today
        done = self.take(lambda connection: claims.set_budget(connection, "any", "FR", cents, "EUR", by=ALICE, day=day) and None)
        assert done == (cents >= used)
        if done:
            self.model["budget"] += cents - given
            self.model["outside"] = -cents

    @rule(money=st.integers(0, 3_000), voucher=st.integers(1, 3_000), card=st.sampled_from(["C1", "C2", "C3"]), held=st.booleans(),
          done=st.booleans(), days=st.integers(0, 40))  # fmt: skip
    def join(self, money: int, voucher: int, card: str, held: bool, done: bool, days: int) -> None:
        purse, self.number = self.purse, self.number + 1
        key, who, cents, day = f"p:{self.number}:{id(self)}", purse.person(card), money + voucher, purse.today
        let = self.take(lambda connection: claims.reserve(connection, promise(key, money, voucher, offer="any"), day=day))
        assert let == (cents <= self.model["budget"])
        if not let:
            return
        self.model["budget"] -= cents
        if not done:
            self.take(lambda connection: claims.give_back(connection, key, day=day))
            self.model["budget"] += cents
            return
        reason = "Somebody looks at it." if held else None
        with purse.shop.records.writing() as connection:
            claims.earn(
                connection, key, who, earned=day, matures=day + timedelta(days=days), voucher_days=30, why="referral", held=reason
            )
        self.model["pending"] += cents
        self.waiting[key] = (money, voucher, 0)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), what=st.sampled_from(["hold", "release", "reverse"]))
    def look(self, data: st.DataObject, what: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.waiting)))
        money, voucher, _ = self.waiting[key]
        before, day = self.purse.wallet.claim(key).state, self.purse.today
        if what == "hold":
            assert self.take(lambda connection: claims.hold(connection, key, "Why.", day=day)) == (before != "available")
        elif what == "release":
            assert self.take(lambda connection: claims.release(connection, key, day=day))
        else:
            assert self.take(lambda connection: claims.reverse(connection, key, "Why.", day=day)) == (before != "available")
            if before != "available":
                self.model["pending"] -= money + voucher
                self.model["budget"] += money + voucher
                del self.waiting[key]

    @rule(days=st.sampled_from([1, 5, 31]))
    def night(self, days: int) -> None:
        purse = self.purse
        purse.shop.hand.pass_days(days)
        due = {
            key: amounts for key, amounts in self.waiting.items()
            if (one := purse.wallet.claim(key)).state == "pending" and (one.matures or "") <= purse.today.isoformat()
        }  # fmt: skip
        with purse.shop.records.reading() as connection:
            over = sum(
                one.cents for one in out_store.all_vouchers(connection)
                if one.state in ("issued", "reserved") and one.until < purse.today.isoformat()
            )  # fmt: skip
        purse.wallet.nightly()
        self.model["vouchers"] -= over
        self.model["breakage"] += over
        for money, voucher, _ in due.values():
            self.model["pending"] -= money + voucher
            self.model["available"] += money
            self.model["vouchers"] += voucher

    @rule(card=st.sampled_from(["C1", "C2", "C3"]), ends=st.sampled_from(["asked", "back", "confirmed", "failed"]))
    def pay(self, card: str, ends: str) -> None:
        purse, self.number = self.purse, self.number + 1
        of, who = purse.wallet.payouts, purse.person(card)
        try:
            one = of.ask(who, "EUR", name="Léa Exemple", iban=IBAN, key=f"f:{self.number}:{id(self)}"[:64], language="fr")
        except NotNow:
            return
        self.model["available"] -= one.cents
        self.model["transit"] += one.cents
        if ends == "back":
            of.call_back(who, one.payout)
        elif ends != "asked":
            run = of.prepare("EUR", by=ALICE)
            assert run is not None
            of.release(run.run, by=BRUNO)
            for each in of.of_run(run.run):
                settle = of.confirm if ends == "confirmed" else lambda number: of.fail(number, why="AC04")
                settle(each.payout)
                self.model["transit"] -= each.cents
                self.model["paid" if ends == "confirmed" else "available"] += each.cents
        if ends == "back":
            self.model["transit"] -= one.cents
            self.model["available"] += one.cents

    @rule(card=st.sampled_from(["C1", "C2", "C3"]), keep=st.booleans())
    def spend(self, card: str, keep: bool) -> None:
        purse, self.number = self.purse, self.number + 1
        for held in purse.wallet.of(purse.person(card)):
            for one in held.vouchers[:1]:
                key = f"b:{self.number}"
                try:
                    purse.wallet.vouchers.reserve("till", one.code, key, 60)
                    if keep:
                        continue
                    purse.wallet.vouchers.redeem("till", one.code, key)
                except NotNow:
                    continue
                self.model["vouchers"] -= one.cents
                self.model["redeemed"] += one.cents

    @invariant()
    def it_is_what_the_model_says(self) -> None:
        if hasattr(self, "model"):
            assert self.purse.holds() == {kind: cents for kind, cents in self.model.items() if cents}

    def teardown(self) -> None:
        looked(self.purse)


@pytest.mark.prove
def test_any_history_adds_up(tmp_path: Path, urls: Urls) -> None:
    number = 0

    def machine() -> AnyHistory:
        """Each history has records of its own."""
        nonlocal number
        number += 1
        made = AnyHistory()
        made.purse = Purse(fresh(number), budget=0)
        return made

    def fresh(number: int) -> Shop:
        from tests.conftest import _opened

        folder = tmp_path / str(number)
        folder.mkdir()
        stores = [_opened(f"sqlite:///{folder}/{name}.db", name) for name in ("records", "customer_keys")]
        return Shop(*stores, folder)

    if not urls.records.startswith("sqlite"):
        pytest.skip("the same statements run on PostgreSQL in every other test of the wallet; histories are many")
    run_state_machine_as_test(machine, settings=settings(max_examples=12, stateful_step_count=25, deadline=None))  # type: ignore[arg-type]


# Many


@pytest.mark.prove
def test_two_hundred_thousand_postings_add_up(shop: Shop) -> None:
    """In any order, between any accounts; what would fall below zero is refused and leaves nothing."""
    if shop.records.name != "sqlite":
        pytest.skip("the same statements; those that many do at once are tried on both")
    purse, chosen = Purse(shop, budget=0), random.Random(20261128)
    names = [books.OUTSIDE, *(books.account(books.BUDGET, f"o{number}", "FR") for number in range(20)),
             *(books.account(books.AVAILABLE, number) for number in range(200)), books.PAID]  # fmt: skip
    model, refused, at = Counter[str](), 0, 0
    while at < POSTINGS:
        postings, after = list[Posting](), model.copy()
        for event in range(TOGETHER // MOVES):
            moves = [_any_move(chosen, names, after) for _ in range(MOVES)]
            postings.append(Posting(Event("test", day=purse.today), tuple(moves), f"{at}/{event}"))
        with shop.records.writing() as connection:
            books.post(connection, postings)
        model, at = after, at + TOGETHER
        if at % 20_000 == 0:
            poor = min(names[1:-1], key=lambda name: model[name])
            too_much = Posting(Event("test", day=purse.today), (Move(poor, books.PAID, model[poor] + 1, "EUR"),), f"poor/{at}")
            assert not _posted(shop, [postings[0], too_much])
            refused += 1
    with shop.records.reading() as connection:
        held = {one.account: one.cents for one in store.all_accounts(connection)}
        assert sum(held.values()) == 0
        assert held == {name: model[name] for name in held}
        assert sum(1 for _ in store.all_entries(connection)) == POSTINGS
    assert refused == POSTINGS // 20_000


def _any_move(chosen: random.Random, names: list[str], after: Counter[str]) -> Move:
    source, target = chosen.sample(names, 2)
    if source != books.OUTSIDE and after[source] <= 0:
        source, target = books.OUTSIDE, source
    cents = chosen.randint(1, 10_000 if source == books.OUTSIDE else after[source])
    after[source] -= cents
    after[target] += cents
    return Move(source, target, cents, "EUR")


def _posted(shop: Shop, postings: list[Posting]) -> bool:
    """Whether all of it was let through; else nothing of it is there."""
    try:
        with shop.records.writing() as connection:
            books.post(connection, postings)
    except NotNow:
        return False
    return True


# At once


def at_once(work: Callable[[int], object]) -> list[object]:
    """What 32 threads that start together come to: a result, or one of our errors."""
    ready, came = threading.Barrier(THREADS), list[object]()

    def one(number: int) -> None:
        ready.wait()
        try:
            came.append(work(number))
        except VolensError as error:
            came.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


@pytest.mark.prove
def test_a_budget_is_never_exceeded_by_thirty_two_who_join(shop: Shop) -> None:
    purse = Purse(shop, budget=5 * 700 + 699)

    def join(number: int) -> None:
        with shop.records.writing() as connection:
            claims.reserve(connection, promise(f"p:{number}", 700, 0), day=purse.today)

    came = at_once(join)
    assert sum(one is None for one in came) == 5
    assert all(one is None or isinstance(one, NotNow) for one in came), came
    assert purse.holds() == {"outside": -4_199, "budget": 699, "committed": 3_500}
    looked(purse)


@pytest.mark.prove
def test_a_voucher_is_redeemed_by_one_of_thirty_two(shop: Shop) -> None:
    purse = Purse(shop)
    who = purse.person()
    purse.reward(who, money=0, voucher=2_000)
    purse.pass_days(30)
    (code,) = purse.codes(who)
    came = at_once(lambda number: purse.wallet.vouchers.redeem(f"till-{number}", code, "basket"))
    assert sum(not isinstance(one, VolensError) for one in came) == 1
    assert all(not isinstance(one, VolensError) or isinstance(one, NotNow) for one in came), came
    assert purse.holds()["redeemed"] == 2_000
    looked(purse)


@pytest.mark.prove
def test_a_payout_is_asked_for_by_one_of_thirty_two(shop: Shop) -> None:
    purse = Purse(shop)
    who = purse.person()
    purse.reward(who, voucher=0)
    purse.pass_days(30)
    of = purse.wallet.payouts
    came = at_once(lambda number: of.ask(who, "EUR", name="Léa Exemple", iban=IBAN, key=f"form-{number}", language="fr"))
    assert sum(not isinstance(one, VolensError) for one in came) == 1
    assert purse.holds()["transit"] == 2_000


# Killed


def close(shop: Shop) -> None:
    """Nothing of a database may be open when a process is forked."""
    shop.records.dispose()
    shop.key_store.dispose()


@pytest.mark.prove
def test_killed_at_each_step_nothing_is_there_twice_and_nothing_is_gone(
    shop: Shop, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night, a payout by two people, and a till, killed at each beginning, before each commit and after it; then done again."""
    monkeypatch.setattr(nights, "AT_ONCE", 1)
    purse = Purse(shop)
    people = [purse.person(f"C{number}") for number in range(2)]

    def work(shop: Shop, turn: int) -> None:
        mine = Purse(shop, budget=0)
        mine.wallet.nightly()
        for who in people:
            held = [one for each in mine.wallet.of(who) for one in each.vouchers]
            for one in held[:1]:
                mine.wallet.vouchers.reserve("till", one.code, f"basket-{one.number}")
                mine.wallet.vouchers.redeem("till", one.code, f"basket-{one.number}")
        of = mine.wallet.payouts
        with suppress(NotNow):
            of.ask(people[0], "EUR", name="Léa Exemple", iban=IBAN, key=f"form-{turn}", language="fr")
        of.prepare("EUR", by=ALICE)
        for run in of.runs():
            if run.state in ("prepared", "released"):
                of.release(run.run, by=BRUNO)

    for turn in range(1, STEPS_MAX):
        for number, who in enumerate(people):
            purse.reward(who, f"p:{turn}:{number}", money=100, voucher=100, days=1)
        shop.hand.pass_days(1)
        close(shop)

        def forked(turn: int = turn) -> None:
            again = Shop(connect(urls.records), connect(urls.customer_keys), tmp_path)
            again.hand = shop.hand
            work(again, turn)

        reached = killing.killed(turn, forked)
        work(shop, turn)
        if turn % 5 == 0 or not reached:
            looked(purse)
        assert len(list(purse.folder.glob("*.xml"))) == len(purse.wallet.payouts.runs())
        with shop.records.reading() as connection:
            states = Counter(one.state for one in store.all_claims(connection))
            assert states == {"available": 2 * turn}, f"step {turn}"
            assert len(list(out_store.all_vouchers(connection))) == 2 * turn
            asked = out_store.payouts_where(connection)
        assert sum(one.cents for one in asked) == 100 * turn, "everything of hers was asked for, once"
        assert purse.holds()["budget"] == 1_000_000 - 400 * turn
        if not reached:
            break
    assert not reached
    assert turn > 15, "it was killed at hardly any step"
