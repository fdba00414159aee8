"""Sessions: a browser that has signed in is known again, for a while.

1. The browser holds a number of 256 bits by chance; the records hold its keyed hash, and what the session says under a seal of
   the house's key. Whoever reads or writes the records signs in as nobody.
2. Signing in always makes a new number, and ends the session that the browser had. One sign-in makes one session, ever.
3. A session ends after 30 minutes without a request, and in any case 8 hours after sign-in for staff, 12 for customers. The time
   of the last request is written every five minutes at most, so "30 minutes" are 25 to 30.
4. A session that began later than now, or was seen later than now, is no session: the clock was set back, and nobody can tell
   how old it is.
5. A customer's session is her account's: whose customer that is, is asked each time. Somebody who was erased has none.
6. What needs a fresh proof asks `Session.fresh`: the person proved who she is within the last ten minutes, and said so by itself.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from volens.access import session_store as store
from volens.access.session_store import SessionRow
from volens.access.staff import Member
from volens.clock import Clock
from volens.errors import NotSignedIn
from volens.evidence.merkle import canonical_json
from volens.holders import Database, Keys
from volens.identity import store as identity

if TYPE_CHECKING:
    from sqlalchemy import Connection

CUSTOMER, STAFF = "customer", "staff"
BY_ACCOUNT, BY_LINK = "account", "link"
IDLE = timedelta(minutes=30)
LONGEST = {CUSTOMER: timedelta(hours=12), STAFF: timedelta(hours=8)}
SEEN_EVERY = timedelta(minutes=5)
FRESH = timedelta(minutes=10)
SKEW = timedelta(minutes=1)
"""Servers of one house differ by so much at most."""
KEPT = timedelta(days=1)
"""How long a session is kept when it is over: so long its sign-in cannot be used again."""


@dataclass(frozen=True)
class Session:
    """A session that holds now."""

    kind: str
    customer: int | None
    account: int | None
    member: Member | None
    how: str
    authenticated: datetime | None
    created: datetime
    ends: datetime
    now: datetime

    @property
    def fresh(self) -> bool:
        """Whether the person proved who she is a moment ago."""
        return self.authenticated is not None and -SKEW <= self.now - self.authenticated <= FRESH


@dataclass(frozen=True)
class Begun:
    """A new session; `number` is for the browser alone and is not kept."""

    number: str
    ends: datetime

    def __repr__(self) -> str:
        return "Begun(…)"


class Sessions:
    """Begins, recognises and ends sessions. Durable when a method returns."""

    def __init__(self, records: Database, keys: Keys, clock: Clock) -> None:
        self._records, self._keys, self._clock = records, keys, clock

    def begin_customer(
        self, account: int, *, how: str, sign_in: str | None = None, authenticated: datetime | None = None, former: str = "",
    ) -> Begun:  # fmt: skip
        """For whoever proved to hold an account. `sign_in` names the sign-in; `former` is the number that the browser had."""
        with self._records.reading() as connection:
            found = identity.account(connection, account)
        if found is None:
            raise NotSignedIn("account", "This account is not known here.", "Ask at the desk.")
        return self._begin(CUSTOMER, how, sign_in, authenticated, former, account=account, customer=found[0])

    def begin_by_link(self, redeem: Callable[[Connection], int], *, former: str = "") -> Begun:
        """For whoever followed a single-use link. `redeem` uses it up, in the transaction of the session, and says whose it is."""
        with self._records.writing() as connection:
            customer = redeem(connection)
            accounts = identity.accounts_of(connection, customer)
            if not accounts:
                raise NotSignedIn("account", "This account is not known here.", "Ask at the desk.")
            number, row = self._made(CUSTOMER, BY_LINK, None, self._clock.now(), account=accounts[0][0], customer=customer)
            self._keep(connection, row, former)
        return Begun(number, datetime.fromisoformat(row.ends))

    def begin_staff(
        self, member: Member, *, sign_in: str | None = None, authenticated: datetime | None = None, former: str = ""
    ) -> Begun:
        """For a member of staff, with the roles of this sign-in."""
        return self._begin(STAFF, BY_ACCOUNT, sign_in, authenticated, former, staff=member.number, roles=member.roles)

    def recognise(self, number: str) -> Session | None:
        """The session that a browser's number stands for; none if it does not hold. `Unavailable` without records."""
        if not 40 <= len(number) <= 50:
            return None
        with self._records.reading() as connection:
            row = store.by_hash(connection, self._hash(number))
            session = self._holding(connection, row) if row is not None else None
        if row is not None and session is not None and session.now - datetime.fromisoformat(row.seen) >= SEEN_EVERY:
            with self._records.writing() as connection:
                store.note_seen(connection, row.session, session.now.isoformat())
        return session

    def end(self, number: str) -> bool:
        """Signs out this browser; whether it was signed in."""
        with self._records.writing() as connection:
            return store.end(connection, self._hash(number), self._clock.now().isoformat()) > 0

    def end_everywhere(self, number: str) -> int:
        """Signs out every browser of whoever's session this is; returns how many were signed in."""
        session, at = self.recognise(number), self._clock.now().isoformat()
        if session is None:
            return 0
        with self._records.writing() as connection:
            if session.member is not None:
                return store.end_of_staff(connection, at, session.member.number)
            accounts = [account for account, _ in identity.accounts_of(connection, session.customer or 0)]
            return store.end_of_accounts(connection, at, accounts)

    def end_staff(self, member: int) -> int:
        """Signs out a member of staff everywhere; returns how many sessions there were."""
        with self._records.writing() as connection:
            return store.end_of_staff(connection, self._clock.now().isoformat(), member)

    # Below: how

    def _begin(
        self, kind: str, how: str, sign_in: str | None, authenticated: datetime | None, former: str, **whose: Any
    ) -> Begun:
        number, row = self._made(kind, how, sign_in, authenticated, **whose)
        with self._records.writing() as connection:
            self._keep(connection, row, former)
        return Begun(number, datetime.fromisoformat(row.ends))

    def _made(
        self, kind: str, how: str, sign_in: str | None, authenticated: datetime | None, *,
        account: int | None = None, customer: int | None = None, staff: int | None = None, roles: frozenset[str] = frozenset(),
    ) -> tuple[str, SessionRow]:  # fmt: skip
        number, now = secrets.token_urlsafe(32), self._clock.now()
        row = SessionRow(
            session=self._hash(number), kind=kind, account=account, customer=customer, staff=staff,
            roles=json.dumps(sorted(roles)), how=how,
            sign_in=self._keys.mac("sign-in", sign_in.encode()) if sign_in is not None else None,
            created=now.isoformat(), authenticated=authenticated.isoformat() if authenticated is not None else None,
            ends=(now + LONGEST[kind]).isoformat(), seal=b"", seen=now.isoformat(), ended=None,
        )  # fmt: skip
        return number, replace(row, seal=self._seal(row))

    def _keep(self, connection: Connection, row: SessionRow, former: str) -> None:
        """The new session in, the browser's former one ended, and what is long over taken away."""
        now = datetime.fromisoformat(row.created)
        store.tidy(connection, (now - KEPT).isoformat())
        if former:
            store.end(connection, self._hash(former), row.created)
        if not store.add(connection, row):
            raise NotSignedIn("used", "This sign-in was used already.")

    def _holding(self, connection: Connection, row: SessionRow) -> Session | None:
        if row.ended is not None or not hmac.compare_digest(row.seal, self._seal(row)):
            return None
        now = self._clock.now()
        created, seen, ends = (datetime.fromisoformat(one) for one in (row.created, row.seen, row.ends))
        if max(created, seen) > now + SKEW or now - seen >= IDLE or now >= ends:
            return None
        authenticated = datetime.fromisoformat(row.authenticated) if row.authenticated is not None else None
        customer, member = None, None
        if row.kind == STAFF:
            found = store.member(connection, row.staff or 0)
            if found is None:
                return None
            member = Member(found.staff, found.name, frozenset(json.loads(row.roles)))
        else:
            held = identity.account(connection, row.account or 0)
            if held is None:
                return None
            customer = held[0]
        return Session(row.kind, customer, row.account, member, row.how, authenticated, created, ends, now)

    def _hash(self, number: str) -> bytes:
        return self._keys.mac("session", number.encode())

    def _seal(self, row: SessionRow) -> bytes:
        said = [row.session.hex(), row.kind, row.account, row.customer, row.staff, row.roles, row.how,
                row.sign_in.hex() if row.sign_in is not None else None, row.created, row.authenticated, row.ends]  # fmt: skip
        return self._keys.mac("session-seal", canonical_json(said))
