"""Texts that end in one operation, yeses that expire: many rows in few events, in force with the first."""

from __future__ import annotations

import pytest
from tests.support.shop import JUICE, SOAP, STATISTICS, Shop
from tests.unit.permissions.test_ledger import permitted

from volens.errors import BadInput, NotFound
from volens.evidence import groups, log
from volens.evidence.log import EVENTS, PUBLIC
from volens.gate.barrier import Leaving
from volens.permissions import endings
from volens.permissions.ledger import Choice


def end(shop: Shop, text: str = "statistics/1") -> int:
    return shop.ledger.invalidate(text, shop.hand.instant.date(), why="a supplier was not named", by="Alice Exemple")


def test_a_text_ends_for_everybody_in_one_operation(shop: Shop) -> None:
    old, new = shop.people(2)
    shop.say(old, "given", old=True)
    shop.say(new, "given")
    assert permitted(shop) == {old, new}
    assert end(shop) == 1
    assert permitted(shop) == {new}
    assert [(row.kind, row.text) for row in shop.ledger.of_customer(old)] == [("invalidated", "statistics/1")]
    assert [line.kind for line in shop.ledger.history(old)] == ["given", "invalidated"]
    with shop.records.reading() as connection:
        assert [row.text for row in log.rows(connection, PUBLIC, kinds=["text-invalidated"])] == ["statistics/1"]


def test_ending_it_twice_changes_nothing(shop: Shop) -> None:
    (old,) = shop.people(1)
    shop.say(old, "given", old=True)
    end(shop)
    with shop.records.reading() as connection:
        before = log.size(connection, EVENTS), log.size(connection, PUBLIC)
    assert end(shop) == 0
    with shop.records.reading() as connection:
        assert (log.size(connection, EVENTS), log.size(connection, PUBLIC)) == before


def test_the_gate_refuses_the_text_before_one_row_of_the_sweep_is_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is killed right after the operation has begun; then the same call finishes it."""
    people = shop.people(3)
    for customer in people:
        shop.say(customer, "given")
    with shop.gate.open_purchases(shop.request()) as reading:
        opened = reading.opened
    with monkeypatch.context() as killed:
        killed.setattr(endings.Endings, "_end", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            end(shop, "statistics/2")
    assert shop.ledger.of_customer(people[0])[0].kind == "given", "no row of the sweep was written"
    assert permitted(shop) == set()
    outcome = shop.barrier.draw(opened, opened.permitted, {})
    assert isinstance(outcome, Leaving)
    assert set(outcome.customers) == set(people)
    assert set(shop.barrier.hand_over(shop.request(), people, {}).kept_back) == set(people)
    assert end(shop, "statistics/2") == 6, "three customers, two recipients"
    assert {row.kind for row in shop.ledger.of_customer(people[0])} == {"invalidated"}


def test_nobody_can_accept_a_text_that_has_ended_and_everybody_can_refuse_it(shop: Shop) -> None:
    (customer,) = shop.people(1)
    end(shop, "statistics/2")
    with pytest.raises(BadInput, match="invalidated"):
        shop.say(customer, "given")
    shop.say(customer, "refused")
    shop.say(customer, "given", old=True)
    assert permitted(shop) == {customer}, "another version still stands"


def test_an_unknown_text_a_missing_reason(shop: Shop) -> None:
    with pytest.raises(NotFound, match="statistics/1"):
        end(shop, "statistics/9")
    with pytest.raises(BadInput, match="reason"):
        shop.ledger.invalidate("statistics/1", shop.hand.instant.date(), why=" ", by="x")


def test_a_wider_text_is_not_covered_by_an_older_yes_and_asking_again_covers_it(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.say(customer, "given", old=True)
    assert (permitted(shop, JUICE), permitted(shop, SOAP)) == ({customer}, set())
    shop.say(customer, "requested")
    assert (permitted(shop, JUICE), permitted(shop, SOAP)) == ({customer}, set())
    shop.say(customer, "renewed")
    assert permitted(shop, JUICE) == permitted(shop, SOAP) == {customer}


def test_a_sweep_makes_events_of_many_rows_and_the_pages_follow(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(endings, "SWEEP_PAGE", 3)
    people = shop.people(5)
    shop.ledger.record([Choice(customer, STATISTICS, "given") for customer in people])
    shop.hand.pass_days(366)
    with shop.gate.open_purchases(shop.request()) as reading:
        assert not reading.opened.permitted
    with shop.records.reading() as connection:
        events = list(log.rows(connection, EVENTS, kinds=["expiry"]))
        rows = [row for event in events for row in groups.rows_of(connection, event.seq)]
    assert len(rows) == 10
    assert len(events) >= 5
    assert [line.kind for line in shop.ledger.history(people[0])] == ["given", "expired", "expired"]


def test_a_history_says_how_each_choice_was_made_until_the_key_is_destroyed(shop: Shop) -> None:
    (customer,) = shop.people(1)
    shop.ledger.record([Choice(customer, STATISTICS, "given", surface="app", proof={"screen": "7"})])
    (line,) = shop.ledger.history(customer)
    assert (line.how["surface"], line.how["proof"]) == ("app", {"screen": "7"})
    shop.vault.destroy_key(customer)
    (line,) = shop.ledger.history(customer)
    assert (line.kind, line.how) == ("given", {})
