"""The document of a campaign: all that is fixed beforehand.

Rules:
1. What is not in it cannot be set later; what it does not know is refused.
2. Days are whole days of the shops, both ends included where people write them, and the end left out inside.
3. The pre-period is at least twice as long as the sale period: power and false alarms are tried out on its last part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from volens.errors import BadInput
from volens.measuring.effect import CAP_THOUSANDTHS
from volens.measuring.holdout import SHARE_MAX, SHARE_MIN

SALE_DAYS_MIN, SALE_DAYS_MAX = 7, 183
PRE_DAYS_MAX = 366
GAP_DAYS_MAX = 28
"""Days between the pre-period and the sale period, at most."""
COST_MAX_CENTS = 10**12
PLAN_BYTES_MAX = 20_000
FIELDS = ("customer", "product", "day", "amount", "currency")
"""What is read to measure a campaign."""


@dataclass(frozen=True)
class Days:
    """From `start` on, before `end`."""

    start: date
    end: date

    @property
    def count(self) -> int:
        """How many."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last of them."""
        return self.end - timedelta(days=1)

    def overlaps(self, other: Days) -> bool:
        """Whether any day is in both."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Plan:
    """What is fixed. `category` and `brands` name the goods whose sales count; without them all do."""

    id: str
    name: str
    purpose: str
    """Under which purchases are read to measure it."""
    audience: str | None
    """The name of the set of customers that is handed in at the launch; none for everybody who permits."""
    hold_out_thousandths: int
    pre: Days
    sale: Days
    cost_cents: int
    currency: str
    category: str | None
    brands: tuple[str, ...]
    cap_thousandths: int

    def __post_init__(self) -> None:
        wrong = []
        if not SALE_DAYS_MIN <= self.sale.count <= SALE_DAYS_MAX:
            wrong.append(f"the sale period has {self.sale.count} days, and may have {SALE_DAYS_MIN} to {SALE_DAYS_MAX}")
        if not 2 * self.sale.count <= self.pre.count <= PRE_DAYS_MAX:
            wrong.append(
                f"the pre-period has {self.pre.count} days, and needs twice those of the sale period, at most {PRE_DAYS_MAX}"
            )
        if not 0 <= (self.sale.start - self.pre.end).days <= GAP_DAYS_MAX:
            wrong.append(f"the sale period does not begin within {GAP_DAYS_MAX} days after the pre-period")
        if self.brands and self.category is None:
            wrong.append("brands are named without their category")
        if wrong:
            raise BadInput(f"{self.id} cannot be planned: {'; '.join(wrong)}.", "Change the document; see docs/campaigns.md.")

    @property
    def rehearsal(self) -> tuple[Days, Days]:
        """The pre-period in two: an earlier part, and one as long as the sale period that stands for it."""
        middle = self.pre.end - timedelta(days=self.sale.count)
        return Days(self.pre.start, middle), Days(middle, self.pre.end)

    def canonical(self) -> dict[str, Any]:
        """As it is committed to."""
        return {
            "id": self.id, "name": self.name, "purpose": self.purpose, "audience": self.audience,
            "hold_out_thousandths": self.hold_out_thousandths,
            "pre": [self.pre.start.isoformat(), self.pre.end.isoformat()],
            "sale": [self.sale.start.isoformat(), self.sale.end.isoformat()],
            "cost_cents": self.cost_cents, "currency": self.currency, "category": self.category, "brands": list(self.brands),
            "cap_thousandths": self.cap_thousandths,
        }  # fmt: skip

    @classmethod
    def from_canonical(cls, said: dict[str, Any]) -> Plan:
        """Back from what was committed to. Raises `BadInput`, `KeyError`, `ValueError` or `TypeError` for anything else."""
        days = {name: Days(*(date.fromisoformat(day) for day in said[name])) for name in ("pre", "sale")}
        return cls(**{**said, **days, "brands": tuple(said["brands"])})


class _Period(BaseModel):
    model_config = ConfigDict(extra="forbid")
    first: date
    last: date

    def days(self) -> Days:
        return Days(self.first, self.last + timedelta(days=1))


class _Written(BaseModel):
    """The document as people write it."""

    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    purpose: Annotated[str, Field(max_length=64)]
    audience: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] | None = None
    hold_out_thousandths: Annotated[int, Field(strict=True, ge=SHARE_MIN, le=SHARE_MAX)]
    pre_period: _Period
    sale_period: _Period
    cost_cents: Annotated[int, Field(strict=True, gt=0, le=COST_MAX_CENTS)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    category: Annotated[str, Field(max_length=64)] | None = None
    brands: Annotated[list[str], Field(max_length=100)] = []
    cap_thousandths: Annotated[int, Field(strict=True, ge=900, le=1000)] = CAP_THOUSANDTHS


def read_plan(file: Path) -> Plan:
    """The document in a YAML file. `BadInput` says what is wrong with which entry."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", "Name the campaign's document.") from None
    if len(raw) > PLAN_BYTES_MAX:
        raise BadInput(f"{file} is larger than a campaign's document can be.", f"Keep to {PLAN_BYTES_MAX:,} bytes.")
    try:
        said = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is not YAML: {str(error).splitlines()[0]}.", "See docs/campaigns.md for an example.") from None
    return plan_of(said)


def plan_of(said: object) -> Plan:
    """The document from its entries, as YAML or JSON gives them."""
    try:
        written = _Written.model_validate(said)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg'].lower()}" for one in error.errors())
        raise BadInput(f"This is no campaign: {wrong}.", "See docs/campaigns.md for an example.") from None
    rest = written.model_dump(exclude={"pre_period", "sale_period", "brands"})
    return Plan(**rest, pre=written.pre_period.days(), sale=written.sale_period.days(), brands=tuple(written.brands))
