"""Naming the one thing that is missing: many baskets in one round, each named thing at the door before its answer leaves.

Rules:
1. One thread serves all who ask: whoever comes while a round runs is in the next. A round asks the gate once, reads what it
   needs of those who permit and of nobody else, and commits once if it has anything to say.
2. What is named was handed over: those who said no between the look and the door hear nothing.
3. Whoever gets no answer within `ANSWER_SECONDS` gets none: the shop goes on without a reminder.
4. In one basket a need is named once, whoever asks again; to one customer at most so many a month.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from volens.clock import Clock, legal_day
from volens.errors import VolensError
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate
from volens.gate.resident import Asked, Decision
from volens.holders import Database
from volens.identity.store import found_by_watch
from volens.purchases.catalogue import Needs
from volens.reminders.model import Model, Reminder, choose
from volens.reminders.rhythm import Rhythm
from volens.reminding import store
from volens.reminding.basket import Basket, Said, days
from volens.reminding.store import Known, Named

ANSWER_SECONDS = 0.25
ROUND_MOST = 200
MONTH_DAYS = 30
ID_BYTES = 12


@dataclass(frozen=True)
class Ready:
    """A model, and what is needed beside it."""

    read: int
    model: Model
    threshold: float
    allowed: npt.NDArray[np.bool_]
    sold: frozenset[int]
    needs: Needs
    products: Mapping[str, int]
    names: Mapping[int, tuple[str, Mapping[str, str]]]
    """By product: what the shop calls it, and its name in each language."""
    most_a_month: int


@dataclass(eq=False)
class _Asked:
    basket: Basket
    done: threading.Event = field(default_factory=threading.Event)
    said: Said | None = None


class Speaking:
    """Answers baskets. One thread serves; it starts with the first of them."""

    def __init__(
        self, records: Database, gate: Gate, barrier: Barrier, request: Callable[[str, date], ReadRequest],
        ready: Callable[[], Ready | None], clock: Clock, country: str,
    ) -> None:  # fmt: skip
        self._records, self._gate, self._barrier, self._request, self._ready = records, gate, barrier, request, ready
        self._clock, self._country = clock, country
        self._watch = records.watch()
        self._changed = threading.Condition()
        self._waiting: list[_Asked] = []
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, basket: Basket) -> Said | None:
        """What is missing, or nothing."""
        asked = _Asked(basket)
        with self._changed:
            if self._closed:
                return None
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve_all, name="volens-reminders", daemon=True)
                self._thread.start()
            self._waiting.append(asked)
            self._changed.notify()
        asked.done.wait(ANSWER_SECONDS)
        return asked.said

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
                    self._watch.close()
                    return
                some, self._waiting = self._waiting[:ROUND_MOST], self._waiting[ROUND_MOST:]
            try:
                self._serve(some)
            except VolensError:
                continue  # the records do not answer, or nobody may be reminded now: nothing is named
            finally:
                for asked in some:
                    asked.done.set()

    def _serve(self, some: Sequence[_Asked]) -> None:
        ready = self._ready()
        if ready is None:
            return
        today = legal_day(self._clock.now(), self._country)
        request = self._request("reminders", today)
        hashes = sorted({one.basket.who for one in some if isinstance(one.basket.who, bytes)})
        found = found_by_watch(self._watch, hashes)
        who = {one: found.get(one.basket.who) if isinstance(one.basket.who, bytes) else one.basket.who for one in some}
        permitting = self._permitting(sorted({number for number in who.values() if number is not None}), request)
        if not permitting:
            return
        since = (today - timedelta(days=MONTH_DAYS)).isoformat()
        known = store.known_of(self._watch, permitting, since, today.isoformat())
        chosen = list[tuple[_Asked, int, Reminder]]()
        for one in some:
            number = who[one]
            if number in known:
                reminder = _choose(ready, known[number], one.basket, days(today))
                if reminder is not None:
                    chosen.append((one, number, reminder))
        if chosen:
            self._hand_over(chosen, request, today)

    def _permitting(self, customers: Sequence[int], request: ReadRequest) -> list[int]:
        """Those who permit it, at one position of the ledger."""
        done, given = threading.Event(), list[Decision]()

        def told(decisions: Sequence[Decision]) -> None:
            given.extend(decisions)
            done.set()

        if not customers:
            return []
        withdraw = self._gate.ask([Asked(request, number) for number in customers], told)
        if not done.wait(ANSWER_SECONDS):
            withdraw()
            return []
        return [number for number, decision in zip(customers, given, strict=True) if decision.verdict.allowed]

    def _hand_over(self, chosen: Sequence[tuple[_Asked, int, Reminder]], request: ReadRequest, today: date) -> None:
        """The door: who still permits has it, on record, with what was named."""
        self._barrier.turn()
        told = dict[_Asked, Said]()
        with self._records.writing() as connection:
            handed = self._barrier.hand_over_within(
                connection, request, sorted({number for _, number, _ in chosen}), {"reminders": len(chosen)}
            )
            before = store.named_already(connection, [(number, one.basket.key) for one, number, _ in chosen])
            rows = list[Named]()
            for one, number, reminder in chosen:
                once = (number, one.basket.key, reminder.need)
                if number not in handed.customers or once in before:
                    continue
                before.add(once)
                id = secrets.token_hex(ID_BYTES)
                rows.append(
                    Named(id, number, one.basket.key, reminder.need, reminder.product, today.isoformat(), handed.seq, None)
                )
                told[one] = Said(
                    id, reminder.product, reminder.others, reminder.bought_in, reminder.of_last, reminder.every_days,
                    reminder.last_days,
                )  # fmt: skip
            if rows:
                store.keep_named(connection, rows)
        for one, said in told.items():
            one.said = said  # committed: now it may be told


def _choose(ready: Ready, known: Known, basket: Basket, today: int) -> Reminder | None:
    if len(known.lately) >= ready.most_a_month:
        return None
    needs = ready.needs.of_product[np.array([one for one in basket.products if one < len(ready.needs.of_product)], np.int64)]
    inside = needs[(needs > 0) & (needs < len(ready.allowed))].astype(np.int32)
    return choose(
        ready.model,
        Rhythm.from_bytes(known.state),
        inside,
        allowed=ready.allowed,
        sold=ready.sold - basket.without,
        today=today,
        threshold=ready.threshold,
        refused=known.resting,
        said={need for key, need in known.lately if key == basket.key},
    )
