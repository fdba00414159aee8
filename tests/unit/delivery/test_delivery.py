"""The outbox: asked for with what it tells, through the door, carried at least once, recognised by whoever has its code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import pytest
from tests.support.doors import Doors

from volens.delivery.carriers import MailServer
from volens.delivery.message import TRANSITIONS, Draft, Letter
from volens.delivery.store import move, one
from volens.errors import BadInput, NotFound, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate import store as gate_store

CODE = re.compile(r"\b([0-9A-Z]{5}-[0-9A-Z]{5})\b")


@dataclass
class Post:
    """A carrier that a test can break: it writes down what it was given."""

    given: list[Letter] = field(default_factory=list)
    broken: bool = False
    never: frozenset[str] = frozenset()
    """Messages of which it says that it does not answer."""
    recipient: str | None = None
    channels: frozenset[str] = frozenset({"email", "sms"})

    def carry(self, letter: Letter) -> None:
        if self.broken or letter.message in self.never:
            raise Unavailable("The carrier does not answer.")
        self.given.append(letter)


def draft(doors: Doors, customer: int | None = None, channel: str | None = None) -> Draft:
    who = doors.camille if customer is None else customer
    return Draft(who, "refusal-told", "fr", "Un non a été dit", "Bonjour.\n", channel=channel)


def ask(doors: Doors, wanted: Draft) -> str:
    """Queues a message; its number."""
    prepared = doors.house.delivery.prepare(wanted)
    with doors.house._stores.records.writing() as connection:
        doors.house.delivery.queue(connection, prepared)
    return prepared.message


def post(doors: Doors) -> Post:
    """Puts the test's own carrier behind the port."""
    made = Post()
    doors.house.delivery._carrier = made
    return made


def state(doors: Doors, message: str) -> str:
    with doors.house._stores.records.reading() as connection:
        found = one(connection, message)
    assert found is not None
    return found.state


def test_a_message_goes_to_the_address_of_its_person_through_the_door(doors: Doors) -> None:
    carrier, message = post(doors), ask(doors, draft(doors))
    assert doors.house.delivery.deliver().carried == 1
    (letter,) = carrier.given
    assert (letter.message, letter.address, letter.channel) == (message, "camille@example.org", "email")
    with doors.house._stores.records.reading() as connection:
        (event,) = log.rows(connection, EVENTS, kinds=["handed_over"])
        assert set(gate_store.customers_of(connection, event.seq)) == {doors.camille}
    assert (event.purpose, event.recipient) == ("rights-handling", "le-panier")
    assert event.said()["fields"] == ["email", "language"]
    assert state(doors, message) == "carried"
    assert doors.house.delivery.deliver().carried == 0
    assert doors.house.audit().ok, doors.house.audit().to_text()


def test_what_is_undone_with_its_transaction_is_no_message(doors: Doors) -> None:
    prepared = doors.house.delivery.prepare(draft(doors))
    with pytest.raises(NotFound), doors.house._stores.records.writing() as connection:  # noqa: PT012
        doors.house.delivery.queue(connection, prepared)
        raise NotFound("What it tells did not happen.")
    assert doors.house.delivery.newest() == []


def test_a_message_rests_sealed(doors: Doors) -> None:
    ask(doors, draft(doors))
    (stored,) = doors.house.delivery.newest()
    assert b"Bonjour" not in stored.sealed
    assert "Bonjour" not in repr(stored)


def test_who_allows_no_channel_gets_nothing(doors: Doors) -> None:
    carrier = post(doors)
    doors.house.delivery.choose_channel(doors.camille, "none")
    message = ask(doors, draft(doors))
    assert doors.house.delivery.deliver().unaddressed == 1
    assert carrier.given == []
    assert state(doors, message) == "unaddressed"


def test_the_channel_that_somebody_chose_is_the_one_that_is_used(doors: Doors) -> None:
    carrier = post(doors)
    assert doors.house.delivery.channel_of(doors.sacha) == "none"
    doors.house.delivery.choose_channel(doors.sacha, "sms")
    ask(doors, draft(doors, doors.sacha))
    doors.house.delivery.deliver()
    assert [(letter.channel, letter.address) for letter in carrier.given] == [("sms", "+33600000002")]
    with pytest.raises(BadInput):
        doors.house.delivery.choose_channel(doors.sacha, "pigeon")
    assert doors.house.audit().ok, doors.house.audit().to_text()


