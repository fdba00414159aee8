"""Licences as the house hands them out (`house.licences`): given, filled with items, used, taken down; and what pages show of them.

Rules:
1. What a page shows is what the door enforces: both read the same words, items and documents.
2. Her page says of every use where it is and since when, and of everything that has to come down until when, until it is proven.
3. At night what ran out ends, and whoever waits for something that is overdue is told, once.
4. Where every card of a number is another's by now, nobody could take its licences back any more: at night they end as if
   taken back, and what was given under them is deleted. What they earned follows the card (`wallet.leaving`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.delivery.message import Draft
from volens.delivery.station import Delivery
from volens.errors import BadInput, NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS, SALT_BYTES, Event
from volens.holders import Database
from volens.identity import links
from volens.identity import store as identity
from volens.licensing import offered, rewards, store, takedowns, words
from volens.licensing.giving import INSTEAD_KIND, Giving, life_of
from volens.licensing.items import GIVEN_AS, Items
from volens.licensing.offered import Current
from volens.licensing.states import ADDED, APPROVED, DONE, GIVEN, OPEN, PLANNED, Wish, ready_on
from volens.licensing.store import Instead, Item, Takedown, Use, Word
from volens.licensing.takedowns import Proof
from volens.licensing.using import Publisher, Using, usable
from volens.offers.document import Licence, Medium, Offer, Purpose
from volens.permissions.minors import Minors

if TYPE_CHECKING:
    from volens.delivery.station import People
    from volens.wallet.store import Claim

WARNED = "takedown-overdue"
LISTED_MAX = 1_000
"""What one answer lists at most."""


@dataclass(frozen=True)
class Chance:
    """An offer's licence as somebody who may choose sees it."""

    current: Current
    words: Mapping[str, Word | None]
    """By purpose, her last word."""
    earned: Claim | None
    """What her licence earned."""
    instead: Instead | None
    closed: tuple[str, ...]
    """Why nobody new can say yes here now: words that pages know (`offering.rules.SENTENCES`), and `minor`."""


@dataclass(frozen=True)
class Placed:
    """One use as its person sees it."""

    use: Use
    kind: str
    """What it is: a photo, a first name."""
    ready: date | None
    """From which day on it may be published, once she was told."""
    takedown: Takedown | None
    overdue: bool


