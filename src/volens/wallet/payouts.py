"""Money on its way to people's banks: asked for, prepared by one, released by another, confirmed or failed.

Rules:
1. Whoever asks is paid all that is available, in one transfer; there is no least amount and no fee. It can be called back until a
   run is prepared.
2. The account is sealed under its person's key and opened only when the file is written; what is shown are its last four
   characters. It is forgotten sixty days after the transfer was settled.
3. A run is one currency and one file. Who prepares it does not release it. What is released is not changed any more.
4. The file is written after the release has committed, and that it was is recorded after that. Killed in between, the same
   command writes the same file with the same numbers, which a bank takes once.
5. What fails is available again, at once, and its person is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.wallet import books, out_store
from volens.wallet.books import Move, Posting, account
from volens.wallet.carriers import Order, PayoutCarrier, transfers_of
from volens.wallet.iban import BankAccount, plain
from volens.wallet.out_store import Payout, Run
from volens.wallet.sealing import Envelope

if TYPE_CHECKING:
    from sqlalchemy import Connection

ASKED, PREPARED, RELEASED, CONFIRMED, FAILED, CALLED_BACK = "asked", "prepared", "released", "confirmed", "failed", "withdrawn"
TRANSITIONS: Mapping[str, frozenset[str]] = {
    ASKED: frozenset({PREPARED, CALLED_BACK}),
    PREPARED: frozenset({RELEASED, ASKED}),
    RELEASED: frozenset({CONFIRMED, FAILED}),
    CONFIRMED: frozenset(),
    FAILED: frozenset(),
    CALLED_BACK: frozenset(),
}
KIND_OF: Mapping[str, str] = {
    ASKED: "payout-asked", CONFIRMED: "payout-confirmed", FAILED: "payout-failed", CALLED_BACK: "payout-withdrawn",
}  # fmt: skip
SETTLED = (CONFIRMED, FAILED, CALLED_BACK)
HANDED, DROPPED = "handed", "dropped"
RUN_TRANSITIONS: Mapping[str, frozenset[str]] = {
    PREPARED: frozenset({RELEASED, DROPPED}),
    RELEASED: frozenset({HANDED}),
    HANDED: frozenset(),
    DROPPED: frozenset(),
}
RUN_KIND: Mapping[str, str] = {
    PREPARED: "payouts-prepared", RELEASED: "payouts-released", HANDED: "payouts-handed", DROPPED: "payouts-dropped",
}  # fmt: skip
LEAST_CENTS = 1
"""What is earned is hers to the last minor unit."""
RUN_MAX, KEPT_DAYS, BY_MAX, KEY_MAX = 1_000, 60, 120, 64
WHY_MAX = 60


class Payouts:
    """Payouts and their runs. Durable when a method returns."""

    def __init__(
        self, records: Database, envelope: Envelope, carrier: PayoutCarrier, clock: Clock, country: str,
        told: Callable[[Payout], Callable[[Connection], object]], description: str,
    ) -> None:  # fmt: skip
        """`told`: prepares what a person hears of a failure, and queues it in the transaction that it is given."""
        self._records, self._envelope, self._carrier = records, envelope, carrier
        self._clock, self._country, self._told, self._description = clock, country, told, description

    # Of a person

    def possible(self, currency: str) -> bool:
        """Whether this house can carry money to people at all."""
        try:
            self._carrier.require(currency)
        except NotNow:
            return False
        return True

    def ask(self, customer: int, currency: str, *, name: str, iban: str, key: str, language: str) -> Payout:
        """Asks for all that is available. `key`: of the form, so that the same form sent twice asks once.

        `NotNow` if nothing is available, or the house has no way to pay.
        """
        to = BankAccount(name.strip(), plain(iban))
        if not 0 < len(key) <= KEY_MAX:
            raise BadInput("The form has no key.", "Load the page again.")
        plaintext = json.dumps({"name": to.name, "iban": to.iban}, ensure_ascii=False).encode()
        day = self._today()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            before = out_store.payout_by_key(connection, key)
            if before is not None:
                if before.customer != customer:
                    raise NotNow("This form was somebody else's.", "Load the page again.")
                return before
            self._carrier.require(currency)
            pot = account(books.AVAILABLE, customer)
            cents = books.holds(connection, pot, currency)
            if cents < LEAST_CENTS:
                raise NotNow("Nothing is available to be paid out now.", "The page says from which day something is.")
            sealed = self._envelope.seal_now(connection, customer, plaintext)
            event = Event(KIND_OF[ASKED], customer, day=day, detail={"cents": cents, "currency": currency})
            moves = (Move(pot, books.TRANSIT, cents, currency),)
            number = log.size(connection, EVENTS)
            seq = books.post(connection, [Posting(event, moves, f"{ASKED}/payout/{number}")])
            made = Payout(
                seq, key, customer, currency, cents, sealed, to.last4, language, ASKED, day.isoformat(), day.isoformat(), None, seq
            )
            out_store.ask_for(connection, made)
        return made

    def call_back(self, customer: int, number: int) -> Payout:
        """The person changed her mind, or the account was wrong: what she asked for is available again. Twice is once."""
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = self._one(connection, number)
            if one.customer != customer:
                raise NotFound("There is no such payout.", "Load the page again.")
            if one.state == CALLED_BACK:
                return one
            if one.state != ASKED:
                raise NotNow("This transfer is being prepared already.", "It arrives within days, or comes back.")
            self._back(connection, one, CALLED_BACK, {})
            out_store.forget_account(connection, number)
            return self._one(connection, number)

    # Of the house

    def prepare(self, currency: str, *, by: str) -> Run | None:
        """Puts what was asked for into a run, up to a thousand payouts. None if nothing waits."""
        _named(by)
        self._carrier.require(currency)
        day = self._today()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = out_store.payouts_where(connection, state=ASKED, currency=currency, most=RUN_MAX)
            if not found:
                return None
            number = log.size(connection, EVENTS)
            name, cents = f"{day.isoformat()}-{currency}-{number}", sum(one.cents for one in found)
            detail = {"run": name, "payouts": [one.payout for one in found], "cents": cents, "currency": currency, "by": by.strip()}
            seq = log.append(connection, EVENTS, [Event(RUN_KIND[PREPARED], day=day, detail=detail)])
            made = Run(name, seq, day.isoformat(), currency, len(found), cents, PREPARED, by.strip(), "", seq)
            out_store.add_run(connection, made)
            for one in found:
                out_store.move_payout(connection, one.payout, state=PREPARED, run=name, moved=day.isoformat())
        return made

    def drop(self, run: str, *, by: str) -> Run:
        """A run that was prepared and is not to go: what is in it waits again. Twice is once."""
        return self._step(run, DROPPED, by, ASKED, keeps_run=False)

    def release(self, run: str, *, by: str) -> Run:
        """Another person releases a run; its file is written. Again: the file is written if it was not."""
        with self._records.reading() as connection:
            found = self._run(connection, run)
        if found.prepared_by.casefold() == by.strip().casefold():
            raise Refused(("whoever prepares a run does not release it",), "Ask somebody else: --by.")
        if found.state == PREPARED:
            self._carrier.require(found.currency)
            found = self._step(run, RELEASED, by, RELEASED)
        elif found.state not in (RELEASED, HANDED):
            raise NotNow(f"The run is {found.state}.", "Prepare another: volens wallet prepare")
        return self._hand_over(found)

    def finish(self) -> int:
        """Writes the files of runs that were released and cut short; how many. Part of every night."""
        with self._records.reading() as connection:
            waiting = [one for one in out_store.all_runs(connection) if one.state == RELEASED]
        for one in waiting:
            self._hand_over(one)
        return len(waiting)

    def confirm(self, number: int) -> Payout:
        """The bank paid it. Twice is once."""
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = self._one(connection, number)
            if one.state == CONFIRMED:
                return one
            self._require(one, CONFIRMED)
            moves = (Move(books.TRANSIT, books.PAID, one.cents, one.currency),)
            self._settle(connection, one, CONFIRMED, moves, {})
            return self._one(connection, number)

    def fail(self, number: int, *, why: str) -> Payout:
        """The bank did not pay it: it is available again, and its person is told. Twice is once."""
        if not 0 < len(why.strip()) <= WHY_MAX:
            raise BadInput("A transfer fails for a reason.", f"Give the bank's, for example AC04, in at most {WHY_MAX} characters.")
        with self._records.reading() as connection:
            one = self._one(connection, number)
        told = self._told(one)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = self._one(connection, number)
            if one.state == FAILED:
                return one
            self._require(one, FAILED)
            self._back(connection, one, FAILED, {"why": why.strip()})
            told(connection)
            return self._one(connection, number)

    def forget_old_accounts(self) -> int:
        """Bank accounts of transfers that were settled a while ago are forgotten; how many."""
        before = (self._today() - timedelta(days=KEPT_DAYS)).isoformat()
        with self._records.writing() as connection:
            return out_store.forget_accounts(connection, SETTLED, before)

    def runs(self) -> list[Run]:
        """Every run, newest first."""
        with self._records.reading() as connection:
            return out_store.all_runs(connection)

    def of_run(self, run: str) -> list[Payout]:
        """What is in a run."""
        with self._records.reading() as connection:
            return out_store.payouts_where(connection, run=self._run(connection, run).run)

    # How

    def _hand_over(self, found: Run) -> Run:
        """Writes the file of a run that is released, then that it was written."""
        if found.state == HANDED:
            return found
        with self._records.reading() as connection:
            some = out_store.payouts_where(connection, run=found.run)
            released = log.one(connection, EVENTS, found.number)
        day = date.fromisoformat(found.day)
        if released is None or released.said()["payouts"] != [one.payout for one in some]:
            raise NotNow("The run is not what was prepared.", "Run: volens audit")
        transfers = transfers_of([(one.payout, self.account_of(one), one.cents) for one in some])
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        self._carrier.write(Order(found.run, found.currency, day, at, transfers, self._description))
        return self._step(found.run, HANDED, found.released_by, None)

    def account_of(self, one: Payout) -> BankAccount:
        """Whose account a payout goes to, opened."""
        if one.account is None:
            raise NotNow("The account of this payout is forgotten.", "Ask its person for it again.")
        said = json.loads(self._envelope.open(one.customer, one.account))
        return BankAccount(said["name"], said["iban"])

    def _step(self, run: str, state: str, by: str, payouts: str | None, keeps_run: bool = True) -> Run:
        """One step of a run with all that is in it."""
        _named(by)
        day = self._today()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = self._run(connection, run)
            if one.state == state:
                return one
            if state not in RUN_TRANSITIONS[one.state]:
                raise NotNow(f"The run is {one.state}.", "See: volens wallet payouts")
            event = Event(RUN_KIND[state], day=day, detail={"run": run, "by": by.strip()})
            seq = log.append(connection, EVENTS, [event])
            released = {"released_by": by.strip()} if state == RELEASED else {}
            out_store.move_run(connection, run, state=state, seq=seq, **released)
            for each in out_store.payouts_where(connection, run=run) if payouts is not None else ():
                kept = {} if keeps_run else {"run": None}
                out_store.move_payout(connection, each.payout, state=payouts, moved=day.isoformat(), **kept)
            return self._run(connection, run)

    def _back(self, connection: Connection, one: Payout, state: str, detail: Mapping[str, str]) -> None:
        moves = (Move(books.TRANSIT, account(books.AVAILABLE, one.customer), one.cents, one.currency),)
        self._settle(connection, one, state, moves, detail)

    def _settle(
        self, connection: Connection, one: Payout, state: str, moves: tuple[Move, ...], detail: Mapping[str, str]
    ) -> None:
        day = self._today()
        event = Event(KIND_OF[state], one.customer, day=day, detail={"payout": one.payout, **detail})
        seq = books.post(connection, [Posting(event, moves, f"{state}/payout/{one.payout}")])
        out_store.move_payout(connection, one.payout, state=state, moved=day.isoformat(), seq=seq)

    def _require(self, one: Payout, state: str) -> None:
        if state not in TRANSITIONS[one.state]:
            raise NotNow(f"This payout is {one.state}.", "See: volens wallet payouts")

    def _one(self, connection: Connection, number: int) -> Payout:
        found = out_store.payout(connection, number)
        if found is None:
            raise NotFound("There is no such payout.", "See: volens wallet payouts")
        return found

    def _run(self, connection: Connection, name: str) -> Run:
        found = out_store.run(connection, name)
        if found is None:
            raise NotFound("There is no such run.", "See: volens wallet payouts")
        return found

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)


def _named(by: str) -> None:
    if not 0 < len(by.strip()) <= BY_MAX:
        raise BadInput("Somebody answers for a payout.", f"Say who, with --by, in at most {BY_MAX} characters.")
