"""Opening purchases: the one door. What comes back is a type that only this module can make.

Rules:
1. A read states actor, purpose, recipient and fields, and gets the customers who permit exactly that, at a position of
   the ledger that is recorded with it.
2. `opened` is committed before the first row is read; `closed` with the customers really seen. Without `closed`, the
   record says that everybody permitted was seen, and it stands on the page of each of them.
3. The permitted set and its position come from one snapshot taken after `opened`: a withdrawal that was acknowledged
   before the read started is in it, and so is the end of a text, from the moment at which ending it began.
4. What the gate cannot tell is no: an unknown purpose, recipient or field is refused, records that do not answer raise.
5. Time enters as events: expiries that are due are appended before the snapshot.
6. The lines are those of one snapshot of the table and of what waited beside it at that moment, taken in the transaction of
   `opened`. A lease keeps its files for an hour; a read that fails after that is told so, never given less.

`OpenedPurchases` carries the files, not rows; engines read them with `permitted` as a filter inside the scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass
from datetime import date, datetime

from pyroaring import BitMap

from volens.clock import Clock, legal_day
from volens.errors import Refused, Unavailable
from volens.gate import leases, store
from volens.gate.policy import (
    FREE_OF_CHOICE,
    ReadRequest,
    Rulebook,
    accepted_from,
    cover,
    decide_request,
)
from volens.gate.resident import Asked, Decision, Decisions, Told
from volens.holders import Database
from volens.permissions.ledger import Ledger
from volens.purchases import arrivals
from volens.purchases.lines import PartitionFiles
from volens.purchases.reading import folder_of, forget_one, with_arrivals
from volens.purchases.store import PurchasesStore

_ONLY_THE_GATE = object()


@dataclass(frozen=True)
class OpenedPurchases:
    """The right to read some columns of some days' purchases of the customers in `permitted`, and of nobody else."""

    read: int
    """The number of the read: seq of its `opened` event."""
    position: int
    """The permitted set is that of the ledger's first `position` events."""
    request: ReadRequest
    permitted: BitMap
    files: tuple[PartitionFiles, ...]
    day: date
    """The legal day on which it was opened."""
    made_by: InitVar[object] = None

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _ONLY_THE_GATE:
            raise TypeError("only the gate opens purchases: use gate.open_purchases(request)")

    def only(self, customers: BitMap) -> OpenedPurchases:
        """The same read, narrowed to those of its customers who are in `customers`."""
        return self._with(self.permitted & customers, self.position)

    def without(self, customers: BitMap, position: int) -> OpenedPurchases:
        """The same read after some customers were taken out, valid for the ledger's first `position` events."""
        return self._with(self.permitted - customers, position)

    def _with(self, permitted: BitMap, position: int) -> OpenedPurchases:
        return OpenedPurchases(self.read, position, self.request, permitted, self.files, self.day, _ONLY_THE_GATE)


@dataclass
class Reading:
    """A read that runs. Whoever reads says at the end whom the rows were really about."""

    opened: OpenedPurchases
    seen: BitMap | None = None

    def saw(self, customers: BitMap) -> None:
        """The customers whose rows were read. More than was permitted stops the program: the gate was passed by."""
        if customers - self.opened.permitted:
            raise Refused(("the engine read customers who do not permit this",), "This is a defect: report it.")
        self.seen = customers


