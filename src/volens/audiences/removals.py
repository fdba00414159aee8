"""Whoever may not be on a list any more is taken off it: due → sent → acknowledged, for each audience and the one who holds it.

Rules:
1. Who is on a platform's list follows from the lists that were handed over and the removals that it has acknowledged, in their
   order. Who has to go is everybody on it who does not permit it now, is suppressed, or is not in its newest list; and everybody,
   when the audience has ended or its day is over. Nothing else is kept of it.
2. `audience_due` notes since when it is known, at most a minute after it was said while a server runs. Overdue is what was not
   acknowledged within the recipient's declared hours, 24 at most, from then on.
3. What a removal names is what was sent, also of somebody who has another address by now, or is erased. With the acknowledgement
   it is forgotten.
4. A list that passed the door after a removal was sent does not go with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from volens.audiences import kept_out, store
from volens.audiences.check import door_request
from volens.audiences.definition import Definition, read
from volens.audiences.files import FILE_HOURS, Folder, digest
from volens.audiences.formats import FORMATS
from volens.audiences.sent import Sent
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, SALT_BYTES, Event
from volens.gate.reads import Gate
from volens.gate.store import commitment, customers_of, existing
from volens.holders import Database, Keys
from volens.programme.model import Programme

if TYPE_CHECKING:
    from sqlalchemy import Connection

REMOVAL, ACKNOWLEDGED = "audience-removal", "audience-removal-acknowledged"
NO, ERASED, SUPPRESSED, ENDED, LEFT = "no", "erased", "suppressed", "ended", "left"
WHY = (ERASED, NO, SUPPRESSED, ENDED, LEFT)
"""Erased; does not permit it (any more); suppressed; the audience is over; is not in its newest list. The first that is true."""
ON, DUE, SENT, DONE = "on", "due", "sent", "acknowledged"
HOURS = 24


@dataclass(frozen=True)
class On:
    """Who is on a platform's list of an audience, and who of them it was told to take off."""

    there: BitMap
    told: BitMap

    @property
    def left(self) -> BitMap:
        """Who is on it and nobody has told to take off."""
        return self.there - self.told


@dataclass(frozen=True)
class Standing:
    """One audience at one platform, as whoever looks after it sees it."""

    audience: str
    recipient: str
    on: int
    due: int
    sent: int
    since: datetime | None
    """Since when the oldest of those who have to go has had to."""
    until: datetime | None
    overdue: bool

    def to_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {**vars(self), "since": self.since.isoformat() if self.since else None,
                "until": self.until.isoformat() if self.until else None}  # fmt: skip


@dataclass(frozen=True)
class OnList:
    """One customer on one platform's list, for her page."""

    audience: str
    recipient: str
    state: str
    """`on`, `due`, `sent` or `acknowledged`."""
    since: datetime | None
    overdue: bool


def on_list(connection: Connection, audience: str) -> On:
    """Folds lists and removals of an audience in their order."""
    happened: list[tuple[int, BitMap, str]] = []
    for one in store.lists(connection, audience):
        if one.state != store.LOST:
            happened.append((one.list, customers_of(connection, one.list), "list"))
    for gone in store.removals(connection, audience):
        happened.append((gone.removal, store.set_of(connection, gone.removal), "done" if gone.acknowledged is not None else "told"))
    there, told = BitMap(), BitMap()
    for _, people, what in sorted(happened, key=lambda each: each[0]):
        if what == "list":
            there, told = there | people, told - people
        elif what == "done":
            there, told = there - people, told - people
        else:
            told = told | (people & there)
    return On(there, told)


