"""The shop and what is bought in it, piece by piece.

1. A piece is a part of a day, at most `LINES_PER_PIECE` lines. Pieces follow from the seed and their own number alone, so they
   can be made in any order and by several processes; memory is that of one piece.
2. Exactly the lines asked for are made: a day's share is fixed beforehand, and its last basket is cut to fit.
3. A card's activity, home store and habits are functions of its number: nothing is remembered between pieces.
4. With `dirt`, that share of lines is broken on purpose, each for one reason of `volens.ingest.raw.REASONS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt

from volens.errors import BadInput
from volens.simulate import shape
from volens.simulate.catalogue import Products, products
from volens.simulate.draws import Integers, Stream, Words, apportion, bits, mix, table

LINES_PER_PIECE = 250_000
MAX_CUSTOMERS, MAX_LINES, MAX_DAYS = 200_000_000, 20_000_000_000, 3_660
MIN_PRODUCTS, MAX_PRODUCTS = 400, 200_000
BROKEN = ("missing-customer", "malformed-customer", "unknown-product", "unknown-unit", "signs-disagree")
CUSTOMERS_PER_STORE = 4_000
_HOME, _HABIT = 0x5107E, 0x4AB17
_EMPTY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Piece:
    """Some baskets of one day in the order of time, and their lines."""

    day: date
    customer: Integers
    """Per basket: the card's number, from 0 on."""
    store: Integers
    till: Integers
    receipt: Integers
    """Its number, once a day."""
    second: Integers
    """Of the day, on the shop's clock."""
    basket: Integers
    """Per line: which of the baskets."""
    product: npt.NDArray[np.int32]
    quantity: Integers
    """Thousandths; negative for a return."""
    amount: Integers
    """Cents after discount."""
    discount: Integers
    broken: npt.NDArray[np.int8]
    """Per line: −1, or which of `BROKEN`."""

    @property
    def lines(self) -> int:
        return len(self.basket)


