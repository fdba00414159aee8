"""Codes, and vouchers at a till. Rules 1 to 6 of `wallet.vouchers`, and the states."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.purse import ALICE, Purse

from volens.delivery.codes import ALPHABET
from volens.errors import BadInput, NotFound, NotNow, TooOften
from volens.wallet import codes, vouchers
from volens.wallet.vouchers import (
    EXPIRED,
    HOLD_SECONDS_MAX,
    ISSUED,
    KEY_MAX,
    PIECE_CENTS,
    PIECES_MAX,
    REDEEMED,
    RESERVED,
    TRANSITIONS,
    VOID,
    WRONG_MAX,
    pieces,
)

TILL, OTHER = "till-1", "till-2"


@pytest.fixture
def code(purse: Purse) -> str:
    """One voucher of 20.00."""
    who = purse.person()
    purse.reward(who, money=0, voucher=2_000)
    purse.pass_days(30)
    (found,) = purse.codes(who)
    return found


# Codes


@given(st.integers(0, 31), st.integers(0, 16), st.integers(0, 15))
def test_a_slip_of_the_pen_is_found(symbol: int, place: int, swapped: int) -> None:
    code = codes.fresh()
    slipped = code[:place] + ALPHABET[symbol] + code[place + 1 :]
    assert (codes.meant(slipped) is None) == (slipped != code)
    turned = code[:swapped] + code[swapped + 1] + code[swapped] + code[swapped + 2 :]
    assert (codes.meant(turned) is None) == (turned != code)


def test_a_code_is_read_however_it_is_written() -> None:
    code = codes.fresh()
    for written in (code, codes.spoken(code), code.lower(), code.replace("0", "o").replace("1", "i"), f"  {code[:5]} {code[5:]} "):
        assert codes.meant(written) == code
    for nothing in ("", "-", code[:-1], code + "0", "é" * 17, "0" * 16 + "1", "A" * 1_000):
        assert codes.meant(nothing) is None


def test_a_bearers_code_follows_from_its_number() -> None:
    found = {number: codes.following(lambda said: said.rjust(32, b"x"), number) for number in range(50)}
    assert found == {number: codes.following(lambda said: said.rjust(32, b"x"), number) for number in range(50)}
    assert all(codes.meant(one) == one for one in found.values())


# The amounts


@given(st.integers(1, 10_000_000))
def test_a_reward_comes_in_few_vouchers_of_little(cents: int) -> None:
    made = pieces(cents)
    assert sum(made) == cents
    assert len(made) <= PIECES_MAX
    assert all(0 < one <= max(PIECE_CENTS, -(-cents // PIECES_MAX)) for one in made)


# States


def test_every_pair_of_states_is_allowed_or_not(purse: Purse, code: str) -> None:
    """What the till asks of a voucher in each state: it moves along `TRANSITIONS`, or not at all."""
    states = (ISSUED, RESERVED, REDEEMED, EXPIRED, VOID)
    assert set(TRANSITIONS) == set(states)
    allowed = {(before, after) for before, after in itertools.product(states, states) if after in TRANSITIONS[before]}
    assert allowed == {
        (ISSUED, RESERVED), (ISSUED, REDEEMED), (ISSUED, EXPIRED), (ISSUED, VOID), (RESERVED, ISSUED), (RESERVED, REDEEMED),
        (RESERVED, EXPIRED),
    }  # fmt: skip
    tills = purse.wallet.vouchers
    now = purse.shop.hand.now()
    for before, after in sorted(set(itertools.product(states, states)) - allowed):
        with purse.shop.records.writing() as connection:
            one = vouchers.out_store.by_code(connection, codes.hashed(codes.meant(code) or ""))
            assert one is not None
            with pytest.raises(NotNow):
                tills._move(connection, vouchers.out_store.Voucher(**{**vars(one), "state": before}), after, (), now)
    assert tills.check(TILL, code).state == ISSUED


def test_a_reservation_is_of_one_machine_and_key_and_ends(purse: Purse, code: str) -> None:
    tills = purse.wallet.vouchers
    told = tills.reserve(TILL, code, "basket-1", 60)
    assert tills.reserve(TILL, code, "basket-1", 60) == told
    for machine, key in ((OTHER, "basket-1"), (TILL, "basket-2")):
        with pytest.raises(NotNow):
            tills.reserve(machine, code, key)
        with pytest.raises(NotNow):
            tills.redeem(machine, code, key)
        assert tills.rollback(machine, code, key).state == RESERVED, "only whoever holds it lets it go"
    purse.shop.hand.pass_minutes(2)
    assert tills.check(TILL, code).state == ISSUED
    assert tills.reserve(OTHER, code, "basket-1").state == RESERVED
    with pytest.raises(NotNow):
        tills.redeem(TILL, code, "basket-1")
    purse.shop.hand.pass_minutes(60)
    assert tills.end_reservations() == 1
    assert tills.redeem(TILL, code, "basket-1").state == REDEEMED
    with pytest.raises(NotNow):
        tills.rollback(TILL, code, "basket-1")


def test_it_is_taken_on_its_last_day_and_not_after(purse: Purse, code: str) -> None:
    tills = purse.wallet.vouchers
    purse.shop.hand.pass_days(365)
    assert tills.check(TILL, code).state == ISSUED
    tills.reserve(TILL, code, "basket-1")
    tills.rollback(TILL, code, "basket-1")
    assert tills.expire() == 0
    purse.shop.hand.pass_days(1)
    assert tills.check(TILL, code).state == EXPIRED
    with pytest.raises(NotNow):
        tills.redeem(TILL, code, "basket-1")
    assert tills.expire() == 1
    assert tills.expire() == 0
    assert purse.holds()["breakage"] == 2_000


def test_a_code_that_others_saw_is_replaced(purse: Purse, code: str) -> None:
    who, tills = purse.person(), purse.wallet.vouchers
    (purse_before,) = purse.wallet.of(who)
    tills.replace(purse_before.vouchers[0].number, by=ALICE)
    (fresh,) = purse.codes(who)
    assert fresh != code
    with pytest.raises(NotNow):
        tills.redeem(TILL, code, "basket-1")
    with pytest.raises(NotNow):
        tills.replace(purse_before.vouchers[0].number, by=ALICE)
    with pytest.raises(NotFound):
        tills.replace(999_999, by=ALICE)
    assert tills.redeem(TILL, fresh, "basket-1").cents == 2_000


# Bad input and limits


def test_limits_at_and_one_past(purse: Purse, code: str) -> None:
    tills = purse.wallet.vouchers
    for wrong in (0, HOLD_SECONDS_MAX + 1):
        with pytest.raises(BadInput):
            tills.reserve(TILL, code, "basket-1", wrong)
    for key in ("", "x" * (KEY_MAX + 1), "a\nb"):
        with pytest.raises(BadInput):
            tills.redeem(TILL, code, key)
    assert tills.reserve(TILL, code, "x" * KEY_MAX, HOLD_SECONDS_MAX).state == RESERVED
    with pytest.raises(BadInput):
        tills.check(TILL, code[:-1])


def test_a_machine_that_sends_wrong_codes_waits_and_others_do_not(purse: Purse, code: str) -> None:
    tills = purse.wallet.vouchers
    for _ in range(WRONG_MAX):
        with pytest.raises(NotFound):
            tills.check(TILL, codes.fresh())
    with pytest.raises(TooOften) as told:
        tills.check(TILL, code)
    assert 0 < told.value.wait_seconds <= vouchers.WRONG_SECONDS
    assert tills.check(OTHER, code).state == ISSUED
    tills._wrong[TILL].clear()
    assert tills.check(TILL, code).state == ISSUED
