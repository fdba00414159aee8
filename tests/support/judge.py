"""The judge of promise 3: reads what processes wrote down and says whether the last word held. Knows no product code.

What a history is. Every process writes a line before each call and a line after it was acknowledged, each with the
machine's one monotonic clock (the same for all processes, never set back). A process that is killed leaves calls without
an end: nobody can say whether those took effect.

What must be shown. Choices, reads and things that leave behave as if they were done one after the other, in one order, at
some instant between the beginning and the end of each call (Herlihy & Wing 1990, linearizability). Then a read that starts
after a withdrawal was acknowledged comes after it in that order, and has not that customer.

Why this can be judged offline. In general one must search for such an order, which is hard. Here the system names it: a
choice returns its number, a door returns its number, and a read says "I am the ledger's first p events". So the judge only
checks that the order which was named is one (as Elle does for databases, Kingsbury & Alvaro 2020):

    numbers      no number is given twice; what one call said is consecutive, and no read stands inside it
    real time    what was acknowledged before a call began has a smaller number than the call; what began after a read had
                 ended is not in the read; positions never go back, in no process and between none
    contents     a read has exactly those whose last word below its position is a yes: neither somebody after a no
                 (`seen`), nor anybody left out (`missing`), so nothing below the position was overlooked either
    doors        a hand-over lets exactly those through whose last word below its number is a yes (`left`, `held`); a draw
                 had nobody else than its read, nobody whose last word was a no (`left`), and everybody whose word stood as
                 yes from the read to the draw (`held`)
    answers      one pack has one answer, to whoever asks

A call that was never acknowledged may have taken effect at any later place or not at all: where its customer, purpose and
recipient are concerned both outcomes are allowed, until the log itself is laid beside the histories (`settle`): there every
acknowledged choice must stand at its number as it was said (`lost`), every other event must be of a call that some killed
process was about to make, kept as a whole (`invented`), and with these no doubt remains.
"""

from __future__ import annotations

import bisect
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.reference.gate import KINDS

Key = tuple[int, str, str]
"""customer, purpose, recipient"""
RULES = ("numbers", "real time", "seen", "missing", "left", "held", "answers", "lost", "invented")
NO = "no"
"""Whatever kind of no; `refuse everything` chooses it itself."""


@dataclass
class Call:
    """One call of one process. `ended` is none where the process was killed."""

    process: str
    what: str
    began: float
    given: dict[str, Any]
    ended: float | None = None
    result: dict[str, Any] = field(default_factory=dict)


@dataclass
class Judgement:
    """What was found against the promise, and how much was looked at."""

    findings: list[str] = field(default_factory=list)
    judged: Counter[str] = field(default_factory=Counter)

    def found(self, rule: str, what: str) -> None:
        """One violation, under the name of its rule."""
        assert rule in RULES, rule
        self.findings.append(f"{rule}: {what}")

    @property
    def rules(self) -> set[str]:
        """The rules that were violated."""
        return {finding.split(":")[0] for finding in self.findings}


def read_history(file: Path) -> list[Call]:
    """The calls of one process; the last line may be cut off where it was killed."""
    calls: dict[int, Call] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            one = json.loads(line)
        except json.JSONDecodeError:
            break
        if one["phase"] == "begin":
            calls[one["id"]] = Call(file.name, one["what"], one["mono"], one["with"])
        else:
            calls[one["id"]].ended, calls[one["id"]].result = one["mono"], one["with"]
    return list(calls.values())


