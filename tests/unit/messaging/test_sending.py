"""What a tool is told of a message: decided at the door, on record, and nothing about anybody who gets none."""

from __future__ import annotations

import pytest
from tests.support.letters import CENTRE, CLAIRE, EMAIL, PHONE, Letters, line, message

from volens.errors import BadInput, NotFound
from volens.gate import store as uses
from volens.messaging.message import MESSAGES_MAX, Caller, read


def test_what_may_go_goes_with_all_that_must_go_with_it(letters: Letters) -> None:
    answer = letters.one(1, addresses=True)
    assert answer.send
    told = answer.to_dict()
    assert (told["first"], told["again"], told["language"], told["address"]) == (True, False, "fr", "p1@example.org")
    assert told["headers"] == {
        "List-Unsubscribe": f"<{told['unsubscribe']}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"
    }  # fmt: skip
    assert told["unsubscribe"].startswith(letters.house.settings.web_address + "/desabonnement/")
    assert "droit d'opposition" in told["right_to_object"]
    assert told["unsubscribe"] in told["right_to_object"]
    for said in ("Le Panier Distribution SA", "12 rue des Halles", "donnees@lepanier.example", told["unsubscribe"]):
        assert said in told["footer"]
    later = letters.one(1, "k1b").to_dict()
    assert (later["first"], later["right_to_object"]) == (False, None), "the right to object stands apart in the first alone"
    assert "address" not in later, "nobody asked for it"
    assert later["unsubscribe"] != told["unsubscribe"]
    assert letters.one(2).to_dict()["language"] == "en"
    assert letters.one(1, "s1", channel="sms").to_dict()["first"], "the first by this channel"
    letters.audited()


def test_it_is_on_record_as_handed_over(letters: Letters) -> None:
    letters.ask(message(1), message(2), message(99, "nobody"))
    customer = letters.number(1)
    (batch,) = letters.house.messages.batches()
    assert (batch["sums"], batch["campaigns"], batch["by"]) == ({"sent": 2, "unknown": 1}, {"autumn": 2}, "mail-tool")
    with letters.house._stores.records.reading() as connection:
        (door,) = uses.all_doors(connection)
        assert (door.purpose, door.recipient, set(door.fields)) == (EMAIL, "envoi-clair", {"email", "language"})
        assert set(uses.customers_of(connection, batch["door"])) == {customer, letters.number(2)}
    (month,) = letters.house.messages.months()
    assert (month.asked, month.sent, month.held) == (3, 2, 1)


def test_why_nobody_gets_nothing_is_told_to_no_tool(letters: Letters) -> None:
    letters.say(1, "withdrawn")
    letters.report(channel="email", email="p2@example.org", reason="bounce")
    assert letters.one(3, "a").send
    assert letters.one(3, "b").send
    letters.take_in("C00099,Ana,Exemple,,,,,,FR,fr")
    letters.house.erasure.erase(letters.number(4), by="Alice Exemple", why="no-longer-needed")
    cards = {"refused": 1, "bounced": 2, "capped": 3, "erased": 4, "unknown": 77, "without an address": 99}
    said = {why: letters.one(card, f"why-{card}", addresses=True).to_dict() for why, card in cards.items()}
    for why, told in said.items():
        assert told == {"key": f"why-{cards[why]}", "send": False}, why
    (month,) = letters.house.messages.months()
    assert (month.sent, month.held) == (2, 6)
    letters.audited()


def test_the_same_key_is_the_same_message(letters: Letters) -> None:
    first, again = letters.one(1, addresses=True), letters.one(1, addresses=True)
    assert again.again
    assert {**again.to_dict(), "again": False} == first.to_dict(), "the same answer, with the same link"
    reused = letters.one(2, "k1")
    assert not reused.send
    assert reused.refusal is not None
    assert "another message" in reused.refusal.why
    assert not letters.one(99, "n").send
    letters.take_in(line(99))
    letters.say(99, "given")
    assert not letters.one(99, "n").send, "what was held back once stays held back"
    assert letters.one(99, "n2").send
    theirs = letters.one(1, caller=CLAIRE)
    assert not theirs.again, "another caller's keys are its own"
    (month,) = letters.house.messages.months()
    assert (month.sent, month.held) == (3, 1)
    letters.audited()


def test_a_repeat_passes_the_door_again(letters: Letters) -> None:
    assert letters.one(1).send
    letters.say(1, "withdrawn")
    assert not letters.one(1).send, "the key was let out before, and she said no since"
    letters.say(1, "given")
    assert letters.one(1).send
    letters.audited()


def test_a_cap_holds_over_batches_and_within_one(letters: Letters) -> None:
    sent = [one.send for one in letters.ask(*(message(1, f"a{place}") for place in range(3)))]
    assert sent == [True, True, False], "two within thirty days, as the text promises"
    letters.hand.pass_days(29)
    assert not letters.one(1, "b").send
    letters.hand.pass_days(1)
    assert letters.one(1, "c").send
    assert letters.one(1, "d", channel="sms").send, "each channel by itself"


