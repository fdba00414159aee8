"""Which placements there are: proposed by one person, approved by another, ended by anybody; each step with its event.

1. What is stored follows from the events; the audit compares.
2. What was approved is not changed: it ends, and another is proposed. A proposal may be written anew until then.
3. Nobody approves what she proposed. What is approved is checked again at that moment, by the programme and the day of then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.evidence.merkle import canonical_json
from volens.holders import Database
from volens.sponsored import store
from volens.sponsored.check import Checked
from volens.sponsored.store import APPROVED, ENDED, PROPOSED, Stored

if TYPE_CHECKING:
    from sqlalchemy import Connection

DEFINED, CONFIRMED, OVER = "ad-defined", "ad-approved", "ad-ended"
KINDS: Mapping[str, str] = {PROPOSED: DEFINED, APPROVED: CONFIRMED, ENDED: OVER}
"""The event that leads to each state."""
BY_MAX, PLACEMENTS_MAX = 120, 500


class Registry:
    """Placements on record. Durable when a method returns."""

    def __init__(self, records: Database, clock: Clock, country: str) -> None:
        self._records, self._clock, self._country = records, clock, country

    def define(self, checked: Checked, *, by: str) -> Stored:
        """Proposes a placement, or another form of a proposal. `Refused` with every reason if something stands against it."""
        named(by)
        require_ok(checked)
        one = checked.placement
        document = _plain(one.document)
        detail = {"placement": one.id, "sha256": digest(document), "until": one.until.isoformat(), "by": by.strip()}
        event = Event(DEFINED, purpose=one.purpose, recipient=one.advertiser, day=self._today(), detail=detail)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            there = {each.placement: each for each in store.all_placements(connection)}
            before = there.get(one.id)
            if before is None and len(there) >= PLACEMENTS_MAX:
                raise BadInput(f"There are {PLACEMENTS_MAX} placements already.", "Use the id of a proposal that is there.")
            if before is not None and before.state != PROPOSED:
                if digest(before.document) == digest(document) and before.state == APPROVED:
                    return before
                raise NotNow("What was approved is not changed.", f"End {one.id!r}, and propose another under another id.")
            if before is not None and digest(before.document) == digest(document) and before.proposed_by == by.strip():
                return before
            seq = log.append(connection, EVENTS, [event])
            found = Stored(one.id, seq, document, PROPOSED, by.strip(), one.until.isoformat(), seq)
            store.keep(connection, found)
        return found

    def approve(self, checked: Checked, number: int, *, by: str) -> Stored:
        """Another person approves a proposal; it is shown from its first day. Twice is once."""
        named(by)
        require_ok(checked)
        one = checked.placement
        detail = {"placement": one.id, "number": number, "by": by.strip()}
        event = Event(CONFIRMED, purpose=one.purpose, recipient=one.advertiser, day=self._today(), detail=detail)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = there(connection, one.id)
            if found.number != number:
                raise NotNow("The proposal was written anew meanwhile.", "Look at it again, then approve it.")
            if found.state == APPROVED:
                return found
            if found.state == ENDED:
                raise NotNow(f"The placement {one.id!r} has ended.", "Propose another under another id.")
            if found.proposed_by.casefold() == by.strip().casefold():
                raise Refused(("whoever proposes a placement does not approve it",), "Ask somebody else: --by.")
            store.move(connection, one.id, APPROVED, log.append(connection, EVENTS, [event]))
            store.open_total(connection, number)
            return there(connection, one.id)

    def end(self, placement: str, *, by: str) -> None:
        """A placement is shown no more, within a second. Twice is once."""
        named(by)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = there(connection, placement)
            if found.state == ENDED:
                return
            detail = {"placement": placement, "number": found.number, "by": by.strip()}
            event = Event(OVER, recipient=str(found.document["advertiser"]), day=self._today(), detail=detail)
            store.move(connection, placement, ENDED, log.append(connection, EVENTS, [event]))

    def all(self) -> list[Stored]:
        """Every placement on record, by id."""
        with self._records.reading() as connection:
            return store.all_placements(connection)

    def one(self, placement: str) -> Stored:
        """A placement by its id; `NotFound` if there is none."""
        with self._records.reading() as connection:
            return there(connection, placement)

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)


def there(connection: Connection, placement: str) -> Stored:
    """A placement by its id; `NotFound` if there is none."""
    found = next((one for one in store.all_placements(connection) if one.placement == placement), None)
    if found is None:
        raise NotFound(f"There is no placement {placement!r}.", "See: volens ad list")
    return found


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a placement's document, as its event names it."""
    return hashlib.sha256(canonical_json(document)).hexdigest()


def require_ok(checked: Checked) -> None:
    """`Refused` with every reason, if something stands against a placement."""
    if not checked.ok:
        reasons = [f"{one.rule}: {one.reason} ({one.article})" for one in checked.refusals]
        raise Refused(reasons, "volens ad check FILE says for each what to write instead.")


def named(by: str) -> None:
    """Somebody answers for what is done."""
    if not by.strip() or len(by) > BY_MAX:
        raise BadInput("Somebody answers for a placement.", f"Say who, with --by, in at most {BY_MAX} characters.")


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as JSON has it: YAML makes days of what looks like one."""
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in document.items()}
