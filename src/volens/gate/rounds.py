"""Many who ask at once are served together: one thread, one round after the other, one commit a round.

Rules:
1. Whoever comes while a round runs is in the next. A round has at most `ROUND_MOST` of them.
2. What a round did is committed before anybody hears of it: `serve` sets an answer only then.
3. Whoever gets no answer in the time that she waits gets none; the round goes on, and what it commits stands.
4. When the records do not answer, or refuse, everybody of that round gets none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from volens.errors import VolensError
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate
from volens.gate.resident import Asked, Decision

ROUND_MOST = 200
Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(eq=False)
class Waiting(Generic[Q, A]):
    """Somebody who waits for an answer."""

    question: Q
    done: threading.Event = field(default_factory=threading.Event)
    answer: A | None = None


class Rounds(Generic[Q, A]):
    """Serves questions. The thread starts with the first of them."""

    def __init__(
        self, name: str, serve: Callable[[Sequence[Waiting[Q, A]]], None], last: Callable[[], None] = lambda: None
    ) -> None:
        """`serve` answers a round; `last` lets go of what serving needed, in its thread. `name`: of the thread."""
        self._name, self._serve, self._last = name, serve, last
        self._changed = threading.Condition()
        self._waiting: list[Waiting[Q, A]] = []
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, question: Q, wait_seconds: float) -> A | None:
        """The answer, or none."""
        asked = Waiting[Q, A](question)
        with self._changed:
            if self._closed:
                return None
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve_all, name=self._name, daemon=True)
                self._thread.start()
            self._waiting.append(asked)
            self._changed.notify()
        asked.done.wait(wait_seconds)
        return asked.answer

    def close(self) -> None:
        """Lets the thread go."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(5)

    def _serve_all(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    self._last()
                    return
                some, self._waiting = self._waiting[:ROUND_MOST], self._waiting[ROUND_MOST:]
            try:
                self._serve(some)
            except VolensError:
                continue  # the records do not answer, or nothing of the kind may be done now: nobody is told anything
            finally:
                for asked in some:
                    asked.done.set()


def permitting(gate: Gate, customers: Sequence[int], request: ReadRequest, wait_seconds: float) -> list[int]:
    """Those who permit a request, at one position of the ledger. Nobody, where the ledger does not answer in time."""
    done, given = threading.Event(), list[Decision]()

    def told(decisions: Sequence[Decision]) -> None:
        given.extend(decisions)
        done.set()

    if not customers:
        return []
    withdraw = gate.ask([Asked(request, number) for number in customers], told)
    if not done.wait(wait_seconds):
        withdraw()
        return []
    return [number for number, decision in zip(customers, given, strict=True) if decision.verdict.allowed]
