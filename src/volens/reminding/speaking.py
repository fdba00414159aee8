"""Naming the one thing that is missing: many baskets in one round, each named thing at the door before its answer leaves.

Rules:
1. One thread serves all who ask (`gate.rounds`). A round asks the gate once, reads what it needs of those who permit and of
   nobody else, and commits once if it has anything to say.
2. What is named was handed over: those who said no between the look and the door hear nothing.
3. Whoever gets no answer within `ANSWER_SECONDS` gets none: the shop goes on without a reminder.
4. In one basket a need is named once, whoever asks again; to one customer at most so many a month.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from volens.clock import Clock, legal_day
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate
from volens.gate.rounds import Rounds, Waiting, permitting
from volens.holders import Database
from volens.identity.store import found_by_watch
from volens.purchases.catalogue import Needs
from volens.reminders.model import Model, Reminder, choose
from volens.reminders.rhythm import Rhythm
from volens.reminding import store
from volens.reminding.basket import Basket, Said, days
from volens.reminding.store import Known, Named

ANSWER_SECONDS = 0.25
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

    def some_product(self, need: int) -> int | None:
        """A product that stands for a need."""
        found = np.flatnonzero(self.needs.of_product == need)
        return next((int(one) for one in found if int(one) in self.names), None)


_Asked = Waiting[Basket, Said]


class Speaking:
    """Answers baskets. One thread serves; it starts with the first of them."""

    def __init__(
        self, records: Database, gate: Gate, barrier: Barrier, request: Callable[[str, date], ReadRequest],
        ready: Callable[[], Ready | None], clock: Clock, country: str,
    ) -> None:  # fmt: skip
        self._records, self._gate, self._barrier, self._request, self._ready = records, gate, barrier, request, ready
        self._clock, self._country = clock, country
        self._watch = records.watch()
        self._rounds = Rounds[Basket, Said]("volens-reminders", self._serve, self._watch.close)

    def ask(self, basket: Basket) -> Said | None:
        """What is missing, or nothing."""
        return self._rounds.ask(basket, ANSWER_SECONDS)

    def close(self) -> None:
        """Lets the thread go."""
        self._rounds.close()

    def _serve(self, some: Sequence[_Asked]) -> None:
        ready = self._ready()
        if ready is None:
            return
        today = legal_day(self._clock.now(), self._country)
        request = self._request("reminders", today)
        hashes = sorted({one.question.who for one in some if isinstance(one.question.who, bytes)})
        found = found_by_watch(self._watch, hashes)
        who = {one: found.get(one.question.who) if isinstance(one.question.who, bytes) else one.question.who for one in some}
        may = permitting(
            self._gate, sorted({number for number in who.values() if number is not None}), request, ANSWER_SECONDS
        )
        if not may:
            return
        since = (today - timedelta(days=MONTH_DAYS)).isoformat()
        known = store.known_of(self._watch, may, since, today.isoformat())
        chosen = list[tuple[_Asked, int, Reminder]]()
        for one in some:
            number = who[one]
            if number in known:
                reminder = _choose(ready, known[number], one.question, days(today))
                if reminder is not None:
                    chosen.append((one, number, reminder))
        if chosen:
            self._hand_over(chosen, request, today)

    def _hand_over(self, chosen: Sequence[tuple[_Asked, int, Reminder]], request: ReadRequest, today: date) -> None:
        """The door: who still permits has it, on record, with what was named."""
        self._barrier.turn()
        told = dict[_Asked, Said]()
        with self._records.writing() as connection:
            handed = self._barrier.hand_over_within(
                connection, request, sorted({number for _, number, _ in chosen}), {"reminders": len(chosen)}
            )
            before = store.named_already(connection, [(number, one.question.key) for one, number, _ in chosen])
            rows = list[Named]()
            for one, number, reminder in chosen:
                once = (number, one.question.key, reminder.need)
                if number not in handed.customers or once in before:
                    continue
                before.add(once)
                id = secrets.token_hex(ID_BYTES)
                rows.append(
                    Named(id, number, one.question.key, reminder.need, reminder.product, today.isoformat(), handed.seq, None)
                )
                told[one] = Said(
                    id, reminder.product, reminder.others, reminder.bought_in, reminder.of_last, reminder.every_days,
                    reminder.last_days,
                )  # fmt: skip
            if rows:
                store.keep_named(connection, rows)
        for one, said in told.items():
            one.answer = said  # committed: now it may be told


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
