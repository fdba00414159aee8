"""What a person decides: what is held is let go or refused; what was refused can be contested, and somebody else looks.

Rules:
1. Nobody decides without a reason. It is sealed under the friend's key; that there was a decision is on record.
2. What nobody decided in time is let go, in favour of the customer.
3. A refusal can be contested once; whoever refused does not look at it again.
4. What was paid is not taken back here either.
5. What is decided here ends the wallet's hold of the reward, and what was contested there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from volens.errors import BadInput, NotFound, NotNow, Refused
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.holders import Database
from volens.offering import participations
from volens.offering.workflow import DONE
from volens.referring import store
from volens.referring.judging import Judging, told
from volens.referring.rules import BY_ID, Verdict
from volens.referring.states import BLOCKED, COUNTED, HELD, OPEN, REFUSED
from volens.referring.store import Tie
from volens.wallet import claims, contests

if TYPE_CHECKING:
    from sqlalchemy import Connection

CONTESTED = "referral-contested"
SILENCE = "silence"
"""Who decided where nobody did."""
BY_MAX, REASON_MAX = 120, 400


class Deciding:
    """Durable when a method returns."""

    def __init__(self, records: Database, judging: Judging) -> None:
        self._records, self._judging = records, judging

    def contest(self, customer: int, number: int) -> Tie:
        """Sponsor or friend says that a rule is wrong: a person looks, within the days of a review. Twice is once."""
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            tie = there(connection, number)
            if customer not in (tie.friend, tie.sponsor):
                raise NotFound("There is no such invitation.", "Look at the page again.")
            if tie.state == HELD and tie.contested is not None:
                return tie
            if tie.state not in (HELD, BLOCKED, REFUSED):
                raise NotNow("Nothing holds this invitation.", "Look at the page again.")
            if tie.contested is not None:
                raise NotNow("A person has looked since you said so.", "You can complain to the authority that the terms name.")
            day = self._judging.today(tie).isoformat()
            who = "friend" if customer == tie.friend else "sponsor"
            log.append(connection, EVENTS, [self._judging.event(CONTESTED, tie, who=who)], self._judging.people)
            store.change(connection, number, contested=day)
            tie = replace(tie, contested=day)
            if tie.state == HELD:
                return tie
            return self._judging.move(connection, tie, HELD, rules=tie.seen_by, by=tie.by)

    def release(self, number: int, *, by: str, reason: str) -> Tie:
        """A person lets it go: it counts, or what is to be done can be done. Twice is once."""
        by, reason = _answers(by, reason)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            tie = there(connection, number)
            if tie.state in (COUNTED, OPEN):
                return tie
            self._require_other(tie, by)
            return self._release(connection, tie, by, reason)

    def refuse(self, number: int, *, by: str, reason: str) -> Tie:
        """A person says that the rule is right. `NotNow` where the reward is hers already. Twice is once."""
        by, reason = _answers(by, reason)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            tie = there(connection, number)
            if tie.state == REFUSED:
                return tie
            self._require_other(tie, by)
            if tie.state == HELD and tie.participation is not None:
                sentence = told(tie.seen_by) or dict(BY_ID["F5"].sentence)
                claim, day = participations.there(connection, tie.participation).claim, self._judging.today(tie)
                participations.uncount(connection, tie.participation, tie.act, sentence, on=day)
                contests.end_with(connection, claim, right=False, by=by, day=day)
                tie = replace(tie, participation=None, ordered=None, act="")
            return self._judging.move(connection, tie, REFUSED, rules=tie.seen_by, by=by, reason=reason)

    def let_go(self) -> int:
        """What nobody decided in time is released; how many. For the night."""
        with self._records.reading() as connection:
            late = [one for one in store.in_state(connection, HELD) if (one.due or "") < self._judging.today(one).isoformat()]
        for one in late:
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                tie = there(connection, one.number)
                if tie.state == HELD and (tie.due or "") < self._judging.today(tie).isoformat():
                    self._release(connection, tie, SILENCE, "nobody decided in time")
        return len(late)

    # Below: how

    def _release(self, connection: Connection, tie: Tie, by: str, reason: str) -> Tie:
        if tie.participation is None:  # contested before it was counted
            tie = self._judging.move(connection, tie, OPEN, by=by, reason=reason)
            return self._judging.place(connection, tie, Verdict(())) if tie.ordered is not None else tie
        tie = self._judging.move(connection, tie, COUNTED, by=by, reason=reason)
        one = participations.there(connection, tie.participation or 0)
        if one.state == DONE and not store.held_in(connection, one.id):
            claims.release(connection, one.claim, day=self._judging.today(tie))
            contests.end_with(connection, one.claim, right=True, by=by, day=self._judging.today(tie))
        return tie

    def _require_other(self, tie: Tie, by: str) -> None:
        if tie.contested is not None and tie.by and tie.by.casefold() == by.casefold():
            raise Refused(("whoever refused it does not look at it again",), "Ask somebody else.")


def there(connection: Connection, number: int) -> Tie:
    """An invitation by its number; `NotFound` if there is none."""
    found = store.one_tie(connection, number)
    if found is None:
        raise NotFound("There is no such invitation.", "See: volens referral held")
    return found


def _answers(by: str, reason: str) -> tuple[str, str]:
    if not 0 < len(by.strip()) <= BY_MAX:
        raise BadInput("Somebody answers for a decision.", f"Say who, with --by, in at most {BY_MAX} characters.")
    if not 0 < len(reason.strip()) <= REASON_MAX:
        raise BadInput("A decision has a reason.", f"Write one, of at most {REASON_MAX} characters.")
    return by.strip(), reason.strip()
