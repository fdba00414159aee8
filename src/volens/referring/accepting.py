"""Somebody accepts an invitation: once in her life, and never so that the way leads back to her.

Rules:
1. Who invited anybody before, or was invited, is refused with the sentence of the rule; the database says the same.
2. Another doubt makes no difference here: what is asked of her is an order, and it is judged then.
3. An invitation for which nothing could count today takes nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from volens.errors import NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.journeys import rows_about
from volens.evidence.log import EVENTS
from volens.holders import Database, Sealer
from volens.identity import store as identity
from volens.identity.names import first_name
from volens.offering import participations
from volens.offering import rules as offered
from volens.offering import version_store as offering
from volens.offering.registry import accepted
from volens.referring import signal_store, store
from volens.referring.addresses import plainer
from volens.referring.facts import Standing
from volens.referring.judging import Judging
from volens.referring.links import Links
from volens.referring.rules import BY_ID, Action
from volens.referring.signals import Hashes, Reached, Signal
from volens.referring.states import BLOCKED, OPEN, REFERRED
from volens.referring.store import Link, Tie

if TYPE_CHECKING:
    from sqlalchemy import Connection

NAMED, TOO_YOUNG = "referral-named", "too-young"
NEW_DAYS = 14
"""How long before she accepts somebody may have become a customer: she made her card first, and opened the link then."""


class NotForHer(Refused):
    """This person cannot accept this invitation. `why`: the rule, whose sentence the page shows, or `too-young`."""

    def __init__(self, why: str) -> None:
        said = BY_ID[why].sentence["en"].rstrip(".") if why in BY_ID else "whoever accepts an invitation is of age"
        super().__init__((said,), "Whoever finds this wrong writes to the contact of the offer.")
        self.why = why


class People(Protocol):
    """What accepting asks of the vault. It keeps nothing of it."""

    def contacts(self, wanted: Sequence[int]) -> Mapping[int, Reached]:
        """How some customers are reached."""

    def known(self, kind: str, values: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """(customer, account) of those of some references that lead to somebody."""


class Accepting:
    """Durable when a method returns."""

    def __init__(
        self, records: Database, people: Sealer, contacts: People, links: Links, judging: Judging,
        hashes: Callable[[str], Hashes], now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._records, self._people, self._contacts, self._links = records, people, contacts, links
        self._judging, self._hashes, self._now = judging, hashes, now

    def accept(self, friend: int, token: str, *, shown: str = "") -> Tie:
        """Somebody accepts. Twice is once. `NotForHer` where a rule excludes it, `NotNow` while nothing could count.

        shown: the first name that her sponsor may read; nothing, and she is one friend among others.
        """
        name = first_name(shown)
        sealed = self._people.seal(friend, name.encode()) if name else None
        with self._records.reading() as connection:
            link = self._links.find(connection, token)
        hers, sponsors, known = self._look(friend, link)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            link = self._links.find(connection, token)
            before = store.tie_of(connection, friend)
            if before is not None and (before.sponsor, before.offer) == (link.customer, link.offer):
                return before
            today = self._judging.day(link.country)
            if why := excluded(connection, friend, link.customer, today):
                raise NotForHer(why)
            self._require_open(connection, link, today)
            signal_store.keep_signals(connection, friend, link.offer, hers)
            signal_store.keep_signals(connection, link.customer, link.offer, sponsors)
            tie = self._tie(connection, friend, link, sealed)
            return self._judge(connection, tie, known or _old(connection, friend, today))

    def known(self, friend: int, link: Link) -> bool:
        """Whether somebody is a customer of before, by this account or another one: her yes would count for nothing."""
        with self._records.reading() as connection:
            old = _old(connection, friend, self._judging.day(link.country))
        return old or self._elsewhere(friend, link)

    def show(self, friend: int, name: str) -> Tie:
        """The first name that her sponsor may read, or none. `NotFound` for who accepted no invitation."""
        name = first_name(name)
        sealed = self._people.seal(friend, name.encode()) if name else None
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            tie = store.tie_of(connection, friend)
            if tie is None:
                raise NotFound("You have accepted no invitation.", "Open the link that you were sent.")
            if tie.shown is None and sealed is None:
                return tie
            log.append(connection, EVENTS, [self._judging.event(NAMED, tie, shown=bool(name))], self._people)
            store.change(connection, tie.number, shown=sealed)
            return replace(tie, shown=sealed)

    def _look(self, friend: int, link: Link) -> tuple[list[Signal], list[Signal], bool]:
        """Signals of both, and whether she is known by another account; outside every transaction."""
        reached, hashes = self._contacts.contacts([friend, link.customer]), self._hashes(link.offer)
        hers, sponsors = (hashes.of_person(reached.get(one)) for one in (friend, link.customer))
        return hers, sponsors, self._elsewhere(friend, link)

    def _elsewhere(self, friend: int, link: Link) -> bool:
        """Whether a form of her e-mail address leads to another customer, who is not the sponsor."""
        reached = self._contacts.contacts([friend])
        forms = [form for email in (reached[friend].emails if friend in reached else ()) for form in plainer(email)]
        return bool(forms) and bool({who[0] for who in self._contacts.known("email", forms).values()} - {friend, link.customer})

    def _require_open(self, connection: Connection, link: Link, today: date) -> None:
        one = participations.current(connection, link.customer, link.offer)
        if one is None:
            raise NotNow("This invitation takes nobody at the moment.", "Ask whoever sent it to you: she has to take part again.")
        document, where = accepted(connection, one.offer, one.version), offering.country(connection, one.offer, one.country)
        offered.counting(one, document, where, today, today).require("This invitation takes nobody now.")

    def _tie(self, connection: Connection, friend: int, link: Link, shown: bytes | None) -> Tie:
        generation = store.generation(connection, link.customer)
        if generation is None:
            raise NotFound("Whoever sent this invitation is gone.", "Ask somebody else for one.")
        event = self._judging.event(REFERRED, _blank(friend, link), sponsor=link.customer)
        number = log.append(connection, EVENTS, [event], self._people)
        store.place(connection, friend, generation + 1)
        tie = Tie(
            number, friend, generation + 1, link.customer, generation, link.offer, link.country, OPEN, self._now().isoformat(),
            None, None, "", "", None, None, "", shown, number,
        )  # fmt: skip
        store.tie(connection, tie)
        return tie

    def _judge(self, connection: Connection, tie: Tie, known: bool) -> Tie:
        verdict = self._judging.verdict(connection, tie, Standing(known_before=known))
        if verdict.action is not Action.BLOCK:
            return tie
        return self._judging.move(connection, tie, BLOCKED, rules=verdict.ids)


def excluded(connection: Connection, friend: int, sponsor: int, today: date) -> str:
    """Why somebody cannot accept an invitation of a sponsor: a rule, or `too-young`; the empty text if she can."""
    if friend == sponsor:
        return "F1-person"
    life = identity.lives_in(rows_about(connection, identity.LIVES, [friend])).get(friend)
    if life is not None and life.minor_until is not None and today < life.minor_until:
        return TOO_YOUNG
    place = store.generation(connection, friend)
    if place is None:
        return ""
    if friend in store.above(connection, sponsor):
        return "F4"
    return "F2-invited" if place else "F2-known"


def _old(connection: Connection, friend: int, today: date) -> bool:
    since = store.known_since(connection, friend)
    return since is not None and date.fromisoformat(since) < today - timedelta(days=NEW_DAYS)


def _blank(friend: int, link: Link) -> Tie:
    """As much of an invitation as its first event says."""
    return Tie(0, friend, 1, link.customer, 0, link.offer, link.country, OPEN, "", None, None, "", "", None, None, "", None, 0)
