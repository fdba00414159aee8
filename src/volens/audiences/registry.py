"""Which audiences there are, and who is never in any: put on record, changed, ended, each with its event.

1. What is stored follows from the events; the audit compares.
2. An audience keeps its purpose, recipient, format and identifiers: what was sent under it has to be taken back by them.
3. Why somebody is never in an audience is sealed under her own key; the open part says only that she is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from volens.audiences import kept_out, store
from volens.audiences.check import Checked
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.evidence.merkle import canonical_json
from volens.holders import Database, Sealer

if TYPE_CHECKING:
    from sqlalchemy import Connection

DEFINED, ENDED = "audience-defined", "audience-ended"
SUPPRESSED, RELEASED = "audience-suppressed", "audience-released"
REASONS = ("complaint", "staff", "competitor", "dispute", "vulnerable", "request")
"""Why somebody is never in an audience, whatever she permits."""
BY_MAX, AUDIENCES_MAX, SUPPRESSED_AT_ONCE = 120, 500, 100


class Registry:
    """Definitions and suppression. Durable when a method returns."""

    def __init__(self, records: Database, people: Sealer, clock: Clock, country: str) -> None:
        self._records, self._people, self._clock, self._country = records, people, clock, country

    def define(self, checked: Checked, *, by: str) -> store.Defined:
        """Puts a definition on record, or another form of one. `Refused` with every reason if something stands against it."""
        named(by)
        require_ok(checked)
        one = checked.definition
        detail = {"audience": one.id, "sha256": digest(one.document), "until": one.until.isoformat(), "by": by.strip()}
        event = Event(DEFINED, purpose=one.purpose, recipient=one.recipient, day=self._today(), detail=detail)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            there = {each.audience: each for each in store.all_defined(connection)}
            before = there.get(one.id)
            if before is None and len(there) >= AUDIENCES_MAX:
                raise BadInput(f"There are {AUDIENCES_MAX} audiences already.", "Change one that is there.")
            if before is not None:
                _require_same(before.document, one.document)
                if before.ended is None and digest(before.document) == digest(one.document):
                    return before
            seq = log.append(connection, EVENTS, [event])
            store.keep(connection, one.id, one.document, seq, one.until.isoformat())
            found = store.defined(connection, one.id)
        assert found is not None
        return found

    def end(self, audience: str, *, by: str) -> None:
        """An audience ends: whoever is on its list has to go. Twice is once."""
        named(by)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = there(connection, audience)
            if one.ended is not None:
                return
            detail = {"audience": audience, "by": by.strip()}
            event = Event(ENDED, recipient=one.document["recipient"], day=self._today(), detail=detail)
            store.end(connection, audience, log.append(connection, EVENTS, [event]))

    def all(self) -> list[store.Defined]:
        """Every audience on record, by id, also those that have ended."""
        with self._records.reading() as connection:
            return store.all_defined(connection)

    def one(self, audience: str) -> store.Defined:
        """An audience by its id; `NotFound` if there is none."""
        with self._records.reading() as connection:
            return there(connection, audience)

    def suppress(self, customers: Iterable[int], reason: str, *, by: str) -> int:
        """Some customers are in no audience from now on, whatever they permit; how many were new to it."""
        named(by)
        if reason not in REASONS:
            raise BadInput(f"{reason!r} is no reason to be in no audience.", f"Use one of: {', '.join(REASONS)}.")
        with self._records.reading() as connection:
            known = kept_out.suppressed(connection)
        fresh = [one for one in dict.fromkeys(customers) if known.get(one, ("", 0))[0] != reason]
        private = {"reason": reason, "by": by.strip()}
        for start in range(0, len(fresh), SUPPRESSED_AT_ONCE):
            some = fresh[start : start + SUPPRESSED_AT_ONCE]
            happened = [Event(SUPPRESSED, customer=one, day=self._today(), private=private) for one in some]
            sealed = [log.sealed_beforehand(event, self._people) for event in happened]
            with self._records.writing() as connection:
                first = log.append(connection, EVENTS, sealed)
                for place, customer in enumerate(some):
                    kept_out.suppress(connection, customer, reason, first + place)
        return len(fresh)

    def release(self, customer: int, *, by: str) -> None:
        """A customer may be in audiences again, as far as she permits. `NotFound` for one who was not kept out."""
        named(by)
        event = log.sealed_beforehand(
            Event(RELEASED, customer=customer, day=self._today(), private={"by": by.strip()}), self._people
        )
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if customer not in kept_out.suppressed(connection):
                raise NotFound("This customer is not kept out of audiences.", "There is nothing to take back.")
            log.append(connection, EVENTS, [event])
            kept_out.release(connection, customer)

    def suppressed(self) -> dict[int, str]:
        """Everybody who is in no audience, with why."""
        with self._records.reading() as connection:
            return {customer: why for customer, (why, _) in kept_out.suppressed(connection).items()}

    def require_running(self, audience: str) -> store.Defined:
        """An audience that has not ended and whose day is not over; `NotNow` for another."""
        one = self.one(audience)
        if one.ended is not None or date.fromisoformat(one.until) < self._today():
            raise NotNow(f"The audience {audience!r} has ended.", "Put it on record again with a later day, if it is still needed.")
        return one

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)


def there(connection: Connection, audience: str) -> store.Defined:
    """An audience by its id; `NotFound` if there is none."""
    found = store.defined(connection, audience)
    if found is None:
        raise NotFound(f"There is no audience {audience!r}.", "See: volens audience list")
    return found


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a definition's document, as its event names it."""
    return hashlib.sha256(canonical_json(document)).hexdigest()


def require_ok(checked: Checked) -> None:
    """`Refused` with every reason, if something stands against a definition."""
    if not checked.ok:
        reasons = [f"{one.rule}: {one.reason} ({one.article})" for one in checked.refusals]
        raise Refused(reasons, "volens audience check FILE says for each what to write instead.")


def named(by: str) -> None:
    """Somebody answers for what is done."""
    if not by.strip() or len(by) > BY_MAX:
        raise BadInput("Somebody answers for an audience.", f"Say who, with --by, in at most {BY_MAX} characters.")


def _require_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for key in ("purpose", "recipient", "format", "identifiers"):
        if sorted(before[key]) != sorted(now[key]):
            raise BadInput(f"An audience keeps its {key}: what was sent under it is taken back by it.", "Use another id.")
