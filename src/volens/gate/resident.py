"""Decisions about one customer at a time, from memory, with the ledger as the authority.

Rules:
1. Every answer rests on a position of the ledger that was asked for after the request came in. Requests that come in while
   a question is on its way share the next one. Whoever gets no position within `ANSWER_SECONDS` gets no.
2. In memory is one compressed bitmap for each (purpose, recipient, fields, first day asked for): who permits it today. It is
   brought to the position by asking the permissions again about everybody of whom something was recorded since. It holds
   who permits and nothing else: one polarity.
3. Another legal day, the end of a text and another programme drop bitmaps whole. A process whose programme is no longer in
   force says no.
4. The answer is `decide`'s on the stored permission; a test holds them equal. What takes an explanation reads that
   permission (`explain`).
5. A decision reads no purchases and is no use.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pyroaring import BitMap

from volens.clock import Clock, legal_day
from volens.errors import Unavailable
from volens.evidence.log import newest_rules, require_programme
from volens.gate import store
from volens.gate.policy import FREE_OF_CHOICE, ReadRequest, Rulebook, Verdict, cover, decide, decide_request
from volens.holders import Database
from volens.permissions import store as permissions

if TYPE_CHECKING:
    from sqlalchemy import Connection

ANSWER_SECONDS = 0.25
KEPT_BITMAPS = 256
"""Bitmaps in memory; the one that was asked for longest ago goes first. A few hundred kilobytes each at millions of people."""
RELOAD_ABOVE = 20_000
"""More people than this with something new: the whole bitmap is read again, which is faster."""


@dataclass(frozen=True)
class Decision:
    """A verdict, and how many events of the ledger it rests on; none where the ledger did not answer."""

    verdict: Verdict
    position: int | None


@dataclass
class _Resident:
    """Who permits one request, at a position and on a day."""

    customers: BitMap
    position: int


@dataclass(frozen=True)
class _Asked:
    request: ReadRequest
    customer: int


class _Ticket:
    """One request that waits for its answer."""

    def __init__(self, asked: _Asked) -> None:
        self.asked, self.done = asked, threading.Event()
        self.decision: Decision | None = None


Key = tuple[str, str, tuple[str, ...], date]


class Decisions:
    """Answers point questions. One thread asks the ledger for all who wait; it starts with the first request."""

    def __init__(
        self,
        records: Database,
        rules: Rulebook,
        clock: Clock,
        country: str,
        programme: str,
        turn: Callable[[date], None],
    ) -> None:
        """`turn` ends what a legal day ends; it is called before the first answer of each."""
        self._records, self._rules, self._clock = records, rules, clock
        self._country, self._programme, self._turn = country, programme, turn
        self._changed = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._asker: threading.Thread | None = None
        self._closed = False
        # Touched by the asking thread alone.
        self._resident: OrderedDict[Key, _Resident] = OrderedDict()
        self._day: date | None = None
        self._rules_at: tuple[int | None, int | None] = (None, None)

    def decide_now(self, customer: int, request: ReadRequest) -> Decision:
        """Whether `request` may have this customer, at a position of the ledger that is no older than this call."""
        today = legal_day(self._clock.now(), self._country)
        verdict = decide_request(request, self._rules, today)
        if not verdict.allowed:
            return Decision(verdict, None)
        if self._rules[request.purpose].basis in FREE_OF_CHOICE:
            return Decision(Verdict(True, ("this use is required by law and needs no choice",)), None)
        ticket = _Ticket(_Asked(request, customer))
        with self._changed:
            if self._closed:
                return _silent()
            if self._asker is None or not self._asker.is_alive():
                self._asker = threading.Thread(target=self._ask_for_all, name="volens-decisions", daemon=True)
                self._asker.start()
            self._waiting.append(ticket)
            self._changed.notify()
        if not ticket.done.wait(ANSWER_SECONDS):
            with self._changed:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
            return _silent()
        return ticket.decision or _silent()

    def explain(self, customer: int, request: ReadRequest) -> Decision:
        """As `decide_now`, read from the stored permission, with every reason."""
        today = legal_day(self._clock.now(), self._country)
        self._turn(today)
        with self._records.reading() as connection:
            try:
                require_programme(connection, self._programme)
            except Unavailable as error:
                return Decision(Verdict(False, (error.what,)), None)
            rows = permissions.of_customers(connection, [customer], [request.purpose])
            standing = {row.recipient: row for row in rows}
            rules = store.in_force(connection, self._rules)
            position = store.ledger_position(connection)
        return Decision(decide(request, standing.get(request.recipient), rules, today), position)

    def close(self) -> None:
        """Lets the asking thread go. Whoever asks afterwards gets no."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._asker is not None:
            self._asker.join(5)

    def _ask_for_all(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed and not self._waiting:
                    return
                tickets, self._waiting = self._waiting, []
            try:
                self._answer(tickets)
            except Unavailable:
                self._resident.clear()  # what could not be brought up to date is not believed later either
                for ticket in tickets:
                    ticket.decision = _silent()
            finally:
                for ticket in tickets:
                    ticket.done.set()

    def _answer(self, tickets: list[_Ticket]) -> None:
        """One snapshot for all who wait: its position, and what it has that is not in memory yet."""
        today = legal_day(self._clock.now(), self._country)
        if today != self._day:
            self._turn(today)
        with self._records.reading() as connection:
            position = store.ledger_position(connection)
            rules_at = newest_rules(connection)
            if (today, rules_at) != (self._day, self._rules_at):
                self._resident.clear()
                try:
                    require_programme(connection, self._programme)
                except Unavailable as error:
                    for ticket in tickets:
                        ticket.decision = Decision(Verdict(False, (error.what,)), position)
                    return
                self._day, self._rules_at = today, rules_at
            for request in {_key(ticket.asked.request): ticket.asked.request for ticket in tickets}.values():
                self._bring_up(connection, request, position, today)
        for ticket in tickets:
            request = ticket.asked.request
            allowed = ticket.asked.customer in self._resident[_key(request)].customers
            ticket.decision = Decision(Verdict(allowed, (PERMITS if allowed else PERMITS_NOT,)), position)
        while len(self._resident) > KEPT_BITMAPS:
            self._resident.popitem(last=False)

    def _bring_up(self, connection: Connection, request: ReadRequest, position: int, today: date) -> None:
        """The bitmap of a request at a position: read whole, or as it was with everybody new asked about again."""
        key = _key(request)
        known = self._resident.get(key)
        if known is not None and known.position == position:
            self._resident.move_to_end(key)
            return
        rules = store.in_force(connection, self._rules)
        covered = cover(request, rules[request.purpose], today)
        changed = store.changed_since(connection, known.position) if known is not None else BitMap()
        if known is None or len(changed) > RELOAD_ABOVE:
            customers = store.permitted(connection, request, covered)
        else:
            customers = (known.customers - changed) | store.permitted(connection, request, covered, changed)
        self._resident[key] = _Resident(customers, position)
        self._resident.move_to_end(key)


PERMITS = "a standing yes covers this"
PERMITS_NOT = "no standing yes covers this"
SILENT = "the ledger did not say in time what stands"


def _silent() -> Decision:
    return Decision(Verdict(False, (SILENT,)), None)


def _key(request: ReadRequest) -> Key:
    """What of a request decides who permits it. Who asks, and until which day, does not."""
    return (request.purpose, request.recipient, tuple(sorted(request.fields)), request.start)
