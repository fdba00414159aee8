"""No through a doorway: in force when it is answered, recorded once, told, and undone in one step to exactly what stood."""

from __future__ import annotations

import threading

import pytest
from tests.support.doors import EMAILS, SITE, STATISTICS, Doors

from volens.doorways.links import LinkExpired, LinkUnknown, LinkUsed
from volens.doorways.station import Ended, NotOurs
from volens.errors import BadInput, NotNow
from volens.permissions.ledger import Choice
from volens.permissions.state import DENYING


def test_a_code_refuses_everything_and_its_holder_is_told(doors: Doors) -> None:
    assert doors.permits(doors.camille)
    seqs = doors.house.doorways.refuse(doors.code(), language="fr")
    assert not doors.permits(doors.camille)
    said = [one for one in doors.house.permissions.history(doors.camille) if one.seq in seqs]
    assert {one.kind for one in said} <= DENYING
    assert {one.how["surface"] for one in said} == {"receipt link"}
    assert all(one.how["proof"]["doorway"]["generation"] == 0 for one in said)
    assert len(doors.house.permissions.of_customer(doors.sacha)) == 0
    assert doors.house.delivery.deliver().carried == 1
    (text,) = doors.letters(doors.camille)
    assert "quelqu'un a dit non" in text
    assert "https://lepanier.example/autorisations" in text
    assert doors.house.audit().ok, doors.house.audit().to_text()


def test_one_group_leaves_the_others(doors: Doors) -> None:
    doors.house.doorways.refuse(doors.code(), "advertising", language="fr")
    assert doors.permits(doors.camille)
    assert not doors.permits(doors.camille, EMAILS, "le-panier")


def test_a_second_tap_adds_nothing(doors: Doors) -> None:
    doors.house.doorways.refuse(doors.code(), language="fr")
    before = doors.events(doors.camille)
    assert doors.house.doorways.refuse(doors.code(), language="fr") == []
    assert doors.events(doors.camille) == before
    assert len(doors.house.delivery.newest()) == 1
    doors.later(days=1)
    assert doors.house.doorways.refuse(doors.code(), language="fr"), "on another day it could outrank what is imported"


def test_what_is_permitted_again_can_be_refused_again_the_same_day(doors: Doors) -> None:
    doors.house.doorways.refuse(doors.code(), language="fr")
    doors.house.permissions.record([Choice(doors.camille, STATISTICS, "given", surface="a test")])
    assert len(doors.house.doorways.refuse(doors.code(), language="fr")) == 1
    assert not doors.permits(doors.camille)


def test_an_ended_code_refuses_nothing_and_says_so(doors: Doors) -> None:
    old = doors.code()
    fresh = doors.house.doorways.renew(doors.camille)
    assert {one.kind for one in fresh} == {"card", "email"}
    with pytest.raises(Ended, match="nothing was changed"):
        doors.house.doorways.refuse(old, language="fr")
    assert doors.permits(doors.camille)
    assert doors.house.doorways.ours(old), "the page does not tell an ended code from another"
    doors.house.doorways.refuse(doors.code(), language="fr")
    assert not doors.permits(doors.camille)
    assert doors.house.audit().ok, doors.house.audit().to_text()


def test_a_code_that_was_never_made_is_told(doors: Doors) -> None:
    with pytest.raises(NotOurs):
        doors.house.doorways.refuse("ABCD-EFGH-JKMN", language="fr")


def test_a_group_that_does_not_exist_changes_nothing(doors: Doors) -> None:
    with pytest.raises(BadInput):
        doors.house.doorways.refuse(doors.code(), "astrology", language="fr")
    assert doors.permits(doors.camille)


