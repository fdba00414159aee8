"""What becomes of an invitation when somebody accepts it, orders, or takes an order back. In the caller's transaction.

Rules:
1. The head row of `events` is taken first: what is judged is what stands, and what follows from it is written with it.
2. What the offer's own conditions exclude is blocked. A doubt is counted and held: no place is lost by it, and no money goes out.
3. An order without a place for it waits; what does not count is not lost for what is done later.
4. A burst shows when it is there: those who came before, and are alike, are held with it while their reward is not due yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.errors import NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Sealer
from volens.offering import participations
from volens.offering.workflow import DONE
from volens.referring import signal_store, signals, store
from volens.referring.facts import Friend, Pace, Signs, Standing, alike, around, facts_of
from volens.referring.rules import BURST_LEAST, BY_ID, Action, Verdict, judge, judge_of
from volens.referring.states import BLOCKED, COUNTED, HELD, KINDS, REFERRED, RETURNED, UNDONE, require_move
from volens.referring.store import Tie
from volens.wallet import claims

if TYPE_CHECKING:
    from sqlalchemy import Connection

REVIEW_DAYS = 10
"""Within how many days a person looks at what is held. After them it is let go: silence is for the customer."""


@dataclass(frozen=True)
class Order:
    """An order of a friend."""

    at: datetime
    about: bytes
    """Keyed hash of its key."""


class Judging:
    """The steps that rules take."""

    def __init__(self, people: Sealer, clock: Clock, country: str) -> None:
        """`country`: the house's, whose day stands where no other is known."""
        self.people, self._clock, self._country = people, clock, country

    def ordered(self, connection: Connection, tie: Tie, order: Order) -> Tie:
        """An order of somebody who was invited."""
        if tie.state not in UNDONE:
            return tie
        if order.at < datetime.fromisoformat(tie.accepted):
            return self._note(connection, tie, "F7-before")
        tie = replace(tie, ordered=order.at.isoformat(), act=f"{tie.number}/{order.about.hex()}")
        verdict = self.verdict(connection, tie, Standing())
        if verdict.action is Action.BLOCK:
            return self.move(connection, tie, BLOCKED, rules=verdict.ids)
        if "F5" in verdict.ids:
            self._hold_burst(connection, tie)
        return self.place(connection, tie, verdict)

    def place(self, connection: Connection, tie: Tie, verdict: Verdict) -> Tie:
        """Counts an order for the sponsor's participation; without one that is open, it waits."""
        one, today = participations.current(connection, tie.sponsor, tie.offer), self.today(tie)
        rules = ",".join(verdict.ids)
        if one is None or tie.ordered is None:
            store.change(connection, tie.number, ordered=tie.ordered, act=tie.act, rules=rules)
            return replace(tie, rules=rules)
        day = max(legal_day(datetime.fromisoformat(tie.ordered), tie.country), date.fromisoformat(one.joined))
        doubt = verdict.action is Action.HOLD
        reasons = verdict.ids if doubt else next((other.seen_by for other in store.held_in(connection, one.id)), ())
        try:
            participations.count(connection, one, tie.act, on=day, held=told(reasons), today=today)
        except NotNow:  # after the last day, or while the offer is stopped: it does not count, and a later one may
            return self._note(connection, replace(tie, ordered=None, act=""), rules)
        return self.move(connection, tie, HELD if doubt else COUNTED, rules=verdict.ids, participation=one.id)

    def taken_back(self, connection: Connection, tie: Tie, about: bytes) -> Tie:
        """The order was cancelled, or all of it returned. What is paid stays paid."""
        if tie.act != f"{tie.number}/{about.hex()}":
            return tie
        if tie.state in UNDONE:
            return self._note(connection, replace(tie, ordered=None, act=""), "F8")
        if tie.state not in (COUNTED, HELD) or tie.participation is None:
            return tie
        before = participations.there(connection, tie.participation)
        participations.uncount(connection, before.id, tie.act, BY_ID["F8"].sentence, on=self.today(tie))
        if participations.there(connection, before.id).done == before.done:
            return tie  # the reward was hers already
        return self.move(connection, replace(tie, ordered=None, act="", participation=None), RETURNED, rules=("F8",))

    def verdict(self, connection: Connection, tie: Tie, standing: Standing) -> Verdict:
        """What the rules say of an invitation as it stands."""
        friends, sponsor = self._friends(connection, tie)
        one = next(friend for friend in friends if friend.number == tie.number)
        pace = Pace.of(store.pace(connection, tie.offer)) if len(around(one, friends)) >= BURST_LEAST else Pace()
        return judge(facts_of(one, sponsor, friends, pace, standing))

    def move(
        self, connection: Connection, tie: Tie, state: str, *, rules: tuple[str, ...] = (), by: str = "", reason: str = "",
        participation: int | None = None,
    ) -> Tie:  # fmt: skip
        """Takes an invitation into a state, with its event. What was seen of whom is sealed under the friend's key."""
        require_move(tie.state, state)
        due = (self.today(tie) + timedelta(days=REVIEW_DAYS)).isoformat() if state == HELD else None
        seq = log.append(connection, EVENTS, [self.event(KINDS[state], tie, rules=list(rules), by=by, reason=reason)], self.people)
        values: dict[str, Any] = {
            "state": state, "ordered": tie.ordered, "act": tie.act, "due": due, "seq": seq, "by": by, "rules": ",".join(rules),
            "participation": participation if participation is not None else tie.participation, "contested": tie.contested,
        }  # fmt: skip
        store.change(connection, tie.number, **values)
        return replace(tie, **values)

    def event(self, kind: str, tie: Tie, **private: Any) -> Event:
        """An event about an invitation: openly that there is one, the rest sealed."""
        detail = {"offer": tie.offer, **({"tie": tie.number} if kind != REFERRED else {})}
        return Event(kind, customer=tie.friend, day=self.today(tie), detail=detail, private=private)

    def day(self, country: str = "") -> date:
        """The legal day in a country, or where the house is."""
        return legal_day(self._clock.now(), country or self._country)

    def today(self, tie: Tie) -> date:
        """The legal day in the country of the invitation."""
        return self.day(tie.country)

    # Below: how

    def _note(self, connection: Connection, tie: Tie, rules: str) -> Tie:
        """Keeps what was seen; nothing else changes."""
        store.change(connection, tie.number, rules=rules, ordered=tie.ordered, act=tie.act)
        return replace(tie, rules=rules)

    def _hold_burst(self, connection: Connection, tie: Tie) -> None:
        """Those who came before, and are alike, wait too."""
        friends, _ = self._friends(connection, tie)
        one = next(friend for friend in friends if friend.number == tie.number)
        near = {friend.number for friend in alike(around(one, friends))} - {tie.number}
        for other in store.ties_of(connection, tie.sponsor, tie.offer):
            if other.number in near and other.state == COUNTED and self._hold_claim(connection, other):
                self.move(connection, other, HELD, rules=("F5",))

    def _hold_claim(self, connection: Connection, tie: Tie) -> bool:
        """Whether what an invitation earned can still wait; if there is a reward, it does."""
        if tie.participation is None:
            return False
        one = participations.there(connection, tie.participation)
        if one.state != DONE:
            return True
        try:
            claims.hold(connection, one.claim, BY_ID["F5"].sentence, day=self.today(tie))
        except NotNow:  # it is hers already
            return False
        return True

    def _friends(self, connection: Connection, tie: Tie) -> tuple[list[Friend], Signs]:
        """All friends of the sponsor, this one as she is judged now; and the sponsor's signs."""
        ties = {other.number: other for other in store.ties_of(connection, tie.sponsor, tie.offer)} | {tie.number: tie}
        found = signal_store.signals_of(connection, tie.offer, [tie.sponsor, *(other.friend for other in ties.values())])
        friends = [
            Friend(
                other.number, datetime.fromisoformat(other.accepted),
                datetime.fromisoformat(other.ordered) if other.ordered is not None else None,
                signals.signs(found.get(other.friend, ())),
            )
            for other in ties.values()
        ]  # fmt: skip
        return friends, signals.signs(found.get(tie.sponsor, ()))


def told(rules: tuple[str, ...]) -> dict[str, str] | None:
    """The sentence, in each language, that somebody reads whose reward waits; none if nothing holds it."""
    found = judge_of(rules)
    return dict(found.sentence) if found is not None else None