class Gate:
    """The only way to purchases."""

    def __init__(
        self,
        records: Database,
        ledger: Ledger,
        rules: Rulebook,
        purchases: PurchasesStore,
        clock: Clock,
        country: str,
        programme: str,
    ) -> None:
        self._records, self._ledger, self._rules = records, ledger, rules
        self._purchases, self._clock, self._country, self._programme = purchases, clock, country, programme
        self._decisions = Decisions(records, rules, clock, country, programme, ledger.turn)

    def decide_now(self, customer: int, request: ReadRequest) -> Decision:
        """Whether a request may have one customer, from memory, at a position of the ledger asked for after this call began.

        No answer of the ledger within 250 ms is no. Reads no purchases, and is no use.
        """
        return self._decisions.decide_now(customer, request)

    def ask(self, questions: Sequence[Asked], told: Told) -> Callable[[], None]:
        """Puts many questions at once, which are answered at one position, in another thread (`Decisions.ask`)."""
        return self._decisions.ask(questions, told)

    def explain(self, customer: int, request: ReadRequest) -> Decision:
        """The same with every reason, read from the stored permission."""
        return self._decisions.explain(customer, request)

    def close(self) -> None:
        """Ends the thread that asks for decisions, if there is one."""
        self._decisions.close()

    @contextmanager
    def open_purchases(self, request: ReadRequest) -> Iterator[Reading]:
        """Opens a read; leaving the block without an error closes it with the customers that were seen.

        The files are there while the block runs, for an hour at most: `Unavailable` when it fails after that.
        """
        today = self.require(request)
        self._expire(request.purpose, today)
        with self._records.writing() as connection:
            read = store.open_use(connection, request, self._programme, today)
            # The ledger's head is held from here on: no snapshot goes before the lease on it is there.
            moment = self._purchases.moment()
            until = leases.take(connection, read, moment.snapshot, self._clock.now())
            waiting = arrivals.of_days(connection, request.start, request.end, moment.batches)
        own = folder_of(self._purchases.folder, read)
        try:
            permitted, position = self._permitted(request, today)
            with self._records.writing() as connection:
                store.place(connection, read, position, permitted)
            files = moment.files(request.start, request.end)
            files = with_arrivals(files, waiting, own, permitted, request.fields, request.start, request.end)
            reading = Reading(OpenedPurchases(read, position, request, permitted, files, today, _ONLY_THE_GATE))
            yield reading
        except Exception as error:
            self._require_in_time(until, error)
            raise
        finally:
            forget_one(own)
            with self._records.writing() as connection:
                leases.give_back(connection, read)
        if reading.seen is None:
            # The reader does not say whom it saw: then it counts as everybody, as after a crash.
            return
        with self._records.writing() as connection:
            store.close_use(connection, read, position, reading.seen)

    def _require_in_time(self, until: datetime, error: Exception) -> None:
        """A read that fails after its lease may have failed for files that are deleted: then that is what is said."""
        if self._clock.now() > until:
            raise Unavailable(
                "This read took longer than an hour, and the files it began with are not kept longer than that.",
                "Run it again; read fewer days or buckets at once.",
            ) from error

    def require(self, request: ReadRequest) -> date:
        """Raises `Refused` if nobody's permission could make this read possible; returns the legal day it was asked on.

        Writes nothing: whoever pays for a read asks this first. A text that was invalidated covers nothing any more.
        """
        today = legal_day(self._clock.now(), self._country)
        with self._records.reading() as connection:
            rules = store.in_force(connection, self._rules)
        decide_request(request, rules, today).require()
        if self._rules[request.purpose].basis in FREE_OF_CHOICE:
            raise Refused(
                ("a use that needs no choice is not opened as a set of customers",),
                "Rights and retention read one customer at a time.",
            )
        return today

    def permitted(self, request: ReadRequest) -> tuple[BitMap, int]:
        """Customers who permit a request today, and the number of events that this answer rests on. One snapshot."""
        return self._permitted(request, self.require(request))

    def _permitted(self, request: ReadRequest, today: date) -> tuple[BitMap, int]:
        with self._records.reading() as connection:
            position = store.ledger_position(connection)
            rule = store.in_force(connection, self._rules)[request.purpose]
            customers = store.permitted(connection, request.purpose, request.recipient, cover(request, rule, today))
        return customers, position

    def _expire(self, purpose: str, today: date) -> None:
        self._ledger.turn(today)
        rule = self._rules[purpose]
        if rule.renew_months is not None:
            self._ledger.expire(purpose, accepted_from(rule.renew_months, today), today)
