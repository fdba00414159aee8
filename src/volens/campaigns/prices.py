"""`house.campaigns.prices`: do people who refuse a use pay more than those who permit it?

Rules:
1. The comparison is a use of purchases like any other, under the purpose that people permitted for it (`MEASURING`). Who
   refused that too is in no figure, on either side: after “refuse everything” nobody's prices are looked at. The report says
   so.
2. Who refuses is whoever does not permit the use today, whatever she said or did not say.
3. The margin is declared in the call and kept with the result; every comparison stays on the record, whatever it finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from pyroaring import BitMap

from volens.campaigns import store
from volens.campaigns.plan import Days
from volens.campaigns.reading import Spending
from volens.campaigns.results import Figure, figure, whole
from volens.campaigns.store import Step
from volens.campaigns.workflow import COMPARED
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound
from volens.gate.policy import FREE_OF_CHOICE, ReadRequest, Rulebook
from volens.gate.reads import Gate
from volens.holders import Database
from volens.measuring.detriment import MARGIN_THOUSANDTHS, Finding, Lines, Ratio, detriment
from volens.programme.model import Programme, Purpose
from volens.publishing.workflow import Person

MEASURING = "campaign-measurement"
"""What the purpose covers under which prices are compared."""
FIELDS = ("customer", "product", "store", "day", "quantity", "amount", "discount", "currency")
DAYS_MIN, DAYS_MAX = 7, 366
MILLION = 10**6


@dataclass(frozen=True)
class Compared:
    """One comparison, as it was kept."""

    use: str
    days: Days
    day: date
    """On which it was made."""
    actor: str
    margin_thousandths: int
    refuse: int
    permit: int
    cells: int
    lines: int
    left_out: int
    shelf: Figure
    """Of a price before discounts, in millionths: who refuses, divided by who permits."""
    shelf_finding: Finding
    paid: Figure
    paid_finding: Finding

    @property
    def fault(self) -> bool:
        """Whether people who refuse are shown to find higher prices on the shelf."""
        return self.shelf_finding is Finding.MORE


class Prices:
    """Compares prices, and keeps what it found. Durable when a method returns."""

    def __init__(
        self, records: Database, gate: Gate, spending: Spending, programme: Programme, rules: Rulebook, clock: Clock
    ) -> None:  # fmt: skip
        self._records, self._gate, self._spending = records, gate, spending
        self._programme, self._rules, self._clock = programme, rules, clock

    def compare(
        self, use: str, days: Days, person: Person, margin_thousandths: int = MARGIN_THOUSANDTHS, currency: str = "EUR"
    ) -> Compared:  # fmt: skip
        """Prices of those days: people who refuse `use`, beside those who permit it. `BadInput` where they are too few to say."""
        if not DAYS_MIN <= days.count <= DAYS_MAX:
            raise BadInput(f"Prices of {days.count} days cannot be compared.", f"Take {DAYS_MIN} to {DAYS_MAX} days.")
        permit, measuring, today = self._permit(use), self._measuring(), self._today()
        request = ReadRequest(
            f"prices, {person.name}", measuring.id, measuring.controller, FIELDS, days.start, days.end
        )
        with self._gate.open_purchases(request) as reading:
            lines = self._spending.prices(reading.opened, days.start, days.end, currency)
            reading.saw(reading.opened.permitted)
        refuses = ~np.isin(lines.customer, np.array(permit, dtype=np.int64))
        found = detriment(Lines(**vars(lines), refuses=refuses), margin_thousandths)
        content = {
            "read": reading.opened.read, "use": use, "days": [days.start.isoformat(), days.end.isoformat()],
            "margin_thousandths": margin_thousandths, "refuse": found.refuse, "permit": found.permit, "cells": found.cells,
            "lines": found.lines, "left_out": found.left_out, "shelf": _kept(found.shelf), "paid": _kept(found.paid),
            "shelf_finding": found.shelf.finding.value, "paid_finding": found.paid.finding.value,
        }  # fmt: skip
        with self._records.writing() as connection:
            store.hold(connection)
            step = store.take(connection, f"prices:{use}"[:64], COMPARED, person, today, content, measuring.id)
        return _compared(step)

    def all(self) -> list[Compared]:
        """Every comparison, oldest first."""
        with self._records.reading() as connection:
            return [_compared(step) for step in store.steps_of(connection) if step.state == COMPARED]

    def _permit(self, use: str) -> BitMap:
        """Who permits a use today, for any of its recipients."""
        purpose, today = self._programme.purpose(use), self._today()
        if self._rules[use].basis in FREE_OF_CHOICE:
            raise BadInput(f"Nobody can refuse {use}.", "Name a use that people choose.")
        found = BitMap()
        for recipient in purpose.recipients:
            fields = tuple(sorted(purpose.fields))
            permitted, _ = self._gate.permitted(ReadRequest("prices", use, recipient, fields, today - timedelta(days=1), today))
            found |= permitted
        return found

    def _measuring(self) -> Purpose:
        found = [one for one in self._programme.purposes.values() if MEASURING in one.covers]
        if not found:
            raise NotFound(
                "The programme has no purpose under which prices may be compared.",
                f"Declare one that covers {MEASURING}, with a text; see docs/campaigns.md.",
            )
        return found[0]

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._programme.country)


def _kept(ratio: Ratio) -> list[int]:
    return [whole(one, MILLION) for one in (ratio.value.value, ratio.value.low, ratio.value.high)]


def _compared(step: Step) -> Compared:
    said: dict[str, Any] = step.said()
    start, end = (date.fromisoformat(one) for one in said["days"])
    numbers = {name: said[name] for name in ("margin_thousandths", "refuse", "permit", "cells", "lines", "left_out")}
    return Compared(
        use=said["use"], days=Days(start, end), day=date.fromisoformat(step.day), actor=step.actor, **numbers,
        shelf=figure(said["shelf"]), shelf_finding=Finding(said["shelf_finding"]),
        paid=figure(said["paid"]), paid_finding=Finding(said["paid_finding"]),
    )  # fmt: skip
