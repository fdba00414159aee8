"""Whether a file holds what the word lists can read: text, with words in it, in French or English.

Rules:
1. What cannot be read is an error. "Nothing found" is said only of a text that was read.
2. A language is told by the share of its commonest words, in texts of twenty words or more; a shorter one is read as it is.
"""

from __future__ import annotations

import re

from volens.errors import BadInput
from volens.offers.passages import passages_of
from volens.programme.words import folded

WORDS_MIN = 20
SHARE_MIN = 0.07
"""Of French and English terms a fifth to a half are common words; of their neighbours, one in twenty words looks like these."""
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_FORMATS = ("%PDF-", "{\\rtf", "PK\x03\x04")
_WORDS = (
    "le les des du et est une vous nous votre vos notre nos pour dans par sur avec pas qui ce cette ces sont aux sans leur "
    "plus the of and to you your our for with that this by are be or not it any will may from have has if us"
)
_COMMON = frozenset(_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+")


def require_legible(text: str, kind: str) -> None:
    """Raises `BadInput` for what is no text, has no words, or is neither French nor English; `kind` is the suffix of its file."""
    if text.lstrip("\ufeff").startswith(_FORMATS) or _NO_TEXT.search(text):
        raise BadInput("The file is no text.", "Save the terms as text, Markdown or HTML in UTF-8.")
    words = [word for one in passages_of(text, kind) for word in _WORD.findall(folded(one.sentence))]
    if not words:
        raise BadInput("The text is empty.", "Give the terms as text, Markdown or HTML; a scan or a script has no words to read.")
    if len(words) >= WORDS_MIN and sum(word in _COMMON for word in words) < SHARE_MIN * len(words):
        raise BadInput("The text is neither French nor English.", "Give terms in French or English; no other language is read.")
