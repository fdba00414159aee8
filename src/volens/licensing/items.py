"""What somebody gives to be published: one photo, one name, one review at a time, each seen as it will appear, then said yes to.

Rules:
1. Bytes are sealed under their person's key before any transaction, and are never written down otherwise.
2. The yes to an item is to these bytes, under this version of the offer: its event holds their SHA-256, sealed. Under a further
   version it is asked for again.
3. Deleting takes the bytes away in the same transaction that opens the take-downs of what was made of them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.licensing import offered, store, takedowns
from volens.licensing.pictures import MEDIA_TYPE, redrawn
from volens.licensing.states import ADDED, APPROVED, DELETED, GIVEN, ITEM_STEPS, step
from volens.licensing.store import Item, Word
from volens.licensing.texts import CHARACTERS_MAX, TEXT_TYPE, written
from volens.offers.document import Item as Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.delivery.station import People

KIND_OF: Mapping[str, str] = {ADDED: "item-added", APPROVED: "item-approved", DELETED: "item-deleted"}
"""The event that leads to each state."""
ITEMS_MAX = 20
"""Things of one person for one offer that are there at a time."""
GIVEN_AS = frozenset({Kind.PHOTO, *CHARACTERS_MAX})
"""Kinds that can be given here. A voice cannot be, yet."""


class Items:
    """Durable when a method returns."""

    def __init__(self, records: Database, people: People, clock: Clock) -> None:
        self._records, self._people, self._clock = records, people, clock

    def add_photo(self, customer: int, offer: str, file: bytes) -> Item:
        """A photo as it was uploaded; what is kept is drawn anew. `pictures.NoPhoto` says what is wrong with it."""
        self._word(customer, offer, Kind.PHOTO)
        return self._add(customer, offer, Kind.PHOTO, redrawn(file))

    def add_text(self, customer: int, offer: str, kind: str, text: str) -> Item:
        """A first name, a user name, a town or a review."""
        content = written(kind, text)
        self._word(customer, offer, kind)
        return self._add(customer, offer, kind, content)

    def content(self, customer: int, item: str) -> tuple[Item, bytes, str]:
        """One of somebody's own things, its bytes and their media type. `NotFound` for anybody else's."""
        with self._records.reading() as connection:
            found = _hers(connection, customer, item)
        if found.sealed is None:
            raise NotFound("It is deleted.", "Add it again if you like.")
        return found, self._people.open(customer, found.sealed), media_type(found.kind)

    def approve(self, customer: int, item: str) -> Item:
        """Yes to exactly this, under the version of the offer that she accepted. Twice is once."""
        found, content, _ = self.content(customer, item)
        sealed = log.seal(customer, {"item": item, "sha256": hashlib.sha256(content).hexdigest()}, self._people)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            now = _hers(connection, customer, item)
            given = _given(connection, customer, found.offer)
            version = max(one.version for one in given)
            if now.state == APPROVED and now.version == version:
                return now
            step(ITEM_STEPS, now.state, APPROVED)
            return self._move(connection, now, APPROVED, given[0].country, version=version, sealed=sealed)

    def delete(self, customer: int, item: str) -> Item:
        """The bytes go; what was made of them has to come down. Twice is once."""
        instant = self._clock.now()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            now = _hers(connection, customer, item)
            if now.state == DELETED:
                return now
            step(ITEM_STEPS, now.state, DELETED)
            country = store.words(connection, customer=customer, offer=now.offer)[0].country
            gone = self._move(connection, now, DELETED, country, version=now.version, sealed=None)
            left = [one for one in store.still_out(connection, customer) if one.item == item]
            licences = {
                (one.offer, one.version): offered.licence_of(connection, one.offer, one.version)[1] for one in left
            }
            today = legal_day(instant, country)
            takedowns.end_uses(connection, left, licences, takedowns.DELETION, ended=today, today=today, now=instant)
        return gone

    def _add(self, customer: int, offer: str, kind: str, content: bytes) -> Item:
        bytes_sealed, now = self._people.seal(customer, content), self._clock.now()
        name = secrets.token_hex(16)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            given = _given(connection, customer, offer)
            there = store.items_of(connection, customer=customer, offer=offer, states={ADDED, APPROVED})
            if len(there) >= ITEMS_MAX:
                raise NotNow(f"There are {ITEMS_MAX} things already.", "Delete one first.")
            step(ITEM_STEPS, None, ADDED)
            today = legal_day(now, given[0].country)
            detail = {"item": name, "offer": offer, "item_kind": kind}
            seq = log.append(connection, EVENTS, [Event(KIND_OF[ADDED], customer=customer, day=today, detail=detail)])
            one = Item(name, customer, offer, kind, ADDED, None, today.isoformat(), bytes_sealed, seq)
            store.add_item(connection, one)
        return one

    def _move(
        self, connection: Connection, one: Item, state: str, country: str, *, version: int | None, sealed: tuple[bytes, bytes] | None
    ) -> Item:
        today = legal_day(self._clock.now(), country)
        detail = {"item": one.item, "offer": one.offer, "item_kind": one.kind, "version": version}
        commitment, private = sealed if sealed is not None else (None, None)
        event = Event(KIND_OF[state], customer=one.customer, day=today, detail=detail, commitment=commitment, sealed=private)
        seq = log.append(connection, EVENTS, [event])
        store.move_item(connection, one.item, state, seq, version)
        return replace(one, state=state, version=version, seq=seq)

    def _word(self, customer: int, offer: str, kind: str) -> Word:
        """Her yes, under which something of a kind can be given."""
        with self._records.reading() as connection:
            given = _given(connection, customer, offer)
            wanted = [one for one in given if kind in offered.licence_of(connection, offer, one.version)[1].items]
        if not wanted or kind not in GIVEN_AS:
            raise BadInput(f"The licence does not name {kind!r}, or it cannot be given here.", "See its terms.")
        return wanted[0]


def media_type(kind: str) -> str:
    """How the bytes of a kind are read."""
    return MEDIA_TYPE if kind == Kind.PHOTO else TEXT_TYPE


def _hers(connection: Connection, customer: int, item: str) -> Item:
    found = store.item(connection, item)
    if found is None or found.customer != customer:
        raise NotFound("There is no such thing of yours.", "Go back, and look at the list.")
    return found


def _given(connection: Connection, customer: int, offer: str) -> list[Word]:
    given = [one for one in store.words(connection, customer=customer, offer=offer) if one.state == GIVEN]
    if not given:
        raise NotNow("There is no licence of yours for this offer.", "Say yes to one of its purposes first.")
    return given
