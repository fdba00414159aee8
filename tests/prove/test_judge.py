"""A proof whose judge cannot say guilty proves nothing: a right history has no finding, and each way to be wrong is found.

The right histories come from the simplest machine that keeps promise 3: one thing after another. Each wrong one is a right
one in which a single thing was changed, as a real defect would have it.
"""

from __future__ import annotations

import copy
import random
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from tests.reference.gate import KINDS
from tests.support.judge import RULES, Call, Judge

NAMED = {"statistics": ["juice", "soap"], "reminders": ["shop"]}
PEOPLE = range(1, 7)
CALLS = 300


class Machine:
    """Does one thing after another; each takes effect between its beginning and its end, which overlap those of others."""

    def __init__(self, seed: int) -> None:
        self.chosen, self.now, self.seq = random.Random(seed), 0.0, 0
        self.yes: set[tuple[int, str, str]] = set()
        self.calls: list[Call] = []
        self.log: list[dict[str, Any]] = []

    def run(self) -> Machine:
        for _ in range(CALLS):
            self.now += 1
            self.chosen.choice((self.choose, self.choose, self.read, self.hand_over, self.draw))()
        return self

    def call(self, what: str, given: dict[str, Any], result: dict[str, Any] | None) -> None:
        """A call whose effect is now. Overlaps its neighbours by up to three steps to either side."""
        began, ended = self.now - self.chosen.uniform(0, 3), self.now + self.chosen.uniform(0, 3)
        one = Call(f"process {len(self.calls) % 4}", what, began, given, ended, result or {})
        if result is None:
            one.ended = None
        self.calls.append(one)

    def take(self, how_many: int) -> int:
        self.seq += how_many
        return self.seq - how_many

    def choose(self) -> None:
        said = [self.a_choice() for _ in range(self.chosen.choice((1, 1, 1, 3)))]
        fate = self.chosen.random()
        if fate < 0.03:  # killed before it was kept
            self.call("choices", {"said": said}, None)
            return
        first = self.take(len(said))
        for place, (customer, purpose, recipient, kind) in enumerate(said):
            kept = "objected" if kind == "no" else kind
            told = {"seq": first + place, "customer": customer, "purpose": purpose, "recipient": recipient, "kind": kept}
            self.log.append(told)
            says = "no" if kind == "no" else KINDS[kind][0]
            for name in NAMED[purpose] if recipient == "*" else [recipient]:
                if says == "yes":
                    self.yes.add((customer, purpose, name))
                elif says == "no":
                    self.yes.discard((customer, purpose, name))
        seqs = list(range(first, first + len(said)))
        self.call("choices", {"said": said}, None if fate < 0.06 else {"seqs": seqs})

    def a_choice(self) -> list[Any]:
        purpose = self.chosen.choice(sorted(NAMED))
        basis = "consent" if purpose == "statistics" else "legitimate-interest"
        kinds = [name for name, (says, of) in KINDS.items() if says != "yes" or of == basis]
        kind = self.chosen.choice([*kinds, "no", *(name for name in kinds if KINDS[name][0] == "yes")])
        return [self.chosen.choice(PEOPLE), purpose, self.chosen.choice(["*", *NAMED[purpose]]), kind]

    def question(self) -> dict[str, str]:
        purpose = self.chosen.choice(sorted(NAMED))
        return {"purpose": purpose, "recipient": self.chosen.choice(NAMED[purpose])}

    def who(self, question: dict[str, str]) -> list[int]:
        return [one for one in PEOPLE if (one, question["purpose"], question["recipient"]) in self.yes]

    def read(self) -> None:
        question = self.question()
        self.take(1)  # its own event
        self.call("read", question, {"position": self.seq, "customers": self.who(question)})

    def hand_over(self) -> None:
        question, wanted = self.question(), self.chosen.sample(PEOPLE, 4)
        through = [one for one in wanted if one in self.who(question)]
        back = [one for one in wanted if one not in through]
        self.call("handed_over", {**question, "wanted": wanted}, {"seq": self.take(1), "customers": through, "kept_back": back})

    def draw(self) -> None:
        """A read, two more choices, and the draw; everybody but one person has purchases."""
        question = self.question()
        self.take(1)
        start, permitted = self.seq, self.who(question)
        self.call("read", question, {"position": start, "customers": permitted})
        for _ in range(2):
            self.now += 1
            self.choose()
        self.now += 1
        bought = [one for one in permitted if one != PEOPLE[-1]]
        counted = [one for one in bought if one in self.who(question)]
        given = {**question, "position": start, "permitted": permitted, "with purchases": bought}
        self.call("drawn", given, {"seq": self.take(1), "customers": counted})
        self.call("answer", {}, {"plan": f"pack {start}", "answer": "the figures"})


