"""The ledger of choices: appended with its proof, in force when the call returns.

Rules:
1. A choice, its leaf and the state that follows are one transaction.
2. A yes is only taken under a text that is in force and names the recipient; a no is taken under any text, or none:
   saying no is never harder than saying yes.
3. The state that is stored is `permissions.state`'s fold and nothing else; `volens audit` rebuilds it from the events.
4. Whatever is unknown (purpose, recipient, text, customer, kind) is refused with what would be right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    or_,
    select,
)

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound
from volens.evidence.log import EVENTS, Event, append, lock, require_programme
from volens.holders import Database
from volens.permissions.state import ALL, KINDS, PERMITTING, Permission, Said, apply

MAX_CHOICES = 5_000
"""Choices of one transaction: what a withdrawal may have to wait behind."""
CHUNK = 500

metadata = MetaData()

permissions = Table(
    "permissions",
    metadata,
    Column("customer", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(64), primary_key=True),
    Column("recipient", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("day", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Index("permissions_by_use", "purpose", "recipient", "kind", "text", "customer"),
)


@dataclass(frozen=True)
class Choice:
    """What somebody said, and how. `text` may be left out for a no: it is then the text in force."""

    customer: int
    purpose: str
    kind: str
    recipient: str = ALL
    text: str | None = None
    language: str = "fr"
    surface: str = "command line"
    actor: str = "the person"
    proof: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"There is no choice of kind {self.kind!r}.", f"Use one of: {', '.join(sorted(KINDS))}.")
        if not (self.surface.strip() and self.actor.strip() and self.language.strip()):
            raise BadInput("A choice says where, by whom and in which language it was made.", "Name all three.")


@dataclass(frozen=True)
class Terms:
    """What the ledger needs to know of the programme, in its own words (made by `app`)."""

    texts: Mapping[str, frozenset[str]]
    """Recipients that each text names."""
    current: Mapping[str, str]
    """The text in force for each purpose."""
    kinds: Mapping[str, frozenset[str]]
    """The permitting kinds that each purpose's basis allows."""
    languages: Mapping[str, frozenset[str]]
    """The languages of each text."""
    programme: str
    """Digest of the programme that all this is from."""


class People(Protocol):
    """What the ledger needs of the vault: countries, and sealing under a person's key."""

    def country_of(self, connection: Connection, wanted: Iterable[int]) -> dict[int, str]:
        """Country of each customer that exists."""

    def warm(self, wanted: Iterable[int]) -> None:
        """Reads many keys at once."""

    def seal(self, customer: int, plaintext: bytes) -> bytes:
        """Encrypts under the customer's key."""


