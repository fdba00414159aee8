"""What is known: how many were asked and what they said, rounded, of weeks that are over; charts with a table beside."""

from __future__ import annotations

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template
from markupsafe import Markup

from volens.measuring.rates import Rate
from volens.publishing.figures import BY, Line, Table
from volens.releases.charts import Bar, Chart, Tick, draw
from volens.web.given import AnyRequest, TheHouse, Who
from volens.web.page import words_of
from volens.web.staff.acting import staff_page
from volens.web.visitor import of_staff
from volens.web.words import Words

BARS_MAX = 12
"""Lines of a chart; the table holds all of them."""


@get("/staff/figures", guards=[of_staff("marketing", "dpo", "auditor")], sync_to_thread=True)
def known(
    request: AnyRequest, house: TheHouse, visitor: Who, by: FromQuery[str] = "purpose", purpose: FromQuery[str] = ""
) -> Template:
    """One view of the counts."""
    table = house.publishing.figures(by, purpose or None)
    words = words_of(request)
    labels = {line.label: label_of(line.label, by, words, house.programme.purposes) for line in table.lines}
    charts = [
        (words.say("staff.figures.share" if name == "permitted" else "staff.figures.misunderstood"), chart)
        for name, rate_of in (("permitted", lambda line: line.permitted), ("misunderstood", lambda line: line.misunderstood))
        if (chart := drawn(name, table, labels, words, rate_of)) is not None
    ]
    found: Template = staff_page(
        request, visitor, "figures.html", table=table, labels=labels, charts=charts, by=by, purpose=purpose, ways=list(BY),
        purposes=house.programme.purposes, percent=lambda rate: written(rate, words),
    )  # fmt: skip
    return found


def label_of(label: str, by: str, words: Words, purposes: object) -> str:
    """A line's label in words."""
    if label in ("", "other"):
        return words.say(f"staff.figures.{label or 'none'}")
    return words.day(label) if by == "week" else label


def written(rate: Rate | None, words: Words) -> str:
    """A share with its interval, in whole per cent."""
    if rate is None:
        return words.say("staff.figures.too-few")
    low, value, high = (round(100 * part) for part in (rate.low, rate.value, rate.high))
    return words.say("staff.figures.rate", value=value, low=low, high=high)


def drawn(name: str, table: Table, labels: dict[str, str], words: Words, rate_of: object) -> Markup | None:
    """A chart of one rate by line, each with its interval; none where no line has enough."""
    assert callable(rate_of)
    some: list[tuple[Line, Rate]] = [(line, rate) for line in table.lines if (rate := rate_of(line)) is not None]
    if not some:
        return None
    shown = some[-BARS_MAX:]
    return Markup(
        draw(
            Chart(
                id=f"chart-{name}",
                title=words.say(f"staff.figures.{name}"),
                description="; ".join(f"{labels[line.label]}: {written(rate, words)}" for line, rate in shown),
                bars=tuple(
                    Bar(_short(labels[line.label]), 100 * rate.value, 100 * rate.low, 100 * rate.high) for line, rate in shown
                ),
                ticks=tuple(Tick(float(place), words.say("staff.figures.percent", value=place)) for place in range(0, 101, 25)),
            )
        )
    )


def _short(label: str) -> str:
    """In two lines at most, as the foot of a bar."""
    first, _, rest = label.partition("-")
    return f"{first[:12]}\n{rest[:12]}" if rest else first[:14]


ROUTES = (known,)
