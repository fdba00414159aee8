"""From a pack to an answer: the table of contents of the mechanism.

Rules:
1. The plan is fixed and charged before anybody looks. A pack that was drawn before is given back from the record.
2. The gate opens the purchases; the engine sums one bounded vector a customer; nobody else sees a purchase.
3. At the barrier those who said no since the read are computed again and subtracted: exact, since the sums are integers.
   `drawn` is committed in a transaction that finds nobody new.
4. Noise is drawn once, in this process, after `drawn`, and stored before anything is shown. Exact sums are dropped.
5. A run that was killed is resumed from the start under its reservation: nobody saw a draw, so nothing is charged again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from volens.gate.barrier import Barrier, Leaving
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate, OpenedPurchases
from volens.insights import measurement
from volens.insights.accountant import Accountant, Charge, Reservation
from volens.insights.engine import Engine, ExactSums, ProductKeys
from volens.insights.noisy import Noisy
from volens.insights.plan import Plan, plan_pack

if TYPE_CHECKING:
    from volens.insights.pack import Pack
    from volens.programme.products import InsightProduct


@dataclass(frozen=True)
class Answer:
    """What may be shown of a pack: the plan and its one noisy vector."""

    plan: Plan
    noisy: Noisy
    answered: int
    """Seq of the public event that commits to the vector."""


def charge(plan: Plan, product: InsightProduct) -> Charge:
    """What a plan costs in each calendar year that it reads."""
    return Charge(
        plan=plan.hash,
        supplier=plan.pack.supplier,
        pack=plan.pack.canonical(),
        years=plan.years,
        rho_nano=plan.charge_nano,
        cap_nano=product.rho_per_year_nano,
    )


def answer(
    pack: Pack,
    product: InsightProduct,
    *,
    actor: str,
    gate: Gate,
    barrier: Barrier,
    accountant: Accountant,
    engine: Engine,
    products: ProductKeys,
    today: date,
) -> Answer:
    """Answers a pack, or gives back the answer that it already has. Charged at most once."""
    plan = plan_pack(pack, product)  # noise per cell, exact bounds, hash; no data touched
    reserved = accountant.find(plan.hash)
    if reserved is None or reserved.answer is None:
        request = ReadRequest(actor, plan.purpose, pack.supplier, plan.fields, plan.start, plan.end)
        gate.require(request)  # what can never be read is not paid for
        accountant.reserve(charge(plan, product))  # committed before anybody looks, never given back
        with gate.open_purchases(request) as reading:
            # reading.opened: (customer, product, day, …) of permitted people only
            sums = engine.bounded_sums(reading.opened, plan, products)
            reading.saw(sums.seen)
            # sums: (cell, integers); no single customer can be read from here on but through the barrier, which may ask for
            # some again: so the read ends after it
            noisy = draw(sums, reading.opened, plan, barrier=barrier, engine=engine, products=products)
        reserved = accountant.keep(plan.hash, noisy.to_json(), today)
    return stored(plan, reserved)


def draw(
    sums: ExactSums,
    opened: OpenedPurchases,
    plan: Plan,
    *,
    barrier: Barrier,
    engine: Engine,
    products: ProductKeys,
) -> Noisy:
    """Takes out who said no since the read, commits `drawn`, and only then draws the noise."""
    counted = sums.seen
    while True:
        outcome = barrier.draw(opened, counted, {"plan": plan.hash})
        if not isinstance(outcome, Leaving):
            return measurement.draw(sums, plan)
        theirs = engine.bounded_sums(opened.only(outcome.customers), plan, products)
        sums = sums.minus(theirs)
        opened = opened.without(outcome.customers, outcome.position)
        counted = counted - outcome.customers


def stored(plan: Plan, reserved: Reservation) -> Answer:
    """The answer on record. The vector that is shown is the stored one, also in the run that drew it."""
    if reserved.answer is None or reserved.answered is None:
        raise LookupError("this plan has no answer yet")
    return Answer(plan, Noisy.from_json(reserved.answer), reserved.answered)
