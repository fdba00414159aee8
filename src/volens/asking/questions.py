"""One question where the use would happen, and its answer.

Rules:
1. Whether somebody is asked is decided twice: on a snapshot, so that whoever is not asked costs nobody a lock, and again in the
   transaction that records `requested`. Who was overtaken in between does not ask.
2. The same visit sees the same question again until it is answered; that is one question.
3. The answer is tied to the question by its token, which nobody guesses. It is recorded once, however often it is sent.
4. After a no, the same question takes no yes any more: another question, or the permission centre, does. After a yes it takes a no.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from volens.asking import store
from volens.asking.budget import is_silent, year_is_full
from volens.asking.shown import Shown, shown
from volens.asking.store import Put
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence.journeys import Question as Asked
from volens.evidence.journeys import ask
from volens.gate.policy import Rulebook, counts
from volens.holders import Database
from volens.identity import links
from volens.identity.store import LIVES, lives_in
from volens.permissions.ledger import Choice, Ledger, Terms
from volens.permissions.store import of_customers
from volens.programme.model import Programme, Purpose, Text

if TYPE_CHECKING:
    from sqlalchemy import Connection

YES_WITHIN_DAYS = 1
"""A yes to a page that was left open for longer is asked for again."""
VISIT_CHARACTERS_MAX = 200
SURFACE_CHARACTERS_MAX = 64
ANSWERS = ("yes", "no", "later")
YES = {"given", "renewed", "notified"}


TextFor = Callable[[str, int, date], Text]
"""(purpose, customer, day) → the text to ask her under."""


@dataclass(frozen=True)
class Question:
    """A question as it is put. `token` is for whoever is asked, and is what the answer names."""

    token: str
    purpose: str
    text: str
    language: str
    words: str
    html: str
    rendered_sha256: str


@dataclass(frozen=True)
class Answered:
    """What an answer did. `seq` is its number in the record; `permitted`: what stands now."""

    purpose: str
    kind: str
    seq: int
    permitted: bool


class _Overtaken(NotNow):
    """Somebody else asked, or answered, a moment before."""

    def __init__(self) -> None:
        super().__init__("Another browser was faster.", "Load the page again.")


class Questions:
    """Puts questions and takes answers. Durable when a method returns."""

    def __init__(
        self, programme: Programme, rules: Rulebook, terms: Terms, ledger: Ledger, records: Database,
        mac: Callable[[str, bytes], bytes], clock: Clock, text_for: TextFor | None = None,
    ) -> None:  # fmt: skip
        """`mac` is the house's keyed hash (`holders.Keys.mac`); `text_for` says under which text somebody is asked, where
        two are being compared."""
        self._text_for = text_for
        self._programme, self._rules, self._terms, self._ledger = programme, rules, terms, ledger
        self._records, self._mac, self._clock = records, mac, clock

    def shown(self, purpose: str, language: str, customer: int | None = None) -> Shown | None:
        """The question for a purpose under the text in force, or the one that is a customer's; none where nobody can be asked."""
        current = self._terms.current.get(purpose)
        if current is None:
            return None
        text = self._programme.text(current)
        if customer is not None and self._text_for is not None:
            text = self._text_for(purpose, customer, legal_day(self._clock.now(), self._programme.country))
        return shown(self._programme, text, language)

    def asked_at(self, moment: str) -> list[Purpose]:
        """The purposes that are asked for at a moment, in the programme's order."""
        return [one for one in self._programme.purposes.values() if moment in one.asked_at]

    def next(
        self, customer: int, visit: str, moment: str, *, language: str = "fr", surface: str = "question"
    ) -> Question | None:
        """The one question to put to somebody now, or none. Recorded as put when it returns.

        visit: what the shop calls a visit, such as its session's number; kept as a keyed hash.
        moment: where the use would happen: one of `asked_at` in the programme.
        """
        if not self.asked_at(moment):
            moments = sorted({name for one in self._programme.purposes.values() for name in one.asked_at})
            raise NotFound(f"Nothing is asked for at {moment!r}.", f"The programme asks at: {', '.join(moments) or 'no moment'}.")
        if not visit or len(visit) > VISIT_CHARACTERS_MAX:
            raise BadInput("Which visit is it?", f"Name it in 1 to {VISIT_CHARACTERS_MAX} characters.")
        if not surface.strip() or len(surface) > SURFACE_CHARACTERS_MAX:
            raise BadInput("Where is it shown?", f"Name the surface in 1 to {SURFACE_CHARACTERS_MAX} characters.")
        hashed = self._mac("asking/visit", visit.encode()).hex()
        with self._records.reading() as connection:
            there = store.of_visit(connection, customer, hashed)
            found = None if there is not None else self._choose(connection, customer, moment, language)
        if there is not None:
            return self._again(there, moment, language)
        if found is None:
            return None

        def put(connection: Connection, seqs: list[int]) -> None:
            if store.of_visit(connection, customer, hashed) is not None:
                raise _Overtaken
            still = self._choose(connection, customer, moment, language, before=seqs[0])
            if still is None or still.purpose != found.purpose:
                raise _Overtaken
            row = Put(
                seqs[0], _hash(token), customer, found.purpose, found.text, language, moment, hashed, surface,
                found.rendered_sha256, self._today(connection, customer).isoformat(),
            )  # fmt: skip
            store.keep(connection, row)

        token = self._token(customer, hashed, found)
        asked = Choice(
            customer, found.purpose, "requested", text=found.text, language=language, surface=surface,
            proof={**found.proof, "moment": moment},
        )  # fmt: skip
        try:
            self._ledger.record([asked], also=put)
        except _Overtaken:
            with self._records.reading() as connection:
                there = store.of_visit(connection, customer, hashed)
            return self._again(there, moment, language) if there is not None else None
        return _question(token, found)

    def answer(
        self, token: str, said: str, *, customer: int | None = None, actor: str = "the person", shop: str = ""
    ) -> Answered:
        """Takes an answer: `yes`, `no`, or `later` ("not now", which counts as a no for what is asked next).

        customer: who answers, where that is known; somebody else's question is not found. shop: where it was said, at a till.
        """
        if said not in ANSWERS:
            raise BadInput("The answer says neither yes nor no.", f"Send one of: {', '.join(ANSWERS)}.")
        while True:
            with self._records.reading() as connection:
                put = store.by_token(connection, _hash(token))
                if put is None or customer not in (None, put.customer):
                    raise NotFound("This question is not known.", "Load the page again.")
                permitted = self.permitted(connection, put.customer, put.purpose)
                today = self._today(connection, put.customer)
            if put.answered is not None and (said == put.answer or (said == "later" and put.answer in ("yes", "no"))):
                return Answered(put.purpose, self.kind(put.purpose, str(put.answer), permitted=permitted), put.answered, permitted)
            try:
                return self._take(put, said, permitted, today, actor, shop)
            except _Overtaken:
                continue

    def _take(self, put: Put, said: str, permitted: bool, today: date, actor: str, shop: str) -> Answered:
        if said == "yes" and put.answer == "no":
            raise NotNow("This question was answered by no already.", "Permit it in the permission centre, if you like.")
        if said == "yes" and today > date.fromisoformat(put.day) + timedelta(days=YES_WITHIN_DAYS):
            raise NotNow("This question was put some time ago.", "Load the page again, and read it; a no is taken at any time.")
        kind = self.kind(put.purpose, said, permitted=permitted)
        proof = {
            "question": put.seq, "moment": put.moment, "rendered_sha256": put.rendered,
            "text_sha256": self._programme.text(put.text).digest(put.language),
        }  # fmt: skip
        choice = Choice(
            put.customer, put.purpose, kind, text=put.text, language=put.language, surface=put.surface, actor=actor, proof=proof,
            store=shop,
        )

        def note(connection: Connection, seqs: list[int]) -> None:
            if not store.answered(connection, put, said, seqs[0]):
                raise _Overtaken

        seq = self._ledger.record([choice], also=note)[0]
        return Answered(put.purpose, kind, seq, kind in YES or (kind == "deferred" and permitted))

    def kind(self, purpose: str, said: str, *, permitted: bool) -> str:
        """What is recorded for an answer, by the purpose's lawful basis."""
        consent = "given" in self._terms.kinds[purpose]
        if said == "later":
            return "deferred"
        if said == "yes":
            return "given" if consent else "notified"
        return ("withdrawn" if permitted else "refused") if consent else "objected"

    # What may be asked

    def _choose(
        self, connection: Connection, customer: int, moment: str, language: str, before: int | None = None
    ) -> Shown | None:
        """The first question that somebody may be asked at a moment; none if there is none. Sees events below `before`."""
        lives = lives_in(ask(connection, [Asked(LIVES, [customer])])[0])
        if customer not in lives:
            raise NotFound("No customer has this number.", "It was never given, or its customer is erased.")
        life = lives[customer]
        today = legal_day(self._clock.now(), life.country)
        past = store.past(connection, customer, before)
        if year_is_full(past, today) or links.in_front(connection, [customer]):
            return None  # somebody else's purchases still stand under this number: no yes could be taken
        until = self._ledger.minors.stands(life)
        for purpose in self.asked_at(moment):
            closed = self._terms.ages.against(purpose.id, False, until, life.country, today) is not None
            if closed or is_silent(purpose.id, past, today) or self.permitted(connection, customer, purpose.id):
                continue
            found = self.shown(purpose.id, language, customer)
            if found is not None:
                return found
        return None

    def permitted(self, connection: Connection, customer: int, purpose: str) -> bool:
        """Whether a yes counts for everybody whom the text in force names."""
        text = self._terms.current.get(purpose)
        wanted = self._terms.texts[text] if text is not None else frozenset()
        today = self._today(connection, customer)
        # Who was told and still has days to object has said yes or nothing: there is nothing to ask.
        rows = of_customers(connection, [customer], [purpose])
        standing = {row.recipient for row in rows if row.kind == "notified" or counts(row, self._rules, today)}
        return bool(wanted) and wanted <= standing

    def _today(self, connection: Connection, customer: int) -> date:
        lives = lives_in(ask(connection, [Asked(LIVES, [customer])])[0])
        country = lives[customer].country if customer in lives else self._programme.country
        return legal_day(self._clock.now(), country)

    # The same question again

    def _again(self, put: Put, moment: str, language: str) -> Question | None:
        """The question of a visit once more, as long as it is open and was not changed."""
        if put.answered is not None or (put.moment, put.language) != (moment, language):
            return None
        found = self.shown(put.purpose, put.language, put.customer)
        if found is None or (found.text, found.rendered_sha256) != (put.text, put.rendered):
            return None
        return _question(self._token(put.customer, put.visit, found), found)

    def _token(self, customer: int, visit: str, found: Shown) -> str:
        """Follows from the house's key, so that it need not be kept to be shown again."""
        return self._mac("asking/token", f"{customer}/{visit}/{found.text}".encode()).hex()


def _question(token: str, found: Shown) -> Question:
    return Question(token, found.purpose, found.text, found.language, found.words, found.html, found.rendered_sha256)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
