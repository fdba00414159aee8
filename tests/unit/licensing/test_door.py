"""Promises 1 to 3 for licences: nothing is handed out without a licence in force, an approval and the days of notice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tests.support.licensing import HOUSE, OFFER, POSTERS, PRINTER, SHOPS, SITE, WEBSITE, Studio, document
from tests.support.offers import lawful

from volens.databases.connect import SqlDatabase
from volens.errors import BadInput, NotFound, NotNow, Refused, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.licensing import store
from volens.licensing.states import (
    ADDED,
    APPROVED,
    CANCELLED,
    DELETED,
    DOWN,
    EXPIRED,
    GIVEN,
    HANDED,
    PLANNED,
    PUBLISHED,
    REFUSED,
    WITHDRAWN,
    Stands,
    Wish,
    against,
)  # fmt: skip
from volens.licensing.using import Publisher, Wanted

LICENCE = lawful().licence
assert LICENCE is not None
ON = date(2027, 1, 20)
STANDS = Stands(LICENCE, 1, GIVEN, APPROVED, "photo", 1, PLANNED, date(2027, 1, 13))
WISH = Wish(SITE, WEBSITE, "FR", None, ON)


def test_the_door_opens_when_everything_speaks_for_it() -> None:
    for state in (PLANNED, HANDED, PUBLISHED):
        assert against(replace(STANDS, use=state), WISH) == ()
    assert against(STANDS, replace(WISH, on=LICENCE.ends or ON)) == ()
    assert against(replace(STANDS, told=LICENCE.starts - timedelta(days=7)), replace(WISH, on=LICENCE.starts)) == ()


BROKEN: dict[str, dict[str, Any]] = {
    **{f"the word is {state}": {"choice": state} for state in (REFUSED, WITHDRAWN, EXPIRED, None, "unheard-of")},
    "before the first day": {"on": LICENCE.starts - timedelta(days=1), "told": LICENCE.starts - timedelta(days=9)},
    "after the last day": {"on": (LICENCE.ends or ON) + timedelta(days=1)},
    **{f"the purpose {one}": {"purpose": one} for one in (SHOPS, "any", "")},
    **{f"the medium {one}": {"medium": one} for one in (POSTERS, "any", "")},
    **{f"the territory {one}": {"territory": one} for one in ("BE", "world", "")},
    "a recipient that is not named": {"recipient": "Envoi Clair SARL"},
    "a kind that is not named": {"item_kind": "review"},
    **{f"the item is {state}": {"item": state} for state in (ADDED, DELETED, None)},
    "approved under another version": {"item_version": 2},
    "never approved": {"item_version": None},
    **{f"the use is {state}": {"use": state} for state in (DOWN, CANCELLED, None)},
    "nobody told her": {"told": None},
    "a day too early": {"told": ON - timedelta(days=6)},
    "it has to come down": {"ticket": True},
}


@pytest.mark.parametrize("what", BROKEN)
def test_each_condition_alone_shuts_it_and_says_why(what: str) -> None:
    changed = BROKEN[what]
    wish = {key: value for key, value in changed.items() if key in Wish.__dataclass_fields__ and key not in ("item",)}
    stands = {key: value for key, value in changed.items() if key in Stands.__dataclass_fields__}
    found = against(replace(STANDS, **stands), replace(WISH, **wish))
    assert len(found) == 1, found


def test_a_licence_without_an_end_is_none() -> None:
    assert against(replace(STANDS, licence=replace(LICENCE, ends=None)), WISH)


def test_an_item_goes_out_for_one_use_when_its_person_had_her_days(studio: Studio) -> None:
    studio.say()
    item = studio.add()
    use = studio.plan(item)
    using, hand = studio.house.licences.using, studio.shop.hand
    refuse(studio, use.number, "has not been told")
    studio.house.delivery.deliver()
    refuse(studio, use.number, "has until")
    hand.pass_days(6)
    refuse(studio, use.number, "has until")
    hand.pass_days(1)
    handed, content, media_type = using.hand_over(HOUSE, use.number)
    assert (handed.state, media_type) == (HANDED, "image/jpeg")
    assert content == studio.house.licences.items.content(studio.number(), item.item)[1]
    with studio.shop.records.reading() as connection:
        assert len(list(log.rows(connection, EVENTS, kinds=["use-handed-over"]))) == 1
    assert using.published(HOUSE, use.number, at=hand.now(), place="https://le-panier.example/nous").state == PUBLISHED
    assert using.hand_over(HOUSE, use.number)[0].state == PUBLISHED, "again, for the same place"
    studio.clean()


def refuse(studio: Studio, number: int, why: str, by: Publisher = HOUSE) -> None:
    """The door is shut, for this reason alone, and nothing is on record."""
    with studio.shop.records.reading() as connection:
        before = len(list(log.rows(connection, EVENTS, kinds=["use-handed-over"])))
    with pytest.raises(Refused, match=why) as refused:
        studio.house.licences.using.hand_over(by, number)
    assert len(refused.value.reasons) == 1, refused.value.reasons
    with studio.shop.records.reading() as connection:
        assert len(list(log.rows(connection, EVENTS, kinds=["use-handed-over"]))) == before


def test_after_each_way_in_which_it_ends_nothing_is_handed_out(studio: Studio) -> None:
    studio.say()
    giving, items, using = studio.house.licences.giving, studio.house.licences.items, studio.house.licences.using
    item = studio.add()
    first, second = studio.ready(item), studio.ready(item)
    using.refuse(studio.number(), first.number)
    refuse(studio, first.number, "this use is cancelled")
    using.hand_over(HOUSE, second.number)
    using.refuse(studio.number(), second.number)
    refuse(studio, second.number, "has to come down")
    third = studio.ready(item)
    items.delete(studio.number(), item.item)
    refuse(studio, third.number, "not there any more")
    fourth = studio.ready(studio.add())
    using.hand_over(HOUSE, fourth.number)
    giving.withdraw(studio.number(), OFFER, language="fr")
    with pytest.raises(Refused, match="withdrawn"):
        using.hand_over(HOUSE, fourth.number)
    studio.clean()


def test_the_day_counts_and_not_the_night_that_notes_it(studio: Studio) -> None:
    studio.say()
    use = studio.ready()
    studio.shop.hand.pass_days(365)
    refuse(studio, use.number, "the licence ended")


def test_somebody_erased_is_handed_to_nobody(studio: Studio) -> None:
    studio.say()
    use = studio.ready()
    studio.house.erasure.erase(studio.number(), by="Test", why="consent-withdrawn")
    with pytest.raises((NotFound, Refused)):
        studio.house.licences.using.hand_over(HOUSE, use.number)
    with studio.shop.records.reading() as connection:
        assert not store.items_of(connection)
        assert not store.words(connection)
    studio.clean()


def test_a_withdrawal_between_asking_and_fetching_is_obeyed(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes are opened, then she withdraws, then the door is asked: it says no."""
    studio.say()
    use = studio.ready()
    vault = studio.house._vault
    truly = vault.open

    def slowly(customer: int, sealed: bytes) -> bytes:
        content = truly(customer, sealed)
        monkeypatch.setattr(vault, "open", truly)
        studio.house.licences.giving.withdraw(studio.number(), OFFER, language="fr")
        return content

    monkeypatch.setattr(vault, "open", slowly)
    with pytest.raises(Refused, match="withdrawn"):
        studio.house.licences.using.hand_over(HOUSE, use.number)
    studio.clean()


