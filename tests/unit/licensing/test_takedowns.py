"""What ends is taken down: one ticket a use, with a last day that is said, open until a proof closes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.licensing import HOUSE, OFFER, SHOPS, Studio
from tests.support.taking_part import ABROAD

from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.licensing import store
from volens.licensing.takedowns import NOTE_MAX, Proof

AT = datetime(2026, 12, 1, tzinfo=UTC)


def tickets(studio: Studio) -> dict[int, tuple[str, str, str]]:
    """Reason, last day and state of each ticket."""
    with studio.shop.records.reading() as connection:
        return {one.number: (one.reason, one.due, one.state) for one in store.takedowns_of(connection)}


def test_a_withdrawal_opens_a_ticket_for_each_use_that_is_out_and_cancels_the_rest(studio: Studio) -> None:
    studio.say()
    item = studio.add()
    up, handed, planned = studio.out(item), studio.out(item, published=False), studio.plan(item)
    assert tickets(studio) == {}
    studio.house.licences.giving.withdraw(studio.number(), OFFER, language="fr")
    today = studio.shop.hand.now().date()
    due = (today + timedelta(days=3)).isoformat()
    assert tickets(studio) == {one.number: ("withdrawn", due, "open") for one in (up, handed)}
    (held,) = studio.house.licences.of_customer(studio.number())
    states = {one.use.number: (one.use.state, one.takedown is not None, one.overdue) for one in held.uses}
    assert states == {
        up.number: ("published", True, False), handed.number: ("handed", True, False), planned.number: ("cancelled", False, False),
    }  # fmt: skip
    studio.down(up.number)
    studio.down(handed.number)
    studio.down(handed.number)
    assert {one[2] for one in tickets(studio).values()} == {"proven"}
    assert studio.house.licences.owed() == []
    studio.clean()


def test_only_the_purpose_that_she_takes_back_comes_down(studio: Studio) -> None:
    studio.say()
    studio.say(purpose=SHOPS)
    item = studio.add()
    shop, site = studio.out(item, purpose=SHOPS, medium="own-posters"), studio.out(item)
    studio.say(purpose=SHOPS, yes=False)
    assert list(tickets(studio)) == [shop.number]
    assert studio.house.licences.using.hand_over(HOUSE, site.number)[0].state == "published"
    studio.clean()


@pytest.mark.parametrize(
    ("card", "at", "due"),
    [
        pytest.param(1, "2026-12-23T22:59:00+00:00", "2026-12-26", marks=pytest.mark.prove),  # 23:59 in Paris on the 23rd
        (1, "2026-12-23T23:00:00+00:00", "2026-12-27"),  # midnight in Paris: the 24th
        pytest.param(1, "2026-12-24T12:00:00+00:00", "2026-12-27", marks=pytest.mark.prove),  # over Christmas and into a Sunday
        pytest.param(1, "2026-12-30T12:00:00+00:00", "2027-01-02", marks=pytest.mark.prove),  # over New Year's Day
        (1, "2027-03-26T22:30:00+00:00", "2027-03-29"),  # over the change of time, onto Easter Monday
        pytest.param(ABROAD, "2027-04-30T21:59:00+00:00", "2027-05-03", marks=pytest.mark.prove),  # over Labour Day, in Luxembourg
    ],
)
def test_days_are_calendar_days_of_her_country_and_holidays_do_not_lengthen_them(
    studio: Studio, card: int, at: str, due: str
) -> None:
    studio.say(card)
    use = studio.out(studio.add(card), territory="FR")
    studio.shop.hand.instant = datetime.fromisoformat(at)
    studio.say(card, yes=False)
    assert tickets(studio)[use.number][1] == due
    studio.clean()


def test_an_end_makes_the_same_tickets_from_its_last_day(studio: Studio) -> None:
    studio.say()
    use = studio.out()
    studio.shop.hand.instant = datetime(2027, 6, 2, 3, tzinfo=UTC)  # two nights late
    assert studio.house.licences.nightly()["expired"] == 1
    assert tickets(studio) == {use.number: ("expired", "2027-06-03", "open")}
    studio.clean()


def test_deleting_a_thing_and_refusing_a_place_take_down(studio: Studio) -> None:
    studio.say()
    item = studio.add()
    first, second = studio.out(item), studio.out(item)
    using = studio.house.licences.using
    using.refuse(studio.number(), first.number)
    using.refuse(studio.number(), first.number)
    assert {number: one[0] for number, one in tickets(studio).items()} == {first.number: "refused"}
    studio.house.licences.items.delete(studio.number(), item.item)
    assert {number: one[0] for number, one in tickets(studio).items()} == {first.number: "refused", second.number: "deleted"}
    with pytest.raises(NotFound):
        using.refuse(studio.number(2), second.number)
    studio.clean()


def test_what_was_published_too_late_is_known_all_the_same(studio: Studio) -> None:
    """Handed out before she withdrew, put up after: it is told as it was, and has to come down."""
    studio.say()
    use = studio.out(published=False)
    studio.say(yes=False)
    studio.shop.hand.pass_days(1)
    assert studio.house.licences.using.published(HOUSE, use.number, at=studio.shop.hand.now()).state == "published"
    assert tickets(studio)[use.number][2] == "open"
    studio.clean()


def test_overdue_is_told_once_to_her_and_stands_on_every_page(studio: Studio) -> None:
    studio.say()
    use = studio.out()
    studio.say(yes=False)
    licences = studio.house.licences
    studio.shop.hand.pass_days(3)
    assert licences.nightly()["warned"] == 0, "the last day is hers to wait and ours to work"
    studio.shop.hand.pass_days(1)
    assert licences.nightly()["warned"] == 1
    assert licences.nightly()["warned"] == 0
    assert licences.counts()["overdue"] == 1
    assert licences.owed()[0].overdue
    newest = studio.house.delivery.newest()[0]
    assert newest.kind == "licence-overdue"
    told = studio.house.delivery.show(newest.message, by="Test").text
    assert "Nous n'avons pas la preuve" in told
    assert "https://le-panier.example/clients" in told
    (held,) = licences.of_customer(studio.number())
    assert held.uses[0].overdue
    studio.down(use.number)
    assert licences.counts()["overdue"] == 0
    studio.clean()


def test_a_proof_says_when_what_and_who() -> None:
    for status in (404, 410):
        Proof(AT, "site", status)
    Proof(AT, "site", 200, "Another picture stands there.")
    Proof(AT, "site", None, "x" * NOTE_MAX)
    for wrong in (
        (None, ""), (200, ""), (301, " "), (99, "x"), (600, "x"), (410, "x" * (NOTE_MAX + 1)),
    ):  # fmt: skip
        with pytest.raises(BadInput):
            Proof(AT, "site", *wrong)
    for by in ("", " ", "x" * 121):
        with pytest.raises(BadInput):
            Proof(AT, by, 404)


def test_nothing_is_down_tomorrow_nor_before_it_was_handed_out(studio: Studio) -> None:
    studio.say()
    use = studio.plan(studio.add())
    with pytest.raises(NotNow):
        studio.down(use.number)
    later = Proof(studio.shop.hand.now() + timedelta(minutes=1), "site", 404)
    with pytest.raises(BadInput):
        studio.house.licences.using.down(HOUSE, use.number, later)
    out = studio.out()
    with pytest.raises(NotNow):
        studio.house.licences.using.cancel(HOUSE, out.number)
    with pytest.raises(BadInput):
        studio.house.licences.using.published(HOUSE, out.number, at=studio.shop.hand.now() + timedelta(minutes=1))


def test_somebody_of_the_house_may_prove_it(studio: Studio) -> None:
    studio.say()
    use = studio.out(medium="own-posters", place="Vitrine, Lyon")
    studio.say(yes=False)
    studio.house.licences.done(use.number, at=studio.shop.hand.now(), by="Idriss Exemple", note="L'affiche n'y est plus.")
    (held,) = studio.house.licences.of_customer(studio.number())
    ticket = held.uses[0].takedown
    assert ticket is not None
    assert ticket.proof is not None
    assert (ticket.state, ticket.proof["by"], ticket.proof["note"]) == ("proven", "Idriss Exemple", "L'affiche n'y est plus.")
    studio.clean()


def test_erasure_takes_everything_down_first_and_keeps_the_ticket_until_it_is_done(studio: Studio) -> None:
    studio.say()
    item = studio.add()
    use, planned = studio.out(item), studio.plan(item)
    who = studio.number()
    studio.house.erasure.erase(who, by="Test", why="consent-withdrawn")
    (owed,) = studio.house.licences.owed()
    assert (owed.use.number, owed.takedown.reason) == (use.number, "erased")
    with studio.shop.records.reading() as connection:
        assert [one.number for one in store.uses_of(connection)] == [use.number], "what was only planned is gone"
        assert store.use(connection, planned.number) is None
        assert [row.kind for row in log.rows(connection, EVENTS, kinds=["licence-withdrawn"])] == ["licence-withdrawn"]
    studio.clean()
    studio.shop.hand.pass_days(5)
    assert studio.house.licences.nightly()["warned"] == 1, "it is on record; nobody is written to"
    studio.clean()
    studio.house.licences.using.published(HOUSE, use.number, at=studio.shop.hand.now(), place="https://le-panier.example/x")
    studio.down(use.number)
    studio.clean()
    assert studio.house.licences.nightly()["forgotten"] == 1
    with studio.shop.records.reading() as connection:
        assert store.uses_of(connection) == []
        assert store.takedowns_of(connection) == []
    studio.clean()
    assert studio.house.licences.giving.withdraw_all(who) == 0


def test_what_nobody_can_take_back_any_more_ends_in_the_night(studio: Studio) -> None:
    """Her card and her address turn out to be another's."""
    studio.say(2)
    item = studio.add(2)
    up = studio.out(item)
    customers, nightly = studio.house.customers, studio.house.licences.nightly
    customers.link(("card", "C00002"), ("card", "C00001"), by="service desk")
    nightly()
    assert tickets(studio) == {}, "she has an account of her own still"
    customers.link(("email", "c2@example.org"), ("card", "C00001"), by="service desk")
    nightly()
    nightly()
    assert {number: (reason, state) for number, (reason, _, state) in tickets(studio).items()} == {up.number: ("withdrawn", "open")}
    with studio.shop.records.reading() as connection:
        assert {one.state for one in store.words(connection)} == {"withdrawn"}
        assert {one.state for one in store.items_of(connection)} == {"deleted"}
    studio.clean()
