"""What becomes of money when its person is erased, and when her card turns out to be somebody else's.

Rules:
1. What was earned is not lost with the name: what is still owed is owed to whoever holds the bearer's code, which follows from the
   number and is shown in the answer to the erasure. It opens the same wallet, about nobody.
2. `settle` runs before her key is destroyed and may run twice; `forget` runs in the erasure's own transaction.
3. Where every card of a number turned out to be somebody else's, what is under it follows in the night: rewards have one owner.
4. The books keep the number, which no store maps to anybody: accounts have to be kept, and names have not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import Tampered
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.identity import links
from volens.identity import store as identity
from volens.wallet import books, codes, contest_store, out_store, payouts, store, vouchers
from volens.wallet.books import Move, Posting, account
from volens.wallet.claims import HELD, PENDING
from volens.wallet.sealing import Envelope

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOLLOWED = "wallet-followed"
"""The event by which a wallet comes to whoever has the cards of its person now."""
BEARER = "wallet-bearer"
"""The event from which on a number's money is owed to whoever holds its code."""


class Leaving:
    """What the wallet does for somebody who is about to be erased."""

    def __init__(self, records: Database, envelope: Envelope, clock: Clock, country: str) -> None:
        self._records, self._envelope, self._clock, self._country = records, envelope, clock, country

    def settle(self, customer: int) -> None:
        """Before her key is destroyed: if anything is owed, a bearer's code stands for it from now on. Twice is once."""
        day = legal_day(self._clock.now(), self._country)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if not _owes(connection, customer):
                return
            if customer not in out_store.bearers_among(connection, [customer]):
                code_hash = codes.hashed(self._envelope.code_of(customer))
                seq = log.append(connection, EVENTS, [Event(BEARER, customer, day=day, detail={"sha256": code_hash.hex()})])
                out_store.add_bearer(connection, customer, code_hash, day.isoformat(), seq)
            for one in out_store.vouchers_of(connection, customer):
                if one.state in (vouchers.ISSUED, vouchers.RESERVED):
                    out_store.reseal_voucher(connection, one.voucher, self._again(customer, one.code))
            for each in out_store.payouts_where(connection, customer=customer):
                if each.account is not None and each.state not in payouts.SETTLED:
                    out_store.move_payout(connection, each.payout, account=self._again(customer, each.account))

    def code_of(self, customer: int) -> str | None:
        """The bearer's code of a number that is erased, as it is read; none if nothing was owed."""
        with self._records.reading() as connection:
            there = out_store.bearers_among(connection, [customer])
        return codes.spoken(self._envelope.code_of(customer)) if there else None

    def holder(self, code: str) -> int | None:
        """The number that a bearer's code opens."""
        meant = codes.meant(code)
        if meant is None:
            return None
        with self._records.reading() as connection:
            return out_store.bearer(connection, codes.hashed(meant))

    def follow(self) -> int:
        """What is under the number of somebody whose every card turned out to be another's comes to the other; of how many."""
        with self._records.reading() as connection:
            found = [(one, to) for one in links.formers(connection) if (to := _moved_to(connection, one)) is not None]
        return sum(self._follow(former, to) for former, to in found)

    def _follow(self, former: int, to: int) -> bool:
        day = legal_day(self._clock.now(), self._country)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            if _moved_to(connection, former) != to:
                return False
            old = {account(kind, former): account(kind, to) for kind in (books.PENDING, books.AVAILABLE)}
            holding = [one for one in store.accounts_named(connection, old) if one.cents]
            moves = tuple(Move(one.account, old[one.account], one.cents, one.currency) for one in holding)
            event = Event(FOLLOWED, to, day=day, detail={"from": former})
            number = log.size(connection, EVENTS)
            books.post(connection, [Posting(event, moves, f"followed/{former}/{number}")])
            for one in out_store.vouchers_of(connection, former):
                out_store.reseal_voucher(connection, one.voucher, self._for(connection, former, to, one.code) or b"")
            for each in out_store.payouts_where(connection, customer=former):
                if each.account is not None:
                    account_now = self._for(connection, former, to, each.account)
                    out_store.move_payout(connection, each.payout, account=account_now)
            for said in contest_store.contests_where(connection, customer=former):
                words, answer = (self._for(connection, former, to, part) for part in (said.words, said.answer))
                contest_store.reseal(connection, said.contest, words, answer)
            out_store.give_to(connection, former, to)
        return True

    def _for(self, connection: Connection, former: int, to: int, sealed: bytes | None) -> bytes | None:
        return self._envelope.seal_now(connection, to, self._envelope.open(former, sealed)) if sealed else None

    def _again(self, customer: int, sealed: bytes) -> bytes:
        try:
            return self._envelope.seal(customer, self._envelope.open(customer, sealed), {}, {customer})
        except Tampered:  # her key is gone, from records that were put back: what it sealed stays closed
            return sealed


def forget(connection: Connection, customer: int, accounts: Sequence[int] = ()) -> None:
    """Deletes what is sealed of somebody and owed no more, in the transaction of her erasure. The numbers stay: rule 4."""
    for one in out_store.vouchers_of(connection, customer):
        if one.state not in (vouchers.ISSUED, vouchers.RESERVED):
            out_store.reseal_voucher(connection, one.voucher, b"")
    for each in out_store.payouts_where(connection, customer=customer):
        if each.state in payouts.SETTLED:
            out_store.forget_account(connection, each.payout)
    contest_store.forget_words(connection, customer)


def _moved_to(connection: Connection, former: int) -> int | None:
    """Whoever has the cards now of somebody who has something here and no card of her own any more."""
    if not store.claims_of(connection, former) or identity.accounts_of(connection, former):
        return None
    if not identity.is_known(connection, former) or out_store.bearers_among(connection, [former]):
        return None
    went = [one.customer for one in links.standing(connection, [former]) if one.former == former]
    return next((one for one in reversed(went) if identity.accounts_of(connection, one)), None)


def _owes(connection: Connection, customer: int) -> bool:
    names = {account(books.PENDING, customer), account(books.AVAILABLE, customer)}
    if any(one.state in (PENDING, HELD) for one in store.claims_of(connection, customer)):
        return True
    if any(one.cents for one in store.accounts_named(connection, names)):
        return True
    if any(one.state in (vouchers.ISSUED, vouchers.RESERVED) for one in out_store.vouchers_of(connection, customer)):
        return True
    return any(one.state not in payouts.SETTLED for one in out_store.payouts_where(connection, customer=customer))
