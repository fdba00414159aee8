"""The customer master, taken in again and again: people move, get new cards, change their e-mail, close their card.

Rules:
1. The same file twice changes nothing and records nothing: what is sealed is opened and compared first.
2. Several cards of one person are one customer: a line says so by the retailer's own number of the person
   (`customer_reference`) or by the card that a new one `replaces`. A card that nobody knew is simply hers; one that had a life
   of its own is linked, so that the stricter permission counts (`customers.linking`).
3. An e-mail of somebody else stays with them, and is counted: moving it is a decision of its own. An e-mail that a line no
   longer names leads to nobody from then on; a later order under it is a stranger's.
4. A closed card still takes its late receipts in, under its customer's number. When the last card and login of a
   customer is closed, every standing permission ends by an event, the contract's included.
5. Each line is whole: address, age, country, and what follows from them for the permissions are one transaction of a piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Protocol

from volens.clock import Clock, legal_day
from volens.evidence.log import EVENTS, Event, append, lock
from volens.holders import Database
from volens.identity import links
from volens.identity import store as identity
from volens.identity.people import Line, Lines
from volens.permissions import settling, store
from volens.permissions.stricter import Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from volens.customers.linking import Linking
    from volens.identity.vault import Identified, Vault
    from volens.permissions.minors import Minors

BY = "customer master"


class Person(Protocol):
    """One line of the customer master, as `ingest` reads it. `details` go to the vault as they are, sealed."""

    @property
    def line(self) -> int: ...

    @property
    def card(self) -> str: ...

    @property
    def email(self) -> str | None: ...

    @property
    def country(self) -> str: ...

    @property
    def details(self) -> Mapping[str, str]: ...

    @property
    def reference(self) -> str | None:
        """The retailer's own number of the person."""

    @property
    def replaces(self) -> str | None:
        """The card that this one replaces."""

    @property
    def closed(self) -> str | None:
        """The day on which the card was closed (ISO 8601), `closed` without a day, an empty string if it is open, none if the
        master does not say."""


@dataclass
class Enrolled:
    """What a piece of the master changed. Lines and numbers only."""

    changed: int = 0
    """People of whom something new was sealed."""
    linked: list[tuple[int, int, int]] = field(default_factory=list)
    """(line, former customer, customer) of each card that had a life of its own."""
    stayed: list[tuple[int, int, int]] = field(default_factory=list)
    """(line, customer of the line, customer to whom its e-mail belongs)."""
    emails_ended: int = 0
    closed: int = 0
    opened: int = 0
    permissions_ended: int = 0

    def add(self, more: Enrolled) -> None:
        """Counts another piece as well."""
        for name, value in vars(more).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class _Placed:
    """A line of the master, and where it leads."""

    person: Person
    customer: int
    card: int
    email: int | None = None


