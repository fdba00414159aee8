"""Callers that arrive together share one transaction: one of them works for all who wait.

Rules:
1. Nobody's call returns before its own work is durable, or failed. Waiting for company is never waiting for a timer alone:
   whoever is alone starts at once.
2. One caller's mistake is that caller's alone: `serve` notes it on the job and goes on with the others.
3. When the shared transaction itself fails, every caller in it is told so; none is told that it succeeded.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from volens.errors import Unavailable, VolensError

Work = TypeVar("Work")
Answer = TypeVar("Answer")

GATHER_SHARE, GATHER_SECONDS = 0.25, 0.002
"""The longest that a leader waits for those who were with it a moment ago: a quarter of what the last round took, and never
more than two milliseconds. A round costs its commit, whoever is in it: without this, two half-full rounds take turns."""


@dataclass(eq=False)
class Job(Generic[Work, Answer]):
    """One caller's work, and what became of it."""

    work: Work
    weight: int = 1
    answer: Answer | None = None
    error: BaseException | None = None
    done: bool = field(default=False)

    def result(self) -> Answer:
        """The answer, or the caller's own copy of the error: one traceback in several threads cannot be read."""
        if self.error is not None:
            raise copy.copy(self.error) from self.error
        if self.answer is None:
            raise Unavailable("Nothing was recorded.", "Try again.")
        return self.answer


class Together(Generic[Work, Answer]):
    """Collects the work of threads that call at the same time, up to a weight, and serves it in one go."""

    def __init__(self, serve: Callable[[list[Job[Work, Answer]]], None], limit: int) -> None:
        self._serve, self._limit = serve, limit
        self._changed = threading.Condition()
        self._waiting: list[Job[Work, Answer]] = []
        self._busy = False
        self._company = 1
        self._took = 0.0

    def submit(self, work: Work, weight: int = 1) -> Answer:
        """Returns when the work is durable; raises what became of it otherwise."""
        job: Job[Work, Answer] = Job(work, weight)
        with self._changed:
            self._waiting.append(job)
            self._changed.notify_all()
            while self._busy and not job.done:
                self._changed.wait()
            if not job.done:
                self._busy = True
        if not job.done:
            self._lead(job)
        return job.result()

    def _lead(self, own: Job[Work, Answer]) -> None:
        """Serves everybody who waits, oneself included, once."""
        batch: list[Job[Work, Answer]] = []
        try:
            with self._changed:
                if self._company > 1:
                    patience = min(GATHER_SECONDS, GATHER_SHARE * self._took)
                    self._changed.wait_for(lambda: len(self._waiting) >= self._company, patience)
                batch = self._take(own)
            began = time.perf_counter()
            self._serve(batch)
            self._took = time.perf_counter() - began
        except VolensError as error:
            _fail(batch, error)
        except BaseException as error:
            _fail(batch, Unavailable("The records do not answer.", "Look at the error of the process that wrote for all."))
            own.error = error
            raise
        finally:
            with self._changed:
                for job in batch:
                    job.done = True
                # Those who were served come back at once when they have more to say; those who wait are here already.
                self._company = len(batch) + len(self._waiting)
                self._busy = False
                self._changed.notify_all()

    def _take(self, own: Job[Work, Answer]) -> list[Job[Work, Answer]]:
        """Who is served now: in order of arrival up to the limit, and always oneself."""
        self._waiting.remove(own)
        batch, weight = [own], own.weight
        for job in list(self._waiting):
            if weight + job.weight > self._limit:
                break
            batch.append(job)
            weight += job.weight
            self._waiting.remove(job)
        return batch


def _fail(batch: list[Job[Work, Answer]], error: BaseException) -> None:
    for job in batch:
        job.answer, job.error = None, error
