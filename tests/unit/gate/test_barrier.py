"""The gate and its doors: what cannot be told is no; what leaves was permitted at the instant it left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from pyroaring import BitMap
from tests.support.shop import FIELDS, JUICE, REMINDERS, SOAP, STATISTICS, Shop

from volens.errors import Refused, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, Event
from volens.gate import store
from volens.gate.barrier import Asked, Barrier, Drawn, Leaving
from volens.gate.policy import PurposeRule, ReadRequest
from volens.gate.reads import OpenedPurchases


@pytest.mark.parametrize(
    ("purpose", "recipient", "fields", "says"),
    [
        ("astrology", JUICE, FIELDS, "not declared"),
        (STATISTICS, "stranger", FIELDS, "not a declared recipient"),
        (STATISTICS, JUICE, (*FIELDS, "store"), "may not read: store"),
    ],
)
def test_what_is_not_declared_is_refused_with_its_reason(
    shop: Shop, purpose: str, recipient: str, fields: tuple[str, ...], says: str
) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    request = shop.request(recipient, purpose, fields)
    with pytest.raises(Refused, match=says), shop.gate.open_purchases(request):
        pytest.fail("nothing may be read")
    handed = shop.barrier.hand_over(request, [customer], {})
    assert not handed.customers
    with shop.records.reading() as connection:
        assert not list(log.rows(connection, EVENTS, kinds=["opened"]))


def test_a_customer_who_does_not_exist_is_not_handed_over(shop: Shop) -> None:
    handed = shop.barrier.hand_over(shop.request(), [77], {})
    assert (set(handed.customers), set(handed.kept_back)) == (set(), {77})


def test_records_that_do_not_answer_are_no(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    with shop.records.writing() as connection:
        connection.exec_driver_sql("alter table permissions rename to lost")
    with pytest.raises(Unavailable), shop.gate.open_purchases(shop.request()):
        pytest.fail("nothing may be read")
    with pytest.raises(Unavailable):
        shop.barrier.hand_over(shop.request(), [customer], {})


def test_only_the_gate_can_open(shop: Shop) -> None:
    with pytest.raises(TypeError, match="only the gate"):
        OpenedPurchases(1, 1, shop.request(), BitMap([1]), (), shop.hand.instant.date())
    with shop.gate.open_purchases(shop.request()) as reading, pytest.raises(TypeError, match="only the gate"):
        replace(reading.opened, permitted=BitMap([1]))


def test_a_read_records_whom_it_really_saw(shop: Shop) -> None:
    first, second, third = shop.people(3)
    for customer in (first, second, third):
        shop.say(customer, "given")
    with shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(BitMap([first, third]))
    with shop.records.reading() as connection:
        (use,) = store.all_uses(connection)
        assert set(store.customers_of(connection, use.read)) == {first, third}
        assert [one.read for one in store.uses_of(connection, third)] == [use.read]
        assert store.uses_of(connection, second) == []
    assert (use.purpose, use.recipient, use.fields, use.customers) == (STATISTICS, JUICE, FIELDS, 2)


def test_a_read_that_dies_stays_open_in_the_record_and_on_every_page(shop: Shop) -> None:
    customer, other = shop.people(2)
    shop.say(customer, "given")
    with pytest.raises(RuntimeError), shop.gate.open_purchases(shop.request()):
        raise RuntimeError("killed")
    with shop.records.reading() as connection:
        (use,) = store.all_uses(connection)
        assert use.closed is None, "it counts as having seen everybody permitted"
        assert [one.read for one in store.uses_of(connection, customer)] == [use.read]
        assert store.uses_of(connection, other) == []


def test_an_engine_that_saw_too_many_stops_the_program(shop: Shop) -> None:
    first, second = shop.people(2)
    shop.say(first, "given")
    with pytest.raises(Refused, match="do not permit"), shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(BitMap([first, second]))


def test_an_opened_read_can_only_be_narrowed(shop: Shop) -> None:
    first, second = shop.people(2)
    shop.say(first, "given")
    with shop.gate.open_purchases(shop.request()) as reading:
        opened = reading.opened
    assert set(opened.only(BitMap([first, second])).permitted) == {first}
    assert set(opened.without(BitMap([first]), 99).permitted) == set()


def test_a_withdrawal_between_read_and_draw_keeps_the_answer_in(shop: Shop) -> None:
    first, second = shop.people(2)
    for customer in (first, second):
        shop.say(customer, "given")
    with shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(BitMap([first, second]))
    shop.say(second, "withdrawn")
    outcome = shop.barrier.draw(reading.opened, BitMap([first, second]), {})
    assert isinstance(outcome, Leaving)
    assert set(outcome.customers) == {second}
    opened = reading.opened.without(outcome.customers, outcome.position)
    assert isinstance(shop.barrier.draw(opened, BitMap([first]), {}), Drawn)


def test_other_peoples_choices_do_not_hold_up_a_draw(shop: Shop) -> None:
    first, second, third = shop.people(3)
    shop.say(first, "given")
    with shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(BitMap([first]))
    shop.say(second, "given")
    shop.say(third, "notified", REMINDERS)
    shop.say(first, "withdrawn", recipient=SOAP)
    assert isinstance(shop.barrier.draw(reading.opened, BitMap([first]), {}), Drawn)


def test_a_list_built_before_a_withdrawal_hands_nobody_over_who_withdrew(shop: Shop) -> None:
    first, second = shop.people(2)
    for customer in (first, second):
        shop.say(customer, "given")
    queue = [first, second]
    shop.say(second, "withdrawn")
    handed = shop.barrier.hand_over(shop.request(), queue, {"file": "a queue"})
    assert (set(handed.customers), set(handed.kept_back)) == ({first}, {second})
    with shop.records.reading() as connection:
        (door,) = store.all_doors(connection)
        assert set(store.customers_of(connection, door.seq)) == {first}


def test_a_yes_that_is_too_old_does_not_leave_even_if_nobody_read_since(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    shop.hand.pass_days(400)
    recent = replace(shop.request(), start=date(2027, 1, 1), end=date(2027, 2, 1))
    assert not shop.barrier.hand_over(recent, [customer], {}).customers


def test_a_draw_after_midnight_asks_again_whether_time_itself_has_ended_a_yes(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    shop.hand.pass_days(365)
    with shop.gate.open_purchases(shop.request()) as reading:
        reading.saw(BitMap([customer]))
    shop.hand.pass_days(1)
    assert isinstance(shop.barrier.draw(reading.opened, BitMap([customer]), {}), Leaving)


def test_a_process_with_old_rules_serves_nothing(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    with shop.records.writing() as connection:
        log.append(connection, PUBLIC, [Event("programme", detail={"digest": "newer", "purposes": {}})])
    with pytest.raises(Unavailable, match="programme has changed"), shop.gate.open_purchases(shop.request()):
        pytest.fail("nothing may be read")
    with pytest.raises(Unavailable, match="programme has changed"):
        shop.barrier.hand_over(shop.request(), [customer], {})
    with pytest.raises(Unavailable, match="programme has changed"):
        shop.say(customer, "renewed")
    shop.say(customer, "withdrawn")


def test_silence_does_not_become_consent_when_the_basis_changes(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "notified", REMINDERS)
    shop.hand.pass_days(31)
    request = shop.request("shop", REMINDERS)
    assert set(shop.gate.permitted(request)[0]) == {customer}
    shop.rules[REMINDERS] = replace(shop.rules[REMINDERS], basis="consent")  # type: ignore[index]
    assert not shop.gate.permitted(request)[0]
    assert not shop.barrier.hand_over(request, [customer], {}).customers


def test_purchases_older_than_people_were_told_are_not_opened(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    old = replace(shop.request(), start=date(2022, 1, 1))
    with pytest.raises(Refused, match="that old"), shop.gate.open_purchases(old):
        pytest.fail("nothing may be read")


def test_sets_are_kept_in_blocks(shop: Shop) -> None:
    wide = BitMap([1, 65_535, 65_536, 70_000, 2_000_000])
    parts = store.blocks(wide)
    assert [block for block, _ in parts] == [0, 1, 30]
    assert parts[0][1] | parts[1][1] | parts[2][1] == wide
    assert store.blocks(BitMap()) == []


def test_a_read_covers_at_least_a_day() -> None:
    from volens.gate.policy import ReadRequest

    with pytest.raises(ValueError, match="at least one day"):
        ReadRequest("a", STATISTICS, JUICE, FIELDS, date(2026, 1, 1), date(2026, 1, 1))


def test_what_the_law_asks_for_leaves_with_everybody_who_exists(shop: Shop) -> None:
    (customer,) = shop.people(1)
    rights = PurposeRule("legal-obligation", frozenset({"email"}), frozenset({"shop"}), 30, None, {})
    barrier = Barrier(shop.records, {**shop.rules, "rights": rights}, shop.hand.clock, "FR", "digest")
    request = ReadRequest("a test", "rights", "shop", ("email",), date(2026, 3, 2), date(2026, 3, 3))
    handed = barrier.hand_over(request, [customer, 77], {})
    assert (set(handed.customers), set(handed.kept_back)) == ({customer}, {77})
    assert not barrier.hand_over(replace(request, fields=("phone",)), [customer], {}).customers


def test_many_are_asked_about_again_where_anything_was_recorded_since(shop: Shop) -> None:
    people = shop.people(4)
    for customer in people[:3]:
        shop.say(customer, "given")
    asked = Asked(*shop.gate.permitted(shop.request()), shop.hand.instant.date())
    shop.say(people[0], "withdrawn")
    shop.say(people[3], "given")
    with shop.records.writing() as connection:
        handed = shop.barrier.hand_over_many_within(connection, shop.request(), BitMap(people), asked, {})
    assert set(handed.customers) == {people[1], people[2], people[3]}
    assert set(handed.kept_back) == {people[0]}


@pytest.mark.parametrize("what", ["another day", "a text has ended"])
def test_many_are_all_asked_about_again_when_a_yes_can_end_without_a_word(shop: Shop, what: str) -> None:
    people = shop.people(3)
    for customer in people:
        shop.say(customer, "given")
    asked = Asked(*shop.gate.permitted(shop.request()), shop.hand.instant.date())
    if what == "another day":
        shop.hand.pass_days(400)
    else:
        with shop.records.writing() as connection:  # its people's own rows are still to be written
            log.append(connection, EVENTS, [Event(log.TEXT_INVALIDATED, text="statistics/2", day=shop.hand.instant.date())])
    with shop.records.writing() as connection:
        handed = shop.barrier.hand_over_many_within(connection, shop.request(), BitMap(people), asked, {})
    assert not handed.customers
