"""Many who ask at once are served together, and nobody hears of what was not done."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from volens.errors import Unavailable
from volens.gate import rounds
from volens.gate.rounds import Rounds, Waiting


def double(some: Sequence[Waiting[int, int]]) -> None:
    for one in some:
        one.answer = 2 * one.question


def test_each_gets_her_own_answer_and_whoever_comes_meanwhile_is_in_the_next_round() -> None:
    sizes, held, entered = list[int](), threading.Event(), threading.Event()

    def serve(some: Sequence[Waiting[int, int]]) -> None:
        sizes.append(len(some))
        entered.set()
        held.wait(10)
        double(some)

    asked, told = Rounds[int, int]("test", serve), dict[int, int | None]()
    threads = [threading.Thread(target=lambda number=number: told.update({number: asked.ask(number, 30)})) for number in range(450)]
    threads[0].start()
    entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(asked._waiting) < 449:
        threading.Event().wait(0.01)
    held.set()
    for thread in threads:
        thread.join()
    assert told == {number: 2 * number for number in range(450)}
    assert sizes == [1, rounds.ROUND_MOST, rounds.ROUND_MOST, 49]
    asked.close()


def test_whoever_waits_too_long_gets_none_and_the_round_goes_on() -> None:
    held, done = threading.Event(), threading.Event()

    def serve(some: Sequence[Waiting[int, int]]) -> None:
        held.wait(10)
        double(some)
        done.set()

    asked = Rounds[int, int]("test", serve)
    assert asked.ask(1, 0.02) is None
    held.set()
    assert done.wait(10)
    assert asked.ask(2, 30) == 4
    asked.close()


def test_when_the_records_do_not_answer_nobody_is_told_and_the_next_round_is_served() -> None:
    broken = [True]

    def serve(some: Sequence[Waiting[int, int]]) -> None:
        if broken.pop() if broken else False:
            raise Unavailable("The records do not answer.", "Try again.")
        double(some)

    asked = Rounds[int, int]("test", serve)
    assert asked.ask(1, 30) is None
    assert asked.ask(1, 30) == 2
    asked.close()


def test_whoever_asks_after_the_end_gets_none_and_what_was_needed_is_let_go() -> None:
    let_go = threading.Event()
    asked = Rounds[int, int]("test", double, let_go.set)
    assert asked.ask(1, 30) == 2
    asked.close()
    asked.close()
    assert let_go.is_set()
    assert asked.ask(1, 30) is None
