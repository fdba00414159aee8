"""What is sealed about a person: the newest line of the customer master for each of her cards, and which of them speaks for her.

Kept by card, so that a master with two lines about one person changes nothing when it comes again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True)
class Line:
    """One line of the master: the person's details, her country, and the account of the e-mail that it names."""

    country: str
    details: Mapping[str, str]
    email: int | None = None

    def __repr__(self) -> str:
        return "Line(…)"


@dataclass
class Lines:
    """All lines about one person, by the account of their card."""

    by_card: dict[int, Line] = field(default_factory=dict, repr=False)
    current: int | None = None
    """Whose line changed last: it speaks for the person."""

    @classmethod
    def read(cls, opened: bytes | None) -> Lines:
        """From what was sealed; nothing gives no lines."""
        if not opened:
            return cls()
        kept = msgspec.json.decode(opened)
        by_card = {int(card): Line(line["country"], line["details"], line["email"]) for card, line in kept["lines"].items()}
        return cls(by_card, kept["current"])

    def write(self) -> bytes:
        """What is sealed: the same bytes for the same lines."""
        lines = {str(card): vars(line) | {"details": dict(line.details)} for card, line in self.by_card.items()}
        return json.dumps({"lines": lines, "current": self.current}, ensure_ascii=False, sort_keys=True).encode()

    @property
    def line(self) -> Line | None:
        """The line that speaks for the person."""
        return self.by_card.get(self.current) if self.current is not None else None

    def put(self, card: int, line: Line) -> bool:
        """Keeps a line; whether it says anything new."""
        before = self.by_card.get(card)
        if line.email is None and before is not None:
            line = Line(line.country, line.details, before.email)  # a line that names no e-mail takes none away
        if before == line:
            return False
        self.by_card[card] = line
        self.current = card
        return True

    def take(self, card: int) -> Line | None:
        """Takes a card's line out: the card belongs to somebody else now."""
        line = self.by_card.pop(card, None)
        if self.current == card:
            self.current = max(self.by_card, default=None)
        return line
