"""The accountant: what a calendar year's purchases may still tell, over all suppliers together, for ever.

Rules:
1. A pack is charged before anybody looks, in a transaction of its own, and never given back: a run that is killed has
   spent its charge, and is resumed under the same reservation.
2. A pack is drawn once. Its answer is the one stored vector; asking again returns it for nothing.
3. A year has one cap over all suppliers, the lowest under which it was ever charged: declaring a higher one later changes
   nothing. It is never refreshed, and time does not give any of it back.
4. Charges are integers of 10⁻⁹ ρ (zero-concentrated differential privacy) and add up exactly.
5. Reservations and answers are events of the public tree: a supplier can check that the sum is what the certificate says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, Text, func, insert, select, update

from volens.errors import BudgetExhausted, NotFound
from volens.evidence.log import PUBLIC, Event, append, lock
from volens.evidence.merkle import canonical_json, leaf_hash
from volens.holders import Database

NANO = 1_000_000_000
YEARS_BACK = 10

metadata = MetaData()

reservations = Table(
    "reservations",
    metadata,
    Column("plan", String(64), primary_key=True),  # the plan's hash
    Column("supplier", String(64), nullable=False),
    Column("pack", Text, nullable=False),  # canonical JSON of what was asked
    Column("seq", BigInteger, nullable=False),  # its event in the public tree
    Column("answer", Text),  # canonical JSON of the noisy vectors; none until they are drawn
    Column("answered", BigInteger),  # seq of the event that commits to the answer
)

charges = Table(
    "charges",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("plan", String(64), primary_key=True),
    Column("rho_nano", BigInteger, nullable=False),
    Column("cap_nano", BigInteger, nullable=False),  # the year's cap as it was declared then
)


@dataclass(frozen=True)
class Charge:
    """What a plan costs, and the most that each of its years may ever cost."""

    plan: str
    supplier: str
    pack: Mapping[str, Any]
    years: tuple[int, ...]
    rho_nano: int
    cap_nano: int

    def __post_init__(self) -> None:
        if self.rho_nano <= 0 or self.cap_nano <= 0 or not self.years:
            raise ValueError("a charge has a price above zero, a cap, and the years that it touches")


@dataclass(frozen=True)
class Reservation:
    """A charge that is on record. `answer` is there once the vectors are drawn."""

    plan: str
    answer: str | None
    """The noisy vectors as canonical JSON."""
    answered: int | None


@dataclass(frozen=True)
class YearBudget:
    """One calendar year: integers of 10⁻⁹ ρ."""

    year: int
    spent_nano: int
    cap_nano: int

    @property
    def left_nano(self) -> int:
        """What can still be spent."""
        return max(0, self.cap_nano - self.spent_nano)


class Accountant:
    """Charges packs and keeps their answers. Durable when a method returns; serialised by the public tree's head row."""

    def __init__(self, records: Database) -> None:
        self._records = records

    def reserve(self, charge: Charge) -> Reservation:
        """Charges a plan to every year that it touches, or returns the reservation that it already has.

        Raises `BudgetExhausted` and charges nothing if one of the years cannot pay.
        """
        with self._records.writing() as connection:
            lock(connection, PUBLIC)  # from here on nobody else charges anything
            known = _find(connection, charge.plan)
            if known is not None:
                return known
            for year in charge.years:
                spent = _spent(connection, year)
                cap = min(charge.cap_nano, _cap(connection, year) or charge.cap_nano)
                if spent + charge.rho_nano > cap:
                    raise BudgetExhausted(
                        f"The purchases of {year} have told what they may: this pack costs {_rho(charge.rho_nano)} "
                        f"and {_rho(max(0, cap - spent))} of {_rho(cap)} is left.",
                        "A year's budget is never refilled. Ask for another year, or reuse a pack that was drawn.",
                    )
            detail = {
                "plan": charge.plan,
                "supplier": charge.supplier,
                "years": list(charge.years),
                "rho_nano": charge.rho_nano,
                "cap_nano": charge.cap_nano,
                "pack": pack_digest(charge.pack),
            }
            seq = append(connection, PUBLIC, [Event("reserved", detail=detail)])
            connection.execute(
                insert(reservations).values(
                    plan=charge.plan,
                    supplier=charge.supplier,
                    pack=canonical_json(dict(charge.pack)).decode(),
                    seq=seq,
                )
            )
            connection.execute(
                insert(charges),
                [
                    {"year": year, "plan": charge.plan, "rho_nano": charge.rho_nano, "cap_nano": charge.cap_nano}
                    for year in charge.years
                ],
            )
            assert all(_spent(connection, year) <= charge.cap_nano for year in charge.years)
        return Reservation(charge.plan, None, None)

    def keep(self, plan: str, answer: str, today: date) -> Reservation:
        """Stores the one answer of a plan. If another process was faster, its answer is the one, and is returned.

        Nobody has seen `answer` before this returns, so the vector of the slower process was never an answer.
        """
        with self._records.writing() as connection:
            lock(connection, PUBLIC)
            known = _find(connection, plan)
            if known is None:
                raise NotFound("An answer without a reservation is never kept.", "Reserve the plan first.")
            if known.answer is not None:
                return known
            event = Event("answered", day=today, detail={"plan": plan, "answer": leaf_hash(answer.encode()).hex()})
            seq = append(connection, PUBLIC, [event])
            connection.execute(
                update(reservations).where(reservations.c.plan == plan).values(answer=answer, answered=seq)
            )
        return Reservation(plan, answer, seq)

    def find(self, plan: str) -> Reservation | None:
        """The reservation of a plan, with its answer if that is drawn."""
        with self._records.reading() as connection:
            return _find(connection, plan)

    def budget(self, year: int, cap_nano: int) -> YearBudget:
        """What one year has spent, and its cap: the lowest ever charged under, or `cap_nano` before the first charge."""
        with self._records.reading() as connection:
            return YearBudget(year, _spent(connection, year), _cap(connection, year) or cap_nano)

    def years(self) -> list[tuple[int, int]]:
        """(year, spent in 10⁻⁹ ρ) for each year that was ever charged."""
        with self._records.reading() as connection:
            query = select(charges.c.year, func.sum(charges.c.rho_nano)).group_by(charges.c.year).order_by(charges.c.year)
            return [(int(year), int(spent)) for year, spent in connection.execute(query)]


