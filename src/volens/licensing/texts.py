"""Words that somebody writes to be published: her first name, her user name, her town, her review. Pure.

Rules:
1. Plain text of one kind of letters (NFC), without what is not seen and without markup: pages escape it, and so must publishers.
2. A limit for each kind; too much is refused and never cut.
3. A first name is letters, by the same check as where people invite (`identity.names`).
"""

from __future__ import annotations

import unicodedata

from volens.errors import BadInput
from volens.identity.names import CHARACTERS_MAX as NAME_MAX
from volens.identity.names import first_name
from volens.offers.document import Item

CHARACTERS_MAX = {Item.FIRST_NAME: NAME_MAX, Item.USER_NAME: 40, Item.HOME_TOWN: 60, Item.REVIEW: 1_000}
"""What can be written, and how long it is at most."""
LINES_MAX = 20
JOINERS = "\u200c\u200d"
"""Within words of some languages, and within one emoji."""
TEXT_TYPE = "text/plain; charset=utf-8"


def written(kind: str, text: str) -> bytes:
    """A text as it is kept. `BadInput` for none, for too much, and for what is not seen."""
    if kind not in CHARACTERS_MAX:
        raise BadInput(f"{kind!r} is not written.", f"Write one of: {', '.join(CHARACTERS_MAX)}.")
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    most = CHARACTERS_MAX[Item(kind)]
    if not plain or len(plain) > most:
        raise BadInput("The text is empty." if not plain else "The text is too long.", f"Write 1 to {most} characters.")
    lines = plain.split("\n")
    if len(lines) > (LINES_MAX if kind == Item.REVIEW else 1):
        raise BadInput("The text has too many lines.", "Write fewer lines.")
    if any(unicodedata.category(one)[0] == "C" and one not in JOINERS for line in lines for one in line):
        raise BadInput("The text holds characters that nobody sees.", "Write it anew, in plain letters.")
    return (first_name(plain) if kind == Item.FIRST_NAME else plain).encode()
