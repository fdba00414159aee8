"""The accountant: charged before anybody looks, once, never beyond the cap, never given back."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection as Pipe

import pytest
from tests.support.shop import START

from volens.databases.connect import SqlDatabase, connect
from volens.errors import BudgetExhausted, NotFound
from volens.insights.accountant import Accountant, Charge

CAP = 100
DAY = START.date()


def charge(name: str, rho: int = 30, years: tuple[int, ...] = (2026,), supplier: str = "jus-exemple") -> Charge:
    return Charge(hashlib.sha256(name.encode()).hexdigest(), supplier, {"name": name}, years, rho, CAP)


def test_a_plan_is_charged_once_however_often_it_is_asked(records: SqlDatabase) -> None:
    accountant = Accountant(records)
    for _ in range(3):
        accountant.reserve(charge("a"))
    assert accountant.budget(2026, CAP).spent_nano == 30


def test_all_suppliers_spend_from_one_cap(records: SqlDatabase) -> None:
    accountant = Accountant(records)
    for number, supplier in enumerate(("jus-exemple", "savon-exemple", "jus-exemple")):
        accountant.reserve(charge(f"p{number}", supplier=supplier))
    with pytest.raises(BudgetExhausted, match="never refilled"):
        accountant.reserve(charge("p4", supplier="savon-exemple"))
    assert accountant.budget(2026, CAP).left_nano == 10


def test_the_last_unit_can_be_spent_and_not_one_more(records: SqlDatabase) -> None:
    accountant = Accountant(records)
    accountant.reserve(charge("a", 99))
    accountant.reserve(charge("b", 1))
    with pytest.raises(BudgetExhausted):
        accountant.reserve(charge("c", 1))


def test_a_pack_over_two_years_is_charged_to_both_or_to_none(records: SqlDatabase) -> None:
    accountant = Accountant(records)
    accountant.reserve(charge("a", 90, (2025,)))
    with pytest.raises(BudgetExhausted, match="2025"):
        accountant.reserve(charge("b", 30, (2025, 2026)))
    assert accountant.budget(2026, CAP).spent_nano == 0
    accountant.reserve(charge("c", 10, (2025, 2026)))
    assert [year for year, _ in accountant.years()] == [2025, 2026]


def test_a_hundred_who_ask_at_once_never_overspend(records: SqlDatabase) -> None:
    accountant = Accountant(records)

    def ask(number: int) -> bool:
        try:
            accountant.reserve(charge(f"p{number}", 10))
        except BudgetExhausted:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(ask, range(100)))
    assert granted == 10
    assert accountant.budget(2026, CAP).spent_nano == CAP


def test_the_first_answer_is_the_answer(records: SqlDatabase) -> None:
    accountant = Accountant(records)
    accountant.reserve(charge("a"))
    plan = charge("a").plan
    assert accountant.keep(plan, '{"first":1}', DAY).answer == '{"first":1}'
    assert accountant.keep(plan, '{"second":2}', DAY).answer == '{"first":1}'
    found = accountant.reserve(charge("a"))
    assert found.answer == '{"first":1}'


def test_an_answer_without_a_reservation_is_not_kept(records: SqlDatabase) -> None:
    with pytest.raises(NotFound):
        Accountant(records).keep("x" * 64, "{}", DAY)


def _reserve_until_killed(url: str, pipe: Pipe) -> None:
    accountant = Accountant(connect(url))
    for number in range(1_000):
        try:
            accountant.reserve(charge(f"{os.getpid()}-{number}", 1))
        except BudgetExhausted:
            break
        pipe.send(number)
    pipe.close()


@pytest.mark.prove
def test_kill_minus_nine_never_loses_a_charge_and_never_overspends(records: SqlDatabase) -> None:
    """What a process was told is charged is charged, whenever it was killed; the cap holds over all of them."""
    url = records.engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    acknowledged = 0
    for run in range(12):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_reserve_until_killed, args=(url, theirs))
        process.start()
        theirs.close()
        told = 0
        try:
            while told <= run:
                ours.recv()
                told += 1
            os.kill(process.pid or 0, signal.SIGKILL)
            while True:
                ours.recv()
                told += 1
        except EOFError:
            process.join()
        acknowledged += told
        spent = Accountant(records).budget(2026, CAP).spent_nano
        # A process can die after its commit and before it could say so: one charge a run at the most.
        assert acknowledged <= spent <= acknowledged + run + 1 <= CAP + 12
        assert spent <= CAP