def test_many_fetch_while_she_withdraws(studio: Studio) -> None:
    """Whatever went out went out before the withdrawal in the one order; each of it has a ticket."""
    studio.say()
    uses = [studio.plan(studio.add()) for _ in range(4)]
    studio.house.delivery.deliver()
    studio.house.licences.using.note_told()
    studio.shop.hand.pass_days(7)
    barrier, outcome = threading.Barrier(5), dict[int, bool]()

    def fetch(number: int) -> None:
        barrier.wait()
        try:
            studio.house.licences.using.hand_over(HOUSE, number)
            outcome[number] = True
        except Refused:
            outcome[number] = False

    threads = [threading.Thread(target=fetch, args=(one.number,)) for one in uses]
    for one in threads:
        one.start()
    barrier.wait()
    studio.house.licences.giving.withdraw(studio.number(), OFFER, language="fr")
    for one in threads:
        one.join()
    assert len(outcome) == 4
    tickets = {one.use.number for one in studio.house.licences.owed()}
    assert tickets == {number for number, out in outcome.items() if out}
    studio.clean()


@pytest.mark.prove
def test_planning_asks_the_same_door(studio: Studio) -> None:
    studio.say()
    item = studio.add()
    for changed in ({"purpose": SHOPS}, {"medium": "own-mail"}, {"territory": "BE"}):
        with pytest.raises(Refused):
            studio.plan(item, **changed)
    with pytest.raises(Refused):
        studio.plan(studio.add(approved=False))
    with pytest.raises(Refused, match="recipient"):
        studio.plan(item, PRINTER)
    with pytest.raises(NotFound):
        studio.plan(replace(item, item="0" * 32))
    with pytest.raises(NotFound):
        studio.plan(item, offer="autre")
    studio.shop.hand.pass_days(173)
    with pytest.raises(Refused, match="before the days of notice"):
        studio.plan(item)


def test_the_same_plan_again_is_the_same_and_another_with_its_key_is_none(studio: Studio) -> None:
    studio.say()
    item = studio.add()
    first = studio.plan(item, key="k")
    assert studio.plan(item, key="k") == first
    with pytest.raises(NotNow):
        studio.plan(item, key="k", territory="LU")
    assert studio.house.delivery.counts() == {"waiting": 1}, "she is told once"


