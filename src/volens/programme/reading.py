"""How easily a text is read: Kandel and Moles for French, Flesch for English.

Rules:
1. 100 is very easy, 60 ordinary, 30 a contract. A relative gate beside the length of sentences and the lists of words,
   never a proof that somebody understood: that is asked of people (`volens.publishing`).
2. Syllables are the places at which `pyphen` would break a word, plus one: dictionaries on disk, no network.
3. Headings, entries of lists and paragraphs end sentences. Figures and addresses count as words of one syllable.

    French  (Kandel and Moles, 1958)   207     - 1.015 words/sentence - 73.6 syllables/word
    English (Flesch, 1948)             206.835 - 1.015 words/sentence - 84.6 syllables/word
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pyphen

from volens.errors import BadInput

EASE_MIN = 70
"""What a short text is to reach."""
SENTENCE_WORDS_MEAN = 15
"""What the sentences of a short text are to have at most, on average."""

_FORMULAS: Mapping[str, tuple[float, float, float]] = {"fr": (207.0, 1.015, 73.6), "en": (206.835, 1.015, 84.6)}
LANGUAGES = frozenset(_FORMULAS)
_SENTENCE_ENDS = re.compile(r"[.!?]+(?=[\s»”\"]|$)|\n\s*\n|\n\s*(?=[-#>*])")
_HEADINGS = re.compile(r"(?m)^#+ (.*)$")
_WORDS = re.compile(r"[^\W_]+(?:[-'@./][^\W_]+)*")
_APOSTROPHES = re.compile("[’‘ʼ]")
_ELIDED = frozenset(["c", "d", "j", "l", "m", "n", "s", "t", "qu"])
"""What stands before an apostrophe and is read as one with the next word."""
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Ease:
    """What was measured of a text."""

    ease: float
    """Higher is easier; whole texts lie between 0 and 100, single sentences outside too."""
    words: int
    sentences: int
    syllables: int

    @property
    def words_per_sentence(self) -> float:
        """On average."""
        return self.words / self.sentences


def measure(text: str, language: str) -> Ease:
    """Measures a text, plain or Markdown. `BadInput` for a language without a formula, or without a word to measure."""
    if language not in _FORMULAS:
        raise BadInput(f"There is no formula for reading ease in {language!r}.", f"There is one for: {', '.join(_FORMULAS)}.")
    sentences = [words for part in _SENTENCE_ENDS.split(_plain(text)) if (words := _WORDS.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        raise BadInput("There is no word to measure.", "Give a text.")
    syllables = sum(_syllables(word, language) for word in words)
    start, per_sentence, per_word = _FORMULAS[language]
    ease = start - per_sentence * len(words) / len(sentences) - per_word * syllables / len(words)
    return Ease(ease, len(words), len(sentences), syllables)


def _plain(text: str) -> str:
    """One kind of apostrophe, headings as sentences of their own, and without Markdown's marks."""
    return _APOSTROPHES.sub("'", _HEADINGS.sub(r"\1.\n", text)).replace("**", "").replace("_", " ").replace("\u00ad", "")


def _syllables(word: str, language: str) -> int:
    letters = _LETTERS.findall(word)
    if not letters or "@" in word:
        return 1
    parts = [part.lower() for part in letters]
    return max(1, sum(len(_hyphens(language).positions(part)) + 1 for part in parts if part not in _ELIDED))


@cache
def _hyphens(language: str) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang={"fr": "fr", "en": "en_US"}[language])