def test_a_carrier_that_does_not_answer_leaves_it_waiting_and_it_passes_the_door_again(doors: Doors) -> None:
    carrier, message = post(doors), ask(doors, draft(doors))
    carrier.broken = True
    with pytest.raises(Unavailable):
        doors.house.delivery.deliver()
    assert state(doors, message) == "handed"
    carrier.broken = False
    assert doors.house.delivery.deliver().carried == 0, "within a minute it may still be on its way"
    doors.later(seconds=61)
    assert doors.house.delivery.deliver().carried == 1
    assert [letter.message for letter in carrier.given] == [message]
    with doors.house._stores.records.reading() as connection:
        assert len(list(log.rows(connection, EVENTS, kinds=["handed_over"]))) == 2


def test_one_address_that_cannot_be_served_holds_nobody_up(doors: Doors) -> None:
    carrier = post(doors)
    first, second = ask(doors, draft(doors)), ask(doors, draft(doors))
    carrier.never = frozenset({first})
    assert doors.house.delivery.deliver().carried == 1
    assert (state(doors, first), state(doors, second)) == ("handed", "carried")


def test_it_is_given_up_after_ten_tries(doors: Doors) -> None:
    carrier, message = post(doors), ask(doors, draft(doors))
    carrier.broken = True
    for _ in range(10):
        with pytest.raises(Unavailable):
            doors.house.delivery.deliver()
        doors.later(seconds=61)
    assert doors.house.delivery.deliver().failed == 1
    assert state(doors, message) == "failed"


def test_a_message_moves_only_as_it_may(doors: Doors) -> None:
    for before in TRANSITIONS:
        for after in TRANSITIONS:
            message = ask(doors, draft(doors))
            records = doors.house._stores.records
            with records.writing() as connection:
                connection.exec_driver_sql(f"update messages set state = '{before}' where message = '{message}'")
                move(connection, [message], after)
            assert state(doors, message) == (after if after in TRANSITIONS[before] else before), (before, after)


def test_a_message_that_was_sent_is_recognised_without_telling_whom(doors: Doors) -> None:
    message = ask(doors, draft(doors))
    code = CODE.search(doors.house.delivery.show(message, by="a test").text)
    assert code is not None
    assert doors.house.delivery.recognise(code[1]) is None, "it has not been sent yet"
    doors.house.delivery.deliver()
    found = doors.house.delivery.recognise(f" {code[1].lower()} ")
    assert found is not None
    assert (found.kind, found.channel, found.day) == ("refusal-told", "email", "2026-03-02")
    assert doors.house.delivery.recognise("00000-00000") is None
    assert doors.house.delivery.recognise("nonsense") is None
    doors.house.erasure.erase(doors.camille, by="Alice Exemple", why="consent-withdrawn")
    assert doors.house.delivery.recognise(code[1]) == found, "a true message stays true"


def test_whoever_looks_cannot_press_her_link_once_messages_leave(doors: Doors) -> None:
    token = "a-token-of-some-length_42"
    message = ask(doors, replace(draft(doors), text=f"https://volens.example/connexion/lien/{token}\n"))
    assert token in doors.house.delivery.show(message, by="Alice Exemple").text, "in the local outbox it is all there is"
    carrier = post(doors)
    shown = doors.house.delivery.show(message, by="Alice Exemple").text
    assert token not in shown
    assert "/connexion/lien/…" in shown
    doors.house.delivery.deliver()
    assert token in carrier.given[0].text


def test_whoever_looks_is_on_record(doors: Doors) -> None:
    message = ask(doors, draft(doors))
    with pytest.raises(BadInput):
        doors.house.delivery.show(message, by=" ")
    doors.house.delivery.show(message, by="Alice Exemple")
    with doors.house._stores.records.reading() as connection:
        (event,) = log.rows(connection, EVENTS, kinds=["message-shown"])
    assert event.customer == doors.camille


def test_what_is_done_is_forgotten_after_its_time(doors: Doors) -> None:
    ask(doors, draft(doors))
    doors.house.delivery.deliver()
    doors.later(days=91)
    assert doors.house.delivery.tidy() == (1, 0)
    doors.later(days=800)
    assert doors.house.delivery.tidy() == (0, 1)


@pytest.mark.parametrize(
    "url", ["ftp://mail.example", "smtps://", "smtp://mail.example", "mail.example:465"]
)
def test_a_mail_server_is_spoken_to_with_tls_or_not_at_all(url: str) -> None:
    with pytest.raises(BadInput):
        MailServer.of(url, "choix@lepanier.example", None)


def test_a_mail_server_shows_no_password() -> None:
    server = MailServer.of("smtps://volens:secret%21@mail.example", "choix@lepanier.example", None)
    assert (server.port, server.user, server.password) == (465, "volens", "secret!")
    assert "secret" not in repr(server)
