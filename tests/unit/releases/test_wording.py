"""Words, numbers and dates in two languages."""

# ruff: noqa: E501 (a table of examples is read by its columns)

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volens.releases.pagemodel import Line, Span
from volens.releases.wording import LANGUAGES, Wording, round_to, step_of, texts

FR, EN = Wording("fr", "EUR"), Wording("en", "EUR")


def plain(text: str) -> str:
    return re.sub("[\u00a0\u202f]", " ", text)


def line(measure: str, value: float, low: float, high: float) -> Line:
    return Line(measure, "brand", "whole", value, low, high)


@pytest.mark.parametrize(
    ("figure", "french", "english"),
    [
        (line("buyers", 1234.6, 1090, 1382), ("1 230", "de 1 090 à 1 390", "± 12 %"), ("1,230", "1,090 to 1,390", "± 12%")),
        (line("buyers", 832, 772, 891), ("830", "de 770 à 900", "± 8 %"), ("830", "770 to 900", "± 8%")),
        (line("spend", 8412.3, 7500, 9700), ("8 400 €", "de 7 500 € à 9 700 €", "± 16 %"), ("€8,400", "€7,500 to €9,700", "± 16%")),
        (line("spend_per_buyer", 12.34, 11, 13.9), ("12,30 €", "de 11,00 € à 13,90 €", "± 13 %"), ("€12.30", "€11.00 to €13.90", "± 13%")),
        (line("spend_share", 0.341, 0.31, 0.38), ("34 %", "de 31 % à 38 %", "± 4 points"), ("34%", "31% to 38%", "± 4 points")),
        (line("penetration", 0.179, 0.157, 0.2), ("17,9 %", "de 15,7 % à 20,0 %", "± 3 points"), ("17.9%", "15.7% to 20.0%", "± 3 points")),
        (line("penetration", 0.179, 0.177, 0.181), ("17,9 %", "de 17,7 % à 18,1 %", "± 0,2 point"), ("17.9%", "17.7% to 18.1%", "± 0.2 point")),
        (line("units_per_trip", 1.234, 1.1, 1.4), ("1,23", "de 1,10 à 1,40", "± 14 %"), ("1.23", "1.10 to 1.40", "± 14%")),
        (line("buyers", -3, -30, 30), ("0", "de 0 à 30", "trop incertain"), ("0", "0 to 30", "too uncertain")),
        (line("units_share", 1.2, 0.2, 1.0), ("100 %", "de 20 % à 100 %", "± 100 points"), None),
        (line("trips_per_buyer", float("nan"), 0, float("inf")), ("trop incertain", "–", "trop incertain"), ("too uncertain", "–", "too uncertain")),
    ],
)  # fmt: skip
def test_figures_in_words(figure: Line, french: tuple[str, ...], english: tuple[str, ...] | None) -> None:
    for wording, said in ((FR, french), (EN, english)):
        if said is not None:
            found = (wording.estimate(figure), wording.interval(figure), wording.precision(figure))
            assert tuple(map(plain, found)) == said


@given(st.floats(1, 1e7), st.floats(0.01, 0.9))
def test_rounding_never_narrows_an_interval_nor_moves_a_figure_far(value: float, part: float) -> None:
    figure = line("buyers", value, value * (1 - part), value * (1 + part))
    step = step_of(figure)
    said = [int(re.sub(r"\D", "", word)) for word in EN.interval(figure, short=True).split(" to ")]
    # A rounding error of the last bit is no narrowing.
    assert said[0] <= figure.low * (1 + 1e-12)
    assert said[1] >= figure.high * (1 - 1e-12)
    assert said[1] - said[0] <= figure.high - figure.low + 2 * step
    assert abs(int(EN.estimate(figure).replace(",", "")) - value) <= max(0.5, figure.half_width / 7)


def test_rounding_by_fine_steps_is_exact() -> None:
    assert round_to(0.299, 0.1) == 0.3
    assert round_to(1234.6, 10.0) == 1230


@pytest.mark.parametrize(
    ("start", "end", "french", "english"),
    [
        (date(2026, 1, 1), date(2026, 10, 1), "janvier–septembre 2026", "January–September 2026"),
        (date(2026, 7, 1), date(2026, 8, 1), "juillet 2026", "July 2026"),
        (date(2026, 1, 1), date(2027, 1, 1), "2026", "2026"),
        (date(2025, 10, 1), date(2026, 4, 1), "octobre 2025–mars 2026", "October 2025–March 2026"),
        (date(2026, 1, 5), date(2026, 2, 2), "5 janvier – 1er février 2026", "5 January – 1 February 2026"),
        (date(2025, 12, 29), date(2026, 1, 5), "29 décembre 2025 – 4 janvier 2026", "29 December 2025 – 4 January 2026"),
        (date(2026, 3, 1), date(2026, 3, 2), "1er mars 2026", "1 March 2026"),
    ],
)  # fmt: skip
def test_periods_in_words(start: date, end: date, french: str, english: str) -> None:
    span = Span("x", start, end)
    assert (plain(FR.span(span)), plain(EN.span(span))) == (french, english)


def test_short_periods_say_their_last_day() -> None:
    weeks = Span("x", date(2025, 3, 3), date(2025, 6, 2))
    assert plain(FR.short_span(weeks, with_year=False, by_month=False)) == "3 mars – 1 juin"
    assert plain(EN.short_span(weeks, with_year=True, by_month=False)) == "3 Mar – 1 Jun 25"
    assert plain(FR.foot(weeks, with_year=False, by_month=False, few=True)) == "3 mars –\n1 juin"
    assert plain(FR.foot(weeks, with_year=False, by_month=False, few=False)) == "3 mars"
    quarter = Span("x", date(2025, 9, 1), date(2025, 12, 1))
    assert plain(FR.foot(quarter, with_year=False, by_month=True, few=False)) == "sept.–nov."
    assert plain(FR.short_span(quarter, with_year=False, by_month=False)) == "1 sept. – 30 nov."
    day = Span("x", date(2026, 3, 2), date(2026, 3, 3))
    assert plain(FR.short_span(day, with_year=False, by_month=False)) == "2 mars"


def leaves_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves_of(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves_of(inner, f"{path}.{number}")
    else:
        yield path, str(value)


def test_both_languages_say_everything_with_the_same_gaps() -> None:
    french, english = (dict(leaves_of(texts(language))) for language in LANGUAGES)
    assert french.keys() == english.keys()
    for path in french:
        gaps = [set(re.findall(r"{(\w+)}", words[path])) for words in (french, english)]
        assert gaps[0] == gaps[1], path
        assert french[path].strip(), path


def test_french_spaces_do_not_break() -> None:
    for path, text in leaves_of(texts("fr")):
        assert not re.search(r" [;:!?»%€]|« ", text), path


def test_a_language_that_no_page_has_is_refused() -> None:
    with pytest.raises(ValueError, match="fr, en"):
        texts("xx")


def test_money_is_written_with_all_its_digits_or_none() -> None:
    assert Wording("en", "GBP").number("spend", 12.34, 0.1) == "£12.30"
    assert Wording("en", "GBP").number("spend", 12.34, 1.0) == "£12"
