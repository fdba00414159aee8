"""What licences need to know of offers in use: the version that somebody accepted, the one that can be accepted now, its terms.

Rules:
1. A person is bound by the version that she accepted. It is read by its number, however old.
2. A yes is taken only to the version in force, with the very terms that stood there, where the offer is open that day.
3. The part of the terms about the licence is cut out of the text that was approved, and not written anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from volens.errors import NotFound
from volens.offering import registry, rules
from volens.offering import store as offering
from volens.offering.rules import Verdict
from volens.offers.document import Licence, Offer

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEADINGS = {"fr": "## Une deuxième offre, à part", "en": "## A second offer, apart from the first"}
"""Where the terms begin to speak of the licence (`offers/terms.*.j2`)."""


@dataclass(frozen=True)
class Current:
    """The version of an offer that can be accepted now."""

    offer: Offer
    terms: Mapping[str, tuple[str, str]] = field(repr=False)
    """By language: the text, and its SHA-256."""

    @property
    def licence(self) -> Licence:
        """Its licence; whoever holds one of these has looked that there is one."""
        assert self.offer.licence is not None
        return self.offer.licence

    def sha256(self, language: str) -> str:
        """Of the terms in a language; empty where there are none."""
        return self.terms[language][1] if language in self.terms else ""

    def part(self, language: str) -> str:
        """What the terms say of the licence, in Markdown."""
        return licence_part(self.terms[language][0], language) if language in self.terms else ""


def current(connection: Connection, offer: str) -> Current | None:
    """The version in force, if it has a licence."""
    found = registry.in_force(connection, offer)
    if found is None:
        return None
    one = registry.document(connection, found)
    return Current(one, offering.terms_of(connection, found.number)) if one.licence is not None else None


def licence_of(connection: Connection, offer: str, version: int) -> tuple[Offer, Licence]:
    """A version that was in force at some time, and its licence."""
    one = registry.accepted(connection, offer, version)
    if one.licence is None:
        raise NotFound(f"Version {version} of {offer} has no licence.", "See: volens offer show")
    return one, one.licence


def opening(connection: Connection, offer: Offer, country: str, today: date) -> Verdict:
    """Whether somebody new can say yes to an offer in a country: launched, not suspended, not over."""
    return rules.opening(offer, country, offering.country(connection, offer.id, country), today)


def licence_part(terms: str, language: str) -> str:
    """The section about the licence, without its heading; empty if the terms have none."""
    _, found, rest = terms.partition(HEADINGS.get(language, HEADINGS["en"]) + "\n")
    return rest.split("\n## ")[0].strip() + "\n" if found else ""
