"""An invitation from its link to its reward: what counts, what waits, what is held and who decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.inviting import ADDRESS, FRIENDS, OFFER, OTHER, PAYMENT, SPONSOR, Inviting, friends_offer
from tests.support.taking_part import CLAIRE, MINOR, REASON

from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.referring import signal_store, store
from volens.referring.accepting import NEW_DAYS, NotForHer
from volens.referring.judging import REVIEW_DAYS
from volens.referring.links import LinkGone
from volens.referring.orders import Reported
from volens.referring.rules import BURST_LEAST, FAST_SECONDS
from volens.referring.states import BLOCKED, COUNTED, HELD, OPEN, REFUSED, RETURNED
from volens.wallet.claims import HELD as CLAIM_HELD
from volens.wallet.claims import PENDING, RESERVED

LINA, NOE, ZOE = FRIENDS[0], FRIENDS[1], FRIENDS[2]
WHY = "A person has looked."


def test_a_friend_who_orders_is_one_act_of_her_sponsor(shop: Inviting) -> None:
    assert shop.invite(LINA).state == OPEN
    told = shop.house.referring.invited(shop.number(LINA))
    assert told is not None
    assert told.orders_left == 1
    assert shop.ordered(LINA).state == COUNTED
    hers = shop.house.referring.sponsoring(shop.number(SPONSOR), OFFER)
    assert (hers.counted, hers.left, shop.reward()) == (1, 0, PENDING)
    assert hers.participation is not None
    assert hers.participation.matures == "2027-01-02"
    shop.said(LINA)  # the same report
    shop.said(LINA, order="another")
    assert shop.house.referring.sponsoring(shop.number(SPONSOR), OFFER).counted == 1
    shop.clean()


def test_a_link_tells_nothing_and_is_not_forged(shop: Inviting) -> None:
    token = shop.token()
    assert shop.token() == token, "one link"
    assert shop.house.referring.invitation(token, None).sponsor == ""
    assert shop.house.referring.invitation(shop.token(shown="Camille"), None).sponsor == "Camille"
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "", "é", token + "A", "A" * 500):
        with pytest.raises(LinkGone):
            shop.house.referring.invitation(wrong, None)
    shop.house.referring.end_link(shop.number(SPONSOR), OFFER)
    shop.house.referring.end_link(shop.number(SPONSOR), OFFER)
    with pytest.raises(LinkGone):
        shop.house.referring.accept(shop.newcomer(LINA), token)
    assert shop.token() != token


@pytest.mark.parametrize("name", ["http://x.example", "A" * 31, "Camille1", "<b>", "-Camille"])
def test_a_first_name_is_a_first_name(shop: Inviting, name: str) -> None:
    with pytest.raises(BadInput):
        shop.token(shown=name)


def test_only_who_takes_part_has_a_link(shop: Inviting) -> None:
    with pytest.raises(NotNow):
        shop.house.referring.link(shop.number(SPONSOR), OFFER)
    for one in (shop.house.referring.sponsoring, shop.house.referring.link):
        with pytest.raises(NotFound, match="There is no such offer"):
            one(shop.number(SPONSOR), "unknown")


def test_once_in_her_life(shop: Inviting) -> None:
    tie = shop.invite(LINA)
    assert shop.house.referring.accept(shop.number(LINA), shop.token()) == tie
    with pytest.raises(NotForHer) as second:
        shop.house.referring.accept(shop.number(LINA), shop.token(OTHER))
    assert second.value.why == "F2-invited"


def test_nobody_invites_herself_nor_whoever_leads_to_her(shop: Inviting) -> None:
    with pytest.raises(NotForHer) as herself:
        shop.house.referring.accept(shop.number(SPONSOR), shop.token())
    shop.invite(LINA)
    shop.invite(NOE, LINA)
    with pytest.raises(NotForHer) as ring:
        shop.house.referring.accept(shop.number(SPONSOR), shop.token(NOE))
    shop.token(OTHER)
    with pytest.raises(NotForHer) as sponsor:
        shop.house.referring.accept(shop.number(OTHER), shop.token(NOE))
    assert [one.value.why for one in (herself, ring, sponsor)] == ["F1-person", "F4", "F2-known"]


def test_who_is_known_to_be_a_child_is_not_invited(shop: Inviting) -> None:
    with pytest.raises(NotForHer) as young:
        shop.house.referring.accept(shop.number(MINOR), shop.token())
    assert young.value.why == "too-young"


@pytest.mark.parametrize(("days", "state"), [(NEW_DAYS, OPEN), (NEW_DAYS + 1, BLOCKED)])
def test_a_customer_of_before_is_blocked(shop: Inviting, days: int, state: str) -> None:
    shop.newcomer(LINA)
    shop.hand.pass_days(days)
    tie = shop.house.referring.accept(shop.number(LINA), shop.token())
    assert (tie.state, tie.seen_by) == (state, ("F2-known",) if state == BLOCKED else ())


@pytest.mark.parametrize(("email", "rule"), [("c1+lina@example.org", "F1-mailbox"), ("c3+lina@example.org", "F2-known")])
def test_an_address_that_is_somebodys_with_a_plus_is_known(shop: Inviting, email: str, rule: str) -> None:
    tie = shop.invite(LINA, email=email)
    assert (tie.state, rule in tie.seen_by) == (BLOCKED, True)
    assert shop.ordered(LINA).state == BLOCKED


def test_what_is_held_waits_for_a_person_and_is_counted_meanwhile(shop: Inviting) -> None:
    shop.invite(LINA, email="lina@yopmail.com")
    tie = shop.ordered(LINA)
    assert (tie.state, tie.seen_by, tie.due) == (HELD, ("F6",), "2026-12-13")
    assert shop.reward() == CLAIM_HELD
    line = shop.house.referring.sponsoring(shop.number(SPONSOR), OFFER).friends[0]
    assert line.sentence["fr"] == "L'adresse e-mail de la personne invitée est une adresse jetable."
    assert line.contestable
    contested = shop.house.referring.contest(shop.number(SPONSOR), tie.number)
    assert contested.contested is not None
    assert shop.house.referring.contest(shop.number(LINA), tie.number) == contested
    assert shop.house.referring.release(tie.number, by=CLAIRE, reason=WHY).state == COUNTED
    assert shop.house.referring.release(tie.number, by=CLAIRE, reason=WHY).state == COUNTED
    assert shop.reward() == PENDING
    shop.clean()


def test_a_person_refuses_and_the_reward_goes_back(shop: Inviting) -> None:
    tie = shop.invite(LINA, email="lina@yopmail.com")
    shop.ordered(LINA)
    assert shop.house.referring.refuse(tie.number, by=CLAIRE, reason=WHY).state == REFUSED
    assert shop.house.referring.refuse(tie.number, by=CLAIRE, reason=WHY).state == REFUSED
    assert shop.reward() == RESERVED, "the place is free for another friend"
    assert shop.house.referring.contest(shop.number(LINA), tie.number).state == HELD
    with pytest.raises(Refused):
        shop.house.referring.release(tie.number, by=CLAIRE.upper(), reason=WHY)
    assert shop.house.referring.release(tie.number, by="Idriss Exemple", reason=WHY).state == OPEN
    assert shop.ordered(LINA, order="second").state == HELD, "the address is still what it is"
    shop.clean()


def test_a_refusal_is_contested_once(shop: Inviting) -> None:
    tie = shop.invite(LINA, email="lina@yopmail.com")
    shop.ordered(LINA)
    shop.house.referring.refuse(tie.number, by=CLAIRE, reason=WHY)
    shop.house.referring.contest(shop.number(SPONSOR), tie.number)
    shop.house.referring.refuse(tie.number, by="Idriss Exemple", reason=WHY)
    with pytest.raises(NotNow):
        shop.house.referring.contest(shop.number(LINA), tie.number)
    with pytest.raises(NotFound):
        shop.house.referring.contest(shop.number(OTHER), tie.number)


def test_silence_is_for_the_customer(shop: Inviting) -> None:
    shop.invite(LINA, email="lina@yopmail.com")
    shop.ordered(LINA)
    shop.hand.pass_days(REVIEW_DAYS)
    assert shop.house.referring.night().released == 0
    shop.hand.pass_days(1)
    assert shop.house.referring.night().released == 1
    assert (shop.tie(LINA).state, shop.tie(LINA).by, shop.reward()) == (COUNTED, "silence", PENDING)
    shop.clean()


def test_what_was_blocked_is_looked_at_when_it_is_contested(shop: Inviting) -> None:
    tie = shop.invite(LINA, email="c3+lina@example.org")
    assert shop.house.referring.contest(shop.number(LINA), tie.number).state == HELD
    assert shop.house.referring.release(tie.number, by=CLAIRE, reason=WHY).state == OPEN
    shop.clean()


@pytest.mark.parametrize(("seconds", "state"), [(FAST_SECONDS - 1, HELD), (FAST_SECONDS, COUNTED)])
def test_an_order_within_seconds_is_held(shop: Inviting, seconds: int, state: str) -> None:
    shop.invite(LINA)
    shop.hand.instant += timedelta(seconds=seconds)
    shop.said(LINA)
    assert shop.tie(LINA).state == state


def test_an_order_of_before_does_not_count_and_the_next_one_does(shop: Inviting) -> None:
    shop.invite(LINA)
    shop.said(LINA, at=shop.hand.now() - timedelta(seconds=1))
    tie = shop.tie(LINA)
    assert (tie.state, tie.seen_by) == (OPEN, ("F7-before",))
    assert shop.ordered(LINA, order="second").state == COUNTED


def test_flatmates_who_share_a_card_count_and_one_person_with_many_mailboxes_does_not(shop: Inviting) -> None:
    shop.token()
    shop.said(SPONSOR, payment=PAYMENT, address=ADDRESS)
    shop.invite(LINA)
    assert shop.ordered(LINA, payment=PAYMENT, address=ADDRESS).state == COUNTED
    shop.house.offering.join(
        shop.number(SPONSOR), OFFER, country="FR", language="fr", version=1, adult=True, key="again",
    )  # fmt: skip
    shop.invite(NOE, email="c1c@example.org")
    tie = shop.ordered(NOE, payment=PAYMENT)
    assert (tie.state, tie.seen_by) == (COUNTED, ()), "letters of a short name say nothing"


def test_alike_mailboxes_and_one_card_are_held(shop: Inviting) -> None:
    shop.newcomer(ZOE, email="zoe.exemple1@example.org")
    shop.token(ZOE)
    shop.said(ZOE, payment=PAYMENT)
    shop.invite(LINA, ZOE, email="zoe.exemple2@example.org")
    tie = shop.ordered(LINA, payment=PAYMENT)
    assert (tie.state, tie.seen_by) == (HELD, ("F1-payment",))


def test_without_orders_in_the_offer_nothing_of_payment_is_kept(shop: Inviting) -> None:
    act = {
        "kind": "referral", "times": 1, "uses": ["account", "invitation", "payout"], "cap_a_year": 5, "friend": "shared-link",
        "disclosed": True,
    }  # fmt: skip
    shop.put(friends_offer(offer="autre", act=act), budget_cents=10_000)
    token = shop.token(SPONSOR, "autre")
    shop.house.referring.accept(shop.newcomer(LINA), token)
    shop.ordered(LINA, payment=PAYMENT, address=ADDRESS)
    with shop.records.reading() as connection:
        kinds = {kind for kind, _ in signal_store.signals_of(connection, "autre", [shop.number(LINA)])[shop.number(LINA)]}
    assert kinds == {"mailbox", "letters", "surname"}
    assert shop.tie(LINA).state == COUNTED


def test_an_order_that_is_returned_is_taken_back_and_another_takes_its_place(shop: Inviting) -> None:
    shop.invite(LINA)
    shop.ordered(LINA)
    shop.said(LINA, "refund", order=f"order/{LINA}", cents=3999)
    assert (shop.tie(LINA).state, shop.reward()) == (COUNTED, PENDING)
    shop.said(LINA, "return", order=f"order/{LINA}", cents=1)
    tie = shop.tie(LINA)
    assert (tie.state, tie.seen_by, shop.reward()) == (RETURNED, ("F8",), RESERVED)
    assert shop.ordered(LINA, order="second").state == COUNTED
    shop.said(LINA, order="third")
    shop.said(LINA, "return", order="second")
    assert shop.tie(LINA).state == COUNTED, "the third order stands"
    shop.clean()


def test_what_is_paid_stays_paid(shop: Inviting) -> None:
    shop.invite(LINA)
    shop.ordered(LINA)
    shop.hand.pass_days(31)
    shop.house.wallet.mature()
    shop.said(LINA, "return", order=f"order/{LINA}")
    assert (shop.tie(LINA).state, shop.reward()) == (COUNTED, "available")


def test_an_order_that_came_back_before_it_was_reported_does_not_count(shop: Inviting) -> None:
    shop.invite(LINA)
    shop.said(LINA, "return", order="late")
    assert shop.ordered(LINA, order="late").state == OPEN


def test_more_friends_than_places_wait_until_she_takes_part_again(shop: Inviting) -> None:
    shop.invite(LINA)
    shop.invite(NOE)
    shop.ordered(LINA)
    assert shop.ordered(NOE).state == OPEN
    assert shop.house.referring.sponsoring(shop.number(SPONSOR), OFFER).waiting == 1
    shop.said(LINA, "return", order=f"order/{LINA}")
    assert (shop.tie(LINA).state, shop.tie(NOE).state) == (RETURNED, COUNTED), "a place that is free is taken by who waits"
    shop.said(LINA, order="second")
    with pytest.raises(NotNow):
        shop.house.referring.accept(shop.newcomer(ZOE), shop.token())
    shop.house.offering.join(shop.number(SPONSOR), OFFER, country="FR", language="fr", version=1, adult=True, key="again")
    assert shop.house.referring.night().counted == 1
    assert shop.tie(LINA).state == COUNTED
    shop.clean()


def test_an_offer_that_is_stopped_takes_nobody_new(shop: Inviting) -> None:
    token = shop.token()
    shop.house.offering.suspend(OFFER, "FR", REASON, by=CLAIRE)
    shop.hand.pass_days(1)
    assert not shop.house.referring.invitation(token, None).open
    with pytest.raises(NotNow):
        shop.house.referring.accept(shop.newcomer(LINA), token)


def test_a_burst_of_accounts_that_are_alike_is_held_with_those_before_it(shop: Inviting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("volens.referring.facts.Pace.of", classmethod(lambda cls, hours: cls(50, 1.0, 0.0)))
    cards = range(40, 40 + BURST_LEAST)
    for card in cards:
        shop.invite(card)
    shop.hand.instant += timedelta(seconds=FAST_SECONDS)
    for card in cards[: BURST_LEAST // 2 - 1]:
        shop.said(card, payment=PAYMENT)
    assert (shop.tie(cards[0]).state, shop.reward()) == (COUNTED, PENDING)
    shop.said(cards[-1], payment=PAYMENT)
    assert (shop.tie(cards[0]).state, shop.tie(cards[0]).seen_by) == (HELD, ("F5",))
    assert shop.reward() == CLAIM_HELD


def test_the_campaign_goes_and_that_somebody_was_invited_stays(shop: Inviting) -> None:
    shop.invite(LINA)
    shop.ordered(LINA, payment=PAYMENT)
    shop.hand.instant = shop.hand.instant.replace(year=2027, month=3, day=30)
    assert shop.house.referring.night().campaigns == 0
    shop.hand.pass_days(1)
    assert shop.house.referring.night().campaigns == 1
    assert shop.house.referring.night().campaigns == 0
    with shop.records.reading() as connection:
        assert not store.all_ties(connection)
        assert not store.all_links(connection)
        assert not signal_store.signals_of(connection, OFFER, [shop.number(LINA), shop.number(SPONSOR)])
        assert (store.generation(connection, shop.number(LINA)), store.generation(connection, shop.number(SPONSOR))) == (1, None)
    shop.clean()


def test_erasing_takes_what_names_her(shop: Inviting) -> None:
    shop.invite(LINA, email="lina@yopmail.com")
    shop.invite(NOE, LINA)
    shop.ordered(LINA)
    shop.house.erasure.erase(shop.number(LINA), by="Sam Exemple", why="consent-withdrawn")
    with shop.records.reading() as connection:
        assert not store.all_ties(connection)
        assert [one.customer for one in store.all_links(connection)] == [shop.number(SPONSOR)]
    shop.clean()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "sale"}, {"key": ""}, {"key": "k" * 121}, {"order": ""}, {"cents": -1}, {"cents": 100_000_001},
        {"payment": "4970100000000055"}, {"payment": "short"}, {"address": "1 rue de l'Exemple, 75000 Paris"},
    ],
    ids=str,
)  # fmt: skip
def test_a_report_that_is_wrong_is_refused(shop: Inviting, wrong: dict[str, object]) -> None:
    good = {"kind": "order", "key": "k", "order": "o", "at": shop.hand.now(), "cents": 1}
    Reported(**good)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        Reported(**{**good, **wrong})  # type: ignore[arg-type]


def test_a_key_says_one_thing_and_nobody_unknown_is_kept(shop: Inviting) -> None:
    shop.invite(LINA)
    shop.said(LINA, key="k")
    with pytest.raises(BadInput):
        shop.said(LINA, key="k", cents=1)
    with pytest.raises(BadInput):
        shop.said(LINA, key="later", at=shop.hand.now() + timedelta(minutes=6))
    shop.house.referring.report(("card", "C99999"), Reported("order", "x", "x", shop.hand.now(), 1))
    shop.said(OTHER, payment=PAYMENT)
    with shop.records.reading() as connection:
        assert not signal_store.signals_of(connection, OFFER, [shop.number(OTHER)])


@pytest.mark.parametrize(("by", "reason"), [("", WHY), ("x" * 121, WHY), (CLAIRE, ""), (CLAIRE, "x" * 401)])
def test_whoever_decides_has_a_name_and_a_reason(shop: Inviting, by: str, reason: str) -> None:
    tie = shop.invite(LINA, email="lina@yopmail.com")
    shop.ordered(LINA)
    for decide in (shop.house.referring.release, shop.house.referring.refuse):
        with pytest.raises(BadInput):
            decide(tie.number, by=by, reason=reason)


