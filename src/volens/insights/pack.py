"""What a supplier may ask: a pack, which is a public grid of rows and columns. A closed grammar, never free SQL.

Rules:
1. Rows and columns come from public keys alone: the supplier's own brands, the rest of the category, the category;
   the periods, and the whole of them. Whether anybody bought anything changes no row.
2. A pack is identified by what it asks, never by who permits what: `canonical` is all that it is.
3. Periods are whole, ordered and do not overlap; there is a limit to everything that a pack can hold.
4. One pack, one currency. Brands belong to the supplier that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from volens.errors import BadInput
from volens.programme.model import Recipient
from volens.programme.products import InsightProduct

REST = "rest"
"""Row: everything in the category that is not one of the supplier's brands asked for."""
CATEGORY = "category"
"""Row: the whole category."""
WHOLE = "whole"
"""Column: all periods together. A pack of one period has no such column, since it would say the same twice."""

MAX_BRANDS = 64
MAX_PERIODS = 400
MAX_CELLS = 4_096
"""Most cells (rows × columns) of one pack. The sums of squares of a customer stay below 2⁶³ up to 16,384."""
MAX_DAYS = 1_200
"""Longest time from a pack's first day to its last: purchases are kept for three years."""


@dataclass(frozen=True)
class Period:
    """A half-open range of calendar days `[start, end)` of the store, with the label that stands over its column."""

    start: date
    end: date
    label: str

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise BadInput(f"The period {self.label!r} ends before it starts.", "Give a start before the end.")
        if not self.label or self.label == WHOLE:
            raise BadInput(f"A period cannot be called {self.label!r}.", f"Choose another label; {WHOLE!r} is taken.")

    @property
    def days(self) -> int:
        return (self.end - self.start).days


