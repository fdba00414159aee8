"""`house.campaigns`: plan, launch, close, measure. What decides stands in `plan`, `workflow` and `volens.measuring`.

Rules:
1. Purchases are read through the gate alone, under the plan's purpose: once to rehearse and launch, once to measure. Whoever took
   part stands in the record of uses as seen, on both sides alike, whether or not she bought anything.
2. A step is checked before the work and again under the public tree's head row, in whose transaction it is kept.
3. Taking a step again that one took gives what it gave: the answer to the first try may have been lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from volens.campaigns import results, store
from volens.campaigns.plan import FIELDS, Days, Plan
from volens.campaigns.prices import Prices
from volens.campaigns.reading import Integers, Spending, goods
from volens.campaigns.results import Other, Rehearsal, rehearse
from volens.campaigns.store import Step
from volens.campaigns.workflow import (
    ABANDONED,
    CLOSED,
    LAUNCHED,
    MEASURED,
    PLANNED,
    TRANSITIONS,
    check_move,
)
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.gate import store as uses
from volens.gate.policy import ReadRequest, Rulebook
from volens.gate.reads import Gate
from volens.holders import Database
from volens.measuring.holdout import Holdout
from volens.measuring.placebo import RUNS
from volens.programme.model import Programme
from volens.publishing.workflow import Person

if TYPE_CHECKING:
    from sqlalchemy import Connection

REASON_CHARACTERS_MAX = 500
POWER_RUNS = 200
"""Draws of the A/A test when power is asked for; a launch takes more."""


@dataclass(frozen=True)
class Campaign:
    """A campaign as it stands."""

    plan: Plan
    draw: Holdout
    steps: tuple[Step, ...]

    @property
    def state(self) -> str:
        """Where it stands."""
        return self.steps[-1].state

    def said(self, state: str) -> dict[str, Any] | None:
        """What a step kept; none if it was not taken."""
        return next((step.said() for step in self.steps if step.state == state), None)


    def to_dict(self) -> dict[str, Any]:
        """For scripts: what each step kept, and where it stands on the public record."""
        steps = [
            {"state": one.state, "day": one.day, "role": one.role, "entry": one.seq, "said": one.said()} for one in self.steps
        ]
        return {"campaign": self.plan.id, "state": self.state, "steps": steps}


@dataclass(frozen=True)
class Sides:
    """Who is to get a campaign and who is held out, of those who permit being measured today."""

    reached: BitMap
    held: BitMap


@dataclass(frozen=True)
class Checked:
    """What can be said of a document before anything is recorded or read."""

    permit: int
    """How many people permit being measured, today."""
    held: int
    """About how many of them would be held out."""
    goods: int | None
    """How many goods count; none for all."""


class Campaigns:
    """Campaigns of one house. Durable when a method returns."""

    def __init__(
        self,
        records: Database,
        gate: Gate,
        spending: Spending,
        programme: Programme,
        rules: Rulebook,
        products: Callable[[], pa.Table],
        clock: Clock,
    ) -> None:
        self.prices = Prices(records, gate, spending, programme, rules, clock)
        self._records, self._gate, self._spending = records, gate, spending
        self._programme, self._products, self._clock = programme, products, clock

    def check(self, plan: Plan) -> Checked:
        """Looks a document over; reads no purchases and records nothing. Raises what is wrong with it."""
        if plan.sale.start < self._today():
            raise NotNow(f"The sale period of {plan.id} began on {plan.sale.start}.", "Plan campaigns before they begin.")
        permitted, _ = self._gate.permitted(self._request(plan, self._past(plan, self._today())))
        keys = goods(self._products(), plan.category, plan.brands)
        held = len(permitted) * plan.hold_out_thousandths // 1000
        return Checked(len(permitted), held, None if keys is None else int(keys.size))

    def plan(self, plan: Plan, person: Person) -> Campaign:
        """Puts a campaign's document and a fresh seed on the public record."""
        self.check(plan)
        today = self._today()
        with self._records.writing() as connection:
            store.hold(connection)
            before = self._in(connection).get(plan.id)
            if before is not None:
                if before.plan == plan and person.is_same(before.steps[0].actor):
                    return before
                raise NotNow(f"There is a campaign {plan.id} already.", "What was planned stays. Take another id.")
            content = {"plan": plan.canonical(), "seed": secrets.token_hex(32)}
            step = store.take(connection, plan.id, PLANNED, person, today, content, plan.purpose)
        return _campaign([step])

    def power(self, campaign: str, actor: str) -> Rehearsal:
        """What it could find, from the past: its own pre-period, or before that is over, days as many and as recent as can be.

        Reads purchases, which is recorded; changes nothing else.
        """
        standing, today = self.find(campaign), self._today()
        return self._rehearsed(standing, self._past(standing.plan, today), actor, None, POWER_RUNS)[1]

    def launch(self, campaign: str, person: Person, among: BitMap | None = None) -> Campaign:
        """Fixes who takes part and who is held out, on record before the first day of sale.

        among: the audience that the plan names, by customers' numbers. Raises `BadInput` where this could not be measured well.
        """
        standing, today = self.find(campaign), self._today()
        if standing.state == LAUNCHED and person.is_same(standing.steps[-1].actor):
            return standing
        check_move(standing.plan, standing.state, LAUNCHED, today)
        if (standing.plan.audience is None) != (among is None):
            raise BadInput(
                f"The plan of {campaign} is for {standing.plan.audience or 'everybody who permits'}.",
                "Hand in the audience that it names, or none.",
            )
        read, rehearsal = self._rehearsed(standing, standing.plan.pre, person.name, among)
        rehearsal.require()
        return self._step(campaign, LAUNCHED, person, rehearsal.content(read))

    def sides(self, campaign: str) -> Sides:
        """Who is to get a launched campaign, and who must not: for whoever sends or shows it. Reads no purchases.

        Who is in neither (she came later, or no longer permits being measured) may get it as far as its own purpose allows, and
        counts nowhere.
        """
        standing = self.find(campaign)
        if standing.said(LAUNCHED) is None:
            raise NotNow(f"The campaign {campaign} is {standing.state}: nobody was drawn.", "Launch it first.")
        today = self._today()
        permitted, _ = self._gate.permitted(self._request(standing.plan, self._past(standing.plan, today)))
        reached, held = self._drawn(standing)
        return Sides(reached & permitted, held & permitted)

    def close(self, campaign: str, person: Person) -> Campaign:
        """Says that the sale period is over."""
        return self._step(campaign, CLOSED, person, {})

    def abandon(self, campaign: str, person: Person, why: str) -> Campaign:
        """Gives a campaign up before it is over; why stays with it."""
        if not why.strip() or len(why) > REASON_CHARACTERS_MAX:
            raise BadInput("Why?", f"Say it in at most {REASON_CHARACTERS_MAX} characters; it stays with the campaign.")
        return self._step(campaign, ABANDONED, person, {"why": why.strip()})

    def measure(self, campaign: str, person: Person) -> Campaign:
        """Computes the result, once; asking again gives what was stored."""
        standing = self.find(campaign)
        if standing.state == MEASURED:
            return standing
        check_move(standing.plan, standing.state, MEASURED, self._today())
        plan, launched = standing.plan, standing.said(LAUNCHED) or {}
        reached, held = self._drawn(standing)
        periods = [plan.pre, plan.sale]
        with self._gate.open_purchases(self._request(plan, Days(plan.pre.start, plan.sale.end), person.name)) as reading:
            opened = reading.opened.only(reached | held)
            customers, spent = self._spent(plan, opened, periods)
            reading.saw(opened.permitted)
        gone = (len(reached - opened.permitted), len(held - opened.permitted))
        others = self._others(standing, reached & opened.permitted, held & opened.permitted)
        found = results.measured(plan, standing.draw, launched, customers, spent, gone, others, opened.read)
        return self._step(campaign, MEASURED, person, found)

    def find(self, campaign: str) -> Campaign:
        """A campaign as it stands."""
        with self._records.reading() as connection:
            found = store.steps_of(connection, campaign)
        if not found or found[0].state != PLANNED:
            raise NotFound(f"There is no campaign {campaign!r}.", "volens campaign list shows them.")
        return _campaign(found)

    def all(self) -> list[Campaign]:
        """Every campaign, oldest first."""
        with self._records.reading() as connection:
            return list(self._in(connection).values())

    def _step(self, campaign: str, state: str, person: Person, content: Mapping[str, Any]) -> Campaign:
        with self._records.writing() as connection:
            store.hold(connection)
            standing = self._in(connection).get(campaign)
            if standing is None:
                raise NotFound(f"There is no campaign {campaign!r}.", "volens campaign list shows them.")
            last = standing.steps[-1]
            if last.state == state and (state == MEASURED or person.is_same(last.actor)):
                return standing
            today = self._today()
            check_move(standing.plan, standing.state, state, today)
            step = store.take(connection, campaign, state, person, today, content, standing.plan.purpose)
        return _campaign([*standing.steps, step])

    def _rehearsed(
        self, standing: Campaign, past: Days, actor: str, among: BitMap | None, runs: int = RUNS
    ) -> tuple[int, Rehearsal]:  # fmt: skip
        """One read of the past, and what it says. The customers of that read are those who take part."""
        plan = standing.plan
        middle = past.end - timedelta(days=plan.sale.count)
        with self._gate.open_purchases(self._request(plan, past, actor)) as reading:
            opened = reading.opened if among is None else reading.opened.only(among)
            customers, spent = self._spent(plan, opened, [past, Days(past.start, middle), Days(middle, past.end)])
            reading.saw(opened.permitted)
        return opened.read, rehearse(plan, standing.draw, customers, spent, runs)

    def _spent(self, plan: Plan, opened: Any, periods: Sequence[Days]) -> tuple[Integers, list[Integers]]:
        keys = goods(self._products(), plan.category, plan.brands)
        return self._spending.spent(opened, keys, [(one.start, one.end) for one in periods], plan.currency)

    def _drawn(self, standing: Campaign) -> tuple[BitMap, BitMap]:
        """Reached and held out, as of the launch."""
        read = (standing.said(LAUNCHED) or {})["read"]
        with self._records.reading() as connection:
            people = uses.customers_of(connection, read)
        return split(standing.draw, people)

    def _others(self, standing: Campaign, reached: BitMap, held: BitMap) -> list[Other]:
        """Other campaigns that reached some of these people in the same days."""
        found = []
        for other in self.all():
            if other.plan.id == standing.plan.id or other.said(LAUNCHED) is None:
                continue
            if not other.plan.sale.overlaps(standing.plan.sale):
                continue
            theirs, _ = self._drawn(other)
            found.append(Other(other.plan.id, len(theirs & reached), len(theirs & held)))
        return [one for one in found if one.reached or one.held]

    def _request(self, plan: Plan, days: Days, actor: str = "campaigns") -> ReadRequest:
        purpose = self._programme.purpose(plan.purpose)
        return ReadRequest(f"campaign {plan.id}, {actor}", purpose.id, purpose.controller, FIELDS, days.start, days.end)

    def _past(self, plan: Plan, today: date) -> Days:
        """The pre-period if it is over, or as many days up to yesterday."""
        if plan.pre.end <= today:
            return plan.pre
        return Days(today - timedelta(days=plan.pre.count), today)

    def _in(self, connection: Connection) -> dict[str, Campaign]:
        found: dict[str, list[Step]] = {}
        for step in store.steps_of(connection):
            if step.state in TRANSITIONS:
                found.setdefault(step.about, []).append(step)
        return {about: _campaign(taken) for about, taken in found.items()}

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._programme.country)


def split(draw: Holdout, people: BitMap) -> tuple[BitMap, BitMap]:
    """Reached and held out."""
    numbers = np.frombuffer(people.to_array(), dtype=np.uint32).astype(np.int64)
    held = BitMap(numbers[draw.held(numbers)].astype(np.uint32))
    return people - held, held


def _campaign(steps: Iterable[Step]) -> Campaign:
    taken = tuple(steps)
    said = taken[0].said()
    plan = Plan.from_canonical(said["plan"])
    return Campaign(plan, Holdout(plan.id, said["seed"], plan.hold_out_thousandths), taken)
