"""What the shop's machine says of orders: placed, refunded, returned. Only of who invites or was invited is anything kept.

Rules:
1. A report has a key: the same again changes nothing, the same key with something else in it is refused.
2. The answer is the same whoever it is about: a machine does not learn here who was invited.
3. Amounts are kept to see whether anything of an order is left; what was bought is never sent.
4. Payment and address are hashes where they come from, and are hashed again; without `orders` in the offer they are left out.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.evidence.merkle import canonical_json
from volens.holders import Database
from volens.offering import participations
from volens.offering.registry import document, in_force
from volens.offers.document import Offer, Uses
from volens.referring import signal_store, store
from volens.referring.facts import Standing
from volens.referring.judging import Judging, Order
from volens.referring.signal_store import Report
from volens.referring.signals import Hashes
from volens.referring.states import RETURNED, UNDONE
from volens.referring.store import Tie

if TYPE_CHECKING:
    from sqlalchemy import Connection

ORDER, REFUND, RETURN = "order", "refund", "return"
KINDS = (ORDER, REFUND, RETURN)
REPORTED, SIGNS = "referral-reported", "referral-signs"
KEY_MAX, CENTS_MAX = 120, 100_000_000
AHEAD = timedelta(minutes=5)
"""How far the machine's clock may be ahead of ours."""
HASHED = re.compile(r"[0-9A-Za-z_=+/-]{16,128}")
"""What a hash looks like: never a card's number or an address as it is written."""
CARD = re.compile(r"\d{12,19}")


@dataclass(frozen=True)
class Reported:
    """One report, checked."""

    kind: str
    key: str
    order: str
    at: datetime
    cents: int
    payment: str = ""
    address: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput("What happened to the order?", f"Send one of: {', '.join(KINDS)}.")
        for name, value in (("key", self.key), ("order", self.order)):
            if not 0 < len(value) <= KEY_MAX:
                raise BadInput(f"The report has no {name}.", f"Send 1 to {KEY_MAX} characters.")
        if self.at.tzinfo is None:
            raise BadInput("When was it?", "Send `at` with its time zone.")
        if not 0 <= self.cents <= CENTS_MAX:
            raise BadInput("This is no amount.", f"Send whole minor units, 0 to {CENTS_MAX}.")
        for name, value in (("payment", self.payment), ("address", self.address)):
            if value and (not HASHED.fullmatch(value) or CARD.fullmatch(value)):
                raise BadInput(f"The {name} is no hash.", "Send a keyed hash of it, 16 to 128 characters, never the thing itself.")

    def digest(self) -> bytes:
        """Of all that is said."""
        said = {**vars(self), "at": self.at.astimezone(UTC).isoformat()}
        return hashlib.sha256(canonical_json(said)).digest()


class Orders:
    """Durable when a method returns."""

    def __init__(
        self, records: Database, judging: Judging, hashes: Callable[[str], Hashes], find: Callable[[str, str], tuple[int, int]],
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._records, self._judging, self._hashes, self._find, self._now = records, judging, hashes, find, now

    def report(self, who: tuple[str, str], said: Reported) -> Tie | None:
        """Takes a report in; the invitation that it touched, if there is one. Nothing is kept of anybody else."""
        if said.at > self._now() + AHEAD:
            raise BadInput("This lies ahead.", "Send the instant at which it happened.")
        try:
            customer = self._find(*who)[0]
        except NotFound:
            return None
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            tie = store.tie_of(connection, customer)
            offers = {*store.offers_of(connection, customer), *((tie.offer,) if tie is not None else ())}
            for offer in sorted(offers):
                self._keep_signals(connection, customer, offer, said)
            if tie is None or not self._keep(connection, tie, said):
                return tie
            return self._take(connection, tie, said)

    def settle(self) -> int:
        """Orders that wait for a place are counted where there is one by now; how many. For the night, and when somebody joins."""
        done = 0
        with self._records.reading() as connection:
            waiting = store.waiting(connection)
        for sponsor, offer in waiting:
            done += self.settle_of(sponsor, offer)
        return done

    def settle_of(self, sponsor: int, offer: str) -> int:
        """The same of one sponsor."""
        done = 0
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            for tie in store.ties_of(connection, sponsor, offer):
                if tie.state in UNDONE and tie.ordered is not None and participations.current(connection, sponsor, offer):
                    verdict = self._judging.verdict(connection, tie, Standing())
                    done += self._judging.place(connection, tie, verdict).state != tie.state
        return done

    # Below: how

    def _keep_signals(self, connection: Connection, customer: int, offer: str, said: Reported) -> None:
        found = in_force(connection, offer)
        one: Offer | None = document(connection, found) if found is not None else None
        if said.kind == ORDER and one is not None and Uses.ORDERS in one.act.uses:
            signals = self._hashes(offer).of_order(said.payment, said.address)
            if signal_store.keep_signals(connection, customer, offer, signals):
                detail = {"offer": offer}
                log.append(connection, EVENTS, [Event(SIGNS, customer=customer, day=self._judging.day(), detail=detail)])

    def _keep(self, connection: Connection, tie: Tie, said: Reported) -> bool:
        """Whether a report is new; `BadInput` for a key that said something else."""
        hashes = self._hashes(tie.offer)
        key, digest = hashes.one("report", said.key), said.digest()
        before = signal_store.report(connection, key)
        if before is not None:
            if (before.customer, before.digest) != (tie.friend, digest):
                raise BadInput("This key stands for another report.", "Send every report with a key of its own.")
            return False
        at = said.at.astimezone(UTC).isoformat()
        about = hashes.one("order", said.order)
        signal_store.keep_report(connection, Report(key, tie.friend, tie.offer, said.kind, about, at, said.cents, digest))
        event = self._judging.event(REPORTED, tie, what=said.kind, at=at, cents=said.cents)
        log.append(connection, EVENTS, [event], self._judging.people)
        return True

    def _take(self, connection: Connection, tie: Tie, said: Reported) -> Tie:
        about = self._hashes(tie.offer).one("order", said.order)
        left = _left(signal_store.reports_about(connection, about))
        if said.kind == ORDER and left:
            return self._judging.ordered(connection, tie, Order(said.at.astimezone(UTC), about))
        if said.kind == ORDER or left:  # it was taken back before we heard of it, or a part of it stands
            return tie
        after = self._judging.taken_back(connection, tie, about)
        if after.state == RETURNED or (after.ordered is None and tie.ordered is not None):
            return self._next(connection, after)
        return after

    def _next(self, connection: Connection, tie: Tie) -> Tie:
        """Another order of hers that stands takes the place of the one that was taken back."""
        orders = defaultdict[bytes, list[Report]](list)
        for one in signal_store.reports_of(connection, tie.friend, tie.offer):
            orders[one.about].append(one)
        for about, all_of in sorted(orders.items(), key=lambda each: each[1][0].at):
            first = next((one for one in all_of if one.kind == ORDER), None)
            if first is not None and _left(all_of) > 0 and first.at >= tie.accepted:
                return self._judging.ordered(connection, tie, Order(datetime.fromisoformat(first.at), about))
        return tie


def _left(said: list[Report]) -> int:
    """What is left of an order, in minor units; 0 if nothing is. An order of nothing stands until it is taken back."""
    placed = [one.cents for one in said if one.kind == ORDER]
    taken = [one.cents for one in said if one.kind != ORDER]
    if not placed:
        return 0
    return max(0, sum(placed) - sum(taken)) if sum(placed) else int(not taken)
