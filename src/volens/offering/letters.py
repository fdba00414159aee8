"""Tells who takes part that an offer stopped: one letter a person and stop, with exactly what counts for her.

Rules:
1. A letter is queued in the transaction that notes that its person was told: killed anywhere, the same call does the rest.
2. It says the reason that staff gave, in the language in which she joined.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.delivery.message import SMS, Draft
from volens.delivery.station import Delivery, Prepared
from volens.errors import NotFound
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.holders import Database
from volens.offering import store, version_store
from volens.offering.registry import accepted
from volens.offering.store import Participation
from volens.offering.version_store import Country
from volens.offering.words import LANGUAGES, day, say
from volens.offering.workflow import DONE, ENDED, STOPPED
from volens.offers.document import Offer

if TYPE_CHECKING:
    from sqlalchemy import Connection

TOGETHER = 200
"""Letters of one transaction."""
KIND = "offer-stopped"


class Letters:
    """Durable when a method returns."""

    def __init__(self, records: Database, delivery: Delivery, clock: Clock, shop: str, address: str) -> None:
        self._records, self._delivery, self._clock = records, delivery, clock
        self._shop, self._address = shop, address

    def tell(self) -> int:
        """Queues the letters about every stop that are due; how many people are told."""
        with self._records.reading() as connection:
            stopped = [one for one in version_store.all_countries(connection) if one.state in STOPPED]
        return sum(self._tell(one) for one in stopped)

    def _tell(self, where: Country) -> int:
        told = 0
        while True:
            with self._records.reading() as connection:
                some = self._due(connection, where)
                # The newest of a person's is told of; the letter stands for all of them.
                newest = {one.customer: (one, accepted(connection, one.offer, one.version)) for one in some}
            prepared = {customer: self._prepared(self._draft(one, offer, where)) for customer, (one, offer) in newest.items()}
            if not prepared:
                return told
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                still = {one.customer for one in self._due(connection, where)} & prepared.keys()
                for customer in sorted(still):
                    letter = prepared[customer]
                    if letter is not None:
                        self._delivery.queue(connection, letter)
                        told += 1
                store.mark_told(connection, still, where.offer, where.country, where.stopped)

    def _due(self, connection: Connection, where: Country) -> list[Participation]:
        today = legal_day(self._clock.now(), where.country).isoformat()
        return store.to_tell(connection, where.offer, where.country, where.stopped, today, TOGETHER)

    def _prepared(self, draft: Draft) -> Prepared | None:
        try:
            return self._delivery.prepare(draft)
        except NotFound:
            return None  # erased since we looked

    def _draft(self, one: Participation, offer: Offer, where: Country) -> Draft:
        reason = json.loads(where.reason)
        language = one.language if one.language in LANGUAGES else LANGUAGES[0]
        values = {
            "name": offer.name[language], "day": day(language, where.day), "shop": self._shop, "offer": one.offer,
            "address": self._address, "reason": reason.get(language) or next(iter(reason.values()), ""),
            "counts": counts(language, one, offer, where),
        }  # fmt: skip
        kind = "ended" if where.state == ENDED else "suspended"
        short = self._delivery.channel_of(one.customer) == SMS
        text = say(language, "stopped.sms" if short else "stopped.text", **values)
        return Draft(one.customer, KIND, language, say(language, f"{kind}.subject", **values), text)


def counts(language: str, one: Participation, offer: Offer, where: Country) -> str:
    """Exactly what counts for somebody while an offer is stopped; the rule is `rules.counting`."""
    if one.state == DONE:
        return say(language, "counts.done", matures=day(language, one.matures))
    if one.done:
        last = day(language, offer.ends.isoformat()) if offer.ends is not None else ""
        return say(language, "counts.begun", done=one.done, times=one.times, last=last)
    word = "ended" if where.state == ENDED else "suspended"
    return say(language, f"counts.untouched.{word}", day=day(language, where.day))
