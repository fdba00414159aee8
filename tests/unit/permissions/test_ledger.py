"""Choices: appended with their proof, folded, in force at once, refused when they cannot mean anything."""

from __future__ import annotations

import pytest
from tests.support.shop import JUICE, REMINDERS, SOAP, STATISTICS, Shop

from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import groups, log
from volens.evidence.log import EVENTS
from volens.permissions.ledger import Choice


def permitted(shop: Shop, recipient: str = JUICE, purpose: str = STATISTICS) -> set[int]:
    return set(shop.gate.permitted(shop.request(recipient, purpose))[0])


def test_nobody_permits_anything_before_a_choice(shop: Shop) -> None:
    shop.people(3)
    assert permitted(shop) == set()


def test_a_yes_covers_the_recipients_that_its_text_names_and_no_others(shop: Shop) -> None:
    first, second, _ = shop.people(3)
    shop.say(first, "given", old=True)
    shop.say(second, "given")
    assert permitted(shop, JUICE) == {first, second}
    assert permitted(shop, SOAP) == {second}


def test_the_last_word_holds(shop: Shop) -> None:
    (customer,) = shop.people(1)
    for kind, holds in (("given", True), ("withdrawn", False), ("renewed", True), ("refused", False)):
        shop.say(customer, kind)
        assert (customer in permitted(shop)) is holds


def test_a_no_to_all_reaches_recipients_that_only_an_older_text_named(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    shop.old_ledger.record([Choice(customer, STATISTICS, "withdrawn")])
    assert permitted(shop, JUICE) == permitted(shop, SOAP) == set()


def test_a_no_to_one_recipient_leaves_the_other(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    shop.say(customer, "withdrawn", recipient=SOAP)
    assert (permitted(shop, JUICE), permitted(shop, SOAP)) == ({customer}, set())


def test_being_asked_again_does_not_undo_a_yes(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    shop.say(customer, "requested")
    shop.say(customer, "deferred")
    assert permitted(shop) == {customer}


def test_a_question_without_an_answer_is_no(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "requested")
    assert permitted(shop) == set()


def test_who_was_told_can_be_reminded_after_the_waiting_period(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "notified", REMINDERS)
    assert permitted(shop, "shop", REMINDERS) == set()
    shop.hand.pass_days(30)
    assert permitted(shop, "shop", REMINDERS) == {customer}
    shop.say(customer, "objected", REMINDERS)
    assert permitted(shop, "shop", REMINDERS) == set()


def test_a_yes_ends_after_its_months_and_the_end_is_an_event(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    shop.hand.pass_days(364)
    with shop.gate.open_purchases(shop.request()) as reading:
        assert customer in reading.opened.permitted
    shop.hand.pass_days(3)
    with shop.gate.open_purchases(shop.request()) as reading:
        assert customer not in reading.opened.permitted
    with shop.records.reading() as connection:
        (event,) = log.rows(connection, EVENTS, kinds=["expiry"])
        assert {(row.customer, row.kind) for row in groups.rows_of(connection, event.seq)} == {(customer, "expired")}
    assert permitted(shop, SOAP) == set()


def test_refusing_everything_is_one_call_and_covers_what_was_never_asked(shop: Shop) -> None:
    first, second = shop.people(2)
    shop.say(first, "given")
    shop.say(first, "notified", REMINDERS)
    shop.hand.pass_days(31)
    for customer in (first, second):
        shop.ledger.refuse_everything(customer, surface="a test")
    assert permitted(shop) == permitted(shop, "shop", REMINDERS) == set()
    kinds = {row.kind for row in shop.ledger.of_customer(second)}
    assert kinds == {"refused", "objected"}
    assert {row.kind for row in shop.ledger.of_customer(first)} == {"withdrawn", "objected"}


def test_a_choice_and_its_leaf_are_one_transaction(shop: Shop) -> None:
    (customer,) = shop.people(1)
    seq = shop.say(customer, "given")
    with shop.records.reading() as connection:
        row = log.one(connection, EVENTS, seq)
    assert row is not None
    assert (row.customer, row.kind, row.purpose, row.text) == (customer, "given", STATISTICS, "statistics/2")
    assert row.sealed is not None
    assert b"command line" in shop.vault.open(customer, row.sealed)
    assert b"command line" not in row.entry(), "how it was said is sealed, only a commitment to it is open"


@pytest.mark.parametrize(
    ("choice", "error", "says"),
    [
        (Choice(1, "astrology", "given"), NotFound, "statistics"),
        (Choice(1, STATISTICS, "given", recipient="stranger"), NotFound, "names"),
        (Choice(1, STATISTICS, "given", text="statistics/1"), BadInput, "not the one in force"),
        (Choice(1, STATISTICS, "given", text="reminders/1"), NotFound, "no text"),
        (Choice(1, STATISTICS, "joined"), BadInput, "given"),
        (Choice(1, STATISTICS, "given", language="de"), BadInput, "fr"),
        (Choice(99, STATISTICS, "given"), NotFound, "customer"),
        (Choice(1, STATISTICS, "withdrawn", recipient="jus-exmple"), NotFound, "ever named"),
    ],
)
def test_what_cannot_mean_anything_is_refused_with_what_would(
    shop: Shop, choice: Choice, error: type[Exception], says: str
) -> None:
    shop.people(1)
    with pytest.raises(error, match=says):
        shop.ledger.record([choice])
    assert permitted(shop) == set()


def test_a_no_is_taken_under_an_old_text_too(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    shop.ledger.record([Choice(customer, STATISTICS, "withdrawn", text="statistics/1", language="de")])
    assert permitted(shop) == set()


def test_an_unknown_kind_cannot_be_said() -> None:
    with pytest.raises(BadInput, match="given"):
        Choice(1, STATISTICS, "maybe")


def test_every_kind_decides_or_is_silent_and_has_one_dpv_status() -> None:
    from volens.permissions.state import DENYING, DPV_STATUS, KINDS, PERMITTING, SILENT

    assert set(DPV_STATUS) == KINDS
    assert len(KINDS) == len(PERMITTING) + len(DENYING) + len(SILENT)


def test_what_belongs_to_a_choice_is_in_its_transaction(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    told: list[list[int]] = []

    def fails(connection: object, seqs: list[int]) -> None:
        told.append(seqs)
        raise NotNow("Something else was in the way.", "Again.")

    no = Choice(customer, STATISTICS, "withdrawn")
    with pytest.raises(NotNow):
        shop.ledger.record([no], also=fails)
    assert customer in permitted(shop), "the choice stayed although what belongs to it was undone"
    seqs = shop.ledger.record([no], also=lambda connection, seqs: told.append(seqs))
    assert told[1:] == [seqs]
    assert customer not in permitted(shop)


def test_what_belongs_to_choices_needs_one_transaction(shop: Shop) -> None:
    (customer,) = shop.people(1)
    for count in (0, 101):
        with pytest.raises(BadInput, match="1 to 100"):
            shop.ledger.record([Choice(customer, STATISTICS, "refused")] * count, also=lambda connection, seqs: None)


def test_some_purposes_can_be_refused_alone(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given")
    kinds = {one.purpose: one.kind for one in shop.ledger.refusals(customer, surface="a test")}
    assert kinds == {STATISTICS: "withdrawn", REMINDERS: "objected"}
    assert [one.purpose for one in shop.ledger.refusals(customer, [REMINDERS, "astrology"], surface="a test")] == [REMINDERS]
