"""Decisions in AuthZEN's shape: the cases of its certification scenario, no enumeration, no unless yes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.followers.conftest import ADS, EMAIL, MAIL, OWN, Lived

from volens.errors import BadInput
from volens.followers.questions import MOST_QUESTIONS, Caller

HOUSE, TOOL = Caller("site", None), Caller("mail-tool", MAIL)


def question(card: str = "card-1", purpose: str = EMAIL, recipient: str = MAIL, kind: str = "card", **more: Any) -> dict[str, Any]:
    return {
        "subject": {"type": kind, "id": card},
        "action": {"name": purpose},
        "resource": {"type": "recipient", "id": recipient, **more},
    }


def decided(lived: Lived, body: Any, caller: Caller = HOUSE) -> bool:
    answer = lived.house.followers.decisions.evaluate(caller, body)
    assert isinstance(answer["decision"], bool)
    return bool(answer["decision"])


def test_a_decision_says_its_position_and_its_reason(lived: Lived) -> None:
    camille = lived.person("card-1")
    seq = lived.say(camille, "given")
    answer = lived.house.followers.decisions.evaluate(HOUSE, question())
    assert answer == {"decision": True, "context": {"position": seq + 1, "reason_admin": {"en": "a standing yes covers this"}}}
    seq = lived.say(camille, "withdrawn")
    answer = lived.house.followers.decisions.evaluate(HOUSE, question())
    assert answer == {"decision": False, "context": {"position": seq + 1, "reason_admin": {"en": "no standing yes covers this"}}}


def test_somebody_unknown_and_somebody_who_does_not_permit_look_the_same(lived: Lived) -> None:
    camille = lived.person("card-1")
    lived.say(camille, "refused")
    for kind, known, unknown in [
        ("card", "card-1", "card-9"),
        ("email", "card-1@example.org", "nobody@example.org"),
        ("number", str(camille), "999999999999999999999"),
        ("reference", "r-1", "r-2"),
        ("pseudonym", lived.name(camille), "A" * 22),
    ]:
        answers = [lived.house.followers.decisions.evaluate(HOUSE, question(value, kind=kind)) for value in (known, unknown)]
        assert answers[0] == answers[1]
        assert answers[0]["decision"] is False


def test_by_every_name_that_a_caller_may_use(lived: Lived) -> None:
    camille = lived.person("card-1")
    lived.say(camille, "given")
    lived.say(camille, "given", ADS)
    names = {"card": "card-1", "email": "card-1@example.org", "number": str(camille), "pseudonym": lived.name(camille)}
    assert {kind: decided(lived, question(name, kind=kind)) for kind, name in names.items()} == dict.fromkeys(names, True)
    mine = {kind: decided(lived, question(name, kind=kind), TOOL) for kind, name in names.items()}
    assert mine == {"card": False, "email": True, "number": False, "pseudonym": True}, "a text of e-mails names no card"
    ads = question(recipient=OWN, purpose=ADS)
    assert decided(lived, ads)
    assert not decided(lived, ads, TOOL), "another's recipient"
    assert not decided(lived, question(lived.name(camille, OWN), kind="pseudonym"), TOOL), "another's name for her"


def test_what_is_unknown_is_no_with_a_reason(lived: Lived) -> None:
    lived.say(lived.person("card-1"), "given")
    for body in [
        question(purpose="astrology"),
        question(recipient="stranger"),
        question(kind="spaceship"),
        {**question(), "resource": {"type": "database", "id": MAIL}},
        question(properties={"fields": ["photo"]}),
        question(properties={"since": "2001-01-01"}),
        question(purpose="accounting", recipient=OWN),
    ]:
        answer = lived.house.followers.decisions.evaluate(HOUSE, body)
        assert answer["decision"] is False
        assert answer["context"]["reason_admin"]["en"]
    assert decided(lived, question(properties={"fields": ["email"], "since": "2026-03-01", "other": 1}))


def test_what_is_not_of_the_shape_is_refused_whole(lived: Lived) -> None:
    whole = question()
    for name in ("subject", "action", "resource"):
        with pytest.raises(BadInput):
            decided(lived, {key: value for key, value in whole.items() if key != name})
    for wrong in [
        {"subject": "alice"}, {"subject": {"id": "card-1"}}, {"subject": {"type": "card"}}, {"action": {}},
        {"action": {"name": 123}},
        {"resource": {"id": MAIL}}, {"resource": {"type": "recipient"}}, {"context": "x"}, {"subject": None},
    ]:  # fmt: skip
        with pytest.raises(BadInput):
            decided(lived, {**whole, **wrong})
    for body in (None, [], "x", 1, {}):
        with pytest.raises(BadInput):
            decided(lived, body)
    assert not decided(lived, {**whole, "futureField": {"nested": True}, "context": {"time": "2025-06-27T18:03-07:00"}})


def test_batches_share_one_position_and_keep_their_order(lived: Lived) -> None:
    lived.say(lived.person("card-1"), "given")
    lived.person("card-2")
    many = lived.house.followers.decisions
    asked = [{}, {"subject": {"id": "card-2"}}, {"subject": {"type": "card", "id": "card-1"}}, {"resource": {}}]
    body = {**question(), "evaluations": asked}
    answer = many.evaluate(HOUSE, body, many=True)
    assert [one["decision"] for one in answer["evaluations"]] == [True, False, True, True]
    assert len({one["context"]["position"] for one in answer["evaluations"]}) == 1
    lacking = {"subject": {"type": "card", "id": "card-1"}, "action": {"name": EMAIL}, "evaluations": [question(), {}, 5]}
    answer = many.evaluate(HOUSE, lacking, many=True)
    assert [one["decision"] for one in answer["evaluations"]] == [True, False, False]
    assert answer["evaluations"][1]["context"]["error"]["status"] == 400
    for none in ({}, {"evaluations": []}):
        assert many.evaluate(HOUSE, {**question(), **none}, many=True)["decision"] is True


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_the_three_semantics(lived: Lived, semantic: str, expected: list[bool]) -> None:
    lived.say(lived.person("card-1"), "given")
    cards = [{"subject": {"type": "card", "id": card}} for card in ("card-1", "card-2", "card-1")]
    body = {**question(), "evaluations": cards, "options": {"evaluations_semantic": semantic}}
    answer = lived.house.followers.decisions.evaluate(HOUSE, body, many=True)
    assert [one["decision"] for one in answer["evaluations"]] == expected


def test_batches_are_limited(lived: Lived) -> None:
    many = lived.house.followers.decisions
    most = {**question(), "evaluations": [{}] * MOST_QUESTIONS}
    assert len(many.evaluate(HOUSE, most, many=True)["evaluations"]) == MOST_QUESTIONS
    for wrong in ({"evaluations": [{}] * (MOST_QUESTIONS + 1)}, {"evaluations": {}}, {"options": {"evaluations_semantic": "x"}},
                  {"options": 1}, {"subject": 1}):  # fmt: skip
        with pytest.raises(BadInput):
            many.evaluate(HOUSE, {**most, **wrong}, many=True)


def test_answers_are_counted_by_hour_caller_purpose_and_verdict(lived: Lived) -> None:
    lived.say(lived.person("card-1"), "given")
    for body in (question(), question(), question("card-2"), question(purpose="made-up")):
        decided(lived, body, HOUSE)
    decided(lived, question("card-1@example.org", kind="email"), TOOL)
    counted = {(one["hour"], one["caller"], one["purpose"], one["verdict"]): one["answers"]
               for one in lived.house.followers.decisions.counted()}  # fmt: skip
    hour = "2026-03-02T09"
    assert counted == {
        (hour, "site", EMAIL, "yes"): 2, (hour, "site", EMAIL, "no"): 1, (hour, "site", "-", "no"): 1,
        (hour, "mail-tool", EMAIL, "yes"): 1,
    }  # fmt: skip
    decided(lived, question(), HOUSE)
    assert sum(one["answers"] for one in lived.house.followers.decisions.counted(hour)) == 6
