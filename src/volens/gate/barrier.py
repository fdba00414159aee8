"""The barrier: what is about to leave is checked once more, in the transaction that commits its leaving.

Rules:
1. There are two doors. `drawn` is the instant at which exact sums may become noisy figures; `handed_over` is the
   instant at which a message, ad, audience or file goes to somebody. Both are events.
2. The head row is held from the check to the commit: a refusal is recorded before the door's event or after it, and
   one recorded before it keeps its customer in.
3. Who may leave is asked of the same function that opened the read. There is no list of who refused.
4. How many were taken out stays in the operator's record and is never told to a recipient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from volens.clock import Clock, legal_day
from volens.gate import store
from volens.gate.policy import FREE_OF_CHOICE, ReadRequest, Rulebook, cover, decide_request
from volens.gate.reads import OpenedPurchases
from volens.holders import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Drawn:
    """The draw is committed: from here on the figures are anonymous, whoever withdraws later."""

    seq: int


@dataclass(frozen=True)
class Leaving:
    """Customers who said no between the read and the door, and the position at which that is known."""

    customers: BitMap
    position: int


@dataclass(frozen=True)
class HandedOver:
    """What went through the door: who, and the event that says so. `kept_back` never leaves the house."""

    seq: int
    customers: BitMap
    kept_back: BitMap


@dataclass(frozen=True)
class Asked:
    """Who permitted a request at a position of the ledger (`Gate.permitted`), on a legal day."""

    permitted: BitMap
    position: int
    day: date


class Barrier:
    """Checks at the door. `insights` draws through it; `releases` and `delivery` hand over through it."""

    def __init__(
        self,
        records: Database,
        rules: Rulebook,
        clock: Clock,
        country: str,
        programme: str,
        turn: Callable[[date], None] = lambda today: None,
    ) -> None:
        """`turn` ends what is due on a legal day; a door may be the first to see that day."""
        self._turn = turn
        self._records, self._rules, self._clock = records, rules, clock
        self._country, self._programme = country, programme

    def draw(self, opened: OpenedPurchases, counted: BitMap, detail: Mapping[str, Any]) -> Drawn | Leaving:
        """Tries to commit `drawn` for the customers counted in exact sums.

        `Leaving` means that nothing was committed: take those customers out of the sums and try again with
        `opened.without(leaving.customers, leaving.position)`.
        """
        today, request = self._today(), opened.request
        decide_request(request, self._rules, today).require()
        self._turn(today)
        with self._records.writing() as connection:
            position = store.hold_ledger(connection)
            affected = opened.permitted
            if today == opened.day and not store.ended_since(connection, opened.position):
                # The same day: only who said something since the read can have left. On another day time itself may have,
                # and a text that ended takes everybody under it along.
                affected = store.changed_since(connection, opened.position) & affected
            leaving = affected - self._still(connection, request, affected, today)
            if leaving:
                return Leaving(leaving, position)
            seq = store.record_door(
                connection, "drawn", request, opened.read, counted, detail, self._programme, today
            )
            return Drawn(seq)

    def hand_over(self, request: ReadRequest, customers: Sequence[int], detail: Mapping[str, Any]) -> HandedOver:
        """Commits `handed_over` for those of `customers` who permit `request` at this instant.

        What is handed over must leave within 60 seconds, or pass this door again.
        """
        self._turn(self._today())
        with self._records.writing() as connection:
            return self.hand_over_within(connection, request, customers, detail)

    def hand_over_within(
        self, connection: Connection, request: ReadRequest, customers: Sequence[int], detail: Mapping[str, Any]
    ) -> HandedOver:
        """The same in the caller's transaction, which changes what is handed over along with it; the caller has had the day
        turned (`turn`). A use that the law asks for needs no choice: there everybody leaves who exists."""
        store.hold_ledger(connection)
        wanted, today = BitMap(customers), self._today()
        may = self._still(connection, request, wanted, today)
        seq = store.record_door(connection, "handed_over", request, None, may, detail, self._programme, today)
        return HandedOver(seq, may, wanted - may)

    def hand_over_many_within(
        self, connection: Connection, request: ReadRequest, customers: BitMap, asked: Asked, detail: Mapping[str, Any]
    ) -> HandedOver:
        """The same for many, of whom it was asked who permits `request` before the ledger was taken. Here only those are asked
        about again of whom anything was recorded since; on another day, or after the end of a text, everybody is."""
        store.hold_ledger(connection)
        today = self._today()
        again = customers
        if today == asked.day and not store.ended_since(connection, asked.position):
            again = store.changed_since(connection, asked.position) & customers
        may = (customers & asked.permitted - again) | self._still(connection, request, again, today)
        seq = store.record_door(connection, "handed_over", request, None, may, detail, self._programme, today)
        return HandedOver(seq, may, customers - may)

    def turn(self) -> None:
        """Ends what is due today; before a transaction that hands over."""
        self._turn(self._today())

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)

    def _still(self, connection: Connection, request: ReadRequest, customers: BitMap, today: date) -> BitMap:
        """Those of `customers` who permit `request` now, seen from inside the transaction that holds the ledger."""
        rules = store.in_force(connection, self._rules)
        verdict = decide_request(request, rules, today)
        if not verdict.allowed:
            return BitMap()
        rule = rules[request.purpose]
        if rule.basis in FREE_OF_CHOICE:
            return store.existing(connection, customers)
        return store.permitted(connection, request.purpose, request.recipient, cover(request, rule, today), customers)
