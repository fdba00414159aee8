"""Cards that turn out to be one person's: the account moves, the stricter permission counts for both, and all can be taken back."""

from __future__ import annotations

import pytest
from tests.support.shop import JUICE, REMINDERS, SOAP, STATISTICS, Shop
from tests.unit.identity.test_vault import Somebody

from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.permissions.ledger import Choice


def permitted(shop: Shop, recipient: str = JUICE, purpose: str = STATISTICS) -> set[int]:
    return set(shop.gate.permitted(shop.request(recipient, purpose))[0])


def account(shop: Shop, card: int) -> int:
    return shop.vault.find("card", f"card-{card}").account


def link(shop: Shop, card: int, customer: int) -> None:
    shop.linking.link(account(shop, card), customer, by="service desk")


def unlink(shop: Shop, card: int) -> None:
    shop.linking.unlink(account(shop, card), by="service desk")


def last(shop: Shop, customer: int, recipient: str = JUICE) -> tuple[str, str, str]:
    row = next(row for row in shop.ledger.of_customer(customer) if row.recipient == recipient)
    return row.kind, row.text, row.day.isoformat()


def test_the_card_belongs_to_the_other_customer_at_once(shop: Shop) -> None:
    one, two = shop.people(2)
    link(shop, 1, one)
    assert shop.vault.find("card", "card-1").customer == one
    assert shop.vault.identify("card", ["card-1"])[0].customer == one, "receipts that come in from now on are one's"
    with shop.records.reading() as connection:
        assert shop.vault.misfiled(connection) == [], "its number is sealed under the new holder's key"
    assert [(row.former, row.customer) for row in shop.linking.pending()] == [(two, one)]


@pytest.mark.parametrize("silent", ["one", "two"])
def test_who_never_chose_counts_as_no(shop: Shop, silent: str) -> None:
    one, two = shop.people(2)
    shop.say(two if silent == "one" else one, "given")
    link(shop, 1, one)
    assert permitted(shop) == permitted(shop, SOAP) == set()


