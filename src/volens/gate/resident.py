"""Decisions about one customer at a time, from memory, with the ledger as the authority.

Rules:
1. Every answer rests on a position of the ledger that was asked for after the request came in. Requests that come in while
   a question is on its way share the next one. Whoever gets no position within `ANSWER_SECONDS` gets no.
2. In memory is one compressed bitmap for each (purpose, recipient, what a yes must be to cover the request): who permits it
   today. It is brought to the position by asking the permissions again about everybody of whom something was recorded since.
   It holds who permits and nothing else: one polarity. A bitmap that is not in memory is read whole by a thread of its own,
   which takes seconds at millions of people; until then those who are asked about are looked up one by one.
3. Another legal day, the end of a text and another programme drop bitmaps whole. A process whose programme is no longer in
   force says no.
4. The answer is `decide`'s on the stored permission; a test holds them equal. What takes an explanation reads that
   permission (`explain`).
5. Whoever is named by a card or an e-mail is looked up in the same snapshot. Nobody by that name, and somebody who does not
   permit, get the same answer.
6. A decision reads no purchases and is no use.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pyroaring import BitMap

from volens.clock import Clock, legal_day
from volens.errors import Unavailable
from volens.evidence.log import newest_rules, require_programme
from volens.gate import store
from volens.gate.policy import FREE_OF_CHOICE, Cover, ReadRequest, Rulebook, Verdict, cover, decide, decide_request
from volens.holders import Database
from volens.identity.store import accounts_by
from volens.permissions import store as permissions

if TYPE_CHECKING:
    from sqlalchemy import Connection

ANSWER_SECONDS = 0.25
KEPT_BITMAPS = 256
"""Bitmaps in memory; the one that was asked for longest ago goes first. A few hundred kilobytes each at millions of people."""
KEPT_COVERS = 4_096
"""Requests of which it is remembered what covers them; one more, and all are forgotten."""
RELOAD_ABOVE = 20_000
"""More people than this with something new: the whole bitmap is read again, which is faster."""


@dataclass(frozen=True)
class Decision:
    """A verdict, and how many events of the ledger it rests on; none where the ledger did not answer."""

    verdict: Verdict
    position: int | None


@dataclass(frozen=True)
class Asked:
    """One question. `who` is a customer's number, or what a card or e-mail is found by (`Vault.found_by`)."""

    request: ReadRequest
    who: int | bytes


@dataclass
class _Resident:
    """Who permits, at a position and on a day."""

    customers: BitMap
    position: int


Era = tuple[date | None, tuple[int | None, int | None]]
"""What a bitmap is good for: a legal day, and where the newest rules stand."""


Told = Callable[[Sequence[Decision]], None]
"""Called once, in the asking thread, with an answer for each question."""


class _Ticket:
    """Questions that wait for one position together."""

    def __init__(self, questions: Sequence[Asked], told: Told) -> None:
        self.questions, self.told = questions, told


