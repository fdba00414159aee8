"""Who follows what: added, changed, ended, each with its event.

1. What is stored follows from the events; the audit compares.
2. A follower stays with its recipient, whose own pseudonyms it holds. A new one has to fetch the permitted set first.
3. Webhook secrets rest nowhere: they are made from the house's lookup key, the follower's name and a number.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.followers import store
from volens.followers.feed import Cursor
from volens.followers.store import Follower
from volens.gate.policy import FREE_OF_CHOICE
from volens.holders import Database, Keys
from volens.programme.model import Programme

if TYPE_CHECKING:
    from sqlalchemy import Connection

ADDED, ENDED, ACKNOWLEDGED = "follower", "follower-ended", "follower-acknowledged"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,63}")
ADDRESS = re.compile(r"https://[^\s/?#@]+(/[^\s#]*)?|http://(127\.0\.0\.1|localhost)(:\d+)?(/[^\s#]*)?")
BY_CHARACTERS_MAX = 120


class Registry:
    """Followers by name. Durable when a method returns."""

    def __init__(self, records: Database, programme: Programme, keys: Keys, clock: Clock) -> None:
        self._records, self._programme, self._keys, self._clock = records, programme, keys, clock

    def add(
        self, name: str, purposes: Iterable[str], *, recipient: str, by: str, webhook: str | None = None
    ) -> Follower:
        """A new follower, or another form of one: what it followed before is followed on. `BadInput` for what does not fit."""
        chosen = tuple(dict.fromkeys(purposes))
        self._require(name, chosen, recipient, webhook, by)
        with self._records.writing() as connection:
            position = log.lock(connection, EVENTS)
            before = store.by_name(connection, name)
            if before is not None and before.ended is None and before.recipient != recipient:
                raise BadInput("A follower stays with its recipient: its pseudonyms are the recipient's own.", "Use another name.")
            goes_on = before is not None and before.ended is None
            now = self._clock.now().isoformat()
            fresh = Follower(
                name, recipient, chosen, webhook, before.secret if before is not None else 1, position,
                before.acknowledged if before is not None and goes_on else position,
                before.under if before is not None and goes_on else "", None, None, None, "", now,
            )  # fmt: skip
            self._record(connection, fresh, by)
        return fresh

    def renew_secret(self, name: str, *, by: str) -> Follower:
        """Another webhook secret. Deliveries are signed by both, so that the receiver can change over when it likes."""
        _require_name(by)
        with self._records.writing() as connection:
            position = log.lock(connection, EVENTS)
            fresh = replace(there(connection, name), since=position)
            fresh = replace(fresh, secret=fresh.secret + 1)
            self._record(connection, fresh, by)
        return fresh

    def end(self, name: str, *, by: str) -> None:
        """It follows no more: nothing is sent, and nobody waits for it."""
        _require_name(by)
        with self._records.writing() as connection:
            position = log.lock(connection, EVENTS)
            gone = replace(there(connection, name), ended=position)
            detail = {"follower": name, "by": by.strip()}
            log.append(connection, EVENTS, [Event(ENDED, recipient=gone.recipient, day=self._today(), detail=detail)])
            store.keep(connection, gone)

    def secrets(self, follower: Follower) -> tuple[str, ...]:
        """The webhook secrets by which deliveries are signed, newest first, in the form of Standard Webhooks."""
        numbers = [number for number in (follower.secret, follower.secret - 1) if number > 0]
        made = self._keys.macs("webhook", [f"{follower.name}/{number}".encode() for number in numbers])
        return tuple(f"whsec_{base64.b64encode(one).decode()}" for one in made)

    def there(self, name: str) -> Follower:
        """A follower by name; `NotFound` if it does not follow."""
        with self._records.reading() as connection:
            return there(connection, name)

    def all(self) -> list[Follower]:
        """Everybody who follows, by name."""
        with self._records.reading() as connection:
            return store.all_followers(connection)

    def acknowledge(self, name: str, cursor: Cursor) -> int:
        """A follower has dealt with everything up to a cursor. How far it has acknowledged; an older cursor changes nothing."""
        with self._records.writing() as connection:
            size = log.lock(connection, EVENTS)
            follower = there(connection, name)
            if cursor.seq > size:
                raise BadInput("This cursor lies ahead of the ledger.", "Fetch the permitted set, and go on from its cursor.")
            if cursor.seq < follower.acknowledged or (cursor.seq, cursor.rules) == (follower.acknowledged, follower.under):
                return follower.acknowledged
            detail = {"follower": name, "cursor": cursor.seq, "rules": cursor.rules}
            log.append(connection, EVENTS, [Event(ACKNOWLEDGED, recipient=follower.recipient, day=self._today(), detail=detail)])
            store.keep(connection, replace(follower, acknowledged=cursor.seq, under=cursor.rules))
        return cursor.seq

    def _record(self, connection: Connection, follower: Follower, by: str) -> None:
        detail = {
            "follower": follower.name, "purposes": list(follower.purposes), "secret": follower.secret, "by": by.strip(),
            "webhook": sha256(follower.webhook.encode()).hexdigest() if follower.webhook else None,
            "acknowledged": follower.acknowledged, "rules": follower.under,
        }  # fmt: skip
        log.append(connection, EVENTS, [Event(ADDED, recipient=follower.recipient, day=self._today(), detail=detail)])
        store.keep(connection, follower)

    def _require(self, name: str, purposes: Sequence[str], recipient: str, webhook: str | None, by: str) -> None:
        _require_name(by)
        if not NAME.fullmatch(name):
            raise BadInput("A follower's name has small letters, digits, dots and hyphens, 2 to 64 of them.", "Use mail-tool.")
        if not purposes:
            raise BadInput("A follower follows at least one purpose.", "Name them with --purpose.")
        self._programme.recipient(recipient)
        for one in purposes:
            purpose = self._programme.purpose(one)
            if purpose.basis.value in FREE_OF_CHOICE:
                raise BadInput(f"Nobody chooses about {one!r}: the law asks for it.", "There is nothing to follow.")
            if recipient not in purpose.recipients:
                raise BadInput(
                    f"{recipient!r} is no recipient of {one!r}.", f"It has: {', '.join(sorted(purpose.recipients))}."
                )
        if webhook is not None and not ADDRESS.fullmatch(webhook):
            raise BadInput("A webhook's address begins with https:// (http:// on this machine alone).", "See docs/followers.md.")

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._programme.country)


def there(connection: Connection, name: str) -> Follower:
    """A follower by name; `NotFound` if it does not follow."""
    found = store.by_name(connection, name)
    if found is None or found.ended is not None:
        raise NotFound("Nobody follows by this name.", "See: volens followers list")
    return found


def _require_name(by: str) -> None:
    if not by.strip() or len(by) > BY_CHARACTERS_MAX:
        raise BadInput("Somebody answers for a follower.", "Say who, with --by.")
