"""Sessions: who is signed in, and everybody else is not (`volens.access.sessions`)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from tests.support.shop import START, HandClock, Shop

from volens.access.sessions import BY_ACCOUNT, FRESH, IDLE, KEPT, LONGEST, SEEN_EVERY, SKEW, Session, Sessions
from volens.access.staff import Member, Staff
from volens.app.forgetting import OTHERS
from volens.databases.connect import SqlDatabase
from volens.errors import NotNow, NotSignedIn, Unavailable
from volens.identity.tombstones import Tombstones
from volens.rights.erasure import Erasure

BRUNO = Member(1, "Bruno Modèle", frozenset({"dpo"}))


@pytest.fixture
def hand(shop: Shop) -> HandClock:
    return shop.hand


@pytest.fixture
def sessions(shop: Shop) -> Sessions:
    return Sessions(shop.records, shop.keys, shop.hand.clock)


@pytest.fixture
def camille(shop: Shop) -> int:
    """The account of her card."""
    shop.people(3)
    return shop.vault.find("card", "card-1").account


def signed_in(sessions: Sessions, number: str) -> Session:
    found = sessions.recognise(number)
    assert found is not None
    return found


def test_who_signs_in_is_known_again(sessions: Sessions, shop: Shop, camille: int) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    assert signed_in(sessions, begun.number).customer == shop.vault.find("card", "card-1").customer
    assert begun.number not in repr(begun)


@pytest.mark.parametrize("shown", ["", "x", "A" * 43, "é" * 43, "A" * 10_000, "' or 1=1 --"])
def test_any_other_number_is_nobody(sessions: Sessions, camille: int, shown: str) -> None:
    sessions.begin_customer(camille, how=BY_ACCOUNT)
    assert sessions.recognise(shown) is None


def test_the_records_hold_no_number(sessions: Sessions, camille: int, records: SqlDatabase) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    with records.reading() as connection:
        assert begun.number not in repr(connection.execute(text("select * from web_sessions")).all())


def test_signing_in_makes_a_new_number_and_ends_the_one_before(sessions: Sessions, camille: int) -> None:
    planted = sessions.begin_customer(camille, how=BY_ACCOUNT)
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT, former=planted.number)
    assert begun.number != planted.number
    assert sessions.recognise(planted.number) is None
    assert sessions.recognise(begun.number) is not None


def test_a_sign_in_makes_one_session(sessions: Sessions, camille: int) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT, sign_in="once")
    with pytest.raises(NotSignedIn) as told:
        sessions.begin_customer(camille, how=BY_ACCOUNT, sign_in="once")
    assert told.value.reason == "used"
    sessions.end(begun.number)
    with pytest.raises(NotSignedIn):  # signing out does not make it good again
        sessions.begin_customer(camille, how=BY_ACCOUNT, sign_in="once")


def test_a_sign_in_that_is_used_again_does_not_end_what_the_browser_has(sessions: Sessions, camille: int) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT, sign_in="once")
    with pytest.raises(NotSignedIn):
        sessions.begin_customer(camille, how=BY_ACCOUNT, sign_in="once", former=begun.number)
    assert sessions.recognise(begun.number) is not None


def test_half_an_hour_without_a_request_ends_it(sessions: Sessions, camille: int, hand: HandClock) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    hand.instant += IDLE - timedelta(seconds=1)
    assert sessions.recognise(begun.number) is not None
    hand.instant += IDLE
    assert sessions.recognise(begun.number) is None


@pytest.mark.parametrize("kind", ["customer", "staff"])
def test_it_ends_in_any_case(sessions: Sessions, shop: Shop, camille: int, hand: HandClock, kind: str) -> None:
    if kind == "staff":
        member = _staff(shop).recognise("https://team.example", "1", "Bruno Modèle", ["dpo"])
        begun = sessions.begin_staff(member)
    else:
        begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    while hand.instant - START < LONGEST[kind] - timedelta(minutes=20):
        hand.instant += timedelta(minutes=20)
        assert sessions.recognise(begun.number) is not None
    hand.instant = START + LONGEST[kind]
    assert sessions.recognise(begun.number) is None


def test_a_request_writes_once_in_five_minutes(sessions: Sessions, camille: int, hand: HandClock, records: SqlDatabase) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    seen = []
    for _ in range(4):
        hand.instant += SEEN_EVERY / 2
        sessions.recognise(begun.number)
        with records.reading() as connection:
            seen.append(connection.execute(text("select seen from web_sessions")).scalar_one())
    assert seen == [
        START.isoformat(), *[(START + SEEN_EVERY).isoformat()] * 2, (START + 2 * SEEN_EVERY).isoformat()
    ]  # fmt: skip


def test_a_clock_that_was_set_back_makes_no_session_longer(sessions: Sessions, camille: int, hand: HandClock) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    hand.instant -= SKEW
    assert sessions.recognise(begun.number) is not None
    hand.instant -= timedelta(seconds=1)
    assert sessions.recognise(begun.number) is None
    hand.instant = START + timedelta(days=3)
    assert sessions.recognise(begun.number) is None


def test_signing_out_here_leaves_the_other_browser(sessions: Sessions, camille: int) -> None:
    here, there = (sessions.begin_customer(camille, how=BY_ACCOUNT) for _ in range(2))
    assert sessions.end(here.number)
    assert not sessions.end(here.number)
    assert sessions.recognise(here.number) is None
    assert sessions.recognise(there.number) is not None


def test_signing_out_everywhere_ends_all_of_hers_and_nobody_elses(sessions: Sessions, shop: Shop, camille: int) -> None:
    here, there = (sessions.begin_customer(camille, how=BY_ACCOUNT) for _ in range(2))
    other = sessions.begin_customer(shop.vault.find("card", "card-2").account, how=BY_ACCOUNT)
    assert sessions.end_everywhere(here.number) == 2
    assert [sessions.recognise(one.number) is None for one in (here, there, other)] == [True, True, False]
    assert sessions.end_everywhere(here.number) == 0


def test_a_card_that_turns_out_to_be_somebody_elses_takes_its_session_along(
    sessions: Sessions, shop: Shop, camille: int
) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    other = shop.vault.find("card", "card-2")
    shop.linking.link(camille, other.customer, by="Alice Exemple")
    assert signed_in(sessions, begun.number).customer == other.customer


def test_erasing_somebody_ends_her_sessions_and_takes_them_away(
    sessions: Sessions, shop: Shop, camille: int, records: SqlDatabase
) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    other = sessions.begin_customer(shop.vault.find("card", "card-2").account, how=BY_ACCOUNT)
    stones = Tombstones(shop.folder / "keys" / "tombstones")
    erasure = Erasure(shop.records, shop.vault, shop.ledger, stones, shop.hand.clock, "FR", lambda *_: None,
                      others=OTHERS)  # fmt: skip
    erasure.erase(shop.vault.find("card", "card-1").customer, by="Alice Exemple", why="consent-withdrawn")
    assert sessions.recognise(begun.number) is None
    assert sessions.recognise(other.number) is not None
    with records.reading() as connection:
        assert connection.execute(text("select count(*) from web_sessions")).scalar() == 1
    with pytest.raises(NotSignedIn):
        sessions.begin_customer(camille, how=BY_ACCOUNT)


@pytest.mark.parametrize(("column", "value"), [
    ("account", 3), ("kind", "staff"), ("roles", '["dpo"]'), ("ends", "2099-01-01T00:00:00+00:00"), ("staff", 1),
    ("authenticated", START.isoformat()), ("created", "2026-03-02T09:00:01+00:00"), ("how", "link"), ("seal", b"x" * 32),
])  # fmt: skip
def test_whoever_writes_into_the_records_signs_in_as_nobody(
    sessions: Sessions, camille: int, records: SqlDatabase, column: str, value: object
) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    with records.writing() as connection:
        connection.execute(text(f"update web_sessions set {column} = :value"), {"value": value})
    assert sessions.recognise(begun.number) is None


def test_what_needs_a_fresh_proof_gets_one(sessions: Sessions, camille: int, hand: HandClock) -> None:
    unsaid = sessions.begin_customer(camille, how=BY_ACCOUNT)
    assert not signed_in(sessions, unsaid.number).fresh
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT, authenticated=START)
    hand.instant += FRESH
    assert signed_in(sessions, begun.number).fresh
    hand.instant += timedelta(seconds=1)
    assert not signed_in(sessions, begun.number).fresh
    later = sessions.begin_customer(camille, how=BY_ACCOUNT, authenticated=hand.instant + timedelta(minutes=5))
    assert not signed_in(sessions, later.number).fresh


def test_a_link_is_used_up_with_the_session_that_it_makes(sessions: Sessions, shop: Shop, camille: int) -> None:
    customer, used = shop.vault.find("card", "card-1").customer, []

    def redeem(connection: Connection) -> int:
        used.append(connection.execute(text("select count(*) from web_sessions")).scalar_one())
        if len(used) > 1:
            raise NotNow("This link was used.")
        return customer

    begun = sessions.begin_by_link(redeem)
    session = signed_in(sessions, begun.number)
    assert (session.customer, session.how, session.fresh) == (customer, "link", True)
    with pytest.raises(NotNow):
        sessions.begin_by_link(redeem, former=begun.number)
    assert sessions.recognise(begun.number) is not None
    with pytest.raises(NotSignedIn):
        sessions.begin_by_link(lambda connection: 99)


def test_sessions_that_are_over_go(sessions: Sessions, camille: int, hand: HandClock, records: SqlDatabase) -> None:
    sessions.begin_customer(camille, how=BY_ACCOUNT)
    hand.instant += LONGEST["customer"] + KEPT + timedelta(seconds=1)
    sessions.begin_customer(camille, how=BY_ACCOUNT)
    with records.reading() as connection:
        assert connection.execute(text("select count(*) from web_sessions")).scalar() == 1


def test_without_records_nobody_is_signed_in_and_it_is_said(sessions: Sessions, camille: int, records: SqlDatabase) -> None:
    begun = sessions.begin_customer(camille, how=BY_ACCOUNT)
    with records.writing() as connection:
        connection.execute(text("alter table web_sessions rename to elsewhere"))
    with pytest.raises(Unavailable):
        sessions.recognise(begun.number)


def _staff(shop: Shop) -> Staff:
    return Staff(shop.records, shop.keys, shop.vault, shop.hand.clock, "FR")
