"""A reward through the whole wallet: its day, its vouchers, its transfer; and what is left of it after an erasure."""

from __future__ import annotations

import pytest
from tests.support.purse import ALICE, BRUNO, IBAN, Purse

from volens.errors import NotNow, Refused
from volens.identity.tombstones import Tombstones
from volens.rights.erasure import Erasure
from volens.wallet import leaving


def test_a_reward_becomes_money_and_vouchers_on_its_day_and_not_before(purse: Purse) -> None:
    who = purse.person()
    purse.reward(who)
    purse.pass_days(29)
    (before,) = purse.wallet.of(who)
    assert (before.available_cents, before.waiting_cents, before.total_cents) == (0, 10_000, 10_000)
    assert before.waiting[0].day == "2026-04-01"
    purse.pass_days(1)
    (after,) = purse.wallet.of(who)
    assert (after.available_cents, after.waiting_cents, after.voucher_cents, after.total_cents) == (2_000, 0, 8_000, 10_000)
    assert [one.cents for one in after.vouchers] == [2_000] * 4
    assert {one.until for one in after.vouchers} == {"2027-04-01"}
    assert [(one.what, one.cents) for one in after.history] == [("available", 2_000), ("voucher", 8_000), ("earned", 10_000)]


def test_money_goes_to_the_bank_by_two_people_and_arrives(purse: Purse) -> None:
    who = purse.person()
    purse.reward(who)
    purse.pass_days(30)
    asked = purse.wallet.payouts.ask(who, "EUR", name="Léa Exemple", iban=IBAN, key="form-1", language="fr")
    assert purse.wallet.payouts.ask(who, "EUR", name="Léa Exemple", iban=IBAN, key="form-1", language="fr") == asked
    run = purse.wallet.payouts.prepare("EUR", by=ALICE)
    assert run is not None
    with pytest.raises(Refused):
        purse.wallet.payouts.release(run.run, by=ALICE.upper())
    assert not purse.folder.exists()
    assert purse.wallet.payouts.release(run.run, by=BRUNO).state == "handed"
    (file,) = purse.folder.iterdir()
    assert IBAN in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    purse.wallet.payouts.confirm(asked.payout)
    assert purse.holds() == {"outside": -1_000_000, "budget": 990_000, "vouchers": 8_000, "paid": 2_000}


def test_what_is_owed_outlives_an_erasure_by_a_code(purse: Purse) -> None:
    who = purse.person()
    purse.reward(who)
    purse.pass_days(30)
    codes = purse.codes(who)
    purse.reward(who, "participation:2")
    shop = purse.shop
    stones = Tombstones(shop.folder / "keys" / "tombstones")
    erasure = Erasure(
        shop.records, shop.vault, shop.ledger, stones, shop.hand.clock, "FR", lambda *said: None, others=(leaving.forget,),
        first=lambda customer, why: purse.wallet.leaving.settle(customer),
    )  # fmt: skip
    erasure.erase(who, by=ALICE, why="consent-withdrawn")
    code = purse.wallet.leaving.code_of(who)
    assert code is not None
    assert purse.wallet.leaving.holder(code) == who
    purse.pass_days(30)
    assert set(codes) < set(purse.codes(who))
    (left,) = purse.wallet.of(who)
    assert (left.available_cents, left.voucher_cents) == (4_000, 16_000)
    asked = purse.wallet.payouts.ask(who, "EUR", name="Léa Exemple", iban=IBAN, key="form-1", language="fr")
    run = purse.wallet.payouts.prepare("EUR", by=ALICE)
    assert run is not None
    purse.wallet.payouts.release(run.run, by=BRUNO)
    assert purse.wallet.payouts.fail(asked.payout, why="AC04").state == "failed"
    assert purse.wallet.of(who)[0].available_cents == 4_000


def test_a_voucher_is_used_once(purse: Purse) -> None:
    who = purse.person()
    purse.reward(who, money=0, voucher=2_000)
    purse.pass_days(30)
    (code,) = purse.codes(who)
    tills = purse.wallet.vouchers
    assert tills.check("till", code).state == "issued"
    assert tills.reserve("till", code, "basket-1").state == "reserved"
    with pytest.raises(NotNow):
        tills.redeem("till", code, "basket-2")
    assert tills.rollback("till", code, "basket-1").state == "issued"
    assert tills.redeem("till", code, "basket-2").state == "redeemed"
    assert tills.redeem("till", code, "basket-2").state == "redeemed"
    for again in ("basket-1", "basket-3"):
        with pytest.raises(NotNow):
            tills.redeem("till", code, again)
    assert purse.holds() == {"outside": -1_000_000, "budget": 998_000, "redeemed": 2_000}
