"""Finding words in what people read, in French and English.

Rules:
1. Accents, case, kinds of apostrophe, Markdown emphasis, line breaks and soft hyphens make no difference.
2. A pattern matches whole words only; a final `*` stands for any inflection, and a blank for any white space.
3. Negation is looked for in the clause before the word, not in the whole sentence: "you pay nothing and waive your
   rights" waives rights.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

_APOSTROPHES = "’‘ʼ`´′"
_DROPPED = frozenset("*_\u00ad\u200b\u200c\u200d\ufeff")
_LIGATURES = {"œ": "oe", "æ": "ae", "ﬁ": "fi", "ﬂ": "fl"}
_CLAUSE_ENDS = re.compile(r"[.!?;:,()\[\]–—«»“”\"]|\n\s*\n|\n\s*[-#>]| (?:et|mais|and|but|puis|then) ")
_SENTENCE_ENDS = re.compile(r"[.!?;](?=\s|$)|\n\s*\n|\n\s*[-#>]")
_NEGATION = re.compile(
    r"(?<!\w)(?:ne|n'|non|jamais|aucun|aucune|sans|ni|pas|personne|rien"
    r"|not|never|no|nor|without|neither|cannot|nobody|nothing|none|(?:do|does|did|will|wo|ca|can|is|are)n't|don't)"
    r"(?!\w)|(?<!\w)n'"
)


@dataclass(frozen=True)
class Match:
    """One place where a pattern fits: the words as they were written, and their line, counted from 1."""

    written: str
    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Folded:
    """A text made comparable, that still knows where each letter came from."""

    original: str
    text: str
    origins: tuple[int, ...]
    """For each letter of `text`, its position in `original`."""

    def line(self, position: int) -> int:
        """The line of the original on which a letter of the folded text stands."""
        origin = self.origins[position] if position < len(self.origins) else len(self.original)
        return self.original.count("\n", 0, origin) + 1

    def sentence(self, position: int) -> str:
        """The folded sentence around a position."""
        begin, end = self._bounds(position, _SENTENCE_ENDS)
        return self.text[begin:end]

    def sentences(self) -> Iterator[tuple[int, str]]:
        """Every folded sentence with the position at which it begins."""
        begin = 0
        for stop in _SENTENCE_ENDS.finditer(self.text):
            yield begin, self.text[begin : stop.end()]
            begin = stop.end()
        yield begin, self.text[begin:]

    def negated(self, start: int) -> bool:
        """Whether the clause says no before the word at `start`."""
        begin, _ = self._bounds(start, _CLAUSE_ENDS)
        return _NEGATION.search(self.text, begin, start) is not None

    def _bounds(self, position: int, ends: re.Pattern[str]) -> tuple[int, int]:
        begin, end = 0, len(self.text)
        for stop in ends.finditer(self.text):
            if stop.end() <= position:
                begin = stop.end()
            elif stop.start() >= position:
                end = stop.end()
                break
        return begin, end


@lru_cache(maxsize=4096)
def fold(text: str) -> Folded:
    """The text without accents, case, emphasis and typographic differences."""
    letters: list[str] = []
    origins: list[int] = []
    for position, letter in enumerate(text):
        if letter in _DROPPED:
            continue
        if letter in _APOSTROPHES:
            plain = "'"
        elif letter != "\n" and letter.isspace():
            plain = " "
        else:
            lowered = _LIGATURES.get(letter.lower(), letter.lower())
            plain = "".join(part for part in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(part))
        letters += plain
        origins += [position] * len(plain)
    return Folded(text, "".join(letters), tuple(origins))


_SPACES = dict.fromkeys((code for code in range(0x3001) if chr(code).isspace() and chr(code) != "\n"), " ")
_TYPOGRAPHY = (
    _SPACES | {ord(letter): None for letter in _DROPPED} | {ord(letter): "'" for letter in _APOSTROPHES}
)


@lru_cache(maxsize=1 << 17)
def folded(text: str) -> str:
    """`fold(text).text`, for many names whose letters need not know where they came from."""
    # First what is dropped and what is an apostrophe: small letters and decomposition would change some of them.
    plain = text.translate(_TYPOGRAPHY).lower()
    if plain.isascii():
        return plain
    for ligature, letters in _LIGATURES.items():
        plain = plain.replace(ligature, letters)
    return "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))


@cache
def pattern(*phrases: str) -> re.Pattern[str]:
    """A pattern for any of the phrases.

    In a phrase, `*` ends a word in any inflection, `(a|b)` is a choice, `…` stands for up to six words.
    """
    return re.compile("|".join(f"(?:{_phrase(phrase)})" for phrase in phrases))


def _phrase(phrase: str) -> str:
    folded = fold(phrase.replace("*", "\x00")).text
    escaped = "".join(letter if letter in "|()?" else re.escape(letter) for letter in folded)
    # Whatever stands for white space must also cross a line break, since pages are wrapped.
    spaced = re.sub(r"(?:\\ )+", r"\\s+", escaped)
    wild = spaced.replace("\\\x00", "\x00").replace("\x00", r"\w*")
    gaps = re.sub(r"(?:\\s\+)?(?:\\\.){3}(?:\\s\+)?", r"(?:,?\\s+[^\\s.!?;]+?){0,6}?,?\\s+", wild)
    return rf"(?<!\w){gaps}(?!\w)"


def matches(text: str, wanted: re.Pattern[str], *, unless_negated: bool = False) -> Iterator[Match]:
    """Every place where a pattern fits, in the order of the text."""
    folded = fold(text)
    for found in wanted.finditer(folded.text):
        if unless_negated and folded.negated(found.start()):
            continue
        first, last = folded.origins[found.start()], folded.origins[found.end() - 1]
        written = " ".join(text[first : last + 1].split())
        yield Match(written, folded.line(found.start()), found.start(), found.end())


def says_no(phrase: str) -> bool:
    """Whether a phrase itself holds a word of negation."""
    return _NEGATION.search(fold(phrase).text) is not None


def contains(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase as whole words."""
    squeezed = " ".join(fold(phrase).text.split())
    return re.search(rf"(?<!\w){re.escape(squeezed)}(?!\w)", " ".join(fold(text).text.split())) is not None
