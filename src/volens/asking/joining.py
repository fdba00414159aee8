"""Joining: a card for somebody who asks for one, and each optional use answered apart.

Rules:
1. The card works with every answer left at no. What is unanswered is not recorded, and is no.
2. Nothing is asked that the card does not need. A birth date is asked of whoever says that they are a minor, and offered where
   the programme takes everybody without one for a minor; a yes that their age does not allow is left out, and they are told.
3. A form is sent once, however often its button is pressed: its token finds the same card, the same person and the same choices.
   A run that was killed half-way goes on where it stopped.
4. What the record keeps of each text is the digest of what the form showed. If a text changed since, nothing is recorded, and the
   form is shown again; a no would have been taken, but the person did not finish joining.
5. Whether an e-mail is known already is told to nobody: one that is somebody else's stays theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from volens.asking import store
from volens.asking.questions import Questions
from volens.asking.shown import Shown
from volens.asking.store import Joining as Row
from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence.log import EVENTS, lock
from volens.holders import Database
from volens.permissions.ledger import Choice, Ledger, Terms
from volens.programme.model import Basis, Programme, Purpose

if TYPE_CHECKING:
    from sqlalchemy import Connection

JOINING = "joining"
"""The moment at which a purpose is asked for on this form."""
KEPT_DAYS = 30
"""For how long the same form finds its card again."""
TOKEN_CHARACTERS = range(16, 129)
LONGEST = {
    "given_name": 80, "family_name": 80, "email": 254, "phone": 30, "street": 120, "postcode": 12, "city": 80, "birth_date": 10,
}  # fmt: skip
NEEDED = ("given_name", "family_name")
CARD_PREFIX = "29"
"""GS1 leaves numbers from 20 to 29 to each shop for its own use."""
OLDEST_YEARS = 120


class Unfinished(BadInput):
    """The form lacks something. `fields`: name → `missing`, `unreadable` or `too-long`."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(f"The form cannot be read in: {', '.join(sorted(fields))}.", "Fill these in and send it again.")
        self.fields = dict(fields)


@dataclass(frozen=True)
class Application:
    """What somebody sent. Never printed."""

    token: str
    """The form's own number, made when it was shown."""
    details: Mapping[str, str] = field(repr=False)
    """Names, and what else was given: see `LONGEST`. Empty ones are left out."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Purpose → `yes` or `no`; what is unanswered is left out."""
    rendered: Mapping[str, str] = field(default_factory=dict)
    """Purpose → digest of what the form showed of it, the contract's included."""
    language: str = "fr"
    surface: str = "sign-up"
    minor: bool = False
    """They say that they are not of age."""


@dataclass(frozen=True)
class Joined:
    """A new card. `too_young`: purposes whose yes was left out because of age."""

    card: str
    customer: int
    said: tuple[tuple[str, str], ...]
    """(purpose, kind) of each choice on record."""
    too_young: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Person:
    """One line for the customer master's own way in (`customers.enrolment`)."""

    card: str
    email: str | None
    country: str
    details: Mapping[str, str]
    line: int = 0
    reference: str | None = None
    replaces: str | None = None
    closed: str | None = None

    def __repr__(self) -> str:
        return "_Person(…)"


