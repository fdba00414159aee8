"""Noes that come by the ways of messages: the link in a message, a complaint, an address that bounces.

Rules:
1. A no is a choice like any other, in the ledger, in force when the call returns; in the same transaction the address goes on the
   list of those that are not written to.
2. The link asks for nothing: no sign-in, no second page. Pressing it twice is pressing it once. A link that the house never made
   is told from one that is too old, and neither says anything about anybody.
3. Whoever reports an address is told nothing about whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.holders import Database
from volens.messaging import points, store, tokens
from volens.messaging.message import ADDRESS_MAX, KINDS, VALUE_MAX, Caller
from volens.messaging.points import Mac
from volens.messaging.sending import Finder
from volens.messaging.store import Sent
from volens.messaging.suppression import BOUNCE, REASONS, UNSUBSCRIBED, Suppression
from volens.permissions import store as permissions
from volens.permissions.ledger import Choice, Ledger
from volens.permissions.state import ALL, DENYING
from volens.programme.messages import CHANNELS, EMAIL, PHONE, POST, PUSH, SMS, Messages

if TYPE_CHECKING:
    from sqlalchemy import Connection

SURFACE, REPORTED = "unsubscribe link", "reported by the tool that sends"
REPORTS_MAX = 100
POINTS = {"phone": (SMS, PHONE), "to": (PUSH,), "postal_address": (POST,), "email": (EMAIL,)}
"""Kinds of addresses, and the channels that use each."""
GOOD, UNKNOWN, OLD = "good", "unknown", "old"


class LinkUnknown(NotFound):
    """Not an unsubscription of this house."""

    def __init__(self) -> None:
        super().__init__("This address is not one of ours, or a part of it is missing.", "Open it once more from the message.")


class LinkOld(NotNow):
    """Made by this house, and nothing is kept of its message any more."""

    def __init__(self) -> None:
        super().__init__("Nothing is kept of this message any more.", "Say no in the permission centre, or write to us.")


@dataclass(frozen=True)
class Report:
    """An address, or somebody, that is not to be written to by a channel."""

    channel: str
    kind: str
    value: str = field(repr=False)
    reason: str
    country: str | None = None

    def __post_init__(self) -> None:
        if self.channel not in CHANNELS:
            raise BadInput("Which channel?", f"Send one of: {', '.join(CHANNELS)}.")
        if self.reason not in REASONS:
            raise BadInput("Why is it not to be written to?", f"Send one of: {', '.join(REASONS)}.")
        if self.kind not in (*KINDS, *POINTS) or not self.value.strip() or len(self.value) > max(VALUE_MAX, ADDRESS_MAX):
            raise BadInput("Whom, or which address?", f"Send one of: {', '.join(dict.fromkeys([*KINDS, *POINTS]))}.")
        if self.kind in POINTS and self.kind not in KINDS and self.channel not in POINTS[self.kind]:
            raise BadInput("This kind of address is not that channel's.", f"It is one for {' or '.join(POINTS[self.kind])}.")


def read(written: Sequence[Mapping[str, Any]]) -> list[Report]:
    """Reports from JSON."""
    if not written or len(written) > REPORTS_MAX:
        raise BadInput(f"{len(written):,} reports are too many, or none.", f"Send 1 to {REPORTS_MAX} at a time.")
    found = []
    for one in written:
        known = {"channel", "reason", "country", *KINDS, *POINTS}
        if not isinstance(one, Mapping) or set(one) - known or not all(isinstance(value, str) for value in one.values()):
            raise BadInput("A report cannot be understood.", f"Send texts under some of: {', '.join(sorted(known))}.")
        named = [kind for kind in dict.fromkeys([*KINDS, *POINTS]) if one.get(kind)]
        if len(named) != 1:
            raise BadInput("A report is about one person or one address.", f"Send one of: {', '.join([*KINDS, *POINTS])}.")
        found.append(
            Report(one.get("channel", ""), named[0], one[named[0]], one.get("reason", ""), one.get("country") or None)
        )
    return found


class Noes:
    """Takes noes. Durable when a method returns."""

    def __init__(
        self, records: Database, finder: Finder, ledger: Ledger, suppression: Suppression, mac: Mac, told: Messages | None,
        country: str, language: str,
    ) -> None:  # fmt: skip
        self._records, self._finder, self._ledger, self._suppression = records, finder, ledger, suppression
        self._mac, self._told, self._country, self._language = mac, told, country, language

    def state(self, token: str) -> str:
        """How a link stands: `good`, `unknown` or `old`; nothing about whose it is."""
        try:
            self._message(token)
        except LinkUnknown:
            return UNKNOWN
        except LinkOld:
            return OLD
        return GOOD

    def channel(self, token: str) -> str:
        """By which channel the message of a good link went."""
        return self._message(token).channel

    def unsubscribe(self, token: str, *, language: str) -> str:
        """Takes the yes back that the message of a link rested on; the channel. `LinkUnknown` or `LinkOld` if there is none."""
        message = self._message(token)
        customer, point = message.customer, message.point
        assert customer is not None
        refused, there = self._refused(customer, message)
        if refused and there:
            return message.channel
        proof = {"message": message.door, "channel": message.channel}
        said = self._ledger.refusals(customer, [message.purpose], surface=SURFACE, language=language, proof=proof)
        try:
            self._say(
                [] if refused else said, message.channel, [point] if point is not None else [], message.purpose, UNSUBSCRIBED
            )
        except NotFound as error:  # erased meanwhile: nothing is sent to her, and nothing is kept of her
            raise LinkOld from error
        return message.channel

    def report(self, reports: Sequence[Report], caller: Caller) -> int:
        """Puts addresses on the list; what somebody said is recorded as her no too. How many reports were taken, known or not.

        One that cannot be understood is refused before any is taken; killed in between, the same reports again do the rest."""
        named = [self._named_point(one) for one in reports]
        for one, point in zip(reports, named, strict=True):
            self._report(one, point, caller)
        return len(reports)

    def _report(self, one: Report, named: bytes | None, caller: Caller) -> None:
        customer: int | None = None
        if one.kind in KINDS:
            known = self._finder.known(one.kind, [one.value]).get(one.value)
            customer = int(known.customer) if known is not None else None
        hashes = self._hashes(one, named, customer)
        channel = self._told.channels.get(one.channel) if self._told is not None else None
        said: Sequence[Choice] = ()
        if customer is not None and channel is not None and one.reason != BOUNCE:
            said = self._ledger.refusals(
                customer, channel.purposes, surface=REPORTED, actor=caller.name, language=self._language,
                proof={"reason": one.reason, "channel": one.channel},
            )  # fmt: skip
        try:
            self._say(said, one.channel, hashes, "", one.reason)
        except NotFound:  # erased meanwhile
            self._say((), one.channel, hashes, "", one.reason)

    def _named_point(self, one: Report) -> bytes | None:
        """What is kept of the address that a report names; none if it names a person, or another channel's address."""
        if one.channel not in POINTS.get(one.kind, ()):
            return None
        point = points.hashed(self._mac, one.channel, one.value, one.country or self._country)
        if point is None:
            raise BadInput("This cannot be such an address.", "Send it as it was used; a phone number with its country.")
        return point

    def _hashes(self, one: Report, named: bytes | None, customer: int | None) -> list[bytes]:
        """What goes on the list: the address that was named; of somebody who said no every address, of a bounce the one in use."""
        found: list[bytes | None] = [named] if named is not None else []
        reached = self._finder.contacts([customer]).get(customer) if customer is not None else None
        if reached is not None and one.reason != BOUNCE:
            found += self._suppression.hashes(reached, one.channel)
        elif reached is not None and not found:
            address = points.address_of(reached, one.channel)
            found.append(points.hashed(self._mac, one.channel, address, reached.country) if address else None)
        return [point for point in dict.fromkeys(found) if point is not None]

    def _say(self, said: Sequence[Choice], channel: str, hashes: Sequence[bytes], purpose: str, reason: str) -> None:
        """A choice and what goes on the list with it, in one transaction; or the list alone."""

        def listed(connection: Connection) -> None:
            for point in hashes:
                self._suppression.add_within(connection, channel, point, purpose, reason)

        if said:
            self._ledger.record(said, also=lambda connection, seqs: listed(connection))
        elif hashes:
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                listed(connection)

    def _message(self, token: str) -> Sent:
        link = tokens.read(self._mac, token)
        if link is None:
            raise LinkUnknown
        with self._records.looking() as connection:
            found = store.by_link(connection, link)
        if found is None or found.customer is None:
            raise LinkOld
        return found

    def _refused(self, customer: int, message: Sent) -> tuple[bool, bool]:
        """Whether the use stands refused to everybody, and whether the address is on the list since no earlier than the message."""
        with self._records.reading() as connection:
            rows = list(permissions.of_customers(connection, [customer], {message.purpose}))
            found = [] if message.point is None else [message.point]
            listed = store.suppressed(connection, message.channel, found, message.purpose)
        refused = any(row.recipient == ALL and row.kind in DENYING for row in rows) and not any(row.permits for row in rows)
        newest = max((row.seq for row in rows), default=0)
        there = message.point is None or any(one.seq > newest for one in listed.get(message.point, ()))
        return refused, there