@dataclass(frozen=True)
class Pack:
    """One question of one supplier: what, about which brands, over which periods, in which currency."""

    product: str
    """Id of the insight product with its version, such as `sales-pack/1`."""
    supplier: str
    category: str
    brands: tuple[str, ...]
    periods: tuple[Period, ...]
    currency: str

    def __post_init__(self) -> None:
        _check_brands(self.brands)
        _check_periods(self.periods)
        if not (self.product and self.supplier and self.category):
            raise BadInput("A pack names its product, its supplier and its category.", "Give all three.")
        if len(self.currency) != 3 or not (self.currency.isascii() and self.currency.isupper()):
            raise BadInput(f"{self.currency!r} is not a currency.", "Give an ISO 4217 code such as EUR.")
        cells = len(self.rows) * len(self.columns)
        if cells > MAX_CELLS:
            raise BadInput(f"This pack has {cells} cells; the most is {MAX_CELLS}.", "Ask for fewer brands or longer periods.")

    @property
    def rows(self) -> tuple[str, ...]:
        """The supplier's brands in the order given, then `rest`, then `category`."""
        return (*self.brands, REST, CATEGORY)

    @property
    def columns(self) -> tuple[str, ...]:
        """The periods' labels and, if there is more than one, `whole`."""
        labels = tuple(period.label for period in self.periods)
        return (*labels, WHOLE) if len(labels) > 1 else labels

    @property
    def start(self) -> date:
        return self.periods[0].start

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.periods[-1].end

    @property
    def longest_days(self) -> int:
        return max(period.days for period in self.periods)

    @property
    def years(self) -> tuple[int, ...]:
        """The calendar years whose lines are read, each once: they pay for the pack."""
        touched: set[int] = set()
        for period in self.periods:
            touched.update(range(period.start.year, (period.end - timedelta(days=1)).year + 1))
        return tuple(sorted(touched))

    def canonical(self) -> dict[str, object]:
        """All that a pack is, as JSON values. Two packs are the same question if and only if these are equal."""
        return {
            "product": self.product,
            "supplier": self.supplier,
            "category": self.category,
            "brands": list(self.brands),
            "periods": [
                {"start": period.start.isoformat(), "end": period.end.isoformat(), "label": period.label} for period in self.periods
            ],
            "currency": self.currency,
        }

    @classmethod
    def from_canonical(cls, value: Mapping[str, object]) -> Pack:
        """The pack that `canonical` wrote; `BadInput` if it is no such value."""
        try:
            brands, periods = value["brands"], value["periods"]
            if not isinstance(brands, list) or not isinstance(periods, list):
                raise TypeError("brands and periods are lists")
            return cls(
                product=str(value["product"]),
                supplier=str(value["supplier"]),
                category=str(value["category"]),
                brands=tuple(str(brand) for brand in brands),
                periods=tuple(
                    Period(date.fromisoformat(p["start"]), date.fromisoformat(p["end"]), str(p["label"])) for p in periods
                ),
                currency=str(value["currency"]),
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise BadInput(f"This is not a pack: {problem}.", "Give what Pack.canonical() writes.") from None

    def over(self, periods: tuple[Period, ...]) -> Pack:
        """The same question over other periods."""
        return replace(self, periods=periods)


def _check_brands(brands: tuple[str, ...]) -> None:
    if not brands:
        raise BadInput("A pack without a brand asks nothing about its supplier.", "Name at least one brand.")
    if len(brands) > MAX_BRANDS:
        raise BadInput(f"{len(brands)} brands are too many; the most is {MAX_BRANDS}.", "Ask for fewer brands.")
    if len(set(brands)) != len(brands):
        raise BadInput("A brand is named twice.", "Name each brand once.")
    for brand in brands:
        if not brand or brand in (REST, CATEGORY):
            raise BadInput(f"A brand cannot be called {brand!r}.", f"{REST!r} and {CATEGORY!r} are rows of every pack.")


def _check_periods(periods: tuple[Period, ...]) -> None:
    if not periods:
        raise BadInput("A pack needs at least one period.", "Give a start and a number of periods.")
    if len(periods) > MAX_PERIODS:
        raise BadInput(f"{len(periods)} periods are too many; the most is {MAX_PERIODS}.", "Ask for longer ones.")
    if len({period.label for period in periods}) != len(periods):
        raise BadInput("Two periods have the same label.", "Give each period its own label.")
    for before, after in pairwise(periods):
        if after.start < before.end:
            raise BadInput(
                f"The periods {before.label!r} and {after.label!r} overlap or are out of order.",
                "Give them in the order of time, each starting when the one before has ended.",
            )
    if (periods[-1].end - periods[0].start).days > MAX_DAYS:
        raise BadInput(f"The pack spans more than {MAX_DAYS} days.", "Ask for a shorter time.")


def _month_after(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _by_days(days: int) -> Callable[[date, int], Period]:
    def build(start: date, index: int) -> Period:
        first = start + timedelta(days=days * index)
        end = first + timedelta(days=days)
        label = first.isoformat() if days == 1 else f"{first}/{end - timedelta(days=1)}"
        return Period(first, end, label)

    return build


def _by_months(months: int, label: Callable[[date], str]) -> Callable[[date, int], Period]:
    def build(start: date, index: int) -> Period:
        first = _month_after(start, months * index)
        return Period(first, _month_after(first, months), label(first))

    return build


_BUILDERS: Mapping[str, Callable[[date, int], Period]] = {
    "day": _by_days(1),
    "week": _by_days(7),
    "4-weeks": _by_days(28),
    "13-weeks": _by_days(91),
    "month": _by_months(1, lambda first: f"{first.year}-{first.month:02d}"),
    "quarter": _by_months(3, lambda first: f"{first.year}-Q{(first.month + 2) // 3}"),
    "year": _by_months(12, lambda first: str(first.year)),
}
_FIRST_MONTHS: Mapping[str, frozenset[int]] = {
    "month": frozenset(range(1, 13)),
    "quarter": frozenset((1, 4, 7, 10)),
    "year": frozenset((1,)),
}
PERIOD_KINDS = tuple(_BUILDERS)
"""Kinds of period. Weeks count from the start given; months, quarters and years are the calendar's."""


def starts_well(by: str, start: date) -> bool:
    """Whether a period of kind `by` can start on this day: a month starts on its first day, a week on any."""
    months = _FIRST_MONTHS.get(by)
    return months is None or (start.day == 1 and start.month in months)


def periods(by: str, start: date, count: int) -> tuple[Period, ...]:
    """`count` periods of kind `by` one after the other; the first starts on `start`.

    Raises `BadInput` for an unknown kind, a count outside 1 to `MAX_PERIODS`, or a start that would cut a calendar
    period in two.
    """
    if by not in _BUILDERS:
        raise BadInput(f"{by!r} is not a kind of period.", f"Choose one of {', '.join(PERIOD_KINDS)}.")
    if not 1 <= count <= MAX_PERIODS:
        raise BadInput(f"{count} periods cannot be asked for.", f"Ask for 1 to {MAX_PERIODS}.")
    if not starts_well(by, start):
        raise BadInput(f"{start} is not the first day of a {by}.", f"Start a {by} on its first day; a week on any.")
    return tuple(_BUILDERS[by](start, index) for index in range(count))


def ask(
    product: InsightProduct,
    supplier: Recipient,
    category: str,
    brands: tuple[str, ...],
    *,
    by: str,
    start: date,
    count: int,
    currency: str,
) -> Pack:
    """The pack of a supplier, checked against what the programme says of product and supplier.

    Raises `BadInput` for a kind or number of periods that the product does not offer, and for a brand that is not the
    supplier's.
    """
    if by not in product.periods:
        raise BadInput(f"{product.id} has no periods of kind {by!r}.", f"Choose one of {', '.join(product.periods)}.")
    if count > product.max_periods:
        raise BadInput(
            f"{product.id} has at most {product.max_periods} periods; {count} were asked for.",
            "Ask for fewer or longer periods.",
        )
    foreign = [brand for brand in brands if brand not in supplier.brands]
    if foreign:
        raise BadInput(
            f"{', '.join(foreign)}: not a brand of {supplier.id}.",
            f"Its brands are {', '.join(supplier.brands) or 'none'}; competitors appear only as the rest.",
        )
    return Pack(product.id, supplier.id, category, brands, periods(by, start, count), currency)
