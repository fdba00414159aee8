"""Machines: programs of the house or of a recipient that call over HTTP, each by a key of its own.

1. A key is 256 bits by chance, shown once. The records hold its SHA-256: whoever reads them cannot call. What it may do stands
   there under a seal of the house's key: whoever writes into them cannot call either.
2. A key belongs to one machine, with scopes, a last day, and the addresses it may come from, if any are named. A machine
   belongs to one recipient or to the house.
3. A new key and a revocation are events, with who did it. A machine may have two keys for a while, so that one can be changed
   for the other without a pause.
4. What does not fit (unknown, revoked, expired, another address) is no, and the caller is not told which.
5. A key that was revoked works nowhere after five seconds, and in this process not at all: until then a process takes what it
   saw in the records as it saw it, so that a decision does not cost a look-up.
6. The last use is kept to the hour, so that using a key does not mean writing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from volens.access import machine_store as store
from volens.access.machine_store import KeyRow
from volens.access.scopes import require_scopes
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.evidence.merkle import canonical_json
from volens.holders import Database, Keys

if TYPE_CHECKING:
    from sqlalchemy import Connection

ADDED, REVOKED = "machine_key_added", "machine_key_revoked"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,63}")
LONGEST_DAYS = 400
"""How long a key may be good for: a year, and the time to change it."""
OVERLAP_DAYS = 7
FRESH_SECONDS = 5.0
KNOWN_MOST = 2_000
"""Keys remembered by a process; one more, and it forgets them all."""
ADDRESSES_MOST = 50
NAME_CHARACTERS_MAX = 120
_KEY = re.compile(r"volens_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Machine:
    """A machine that has shown its key."""

    name: str
    recipient: str | None
    """The legal entity for which it calls; none for the house."""
    scopes: frozenset[str]
    key: str
    """The public part of the key it showed."""


@dataclass(frozen=True)
class Issued:
    """A new key. `secret` is not kept and cannot be shown again."""

    machine: str
    key: str
    secret: str
    expires: date

    def __repr__(self) -> str:
        return f"Issued({self.machine!r}, {self.key!r}, …)"


class Machines:
    """Adds, lists, revokes and recognises machines. Durable when a method returns."""

    def __init__(self, records: Database, keys: Keys, clock: Clock, country: str, recipients: Collection[str]) -> None:
        self._records, self._keys, self._clock, self._country, self._recipients = records, keys, clock, country, recipients
        self._known: dict[bytes, tuple[float, KeyRow]] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def add(
        self, name: str, scopes: Iterable[str], *, expires: date, by: str, recipient: str | None = None,
        addresses: Iterable[str] = (),
    ) -> Issued:  # fmt: skip
        """A new machine with its first key. `BadInput` for what does not fit; `NotNow` if the name has a key that works."""
        if not NAME.fullmatch(name):
            raise BadInput("A machine's name has small letters, digits, dots and hyphens, 2 to 64 of them.", "Use mail-tool.")
        if recipient is not None and recipient not in self._recipients:
            raise BadInput("The programme has no such recipient.", f"Use one of: {', '.join(sorted(self._recipients))}.")
        allowed = require_scopes(scopes, recipient)
        networks = _networks(addresses)
        self._require(expires, by)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if self._live(store.keys_of(connection, name)):
                raise NotNow(f"{name} has a key that works.", f"Change it with: volens machine renew {name}")
            return self._issue(connection, KeyRow("", name, recipient, allowed, networks, b"", b"", 0, "", None, None), expires, by)

    def renew(self, name: str, *, expires: date, by: str) -> Issued:
        """Another key for a machine, with the same scopes, recipient and addresses. Those it has end within seven days."""
        self._require(expires, by)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            live = self._live(store.keys_of(connection, name))
            if not live:
                raise NotFound("No machine of this name has a key that works.", "See: volens machine list")
            last = (self._today() + timedelta(days=OVERLAP_DAYS)).isoformat()
            for row in live:
                if row.expires > last:
                    store.shorten(connection, row.key, last, self._seal(replace(row, expires=last)))
            return self._issue(connection, live[-1], expires, by, ends_others=last)

    def revoke(self, name: str, *, by: str) -> int:
        """Ends every key of a machine. Returns how many there were; `NotFound` for none."""
        self._require(self._today(), by)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            live = self._live(store.keys_of(connection, name))
            if not live:
                raise NotFound("No machine of this name has a key that works.", "See: volens machine list")
            self._end(connection, live, by)
        self._forget()
        return len(live)

    def revoke_all(self, *, by: str) -> int:
        """Ends the keys of all machines: after a restore nobody can tell which had been revoked."""
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            live = self._live(store.keys_of(connection))
            for name in sorted({row.machine for row in live}):
                self._end(connection, [row for row in live if row.machine == name], by)
        self._forget()
        return len(live)

    def keys(self) -> list[KeyRow]:
        """Every key that there was, oldest first; none of them can be used."""
        with self._records.reading() as connection:
            return store.keys_of(connection)

    def recognise(self, shown: str, address: str | None) -> Machine | None:
        """Whose key this is; none for a key that is no good, or not from this address. Raises `Unavailable` without records."""
        found = _KEY.fullmatch(shown)
        if found is None:
            return None
        digest = hashlib.sha256(shown.encode()).digest()
        row = self._look(found[1], digest)
        if row is None or not hmac.compare_digest(row.secret, digest):
            return None
        return self._let_in(row, address)

    def standing(self, key: str, address: str | None) -> Machine | None:
        """The machine of a key that was shown before (a token stands for it), if the key still works."""
        row = self._look(key, key.encode())
        return self._let_in(row, address) if row is not None else None

    # Below: how

    def _look(self, key: str, remembered: bytes) -> KeyRow | None:
        """The key's row, at most five seconds old."""
        at, row = self._known.get(remembered, (0.0, None))
        if row is not None and time.monotonic() - at < FRESH_SECONDS:
            return row
        began, changes = time.monotonic(), self._changes
        with self._records.looking() as connection:
            row = store.key_by(connection, key)
        if row is None or not hmac.compare_digest(row.seal, self._seal(row)):
            return None  # nobody's, or somebody wrote into the records: the audit says where
        with self._lock:
            if len(self._known) >= KNOWN_MOST:
                self._known.clear()
            if changes == self._changes:  # else a revocation came in between, and this is what it was before
                self._known[remembered] = (began, row)
        return row

    def _let_in(self, row: KeyRow, address: str | None) -> Machine | None:
        if row.ended is not None or row.expires < self._today().isoformat():
            return None
        if row.recipient is not None and row.recipient not in self._recipients:
            return None  # the programme has it no more
        if row.addresses and (address is None or not _within(address, row.addresses)):
            return None
        self._note(row)
        return Machine(row.machine, row.recipient, frozenset(row.scopes), row.key)

    def _note(self, row: KeyRow) -> None:
        hour = self._clock.now().isoformat()[:13]
        if row.last_used is not None and row.last_used >= hour:
            return
        with self._records.writing() as connection:
            store.note_use(connection, row.key, hour)
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._changes += 1
            self._known.clear()

    def _issue(self, connection: Connection, like: KeyRow, expires: date, by: str, ends_others: str | None = None) -> Issued:
        key = _chance()
        secret = f"volens_{key}_{secrets.token_urlsafe(32)}"
        digest = hashlib.sha256(secret.encode()).digest()
        said = {"machine": like.machine, "key": key, "scopes": list(like.scopes), "addresses": list(like.addresses),
                "secret": digest.hex(), "expires": expires.isoformat(), "by": by.strip(), "others_end": ends_others}  # fmt: skip
        seq = log.append(connection, EVENTS, [Event(ADDED, recipient=like.recipient, day=self._today(), detail=said)])
        fresh = replace(like, key=key, secret=digest, added=seq, expires=expires.isoformat(), ended=None, last_used=None)
        store.add_key(connection, replace(fresh, seal=self._seal(fresh)))
        return Issued(like.machine, key, secret, expires)

    def _end(self, connection: Connection, live: list[KeyRow], by: str) -> None:
        said = {"machine": live[0].machine, "keys": [row.key for row in live], "by": by.strip()}
        seq = log.append(connection, EVENTS, [Event(REVOKED, recipient=live[0].recipient, day=self._today(), detail=said)])
        store.end_keys(connection, [row.key for row in live], seq)

    def _seal(self, row: KeyRow) -> bytes:
        """What a key may do, under the house's key."""
        said = [row.key, row.machine, row.recipient, row.scopes, row.addresses, row.secret.hex(), row.added, row.expires]
        return self._keys.mac("machine-key", canonical_json(said))

    def _live(self, rows: Iterable[KeyRow]) -> list[KeyRow]:
        today = self._today().isoformat()
        return [row for row in rows if row.ended is None and row.expires >= today]

    def _require(self, expires: date, by: str) -> None:
        if not by.strip() or len(by) > NAME_CHARACTERS_MAX:
            raise BadInput("Somebody answers for a machine.", "Say who, with --by.")
        today = self._today()
        if not today <= expires <= today + timedelta(days=LONGEST_DAYS):
            raise BadInput(f"A key is good for at most {LONGEST_DAYS} days from today.", "Name a day until then, with --expires.")

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)


def _chance() -> str:
    """Ten characters of 32: the public part of a key."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(10))


def _networks(addresses: Iterable[str]) -> tuple[str, ...]:
    found = []
    for one in addresses:
        try:
            found.append(str(ip_network(one.strip())))
        except ValueError as error:
            raise BadInput("An address or network cannot be read.", "Write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32.") from error
    if len(found) > ADDRESSES_MOST:
        raise BadInput(f"At most {ADDRESSES_MOST} addresses can be named.", "Name networks instead.")
    return tuple(dict.fromkeys(found))


def _within(address: str, networks: Iterable[str]) -> bool:
    try:
        where = ip_address(address)
    except ValueError:
        return False
    return any(where in ip_network(one) for one in networks)
