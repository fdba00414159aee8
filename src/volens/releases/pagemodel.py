"""What a report page is made of, before any language: rows, periods and figures in the units that people read.

1. A page model is built from the figures that leave the house and from public names. It adds no information.
2. `UNITS` is the one place that knows in which unit a measure is counted inside and in which people read it.
3. Nothing is rounded or cut off here. The CSV and Parquet files are these values; pages round when they write.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from babel.numbers import get_currency_precision

from volens.insights.estimates import Figure, Figures
from volens.insights.pack import CATEGORY, REST, WHOLE

COUNT, QUANTITY, MONEY, SHARE, RATIO = "count", "quantity", "money", "share", "ratio"

# The order in which people read them.
UNITS: Mapping[str, str] = {
    "buyers": COUNT,
    "trips": COUNT,
    "units": QUANTITY,
    "spend": MONEY,
    "penetration": SHARE,
    "spend_share": SHARE,
    "units_share": SHARE,
    "spend_per_buyer": MONEY,
    "trips_per_buyer": RATIO,
    "units_per_trip": QUANTITY,
}
MEASURES = ("buyers", "trips", "units", "spend")
SHARES = ("penetration", "spend_share", "units_share")
HABITS = ("spend_per_buyer", "trips_per_buyer", "units_per_trip")


@dataclass(frozen=True)
class Labels:
    """Public names for the ids of a pack; the programme and the catalogue have them.

    house, supplier: the name under which people know the retailer, the legal name of the supplier.
    category: name of the category in each language.
    brands: display name of each brand id, the same in all languages.
    """

    house: str
    supplier: str
    category: Mapping[str, str]
    brands: Mapping[str, str]

    def __post_init__(self) -> None:
        if not (self.house and self.supplier and self.category):
            raise ValueError("labels name the house, the supplier and the category")


@dataclass(frozen=True)
class Line:
    """One figure in the unit that people read (`UNITS`): people, baskets, pieces or kilos, money, parts of one.

    A ratio may have no upper end (`high` infinite) or no value (`value` not a number); noise may push a value out of
    an interval that ends at what is possible.
    """

    measure: str
    row: str
    column: str
    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.measure not in UNITS:
            raise ValueError(f"{self.measure!r} is no measure of a page")
        if not self.low <= self.high or math.isinf(self.value) or math.isinf(self.low):
            raise ValueError(f"{self.measure} of {self.row} in {self.column} has no interval")

    @property
    def half_width(self) -> float:
        """The longer side of the interval."""
        return max(self.high - self.value, self.value - self.low)

    @property
    def certain(self) -> bool:
        """Whether the figure says anything: an interval no wider on either side than the figure itself."""
        return math.isfinite(self.half_width) and self.value > 0 and self.half_width <= self.value


@dataclass(frozen=True)
class Span:
    """A column with days: `[start, end)` and the label that stands for it in the files."""

    label: str
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"the period {self.label} ends before it begins")

    @property
    def by_month(self) -> bool:
        """Whether it is made of whole months."""
        return self.start.day == 1 and self.end.day == 1


@dataclass(frozen=True)
class PageModel:
    """Everything that a page shows above its details.

    release: the release's id.
    brands: the supplier's brands, in the pack's order.
    periods: columns in order; the whole runs from the first day to the last.
    currency: ISO 4217.
    lines: every figure.
    """

    release: str
    labels: Labels
    brands: tuple[str, ...]
    periods: tuple[Span, ...]
    currency: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        if not self.brands or not self.periods:
            raise ValueError("a page has at least one brand and one period")
        unnamed = [brand for brand in self.brands if brand not in self.labels.brands]
        if unnamed:
            raise ValueError(f"no display name is given for the brand {unnamed[0]!r}")
        keys = {(line.measure, line.row, line.column) for line in self.lines}
        if len(keys) != len(self.lines):
            raise ValueError("a figure is given twice")
        known = {*self.rows}, {*self.columns}
        for line in self.lines:
            if line.row not in known[0] or line.column not in known[1]:
                raise ValueError(f"the figure {line.measure}/{line.row}/{line.column} is in no row or column")

    @property
    def rows(self) -> tuple[str, ...]:
        """Row ids in reading order."""
        return (*self.brands, REST, CATEGORY)

    @property
    def columns(self) -> tuple[str, ...]:
        """Column labels in reading order, the whole last. A single period is its own whole."""
        return (*(period.label for period in self.periods), WHOLE)

    @property
    def whole(self) -> Span:
        """All periods together."""
        return Span(WHOLE, self.periods[0].start, self.periods[-1].end)

    @property
    def by_month(self) -> bool:
        """Whether all periods are whole months, so that months can name them."""
        return all(period.by_month for period in self.periods)

    @property
    def several_years(self) -> bool:
        """Whether the last day lies in another year than the first."""
        return self.whole.start.year != (self.whole.end - timedelta(days=1)).year

    def line(self, measure: str, row: str, column: str) -> Line | None:
        """One figure, if the pack has it."""
        for line in self.lines:
            if (line.measure, line.row, line.column) == (measure, row, column):
                return line
        return None

    def over_all(self, measure: str, row: str) -> Line | None:
        """The figure for the whole time: the whole's, or that of the only period."""
        found = self.line(measure, row, WHOLE)
        if found is None and len(self.periods) == 1:
            return self.line(measure, row, self.periods[0].label)
        return found

    def table(self, measure: str) -> tuple[tuple[str, tuple[Line, ...]], ...]:
        """The rows of a measure that have figures, each with its lines in the order of the columns."""
        place = {column: number for number, column in enumerate(self.columns)}
        of_row: dict[str, list[Line]] = {row: [] for row in self.rows}
        for line in self.lines:
            if line.measure == measure:
                of_row[line.row].append(line)
        found = ((row, tuple(sorted(lines, key=lambda line: place[line.column]))) for row, lines in of_row.items())
        return tuple((row, lines) for row, lines in found if lines)

    def in_order(self) -> Iterator[Line]:
        """Every figure, by measure, row and column."""
        for measure in UNITS:
            for _, lines in self.table(measure):
                yield from lines


def page_model(release: str, labels: Labels, figures: Figures) -> PageModel:
    """The page of a pack's figures."""
    pack = figures.plan.pack
    periods = tuple(Span(period.label, period.start, period.end) for period in pack.periods)
    lines = tuple(readable(figure, pack.currency) for figure in (*figures.cells, *figures.derived))
    return PageModel(release, labels, pack.brands, periods, pack.currency, lines)


def readable(figure: Figure, currency: str) -> Line:
    """A figure in the unit that people read: money is counted in minor units inside."""
    parts = 10 ** get_currency_precision(currency) if UNITS[figure.measure] == MONEY else 1
    value, low, high = (end / parts for end in (figure.value, figure.low, figure.high))
    return Line(figure.measure, figure.row, figure.column, value, low, high)


def unit_name(measure: str, currency: str) -> str:
    """The unit of a measure's values in files for machines."""
    unit = UNITS[measure]
    if unit == MONEY:
        return currency
    return {COUNT: "count", QUANTITY: "pieces or kg", SHARE: "part of 1", RATIO: "ratio"}[unit]