def test_what_stood_comes_back_in_one_step(doors: Doors) -> None:
    before = [(row.purpose, row.recipient, row.text) for row in doors.house.permissions.of_customer(doors.camille) if row.permits]
    yes = {one.purpose: one.seq for one in doors.house.permissions.history(doors.camille)}
    doors.house.doorways.refuse(doors.code(), language="fr")
    (found,) = doors.house.doorways.refused_by_links(doors.camille)
    assert (found.surface, found.ended_something) == ("receipt link", True)
    assert set(found.restorable) == {STATISTICS, EMAILS, SITE}
    restored = doors.house.doorways.undo(doors.camille, found.seqs, language="fr")
    assert restored.ask_anew == ()
    after = [(row.purpose, row.recipient, row.text) for row in doors.house.permissions.of_customer(doors.camille) if row.permits]
    assert after == before
    for one in doors.house.permissions.history(doors.camille)[-len(restored.seqs) :]:
        assert one.how["proof"]["restores"] == yes[one.purpose]
        assert one.how["proof"]["undoes"] in found.seqs
    again = doors.house.doorways.undo(doors.camille, found.seqs, language="fr")
    assert again.seqs == (), "a second press does nothing"
    assert not doors.house.doorways.refused_by_links(doors.camille)[0].ended_something
    assert doors.house.audit().ok, doors.house.audit().to_text()


def test_an_address_that_is_misused_on_two_days_took_one_yes(doors: Doors) -> None:
    doors.house.doorways.refuse(doors.code(), language="fr")
    doors.later(days=2)
    doors.house.doorways.refuse(doors.code(), language="fr")
    second, first = doors.house.doorways.refused_by_links(doors.camille)
    assert not second.ended_something
    assert STATISTICS in first.restorable
    doors.house.doorways.undo(doors.camille, first.seqs, language="fr")
    assert doors.permits(doors.camille)


def test_a_no_of_ones_own_is_not_undone(doors: Doors) -> None:
    own = doors.house.permissions.record([Choice(doors.camille, EMAILS, "withdrawn", surface="permission centre")])
    doors.house.doorways.refuse(doors.code(), language="fr")
    (found,) = doors.house.doorways.refused_by_links(doors.camille)
    assert EMAILS not in found.restorable
    with pytest.raises(BadInput):
        doors.house.doorways.undo(doors.camille, own, language="fr")
    doors.house.doorways.undo(doors.camille, found.seqs, language="fr")
    assert not doors.permits(doors.camille, EMAILS, "le-panier")


def test_what_was_said_since_is_never_undone(doors: Doors) -> None:
    doors.house.doorways.refuse(doors.code(), language="fr")
    (found,) = doors.house.doorways.refused_by_links(doors.camille)
    doors.house.permissions.record([Choice(doors.camille, STATISTICS, "refused", surface="permission centre")])
    doors.house.doorways.undo(doors.camille, found.seqs, language="fr")
    assert not doors.permits(doors.camille)