class Ledger:
    """Appends choices and keeps the state that follows. In force for every read that starts after the call returned."""

    def __init__(self, records: Database, people: People, terms: Terms, clock: Clock) -> None:
        self._records, self._people, self._terms, self._clock = records, people, terms, clock

    def record(self, choices: Sequence[Choice]) -> list[int]:
        """Appends choices, all or none of each 5,000, and returns their seqs in order."""
        complete = [self._complete(choice) for choice in choices]
        seqs: list[int] = []
        for start in range(0, len(complete), MAX_CHOICES):
            seqs += self._record_some(complete[start : start + MAX_CHOICES])
        return seqs

    def refuse_everything(self, customer: int, *, surface: str, actor: str = "the person", language: str = "fr") -> list[int]:
        """No to every purpose that can be refused, statistics that are sold included. One transaction.

        A standing yes is withdrawn, or objected to where the basis is legitimate interest; the rest is refused. What
        rests on a contract or on a legal obligation has no choice to refuse.
        """
        with self._records.reading() as connection:
            standing = {
                (row.purpose, row.recipient): row for row in _of_customers(connection, [customer])
            }
        permitted = {purpose for (purpose, _), row in standing.items() if row.permits}
        said = []
        for purpose in sorted(self._terms.kinds):
            kinds = self._terms.kinds[purpose]
            if "given" in kinds:
                kind = "withdrawn" if purpose in permitted else "refused"
            elif "notified" in kinds:
                kind = "objected"
            else:
                continue
            said.append(Choice(customer, purpose, kind, surface=surface, actor=actor, language=language))
        return self.record(said)

    def of_customer(self, customer: int) -> list[Permission]:
        """What stands for one customer, by purpose and recipient."""
        with self._records.reading() as connection:
            found = list(_of_customers(connection, [customer]))
        return sorted(found, key=lambda row: (row.purpose, row.recipient))

    def end_all(self, connection: Connection, customer: int, kind: str, today: date) -> int:
        """Ends every standing yes of a customer by an event of a kind that denies, in the caller's transaction, which holds
        the ledger. Needs no key of hers. Returns how many."""
        standing = [row for row in _of_customers(connection, [customer]) if row.permits]
        if standing:
            end(connection, standing, kind, today, self._terms.texts)
        return len(standing)

    def _complete(self, choice: Choice) -> Choice:
        """Fills in the text in force and refuses what is unknown or cannot mean anything."""
        if choice.purpose not in self._terms.kinds:
            raise NotFound(
                f"There is no purpose {choice.purpose!r}.", f"Use one of: {', '.join(sorted(self._terms.kinds))}."
            )
        if not self._terms.kinds[choice.purpose]:
            raise BadInput(
                f"{choice.purpose!r} rests on a legal obligation: there is nothing to permit or to refuse.",
                "Tell the person what the law asks the house to keep, and for how long.",
            )
        text = choice.text or self._terms.current.get(choice.purpose)
        if text is None or text not in self._terms.texts or text.split("/")[0] != choice.purpose:
            raise NotFound(
                f"There is no text {text!r} for the purpose {choice.purpose!r}.", "Name a text of the programme."
            )
        if choice.kind in PERMITTING:
            self._check_yes(choice, text)
        elif choice.recipient != ALL:
            ever = frozenset().union(*(names for id, names in self._terms.texts.items() if id.split("/")[0] == choice.purpose))
            if choice.recipient not in ever:
                # A no that reaches nobody must not be acknowledged as one.
                raise NotFound(
                    f"No text of {choice.purpose!r} ever named the recipient {choice.recipient!r}.",
                    f"They named: {', '.join(sorted(ever))}. Use {ALL} for all of them.",
                )
        return Choice(**{**vars(choice), "text": text})

    def _check_yes(self, choice: Choice, text: str) -> None:
        allowed = self._terms.kinds[choice.purpose] & PERMITTING
        if choice.kind not in allowed:
            raise BadInput(
                f"{choice.purpose!r} cannot be permitted by {choice.kind!r}.",
                f"Its lawful basis knows: {', '.join(sorted(allowed)) or 'no choice at all'}.",
            )
        if text != self._terms.current.get(choice.purpose):
            raise BadInput(
                f"The text {text!r} is not the one in force.", "Show the text in force and ask again; a no needs no text."
            )
        if choice.language not in self._terms.languages[text]:
            raise BadInput(
                f"The text {text!r} does not exist in {choice.language!r}, so nobody can have accepted it.",
                f"Use one of: {', '.join(sorted(self._terms.languages[text]))}.",
            )
        if choice.recipient != ALL and choice.recipient not in self._terms.texts[text]:
            raise NotFound(
                f"The text {text!r} does not name the recipient {choice.recipient!r}.",
                f"It names: {', '.join(sorted(self._terms.texts[text]))}.",
            )

    def _record_some(self, choices: Sequence[Choice]) -> list[int]:
        who = {choice.customer for choice in choices}
        with self._records.reading() as connection:
            countries = self._people.country_of(connection, who)
        if len(countries) < len(who):
            raise NotFound("A choice names a customer who does not exist.", "Ingest the customer master first.")
        self._people.warm(who)
        now = self._clock.now()
        days = {customer: legal_day(now, country) for customer, country in countries.items()}
        happened = [_event(choice, days[choice.customer], now.isoformat()) for choice in choices]
        with self._records.writing() as connection:
            if any(choice.kind in PERMITTING for choice in choices):
                require_programme(connection, self._terms.programme)
            first = append(connection, EVENTS, happened, self._people)
            # From here on the head row is ours: what is read below is what the writer before us committed.
            history = [
                Said(first + place, one.customer, one.purpose, one.recipient, one.kind, str(one.text), days[one.customer])
                for place, one in enumerate(choices)
            ]
            if len(self._people.country_of(connection, who)) < len(who):
                # Erased since we looked. Said after an erasure, a choice would be about somebody who does not exist.
                raise NotFound("A choice names a customer who does not exist.", "She may just have been erased.")
            _keep(connection, history, self._terms.texts)
        self._people.warm(())  # keys are held no longer than they are needed
        return list(range(first, first + len(choices)))

    def expire(self, purpose: str, accepted_before: date, today: date) -> int:
        """Appends `expired` for every yes to `purpose` that was given before a day. Returns how many.

        Time enters the ledger as events, so that what a read was allowed to see can be replayed.
        """
        with self._records.reading() as connection:
            due = _accepted_before(connection, purpose, accepted_before)
        for start in range(0, len(due), MAX_CHOICES):
            with self._records.writing() as connection:
                lock(connection, EVENTS)
                # Somebody may have renewed, or another process expired them, since the list was made.
                still = set(_accepted_before(connection, purpose, accepted_before))
                some = sorted(set(due[start : start + MAX_CHOICES]) & still, key=lambda row: row.seq)
                if not some:
                    continue
                end(connection, some, "expired", today, self._terms.texts)
        return len(due)


