"""What a pack costs and how wide its intervals will be, fixed before any data is touched.

Rules:
1. A plan is a function of the pack and the programme alone. Its hash covers everything that fixes the answer, and
   nothing about who permits what.
2. Each measure is one vector on a public grid, with a cap per cell, an L2 radius and an equal share of the pack's ρ.
   What clipping takes away is measured too, out of the same share.
3. All bounds are whole numbers in fixed point: 2²⁴ is one cap. No sum can leave 64 bits.
4. A grid whose typical interval would be useless is refused here, with the coarser one that works.

Sources: zCDP and its Gaussian mechanism: Bun & Steinke 2016 (arXiv 1605.02065); one L2-bounded vector per person:
Rogers 2024 (arXiv 2403.05073). `docs/method.md` has the formulas.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from datetime import date, timedelta

from volens.errors import BadInput, GridTooFine, ProgrammeError
from volens.insights.expect import ExpectedWidth, Typical, expected_widths, typical_widths
from volens.insights.measures import FIXED_BITS, LINE_LIMIT, ONE, MeasurePlan, grid
from volens.insights.pack import CATEGORY, REST, WHOLE, Pack, periods, starts_well
from volens.programme.products import PERIODS, InsightProduct, MeasureSpec

METHOD = "volens-sums/1"
"""Name of the arithmetic of this module and of the engines. Changing either needs another name, hence other hashes."""
FIELDS = ("customer", "product", "day", "basket", "quantity", "amount", "currency")
"""The columns of the purchases table that a sales pack reads."""


@dataclass(frozen=True)
class Plan:
    """Everything that fixes a pack's answer, and its price."""

    pack: Pack
    purpose: str
    rho_nano: int
    """What the noise of all measures together costs a customer who comes or goes whole."""
    delta: str
    measures: tuple[MeasurePlan, ...]
    expected: tuple[ExpectedWidth, ...] = field(default=(), compare=False, repr=False)
    """For the reader of a plan; not part of the hash, since it fixes nothing."""
    hash: str = field(init=False)
    """SHA-256 of `canonical` as canonical JSON, in hexadecimal."""

    def __post_init__(self) -> None:
        spent = sum(measure.rho_nano + measure.loss_rho_nano for measure in self.measures)
        if not self.measures or spent > self.rho_nano:
            raise ValueError(f"the measures spend {spent} of {self.rho_nano}")
        entry = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        object.__setattr__(self, "hash", hashlib.sha256(entry.encode()).hexdigest())

    @property
    def years(self) -> tuple[int, ...]:
        return self.pack.years

    @property
    def charge_nano(self) -> int:
        """What each of its years is charged: the pack's ρ, and a little more if it reads more than one year.

        The unit is one customer's purchases of one calendar year. Where a customer's other year stays in the pack, taking
        one away can turn the shortened vector as well as shorten it; `MeasurePlan.turned_rho_nano` says by how much that
        costs more. See `docs/decisions/0005`.
        """
        if len(self.years) == 1:
            return self.rho_nano
        turned = sum(
            measure.turned_rho_nano(self._shares_years(measure)) + measure.loss_rho_nano for measure in self.measures
        )
        return max(self.rho_nano, turned)

    def _shares_years(self, measure: MeasurePlan) -> bool:
        """Whether some cell of a measure reads more than one calendar year."""
        one_day = timedelta(days=1)
        crossing = any(period.start.year != (period.end - one_day).year for period in self.pack.periods)
        return crossing or (WHOLE in measure.columns and len(self.years) > 1)

    @property
    def fields(self) -> tuple[str, ...]:
        return FIELDS

    @property
    def start(self) -> date:
        return self.pack.start

    @property
    def end(self) -> date:
        return self.pack.end

    def measure(self, name: str) -> MeasurePlan:
        """The plan of a measure; `KeyError` if the pack has no such measure."""
        for measure in self.measures:
            if measure.measure == name:
                return measure
        raise KeyError(name)

    def canonical(self) -> dict[str, object]:
        """Everything that fixes the answer, as JSON values."""
        return {
            "method": METHOD,
            "pack": self.pack.canonical(),
            "purpose": self.purpose,
            "rho": self.rho_nano,
            "delta": self.delta,
            "fixed_bits": FIXED_BITS,
            "line_limit": LINE_LIMIT,
            "measures": [measure.canonical() for measure in self.measures],
        }


def plan_pack(pack: Pack, product: InsightProduct) -> Plan:
    """The plan of a pack. Touches no data.

    Raises `GridTooFine` if its intervals would be useless, `ProgrammeError` if the product lacks a cap, `BadInput` if
    the pack is not of this product or the category has no public expectations.
    """
    if pack.product != product.id:
        raise BadInput(f"This pack is of {pack.product}, not of {product.id}.", "Plan it with its own product.")
    if pack.category not in product.expected:
        raise BadInput(
            f"{product.id} does not say what to expect of the category {pack.category!r}.",
            f"Choose one of {', '.join(sorted(product.expected)) or 'none'}, or declare it in the product.",
        )
    measures = plan_measures(pack, product)
    expected = expected_widths(pack, measures, product.expected[pack.category])
    _refuse_useless(pack, product, expected)
    return Plan(pack, product.purpose, product.rho_per_pack_nano, product.delta, measures, expected)


