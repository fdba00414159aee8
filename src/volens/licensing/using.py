"""The door of licences: a use is planned, its person is told and has her days, then one item goes out for that use alone.

Rules:
1. One use is one item in one place, for one purpose, in one medium and territory. It is planned first, and its person is told.
2. Told means: a letter to her left the house, or she opened the page that shows it. The days of notice count from then.
3. Every hand-over is one committed event, before the bytes leave. The events are held while it is decided: after a withdrawal is
   acknowledged nothing is handed out, however early it was planned or asked for.
4. Bytes are opened before the transaction and given after it. Whoever was erased meanwhile has no licence any more.
5. What was published and what came down is said by whoever publishes, and kept as it was said, also when it came too late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.delivery.message import Draft
from volens.delivery.station import Delivery, Prepared
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.licensing import offered, store, takedowns, words
from volens.licensing.items import media_type
from volens.licensing.states import (
    APPROVED,
    DOWN,
    GIVEN,
    HANDED,
    OUT,
    PLANNED,
    PUBLISHED,
    USE_STEPS,
    Stands,
    Wish,
    against,
    not_approved,
    not_licensed,
    ready_on,
    step,
)  # fmt: skip
from volens.licensing.store import Item, Use
from volens.licensing.takedowns import Proof
from volens.offers.document import Licence

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.delivery.station import People

PLAN, TOLD, OVER, SHOWN = "use-planned", "use-told", "use-handed-over", "use-published"
BY_LETTER, BY_PAGE = "letter", "page"
PLACE_MAX, KEY_MAX = 500, 120
USES_MAX = 200
"""Uses of one item that are planned or out at a time."""


@dataclass(frozen=True)
class Publisher:
    """Who asks: a machine, and the legal entity that it speaks for."""

    machine: str
    recipient: str | None = None
    """As the programme names it; none: the house itself."""
    legal_name: str | None = None


@dataclass(frozen=True)
class Wanted:
    """A use as a publisher plans it."""

    offer: str
    item: str
    purpose: str
    medium: str
    territory: str
    place: str
    """An address, a page, a mailing, a wall: where she can find it."""
    key: str

    def __post_init__(self) -> None:
        if not 0 < len(self.place.strip()) <= PLACE_MAX or "\n" in self.place:
            raise BadInput("Where will it be published?", f"Name the place, in one line of at most {PLACE_MAX} characters.")
        if not 0 < len(self.key) <= KEY_MAX:
            raise BadInput("A plan has a key of its own.", f"Send one of at most {KEY_MAX} characters, the same each time.")


class Using:
    """Durable when a method returns."""

    def __init__(
        self, records: Database, people: People, delivery: Delivery, clock: Clock, country: str, address: str,
        nudge: Callable[[], object],
    ) -> None:  # fmt: skip
        """`nudge` has the outbox delivered soon."""
        self._records, self._people, self._delivery, self._clock = records, people, delivery, clock
        self._country, self._address, self._nudge = country, address, nudge

    # What a publisher does

    def plan(self, by: Publisher, wanted: Wanted) -> Use:
        """Plans a use and tells its person. The same again changes nothing; `Refused` with every reason that stands against it."""
        with self._records.reading() as connection:
            found = _item(connection, wanted)
        message = self._letter(found, wanted)
        sealed = log.seal(found.customer, {"place": wanted.place.strip()}, self._people)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            before = store.planned_before(connection, by.machine, wanted.key)
            if before is not None:
                return _same(before, wanted)
            one, word_version, today = self._planned(connection, by, wanted, message)
            detail = {
                "offer": one.offer, "version": word_version, "item": one.item, "use_purpose": one.purpose, "medium": one.medium,
                "territory": one.territory, "machine": one.machine,
            }  # fmt: skip
            event = Event(
                PLAN, customer=one.customer, recipient=one.recipient, day=today, detail=detail, commitment=sealed[0],
                sealed=sealed[1],
            )  # fmt: skip
            seq = log.append(connection, EVENTS, [event])
            one = replace(one, number=seq, seq=seq)
            store.add_use(connection, one)
            if message is not None:
                self._delivery.queue(connection, message)
        self._nudge()
        return one

    def hand_over(self, by: Publisher, number: int) -> tuple[Use, bytes, str]:
        """One item's bytes for one planned use, with their media type. On record before it returns."""
        self.note_told(number)
        with self._records.reading() as connection:
            one = _theirs(connection, by, number)
            found = store.item(connection, one.item)
        if found is None or found.sealed is None:
            raise Refused(("the item is not there any more",), "Take it out of your list.")
        content = self._people.open(one.customer, found.sealed)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = _theirs(connection, by, number)
            today, reasons = self._against(connection, by, one)
            if reasons:
                raise Refused(reasons, "Nothing was handed out. See: GET /v1/licence-uses")
            state = PUBLISHED if one.state == PUBLISHED else HANDED
            step(USE_STEPS, one.state, state)
            detail = {"use": number, "machine": by.machine}
            event = Event(OVER, customer=one.customer, recipient=one.recipient, day=today, detail=detail)
            seq = log.append(connection, EVENTS, [event])
            since = self._clock.now().isoformat() if one.state == PLANNED else one.since
            store.change_use(connection, number, state=state, since=since, seq=seq)
        return replace(one, state=state, since=since, seq=seq), content, media_type(found.kind)

    def published(self, by: Publisher, number: int, *, at: datetime, place: str = "") -> Use:
        """Since when it is up, and where if that is elsewhere than planned. Twice is once."""
        now = self._clock.now()
        if len(place) > PLACE_MAX or "\n" in place or at > now:
            raise BadInput("Where is it, and since when?", f"Send a place of at most {PLACE_MAX} characters, and an instant.")
        with self._records.reading() as connection:
            one = _theirs(connection, by, number)
        where = place.strip() or one.place
        try:
            sealed: tuple[bytes | None, bytes | None] = log.seal(one.customer, {"place": where}, self._people)
        except NotFound:  # erased meanwhile: where it is must be known all the same, to take it down
            sealed = (None, None)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = _theirs(connection, by, number)
            if one.state == PUBLISHED and (place.strip() in ("", one.place)):
                return one
            step(USE_STEPS, one.state, PUBLISHED)
            detail = {"use": number, "machine": by.machine, "at": at.isoformat()}
            event = Event(
                SHOWN, customer=one.customer, recipient=one.recipient, day=self._day(connection, one), detail=detail,
                commitment=sealed[0], sealed=sealed[1],
            )  # fmt: skip
            seq = log.append(connection, EVENTS, [event])
            changes: dict[str, Any] = {"state": PUBLISHED, "place": where, "since": at.isoformat(), "seq": seq}
            store.change_use(connection, number, **changes)
        return replace(one, **changes)

    def down(self, by: Publisher | None, number: int, proof: Proof) -> Use:
        """It is not there any more, and this shows it. Twice is once. `by` none: somebody of the house, named in the proof."""
        if proof.at > self._clock.now():
            raise BadInput("This is not down yet.", "Send the instant when it was looked at.")
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = _theirs(connection, by, number)
            if one.state == DOWN:
                return one
            takedowns.take_down(connection, one, proof, self._day(connection, one))
            found = store.use(connection, number)
        assert found is not None
        return found

    def cancel(self, by: Publisher, number: int) -> Use:
        """A planned use does not happen. Twice is once."""
        return self._stop(number, lambda connection: _theirs(connection, by, number), "publisher")

    def refuse(self, customer: int, number: int) -> Use:
        """Her no to one use: not handed out any more, and taken down if it was. Everything else goes on. Twice is once."""
        def hers(connection: Connection) -> Use:
            found = store.use(connection, number)
            if found is None or found.customer != customer:
                raise NotFound("There is no such use of yours.", "Go back, and look at the list.")
            return found

        return self._stop(number, hers, takedowns.REFUSAL)

    # Being told

    def note_told(self, number: int | None = None) -> int:
        """Writes down of which uses their people were told by a letter that left; how many."""
        with self._records.reading() as connection:
            waiting = [
                one for one in store.uses_of(connection, states={PLANNED}, untold=True)
                if one.message is not None and number in (None, one.number)
            ]  # fmt: skip
            left = self._delivery.left(connection, [one.message for one in waiting if one.message is not None])
        return sum(self._told(one.number, BY_LETTER, left[one.message]) for one in waiting if one.message in left)

    def seen(self, customer: int) -> int:
        """She opened the page that shows what is planned; how many uses she is told of by it."""
        with self._records.reading() as connection:
            waiting = store.uses_of(connection, customer=customer, states={PLANNED}, untold=True)
        return sum(self._told(one.number, BY_PAGE, self._clock.now()) for one in waiting)

    def _told(self, number: int, how: str, at: datetime) -> bool:
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = store.use(connection, number)
            if one is None or one.told is not None or one.state != PLANNED:
                return False
            word = store.word(connection, one.customer, one.offer, one.purpose)
            if word is None:
                return False
            day = legal_day(at, word.country)
            event = Event(TOLD, customer=one.customer, day=day, detail={"use": number, "how": how})
            log.append(connection, EVENTS, [event])
            store.change_use(connection, number, told=day.isoformat())
        return True

    # How

    def _letter(self, found: Item, wanted: Wanted) -> Prepared | None:
        """The letter that tells of a plan; none for whoever cannot be written to, who is told by her page alone."""
        with self._records.reading() as connection:
            word = store.word(connection, found.customer, found.offer, wanted.purpose)
            if word is None:
                raise Refused(("the licence for this purpose is not given",), "Ask for the items again.")
            _, licence = offered.licence_of(connection, found.offer, word.version)
        language = words.spoken(self._delivery.language_of(found.customer) or word.language)
        on = ready_on(legal_day(self._clock.now(), word.country), licence)
        subject, text = words.letter(
            words.PLANNED, language, item=found.kind, medium=wanted.medium, on=on, place=wanted.place.strip(), address=self._address
        )
        return self._delivery.prepare(Draft(found.customer, words.PLANNED, language, subject, text))

    def _planned(
        self, connection: Connection, by: Publisher, wanted: Wanted, message: Prepared | None
    ) -> tuple[Use, int, date]:
        found = _item(connection, wanted)
        word = store.word(connection, found.customer, wanted.offer, wanted.purpose)
        if word is None:
            raise Refused(("the licence for this purpose is not given",), "Ask for the items again.")
        _, licence = offered.licence_of(connection, wanted.offer, word.version)
        now = self._clock.now()
        today = legal_day(now, word.country)
        stands = Stands(licence, word.version, word.state, found.state, found.kind, found.version, None, None)
        wish = Wish(wanted.purpose, wanted.medium, wanted.territory, by.legal_name, today)
        if reasons := (*not_licensed(stands, wish), *not_approved(stands)):
            raise Refused(reasons, "Ask for the items again.")
        if ready_on(today, licence) > _end(licence):
            raise Refused((f"the licence ends on {licence.ends}, before the days of notice are over",), "Plan no more with it.")
        if len(store.uses_of(connection, item=wanted.item, states={PLANNED, *OUT})) >= USES_MAX:
            raise NotNow(f"This item has {USES_MAX} uses already.", "Take one down first.")
        step(USE_STEPS, None, PLANNED)
        one = Use(
            0, by.machine, wanted.key, by.recipient, wanted.item, found.customer, wanted.offer, word.version, wanted.purpose,
            wanted.medium, wanted.territory, wanted.place.strip(), today.isoformat(),
            message.message if message is not None else None, None, PLANNED, now.isoformat(), 0,
        )  # fmt: skip
        return one, word.version, today

    def _against(self, connection: Connection, by: Publisher, one: Use) -> tuple[date, tuple[str, ...]]:
        """Today in the person's country, and all that stands against handing an item out; under the lock."""
        word, found = store.word(connection, one.customer, one.offer, one.purpose), store.item(connection, one.item)
        if word is None or found is None:
            raise Refused(("the licence for this purpose is not given",), "Nothing was handed out.")
        _, licence = offered.licence_of(connection, one.offer, word.version)
        today = legal_day(self._clock.now(), word.country)
        told = date.fromisoformat(one.told) if one.told is not None else None
        ticket = store.takedown(connection, one.number) is not None
        stands = Stands(licence, word.version, word.state, found.state, found.kind, found.version, one.state, told, ticket)
        return today, against(stands, Wish(one.purpose, one.medium, one.territory, by.legal_name, today))

    def _stop(self, number: int, look: Callable[[Connection], Use], why: str) -> Use:
        now = self._clock.now()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = look(connection)
            today = self._day(connection, one)
            if one.state == PLANNED:
                takedowns.cancel(connection, one, why, today, now)
            elif one.state in OUT and why == takedowns.REFUSAL and store.takedown(connection, number) is None:
                _, licence = offered.licence_of(connection, one.offer, one.version)
                takedowns.open_one(connection, one, licence, why, ended=today, today=today)
            elif one.state in OUT and why != takedowns.REFUSAL:
                raise NotNow("The item was handed out for this use.", "Say that it is down, with a proof.")
            found = store.use(connection, number)
        assert found is not None
        return found

    def _day(self, connection: Connection, one: Use) -> date:
        """Today in the country of a use's person; in that of the house, once she is erased."""
        word = store.word(connection, one.customer, one.offer, one.purpose)
        return legal_day(self._clock.now(), word.country if word is not None else self._country)


