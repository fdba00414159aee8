"""The page that a brand manager reads: one self-contained HTML file in French or in English.

1. It loads nothing and runs nothing: style and drawings are inside, and its own policy forbids the rest.
2. What needs no specialist comes first; how the figures were protected stands in the details at the end.
3. Every figure stands with its interval, in words, in a table and in a drawing that say the same.
4. Equal input gives equal bytes.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markdown_it import MarkdownIt
from markupsafe import Markup

from volens.insights.pack import CATEGORY, REST, WHOLE
from volens.releases import charts
from volens.releases.pagemodel import (
    COUNT,
    HABITS,
    MEASURES,
    SHARES,
    UNITS,
    Line,
    PageModel,
)
from volens.releases.wording import Wording, possible, spaced, texts

CHART_BRANDS_MAX = 8
"""Brands that get drawings; the tables hold every brand."""
HEADLINE_BRANDS_MAX = 3
OPEN_ROWS_MAX = 16
"""Longer tables are folded away, so that the page can be seen whole."""
FEW_BARS = 4
"""Up to so many bars, a period of days is written at their feet from its first day to its last."""
CARD_MEASURES = ("buyers", "penetration", "spend", "spend_share")


@dataclass(frozen=True)
class Cell:
    """One line of a table, in words."""

    period: str
    estimate: str
    interval: str
    precision: str
    whole: bool
    certain: bool


@dataclass(frozen=True)
class Part:
    """One row of one measure: its name, its drawing if it has one, its table. `kind` is "own" or "other"."""

    name: str
    kind: str
    drawing: Markup | None
    cells: tuple[Cell, ...]

    @property
    def wide(self) -> bool:
        """Whether the drawing needs the page's whole width."""
        return self.drawing is not None and len(self.cells) > charts.WIDE_FROM


@dataclass(frozen=True)
class Section:
    """One measure: its words and its rows."""

    id: str
    name: str
    means: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Card:
    """The essentials of one brand: for each measure its name and its cell."""

    name: str
    facts: tuple[tuple[str, Cell], ...]


def render(model: PageModel, certificate: Mapping[str, Any], language: str) -> str:
    """The page of a release in one language. `certificate` is what stands in the details, without file hashes."""
    wording = Wording(language, model.currency)
    style = files("volens.releases").joinpath("templates", "report.css").read_text("utf-8")
    digest = base64.b64encode(sha256(style.encode("utf-8")).digest()).decode("ascii")
    return _template().render(
        language=language,
        text=texts(language),
        say=wording.say,
        model=model,
        style=Markup(style),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        title=wording.say("title", category=_sentence(_category(model, language)), span=wording.span(model.whole)),
        headline=headline(model, wording),
        cards=[_card(model, brand, wording) for brand in model.brands[:CHART_BRANDS_MAX]],
        measures=[_section(model, measure, wording) for measure in _present(model, MEASURES)],
        shares=[_section(model, measure, wording) for measure in _present(model, SHARES)],
        habits=[_section(model, measure, wording) for measure in _present(model, HABITS)],
        charts_cut=CHART_BRANDS_MAX if len(model.brands) > CHART_BRANDS_MAX else 0,
        open_rows_max=OPEN_ROWS_MAX,
        plain=method("plain", language),
        exact=method("exact", language),
        check=_check(certificate["log"], wording, model.labels.house),
        log=_log(certificate["log"], wording),
        certificate=_certificate(certificate, wording),
        years=_years(certificate, wording),
    )


def headline(model: PageModel, wording: Wording) -> tuple[str, ...]:
    """The answer in words. One brand: a paragraph. Several: an opening, a sentence a brand, and a close."""
    start, end = model.whole.start, model.whole.end - timedelta(days=1)
    days = {"start": wording.day(start, with_year=start.year != end.year), "end": wording.day(end)}
    who = wording.say("headline.who", house=model.labels.house)
    sentences = [_brand_sentence(model, brand, wording, days) for brand in model.brands[:HEADLINE_BRANDS_MAX]]
    if len(model.brands) == 1:
        return (f"{sentences[0]} {who}",)
    more = [wording.say("headline.more")] if len(model.brands) > HEADLINE_BRANDS_MAX else []
    return (wording.say("headline.open", **days), *sentences, " ".join([*more, who]))


def _brand_sentence(model: PageModel, brand: str, wording: Wording, days: Mapping[str, str]) -> str:
    name = model.labels.brands[brand]
    lines = {measure: model.over_all(measure, brand) for measure in CARD_MEASURES}
    found = {measure: line for measure, line in lines.items() if line is not None and line.certain}
    if len(found) < len(lines):
        return wording.say("headline.uncertain", brand=name)
    values = {measure: wording.estimate(line) for measure, line in found.items()}
    values["buyers_pm"] = wording.precision(found["buyers"])
    values["spend_pm"] = wording.precision(found["spend"])
    form = "headline.one" if len(model.brands) == 1 else "headline.each"
    return wording.say(form, brand=name, **days, **values)


def method(part: str, language: str) -> Markup:
    """How the figures were made, as HTML: `plain` for everybody or `exact` for specialists."""
    return Markup(MarkdownIt("commonmark").render(method_text(part, language)))


