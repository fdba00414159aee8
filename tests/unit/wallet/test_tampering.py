"""Whoever can write into the database cannot change what is owed without being found: every table, every column that counts."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.support.purse import ALICE, BRUNO, IBAN, Purse

from volens.audit.report import Report
from volens.audit.wallet import check_wallet


def a_life(purse: Purse) -> None:
    """Rewards that wait, are held, contested, taken back, paid, reserved, used and over; a run that failed; a bearer."""
    lea, nour, ines = (purse.person(card) for card in ("C1", "C2", "C3"))
    purse.reward(lea)
    purse.reward(nour, "participation:2", held="Somebody looks at it.")
    purse.reward(nour, "participation:3", voucher=0)
    purse.wallet.contests.contest(nour, "participation:2", "It was me.")
    purse.pass_days(30)
    tills, codes = purse.wallet.vouchers, purse.codes(lea)
    tills.redeem("till", codes[0], "basket-1")
    tills.reserve("till", codes[1], "basket-2")
    for customer, key in ((lea, "form-1"), (nour, "form-2")):
        purse.wallet.payouts.ask(customer, "EUR", name="Léa Exemple", iban=IBAN, key=key, language="fr")
    run = purse.wallet.payouts.prepare("EUR", by=ALICE)
    assert run is not None
    purse.wallet.payouts.release(run.run, by=BRUNO)
    first, second = purse.wallet.payouts.of_run(run.run)
    purse.wallet.payouts.confirm(first.payout)
    purse.wallet.payouts.fail(second.payout, why="AC04")
    purse.reward(ines, "participation:4")
    purse.wallet.leaving.settle(ines)
    purse.pass_days(400)
    purse.reward(lea, "participation:5")
    purse.reward(lea, "participation:6", held="Somebody looks at it.")


def looked(purse: Purse) -> Report:
    report = Report()
    with purse.shop.records.reading() as connection:
        check_wallet(connection, report)
    return report


@pytest.fixture
def lived(purse: Purse) -> Purse:
    a_life(purse)
    assert looked(purse).findings == []
    assert all(number for _, number in looked(purse).checks)
    return purse


TAMPERED = {
    "money out of nothing": "update wallet_accounts set cents = cents + 1 where kind = 'available' and cents > 0",
    "an account more": "insert into wallet_accounts values ('available/9', 'EUR', 'available', 5, 1)",
    "another kind": "update wallet_accounts set kind = 'paid' where kind = 'breakage'",
    "an account less": "delete from wallet_accounts where kind = 'paid'",
    "another amount": "update wallet_entries set cents = 1, source_after = source_before - 1, target_after = target_before + 1 "
                      "where seq = (select min(seq) from wallet_entries)",
    "another account": "update wallet_entries set target = 'available/9' where seq = (select max(seq) from wallet_entries)",
    "another day": "update wallet_entries set day = '2026-01-01' where seq = (select max(seq) from wallet_entries)",
    "a posting less": "delete from wallet_entries where seq = (select max(seq) from wallet_entries)",
    "a posting more": "insert into wallet_entries select seq, 9, key || '/again', source, target, cents, currency, day, "
                      "source_before, source_after, target_before, target_after from wallet_entries "
                      "where seq = (select max(seq) from wallet_entries)",
    "a larger budget": "update wallet_budgets set cents = cents + 1",
    "no budget": "delete from wallet_budgets",
    "another balance of a day": "update wallet_days set cents = cents + 1 where kind = 'paid'",
    "a day less": "delete from wallet_days",
    "another's reward": "update wallet_claims set customer = 9 where key = 'participation:1'",
    "a larger reward": "update wallet_claims set money_cents = money_cents + 1 where key = 'participation:1'",
    "an earlier day": "update wallet_claims set matures = '2026-01-01' where key = 'participation:5'",
    "no longer held": "update wallet_claims set state = 'pending' where state = 'held'",
    "another sentence": "update wallet_claims set reason = '{\"\": \"No reason.\"}' where state = 'held'",
    "already available": "update wallet_claims set state = 'available' where key = 'participation:5'",
    "a reward less": "delete from wallet_claims where key = 'participation:3'",
    "a voucher again": "update wallet_vouchers set state = 'issued' where state = 'redeemed'",
    "a voucher that is worth more": "update wallet_vouchers set cents = cents + 1",
    "a voucher for longer": "update wallet_vouchers set until = '2099-01-01'",
    "another code": "update wallet_vouchers set code_hash = code",
    "another's voucher": "update wallet_vouchers set customer = 9",
    "a voucher less": "delete from wallet_vouchers where voucher = (select min(voucher) from wallet_vouchers)",
    "a larger transfer": "update wallet_payouts set cents = cents + 1 where state = 'confirmed'",
    "a transfer again": "update wallet_payouts set state = 'asked' where state = 'confirmed'",
    "another's transfer": "update wallet_payouts set customer = 9 where state = 'confirmed'",
    "a transfer less": "delete from wallet_payouts where state = 'confirmed'",
    "a run again": "update wallet_runs set state = 'released'",
    "a run less": "delete from wallet_runs",
    "another bearer": "update wallet_bearers set customer = 9",
    "no bearer": "delete from wallet_bearers",
    "no contest": "delete from wallet_contests",
    "an answered contest": "update wallet_contests set state = case state when 'open' then 'answered' else 'open' end",
}  # fmt: skip


def test_every_change_is_found(lived: Purse) -> None:
    for name, statement in TAMPERED.items():
        with lived.shop.records.engine.connect() as connection:
            transaction = connection.begin()
            for table in ("wallet_entries", "wallet_days"):
                _open(connection, table)
            assert connection.execute(text(statement)).rowcount > 0, name
            report = Report()
            check_wallet(connection, report)
            assert report.findings, name
            transaction.rollback()
    assert looked(lived).findings == []


def _open(connection: object, table: str) -> None:
    """Takes the triggers away, as somebody who owns the database can."""
    lite = connection.dialect.name == "sqlite"  # type: ignore[attr-defined]
    names = (f"{table}_no_update", f"{table}_no_delete") if lite else (f"{table}_stays on {table}",)
    for statement in (f"drop trigger {name}" for name in names):
        connection.execute(text(statement))  # type: ignore[attr-defined]


def test_the_database_itself_keeps_what_was_posted(lived: Purse) -> None:
    tables = ("wallet_entries", "wallet_days")
    for statement in (words for table in tables for words in (f"update {table} set cents = cents", f"delete from {table}")):
        with pytest.raises(IntegrityError, match="what is written stays"), lived.shop.records.writing() as connection:
            connection.execute(text(statement))
    with pytest.raises(IntegrityError), lived.shop.records.writing() as connection:
        connection.execute(text("update wallet_accounts set cents = -1 where kind = 'available'"))
