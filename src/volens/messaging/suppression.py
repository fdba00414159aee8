"""Addresses that are not written to: a keyed hash each, for one purpose alone, to honour a no.

Rules:
1. It is asked at the door for every advertisement, whatever the customer's record says; a bounce holds for every message.
2. A no by a link is to the purpose of its message; a complaint, an objection or a bounce is to all of the channel.
3. Nobody takes it back. It gives way to a yes to the message's purpose that was said later, by somebody who has this address. A
   yes that was imported counts by its own day, and only if that is a later one.
4. Before somebody's key is destroyed, her noes become hashes of her addresses: whoever comes in again with one of them is not
   written to for it. After that nothing leads from the hash to the number that she had.
5. The event names no customer, and of the hash only a hash: nothing about an address stands in the record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from volens.clock import Clock, legal_day
from volens.evidence import groups, log
from volens.evidence.groups import IMPORT
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.messaging import points, store
from volens.messaging.points import Mac, Reached
from volens.messaging.store import Suppressed
from volens.permissions import store as permissions
from volens.permissions.state import Permission
from volens.programme.messages import Messages

if TYPE_CHECKING:
    from sqlalchemy import Connection

SUPPRESSED = "message-suppressed"
UNSUBSCRIBED, OBJECTION, COMPLAINT, BOUNCE, ERASED = "unsubscribed", "objection", "complaint", "bounce", "erased"
REASONS = (OBJECTION, COMPLAINT, BOUNCE)
"""What whoever sends may report; the other two follow from what people do."""
SAID_NO = frozenset({"refused", "withdrawn", "objected", "revoked"})
SAID_YES = frozenset({"given", "renewed"})
LEAVING_FOR_GOOD = frozenset({"objection", "consent-withdrawn"})
"""Grounds of an erasure that are a no to every channel."""


class People(Protocol):
    """What is needed of the vault."""

    def contacts(self, wanted: Sequence[int]) -> Mapping[int, Reached]:
        """How some customers can be reached; who does not exist, or has no key, is left out."""


class Suppression:
    """Keeps and asks. Durable when a method that opens its own transaction returns."""

    def __init__(
        self, records: Database, people: People, mac: Mac, told: Messages | None, clock: Clock, country: str
    ) -> None:
        self._records, self._people, self._mac, self._told = records, people, mac, told
        self._clock, self._country = clock, country

    def add_within(self, connection: Connection, channel: str, point: bytes, purpose: str, reason: str) -> None:
        """An address is not written to from now on, for a purpose or (empty) at all; in the caller's transaction."""
        today = legal_day(self._clock.now(), self._country)
        detail = {"channel": channel, "reason": reason, "point": shown(point)}
        seq = log.append(connection, EVENTS, [Event(SUPPRESSED, purpose=purpose or None, day=today, detail=detail)])
        store.suppress(connection, Suppressed(channel, point, purpose, reason, today.isoformat(), seq))
        if reason == UNSUBSCRIBED:
            store.add_sums(connection, today.isoformat()[:7], {(channel, UNSUBSCRIBED): 1})

    def silenced(
        self, connection: Connection, channel: str, purpose: str, recipient: str, who: Mapping[int, Collection[bytes]],
        *, advertising: bool,
    ) -> set[int]:  # fmt: skip
        """Those of some customers, by their addresses' hashes, who are not written to."""
        found = store.suppressed(connection, channel, {point for some in who.values() for point in some}, purpose)
        against = {
            customer: [
                one for point in some for one in found.get(point, ()) if advertising or (one.reason == BOUNCE and not one.purpose)
            ]
            for customer, some in who.items()
        }
        against = {customer: some for customer, some in against.items() if some}
        if not against:
            return set()
        standing = {
            row.customer: row
            for row in permissions.of_customers(connection, against, {purpose})
            if row.recipient == recipient and row.kind in SAID_YES
        }
        imported = groups.among(connection, {row.seq for row in standing.values()}, IMPORT)
        return {
            customer
            for customer, some in against.items()
            if not all(_said_later(standing.get(customer), one, imported) for one in some)
        }

    def remember(self, customer: int, why: str = "") -> int:
        """Somebody is about to be erased: her noes become hashes of her addresses. How many; doing it twice does it once."""
        if self._told is None:
            return 0
        reached = self._people.contacts([customer]).get(customer)
        if reached is None:
            return 0
        done = 0
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            rows = list(permissions.of_customers(connection, [customer]))
            for name, channel in self._told.channels.items():
                for purpose in channel.purposes:
                    about = [row for row in rows if row.purpose == purpose]
                    if why in LEAVING_FOR_GOOD or any(row.kind in SAID_NO for row in about):
                        said = max((row.seq for row in about), default=-1)
                        done += self._remember_within(connection, reached, name, purpose, said)
        return done

    def _remember_within(self, connection: Connection, reached: Reached, channel: str, purpose: str, said: int) -> int:
        hashes = self.hashes(reached, channel)
        there = store.suppressed(connection, channel, hashes, purpose)
        fresh = [point for point in hashes if all(one.seq < said for one in there.get(point, ()))]
        for point in fresh:
            self.add_within(connection, channel, point, purpose, ERASED)
        return len(fresh)

    def hashes(self, reached: Reached, channel: str) -> list[bytes]:
        """What is kept of each of somebody's addresses."""
        made = (points.hashed(self._mac, channel, one, reached.country) for one in points.every_address(reached, channel))
        return list(dict.fromkeys(point for point in made if point is not None))

    def counts(self) -> dict[tuple[str, str], int]:
        """By (channel, reason): how many addresses are not written to."""
        with self._records.reading() as connection:
            return store.count_suppressed(connection)

    def asked_about(self, channel: str, value: str, country: str) -> Suppressed | None:
        """Whether an address is on the list, for whoever has it before them; none if it is not."""
        point = points.hashed(self._mac, channel, value, country)
        if point is None:
            return None
        with self._records.reading() as connection:
            found = store.suppressed(connection, channel, [point]).get(point, [])
        return max(found, key=lambda one: one.seq, default=None)


def shown(point: bytes) -> str:
    """What an event says of an address: a hash of the keyed hash."""
    return hashlib.sha256(point).hexdigest()


def _said_later(yes: Permission | None, no: Suppressed, imported: Collection[int]) -> bool:
    """Whether a standing yes was said after an address was put on the list."""
    if yes is None or yes.seq < no.seq:
        return False
    return yes.seq not in imported or yes.day > date.fromisoformat(no.day)
