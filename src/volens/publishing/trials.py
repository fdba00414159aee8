"""Two texts side by side: which one is understood *and* permitted more often?

Rules:
1. What decides is fixed before the start and on the public record: the texts, how many people each, how long they have, and the
   seed from which everybody's text follows. There is no result before both numbers are full and the time is over.
2. A text wins by yeses that were understood (yes, and the right answer after it), never by yeses. If the 95 % interval of the
   difference holds zero, nobody wins and the text in force stays.
3. Both texts promise the same (whom, what, how long, who pays), are symmetric as rendered, and differ in words alone. A variant
   that fails this cannot start.
4. The other text needs two people like any other: one approved it, another, of the other role, starts the trial.
5. Who takes part follows from the events: the first who are asked under the text that is theirs, from the start on. No list of
   them is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from volens.errors import BadInput
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.measuring.rates import Rate, difference, wilson
from volens.permissions.state import PERMITTING
from volens.programme.model import Text
from volens.publishing import counts
from volens.publishing.counts import RIGHT
from volens.publishing.store import Trial

if TYPE_CHECKING:
    from sqlalchemy import Connection

PEOPLE_MIN, PEOPLE_MAX = 100, 1_000_000
DAYS_MIN, DAYS_MAX = 1, 90


@dataclass(frozen=True)
class Arm:
    """What became of one text. `understood`: said yes and then knew what that means."""

    text: str
    asked: int
    permitted: int
    understood: int

    @property
    def rate(self) -> Rate:
        """Understood and permitted, of those asked."""
        return wilson(self.understood, self.asked)


@dataclass
class Progress:
    """Who takes part so far, read on from where it was read last. For one trial, in one process."""

    trial: Trial
    start: int
    asked: dict[str, dict[int, tuple[int, str]]] = field(default_factory=dict)
    """Text → customer → (seq, day) of the first question."""
    seen: int = -1

    def read(self, connection: Connection) -> None:
        """Takes in who was asked meanwhile."""
        for text in self.trial.texts:
            self.asked.setdefault(text, {})
        if self.full:
            return
        for row in log.rows(connection, EVENTS, start=max(self.start, self.seen + 1), kinds=["requested"]):
            self.seen = row.seq
            if row.customer is None or row.text not in self.asked or row.day is None:
                continue
            theirs = self.asked[row.text]
            if row.text == assigned(self.trial, row.customer) and len(theirs) < self.trial.people:
                theirs.setdefault(row.customer, (row.seq, row.day))

    @property
    def full(self) -> bool:
        """Whether nobody else takes part."""
        return all(len(self.asked.get(text, ())) >= self.trial.people for text in self.trial.texts)

    def takes_part(self, customer: int) -> str | None:
        """The text under which somebody takes part, if she does."""
        return next((text for text, theirs in self.asked.items() if customer in theirs), None)

    def over(self, today: date) -> bool:
        """Whether the time of everybody is over, a day later: a question that was put on the last evening is answered by then."""
        last = max((day for theirs in self.asked.values() for _, day in theirs.values()), default="")
        return self.full and date.fromisoformat(last) + timedelta(days=self.trial.days + 1) < today


def assigned(trial: Trial, customer: int) -> str:
    """Whose text is whose: fixed by the seed before anybody is asked."""
    first = hashlib.sha256(f"{trial.seed} {customer}".encode()).digest()[0]
    return trial.texts[first & 1]


def require_comparable(first: Text, other: Text) -> None:
    """Raises `BadInput` unless two texts promise the same in other words (CON-8: another promise is another question)."""
    if first.version >= other.version:
        raise BadInput(f"{other.id} is not newer than {first.id}.", "Compare the text in force with the next version.")
    promises = {
        "recipients": (first.recipients, other.recipients), "fields": (first.fields, other.fields),
        "periods": (first.keep_months, other.keep_months), "payers": (set(first.paid_by), set(other.paid_by)),
        "controllers": (first.controller, other.controller), "languages": (set(first.bodies), set(other.bodies)),
    }  # fmt: skip
    differ = [name for name, (one, two) in promises.items() if one != two]
    if differ:
        raise BadInput(
            f"{first.id} and {other.id} do not promise the same: other {', '.join(differ)}.",
            "A trial compares words. A text that promises something else is published, and everybody is asked anew.",
        )


def require_sizes(people: int, days: int) -> None:
    """Raises `BadInput` unless a trial of this size says anything."""
    if not PEOPLE_MIN <= people <= PEOPLE_MAX or not DAYS_MIN <= days <= DAYS_MAX:
        raise BadInput(
            f"{people} people each and {days} days to answer are out of bounds.",
            f"Ask {PEOPLE_MIN:,} to {PEOPLE_MAX:,} people under each text, and give them {DAYS_MIN} to {DAYS_MAX} days.",
        )


def outcome(connection: Connection, progress: Progress) -> tuple[Arm, Arm]:
    """What became of everybody who took part. Only for a trial that is over."""
    trial, yes = progress.trial, set[int]()
    asked = {who: given for theirs in progress.asked.values() for who, given in theirs.items()}
    for row in log.rows(connection, EVENTS, start=progress.start, kinds=sorted(PERMITTING)):
        if row.purpose != trial.purpose or row.customer not in asked or row.day is None:
            continue
        seq, day = asked[row.customer]
        last = date.fromisoformat(day) + timedelta(days=trial.days)
        if row.seq > seq and row.text in trial.texts and date.fromisoformat(row.day) <= last:
            yes.add(row.customer)
    understood: dict[str, int] = dict.fromkeys(trial.texts, 0)
    for cell in counts.all_cells(connection):
        if cell.trial == trial.trial and cell.answer == RIGHT and cell.text in understood:
            understood[cell.text] += cell.n
    first, other = (
        Arm(text, len(theirs), permitted := len(theirs.keys() & yes), min(understood[text], permitted))
        for text, theirs in ((text, progress.asked[text]) for text in trial.texts)
    )
    return first, other


def winner(first: Arm, other: Arm) -> str | None:
    """The text that is understood and permitted more often; none where that does not show."""
    gap = difference(first.rate, other.rate)
    if gap.low > 0:
        return other.text
    return first.text if gap.high < 0 else None


def as_result(first: Arm, other: Arm) -> Mapping[str, Any]:
    """The counts as the public record keeps them."""
    return {
        arm.text: {"asked": arm.asked, "permitted": arm.permitted, "understood": arm.understood} for arm in (first, other)
    }


def arms_of(trial: Trial) -> tuple[Arm, Arm] | None:
    """The two arms of a trial that ended with a result."""
    if trial.result is None or not trial.result["counts"]:
        return None
    first, other = (Arm(text, **trial.result["counts"][text]) for text in trial.texts)
    return first, other


def in_force(trials: list[Trial]) -> tuple[frozenset[str], dict[str, tuple[str, str]]]:
    """Texts that are set aside since they did not win, and the pairs that are compared now."""
    aside = {trial.texts[1] for trial in trials if trial.result is not None and trial.result["winner"] != trial.texts[1]}
    return frozenset(aside), {trial.purpose: trial.texts for trial in trials if trial.running}

