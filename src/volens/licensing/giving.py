"""Licences: given, refused and taken back, each purpose by itself, and the way without one.

Rules:
1. Each word is an event with the version, the language and the SHA-256 of the terms that stood there. A no is recorded like a yes,
   and is always taken.
2. A yes is taken from an adult, to the version in force, where the offer is open. Joining the offer says nothing about it.
3. What a licence earns is the wallet's (`rewards`); no word here takes anything back.
4. A withdrawal ends planned uses and opens the take-downs in its own transaction. Nothing is handed out after it.
5. A licence that has run out is ended by event at night; the door looks at the day and does not wait for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.journeys import Question, ask
from volens.evidence.log import EVENTS, Event
from volens.holders import Database, Sealer
from volens.identity.store import LIVES, Life, lives_in
from volens.licensing import offered, rewards, store, takedowns
from volens.licensing.states import (
    CHOSEN,
    DONE,
    EXPIRED,
    GIVEN,
    INSTEAD_STEPS,
    LAPSED,
    LICENCE_STEPS,
    REFUSED,
    WITHDRAWN,
    is_over,
    step,
)  # fmt: skip
from volens.licensing.store import Instead, Use, Word
from volens.offering.rules import GRACE_DAYS
from volens.offers.document import Licence
from volens.offers.licence_rules import LICENCE_AGE
from volens.permissions.minors import Minors

if TYPE_CHECKING:
    from sqlalchemy import Connection

KIND_OF: Mapping[str, str] = {
    GIVEN: "licence-given", REFUSED: "licence-refused", WITHDRAWN: "licence-withdrawn", EXPIRED: "licence-expired",
}  # fmt: skip
"""The event that leads to each state."""
INSTEAD_KIND: Mapping[str, str] = {CHOSEN: "instead-chosen", DONE: "instead-done", LAPSED: "instead-lapsed"}
SURFACE_MAX, ANSWER_MAX = 40, 1_000
EXPIRED_AT_ONCE = 200
"""Licences that end in one transaction of the night."""
CHANGED, CLOSED, BUDGET, MINOR, AGE = "changed", "closed", "budget", "minor", "age"


class NoYes(NotNow):
    """A yes that cannot be taken; `why` is one of the words above, which pages translate."""

    def __init__(self, why: str, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.why = why


class Giving:
    """Durable when a method returns."""

    def __init__(self, records: Database, people: Sealer, clock: Clock, minors: Minors) -> None:
        self._records, self._people, self._clock, self._minors = records, people, clock, minors

    def say(
        self, customer: int, offer: str, purpose: str, yes: bool, *, version: int = 0, language: str, shown: str = "",
        adult: bool = False, surface: str = "website",
    ) -> Word:  # fmt: skip
        """One word about one purpose. The same again changes nothing.

        version, shown: of the terms that stood there, and their SHA-256; a yes needs them. adult: she says that she is of age.
        `NoYes` if a yes cannot be taken now.
        """
        if not surface or len(surface) > SURFACE_MAX:
            raise BadInput("Where was this said?", f"Name the surface, in at most {SURFACE_MAX} characters.")
        now = self._clock.now()
        sealed = log.seal(customer, {"at": now.isoformat(), "surface": surface}, self._people)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            country, today = self._life(connection, customer, now)
            before = store.word(connection, customer, offer, purpose)
            if yes:
                return self._give(connection, before, customer, (offer, purpose, version, language, shown), country, adult, sealed)
            if before is None or before.state == EXPIRED:
                return self._refuse(connection, before, customer, (offer, purpose, version, language), country, today, sealed)
            if before.state != GIVEN:
                return before
            return self._end(connection, before, WITHDRAWN, takedowns.WITHDRAWAL, ended=today, today=today, now=now, sealed=sealed)

    def withdraw(self, customer: int, offer: str, *, language: str, surface: str = "website") -> int:
        """Takes back every purpose of an offer's licence; how many."""
        now = self._clock.now()
        sealed = log.seal(customer, {"at": now.isoformat(), "surface": surface}, self._people)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            _, today = self._life(connection, customer, now)
            given = [one for one in store.words(connection, customer=customer, offer=offer) if one.state == GIVEN]
            for one in given:
                self._end(connection, one, WITHDRAWN, takedowns.WITHDRAWAL, ended=today, today=today, now=now, sealed=sealed)
        return len(given)

    def withdraw_all(self, customer: int, reason: str = takedowns.ERASURE) -> int:
        """Before somebody is erased: her licences end, and what is up has to come down. Twice is once; how many tickets."""
        now = self._clock.now()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            life = life_of(connection, customer)
            if life is None:
                return 0
            today = legal_day(now, life.country)
            for one in store.words(connection, customer=customer, state=GIVEN):
                self._end(connection, one, WITHDRAWN, reason, ended=today, today=today, now=now, sealed=None)
            for way in store.all_insteads(connection, customer):
                if way.state == CHOSEN:
                    self._lapse(connection, way, today)
            left = store.still_out(connection, customer)
            return takedowns.end_uses(
                connection, left, _licences(connection, left), reason, ended=today, today=today, now=now
            )

    def expire(self) -> int:
        """Ends what has run out; how many licences."""
        now, ended = self._clock.now(), 0
        while True:
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                due = self._run_out(connection, now)[:EXPIRED_AT_ONCE]
                for one, last, today in due:
                    self._end(connection, one, EXPIRED, takedowns.EXPIRY, ended=last, today=today, now=now, sealed=None)
            ended += len(due)
            if len(due) < EXPIRED_AT_ONCE:
                return ended

    def choose_instead(self, customer: int, offer: str) -> Instead:
        """The way without a licence: what it earns is set aside. Twice is once."""
        now = self._clock.now()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            country, today = self._life(connection, customer, now)
            before = store.instead(connection, customer, offer)
            if before is not None and before.state != LAPSED:
                return before
            step(INSTEAD_STEPS, before.state if before is not None else None, CHOSEN)
            found = self._open(connection, offer, country, today)
            if before is not None and before.version == found.offer.version:
                raise NotNow("What was chosen under this version has lapsed.", "It may be chosen under the next one.")
            if rewards.earned(connection, offer, customer) is not None:
                raise NotNow("The licence of this offer has earned this already.", "What was earned stays.")
            try:
                rewards.promise_instead(connection, found.offer, customer, country, today)
            except NotNow as error:
                raise NoYes(BUDGET, error.what, error.remedy) from None
            one = Instead(customer, offer, found.offer.version, country, CHOSEN, 0)
            return self._keep_instead(connection, one, today)

    def questions(self, offer: str, version: int) -> tuple[Mapping[str, str], ...]:
        """What the way without a licence asks, by language; nothing if it is no survey."""
        with self._records.reading() as connection:
            _, licence = offered.licence_of(connection, offer, version)
        return licence.instead.questions if licence.instead is not None else ()

    def answer_instead(self, customer: int, offer: str, answers: Sequence[str]) -> Instead:
        """She answered the survey that is the way without a licence: it is earned. Her answers are sealed under her key.

        answers: one for each question of the version that she chose, in its order, of 1 to `ANSWER_MAX` characters. Twice is once;
        the first answers stay.
        """
        said = [one.strip() for one in answers]
        with self._records.reading() as connection:
            chosen = store.instead(connection, customer, offer)
            if chosen is None:
                raise NotFound("The way without a licence was not chosen.", "She chooses it on the offer's page.")
        asked = self.questions(offer, chosen.version)
        if not asked or len(said) != len(asked) or not all(0 < len(one) <= ANSWER_MAX for one in said):
            raise BadInput("A question has no answer, or one is too long.", f"Answer each in 1 to {ANSWER_MAX} characters.")
        return self.done_instead(customer, offer, log.seal(customer, {"answers": said}, self._people))

    def done_instead(self, customer: int, offer: str, sealed: tuple[bytes, bytes] | None = None) -> Instead:
        """She did it: it is earned. Twice is once."""
        now = self._clock.now()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            _, today = self._life(connection, customer, now)
            before = store.instead(connection, customer, offer)
            if before is None:
                raise NotFound("She has not chosen the way without a licence.", "She does so on the offer's page.")
            if before.state == DONE:
                return before
            step(INSTEAD_STEPS, before.state, DONE)
            document, _ = offered.licence_of(connection, offer, before.version)
            rewards.earn_instead(connection, document, customer, today)
            return self._keep_instead(connection, Instead(**{**vars(before), "state": DONE}), today, sealed)

    def lapse(self) -> int:
        """Gives back what was set aside for who did nothing until the offer was over, and a while after; how many."""
        now = self._clock.now()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            due = [one for one in store.all_insteads(connection) if one.state == CHOSEN and self._too_late(connection, one, now)]
            for one in due:
                self._lapse(connection, one, legal_day(now, one.country))
        return len(due)

    # Within a transaction that holds the events

    def _too_late(self, connection: Connection, one: Instead, now: datetime) -> bool:
        offer, _ = offered.licence_of(connection, one.offer, one.version)
        return offer.ends is not None and legal_day(now, one.country) > offer.ends + timedelta(days=GRACE_DAYS)

    def _lapse(self, connection: Connection, one: Instead, today: date) -> None:
        step(INSTEAD_STEPS, one.state, LAPSED)
        rewards.give_instead_back(connection, one.offer, one.version, one.customer, today)
        self._keep_instead(connection, Instead(**{**vars(one), "state": LAPSED}), today)

    def _life(self, connection: Connection, customer: int, now: datetime) -> tuple[str, date]:
        life = life_of(connection, customer)
        if life is None:
            raise NotFound("No customer has this number.", "It was never given, or its customer is erased.")
        return life.country, legal_day(now, life.country)

    def _open(self, connection: Connection, offer: str, country: str, today: date) -> offered.Current:
        found = offered.current(connection, offer)
        if found is None:
            raise NotFound(f"The offer {offer!r} has no licence.", "See: volens offer list")
        if is_over(found.licence, today) or not offered.opening(connection, found.offer, country, today).ok:
            raise NoYes(CLOSED, "This offer takes nobody new here now.", "What was given goes on; look at it again later.")
        return found

    def _give(
        self, connection: Connection, before: Word | None, customer: int, said: tuple[str, str, int, str, str], country: str,
        adult: bool, sealed: tuple[bytes, bytes],
    ) -> Word:  # fmt: skip
        offer, purpose, version, language, shown = said
        today = legal_day(self._clock.now(), country)
        found = self._open(connection, offer, country, today)
        if version != found.offer.version or not shown or shown != found.sha256(language):
            raise NoYes(CHANGED, "The terms have changed meanwhile.", "Read them again, and choose.")
        if purpose not in found.licence.purposes:
            raise BadInput(f"The licence of {offer} has no purpose {purpose!r}.", "See its terms.")
        self._require_adult(connection, customer, adult, today)
        if before is not None and before.state == GIVEN and before.version == version:
            return before
        step(LICENCE_STEPS, before.state if before is not None else None, GIVEN)
        one = Word(customer, offer, purpose, version, language, country, shown, GIVEN, today.isoformat(), 0)
        kept = self._keep(connection, one, today, sealed)
        try:
            rewards.earn_by_licence(connection, found.offer, customer, country, today)
        except NotNow as error:
            raise NoYes(BUDGET, error.what, error.remedy) from None
        return kept

    def _require_adult(self, connection: Connection, customer: int, adult: bool, today: date) -> None:
        if not adult:
            raise NoYes(AGE, f"A licence is for people of {LICENCE_AGE} years and more.", "Say that you are, or say no.")
        life = life_of(connection, customer)
        until = self._minors.stands(life) if life is not None else None
        if until is not None and today < until:
            raise NoYes(MINOR, "A licence is not for minors, whoever agrees to it.", "Nothing needs to be done.")

    def _refuse(
        self, connection: Connection, before: Word | None, customer: int, said: tuple[str, str, int, str], country: str,
        today: date, sealed: tuple[bytes, bytes],
    ) -> Word:  # fmt: skip
        offer, purpose, version, language = said
        found = offered.current(connection, offer)
        if found is None or purpose not in found.licence.purposes:
            raise NotFound(f"The offer {offer!r} has no licence for {purpose!r}.", "See: volens offer list")
        step(LICENCE_STEPS, before.state if before is not None else None, REFUSED)
        sha256 = found.sha256(language) if version == found.offer.version else ""
        one = Word(
            customer, offer, purpose, found.offer.version, language, country, sha256, REFUSED, today.isoformat(), 0
        )
        return self._keep(connection, one, today, sealed)

    def _end(
        self, connection: Connection, before: Word, state: str, reason: str, *, ended: date, today: date, now: datetime,
        sealed: tuple[bytes, bytes] | None,
    ) -> Word:  # fmt: skip
        step(LICENCE_STEPS, before.state, state)
        one = self._keep(connection, Word(**{**vars(before), "state": state, "day": today.isoformat()}), today, sealed)
        left = [
            use for use in store.still_out(connection, before.customer)
            if (use.offer, use.purpose) == (before.offer, before.purpose)
        ]  # fmt: skip
        takedowns.end_uses(connection, left, _licences(connection, left), reason, ended=ended, today=today, now=now)
        return one

    def _keep(self, connection: Connection, one: Word, today: date, sealed: tuple[bytes, bytes] | None) -> Word:
        detail = {
            "offer": one.offer, "purpose": one.purpose, "version": one.version, "language": one.language,
            "country": one.country, "sha256": one.sha256,
        }  # fmt: skip
        commitment, private = sealed if sealed is not None else (None, None)
        event = Event(
            KIND_OF[one.state], customer=one.customer, day=today, detail=detail, commitment=commitment, sealed=private
        )
        kept = Word(**{**vars(one), "seq": log.append(connection, EVENTS, [event])})
        store.keep_word(connection, kept)
        return kept

    def _keep_instead(
        self, connection: Connection, one: Instead, today: date, sealed: tuple[bytes, bytes] | None = None
    ) -> Instead:
        detail = {"offer": one.offer, "version": one.version, "country": one.country}
        commitment, private = sealed if sealed is not None else (None, None)
        event = Event(
            INSTEAD_KIND[one.state], customer=one.customer, day=today, detail=detail, commitment=commitment, sealed=private
        )
        kept = Instead(**{**vars(one), "seq": log.append(connection, EVENTS, [event])})
        store.keep_instead(connection, kept)
        return kept

    def _run_out(self, connection: Connection, now: datetime) -> list[tuple[Word, date, date]]:
        """Licences that stand and are over: (word, last day, today)."""
        found, known = [], dict[tuple[str, int], Licence]()
        for one in store.words(connection, state=GIVEN):
            if (one.offer, one.version) not in known:
                known[one.offer, one.version] = offered.licence_of(connection, one.offer, one.version)[1]
            licence = known[one.offer, one.version]
            today = legal_day(now, one.country)
            if licence.ends is not None and is_over(licence, today):
                found.append((one, licence.ends, today))
        return found


def life_of(connection: Connection, customer: int) -> Life | None:
    """Somebody's country and age, as the records have them; none for a number that stands for nobody."""
    return lives_in(ask(connection, [Question(LIVES, [customer])])[0]).get(customer)


def _licences(connection: Connection, uses: list[Use]) -> dict[tuple[str, int], Licence]:
    wanted = {(one.offer, one.version) for one in uses}
    return {(offer, version): offered.licence_of(connection, offer, version)[1] for offer, version in wanted}
