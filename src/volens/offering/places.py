"""Where an offer is open: launched, suspended, opened again by two people, ended; country by country, each step with its events.

1. A step is in force when the method returns, in every process: who joins reads it in the transaction of joining.
2. A suspension and an end say why, in every language of the offer. Nothing earned is touched by either.
3. Opening again takes two people. An end is for good; another launch is another offer.
4. Steps name people in `events`; the public record has the step, the day and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, Event
from volens.holders import Database
from volens.offering import version_store
from volens.offering.registry import document, in_force
from volens.offering.version_store import Country
from volens.offering.workflow import CLOSED, ENDED, LAUNCHED, RESUMING, STOPPED, SUSPENDED, check_country, named, same
from volens.offers.check import check
from volens.wallet import claims
from volens.wallet.store import Budget

if TYPE_CHECKING:
    from sqlalchemy import Connection

LAUNCH, SUSPEND, ASK, RESUME, END = "offer-launched", "offer-suspended", "offer-resume-asked", "offer-resumed", "offer-ended"
KINDS = {LAUNCHED: (LAUNCH, RESUME), SUSPENDED: (SUSPEND,), RESUMING: (ASK,), ENDED: (END,)}
"""The events that lead to each state."""
SEEN = (LAUNCH, SUSPEND, RESUME, END)
"""What stands on the public record as well."""
REASON_MAX = 300


class Places:
    """The countries of offers. Durable when a method returns."""

    def __init__(self, records: Database, clock: Clock) -> None:
        self._records, self._clock = records, clock

    def launch(self, offer: str, country: str, *, by: str) -> Country:
        """People there can join from now on. Checked again at this moment. Twice is once."""
        who = named(by)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = _there(connection, offer, country)
            if found.state == LAUNCHED:
                return found
            check_country(offer, country, found.state, LAUNCHED if found.state == CLOSED else "launched anew")
            self._require_lawful(connection, offer, country)
            return self._step(connection, found, LAUNCHED, LAUNCH, who)

    def suspend(self, offer: str, country: str, reason: Mapping[str, str], *, by: str) -> Country:
        """Nobody new joins there. What each who takes part reads follows from `rules.counting`."""
        return self._stop(offer, country, SUSPENDED, SUSPEND, reason, by)

    def end(self, offer: str, country: str, reason: Mapping[str, str], *, by: str) -> Country:
        """The same, for good."""
        return self._stop(offer, country, ENDED, END, reason, by)

    def resume(self, offer: str, country: str, *, by: str) -> Country:
        """Asked for by one person; done when a second one says the same. Twice by one person is once."""
        who = named(by)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = _there(connection, offer, country)
            if found.state == LAUNCHED:
                return found
            if found.state == RESUMING and same(found.by, who):
                raise Refused(("whoever asks to open an offer again does not approve it",), "Ask somebody else: --by.")
            to = LAUNCHED if found.state == RESUMING else RESUMING
            check_country(offer, country, found.state, to)
            self._require_lawful(connection, offer, country)
            return self._step(connection, found, to, RESUME if to == LAUNCHED else ASK, who)

    def give_budget(self, offer: str, country: str, cents: int, *, by: str) -> Budget:
        """All that an offer may ever promise in one of its countries, in the currency of its document.

        `NotFound` for an offer that nobody proposed, `BadInput` for a country that it is not for, `NotNow` for less than what was
        promised already.
        """
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            versions = version_store.all_versions(connection, offer)
            if not versions:
                known = sorted({one.offer for one in version_store.all_versions(connection)})
                raise NotFound(f"There is no offer {offer!r}.", f"Known: {', '.join(known) or 'none'}. First: volens offer propose")
            offers = [document(connection, one) for one in versions]
            countries = sorted({one for each in offers for one in each.countries})
            if country not in countries:
                raise BadInput(f"The offer {offer!r} is not for {country!r}.", f"It is for: {', '.join(countries)}.")
            day, currency = legal_day(self._clock.now(), country), offers[-1].currency
            return claims.set_budget(connection, offer, country, cents, currency, by=by, day=day)

    def _stop(self, offer: str, country: str, to: str, kind: str, reason: Mapping[str, str], by: str) -> Country:
        who = named(by)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = _there(connection, offer, country)
            said = _reason(connection, offer, reason)
            if found.state == to:
                return found
            check_country(offer, country, found.state, to)
            return self._step(connection, found, to, kind, who, said)

    def _step(
        self, connection: Connection, found: Country, to: str, kind: str, who: str, reason: Mapping[str, str] | None = None
    ) -> Country:
        today = legal_day(self._clock.now(), found.country)
        said = {"offer": found.offer, "country": found.country}
        if reason is not None:
            said = {**said, "reason": json.dumps(reason, ensure_ascii=False, sort_keys=True)}
        seq = log.append(connection, EVENTS, [Event(kind, day=today, detail={**said, "by": who})])
        if kind in SEEN:
            log.append(connection, PUBLIC, [Event(kind, day=today, detail=said)])
        on = found.state in STOPPED and to in STOPPED  # it goes on being stopped since the day on which it was
        now = Country(
            found.offer, found.country, to, found.day if on else today.isoformat(),
            said.get("reason", found.reason if on else "{}"), who,
            seq if to == ENDED or (to == SUSPENDED and not on) else found.stopped, seq,
        )  # fmt: skip
        version_store.keep_country(connection, now)
        return now

    def _require_lawful(self, connection: Connection, offer: str, country: str) -> None:
        version = in_force(connection, offer)
        if version is None:
            raise NotNow(f"No version of {offer} is in force.", "It takes two approvals: volens offer approve")
        one = document(connection, version)
        if country not in one.countries:
            where = ", ".join(one.countries)
            raise BadInput(f"Version {version.version} of {offer} is not made for {country}.", f"It is for: {where}.")
        check(one, legal_day(self._clock.now(), country)).require()


def _there(connection: Connection, offer: str, country: str) -> Country:
    return version_store.country(connection, offer, country) or Country(offer, country, CLOSED, "", "{}", "", 0, 0)


def _reason(connection: Connection, offer: str, reason: Mapping[str, str]) -> dict[str, str]:
    """Why an offer stops, in every language of any of its versions."""
    versions = version_store.all_versions(connection, offer)
    languages = sorted({one for each in versions for one in document(connection, each).languages})
    missing = [one for one in languages if not reason.get(one, "").strip()]
    if missing or any(len(words) > REASON_MAX for words in reason.values()):
        raise BadInput(
            f"A stop says why, in {' and '.join(languages) or 'its languages'}.",
            f"Give the reason in each, in at most {REASON_MAX} characters: people read it.",
        )
    return {language: words.strip() for language, words in reason.items() if words.strip()}
