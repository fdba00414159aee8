"""What stands against an offer: every refusal at once, each with its place, its remedy and its article.

Rules:
1. The day is given, never asked from the machine.
2. All rules always run, and one refusal is enough: such an offer has no terms, so nobody can accept it.
3. An offer that nothing stands against keeps the rules that are written here. Whether it is lawful is for lawyers to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from volens.errors import Refused
from volens.offers.document import Offer
from volens.offers.licence_rules import LICENCE_RULES
from volens.offers.rules import OFFER_RULES
from volens.programme.findings import Finding, Severity
from volens.programme.nodes import Document

RULES = {rule.id: rule for rule in sorted((*OFFER_RULES, *LICENCE_RULES), key=lambda rule: rule.id)}


@dataclass(frozen=True)
class Refusal:
    """One thing that stands against an offer."""

    rule: str
    key: str
    """Where it stands in the document, with dots."""
    message: str
    remedy: str
    article: str


@dataclass(frozen=True)
class Verdict:
    """What stands against an offer on a day; nothing, if it may be shown to people."""

    offer: str
    version: int
    on: date
    refusals: tuple[Refusal, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing does."""
        return not self.refusals

    def require(self) -> None:
        """Raises `Refused` with every reason if anything does."""
        if self.refusals:
            raise Refused([f"{one.rule} {one.message.rstrip('.')}" for one in self.refusals], "Mend the offer: volens offer check")


def check(offer: Offer, on: date) -> Verdict:
    """Everything that stands against an offer on the legal day `on`, in the order of the rules."""
    found = tuple(
        Refusal(rule.id, key, message, rule.remedy, rule.article)
        for rule in RULES.values()
        for key, message in rule.run(offer, on)
    )
    return Verdict(offer.id, offer.version, on, found)


def findings(document: Document, refusals: Iterable[Refusal]) -> list[Finding]:
    """Refusals with the lines of the file at which they stand, in the order of the lines."""
    told = [
        Finding(one.rule, Severity.ERROR, document.file, line, one.message, one.remedy, one.article)
        for one in refusals
        for line in [document.at(*one.key.split(".")).line]
    ]
    return sorted(told, key=lambda one: (one.line, one.rule))
