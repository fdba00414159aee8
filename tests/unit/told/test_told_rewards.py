"""Offers and licences, told against used: what an act needs and what a licence names, against what was ever taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.inviting import ADDRESS, OFFER, PAYMENT, SPONSOR, Inviting, friends_offer, settle

from volens.told.flows import WATCHED_DAYS, Flow, Kind


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Inviting]:
    made = settle(tmp_path)
    yield made
    made.house.close()


def flow(shop: Inviting, kind: Kind, name: str = OFFER) -> Flow:
    (found,) = [one for one in shop.house.told.flows() if (one.kind, one.name) == (kind, name)]
    return found


def test_an_offer_that_asks_for_more_than_it_takes_is_told_so(shop: Inviting) -> None:
    assert flow(shop, Kind.OFFER).never
    shop.invite(31)
    shop.ordered(31, payment=PAYMENT, address=ADDRESS)
    found = flow(shop, Kind.OFFER)
    assert set(found.used) == {"account", "invitation", "orders"}
    assert found.unused == ("payout",), "nobody asked to be paid yet"
    assert found.to_drop(found.since + timedelta(days=WATCHED_DAYS)) == ("payout",)
    assert not found.unexplained
    assert shop.house.told.check() == []


def test_what_no_version_names_stops_the_offer(shop: Inviting, monkeypatch: pytest.MonkeyPatch) -> None:
    house = shop.house
    shop.invite(31)
    shop.ordered(31)
    from volens.told import rewards

    monkeypatch.setattr(rewards.store, "taken", lambda connection: {OFFER: {"account": 1, "location": 2}})
    assert flow(shop, Kind.OFFER).unexplained == {"location"}
    (incident,) = house.told.check()
    assert (incident.kind, incident.name, incident.items) == ("offer", OFFER, ("location",))
    verdict = house.offering.open_in(OFFER, "FR")
    assert not verdict.ok
    assert house.told.check() == [], "it is found once"
    assert house.offering.countries(OFFER)[0].state == "suspended"
    house.told.open_again(OFFER, None, why="it was a mistake of a machine", by="Dora Protège")
    assert house.told.check() == []
    assert house.offering.countries(OFFER)[0].state == "suspended", "opening it for people again takes two"


def test_a_new_version_may_name_less_and_old_uses_were_told(shop: Inviting) -> None:
    shop.invite(31)
    shop.ordered(31, payment=PAYMENT)
    act = {"kind": "referral", "times": 1, "uses": ["account", "invitation", "payout"], "cap_a_year": 5,
           "friend": "shared-link", "disclosed": True}  # fmt: skip
    shop.put(friends_offer(act=act, version=2), budget_cents=100_000)
    found = flow(shop, Kind.OFFER)
    assert "orders" not in found.named
    assert "orders" in found.used
    assert not found.unexplained, "a version that was accepted had named it"
    assert shop.reward(SPONSOR)
