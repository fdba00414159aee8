"""The books: money moves from one account to another, in whole minor units, and never otherwise.

Rules:
1. Every posting takes from one account what it gives to another: all accounts of a currency always add up to zero.
2. No account but the outside falls below zero: not the budget of an offer, nor what is promised, nor anybody's money.
3. A posting belongs to an event, which says the same: the books can be made again from the events, and the audit does.
4. Whoever posts holds the head row of the events: what was read of an account is what it holds until the end.
5. What was posted is not changed. A mistake is mended by another posting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from volens.errors import NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.wallet import store
from volens.wallet.store import Account, Entry

if TYPE_CHECKING:
    from sqlalchemy import Connection

OUTSIDE, BUDGET, COMMITTED = "outside", "budget", "committed"
PENDING, AVAILABLE = "pending", "available"
VOUCHERS, TRANSIT = "vouchers", "transit"
PAID, REDEEMED, BREAKAGE = "paid", "redeemed", "breakage"
KINDS: Mapping[str, str] = {
    OUTSIDE: "where the money of the budgets comes from; minus all that was ever given",
    BUDGET: "of an offer in a country: what may still be promised",
    COMMITTED: "of an offer in a country: promised to whoever takes part, not yet earned",
    PENDING: "of a person: earned, and not yet hers to use",
    AVAILABLE: "of a person: hers to have paid out",
    VOUCHERS: "of an offer in a country: vouchers that are out and not yet used",
    TRANSIT: "asked for, and on its way through a bank",
    PAID: "arrived on people's bank accounts",
    REDEEMED: "used as vouchers at tills",
    BREAKAGE: "vouchers whose last day went by",
}
"""Every kind of account, and what it holds."""
OWED = (PENDING, AVAILABLE, VOUCHERS, TRANSIT)
"""What the house owes people today."""
CENTS_MAX = 10**15
"""More in one posting is a mistake of the pen."""
MOVES = "moves"
"""In the detail of an event: the postings that belong to it."""


@dataclass(frozen=True)
class Move:
    """So much from one account to another."""

    source: str
    target: str
    cents: int
    currency: str

    def __post_init__(self) -> None:
        if not 0 < self.cents <= CENTS_MAX or self.source == self.target or not len(self.currency) == 3:
            raise ValueError("a posting moves something, in one currency, from one account to another")
        for name in (self.source, self.target):
            if kind_of(name) not in KINDS:
                raise ValueError(f"no account is of the kind {kind_of(name)!r}")


@dataclass(frozen=True)
class Posting:
    """An event and the moves that belong to it."""

    event: Event
    moves: tuple[Move, ...]
    key: str
    """What it is, once and for ever: the books take each key once."""


def account(kind: str, *of: str | int) -> str:
    """The name of an account: its kind, and whose it is."""
    return "/".join([kind, *map(str, of)])


def kind_of(name: str) -> str:
    """The kind of an account."""
    return name.partition("/")[0]


def post(connection: Connection, postings: Sequence[Posting]) -> int:
    """Writes events with their postings, in the caller's transaction; returns the seq of the first event.

    `NotNow` if an account would fall below zero; then nothing of the transaction may be kept.
    """
    held = log.hold(connection, EVENTS)
    moves = [move for one in postings for move in one.moves]
    names = {(name, one.currency) for one in moves for name in (one.source, one.target)}
    holds = store.balances(connection, names) if names else {}
    written, newest = list[Entry](), dict[tuple[str, str], int]()
    for seq, posting in enumerate(postings, held.size):
        for place, move in enumerate(posting.moves):
            written.append(_entry(seq, place, posting, move, holds))
            newest[move.source, move.currency] = newest[move.target, move.currency] = seq
    first = log.append(connection, EVENTS, [_with_moves(one) for one in postings], held=held)
    if written:
        store.put(connection, written, [Account(*one, kind_of(one[0]), holds[one], seq) for one, seq in newest.items()])
    return first


def _entry(seq: int, place: int, posting: Posting, move: Move, holds: dict[tuple[str, str], int]) -> Entry:
    """One move as it is written; `holds` has moved with it."""
    source, target = (move.source, move.currency), (move.target, move.currency)
    before, other = holds.get(source, 0), holds.get(target, 0)
    if before < move.cents and kind_of(move.source) != OUTSIDE:
        raise NotNow(f"The account {kind_of(move.source)} does not hold so much.", "Look at the books: volens wallet books")
    if posting.event.day is None:
        raise ValueError("a posting has a day")
    holds[source], holds[target] = before - move.cents, other + move.cents
    key = posting.key if place == 0 else f"{posting.key}#{place}"
    return Entry(
        seq, place, key, move.source, move.target, move.cents, move.currency, posting.event.day.isoformat(), before, holds[source],
        other, holds[target],
    )  # fmt: skip


def _with_moves(posting: Posting) -> Event:
    """The event as it is written: it says what moved."""
    said: dict[str, Any] = {**posting.event.detail, MOVES: [plain(one) for one in posting.moves]}
    return replace(posting.event, detail=said) if posting.moves else posting.event


def plain(move: Move) -> list[Any]:
    """A move as events have it."""
    return [move.source, move.target, move.cents, move.currency]


def trial(connection: Connection) -> dict[str, dict[str, int]]:
    """By currency and kind of account: what all accounts of the kind hold. Each currency adds up to zero."""
    found: dict[str, dict[str, int]] = {}
    for currency, kind, cents in store.by_kind(connection):
        found.setdefault(currency, dict.fromkeys(KINDS, 0))[kind] = cents
    return found


def holds(connection: Connection, name: str, currency: str) -> int:
    """What one account holds."""
    return store.balances(connection, {(name, currency)}).get((name, currency), 0)
