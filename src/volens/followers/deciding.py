"""Decisions for machines: understood, put to the gate, answered, counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from volens.clock import Clock, legal_day
from volens.followers import store
from volens.followers.counts import Counts
from volens.followers.questions import Caller, Questions, Reader, Reading, answer
from volens.gate.reads import Gate
from volens.gate.resident import ANSWER_SECONDS, Asked, Decision, silent
from volens.holders import Database
from volens.identity.pseudonyms import Pseudonyms
from volens.programme.model import Programme


class Deciding:
    """Answers requests in the shape of AuthZEN (`followers.questions`)."""

    def __init__(
        self, records: Database, gate: Gate, programme: Programme, clock: Clock, found_by: Reader, pseudonyms: Pseudonyms
    ) -> None:
        self._records, self._gate, self._programme, self._clock = records, gate, programme, clock
        self._reading = Reading(programme, found_by, pseudonyms)
        self._counts = Counts(records, clock)

    def read(self, caller: Caller, body: Any, *, many: bool) -> Questions:
        """Understands a request, of the batch form with `many`; `BadInput` if it is none."""
        today = legal_day(self._clock.now(), self._programme.country)
        return self._reading.many(caller, body, today) if many else self._reading.one(caller, body, today)

    def ask(self, asked: Sequence[Asked], told: Callable[[Sequence[Decision]], None]) -> Callable[[], None]:
        """Puts what was understood to the gate (`Gate.ask`): for whoever must not wait in this thread."""
        return self._gate.ask(asked, told)

    def answer(self, caller: Caller, questions: Questions, decisions: Sequence[Decision]) -> dict[str, Any]:
        """The body of the response; each answer is counted."""
        return answer(questions, decisions, lambda purpose, allowed: self._counts.add(caller.name, purpose, allowed))

    def evaluate(self, caller: Caller, body: Any, *, many: bool = False) -> dict[str, Any]:
        """A whole request, for who can wait for it: body in, body out."""
        questions = self.read(caller, body, many=many)
        decisions: Sequence[Decision] = ()
        if questions.asked:
            done, found = threading.Event(), list[Decision]()

            def told(given: Sequence[Decision]) -> None:
                found.extend(given)
                done.set()

            withdraw = self.ask(questions.asked, told)
            if not done.wait(ANSWER_SECONDS):
                withdraw()
            decisions = tuple(found) or (silent(),) * len(questions.asked)
        return self.answer(caller, questions, decisions)

    def counted(self, since: str = "") -> list[dict[str, Any]]:
        """How often each machine was answered what, by hour (UTC, as in 2026-03-02T09), from an hour on."""
        self._counts.write()
        with self._records.reading() as connection:
            return store.counted(connection, since)

    def close(self) -> None:
        """Writes the counts that are left."""
        self._counts.close()
