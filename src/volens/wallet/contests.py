"""Somebody says that a reward of hers is held, or was taken back, wrongly: a human answers, in time, or she is right.

Rules:
1. One open contest a claim. What she writes is sealed under her key; that she contests is on the record.
2. A human of the house answers within fourteen days, with words that she reads. To be right is to be released.
3. Silence is for the customer: a held claim whose contest nobody answered in time is released by the night's work.
4. What was taken back before it was available stays so here; if she is right, it is earned anew by whoever took it back.
5. One hold is contested in one place: where an invitation holds a reward, on the page of the invitation, and what is decided there
   ends it here. One hold is answered once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.wallet import claims, contest_store, store
from volens.wallet.claims import HELD, REVERSED
from volens.wallet.contest_store import Contest
from volens.wallet.sealing import Envelope
from volens.wallet.store import Claim

if TYPE_CHECKING:
    from sqlalchemy import Connection

Elsewhere = Callable[["Connection", Claim], bool]
"""Whether the page of an invitation is where the hold of a claim is contested and decided."""
CONTESTED, ANSWERED = "reward-contested", "reward-answered"
OPEN, DONE = "open", "answered"
ANSWER_DAYS = 14
WORDS_MAX, BY_MAX = 1_000, 120


def nowhere_else(connection: Connection, claim: Claim) -> bool:
    """For houses without invitations."""
    return False


def answered_since(claim: Claim, found: list[Contest]) -> bool:
    """Whether somebody contested a claim since it is as it is, and was answered."""
    return any(one.claim == claim.key and one.state == DONE and one.contest > claim.seq for one in found)


def end_with(connection: Connection, claim: str, *, right: bool, by: str, day: date) -> None:
    """What was decided elsewhere ends what is contested here. Its answer is there."""
    for one in contest_store.contests_where(connection, claim=claim):
        if one.state == OPEN:
            detail = {"claim": claim, "contest": one.contest, "right": right, "by": by}
            seq = log.append(connection, EVENTS, [Event(ANSWERED, one.customer, day=day, detail=detail)])
            contest_store.answer_contest(connection, one.contest, None, seq)


class Contests:
    """Contests of rewards. Durable when a method returns."""

    def __init__(self, records: Database, envelope: Envelope, clock: Clock, country: str) -> None:
        self.elsewhere: Elsewhere = nowhere_else
        self._records, self._envelope, self._clock, self._country = records, envelope, clock, country

    def contest(self, customer: int, claim: str, words: str = "") -> Contest:
        """Somebody contests. Again while it is open: the same contest."""
        if len(words) > WORDS_MAX:
            raise BadInput("This is too long to be read.", f"Write at most {WORDS_MAX:,} characters.")
        day = self._today()
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = store.claim(connection, claim)
            if found is None or found.customer != customer:
                raise NotFound("There is no such reward.", "Load the page again.")
            there = [one for one in contest_store.contests_where(connection, claim=claim) if one.state == OPEN]
            if there:
                return there[0]
            if found.state not in (HELD, REVERSED):
                raise NotNow("This reward is not held.", "The page says from which day it is yours.")
            if answered_since(found, contest_store.contests_where(connection, claim=claim)):
                raise NotNow("A person has answered you since.", "You can complain to the authority that the terms name.")
            if found.state == HELD and self.elsewhere(connection, found):
                raise NotNow("Invitations hold this reward.", "Contest it on the page of the invitations.")
            sealed = self._envelope.seal_now(connection, customer, words.strip().encode())
            due = (day + timedelta(days=ANSWER_DAYS)).isoformat()
            event = Event(CONTESTED, customer, day=day, detail={"claim": claim, "due": due})
            seq = log.append(connection, EVENTS, [event])
            made = Contest(seq, claim, customer, OPEN, due, sealed, None, seq)
            contest_store.add_contest(connection, made)
        return made

    def answer(self, number: int, *, by: str, words: str, right: bool) -> Contest:
        """A human answers. right: the claim is released."""
        if not 0 < len(by.strip()) <= BY_MAX or not 0 < len(words.strip()) <= WORDS_MAX:
            raise BadInput("Whoever contests is answered by somebody, with words.", "Say who, and write what she reads.")
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            found = next((one for one in contest_store.contests_where(connection) if one.contest == number), None)
            if found is None:
                raise NotFound("There is no such contest.", "See: volens wallet contests")
            if found.state == DONE:
                raise NotNow("This contest was answered.", "The person reads the answer on her page.")
            claim = store.claim(connection, found.claim)
            if right and claim is not None and claim.state == HELD:
                claims.release(connection, found.claim, day=self._today())
            sealed = self._envelope.seal_now(connection, found.customer, words.strip().encode())
            detail = {"claim": found.claim, "contest": number, "right": right, "by": by.strip()}
            seq = log.append(connection, EVENTS, [Event(ANSWERED, found.customer, day=self._today(), detail=detail)])
            contest_store.answer_contest(connection, number, sealed, seq)
        return Contest(**{**vars(found), "state": DONE, "answer": sealed, "seq": seq})

    def end(self) -> int:
        """Contests that nobody answered in time are won; how many."""
        today, done = self._today(), 0
        with self._records.reading() as connection:
            late = [one for one in contest_store.contests_where(connection) if one.state == OPEN and one.due < today.isoformat()]
        for one in late:
            with self._records.writing() as connection:
                log.lock(connection, EVENTS)
                found = next((each for each in contest_store.contests_where(connection, claim=one.claim) if each == one), None)
                claim = store.claim(connection, one.claim)
                if found is None or claim is None:
                    continue
                if claim.state == HELD:
                    claims.release(connection, one.claim, day=today)
                detail = {"claim": one.claim, "contest": one.contest, "right": True, "by": "nobody answered in time"}
                seq = log.append(connection, EVENTS, [Event(ANSWERED, one.customer, day=today, detail=detail)])
                contest_store.answer_contest(connection, one.contest, None, seq)
                done += 1
        return done

    def of(self, customer: int) -> list[Contest]:
        """Somebody's contests, oldest first."""
        with self._records.reading() as connection:
            return contest_store.contests_where(connection, customer=customer)

    def open_ones(self) -> list[Contest]:
        """What waits for an answer, the most urgent first."""
        with self._records.reading() as connection:
            found = [one for one in contest_store.contests_where(connection) if one.state == OPEN]
        return sorted(found, key=lambda one: (one.due, one.contest))

    def words(self, one: Contest) -> tuple[str, str]:
        """What the person wrote, and what she was answered."""
        said, answer = (self._envelope.open(one.customer, each).decode() if each else "" for each in (one.words, one.answer))
        return said, answer

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)