def test_a_no_between_the_look_and_the_step_stops_it(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    doors.house.doorways.refuse(doors.code(), language="fr")
    (found,) = doors.house.doorways.refused_by_links(doors.camille)
    ledger, real = doors.house.permissions, doors.house.permissions.history

    def looked(customer: int) -> object:
        seen = real(customer)
        monkeypatch.undo()
        ledger.record([Choice(customer, STATISTICS, "refused", surface="permission centre")])
        return seen

    refusing = doors.house.doorways._refusing
    monkeypatch.setattr(type(refusing), "of", lambda self, customer: [found])
    monkeypatch.setattr(ledger, "history", looked)
    with pytest.raises(NotNow, match="meanwhile"):
        refusing.undo(doors.camille, found.seqs, surface="a test", language="fr")
    assert not doors.permits(doors.camille)


def test_somebody_elses_yes_under_an_ended_text_is_asked_anew(doors: Doors) -> None:
    doors.house.doorways.refuse(doors.code(), language="fr")
    today = doors.hand.now().date()
    doors.house.permissions.invalidate(f"{STATISTICS}/1", today, why="too vague", by="Alice Exemple")
    (found,) = doors.house.doorways.refused_by_links(doors.camille)
    assert found.ask_anew == (STATISTICS,)
    restored = doors.house.doorways.undo(doors.camille, found.seqs, language="fr")
    assert restored.ask_anew == (STATISTICS,)
    assert not doors.permits(doors.camille)
    assert doors.permits(doors.camille, EMAILS, "le-panier")


def test_a_proxys_no_is_shown_too(doors: Doors) -> None:
    doors.house.permissions.record([Choice(doors.camille, EMAILS, "withdrawn", surface="till", actor="a proxy")])
    (found,) = doors.house.doorways.refused_by_links(doors.camille)
    assert (found.actor, found.restorable) == ("a proxy", (EMAILS,))


def test_a_code_follows_its_card_to_another_customer(doors: Doors) -> None:
    code = doors.code("C00002")
    doors.house.customers.link(("card", "C00002"), ("card", "C00001"), by="Alice Exemple")
    doors.house.doorways.refuse(code, language="fr")
    assert not doors.permits(doors.camille)


def test_nothing_is_left_of_somebody_who_is_erased(doors: Doors) -> None:
    code = doors.code()
    doors.house.doorways.renew(doors.camille)
    doors.house.doorways.refuse(doors.code(), language="fr")
    doors.house.delivery.choose_channel(doors.camille, "email")
    doors.house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
    doors.house.doorways.yearly.send()
    doors.house.doorways.work()
    doors.house.erasure.erase(doors.camille, by="Alice Exemple", why="consent-withdrawn")
    with pytest.raises(Ended):
        doors.house.doorways.refuse(code, language="fr")
    assert doors.house.delivery.newest(10, doors.camille) == []
    tables = ("messages", "service_channels", "single_use_links", "summaries", "doorway_generations", "link_requests")
    with doors.house._stores.records.reading() as connection:
        left = {name: connection.exec_driver_sql(f"select count(*) from {name}").scalar() for name in tables}
    assert not any(left.values()), left
    doors.house.checkpoint()
    assert doors.house.audit().ok, doors.house.audit().to_text()


def test_a_link_refuses_once(doors: Doors) -> None:
    doors.house.doorways.links.ask("email", " Camille@example.org ", "refuse", "fr")
    assert doors.house.doorways.work() == 1
    token = doors.token(doors.camille)
    assert doors.house.doorways.links.state(token, "refuse") == "good"
    assert doors.house.doorways.links.state(token, "sign-in") == "unknown", "it is bound to its purpose"
    doors.house.doorways.refuse_by_link(token, language="fr")
    assert not doors.permits(doors.camille)
    with pytest.raises(LinkUsed):
        doors.house.doorways.refuse_by_link(token, language="fr")
    said = [one for one in doors.house.permissions.history(doors.camille) if one.how["surface"] == "single-use link"]
    assert said
    assert token not in repr(said), "a token has no place on the record"
    assert doors.house.delivery.deliver().carried == 1, "who holds the card is told, as the page says"
    assert any("avec un lien que nous avons envoyé à votre adresse" in one for one in doors.letters(doors.camille))


def test_a_link_ends_after_a_quarter_of_an_hour(doors: Doors) -> None:
    doors.house.doorways.links.ask("card", "C00001", "refuse", "en")
    doors.house.doorways.work()
    token = doors.token(doors.camille)
    doors.later(minutes=15)
    with pytest.raises(LinkExpired):
        doors.house.doorways.refuse_by_link(token, language="fr")
    with pytest.raises(LinkUnknown):
        doors.house.doorways.refuse_by_link("A" * 43, language="fr")
    assert doors.permits(doors.camille)
    doors.later(days=8)
    assert doors.house.doorways.links.tidy() == 1


def test_a_refusal_that_fails_leaves_the_link_good(doors: Doors) -> None:
    doors.house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
    doors.house.doorways.work()
    token = doors.token(doors.camille)
    with pytest.raises(BadInput):
        doors.house.doorways.refuse_by_link(token, "astrology", language="fr")
    assert doors.house.doorways.links.state(token, "refuse") == "good"
    doors.house.doorways.refuse_by_link(token, language="fr")


def test_whoever_writes_the_records_makes_no_link(doors: Doors) -> None:
    """A link of one's own, given to somebody else or more time, is none."""
    for change in (f"customer = {doors.sacha}", "expires = '2099-01-01T00:00:00+00:00'", "purpose = 'sign-in'"):
        doors.house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
        doors.house.doorways.work()
        token, links = doors.token(doors.camille), doors.house.doorways.links
        with doors.house._stores.records.writing() as connection:
            connection.exec_driver_sql(f"update single_use_links set {change}")
        for purpose in ("refuse", "sign-in"):
            assert links.state(token, purpose) == "unknown"
            with pytest.raises(LinkUnknown), doors.house._stores.records.writing() as connection:
                links.redeem(connection, token, purpose)
        with doors.house._stores.records.reading() as connection:
            assert not connection.exec_driver_sql("select count(*) from single_use_links where redeemed is not null").scalar()


def test_a_link_signs_in_within_the_callers_transaction(doors: Doors) -> None:
    doors.house.doorways.links.ask("email", "camille@example.org", "sign-in", "fr")
    doors.house.doorways.work()
    token, links = doors.token(doors.camille), doors.house.doorways.links
    records = doors.house._stores.records
    with pytest.raises(NotNow, match="no session"), records.writing() as connection:  # noqa: PT012
        assert links.redeem(connection, token, "sign-in") == doors.camille
        raise NotNow("There could be no session.")
    assert links.state(token, "sign-in") == "good"
    with records.writing() as connection:
        links.redeem(connection, token, "sign-in")
    with pytest.raises(LinkUsed), records.writing() as connection:
        links.redeem(connection, token, "sign-in")


def test_asking_for_somebody_unknown_leaves_nothing(doors: Doors) -> None:
    doors.house.doorways.links.ask("email", "inconnue@example.org", "refuse", "fr")
    assert doors.house.doorways.work() == 0
    assert doors.house.delivery.newest() == []
    with doors.house._stores.records.reading() as connection:
        assert connection.exec_driver_sql("select count(*) from link_requests").scalar() == 0


def test_at_most_three_links_in_a_quarter_of_an_hour(doors: Doors) -> None:
    for _ in range(5):
        doors.house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
    assert doors.house.doorways.links.answer() == 3
    doors.later(minutes=16)
    doors.house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
    assert doors.house.doorways.links.answer() == 1


def test_a_request_that_waited_an_hour_is_forgotten(doors: Doors) -> None:
    doors.house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
    doors.later(minutes=61)
    assert doors.house.doorways.links.answer() == 0


def test_a_link_can_go_by_sms_to_the_phone_of_a_card(doors: Doors) -> None:
    doors.house.doorways.links.ask("card", "C00002", "refuse", "fr", by="sms")
    assert doors.house.doorways.work() == 1
    (one,) = doors.house.delivery.newest(5, doors.sacha)
    letter = doors.house.delivery.show(one.message, by="a test")
    assert (letter.channel, letter.address) == ("sms", "+33600000002")


@pytest.mark.parametrize("value", ["", "x", "no-address", "a" * 400])
def test_what_is_no_address_is_told_whoever_is_known(doors: Doors, value: str) -> None:
    with pytest.raises(BadInput):
        doors.house.doorways.links.ask("email", value, "refuse", "fr")


def test_two_presses_at_once_use_a_link_once(doors: Doors) -> None:
    doors.house.doorways.links.ask("email", "camille@example.org", "refuse", "fr")
    doors.house.doorways.work()
    token, told = doors.token(doors.camille), list[str]()

    def press() -> None:
        try:
            doors.house.doorways.refuse_by_link(token, language="fr")
            told.append("done")
        except LinkUsed:
            told.append("used")

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["done", "used", "used", "used"]
    said = [one.purpose for one in doors.house.permissions.history(doors.camille) if one.how["surface"] == "single-use link"]
    assert len(said) == len(set(said))