def _event(choice: Choice, day: date, at: str) -> Event:
    return Event(
        choice.kind,
        customer=choice.customer,
        purpose=choice.purpose,
        recipient=choice.recipient,
        text=choice.text,
        day=day,
        private={
            "at": at,
            "language": choice.language,
            "surface": choice.surface,
            "actor": choice.actor,
            "proof": dict(choice.proof),
        },
    )


def end(
    connection: Connection, standing: Sequence[Permission], kind: str, day: date, named: Mapping[str, frozenset[str]]
) -> None:
    """Appends an event of `kind` for each permission, without private details, and stores what follows."""
    happened = [
        Event(kind, customer=row.customer, purpose=row.purpose, recipient=row.recipient, text=row.text, day=day) for row in standing
    ]
    first = append(connection, EVENTS, happened)
    history = [
        Said(first + place, row.customer, row.purpose, row.recipient, kind, row.text, day) for place, row in enumerate(standing)
    ]
    _keep(connection, history, named)


def _keep(connection: Connection, history: Sequence[Said], named: Mapping[str, frozenset[str]]) -> None:
    """Stores the fold of what stood and what was said just now."""
    standing: dict[tuple[int, str], dict[str, Permission]] = defaultdict(dict)
    for row in _of_customers(connection, {said.customer for said in history}):
        standing[row.customer, row.purpose][row.recipient] = row
    before = {key: dict(rows) for key, rows in standing.items()}
    for said in history:
        key = (said.customer, said.purpose)
        standing[key] = apply(standing[key], said, named.get(said.text, frozenset()))
    changed = [
        row
        for key in {(said.customer, said.purpose) for said in history}
        for recipient, row in standing[key].items()
        if before.get(key, {}).get(recipient) != row
    ]
    if not changed:
        return
    for row in changed:
        if row.recipient in before.get((row.customer, row.purpose), {}):
            connection.execute(
                delete(permissions).where(
                    permissions.c.customer == row.customer,
                    permissions.c.purpose == row.purpose,
                    permissions.c.recipient == row.recipient,
                )
            )
    connection.execute(insert(permissions), [{**vars(row), "day": row.day.isoformat()} for row in changed])


def _of_customers(connection: Connection, wanted: Iterable[int]) -> Iterable[Permission]:
    listed = sorted(wanted)
    for start in range(0, len(listed), CHUNK):
        query = select(permissions).where(permissions.c.customer.in_(listed[start : start + CHUNK]))
        for row in connection.execute(query).mappings():
            yield Permission(**{**row, "day": date.fromisoformat(row["day"])})


def stored(connection: Connection) -> Iterator[dict[str, Any]]:
    """All that is stored, as it is stored, for the audit."""
    for row in connection.execute(select(permissions).execution_options(yield_per=5_000)).mappings():
        yield dict(row)


def _accepted_before(connection: Connection, purpose: str, day: date) -> list[Permission]:
    query = select(permissions).where(
        permissions.c.purpose == purpose,
        permissions.c.kind.in_(sorted(PERMITTING)),
        permissions.c.day < day.isoformat(),
    )
    return [Permission(**{**row, "day": date.fromisoformat(row["day"])}) for row in connection.execute(query).mappings()]


def permitted(
    connection: Connection,
    purpose: str,
    recipient: str,
    texts: Sequence[str],
    kinds: Iterable[str],
    notified_until: date,
    accepted_from: date | None,
    among: Sequence[int] | None = None,
) -> list[int]:
    """Customers whose standing yes for (purpose, recipient) is under one of `texts`.

    The set-wise half of `gate.policy`: only a yes of one of `kinds`, a `notified` only if its day is on or before
    `notified_until`, and no yes from before `accepted_from`. `among` restricts the answer to some customers.
    """
    allowed = sorted(set(kinds) & PERMITTING)
    if not texts or not allowed:
        return []
    query = select(permissions.c.customer).where(
        permissions.c.purpose == purpose,
        permissions.c.recipient == recipient,
        permissions.c.text.in_(sorted(texts)),
        permissions.c.kind.in_(allowed),
        or_(permissions.c.kind != "notified", permissions.c.day <= notified_until.isoformat()),
    )
    if accepted_from is not None:
        query = query.where(permissions.c.day >= accepted_from.isoformat())
    if among is None:
        return [int(customer) for (customer,) in connection.execute(query)]
    found: list[int] = []
    for start in range(0, len(among), CHUNK):
        some = query.where(permissions.c.customer.in_(among[start : start + CHUNK]))
        found += [int(customer) for (customer,) in connection.execute(some)]
    return found
