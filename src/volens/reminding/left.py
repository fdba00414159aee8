"""The basket left behind: what somebody who permits it put into the website's basket and did not pay for, shown once on return.

Rules:
1. A basket is kept only of somebody who permits reminders when it comes, and only if it holds one of her habits. Of anybody else
   nothing is written; the answer is the same.
2. It is shown once, through the door, in the transaction that writes it down as a reminder. It is not shown while she is in it,
   before nothing changed in it for `after_minutes`, or after `days`; nor when she has bought what she likes in it since.
3. What is paid, emptied or shown is gone from it; the newest `BASKETS_MOST` of somebody stay. What is of people who do not permit
   any more goes with their habits (`Reminders.sweep`), and nobody looks at it before.
4. A basket that is paid brings its customer's habits up to date at once, and counts once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from volens.clock import Clock, legal_day
from volens.errors import BadInput
from volens.gate.barrier import Barrier
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate
from volens.holders import Database
from volens.identity.store import accounts_by
from volens.programme.reminding import LeftBasket, Reminding
from volens.reminding import left_store, store
from volens.reminding.basket import Basket, Habit, days
from volens.reminding.left_store import Left
from volens.reminding.store import Named

if TYPE_CHECKING:
    from volens.reminding.speaking import Ready

OPEN, PAID, EMPTIED = "open", "paid", "emptied"
STATES = (OPEN, PAID, EMPTIED)
BASKETS_MOST, WRITTEN_MOST = 5, 500
MONTH_DAYS = 30
ID_BYTES = 12


@dataclass(frozen=True)
class LeftBehind:
    """A basket that is shown again."""

    reminder: str
    """Its number, for `Reminders.hear`; empty where it is not shown on the website."""
    product: int
    """The favourite in it."""
    products: tuple[int, ...]
    day: date
    every_days: int


class LeftBaskets:
    """Hears of baskets, and shows one again. Durable when a method returns."""

    def __init__(
        self, records: Database, gate: Gate, barrier: Barrier, told: Callable[[], Reminding],
        request: Callable[[str, date, bool], ReadRequest], ready: Callable[[], Ready | None],
        modelled: Callable[[], Any], clock: Clock, country: str,
    ) -> None:  # fmt: skip
        self._records, self._gate, self._barrier, self._told, self._request = records, gate, barrier, told, request
        self._ready, self._modelled, self._clock, self._country = ready, modelled, clock, country

    def hear(self, basket: Basket, state: str) -> None:
        """What became of a basket: it holds these products now, it was paid, or it was emptied. Again is harmless."""
        if state not in STATES:
            raise BadInput("What became of the basket?", f"Send one of: {', '.join(STATES)}.")
        told, today = self._told(), self._today()
        customer = self._whom(basket)
        if told.left is None or customer is None or not self._permits(customer, today):
            return
        at = self._clock.now().isoformat()
        if state == PAID:
            self._pay(customer, basket, at, today)
        elif state == OPEN and self._favourites(customer, basket.products, today):
            self._keep(Left(customer, basket.key, at, today.isoformat(), basket.products))
        else:
            with self._records.writing() as connection:
                left_store.drop(connection, customer, [basket.key])

    def show(self, basket: Basket) -> LeftBehind | None:
        """What somebody left behind before the basket that she is in now; on record before it returns."""
        told, today, now = self._told(), self._today(), self._clock.now()
        customer = self._whom(basket)
        if told.left is None or customer is None or not self._permits(customer, today):
            return None
        with self._records.reading() as connection:
            found = [one for one in left_store.of(connection, customer) if one.basket != basket.key]
        for left in found:
            if _waits(left, told.left, now, today):
                since = (today - date.fromisoformat(left.day)).days
                kept = (one for one in self._favourites(customer, left.products, today) if one.last_days > since)
                shown = self._through(customer, left, list(kept), today)
                if shown is not None:
                    return shown
        return None

    def waiting(self, most: int = WRITTEN_MOST) -> list[tuple[Left, LeftBehind]]:
        """Baskets that may be written about, each with its favourite: of whoever permits reminders now. Nothing leaves by this."""
        told, today, now = self._told(), self._today(), self._clock.now()
        if told.left is None or told.left.message is None:
            return []
        until, since = now - timedelta(minutes=told.left.after_minutes), today - timedelta(days=told.left.days)
        permitted, _ = self._gate.permitted(self._request("left-basket", today, True))
        with self._records.reading() as connection:
            rows = left_store.waiting(connection, until.isoformat(), since.isoformat(), most)
        found, ready = list[tuple[Left, LeftBehind]](), self._ready()
        for left in rows if ready is not None else ():
            assert ready is not None
            kept = (today - date.fromisoformat(left.day)).days
            habits = self._favourites(left.customer, left.products, today) if left.customer in permitted else []
            favourite = next((one for one in habits if one.last_days > kept), None)
            if favourite is not None:
                found.append((left, _behind("", left, favourite, ready)))
        return found

    def written(self, some: Sequence[Left]) -> None:
        """These baskets were told by a message: they are not shown or written about again."""
        with self._records.writing() as connection:
            for left in some:
                left_store.settle(connection, left.customer, left.basket, left.at, left.day)

    # Below: how

    def _keep(self, left: Left) -> None:
        with self._records.writing() as connection:
            before = left_store.of(connection, left.customer)
            if any(one.basket == left.basket and not one.products for one in before):
                return  # paid or shown: an event that comes late says nothing new
            left_store.keep(connection, left)
            others = [one.basket for one in before if one.basket != left.basket]
            left_store.drop(connection, left.customer, others[BASKETS_MOST - 1 :])

    def _pay(self, customer: int, basket: Basket, at: str, today: date) -> None:
        ready = self._ready()
        with self._records.writing() as connection:
            state = store.state_of(connection, customer)
            if state is not None and ready is not None:
                fresh = self._modelled().after(state, ready, basket.key, basket.products, days(today))
                if fresh is not None:
                    store.change_rhythm(connection, customer, fresh)
            left_store.settle(connection, customer, basket.key, at, today.isoformat())

    def _favourites(self, customer: int, products: Sequence[int], today: date) -> list[Habit]:
        """Her habits that are in a basket and may be named, most often bought first."""
        ready = self._ready()
        with self._records.reading() as connection:
            state = store.state_of(connection, customer)
            resting = {
                need for need, until in store.rests_of(connection, customer).items() if until is None or until >= today.isoformat()
            }
        if ready is None or state is None:
            return []
        known = np.array([one for one in products if one < len(ready.needs.of_product)], np.int64)
        inside = set(ready.needs.of_product[known].tolist()) - resting
        return [
            one for one in self._modelled().habits_of(state, days(today))
            if one.need in inside and one.need < len(ready.allowed) and ready.allowed[one.need]
        ]  # fmt: skip

    def _through(self, customer: int, left: Left, habits: Sequence[Habit], today: date) -> LeftBehind | None:
        """The door: a favourite that was not named in this basket before, with the basket, or nothing."""
        if not habits:
            return None
        since = (today - timedelta(days=MONTH_DAYS)).isoformat()
        self._barrier.turn()
        with self._records.writing() as connection:
            said = {need for _, _, need in store.named_already(connection, [(customer, left.basket)])}
            favourite = next((one for one in habits if one.need not in said), None)
            still = any(one.basket == left.basket and one.products for one in left_store.of(connection, customer))
            if favourite is None or not still or store.named_since(connection, customer, since) >= self._told().most_a_month:
                return None
            detail = {"reminders": 1, "left_baskets": 1}
            handed = self._barrier.hand_over_within(connection, self._request("left-basket", today, True), [customer], detail)
            if customer not in handed.customers:
                return None
            ready = self._ready()
            assert ready is not None  # there are habits
            shown = _behind(secrets.token_hex(ID_BYTES), left, favourite, ready)
            said_so = (shown.reminder, customer, left.basket, favourite.need, shown.product, today.isoformat(), handed.seq, None)
            store.keep_named(connection, [Named(*said_so)])
            left_store.settle(connection, customer, left.basket, left.at, left.day)
        return shown

    def _permits(self, customer: int, today: date) -> bool:
        return self._gate.decide_now(customer, self._request("left-basket", today, True)).verdict.allowed

    def _whom(self, basket: Basket) -> int | None:
        if isinstance(basket.who, int):
            return basket.who
        with self._records.looking() as connection:
            return next((customer for _, customer, _ in accounts_by(connection, [basket.who])), None)

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)


def _behind(reminder: str, left: Left, favourite: Habit, ready: Ready) -> LeftBehind:
    ours = ready.needs.of_product
    product = next(one for one in left.products if one < len(ours) and ours[one] == favourite.need)
    products = tuple(one for one in left.products if one in ready.names)
    return LeftBehind(reminder, product, products, date.fromisoformat(left.day), favourite.every_days)


def _waits(left: Left, told: LeftBasket, now: datetime, today: date) -> bool:
    """Whether a basket is to be shown when its customer returns."""
    unchanged = now - datetime.fromisoformat(left.at)
    kept = (today - date.fromisoformat(left.day)).days
    return bool(left.products) and unchanged >= timedelta(minutes=told.after_minutes) and kept <= told.days
