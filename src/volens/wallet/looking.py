"""Reads of the wallet: one person's page, the books of today, and the rows for the accountants. Changes nothing.

1. What a person sees is what the books hold: the sums of her page are those of her two accounts.
2. Her history follows from the postings and the states; nothing is written down twice for it.
3. The export has one row a posting, in their order; for each account, what it held before, what came, what went and what it holds
   after add up, and are told beside it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from volens.holders import Database
from volens.wallet import books, codes, contest_store, day_store, out_store, payouts, store, vouchers
from volens.wallet.books import account, kind_of
from volens.wallet.claims import HELD, PENDING, REVERSED, told
from volens.wallet.contest_store import Contest
from volens.wallet.contests import OPEN, Elsewhere, answered_since, nowhere_else
from volens.wallet.sealing import Envelope
from volens.wallet.shown import Asked, Happened, Held, Overview, Pot, Purse, Waiting
from volens.wallet.store import Claim, Entry

if TYPE_CHECKING:
    from sqlalchemy import Connection

HISTORY_MOST, VOUCHERS_MOST, PAYOUTS_MOST = 200, 100, 20
"""Lines of a page; her export has all of them."""
_MOVED = {
    (books.COMMITTED, books.PENDING): "earned",
    (books.PENDING, books.BUDGET): "taken-back",
    (books.PENDING, books.AVAILABLE): "available",
    (books.PENDING, books.VOUCHERS): "voucher",
    (books.AVAILABLE, books.TRANSIT): "asked",
    (books.TRANSIT, books.AVAILABLE): "came-back",
}  # fmt: skip
"""What a posting is in the words of her page. That a transfer arrived and that a voucher was used is no posting of her accounts."""
COLUMNS = ("event", "place", "day", "from", "to", "cents", "currency", "key")


@dataclass(frozen=True)
class Sum:
    """One account over some days."""

    account: str
    currency: str
    before: int
    came: int
    went: int
    after: int


class Looking:
    """Reads of the wallet."""

    def __init__(self, records: Database, envelope: Envelope) -> None:
        self._records, self._envelope = records, envelope
        self.elsewhere: Elsewhere = nowhere_else

    def of(self, customer: int, language: str, most: int = HISTORY_MOST) -> list[Purse]:
        """Everything somebody has, by currency; the currency of her newest reward first."""
        with self._records.reading() as connection:
            claims = store.claims_of(connection, customer)
            held = out_store.vouchers_of(connection, customer)
            asked = out_store.payouts_where(connection, customer=customer)
            contests = contest_store.contests_where(connection, customer=customer)
            invited = {one.key for one in claims if one.state == HELD and self.elsewhere(connection, one)}
            names = {account(books.PENDING, customer), account(books.AVAILABLE, customer)}
            available = {one.currency: one.cents for one in store.accounts_named(connection, names) if one.kind == books.AVAILABLE}
            moved = store.entries_of(connection, names)
        found = []
        for currency in dict.fromkeys(one.currency for one in claims):
            mine = [one for one in claims if one.currency == currency]
            told_of = [_waiting(one, language, contests, invited) for one in mine if one.state in (PENDING, HELD)]
            back = [_waiting(one, language, contests, invited) for one in mine if one.state == REVERSED]
            whys = {one.key: one.why for one in mine}
            usable = [one for one in held if one.currency == currency and one.state in (vouchers.ISSUED, vouchers.RESERVED)]
            ways = [one for one in reversed(asked) if one.currency == currency][:PAYOUTS_MOST]
            history = sorted(
                [*_of_entries([one for one in moved if one.currency == currency], mine), *_of_states(held, asked, currency, whys)],
                key=lambda one: one.day, reverse=True,
            )  # fmt: skip
            found.append(Purse(
                currency, available.get(currency, 0), tuple(sorted(told_of, key=lambda one: one.day)), tuple(back),
                tuple(self._shown(one, whys.get(one.claim, "")) for one in usable[:VOUCHERS_MOST]),
                tuple(Asked(one.payout, one.cents, one.last4, one.state, one.moved) for one in ways), tuple(history[:most]),
            ))  # fmt: skip
        return found

    def _shown(self, one: out_store.Voucher, why: str) -> Held:
        code = codes.spoken(self._envelope.open(one.customer, one.code).decode())
        return Held(one.voucher, one.offer, one.cents, code, one.until, one.state == vouchers.RESERVED, why)

    def overview(self) -> Overview:
        """The books of today."""
        with self._records.reading() as connection:
            trial = books.trial(connection)
            curve = [*day_store.curve(connection, PENDING)]
            pots = [_pot(connection, one) for one in store.all_budgets(connection)]
            counts, paid = out_store.count_vouchers(connection), out_store.count_payouts(connection)
            days = day_store.all_days(connection)
        owed = {currency: sum(kinds[kind] for kind in books.OWED) for currency, kinds in trial.items()}
        return Overview(trial, owed, tuple(curve), tuple(pots), tuple(counts), tuple(paid), tuple(days))

    def costs(self) -> list[tuple[str, str, str, str, int]]:
        """(offer, country, currency, month, cents): what rewards cost, by the month in which they were earned or taken back."""
        found: dict[tuple[str, str, str, str], int] = {}
        with self._records.reading() as connection:
            for one in store.all_entries(connection):
                kinds = (kind_of(one.source), kind_of(one.target))
                sign = {(books.COMMITTED, books.PENDING): 1, (books.PENDING, books.BUDGET): -1}.get(kinds)
                if sign is not None:
                    _, offer, country = (one.source if sign > 0 else one.target).split("/")
                    key = (offer, country, one.currency, one.day[:7])
                    found[key] = found.get(key, 0) + sign * one.cents
        return [(*key, cents) for key, cents in sorted(found.items())]

    def export(self, file: TextIO, first: str = "", last: str = "9999-12-31") -> tuple[int, list[Sum]]:
        """Writes the postings of some days as CSV; how many, and what they come to by account."""
        written, sums = csv.writer(file), dict[tuple[str, str], Sum]()
        written.writerow(COLUMNS)
        count = 0
        with self._records.reading() as connection:
            for one in store.all_entries(connection, first, last):
                written.writerow([one.seq, one.place, one.day, one.source, one.target, one.cents, one.currency, one.key])
                _add(sums, one)
                count += 1
        return count, sorted(sums.values(), key=lambda one: (one.currency, one.account))

    def entries(self) -> Iterator[Entry]:
        """Every posting, in their order."""
        with self._records.reading() as connection:
            yield from store.all_entries(connection)


def write_totals(file: TextIO, sums: Sequence[Sum]) -> None:
    """What each account held before, what came and went, and what it holds after, as CSV."""
    written = csv.writer(file)
    written.writerow(("account", "currency", "before", "came", "went", "after"))
    for one in sums:
        written.writerow((one.account, one.currency, one.before, one.came, one.went, one.after))


def _waiting(one: Claim, language: str, contests: list[Contest], invited: set[str]) -> Waiting:
    return Waiting(
        one.key, one.offer, one.version, one.why, one.money_cents, one.voucher_cents, one.earned or "", one.matures or "",
        told(one.reason, language), any(each.claim == one.key and each.state == OPEN for each in contests),
        answered_since(one, contests), one.key in invited,
    )  # fmt: skip


def _of_entries(moved: list[Entry], claims: list[Claim]) -> Iterator[Happened]:
    of = {one.key: (one.offer, one.why) for one in claims}
    for one in moved:
        what = _MOVED.get((kind_of(one.source), kind_of(one.target)))
        if what is not None:
            key = one.key.partition("/")[2].partition("#")[0]
            yield Happened(one.day, what, one.cents, *of.get(key, ("", "")))


def _of_states(
    held: list[out_store.Voucher], asked: list[out_store.Payout], currency: str, whys: Mapping[str, str]
) -> Iterator[Happened]:
    """What happened to vouchers and transfers after they left her accounts. """
    for one in held:
        if one.currency == currency and one.state == vouchers.REDEEMED:
            yield Happened(one.moved, "used", one.cents, one.offer, whys.get(one.claim, ""))
        if one.currency == currency and one.state == vouchers.EXPIRED:
            yield Happened(one.until, "over", one.cents, one.offer, whys.get(one.claim, ""))
    for each in asked:
        if each.currency == currency and each.state == payouts.CONFIRMED:
            yield Happened(each.moved, "paid", each.cents)


def _pot(connection: Connection, one: store.Budget) -> Pot:
    def holds(kind: str) -> int:
        return books.holds(connection, account(kind, one.offer, one.country), one.currency)

    left, committed = holds(books.BUDGET), holds(books.COMMITTED)
    used = {
        state: cents for offer, currency, state, _, cents in out_store.count_vouchers(connection, one.country)
        if (offer, currency) == (one.offer, one.currency)
    }  # fmt: skip
    return Pot(
        one.offer, one.country, one.currency, one.cents, left, committed, one.cents - left - committed,
        used.get(vouchers.REDEEMED, 0), used.get(vouchers.EXPIRED, 0),
    )  # fmt: skip


def _add(sums: dict[tuple[str, str], Sum], one: Entry) -> None:
    for name, before, came, went in (
        (one.source, one.source_before, 0, one.cents), (one.target, one.target_before, one.cents, 0),
    ):  # fmt: skip
        key = (name, one.currency)
        was = sums.get(key) or Sum(name, one.currency, before, 0, 0, before)
        sums[key] = Sum(name, one.currency, was.before, was.came + came, was.went + went, was.after + came - went)
