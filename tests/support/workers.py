"""Processes for the proof of promise 3: they choose, read, hand over and draw, and write down what they saw.

    python -m tests.support.workers records-url customer-keys-url folder crowd

Reads one line a process from its input (`history seed seconds role`), forks it, and prints its number. The modules are
loaded once, so that a process that is killed is replaced within milliseconds.

A line is written before each call and after its acknowledgement, with monotonic and wall clock. What is written stays when
the process is killed. The stations are the product's own; two of them are watched from outside, by their own methods.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyroaring import BitMap

from tests.reference.gate import KINDS
from tests.support.world import FIRST_DAY, JUICE, LOYALTY, REMINDERS, SOLEIL, STATISTICS, World, product
from volens.databases.connect import connect
from volens.engines.polars_engine import PolarsEngine
from volens.gate.barrier import Barrier, Drawn, HandedOver, Leaving
from volens.gate.policy import ReadRequest
from volens.gate.reads import Gate, OpenedPurchases, Reading
from volens.insights import answer as answering
from volens.insights import measurement
from volens.insights.engine import ExactSums, ProductKeys
from volens.insights.noisy import Noisy
from volens.insights.pack import Pack, periods
from volens.insights.plan import Plan
from volens.permissions.ledger import Choice
from volens.purchases import catalogue

SUPPLIERS = {JUICE: "midi-jus-frais", SOLEIL: "presse-jus-frais"}
QUESTIONS = ((STATISTICS, JUICE), (STATISTICS, SOLEIL), (REMINDERS, "shop"), (LOYALTY, "shop"))
CHEAP = 10_000
"""A year's budget that no run uses up: the accountant has its own tests."""
THREADS = 4
"""Threads of a process in which several people choose at once: their choices share transactions."""
PACK_DAYS = 120
"""Packs start on so many days, so that there is always one that nobody drew."""


class History:
    """What one process saw."""

    def __init__(self, file: Path) -> None:
        self._file, self._last = file.open("a", encoding="utf-8", buffering=1), 0
        self._one_at_a_time = threading.Lock()

    def begin(self, what: str, **given: object) -> int:
        """Before a call."""
        with self._one_at_a_time:
            self._last += 1
            number = self._last
            self._write(number, "begin", what, given)
        return number

    def end(self, number: int, what: str, **result: object) -> None:
        """After its acknowledgement."""
        with self._one_at_a_time:
            self._write(number, "end", what, result)

    def _write(self, number: int, phase: str, what: str, told: dict[str, object]) -> None:
        one = {"id": number, "phase": phase, "what": what, "mono": time.monotonic(), "wall": time.time(), "with": told}
        self._file.write(json.dumps(one) + "\n")


class WatchedGate(Gate):
    """The gate, whose reads are written down."""

    history: History

    @contextmanager
    def open_purchases(self, request: ReadRequest) -> Iterator[Reading]:
        number = self.history.begin("read", purpose=request.purpose, recipient=request.recipient)
        with super().open_purchases(request) as reading:
            opened = reading.opened
            self.history.end(number, "read", position=opened.position, customers=list(opened.permitted))
            yield reading


class WatchedBarrier(Barrier):
    """The barrier, whose doors are written down."""

    history: History
    read: OpenedPurchases
    bought: list[int]

    def draw(self, opened: OpenedPurchases, counted: BitMap, detail: Any) -> Drawn | Leaving:
        number = self.history.begin(
            "drawn",
            purpose=opened.request.purpose,
            recipient=opened.request.recipient,
            position=self.read.position,
            permitted=list(self.read.permitted),
            **{"with purchases": self.bought},
        )
        outcome = super().draw(opened, counted, detail)
        seq = outcome.seq if isinstance(outcome, Drawn) else None
        self.history.end(number, "drawn", seq=seq, customers=list(counted))
        return outcome

    def hand_over(self, request: ReadRequest, customers: Any, detail: Any) -> HandedOver:
        number = self.history.begin(
            "handed_over", purpose=request.purpose, recipient=request.recipient, wanted=[int(one) for one in customers]
        )
        handed = super().hand_over(request, customers, detail)
        through, back = list(handed.customers), list(handed.kept_back)
        self.history.end(number, "handed_over", seq=handed.seq, customers=through, kept_back=back)
        return handed


class WatchedEngine:
    """The real engine; keeps the read that a draw rests on, and takes a little time, as wide packs do."""

    def __init__(self, barrier: WatchedBarrier, chosen: random.Random) -> None:
        self._barrier, self._chosen, self._first = barrier, chosen, True

    def bounded_sums(self, opened: OpenedPurchases, plan: Plan, products: ProductKeys) -> ExactSums:
        sums = PolarsEngine().bounded_sums(opened, plan, products)
        if self._first:
            self._barrier.read, self._barrier.bought, self._first = opened, list(sums.seen), False
        time.sleep(self._chosen.random() / 20)
        return sums


