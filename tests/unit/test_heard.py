"""The judge from outside finds what it is for, and blames nobody for what may have been."""

from __future__ import annotations

from tests.support.heard import Heard, judge


def say(yes: bool, began: float, ended: float | None) -> Heard:
    return Heard("say", 1, "p", yes, began, ended)


def decide(yes: bool, began: float, ended: float = 99.0, *, blind: bool = False) -> Heard:
    return Heard("decide", 1, "p", yes, began, ended, blind)


def test_a_yes_after_an_acknowledged_no_is_found() -> None:
    assert judge([say(True, 0, 1), say(False, 2, 3), decide(True, 4)]).findings


def test_a_no_after_an_acknowledged_yes_is_found() -> None:
    assert judge([say(True, 0, 1), decide(False, 4)]).findings


def test_a_blind_no_is_nobody_s_fault_but_a_blind_yes_is() -> None:
    assert not judge([say(True, 0, 1), decide(False, 4, blind=True)]).findings
    assert judge([say(False, 0, 1), decide(True, 4, blind=True)]).findings


def test_words_that_overlap_leave_both_outcomes_open() -> None:
    for yes in (True, False):
        assert not judge([say(True, 0, 3), say(False, 2, 4), decide(yes, 5)]).findings
        assert not judge([say(False, 0, 1), say(True, 2, 9), decide(yes, 3, 10)]).findings


def test_an_unanswered_word_may_have_been_the_last_from_its_beginning_on() -> None:
    assert not judge([say(False, 0, 1), say(True, 2, None), decide(True, 5)]).findings
    assert judge([say(False, 0, 1), say(True, 6, None), decide(True, 3, 4)]).findings


def test_others_do_not_matter() -> None:
    assert judge([say(False, 0, 1), Heard("say", 2, "p", True, 2, 3), Heard("say", 1, "q", True, 2, 3), decide(True, 4)]).findings


def test_it_counts_what_it_saw() -> None:
    found = judge([say(False, 0, 1), decide(False, 2), decide(False, 3, blind=True)])
    assert found.judged == {"no after a no": 1, "blind": 1}