def test_where_both_said_yes_both_keep_it_with_the_older_day(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(one, "given")
    shop.hand.pass_days(100)
    shop.say(two, "given")
    link(shop, 1, one)
    assert permitted(shop) == {one, two}
    assert last(shop, two) == last(shop, one) == ("given", "statistics/2", "2026-03-02")
    shop.hand.pass_days(270)
    assert permitted(shop) == set(), "the older yes is over for both"


def test_an_older_text_that_names_fewer_covers_no_more_afterwards(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(one, "given", old=True)
    shop.say(two, "given")
    link(shop, 1, one)
    assert permitted(shop, JUICE) == {one, two}
    assert permitted(shop, SOAP) == set(), "one never agreed to the soap maker"


def test_a_yes_that_no_longer_counts_is_no(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(one, "given")
    shop.hand.pass_days(400)
    shop.say(two, "given")
    link(shop, 1, one)
    assert permitted(shop) == set()


def test_who_still_waits_is_no(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(one, "notified", REMINDERS)
    shop.hand.pass_days(20)
    shop.say(two, "notified", REMINDERS)
    shop.hand.pass_days(10)
    link(shop, 1, one)
    shop.hand.pass_days(30)
    assert permitted(shop, "shop", REMINDERS) == set()


def test_a_yes_said_after_the_link_counts(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(two, "given")
    link(shop, 1, one)
    shop.say(one, "given")
    assert permitted(shop) == {one}, "the lines that still stand under two's number wait for the night"


def test_a_no_said_after_the_link_reaches_the_lines_where_they_still_are(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(one, "given")
    shop.say(two, "given")
    link(shop, 1, one)
    assert permitted(shop) == {one, two}
    shop.say(one, "withdrawn", recipient=SOAP)
    assert (permitted(shop, JUICE), permitted(shop, SOAP)) == ({one, two}, set())
    shop.say(one, "withdrawn")
    assert permitted(shop) == set()


def test_the_door_knows_it_too(shop: Shop) -> None:
    one, two, three = shop.people(3)
    for customer in (one, two, three):
        shop.say(customer, "given")
    with shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(reading.opened.permitted)
    link(shop, 1, one)
    shop.say(one, "withdrawn")
    leaving = shop.barrier.draw(reading.opened, reading.opened.permitted, {})
    assert set(getattr(leaving, "customers", ())) == {one, two}


def test_a_yes_under_whose_number_somebody_elses_lines_stand_waits(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.enrol([Somebody("card-1", "camille@example.org")])
    link(shop, 1, one)
    with pytest.raises(NotNow, match="relabel"):
        shop.say(two, "given")
    assert permitted(shop) == set()
    shop.say(two, "refused")
    shop.linking.relabel()
    shop.say(two, "given")
    assert permitted(shop) == {two}


def test_unlinking_gives_each_side_its_own_last_word_with_its_day(shop: Shop) -> None:
    one, two, _ = shop.people(3)
    shop.say(one, "given", old=True)
    shop.hand.pass_days(50)
    shop.say(two, "given")
    before = (last(shop, one), last(shop, two), last(shop, two, SOAP))
    link(shop, 1, one)
    shop.linking.relabel()
    shop.hand.pass_days(10)
    assert last(shop, two) != before[1]
    unlink(shop, 1)
    assert permitted(shop, SOAP) == set(), "its lines are not back yet"
    assert shop.linking.relabel().restored == 2
    assert shop.vault.find("card", "card-1").customer == two
    assert (last(shop, one), last(shop, two), last(shop, two, SOAP)) == before
    assert permitted(shop, SOAP) == {two}
    assert shop.moved == [{account(shop, 1): one}, {account(shop, 1): two}]


def test_unlinking_before_the_night_restores_too(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(two, "given")
    link(shop, 1, one)
    unlink(shop, 1)
    shop.linking.relabel()
    assert permitted(shop) == {two}
    assert shop.linking.pending() == []


@pytest.mark.parametrize("who", ["one", "two"])
def test_a_no_said_meanwhile_by_either_is_a_no_of_both(shop: Shop, who: str) -> None:
    one, two = shop.people(2)
    for customer in (one, two):
        shop.say(customer, "given")
    link(shop, 1, one)
    shop.linking.relabel()
    shop.say(one if who == "one" else two, "withdrawn", recipient=JUICE)
    unlink(shop, 1)
    shop.linking.relabel()
    assert (permitted(shop, JUICE), permitted(shop, SOAP)) == (set(), {one, two})


def test_a_yes_said_meanwhile_stands(shop: Shop) -> None:
    one, two = shop.people(2)
    shop.say(two, "given", old=True)
    link(shop, 1, one)
    shop.say(one, "given")
    unlink(shop, 1)
    shop.linking.relabel()
    assert (permitted(shop, JUICE), permitted(shop, SOAP)) == ({one, two}, {one})


def test_a_no_after_the_unlinking_is_of_the_one_who_says_it(shop: Shop) -> None:
    one, two = shop.people(2)
    for customer in (one, two):
        shop.say(customer, "given")
    link(shop, 1, one)
    unlink(shop, 1)
    shop.say(two, "withdrawn")
    assert permitted(shop) == set(), "two's lines may still stand under one's number"
    shop.linking.relabel()
    assert permitted(shop) == {one}


def test_a_chain_of_links_is_stricter_for_everybody_under_whose_number_lines_stand(shop: Shop) -> None:
    one, two, three = shop.people(3)
    for customer in (one, two):
        shop.say(customer, "given")
    link(shop, 0, two)
    assert permitted(shop) == {one, two}
    link(shop, 0, three)
    assert permitted(shop) == set(), "three never chose, and the card's lines may still stand under one"
    assert {row.former for row in shop.linking.pending()} == {one, two}
    shop.linking.relabel()
    assert shop.moved == [{account(shop, 0): three}]
    unlink(shop, 0)
    shop.linking.relabel()
    assert permitted(shop) == {one, two}, "the second link took both their words, and gives both back"
    unlink(shop, 0)
    shop.linking.relabel()
    assert shop.vault.find("card", "card-0").customer == one
    assert permitted(shop) == {one, two}


def test_two_links_of_one_customer_are_taken_back_one_by_one(shop: Shop) -> None:
    one, _, three = shop.people(3)
    for customer in (one, three):
        shop.say(customer, "given")
    link(shop, 1, one)
    link(shop, 2, one)
    shop.linking.relabel()
    assert permitted(shop) == set()
    unlink(shop, 1)
    shop.linking.relabel()
    assert permitted(shop) == set(), "one is still linked with three, whose word is not told apart yet"
    unlink(shop, 2)
    shop.linking.relabel()
    assert permitted(shop) == {one, three}


def test_what_was_said_after_a_link_is_not_under_it_when_another_is_taken_back(shop: Shop) -> None:
    one, _, _ = shop.people(3)
    link(shop, 1, one)
    shop.say(one, "given")
    link(shop, 2, one)
    assert permitted(shop) == set()
    shop.linking.relabel()
    unlink(shop, 2)
    shop.linking.relabel()
    assert permitted(shop) == {one}


def test_linking_to_the_own_customer_changes_nothing(shop: Shop) -> None:
    one, _ = shop.people(2)
    with shop.records.reading() as connection:
        before = log.size(connection, EVENTS)
    assert shop.linking.link(account(shop, 0), one, by="service desk").seq is None
    with shop.records.reading() as connection:
        assert log.size(connection, EVENTS) == before


def test_nothing_is_linked_to_or_from_nobody(shop: Shop) -> None:
    one, two = shop.people(2)
    for wrong in (lambda: link(shop, 1, 99), lambda: shop.linking.link(99, one, by="x")):
        with pytest.raises(NotFound):
            wrong()
    with pytest.raises(BadInput, match="never linked"):
        unlink(shop, 0)
    with pytest.raises(BadInput, match="--by"):
        shop.linking.link(account(shop, 1), one, by=" ")
    shop.vault.destroy_key(two)
    with pytest.raises(NotFound):
        link(shop, 0, two)
    with pytest.raises(NotFound):
        link(shop, 1, one)
    assert shop.linking.pending() == []


def test_who_decided_on_what_is_no_longer_so_changes_nothing(shop: Shop) -> None:
    one, two, three = shop.people(3)
    link(shop, 1, one)
    with pytest.raises(NotNow, match="meanwhile"):
        shop.linking.link(account(shop, 1), three, by="another desk", former=two)
    assert shop.vault.find("card", "card-1").customer == one


def test_a_link_says_who_decided_it_under_the_persons_key(shop: Shop) -> None:
    one, _ = shop.people(2)
    seq = shop.linking.link(account(shop, 1), one, by="service desk 4", reason="one household").seq
    with shop.records.reading() as connection:
        row = log.one(connection, EVENTS, seq or 0)
    assert row is not None
    assert b"service desk 4" in shop.vault.open(one, row.sealed or b"")
    assert b"service desk 4" not in row.entry()


def test_lines_that_were_being_moved_when_the_card_moved_again_are_moved_again(shop: Shop) -> None:
    one, two, three = shop.people(3)
    link(shop, 1, one)

    def meanwhile(*_: object) -> int:
        if not shop.moved:
            shop.moved.append({})
            link(shop, 1, three)
        return 0

    shop.linking._relabel = meanwhile
    assert shop.linking.relabel().accounts == 0
    assert {row.former for row in shop.linking.pending()} == {one, two}
    assert shop.linking.relabel().accounts == 1
    assert shop.linking.pending() == []


def test_a_choice_in_the_same_call_as_others_is_still_refused_whole(shop: Shop) -> None:
    one, two, three = shop.people(3)
    link(shop, 1, one)
    with pytest.raises(NotNow):
        shop.ledger.record([Choice(three, STATISTICS, "given"), Choice(two, STATISTICS, "given")])
    assert permitted(shop) == set()
