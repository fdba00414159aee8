"""Whoever may not be on a list any more is taken off it, and followed until the platform says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from pyroaring import BitMap
from tests.support.audience import LAPSED, LOYAL, MASTER, Town, definition
from tests.support.house import Line, sell
from tests.unit.audiences.test_handing_over import BY, hashed

from volens.audiences.removals import OnList
from volens.errors import NotFound, Refused

JUICE = "juice-lapsed"


def state(town: Town, customer: int) -> str:
    """Where somebody stands."""
    (one,) = town.house.audiences.of_customer(customer)
    return one.state


def removed(town: Town) -> list[set[str]]:
    """What each removal that is made now names."""
    made = town.house.audiences.removals.make()
    return [set(town.house.audiences.removals.file(one.removal).decode().split()[1:]) for one in made]


def erase(town: Town, card: int) -> None:
    town.house.erasure.erase(town.number(card), by=BY, why="consent-withdrawn")


LEAVING: dict[str, Callable[[Town, int], object]] = {
    "withdraws": lambda town, card: town.say(card),
    "refuses everything": lambda town, card: town.house.permissions.refuse_everything(town.number(card), surface="a test"),
    "is erased": erase,
    "is suppressed": lambda town, card: town.house.audiences.suppress([town.number(card)], "request", by=BY),
}


@pytest.mark.parametrize("how", LEAVING)
def test_whoever_leaves_is_due_then_sent_then_acknowledged(town: Town, how: str) -> None:
    town.handed()
    customer = town.number(7)
    LEAVING[how](town, 7)
    removals = town.house.audiences.removals
    removals.notice()
    assert state(town, customer) == "due"
    assert removed(town) == [{hashed(7)}], "what was sent of her, and of nobody else"
    assert state(town, customer) == "sent"
    assert removed(town) == [], "nobody is told of twice"
    (sent,) = removals.open()
    removals.acknowledge(sent.removal, by="the network")
    assert state(town, customer) == "acknowledged"
    assert removals.open() == []
    assert town.house.audit().ok


def test_what_was_sent_is_removed_though_her_address_changed(town: Town) -> None:
    town.handed()
    file = town.house.settings.home.parent / "again.csv"
    file.write_text("card,given_name,family_name,email,phone,country\nC00007,Ana,Exemple,new@example.org,,FR\n", encoding="utf-8")
    town.house.take_in_people(file, MASTER)
    town.say(7)
    assert removed(town) == [{hashed(7)}]


def test_what_was_sent_is_forgotten_with_the_acknowledgement_and_not_before(town: Town) -> None:
    town.handed()
    customer = town.number(7)
    erase(town, 7)
    removals = town.house.audiences.removals
    (made,) = removals.make()
    assert hashed(7).encode() in removals.file(made.removal)
    (town.house.settings.lists / made.file).unlink()
    assert hashed(7).encode() in removals.file(made.removal), "made anew from what is kept sealed"
    removals.acknowledge(made.removal, by="the network")
    with pytest.raises(NotFound, match="not kept"):
        removals.file(made.removal)
    with town.house._stores.records.reading() as connection:
        _, kept = removals._sent.of(connection, JUICE, BitMap([customer, town.number(8)]))
    assert set(kept) == {town.number(8)}


def test_an_ended_audience_takes_everybody_off(town: Town) -> None:
    town.handed()
    town.house.audiences.end(JUICE, by=BY)
    assert removed(town) == [{hashed(card) for card in LAPSED}]


def test_the_day_of_an_audience_takes_everybody_off(town: Town) -> None:
    town.handed(until="2026-03-20")
    assert removed(town) == []
    town.hand.pass_days(30)
    assert removed(town) == [{hashed(card) for card in LAPSED}]


def test_the_end_of_a_text_takes_everybody_off(town: Town) -> None:
    town.handed()
    town.house.permissions.invalidate("purchase-audience/1", town.hand.now().date(), why="it was too vague", by=BY)
    assert removed(town) == [{hashed(card) for card in LAPSED}]


def test_whoever_is_not_in_the_newest_list_is_taken_off_the_older_one(town: Town) -> None:
    town.handed()
    sell(town.house, town.house.settings.home.parent, [Line(7, 363, "J1")], "more.csv")
    town.house.audiences.build(JUICE, by=BY)
    second = town.house.audiences.hand_over(JUICE, by=BY)
    assert second.listed.people == len(LAPSED) - 1
    assert removed(town) == [{hashed(7)}]


def test_whoever_comes_back_before_the_removal_is_not_taken_off(town: Town) -> None:
    town.handed()
    town.say(7)
    town.house.audiences.removals.notice()
    town.say(7, "given")
    assert removed(town) == []
    assert state(town, town.number(7)) == "on"


def test_a_list_after_the_removal_does_not_go_with_it(town: Town) -> None:
    town.handed()
    town.say(7)
    (made,) = town.house.audiences.removals.make()
    town.say(7, "given")
    town.house.audiences.build(JUICE, by=BY)
    town.house.audiences.hand_over(JUICE, by=BY)
    town.house.audiences.removals.acknowledge(made.removal, by="the network")
    assert state(town, town.number(7)) == "on"
    town.say(7)
    assert removed(town) == [{hashed(7)}]


def test_who_leaves_again_before_the_first_removal_is_acknowledged_is_told_of_again(town: Town) -> None:
    town.handed()
    town.say(7)
    (first,) = town.house.audiences.removals.make()
    town.say(7, "given")
    town.house.audiences.build(JUICE, by=BY)
    town.house.audiences.hand_over(JUICE, by=BY)
    town.say(7)
    assert removed(town) == [{hashed(7)}]
    town.house.audiences.removals.acknowledge(first.removal, by="the network")
    assert state(town, town.number(7)) == "sent"


def test_overdue_after_the_recipients_hours_counted_from_the_no(town: Town) -> None:
    town.handed()
    removals = town.house.audiences.removals
    town.say(7)
    removals.notice()
    town.hand.instant += timedelta(hours=20)
    removals.make()
    assert removals.overdue() == []
    town.hand.instant += timedelta(hours=5)
    (late,) = removals.overdue()
    assert (late.audience, late.sent, late.due) == (JUICE, 1, 0)
    assert [one for one in town.house.audiences.of_customer(town.number(7)) if one.overdue]
    removals.acknowledge(removals.open()[0].removal, by="the network")
    assert removals.overdue() == []


def test_a_recipient_acknowledges_its_own_alone(town: Town) -> None:
    town.handed()
    town.say(7)
    (made,) = town.house.audiences.removals.make()
    with pytest.raises(Refused, match="another recipient"):
        town.house.audiences.removals.acknowledge(made.removal, by="somebody", recipient="voyages-horizon")


def test_nobody_else_is_on_a_list(town: Town) -> None:
    town.handed()
    everybody = {card: town.house.audiences.of_customer(town.number(card)) for card in (LAPSED[0], LOYAL[0])}
    assert everybody[LAPSED[0]] == [OnList(JUICE, "place-commune", "on", None, False)]
    assert everybody[LOYAL[0]] == []
    assert definition().id == JUICE
