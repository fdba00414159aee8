"""Words about licences: each purpose by itself, a no always, a yes only as it may be, and what it earns."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.licensing import OFFER, SHOPS, SITE, Studio, document
from tests.support.taking_part import ABROAD, BRUNO, CLAIRE, MINOR, REASON

from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.licensing import store
from volens.licensing.giving import ANSWER_MAX, NoYes


def kinds(studio: Studio, card: int = 1) -> list[str]:
    """What was recorded about somebody's licence."""
    with studio.shop.records.reading() as connection:
        rows = log.rows(connection, EVENTS, customer=studio.number(card))
        return [row.kind for row in rows if row.kind.startswith(("licence-", "instead-", "reward-"))]


def test_each_purpose_is_a_word_of_its_own_and_a_no_is_recorded_like_a_yes(studio: Studio) -> None:
    given = studio.say()
    refused = studio.say(purpose=SHOPS, yes=False)
    assert (given.state, refused.state) == ("given", "refused")
    assert studio.say() == given, "the same again changes nothing"
    assert studio.say(purpose=SHOPS, yes=False) == refused
    assert kinds(studio) == ["licence-given", "reward-earned", "licence-refused"]
    with studio.shop.records.reading() as connection:
        said = next(iter([*log.rows(connection, EVENTS, kinds=["licence-given"])])).said()
    shown = studio.house.licences.chance(studio.number(), OFFER).current.sha256("fr")
    assert said == {
        "offer": OFFER, "purpose": SITE, "version": 1, "language": "fr", "country": "FR", "sha256": shown,
    }  # fmt: skip
    assert studio.say(yes=False).state == "withdrawn"
    assert studio.say(yes=False).state == "withdrawn"
    assert studio.say().state == "given", "and again, by a new word"
    studio.clean()


def test_a_yes_earns_once_and_nothing_takes_it_back(studio: Studio) -> None:
    before = studio.shop.left(OFFER)
    studio.say()
    studio.say(purpose=SHOPS)
    assert studio.shop.left(OFFER) == before - 1_000
    claim = f"licence:{OFFER}:{studio.number()}"
    assert studio.shop.claim(claim) == "pending"
    studio.house.licences.giving.withdraw(studio.number(), OFFER, language="fr")
    studio.say()
    studio.say(yes=False)
    assert studio.shop.claim(claim) == "pending", "withdrawing takes nothing away"
    assert studio.shop.left(OFFER) == before - 1_000, "and giving again earns nothing more"
    studio.clean()


