"""What is asked of a machine, and what is demanded of the answer.

An entry has variants; each is run in a process of its own, one after the other, round by round, so that whatever else the
machine does falls on all of them. The figure is the ratio of two medians of processor seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variant:
    """One thing to run."""

    name: str
    of: str
    """Which of `variants.PLACES`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    share: int = 1
    """Of the lines asked for: one in so many."""


@dataclass(frozen=True)
class Demand:
    """What a figure must be, at the sizes at which it is demanded."""

    most: float | None = None
    least: float | None = None

    def met(self, value: float) -> bool:
        """Whether a value is within."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def __str__(self) -> str:
        return f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"


@dataclass(frozen=True)
class Ratio:
    """What one variant took against the fastest of others."""

    of: str
    to: tuple[str, ...]
    demand: Demand | None = None
    what: str = "cpu"
    """`cpu` or `peak_mb`, or `per_second` or `per_cpu_second`, of which more is better."""


@dataclass(frozen=True)
class Measure:
    """Something that a variant measured itself, or `peak_mb`, or `per_second` on the clock and `per_cpu_second` of its lines."""

    of: str
    what: str
    demand: Demand | None = None


@dataclass(frozen=True)
class Entry:
    """One question."""

    name: str
    title: str
    needs: tuple[str, ...]
    """Data that must be made first: `table`, `feed`."""
    variants: tuple[Variant, ...]
    figures: tuple[Ratio | Measure, ...]


def _exact(width: str, title: str, most: float) -> Entry:
    """`most`: of what the faster raw query costs, when 30 % refuse."""

    def volens(name: str, refuse: float) -> Variant:
        return Variant(name, "volens", {"width": width, "refuse": refuse})

    return Entry(
        f"exact-{width}",
        f"The exact stage of four measures, gated and clipped, against DuckDB without any privacy: {title}",
        ("table",),
        (
            volens("nobody refuses", 0.0),
            volens("0.1 % refuse", 0.001),
            volens("30 % refuse", 0.3),
            volens("70 % refuse", 0.7),
            Variant("raw, distinct", "duckdb", {"width": width, "way": "distinct"}),
            Variant("raw, grouped", "duckdb", {"width": width, "way": "grouped"}),
        ),
        (
            Ratio("30 % refuse", ("raw, distinct", "raw, grouped"), Demand(most=most)),
            Measure("30 % refuse", "peak_mb", Demand(most=1_000)),
            Ratio("0.1 % refuse", ("nobody refuses",), Demand(most=1.05)),
            Ratio("30 % refuse", ("nobody refuses",), Demand(most=1.0)),
            Ratio("70 % refuse", ("nobody refuses",), Demand(most=1.0)),
        ),
    )


INGEST = Entry(
    "ingest",
    "Parquet from the tills until it can be read, against reading and writing the same files as they are",
    ("feed",),
    (Variant("take in", "ingest"), Variant("take in a tenth", "ingest", share=10), Variant("copy", "copy")),
    (
        Measure("take in", "per_second", Demand(least=300_000)),
        Measure("take in", "per_cpu_second"),
        Measure("take in", "peak_mb", Demand(most=1_500)),
        Measure("take in a tenth", "peak_mb", Demand(most=1_500)),
        Ratio("take in", ("take in a tenth",), what="peak_mb"),
        Ratio("take in", ("copy",)),
    ),
)
REMOVAL = Entry(
    "removal",
    "Every line of one customer in a hundred taken out, against reading and writing all files as they are",
    ("table",),
    (Variant("remove", "remove"), Variant("rewrite", "rewrite")),
    (Ratio("remove", ("rewrite",)), Measure("remove", "peak_mb")),
)


OVER_HTTP = Entry(
    "choices-http",
    "Decisions over HTTP from sixteen connections to one process, and clicks until a decision says no, against answering nothing",
    ("chosen",),
    (
        Variant("decide", "decide", {"seconds": 5}),
        Variant("decide at 2,000 a second", "steadily", {"seconds": 5, "rate": 2_000}),
        Variant("click", "click", {"seconds": 5}),
        Variant("answer nothing", "nothing", {"seconds": 5}),
    ),
    (
        Measure("decide", "per_second", Demand(least=2_000)),
        Measure("decide at 2,000 a second", "p50_ms"),
        Measure("decide at 2,000 a second", "p99_ms", Demand(most=5)),
        Measure("decide", "per_cpu_second"),
        Ratio("decide", ("answer nothing",), what="per_cpu_second"),
        Measure("click", "p50_ms"),
        Measure("click", "p99_ms"),
    ),
)


ACTIVATION = Entry(
    "activation",
    "Purchases put to use, in a house where everybody permits: reminders and sponsored products at a hundred a second, "
    "decisions, and a list for a platform",
    ("activated",),
    (
        Variant("remind at 100 a second", "remind", {"seconds": 10, "rate": 100}),
        Variant("advertise at 100 a second", "advertise", {"seconds": 10, "rate": 100}),
        Variant("decide", "permit", {"seconds": 5}),
        Variant("answer nothing", "nothing", {"seconds": 5}),
        Variant("list", "export"),
    ),
    (
        Measure("remind at 100 a second", "p50_ms"),
        Measure("remind at 100 a second", "p99_ms", Demand(most=10)),
        Measure("advertise at 100 a second", "p50_ms"),
        Measure("advertise at 100 a second", "p99_ms", Demand(most=20)),
        Measure("decide", "per_second", Demand(least=2_000)),
        Ratio("decide", ("answer nothing",), what="per_cpu_second"),
        Measure("list", "per_second"),
        Measure("list", "peak_mb"),
    ),
)


def _choices(where: str, records: str | None, least: float) -> Entry:
    options = {"seconds": 3, **({"records": records} if records else {})}
    return Entry(
        f"choices-{where.lower()}",
        f"Durable choices of eight writers, and withdrawals while existing choices come in: {where}",
        (),
        (Variant("choose", "choose", options), Variant("withdraw", "withdraw", options), Variant("bare commits", "bare", options)),
        (
            Measure("choose", "per_second", Demand(least=least)),
            Ratio("choose", ("bare commits",), what="per_second"),
            Measure("withdraw", "p50_ms"),
            Measure("withdraw", "p99_ms", Demand(most=10)),
        ),
    )


def _rewards(where: str, records: str | None) -> Entry:
    options = {"seconds": 3, "vouchers": 3_000, **({"records": records} if records else {})}
    return Entry(
        f"rewards-{where.lower()}",
        f"Rewards that eight writers promise and earn, and vouchers that eight tills redeem, each durable: {where}",
        (),
        (Variant("claim", "claim", options), Variant("redeem", "redeem", options), Variant("bare commits", "bare", options)),
        (
            Measure("claim", "per_second"),
            Ratio("claim", ("bare commits",), what="per_second"),
            Measure("redeem", "per_second"),
            Ratio("redeem", ("bare commits",), what="per_second"),
        ),
    )


def entries(postgresql: str | None) -> tuple[Entry, ...]:
    """All of them; those on PostgreSQL where there is one."""
    found = (
        _exact("wide", "all that is sold, 64 groups of categories by 52 weeks", 0.7),
        # Little else than decoding columns, which both do: there the privacy must cost nothing, and cannot save much.
        _exact("narrow", "two brands of one category over four quarters", 1.0),
        INGEST,
        REMOVAL,
        _choices("SQLite", None, 2_000),
        OVER_HTTP,
        ACTIVATION,
        _rewards("SQLite", None),
    )
    on_postgresql = (_choices("PostgreSQL", postgresql, 1_000), _rewards("PostgreSQL", postgresql))
    return (*found, *on_postgresql) if postgresql else found