def exhaust(accountant: Accountant, cap_nano: int, cause: str, until: int) -> list[int]:
    """Charges what is left of every year up to `until`: after a loss it is not known what was charged. Returns the years.

    A year that was never charged counts as well, from ten years back: charges of it may be among what was lost.
    """
    spent = []
    for year in range(until - YEARS_BACK, until + 1):
        budget = accountant.budget(year, cap_nano)
        if budget.left_nano > 0:
            plan = hashlib.sha256(f"lost/{cause}/{year}".encode()).hexdigest()
            accountant.reserve(Charge(plan, "*", {"lost": cause}, (year,), budget.left_nano, budget.cap_nano))
            spent.append(year)
    return spent


def all_reservations(connection: Connection) -> list[dict[str, Any]]:
    """Every reservation with its charges, for the audit."""
    found = [dict(row) for row in connection.execute(select(reservations).order_by(reservations.c.seq)).mappings()]
    for row in found:
        columns = (charges.c.year, charges.c.rho_nano, charges.c.cap_nano)
        query = select(*columns).where(charges.c.plan == row["plan"]).order_by(charges.c.year)
        row["charges"] = [(int(year), int(rho), int(cap)) for year, rho, cap in connection.execute(query)]
    return found


def _find(connection: Connection, plan: str) -> Reservation | None:
    row = connection.execute(
        select(reservations.c.answer, reservations.c.answered).where(reservations.c.plan == plan)
    ).first()
    if row is None:
        return None
    return Reservation(plan, row.answer, row.answered)


def _spent(connection: Connection, year: int) -> int:
    spent = connection.execute(select(func.sum(charges.c.rho_nano)).where(charges.c.year == year)).scalar()
    return int(spent or 0)


def _cap(connection: Connection, year: int) -> int | None:
    """The lowest cap under which a year was ever charged; none before the first charge."""
    lowest = connection.execute(select(func.min(charges.c.cap_nano)).where(charges.c.year == year)).scalar()
    return int(lowest) if lowest is not None else None


def pack_digest(pack: Mapping[str, Any]) -> str:
    """SHA-256 of what was asked, in hexadecimal."""
    return hashlib.sha256(canonical_json(dict(pack))).hexdigest()


def charged_plans(connection: Connection) -> set[str]:
    """Plans that have a charge, for the audit."""
    return {str(plan) for (plan,) in connection.execute(select(charges.c.plan).distinct())}


def _rho(nano: int) -> str:
    return f"ρ {nano / NANO:.3f}"
