"""What people were told, against what was really used; and what happens where more was used than told.

Rules:
1. Everything is counted on the record: the reads, what left, the feeds that came, the keys that called. Nothing here looks at the
   programme alone, and nothing shares code with the gate that let a use happen.
2. What was used and is named by no text that counted then raises an incident, and in the same transaction its flow is closed:
   nothing goes to that recipient for that purpose any more, whoever permits it. The same for a feed that brings what no category
   names.
3. A flow is opened again by a person, with a reason. What was found then is not found again; what is new is.
4. What the law asks for is not closed: an incident is raised, and the person who protects the data sees it.
5. There is no table: incidents are events, and follow from the record like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.ended import FLOW_CLOSED, FLOW_OPENED, ended
from volens.evidence.log import EVENTS, PUBLIC, Event
from volens.holders import Database
from volens.ingest.mapping import Mapping as Feed
from volens.programme.model import Basis, Programme, Purpose
from volens.programme.parties import Role
from volens.rulebooks import terms
from volens.told import store
from volens.told.flows import Flow, Kind
from volens.told.store import Used

if TYPE_CHECKING:
    from sqlalchemy import Connection

INCIDENT, SOURCE_CLOSED, SOURCE_OPENED = "told-incident", "source-closed", "source-opened"
WHY_MAX, BY_MAX = 300, 120
BECOMES: Mapping[str, tuple[str, ...]] = {
    "card": ("card_number", "account"), "email": ("email", "account"), "store": ("store",), "till": ("basket",),
    "receipt": ("basket",), "line": ("basket",), "time": ("ts", "day", "minute"), "date": ("day",), "clock": ("minute",),
    "sku": ("product",),
    "quantity": ("quantity",), "unit": ("unit",), "amount": ("amount",), "discount": ("discount",), "currency": ("currency",),
    "kind": ("quantity",),
}  # fmt: skip
"""What a feed's columns are called once they are in the house."""
More = Callable[["Connection", date], Iterable[Flow]]
"""Other stations' flows: offers, licences, machines."""


@dataclass(frozen=True)
class Incident:
    """More was used than told. `opened` is none while its flow is closed."""

    seq: int
    day: str
    kind: str
    name: str
    recipient: str | None
    items: tuple[str, ...]
    opened: int | None