class Joinings:
    """Takes sign-up forms. Durable when `join` returns."""

    def __init__(
        self, programme: Programme, terms: Terms, ledger: Ledger, questions: Questions, records: Database,
        enrol: Callable[[Sequence[Any]], object], find: Callable[[str, str], Any], mac: Callable[[str, bytes], bytes], clock: Clock,
    ) -> None:  # fmt: skip
        """`enrol` takes a line of the customer master in; `find` gives a card's customer (`vault.known`, one at a time)."""
        self._programme, self._terms, self._ledger, self._questions = programme, terms, ledger, questions
        self._records, self._enrol, self._find, self._mac, self._clock = records, enrol, find, mac, clock

    def contract(self, language: str) -> list[Shown]:
        """What the card itself is about: shown, and accepted by joining."""
        found = [self._questions.shown(one.id, language) for one in self._contracts()]
        return [one for one in found if one is not None]

    def optional(self, language: str) -> list[Shown]:
        """The questions of the form, in the programme's order."""
        found = [self._questions.shown(one.id, language) for one in self._questions.asked_at(JOINING)]
        return [one for one in found if one is not None]

    @property
    def asks_everybody_for_age(self) -> bool:
        """Whether somebody without a birth date counts as a minor, so that it is offered to all."""
        return self._programme.unknown_age == "minor"

    def join(self, form: Application) -> Joined:
        """Makes the card. `Unfinished` for what is missing; `NotNow` if a text changed since the form was shown."""
        today = legal_day(self._clock.now(), self._programme.country)
        details = self._checked(form, today)
        choices, too_young = self._choices(form, details.get("birth_date"), today)
        row = self._claim(form.token, today)
        card = self._card(form.token, row.tried)
        if row.done is None:
            email = details.pop("email", None)
            self._enrol([_Person(card, email, self._programme.country, {**details, "language": form.language})])
        customer = int(self._find("card", card).customer)
        if row.done is None:
            self._record(row, customer, [_about(customer, one) for one in choices])
        said = [(one.purpose, one.kind) for one in self._ledger.history(customer) if one.how.get("surface") == form.surface]
        return Joined(card, customer, tuple(said), tuple(too_young))

    def _record(self, row: Row, customer: int, choices: Sequence[Choice]) -> None:
        def done(connection: Connection, seqs: list[int]) -> None:
            if not store.joined(connection, row.token, customer, seqs[0]):
                raise _Twice

        with suppress(_Twice):  # the same form, sent twice at once: the other one recorded it
            self._ledger.record(choices, also=done)

    # What was sent

    def _checked(self, form: Application, today: date) -> dict[str, str]:
        wrong = {}
        details = {name: " ".join(value.split()) for name, value in form.details.items() if name in LONGEST and value.strip()}
        for name, value in details.items():
            if len(value) > LONGEST[name]:
                wrong[name] = "too-long"
            elif not value.isprintable():
                wrong[name] = "unreadable"
        wrong |= {name: "missing" for name in NEEDED if name not in details}
        local, at, host = details.get("email", "a@b.c").partition("@")
        if not (local and at and "." in host.strip(".")) or " " in details.get("email", ""):
            wrong.setdefault("email", "unreadable")
        born = details.get("birth_date")
        if born is not None and not _is_birth_date(born, today):
            wrong["birth_date"] = "unreadable"
        if form.minor and born is None:
            wrong["birth_date"] = "missing"
        if wrong:
            raise Unfinished(wrong)
        if len(form.token) not in TOKEN_CHARACTERS:
            raise BadInput("This form has no number.", "Load the page again.")
        unknown = sorted(form.answers.keys() - {one.purpose for one in self.optional(form.language)})
        if unknown:
            raise BadInput(f"The form asks nothing about {unknown[0]!r}.", "Load the page again.")
        return details

    def _choices(self, form: Application, born: str | None, today: date) -> tuple[list[tuple[Shown, str, str]], list[str]]:
        """(what was shown, kind, surface) of each choice, and the purposes whose yes age does not allow."""
        until = self._terms.ages.minor_until(born, self._programme.country, today)
        contract, asked = self.contract(form.language), self.optional(form.language)
        if not contract:
            raise NotNow("There is no card to join in this language.", "Choose another language.")
        said: list[tuple[Shown, str, str]] = [(one, "joined", form.surface) for one in contract]
        too_young = []
        for one in asked:
            answer = form.answers.get(one.purpose)
            if answer == "yes" and self._terms.ages.against(one.purpose, False, until, self._programme.country, today) is not None:
                too_young.append(one.purpose)
            elif answer is not None:
                said.append((one, self._questions.kind(one.purpose, answer, permitted=False), form.surface))
        for one, kind, _ in said:
            if kind in ("joined", "given", "notified") and form.rendered.get(one.purpose) != one.rendered_sha256:
                raise NotNow("A text of this form has changed since it was shown.", "Read it again, and send the form once more.")
        return said, too_young

    # The card

    def _claim(self, token: str, today: date) -> Row:
        """The row of this form: made by whoever is first, found by everybody else."""
        hashed = hashlib.sha256(token.encode()).hexdigest()
        for tried in range(100):
            with self._records.reading() as connection:
                there = store.joining(connection, hashed)
            if there is not None:
                return there
            card = self._card(token, tried)
            if self._known(card):
                continue
            row = Row(hashed, self._mac("asking/card", card.encode()).hex(), tried, None, None, today.isoformat())
            with self._records.writing() as connection:
                lock(connection, EVENTS)
                store.forget_joinings(connection, (today - timedelta(days=KEPT_DAYS)).isoformat())
                if store.claim(connection, row):
                    return row
            # Else the same form, or the same number for another one, came a moment before.
        raise NotNow("No card number is free.", "Try again in a moment.")

    def _known(self, card: str) -> bool:
        try:
            self._find("card", card)
        except NotFound:
            return False
        return True

    def _card(self, token: str, tried: int) -> str:
        """Thirteen digits, the last by EAN-13. They follow from the form's token, so that no list of them is kept."""
        number = int.from_bytes(self._mac("asking/joining", f"{token}/{tried}".encode())[:8], "big") % 10**10
        body = f"{CARD_PREFIX}{number:010}"
        weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
        return f"{body}{-weighed % 10}"

    def _contracts(self) -> list[Purpose]:
        return [one for one in self._programme.purposes.values() if one.basis is Basis.CONTRACT]


class _Twice(NotNow):
    def __init__(self) -> None:
        super().__init__("This form was sent already.", "Nothing more is to be done.")


def _about(customer: int, said: tuple[Shown, str, str]) -> Choice:
    one, kind, surface = said
    return Choice(customer, one.purpose, kind, text=one.text, language=one.language, surface=surface, proof=one.proof)


def _is_birth_date(born: str, today: date) -> bool:
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return False
    return today.year - OLDEST_YEARS <= day.year and day <= today and len(born) == 10
