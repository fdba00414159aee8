"""Data from devices: let through only as their owner permits, at this instant, and counted either way.

Rules:
1. No unless yes: data of a category that the programme does not declare, for a purpose without a standing yes, from a device
   that is signed out, or under old rules, are refused. They are refused before anything of them is stored anywhere.
2. The ledger's head row is held from the check to the commit of the count: a refusal is recorded before it and the data are
   refused, or after it and they had come in before. In this process or another makes no difference.
3. Nothing of the data is kept here. What is accepted goes to the house's own service (`Taker`), after the commit.
4. A yes that was not used for the programme's days is none: it lapses in the transaction that finds it (`lapse`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from volens.clock import Clock, legal_day
from volens.devices import store
from volens.devices.lapse import due_of, end_unused
from volens.devices.reports import require_counter, require_next
from volens.devices.signing import not_its_word
from volens.errors import BadInput, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.gate.policy import ReadRequest, Rulebook, Verdict, decide
from volens.gate.store import in_force
from volens.holders import Database
from volens.permissions import store as permissions
from volens.programme.devices import App, AppUse, categories, uses

if TYPE_CHECKING:
    from sqlalchemy import Connection

EVENTS_MAX = 1_000
"""Of one call."""


@dataclass(frozen=True)
class Sent:
    """One thing that a device sends: of which category, what for, and the thing itself."""

    category: str
    purpose: str = ""
    """May be left out where the app has one purpose for the category."""
    data: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.category not in categories():
            raise BadInput("There is no such device category.", f"Use: {', '.join(categories())}.")


class Taker(Protocol):
    """The house's own service, to which accepted data go. It is told nothing of what was refused."""

    def take(self, device: str, customer: int, sent: Sequence[Sent]) -> None:
        """Takes data over; raises `Unavailable` if it cannot. They are nowhere else: who sent them sends them again."""


@dataclass(frozen=True)
class Arrived:
    """What became of each thing that was sent, in order, and on how many events of the ledger that rests."""

    verdicts: tuple[Verdict, ...]
    position: int
    handed_on: bool
    """Whether a service took what was accepted; false where the house has none."""
    several: bool = False
    """Whether it was sent as a list."""

    @property
    def accepted(self) -> int:
        return sum(one.allowed for one in self.verdicts)


@dataclass(frozen=True)
class Rules:
    """What the intake needs of the programme."""

    apps: Mapping[str, App]
    book: Rulebook
    controllers: Mapping[str, str]
    """Who receives the data, for each purpose."""
    named: Mapping[str, frozenset[str]]
    programme: str
    country: str

    def use(self, app: str, category: str, purpose: str) -> AppUse | str:
        """The declared use, or the reason why there is none."""
        ours = [one for one in uses(self.apps) if one.app == app and one.category == category]
        if not ours:
            return f"no app of this house uses {category!r}"
        if purpose:
            ours = [one for one in ours if one.purpose == purpose]
            return ours[0] if ours else f"the app does not use {category!r} for that purpose"
        return ours[0] if len(ours) == 1 else f"the app uses {category!r} for several purposes, and the data do not say which"

    def request(self, use: AppUse, today: date) -> ReadRequest:
        """The question to the gate: everything that the purpose receives, for the controller, today."""
        fields = tuple(sorted(self.book[use.purpose].fields))
        return ReadRequest("a device", use.purpose, self.controllers[use.purpose], fields, today, today + timedelta(days=1))


class Intake:
    """Judges and counts what devices send. Durable when `take` returns."""

    def __init__(self, records: Database, rules: Rules, clock: Clock, turn: Callable[[date], None]) -> None:
        """`turn` ends what a legal day ends, before its first answer."""
        self._records, self._rules, self._clock, self._turn = records, rules, clock, turn
        self.taker: Taker | None = None

    def take(self, number: str, sent: Sequence[Sent], *, counter: int | None = None) -> Arrived:
        """Judges each thing that a device sends. Whose word it is was found out before; `counter` is of a signed message."""
        if not 0 < len(sent) <= EVENTS_MAX:
            raise BadInput("Nothing was sent, or too much at once.", f"Send 1 to {EVENTS_MAX:,} things in a call.")
        if counter is not None:
            require_counter(counter)
        now = self._clock.now()
        today = legal_day(now, self._rules.country)
        self._turn(today)
        with self._records.writing() as connection:
            position = log.lock(connection, EVENTS)
            device = store.device(connection, number)
            if device is None:
                raise not_its_word()
            if counter is not None:
                require_next(device, counter)
                if not store.advance(connection, number, device.counter, counter):
                    raise not_its_word()
            judged = {(one.category, one.purpose): Verdict(False, ()) for one in sent}
            filed = dict.fromkeys(judged, "")
            for key in judged:
                judged[key], filed[key] = self._judge(connection, device, *key, today)
            counted = Counter((one.category, filed[one.category, one.purpose], judged[one.category, one.purpose].allowed)
                              for one in sent)  # fmt: skip
            store.count(connection, [
                store.Count(number, category, purpose, today.isoformat(), how_many * allowed, how_many * (not allowed),
                            now.isoformat() if allowed else None, None if allowed else now.isoformat())
                for (category, purpose, allowed), how_many in sorted(counted.items())
            ])  # fmt: skip
        verdicts = tuple(judged[one.category, one.purpose] for one in sent)
        accepted = [one for one, verdict in zip(sent, verdicts, strict=True) if verdict.allowed]
        if accepted and self.taker is not None:
            self.taker.take(number, device.customer, accepted)
        return Arrived(verdicts, position, bool(accepted) and self.taker is not None)

    def _judge(
        self, connection: Connection, device: store.Device, category: str, purpose: str, today: date
    ) -> tuple[Verdict, str]:
        """The verdict, and the purpose under which it is counted."""
        if device.signed_out is not None:
            return Verdict(False, ("this device is signed out",)), ""
        use = self._rules.use(device.app, category, purpose)
        if isinstance(use, str):
            return Verdict(False, (use,)), ""
        try:
            log.require_programme(connection, self._rules.programme)
        except Unavailable as error:
            return Verdict(False, (error.what,)), use.purpose
        due = due_of(connection, use, device.customer, today)
        if due:
            end_unused(connection, due, today, self._rules.named)
            return Verdict(False, (f"the yes was not used for {use.unused_days} days and has lapsed",)), use.purpose
        return self.verdict(connection, device.customer, use, today), use.purpose

    def verdict(self, connection: Connection, customer: int, use: AppUse, today: date) -> Verdict:
        """What the gate says of a use for a customer, as a transaction sees it: used to show and to enforce."""
        request = self._rules.request(use, today)
        standing = {row.recipient: row for row in permissions.of_customers(connection, [customer], [use.purpose])}
        return decide(request, standing.get(request.recipient), in_force(connection, self._rules.book), today)
