"""Taking part: joined once, bound by what was accepted, counted once, paid or given back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.support.offers import LAWFUL
from tests.support.taking_part import ABROAD, BRUNO, FRIENDS, MINOR, NOW, OFFER, Shop, orders

from volens.audit.offering import check_offering
from volens.audit.report import Report
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.ingest.master import Person
from volens.offering import participations, store
from volens.offering.participations import KEY_MAX
from volens.offering.rules import REPORTED_DAYS_MAX
from volens.wallet import store as wallet

THREADS = 32


def test_two_orders_earn_the_reward_of_the_accepted_version(shop: Shop) -> None:
    one = shop.join()
    assert (one.times, one.done, one.state, one.left, shop.left()) == (2, 0, "open", 2, 4_000)
    assert shop.order(1, "o/1").counted
    assert shop.claim(one.claim) == "reserved"
    done = shop.order(1, "o/2")
    assert (done.counted, done.done, done.state) == (True, 2, "done")
    assert shop.claim(one.claim) == "pending"
    assert shop.one(one.id).matures == "2027-01-02"
    shop.clean()


def test_the_wallet_calls_an_offer_by_its_name(shop: Shop) -> None:
    names = shop.house.wallet.names
    assert (names(OFFER, 1, "fr"), names(OFFER, 0, "en")) == ("10 euros pour deux commandes", "10 euros for two orders")
    assert names("nobody-knows-it", 0, "fr") == "Nobody knows it"


def test_an_act_counts_once_by_its_key_and_for_one_person(shop: Shop) -> None:
    shop.join(1)
    shop.join(2)
    assert shop.order(1, "o/1").counted
    again = shop.order(1, "o/1")
    assert (again.counted, again.done, [one.code for one in again.reasons]) == (False, 1, ["again"])
    assert [one.code for one in shop.order(2, "o/1").reasons] == ["nobody"], "and tells nobody whose it was"
    with shop.records.reading() as connection:
        assert [len(store.acts_of(connection, one.id)) for one in store.all_participations(connection)] == [1, 0]
    shop.clean()


def test_what_does_not_count_says_why(shop: Shop) -> None:
    assert [one.code for one in shop.order(1, "o/1").reasons] == ["nobody"]
    by_email = shop.house.offering.acted(("email", "nobody@example.org"), OFFER, "o/1", kind="order", at=NOW)
    assert [one.code for one in by_email.reasons] == ["nobody"], "somebody unknown gets the same answer"
    shop.hand.pass_days(1)
    shop.join()
    assert [one.code for one in shop.order(1, "o/1", ago=timedelta(days=1)).reasons] == ["before-joining"]
    assert [one.code for one in shop.order(1, "o/1", kind="survey").reasons] == ["other-act"]
    with pytest.raises(BadInput, match="When was it done"):
        shop.order(1, "o/1", ago=timedelta(minutes=-6))
    assert shop.order(1, "o/1", ago=timedelta(minutes=-4)).counted, "another clock may be a little ahead"
    with pytest.raises(BadInput, match="key"):
        shop.order(1, "x" * (KEY_MAX + 1))
    assert shop.order(1, "x" * KEY_MAX).state == "done"
    shop.clean()


def test_an_old_act_counts_up_to_its_limit(shop: Shop) -> None:
    shop.put(orders(version=2, ends="2027-11-30"), budget_cents=None)
    shop.join()
    shop.hand.pass_days(REPORTED_DAYS_MAX + 1)
    late = shop.order(1, "o/1", ago=timedelta(days=REPORTED_DAYS_MAX + 1))
    assert [one.code for one in late.reasons] == ["too-old"]
    assert shop.order(1, "o/1", ago=timedelta(days=REPORTED_DAYS_MAX)).counted


def test_friends_are_not_reported_as_acts(shop: Shop) -> None:
    shop.put(LAWFUL.read_text(encoding="utf-8"), budget_cents=50_000)
    one = shop.join(offer=FRIENDS)
    assert [each.code for each in shop.order(1, "f/1", offer=FRIENDS, kind="referral").reasons] == ["other-act"]
    with shop.records.writing() as connection:
        one = participations.count(connection, one, "f/1", on=NOW.date())
        one = participations.count(connection, one, "f/2", on=NOW.date(), held={"fr": "Nous regardons.", "en": "We look at it."})
    assert (one.state, shop.claim(one.claim)) == ("done", "held")
    shop.clean()


def test_she_is_bound_by_the_version_that_she_accepted(shop: Shop) -> None:
    first = shop.join(1)
    shop.put(orders(version=2, promised_cents=800, reward__amount__money_cents=300, reward__due_days=10, act__times=1),
             budget_cents=None)  # fmt: skip
    with pytest.raises(NotNow, match="Another version"):
        shop.join(2, version=1)
    second = shop.join(2)
    for key in ("a/1", "a/2"):
        shop.order(1, key)
    shop.order(2, "b/1")
    with shop.records.reading() as connection:
        old, new = wallet.claim(connection, first.claim), wallet.claim(connection, second.claim)
    assert old is not None
    assert new is not None
    assert (old.version, old.money_cents, old.matures) == (1, 500, "2027-01-02")
    assert (new.version, new.money_cents, new.matures) == (2, 300, "2026-12-13")
    shop.clean()


def test_joining_twice_is_once(shop: Shop) -> None:
    one = shop.join(key="a")
    assert shop.join(key="a") == one
    assert shop.join(key="b") == one, "what is open is hers already"
    assert shop.left() == 4_000
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: shop.join(2, key=f"k{at}").id, range(8)))
    assert len(set(found)) == 1
    assert shop.left() == 3_000
    shop.clean()


def test_it_is_earned_as_often_as_the_offer_says_and_anew_the_year_after(shop: Shop) -> None:
    for round_ in ("a", "b"):
        assert shop.join(key=round_).state == "open"
        for at in (1, 2):
            shop.order(1, f"{round_}/{at}")
    assert shop.house.offering.may_join(shop.number(1), shop.house.offering.document(OFFER, 1), "FR").codes == ("often",)
    with pytest.raises(NotNow, match="as often"):
        shop.join(key="c")
    assert shop.join(key="a").state == "done", "the same call again is answered as it was"
    shop.hand.pass_days(29)  # 1 January 2027
    assert shop.join(key="c").state == "open"
    shop.clean()


def test_without_a_limit_a_year_it_is_earned_once(shop: Shop) -> None:
    shop.put(orders(offer="une-fois", act__cap_a_year=..., act__times=1))
    shop.join(offer="une-fois", key="a")
    shop.order(1, "o", offer="une-fois")
    shop.hand.pass_days(40)
    with pytest.raises(NotNow, match="as often"):
        shop.join(offer="une-fois", key="b")


def test_who_cannot_join(shop: Shop) -> None:
    with pytest.raises(Refused, match="too young"):
        shop.join(MINOR)
    with pytest.raises(Refused, match="another country"):
        shop.join(ABROAD)
    with pytest.raises(BadInput, match="18 years"):
        shop.join(adult=False)
    with pytest.raises(BadInput, match="no terms in 'de'"):
        shop.join(language="de")
    with pytest.raises(BadInput, match="no offers in 'XX'"):
        shop.join(country="XX")
    with pytest.raises(NotFound):
        shop.house.offering.join(99, OFFER, country="FR", language="fr", version=1, adult=True, key="k")
    with pytest.raises(BadInput, match="key"):
        shop.join(key="")
    assert shop.left() == 5_000, "nothing is set aside for them"


@pytest.mark.parametrize(("born", "joins"), [("2010-11-15", True), ("2011-01-02", False)])
def test_an_offer_for_younger_people_counts_their_age_back(shop: Shop, born: str, joins: bool) -> None:
    shop.put(orders(offer="des-16-ans", min_age=16))
    shop.house.customers.enrol([Person(card="C00099", email=None, country="FR", details={"birth_date": born})])
    if joins:
        assert shop.join(99, "des-16-ans").state == "open"
    else:
        with pytest.raises(Refused, match="too young"):
            shop.join(99, "des-16-ans")


def test_the_budget_is_never_exceeded_by_32_who_join_at_once(shop: Shop) -> None:
    people = [Person(card=f"C{card:05}", email=None, country="FR", details={}) for card in range(100, 100 + THREADS)]
    shop.house.customers.enrol(people)

    def one(card: int) -> bool:
        try:
            return shop.join(card).state == "open"
        except NotNow:
            return False

    with ThreadPoolExecutor(THREADS) as pool:
        joined = list(pool.map(one, range(100, 100 + THREADS)))
    assert sum(joined) == 5
    assert shop.left() == 0
    assert shop.house.offering.open_in(OFFER, "FR").codes == ("budget",)
    for card, there in zip(range(100, 100 + THREADS), joined, strict=True):
        if there:
            shop.order(card, f"{card}/1")
            assert shop.order(card, f"{card}/2").state == "done", "whoever was promised it is paid"
    shop.clean()


def test_leaving_gives_the_reward_back_and_what_is_earned_stays(shop: Shop) -> None:
    one, earned = shop.join(1), shop.join(2)
    for key in ("b/1", "b/2"):
        shop.order(2, key)
    with pytest.raises(NotFound):
        shop.house.offering.leave(shop.number(2), one.id)
    for _ in range(2):
        assert shop.house.offering.leave(shop.number(1), one.id).state == "ended"
    assert shop.claim(one.claim) == "given-back"
    with pytest.raises(NotNow, match="earned"):
        shop.house.offering.leave(shop.number(2), earned.id)
    assert [each.code for each in shop.order(1, "a/1").reasons] == ["nobody"]
    assert shop.join(1, key="again").id != one.id
    shop.clean()


def test_what_is_taken_back_in_time_can_be_done_again(shop: Shop) -> None:
    one = shop.join()
    shop.order(1, "a/1")
    assert shop.house.offering.undone(OFFER, "a/1", "returned").done == 0
    assert shop.house.offering.undone(OFFER, "a/1", "returned").done == 0, "twice is once"
    assert not shop.order(1, "a/1").counted, "what was taken back does not count again"
    for key in ("a/2", "a/3"):
        shop.order(1, key)
    assert shop.claim(one.claim) == "pending"
    again = shop.house.offering.undone(OFFER, "a/3", "cancelled")
    assert (again.state, again.done, again.matures, shop.claim(one.claim)) == ("open", 1, "", "reversed")
    assert (shop.claim(again.claim), shop.left()) == ("reserved", 4_000)
    assert shop.order(1, "a/4").state == "done"
    assert shop.claim(again.claim) == "pending"
    with pytest.raises(NotFound):
        shop.house.offering.undone(OFFER, "never", "returned")
    with pytest.raises(BadInput, match="no reason"):
        shop.house.offering.undone(OFFER, "a/4", "because")
    shop.clean()


def test_what_was_paid_is_never_taken_back(shop: Shop) -> None:
    one = shop.join()
    for key in ("a/1", "a/2"):
        shop.order(1, key)
    with shop.records.writing() as connection:
        wallet.move_claim(connection, one.claim, state="available")
    assert shop.house.offering.undone(OFFER, "a/2", "returned").state == "done"
    assert shop.claim(one.claim) == "available"
    assert ("late", 1) in {(row[4], row[5]) for row in shop.house.offering.counts(OFFER)}, "staff see that it came too late"
    report = Report()
    with shop.records.reading() as connection:
        check_offering(connection, report)
    assert report.ok, report.to_text()


def test_two_rounds_are_open_where_one_was_taken_back(shop: Shop) -> None:
    first = shop.join(key="a")
    for key in ("a/1", "a/2"):
        shop.order(1, key)
    second = shop.join(key="b")
    shop.house.offering.undone(OFFER, "a/2", "returned")
    assert {shop.one(one.id).state for one in (first, second)} == {"open"}
    for key in ("b/1", "b/2"):
        shop.order(1, key)
    assert shop.one(second.id).state == "done"
    assert shop.order(1, "a/3").state == "done"
    assert shop.one(first.id).state == "done"
    shop.clean()


def test_erasing_gives_back_what_was_only_reserved(shop: Shop) -> None:
    shop.join(1)
    shop.order(1, "a/1")
    shop.join(2)
    who = shop.number(1)
    shop.house.erasure.erase(who, by=BRUNO, why="no-longer-needed")
    assert shop.left() == 4_000
    with shop.records.reading() as connection:
        assert store.of_customer(connection, who) == []
        assert [one.customer for one in store.all_acts(connection)] == []
    assert sum(row[5] for row in shop.house.offering.counts(OFFER) if row[4] == "joined") == 2, "counts are of nobody"
    shop.clean()


def test_what_is_under_a_card_follows_it_to_its_holder(shop: Shop) -> None:
    one = shop.join(2)
    shop.order(2, "b/1")
    first = shop.number(1)
    shop.house.customers.link(("card", "C00002"), ("card", "C00001"), by="service desk")
    assert shop.house.offering.nightly()["followed"] == 0, "she has an account of her own still"
    shop.house.customers.link(("email", "c2@example.org"), ("card", "C00001"), by="service desk")
    assert shop.house.offering.nightly()["followed"] == 1
    assert shop.house.offering.nightly()["followed"] == 0
    assert shop.one(one.id).customer == first
    assert shop.order(1, "b/2").state == "done"
    shop.clean()