def test_calls_are_made_as_the_law_of_the_country_says(letters: Letters) -> None:
    def call(key: str, **changed: object) -> tuple[bool, str]:
        answer = letters.one(1, key, channel="phone", caller=CENTRE, **changed)
        return answer.send, answer.refusal.why if answer.refusal is not None else ""

    sent, _ = call("tuesday")
    assert sent
    letters.hand.pass_minutes(150)
    assert "10:00–13:00, 14:00–20:00" in call("lunch")[1], "half past one"
    letters.hand.pass_days(4)
    assert "day of the week" in call("saturday")[1]
    assert "no rule" in call("to Germany", country="DE")[1]
    assert "no time zone" in call("to nowhere", country="XX")[1]


def test_where_a_person_lives_decides_and_is_not_told(letters: Letters) -> None:
    letters.take_in(line(50, country="DE"))
    letters.say(50, "given", PHONE)
    assert letters.one(50, "c", channel="phone", caller=CENTRE).to_dict() == {"key": "c", "send": False}


def test_what_is_so_for_everybody_is_said(letters: Letters) -> None:
    push = letters.one(1, "p", channel="push", to="device-1")
    assert push.refusal is not None
    assert "push" in push.refusal.why
    assert "messages.yaml" in push.refusal.remedy
    service = letters.one(1, "s", advertising=False)
    assert service.refusal is not None
    assert "Only advertisements" in service.refusal.why
    for other in (letters.one(1, "c", caller=CENTRE), letters.one(1, "c", caller=CLAIRE, carrier="voix-douce")):
        assert other.refusal is not None
        assert "not carried" in other.refusal.why
    assert letters.house.messages.months() == [], "nothing was decided about anybody"


def test_a_programme_without_messages_sends_none(letters: Letters) -> None:
    link = letters.one(1).to_dict()["unsubscribe"].rsplit("/", 1)[1]
    letters.declare()
    with pytest.raises(NotFound, match="sends no messages"):
        letters.one(1, "x")
    assert letters.house.messages.unsubscribe(link, language="fr") == "email", "a no is taken all the same"
    assert letters.house.messages.suppressed() == {("email", "unsubscribed"): 1}


def test_what_advertises_nothing_needs_no_yes_and_has_no_link(letters: Letters) -> None:
    letters.declare(email="{purpose: email-marketing, carried_by: [le-panier], most: 1, service: loyalty}")
    joined = [message(1, f"s{place}", advertising=False) for place in range(3)]
    assert [one.send for one in letters.ask(*joined, caller=CLAIRE)] == [False] * 3, "she has not joined"
    letters.say(1, "joined", "loyalty")
    letters.say(1, "withdrawn")
    now = [message(1, f"t{place}", advertising=False) for place in range(3)]
    told = [one.to_dict() for one in letters.ask(*now, caller=CLAIRE)]
    assert [one["send"] for one in told] == [True] * 3, "an objection to advertisements, and their cap, are about advertisements"
    assert (told[0]["unsubscribe"], told[0]["headers"], told[0]["first"]) == (None, {}, False)
    letters.report(channel="email", email="p1@example.org", reason="bounce")
    assert not letters.one(1, "u", advertising=False, caller=CLAIRE).send, "an address that does not exist"
    letters.audited()


def test_an_address_is_told_only_if_the_accepted_text_names_it(letters: Letters) -> None:
    letters.declare(email="{purpose: email-marketing, carried_by: [le-panier, envoi-clair], most: 5}")
    assert letters.one(1, caller=Caller("house"), addresses=True).to_dict()["address"] == "p1@example.org"
    assert not letters.one(1, "v", caller=CENTRE, addresses=True).send
    sms = letters.one(1, "w", channel="sms", addresses=True)
    assert sms.refusal is not None, "not declared any more"


def test_push_and_post(letters: Letters) -> None:
    """No purpose of the demo is for them: here post goes under the purpose for calls, whose text lacks the address."""
    file = letters.house.settings.programme / "messages.yaml"
    assert "push" not in file.read_text(encoding="utf-8").split("channels:")[1]
    with pytest.raises(BadInput):
        read([message(1, channel="push")])
    with pytest.raises(BadInput):
        read([message(1, to="device")])


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": ""}, {"key": "k" * 201}, {"channel": "fax"}, {"campaign": ""}, {"campaign": "c" * 81}, {"card": "", "email": ""},
        {"email": "a@example.org", "card": "C00001"}, {"advertising": "yes"}, {"card": "9" * 321}, {"more": "x"}, {"key": 7},
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_without_what_stood_in_it(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="Message 1 of this batch") as caught:
        read([{**message(1), **wrong}])
    assert "C00001" not in str(caught.value)
    assert "example.org" not in str(caught.value)


def test_a_batch_has_a_limit_and_each_message_a_key() -> None:
    assert len(read([message(1, f"k{place}") for place in range(MESSAGES_MAX)])) == MESSAGES_MAX
    for some in ([], [message(1, f"k{place}") for place in range(MESSAGES_MAX + 1)], [message(1), message(2, "k1")]):
        with pytest.raises(BadInput):
            read(some)


def test_old_messages_are_forgotten_and_sums_stay(letters: Letters) -> None:
    link = letters.one(1).to_dict()["unsubscribe"].rsplit("/", 1)[1]
    letters.hand.pass_days(61)
    assert letters.house.messages.tidy() == 0
    assert letters.house.messages.link(link) == "good", "a link works for more than sixty days"
    letters.hand.pass_days(800 - 61)
    assert letters.house.messages.tidy() == 0
    letters.hand.pass_days(1)
    assert letters.house.messages.tidy() == 1
    assert letters.house.messages.link(link) == "old"
    assert letters.house.messages.months()[0].sent == 1
