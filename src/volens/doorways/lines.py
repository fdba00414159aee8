"""What is printed and appended: the line of a till receipt and of a message's end, and the short address as a QR code.

1. The line is made of the house's address and, where it is known, of the card's own; in each language of the programme.
2. On paper it is cut for the till's width, never within an address.
3. A QR code is SVG without script or style of its own, error correction M, readable from 20 mm on.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import segno

from volens.doorways.words import say, spoken

WIDTH_MIN = 24


@dataclass(frozen=True)
class Lines:
    """Makes lines for one house."""

    address: str

    def line(self, language: str, url: str | None = None) -> str:
        """The words in one line: where to see and change, and where to say no without an account."""
        chosen = spoken(language)
        said = say(chosen, "line", address=_plain(self.address))
        return f"{said}\n{say(chosen, 'line.no', url=_plain(url))}" if url else said

    def receipt(self, language: str, url: str | None, width: int) -> list[str]:
        """The same for a till that prints so many characters a line."""
        return [line for part in self.line(language, url).split("\n") for line in _cut(part, max(width, WIDTH_MIN))]


def qr_svg(url: str) -> str:
    """The QR code of an address, as an SVG element that scales."""
    drawn = io.BytesIO()
    segno.make(url, error="m", micro=False).save(drawn, kind="svg", xmldecl=False, omitsize=True, border=4, nl=False)
    return drawn.getvalue().decode("utf-8")


def _plain(address: str | None) -> str:
    """An address as people type it: browsers add what is left out."""
    return (address or "").removeprefix("https://").removeprefix("http://")


def _cut(text: str, width: int) -> list[str]:
    """Words in lines of at most so many characters; what is longer than a line, as an address may be, has one of its own."""
    lines, line = list[str](), ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
