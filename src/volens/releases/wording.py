"""Words, numbers, dates and money on a page, in French or English.

1. Words stand in `texts/<language>.yaml`; both files have the same keys, and a test holds them to it.
2. A number is rounded to what its interval carries, never finer; the ends of an interval are rounded outwards.
3. A count never reads below zero and a share never outside 0 to 100 %, though the files keep the plain estimate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from babel.dates import format_date, format_interval
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision

from volens.releases.pagemodel import COUNT, MONEY, SHARE, UNITS, Line, Span

LANGUAGES = ("fr", "en")
FIXED = "\u00a0"


@cache
def texts(language: str) -> Mapping[str, Any]:
    """The words of a language. Raises `ValueError` for a language that no page is written in."""
    if language not in LANGUAGES:
        raise ValueError(f"pages are written in {', '.join(LANGUAGES)}, not in {language!r}")
    text = files("volens.releases").joinpath("texts", f"{language}.yaml").read_text("utf-8")
    found: Mapping[str, Any] = yaml.safe_load(spaced(text) if language == "fr" else text)
    return found


def spaced(text: str) -> str:
    """French spaces before double punctuation and inside guillemets do not break."""
    return re.sub(r"(?<=\S) (?=[;:!?»%€])|(?<=«) ", FIXED, text)


@dataclass(frozen=True)
class Wording:
    """How one language writes what stands on a page in one currency."""

    language: str
    currency: str

    @property
    def locale(self) -> str:
        """The language with the country whose habits it follows."""
        return str(texts(self.language)["locale"])

    def say(self, path: str, **values: object) -> str:
        """The text at a dotted path, with its gaps filled."""
        found: Any = texts(self.language)
        for part in path.split("."):
            found = found[part]
        return str(found).format(**values)

    def number(self, measure: str, value: float, step: float, way: Callable[[float], float] = round) -> str:
        """`value` of a measure rounded to a multiple of `step`, in the measure's unit.

        way: `round`, `math.floor` or `math.ceil`.
        """
        unit = UNITS[measure]
        rounded = min(max(round_to(value, step, way), 0.0), 1.0 if unit == SHARE else math.inf)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        if unit == SHARE:
            decimals = max(0, decimals - 2)
            return format_percent(rounded, format=_pattern(decimals) + self._percent, locale=self.locale)
        if unit == MONEY:
            decimals = self.money_digits if decimals else 0
            pattern = "¤" + _pattern(decimals) if self.language == "en" else _pattern(decimals) + FIXED + "¤"
            return format_currency(rounded, self.currency, pattern, self.locale, currency_digits=False)
        return format_decimal(rounded, _pattern(0 if unit == COUNT else decimals), self.locale)

    @property
    def money_digits(self) -> int:
        """Digits after the point in this currency: cents are written whole or not at all."""
        return get_currency_precision(self.currency)

    @property
    def _percent(self) -> str:
        return FIXED + "%" if self.language == "fr" else "%"

    def estimate(self, line: Line) -> str:
        """The figure alone, or that it says too little."""
        if not math.isfinite(line.value):
            return self.say("uncertain")
        return self.number(line.measure, possible(line), step_of(line))

    def interval(self, line: Line, short: bool = False) -> str:
        """The interval in words; `short` for a table whose head says what it is."""
        if not math.isfinite(line.high):
            return "–"
        step = step_of(line)
        low = self.number(line.measure, line.low, step, math.floor)
        high = self.number(line.measure, line.high, step, math.ceil)
        return self.say("interval_short" if short else "interval", low=low, high=high)

    def precision(self, line: Line) -> str:
        """Plus or minus: in per cent of the figure, and in points where the figure is itself in per cent."""
        if not line.certain:
            return self.say("uncertain")
        if UNITS[line.measure] == SHARE:
            points = line.half_width * 100
            shown = format_decimal(_up(points, 0.1 if points < 1 else 1), _pattern(points < 1), self.locale)
            return self.say("points" if points > 1 else "point", points=shown)
        part = format_percent(_up(line.half_width / line.value, 0.01), "0" + self._percent, self.locale)
        return self.say("plus_minus", share=part)

    def day(self, day: date, with_year: bool = True) -> str:
        """A day with its month in words; the first of a month as the language says it."""
        return self._first(format_date(day, "d MMMM y" if with_year else "d MMMM", self.locale))

    def _first(self, written: str) -> str:
        return re.sub(r"^1 ", "1er" + FIXED, written) if self.language == "fr" else written

    def span(self, span: Span) -> str:
        """A period as a title says it: whole months by name, anything else by its days."""
        last = span.end - timedelta(days=1)
        if span.by_month:
            if (span.start.month, span.end.month) == (1, 1) and span.end.year - span.start.year == 1:
                return str(span.start.year)
            return self._between(span.start, last, "yMMMM")
        if span.end - span.start == timedelta(days=1):
            return self.day(span.start)
        return f"{self.day(span.start, span.start.year != last.year)} – {self.day(last)}"

    def short_span(self, span: Span, with_year: bool, by_month: bool) -> str:
        """A period as a table says it. `by_month`: all periods of the table are whole months."""
        last = span.end - timedelta(days=1)
        if by_month:
            if (span.start.month, span.end.month) == (1, 1):
                return str(span.start.year)
            return self._between(span.start, last, ("y" if with_year else "") + "MMM")
        first, end = self._short_day(span.start, False), self._short_day(last, with_year)
        return end if span.start == last else f"{first} – {end}"

    def foot(self, span: Span, with_year: bool, by_month: bool, few: bool) -> str:
        """A period as the foot of a chart says it: in two lines where days need them; by its first day among many."""
        if by_month or few:
            return self.short_span(span, with_year, by_month).replace("– ", "–\n")
        return self._short_day(span.start, with_year)

    def _short_day(self, day: date, with_year: bool) -> str:
        # A day is never broken over two lines: "14 Feb" and "26" below it read as two things.
        return format_date(day, "d MMM yy" if with_year else "d MMM", self.locale).replace(" ", FIXED)

    def _between(self, start: date, last: date, skeleton: str) -> str:
        return re.sub(r"[ \u2009]–[ \u2009]", "–", format_interval(start, last, skeleton, locale=self.locale))


def possible(line: Line) -> float:
    """The value, or the end of its interval that noise pushed it across."""
    return min(max(line.value, line.low), line.high)


def step_of(line: Line) -> float:
    """The power of ten to which a figure is rounded: the first digit of its half-width, and the second too where the
    first is small (below 3.55), so that rounding never moves a figure by more than a seventh of the half-width."""
    unit = UNITS[line.measure]
    finest = {COUNT: 1.0, SHARE: 0.001}.get(unit, 0.01)
    width = line.half_width
    if not math.isfinite(width) or width <= 0:
        return finest
    exponent = math.floor(math.log10(width))
    return max(finest, 10.0 ** (exponent if width / 10.0**exponent >= 3.55 else exponent - 1))


def round_to(value: float, step: float, way: Callable[[float], float] = round) -> float:
    """A multiple of `step` near `value`. Fine steps go by their inverse, which is a whole number."""
    if step >= 1:
        return way(round(value / step, 9)) * step
    inverse = round(1 / step)
    return way(round(value * inverse, 9)) / inverse


def _up(value: float, step: float) -> float:
    """The next multiple upwards: a stated precision is never better than the true one."""
    inverse = round(1 / step)
    return math.ceil(round(value * inverse, 9)) / inverse


def _pattern(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")
