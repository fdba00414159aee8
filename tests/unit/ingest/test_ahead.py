"""Rules of `ahead`: the same order, one piece ahead, the first error, and nobody at work when the block ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tests.unit.ingest.ingest_house import TILLS, House

from volens.errors import MappingError, Unavailable
from volens.ingest import intake
from volens.ingest.ahead import ahead


class Step:
    """Makes numbers; says how far it is and where it works."""

    def __init__(self, pieces: int, fails_at: int | None = None) -> None:
        self.pieces, self.fails_at = pieces, fails_at
        self.made = threading.Semaphore(0)
        self.begun: list[int] = []
        self.threads: set[str] = set()
        self.closed = False

    def run(self) -> Iterator[int]:
        try:
            for number in range(self.pieces):
                self.begun.append(number)
                self.threads.add(threading.current_thread().name)
                if number == self.fails_at:
                    raise MappingError("the piece cannot be made", "mend it")
                self.made.release()
                yield number
        finally:
            self.closed = True


@pytest.mark.parametrize("pieces", [0, 1, 2, 50])
def test_all_pieces_come_in_their_order(pieces: int) -> None:
    step = Step(pieces)
    with ahead(step.run()) as coming:
        assert list(coming) == list(range(pieces))
    assert step.closed
    assert threading.current_thread().name not in step.threads


def test_one_piece_is_made_ahead_and_no_more() -> None:
    step = Step(5)
    with ahead(step.run()) as coming:
        assert next(coming) == 0
        for _ in range(2):
            assert step.made.acquire(timeout=10), "the next piece is made while this one is worked on"
        assert not step.made.acquire(timeout=0.05)
        assert step.begun == [0, 1]
        assert next(coming) == 1
    assert step.begun == [0, 1, 2]


def test_an_error_comes_where_its_piece_would_have_come() -> None:
    step, got = Step(5, fails_at=2), list[int]()

    def walk() -> None:
        with ahead(step.run()) as coming:
            for piece in coming:
                got.append(piece)

    with pytest.raises(MappingError, match="cannot be made"):
        walk()
    assert (got, step.begun) == ([0, 1], [0, 1, 2])


def test_when_the_step_behind_fails_its_error_counts_and_nobody_works_on() -> None:
    """The piece that is being made fails too: what failed first is what is said."""
    step = Step(5, fails_at=1)

    def walk() -> None:
        with ahead(step.run()) as coming:
            next(coming)
            raise Unavailable("the step behind", "wait")

    with pytest.raises(Unavailable, match="behind"):
        walk()
    assert step.closed
    assert not [one for one in threading.enumerate() if one.name.startswith("ahead")]


@pytest.mark.parametrize("where", ["checked", "staged", "once"])
def test_an_error_in_any_step_leaves_nothing_and_nobody(house: House, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """In whichever thread it happens; the same feed then comes in whole."""
    lines = [f"c{number % 7},12,1,R{number},1,2025-05-31T10:{number:02}:00,3,1,2.50" for number in range(60)]
    feed = house.csv("a.csv", *lines)
    real = getattr(intake.Run, where)

    def fails(*_: object) -> None:
        raise Unavailable("The disk is full.", "Make room.")

    monkeypatch.setattr(intake.Run, where, fails)
    with pytest.raises(Unavailable, match="full"):
        house.take_in(feed, TILLS)
    assert not [one for one in threading.enumerate() if one.name.startswith("ahead")]
    assert house.purchases.count_lines() == 0
    monkeypatch.setattr(intake.Run, where, real)
    assert house.take_in(feed, TILLS).lines_accepted == 60
