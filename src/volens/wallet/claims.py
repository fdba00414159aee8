"""One reward from its promise to its day: reserved at joining, earned by the act, held, reversed, matured.

Rules:
1. Whoever joins is promised what the budget then has to have: it is set aside at once, so that whoever does the act is paid.
2. A key is one claim. The same again changes nothing; the same key with something else in it is refused.
3. What is earned has a day, told from the first. Until then it can be held, with a sentence that its person reads, or taken back
   because the act did not stand. From its day on nothing takes it back.
4. Each step is one transaction with its event and its postings: the caller's. All of them take the head row of the events first.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from volens.clock import ZONES
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.offers.document import Amount
from volens.wallet import books, store
from volens.wallet.books import Move, Posting, account
from volens.wallet.store import Budget, Claim

if TYPE_CHECKING:
    from sqlalchemy import Connection

RESERVED, GIVEN_BACK, PENDING, HELD, AVAILABLE, REVERSED = "reserved", "given-back", "pending", "held", "available", "reversed"
TRANSITIONS: Mapping[str, frozenset[str]] = {
    RESERVED: frozenset({GIVEN_BACK, PENDING, HELD}),
    PENDING: frozenset({HELD, REVERSED, AVAILABLE}),
    HELD: frozenset({PENDING, REVERSED}),
    AVAILABLE: frozenset(),
    GIVEN_BACK: frozenset(),
    REVERSED: frozenset(),
}
"""Which state follows which. From `available` on a claim is money and a voucher, which have states of their own."""
KIND_OF: Mapping[str, str] = {
    RESERVED: "reward-reserved", GIVEN_BACK: "reward-given-back", PENDING: "reward-earned", HELD: "reward-held",
    AVAILABLE: "reward-matured", REVERSED: "reward-reversed",
}  # fmt: skip
"""The event that leads to each state."""
RELEASED = "reward-released"
"""The event that leads back from held to pending."""
BUDGETED = "reward-budget"
KEY_MAX, WHY_MAX, REASON_MAX, BY_MAX, VOUCHER_DAYS_MAX = 120, 64, 400, 120, 3_660
OFFER, CURRENCY = re.compile(r"[a-z][a-z0-9-]{0,63}"), re.compile(r"[A-Z]{3}")
BUDGET_MAX_CENTS = 1_000_000_000_00

Reason = str | Mapping[str, str]
"""A sentence, or one for each language."""


@dataclass(frozen=True)
class Promise:
    """What is set aside when somebody joins."""

    key: str
    """What is promised, once and for ever, for example "participation:812"."""
    offer: str
    version: int
    country: str
    currency: str
    amount: Amount

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= KEY_MAX or "#" in self.key:
            raise BadInput("A promise has a key.", f"Give one of at most {KEY_MAX} characters, without #.")
        if self.amount.cents <= 0:
            raise BadInput("A promise of nothing.", "Promise at least one minor unit, or nothing at all.")
        _require_place(self.offer, self.country, self.currency)
        if not 1 <= self.version < 2**31:
            raise BadInput("A promise is of a version of an offer.", "Give its number.")


def set_budget(connection: Connection, offer: str, country: str, cents: int, currency: str, *, by: str, day: date) -> Budget:
    """Gives an offer its budget in a country: all that may ever be promised there. The same again changes nothing.

    `NotNow` for less than what was promised already, or in another currency.
    """
    if not 0 <= cents <= BUDGET_MAX_CENTS:
        raise BadInput(f"A budget of {cents} minor units.", f"Give 0 to {BUDGET_MAX_CENTS}.")
    if not 0 < len(by.strip()) <= BY_MAX:
        raise BadInput("Somebody answers for a budget.", f"Say who, with --by, in at most {BY_MAX} characters.")
    _require_place(offer, country, currency)
    log.lock(connection, EVENTS)
    before = store.budget(connection, offer, country)
    if before is not None and before.currency != currency:
        raise NotNow(f"This budget is in {before.currency}.", "Give an offer in another currency another id.")
    more = cents - (before.cents if before is not None else 0)
    if before is not None and more == 0:
        return before
    pot = account(books.BUDGET, offer, country)
    if books.holds(connection, pot, currency) + more < 0:
        raise NotNow("More than this was promised already.", "What was promised is kept: give at least as much.")
    detail = {"offer": offer, "country": country, "currency": currency, "cents": cents, "by": by.strip()}
    moves = (
        (Move(books.OUTSIDE, pot, more, currency),) if more > 0 else (Move(pot, books.OUTSIDE, -more, currency),) if more else ()
    )
    number = log.size(connection, EVENTS)
    seq = books.post(connection, [Posting(Event(BUDGETED, day=day, detail=detail), moves, f"budget/{offer}/{country}/{number}")])
    found = Budget(offer, country, currency, cents, seq)
    store.keep_budget(connection, found)
    return found


def budget_left(connection: Connection, offer: str, country: str) -> tuple[int, str] | None:
    """What may still be promised, and its currency; none where no budget was given."""
    found = store.budget(connection, offer, country)
    if found is None:
        return None
    return books.holds(connection, account(books.BUDGET, offer, country), found.currency), found.currency


def reserve(connection: Connection, promise: Promise, *, day: date) -> None:
    """Sets aside what somebody who joins may earn. `NotNow` if the budget does not have it; then she cannot join."""
    log.lock(connection, EVENTS)
    before = store.claim(connection, promise.key)
    if before is not None:
        if _promise_of(before) != promise:
            raise NotNow("This key stands for another promise.", "Give every promise a key of its own.")
        return
    left = budget_left(connection, promise.offer, promise.country)
    if left is None or left[1] != promise.currency or left[0] < promise.amount.cents:
        raise NotNow("The budget of this offer is used up here.", "Give it more: volens wallet budget")
    money, voucher = promise.amount.money_cents, promise.amount.voucher_cents
    claim = Claim(
        promise.key, None, promise.offer, promise.version, promise.country, promise.currency, money, voucher, RESERVED,
        None, None, 0, "", "", 0,
    )  # fmt: skip
    moves = (Move(_budget(claim), _committed(claim), claim.cents, claim.currency),)
    detail = {"claim": claim.key, "offer": claim.offer, "version": claim.version, "country": claim.country, "money": money,
              "voucher": voucher}  # fmt: skip
    seq = _post(connection, Event(KIND_OF[RESERVED], day=day, detail=detail), moves, f"{RESERVED}/{claim.key}")
    store.add_claim(connection, Claim(**{**vars(claim), "seq": seq}))


def give_back(connection: Connection, key: str, *, day: date) -> None:
    """What was set aside and not earned goes back into the budget. Twice is once; `NotNow` for what was earned."""
    claim = _locked(connection, key)
    if claim.state == GIVEN_BACK:
        return
    _require(claim, GIVEN_BACK, "What was earned is not given back.")
    moves = (Move(_committed(claim), _budget(claim), claim.cents, claim.currency),)
    _move(connection, claim, GIVEN_BACK, day, moves)


def earn(
    connection: Connection, key: str, customer: int, *, earned: date, matures: date, voucher_days: int, why: str,
    held: Reason | None = None, day: date | None = None,
) -> None:  # fmt: skip
    """The act is done: what was set aside is its person's, from the day on which it matures. The same again changes nothing.

    earned: the legal day of the act. matures: the day from which the money is hers to use. voucher_days: how long the voucher holds
    from then on. why: one word for what it was earned by, for example "referral". held: the sentence that she reads, if somebody
    has to look at it first. day: today's legal day, if the act was on an earlier one.
    """
    if matures < earned or not 0 <= voucher_days <= VOUCHER_DAYS_MAX or not 0 < len(why) <= WHY_MAX:
        raise BadInput("What is earned has a day, a reason, and the days of its voucher.", "Give all three.")
    claim = _locked(connection, key)
    if (claim.voucher_cents > 0) != (voucher_days > 0):
        raise BadInput("A voucher holds for some days.", "Give voucher_days for a voucher, and only then.")
    same = (claim.customer, claim.earned, claim.matures) == (customer, earned.isoformat(), matures.isoformat())
    if claim.state not in (RESERVED, GIVEN_BACK) and same:
        return
    state = PENDING if held is None else HELD
    _require(claim, state, "This was earned by somebody else or on another day.")
    moves = (Move(_committed(claim), account(books.PENDING, customer), claim.cents, claim.currency),)
    said = {"earned": earned.isoformat(), "matures": matures.isoformat(), "why": why, "voucher_days": voucher_days}
    told = reason_of(held) if held is not None else ""
    detail = {"claim": key, **said, "state": state, **({"reason": digest(told)} if told else {})}
    seq = _post(connection, Event(KIND_OF[PENDING], customer, day=day or earned, detail=detail), moves, f"{PENDING}/{key}")
    store.move_claim(connection, key, customer=customer, state=state, reason=told, seq=seq, **said)


def hold(connection: Connection, key: str, reason: Reason, *, day: date) -> None:
    """Somebody has to look at it first: it does not mature meanwhile. Twice is once."""
    claim = _locked(connection, key)
    if claim.state == HELD:
        return
    _require(claim, HELD, "Only what is earned and not yet available can be held.")
    if claim.state == RESERVED:
        raise NotNow("Only what is earned can be held.", "Say so when it is earned.")
    _move(connection, claim, HELD, day, (), reason=reason_of(reason))


def release(connection: Connection, key: str, *, day: date) -> None:
    """What was held goes on to its day, or matures the next night if that went by. Twice is once."""
    claim = _locked(connection, key)
    if claim.state in (PENDING, AVAILABLE):
        return
    if claim.state != HELD:
        raise NotNow("This claim is not held.", "Look at it: volens wallet claim")
    seq = _post(connection, Event(RELEASED, claim.customer, day=day, detail={"claim": key}), (), "")
    store.move_claim(connection, key, state=PENDING, reason="", seq=seq)


def reverse(connection: Connection, key: str, reason: Reason, *, day: date) -> None:
    """The act did not stand: what was pending goes back into the budget. Twice is once; `NotNow` for what has matured."""
    claim = _locked(connection, key)
    if claim.state == REVERSED:
        return
    _require(claim, REVERSED, "What is earned is never taken back.")
    moves = (Move(account(books.PENDING, claim.customer or 0), _budget(claim), claim.cents, claim.currency),)
    _move(connection, claim, REVERSED, day, moves, reason=reason_of(reason))


def reason_of(reason: Reason) -> str:
    """A sentence in each language, as it is kept."""
    told = {"": reason} if isinstance(reason, str) else dict(reason)
    if not told or not all(0 < len(said) <= REASON_MAX for said in told.values()):
        raise BadInput("Whoever waits for money reads one sentence why.", f"Write one, of at most {REASON_MAX} characters.")
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def digest(reason: str) -> str:
    """What an event commits to of a sentence; nothing for none."""
    return hashlib.sha256(reason.encode()).hexdigest() if reason else ""


def told(reason: str, language: str) -> str:
    """The sentence in a language, or in whatever it was written."""
    said: dict[str, str] = json.loads(reason) if reason else {}
    return said.get(language) or said.get("") or next(iter(said.values()), "")


# How


def _require_place(offer: str, country: str, currency: str) -> None:
    """Names of accounts are made of these."""
    if not OFFER.fullmatch(offer) or country not in ZONES or not CURRENCY.fullmatch(currency):
        raise BadInput("Money is of an offer, in a country, in a currency.", "Give the offer's id, and for example FR and EUR.")


def _budget(claim: Claim) -> str:
    return account(books.BUDGET, claim.offer, claim.country)


def _committed(claim: Claim) -> str:
    return account(books.COMMITTED, claim.offer, claim.country)


def _promise_of(claim: Claim) -> Promise:
    amount = Amount(claim.money_cents, claim.voucher_cents)
    return Promise(claim.key, claim.offer, claim.version, claim.country, claim.currency, amount)


def _locked(connection: Connection, key: str) -> Claim:
    """A claim, which nobody else moves until the end of the transaction."""
    log.lock(connection, EVENTS)
    found = store.claim(connection, key)
    if found is None:
        raise NotFound("There is no such claim.", "It is reserved first, when somebody joins.")
    return found


def _require(claim: Claim, state: str, otherwise: str) -> None:
    if state not in TRANSITIONS[claim.state]:
        raise NotNow(otherwise, f"The claim is {claim.state}.")


def _move(
    connection: Connection, claim: Claim, state: str, day: date, moves: tuple[Move, ...], reason: str = ""
) -> None:
    detail = {"claim": claim.key, **({"reason": digest(reason)} if reason else {})}
    event = Event(KIND_OF[state], claim.customer, day=day, detail=detail)
    seq = _post(connection, event, moves, f"{state}/{claim.key}")
    store.move_claim(connection, claim.key, state=state, reason=reason, seq=seq)


def _post(connection: Connection, event: Event, moves: tuple[Move, ...], key: str) -> int:
    return books.post(connection, [Posting(event, moves, key)])
