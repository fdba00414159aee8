"""A no by the ways of messages, and what is left of it: after an erasure, after the same address comes in again, after a kill."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import delete, update
from tests.support.letters import CENTRE, CLAIRE, EMAIL, PHONE, SMS, TOOL, Letters, line

from volens.app import open_house
from volens.app.restoring import Given, restore
from volens.audit.messages import LISTED, SENT, SUMS
from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.messaging import store, tokens
from volens.messaging.noes import REPORTS_MAX, SURFACE, LinkOld, LinkUnknown
from volens.messaging.noes import read as read_reports


def token(letters: Letters, person: int, key: str = "", **changed: str) -> str:
    """The link of a message that was let out."""
    return str(letters.one(person, key, **changed).to_dict()["unsubscribe"].rsplit("/", 1)[1])


def test_the_link_takes_the_yes_back_and_that_is_all(letters: Letters) -> None:
    link = token(letters, 1)
    assert letters.house.messages.link(link) == "good"
    assert letters.one(1, "b").send, "opening it changes nothing"
    assert letters.house.messages.unsubscribe(link, language="fr") == "email"
    assert not letters.one(1, "c").send
    assert letters.one(1, "d", channel="sms").send, "another channel is another yes"
    last = letters.house.permissions.history(letters.number(1))[-1]
    assert (last.kind, last.purpose, last.recipient, last.how["surface"]) == ("withdrawn", EMAIL, "*", SURFACE)
    events = letters.house.permissions.newest(letters.number(1))
    for _ in range(3):
        assert letters.house.messages.unsubscribe(link, language="en") == "email"
    assert letters.house.permissions.newest(letters.number(1)) == events, "again is harmless, and adds nothing to the record"
    assert letters.house.messages.months()[0].unsubscribed == 1
    letters.audited()


def test_an_old_link_works_again_after_a_new_yes(letters: Letters) -> None:
    link = token(letters, 1)
    letters.house.messages.unsubscribe(link, language="fr")
    letters.say(1, "given")
    assert letters.one(1, "b").send, "a yes said later, by whoever has the address"
    letters.house.messages.unsubscribe(link, language="fr")
    assert not letters.one(1, "c").send
    letters.audited()


def test_forged_links_lead_nowhere(letters: Letters) -> None:
    link = token(letters, 1)
    forged = [link[:-1] + ("A" if link[-1] != "A" else "B"), link[1:], link + "A", "", "é" * 40, "A" * 40, "-" * 40]
    for wrong in forged:
        assert letters.house.messages.link(wrong) == "unknown", wrong
        with pytest.raises(LinkUnknown):
            letters.house.messages.unsubscribe(wrong, language="fr")
    assert letters.one(1, "b").send
    with letters.house._stores.records.reading() as connection:
        rows = store.everything(connection)
    assert all(link.encode() not in (row.link or b"", row.message, row.asked) for row in rows), "no link stands in the records"


def test_a_token_is_of_one_house_and_one_message(letters: Letters) -> None:
    mac = letters.house._keys.mac
    made = tokens.make(mac, b"one")
    assert made == tokens.make(mac, b"one")
    assert made != tokens.make(mac, b"another")
    assert len(made) == tokens.TOKEN_CHARACTERS
    assert tokens.read(lambda purpose, value: mac(purpose, b"x" + value), made) is None


def test_a_report_is_a_no_and_says_nothing_about_anybody(letters: Letters) -> None:
    assert letters.report(channel="email", email="p1@example.org", reason="complaint") == 1
    assert letters.report(channel="email", email="stranger@example.org", reason="complaint") == 1
    assert letters.report(channel="phone", card="C00002", reason="objection", caller=CENTRE) == 1
    assert letters.report(channel="sms", phone="+33 6 39 98 00 03", reason="bounce") == 1
    assert letters.report(channel="sms", card="C99999", reason="objection") == 1
    said = letters.house.permissions.history(letters.number(1))[-1]
    assert (said.kind, said.purpose, said.how["actor"]) == ("withdrawn", EMAIL, "mail-tool")
    assert letters.house.permissions.history(letters.number(3))[-1].kind == "given", "a bounce is no word of hers"
    assert not letters.one(1).send
    assert not letters.one(2, channel="phone", caller=CENTRE).send
    assert not letters.one(3, channel="sms").send
    assert letters.one(3, "call", channel="phone", caller=CENTRE).send, "each channel by itself"
    assert letters.house.messages.suppressed() == {
        ("email", "complaint"): 2, ("phone", "objection"): 1, ("sms", "bounce"): 1
    }  # fmt: skip
    assert letters.house.messages.is_suppressed("email", "P1@Example.org ") is not None
    assert letters.house.messages.is_suppressed("sms", "0639980003") is not None, "however it is written"
    assert letters.house.messages.is_suppressed("sms", "0639980004") is None
    letters.audited()


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "fax", "email": "a@example.org", "reason": "bounce"}, {"channel": "email", "reason": "bounce"},
        {"channel": "email", "email": "a@example.org", "reason": "because"}, {"channel": "email", "email": "a", "card": "b"},
        {"channel": "email", "phone": "0639980001", "reason": "bounce"}, {"channel": "email", "more": "x"},
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        read_reports([wrong])


def test_reports_have_a_limit_and_addresses_a_form(letters: Letters) -> None:
    one = {"channel": "email", "email": "a@example.org", "reason": "bounce"}
    assert len(read_reports([one] * REPORTS_MAX)) == REPORTS_MAX
    with pytest.raises(BadInput):
        read_reports([one] * (REPORTS_MAX + 1))
    good = {"channel": "sms", "phone": "0639980001", "reason": "bounce"}
    with pytest.raises(BadInput, match="cannot be such an address"):
        letters.house.messages.suppress(read_reports([good, {**good, "phone": "12"}]), TOOL)
    assert letters.house.messages.suppressed() == {}, "all of them or none"


def test_what_a_tool_reported_can_be_put_back_by_her(letters: Letters) -> None:
    letters.report(channel="email", email="p1@example.org", reason="complaint")
    (found,) = letters.house.doorways.refused_by_links(letters.number(1))
    assert (found.actor, found.restorable) == ("mail-tool", (EMAIL,))
    letters.house.doorways.undo(letters.number(1), found.seqs, language="fr")
    assert letters.one(1).send, "her own later yes"


def test_she_sees_that_a_message_left_for_her(letters: Letters) -> None:
    number = letters.number(1)
    assert letters.house.centre.went(number) == ()
    letters.one(1)
    (journey,) = letters.house.centre.went(number)
    assert (journey.seen.kind, journey.seen.purpose, journey.seen.recipient) == ("handed_over", EMAIL, "envoi-clair")
    assert set(journey.fields) == {"email", "language"}
    assert journey.start == "", "no purchases were read for it"


def test_a_no_survives_erasure_and_the_same_person_coming_in_again(letters: Letters) -> None:
    letters.house.messages.unsubscribe(token(letters, 1), language="fr")
    former = letters.number(1)
    letters.house.erasure.erase(former, by="Alice Exemple", why="no-longer-needed")
    letters.take_in(line(1))
    assert letters.number(1) != former
    assert letters.house.messages.suppressed() == {("email", "unsubscribed"): 1}
    assert not letters.one(1, "new").send, "she came in again, and permits nothing"
    letters.say(1, "given")
    assert letters.one(1, "newer").send, "a yes that she said after it"
    letters.audited()


def test_a_no_holds_for_whoever_has_the_address_afterwards(letters: Letters) -> None:
    """Person 20 has a yes of before the no; after the erasure the customer master gives her the very address."""
    letters.take_in(line(20))
    letters.say(20, "given")
    letters.house.messages.unsubscribe(token(letters, 1), language="fr")
    letters.house.erasure.erase(letters.number(1), by="Alice Exemple", why="no-longer-needed")
    letters.take_in(line(20, email="p1@example.org"))
    assert not letters.one(20, "new").send, "somebody's older yes does not outrank the no of this address"
    assert letters.house.messages.batches()[0]["sums"] == {"suppressed": 1}, "it is the list that holds it back"
    assert not letters.one(20, "named", email="p1@example.org").send
    letters.hand.pass_days(1)
    letters.say(20, "given")
    assert letters.one(20, "newer").send
    letters.audited()


def test_a_no_in_the_permission_centre_is_kept_when_she_is_erased(letters: Letters) -> None:
    letters.say(1, "withdrawn", EMAIL)
    letters.say(1, "withdrawn", PHONE)
    letters.house.erasure.erase(letters.number(1), by="Alice Exemple", why="no-longer-needed")
    assert letters.house.messages.suppressed() == {("email", "erased"): 1, ("phone", "erased"): 1}, "not sms: she said yes"
    letters.house.erasure.erase(letters.number(2), by="Alice Exemple", why="objection")
    assert letters.house.messages.suppressed()["sms", "erased"] == 1, "an objection is to every channel"
    letters.audited()


def test_what_is_left_names_nobody(letters: Letters) -> None:
    letters.house.messages.unsubscribe(token(letters, 1), language="fr")
    number = letters.number(1)
    letters.house.erasure.erase(number, by="Alice Exemple", why="no-longer-needed")
    with letters.house._stores.records.reading() as connection:
        assert all(row.customer != number for row in store.everything(connection))
        rows = list(log.rows(connection, EVENTS, kinds=["message-suppressed"]))
        points = [row.point for row in store.all_suppressed(connection)]
    assert all(row.customer is None for row in rows)
    assert all(point.hex() not in row.detail for row in rows for point in points), "the record has a hash of the hash alone"


def test_an_old_yes_that_is_imported_does_not_outrank_the_list(letters: Letters) -> None:
    def imported(day: str) -> None:
        file = letters.folder / f"old-{day}.csv"
        file.write_text(
            "card,purpose,recipient,kind,text,language,time,surface,actor,proof\n"
            f"C00030,{EMAIL},*,given,{EMAIL}/1,fr,{day}T10:00:00+02:00,till form,,F-17\n", encoding="utf-8",
        )  # fmt: skip
        assert letters.house.imports.take_in(file).taken == 1

    letters.take_in(line(30))
    letters.report(channel="email", email="p30@example.org", reason="bounce")
    imported("2026-09-10")
    assert not letters.one(30, "a").send
    assert letters.house.messages.batches()[0]["sums"] == {"suppressed": 1}
    letters.hand.pass_days(3)
    imported("2026-09-16")
    assert letters.one(30, "b").send, "said on a later day"


class Stop(Exception):
    """The process dies."""


@pytest.mark.parametrize("step", ["tombstone", "noes kept", "key destroyed", "recorded"])
def test_an_erasure_that_is_cut_short_keeps_the_no_once(letters: Letters, step: str) -> None:
    letters.say(1, "withdrawn")

    def die(done: str) -> None:
        if done == step:
            raise Stop

    with pytest.raises(Stop):
        letters.house.erasure.erase(letters.number(1), by="Alice Exemple", why="no-longer-needed", on_step=die)
    letters.house.erasure.finish()
    assert letters.house.messages.suppressed() == {("email", "erased"): 1}
    with letters.house._stores.records.reading() as connection:
        assert len(list(log.rows(connection, EVENTS, kinds=["message-suppressed"]))) == 1
    letters.audited()


def test_a_restore_keeps_the_noes_of_whoever_was_erased_after_the_back_up(letters: Letters) -> None:
    letters.say(1, "withdrawn")
    home, backup = letters.house.settings.home, letters.folder / "backup"
    letters.house.backups.make(backup)
    letters.house.erasure.erase(letters.number(1), by="Alice Exemple", why="no-longer-needed")
    letters.house.checkpoint()
    letters.house.close()
    given = Given(accept_loss=True, by="Alice Exemple", why="the disk is gone")
    restore(home, backup, backup.with_name("backup.customer-keys"), given, clock=letters.hand.clock)
    letters.house = open_house(home, clock=letters.hand.clock)
    assert letters.house.messages.suppressed() == {("email", "erased"): 1}
    assert not letters.one(2).send, "after a loss nobody is written to before she says yes again"
    letters.audited()


def test_a_link_of_somebody_who_was_erased_is_old(letters: Letters) -> None:
    link = token(letters, 1)
    letters.house.erasure.erase(letters.number(1), by="Alice Exemple", why="no-longer-needed")
    assert letters.house.messages.link(link) == "old"
    with pytest.raises(LinkOld):
        letters.house.messages.unsubscribe(link, language="fr")


TAMPERED: dict[str, tuple[str, Callable[[Letters], object]]] = {
    "somebody else's message": (SENT, lambda letters: update(store.marketing_messages).values(customer=letters.number(5))),
    "another day": (SENT, lambda letters: update(store.marketing_messages).values(day="2026-09-01")),
    "another channel": (SENT, lambda letters: update(store.marketing_messages).values(channel="sms")),
    "a nicer sum": (SUMS, lambda letters: update(store.marketing_sums).values(messages=7)),
    "a sum that is gone": (SUMS, lambda letters: delete(store.marketing_sums)),
    "an address off the list": (LISTED, lambda letters: delete(store.message_suppressed)),
    "another reason": (LISTED, lambda letters: update(store.message_suppressed).values(reason="bounce")),
    "another address": (LISTED, lambda letters: update(store.message_suppressed).values(point=b"x" * 32)),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_changed_behind_the_gateway_is_found(letters: Letters, name: str) -> None:
    letters.house.messages.unsubscribe(token(letters, 1), language="fr")
    letters.audited()
    check, change = TAMPERED[name]
    with letters.house._stores.records.writing() as connection:
        connection.execute(change(letters))  # type: ignore[call-overload]
    found = letters.house.audit()
    assert not found.ok
    assert {finding.check for finding in found.findings} == {check}


def test_somebody_answers_for_it(letters: Letters) -> None:
    for nobody in (" ", "x" * 121):
        with pytest.raises(BadInput):
            letters.one(1, caller=type(TOOL)(nobody))
    with pytest.raises(NotFound):
        letters.house.customer("card", "C99999")
    assert letters.one(1, caller=CLAIRE).send
    assert SMS != EMAIL


BASKETS = "basket-message"


def test_a_channel_carries_two_purposes_each_on_its_own_yes(letters: Letters) -> None:
    assert not letters.one(1, "b", purpose=BASKETS).send, "a yes to offers says nothing about baskets"
    letters.say(1, "given", BASKETS)
    link = token(letters, 1, "b2", purpose=BASKETS)
    assert letters.one(1, "n").send
    letters.house.messages.unsubscribe(link, language="fr")
    assert not letters.one(1, "b3", purpose=BASKETS).send
    letters.hand.pass_days(31)
    assert letters.one(1, "n2").send, "the no was to what that message was about"
    assert letters.house.permissions.history(letters.number(1))[-1].purpose == BASKETS
    other = letters.one(1, "x", purpose=SMS)
    assert other.refusal is not None
    assert "do not rest on" in other.refusal.why
    assert "also" in other.refusal.remedy
    letters.audited()


def test_a_complaint_is_about_every_purpose_of_its_channel(letters: Letters) -> None:
    letters.say(1, "given", BASKETS)
    letters.report(channel="email", email="p1@example.org", reason="complaint")
    said = letters.house.permissions.history(letters.number(1))
    assert {one.purpose for one in said if one.kind == "withdrawn"} == {EMAIL, BASKETS}
    letters.say(1, "given", BASKETS)
    assert letters.one(1, "b", purpose=BASKETS).send, "said later, to this"
    assert not letters.one(1, "n").send
    letters.audited()


def test_an_erased_no_is_kept_for_the_purpose_that_it_was_about(letters: Letters) -> None:
    letters.take_in(line(20))
    for purpose in (EMAIL, BASKETS):
        letters.say(20, "given", purpose)
    letters.say(1, "refused", BASKETS)
    letters.house.erasure.erase(letters.number(1), by="Alice Exemple", why="no-longer-needed")
    letters.take_in(line(20, email="p1@example.org"))
    assert not letters.one(20, "b", purpose=BASKETS).send
    assert letters.one(20, "n").send
    letters.audited()
