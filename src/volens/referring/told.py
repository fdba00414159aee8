"""What each side sees: whole numbers, days, and the sentence of a rule; of the other side only what she may know.

Rules:
1. A sponsor learns that a friend accepted and ordered, and why if something holds it; never what was bought, when, or for how much,
   nor whether her friend was a customer or was invited before: that it does not count is all that she reads then.
2. A friend is called by the first name that she chose to show, and has none otherwise.
3. What remains is a number and a day. There is no bar, no percentage and no countdown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from volens.offering.store import Participation
from volens.offers.document import Offer
from volens.referring.rules import judge_of
from volens.referring.states import BLOCKED, COUNTED, HELD, REFUSED, UNDONE
from volens.referring.store import Tie


@dataclass(frozen=True)
class Line:
    """One invitation, as a page shows it."""

    number: int
    name: str
    """A first name, or nothing."""
    state: str
    ordered: bool
    """Whether her order came; with the state `open` it waits for a place."""
    sentence: Mapping[str, str]
    due: date | None
    """While it is held: the day by which a person has looked."""
    contested: bool

    @property
    def said(self) -> str:
        """What is said of it: its state; `waiting` for an order without a place, `held-open` for what is held without an order."""
        if self.ordered:
            return "waiting" if self.state in UNDONE else self.state
        return "held-open" if self.state == HELD else self.state

    @property
    def contestable(self) -> bool:
        """Whether a button to contest stands beside it."""
        return self.state in (HELD, BLOCKED, REFUSED) and not self.contested


@dataclass(frozen=True)
class Sponsoring:
    """A sponsor's page for one offer."""

    offer: Offer
    participation: Participation | None
    """The round that is open, or the newest."""
    token: str
    """Of her link; nothing while she has none."""
    shown: str
    friends: tuple[Line, ...]
    held: bool
    """Whether one of them holds the reward of this round: the wallet has no day for it."""
    takes: bool
    """Whether her link takes anybody today: an order of today could count."""

    @property
    def counted(self) -> int:
        """Friends who count in this round."""
        return self.participation.done if self.participation is not None else 0

    @property
    def left(self) -> int:
        """How many are still to come."""
        return self.participation.left if self.participation is not None else 0

    @property
    def waiting(self) -> int:
        """Friends who ordered, and wait until she takes part again."""
        return sum(one.state in UNDONE and one.ordered for one in self.friends)


@dataclass(frozen=True)
class Invited:
    """What a friend sees of the invitation that she accepted."""

    offer: Offer
    line: Line
    sponsor: str
    """The first name that her sponsor shows, or nothing."""

    @property
    def orders_left(self) -> int:
        """How many orders she may still place for it to count: one, or none."""
        return int(self.line.state not in (COUNTED, HELD, BLOCKED, REFUSED) and not self.line.ordered)


@dataclass(frozen=True)
class Invitation:
    """What opening a link shows, before anything is accepted."""

    offer: Offer
    sponsor: str
    open: bool
    """Whether an order of today could count."""
    excluded: str
    """Why whoever looks cannot accept it: a rule, or `too-young`; nothing for who can, or is not signed in."""
    mine: Invited | None
    """If she has accepted this very invitation."""


def line_of(tie: Tie, name: str, *, sponsor: bool) -> Line:
    """An invitation as a page shows it to one of the two."""
    rule = judge_of(tie.seen_by) if tie.state not in (COUNTED,) else None
    sentence = {} if rule is None else dict(rule.sponsors if sponsor else rule.hers)
    return Line(
        tie.number, name, tie.state, tie.ordered is not None, sentence,
        date.fromisoformat(tie.due) if tie.due is not None and tie.state == HELD else None, tie.contested is not None,
    )  # fmt: skip
