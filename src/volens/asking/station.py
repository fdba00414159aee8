"""The station of asking, as the house hands it out (`house.asking`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from volens.asking.joining import Joinings
from volens.asking.paper import Paper, Sealing
from volens.asking.questions import Answered, Question, Questions, TextFor
from volens.clock import Clock
from volens.gate.policy import Rulebook
from volens.holders import Database
from volens.permissions.ledger import Ledger, Terms
from volens.programme.model import Programme

if TYPE_CHECKING:
    from volens.identity.vault import Identified


class Knowing(Sealing, Protocol):
    """What asking needs of the vault."""

    def find(self, kind: str, value: str) -> Identified:
        """The numbers behind a card or an e-mail; `NotFound` for nobody's."""


class Asking:
    """Questions at the moment of use, sign-up forms, paper; see `volens.asking` for the rules."""

    def __init__(
        self, programme: Programme, rules: Rulebook, terms: Terms, ledger: Ledger, records: Database, vault: Knowing,
        enrol: Callable[[Sequence[Any]], object], mac: Callable[[str, bytes], bytes], clock: Clock,
        text_for: TextFor | None = None,
    ) -> None:  # fmt: skip
        self.questions = Questions(programme, rules, terms, ledger, records, mac, clock, text_for)
        self.joinings = Joinings(programme, terms, ledger, self.questions, records, enrol, vault.find, mac, clock)
        self.paper = Paper(programme, terms, ledger, self.questions, records, vault, mac, clock)

    def next_question(
        self, customer: int, visit: str, moment: str, *, language: str = "fr", surface: str = "question"
    ) -> Question | None:
        """The one question to put to somebody now, or none; see `Questions.next`."""
        return self.questions.next(customer, visit, moment, language=language, surface=surface)

    def answer(
        self, token: str, said: str, *, customer: int | None = None, actor: str = "the person", shop: str = ""
    ) -> Answered:
        """Takes an answer: `yes`, `no` or `later`; see `Questions.answer`."""
        return self.questions.answer(token, said, customer=customer, actor=actor, shop=shop)