class Enrolment:
    """Takes the customer master in, a piece at a time. Durable when `enrol` returns; a run that was killed is run again."""

    def __init__(
        self,
        records: Database,
        vault: Vault,
        linking: Linking,
        minors: Minors,
        clock: Clock,
        country: str,
    ) -> None:
        self._records, self._vault, self._linking, self._minors = records, vault, linking, minors
        self._named, self._clock, self._country = minors.named, clock, country

    def enrol(self, people: Sequence[Person]) -> Enrolled:
        """Takes lines of the master in."""
        done = Enrolled()
        placed = self._one_customer(people, self._cards(people), done)
        placed = self._emails(placed, done)
        self._vault.warm({one.customer for one in placed})
        with self._records.writing() as connection:
            lock(connection, EVENTS)
            self._keep(connection, placed, done)
        self._vault.warm(())
        return done

    # Whose line it is

    def _cards(self, people: Sequence[Person]) -> dict[str, Identified]:
        """Each card's account; a card that nobody knew becomes the account of whom its line names."""
        known = self._vault.known("card", [card for one in people for card in (one.card, one.replaces) if card])
        references = self._vault.known("reference", [one.reference for one in people if one.reference])
        waiting = list({one.card: one for one in people if one.card not in known}.values())
        while waiting:
            first = {one.reference: one.card for one in reversed(waiting) if one.reference}
            ready: list[tuple[str, int | None]] = []
            later = []
            coming = {one.card for one in waiting}
            for one in waiting:
                owner = references.get(one.reference or "") or known.get(one.replaces or "")
                follows = one.reference not in references and first.get(one.reference or "", one.card) != one.card
                if owner is not None:
                    ready.append((one.card, owner.customer))
                elif (follows or (one.replaces in coming and one.replaces != one.card)) and one is not waiting[0]:
                    later.append(one)
                else:
                    ready.append((one.card, None))
            known |= self._vault.add("card", ready)
            waiting = later
            new = {one.reference: known[one.card] for one in reversed(people) if one.reference and one.card in known}
            references = {**{str(name): who for name, who in new.items()}, **references}
        return known

    def _one_customer(self, people: Sequence[Person], cards: dict[str, Identified], done: Enrolled) -> list[_Placed]:
        """Cards that a line ties together become one customer's."""
        references = self._vault.known("reference", [one.reference for one in people if one.reference])
        fresh: dict[str, tuple[str, int | None]] = {}
        for one in people:
            if one.reference and one.reference not in references and one.reference not in fresh:
                fresh[one.reference] = (one.reference, cards[one.card].customer)
        if fresh:
            references |= self._vault.add("reference", list(fresh.values()))
        for one in people:
            owner = references.get(one.reference or "") or cards.get(one.replaces or "")
            for card in (one.card, one.replaces):
                who = cards.get(card or "")
                if owner is None or who is None:
                    continue
                moved = self._linking.link(who.account, owner.customer, by=BY, reason="one person by the master")
                if moved.seq is not None:
                    done.linked.append((one.line, moved.former, moved.customer))
        found = self._vault.known("card", [one.card for one in people])
        return [_Placed(one, found[one.card].customer, found[one.card].account) for one in people]

    def _emails(self, placed: list[_Placed], done: Enrolled) -> list[_Placed]:
        """Each line's e-mail as an account of its customer; one that is somebody else's stays there."""
        known = self._vault.known("email", [one.person.email for one in placed if one.person.email])
        fresh: dict[str, tuple[str, int | None]] = {}
        for one in placed:
            if one.person.email and one.person.email not in known:
                fresh.setdefault(one.person.email, (one.person.email, one.customer))
        if fresh:
            known |= self._vault.add("email", list(fresh.values()))
        out = []
        came_from = {line: former for line, former, _ in done.linked}
        for one in placed:
            email = known.get(one.person.email or "")
            if email is not None and email.customer == came_from.get(one.person.line) != one.customer:
                # The e-mail of a card that was linked a moment ago comes along.
                self._linking.link(email.account, one.customer, by=BY, reason="the e-mail of a linked card")
                email = self._vault.known("email", [str(one.person.email)])[str(one.person.email)]
            if email is not None and email.customer != one.customer:
                done.stayed.append((one.person.line, one.customer, email.customer))
                email = None
            out.append(_Placed(one.person, one.customer, one.card, email.account if email is not None else None))
        return out

    # What is new

    def _keep(self, connection: Connection, placed: list[_Placed], done: Enrolled) -> None:
        """Seals what is new, and lets everything follow from it; the caller holds the ledger."""
        today = legal_day(self._clock.now(), self._country)
        sealed = identity.persons(connection, {one.customer for one in placed})
        lines = {
            customer: Lines.read(self._vault.open(customer, person) if person else None)
            for customer, (_, person) in sealed.items()
        }
        changed = set()
        for one in placed:
            before = lines[one.customer].by_card.get(one.card)
            if lines[one.customer].put(one.card, Line(one.person.country, dict(one.person.details), one.email)):
                changed.add(one.customer)
                if before is not None and before.email != one.email and one.email is not None:
                    done.emails_ended += self._end_email(connection, one.customer, before.email, lines[one.customer], today)
        self._seal(connection, {customer: lines[customer] for customer in changed}, done)
        self._close(connection, placed, lines, done, today)
        self._minors.note(connection, self._ages(connection, lines, today), today)
        done.permissions_ended += self._minors.settle(connection, lines, today)

    def _seal(self, connection: Connection, lines: Mapping[int, Lines], done: Enrolled) -> None:
        done.changed += len(lines)
        rows = {
            customer: (of_one.line.country, self._vault.seal(customer, of_one.write()))
            for customer, of_one in sorted(lines.items())
            if of_one.line is not None
        }
        identity.keep_persons(connection, rows)
        said = [
            Event("person", customer=customer, private={"country": country, "person": identity.hashed(sealed)})
            for customer, (country, sealed) in rows.items()
        ]
        if said:
            append(connection, EVENTS, said, self._vault)

    def _end_email(
        self, connection: Connection, customer: int, account: int | None, lines: Lines, today: date
    ) -> int:
        """An e-mail that its line no longer names leads to nobody. 1 if it did."""
        if account is None or any(line.email == account for line in lines.by_card.values()):
            return 0
        if identity.account(connection, account) != (customer, "email"):
            return 0
        self._vault.retire_email(connection, customer, account, today)
        detail = {"account": account, "kind": identity.FORMER_EMAIL}
        append(connection, EVENTS, [Event("retired", customer=customer, day=today, detail=detail)])
        return 1

    def _close(
        self, connection: Connection, placed: list[_Placed], lines: Mapping[int, Lines], done: Enrolled, today: date
    ) -> None:
        """Cards that were closed or opened again, with the e-mail of their line; the last one ends what stands."""
        wanted: dict[int, tuple[int, str | None]] = {
            one.card: (one.customer, _closed(one.person.closed, today)) for one in placed if one.person.closed is not None
        }
        theirs = {account for customer, _ in wanted.values() for account in _accounts(lines[customer])}
        known = identity.closings(connection, theirs | wanted.keys())
        for customer in {customer for customer, _ in wanted.values()}:
            by_email: dict[int, list[str | None]] = {}
            for card, line in lines[customer].by_card.items():
                if line.email is not None and identity.account(connection, line.email) == (customer, "email"):
                    by_email.setdefault(line.email, []).append(wanted[card][1] if card in wanted else known.get(card))
            for email, days in by_email.items():
                wanted[email] = (customer, None if None in days else max(str(day) for day in days))
        happened = []
        for account, (customer, day) in sorted(wanted.items()):
            stands = known.get(account)
            if (stands is None) == (day is None) and (day in (None, "closed") or stands == day):
                continue
            day = today.isoformat() if day == "closed" else day
            identity.close(connection, account, day)
            detail = {"account": account, "closed": day}
            happened.append(Event("account-closed" if day else "account-opened", customer=customer, day=today, detail=detail))
        done.closed += sum(event.kind == "account-closed" for event in happened)
        done.opened += sum(event.kind == "account-opened" for event in happened)
        if happened:
            append(connection, EVENTS, happened)
        closed_now = {event.customer or 0 for event in happened if event.kind == "account-closed"}
        done.permissions_ended += self._end_all(connection, closed_now - identity.with_open_accounts(connection, closed_now), today)

    def _end_all(self, connection: Connection, customers: Iterable[int], today: date) -> int:
        """Everything that stands ends: nobody is a customer without a card or login."""
        words = [
            Word(row.customer, row.purpose, row.recipient, "revoked", row.text, today, {"why": "closed"})
            for row in store.of_customers(connection, customers)
            if row.permits
        ]
        settling.write(connection, words, self._named)
        return len(words)

    def _ages(self, connection: Connection, lines: Mapping[int, Lines], today: date) -> dict[int, date | None]:
        """The coarse day of each customer; while a link stands, the later one of both sides."""
        own = {customer: self._own_age(of_one, today) for customer, of_one in lines.items()}
        for link in links.standing(connection, own):
            for side, other in ((link.former, link.customer), (link.customer, link.former)):
                if side in own:
                    others = self._own_age(Lines.read(self._vault.sealed_person(connection, other)), today)
                    own[side] = max((day for day in (own[side], others) if day is not None), default=None)
        return own

    def _own_age(self, lines: Lines, today: date) -> date | None:
        line = lines.line
        born = line.details.get("birth_date") if line is not None else None
        return self._minors.ages.minor_until(born, line.country if line is not None else self._country, today)


def _accounts(lines: Lines) -> set[int]:
    """The cards and e-mails that lines name."""
    return set(lines.by_card) | {line.email for line in lines.by_card.values() if line.email is not None}


def _closed(said: str | None, today: date) -> str | None:
    """The day on which a card was closed, `closed` if no day is known, none if it is open: a day to come is no closing yet."""
    if not said or said == "closed":
        return said or None
    return said if said <= today.isoformat() else None
