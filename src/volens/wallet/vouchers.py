"""Vouchers at a till: issued when a reward matures, reserved in a basket, redeemed once.

Rules:
1. A code is worth something once: it changes its state in one statement that names the state it had.
2. A voucher is used whole. So that nobody loses the rest, a reward comes as vouchers of at most 20.00 each: whoever pays 34.90 uses
   one of them, or two.
3. Who holds a reservation is a machine and a key of its own. The same call again finds it done; another's finds it taken. A
   reservation that was neither redeemed nor rolled back ends by itself.
4. What was redeemed stays so: a sale that is undone later is paid back by the till like any other.
5. A machine that sends many wrong codes waits: 80 bits are not guessed, and it should not even be tried.
6. On its last day a voucher is still taken; the day is that of its country. A till never hears whose voucher it is.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, TooOften, Unavailable
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.permissions.together import Job, Together
from volens.wallet import books, codes, out_store
from volens.wallet.books import Move, Posting, account
from volens.wallet.out_store import Voucher
from volens.wallet.sealing import Envelope
from volens.wallet.store import Claim

if TYPE_CHECKING:
    from sqlalchemy import Connection

ISSUED, RESERVED, REDEEMED, EXPIRED, VOID = "issued", "reserved", "redeemed", "expired", "void"
TRANSITIONS: Mapping[str, frozenset[str]] = {
    ISSUED: frozenset({RESERVED, REDEEMED, EXPIRED, VOID}),
    RESERVED: frozenset({ISSUED, REDEEMED, EXPIRED}),
    REDEEMED: frozenset(),
    EXPIRED: frozenset(),
    VOID: frozenset(),
}
KIND_OF: Mapping[str, str] = {
    ISSUED: "voucher-issued", RESERVED: "voucher-reserved", REDEEMED: "voucher-redeemed", EXPIRED: "voucher-expired",
    VOID: "voucher-void",
}  # fmt: skip
RETURNED = "voucher-returned"
"""The event that leads back from reserved to issued."""
PIECE_CENTS, PIECES_MAX = 20_00, 20
"""A reward comes as vouchers of at most so much, and as at most so many."""
HOLD_SECONDS_MAX, KEY_MAX, MACHINE_MAX, BY_MAX = 3_600, 64, 64, 120
TOGETHER_MOST = 100
"""Tills that share one transaction at most."""
WRONG_MAX, WRONG_SECONDS = 30, 600
"""Wrong codes of one machine within so many seconds; then it waits."""


Work = Callable[["Connection"], "Told"]


@dataclass(frozen=True)
class Told:
    """What a till hears of a voucher."""

    state: str
    cents: int
    currency: str
    until: str
    reserved_until: str = ""

    def to_dict(self) -> dict[str, object]:
        """As the interface for tills has it."""
        said = {"state": self.state, "cents": self.cents, "currency": self.currency, "until": self.until}
        return {**said, "reserved_until": self.reserved_until} if self.reserved_until else said


def pieces(cents: int) -> tuple[int, ...]:
    """The amounts of the vouchers that make up a reward."""
    piece = max(PIECE_CENTS, -(-cents // PIECES_MAX))
    whole, rest = divmod(cents, piece)
    return (*(piece,) * whole, *((rest,) if rest else ()))


@dataclass(frozen=True)
class Made:
    """A voucher before it is issued: what it is worth, and its code in the two forms in which it is kept."""

    cents: int
    code: str
    code_hash: bytes


def made_for(claim: Claim) -> tuple[Made, ...]:
    """Fresh codes for what a claim earns in vouchers."""
    fresh = [(cents, codes.fresh()) for cents in pieces(claim.voucher_cents)]
    return tuple(Made(cents, code, codes.hashed(code)) for cents, code in fresh)


def issued_by(claim: str, customer: int, made: Made, currency: str, until: date, day: date) -> Event:
    """The event that a voucher is issued by."""
    detail = {"claim": claim, "cents": made.cents, "currency": currency, "until": until.isoformat(), "sha256": made.code_hash.hex()}
    return Event(KIND_OF[ISSUED], customer, day=day, detail=detail)


class Vouchers:
    """Vouchers at tills. Durable when a method returns."""

    def __init__(self, records: Database, envelope: Envelope, clock: Clock) -> None:
        self._records, self._envelope, self._clock = records, envelope, clock
        self._together = Together[Work, Told](self._serve, TOGETHER_MOST)
        self._wrong: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, machine: str, code: str) -> Told:
        """What a code is worth now. Changes nothing."""
        wanted = self._meant(machine, code)
        with self._records.reading() as connection:
            return self._told(self._found(connection, machine, wanted))

    def reserve(self, machine: str, code: str, key: str, seconds: int = 900) -> Told:
        """Keeps a voucher for one basket. `NotNow` if it is another's, used, or over."""
        if not 1 <= seconds <= HOLD_SECONDS_MAX:
            raise BadInput(f"A reservation of {seconds} seconds.", f"Give 1 to {HOLD_SECONDS_MAX}.")
        who, wanted, now = holder(machine, key), self._meant(machine, code), self._clock.now()

        def work(connection: Connection) -> Told:
            one = self._found(connection, machine, wanted)
            if one.reservation == who and one.state in (RESERVED, REDEEMED) and not self._too_long(one, now):
                return self._told(one)
            one = self._free(connection, one, who, now)
            until = (now + timedelta(seconds=seconds)).isoformat()
            return self._told(self._move(connection, one, RESERVED, (), now, reservation=who, reserved_until=until))

        return self._together.submit(work)

    def redeem(self, machine: str, code: str, key: str) -> Told:
        """Uses a voucher, reserved before under this key or not at all. Once: the same key again finds it done."""
        who, wanted, now = holder(machine, key), self._meant(machine, code), self._clock.now()

        def work(connection: Connection) -> Told:
            one = self._found(connection, machine, wanted)
            if one.reservation == who and one.state == REDEEMED:
                return self._told(one)
            one, moves = self._free(connection, one, who, now), _out(one, books.REDEEMED)
            return self._told(self._move(connection, one, REDEEMED, moves, now, reservation=who))

        return self._together.submit(work)

    def rollback(self, machine: str, code: str, key: str) -> Told:
        """The basket was not paid: the voucher is free again. `NotNow` for what was redeemed."""
        who, wanted, now = holder(machine, key), self._meant(machine, code), self._clock.now()

        def work(connection: Connection) -> Told:
            one = self._found(connection, machine, wanted)
            if one.state == REDEEMED and one.reservation == who:
                raise NotNow("This voucher was redeemed.", "Pay the sale back like any other.")
            if one.state == RESERVED and one.reservation == who:
                one = self._return(connection, one, now)
            return self._told(one)

        return self._together.submit(work)

    def _serve(self, jobs: list[Job[Work, Told]]) -> None:
        """Tills that ask at the same moment share one transaction. What one of them may not do is hers alone to hear: it is said
        before anything of hers is written."""
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            for job in jobs:
                try:
                    job.answer = job.work(connection)
                except (BadInput, NotFound, NotNow) as error:
                    job.error = error

    def replace(self, number: int, *, by: str) -> int:
        """A code that was lost or seen by others is worth nothing any more, and another one is issued; the new one's number."""
        if not 0 < len(by.strip()) <= BY_MAX:
            raise BadInput("Somebody answers for it.", f"Say who, with --by, in at most {BY_MAX} characters.")
        now, code = self._clock.now(), codes.fresh()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            one = out_store.voucher(connection, number)
            if one is None:
                raise NotFound("There is no such voucher.", "Its number stands in: volens wallet voucher CODE")
            if one.state != ISSUED:
                raise NotNow(f"This voucher is {one.state}.", "Only one that nobody uses is replaced.")
            day, there = legal_day(now, one.country), out_store.vouchers_of(connection, one.customer)
            place = 1 + max(each.place for each in there if each.claim == one.claim)
            sealed = self._envelope.seal_now(connection, one.customer, code.encode())
            made = Made(one.cents, code, codes.hashed(code))
            gone = Event(KIND_OF[VOID], one.customer, day=day, detail={"voucher": number, "by": by.strip()})
            fresh = issued_by(one.claim, one.customer, made, one.currency, date.fromisoformat(one.until), day)
            seq = books.post(connection, [Posting(gone, (), ""), Posting(fresh, (), "")])
            out_store.move_voucher(connection, one, replace(one, state=VOID, moved=day.isoformat(), seq=seq))
            out_store.issue(connection, [Voucher(**{
                **vars(one), "voucher": seq + 1, "place": place, "code_hash": made.code_hash, "code": sealed,
                "moved": day.isoformat(), "issued": day.isoformat(), "seq": seq + 1,
            })])  # fmt: skip
        return seq + 1

    # In the night

    def end_reservations(self, most: int = 200) -> int:
        """Reservations whose time is over end; how many."""
        now, done = self._clock.now(), 0
        while True:
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                found = out_store.held_too_long(connection, RESERVED, now.isoformat(), most)
                for one in found:
                    self._return(connection, one, now)
            done += len(found)
            if len(found) < most:
                return done

    def expire(self, most: int = 200) -> int:
        """Vouchers whose last day is over are worth nothing any more; how many."""
        done, now = 0, self._clock.now()
        with self._records.reading() as connection:
            countries = out_store.countries(connection)
        for country in countries:
            today = legal_day(now, country).isoformat()
            while True:
                with self._records.writing() as connection:
                    log.lock(connection, EVENTS)
                    found = out_store.vouchers_over(connection, (ISSUED, RESERVED), country, today, most)
                    for one in found:
                        self._move(connection, one, EXPIRED, _out(one, books.BREAKAGE), now)
                done += len(found)
                if len(found) < most:
                    break
        return done

    # How

    def _meant(self, machine: str, typed: str) -> bytes:
        """What a code is found by. A slip of the pen is told apart from a code that does not exist: it says nothing about any."""
        self._require_patience(machine)
        code = codes.meant(typed)
        if code is None:
            raise BadInput("This code was not read rightly.", "Type it again: five groups, the last of one symbol.")
        return codes.hashed(code)

    def _found(self, connection: Connection, machine: str, wanted: bytes) -> Voucher:
        found = out_store.by_code(connection, wanted)
        if found is None:
            with self._lock:
                self._wrong.setdefault(machine, deque(maxlen=WRONG_MAX)).append(time.monotonic())
            raise NotFound("There is no voucher with this code.", "Type it again, or scan it.")
        return found

    def _require_patience(self, machine: str) -> None:
        with self._lock:
            wrong = self._wrong.get(machine)
            if wrong is None or len(wrong) < WRONG_MAX:
                return
            wait = wrong[0] + WRONG_SECONDS - time.monotonic()
        if wait > 0:
            raise TooOften(int(wait) + 1, "Too many codes were wrong.", "Wait; codes that are right are not lost.")

    def _free(self, connection: Connection, one: Voucher, who: str, now: datetime) -> Voucher:
        """The voucher, if whoever asks may have it now; what somebody held for too long is free."""
        if one.state == RESERVED and one.reservation != who and self._too_long(one, now):
            one = self._return(connection, one, now)
        if one.state == RESERVED and one.reservation != who:
            raise NotNow("This voucher is in another basket.", "It is free again when that one is rolled back or its time is over.")
        if one.state in (REDEEMED, EXPIRED, VOID) or one.until < legal_day(now, one.country).isoformat():
            said = "was used" if one.state == REDEEMED else "is worth nothing any more"
            raise NotNow(f"This voucher {said}.", "Ask for another way to pay.")
        return one

    def _too_long(self, one: Voucher, now: datetime) -> bool:
        return one.state == RESERVED and one.reserved_until < now.isoformat()

    def _return(self, connection: Connection, one: Voucher, now: datetime) -> Voucher:
        return self._move(connection, one, ISSUED, (), now, kind=RETURNED)

    def _move(
        self, connection: Connection, one: Voucher, state: str, moves: Sequence[Move], now: datetime, kind: str = "",
        reservation: str = "", reserved_until: str = "",
    ) -> Voucher:  # fmt: skip
        """The voucher in its next state, with its event."""
        if state not in TRANSITIONS[one.state]:
            raise NotNow(f"A voucher that is {one.state} does not become {state}.", "Ask what it is: volens wallet voucher")
        day = legal_day(now, one.country)
        event = Event(kind or KIND_OF[state], one.customer, day=day, detail={"voucher": one.voucher})
        seq = books.post(connection, [Posting(event, tuple(moves), f"{state}/voucher/{one.voucher}")])
        after = replace(one, state=state, moved=day.isoformat(), seq=seq, reservation=reservation, reserved_until=reserved_until)
        if not out_store.move_voucher(connection, one, after):
            raise Unavailable("The voucher is not as it was a moment ago.", "Ask again.")  # with all who share the transaction
        return after

    def _told(self, one: Voucher) -> Told:
        now = self._clock.now()
        over = one.state in (ISSUED, RESERVED) and one.until < legal_day(now, one.country).isoformat()
        state = EXPIRED if over else ISSUED if self._too_long(one, now) else one.state
        return Told(state, one.cents, one.currency, one.until, one.reserved_until if state == RESERVED else "")


def holder(machine: str, key: str) -> str:
    """Whoever holds a reservation."""
    if not 0 < len(key) <= KEY_MAX or not key.isprintable():
        raise BadInput("A basket has a key.", f"Send one of at most {KEY_MAX} characters, the same for every try.")
    return f"{machine[:MACHINE_MAX]}/{key}"


def _out(one: Voucher, kind: str) -> tuple[Move, ...]:
    return (Move(account(books.VOUCHERS, one.offer, one.country), kind, one.cents, one.currency),)
