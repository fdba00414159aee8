"""Invitations as the house hands them out (`house.referring`): linked, accepted, ordered, held, contested, decided, told.

Rules:
1. The sponsor shares her link herself; no address of a friend, and no address book, ever comes here.
2. One friend who orders is one act of the sponsor's participation; what it earns is the wallet's.
3. What the rules need of people goes 30 days after the campaign. That somebody was invited once stays with her account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from volens.clock import Clock
from volens.errors import NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database, Sealer
from volens.offering import participations, version_store
from volens.offering import rules as offered
from volens.offering import store as offering
from volens.offering.registry import accepted, document, in_force
from volens.offers.document import Kind, Offer
from volens.referring import signal_store, store
from volens.referring.accepting import Accepting, People, excluded
from volens.referring.deciding import Deciding
from volens.referring.judging import Judging
from volens.referring.links import Links, Mac
from volens.referring.orders import Orders, Reported
from volens.referring.signals import Hashes
from volens.referring.states import HELD, RETURNED
from volens.referring.store import Link, Tie
from volens.referring.told import Invitation, Invited, Sponsoring, line_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.wallet.store import Claim

FORGOTTEN = "referral-forgotten"
KEPT_DAYS = 30
"""How long after the last day of a campaign its signals are kept."""


class Opener(Sealer, Protocol):
    """Seals under a person's key, and opens what was sealed."""

    def open(self, customer: int, sealed: bytes) -> bytes:
        """Gives back what `seal` took; `NotFound` once the key is destroyed."""


@dataclass(frozen=True)
class Night:
    """What a night did."""

    released: int
    counted: int
    campaigns: int


