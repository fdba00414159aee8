"""One flow of data: what people were told of it, and what was really used. Pure.

Rules:
1. A flow is named item by item, in the words of whoever named it: fields of a purpose, columns of a feed, needs of an act.
2. What was named and not used for long enough is proposed to be dropped. Before that nothing is proposed, and it is said so.
3. What was used and not named is never tolerated: it is an incident (`station`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

WATCHED_DAYS = 90
"""So long something has to lie unused before it is proposed to be dropped: a season, since some uses come four times a year."""


class Kind(StrEnum):
    """What a flow is."""

    PURPOSE = "purpose"
    SUPPLIER = "supplier"
    """A purpose, for a recipient who sells to the house."""
    SOURCE = "source"
    """A feed that purchases come in by."""
    MACHINE = "machine"
    """A key by which another system calls."""
    OFFER = "offer"
    LICENCE = "licence"


@dataclass(frozen=True)
class Flow:
    """Something that data is used for, and by whom."""

    kind: Kind
    name: str
    recipient: str | None
    named: frozenset[str]
    """What people are told now, or what was granted."""
    used: Mapping[str, int]
    """Item → how often."""
    since: date
    """From when on it could have been used."""
    last: date | None = None
    unexplained: frozenset[str] = frozenset()
    """Used, and named by nothing, since it was last looked into."""
    closed: bool = False

    @property
    def unused(self) -> tuple[str, ...]:
        """Named, and never used."""
        return tuple(sorted(self.named - self.used.keys()))

    @property
    def needed(self) -> frozenset[str]:
        """Named, and used."""
        return self.named & self.used.keys()

    def ripe(self, today: date) -> bool:
        """Whether it was watched long enough to say that something is not needed."""
        return today >= self.since + timedelta(days=WATCHED_DAYS)

    def ripe_on(self) -> date:
        """From which day on that can be said."""
        return self.since + timedelta(days=WATCHED_DAYS)

    def to_drop(self, today: date) -> tuple[str, ...]:
        """What is proposed to be dropped."""
        return self.unused if self.ripe(today) else ()

    @property
    def never(self) -> bool:
        """Whether nothing at all was ever used by it."""
        return not self.used

    def to_dict(self, today: date) -> dict[str, object]:
        """For scripts."""
        return {
            "kind": self.kind.value, "name": self.name, "recipient": self.recipient, "named": sorted(self.named),
            "used": dict(sorted(self.used.items())), "never_used": list(self.unused), "to_drop": list(self.to_drop(today)),
            "not_told": sorted(self.unexplained), "since": self.since.isoformat(), "closed": self.closed,
            "last_used": self.last.isoformat() if self.last is not None else None,
        }  # fmt: skip
