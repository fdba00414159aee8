"""Taking part: joined once, bound by what was accepted, counted once, paid or given back."""

from __future__ import annotations

from tests.support.taking_part import Shop


def test_two_orders_earn_the_reward_of_the_accepted_version(shop: Shop) -> None:
    one = shop.join()
    assert (one.times, one.done, one.state, shop.left()) == (2, 0, "open", 4_000)
    assert shop.order(1, "o/1").counted
    assert shop.claim(one.claim) == "reserved"
    done = shop.order(1, "o/2")
    assert (done.counted, done.done, done.state) == (True, 2, "done")
    assert shop.claim(one.claim) == "pending"
    assert shop.one(one.id).matures == "2027-01-02"
    shop.clean()