def right(seed: int) -> Machine:
    return Machine(seed).run()


@pytest.mark.parametrize("round_", range(5))
def test_a_right_history_has_no_finding(round_: int) -> None:
    seed = secrets.randbelow(2**31)
    machine = right(seed)
    assert Judge(machine.calls, NAMED).judge().findings == [], f"seed {seed}"
    assert Judge(machine.calls, NAMED).settle(machine.log).findings == [], f"seed {seed}"


Wrong = Callable[[Machine, random.Random], None]
WRONG: dict[str, tuple[str, Wrong]] = {}


def wrong(rule: str) -> Callable[[Wrong], Wrong]:
    """Adds a way to be wrong, and the rule under which it is found."""

    def add(change: Wrong) -> Wrong:
        WRONG[change.__name__] = (rule, change)
        return change

    return add


def one_of(machine: Machine, what: str, chosen: random.Random, good: Callable[[Call], Any] = lambda call: True) -> Call:
    some = [call for call in machine.calls if call.what == what and call.ended is not None and good(call)]
    return chosen.choice(some[len(some) // 4 :])


def somebody_out(call: Call) -> list[int]:
    return [one for one in PEOPLE if one not in call.result["customers"]]


@wrong("seen")
def a_read_has_somebody_after_a_no(machine: Machine, chosen: random.Random) -> None:
    look = one_of(machine, "read", chosen, somebody_out)
    look.result["customers"] = [*look.result["customers"], somebody_out(look)[0]]


@wrong("missing")
def a_read_leaves_out_somebody_who_permits(machine: Machine, chosen: random.Random) -> None:
    look = one_of(machine, "read", chosen, lambda call: call.result["customers"])
    look.result["customers"] = look.result["customers"][1:]


@wrong("left")
def a_hand_over_lets_somebody_through_after_a_no(machine: Machine, chosen: random.Random) -> None:
    door = one_of(machine, "handed_over", chosen, lambda call: call.result["kept_back"])
    door.result["customers"].append(door.result["kept_back"].pop())


@wrong("held")
def a_hand_over_keeps_somebody_back_who_permits(machine: Machine, chosen: random.Random) -> None:
    door = one_of(machine, "handed_over", chosen, lambda call: call.result["customers"])
    door.result["kept_back"].append(door.result["customers"].pop())


@wrong("held")
def a_hand_over_forgets_somebody(machine: Machine, chosen: random.Random) -> None:
    one_of(machine, "handed_over", chosen, lambda call: call.result["kept_back"]).result["kept_back"].pop()


def gone_before_the_draw(call: Call) -> list[int]:
    return [one for one in call.given["with purchases"] if one not in call.result["customers"]]


@wrong("left")
def a_draw_counts_somebody_who_said_no_since_the_read(machine: Machine, chosen: random.Random) -> None:
    door = one_of(machine, "drawn", chosen, gone_before_the_draw)
    door.result["customers"] = [*door.result["customers"], gone_before_the_draw(door)[0]]


@wrong("left")
def a_draw_counts_somebody_whom_its_read_had_not(machine: Machine, chosen: random.Random) -> None:
    door = one_of(machine, "drawn", chosen, lambda call: len(call.given["permitted"]) < len(PEOPLE))
    stranger = next(one for one in PEOPLE if one not in door.given["permitted"])
    door.result["customers"] = [*door.result["customers"], stranger]


@wrong("held")
def a_draw_takes_out_somebody_without_a_reason(machine: Machine, chosen: random.Random) -> None:
    def stood(call: Call) -> list[int]:
        about = {
            (event["customer"], event["purpose"])
            for event in machine.log
            if call.given["position"] <= event["seq"] < call.result["seq"]
        }
        return [one for one in call.result["customers"] if (one, call.given["purpose"]) not in about]

    door = one_of(machine, "drawn", chosen, stood)
    door.result["customers"] = [one for one in door.result["customers"] if one != stood(door)[0]]


@wrong("real time")
def a_read_is_older_than_what_was_acknowledged_before_it(machine: Machine, chosen: random.Random) -> None:
    """It shows a right picture, of a moment that was over: a lagging copy."""
    looks = [call for call in machine.calls if call.what == "read"]
    old, late = looks[len(looks) // 3], looks[-1]
    late.given, late.result = old.given, dict(old.result)


@wrong("real time")
def a_read_has_what_was_said_after_it(machine: Machine, chosen: random.Random) -> None:
    looks = [call for call in machine.calls if call.what == "read"]
    looks[len(looks) // 3].result = {**looks[-1].result}


@wrong("real time")
def two_choices_have_their_numbers_the_wrong_way_round(machine: Machine, chosen: random.Random) -> None:
    single = [call for call in machine.calls if call.what == "choices" and len(call.result.get("seqs", [])) == 1]
    first, last = single[1], single[-2]
    first.result, last.result = last.result, first.result


@wrong("missing")
def something_below_the_position_was_overlooked(machine: Machine, chosen: random.Random) -> None:
    """A gap: the read says n, and a yes below n is not in it, because its writer committed later."""
    def fresh(call: Call) -> list[int]:
        told = {said[0] for one in machine.calls if one.what == "choices" and one.ended is not None
                for seq, said in zip(one.result["seqs"], one.given["said"], strict=True)
                if call.result["position"] - 6 < seq < call.result["position"]}
        return [one for one in call.result["customers"] if one in told]

    look = one_of(machine, "read", chosen, fresh)
    look.result["customers"] = [one for one in look.result["customers"] if one != fresh(look)[0]]


@wrong("numbers")
def a_number_is_given_twice(machine: Machine, chosen: random.Random) -> None:
    some = [call for call in machine.calls if call.what == "choices" and call.result.get("seqs")]
    some[5].result = {"seqs": [some[4].result["seqs"][0] + place for place in range(len(some[5].result["seqs"]))]}


@wrong("numbers")
def a_read_saw_half_of_what_one_call_said(machine: Machine, chosen: random.Random) -> None:
    several = one_of(machine, "choices", chosen, lambda call: len(call.given["said"]) > 1)
    one_of(machine, "read", chosen).result["position"] = several.result["seqs"][1]


@wrong("answers")
def a_pack_has_two_answers(machine: Machine, chosen: random.Random) -> None:
    answer = one_of(machine, "answer", chosen)
    machine.calls.append(Call("another", "answer", answer.began, {}, answer.ended, {**answer.result, "answer": "others"}))


@wrong("lost")
def an_acknowledged_choice_is_not_in_the_log(machine: Machine, chosen: random.Random) -> None:
    said = one_of(machine, "choices", chosen)
    machine.log = [event for event in machine.log if event["seq"] != said.result["seqs"][0]]


@wrong("lost")
def an_acknowledged_choice_is_in_the_log_as_another(machine: Machine, chosen: random.Random) -> None:
    said = one_of(machine, "choices", chosen)
    event = next(event for event in machine.log if event["seq"] == said.result["seqs"][0])
    event["kind"] = "given" if event["kind"] != "given" else "renewed"


@wrong("invented")
def the_log_has_a_choice_that_nobody_made(machine: Machine, chosen: random.Random) -> None:
    machine.log.append({"seq": 10**6, "customer": 1, "purpose": "statistics", "recipient": "nobody", "kind": "given"})


@wrong("invented")
def half_of_a_killed_call_was_kept(machine: Machine, chosen: random.Random) -> None:
    unsure = [said for call in machine.calls if call.what == "choices" and call.ended is None for said in call.given["said"]]

    def alone(call: Call) -> bool:
        return len(call.given["said"]) == 3 and not any(said in unsure for said in call.given["said"])

    several = one_of(machine, "choices", chosen, alone)
    machine.log = [event for event in machine.log if event["seq"] != several.result["seqs"][0]]
    several.ended, several.result = None, {}


@pytest.mark.parametrize("name", WRONG)
def test_each_way_to_be_wrong_is_found(name: str) -> None:
    rule, change = WRONG[name]
    for _ in range(2):
        seed = secrets.randbelow(2**31)
        machine = copy.deepcopy(right(seed))
        change(machine, random.Random(seed))
        found = Judge(machine.calls, NAMED).settle(machine.log)
        assert rule in found.rules, f"seed {seed}: {name} was not found as {rule!r}: {found.findings[:3]}"


def test_every_rule_of_the_judge_was_broken_once() -> None:
    assert {rule for rule, _ in WRONG.values()} == set(RULES)
