"""A house whose customers buy week by week, for campaigns: what each buys follows from her number and the week alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.house import FIRST_DAY, Line, sell, stock
from volens.app import House, initialise
from volens.campaigns import store
from volens.campaigns.plan import Plan, plan_of
from volens.campaigns.workflow import CLOSED, LAUNCHED, MEASURED, PLANNED
from volens.clock import fixed
from volens.permissions.ledger import Choice
from volens.publishing.workflow import Person

MEASURING = "campaign-measurement"
PEOPLE = 260
PRE_WEEKS, SALE_WEEKS = 8, 4
SALE_START = FIRST_DAY + timedelta(weeks=PRE_WEEKS)
SALE_END = SALE_START + timedelta(weeks=SALE_WEEKS)
LAUNCH: dict[str, Any] = {
    "read": 7, "people": 1_000, "held": 200, "caps_cents": [90_000, 45_000], "placebo": [1_000, 48],
    "detectable_total_cents": 400_000, "detectable_lift_thousandths": 42,
}  # fmt: skip
RESULT: dict[str, Any] = {
    "read": 9, "reached": 795, "held": 199, "gone": [5, 1], "gone_differs": False, "capped": [3, 1], "others": [],
    "mean_held_millicents": 3_000_000, "per_person_millicents": [200_000, 50_000, 350_000],
    "plain_millicents": [190_000, -20_000, 400_000], "narrower_thousandths": 290, "incremental_cents": [159_000, 39_750, 278_250],
    "lift_thousandths": [67, 17, 117], "iroas_thousandths": [7_950, 1_987, 13_912],
}  # fmt: skip
"""What a launch and a result keep."""
ANA, BRUNO = Person("Ana Exemple", "marketing"), Person("Bruno Modèle", "dpo")


def at(day: date) -> datetime:
    """The morning of a day."""
    return datetime(day.year, day.month, day.day, 8, tzinfo=UTC)


def document(**changed: object) -> dict[str, object]:
    """A campaign's document as people write it: everybody who permits, half held out, all goods."""
    last = timedelta(days=1)
    return {
        "id": "spring", "name": "Orange juice in spring", "purpose": MEASURING, "hold_out_thousandths": 400,
        "pre_period": {"first": FIRST_DAY, "last": SALE_START - last},
        "sale_period": {"first": SALE_START, "last": SALE_END - last},
        "cost_cents": 20_000, "cap_thousandths": 1000, **changed,
    }  # fmt: skip


def spring(**changed: object) -> Plan:
    """The same as a plan."""
    return plan_of(document(**changed))


def lines(weeks: range, people: range = range(1, PEOPLE + 1), more: frozenset[int] = frozenset()) -> list[Line]:
    """One visit a week of each card, of 2 to 9 euros. Cards in `more` spend one euro more a week."""
    found = []
    for card in people:
        chance = np.random.default_rng(card)
        habit = int(chance.integers(200, 800))
        spent = [habit + int(chance.integers(0, 100)) for _ in range(52)]
        for week in weeks:
            day = week * 7 + card % 7
            found.append(Line(card, day, "J1" if card % 2 else "J3", 1, spent[week] + (100 if card in more else 0)))
    return found


def number(house: House, card: int) -> int:
    """The customer's number behind a card."""
    return house.customer("card", f"C{card:05}").customer


def campaigning(
    home: Path, people: int = PEOPLE, *, today: date = SALE_START, sold: Sequence[Line] = (), records_url: str | None = None
) -> House:  # fmt: skip
    """A house on the first day of sale, with eight weeks of purchases of people who all permit being measured. Close it."""
    house = initialise(home / "house", customers=1_000, records_url=records_url, clock=fixed(at(today)))
    stock(house, home)
    sell(house, home, sold or lines(range(PRE_WEEKS), range(1, people + 1)))
    house.permissions.record([Choice(number(house, card), MEASURING, "given") for card in range(1, people + 1)])
    return house


def kept_as_measured(house: House) -> None:
    """Steps of a campaign as they would be kept, for pages to show: nobody was drawn and nothing was read."""
    plan = spring()
    contents = {PLANNED: {"plan": plan.canonical(), "seed": "0a" * 32}, LAUNCHED: LAUNCH, CLOSED: {}, MEASURED: RESULT}
    with house._stores.records.writing() as connection:
        for state, content in contents.items():
            store.take(connection, plan.id, state, ANA, SALE_START, content, plan.purpose)
