"""Countries: launched, stopped at once everywhere, opened again by two; what is earned stays, and everybody is told once."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from tests.support.taking_part import ANNE, BRUNO, CLAIRE, OFFER, REASON, Shop, orders

from volens.app import open_house
from volens.errors import BadInput, NotNow, Refused
from volens.offering.rules import GRACE_DAYS


def letters(shop: Shop, card: int) -> list[Any]:
    """What waits for somebody in the outbox, about offers."""
    found = shop.house.delivery.newest(100, shop.number(card))
    return [shop.house.delivery.show(one.message, by=ANNE) for one in found if one.kind == "offer-stopped"]


def test_nobody_joins_before_it_is_launched_there(shop: Shop) -> None:
    verdict = shop.house.offering.open_in(OFFER, "LU")
    assert verdict.codes == ("not-launched", "budget")
    with pytest.raises(NotNow, match="not launched"):
        shop.join(7, country="LU")
    with pytest.raises(BadInput, match="not made for IE"):
        shop.house.offering.launch(OFFER, "IE", by=CLAIRE)
    with pytest.raises(NotNow, match="No version"):
        shop.house.offering.launch("nothing", "FR", by=CLAIRE)
    assert shop.house.offering.open_in(OFFER, "IE").codes == ("other-country", "not-launched", "budget")
    assert shop.house.offering.open_in("nothing", "FR").codes == ("no-version", "not-launched")


def test_a_stop_is_in_force_in_another_process_within_a_second(shop: Shop) -> None:
    home = shop.house.settings.home
    with open_house(home, clock=shop.hand.clock) as other:
        newest = other.offering.newest(OFFER)
        assert newest is not None
        assert other.offering.open_in(OFFER, "FR").ok
        start = time.monotonic()
        shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
        with pytest.raises(NotNow, match="suspended"):
            other.offering.join(shop.number(2), OFFER, country="FR", language="fr", version=1, adult=True, key="k")
        assert time.monotonic() - start < 1.0
        assert other.offering.open_in(OFFER, "FR").codes == ("suspended",)


def test_what_counts_while_it_is_stopped(shop: Shop) -> None:
    begun, untouched, earned = shop.join(1), shop.join(2), shop.join(3)
    shop.order(1, "a/1")
    for key in ("c/1", "c/2"):
        shop.order(3, key)
    shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    shop.hand.pass_days(1)
    assert not shop.order(2, "b/2").counted, "nothing was done before, and this is after the stop"
    assert shop.order(2, "b/2").reasons[0].code == "stopped"
    assert shop.order(2, "b/1", ago=timedelta(days=1)).counted, "of the day of the stop, and reported later"
    assert shop.order(2, "b/2").counted, "now she has begun, and goes on as before"
    assert shop.order(1, "a/2").counted, "whoever had begun finishes"
    assert {shop.claim(one.claim) for one in (begun, untouched, earned)} == {"pending"}, "nothing earned is lost"
    with pytest.raises(NotNow, match="suspended"):
        shop.join(4)
    shop.clean()


def test_everybody_who_takes_part_is_told_once_with_the_reason(shop: Shop) -> None:
    shop.join(1)
    shop.order(1, "a/1")
    shop.join(2, language="en")
    shop.join(3)
    shop.order(3, "c/1")
    shop.order(3, "c/2")
    left = shop.join(4)
    shop.house.offering.leave(shop.number(4), left.id)
    shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    assert shop.house.offering.tell() == 3
    assert shop.house.offering.tell() == 0, "once"
    (begun,), (untouched,), (earned,) = (letters(shop, card) for card in (1, 2, 3))
    assert REASON["fr"] in begun.text
    assert REASON["en"] in untouched.text
    assert "Vous avez déjà fait 1 sur 2" in begun.text
    assert "What you did until 3 December 2026 counts." in untouched.text
    assert "Votre gain arrive le 2 janvier 2027" in earned.text
    assert letters(shop, 4) == []
    shop.house.offering.resume(OFFER, "FR", by=CLAIRE)
    assert shop.house.offering.tell() == 0, "that somebody asks to open it again is no news"
    shop.house.offering.end(OFFER, "FR", REASON, by=BRUNO)
    assert shop.house.offering.tell() == 3, "that it is over is"
    assert len(letters(shop, 1)) == 2


def test_a_stop_says_why_in_every_language(shop: Shop) -> None:
    for reason in ({}, {"fr": "Oui."}, {"fr": "Oui.", "en": "  "}, {"fr": "x" * 301, "en": "x"}):
        with pytest.raises(BadInput, match="says why"):
            shop.house.offering.suspend(OFFER, "FR", reason, by=BRUNO)
    shop.house.offering.suspend(OFFER, "FR", {"fr": "x" * 300, "en": "x"}, by=BRUNO)
    assert shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO).reason.startswith('{"en": "x"'), "twice is once"
    with pytest.raises(NotNow, match="suspended in FR"):
        shop.house.offering.launch(OFFER, "FR", by=CLAIRE)


def test_opening_again_takes_two_people(shop: Shop) -> None:
    offering = shop.house.offering
    with pytest.raises(NotNow, match="closed in LU"):
        offering.resume(OFFER, "LU", by=CLAIRE)
    offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    assert offering.resume(OFFER, "FR", by=CLAIRE).state == "resuming"
    with pytest.raises(Refused, match="does not approve"):
        offering.resume(OFFER, "FR", by="claire exemple")
    assert offering.open_in(OFFER, "FR").codes == ("suspended",)
    assert offering.resume(OFFER, "FR", by=BRUNO).state == "launched"
    assert offering.open_in(OFFER, "FR").ok
    assert shop.join().state == "open"
    assert offering.resume(OFFER, "FR", by=BRUNO).state == "launched"
    shop.clean()


def test_it_is_not_opened_again_where_its_version_is_not_made_for(shop: Shop) -> None:
    shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    shop.put(orders(version=2, countries=["LU"]), budget_cents=None)
    with pytest.raises(BadInput, match="not made for FR"):
        shop.house.offering.resume(OFFER, "FR", by=CLAIRE)


def test_after_an_end_who_had_begun_finishes_and_the_rest_goes_back(shop: Shop) -> None:
    begun, untouched = shop.join(1), shop.join(2)
    shop.order(1, "a/1")
    shop.house.offering.end(OFFER, "FR", REASON, by=BRUNO)
    with pytest.raises(NotNow, match="ended in FR"):
        shop.house.offering.resume(OFFER, "FR", by=CLAIRE)
    shop.hand.pass_days(GRACE_DAYS)
    assert shop.house.offering.close() == 0
    shop.hand.pass_days(1)
    assert shop.house.offering.close() == 1
    assert (shop.one(untouched.id).state, shop.claim(untouched.claim)) == ("ended", "given-back")
    assert shop.order(1, "a/2").state == "done"
    assert shop.claim(begun.claim) == "pending"
    shop.clean()


def test_the_last_day_and_one_past(shop: Shop) -> None:
    one = shop.join()
    shop.hand.pass_days(87)  # 28 February 2027, the last day
    assert shop.house.offering.open_in(OFFER, "FR").ok
    assert shop.order(1, "a/1").counted
    shop.hand.pass_days(1)
    assert shop.house.offering.open_in(OFFER, "FR").codes == ("over",)
    assert [reason.code for reason in shop.order(1, "a/2").reasons] == ["after-end"]
    assert shop.order(1, "a/2", ago=timedelta(days=1)).counted, "reported a day later"
    assert shop.one(one.id).state == "done"


def test_what_was_not_finished_goes_back_after_the_last_day(shop: Shop) -> None:
    one = shop.join()
    left = shop.left()
    shop.hand.pass_days(87 + GRACE_DAYS)
    assert shop.house.offering.close() == 0
    shop.hand.pass_days(1)
    assert shop.house.offering.close() == 1
    assert shop.house.offering.close() == 0
    assert (shop.one(one.id).state, shop.left()) == ("ended", left + 1_000)
    shop.clean()


def test_a_country_has_a_life_of_its_own(shop: Shop) -> None:
    shop.budget(OFFER, 2_000, "LU")
    shop.house.offering.launch(OFFER, "LU", by=CLAIRE)
    shop.house.offering.suspend(OFFER, "FR", REASON, by=BRUNO)
    assert shop.join(7, country="LU").country == "LU"
    assert shop.house.offering.open_in(OFFER, "FR").codes == ("suspended",)
    assert [(one.id, verdict.ok) for one, verdict, _ in shop.house.offering.listed("LU")] == [(OFFER, True)]
    assert [(one.id, verdict.ok) for one, verdict, _ in shop.house.offering.listed("FR")] == [(OFFER, False)]
