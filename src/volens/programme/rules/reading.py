"""What people read, page by page, for the rules about words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from volens.programme.findings import Place
from volens.programme.model import Programme, Purpose, Text
from volens.programme.rules.rule import Hit
from volens.programme.words import matches, pattern


@dataclass(frozen=True)
class Page:
    """Words in one language, and where they stand."""

    lang: str
    words: str
    place: Place
    is_file: bool = False
    """Whether the words are a whole file, so that lines can be counted in it."""

    def at(self, line: int) -> Place:
        """The place of a line of the words."""
        return Place(self.place.file, line) if self.is_file else self.place


def texts_in_use(programme: Programme, on: date) -> Iterator[tuple[Purpose, Text]]:
    """The texts that are shown on a day or will be: the newest that stands, and what comes after it.

    Older versions are what some people accepted; they cannot be mended any more, only invalidated.
    """
    for purpose in programme.purposes.values():
        shown = [text for text in programme.texts_of(purpose.id) if text.stands(on)]
        coming = [text for text in programme.texts_of(purpose.id) if text.valid_from > on]
        for text in (*shown[-1:], *coming):
            yield purpose, text


def pages(programme: Programme, on: date) -> Iterator[Page]:
    """Everything that people read: texts, the short questions, the line for each purpose, payments, the data, public claims."""
    for _, text in texts_in_use(programme, on):
        for lang, body in text.bodies.items():
            yield Page(lang, body, Place(text.file(lang), 1), is_file=True)
        for lang, words in text.question.items():
            yield Page(lang, words, text.source.at("question", lang))
    for purpose in programme.purposes.values():
        for lang, words in purpose.plain.items():
            yield Page(lang, words, purpose.source.at("plain", lang))
    for recipient in programme.recipients.values():
        for lang, words in recipient.pays_for.items():
            yield Page(lang, words, recipient.source.at("pays_for", lang))
    for category in programme.categories.values():
        for name, field in category.fields.items():
            for lang, words in field.plain.items():
                yield Page(lang, words, category.source.at("fields", name))
    yield from claims(programme, on)


def claims(programme: Programme, on: date) -> Iterator[Page]:
    """What the house says in public on a day, or will."""
    for claim in programme.claims:
        if claim.stands(on) or claim.since > on:
            for lang, words in claim.says.items():
                yield Page(lang, words, claim.source.at("says", lang))


def hits(
    programme: Programme, on: date, phrases: tuple[str, ...], message: str, remedy: str, *, unless_negated: bool
) -> Iterator[Hit]:
    """A hit for every page and place where one of the phrases is read; `{}` in the message is what was written."""
    wanted = pattern(*phrases)
    for page in pages(programme, on):
        for found in matches(page.words, wanted, unless_negated=unless_negated):
            yield Hit(page.at(found.line), message.format(f"“{found.written}”"), remedy)