class Process:
    """One process at work."""

    def __init__(self, world: World, history: History, seed: int) -> None:
        self.world, self.history, self.chosen = world, history, random.Random(seed)
        world.gate.__class__, world.barrier.__class__ = WatchedGate, WatchedBarrier
        world.gate.history = world.barrier.history = history  # type: ignore[attr-defined]
        self.roles = {"mind": (self.choose,), "use": (self.look, self.draw), "any": (self.choose, self.look, self.draw)}
        self.roles["crowd"] = self.roles["mind"]
        self._watch_noise()

    def choose(self) -> None:
        """One person, or several in one call, or one who refuses everything."""
        dice = self.chosen.random()
        if dice < 0.15:
            customer = self.chosen.choice(self.world.people)
            said = [[customer, purpose, "*", "no"] for purpose in (REMINDERS, STATISTICS)]
            number = self.history.begin("choices", said=said)
            self.history.end(number, "choices", seqs=self.world.ledger.refuse_everything(customer, surface="a test"))
            return
        several = [self._a_choice() for _ in range(1 if dice < 0.8 else self.chosen.randint(2, 40))]
        said = [[one.customer, one.purpose, one.recipient, one.kind] for one in several]
        number = self.history.begin("choices", said=said)
        self.history.end(number, "choices", seqs=self.world.ledger.record(several))

    def _a_choice(self) -> Choice:
        purpose, recipient = self.chosen.choice(QUESTIONS)
        basis = self.world.programme[purpose]["basis"]
        kind = self.chosen.choice([name for name, (says, of) in KINDS.items() if says != "yes" or of == basis])
        if self.chosen.random() < 0.4:
            kind = self.chosen.choice([name for name, (_, of) in KINDS.items() if of == basis])
        to = recipient if self.chosen.random() < 0.5 else "*"
        return Choice(self.chosen.choice(self.world.people), purpose, kind, recipient=to)

    def look(self) -> None:
        """A read with its files, and a hand-over of those who were in it."""
        request = self.world.request(self.world.asked(*self.chosen.choice(QUESTIONS)))
        with self.world.gate.open_purchases(request) as reading:
            found = reading.opened.permitted
            if self.chosen.random() < 0.7:
                reading.saw(found)
        time.sleep(self.chosen.random() / 50)
        self.world.barrier.hand_over(request, list(found), {})

    def draw(self) -> None:
        """The whole way of an answer, noise included."""
        supplier = self.chosen.choice(sorted(SUPPLIERS))
        start = FIRST_DAY + timedelta(days=self.chosen.randrange(PACK_DAYS))
        pack = Pack("sales-pack/1", supplier, "jus-frais", (SUPPLIERS[supplier],), periods("13-weeks", start, 2), "EUR")
        number = self.history.begin("answer")
        answer = answering.answer(
            pack,
            cheap_product(),
            actor="a test",
            gate=self.world.gate,
            barrier=self.world.barrier,
            accountant=self.world.accountant,
            engine=WatchedEngine(self.world.barrier, self.chosen),  # type: ignore[arg-type]
            products=ProductKeys.of(catalogue.read(self.world.folder / "purchases").products, pack),
            today=self.world.today,
        )
        digest = hashlib.sha256(answer.noisy.to_json().encode()).hexdigest()
        self.history.end(number, "answer", plan=answer.plan.hash, answer=digest)

    def _watch_noise(self) -> None:
        """Writes down the exact sums at the very moment at which they become noisy."""
        real = measurement.draw

        def watched(sums: ExactSums, plan: Plan) -> Noisy:
            exact = {name: vector.tolist() for name, vector in sums.sums.items()}
            number = self.history.begin("noise", pack=plan.pack.canonical(), sums=exact, seen=list(sums.seen), loss=dict(sums.loss))
            noisy = real(sums, plan)
            self.history.end(number, "noise")
            return noisy

        measurement.draw = watched


def cheap_product() -> Any:
    """The sample's pack with a year's budget for as many draws as a run makes."""
    usual = product()
    return replace(usual, rho_per_year_nano=usual.rho_per_year_nano * CHEAP)


def work(urls: tuple[str, str], folder: Path, people: int, line: str) -> None:
    """One process, until its time is over or somebody kills it."""
    file, seed, seconds, role = line.split()
    history = History(Path(file))
    try:
        until = time.monotonic() + float(seconds)
        world = World(folder, connect(urls[0]), connect(urls[1]), Counter(), people)
        process = Process(world, history, int(seed))
        while time.monotonic() < until:
            process.chosen.choice(process.roles[role])()
    except BaseException:
        history.begin("crashed", error=traceback.format_exc())
        raise


def main(records: str, customer_keys: str, folder: str, crowd: str) -> None:
    """Forks a process for each line."""
    product()  # read once, before anybody is forked
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            work((records, customer_keys), Path(folder), int(crowd), line)
            os._exit(0)
        print(number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