def usable(connection: Connection, by: Publisher, offer: str, wish: Wish) -> list[Item]:
    """The items of an offer that somebody may plan a use of; without their bytes."""
    found = []
    for one in store.items_of(connection, offer=offer, states={APPROVED}):
        word = store.word(connection, one.customer, offer, wish.purpose)
        if word is None or word.state != GIVEN:
            continue
        _, licence = offered.licence_of(connection, offer, word.version)
        stands = Stands(licence, word.version, word.state, one.state, one.kind, one.version, None, None)
        if not not_licensed(stands, wish) and not not_approved(stands):
            found.append(one)
    return found


def _end(licence: Licence) -> date:
    return licence.ends if licence.ends is not None else date.min


def _item(connection: Connection, wanted: Wanted) -> Item:
    found = store.item(connection, wanted.item)
    if found is None or found.offer != wanted.offer:
        raise NotFound("There is no such item.", "Ask for the items that may be used: GET /v1/licences/{offer}/items")
    return found


def _theirs(connection: Connection, by: Publisher | None, number: int) -> Use:
    """A use that somebody planned; `NotFound` for anybody else's. `by` none: the house looks."""
    found = store.use(connection, number)
    if found is None or (by is not None and found.recipient != by.recipient):
        raise NotFound("There is no such use of yours.", "See: GET /v1/licence-uses")
    return found


def _same(before: Use, wanted: Wanted) -> Use:
    told = (before.offer, before.item, before.purpose, before.medium, before.territory)
    if told != (wanted.offer, wanted.item, wanted.purpose, wanted.medium, wanted.territory):
        raise NotNow("This key stands for another plan.", "Give every plan a key of its own.")
    return before