@dataclass(frozen=True)
class Shop:
    """A shop of a size. Two with equal fields are the same shop to the byte."""

    customers: int
    lines: int
    days: int
    last_day: date
    seed: int
    refuse: float
    """The share of customers who refuse statistics; all others permit them."""
    products_count: int = 30_000
    dirt: float = 0.0

    def __post_init__(self) -> None:
        for what, value, low, high in (
            ("customers", self.customers, 1, MAX_CUSTOMERS),
            ("lines", self.lines, 1, MAX_LINES),
            ("days", self.days, 1, MAX_DAYS),
            ("products", self.products_count, MIN_PRODUCTS, MAX_PRODUCTS),
            ("seed", self.seed, 0, 2**63 - 1),
        ):
            if not low <= value <= high:
                raise BadInput(f"A shop of {value:,} {what} cannot be made.", f"Ask for {low:,} to {high:,}.")
        for what, share in (("refuse", self.refuse), ("dirt", self.dirt)):
            if not 0 <= share <= 1:
                raise BadInput(f"--{what} is a share, and {share} is none.", "Give 0 to 1, or per cent such as 30%.")
        if not any(shape.day_weight(day) for day in self._days):
            raise BadInput("The shop is closed on all of these days.", "Ask for more days.")

    @property
    def _days(self) -> list[date]:
        return [self.last_day - timedelta(days=back) for back in range(self.days - 1, -1, -1)]

    @property
    def first_day(self) -> date:
        return self._days[0]

    @property
    def stores(self) -> int:
        return min(5_000, max(3, self.customers // CUSTOMERS_PER_STORE))

    @cached_property
    def products(self) -> Products:
        return products(self.products_count, self.seed)

    @cached_property
    def parts(self) -> tuple[tuple[date, int, int], ...]:
        """(day, part of the day, lines) of each piece, in the order of time."""
        found = []
        shares = apportion([shape.day_weight(day) for day in self._days], self.lines)
        for day, lines in zip(self._days, shares.tolist(), strict=True):
            count = -(-lines // LINES_PER_PIECE)
            for part, some in enumerate(apportion([1.0] * count, lines).tolist() if count else []):
                found.append((day, part, some))
        return tuple(found)

    def pieces(self) -> Iterator[Piece]:
        """All pieces in the order of time."""
        for day, part, lines in self.parts:
            yield self.piece(day, part, lines)

    def piece(self, day: date, part: int, lines: int) -> Piece:
        """One piece; `parts` has its arguments."""
        number = day.toordinal() << 12 | part
        sizes = self._sizes(Stream(self.seed, "sizes", number), lines)
        words = Stream(self.seed, "baskets", number).words(2 * len(sizes)).reshape(2, -1)
        second = self._tables.minutes[day.weekday() == 6][bits(words[1], 0, 16)].astype(np.int64) * 60 + bits(words[1], 16, 12) % 60
        order = np.argsort(second, kind="stable")
        second, words = second[order], words[:, order]
        customer = self._who(words[0])
        home = mix(customer, _HOME)
        at_home = bits(words[1], 28, 8) < shape.HOME_STORE_IN_256
        store = np.where(at_home, home, mix(words[1].view(np.int64), _HOME)) % np.uint64(self.stores)
        basket = np.repeat(np.arange(len(sizes)), sizes)
        drawn = Stream(self.seed, "lines", number).words(lines)
        product = self._what(drawn, customer[basket])
        quantity, amount, discount = self._measures(drawn, product)
        return Piece(
            day=day,
            customer=customer,
            store=store.astype(np.int64),
            till=1 + bits(words[1], 36, 8) % 12,
            receipt=part * 1_000_000 + 1 + np.arange(len(sizes)),
            second=second,
            basket=basket,
            product=product,
            quantity=quantity,
            amount=amount,
            discount=discount,
            broken=self._broken(number, lines),
        )

    def refuses(self, customers: Integers) -> npt.NDArray[np.bool_]:
        """Whether each card's holder refuses statistics."""
        return np.asarray(mix(customers, self.seed * 2 + 1) >> np.uint64(32) < np.uint64(round(self.refuse * 2**32)))

    @cached_property
    def _tables(self) -> _Tables:
        return _Tables(self.customers)

    def _sizes(self, stream: Stream, lines: int) -> Integers:
        """Lines of each basket; the last is cut so that they are `lines` together."""
        sizes, total = _EMPTY, 0
        while total < lines:
            drawn = 1 + self._tables.baskets[bits(stream.words(max(16, lines // 8)), 0, 16)].astype(np.int64)
            sizes = np.concatenate([sizes, drawn])
            total += int(drawn.sum())
        ends = np.cumsum(sizes)
        last = int(np.searchsorted(ends, lines))
        sizes = sizes[: last + 1].copy()
        sizes[last] -= int(ends[last]) - lines
        return sizes

    def _who(self, words: Words) -> Integers:
        """The card of each basket: a class by its share of all baskets, then one of the class's cards."""
        tables = self._tables
        classed = tables.activity[bits(words, 0, 18)].astype(np.int64)
        row = (words >> np.uint64(32)) * np.uint64(tables.rows) >> np.uint64(32)
        place = row.astype(np.int64)
        # Which card of a row has which class differs from row to row, or buckets would be of unlike people.
        within = (classed + place * 271) % tables.classes
        return (place * tables.classes + within) % self.customers

    def _what(self, words: Words, customer: Integers) -> npt.NDArray[np.int32]:
        habit = mix(customer * shape.HABITS + _skewed(bits(words, 8, 8)), self.seed ^ _HABIT)
        slot = np.where(bits(words, 0, 8) < shape.HABIT_IN_256, bits(habit, 0, 20), bits(words, 16, 20))
        return np.asarray(self.products.slots[slot])

    def _measures(self, words: Words, product: npt.NDArray[np.int32]) -> tuple[Integers, Integers, Integers]:
        """Quantity, amount and discount of each line."""
        chosen, weighed = bits(words, 36, 12), self.products.weighed[product]
        quantity = np.where(weighed, 80 + chosen * 5 // 8, self._tables.pieces[chosen])
        gross = np.maximum((self.products.price[product] * quantity + 500) // 1000, 1)
        promoted = bits(words, 48, 8) < shape.PROMOTED_IN_256
        percent = np.asarray(shape.PROMOTIONS)[bits(words, 36, 3)]
        discount = np.where(promoted, gross * percent // 100, 0)
        sign = np.where(bits(words, 56, 8) == shape.RETURNED_ONE_IN - 1, -1, 1)
        return sign * quantity, sign * (gross - discount), discount

    def _broken(self, number: int, lines: int) -> npt.NDArray[np.int8]:
        if not self.dirt:
            return np.full(lines, -1, dtype=np.int8)
        words = Stream(self.seed, "dirt", number).words(lines)
        hit = bits(words, 0, 32) < round(self.dirt * 2**32)
        return np.where(hit, bits(words, 32, 16) % len(BROKEN), -1).astype(np.int8)


class _Tables:
    """What words are looked up in, but for products."""

    def __init__(self, customers: int) -> None:
        self.classes = min(shape.ACTIVITY_CLASSES, 1 << (customers.bit_length() - 1))
        self.rows = -(-customers // self.classes)
        step = shape.ACTIVITY_CLASSES // self.classes
        self.activity = table(shape.activity()[step // 2 :: step], 18)
        self.baskets = table(shape.baskets(), 16)
        self.minutes = {sunday: table(shape.minutes(sunday), 16) for sunday in (False, True)}
        counts = np.asarray([1000 * pieces for pieces in shape.PIECES], dtype=np.int64)
        self.pieces = counts[table(list(shape.PIECES.values()), 12)]


def _skewed(eight_bits: Integers) -> Integers:
    """0 … 15, the first ones far more often: the square of an even draw."""
    return eight_bits * eight_bits * shape.HABITS >> 16
