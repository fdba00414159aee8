"""Slots are filled: by purchases for whoever permits it, by the page for everybody else, and as many."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest
from tests.support.adverts import (
    CARDS,
    MINOR,
    NOW,
    OF_SOAP,
    PERMITTING,
    PURPOSE,
    REFUSING,
    SILENT,
    Shop,
    apples,
    document,
    placement,
)

from volens.audit.report import Report
from volens.audit.sponsored import check_sponsored
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate import store as uses
from volens.sponsored import deciding, store
from volens.sponsored.deciding import Shown

NOBODY = (None, REFUSING, SILENT, MINOR, 9_999)


def rows(shop: Shop) -> list[store.Impression]:
    with shop.house._stores.records.reading() as connection:
        return store.all_impressions(connection)


def test_everybody_has_full_slots_and_only_whoever_permits_has_personal_ones(shop: Shop) -> None:
    shop.run()
    for slots in (1, 2, 3, 4, 5):
        assert {len(shop.ask(card, slots)) for card in (*NOBODY, 1, OF_SOAP)} == {min(slots, 4)}
    for card in (*NOBODY, OF_SOAP):
        assert shop.personal(card) == []
    assert shop.personal(3) in (["J1"], ["J4"])
    assert set(shop.personal(2)) & {"C1", "J2"}, "she bought compote too, and what it is for stands there as well"
    assert {row.customer for row in rows(shop)} == {shop.number(card) for card in (1, 2, 3)}
    shop.clean()


def test_what_is_shown_is_on_record_before_it_is_told(shop: Shop) -> None:
    shop.run()
    (shown, *_) = shop.ask(4, 1)
    (row,) = rows(shop)
    assert row.impression == shown.impression
    assert (row.category, row.bought) == ("jus-frais", 4)
    with shop.house._stores.records.reading() as connection:
        event = log.one(connection, EVENTS, row.seq)
        assert event is not None
        assert (event.kind, event.purpose, event.said()["ads"]) == ("handed_over", PURPOSE, 1)
        assert set(uses.customers_of(connection, row.seq)) == {shop.number(4)}
        counted = {way: times for _, _, way, times in store.shown_by_day(connection)}
    assert counted == {"personal": 1}
    told = shop.house.sponsored.why(shown.impression)
    assert told.why("en") == (
        "Sponsored by Vergers du Midi SAS, which pays Le Panier Distribution SA for it. "
        "Chosen because you bought “Chilled juices” on 4 days in the last 12 months."
    )
    assert "« Jus frais » à 4 dates différentes" in told.why("fr")


def test_what_the_page_chose_has_no_person_and_says_so(shop: Shop) -> None:
    shop.run()
    (shown, *_) = shop.ask(REFUSING, 1)
    assert rows(shop) == []
    told = shop.house.sponsored.why(shown.impression)
    assert told.why("en").endswith("Chosen by this page alone, not by what you buy.")
    assert told.why("fr").endswith("Choisi d'après cette page seulement, pas d'après vos achats.")
    assert told.advertiser in ("Vergers du Midi SAS", "Soleil Pressé SA")
    forged = ("0" if shown.impression[0] != "0" else "1") + shown.impression[1:]
    for other in (forged, "nothing", "00" * 24, ""):
        with pytest.raises(NotFound):
            shop.house.sponsored.why(other)


def test_after_a_no_the_page_alone_chooses_and_what_was_learned_goes(shop: Shop) -> None:
    shop.run()
    (shown, *_) = shop.ask(5, 1)
    shop.say(5)
    assert shop.personal(5) == []
    assert len(shop.ask(5)) == 2
    assert shop.house.sponsored.seen_by(shop.number(5)) is None
    with pytest.raises(NotFound):
        shop.house.sponsored.why(shown.impression)
    assert shop.house.sponsored.sweep() == 1
    assert shop.house.sponsored.sweep() == 0
    with shop.house._stores.records.reading() as connection:
        assert shop.number(5) not in store.somebody(connection)
    shop.say(5, "given")
    assert shop.personal(5) == [], "what was forgotten is not known again before it is learned again"
    shop.house.sponsored.learn()
    assert shop.personal(5)
    shop.clean()


def test_whoever_says_no_between_the_look_and_the_door_gets_what_the_page_has(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run()
    real = deciding.store.profiles_of

    def meanwhile(*given: object) -> object:
        found = real(*given)  # type: ignore[arg-type]
        shop.say(6)
        return found

    monkeypatch.setattr(deciding.store, "profiles_of", meanwhile)
    shown = shop.ask(6, 3)
    assert len(shown) == 3
    assert all(one.slot.why is None for one in shown)
    assert rows(shop) == []
    shop.clean()


def test_nothing_is_learned_of_whoever_does_not_permit_it(shop: Shop) -> None:
    shop.run()
    with shop.house._stores.records.reading() as connection:
        assert set(store.with_profiles(connection)) == {shop.number(card) for card in PERMITTING}
        assert b"savons" not in (store.profile(connection, shop.number(1)) or b"")
    seen = shop.house.sponsored.seen_by(shop.number(1))
    assert seen is not None
    assert [(name["en"], bought) for name, bought in seen.known] == [("Chilled juices", 4), ("Compotes", 1)]
    shop.house.sponsored.end("pommes-pressees", by="Claire Exemple")
    shop.house.sponsored.end("oranges-du-midi", by="Claire Exemple")
    assert shop.house.sponsored.learn()["customers"] == 0
    with shop.house._stores.records.reading() as connection:
        assert store.with_profiles(connection) == {}, "what nothing is chosen by is not kept"
    shop.clean()


def test_of_a_bucket_in_which_nobody_bought_it_nothing_is_learned(shop: Shop) -> None:
    for card in (1, 2):
        shop.say(card)
    shop.run(apples())
    with shop.house._stores.records.reading() as connection:
        assert store.with_profiles(connection) == {}
    assert len(shop.ask(3)) == 2
    shop.clean()


def test_caps_hold_for_a_person_and_then_the_page_chooses(shop: Shop) -> None:
    shop.run(document())
    assert [len(shop.personal(7)) for _ in range(5)] == [1, 1, 1, 0, 0]
    shop.hand.pass_days(1)
    assert [len(shop.personal(7)) for _ in range(3)] == [1, 1, 0], "five altogether"
    assert len(shop.ask(7)) == 2
    shop.clean()


def test_caps_hold_for_a_visit_whoever_it_is(shop: Shop) -> None:
    shop.run(document(cap={"visit": 3}))
    for card in (None, 8):
        visit = f"visit-of-{card}"
        assert [len(shop.ask(card, 2, visit)) for _ in range(3)] == [2, 1, 0]
        assert len(shop.ask(card, 2, visit + "-another")) == 2
    shop.hand.pass_days(1)
    assert len(shop.ask(None, 2, "visit-of-None")) == 2
    shop.house.sponsored.sweep()
    with shop.house._stores.records.reading() as connection:
        assert {row.day for row in connection.execute(store.visits.select())} == {shop.hand.now().date().isoformat()}


def test_limits_and_caps_hold_when_many_ask_at_once(shop: Shop) -> None:
    shop.run(document(impressions=40, cap={"day": 3, "visit": 4}))
    told = list[Shown]()

    def visit(card: int) -> None:
        for _ in range(6):
            told.extend(shop.ask(card, 1, f"the-visit-of-{card}"))

    threads = [threading.Thread(target=visit, args=(card,)) for card in (*CARDS, *CARDS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 40, "the limit, exactly"
    assert max(Counter(row.customer for row in rows(shop)).values()) <= 3
    with shop.house._stores.records.reading() as connection:
        assert max(row.shown for row in connection.execute(store.visits.select())) <= 4
        (total,) = store.all_totals(connection).values()
    assert total == 40
    assert len({one.impression for one in told}) == 40
    assert shop.ask(None) == ()
    shop.clean()


def test_where_it_fits(shop: Shop) -> None:
    shop.run(document())
    searched = ({"search": "Du JUS D’ORANGE frais"}, {"search": "juice"})
    for page in ({"page": "home"}, {"category": "compotes"}, {"product": "C1"}, *searched):
        assert len(shop.ask(None, **page)) == 2, page
    for page in ({"page": "cart"}, {"category": "savons"}, {"search": "orange"}, {"search": "juices"}, {"product": "S1"}):
        assert shop.ask(1, **page) == (), page
    assert [shop.house.sponsored.tell(one).sku for one in shop.ask(None, product="J1")] == ["J4"], "not what is looked at"
    ads = shop.house.sponsored
    assert [ads.tell(one).sku for one in ads.decide(ads.page(page="home"), 2, None, without=["J4"])] == ["J1"]
    for wrong in ({}, {"page": "No slug"}, {"search": "x" * 201}):
        with pytest.raises(BadInput):
            ads.page(**wrong)
    for slots in (0, 13):
        with pytest.raises(BadInput):
            ads.decide(ads.page(page="home"), slots)
    with pytest.raises(BadInput):
        ads.decide(ads.page(page="home"), 1, visit="short")


def test_each_has_its_turn(shop: Shop) -> None:
    shop.run()
    first = Counter(shop.house.sponsored.tell(shop.ask(None, 1)[0]).placement for _ in range(8))
    assert first == {"oranges-du-midi": 4, "pommes-pressees": 4}


def test_not_this_again_and_none_by_my_purchases(shop: Shop) -> None:
    shop.run(document())
    hidden, stopped = shop.ask(1, 1)[0], shop.ask(2, 1)[0]
    for _ in range(2):
        shop.house.sponsored.hear(hidden.impression, "hide", visit="visit-of-1")
        shop.house.sponsored.hear(stopped.impression, "stop")
    assert shop.personal(1) == []
    assert shop.ask(1, 1, "visit-of-1") == (), "nor for the rest of the visit, by the page"
    assert shop.ask(1, 1, "visit-of-x") == (), "nor in another visit"
    assert len(shop.ask(3, 1, "visit-of-x")) == 1, "others see it"
    shop.house.sponsored.hear(stopped.impression, "stop")
    assert not any(one.permits for one in shop.house.permissions.of_customer(shop.number(2)) if one.purpose == PURPOSE)
    assert shop.personal(2) == []
    assert shop.house.sponsored.hidden() == {hidden.slot.number: 1}
    page = shop.ask(None, 1)[0]
    shop.house.sponsored.hear(page.impression, "hide", visit="visit-of-nobody")
    assert shop.ask(None, 1, "visit-of-nobody") == ()
    for impression, what, error in (
        (page.impression, "stop", BadInput), (page.impression, "maybe", BadInput), ("nobody", "hide", NotFound),
    ):  # fmt: skip
        with pytest.raises(error):
            shop.house.sponsored.hear(impression, what)
    shop.clean()


def test_whoever_is_erased_leaves_nothing(shop: Shop) -> None:
    shop.run()
    shown = shop.ask(3, 1)[0]
    shop.house.sponsored.hear(shown.impression, "hide")
    gone = shop.number(3)
    shop.house.erasure.erase(gone, by="Alice Exemple", why="consent-withdrawn")
    with shop.house._stores.records.reading() as connection:
        assert gone not in store.somebody(connection)
    with pytest.raises(NotFound):
        shop.house.sponsored.why(shown.impression)
    shop.clean()


def test_two_people_publish_and_what_was_approved_is_not_changed(shop: Shop) -> None:
    ads = shop.house.sponsored
    proposed = ads.define(placement(), by="Claire Exemple")
    assert ads.define(placement(), by="Claire Exemple") == proposed, "twice is once"
    assert shop.ask(None) == ()
    with pytest.raises(Refused):
        ads.approve("oranges-du-midi", by=" claire exemple ")
    again = ads.define(placement(impressions=10), by="Claire Exemple")
    assert again.number != proposed.number
    approved = ads.approve("oranges-du-midi", by="Bruno Modèle")
    assert ads.approve("oranges-du-midi", by="Bruno Modèle") == approved
    with pytest.raises(NotNow):
        ads.define(placement(), by="Claire Exemple")
    ads.end("oranges-du-midi", by="Claire Exemple")
    ads.end("oranges-du-midi", by="Claire Exemple")
    for step in (lambda: ads.approve("oranges-du-midi", by="Bruno Modèle"), lambda: ads.define(placement(), by="Claire Exemple")):
        with pytest.raises(NotNow):
            step()
    with pytest.raises(NotFound):
        ads.end("nothing", by="Claire Exemple")
    shop.clean()


def test_it_runs_from_its_first_day_to_its_last(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.sponsored.station.FRESH_SECONDS", 0.0)
    shop.run(document(**{"from": "2026-03-03", "until": "2026-03-04"}))
    found = []
    for _ in range(4):
        found.append(len(shop.ask(1, 1)))
        shop.hand.pass_days(1)
    assert found == [0, 1, 1, 0]
    shop.house.sponsored.end("oranges-du-midi", by="Claire Exemple")
    shop.clean()


def test_whoever_gets_no_answer_in_time_gets_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run()
    shop.ask(None)
    monkeypatch.setattr(deciding, "ANSWER_SECONDS", 0.05)
    held = threading.Event()
    real = deciding.store.profiles_of
    monkeypatch.setattr(deciding.store, "profiles_of", lambda *given: (held.wait(5), real(*given))[1])
    assert shop.ask(1) == ()
    held.set()
    monkeypatch.setattr(deciding, "ANSWER_SECONDS", 30.0)
    assert len(shop.ask(1)) == 2


def test_an_advertiser_that_left_is_shown_no_more_and_what_was_shown_is_still_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run(document())
    (shown,) = shop.ask(1, 1)
    ads, programme = shop.house.sponsored, shop.house.programme
    others = {name: one for name, one in programme.recipients.items() if name != "vergers-du-midi"}
    monkeypatch.setattr(ads, "_programme", replace(programme, recipients=others))
    monkeypatch.setattr(ads, "_loaded", None)
    assert shop.ask(1) == shop.ask(None) == ()
    assert ads.why(shown.impression).advertiser == "vergers-du-midi"
    assert ads.seen_by(shop.number(1)) is not None


def test_a_lack_that_counted_is_said_too(shop: Shop) -> None:
    soap = {"of": {"categories": ["savons"]}, "days": 28}
    juice = {"of": {"categories": ["jus-frais"]}, "days": 90, "visits": 3}
    shop.run(document(**{"for": {"all": [{"bought": juice}, {"not_bought": soap}]}}))
    told = shop.house.sponsored.tell(shop.ask(1, 1)[0])
    assert told.why("en").endswith("on 4 days in the last 12 months, and no “Soaps” in the last 28 days.")
    assert told.why("fr").endswith("et pas de « Savons » depuis 28 jours.")
    assert "Soaps" not in shop.house.sponsored.tell(shop.ask(REFUSING, 1)[0]).why("en")


def test_purchases_too_old_choose_nothing(shop: Shop) -> None:
    shop.run(document(until="2027-03-03"))
    assert shop.personal(1)
    shop.hand.instant = NOW.replace(month=12, day=31)
    assert shop.personal(1), "also on the last days of a month"
    shop.hand.instant = NOW.replace(year=2027, month=2, day=28)
    assert shop.personal(1), "bought a day before the first of March, a year ago"
    shop.hand.instant = NOW.replace(year=2027, month=3, day=3)
    assert shop.personal(1) == []
    assert len(shop.ask(1)) == 2


def test_the_audit_finds_what_was_changed(shop: Shop) -> None:
    shop.run()
    shop.ask(1, 1)
    shop.house.sponsored.hear(shop.ask(2, 1)[0].impression, "hide")
    shop.clean()
    for change in (
        store.placements.update().values(until="2027-01-01"),
        store.placements.update().values(state="ended"),
        store.placements.update().values(proposed_by="Bruno Modèle"),
        store.profiles.update().values(read=1),
        store.impressions.update().values(customer=shop.number(REFUSING)),
        store.impressions.update().values(day="2026-03-01"),
        store.counts.delete(),
        store.totals.update().values(shown=0),
        store.hidden.update().values(seq=1),
    ):
        with suppress(_Undone), shop.house._stores.records.writing() as connection:
            connection.execute(change)
            report = Report()
            check_sponsored(connection, report)
            assert not report.ok, str(change)
            raise _Undone
    shop.clean()


class _Undone(Exception):
    pass