@dataclass(frozen=True)
class Held:
    """What somebody has to do with one offer's licence."""

    offer: Offer
    licence: Licence
    words: tuple[Word, ...]
    items: tuple[Item, ...]
    uses: tuple[Placed, ...]

    @property
    def given(self) -> bool:
        """Whether any purpose stands."""
        return any(one.state == GIVEN for one in self.words)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of things that can be added now."""
        return tuple(sorted(self.licence.items & GIVEN_AS)) if self.given else ()


@dataclass(frozen=True)
class Owed:
    """One thing that has to come down, as staff and publishers see it."""

    takedown: Takedown
    use: Use
    overdue: bool


class Licences:
    """Durable when a method returns."""

    def __init__(
        self, records: Database, people: People, delivery: Delivery, minors: Minors, clock: Clock, country: str, address: str,
        nudge: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        """`address`: where people reach the house on the web; `nudge` has the outbox delivered soon."""
        self._records, self._people, self._delivery, self._minors = records, people, delivery, minors
        self._clock, self._country, self._address, self._nudge = clock, country, address, nudge
        self.giving = Giving(records, people, clock, minors)
        self.items = Items(records, people, clock)
        self.using = Using(records, people, delivery, clock, country, address, nudge)

    # For her

    def chance(self, customer: int, offer: str) -> Chance:
        """An offer's licence, with what she said so far. `NotFound` if the offer has none."""
        with self._records.reading() as connection:
            found = offered.current(connection, offer)
            life = life_of(connection, customer)
            if found is None or life is None:
                raise NotFound("This offer has no licence.", "See the offers: /offres")
            today = legal_day(self._clock.now(), life.country)
            closed = offered.opening(connection, found.offer, life.country, today).codes
            if found.licence.ends is None or today > found.licence.ends:
                closed = (*closed, "over") if "over" not in closed else closed
            until = self._minors.stands(life)
            if until is not None and today < until:
                closed = ("minor",)
            said = {str(one): store.word(connection, customer, offer, one) for one in sorted(found.licence.purposes)}
            return Chance(
                found, said, rewards.earned(connection, offer, customer),
                store.instead(connection, customer, offer), closed,
            )  # fmt: skip

    def of_customer(self, customer: int) -> tuple[Held, ...]:
        """All her licences, things and uses, by offer; also of what ended, until everything is down."""
        with self._records.reading() as connection:
            said = store.words(connection, customer=customer)
            items = store.items_of(connection, customer=customer)
            kinds = {one.item: one.kind for one in items}
            uses = store.uses_of(connection, customer=customer)
            tickets = {one.number: one for one in store.takedowns_of(connection, customer=customer)}
            found = []
            for name in sorted({one.offer for one in said}):
                mine = tuple(one for one in said if one.offer == name)
                version = max((one.version for one in mine if one.state == GIVEN), default=max(one.version for one in mine))
                offer, licence = offered.licence_of(connection, name, version)
                today = legal_day(self._clock.now(), mine[0].country)
                placed = tuple(
                    _placed(one, kinds[one.item], licence, tickets.get(one.number), today) for one in uses if one.offer == name
                )
                there = tuple(one for one in items if one.offer == name and one.state in (ADDED, APPROVED))
                found.append(Held(offer, licence, mine, there, placed))
        return tuple(found)

    # For publishers

    def usable(self, by: Publisher, offer: str, *, purpose: str, medium: str, territory: str) -> list[Item]:
        """The items of an offer of which this publisher may plan a use; without their bytes."""
        _require(purpose, Purpose, "purpose")
        _require(medium, Medium, "medium")
        wish = Wish(purpose, medium, territory, by.legal_name, legal_day(self._clock.now(), self._country))
        with self._records.reading() as connection:
            return usable(connection, by, offer, wish)[:LISTED_MAX]

    def uses(self, by: Publisher, offer: str | None = None) -> list[Placed]:
        """What this publisher planned and has out, newest first."""
        return self._listed(lambda one: one.recipient == by.recipient, offer)

    def all_uses(self) -> list[Placed]:
        """What anybody planned and has out, newest first."""
        return self._listed(lambda one: True, None)

    def _listed(self, wanted: Callable[[Use], bool], offer: str | None) -> list[Placed]:
        with self._records.reading() as connection:
            found = [one for one in store.uses_of(connection, offer=offer) if wanted(one)][-LISTED_MAX:]
            tickets = {one.number: one for one in store.takedowns_of(connection)}
            today = legal_day(self._clock.now(), self._country)
            licences = {(one.offer, one.version): offered.licence_of(connection, one.offer, one.version)[1] for one in found}
            return [
                _placed(one, "", licences[one.offer, one.version], tickets.get(one.number), today) for one in reversed(found)
            ]

    def owed(self, by: Publisher | None = None) -> list[Owed]:
        """What has to come down, the most urgent first; of one publisher, or of all."""
        today = legal_day(self._clock.now(), self._country)
        found = []
        with self._records.reading() as connection:
            for ticket in store.takedowns_of(connection, state=OPEN):
                use = store.use(connection, ticket.number)
                if use is not None and (by is None or use.recipient == by.recipient):
                    found.append(Owed(ticket, use, date.fromisoformat(ticket.due) < today))
        return found

    # For staff

    def counts(self) -> dict[str, int]:
        """How many licences stand, things are approved, uses are out, take-downs are open and overdue."""
        with self._records.reading() as connection:
            given = len(store.words(connection, state=GIVEN))
            approved = len(store.items_of(connection, states={APPROVED}))
            uses = store.uses_of(connection)
        owed = self.owed()
        out = sum(one.state in ("handed", "published") for one in uses)
        planned = sum(one.state == PLANNED for one in uses)
        overdue = sum(one.overdue for one in owed)
        return {"given": given, "approved": approved, "planned": planned, "out": out, "open": len(owed), "overdue": overdue}

    def done(self, number: int, *, at: datetime, by: str, status: int | None = None, note: str = "") -> Use:
        """Somebody of the house says that something is down, and how it looks there now."""
        return self.using.down(None, number, Proof(at, by, status, note))

    def offers(self, state: str = GIVEN) -> list[Word]:
        """Everybody's words of a state, by number of person: for the command line."""
        with self._records.reading() as connection:
            return store.words(connection, state=state)[:LISTED_MAX]

    def answers(self, offer: str) -> list[tuple[int, tuple[str, ...]]]:
        """(version, answers) of everybody who answered an offer's survey and is still here, in the order of the answers, not of
        the people: who said what is not in it."""
        found = []
        with self._records.reading() as connection:
            rows = [row for row in log.rows(connection, EVENTS, kinds=[INSTEAD_KIND[DONE]]) if row.said()["offer"] == offer]
        for row in rows:
            if row.sealed is None or row.customer is None:
                continue  # a machine of the house reported it
            try:
                plain = self._people.open(row.customer, row.sealed)
            except NotFound:
                continue  # her key is gone
            found.append((int(row.said()["version"]), tuple(json.loads(plain[SALT_BYTES:])["answers"])))
        return sorted(found)

    # At night

    def nightly(self) -> dict[str, int]:
        """Ends what ran out, notes who was told, tells whoever waits for what is overdue, forgets what came down of the erased."""
        self._leave()
        expired, told = self.giving.expire(), self.using.note_told()
        lapsed, warned = self.giving.lapse(), self._warn()
        return {"expired": expired, "lapsed": lapsed, "told": told, "warned": warned, "forgotten": self._forget_done()}

    def _leave(self) -> None:
        with self._records.reading() as connection:
            left = [one for one in links.formers(connection) if not identity.accounts_of(connection, one)]
            kept = {one: store.items_of(connection, customer=one, states={ADDED, APPROVED}) for one in left}
            given = [one for one in left if store.words(connection, customer=one, state=GIVEN)]
        for former in given:
            self.giving.withdraw_all(former, takedowns.WITHDRAWAL)
        for former, items in kept.items():
            for item in items:
                self.items.delete(former, item.item)

    def _warn(self) -> int:
        """One letter a take-down that is overdue; nobody is told twice."""
        told = 0
        for one in self.owed():
            if one.overdue and one.takedown.warned is None:
                told += self._warn_of(one)
        return told

    def _warn_of(self, one: Owed) -> bool:
        customer, today = one.use.customer, legal_day(self._clock.now(), self._country)
        with self._records.reading() as connection:
            word = store.word(connection, customer, one.use.offer, one.use.purpose)
            item = store.item(connection, one.use.item)
        message = None
        if word is not None and item is not None:
            language = words.spoken(self._delivery.language_of(customer) or word.language)
            subject, text = words.letter(
                words.OVERDUE, language, item=item.kind, medium=one.use.medium, on=one.takedown.due, place=one.use.place,
                address=self._address,
            )  # fmt: skip
            message = self._delivery.prepare(Draft(customer, words.OVERDUE, language, subject, text))
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            now = store.takedown(connection, one.use.number)
            if now is None or now.state != OPEN or now.warned is not None:
                return False
            log.append(connection, EVENTS, [Event(WARNED, customer=customer, day=today, detail={"use": one.use.number})])
            store.change_takedown(connection, one.use.number, warned=today.isoformat())
            if message is not None:
                self._delivery.queue(connection, message)
        self._nudge()
        return True

    def _forget_done(self) -> int:
        with self._records.writing() as connection:
            return store.forget_done(connection, log.customers_of_kind(connection, "erased"))


def _placed(one: Use, kind: str, licence: Licence, ticket: Takedown | None, today: date) -> Placed:
    ready = ready_on(date.fromisoformat(one.told), licence) if one.told is not None else None
    overdue = ticket is not None and ticket.state == OPEN and date.fromisoformat(ticket.due) < today
    return Placed(one, kind, ready, ticket, overdue)


def _require(value: str, kinds: type[Purpose] | type[Medium], what: str) -> None:
    known: Sequence[str] = [one.value for one in kinds if one.value != "any"]
    if value not in known:
        raise BadInput(f"There is no {what} {value!r}.", f"Send one of: {', '.join(known)}.")
