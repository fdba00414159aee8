"""One short question for each purpose, put to a sample of people after a choice: what did they think they agreed to?

Rules:
1. Two or three answers are written, one of them right; “I don't know” is always there beside them, and so is passing by.
2. The question is about what was agreed to, never a trick and never a second asking.
3. What people answer is feedback on the words. It is no proof of anything, and is not kept by person (`volens.publishing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from volens.programme.nodes import Document, Key

FILE = "comprehension"
"""`comprehension.yaml`, beside the other files of a programme; a programme may do without."""


@dataclass(frozen=True)
class Answer:
    """One written answer, by language."""

    says: Mapping[str, str]
    right: bool


@dataclass(frozen=True)
class Check:
    """The question for one purpose."""

    purpose: str
    ask: Mapping[str, str]
    answers: tuple[Answer, ...]

    def __post_init__(self) -> None:
        if len(self.answers) not in (2, 3) or sum(answer.right for answer in self.answers) != 1:
            raise ValueError("a question has two or three answers, exactly one of them right")

    @property
    def right(self) -> int:
        """The place of the right answer."""
        return next(place for place, answer in enumerate(self.answers) if answer.right)

    def name(self, language: str) -> str:
        """Eight characters that stand for exactly these words in a language: other words are counted apart."""
        words = [self.ask[language], *(f"{answer.right} {answer.says[language]}" for answer in self.answers)]
        return sha256("\n".join(words).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Comprehension:
    """What is asked after a choice, and how often."""

    percent: int
    """Of a hundred choices, after how many the question is put."""
    checks: Mapping[str, Check]


NOTHING = Comprehension(0, {})


def build(
    document: Document | None,
    plain: Callable[..., dict[str, str]],
    value: Callable[..., Check | None],
) -> Comprehension:
    """The values of `comprehension.yaml`. `plain` reads words in every language, `value` notes what cannot be built."""
    if document is None:
        return NOTHING
    checks: dict[str, Check] = {}
    for purpose, written in document.data["questions"].items():
        path: tuple[Key, ...] = ("questions", purpose)
        ask = plain(document, written["ask"], *path, "ask")
        answers = tuple(_answer(document, plain, one, (*path, "answers", place)) for place, one in enumerate(written["answers"]))
        check = value(document.at(*path), lambda purpose=purpose, ask=ask, answers=answers: Check(purpose, ask, answers))
        if check is not None:
            checks[purpose] = check
    return Comprehension(document.data["percent"], checks)


def _answer(document: Document, plain: Callable[..., dict[str, str]], written: Any, path: tuple[Key, ...]) -> Answer:
    return Answer(plain(document, written["says"], *path, "says"), written.get("right", False))
