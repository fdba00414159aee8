"""Young people: what they may permit alone, what a parent permits for them, and what stays closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.support.shop import JUICE, STATISTICS, Shop, terms

from volens.errors import BadInput
from volens.permissions.ages import PARENT, UNKNOWN, Ages
from volens.permissions.ledger import Choice, Ledger

LAW = Ages(
    consent=frozenset({"statistics", "ads"}),
    profiling_ads=frozenset({"ads"}),
    alone=lambda country, on: {"FR": 15, "DE": 16, "BE": 13}[country],
)
TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("born", "until"),
    [
        ("2010-05-17", date(2028, 6, 1)),
        ("2010-05-01", date(2028, 5, 1)),
        ("2010-12-02", date(2029, 1, 1)),
        ("2012-02-29", date(2030, 3, 1)),
        ("2008-03-02", date(2026, 4, 1)),
        ("2008-02-28", None),
        ("1980-01-31", None),
        (None, None),
    ],
)
def test_next_to_a_customer_stands_a_month_and_no_birth_date(born: str | None, until: date | None) -> None:
    assert LAW.minor_until(born, "FR", TODAY) == until


def test_the_age_is_that_of_the_country_on_that_day() -> None:
    until = LAW.minor_until("2011-01-01", "FR", TODAY)
    assert until == date(2029, 1, 1)
    needs = {country: LAW.needs_parent("statistics", until, country, TODAY) for country in ("FR", "DE", "BE")}
    assert needs == {"FR": False, "DE": True, "BE": False}
    assert not LAW.needs_parent("loyalty", until, "DE", TODAY), "a contract is no consent"


def test_advertising_by_profile_is_closed_for_minors_even_if_a_parent_agrees() -> None:
    until = LAW.minor_until("2009-01-01", "FR", TODAY)
    for by_parent in (True, False):
        assert "closed for minors" in str(LAW.against("ads", by_parent, until, "FR", TODAY))
    assert LAW.against("statistics", False, until, "FR", TODAY) is None
    assert LAW.against("ads", False, until, "FR", date(2027, 1, 1)) is None


def test_whoever_is_unknown_counts_as_the_programme_says() -> None:
    assert Ages(unknown_is_minor=True).minor_until(None, "FR", TODAY) == UNKNOWN
    strict = Ages(consent=frozenset({"statistics"}), unknown_is_minor=True)
    assert strict.against("statistics", False, UNKNOWN, "FR", TODAY)
    assert strict.against("statistics", True, UNKNOWN, "FR", TODAY) is None


def permitted(shop: Shop) -> set[int]:
    return set(shop.gate.permitted(shop.request(JUICE))[0])


def born(shop: Shop, customer: int, day: str) -> None:
    """A birth date arrives, as the customer master brings it."""
    from volens.evidence.log import EVENTS, lock

    today = shop.hand.instant.date()
    with shop.records.writing() as connection:
        lock(connection, EVENTS)
        shop.ledger.minors.note(connection, {customer: LAW.minor_until(day, "FR", today)}, today)
        shop.ledger.minors.settle(connection, [customer], today)


def by_parent(shop: Shop, customer: int) -> None:
    shop.ledger.record([Choice(customer, STATISTICS, "given", actor=PARENT, proof={"form": "paper 12"})])


def test_a_child_cannot_say_yes_alone_and_can_always_say_no(shop: Shop) -> None:
    (child,) = shop.people(1)
    born(shop, child, "2012-06-10")
    with pytest.raises(BadInput, match="below the age of 15"):
        shop.say(child, "given")
    assert permitted(shop) == set()
    shop.say(child, "refused")
    by_parent(shop, child)
    assert permitted(shop) == {child}
    shop.say(child, "withdrawn")
    assert permitted(shop) == set()


def test_a_parents_yes_needs_to_be_shown_and_is_for_children_only(shop: Shop) -> None:
    (adult,) = shop.people(1)
    with pytest.raises(BadInput, match="shown"):
        Choice(adult, STATISTICS, "given", actor=PARENT)
    with pytest.raises(BadInput, match="nobody decides for them"):
        by_parent(shop, adult)
    shop.ledger.record([Choice(adult, STATISTICS, "refused", actor=PARENT)])


def test_a_birth_date_that_arrives_later_ends_what_a_child_could_not_give(shop: Shop) -> None:
    child, other = shop.people(2)
    for customer in (child, other):
        shop.say(customer, "given")
    with shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(reading.opened.permitted)
    born(shop, child, "2012-06-10")
    assert permitted(shop) == {other}
    assert {row.kind for row in shop.ledger.of_customer(child) if row.purpose == STATISTICS} == {"invalidated"}
    leaving = shop.barrier.draw(reading.opened, reading.opened.permitted, {})
    assert set(getattr(leaving, "customers", ())) == {child}, "the door knows it too"


@pytest.mark.parametrize("door", [False, True])
def test_on_reaching_the_age_a_parents_yes_ends_by_an_event_of_that_day(shop: Shop, door: bool) -> None:
    (child,) = shop.people(1)
    born(shop, child, "2011-03-20")
    by_parent(shop, child)
    shop.hand.pass_days(29)  # 31 March: fifteen since the 20th, but only the month is kept
    assert set(shop.barrier.hand_over(shop.request(), [child], {}).customers) == {child}
    shop.hand.pass_days(1)
    if door:
        assert set(shop.barrier.hand_over(shop.request(), [child], {}).customers) == set()
    else:
        with shop.gate.open_purchases(shop.request()) as reading:
            assert set(reading.opened.permitted) == set()
    assert {row.kind for row in shop.ledger.of_customer(child)} == {"expired"}
    shop.say(child, "given")
    assert permitted(shop) == {child}


def test_a_programme_can_count_whoever_is_unknown_as_a_minor(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(one, "given")
    strict = Ledger(shop.records, shop.vault, replace(terms(), ages=replace(terms().ages, unknown_is_minor=True)), shop.hand.clock)
    with pytest.raises(BadInput, match="below the age"):
        strict.record([Choice(two, STATISTICS, "given")])
    assert permitted(shop) == set(), "the yes of before ended with the first choice under the stricter programme"
    strict.record([Choice(two, STATISTICS, "given", actor=PARENT, proof={"form": "12"})])
    assert permitted(shop) == {two}
    shop.hand.pass_days(1)
    shop.say(one, "given")
    assert permitted(shop) == {one, two}, "and under one that counts them as adults nobody is held back"


def test_whoever_comes_of_age_has_no_day_any_more(shop: Shop) -> None:
    from volens.identity import store as identity

    (child,) = shop.people(1)
    born(shop, child, "2008-05-10")
    shop.hand.pass_days(91)
    shop.say(child, "given")
    with shop.records.reading() as connection:
        assert identity.ages_of(connection, [child]) == {child: ("FR", None)}
        assert identity.of_age(connection, shop.hand.instant.date(), 10) == []


def test_what_a_parent_permitted_stays_a_parents_yes_through_a_link(shop: Shop) -> None:
    child, card = shop.people(2)
    for customer in (child, card):
        born(shop, customer, "2011-03-20")
        by_parent(shop, customer)
        shop.hand.pass_days(3)
    shop.linking.link(shop.vault.find("card", "card-1").account, child, by="service desk")
    assert permitted(shop) == {child, card}
    shop.hand.pass_days(30)
    shop.ledger.turn(shop.hand.instant.date())
    assert permitted(shop) == set()