class Removals:
    """Finds who has to go, writes it for the platform, follows it to its acknowledgement. Durable when a method returns."""

    def __init__(self, records: Database, gate: Gate, programme: Programme, keys: Keys, folder: Folder, clock: Clock) -> None:
        self._records, self._gate, self._programme, self._keys = records, gate, programme, keys
        self._folder, self._clock, self._sent = folder, clock, Sent(keys)

    def notice(self) -> None:
        """Notes who has to go, since now. While a server runs it is done every minute."""
        for one, definition in self._all():
            with self._records.reading() as connection:
                goers = self._goers(connection, one, definition)
                noted = {customer: why for (_, customer), (why, _) in store.due(connection, one.audience).items()}
            fresh = {customer: why for customer, why in goers.items() if customer not in noted}
            over = sorted(noted.keys() - goers.keys())
            if fresh or over:
                with self._records.writing() as connection:
                    store.note_due(connection, one.audience, fresh, self._clock.now().isoformat())
                    store.no_longer_due(connection, one.audience, over)

    def _goers(self, connection: Connection, one: store.Defined, definition: Definition) -> Mapping[int, str]:
        """Who is on an audience's list and has to go, with why."""
        on = on_list(connection, one.audience)
        if not on.left:
            return {}
        today = self._today()
        ended = one.ended is not None or date.fromisoformat(one.until) < today
        gone = on.left - existing(connection, on.left)
        refused = on.left - self._permit(definition, today)
        silent = on.left & BitMap(kept_out.suppressed(connection))
        newest = next((each for each in reversed(store.lists(connection, one.audience)) if each.state != store.LOST), None)
        left = on.left - customers_of(connection, newest.list) if newest is not None else BitMap()
        over, found = on.left if ended else BitMap(), dict[int, str]()
        for why, people in zip(WHY, (gone, refused, silent, over, left), strict=True):
            for customer in people:
                found.setdefault(int(customer), why)
        return found

    def _permit(self, definition: Definition, today: date) -> BitMap:
        """Who permits what was handed over, now; nobody if it is not declared or told any more."""
        try:
            permitted, _ = self._gate.permitted(door_request(definition, today, "audiences"))
        except Refused:
            return BitMap()
        return permitted

    def make(self, audience: str | None = None) -> list[store.Removal]:
        """Writes a file for everybody who has to go, one an audience, and lays it down; nothing where nobody has to."""
        self.notice()
        made = []
        for one, definition in self._all(audience):
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                written = self._write(connection, one, definition)
            if written is not None:
                removal, content = written
                self._folder.place(removal.file, content, self._described(removal, definition))
                made.append(removal)
        return made

    def _write(self, connection: Connection, one: store.Defined, definition: Definition) -> tuple[store.Removal, bytes] | None:
        due = {customer: since for (_, customer), (_, since) in store.due(connection, one.audience).items()}
        people = on_list(connection, one.audience).left & BitMap(due)
        if not people:
            return None
        content = self._content(connection, one.audience, definition, people)
        salt, now = secrets.token_bytes(SALT_BYTES), self._clock.now()
        position = log.size(connection, EVENTS)
        file, since = f"{definition.recipient}-{position}-remove.csv", min(due[int(customer)] for customer in people)
        detail = {"audience": one.audience, "file": file, "sha256": digest(content), "people": len(people)}
        event = Event(
            REMOVAL, purpose=definition.purpose, recipient=definition.recipient, day=self._today(), detail=detail,
            commitment=commitment(salt, people),
        )  # fmt: skip
        seq = log.append(connection, EVENTS, [event])
        removal = store.Removal(
            seq, one.audience, definition.recipient, file, digest(content), len(people), now.isoformat(), since, salt, None
        )
        store.add_removal(connection, removal, people)
        store.no_longer_due(connection, one.audience, [int(customer) for customer in people])
        return removal, content

    def _content(self, connection: Connection, audience: str, definition: Definition, people: BitMap) -> bytes:
        """The file: every row by which a platform may know one of these people."""
        fields, rows = self._sent.of(connection, audience, people)
        every = [row for some in rows.values() for row in some]
        return FORMATS[definition.format].write(fields or definition.identifiers, every)

    def file(self, removal: int) -> bytes:
        """A removal's file, for whoever takes it over HTTP; made anew from what was sent where it no longer lies there."""
        one = self.one(removal)
        content = self._folder.read(one.file)
        if content is not None and digest(content) == one.sha256:
            return content
        with self._records.reading() as connection:
            there = store.defined(connection, one.audience)
            assert there is not None
            content = self._content(connection, one.audience, read(there.document), store.set_of(connection, removal))
        if digest(content) != one.sha256:
            raise NotFound("The file of this removal is not kept any more.", "It was acknowledged: nothing is left to be removed.")
        return content

    def lay_down(self) -> None:
        """Lays down again what is not acknowledged and does not lie there: after a kill, or when somebody moved it."""
        for one in self.open():
            if not self._folder.holds(one.file, one.sha256):
                with self._records.reading() as connection:
                    there = store.defined(connection, one.audience)
                if there is not None:
                    self._folder.place(one.file, self.file(one.removal), self._described(one, read(there.document)))

    def acknowledge(self, removal: int, *, by: str, recipient: str | None = None) -> store.Removal:
        """The platform has taken these people off; what it knew them by is forgotten here. Twice is once."""
        if not by.strip() or len(by) > 120:
            raise BadInput("Who says so?", "Name yourself, in at most 120 characters.")
        one = self.one(removal)
        if recipient is not None and one.recipient != recipient:
            raise Refused(("this removal is another recipient's",), "Acknowledge your own.")
        if one.acknowledged is not None:
            return one
        detail = {"audience": one.audience, "removal": removal, "by": by.strip()}
        event = Event(ACKNOWLEDGED, recipient=one.recipient, day=self._today(), detail=detail)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if all(each.acknowledged is None for each in store.removals(connection, one.audience) if each.removal == removal):
                store.acknowledge(connection, removal, log.append(connection, EVENTS, [event]))
                people = store.set_of(connection, removal)
                self._sent.forget(connection, one.audience, people, removal)
        self._folder.drop([one.file])
        return self.one(removal)

    def one(self, removal: int) -> store.Removal:
        """A removal by its number."""
        with self._records.reading() as connection:
            found = next((one for one in store.removals(connection) if one.removal == removal), None)
        if found is None:
            raise NotFound(f"There is no removal {removal}.", "See: volens audience removals")
        return found

    # Looking

    def open(self, recipient: str | None = None) -> list[store.Removal]:
        """Removals that were sent and are not acknowledged, oldest first."""
        with self._records.reading() as connection:
            found = store.removals(connection)
        return [one for one in found if one.acknowledged is None and recipient in (None, one.recipient)]

    def all(self, audience: str) -> list[store.Removal]:
        """Every removal of an audience, oldest first."""
        with self._records.reading() as connection:
            return store.removals(connection, audience)

    def standing(self) -> list[Standing]:
        """How each audience stands with who holds it."""
        self.notice()
        found = []
        for one, definition in self._all():
            with self._records.reading() as connection:
                on = on_list(connection, one.audience)
                noted = store.due(connection, one.audience)
                sent = [each.since for each in store.removals(connection, one.audience) if each.acknowledged is None]
            since = min([*(since for _, since in noted.values()), *sent], default=None)
            begun = datetime.fromisoformat(since) if since is not None else None
            until = begun + self._allowed(definition.recipient) if begun is not None else None
            overdue = until is not None and self._clock.now() > until
            found.append(
                Standing(one.audience, definition.recipient, len(on.there), len(noted), len(on.told), begun, until, overdue)
            )
        return found

    def overdue(self) -> list[Standing]:
        """Where somebody should be off a list by now, longest first."""
        late = [one for one in self.standing() if one.overdue]
        return sorted(late, key=lambda one: (one.until or self._clock.now(), one.audience))

    def of_customer(self, customer: int) -> list[OnList]:
        """The lists that one customer is or was on, for her page. Reads one block of each set."""
        with self._records.reading() as connection:
            lists = [one for one in store.lists_with(connection, customer) if one.state != store.LOST]
            gone, noted = store.removals_with(connection, customer), store.due(connection, customer=customer)
        found = []
        for audience in dict.fromkeys(one.audience for one in lists):
            listed = [one for one in lists if one.audience == audience]
            told = [one for one in gone if one.audience == audience and one.removal > listed[-1].list]
            since = noted[(audience, customer)][1] if (audience, customer) in noted else told[-1].since if told else None
            state = DUE if (audience, customer) in noted else SENT if told else ON
            if told and told[-1].acknowledged is not None:
                state, since = DONE, None
            begun = datetime.fromisoformat(since) if since is not None else None
            late = begun is not None and self._clock.now() > begun + self._allowed(listed[-1].recipient)
            found.append(OnList(audience, listed[-1].recipient, state, begun, late))
        return found

    def _all(self, audience: str | None = None) -> list[tuple[store.Defined, Definition]]:
        with self._records.reading() as connection:
            found = store.all_defined(connection)
        return [(one, read(one.document)) for one in found if audience in (None, one.audience)]

    def _allowed(self, recipient: str) -> timedelta:
        known = self._programme.recipients.get(recipient)
        return timedelta(hours=known.obeys_within_hours if known is not None else HOURS)

    def _described(self, removal: store.Removal, definition: Definition) -> dict[str, Any]:
        made = datetime.fromisoformat(removal.at)
        until = datetime.fromisoformat(removal.since) + self._allowed(removal.recipient)
        return {
            "file": removal.file, "sha256": removal.sha256, "people": removal.people, "recipient": removal.recipient,
            "format": definition.format, "removal": removal.removal, "do": "remove", "made": made.isoformat(timespec="seconds"),
            "acknowledge_until": min(until, made + timedelta(hours=FILE_HOURS)).isoformat(timespec="seconds"),
        }  # fmt: skip

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._programme.country)
