"""The judge of promise 3 as it is seen from outside, over HTTP: from the calls of clients alone, without numbers or positions.

What is judged. A decision that began after a no was acknowledged must be no, unless a yes can have come after that no: one that
began before the decision ended, and was not over before the no began. A call that was never acknowledged may have taken effect at
any later time, or never. The same the other way round: after an acknowledged yes a decision is yes, unless a no can have come.
A decision that rests on no position ("the ledger did not say in time") is a no that nobody is blamed for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heard:
    """One call of one client. `ended` is none where no answer came. `yes` is what was said, or what was decided."""

    what: str
    """`say` or `decide`."""
    customer: int
    purpose: str
    yes: bool
    began: float
    ended: float | None
    blind: bool = False
    """A decision without a position."""


@dataclass
class Judgement:
    """What was found, and how much was looked at."""

    findings: list[str] = field(default_factory=list)
    judged: Counter[str] = field(default_factory=Counter)


def judge(calls: Iterable[Heard]) -> Judgement:
    """Weighs every decision against every word about the same customer and purpose."""
    said, decided, found = defaultdict(list), list[Heard](), Judgement()
    for call in calls:
        if call.what == "say":
            said[call.customer, call.purpose].append(call)
        elif call.ended is not None:
            decided.append(call)
    for one in decided:
        words = said[one.customer, one.purpose]
        before = [word for word in words if word.ended is not None and word.ended < one.began]
        if one.blind and not one.yes:
            found.judged["blind"] += 1
            continue
        against = [word for word in before if word.yes is not one.yes and not _overruled(word, words, one)]
        if against:
            found.findings.append(f"{one.purpose} of {one.customer} was decided {one.yes} after the opposite was acknowledged")
        elif any(word.yes is one.yes for word in before):
            found.judged["yes after a yes" if one.yes else "no after a no"] += 1
    return found


def _overruled(word: Heard, words: list[Heard], decision: Heard) -> bool:
    """Whether something else can have been the last word when the decision was made."""
    end = decision.ended if decision.ended is not None else float("inf")
    return any(
        other.yes is not word.yes and other.began < end and (other.ended is None or other.ended > word.began) for other in words
    )