class Told:
    """Told against used, of one house."""

    def __init__(
        self, records: Database, programme: Programme, clock: Clock, feeds: Callable[[], Sequence[Feed]], more: Sequence[More] = ()
    ) -> None:
        self._records, self._programme, self._clock, self._feeds, self._more = records, programme, clock, feeds, more

    @property
    def today(self) -> date:
        """The legal day of the house."""
        return legal_day(self._clock.now(), self._programme.country)

    def flows(self) -> list[Flow]:
        """Every flow: purposes by recipient, feeds, and what the other stations know of. Changes nothing."""
        feeds = self._feeds()
        with self._records.reading() as connection:
            return self._all(connection, feeds)

    def check(self) -> list[Incident]:
        """Raises an incident for everything that was used and not told, and closes its flow; those that are new."""
        feeds, new = self._feeds(), set[int]()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            for flow in self._all(connection, feeds):
                if flow.unexplained:
                    new.add(log.append(connection, EVENTS, list(self._events(flow))))
        return [one for one in self.incidents() if one.seq in new]

    def incidents(self) -> list[Incident]:
        """Everything that was ever used and not told, newest first."""
        with self._records.reading() as connection:
            return sorted(_incidents(connection), key=lambda one: -one.seq)

    def open_again(self, name: str, recipient: str | None, *, why: str, by: str) -> None:
        """Opens a flow that was closed: a purpose for a recipient, or a feed. Twice is once."""
        if not why.strip() or len(why) > WHY_MAX or not by.strip() or len(by) > BY_MAX:
            raise BadInput("Opening again needs a reason and a name.", f"Say why, in at most {WHY_MAX} characters, and by whom.")
        detail = {"why": why.strip(), "by": by.strip()}
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            there = [one for one in _incidents(connection) if (one.name, one.recipient) == (name, recipient)]
            if not there:
                raise NotFound("Nothing was ever closed there.", "See: volens told")
            if all(one.opened is not None for one in there):
                return
            if recipient is None:
                event = Event(SOURCE_OPENED, day=self.today, detail={"source": name, **detail})
            else:
                event = Event(FLOW_OPENED, purpose=name, recipient=recipient, day=self.today, detail=detail)
            log.append(connection, EVENTS, [event])

    def require_open(self, source: str) -> None:
        """`NotNow` if a feed brought what nobody was told, and nobody has opened it again."""
        with self._records.reading() as connection:
            if source in _closed_sources(connection):
                raise NotNow(
                    f"The feed {source!r} is closed: it brings what no category of the programme names.",
                    "See: volens told. Name it in categories.yaml or take it out of the mapping, then: volens told open",
                )

    # What is used

    def _all(self, connection: Connection, feeds: Sequence[Feed]) -> list[Flow]:
        uses = list(store.used(connection))
        born = next((row.day for row in log.rows(connection, PUBLIC, kinds=["programme", "key"]) if row.day), None)
        start = date.fromisoformat(born) if born is not None else self.today
        flows = [*self._purposes(connection, uses, start), *self._sources(connection, feeds, uses, start)]
        for more in self._more:
            flows += more(connection, self.today)
        return flows

    def _purposes(self, connection: Connection, uses: Sequence[Used], start: date) -> Iterator[Flow]:
        closed, looked_into = ended(connection).flows, _looked_into(connection)
        ends = {str(row.text): row.seq for row in log.rows(connection, EVENTS, kinds=[log.TEXT_INVALIDATED])}
        current = terms(self._programme, self.today).current
        for purpose in self._programme.purposes.values():
            now = self._programme.texts.get(current.get(purpose.id, ""))
            for recipient in self._recipients(purpose, uses):
                mine = [one for one in uses if (one.purpose, one.recipient) == (purpose.id, recipient)]
                fresh = [one for one in mine if one.last_seq > looked_into.get((purpose.id, recipient), -1)]
                not_told = frozenset(field for one in fresh for field in set(one.fields) - self._allowed(purpose, one, ends))
                named = purpose.fields if purpose.basis is Basis.LEGAL_OBLIGATION else frozenset[str]()
                if now is not None and recipient in now.recipients:
                    named = now.fields
                yield Flow(
                    self._kind(recipient), purpose.id, recipient, named, _by_item(mine),
                    max(start, now.valid_from) if now is not None else start, max((one.last for one in mine), default=None),
                    not_told, (purpose.id, recipient) in closed,
                )  # fmt: skip

    def _recipients(self, purpose: Purpose, uses: Sequence[Used]) -> list[str]:
        """Whom it is declared for, and whoever got something for it all the same."""
        return sorted({*purpose.recipients, *(one.recipient for one in uses if one.purpose == purpose.id)})

    def _allowed(self, purpose: Purpose, use: Used, ends: Mapping[str, int]) -> frozenset[str]:
        """What the texts that counted when something was last used named to its recipient."""
        if purpose.basis is Basis.LEGAL_OBLIGATION:
            return purpose.fields if use.recipient in purpose.recipients else frozenset()
        texts = (one for one in self._programme.texts_of(purpose.id) if use.recipient in one.recipients)
        counted = (one for one in texts if one.stands(use.last) and ends.get(one.id, use.last_seq + 1) > use.last_seq)
        return frozenset(field for one in counted for field in one.fields)

    def _kind(self, recipient: str) -> Kind:
        found = self._programme.recipients.get(recipient)
        return Kind.SUPPLIER if found is not None and found.role is Role.SUPPLIER else Kind.PURPOSE

    def _sources(self, connection: Connection, feeds: Sequence[Feed], uses: Sequence[Used], start: date) -> Iterator[Flow]:
        declared = {field for one in self._programme.categories.values() for field in one.fields}
        read, closed, incidents = _by_item(uses), _closed_sources(connection), _incidents(connection)
        by_source = dict[str, set[str]]()
        for feed in feeds:
            by_source.setdefault(feed.source, set()).update(feed.columns)
        for source, columns in sorted(by_source.items()):
            named = frozenset(one for one in columns if one in BECOMES)
            found = {item for one in incidents if (one.name, one.recipient) == (source, None) for item in one.items}
            not_told = frozenset(one for one in named if not set(BECOMES[one]) & declared) - found
            times = {one: sum(read.get(field, 0) for field in BECOMES[one]) for one in named}
            yield Flow(
                Kind.SOURCE, source, None, named, {one: count for one, count in times.items() if count}, start,
                max((one.last for one in uses), default=None), not_told, source in closed,
            )  # fmt: skip

    # What follows

    def _events(self, flow: Flow) -> Iterator[Event]:
        purpose = flow.name if flow.recipient is not None else None
        detail = {"kind": flow.kind.value, "name": flow.name, "items": sorted(flow.unexplained)}
        yield Event(INCIDENT, purpose=purpose, recipient=flow.recipient, day=self.today, detail=detail)
        if flow.kind is Kind.SOURCE:
            yield Event(SOURCE_CLOSED, day=self.today, detail={"source": flow.name})
        elif purpose is not None and self._programme.purposes[purpose].basis is not Basis.LEGAL_OBLIGATION:
            yield Event(FLOW_CLOSED, purpose=purpose, recipient=flow.recipient, day=self.today, detail={"items": detail["items"]})


def _incidents(connection: Connection) -> list[Incident]:
    found = dict[tuple[str, str | None], list[Incident]]()
    for row in log.rows(connection, EVENTS, kinds=[INCIDENT, FLOW_OPENED, SOURCE_OPENED]):
        said = row.said()
        if row.kind == INCIDENT:
            one = Incident(row.seq, str(row.day), said["kind"], said["name"], row.recipient, tuple(said["items"]), None)
            found.setdefault((one.name, one.recipient), []).append(one)
            continue
        key = (str(said["source"]), None) if row.kind == SOURCE_OPENED else (str(row.purpose), row.recipient)
        found[key] = [replace(one, opened=one.opened or row.seq) for one in found.get(key, [])]
    return [one for listed in found.values() for one in listed]


def _looked_into(connection: Connection) -> dict[tuple[str, str], int]:
    """The newest incident of each flow, or when it was opened again: what happened before is known."""
    rows = log.rows(connection, EVENTS, kinds=[INCIDENT, FLOW_OPENED])
    return {(str(row.purpose), str(row.recipient)): row.seq for row in rows if row.purpose is not None}


def _by_item(uses: Iterable[Used]) -> dict[str, int]:
    found = dict[str, int]()
    for one in uses:
        for field in one.fields:
            found[field] = found.get(field, 0) + one.times
    return found


def _closed_sources(connection: Connection) -> set[str]:
    closed = set[str]()
    for row in log.rows(connection, EVENTS, kinds=[SOURCE_CLOSED, SOURCE_OPENED]):
        (closed.add if row.kind == SOURCE_CLOSED else closed.discard)(str(row.said()["source"]))
    return closed
