"""Charts as SVG that a page holds in itself: no script, no browser, no font or file from elsewhere.

1. No figure without its interval: every chart draws both, and the value axis starts at zero.
2. Colours are left to the page's style sheet by class, so that one drawing serves light, dark and print.
3. Equal input gives equal bytes. All words and numbers come in already written.

`vl-convert` draws what Altair describes, inside this process.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

import altair
import vl_convert

WIDTH, HEIGHT = 300, 190
WIDE_FROM, WIDE_WIDTH = 14, 900
"""From so many bars on, a chart takes the whole width of the page."""
TEXT_SIZE = 12


@dataclass(frozen=True)
class Bar:
    """One period: its words at the foot (in one line or two), the estimate and its interval, in the axis's unit."""

    label: str
    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high or not math.isfinite(self.high - self.low):
            raise ValueError(f"a bar without a finite interval around its value: {self.label}")


@dataclass(frozen=True)
class Tick:
    """A place on the value axis, and what is written there."""

    value: float
    label: str


@dataclass(frozen=True)
class Chart:
    """One small chart. `title` and `description` are for those who cannot see it; `id` is unique on its page."""

    id: str
    title: str
    description: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.id):
            raise ValueError("a chart's id is made of small letters, digits and hyphens")
        if not self.bars or len(self.ticks) < 2:
            raise ValueError("a chart has bars, and an axis with two places at least")

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width."""
        return len(self.bars) >= WIDE_FROM


def round_ticks(highest: float, whole: bool = False) -> tuple[float, ...]:
    """Two to six round places from zero to at least `highest`; `whole`: of what is counted one by one."""
    if not math.isfinite(highest) or highest <= 0:
        return (0.0, 1.0)
    if whole and highest <= 5:
        return tuple(float(number) for number in range(math.ceil(highest) + 1))
    power = 10.0 ** math.floor(math.log10(highest / 3))
    step = next(size * power for size in (1, 2, 5, 10) if highest / (size * power) <= 5)
    count = math.ceil(highest / step - 1e-9)
    return tuple(float(f"{number * step:.10g}") for number in range(count + 1))


def draw(chart: Chart) -> str:
    """The chart as an `<svg>` element for inlining in HTML."""
    drawn = vl_convert.vegalite_to_svg(_describe(chart))
    return _fit_for_a_page(str(drawn), chart)


def _describe(chart: Chart) -> dict[str, Any]:
    """The chart in Vega-Lite: a blank one, and what is different from chart to chart as data and parameters.

    Words are parameters and never become part of an expression.
    """
    described: dict[str, Any] = json.loads(_blank(chart.wide))
    described["datasets"] = {
        "bars": [
            {"place": place, "value": max(bar.value, 0.0), "low": max(bar.low, 0.0), "high": max(bar.high, 0.0)}
            for place, bar in enumerate(chart.bars)
        ]
    }
    described["params"] = [
        {"name": "ticks", "value": [tick.value for tick in chart.ticks]},
        {"name": "tick_words", "value": [tick.label for tick in chart.ticks]},
        {"name": "top", "value": chart.ticks[-1].value},
        {"name": "foot_words", "value": [bar.label for bar in chart.bars]},
    ]
    return described


@cache
def _blank(wide: bool) -> str:
    """A chart without its data, as JSON. Kept, since describing and checking one takes longer than drawing it."""
    axis = altair.Axis(
        values=altair.ExprRef("ticks"),
        labelExpr="tick_words[indexof(ticks, datum.value)]",
        title=None,
        domain=False,
        ticks=False,
        labelPadding=6,
    )
    feet = altair.Axis(
        labelExpr="split(foot_words[datum.value], '\\n')",
        labelAngle=0,
        labelOverlap="parity",
        labelSeparation=5,
        labelPadding=6,
        title=None,
        ticks=False,
        grid=False,
    )
    scale = altair.Scale(domainMin=0, domainMax=altair.ExprRef("top"), nice=False)
    base = altair.Chart(altair.NamedData("bars")).encode(
        x=altair.X("place:O", axis=feet, scale=altair.Scale(paddingInner=0.35, paddingOuter=0.2))
    )
    bars = base.mark_bar().encode(y=altair.Y("value:Q", axis=axis, scale=scale))
    line = base.mark_rule(strokeWidth=2).encode(y=altair.Y("low:Q"), y2="high:Q")
    ends = [base.mark_tick(thickness=2, size=4 if wide else 10).encode(y=altair.Y(f"{end}:Q")) for end in ("low", "high")]
    whole = altair.layer(bars, line, *ends).properties(
        width=WIDE_WIDTH if wide else WIDTH,
        height=HEIGHT,
        autosize=altair.AutoSizeParams(type="fit", contains="padding"),
        background="transparent",
        padding={"left": 8, "right": 2, "top": 8, "bottom": 2},
    )
    plain = whole.configure(aria=False).configure_view(stroke=None)
    return json.dumps(plain.configure_axis(labelFontSize=TEXT_SIZE).to_dict())


def _fit_for_a_page(svg: str, chart: Chart) -> str:
    """Takes out what a page must not have (fixed colours, a background, namespaces) and adds name and description."""
    head, _, body = svg.partition(">")
    view = re.search(r'viewBox="[0-9 .]+"', head)
    if view is None or not body.endswith("</svg>"):
        raise ValueError("the drawing is not what the drawing library used to give")
    body = re.sub(r'<rect [^>]*fill="transparent"[^>]*/>', "", body, count=1)
    body = re.sub(r'<path class="(?:background|foreground)"[^>]*/>', "", body)
    body = re.sub(r' (?:role|aria-roledescription|aria-hidden|pointer-events|font-family)="[^"]*"', "", body)
    body = re.sub(r' (?:fill|stroke)="(?!none)[^"]*"', "", body)
    body = re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), body)
    name, detail = f"{chart.id}-title", f"{chart.id}-detail"
    kind = "chart wide" if chart.wide else "chart"
    return (
        f'<svg class="{kind}" role="img" aria-labelledby="{name} {detail}" {view[0]}>'
        f'<title id="{name}">{escape(chart.title)}</title><desc id="{detail}">{escape(chart.description)}</desc>{body}'
    )
