"""Customers as staff and the customer master know them: by card, e-mail or reference, never by name.

Rules:
1. What is shown are numbers, kinds and days. A card's number or an e-mail is never given back.
2. Lines are moved under the purchases lease, one run at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volens.customers.enrolment import Enrolled, Enrolment, Person
from volens.customers.linking import Followed, Linked, Linking, Progress, silent
from volens.errors import Unavailable
from volens.holders import Database
from volens.identity import links
from volens.identity import store as identity
from volens.identity.links import Link, Pending

if TYPE_CHECKING:
    from volens.identity.vault import Vault

Reference = tuple[str, str]
"""Kind (card, email or reference) and value."""


@dataclass(frozen=True)
class Account:
    """A card, login or reference of a customer. `closed` is the day, if it is."""

    account: int
    kind: str
    closed: str | None


@dataclass(frozen=True)
class Shown:
    """What is open about a customer."""

    customer: int
    country: str
    minor_until: str | None
    """First of a month; none for adults and where no birth date is known."""
    accounts: tuple[Account, ...]
    links: tuple[Link, ...]
    waiting: tuple[Pending, ...]
    """Accounts whose lines still stand under another number, of this customer or held by another now."""


class Customers:
    """Links, unlinks, shows and enrols customers."""

    def __init__(
        self,
        records: Database,
        vault: Vault,
        linking: Linking,
        enrolment: Enrolment,
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._records, self._vault, self._linking, self._enrolment = records, vault, linking, enrolment
        self._alone = alone

    def link(
        self, card: Reference, to: Reference, *, by: str, reason: str = "", whole: bool = False
    ) -> list[Linked]:
        """The card (or login) is the other's customer's. With `whole`, so is everything else of its present customer."""
        ours, theirs = self._vault.find(*card), self._vault.find(*to)
        moving = [ours.account]
        if whole:
            with self._records.reading() as connection:
                moving = [account for account, _ in identity.accounts_of(connection, ours.customer)]
        return [
            self._linking.link(account, theirs.customer, by=by, reason=reason, former=ours.customer) for account in moving
        ]

    def unlink(self, card: Reference, *, by: str, reason: str = "") -> Linked:
        """Takes back the newest link of a card or login. Permissions follow when its lines are back: `relabel`."""
        return self._linking.unlink(self._vault.find(*card).account, by=by, reason=reason)

    def relabel(self, progress: Progress = silent) -> Followed:
        """Lets the lines of moved cards follow, now. `Unavailable` while somebody else changes the purchases."""
        if not self._linking.pending():
            return Followed(0, 0, 0)
        with self._alone():
            return self._linking.relabel(progress)

    def relabel_if_free(self) -> Followed | None:
        """The same, or nothing while somebody else changes the purchases: they follow later."""
        try:
            return self.relabel()
        except Unavailable:
            return None

    def relabel_alone(self) -> Followed:
        """The same for whoever holds the purchases lease already."""
        return self._linking.relabel()

    def pending(self) -> list[Pending]:
        """Cards whose lines have not followed yet."""
        return self._linking.pending()

    def require_none_pending(self) -> None:
        """`Unavailable` if a card moved since its lines were last brought to its holder."""
        if self._linking.pending():
            raise Unavailable("A card was linked meanwhile, and its purchases have not followed.", "Run the same command again.")

    def show(self, card: Reference) -> Shown:
        """What is open about whoever holds a card, login or reference."""
        customer = self._vault.find(*card).customer
        with self._records.reading() as connection:
            country, until = identity.ages_of(connection, [customer])[customer]
            theirs = identity.accounts_of(connection, customer)
            closed = identity.closings(connection, [account for account, _ in theirs])
            waiting = [one for one in links.pending(connection) if customer in (one.former, one.customer)]
            return Shown(
                customer,
                country,
                until.isoformat() if until else None,
                tuple(Account(account, kind, closed.get(account)) for account, kind in theirs),
                tuple(links.of_customer(connection, customer)),
                tuple(waiting),
            )

    def enrol(self, people: Sequence[Person]) -> Enrolled:
        """Takes a piece of the customer master in."""
        return self._enrolment.enrol(people)
