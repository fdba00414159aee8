"""An advertisement as pages, programs and the command line show it; and what somebody may see of herself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from volens.sponsored import words

SETTINGS = "/autorisations/usage/"
"""Where whoever sees it permits or refuses that her purchases choose."""


@dataclass(frozen=True)
class Told:
    """An advertisement with all that stands beside it."""

    impression: str
    sku: str
    name: Mapping[str, str]
    placement: str
    advertiser: str
    """The legal name of who pays."""
    controller: str
    purpose: str
    category: Mapping[str, str]
    """By what it was chosen, in each language; empty if by the page alone."""
    bought: int
    lacks: tuple[tuple[Mapping[str, str], int], ...] = ()
    """(a category's name by language, days) of what was not bought, as far as that counted too."""

    @property
    def personal(self) -> bool:
        """Whether purchases chose it."""
        return bool(self.category)

    def why(self, language: str) -> str:
        """Who pays, and why it is there."""
        lacks = [(name[language], days) for name, days in self.lacks] if self.personal else []
        return words.why(self.advertiser, self.controller, language, self.category.get(language, ""), self.bought, lacks)

    def to_dict(self, language: str) -> dict[str, Any]:
        """For the shop's page."""
        return {
            "impression": self.impression, "sku": self.sku, "name": self.name.get(language, self.sku),
            "label": words.LABEL[language], "advertiser": self.advertiser, "personal": self.personal, "why": self.why(language),
            "control": {
                "text": (words.STOP if self.personal else words.HIDE)[language], "what": "stop" if self.personal else "hide",
                "settings": SETTINGS + self.purpose,
            },
        }  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What is known of somebody who permits it, and what was chosen for her lately."""

    known: tuple[tuple[Mapping[str, str], int], ...]
    """(a category's name by language, on how many days she bought of it), most often first."""
    last: tuple[tuple[str, Told], ...]
    """(day, advertisement), newest first."""

    @staticmethod
    def days_of(state: bytes | None, first: date) -> list[tuple[str, int]]:
        """(category, days since `first`) of a profile, most often first."""
        if state is None:
            return []
        since = (first - date(1970, 1, 1)).days
        found = {name: sum(1 for day in days if day >= since) for name, days in json.loads(state).items()}
        return sorted(((name, days) for name, days in found.items() if days), key=lambda entry: (-entry[1], entry[0]))