@pytest.mark.parametrize("changed", [{"place": ""}, {"place": "x" * 501}, {"place": "a\nb"}, {"key": ""}, {"key": "k" * 121}])
def test_a_plan_that_cannot_be_understood(changed: dict[str, str]) -> None:
    said = {"offer": OFFER, "item": "i", "purpose": SITE, "medium": WEBSITE, "territory": "FR", "place": "p", "key": "k"}
    with pytest.raises(BadInput):
        Wanted(**{**said, **changed})


@pytest.mark.prove
def test_at_the_limit_of_uses_and_one_past(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.licensing.using.USES_MAX", 2)
    studio.say()
    item = studio.add()
    first = studio.plan(item)
    studio.plan(item)
    with pytest.raises(NotNow):
        studio.plan(item)
    studio.house.licences.using.cancel(HOUSE, first.number)
    studio.plan(item)


def test_a_named_company_sees_its_own_uses_alone(studio: Studio) -> None:
    """Envoi Clair is named by version 2."""
    named = [{"name": "Envoi Clair SARL", "country": "FR"}]
    studio.shop.put(document(2, recipients=named), budget_cents=None)
    studio.say()
    item = studio.add()
    hers = studio.ready(item, PRINTER)
    ours = studio.ready(item)
    licences = studio.house.licences
    assert [one.use.number for one in licences.uses(PRINTER)] == [hers.number]
    assert [one.use.number for one in licences.uses(HOUSE)] == [ours.number]
    for number, by in ((hers.number, HOUSE), (ours.number, PRINTER)):
        with pytest.raises(NotFound):
            licences.using.hand_over(by, number)
        with pytest.raises(NotFound):
            licences.using.cancel(by, number)
    assert licences.using.hand_over(PRINTER, hers.number)[0].state == HANDED
    other = Publisher("x", "soleil-presse", "Soleil Pressé SA")
    assert licences.usable(other, OFFER, purpose=SITE, medium=WEBSITE, territory="FR") == []
    assert len(licences.usable(PRINTER, OFFER, purpose=SITE, medium=WEBSITE, territory="FR")) == 1
    studio.clean()


def test_opening_her_page_is_being_told(studio: Studio) -> None:
    """Whoever cannot be written to is told by her own page, or not at all."""
    studio.say()
    use = studio.plan(studio.add())
    studio.shop.hand.pass_days(30)
    refuse(studio, use.number, "has not been told")
    assert studio.house.licences.using.seen(studio.number()) == 1
    assert studio.house.licences.using.seen(studio.number()) == 0
    refuse(studio, use.number, "has until")
    studio.shop.hand.pass_days(7)
    studio.house.licences.using.hand_over(HOUSE, use.number)
    studio.clean()


@pytest.mark.prove
def test_the_letter_says_what_where_and_from_when(studio: Studio) -> None:
    studio.say()
    studio.plan(studio.add())
    (one,) = studio.house.delivery.newest()
    told = studio.house.delivery.show(one.message, by="Test")
    assert "votre photo" in told.text
    assert "notre site" in told.text
    assert "10 décembre 2026" in told.text
    assert "https://le-panier.example/clients" in told.text


def test_what_may_be_used_is_what_she_approved(studio: Studio) -> None:
    studio.say()
    approved, _ = studio.add(), studio.add(approved=False)
    name = studio.write()
    found = studio.house.licences.usable(HOUSE, OFFER, purpose=SITE, medium=WEBSITE, territory="FR")
    assert {one.item for one in found} == {approved.item, name.item}
    assert studio.house.licences.usable(HOUSE, OFFER, purpose=SHOPS, medium=WEBSITE, territory="FR") == []
    with pytest.raises(BadInput):
        studio.house.licences.usable(HOUSE, OFFER, purpose="any", medium=WEBSITE, territory="FR")
    with pytest.raises(BadInput):
        studio.house.licences.usable(HOUSE, OFFER, purpose=SITE, medium="any", territory="FR")


@pytest.mark.prove
def test_a_new_version_asks_for_each_item_anew(studio: Studio) -> None:
    studio.say()
    item = studio.add()
    studio.shop.put(document(2), budget_cents=None)
    assert studio.plan(item).version == 1, "until she says yes to it, what she accepted binds"
    studio.say()
    with pytest.raises(Refused, match="another version"):
        studio.plan(item)
    studio.house.licences.items.approve(studio.number(), item.item)
    assert studio.plan(item).version == 2
    studio.clean()


def test_when_the_records_do_not_answer_nothing_is_given(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.say()
    use = studio.ready()

    def silent(records: SqlDatabase) -> Any:
        raise Unavailable("The records do not answer.", "Wait.")

    with monkeypatch.context() as patch:
        patch.setattr(SqlDatabase, "writing", silent)
        with pytest.raises(Unavailable):
            studio.house.licences.using.hand_over(HOUSE, use.number)
