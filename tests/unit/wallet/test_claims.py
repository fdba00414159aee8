"""One reward from its promise to its day. Rules 1 to 4 of `wallet.claims`."""

from __future__ import annotations

from datetime import date

import pytest

from volens.databases.connect import SqlDatabase
from volens.errors import NotNow
from volens.offers.document import Amount
from volens.wallet import books, claims, store
from volens.wallet.claims import Promise

DAY, LATER = date(2026, 3, 2), date(2026, 4, 1)
AMOUNT = Amount(2_000, 8_000)


def promise(key: str = "participation:1", **other: object) -> Promise:
    return Promise(**{"key": key, "offer": "amis", "version": 1, "country": "FR", "currency": "EUR", "amount": AMOUNT, **other})  # type: ignore[arg-type]


def give(records: SqlDatabase, cents: int = 30_000) -> None:
    with records.writing() as connection:
        claims.set_budget(connection, "amis", "FR", cents, "EUR", by="Alice Exemple", day=DAY)


def earn(records: SqlDatabase, key: str = "participation:1", customer: int = 7, held: str | None = None) -> None:
    with records.writing() as connection:
        claims.earn(connection, key, customer, earned=DAY, matures=LATER, voucher_days=365, why="referral", held=held)


def holds(records: SqlDatabase) -> dict[str, int]:
    with records.reading() as connection:
        return {name: cents for name, cents in books.trial(connection).get("EUR", {}).items() if cents}


def test_a_reward_is_set_aside_at_joining_and_hers_when_the_act_is_done(records: SqlDatabase) -> None:
    give(records)
    with records.writing() as connection:
        claims.reserve(connection, promise(), day=DAY)
    assert holds(records) == {"outside": -30_000, "budget": 20_000, "committed": 10_000}
    earn(records)
    assert holds(records) == {"outside": -30_000, "budget": 20_000, "pending": 10_000}
    with records.reading() as connection:
        (one,) = store.claims_of(connection, 7)
    assert (one.state, one.matures, one.why) == ("pending", "2026-04-01", "referral")


def test_the_same_again_changes_nothing_and_something_else_under_its_key_is_refused(records: SqlDatabase) -> None:
    give(records)
    for _ in range(2):
        give(records)
        with records.writing() as connection:
            claims.reserve(connection, promise(), day=DAY)
        earn(records)
    with pytest.raises(NotNow), records.writing() as connection:
        claims.reserve(connection, promise(offer="autre"), day=DAY)
    with pytest.raises(NotNow):
        earn(records, customer=8)
    assert holds(records) == {"outside": -30_000, "budget": 20_000, "pending": 10_000}


def test_nobody_joins_when_the_budget_is_used_up_and_what_was_promised_is_kept(records: SqlDatabase) -> None:
    give(records, 19_999)
    with records.writing() as connection:
        claims.reserve(connection, promise(), day=DAY)
    with pytest.raises(NotNow), records.writing() as connection:
        claims.reserve(connection, promise("participation:2"), day=DAY)
    with pytest.raises(NotNow):
        give(records, 9_999)
    earn(records)
    give(records, 20_000)
    with records.writing() as connection:
        claims.reserve(connection, promise("participation:2"), day=DAY)
        claims.give_back(connection, "participation:2", day=DAY)
    assert holds(records) == {"outside": -20_000, "budget": 10_000, "pending": 10_000}
