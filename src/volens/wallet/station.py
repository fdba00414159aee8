"""The wallet as the house hands it out (`house.wallet`): budgets, claims by their keys, the person's page, tills, payouts, books.

Rules:
1. What others set aside, earn and take back they do in their own transaction (`wallet.claims`); here is what people, tills,
   staff and the night do.
2. A person's wallet is opened for her, or for whoever holds the bearer's code of a number that was erased, and for nobody else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import NotFound
from volens.holders import Database
from volens.wallet import claims, store
from volens.wallet.carriers import PayoutCarrier
from volens.wallet.contests import Contests, Elsewhere
from volens.wallet.leaving import Leaving
from volens.wallet.looking import Looking
from volens.wallet.nights import Nights
from volens.wallet.out_store import Payout
from volens.wallet.payouts import Payouts
from volens.wallet.sealing import Envelope, People
from volens.wallet.shown import Overview, Purse
from volens.wallet.store import Claim
from volens.wallet.vouchers import Vouchers

if TYPE_CHECKING:
    from sqlalchemy import Connection

Names = Callable[[str, int, str], str]
"""(offer, version or 0 for any, language): the name of an offer, as people read it."""
Queue = Callable[["Connection"], object]
Told = Callable[[Payout], Queue]
"""Prepares what a person hears of a transfer that failed; what it returns queues it in the transaction that it is given."""


def in_silence(_: Payout) -> Queue:
    """Tells nobody: for houses without an outbox."""
    return lambda connection: None


def named_by_id(offer: str, version: int, language: str) -> str:
    """The id as words, where nobody knows an offer's name."""
    return offer.replace("-", " ").capitalize()


class Wallet:
    """Durable when a method returns."""

    def __init__(
        self, records: Database, people: People, mac: Callable[[str, bytes], bytes], carrier: PayoutCarrier, clock: Clock,
        country: str, name: str, told: Told = in_silence,
    ) -> None:  # fmt: skip
        """`name`: of the programme, as it stands on a bank statement."""
        self._records, self._clock, self._country = records, clock, country
        envelope = Envelope(people, mac)
        self.vouchers = Vouchers(records, envelope, clock)
        self.payouts = Payouts(records, envelope, carrier, clock, country, told, name)
        self.contests = Contests(records, envelope, clock, country)
        self.leaving = Leaving(records, envelope, clock, country)
        self.looking = Looking(records, envelope)
        self.names: Names = named_by_id
        """How offers are called; whoever keeps them says so."""
        self._nights = Nights(records, envelope, self.vouchers, clock, country)

    def decided_by(self, elsewhere: Elsewhere) -> None:
        """Who says that an invitation holds a claim, and so where it is contested."""
        self.contests.elsewhere = self.looking.elsewhere = elsewhere

    # Budgets; `offering.places` gives them

    def budget_left(self, offer: str, country: str) -> tuple[int, str] | None:
        """What may still be promised, and its currency; none where no budget was given."""
        with self._records.reading() as connection:
            return claims.budget_left(connection, offer, country)

    # Claims

    def claim(self, key: str) -> Claim:
        """A claim by its key; `NotFound` if there is none."""
        with self._records.reading() as connection:
            found = store.claim(connection, key)
        if found is None:
            raise NotFound("There is no such claim.", "It is reserved when somebody joins.")
        return found

    def hold(self, key: str, reason: claims.Reason) -> None:
        """Somebody looks at a claim first: it does not mature meanwhile."""
        with self._records.writing() as connection:
            claims.hold(connection, key, reason, day=self.today)

    def release(self, key: str) -> None:
        """What was held goes on to its day."""
        with self._records.writing() as connection:
            claims.release(connection, key, day=self.today)

    # Of a person

    def of(self, customer: int, language: str = "fr", most: int | None = None) -> list[Purse]:
        """What somebody has, by currency; nothing if she never earned anything."""
        return self.looking.of(customer, language, *(() if most is None else (most,)))

    # Of the house

    def nightly(self) -> dict[str, int]:
        """What is due: claims mature, vouchers end, contests are won by silence, files that were cut short are written."""
        moved = self.leaving.follow()
        answered = self.contests.end()
        night = self._nights.work().to_dict()
        files, forgotten = self.payouts.finish(), self.payouts.forget_old_accounts()
        return {**night, "contests": answered, "files": files, "accounts": forgotten, "moved": moved}

    def mature(self) -> dict[str, int]:
        """The same without the rest of the night: what is due today becomes available."""
        return self._nights.work().to_dict()

    def books(self) -> Overview:
        """The books of today."""
        return self.looking.overview()

    @property
    def today(self) -> date:
        """The legal day of the house."""
        return legal_day(self._clock.now(), self._country)
