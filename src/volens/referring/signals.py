"""What is kept of somebody for a campaign: hashes under the campaign's own key, made here and nowhere else.

Rules:
1. The key follows from the house's and the offer: hashes of two campaigns say nothing of each other, and nothing to whoever has the
   records alone.
2. Of an order only what the offer names is taken: without `orders` among what it uses, neither payment nor address.
3. They go 30 days after the last day of the campaign, and with their person.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Protocol

from volens.identity.phones import e164
from volens.referring.addresses import letters, mailbox, thrown_away
from volens.referring.facts import Signs

Signal = tuple[str, bytes]
KINDS = ("mailbox", "letters", "phone", "surname", "payment", "address", "thrown")
HASH_BYTES = 16


class Reached(Protocol):
    """What the vault knows of how somebody is reached."""

    @property
    def emails(self) -> tuple[str, ...]:
        """Every e-mail by which she is known."""

    @property
    def phone(self) -> str | None:
        """Her telephone."""

    @property
    def country(self) -> str:
        """By which a number without a country's code is read."""

    @property
    def family_name(self) -> str | None:
        """Her surname."""


class Hashes:
    """Makes the hashes of one campaign."""

    def __init__(self, mac: Callable[[str, bytes], bytes], offer: str) -> None:
        self._mac, self._offer = mac, offer

    def one(self, kind: str, value: str) -> bytes:
        """A keyed hash; the same twice within a campaign."""
        plain = unicodedata.normalize("NFKC", value).casefold().strip()
        return self._mac(f"referral/{self._offer}/{kind}", plain.encode())[:HASH_BYTES]

    def of_person(self, reach: Reached | None) -> list[Signal]:
        """Of what the vault knows."""
        if reach is None:
            return []
        found = [("mailbox", mailbox(one)) for one in reach.emails] + [("letters", letters(one)) for one in reach.emails]
        found += [("phone", e164(reach.phone or "", reach.country)), ("surname", reach.family_name or "")]
        found += [("thrown", "yes") for one in reach.emails if thrown_away(one)]
        return [(kind, self.one(kind, value)) for kind, value in found if value]

    def of_order(self, payment: str, address: str) -> list[Signal]:
        """Of what a machine says of an order; both are hashes already where they come from, and are hashed again here."""
        return [(kind, self.one(kind, value)) for kind, value in (("payment", payment), ("address", address)) if value]


def signs(found: Iterable[Signal]) -> Signs:
    """Signals as rules look at them."""
    by: dict[str, set[bytes]] = {kind: set() for kind in KINDS}
    for kind, digest in found:
        by[kind].add(digest)
    mailboxes, alike, phones, surnames, payments, addresses, thrown = (frozenset(by[kind]) for kind in KINDS)
    return Signs(mailboxes, alike, phones, surnames, payments, addresses, bool(thrown))
