"""The second door: who of a built set may still leave, leaves as one file for one platform.

Rules:
1. Identifiers are looked up, hashed and sealed before the door, and who permits is asked; what is in the file is decided in the
   transaction that commits `handed_over`, against every choice recorded since.
2. Suppression and caps are asked again there. Whoever was erased meanwhile has no address, and stays behind.
3. The file is written after the commit and within a minute, or never: a list without its file is `lost`, on record, and is handed
   over again. A set is older than a day never handed over.
4. How many stayed behind is told like any size, and to no platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from pyroaring import BitMap

from volens.audiences import kept_out, sent, store
from volens.audiences.building import built_until, capped
from volens.audiences.check import door_request
from volens.audiences.definition import Definition
from volens.audiences.files import FILE_HOURS, Folder, digest
from volens.audiences.formats import FORMATS, line
from volens.audiences.sizes import Mac, Size, told
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.gate.barrier import Asked, Barrier
from volens.gate.reads import Gate
from volens.holders import Database, Keys

if TYPE_CHECKING:
    from sqlalchemy import Connection

LISTED, LIST_LOST = "audience-list", "audience-list-lost"
BUILD_HOURS, PLACE_SECONDS = 24, 60
LOOKED_UP_AT_ONCE = 5_000


class Contact(Protocol):
    """What a platform can find somebody by."""

    @property
    def email(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...
    @property
    def given_name(self) -> str | None: ...
    @property
    def family_name(self) -> str | None: ...
    @property
    def country(self) -> str: ...


class Contacts(Protocol):
    """What handing over needs of the vault."""

    def contacts(self, wanted: Sequence[int]) -> Mapping[int, Contact]:
        """How some customers can be found; who does not exist, or is erased, is left out."""


@dataclass(frozen=True)
class Handed:
    """A list that left, and how many stayed behind: without an identifier, suppressed, capped, or by a no since it was built."""

    listed: store.Listed
    path: str
    stayed: Mapping[str, Size]

    def to_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {**vars(self.listed), "path": self.path, "stayed": {why: size.to_text() for why, size in self.stayed.items()}}


class Activation:
    """Hands lists over. Durable when a method returns."""

    def __init__(
        self, records: Database, gate: Gate, barrier: Barrier, contacts: Contacts, keys: Keys, folder: Folder, clock: Clock,
        country: str, mac: Mac,
    ) -> None:  # fmt: skip
        self._records, self._gate, self._barrier, self._contacts, self._keys = records, gate, barrier, contacts, keys
        self._folder, self._clock, self._country, self._mac = folder, clock, country, mac

    def hand_over(self, defined: store.Defined, definition: Definition, by: str) -> Handed:
        """Hands the newest set of an audience over, as a file. `NotNow` without a fresh set, `BadInput` below the minimum."""
        with self._records.reading() as connection:
            built = store.built(connection, definition.id)
            members = store.set_of(connection, built.seq) if built is not None else BitMap()
        self._require(built, defined)
        assert built is not None
        known, fields, form = self._identifiers(definition, members), definition.identifiers, FORMATS[definition.format]
        # Everything that takes long is done before the ledger is taken: nobody who withdraws meanwhile waits for it.
        ordered = sorted((line(hashes), number) for number, hashes in known.items())
        sealed = sent.seal(self._keys, fields, known)
        now, today = self._clock.now(), legal_day(self._clock.now(), self._country)
        self._barrier.turn()
        request = door_request(definition, today, "audiences")
        asked = Asked(*self._gate.permitted(request), today)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if store.built(connection, definition.id) != built or store.defined(connection, definition.id) != defined:
                raise NotNow("The audience was changed or built anew meanwhile.", "Hand it over again.")
            silent = BitMap(kept_out.suppressed(connection))
            often = capped(connection, definition.id, definition.cap, members, now)
            wanted = BitMap(known.keys()) - silent - often
            detail = {"audience": definition.id, "built": built.seq, "format": definition.format}
            handed = self._barrier.hand_over_many_within(connection, request, wanted, asked, detail)
            if len(handed.customers) < definition.minimum:
                raise BadInput(f"Fewer than {definition.minimum:,} of these people may be handed over.", "Nothing left the house.")
            gone = BitMap(known.keys()) - handed.customers
            content = form.file(fields, (one for one, number in ordered if number not in gone))
            listed = self._list(connection, definition, handed.seq, len(handed.customers), content, by, now)
            store.add_list(connection, listed, sent.without(self._keys, fields, sealed, known, gone))
        self._folder.place(listed.file, content, described(listed, definition.format, now))
        with self._records.writing() as connection:
            store.set_state(connection, listed.list, store.PLACED)
        stayed = {
            "unknown": members - BitMap(known.keys()), "suppressed": members & silent, "capped": members & often - silent,
            "no": handed.kept_back,
        }  # fmt: skip
        sizes = {why: told(people, definition.minimum, self._mac) for why, people in stayed.items() if people}
        return Handed(listed, str(self._folder.path / listed.file), sizes)

    def _require(self, built: store.Built | None, defined: store.Defined) -> None:
        if built is None or built.defined != defined.seq:
            raise NotNow("Nothing is built of this audience as it stands.", f"Build it: volens audience build {defined.audience}")
        if self._clock.now() > built_until(built, BUILD_HOURS):
            raise NotNow("What was built is more than a day old.", f"Build it anew: volens audience build {defined.audience}")

    def _identifiers(self, definition: Definition, members: BitMap) -> dict[int, sent.Identifiers]:
        """What the platform can find each of some people by; who has nothing is left out."""
        form, found, listed = FORMATS[definition.format], dict[int, sent.Identifiers](), list(members)
        for start in range(0, len(listed), LOOKED_UP_AT_ONCE):
            for number, contact in self._contacts.contacts(listed[start : start + LOOKED_UP_AT_ONCE]).items():
                values = {name: getattr(contact, name) or "" for name in definition.identifiers}
                hashes = form.identifiers(definition.identifiers, values, contact.country)
                if hashes:
                    found[number] = hashes
        return found

    def _list(
        self, connection: Connection, definition: Definition, door: int, people: int, content: bytes, by: str, now: datetime
    ) -> store.Listed:
        file, sha256 = f"{definition.recipient}-{door}.csv", digest(content)
        detail = {"audience": definition.id, "list": door, "file": file, "sha256": sha256, "people": people, "by": by}
        today = legal_day(now, self._country)
        event = Event(LISTED, purpose=definition.purpose, recipient=definition.recipient, day=today, detail=detail)
        seq = log.append(connection, EVENTS, [event])
        return store.Listed(
            door, definition.id, definition.recipient, seq, file, sha256, people, now.isoformat(), store.WRITTEN
        )

    def settle(self) -> None:
        """Lists that were committed by a run that was killed: with their file they are placed, without it they are lost."""
        late = (self._clock.now() - timedelta(seconds=PLACE_SECONDS)).isoformat()
        with self._records.reading() as connection:
            open_ones = [one for one in store.lists(connection) if one.state == store.WRITTEN]
        for one in open_ones:
            there = self._folder.holds(one.file, one.sha256)
            if not there and one.at > late:
                continue  # somebody is writing it
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                if all(each.state != store.WRITTEN for each in store.lists(connection, one.audience) if each.list == one.list):
                    continue
                if not there:
                    detail = {"audience": one.audience, "list": one.list}
                    today = legal_day(self._clock.now(), self._country)
                    log.append(connection, EVENTS, [Event(LIST_LOST, recipient=one.recipient, day=today, detail=detail)])
                store.set_state(connection, one.list, store.PLACED if there else store.LOST)

    def file(self, listed: store.Listed) -> bytes:
        """A list's file, within its day; `NotFound` after that."""
        content = self._folder.read(listed.file)
        if content is None:
            raise NotFound("The file of this list does not lie there any more.", "Hand the audience over again.")
        return content

    def tidy(self) -> int:
        """Deletes the files of lists that are more than a day old; how many were still there."""
        late = (self._clock.now() - timedelta(hours=FILE_HOURS)).isoformat()
        with self._records.reading() as connection:
            over = [one.file for one in store.lists(connection) if one.at < late or one.state == store.LOST]
        return self._folder.drop(over)


def described(listed: store.Listed, form: str, now: datetime) -> dict[str, Any]:
    """What lies beside a list's file."""
    until = now + timedelta(hours=FILE_HOURS)
    return {
        "file": listed.file, "sha256": listed.sha256, "people": listed.people, "recipient": listed.recipient, "format": form,
        "list": listed.list, "do": "add", "made": now.isoformat(timespec="seconds"),
        "upload_until": until.isoformat(timespec="seconds"),
    }  # fmt: skip
