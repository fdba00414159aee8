"""What a person is shown when she is asked: the words, as HTML, and what is kept of them. Pure.

1. The same fragment on every surface: the short question, and the whole text of its version one step behind it.
2. Yes and no are not in it. They come from the one symmetric component of whatever shows the fragment.
3. The fragment follows from the programme and the language alone, so its digest can be made again by anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt

from volens.programme.model import Basis, Programme, Text, digest

WHOLE = {"fr": "Le texte entier", "en": "The whole text"}
"""What opens the text, in each language that pages are written in."""


@dataclass(frozen=True)
class Shown:
    """One question as it is shown."""

    purpose: str
    text: str
    language: str
    words: str
    """The short question."""
    body: str
    """The whole text, Markdown."""
    html: str
    text_sha256: str
    """Of the whole text, as receipts name it."""

    @property
    def rendered_sha256(self) -> str:
        """Of the fragment, as its bytes stand in the page."""
        return digest(self.html)

    @property
    def proof(self) -> dict[str, str]:
        """What the record keeps of it."""
        return {"text_sha256": self.text_sha256, "rendered_sha256": self.rendered_sha256}


def shown(programme: Programme, text: Text, language: str) -> Shown | None:
    """The question for a text, or the title of a contract's; none where it has no question or no page in a language."""
    contract = programme.purpose(text.purpose).basis is Basis.CONTRACT
    words = text.titles.get(language) if contract else text.question.get(language)
    if not words or language not in text.bodies:
        return None
    html = _fragment(language, text.id, words, text.bodies[language])
    return Shown(text.purpose, text.id, language, words, text.bodies[language], html, text.digest(language))


def in_centre(text: Text, language: str, *, opened: bool = False) -> Shown | None:
    """A text as the permission centre shows it beside its two answers: one step behind the use's name, or `opened` on the use's own
    page; none in a language that it is not written in."""
    if language not in text.bodies:
        return None
    html = _in_centre(language, text.id, text.bodies[language], opened)
    return Shown(text.purpose, text.id, language, text.titles[language], text.bodies[language], html, text.digest(language))


def shown_as(text: Text, language: str, rendered_sha256: str) -> Shown | None:
    """The text as the centre shows it today, if that is what has this digest."""
    ways = (in_centre(text, language, opened=opened) for opened in (False, True))
    return next((one for one in ways if one is not None and one.rendered_sha256 == rendered_sha256), None)


@lru_cache(maxsize=512)
def _in_centre(language: str, text: str, body: str, opened: bool) -> str:
    inside = f"<summary>{escape(WHOLE.get(language, WHOLE['en']), quote=False)}</summary>\n"
    whole = _rendered(body).replace("<h1>", '<p class="asked-words">').replace("</h1>", "</p>")
    tag, first = ("div", "") if opened else ("details", inside)
    return f'<{tag} class="asked" lang="{escape(language)}" data-text="{escape(text)}">\n{first}{whole}</{tag}>'


@lru_cache(maxsize=512)
def _fragment(language: str, text: str, words: str, body: str) -> str:
    whole = _rendered(body).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return (
        f'<div class="asked" lang="{escape(language)}" data-text="{escape(text)}">\n'
        f'<p class="asked-words">{escape(words, quote=False)}</p>\n'
        f"<details><summary>{escape(WHOLE.get(language, WHOLE['en']), quote=False)}</summary>\n{whole}</details>\n"
        "</div>"
    )


def _rendered(body: str) -> str:
    return str(MarkdownIt("commonmark", {"html": False}).render(body))
