"""Was it understood? One short question to a sample of people, right after a choice.

Rules:
1. Whether a choice is followed by the question is drawn by `secrets` at the programme's rate. It is put at most once a choice:
   who records the choice calls `question` once, then.
2. Passing by is free: one tap, counted as such, and the page is the same for who answers wrongly.
3. Nothing is kept by person, in no table and no log: a question travels as a signed number that says only text, language,
   surface and wording, and comes back with the answer. What stays are counts.
4. A number can be used once and for an hour; one that was not signed here is refused. An answer changes no permission and is
   never evidence of one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotNow
from volens.evidence.merkle import canonical_json
from volens.holders import Database
from volens.permissions.counts import language_label, surface_label, week_of
from volens.programme.model import Programme
from volens.programme.understanding import Check
from volens.publishing import counts
from volens.publishing.counts import PUT, RIGHT, SKIPPED, UNKNOWN, WRONG, Cell

OPEN_FOR = timedelta(hours=1)
TOKEN_CHARACTERS_MAX = 1_000
_FORGED = ("This question is not one of ours.", "Go back to your permissions; nothing was counted.")


@dataclass(frozen=True)
class Question:
    """What is put to somebody: the words, the answers in the order of the page, and the number that comes back with one."""

    text: str
    language: str
    ask: str
    answers: tuple[tuple[str, str], ...]
    """(value, words). `unknown` and `skipped` are values too, whose words are the page's."""
    token: str


@dataclass(frozen=True)
class Outcome:
    """What became of an answer, for the page that thanks: was it right, and what is right."""

    answer: str
    text: str
    language: str
    right: str


class Understanding:
    """Puts the question and counts the answers."""

    def __init__(
        self, records: Database, edition: Programme, mac: Callable[[str, bytes], bytes], clock: Clock,
        draw: Callable[[int], int] = secrets.randbelow,
    ) -> None:  # fmt: skip
        """`mac` is the house's keyed hash; `draw` gives a random whole number below its argument."""
        self._records, self._edition, self._mac, self._clock, self._draw = records, edition, mac, clock, draw

    def question(self, text: str, language: str, *, surface: str, trial: str = "") -> Question | None:
        """The question after a choice under a text, or none: not drawn, or none is written. In a trial
        it is put to everybody who said yes in it."""
        check = self._edition.comprehension.checks.get(text.split("/")[0])
        if check is None or language not in check.ask or text not in self._edition.texts:
            return None
        if not trial and self._draw(100) >= self._edition.comprehension.percent:
            return None
        order = list(range(len(check.answers)))
        for place in range(len(order) - 1, 0, -1):
            other = self._draw(place + 1)
            order[place], order[other] = order[other], order[place]
        until = (self._clock.now() + OPEN_FOR).isoformat(timespec="minutes")
        cell = Cell("", text, language_label(language), surface_label(surface), check.name(language), PUT, 1, trial)
        said = {
            "text": text, "language": language, "surface": cell.surface, "name": cell.question, "order": order,
            "until": until, "number": secrets.token_hex(16), "trial": trial,
        }  # fmt: skip
        with self._records.writing() as connection:
            counts.add(connection, replace(cell, week=self._week()))
        return self._shown(check, said)

    def again(self, token: str) -> Question | None:
        """The same question, for a page that is loaded again; none once it was answered, is too old or has other words now."""
        said = self._opened(token)
        check = self._edition.comprehension.checks.get(said["text"].split("/")[0])
        with self._records.reading() as connection:
            over = counts.is_answered(connection, _hash(said))
        gone = check is None or check.name(said["language"]) != said["name"] or self._late(said)
        return None if over or gone or check is None else self._shown(check, said)

    def answer(self, token: str, answer: str) -> Outcome:
        """Counts one answer: the place of a written one, `unknown` or `skipped`.

        `BadInput` for a number or an answer that is none, `NotNow` for a question that was answered or is too old.
        """
        said = self._opened(token)
        check = self._edition.comprehension.checks.get(said["text"].split("/")[0])
        if check is None or check.name(said["language"]) != said["name"] or self._late(said):
            raise NotNow("This question is not open any more.", "Nothing was counted, and nothing changes for you.")
        places = {str(place): (RIGHT if place == check.right else WRONG) for place in range(len(check.answers))}
        meant = {**places, UNKNOWN: UNKNOWN, SKIPPED: SKIPPED}.get(answer)
        if meant is None:
            raise BadInput("That is not one of the answers.", "Choose one of those shown, or pass by.")
        language = language_label(said["language"])
        cell = Cell(self._week(), said["text"], language, said["surface"], said["name"], meant, 1, said["trial"])
        with self._records.writing() as connection:
            counts.forget_answered(connection, (self._today() - timedelta(days=1)).isoformat())
            if not counts.take_once(connection, _hash(said), said["until"][:10]):
                raise NotNow("This question was answered already.", "It counts once; nothing changes for you.")
            counts.add(connection, cell)
        return Outcome(meant, said["text"], said["language"], check.answers[check.right].says[said["language"]])

    def _shown(self, check: Check, said: dict[str, Any]) -> Question:
        language = said["language"]
        answers = tuple((str(place), check.answers[place].says[language]) for place in said["order"])
        return Question(said["text"], language, check.ask[language], answers, self._sealed(said))

    def _sealed(self, said: dict[str, Any]) -> str:
        content = canonical_json(said)
        return f"{base64.urlsafe_b64encode(content).decode().rstrip('=')}.{self._signature(content)}"

    def _opened(self, token: str) -> dict[str, Any]:
        content, _, signature = token.partition(".")
        if len(token) > TOKEN_CHARACTERS_MAX or not (content.isascii() and signature.isascii()):
            raise BadInput(*_FORGED)
        try:
            raw = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
        except ValueError:
            raise BadInput(*_FORGED) from None
        if not hmac.compare_digest(self._signature(raw), signature):
            raise BadInput(*_FORGED)
        said: dict[str, Any] = json.loads(raw)
        return said

    def _signature(self, content: bytes) -> str:
        return self._mac("comprehension", content).hex()

    def _late(self, said: dict[str, Any]) -> bool:
        return datetime.fromisoformat(said["until"]) < self._clock.now()

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._edition.country)

    def _week(self) -> str:
        return week_of(self._today())


def _hash(said: dict[str, Any]) -> str:
    return hashlib.sha256(said["number"].encode()).hexdigest()
