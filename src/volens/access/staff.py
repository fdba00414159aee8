"""Staff: who they are, what their roles open, and whom they looked at.

1. A member of staff is a subject of the staff's own sign-in, with a name. Nobody shares an account: whoever has no name or no
   role does not come in.
2. The first time, and whenever the name changes, is an event; the name stands beside it under a salted commitment.
3. Roles are asked of the provider at each sign-in and kept nowhere else.
4. Before a page shows a customer to a member of staff, `staff_read` is on record: who, when and why, sealed under the customer's
   key. The customer's own page shows it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from volens.access import session_store as store
from volens.access.session_store import StaffRow
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotSignedIn
from volens.evidence import log
from volens.evidence.log import EVENTS, SALT_BYTES, Event
from volens.evidence.merkle import canonical_json
from volens.holders import Database, Keys, Sealer
from volens.identity import store as identity

FIRST_SEEN, RENAMED, READ = "staff_first_seen", "staff_renamed", "staff_read"
ROLES = {
    "marketing": "texts, surfaces, and how many were asked, permitted and refused",
    "data": "feeds, reports and exports",
    "dpo": "the programme, requests, overdue recipients, the record",
    "support": "one customer at a time, with a reason that the customer sees",
    "auditor": "everything that is on record, and nothing that changes it",
}
REASONS = ("request", "complaint", "desk", "check")
"""Why a member of staff looks at a customer: she asked for something, she complained, she stands at the desk, or how data are
used is being checked."""
NAME_CHARACTERS_MAX, NOTE_CHARACTERS_MAX = 120, 200


class Opener(Sealer, Protocol):
    """What reading back needs of the vault."""

    def open(self, customer: int, sealed: bytes) -> bytes:
        """Decrypts what was sealed for this customer; `NotFound` when the key is destroyed."""


@dataclass(frozen=True)
class Member:
    """A member of staff who is signed in, or was."""

    number: int
    name: str
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StaffRead:
    """Somebody of the staff looked at a customer."""

    seq: int
    at: datetime
    name: str
    reason: str
    """One of `REASONS`."""
    note: str


class Staff:
    """Knows the staff and records what they look at. Durable when a method returns."""

    def __init__(self, records: Database, keys: Keys, opener: Opener, clock: Clock, country: str) -> None:
        self._records, self._keys, self._opener, self._clock, self._country = records, keys, opener, clock, country

    def recognise(self, issuer: str, subject: str, name: str, roles: Collection[str]) -> Member:
        """The member behind a subject; a new one, or another name, is recorded. `NotSignedIn` without a name or a role."""
        name, held = " ".join(name.split()), frozenset(roles) & ROLES.keys()
        if not name or len(name) > NAME_CHARACTERS_MAX:
            raise NotSignedIn("name", "Your account does not say whose it is.", "Each account of the staff is one person's.")
        if not held:
            raise NotSignedIn("role", "No role is given to you here.", "Ask whoever gives roles to the staff.")
        found_by = self._keys.mac("staff", canonical_json([issuer, subject]))
        with self._records.reading() as connection:
            known = store.member_by(connection, found_by)
        if known is None or known.name != name:
            known = self._keep(found_by, name)
        return Member(known.staff, known.name, held)

    def _keep(self, found_by: bytes, name: str) -> StaffRow:
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            before = store.member_by(connection, found_by)
            if before is not None and before.name == name:
                return before
            number = before.staff if before is not None else store.next_member(connection)
            salt = secrets.token_bytes(SALT_BYTES)
            event = Event(
                FIRST_SEEN if before is None else RENAMED, day=legal_day(self._clock.now(), self._country),
                detail={"staff": number}, commitment=committed(found_by, name, salt),
            )  # fmt: skip
            row = StaffRow(number, found_by, name, salt, log.append(connection, EVENTS, [event]))
            store.keep_member(connection, row)
            return row

    def member(self, number: int) -> Member:
        """A member by number, without roles; `NotFound` for nobody."""
        with self._records.reading() as connection:
            found = store.member(connection, number)
        if found is None:
            raise NotFound("No member of staff has this number.", "Look at the list of the staff.")
        return Member(found.staff, found.name)

    def everybody(self) -> list[Member]:
        """Everybody who ever signed in as staff."""
        with self._records.reading() as connection:
            return [Member(row.staff, row.name) for row in store.members(connection)]

    def read(self, member: Member, customer: int, reason: str, note: str = "") -> int:
        """Records that a member of staff looks at a customer; only then may anything be shown. Returns the event's seq."""
        if reason not in REASONS:
            raise BadInput("Why do you look at this customer?", f"Say one of: {', '.join(REASONS)}. The customer sees it.")
        if len(note) > NOTE_CHARACTERS_MAX:
            raise BadInput("The note is too long.", f"Write at most {NOTE_CHARACTERS_MAX} characters; the customer reads it.")
        now = self._clock.now()
        private = {"name": member.name, "reason": reason, "note": note.strip(), "at": now.isoformat()}
        event = log.sealed_beforehand(
            Event(READ, customer, day=legal_day(now, self._country), detail={"staff": member.number}, private=private), self._opener
        )
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if not identity.is_known(connection, customer):
                raise NotFound("No customer has this number.", "It was never given, or its customer is erased.")
            return log.append(connection, EVENTS, [event])

    def reads_of(self, customer: int) -> list[StaffRead]:
        """Who of the staff looked at a customer, newest first: for her own page, and for the data protection officer."""
        with self._records.reading() as connection:
            rows = [row for row in log.rows(connection, EVENTS, kinds=[READ], customer=customer) if row.sealed is not None]
        return [self._opened(row) for row in reversed(rows)]

    def _opened(self, row: log.Row) -> StaffRead:
        said = json.loads(self._opener.open(row.customer or 0, row.sealed or b"")[SALT_BYTES:])
        return StaffRead(row.seq, datetime.fromisoformat(said["at"]), said["name"], said["reason"], said["note"])

    def count_reads(self) -> dict[int, int]:
        """How many customers each member of staff looked at, ever, by number: who looks at many stands out."""
        with self._records.reading() as connection:
            pairs = {(row.said()["staff"], row.customer) for row in log.rows(connection, EVENTS, kinds=[READ])}
        return {number: sum(1 for one, _ in pairs if one == number) for number in sorted({one for one, _ in pairs})}


def committed(found_by: bytes, name: str, salt: bytes) -> bytes:
    """What the event about a member commits to."""
    return log.commit_to({"found_by": found_by.hex(), "name": name}, salt)
