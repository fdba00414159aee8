"""Which versions of offers there are and who approved them: each step with its event, what comes into force on the public record.

1. What is stored follows from the events; the audit compares.
2. A proposal may be written anew, and then nobody has approved it. What is in force is not changed: a change is a new version.
3. What is approved is checked again at that moment, by the rules and the day of then. Two people, one in each role.
4. With the second approval the terms are generated in every language and kept; their SHA-256 stands in both records.
5. Steps name people in `events`; the public record names roles alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, Event
from volens.evidence.merkle import canonical_json
from volens.holders import Database
from volens.offering import version_store
from volens.offering.version_store import Version
from volens.offering.workflow import (
    DECLINED,
    DPO,
    FORCE,
    HALF,
    MARKETING,
    PROPOSED,
    REPLACED,
    ROLES,
    check_version,
    named,
    same,
)  # fmt: skip
from volens.offers import reading
from volens.offers.check import check
from volens.offers.document import Offer
from volens.offers.terms import terms

if TYPE_CHECKING:
    from sqlalchemy import Connection

PUT, YES, NO, IN_FORCE, OUT = "offer-proposed", "offer-approved", "offer-declined", "offer-in-force", "offer-replaced"
KINDS = {PROPOSED: PUT, HALF: YES, FORCE: IN_FORCE, REPLACED: OUT, DECLINED: NO}
"""The event that leads to each state."""
PUBLISHED = "offer"
"""On the public record: a version comes into force."""
OFFERS_MAX, VERSIONS_MAX, DOCUMENT_MAX = 200, 100, 64_000
"""Offers of a house, versions of an offer, characters of a document."""


class Registry:
    """Versions on record. Durable when a method returns."""

    def __init__(self, records: Database, clock: Clock, country: str, controllers: Collection[str]) -> None:
        """`controllers`: the legal names of the companies that answer for the programme."""
        self._records, self._clock, self._country, self._controllers = records, clock, country, controllers

    def propose(self, written: str, *, by: str, file: str = "the offer") -> Version:
        """Proposes the version that a document is. `BadInput` if it does not load, `Refused` if a rule stands against it, or if
        it is made by a company that does not answer for the programme."""
        who, document, one = named(by), plain(written, file), self.read(written, file)
        check(one, self._today(one)).require()
        if one.controller.name not in self._controllers:
            raise Refused(
                (f"the offer is made by {one.controller.name}, which is no controller of the programme",),
                f"Give `controller.name` as programme.yaml does: {', '.join(sorted(self._controllers))}.",
            )
        sha256, day = digest(document), self._today(one)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            before = version_store.version(connection, one.id, one.version)
            if before is not None and before.state in (PROPOSED, HALF, FORCE):
                if digest_of(connection, before.number) == sha256:
                    return before
                check_version(one.id, one.version, before.state, PROPOSED)
            elif before is not None:
                check_version(one.id, one.version, before.state, PROPOSED)
            _require_next(connection, one, before)
            detail = {"offer": one.id, "version": one.version, "sha256": sha256, "by": who}
            seq = log.append(connection, EVENTS, [Event(PUT, day=day, detail=detail)])
            found = Version(one.id, one.version, seq, PROPOSED, who, "", "", seq, day.isoformat())
            version_store.add_document(connection, seq, document, sha256)
            version_store.keep_version(connection, found)
        return found

    def approve(self, offer: str, version: int, number: int, *, role: str, by: str) -> Version:
        """One approval of two. With the second the version is in force, and the one before it no longer taken."""
        who = named(by)
        if role not in ROLES:
            raise BadInput(f"{role!r} has no say in offers.", f"Act as one of: {', '.join(ROLES)}.")
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = there(connection, offer, version)
            if found.number != number:
                raise NotNow("The proposal was written anew meanwhile.", "Look at it again, then approve it.")
            if same(getattr(found, role), who):
                return found
            to = FORCE if found.marketing or found.dpo else HALF
            check_version(offer, version, found.state, to)
            _require_other(found, role, who)
            one = document(connection, found)
            day = self._today(one)
            check(one, day).require()
            detail = {"offer": offer, "version": version, "number": number, "role": role, "by": who}
            seq = log.append(connection, EVENTS, [Event(YES, day=day, detail=detail)])
            found = _changed(found, **{role: who}, state=HALF, seq=seq, since=day.isoformat())
            if to == FORCE:
                found = _in_force(connection, found, one, day)
            version_store.keep_version(connection, found)
        return found

    def decline(self, offer: str, version: int, *, role: str, by: str) -> Version:
        """A proposal is not wanted as it is. It may be written anew."""
        who = named(by)
        if role not in ROLES:
            raise BadInput(f"{role!r} has no say in offers.", f"Act as one of: {', '.join(ROLES)}.")
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = there(connection, offer, version)
            if found.state == DECLINED:
                return found
            check_version(offer, version, found.state, DECLINED)
            day = self._today(document(connection, found))
            detail = {"offer": offer, "version": version, "number": found.number, "role": role, "by": who}
            seq = log.append(connection, EVENTS, [Event(NO, day=day, detail=detail)])
            found = _changed(found, state=DECLINED, marketing="", dpo="", seq=seq, since=day.isoformat())
            version_store.keep_version(connection, found)
        return found

    def version(self, offer: str, version: int) -> Version:
        """A version on record; `NotFound` if there is none."""
        with self._records.reading() as connection:
            return there(connection, offer, version)

    def written(self, version: Version) -> Any:
        """The document of a version, as it was proposed."""
        with self._records.reading() as connection:
            found = version_store.document(connection, version.number)
        if found is None:
            raise NotFound(f"The document of {version.offer}, version {version.version}, is gone.", "Run: volens audit")
        return json.loads(found[0])

    def read(self, written: str, file: str = "the offer") -> Offer:
        """An offer from YAML or JSON; `BadInput` says where it is wrong."""
        if len(written) > DOCUMENT_MAX:
            raise BadInput("The document is too long.", f"Write at most {DOCUMENT_MAX:,} characters.")
        return reading.offer_of(reading.read_words(written, file))

    def _today(self, offer: Offer) -> date:
        return legal_day(self._clock.now(), offer.countries[0])


def plain(written: str, file: str) -> str:
    """A document as it is kept: canonical JSON of what its file says, without comments."""
    found = reading.read_words(written, file)
    if found.document is None:
        reading.offer_of(found)
        raise BadInput("The offer does not load.", "See docs/offers.md.")
    return canonical_json(found.document.data).decode()


def digest(written: str) -> str:
    """SHA-256 of a text in UTF-8, as events name it."""
    return hashlib.sha256(written.encode()).hexdigest()


def digest_of(connection: Connection, number: int) -> str:
    """SHA-256 of what was proposed under a number; empty if there is nothing."""
    found = version_store.document(connection, number)
    return digest(found[0]) if found is not None else ""


@lru_cache(maxsize=256)
def _offer(written: str) -> Offer:
    return reading.offer_of(reading.read_words(written, "the offer on record"))


def document(connection: Connection, version: Version) -> Offer:
    """The offer that a version is."""
    found = version_store.document(connection, version.number)
    if found is None:
        raise NotFound(f"The document of {version.offer}, version {version.version}, is gone.", "Run: volens audit")
    return _offer(found[0])


def there(connection: Connection, offer: str, version: int) -> Version:
    """A version on record; `NotFound` if there is none."""
    found = version_store.version(connection, offer, version)
    if found is None:
        raise NotFound(f"There is no version {version} of the offer {offer!r}.", "See: volens offer list")
    return found


def in_force(connection: Connection, offer: str) -> Version | None:
    """The version that people can join, or none."""
    found = [one for one in version_store.all_versions(connection, offer) if one.state == FORCE]
    return found[-1] if found else None


def accepted(connection: Connection, offer: str, version: int) -> Offer:
    """A version that people could accept at some time, however old; `NotFound` for any other."""
    found = there(connection, offer, version)
    if found.state not in (FORCE, REPLACED):
        raise NotFound(f"Version {version} of {offer} was never in force.", "See: volens offer list")
    return document(connection, found)


def _require_next(connection: Connection, one: Offer, before: Version | None) -> None:
    versions = version_store.all_versions(connection)
    ours = [each.version for each in versions if each.offer == one.id]
    if before is None and one.version != len(ours) + 1:
        raise NotNow(
            f"Version {one.version} of {one.id} would leave a gap, or is in use.", f"The next one is {len(ours) + 1}."
        )
    if len(ours) > VERSIONS_MAX or (not ours and len({each.offer for each in versions}) >= OFFERS_MAX):
        raise BadInput(
            f"A house has at most {OFFERS_MAX} offers with {VERSIONS_MAX} versions each.", "Use an offer that is there."
        )
    if ours and before is None and version_store.version(connection, one.id, len(ours)) is not None:
        newest = there(connection, one.id, len(ours))
        if newest.state not in (FORCE, REPLACED):
            raise NotNow(f"Version {newest.version} of {one.id} is {newest.state}.", "Write that one anew, under its own number.")


def _require_other(found: Version, role: str, who: str) -> None:
    other = found.dpo if role == MARKETING else found.marketing
    if getattr(found, role):
        waits = DPO if role == MARKETING else MARKETING
        raise NotNow(f"The offer was approved by {role}; {waits} has not looked at it.", f"Ask for it: --role {waits}.")
    if other and same(other, who):
        raise Refused(("one person does not approve in both roles",), "Ask somebody else: --by.")
    if role == DPO and same(found.proposed_by, who):
        raise Refused(("whoever proposes an offer does not approve it for data protection",), "Ask somebody else: --by.")


def _in_force(connection: Connection, found: Version, one: Offer, day: date) -> Version:
    """The second approval: terms are kept, both records say so, and the version before is no longer taken."""
    written = {language: terms(one, language, day) for language in one.languages}
    kept = {language: (words, digest(words)) for language, words in written.items()}
    said: dict[str, Any] = {
        "offer": one.id, "version": one.version, "sha256": digest_of(connection, found.number),
        "terms": {language: sha256 for language, (_, sha256) in kept.items()},
    }  # fmt: skip
    before = in_force(connection, one.id)
    happened = [Event(IN_FORCE, day=day, detail={**said, "number": found.number})]
    if before is not None:
        happened.append(Event(OUT, day=day, detail={"offer": before.offer, "version": before.version, "number": before.number}))
    first = log.append(connection, EVENTS, happened)
    if before is not None:
        version_store.keep_version(connection, _changed(before, state=REPLACED, seq=first + 1, since=day.isoformat()))
    dates = {"starts": one.starts.isoformat(), "ends": one.ends.isoformat() if one.ends else ""}
    log.append(connection, PUBLIC, [Event(PUBLISHED, day=day, detail={**said, **dates, "name": dict(one.name)})])
    version_store.add_terms(connection, found.number, kept)
    return _changed(found, state=FORCE, seq=first, since=day.isoformat())


def _changed(one: Version, **values: Any) -> Version:
    return Version(**{**vars(one), **values})
