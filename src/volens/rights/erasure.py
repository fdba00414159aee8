"""Erasure: from a number that stands for somebody to a number that stands for nobody.

Rules:
1. The order is: a tombstone outside the records; what her noes leave behind (hashes of addresses, of nobody); the customer's
   key destroyed; then one transaction in which her permissions end by event, `erased` is recorded about the bare number,
   accounts and person go, and the removal of her purchases is asked for. When it has committed, the gate has her in no read and
   the door lets nothing of her out.
2. kill -9 after any step: the same command again, or the next opening of the house, takes it up. Every step done twice is
   done once.
3. The number is never given again, and no store leads from it to anybody. Her card, shown again, is a new customer's.
4. What remains is said: open parts of events, about that number; refused lines, sealed, for their 30 days.
5. The reason is one of GDPR 17(1)'s grounds and never free text: what is written about an erasure outlives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, Tampered
from volens.evidence import log
from volens.evidence.log import EVENTS, Event
from volens.holders import Database
from volens.identity import store as identity
from volens.identity.tombstones import Begun, Stones, Tombstones
from volens.identity.vault import Vault
from volens.permissions.ledger import Ledger
from volens.programme.parameters import parameters

if TYPE_CHECKING:
    from sqlalchemy import Connection

GROUNDS = {
    "no-longer-needed": "GDPR 17(1)(a): the data are no longer needed for what they were collected for",
    "consent-withdrawn": "GDPR 17(1)(b): consent was withdrawn and nothing else permits keeping them",
    "objection": "GDPR 17(1)(c): the person objected",
    "unlawful": "GDPR 17(1)(d): they were processed unlawfully",
    "legal-obligation": "GDPR 17(1)(e): a law demands it",
    "child": "GDPR 17(1)(f): they were collected from a child for an online service",
}
NAME_CHARACTERS_MAX = 120

Ask = Callable[["Connection", int, date, date], object]
"""(connection, customer, today, due): asks for the removal of a customer's purchases, in the caller's transaction."""
Forget = Callable[["Connection", int, Sequence[int]], object]
"""(connection, customer, her accounts): deletes what a station's own tables say about somebody, in the caller's transaction."""
First = Callable[[int, str], object]
"""(customer, ground): before the key of somebody is destroyed; in a transaction of its own."""
OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Erased:
    """What an erasure did, in numbers. Told to the person, and shown to whoever erased."""

    customer: int
    accounts: int
    permissions_ended: int
    purchases_due: str
    """The last day on which her purchases may still be in the table, ISO 8601. The gate excludes them already."""
    events_kept: int
    """Events about the number whose open part stays: they prove how her data were used while they were."""


class Erasure:
    """Erases customers, one at a time. Durable when a method returns."""

    def __init__(
        self,
        records: Database,
        vault: Vault,
        ledger: Ledger,
        tombstones: Tombstones,
        clock: Clock,
        country: str,
        ask: Ask,
        follow: Callable[[], object] = lambda: None,
        others: Sequence[Forget] = (),
        first: First = lambda customer, why: None,
    ) -> None:
        """`follow` lets the purchases of cards that moved come under their holder's number, so that they are removed with it.
        What cannot follow now is on record, and follows before the removal. `others`: what else of a person goes in the same
        transaction. `first`: what must be made of her while her key is there, and may be made twice."""
        self._follow, self._others, self._first = follow, others, first
        self._records, self._vault, self._ledger, self._stones = records, vault, ledger, tombstones
        self._clock, self._country, self._ask = clock, country, ask
        self.finished: tuple[int, ...] = ()
        """Numbers whose erasure had been cut short and was finished when this house opened."""

    def erase(self, customer: int, *, by: str, why: str, on_step: OnStep = lambda step: None) -> Erased:
        """Erases one customer. `why` is one of `GROUNDS`. `NotFound` if the number stands for nobody.

        `on_step` is told after each step that a crash may follow.
        """
        if why not in GROUNDS:
            raise BadInput(f"{why!r} is no ground for an erasure.", f"Use one of: {', '.join(GROUNDS)}.")
        if not by.strip() or len(by) > NAME_CHARACTERS_MAX:
            raise BadInput("Who erases?", f"Name yourself, in at most {NAME_CHARACTERS_MAX} characters.")
        with self._records.reading() as connection:
            if not identity.is_known(connection, customer):
                raise NotFound("No customer has this number.", "It was never given, or its customer is erased already.")
        self._follow()
        now = self._clock.now()
        deadline_days(self._country, legal_day(now, self._country))  # asked before anything is destroyed
        with self._records.reading() as connection:
            accounts = [account for account, _ in identity.accounts_of(connection, customer)]
        self._stones.begin(customer, accounts, at=now, by=by.strip(), why=why)
        on_step("tombstone")
        return self._go_on(Begun(customer, now.isoformat(), by.strip(), why), on_step)

    def finish(self) -> None:
        """What was begun and not ended is ended, before anything else is done. Part of opening a house.

        `Tampered` for records in which somebody whose erasure had ended is there again: an old back-up.
        """
        stones = self._stones.read()
        with self._records.reading() as connection:
            recorded = log.customers_of_kind(connection, "erased")
        back = stones.done - recorded
        if back:
            people = "1 customer" if len(back) == 1 else f"{len(back):,} customers"
            raise Tampered(
                f"{people} of these records had been erased: they come from a back-up that is older than the erasure.",
                "Nothing is served from them. Put the back-up in place with: volens restore",
            )
        open_ones = [one for customer, one in sorted(stones.begun.items()) if customer not in stones.done]
        for one in open_ones:
            self._go_on(one)
        # A key folder that came back from an older copy lacks the newest lines; the records have them.
        lost = recorded - stones.everybody
        if lost:
            self._stones.end(sorted(lost))
        self.finished = tuple(one.customer for one in open_ones)

    def erase_again(self, stones: Stones) -> list[int]:
        """Erases everybody in `stones` from records that were put back. Part of restoring, before a house may open."""
        with self._records.reading() as connection:
            recorded = log.customers_of_kind(connection, "erased")
            held = identity.linked(connection)
        again = sorted((stones.everybody | _only_hers(held, stones.accounts)) - recorded)
        for customer in again:
            begun = stones.begun.get(customer)
            # A line that only says `erased` was taken over from records: when and why stood in them.
            self._go_on(begun or Begun(customer, self._clock.now().isoformat(), "volens restore", "legal-obligation"))
        return again

    def _go_on(self, one: Begun, on_step: OnStep = lambda step: None) -> Erased:
        """The steps after the tombstone; each may have been done before, and a line that is there twice says nothing new."""
        customer = one.customer
        self._first(customer, one.why)
        on_step("noes kept")
        self._vault.destroy_key(customer)
        on_step("key destroyed")
        today = legal_day(self._clock.now(), self._country)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            done = log.latest_about(connection, EVENTS, "erased", customer)
            if done is None:
                due = today + timedelta(days=deadline_days(self._country, today) // 2)
                ended = self._ledger.end_all(connection, customer, "revoked", today)
                gone = identity.forget(connection, customer)
                for forget in self._others:
                    forget(connection, customer, gone)
                self._ask(connection, customer, today, due)
                detail: dict[str, Any] = {
                    "accounts": gone, "by": one.by, "why": one.why, "ended": ended, "due": due.isoformat(),
                    # An old yes for a card that is met after this may be hers: see `permissions.judge`.
                    "last_account": identity.numbers_given(connection)["account"],
                }  # fmt: skip
                log.append(connection, EVENTS, [Event("erased", customer=customer, day=today, detail=detail)])
            kept = log.count_about(connection, EVENTS, customer)
            said = detail if done is None else done.said()
        on_step("recorded")
        self._stones.end([customer])
        on_step("done")
        return Erased(customer, len(said["accounts"]), said["ended"], said["due"], kept)


def _only_hers(held: Mapping[int, tuple[int, str]], erased: set[int]) -> set[int]:
    """Numbers that hold nothing but accounts that were erased: a card that had moved to her number by then is under its
    earlier one in older records."""
    owners = {held[account][0] for account in erased if account in held}
    return owners - {customer for account, (customer, _) in held.items() if account not in erased}


def deadline_days(country: str, today: date) -> int:
    """Days within which an erasure must have reached everything, back-ups of customer keys included."""
    found = parameters().erasure_days(country, today)
    if found is None:
        raise BadInput(f"No erasure deadline is known for {country}.", "Add one to parameters.yaml.")
    return found.value
