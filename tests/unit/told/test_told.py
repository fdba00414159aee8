"""Told against used: what is proposed to be dropped, what is an incident, and that its flow is closed until somebody opens it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pyroaring import BitMap
from tests.support.adverts import Shop, settle

from volens.app.house import House
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, TEXT_INVALIDATED, Event
from volens.gate import store as gate_store
from volens.gate.policy import ReadRequest
from volens.told.flows import WATCHED_DAYS, Flow, Kind
from volens.told.station import BY_MAX, WHY_MAX

ADS, PANIER = "targeted-ads", "le-panier"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = settle(tmp_path)
    yield made
    made.house.close()


def flow(house: House, name: str, recipient: str | None) -> Flow:
    (found,) = [one for one in house.told.flows() if (one.name, one.recipient) == (name, recipient)]
    return found


def read(house: House, *fields: str) -> None:
    """A read through the gate, of everybody who permits it."""
    today = house.told.today
    request = ReadRequest("a test", ADS, PANIER, fields, today - timedelta(days=90), today)
    with house.gate.open_purchases(request) as reading:
        reading.saw(reading.opened.permitted)


def passed_by_the_gate(house: House, *fields: str, purpose: str = ADS, recipient: str = PANIER) -> None:
    """What a defect would do: something leaves with fields that nobody checked, and is on record."""
    today = house.told.today
    request = ReadRequest("a defect", purpose, recipient, fields, today, today + timedelta(days=1))
    with house._stores.records.writing() as connection:
        gate_store.record_door(connection, "handed_over", request, None, BitMap([1]), {}, house.programme.digest, today)


def test_what_was_read_counts_as_used_and_the_rest_waits_for_a_season(shop: Shop) -> None:
    house = shop.house
    before = flow(house, ADS, PANIER)
    assert before.never
    assert set(before.unused) == before.named
    read(house, "customer", "product")
    used = flow(house, ADS, PANIER)
    assert used.used
    assert not used.unexplained
    assert set(used.used) <= used.named
    assert used.last == house.told.today
    unused, today = set(used.unused), house.told.today
    assert unused, "the text names more than learning reads"
    assert used.to_drop(today) == ()
    assert not used.ripe(used.since + timedelta(days=WATCHED_DAYS - 1))
    assert set(used.to_drop(used.since + timedelta(days=WATCHED_DAYS))) == unused
    assert house.told.check() == []


def test_every_purpose_supplier_feed_and_key_has_its_line(shop: Shop) -> None:
    found = shop.house.told.flows()
    told = {(one.name, one.recipient) for one in found if one.kind in (Kind.PURPOSE, Kind.SUPPLIER)}
    assert told == {(one.id, to) for one in shop.house.programme.purposes.values() for to in one.recipients}
    suppliers = {one.recipient for one in found if one.kind is Kind.SUPPLIER}
    assert suppliers == {one.id for one in shop.house.programme.recipients.values() if one.role == "supplier"} & {
        to for one in shop.house.programme.purposes.values() for to in one.recipients
    }
    assert [one.name for one in found if one.kind is Kind.SOURCE] == ["caisse"]


def test_a_key_that_never_calls_is_a_door_that_nobody_needs(shop: Shop) -> None:
    machines, last_day = shop.house.access.machines, shop.house.told.today + timedelta(days=200)
    made = machines.add("mail-tool", ["decisions", "changes"], expires=last_day, by="Ana Exemple")
    (key,) = [one for one in shop.house.told.flows() if one.kind is Kind.MACHINE]
    assert key.never
    assert key.named == {"decisions", "changes"}
    assert key.to_drop(key.since + timedelta(days=WATCHED_DAYS)) == ("changes", "decisions")
    machines.recognise(made.secret, None)
    (key,) = [one for one in shop.house.told.flows() if one.kind is Kind.MACHINE]
    assert not key.unused


def test_used_and_not_told_is_an_incident_and_the_flow_is_closed(shop: Shop) -> None:
    house = shop.house
    read(house, "customer", "product")
    passed_by_the_gate(house, "customer", "phone")
    assert flow(house, ADS, PANIER).unexplained == {"phone"}
    (incident,) = house.told.check()
    assert (incident.name, incident.recipient, incident.items, incident.opened) == (ADS, PANIER, ("phone",), None)
    assert house.told.check() == [], "it is found once"
    assert flow(house, ADS, PANIER).closed
    with pytest.raises(Refused, match="stopped"):
        read(house, "customer", "product")
    today = house.told.today
    asked = ReadRequest("a test", ADS, PANIER, ("product",), today, today + timedelta(days=1))
    for found in (house.gate.explain(shop.number(1), asked), house.gate.decide_now(shop.number(1), asked)):
        assert not found.verdict.allowed
        assert "is stopped" in found.verdict.reasons[0]
    house.told.open_again(ADS, PANIER, why="the field was read by mistake, and is not read any more", by="Dora Protège")
    house.told.open_again(ADS, PANIER, why="twice is once", by="Dora Protège")
    read(house, "customer", "product")
    assert house.told.check() == [], "what was looked into is not found again"
    (known,) = house.told.incidents()
    assert known.opened is not None
    passed_by_the_gate(house, "customer", "phone")
    assert len(house.told.check()) == 1, "what is new is"


def test_a_text_that_ended_later_had_told_it(shop: Shop) -> None:
    house = shop.house
    read(house, "customer", "product")
    text = house.programme.texts_of(ADS)[-1].id
    with house._stores.records.writing() as connection:
        log.append(connection, EVENTS, [Event(TEXT_INVALIDATED, purpose=ADS, text=text, day=house.told.today)])
    assert house.told.check() == []
    passed_by_the_gate(house, "customer", "product")
    (incident,) = house.told.check()
    assert incident.items == ("customer", "product"), "after its end it tells nothing"


def test_somebody_who_is_no_recipient_was_told_to_nobody(shop: Shop) -> None:
    passed_by_the_gate(shop.house, "customer", recipient="vergers-du-midi")
    (incident,) = shop.house.told.check()
    assert (incident.recipient, incident.items) == ("vergers-du-midi", ("customer",))


def test_what_the_law_asks_for_is_told_of_and_not_closed(shop: Shop) -> None:
    house = shop.house
    purpose = house.programme.purposes["accounting"]
    passed_by_the_gate(house, "photo", purpose=purpose.id, recipient=purpose.recipients[0])
    (incident,) = house.told.check()
    assert incident.name == purpose.id
    assert not flow(house, purpose.id, purpose.recipients[0]).closed
    assert house.told.check() == []


def test_a_feed_that_brings_what_no_category_names_is_closed(shop: Shop) -> None:
    house = shop.house
    category = house.programme.categories["place-and-time"]
    fields = {name: one for name, one in category.fields.items() if name != "store"}
    less = replace(house.programme, categories={**house.programme.categories, category.id: replace(category, fields=fields)})
    house.told._programme = less
    (incident,) = [one for one in house.told.check() if one.recipient is None]
    assert (incident.name, incident.items) == ("caisse", ("store",))
    with pytest.raises(NotNow, match="closed"):
        house.told.require_open("caisse")
    assert [one.recipient for one in house.told.check()] == []
    house.told.open_again("caisse", None, why="taken out of the next mapping", by="Dora Protège")
    house.told.require_open("caisse")
    assert house.told.check() == []


@pytest.mark.parametrize(("why", "by"), [("", "Dora"), ("x" * (WHY_MAX + 1), "Dora"), ("x", " "), ("x", "y" * (BY_MAX + 1))])
def test_opening_again_needs_a_reason_and_a_name(shop: Shop, why: str, by: str) -> None:
    with pytest.raises(BadInput, match="a reason and a name"):
        shop.house.told.open_again(ADS, PANIER, why=why, by=by)


def test_what_was_never_closed_is_not_opened(shop: Shop) -> None:
    with pytest.raises(NotFound, match="Nothing was ever closed"):
        shop.house.told.open_again(ADS, PANIER, why="x" * WHY_MAX, by="y" * BY_MAX)


def test_the_audit_finds_what_left_while_its_flow_was_closed(shop: Shop) -> None:
    house = shop.house
    read(house, "customer", "product")
    house.checkpoint()
    assert house.audit().ok
    passed_by_the_gate(house, "customer", "phone")
    house.told.check()
    before = len(house.audit().findings)
    passed_by_the_gate(house, "customer", "product")
    (new,) = house.audit().findings[before:]
    assert "is stopped" in new.what
