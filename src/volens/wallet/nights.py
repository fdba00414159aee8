"""What happens to rewards in the night: they become available, vouchers are issued or end, contests that nobody answered are won,
and the balance of the day is written down.

Rules:
1. A claim matures on its day, the legal day of its country, whole and in one transaction: its money is available, its vouchers
   are issued. A held one does not.
2. Two hundred claims make a transaction, so that whoever withdraws or pays meanwhile does not wait for all of them. Killed
   anywhere, the same again does the rest.
3. Codes are made and sealed before the head row is taken, except for those few whose person is being erased.
4. The balance of a day is written once, by the first night's work of that day, with the event at which it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from volens.clock import Clock, legal_day
from volens.errors import Tampered
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.wallet import books, claims, day_store, out_store, store
from volens.wallet.books import Move, Posting, account
from volens.wallet.claims import AVAILABLE, KIND_OF, PENDING
from volens.wallet.out_store import Voucher
from volens.wallet.sealing import Envelope
from volens.wallet.store import Claim
from volens.wallet.vouchers import ISSUED, Made, Vouchers, issued_by, made_for

AT_ONCE, REST_SECONDS = 200, 0.005
CLOSED = "wallet-closed"
"""The event of a day's balance."""


@dataclass(frozen=True)
class Night:
    """What one night did, in numbers."""

    matured: int
    vouchers: int
    expired: int
    returned: int

    def to_dict(self) -> dict[str, int]:
        """For programs."""
        return dict(vars(self))


class Nights:
    """The night's work. Durable when a method returns."""

    def __init__(self, records: Database, envelope: Envelope, vouchers: Vouchers, clock: Clock, country: str) -> None:
        self._records, self._envelope, self._vouchers = records, envelope, vouchers
        self._clock, self._country = clock, country

    def work(self) -> Night:
        """All of it, in its order."""
        returned, expired = self._vouchers.end_reservations(), self._vouchers.expire()
        matured, issued = self.mature()
        self.close_day()
        return Night(matured, issued, expired, returned)

    def mature(self) -> tuple[int, int]:
        """Claims whose day has come become money and vouchers; how many of both."""
        now, claims_done, vouchers_done = self._clock.now(), 0, 0
        with self._records.reading() as connection:
            countries = sorted({one.country for one in store.all_budgets(connection)})
        for country in countries:
            day = legal_day(now, country)
            while True:
                with self._records.reading() as connection:
                    due = store.due(connection, PENDING, country, day.isoformat(), AT_ONCE)
                if not due:
                    break
                done, made = self._mature(due, now, day)
                claims_done, vouchers_done = claims_done + done, vouchers_done + made
                self._records.rest(REST_SECONDS, tidy=True)
        return claims_done, vouchers_done

    def _mature(self, due: Sequence[Claim], now: datetime, day: date) -> tuple[int, int]:
        who = {one.customer for one in due if one.customer is not None}
        keys = self._envelope.keys(who)
        sealed: dict[str, tuple[Made, ...]] = {one.key: made_for(one) for one in due}
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            bearers = out_store.bearers_among(connection, who)
            postings, rows, first = list[Posting](), list[Voucher](), log.size(connection, EVENTS)
            states: dict[str, int] = {}
            for seen in due:
                one = store.claim(connection, seen.key)
                if one is None or one.state != PENDING or one.seq != seen.seq or one.customer is None:
                    continue  # held or reversed meanwhile
                states[one.key] = first + len(postings)
                postings.append(_matured(one, day))
                until = day + timedelta(days=one.voucher_days)
                for place, made in enumerate(sealed[one.key]):
                    code = self._envelope.seal(one.customer, made.code.encode(), keys, bearers)
                    rows.append(_voucher(one, place, made, code, day, until, first + len(postings)))
                    event = issued_by(one.key, one.customer, made, one.currency, until, day)
                    postings.append(Posting(event, (), ""))
            if postings:
                books.post(connection, postings)
                for key, seq in states.items():
                    store.move_claim(connection, key, state=AVAILABLE, seq=seq)
                if rows:
                    out_store.issue(connection, rows)
        return len(states), len(rows)

    def close_day(self) -> bool:
        """Writes the balance of today down, once; whether it was not there yet. `Tampered` if it is not zero: nothing goes on."""
        today = legal_day(self._clock.now(), self._country)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if day_store.has_day(connection, today.isoformat()):
                return False
            kinds = store.by_kind(connection)
            if not kinds:
                return False
            require_zero(kinds)
            detail = {"balance": [[currency, kind, cents] for currency, kind, cents in kinds]}
            seq = log.append(connection, EVENTS, [Event(CLOSED, day=today, detail=detail)])
            day_store.keep_day(connection, today.isoformat(), seq, kinds)
        return True


def require_zero(kinds: Sequence[tuple[str, str, int]]) -> None:
    """`Tampered` if the accounts of a currency do not add up to zero."""
    sums: dict[str, int] = {}
    for currency, _, cents in kinds:
        sums[currency] = sums.get(currency, 0) + cents
    for currency, cents in sums.items():
        if cents:
            raise Tampered(f"The books do not add up: {cents} minor units of {currency} too much.", "Run: volens audit")


def _matured(one: Claim, day: date) -> Posting:
    """Pending money becomes available, and the rest vouchers."""
    pot, moves = account(books.PENDING, one.customer or 0), list[Move]()
    if one.money_cents:
        moves.append(Move(pot, account(books.AVAILABLE, one.customer or 0), one.money_cents, one.currency))
    if one.voucher_cents:
        moves.append(Move(pot, account(books.VOUCHERS, one.offer, one.country), one.voucher_cents, one.currency))
    event = Event(KIND_OF[AVAILABLE], one.customer, day=day, detail={"claim": one.key})
    return Posting(event, tuple(moves), f"{claims.AVAILABLE}/{one.key}")


def _voucher(one: Claim, place: int, made: Made, code: bytes, day: date, until: date, seq: int) -> Voucher:
    return Voucher(
        seq, one.key, place, one.customer or 0, one.offer, one.country, one.currency, made.cents, made.code_hash, code, ISSUED,
        day.isoformat(), day.isoformat(), until.isoformat(), "", "", seq,
    )  # fmt: skip