def test_the_reward_for_the_act_knows_nothing_of_the_licence(studio: Studio) -> None:
    """Promise 9: refusing and withdrawing leave the participation and its claim as they are."""
    taking = studio.shop.join(1, OFFER)
    for yes in (False, True, False):
        studio.say(yes=yes)
        assert studio.shop.one(taking.id) == taking
        assert studio.shop.claim(taking.claim) == "reserved"
    other = studio.shop.join(2, OFFER)
    assert studio.shop.claim(other.claim) == "reserved", "who says nothing has the same"


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"version": 2}, "changed"), ({"shown": "0" * 64}, "changed"), ({"shown": ""}, "changed"), ({"adult": False}, "age")],
)
def test_a_yes_needs_the_very_text_and_an_adult(studio: Studio, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(NoYes) as wrong:
        studio.say(**changed)
    assert wrong.value.why == why
    assert kinds(studio) == []
    assert studio.say(yes=False, **changed).state == "refused", "a no needs nothing"


def test_whoever_is_known_to_be_a_minor_cannot_say_yes(studio: Studio) -> None:
    with pytest.raises(NoYes) as wrong:
        studio.say(MINOR)
    assert wrong.value.why == "minor"
    assert studio.house.licences.chance(studio.number(MINOR), OFFER).closed == ("minor",)
    assert studio.say(MINOR, yes=False).state == "refused"


@pytest.mark.prove
def test_other_purposes_and_offers_and_people_are_not_known(studio: Studio) -> None:
    with pytest.raises(BadInput):
        studio.say(purpose="own-advertising")
    with pytest.raises(NotFound):
        studio.say(purpose="own-advertising", yes=False)
    with pytest.raises(NotFound):
        studio.house.licences.giving.say(studio.number(), "no-such-offer", SITE, True, language="fr")
    with pytest.raises(NotFound):
        studio.house.licences.giving.say(999, OFFER, SITE, True, language="fr")
    with pytest.raises(BadInput):
        studio.say(surface="x" * 41)


def test_where_the_offer_is_stopped_nobody_new_says_yes_and_what_was_given_goes_on(studio: Studio) -> None:
    item_of = studio.say() and studio.add()
    studio.house.offering.suspend(OFFER, "FR", reason=REASON, by=CLAIRE)
    with pytest.raises(NoYes) as wrong:
        studio.say(2)
    assert wrong.value.why == "closed"
    assert studio.house.licences.chance(studio.number(2), OFFER).closed == ("suspended",)
    assert studio.out(item_of).state == "published", "the terms name no end but its day and her word"
    assert studio.say(ABROAD).state == "given", "in another country it is open"
    assert studio.say(yes=False).state == "withdrawn"


def test_without_money_the_yes_is_not_taken(studio: Studio) -> None:
    studio.shop.budget(OFFER, 1_000)
    studio.say(1)
    with pytest.raises(NoYes) as wrong:
        studio.say(2)
    assert wrong.value.why == "budget"
    assert kinds(studio, 2) == [], "nothing of it is on record"
    with pytest.raises(NoYes):
        studio.house.licences.giving.choose_instead(studio.number(2), OFFER)
    assert studio.say(1, SHOPS).state == "given", "a further purpose earns nothing and needs no money"


def test_the_way_without_a_licence_earns_the_same(studio: Studio) -> None:
    giving, who = studio.house.licences.giving, studio.number()
    with pytest.raises(NotFound):
        giving.done_instead(who, OFFER)
    assert giving.choose_instead(who, OFFER).state == "chosen"
    assert giving.choose_instead(who, OFFER).state == "chosen"
    claim = f"instead:{OFFER}:1:{who}"
    assert studio.shop.claim(claim) == "reserved", "it is set aside when it is chosen"
    assert giving.done_instead(who, OFFER).state == "done"
    assert giving.done_instead(who, OFFER).state == "done"
    assert studio.shop.claim(claim) == "pending"
    studio.say(2)
    with pytest.raises(NotNow):
        giving.choose_instead(studio.number(2), OFFER)
    studio.clean()


def test_a_survey_is_answered_on_the_offers_page_and_earns_the_same(studio: Studio) -> None:
    giving, who = studio.house.licences.giving, studio.number()
    asked = giving.questions(OFFER, 1)
    said = [f"  réponse {number}" for number in range(len(asked))]
    assert asked
    with pytest.raises(NotFound):
        giving.answer_instead(who, OFFER, said)
    giving.choose_instead(who, OFFER)
    for wrong in (said[:-1], [*said, "more"], [" ", *said[1:]], ["x" * (ANSWER_MAX + 1), *said[1:]]):
        with pytest.raises(BadInput):
            giving.answer_instead(who, OFFER, wrong)
    assert giving.answer_instead(who, OFFER, said).state == "done"
    assert giving.answer_instead(who, OFFER, ["again"] * len(said)).state == "done"
    assert studio.shop.claim(f"instead:{OFFER}:1:{who}") == "pending"
    giving.choose_instead(studio.number(2), OFFER)
    giving.done_instead(studio.number(2), OFFER)
    assert studio.house.licences.answers(OFFER) == [(1, tuple(one.strip() for one in said))], "the first answers stay"
    with studio.shop.records.reading() as connection:
        assert not any(b"ponse 0" in (row.entry() + (row.sealed or b"")) for row in log.rows(connection, EVENTS))
    studio.house.erasure.erase(who, by="Test", why="consent-withdrawn")
    assert studio.house.licences.answers(OFFER) == []
    studio.clean()


def test_what_was_set_aside_and_not_done_is_the_offers_again(studio: Studio) -> None:
    giving, before = studio.house.licences.giving, studio.shop.left(OFFER)
    for card in (1, 2):
        giving.choose_instead(studio.number(card), OFFER)
    assert studio.shop.left(OFFER) == before - 2_000
    studio.house.erasure.erase(studio.number(2), by="Test", why="consent-withdrawn")
    assert studio.shop.left(OFFER) == before - 1_000
    hand = studio.shop.hand
    hand.instant = hand.instant.replace(year=2027, month=3, day=14)  # the offer's last day, and fourteen more
    assert studio.house.licences.nightly()["lapsed"] == 0
    hand.pass_days(1)
    assert studio.house.licences.nightly()["lapsed"] == 1
    assert studio.shop.left(OFFER) == before
    with pytest.raises(NotNow):
        giving.done_instead(studio.number(), OFFER)
    studio.clean()


def test_a_new_version_is_a_new_word_and_the_old_one_binds_until_then(studio: Studio) -> None:
    studio.say()
    studio.shop.put(document(2, notice_days=14), budget_cents=None)
    assert studio.house.licences.of_customer(studio.number())[0].licence.notice_days == 7
    assert studio.say().version == 2
    assert studio.house.licences.of_customer(studio.number())[0].licence.notice_days == 14
    assert kinds(studio).count("reward-earned") == 1
    studio.clean()


def test_a_licence_runs_out_at_the_end_of_its_last_day_in_her_country(studio: Studio) -> None:
    studio.say()
    last = studio.house.licences.chance(studio.number(), OFFER).current.licence.ends
    assert last is not None
    hand = studio.shop.hand
    hand.pass_days((last - hand.now().date()).days)
    hand.instant = hand.instant.replace(hour=21, minute=59)  # 23:59 in Paris, in summer
    assert studio.house.licences.giving.expire() == 0
    hand.instant += timedelta(minutes=1)
    assert studio.house.licences.giving.expire() == 1
    assert studio.house.licences.giving.expire() == 0
    with studio.shop.records.reading() as connection:
        assert [one.state for one in store.words(connection, customer=studio.number())] == ["expired"]
    with pytest.raises(NoYes):
        studio.say()
    assert studio.shop.claim(f"licence:{OFFER}:{studio.number()}") in ("pending", "available")
    studio.clean()


@pytest.mark.prove
def test_many_licences_run_out_in_one_night(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.licensing.giving.EXPIRED_AT_ONCE", 2)
    for card in (1, 2, 3, 4):
        studio.say(card)
    studio.shop.hand.pass_days(300)
    assert studio.house.licences.nightly()["expired"] == 4


@pytest.mark.prove
def test_words_need_two_people_of_the_house_first(studio: Studio) -> None:
    """A version that is only proposed has no licence to say yes to."""
    plain = json.loads(document())
    plain["offer"] = "autre-offre"
    studio.house.offering.registry.propose(json.dumps(plain), by=CLAIRE)
    with pytest.raises(NotFound):
        studio.house.licences.chance(studio.number(), "autre-offre")
    assert BRUNO != CLAIRE
