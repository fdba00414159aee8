"""What happens in every house: people choose, time passes, programmes change, receipts come in, packs are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.reference import gate as plain
from tests.reference import pack as exact
from tests.reference.gate import KINDS, Asked, Spoken
from tests.support.house import Line
from tests.support.operations import PLACES, STORIES, Step, operation, run
from tests.support.world import (
    FIRST_DAY,
    JUICE,
    LOYALTY,
    PEOPLE,
    REMINDERS,
    SOLEIL,
    STATISTICS,
    World,
    packs,
    product,
    refuses,
)
from volens.engines.polars_engine import PolarsEngine
from volens.errors import BadInput, NotFound, NotNow, Unavailable, VolensError
from volens.insights import answer as answering
from volens.insights import measurement
from volens.insights.engine import ExactSums, ProductKeys
from volens.insights.noisy import Noisy
from volens.insights.plan import Plan, plan_pack
from volens.permissions.ledger import Choice
from volens.purchases import catalogue

RECIPIENTS = {STATISTICS: ["*", JUICE, SOLEIL], REMINDERS: ["*", "shop"], LOYALTY: ["*", "shop"]}

# -- choices

ONE_CHOICE = st.one_of(
    [
        st.tuples(PLACES, st.just(purpose), st.sampled_from(recipients), st.sampled_from(sorted(KINDS)))
        for purpose, recipients in RECIPIENTS.items()
    ]
)


@operation("choice", ONE_CHOICE, marks=(
    "a yes that cannot be one is refused", "a yes waits until the lines of a linked card have followed",
))
def choice(world: World, place: int, purpose: str, recipient: str, kind: str) -> None:
    """One person says one thing."""
    choices(world, [(place, purpose, recipient, kind)])


@operation("choices", st.tuples(st.lists(ONE_CHOICE, min_size=2, max_size=5)), marks=("choices: all or none",))
def choices(world: World, several: Sequence[tuple[int, str, str, str]]) -> None:
    """Several people say something in one call: all of it is kept, or nothing."""
    said = [Choice(world.people[place], purpose, kind, recipient=to) for place, purpose, to, kind in several]
    acceptable = all(_acceptable(world, *one) for one in several)
    try:
        world.ledger.record(said)
    except (BadInput, NotFound, NotNow):
        assert not acceptable, f"{several} was refused"
        world.mark("a yes that cannot be one is refused")
        if len(several) > 1 and any(_acceptable(world, *one) for one in several):
            world.mark("choices: all or none")
        return
    assert acceptable, f"{several} was taken"
    for place, purpose, to, kind in several:
        world.mark(f"kind: {kind}")
        world.history.append(Spoken(world.people[place], purpose, to, kind, world.current[purpose], world.today))
    world.lives.repeat(world.history, world.history[-len(several):], world.programme)


def _acceptable(world: World, place: int, purpose: str, recipient: str, kind: str) -> bool:
    says, basis = KINDS[kind]
    rule = world.programme[purpose]
    if says != "yes":
        return True
    named = rule["texts"][world.current[purpose]]["recipients"]
    if world.lives.waits(world.people[place]):
        world.mark("a yes waits until the lines of a linked card have followed")
        return False
    return basis == rule["basis"] and recipient in ("*", *named) and world.current[purpose] not in world.ended


@operation("refuse everything", st.tuples(PLACES), marks=("refuse everything: statistics were standing",))
def refuse_everything(world: World, place: int) -> None:
    """No to all that can be refused, in one call."""
    customer = world.people[place]
    if customer in world.permitted(world.asked(STATISTICS, JUICE)):
        world.mark("refuse everything: statistics were standing")
    said = len(world.history)
    world.ledger.refuse_everything(customer, surface="a test")
    for purpose, rule in world.programme.items():
        if rule["basis"] in ("consent", "legitimate-interest"):
            kind = "objected" if rule["basis"] == "legitimate-interest" else "refused"
            world.history.append(Spoken(customer, purpose, "*", kind, world.current[purpose], world.today))
            assert not any(customer in world.permitted(world.asked(purpose, to)) for to in rule["recipients"])
    world.lives.repeat(world.history, world.history[said:], world.programme)


@operation("time", st.tuples(st.sampled_from([1, 29, 30, 31, 180, 366])), marks=("time: a yes grew too old",))
def time_passes(world: World, days: int) -> None:
    """Days pass."""
    world.hand.pass_days(days)


# -- the programme


def _changes() -> dict[str, Callable[[World], None]]:
    def text(name: str, key: str, value: object) -> Callable[[World], None]:
        return lambda world: world.programme[name.split("/")[0]]["texts"][name].update({key: value})

    def rule(purpose: str, key: str, value: object) -> Callable[[World], None]:
        return lambda world: world.programme[purpose].update({key: value})

    def current(purpose: str, version: int) -> Callable[[World], None]:
        return lambda world: world.current.update({purpose: f"{purpose}/{version}"})

    def invalidated(name: str, in_days: int) -> Callable[[World], None]:
        return lambda world: text(name, "invalidated_on", (world.today + timedelta(days=in_days)).isoformat())(world)

    def without_amount(world: World) -> None:
        fields = [name for name in world.programme[STATISTICS]["fields"] if name != "amount"]
        rule(STATISTICS, "fields", fields)(world)

    return {
        "the first text again": current(STATISTICS, 1),
        "a wider text": current(STATISTICS, 2),
        "a text without the amount": current(STATISTICS, 3),
        "the first text is invalidated": invalidated(f"{STATISTICS}/1", 0),
        "the second text is invalidated tomorrow": invalidated(f"{STATISTICS}/2", 1),
        "the first text counts again": text(f"{STATISTICS}/1", "invalidated_on", None),
        "a yes lasts six months": rule(STATISTICS, "renew_months", 6),
        "a yes lasts for ever": rule(STATISTICS, "renew_months", None),
        "nobody waits": rule(REMINDERS, "waiting_days", 0),
        "reminders ask for consent": rule(REMINDERS, "basis", "consent"),
        "reminders are told again": rule(REMINDERS, "basis", "legitimate-interest"),
        "one recipient leaves": rule(STATISTICS, "recipients", [JUICE]),
        "the recipient is back": rule(STATISTICS, "recipients", [JUICE, SOLEIL]),
        "the amount is no longer read": without_amount,
    }


CHANGES = _changes()


@operation(
    "programme",
    st.tuples(st.sampled_from(sorted(CHANGES))),
    marks=tuple(f"programme: {name}" for name in sorted(CHANGES)),
)
def programme(world: World, change: str) -> None:
    """Another version of the programme comes into force."""
    CHANGES[change](world)
    world.adopt()
    world.mark(f"programme: {change}")


@operation(
    "a text ends",
    st.tuples(st.sampled_from([f"{STATISTICS}/1", f"{STATISTICS}/2", f"{REMINDERS}/1"])),
    marks=("a text ends: somebody was permitted under it", "a text ends: a yes under it is refused", "a text ends: again"),
)
def a_text_ends(world: World, text: str) -> None:
    """A text is found wanting: in one operation no yes under it counts any more."""
    purpose = text.split("/")[0]
    questions = [world.asked(purpose, recipient) for recipient in world.programme[purpose]["recipients"]]
    before = [world.permitted(asked) for asked in questions]
    if text in world.ended:
        world.mark("a text ends: again")
    world.ledger.invalidate(text, world.today, why="it was too vague", by="Alice Exemple")
    world.ended.setdefault(text, world.today.isoformat())
    after = [world.permitted(asked) for asked in questions]
    if before != after:
        world.mark("a text ends: somebody was permitted under it")
    if world.current[purpose] == text:
        kind = "given" if world.programme[purpose]["basis"] == "consent" else "notified"
        try:
            world.ledger.record([Choice(world.people[0], purpose, kind)])
        except VolensError as error:
            if isinstance(error, BadInput):
                world.mark("a text ends: a yes under it is refused")
        else:
            raise AssertionError("a yes under a text that has ended was taken")


# -- purchases

ITEMS = st.dictionaries(st.sampled_from(["J1", "J2", "J3", "S1"]), st.integers(-3, 9).filter(bool), min_size=1, max_size=3)
RECEIPTS = st.dictionaries(st.tuples(PLACES, st.sampled_from([3, 4, 100, 180, 220]), st.integers(0, 1)), ITEMS, max_size=4)


@operation("feed", st.tuples(RECEIPTS), marks=("feed: new", "feed: again", "feed: contradicts", "feed: brought back"))
def feed(world: World, receipts: dict[tuple[int, int, int], dict[str, int]]) -> None:
    """Receipts from a till; the same number can come again, with the same lines or with others."""
    lines, counted = [], {"new": 0, "again": 0, "contradicts": 0}
    for (card, day, copy), items in receipts.items():
        number = card * 100_000 + day * 10 + copy
        sold = frozenset((sku, quantity, 250 * quantity) for sku, quantity in items.items())
        verdict = world.till.take(number, card, FIRST_DAY + timedelta(days=day), sold)
        counted[verdict] += 1 if verdict != "contradicts" else len(sold)
        world.mark(f"feed: {verdict}")
        if any(quantity < 0 for quantity in items.values()):
            world.mark("feed: brought back")
        lines += [Line(card, day, sku, quantity, cents, number) for sku, quantity, cents in sorted(sold)]
    summary = world.feed(lines)
    assert (summary.receipts, summary.duplicate_receipts) == (counted["new"], counted["again"])
    assert sum(summary.refused.values()) == counted["contradicts"], summary.refused


# -- draws

MEANWHILE = st.lists(
    st.one_of(
        st.tuples(st.just("choice"), ONE_CHOICE),
        st.tuples(st.just("time"), st.tuples(st.sampled_from([1, 40]))),
        st.tuples(st.just("programme"), st.tuples(st.sampled_from(["a wider text", "the first text is invalidated"]))),
        st.tuples(st.just("a text ends"), st.tuples(st.just(f"{STATISTICS}/1"))),
    ),
    max_size=3,
)


class Busy:
    """The real engine, during whose work things happen. Counts how often it was asked."""

    def __init__(self, world: World, meanwhile: Sequence[Sequence[Step]]) -> None:
        self.world, self.waiting, self.asked = world, list(meanwhile), 0

    def bounded_sums(self, opened: Any, plan: Plan, products: ProductKeys) -> ExactSums:
        sums = PolarsEngine().bounded_sums(opened, plan, products)
        self.asked += 1
        for step in self.waiting.pop(0) if self.waiting else ():
            run(self.world, step)
        return sums


@contextmanager
def watched(drawn: list[ExactSums]) -> Iterator[None]:
    """Keeps the exact sums that became noisy, as only a test ever sees them."""
    real = measurement.draw

    def keeping(sums: ExactSums, plan: Plan) -> Noisy:
        drawn.append(sums)
        return real(sums, plan)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measurement, "draw", keeping)
        yield


@operation(
    "draw",
    st.tuples(st.integers(0, len(packs()) - 1), st.lists(MEANWHILE, max_size=3)),
    marks=(
        "draw: somebody left between the read and the draw",
        "draw: somebody left while others were taken out",
        "draw: somebody with purchases was counted",
        "draw: the same again for nothing",
        "draw: the programme changed meanwhile",
        "draw: another day at the door",
        "draw: refused before it was paid for",
    ),
)
def draw(world: World, which: int, meanwhile: Sequence[Sequence[Step]]) -> None:
    """A pack is answered while people change their minds, days pass or the programme changes."""
    pack = packs()[which]
    plan = plan_pack(pack, product())
    asked = Asked(plan.purpose, pack.supplier, plan.fields, plan.start)
    before, known = world.accountant.years(), world.accountant.find(plan.hash)
    if known is not None and known.answer is not None:
        again, drawn = _answer(world, which, Busy(world, ()))
        assert again.to_json() == known.answer
        assert not drawn
        assert world.accountant.years() == before, "an answer that is there was paid for again"
        world.mark("draw: the same again for nothing")
        return
    if not plain.can_be_asked(asked, world.today, world.in_force):
        assert refuses(lambda: _answer(world, which, Busy(world, ()))), "a question that cannot be asked was answered"
        assert world.accountant.years() == before, "a question that cannot be asked was paid for"
        world.mark("draw: refused before it was paid for")
        return
    _compare_draw(world, which, plan, asked, Watching(world, meanwhile, asked))


def _answer(world: World, which: int, engine: Busy) -> tuple[Noisy, list[ExactSums]]:
    pack, drawn = packs()[which], list[ExactSums]()
    keys = ProductKeys.of(catalogue.read(world.folder / "purchases").products, pack)
    with watched(drawn):
        answer = answering.answer(
            pack, product(), actor="a test", gate=world.gate, barrier=world.barrier, accountant=world.accountant,
            engine=engine, products=keys, today=world.today,
        )  # fmt: skip
    return answer.noisy, drawn


class Watching(Busy):
    """Says after each computation, by the reference, who may still be in it when the door is tried next."""

    def __init__(self, world: World, meanwhile: Sequence[Sequence[Step]], asked: Asked) -> None:
        super().__init__(world, meanwhile)
        world.expire(asked.purpose)
        self.question, self.began, self.programmes = asked, world.today, world.adopted
        self.allowed = world.permitted(asked)
        self.rounds: list[set[int]] = []

    def bounded_sums(self, opened: Any, plan: Plan, products: ProductKeys) -> ExactSums:
        sums = super().bounded_sums(opened, plan, products)
        still = self.allowed & self.world.permitted(self.question)
        self.rounds.append(self.allowed - still)
        self.allowed = still
        return sums


def _compare_draw(world: World, which: int, plan: Plan, asked: Asked, engine: Watching) -> None:
    try:
        _, drawn = _answer(world, which, engine)
    except Unavailable:
        assert engine.programmes != world.adopted, "a draw failed although the programme stood"
        world.mark("draw: the programme changed meanwhile")
        return
    assert engine.programmes == world.adopted, "a draw by rules that are no longer in force"
    (sums,) = drawn
    rows = {key: row_of(sku, plan) for sku, key in world.products().items()}
    expected, losses, seen = exact.exact(
        world.plain_lines(), engine.allowed, plan, {key: row for key, row in rows.items() if row is not None}
    )
    assert {name: vector.tolist() for name, vector in sums.sums.items()} == expected
    assert dict(sums.loss) == losses
    assert set(sums.seen) == seen
    assert all(vector.dtype == np.int64 for vector in sums.sums.values())
    if seen:
        world.mark("draw: somebody with purchases was counted")
    if engine.rounds[0]:
        world.mark("draw: somebody left between the read and the draw")
    if any(engine.rounds[1:]):
        world.mark("draw: somebody left while others were taken out")
    if engine.began != world.today:
        world.mark("draw: another day at the door")


def row_of(sku: str, plan: Plan) -> str | None:
    """The row of a product, from the list as it was written for this test."""
    brand = {"J1": "midi-jus-frais", "J2": "presse-jus-frais", "J3": "", "S1": None}[sku]
    if brand is None:
        return None
    return brand if brand in plan.pack.brands else "rest"


# -- stories that are always tried

SALES: dict[tuple[int, int, int], dict[str, int]] = {
    (0, 3, 0): {"J1": 2, "J2": 1}, (1, 4, 0): {"J1": 9, "S1": 1}, (2, 100, 0): {"J3": 3, "J1": 1}, (3, 180, 0): {"J2": 1},
}  # fmt: skip
EVERYBODY: list[tuple[int, str, str, str]] = [(place, STATISTICS, "*", "given") for place in range(PEOPLE)]
READY: list[Step] = [("feed", (SALES,)), ("choices", (EVERYBODY,))]


def _no(place: int, recipient: str = "*", kind: str = "withdrawn") -> Step:
    return ("choice", (place, STATISTICS, recipient, kind))


STORIES |= {
    "every kind": [
        *(("choice", (0, STATISTICS, "*", kind)) for kind in sorted(KINDS) if KINDS[kind][1] in ("", "consent")),
        ("choice", (1, REMINDERS, "*", "notified")),
        ("choice", (1, LOYALTY, "shop", "joined")),
        ("choice", (2, LOYALTY, "*", "given")),
        ("choices", ([(2, STATISTICS, "*", "given"), (3, STATISTICS, SOLEIL, "given")],)),
        ("time", (31,)),
    ],
    "receipts come again": [
        ("feed", (SALES,)),
        ("feed", (SALES,)),
        ("feed", ({(0, 3, 0): {"J1": 1}, (0, 3, 1): {"J1": -1}},)),
    ],
    "who says no while a pack is computed": [*READY, ("draw", (0, [[_no(0)], [_no(1, JUICE, "refused")], [_no(2)]]))],
    "who says no and yes again": [*READY, ("draw", (1, [[_no(2), ("choice", (2, STATISTICS, "*", "given"))]]))],
    "the same pack twice": [*READY, ("draw", (0, [])), _no(0), ("draw", (0, []))],
    "the programme changes while a pack is computed": [
        *READY,
        ("draw", (0, [[("programme", ("a wider text",))]])),
        ("draw", (0, [])),
    ],
    "days pass while a pack is computed": [*READY, ("time", (366,)), *READY[1:], ("draw", (0, [[("time", (40,))]]))],
    "a yes grows too old while a pack is computed": [*READY, ("time", (340,)), ("draw", (0, [[("time", (40,))]]))],
    "a yes grows old": [*READY, ("time", (366,)), ("draw", (0, []))],
    "a supplier whom the text does not name": [*READY, ("draw", (2, []))],
    "refuse everything": [*READY, ("refuse everything", (0,)), ("draw", (0, []))],
    "told a moment ago": [("choice", (0, REMINDERS, "*", "notified"))],
    "told, and objected": [
        ("choice", (0, REMINDERS, "*", "notified")),
        ("choice", (1, REMINDERS, "*", "notified")),
        ("time", (31,)),
        ("refuse everything", (1,)),
    ],
    "a text for each supplier": [
        *READY,
        ("programme", ("a wider text",)),
        ("choice", (0, STATISTICS, SOLEIL, "given")),
        ("draw", (2, [])),
        ("programme", ("the first text is invalidated",)),
        ("draw", (0, [])),
    ],
    "a text ends": [
        *READY,
        ("a text ends", (f"{STATISTICS}/1",)),
        ("draw", (0, [])),
        ("a text ends", (f"{STATISTICS}/1",)),
        ("programme", ("a wider text",)),
        *READY[1:],
        ("draw", (0, [])),
    ],
    "a text ends while a pack is computed": [*READY, ("draw", (0, [[("a text ends", (f"{STATISTICS}/1",))]]))],
    **{name: [*READY, ("programme", (name,)), ("time", (1,)), ("draw", (0, []))] for name in sorted(CHANGES)},
}
