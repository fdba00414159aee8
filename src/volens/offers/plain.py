"""What people wrote into an offer is one line of plain words: it cannot forge a part of the terms, which are Markdown.

Rules:
1. A text is refused for a line break, a control or invisible character, or a sign that Markdown or HTML reads as markup.
2. Whatever gets into the terms all the same is escaped there: the second defence, and nobody relies on it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from volens.programme.nodes import Document, KeyPath

HOW = "Write one line of plain words, without line breaks, < > [ ] ` * # | \\ or _ around words."
_MARKUP = re.compile(r"[<>\[\]`*#|\\]|(?<![^\W_])_|_(?![^\W_])|&(?:\w+|#\w+);")
"""An underscore within a word is none: addresses have it."""
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Categories of characters that break a line, turn it round, or are not seen."""
_ESCAPED = re.compile(r"[<>\[\]`*#|\\]|&(?=#?\w+;)")


def unclean(text: str) -> str:
    """What makes a text no plain line, in words; empty if nothing does."""
    if not text.strip():
        return "it is empty"
    if "\n" in text or "\r" in text:
        return "it has a line break"
    if strange := next((one for one in text if unicodedata.category(one) in _UNSEEN), ""):
        return f"it has the character U+{ord(strange):04X}, which is not seen"
    if markup := _MARKUP.search(text):
        return f"it has {markup.group()}, which is markup"
    return ""


def texts(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Every text of a document with its path, however deep."""
    if isinstance(value, str):
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from texts(one, (*path, key))


def unclean_texts(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """The path of every text that is no plain line, and why."""
    for path, text in texts(document.data):
        if why := unclean(text):
            yield path, why


def escaped(value: object) -> object:
    """A value as it goes into Markdown: text on one line, its markup shown and not read."""
    return _ESCAPED.sub(r"\\\g<0>", " ".join(value.splitlines())) if isinstance(value, str) else value
