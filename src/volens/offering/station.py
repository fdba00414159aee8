"""Offers in use as the house hands them out (`house.offering`): proposed, launched, joined, counted, stopped, asked about.

Rules:
1. Whether somebody can join is read from the records in the transaction in which she does: a stop is in force at once, everywhere.
2. She joins the version that she read; if another is in force by now, she is shown that one first.
3. Whoever the house knows to be too young cannot join, whatever she declares. Nobody is asked for a permission or a licence.
4. What an offer needs is what it names; nothing of a purchase is read here. Acts are reported by the house's own machines.
5. What somebody says afterwards is counted, and not kept as hers; it is shown in steps of ten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.delivery.station import Delivery
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.identity import store as identity
from volens.offering import participations, store, version_store
from volens.offering.letters import Letters
from volens.offering.nights import close, follow
from volens.offering.participations import Participation
from volens.offering.places import Places
from volens.offering.register import Programme, programmes
from volens.offering.registry import Registry, accepted, document, in_force, there
from volens.offering.rules import Reason, Verdict, counting, opening
from volens.offering.store import Answers
from volens.offering.value import Month, months
from volens.offering.version_store import Country, Version
from volens.offering.who import against, require_may
from volens.offering.words import LANGUAGES, say
from volens.offering.workflow import DONE, FORCE, GONE, HALF, PROPOSED, REPLACED
from volens.offers.document import Kind, Offer
from volens.offers.terms import terms
from volens.programme.nodes import NotClean, read_text
from volens.wallet import claims
from volens.wallet.station import named_by_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

ANSWERED = "offer-answered"
ANSWERS_SHOWN = 10
"""What people said is shown in steps of so many answers."""
AHEAD_MINUTES = 5
"""How far another clock may be ahead of ours."""
WHY_UNDONE = ("returned", "cancelled", "mistake")
"""Why an act does not stand; its person reads the sentence."""


@dataclass(frozen=True)
class Acted:
    """What became of an act that was reported."""

    counted: bool
    done: int
    times: int
    state: str
    reasons: tuple[Reason, ...]

    def to_dict(self) -> dict[str, object]:
        """For machines and `--json`."""
        return {**vars(self), "reasons": [one.to_dict() for one in self.reasons]}


@dataclass(frozen=True)
class Mine:
    """What somebody takes part in, with the version that she accepted."""

    participation: Participation
    offer: Offer
    where: Country | None
    counts: Verdict
    """Whether what she does today counts."""
    question: bool
    """Whether she is asked if it was as she expected."""
    matured: bool
    """Whether the day of her reward has come."""


class Offering:
    """Durable when a method returns."""

    def __init__(
        self, records: Database, delivery: Delivery, clock: Clock, country: str, shop: str, address: str,
        find: Callable[[str, str], tuple[int, int]], controllers: Collection[str],
    ) -> None:  # fmt: skip
        """`find`: the customer and account behind a card or an e-mail; `controllers`: legal names of who may offer."""
        self._records, self._clock, self._country, self._find = records, clock, country, find
        self.registry = Registry(records, clock, country, controllers)
        self.places = Places(records, clock)
        self.letters = Letters(records, delivery, clock, shop, address)

    # Versions and countries

    def propose_file(self, path: Path, *, by: str) -> Version:
        """Proposes the offer in a file."""
        try:
            return self.registry.propose(read_text(path, path.name), by=by, file=path.name)
        except NotClean as error:
            raise BadInput(str(error.finding.message), error.finding.remedy) from None

    def approve(self, offer: str, *, role: str, by: str, version: int | None = None) -> Version:
        """One of two approvals of the newest proposal, or of a version."""
        found = self._waiting(offer, version)
        return self.registry.approve(offer, found.version, found.number, role=role, by=by)

    def decline(self, offer: str, *, role: str, by: str, version: int | None = None) -> Version:
        """The newest proposal is not wanted as it is."""
        return self.registry.decline(offer, self._waiting(offer, version).version, role=role, by=by)

    def launch(self, offer: str, country: str, *, by: str) -> Country:
        """People in a country can join."""
        return self.places.launch(offer, country, by=by)

    def suspend(self, offer: str, country: str, reason: Mapping[str, str], *, by: str) -> Country:
        """Nobody new joins in a country, at once. Who takes part is told by `tell`."""
        return self.places.suspend(offer, country, reason, by=by)

    def resume(self, offer: str, country: str, *, by: str) -> Country:
        """Asks for an offer to be opened again, or approves it as the second person."""
        return self.places.resume(offer, country, by=by)

    def end(self, offer: str, country: str, reason: Mapping[str, str], *, by: str) -> Country:
        """An offer is over in a country."""
        return self.places.end(offer, country, reason, by=by)

    def tell(self) -> int:
        """Queues the letters about stops that are due; how many."""
        return self.letters.tell()

    def versions(self, offer: str | None = None) -> list[Version]:
        """Every version on record, or those of an offer."""
        with self._records.reading() as connection:
            return version_store.all_versions(connection, offer)

    def countries(self, offer: str | None = None) -> list[Country]:
        """Where every offer stands, or one."""
        with self._records.reading() as connection:
            return version_store.all_countries(connection, offer)

    def document(self, offer: str, version: int) -> Offer:
        """A version that is or was in force; `NotFound` for any other."""
        with self._records.reading() as connection:
            return accepted(connection, offer, version)

    def proposal(self, offer: str, version: int) -> Offer:
        """Any version on record, for staff."""
        with self._records.reading() as connection:
            return document(connection, there(connection, offer, version))

    def name(self, offer: str, version: int, language: str) -> str:
        """What people call a version of an offer, or with 0 its newest one; its id as words, where none is on record."""
        with self._records.reading() as connection:
            versions = [one for one in version_store.all_versions(connection, offer) if version in (0, one.version)]
            names = document(connection, versions[-1]).name if versions else {}
        return names.get(language) or next(iter(names.values()), named_by_id(offer, version, language))

    def newest(self, offer: str) -> Offer | None:
        """The version that people can join, or none."""
        with self._records.reading() as connection:
            found = in_force(connection, offer)
            return document(connection, found) if found is not None else None

    def terms(self, offer: str, version: int, language: str) -> str:
        """The terms of a version that is or was in force, as they were kept; of a proposal, as they would be."""
        with self._records.reading() as connection:
            found = there(connection, offer, version)
            if found.state in (FORCE, REPLACED):
                kept = version_store.terms_of(connection, found.number)
                if language not in kept:
                    raise NotFound(f"The offer {offer} has no terms in {language!r}.", f"It has: {', '.join(kept)}.")
                return kept[language][0]
            one = document(connection, found)
        return terms(one, language, legal_day(self._clock.now(), one.countries[0]))

    def open_in(self, offer: str, country: str) -> Verdict:
        """Whether people in a country can join now, or every reason why not."""
        today = self._today(country)
        with self._records.reading() as connection:
            version = in_force(connection, offer)
            one = document(connection, version) if version is not None else None
            return opening(one, country, version_store.country(connection, offer, country), today, _left(connection, one, country))

    def listed(self, country: str) -> list[tuple[Offer, Verdict, Country | None]]:
        """What is or was launched in a country and is not over there, with whether people can join now; newest first."""
        today, found = self._today(country), []
        with self._records.reading() as connection:
            for version in reversed(version_store.all_versions(connection)):
                where = version_store.country(connection, version.offer, country)
                if version.state == FORCE and where is not None:
                    one = document(connection, version)
                    found.append((version.number, one, opening(one, country, where, today, _left(connection, one, country)), where))
        found.sort(key=lambda one: one[0], reverse=True)
        return [(one, verdict, where) for _, one, verdict, where in found if not {"ended", "over"} & set(verdict.codes)]

    # Taking part

    def join(
        self, customer: int, offer: str, *, country: str, language: str, version: int, adult: bool, key: str
    ) -> Participation:
        """Takes somebody in under the version that she read. The same key again, or an open participation, is that one.

        adult: that she declares to be old enough. `NotNow` with the reasons if the offer is not open, another version is in
        force, or she had it as often as it can be had; `Refused` for somebody too young, or who lives elsewhere.
        """
        today, mark = self._today(country), participations.digest(f"{customer}/{_key(key)}")
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            before = store.by_key(connection, mark) or participations.current(connection, customer, offer)
            if before is not None and before.offer == offer:
                return before
            found = in_force(connection, offer)
            one = document(connection, found) if found is not None else None
            opening(one, country, version_store.country(connection, offer, country), today).require("Nobody can join now.")
            if one is None or found is None:  # which `opening` has said already
                raise NotFound(f"No version of {offer} is in force.", "See: volens offer list")
            if one.version != version:
                raise NotNow("Another version is in force by now.", "Read its terms first, then join.")
            words = version_store.terms_of(connection, found.number)
            if language not in words:
                raise BadInput(f"The offer has no terms in {language!r}.", f"It has: {', '.join(words)}.")
            require_may(connection, customer, one, country, today, adult=adult)
            return participations.join(
                connection, customer, one, country=country, language=language, terms=words[language][1], key=key, on=today
            )

    def may_join(self, customer: int, offer: Offer, country: str) -> Verdict:
        """Whether somebody may join, apart from what she declares: age, country, how often. For the page."""
        with self._records.reading() as connection:
            found = against(connection, customer, offer, country, self._today(country))
        return Verdict(tuple(Reason(word) for word in found))

    def leave(self, customer: int, participation: int) -> Participation:
        """Ends what she had begun. What is earned stays: then it is `NotNow`. Twice is once."""
        with self._records.writing() as connection:
            one = participations.there(connection, participation)
            if one.customer != customer:
                raise NotFound("There is no such participation.", "Look at the list again.")
            return participations.end(connection, participation, "left", on=self._today(one.country))

    def country_of(self, customer: int) -> str:
        """The country in which somebody lives, as the house knows it."""
        with self._records.reading() as connection:
            return str(identity.ages_of(connection, [customer]).get(customer, (self._country, None))[0])

    def mine(self, customer: int) -> list[Mine]:
        """What somebody takes part in and took part in, newest first."""
        with self._records.reading() as connection:
            found = []
            for one in store.of_customer(connection, customer):
                offer, today = accepted(connection, one.offer, one.version), self._today(one.country)
                where = version_store.country(connection, one.offer, one.country)
                found.append(Mine(one, offer, where, counting(one, offer, where, today, today), *_asks(one, today)))
        return found

    # Acts

    def acted(self, customer: int | tuple[str, str], offer: str, key: str, *, kind: str, at: datetime) -> Acted:
        """An act that a machine of the house reports; counted once by its key. `customer`: a number, or what she is known by."""
        if at.tzinfo is None or at > self._clock.now() + timedelta(minutes=AHEAD_MINUTES):
            raise BadInput("When was it done?", "Send `at` with its time zone, and not ahead of now.")
        who = self._who(customer)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            act = store.act(connection, participations.found_by(offer, key))
            known = store.by_id(connection, act.participation) if act is not None else None
            one = known or (participations.current(connection, who, offer) if who is not None else None)
            if one is None or one.customer != who:
                return Acted(False, 0, 0, "", (Reason("nobody"),))
            if known is not None:
                return Acted(False, one.done, one.times, one.state, (Reason("again"),))
            document, today = accepted(connection, offer, one.version), self._today(one.country)
            if kind != document.act.kind or kind == Kind.REFERRAL:
                return Acted(False, one.done, one.times, one.state, (Reason("other-act"),))
            on = min(legal_day(at, one.country), today)
            verdict = counting(one, document, version_store.country(connection, offer, one.country), on, today)
            if not verdict.ok:
                return Acted(False, one.done, one.times, one.state, verdict.reasons)
            one = participations.count(connection, one, key, on=on, today=today)
        return Acted(True, one.done, one.times, one.state, ())

    def undone(self, offer: str, key: str, why: str) -> Participation:
        """An act that was counted did not stand; `why` is one of `WHY_UNDONE`. After the reward was paid nothing is taken back."""
        if why not in WHY_UNDONE:
            raise BadInput(f"{why!r} is no reason.", f"Give one of: {', '.join(WHY_UNDONE)}.")
        reason = {language: say(language, f"undone.{why}") for language in LANGUAGES}
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            act = store.act(connection, participations.found_by(offer, key))
            if act is None:
                raise NotFound("No act was counted by this key.", "Send the key with which it was reported.")
            one = participations.there(connection, act.participation)
            participations.uncount(connection, one.id, key, reason, on=self._today(one.country))
            return participations.there(connection, one.id)

    def close(self) -> int:
        """Ends participations in which nothing can be counted any more, and gives their rewards back; how many."""
        return close(self._records, self._clock)

    def nightly(self) -> dict[str, int]:
        """What follows a card, what is over, and who is told of a stop; how many of each."""
        followed = follow(self._records, self._clock, self._country)
        return {"followed": followed, "over": self.close(), "told": self.tell()}

    # Afterwards

    def answer(self, customer: int, participation: int, expected: bool) -> None:
        """What somebody says, once, of what she took part in. Only that she was asked is kept of her."""
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = participations.there(connection, participation)
            if one.customer != customer or not _asks(one, self._today(one.country))[0]:
                raise NotNow("This was answered, or is not asked yet.", "Look at the list again.")
            said = store.answers_of(connection, one.offer)
            said = replace(said, yes=said.yes + expected, no=said.no + (not expected))
            if (said.yes + said.no) % ANSWERS_SHOWN == 0:
                said = replace(said, shown_yes=said.yes, shown_no=said.no)
            log.append(connection, EVENTS, [Event(ANSWERED, detail={"offer": one.offer, "expected": expected})])
            store.keep_answers(connection, one.offer, said)
            store.change(connection, one.id, asked=1)

    def said(self, offer: str) -> Answers:
        """What people said of an offer."""
        with self._records.reading() as connection:
            return store.answers_of(connection, offer)

    def budget_left(self, offer: str, country: str) -> tuple[int, str] | None:
        """What may still be promised, and its currency; none without a budget."""
        with self._records.reading() as connection:
            return claims.budget_left(connection, offer, country)

    def counts(self, offer: str | None = None) -> list[tuple[str, int, str, str, str, int]]:
        """(offer, version, country, month, what, times)."""
        with self._records.reading() as connection:
            return store.all_counts(connection, offer)

    def programmes(self) -> list[Programme]:
        """The public register."""
        with self._records.reading() as connection:
            return programmes(connection)

    def value(self) -> list[Month]:
        """What every programme cost by month, and whom it won."""
        with self._records.reading() as connection:
            return months(connection)

    # How

    def _waiting(self, offer: str, version: int | None) -> Version:
        found = [one for one in self.versions(offer) if version in (None, one.version)]
        if not found:
            raise NotFound(f"There is no such version of the offer {offer!r}.", "See: volens offer list")
        waiting = [one for one in found if one.state in (PROPOSED, HALF)]
        return (waiting or found)[-1]

    def _who(self, customer: int | tuple[str, str]) -> int | None:
        if isinstance(customer, int):
            return customer
        try:
            return self._find(*customer)[0]
        except NotFound:
            return None

    def _today(self, country: str) -> date:
        try:
            return legal_day(self._clock.now(), country)
        except ValueError:
            raise BadInput(f"There are no offers in {country!r}.", "Give the two-letter code of a country of the offer.") from None


def _asks(one: Participation, today: date) -> tuple[bool, bool]:
    """Whether somebody is asked what she thinks of it, and whether her reward has come."""
    matured = one.state == DONE and one.matures <= today.isoformat()
    return (matured or one.state == GONE) and not one.asked, matured


def _left(connection: Connection, offer: Offer | None, country: str) -> int | None:
    if offer is None:
        return None
    found = claims.budget_left(connection, offer.id, country)
    return found[0] if found is not None else 0


def _key(key: str) -> str:
    if not key or len(key) > participations.KEY_MAX:
        raise BadInput("Joining has a key, by which it happens once.", f"Send 1 to {participations.KEY_MAX} characters.")
    return key
