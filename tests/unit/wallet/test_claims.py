"""One reward from its promise to its day. Rules 1 to 4 of `wallet.claims`."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from volens.databases.connect import SqlDatabase
from volens.errors import BadInput, NotFound, NotNow
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


STATES = (claims.RESERVED, claims.GIVEN_BACK, claims.PENDING, claims.HELD, claims.AVAILABLE, claims.REVERSED)
KEY = "participation:1"


def bring(records: SqlDatabase, state: str) -> None:
    """A claim into a state, by the ways that lead there."""
    give(records)
    with records.writing() as connection:
        claims.reserve(connection, promise(), day=DAY)
        if state == claims.GIVEN_BACK:
            claims.give_back(connection, KEY, day=DAY)
    if state in (claims.PENDING, claims.HELD, claims.AVAILABLE, claims.REVERSED):
        earn(records, held="Why." if state == claims.HELD else None)
    with records.writing() as connection:
        if state == claims.REVERSED:
            claims.reverse(connection, KEY, "It was sent back.", day=DAY)
        if state == claims.AVAILABLE:  # what the night does
            store.move_claim(connection, KEY, state=claims.AVAILABLE)


def state_of(records: SqlDatabase) -> str:
    with records.reading() as connection:
        found = store.claim(connection, KEY)
    assert found is not None
    return found.state


@pytest.mark.parametrize("before", STATES)
def test_every_pair_of_states_is_allowed_or_not(records: SqlDatabase, before: str) -> None:
    assert set(claims.TRANSITIONS) == set(STATES)
    steps = {
        claims.GIVEN_BACK: lambda connection: claims.give_back(connection, KEY, day=DAY),
        claims.HELD: lambda connection: claims.hold(connection, KEY, "Why.", day=DAY),
        claims.REVERSED: lambda connection: claims.reverse(connection, KEY, "Why.", day=DAY),
    }
    bring(records, before)
    for after, take in steps.items():
        allowed = after in claims.TRANSITIONS[before] and (before, after) != (claims.RESERVED, claims.HELD)
        try:
            with records.writing() as connection:
                take(connection)
                found = store.claim(connection, KEY)
                assert found is not None
                assert found.state == after
                assert allowed or before == after, f"{before} became {after}"
                raise KeyError  # so that each step starts from the same state
        except NotNow:
            assert not allowed, f"{before} did not become {after}"
        except KeyError:
            pass
    assert state_of(records) == before


def test_what_is_held_says_why_and_goes_on_when_it_is_released(records: SqlDatabase) -> None:
    bring(records, claims.HELD)
    with records.writing() as connection:
        found = store.claim(connection, KEY)
        assert found is not None
        assert claims.told(found.reason, "fr") == "Why."
        claims.release(connection, KEY, day=DAY)
        claims.release(connection, KEY, day=DAY)
        claims.hold(connection, KEY, {"fr": "Pourquoi.", "en": "Why."}, day=DAY)
        again = store.claim(connection, KEY)
        assert again is not None
        assert [claims.told(again.reason, one) for one in ("fr", "en", "de")] == ["Pourquoi.", "Why.", "Why."]
    assert holds(records)["pending"] == 10_000


def test_what_did_not_stand_goes_back_and_what_has_matured_never_does(records: SqlDatabase) -> None:
    bring(records, claims.REVERSED)
    assert holds(records) == {"outside": -30_000, "budget": 30_000}
    with pytest.raises(NotNow):
        earn(records, customer=8)


@pytest.mark.parametrize("other", [
    {"key": ""}, {"key": "x" * (claims.KEY_MAX + 1)}, {"key": "a#b"}, {"offer": "Amis"}, {"offer": "a/b"}, {"country": "ZZ"},
    {"country": "fr"}, {"currency": "eur"}, {"version": 0}, {"amount": Amount(0, 0)},
])  # fmt: skip
def test_a_promise_that_is_wrong_cannot_be_built(other: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        promise(**other)  # type: ignore[arg-type]
    assert promise("x" * claims.KEY_MAX).key


def test_what_is_earned_has_a_day_a_reason_and_the_days_of_its_voucher(records: SqlDatabase) -> None:
    give(records)
    with records.writing() as connection:
        claims.reserve(connection, promise(), day=DAY)
    right = {"earned": DAY, "matures": LATER, "voucher_days": 365, "why": "referral"}
    for wrong in (
        {"matures": DAY - timedelta(days=1)}, {"voucher_days": 0}, {"voucher_days": claims.VOUCHER_DAYS_MAX + 1}, {"why": ""},
        {"why": "x" * (claims.WHY_MAX + 1)}, {"held": ""}, {"held": "x" * (claims.REASON_MAX + 1)},
    ):  # fmt: skip
        with pytest.raises(BadInput), records.writing() as connection:
            claims.earn(connection, KEY, 7, **{**right, **wrong})  # type: ignore[arg-type]
    with pytest.raises(NotFound), records.writing() as connection:
        claims.earn(connection, "nobody", 7, **right)  # type: ignore[arg-type]
    for wrong_budget in (-1, claims.BUDGET_MAX_CENTS + 1):
        with pytest.raises(BadInput):
            give(records, wrong_budget)
    with pytest.raises(NotNow), records.writing() as connection:
        claims.set_budget(connection, "amis", "FR", 5, "GBP", by="Alice Exemple", day=DAY)
    earn(records)