class Referring:
    """Durable when a method returns."""

    def __init__(
        self, records: Database, people: Opener, contacts: People, find: Callable[[str, str], tuple[int, int]], mac: Mac,
        clock: Clock, country: str,
    ) -> None:  # fmt: skip
        self._records, self._people = records, people
        self._judging = Judging(people, clock, country)
        self.links = Links(records, people, mac, self._judging.day)

        def hashes(offer: str) -> Hashes:
            return Hashes(mac, offer)

        self._accepting = Accepting(records, people, contacts, self.links, self._judging, hashes, clock.now)
        self._orders = Orders(records, self._judging, hashes, find, clock.now)
        self._deciding = Deciding(records, self._judging)

    # The sponsor

    def link(self, customer: int, offer: str, *, shown: str | None = None) -> Link:
        """Somebody's link for an offer that she takes part in; what waited for her to take part again is counted."""
        with self._records.reading() as connection:
            one = participations.current(connection, customer, offer) or offering.newest(connection, customer, offer)
            _offer(connection, offer, one.version if one is not None else None)
        made = self.links.make(customer, offer, shown=shown)
        self._orders.settle_of(customer, offer)
        return made

    def end_link(self, customer: int, offer: str) -> None:
        """Her link leads nowhere from now on."""
        self.links.end(customer, offer)

    def sponsoring(self, customer: int, offer: str) -> Sponsoring:
        """Her page for one offer; `NotFound` for an offer that is none, or for which nobody is invited."""
        with self._records.reading() as connection:
            one = participations.current(connection, customer, offer) or offering.newest(connection, customer, offer)
            told = _offer(connection, offer, one.version if one is not None else None)
            link = store.live_link(connection, customer, offer)
            ties = store.ties_of(connection, customer, offer)
            held = one is not None and bool(store.held_in(connection, one.id))
            takes = self._takes(connection, customer, offer, one.country if one is not None else "")
        return Sponsoring(
            told, one, self.links.token(link) if link is not None else "", self._name(customer, link.shown if link else None),
            tuple(line_of(tie, self._name(tie.friend, tie.shown), sponsor=True) for tie in ties), held, takes,
        )  # fmt: skip

    # The friend

    def invitation(self, token: str, visitor: int | None) -> Invitation:
        """What opening a link shows; `LinkGone` for one that leads nowhere. Changes nothing."""
        with self._records.reading() as connection:
            link = self.links.find(connection, token)
            one, day = participations.current(connection, link.customer, link.offer), self._judging.day(link.country)
            told = _offer(connection, link.offer, one.version if one is not None else None)
            counts = self._takes(connection, link.customer, link.offer, link.country)
            tie = store.tie_of(connection, visitor) if visitor is not None else None
            hers = tie is not None and (tie.sponsor, tie.offer) == (link.customer, link.offer)
            against = excluded(connection, visitor, link.customer, day) if visitor is not None and not hers else ""
        if visitor is not None and not hers and not against and self._accepting.known(visitor, link):
            against = "F2-known"  # nobody is asked for a yes that would count for nothing
        name = self._name(link.customer, link.shown)
        mine = Invited(told, line_of(tie, "", sponsor=False), name) if tie is not None and hers else None
        return Invitation(told, name, counts, against, mine)

    def accept(self, friend: int, token: str, *, shown: str = "") -> Tie:
        """Somebody accepts an invitation, once in her life."""
        return self._accepting.accept(friend, token, shown=shown)

    def invited(self, customer: int) -> Invited | None:
        """The invitation that somebody accepted, or none."""
        with self._records.reading() as connection:
            tie = store.tie_of(connection, customer)
            if tie is None:
                return None
            one = offering.by_id(connection, tie.participation) if tie.participation is not None else None
            told = _offer(connection, tie.offer, one.version if one is not None else None)
            link = store.live_link(connection, tie.sponsor, tie.offer)
        name = self._name(tie.friend, tie.shown)
        return Invited(told, line_of(tie, name, sponsor=False), self._name(tie.sponsor, link.shown if link is not None else None))

    def show(self, friend: int, name: str) -> Tie:
        """The first name that her sponsor may read; nothing, and she is one friend among others."""
        return self._accepting.show(friend, name)

    def sponsored_offers(self, customer: int) -> list[Offer]:
        """The offers for which somebody made a link."""
        with self._records.reading() as connection:
            return [_offer(connection, one, None) for one in store.offers_of(connection, customer)]

    def concerns(self, customer: int) -> bool:
        """Whether somebody accepted an invitation, or has made a link."""
        with self._records.reading() as connection:
            return store.tie_of(connection, customer) is not None or bool(store.offers_of(connection, customer))

    # What happens, and what is decided

    def report(self, who: tuple[str, str], said: Reported) -> None:
        """What a machine of the house says of an order. It is told nothing of who was invited."""
        tie = self._orders.report(who, said)
        if tie is not None and tie.state == RETURNED:
            self._orders.settle_of(tie.sponsor, tie.offer)  # its place is free

    def contest(self, customer: int, number: int) -> Tie:
        """Sponsor or friend says that a rule is wrong."""
        return self._deciding.contest(customer, number)

    def release(self, number: int, *, by: str, reason: str) -> Tie:
        """A person lets it go."""
        return self._deciding.release(number, by=by, reason=reason)

    def refuse(self, number: int, *, by: str, reason: str) -> Tie:
        """A person says that the rule is right."""
        tie = self._deciding.refuse(number, by=by, reason=reason)
        self._orders.settle_of(tie.sponsor, tie.offer)  # its place is free
        return tie

    def held(self) -> list[Tie]:
        """What waits for a person, the first due first."""
        with self._records.reading() as connection:
            return store.in_state(connection, HELD)

    def one(self, number: int) -> Tie:
        """An invitation by its number; `NotFound` if there is none."""
        with self._records.reading() as connection:
            found = store.one_tie(connection, number)
        if found is None:
            raise NotFound("There is no such invitation.", "See: volens referral held")
        return found

    def counts(self) -> dict[tuple[str, str], int]:
        """By offer and state: how many invitations."""
        with self._records.reading() as connection:
            return store.counts(connection)

    def holds(self, connection: Connection, claim: Claim) -> bool:
        """Whether an invitation is why a reward is held: it is contested here, and what is decided here ends it."""
        one = offering.by_claim(connection, claim.key)
        return one is not None and bool(store.held_in(connection, one.id))

    def night(self) -> Night:
        """What nobody decided is let go, what waited is counted, what is kept of campaigns that are over goes. Twice is once."""
        released, counted, gone = self._deciding.let_go(), self._orders.settle(), 0
        today = self._judging.day()
        with self._records.reading() as connection:
            kept, before = sorted(signal_store.campaigns(connection)), today - timedelta(days=KEPT_DAYS)
            over = [one for one in kept if _over(connection, one, before)]
        for one in over:
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                if signal_store.forget_campaign(connection, one):
                    log.append(connection, EVENTS, [Event(FORGOTTEN, day=today, detail={"offer": one})])
                    gone += 1
        return Night(released, counted, gone)

    # Below: how

    def _takes(self, connection: Connection, sponsor: int, offer: str, country: str) -> bool:
        """Whether an order of today could count for somebody."""
        one, day = participations.current(connection, sponsor, offer), self._judging.day(country)
        if one is None:
            return False
        where, told = version_store.country(connection, one.offer, one.country), _offer(connection, offer, one.version)
        return offered.counting(one, told, where, day, day).ok

    def _name(self, customer: int, shown: bytes | None) -> str:
        if shown is None:
            return ""
        try:
            return self._people.open(customer, shown).decode()
        except NotFound:  # erased meanwhile
            return ""


def _offer(connection: Connection, offer: str, version: int | None) -> Offer:
    """The version that somebody accepted, or the one in force; `NotNow` for an offer that invites nobody."""
    if version is not None:
        found = accepted(connection, offer, version)
    else:
        newest = in_force(connection, offer) or next(iter(reversed(version_store.all_versions(connection, offer))), None)
        if newest is None:
            raise NotFound("There is no such offer.", "See: volens offer list")
        found = document(connection, newest)
    if found.act.kind is not Kind.REFERRAL:
        raise NotNow("This offer is not about invitations.", "Look at the list of offers.")
    return found


def _over(connection: Connection, offer: str, day: date) -> bool:
    """Whether every version's last day was before a day."""
    ends = [document(connection, one).ends for one in version_store.all_versions(connection, offer)]
    return bool(ends) and all(one is not None and one < day for one in ends)