def method_text(part: str, language: str) -> str:
    """The same as Markdown."""
    text = files("volens.releases").joinpath("method", f"{part}.{language}.md").read_text("utf-8")
    return spaced(text) if language == "fr" else text


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("volens.releases"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def _present(model: PageModel, measures: Sequence[str]) -> list[str]:
    found = {line.measure for line in model.lines}
    return [measure for measure in measures if measure in found]


def _category(model: PageModel, language: str) -> str:
    named = model.labels.category
    return named.get(language) or next(iter(named.values()))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def row_name(model: PageModel, row: str, wording: Wording) -> str:
    """What a row is called on the page."""
    if row in (REST, CATEGORY):
        return wording.say(row)
    return model.labels.brands[row]


def column_name(model: PageModel, column: str, wording: Wording) -> str:
    """What a column is called on the page."""
    if column == WHOLE:
        return wording.say("whole")
    period = next(period for period in model.periods if period.label == column)
    return wording.short_span(period, model.several_years, model.by_month)


def _card(model: PageModel, brand: str, wording: Wording) -> Card:
    facts = []
    for measure in CARD_MEASURES:
        line = model.over_all(measure, brand)
        if line is not None:
            name = wording.say(f"measures.{measure}.name")
            facts.append((name, _cell(model, line, wording, short=False)))
    return Card(model.labels.brands[brand], tuple(facts))


def _section(model: PageModel, measure: str, wording: Wording) -> Section:
    drawn = {*model.brands[:CHART_BRANDS_MAX], REST, CATEGORY} if measure not in HABITS else set()
    parts = tuple(
        Part(
            row_name(model, row, wording),
            "other" if row in (REST, CATEGORY) else "own",
            _drawing(model, f"{measure}-{number}", lines, wording) if row in drawn else None,
            tuple(_cell(model, line, wording) for line in lines),
        )
        for number, (row, lines) in enumerate(model.table(measure))
    )
    name, means = wording.say(f"measures.{measure}.name"), wording.say(f"measures.{measure}.means")
    return Section(measure.replace("_", "-"), name, means, parts)


def _cell(model: PageModel, line: Line, wording: Wording, short: bool = True) -> Cell:
    return Cell(
        column_name(model, line.column, wording),
        wording.estimate(line),
        wording.interval(line, short),
        wording.precision(line),
        line.column == WHOLE,
        line.certain,
    )


def _drawing(model: PageModel, place: str, lines: Sequence[Line], wording: Wording) -> Markup | None:
    """The periods of one row; nothing if an interval has no end. The whole is left to the table: it is no period."""
    of_periods = [line for line in lines if line.column != WHOLE]
    if not of_periods or not all(math.isfinite(line.high) and math.isfinite(line.value) for line in of_periods):
        return None
    spans = {period.label: period for period in model.periods}
    few = len(of_periods) <= FEW_BARS
    foot = partial(wording.foot, with_year=model.several_years, by_month=model.by_month, few=few)
    bars = tuple(charts.Bar(foot(spans[line.column]), possible(line), line.low, line.high) for line in of_periods)
    measure = of_periods[0].measure
    places = charts.round_ticks(max(line.high for line in of_periods), UNITS[measure] == COUNT)
    step = 10.0 ** _exponent(places[1])
    ticks = tuple(charts.Tick(value, wording.number(measure, value, step)) for value in places)
    name = row_name(model, of_periods[0].row, wording)
    title = wording.say("chart", measure=wording.say(f"measures.{measure}.name"), row=name)
    chart = charts.Chart("chart-" + place.replace("_", "-"), title, wording.say("chart_detail"), bars, ticks)
    return Markup(charts.draw(chart))


def _exponent(value: float) -> int:
    """The power of ten of the first digit: what an axis must show of its steps."""
    return int(f"{value:e}".partition("e")[2])


CERTIFICATE_FIELDS = (
    "release",
    "house",
    "supplier",
    "product",
    "unit",
    "epsilon",
    "delta",
    "rho",
    "mechanism",
    "drawn_day",
    "approved_by_roles",
    "programme_version",
    "plan_hash",
)


def _certificate(certificate: Mapping[str, Any], wording: Wording) -> list[tuple[str, str]]:
    return [(wording.say(f"certificate.{name}"), _flat(certificate[name])) for name in CERTIFICATE_FIELDS]


def _check(log: Mapping[str, Any], wording: Wording, house: str) -> list[str]:
    """How to check, for people: who watches the record, where its newest state stands, and what nobody can find out."""
    watched = [witness.split("+")[0] for witness in log["witnesses"]]
    said = [wording.say("check.keep")]
    said.append(wording.say("check.watched", names=", ".join(watched)) if watched else wording.say("check.unwatched"))
    if log["address"]:
        # Without https://, since a page that loads nothing holds no such address: people type it.
        where = log["address"].split("://")[-1] + "/public/checkpoint"
        said.append(wording.say("check.address", address=where))
    return [*said, f"{wording.say('check.limit', house=house)} {wording.say('check.never')}"]


def _log(log: Mapping[str, Any], wording: Wording) -> list[tuple[str, str]]:
    """The same for machines: keys, and the state of the log when the package was made."""
    size, root = (log["checkpoint"].split("\n")[1:3]) if log["checkpoint"] else ("0", "–")
    rows = [("key", log["key"]), ("entries", size), ("root", root), *(("witness", witness) for witness in log["witnesses"])]
    return [(wording.say(f"check.{name}"), value) for name, value in rows]


def _flat(value: Any) -> str:
    """A value of the certificate on one line. What is nested deeper is for machines and stays in the file."""
    if isinstance(value, Mapping):
        simple = {key: inner for key, inner in value.items() if not isinstance(inner, Mapping | list | tuple)}
        return "; ".join(f"{key}: {inner}" for key, inner in simple.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _years(certificate: Mapping[str, Any], wording: Wording) -> list[tuple[str, str, str, str, str]]:
    """(year, ρ spent, left, at most, ε spent) for each year that the pack read."""
    epsilons = certificate["epsilon_by_year"]
    return [
        (year, str(rho["spent"]), str(rho["left"]), str(rho["cap"]), str(epsilons[year]))
        for year, rho in sorted(certificate["rho_by_year"].items())
    ]
