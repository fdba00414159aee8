"""Afterwards: one question, counted in tens; what is public, and what it brought."""

from __future__ import annotations

import pytest
from tests.support.taking_part import BRUNO, OFFER, REASON, Shop

from volens.errors import NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate.policy import ReadRequest
from volens.ingest.master import Person
from volens.offering.register import FEW
from volens.offering.station import ANSWERED
from volens.permissions.ledger import Choice

CROWD = range(200, 212)
STATISTICS = "supplier-statistics"


def crowd(shop: Shop) -> None:
    """Enough people for numbers to be said."""
    shop.budget(OFFER, 50_000)
    shop.house.customers.enrol([Person(card=f"C{card:05}", email=None, country="FR", details={}) for card in CROWD])


def test_it_is_asked_once_after_the_end_and_not_kept_by_person(shop: Shop) -> None:
    one = shop.join()
    who = shop.number(1)
    with pytest.raises(NotNow, match="not asked yet"):
        shop.house.offering.answer(who, one.id, True)
    for key in ("a/1", "a/2"):
        shop.order(1, key)
    assert not shop.house.offering.mine(who)[0].question
    shop.hand.pass_days(30)
    mine = shop.house.offering.mine(who)[0]
    assert (mine.question, mine.matured) == (True, True)
    with pytest.raises(NotNow):
        shop.house.offering.answer(shop.number(2), one.id, True)
    shop.house.offering.answer(who, one.id, False)
    with pytest.raises(NotNow, match="answered"):
        shop.house.offering.answer(who, one.id, True)
    assert not shop.house.offering.mine(who)[0].question
    said = shop.house.offering.said(OFFER)
    assert (said.yes, said.no, said.shown_yes, said.shown_no) == (0, 1, 0, 0)
    with shop.records.reading() as connection:
        (row,) = log.rows(connection, EVENTS, kinds=[ANSWERED])
    assert (row.customer, row.day, row.said()) == (None, None, {"offer": OFFER, "expected": False})
    shop.clean()


def test_the_register_says_numbers_from_ten_on(shop: Shop) -> None:
    crowd(shop)
    for at, card in enumerate(CROWD[: FEW - 1]):
        one = shop.join(card)
        shop.house.offering.leave(shop.number(card), one.id)
        shop.house.offering.answer(shop.number(card), one.id, at % 3 > 0)
    (told,) = shop.house.offering.programmes()
    assert (told.places[0].joined, told.earned, told.expected) == (None, None, None)
    last = shop.join(CROWD[FEW - 1])
    for key in ("z/1", "z/2"):
        shop.order(CROWD[FEW - 1], key)
    (told,) = shop.house.offering.programmes()
    assert (told.places[0].joined, told.earned, told.expected) == (10, {"EUR": 1_000}, None)
    shop.hand.pass_days(30)
    shop.house.offering.answer(shop.number(CROWD[FEW - 1]), last.id, True)
    (told,) = shop.house.offering.programmes()
    assert told.expected is not None
    assert (told.expected.of, told.expected.value) == (10, 0.7)
    assert told.expected.low == pytest.approx(0.397, abs=0.001)
    eleventh = shop.join(CROWD[10])
    shop.house.offering.leave(shop.number(CROWD[10]), eleventh.id)
    shop.house.offering.answer(shop.number(CROWD[10]), eleventh.id, False)
    (told,) = shop.house.offering.programmes()
    assert told.expected.of == 10, "it moves in steps of ten: nobody's answer can be read from the change"
    shop.clean()


def test_the_register_has_versions_countries_and_reasons(shop: Shop) -> None:
    shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    shop.house.offering.resume(OFFER, "FR", by="Anne Essai")
    (told,) = shop.house.offering.programmes()
    assert [(one.version, one.since, one.ends) for one in told.versions] == [(1, "2026-12-03", "2027-02-28")]
    (place,) = told.places
    assert [one.kind for one in place.steps] == ["offer-launched", "offer-suspended"]
    assert place.steps[1].reason == REASON
    assert not place.open
    shop.house.offering.resume(OFFER, "FR", by=BRUNO)
    assert shop.house.offering.programmes()[0].places[0].open


def test_what_a_programme_cost_and_whom_it_won(shop: Shop) -> None:
    def say(card: int, kind: str = "given", purpose: str = STATISTICS) -> None:
        shop.house.permissions.record([Choice(shop.number(card), purpose, kind, surface="test")])

    say(1)  # before: not won
    for card in (1, 2, 3, 4):
        shop.join(card)
    for key in ("b/1", "b/2"):
        shop.order(2, key)
    say(2)
    say(3)
    say(3, "withdrawn")  # does not stand
    say(5)  # takes no part
    say(1, "given", "email-marketing")
    rule = shop.house.programme.purposes[STATISTICS]
    start = shop.hand.now().date().replace(day=1)
    request = ReadRequest("test", STATISTICS, "vergers-du-midi", tuple(sorted(rule.fields)), start, start.replace(day=2))
    with shop.house.gate.open_purchases(request) as reading:
        reading.saw(reading.opened.permitted)
    (month,) = shop.house.offering.value()
    assert (month.offer, month.month, month.joined, month.rewards, month.cost_cents) == (OFFER, "2026-12", 4, 1, 1_000)
    assert month.purposes == {"email-marketing": 1, STATISTICS: 1}
    assert (month.won, month.cents_each) == (2, 500)
    assert month.uses == {STATISTICS: 1}
    assert month.to_dict()["cents_each"] == 500
