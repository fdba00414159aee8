"""The forgotten item in a house: habits are learned, at most one thing is named, and what people make of it is heard.

Rules:
1. Nothing is looked at, learned or named without a standing yes to the programme's purpose; asked about somebody else, or about
   nobody, the answer is nothing, and is found in the same way.
2. A reminder is a hand-over: it is committed at the door, with whom it is for, before its answer leaves (`reminders.speaking`).
3. A habit dies with its permission: `sweep` takes away what is of people who do not permit any more; no request reads it before.
4. “Not this again” is on record and holds for good; “not now” holds for `rest_days`; stopping altogether is a withdrawal like
   any other. What is in a reminder is sealed under its person's key.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest, accepted_from
from volens.gate.reads import Gate
from volens.holders import Database, Sealer
from volens.permissions.ledger import Choice, Ledger
from volens.programme.model import Programme
from volens.programme.reminding import NEEDED, Reminding
from volens.purchases import catalogue
from volens.reminding import left_store, store
from volens.reminding.basket import Basket, Habit, Said, days
from volens.reminding.left import LeftBaskets
from volens.reminding.store import ADDED, ASIDE, Learned, Named

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from volens.reminders.model import Threshold
    from volens.reminding.speaking import Ready, Speaking

Progress = Callable[[str, int, int], None]

LEARNED, STOPPED, RESUMED, SHOWN = "reminders-learned", "reminder-stopped", "reminder-resumed", "habits-shown"
FRESH_SECONDS = 1.0
NAME_MOST = 120
KEPT_DAYS = 400
"""How long it is kept what was named and what came of it."""
NEVER, ALTOGETHER = "never", "stop"
HEARD = (ADDED, ASIDE, NEVER, ALTOGETHER)


@dataclass(frozen=True)
class Summary:
    """What learning did."""

    customers: int
    trips: int
    day: str
    digest: str
    thresholds: tuple[Threshold, ...]
    swept: int


@dataclass(frozen=True)
class Seen:
    """What a customer sees of herself."""

    habits: tuple[Habit, ...]
    silent: tuple[tuple[int, int], ...]
    """(need, a product of it) of what is not named to her."""
    last: tuple[tuple[str, int], ...]
    """(day, product) of what was named, newest first."""


class Reminders:
    """Learns, names, hears. Durable when a method returns."""

    def __init__(
        self, records: Database, gate: Gate, barrier: Barrier, ledger: Ledger, programme: Programme, people: Sealer,
        mac: Callable[[str, bytes], bytes], purchases: Path, clock: Clock,
        alone: Callable[[], AbstractContextManager[Callable[[], None]]], found_by: Callable[[str, str], bytes],
    ) -> None:  # fmt: skip
        """`purchases`: the folder of the catalogue; `alone`: the lease of whoever changes what lies there; `found_by`:
        what a card, an e-mail or a reference is found by, whether or not anybody has it."""
        self._records, self._gate, self._ledger, self._programme, self._people = records, gate, ledger, programme, people
        self._mac, self._purchases, self._clock, self._alone, self._found_by = mac, purchases, clock, alone, found_by
        self._barrier = barrier
        self._speaking: Speaking | None = None
        self._lock = threading.Lock()
        self._loaded: Ready | None = None
        self._looked = 0.0
        self.left = LeftBaskets(
            records, gate, barrier, lambda: self.told, self._request, self._ready, modelled, clock, programme.country
        )

    @property
    def told(self) -> Reminding:
        """What the programme says of reminders; `NotFound` if it says nothing."""
        if self._programme.reminding is None:
            raise NotFound("This programme has no reminders.", "Add a reminders.yaml: see docs/reminders.md.")
        return self._programme.reminding

    # Learning

    def learn(self, progress: Progress = lambda step, done, total: None) -> Summary:
        """Learns everybody's habits anew, and the model. What was learned of people who do not permit any more is gone."""
        told, today = self.told, self._today()
        request = self._request("remind", today)
        with self._alone():
                needs = catalogue.number_needs(self._purchases)
        habits, model = modelled().learn(self._gate, self._records, request, needs, told, progress)
        content, sold = model.to_bytes(), habits.sold.serialize()
        figures = {"customers": habits.customers, "trips": habits.trips, "last_day": habits.last_day}
        learned = Learned(habits.read, today.isoformat(), store.digest(content, sold), content, sold, figures)
        event = Event(
            LEARNED, purpose=told.purpose, day=today, detail={"read": habits.read, "digest": learned.digest, **figures}
        )
        with self._records.writing() as connection:
            log.append(connection, EVENTS, [event])
            store.keep_model(connection, learned)
        self._loaded = None
        return Summary(habits.customers, habits.trips, learned.day, learned.digest, model.thresholds, self.sweep())

    def sweep(self) -> int:
        """Takes away the habits of everybody who does not permit any more; how many there were."""
        if self._programme.reminding is None:
            gone = BitMap(self._kept_of())
        else:
            try:
                permitted, _ = self._gate.permitted(self._request("remind", self._today()))
            except Refused:
                permitted = BitMap()  # the text was ended: nobody permits
            gone = BitMap(self._kept_of()) - permitted
        if gone:
            with self._records.writing() as connection:
                store.forget_rhythms(connection, gone)
                left_store.forget_all(connection, gone)
        left = self._programme.reminding.left if self._programme.reminding is not None else None
        with self._records.writing() as connection:
            before = self._today() - timedelta(days=KEPT_DAYS)
            store.tidy(connection, before.isoformat(), self._today().isoformat())
            left_store.tidy(connection, (self._today() - timedelta(days=left.days if left is not None else -1)).isoformat())
        return len(gone)

    def _kept_of(self) -> list[int]:
        with self._records.reading() as connection:
            return [*store.with_rhythms(connection), *left_store.whose(connection)]

    def figures(self) -> tuple[Learned, tuple[Threshold, ...], float] | None:
        """The newest model's row, what each threshold does, and the chance below which nothing is said; none before learning."""
        with self._records.reading() as connection:
            learned = store.newest_model(connection)
        if learned is None:
            return None
        model = modelled().Model.from_bytes(learned.model)
        return learned, model.thresholds, modelled().threshold(model, self.told.most_certain_percent)

    def outcomes(self) -> dict[str, dict[str, int]]:
        """By month: how many reminders were shown, and what came of them."""
        with self._records.reading() as connection:
            return store.outcomes(connection)

    # Naming

    def remind(self, basket: Basket) -> Said | None:
        """The one thing that is missing from a basket, or nothing. On record before it returns."""
        with self._lock:
            if self._speaking is None:
                self._speaking = modelled().Speaking(
                    self._records, self._gate, self._barrier, self._request, self._ready, self._clock, self._programme.country
                )
        return self._speaking.ask(basket)

    def basket(
        self, who: int | tuple[str, str], key: str, skus: Sequence[str], without: Sequence[str] = ()
    ) -> Basket:
        """A basket, from what the shop calls it and what is in it. Products that the shop does not know are passed over.

        who: a customer's number, or the kind (card, email, reference) and value of what she is known by."""
        if not key.strip() or len(key) > 200:
            raise BadInput("Which basket is it?", "Name it in 1 to 200 characters.")
        ready = self._ready()
        known = ready.products if ready is not None else {}
        return Basket(
            who if isinstance(who, int) else self._found_by(*who),
            self._mac("reminders/basket", key.encode())[:16],
            tuple(known[one] for one in skus if one in known),
            frozenset(known[one] for one in without if one in known),
        )

    def name_of(self, product: int, language: str) -> tuple[str, str]:
        """What the shop calls a product, and its name in a language."""
        ready = self._ready()
        if ready is None or product not in ready.names:
            raise NotFound("There is no such product.", "Load the list of products: volens products load FILE")
        sku, names = ready.names[product]
        return sku, names.get(language, names["en"])

    def habits(self, customer: int, most: int = 100) -> list[Habit]:
        """What was learned of somebody, most often bought first. Nothing of whoever does not permit."""
        told = self.told
        decision = self._gate.decide_now(customer, self._request("habits", self._today()))
        ready = self._ready()
        if not decision.verdict.allowed or ready is None:
            return []
        with self._records.reading() as connection:
            state = store.state_of(connection, customer)
        if state is None:
            return []
        found = modelled().habits_of(state, days(self._today()))
        allowed = modelled().allowed(told, ready.needs)
        return [one for one in found if one.need < len(allowed) and allowed[one.need]][:most]

    def seen_by(self, customer: int, most: int = 10) -> Seen | None:
        """What somebody may see of herself: her habits, what is not named to her, and what was named last. None of whoever does not
        permit it, except what she does not want to be named, which holds for good."""
        with self._records.reading() as connection:
            rests = store.rests_of(connection, customer)
            last = store.named_last(connection, customer, most)
        habits, ready = self.habits(customer, most), self._ready()
        if ready is None or not (rests or last or habits):
            return None
        silent = [(need, product) for need in rests if (product := ready.some_product(need)) is not None]
        return Seen(tuple(habits), tuple(silent), tuple(last))

    def again(self, customer: int, need: int) -> bool:
        """What was not to be named to somebody may be named to her again. Whether it was so; on record."""
        with self._records.reading() as connection:
            seq = store.rest_seq(connection, customer, need)
        if seq is None:
            return False
        event = Event(
            RESUMED, customer=customer, purpose=self.told.purpose, day=self._today(), detail={"stopped": seq},
            private={"need": need},
        )  # fmt: skip
        sealed = log.sealed_beforehand(event, self._people)
        with self._records.writing() as connection:
            if store.rest_seq(connection, customer, need) == seq:
                log.append(connection, EVENTS, [sealed])
                store.wake(connection, customer, need)
        return True

    def show_habits(self, customer: int, *, by: str) -> list[Habit]:
        """The same habits for somebody of the house, who says who looks: on record."""
        if not by.strip() or len(by) > NAME_MOST:
            raise BadInput("Who looks?", f"Name yourself, in at most {NAME_MOST} characters.")
        found = self.habits(customer)
        event = Event(SHOWN, customer=customer, purpose=self.told.purpose, day=self._today(), private={"by": by.strip()})
        sealed = log.sealed_beforehand(event, self._people)
        with self._records.writing() as connection:
            log.append(connection, EVENTS, [sealed])
        return found

    # Hearing

    def hear(self, reminder: str, what: str, *, language: str = "fr") -> None:
        """What came of a reminder: `added`, `aside`, `never` (this again), `stop` (all of them). Again is harmless."""
        if what not in HEARD:
            raise BadInput("What came of the reminder?", f"Send one of: {', '.join(HEARD)}.")
        with self._records.reading() as connection:
            found = store.one(connection, reminder)
        if found is None:
            raise NotFound("This reminder is not known.", "Load the page again.")
        if what == ALTOGETHER:
            self._stop(found, language)
        elif what == NEVER:
            self._never(found)
        else:
            self._note(found, what)

    def _note(self, found: Named, what: str) -> None:
        until = (self._today() + timedelta(days=self.told.rest_days)).isoformat()
        with self._records.writing() as connection:
            store.say_what_came(connection, found.reminder, what)
            if what == ASIDE:
                store.rest(connection, found.customer, found.need, until, found.seq)

    def _never(self, found: Named) -> None:
        with self._records.reading() as connection:
            if store.rests_of(connection, found.customer).get(found.need, "") is None:
                return
        event = Event(STOPPED, customer=found.customer, purpose=self.told.purpose, day=self._today(), private={"need": found.need})
        sealed = log.sealed_beforehand(event, self._people)
        with self._records.writing() as connection:
            seq = log.append(connection, EVENTS, [sealed])
            store.say_what_came(connection, found.reminder, ASIDE)
            store.rest(connection, found.customer, found.need, None, seq)

    def _stop(self, found: Named, language: str) -> None:
        purpose = self.told.purpose
        standing = [one for one in self._ledger.of_customer(found.customer) if one.purpose == purpose and one.permits]
        with self._records.writing() as connection:
            store.say_what_came(connection, found.reminder, ASIDE)
        if standing:
            self._ledger.record([Choice(found.customer, purpose, "withdrawn", language=language, surface="reminder")])
        with self._records.writing() as connection:
            store.forget_rhythms(connection, [found.customer])
            left_store.forget_all(connection, [found.customer])

    # Below: how

    def _request(self, actor: str, today: date, unpaid: bool = False) -> ReadRequest:
        """`unpaid`: with what is in baskets that are not paid."""
        told = self.told
        purpose = self._programme.purpose(told.purpose)
        fields = told.needed if unpaid else NEEDED
        return ReadRequest(
            actor, told.purpose, purpose.controller, tuple(sorted(fields)), accepted_from(told.months, today),
            today + timedelta(days=1),
        )  # fmt: skip

    def _ready(self) -> Ready | None:
        """The model that is in use, read once; none before anything was learned. A newer one is taken over within a second."""
        if self._loaded is not None and time.monotonic() - self._looked < FRESH_SECONDS:
            return self._loaded
        with self._records.reading() as connection:
            number = store.newest_read(connection)
        if number is None:
            return None
        with self._lock:
            if self._loaded is None or self._loaded.read != number:
                with self._records.reading() as connection:
                    learned = store.newest_model(connection)
                if learned is None:
                    return None
                self._loaded = modelled().load(learned, self.told, self._purchases)
            self._looked = time.monotonic()
            return self._loaded

    def warm_up(self) -> None:
        """Loads the model, so that the first who asks does not wait for it."""
        if self._programme.reminding is not None:
            self._ready()

    def close(self) -> None:
        """Lets the speaking thread go."""
        if self._speaking is not None:
            self._speaking.close()

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._programme.country)


def modelled() -> Any:
    """What needs the model. Its machine code takes a second to load: only who learns or reminds waits for it."""
    from volens.reminding import modelled

    return modelled