Key = tuple[str, str, tuple[str, ...], date]
Covered = tuple[str, str, Cover]


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
        self._loading = threading.Condition()
        self._wanted: OrderedDict[tuple[Covered, Era], None] = OrderedDict()
        self._loaded: list[tuple[Covered, Era, _Resident | None]] = []
        self._loader: threading.Thread | None = None
        # Touched by the asking thread alone.
        self._watch = records.watch()
        self._on_the_way: set[Covered] = set()
        self._resident: OrderedDict[Covered, _Resident] = OrderedDict()
        self._judged: dict[Key, Verdict | Cover] = {}
        self._in_force: Rulebook = {}
        self._day: date | None = None
        self._rules_at: tuple[int | None, int | None] = (None, None)

    def decide_now(self, customer: int, request: ReadRequest) -> Decision:
        """Whether `request` may have this customer, at a position of the ledger that is no older than this call."""
        today = legal_day(self._clock.now(), self._country)
        verdict = decide_request(request, self._rules, today)
        if not verdict.allowed:
            return Decision(verdict, None)
        if self._rules[request.purpose].basis in FREE_OF_CHOICE:
            return Decision(Verdict(True, (BY_LAW,)), None)
        done, found = threading.Event(), list[Decision]()

        def told(decisions: Sequence[Decision]) -> None:
            found.extend(decisions)
            done.set()

        withdraw = self.ask((Asked(request, customer),), told)
        if not done.wait(ANSWER_SECONDS):
            withdraw()
            return silent()
        return found[0]

    def ask(self, questions: Sequence[Asked], told: Told) -> Callable[[], None]:
        """Puts questions that are answered at one position; `told` gets the answers, in their order, in another thread.

        Whoever hears nothing within `ANSWER_SECONDS` takes that as no (`silent`), and calls what this returns to wait no more.
        What a law asks for is nobody's choice: it is refused here, whoever is asked about, so that nothing follows from it.
        """
        ticket = _Ticket(questions, told)
        with self._changed:
            if self._closed:
                told([silent()] * len(questions))
                return lambda: None
            if self._asker is None or not self._asker.is_alive():
                self._asker = threading.Thread(target=self._ask_for_all, name="volens-decisions", daemon=True)
                self._asker.start()
            self._waiting.append(ticket)
            self._changed.notify()
        return lambda: self._withdraw(ticket)

    def _withdraw(self, ticket: _Ticket) -> None:
        with self._changed:
            if ticket in self._waiting:
                self._waiting.remove(ticket)

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
        """Lets both threads go. Whoever asks afterwards gets no."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        with self._loading:
            self._loading.notify()
        for thread in (self._asker, self._loader):
            if thread is not None:
                thread.join(5)

    def _ask_for_all(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed and not self._waiting:
                    self._watch.close()
                    return
                tickets, self._waiting = self._waiting, []
            answers: list[list[Decision]] | None = None
            try:
                answers = self._answer(tickets)
            except Unavailable:
                self._forget()  # what could not be brought up to date is not believed later either
                self._rules_at = (None, None)
            finally:
                for place, ticket in enumerate(tickets):
                    ticket.told(answers[place] if answers is not None else [silent()] * len(ticket.questions))

    def _answer(self, tickets: list[_Ticket]) -> list[list[Decision]]:
        """One look for all who wait; where nothing was recorded since the last, memory has the rest."""
        today = legal_day(self._clock.now(), self._country)
        if today != self._day:
            self._turn(today)
        self._take_loaded()  # before the look, so that none is newer than it
        hashes = sorted({asked.who for ticket in tickets for asked in ticket.questions if isinstance(asked.who, bytes)})
        look = store.look(self._watch, hashes)
        if (today, look.rules_at) == (self._day, self._rules_at):
            wanted = self._wanted_of(tickets, look.found, today)
            known = {one: self._resident.get(one) for one in wanted}
            standing = {one: has.customers for one, has in known.items() if has is not None and has.position == look.position}
            if len(standing) == len(wanted):
                for one in standing:
                    self._resident.move_to_end(one)
                return self._told(tickets, look.found, standing, look.position, today)
        return self._answer_in_full(tickets, hashes, today)

    def _answer_in_full(self, tickets: list[_Ticket], hashes: list[bytes], today: date) -> list[list[Decision]]:
        """The same where something was recorded since, or is not in memory: one snapshot for all who wait."""
        with self._records.reading() as connection:
            position = store.ledger_position(connection)
            rules_at = newest_rules(connection)
            if (today, rules_at) != (self._day, self._rules_at):
                self._forget()
                self._judged.clear()
                try:
                    require_programme(connection, self._programme)
                except Unavailable as error:
                    self._day = None  # asked again the next time
                    refused = Decision(Verdict(False, (error.what,)), position)
                    return [[refused] * len(ticket.questions) for ticket in tickets]
                self._in_force = store.in_force(connection, self._rules)
                self._day, self._rules_at = today, rules_at
            found = {found_by: customer for found_by, customer, _ in accounts_by(connection, hashes)} if hashes else {}
            wanted = self._wanted_of(tickets, found, today)
            changes = dict[int, BitMap]()
            permitting = {one: self._permitting(connection, one, who, position, changes) for one, who in wanted.items()}
        while len(self._resident) > KEPT_BITMAPS:
            self._resident.popitem(last=False)
        return self._told(tickets, found, permitting, position, today)

    def _wanted_of(self, tickets: list[_Ticket], found: Mapping[bytes, int], today: date) -> dict[Covered, set[int]]:
        """Which bitmaps answer, and whom they are asked about."""
        wanted = defaultdict[Covered, set[int]](set)
        for asked in (asked for ticket in tickets for asked in ticket.questions):
            covered = self._covered(asked.request, today)
            customer = found.get(asked.who) if isinstance(asked.who, bytes) else asked.who
            if not isinstance(covered, Verdict) and customer is not None:
                wanted[covered].add(customer)
        return wanted

    def _told(
        self, tickets: list[_Ticket], found: Mapping[bytes, int], permitting: Mapping[Covered, BitMap], position: int, today: date
    ) -> list[list[Decision]]:
        yes, no = Decision(Verdict(True, (PERMITS,)), position), Decision(Verdict(False, (PERMITS_NOT,)), position)
        answers = []
        for ticket in tickets:
            mine = list[Decision]()
            for asked in ticket.questions:
                covered = self._covered(asked.request, today)
                if isinstance(covered, Verdict):
                    mine.append(Decision(covered, position))
                    continue
                customer = found.get(asked.who) if isinstance(asked.who, bytes) else asked.who
                mine.append(yes if customer is not None and customer in permitting[covered] else no)
            answers.append(mine)
        return answers

    def _covered(self, request: ReadRequest, today: date) -> Covered | Verdict:
        """Which bitmap answers a request, or the verdict that is everybody's."""
        key = _key(request)
        known = self._judged.get(key)
        if known is None:
            if len(self._judged) >= KEPT_COVERS:
                self._judged.clear()
            known = self._judged[key] = self._judge(request, today)
        return known if isinstance(known, Verdict) else (request.purpose, request.recipient, known)

    def _judge(self, request: ReadRequest, today: date) -> Verdict | Cover:
        verdict = decide_request(request, self._in_force, today)
        if not verdict.allowed:
            return verdict
        rule = self._in_force[request.purpose]
        return Verdict(False, (NOBODY_ASKED,)) if rule.basis in FREE_OF_CHOICE else cover(request, rule, today)

    def _permitting(
        self, connection: Connection, covered: Covered, asked: Iterable[int], position: int, changes: dict[int, BitMap]
    ) -> BitMap:
        """Who permits at a position: everybody from memory, brought up to it, or of those who are asked about.

        `changes`: of whom something was recorded since a position, as far as it was found out already."""
        purpose, recipient, needed = covered
        known = self._resident.get(covered)
        if known is not None and known.position < position and known.position not in changes:
            changes[known.position] = store.changed_since(connection, known.position)
        changed = changes.get(known.position, BitMap()) if known is not None else BitMap()
        if known is None or len(changed) > RELOAD_ABOVE:
            self._resident.pop(covered, None)
            self._load(covered)
            return store.permitted(connection, purpose, recipient, needed, BitMap(asked))
        if changed:
            known.customers = (known.customers - changed) | store.permitted(connection, purpose, recipient, needed, changed)
        known.position = position
        self._resident.move_to_end(covered)
        return known.customers

    def _forget(self) -> None:
        self._resident.clear()
        self._on_the_way.clear()

    def _load(self, covered: Covered) -> None:
        """Has a bitmap read whole, once."""
        if covered in self._on_the_way:
            return
        self._on_the_way.add(covered)
        with self._loading:
            self._wanted[covered, (self._day, self._rules_at)] = None
            if self._loader is None or not self._loader.is_alive():
                self._loader = threading.Thread(target=self._load_all, name="volens-bitmaps", daemon=True)
                self._loader.start()
            self._loading.notify()

    def _take_loaded(self) -> None:
        with self._loading:
            loaded, self._loaded = self._loaded, []
        for covered, era, resident in loaded:
            if era == (self._day, self._rules_at):  # else it is nobody's any more
                self._on_the_way.discard(covered)
                if resident is not None:
                    self._resident[covered] = resident

    def _load_all(self) -> None:
        """The other thread: reads whole bitmaps, one after the other."""
        while True:
            with self._loading:
                while not self._wanted and not self._closed:
                    self._loading.wait()
                if self._closed:
                    return
                (covered, era), _ = self._wanted.popitem(last=False)
            resident = None
            try:
                with self._records.reading() as connection:
                    position = store.ledger_position(connection)
                    resident = _Resident(store.permitted(connection, *covered), position)
            except Unavailable:
                pass  # it is asked for again by whoever is asked about next
            finally:
                with self._loading:
                    self._loaded.append((covered, era, resident))


PERMITS = "a standing yes covers this"
PERMITS_NOT = "no standing yes covers this"
SILENT = "the ledger did not say in time what stands"
BY_LAW = "this use is required by law and needs no choice"
NOBODY_ASKED = "this use rests on the law and not on anybody's choice: it is not asked about here"


def silent() -> Decision:
    """What is said when the ledger says nothing."""
    return Decision(Verdict(False, (SILENT,)), None)


def _key(request: ReadRequest) -> Key:
    """What of a request decides who permits it. Who asks, and until which day, does not."""
    return (request.purpose, request.recipient, tuple(sorted(request.fields)), request.start)