def _refuse_useless(pack: Pack, product: InsightProduct, expected: tuple[ExpectedWidth, ...]) -> None:
    """Raises `GridTooFine` unless every typical interval is at most `max_half_width` of its figure."""
    limit = float(product.max_half_width)
    worst = _first_above(typical_widths(pack, expected), limit)
    if worst is None:
        return
    coarser = _coarser_that_works(pack, product, limit)
    if coarser is None:
        remedy = "No longer period over the same time works either: ask for fewer brands, or for a larger category."
    else:
        by, count, typical = coarser
        remedy = f"Ask for {count} × {by} from {pack.start}: there, ± {_percent(typical)} is expected at the most."
    raise GridTooFine(
        f"These figures would be useless: for {worst.measure} of {worst.rows}, a typical interval is expected to be "
        f"± {_percent(worst.half_width)} of the figure; the limit is ± {_percent(limit)}.",
        remedy,
    )


def _first_above(typical: tuple[Typical, ...], limit: float) -> Typical | None:
    return next((entry for entry in typical if not entry.half_width <= limit), None)


def _coarser_that_works(pack: Pack, product: InsightProduct, limit: float) -> tuple[str, int, float] | None:
    """The next longer kind of period, over as much of the same time as whole periods fill, whose intervals serve."""
    for by, days in sorted(PERIODS.items(), key=lambda kind: kind[1]):
        if by not in product.periods or days <= pack.longest_days or not starts_well(by, pack.start):
            continue
        count = 0
        while count < product.max_periods and periods(by, pack.start, count + 1)[-1].end <= pack.end:
            count += 1
        # Where not even one fits into the time that was asked for, one that reaches beyond it may serve.
        count = max(count, 1)
        longer = pack.over(periods(by, pack.start, count))
        expected = expected_widths(longer, plan_measures(longer, product), product.expected[pack.category])
        typical = typical_widths(longer, expected)
        if _first_above(typical, limit) is None:
            return by, count, max(entry.half_width for entry in typical)
    return None


def _percent(part: float) -> str:
    return f"{math.ceil(part * 100)} %" if part < 10 else "more than 1000 %"


def plan_measures(pack: Pack, product: InsightProduct) -> tuple[MeasurePlan, ...]:
    """The measures of a pack, each with an equal share of its ρ."""
    share = product.rho_per_pack_nano // len(product.measures)
    return tuple(_plan_measure(pack, spec, share) for spec in product.measures.values())


def _plan_measure(pack: Pack, spec: MeasureSpec, rho_nano: int) -> MeasurePlan:
    rows, columns = grid(pack, spec.measure)
    kinds = [row if row in (REST, CATEGORY) else "own" for row in rows]
    missing = sorted(set(kinds) - set(spec.caps))
    if missing:
        raise ProgrammeError(
            f"{pack.product} declares no cap of {spec.measure} for {', '.join(missing)}.", "Declare it in the product."
        )
    caps = tuple(spec.cap(kind, pack.longest_days) for kind in kinds)
    loss_rho_nano = int(spec.loss_share * rho_nano)
    loss_limit_fixed = int(spec.loss_limit * ONE) if loss_rho_nano else 0
    return MeasurePlan(
        measure=spec.measure,
        rows=rows,
        columns=columns,
        caps=caps,
        ceilings=tuple(cap + math.ceil(spec.slack * cap) for cap in caps),
        radius_fixed=_radius_fixed(spec, len(rows) * len(columns), len(columns)),
        rho_nano=rho_nano - loss_rho_nano,
        loss_limit_fixed=loss_limit_fixed,
        loss_rho_nano=loss_rho_nano if loss_limit_fixed else 0,
    )


RADIUS_PERIODS = 3
"""The declared radius is for up to so many periods; beyond, it grows with their square root, as a steady customer's
norm does. It is never more than √cells, which no customer can exceed."""


def _radius_fixed(spec: MeasureSpec, cells: int, columns: int) -> int:
    # ⌈√cells · 2²⁴⌉ in whole numbers, so that a vector of ones is never shortened.
    full = math.isqrt(cells * ONE * ONE - 1) + 1
    if spec.radius is None:
        return full
    grown = float(spec.radius) * math.sqrt(max(1.0, columns / RADIUS_PERIODS))
    return min(full, int(grown * ONE))


__all__ = [
    "FIELDS",
    "FIXED_BITS",
    "LINE_LIMIT",
    "METHOD",
    "ONE",
    "ExpectedWidth",
    "MeasurePlan",
    "Plan",
    "grid",
    "plan_pack",
]