@dataclass
class Judge:
    """Weighs one run. `named`: for each purpose the recipients that its text names."""

    calls: Sequence[Call]
    named: Mapping[str, Sequence[str]]
    verdict: Judgement = field(default_factory=Judgement)

    def __post_init__(self) -> None:
        self.known: dict[Key, list[tuple[int, bool]]] = defaultdict(list)
        self.unknown: dict[Key, list[tuple[int, float, bool]]] = defaultdict(list)
        self.writes = [call for call in self.calls if call.what == "choices"]
        self.looks = [call for call in self.calls if call.what == "read" and call.ended is not None]
        self.doors = [call for call in self.calls if call.what in ("drawn", "handed_over") and call.ended is not None]
        self.doors = [call for call in self.doors if call.result.get("seq") is not None]
        self._index_times()
        for call in self.writes:
            floor = self._acknowledged_before(call.began)
            for place, said in enumerate(call.given["said"]):
                for key, yes in self._means(said):
                    if call.ended is not None:
                        self.known[key].append((call.result["seqs"][place], yes))
                    else:
                        self.unknown[key].append((floor, call.began, yes))
        for words in self.known.values():
            words.sort()

    def judge(self) -> Judgement:
        """All rules over the histories alone."""
        self._numbers()
        self._real_time()
        for look in self.looks:
            self._contents(look)
        for door in self.doors:
            self._handed_over(door) if door.what == "handed_over" else self._drawn(door)
        self._answers()
        return self.verdict

    def settle(self, log: Sequence[Mapping[str, Any]]) -> Judgement:
        """Lays the log beside the histories: nothing acknowledged is lost, nothing was invented; then judges without doubt.

        `log`: the events of choices with seq, customer, purpose, recipient and kind, as anybody can read them.
        """
        kept = {int(event["seq"]): event for event in log}
        for call in self.writes:
            if call.ended is None:
                continue
            for seq, said in zip(call.result["seqs"], call.given["said"], strict=True):
                event = kept.pop(seq, None)
                if event is None or not _same(event, said):
                    self.verdict.found("lost", f"{said} was acknowledged as number {seq}, and the log has {event}")
                self.verdict.judged["receipts"] += 1
        resolved: dict[Key, list[tuple[int, bool]]] = defaultdict(list)
        for call in sorted(self.writes, key=lambda one: -len(one.given["said"])):
            start = _whole(kept, call.given["said"]) if call.ended is None else None
            for place, said in enumerate(call.given["said"] if start is not None else ()):
                del kept[(start or 0) + place]
                for key, yes in self._means(said):
                    resolved[key].append(((start or 0) + place, yes))
                self.verdict.judged["choices of killed processes that were kept"] += 1
        for seq, event in sorted(kept.items()):
            said = [event["customer"], event["purpose"], event["recipient"], event["kind"]]
            self.verdict.found("invented", f"nobody said {said}, number {seq}, or said it in a call of which the rest is gone")
        for key, words in resolved.items():
            self.known[key] = sorted([*self.known[key], *words])
        self.unknown.clear()
        return self.judge()

    # -- the one order

    def _means(self, said: Sequence[Any]) -> Iterable[tuple[Key, bool]]:
        customer, purpose, recipient, kind = said
        says = NO if kind == NO else KINDS[kind][0]
        if says == "nothing":
            return
        for name in self.named[purpose] if recipient == "*" else [recipient]:
            yield (customer, purpose, name), says == "yes"

    def _index_times(self) -> None:
        """For the rule of real time: the greatest number acknowledged by a time, the smallest begun after one."""
        numbered = []
        for call in [*self.writes, *self.doors]:
            if call.ended is not None:
                seqs = call.result["seqs"] if call.what == "choices" else [call.result["seq"]]
                if seqs:
                    numbered.append((call.began, call.ended, min(seqs), max(seqs)))
        by_end = sorted((ended, high) for _, ended, _, high in numbered)
        self._ends = [ended for ended, _ in by_end]
        self._highest: list[int] = []
        for _, high in by_end:
            self._highest.append(max(high, self._highest[-1] if self._highest else -1))
        by_begin = sorted(((began, low) for began, _, low, _ in numbered), reverse=True)
        lowest: list[int] = []
        for _, low in by_begin:
            lowest.append(min(low, lowest[-1]) if lowest else low)
        self._begins = [began for began, _ in reversed(by_begin)]
        self._lowest = list(reversed(lowest))

    def _acknowledged_before(self, time: float) -> int:
        place = bisect.bisect_left(self._ends, time)
        return self._highest[place - 1] if place else -1

    def _begun_after(self, time: float) -> int | None:
        place = bisect.bisect_right(self._begins, time)
        return self._lowest[place] if place < len(self._lowest) else None

    def _numbers(self) -> None:
        given: Counter[int] = Counter()
        for call in self.writes:
            seqs = call.result.get("seqs", [])
            given.update(seqs)
            if seqs and seqs != list(range(seqs[0], seqs[0] + len(seqs))):
                self.verdict.found("numbers", f"one call was given {seqs}: they are not consecutive")
        given.update(door.result["seq"] for door in self.doors)
        for seq, times in given.items():
            if times > 1:
                self.verdict.found("numbers", f"{seq} was given {times} times")
        inside = {seq for call in self.writes for seq in call.result.get("seqs", [])[1:]}
        for look in self.looks:
            if look.result["position"] in inside:
                self.verdict.found("numbers", f"a read at {look.result['position']} saw half of what one call said")

    def _real_time(self) -> None:
        for call in [*self.writes, *self.looks, *self.doors]:
            if call.ended is None:
                continue
            before, after = self._acknowledged_before(call.began), self._begun_after(call.ended)
            if call.what == "read":
                low = high = call.result["position"]
            else:
                seqs = call.result["seqs"] if call.what == "choices" else [call.result["seq"]]
                low, high = (min(seqs), max(seqs) + 1) if seqs else (before + 1, 0)
            if low <= before:
                self.verdict.found("real time", f"{call.what} at {low} began after {before} was acknowledged")
            if after is not None and after < high:
                self.verdict.found("real time", f"{call.what} at {high} has {after}, which began after it had ended")
            self.verdict.judged["calls in real time"] += 1
        ended = sorted((look.ended or 0.0, look.result["position"]) for look in self.looks)
        times, highest = [time for time, _ in ended], list[int]()
        for _, position in ended:
            highest.append(max(position, highest[-1] if highest else 0))
        for look in self.looks:
            place = bisect.bisect_left(times, look.began)
            if place and highest[place - 1] > look.result["position"]:
                self.verdict.found("real time", f"a read at {look.result['position']} follows one at {highest[place - 1]}")

    # -- who was in it

    def _allowed(self, key: Key, position: int, until: float) -> set[bool]:
        """What the last word below a position may be: one answer, or both where a killed process leaves a doubt."""
        words = self.known.get(key, [])
        place = bisect.bisect_left(words, (position, False))
        allowed = {words[place - 1][1] if place else False}
        for floor, began, yes in self.unknown.get(key, ()):
            if began < until and floor + 1 < position:
                allowed.add(yes)
        return allowed

    def _no_between(self, key: Key, start: int, end: int) -> bool:
        """Whether a no was, or may have been, said at a number in [start, end)."""
        words = self.known.get(key, [])
        some = words[bisect.bisect_left(words, (start, False)) : bisect.bisect_left(words, (end, False))]
        return any(not yes for _, yes in some) or any(not yes for _, _, yes in self.unknown.get(key, ()))

    def _contents(self, look: Call) -> None:
        purpose, recipient, position = look.given["purpose"], look.given["recipient"], look.result["position"]
        seen = set(look.result["customers"])
        for key in self._everybody(purpose, recipient) | {(customer, purpose, recipient) for customer in seen}:
            allowed = self._allowed(key, position, look.ended or 0.0)
            if key[0] in seen and True not in allowed:
                self.verdict.found("seen", f"{key} was in the read at {position} after a no")
            if key[0] not in seen and False not in allowed:
                self.verdict.found("missing", f"{key} permits and was not in the read at {position}")
            self.verdict.judged["people not seen after a no" if allowed == {False} else "people seen who permit"] += 1

    def _everybody(self, purpose: str, recipient: str) -> set[Key]:
        return {key for key in self.known.keys() | self.unknown.keys() if key[1:] == (purpose, recipient)}

    def _handed_over(self, door: Call) -> None:
        wanted, through = set(door.given["wanted"]), set(door.result["customers"])
        if through - wanted or set(door.result["kept_back"]) != wanted - through:
            self.verdict.found("held", f"door {door.result['seq']} let through, or kept back, somebody else than was asked")
        for customer in wanted:
            allowed = self._allowed(self._key(door, customer), door.result["seq"], door.ended or 0.0)
            if customer in through and True not in allowed:
                self.verdict.found("left", f"{customer} was handed over at {door.result['seq']} after a no")
            if customer not in through and False not in allowed:
                self.verdict.found("held", f"{customer} permits and was kept back at {door.result['seq']}")
            self.verdict.judged["people at a door"] += 1

    def _drawn(self, door: Call) -> None:
        """`given`: position and customers of the read, of whom `with purchases` can be counted."""
        counted, seq, start = set(door.result["customers"]), door.result["seq"], door.given["position"]
        could = set(door.given["permitted"]) & set(door.given["with purchases"])
        if counted - could:
            self.verdict.found("left", f"draw {seq} counts {sorted(counted - could)}, who were not read")
        for customer in could:
            key = self._key(door, customer)
            if customer in counted and True not in self._allowed(key, seq, door.ended or 0.0):
                self.verdict.found("left", f"{customer} was drawn at {seq} after a no")
            if customer not in counted and not self._no_between(key, start, seq):
                self.verdict.found("held", f"{customer} permitted from {start} to {seq} and was not drawn")
            self.verdict.judged["people at a draw"] += 1
            self.verdict.judged["people taken out before a draw"] += customer not in counted

    def _key(self, door: Call, customer: int) -> Key:
        return customer, door.given["purpose"], door.given["recipient"]

    def _answers(self) -> None:
        answers: dict[str, set[str]] = defaultdict(set)
        for call in self.calls:
            if call.what == "answer" and call.ended is not None:
                answers[call.result["plan"]].add(call.result["answer"])
                self.verdict.judged["answers"] += 1
        for plan, different in answers.items():
            if len(different) > 1:
                self.verdict.found("answers", f"the pack {plan[:8]} has {len(different)} answers")


def _whole(kept: Mapping[int, Mapping[str, Any]], said: Sequence[Sequence[Any]]) -> int | None:
    """The number at which all that one call said stands, one after the other; none if it is nowhere as a whole."""
    for seq in sorted(kept):
        if all(seq + place in kept and _same(kept[seq + place], one) for place, one in enumerate(said)):
            return seq
    return None


def _same(event: Mapping[str, Any], said: Sequence[Any]) -> bool:
    customer, purpose, recipient, kind = said
    kinds = [name for name, (says, _) in KINDS.items() if says == NO] if kind == NO else [kind]
    return (event["customer"], event["purpose"], event["recipient"]) == (customer, purpose, recipient) and event["kind"] in kinds
