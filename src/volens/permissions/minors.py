"""Ages applied to what stands: yeses that a minor could not give end, and a parent's yes ends when the child is old enough.

Rules:
1. Time enters as events: the first read or record of a legal day ends what is due, before it looks (`turn`).
2. A birth date that arrives, a move to another country and a link end what is due in the transaction that brings them.
3. Which yes a parent gave is open on its event (`by: parent`) and listed here, so that it is found without any key.
4. No personal data in the list: numbers of events and customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, RowMapping, select

from volens.evidence.journeys import Question, ask
from volens.evidence.log import EVENTS, Event, append, lock
from volens.holders import Database
from volens.identity import store as identity
from volens.identity.store import LIVES, Life, customers, lives_in
from volens.permissions import settling
from volens.permissions.ages import UNKNOWN, Ages
from volens.permissions.endings import PAUSE_SECONDS
from volens.permissions.parents import given_by_parents
from volens.permissions.state import PERMITTING
from volens.permissions.store import permissions
from volens.permissions.stricter import Word

AT_ONCE = 50
"""Customers of one transaction: what a withdrawal may have to wait behind."""
FEW = 20_000
"""Customers with a day, up to which each is looked up singly."""
LOOKED_UP = 100_000
"""Words looked up at a time, behind which nobody waits."""


@dataclass
class Minors:
    """Ends what ages end. Durable when `turn` returns; `settle` works in its caller's transaction."""

    ages: Ages
    named: Mapping[str, frozenset[str]]
    _turned: dict[str, date] = field(default_factory=dict)

    def turn(self, records: Database, today: date) -> int:
        """Ends what is due today, once a day in each process. Returns how many permissions ended."""
        if self._turned.get("last") == today:
            return 0
        ended = 0
        while True:
            # Looked up outside the ledger's lock, a great many at a time; decided anew for each few within it.
            with records.reading() as connection:
                who = {word.customer for word in self._due(connection, None, today, LOOKED_UP)}
                listed = sorted(who or self._other_ages(connection, today, LOOKED_UP))
            for start in range(0, len(listed), AT_ONCE):
                ended += self._end(records, listed[start : start + AT_ONCE], today)
                records.rest(PAUSE_SECONDS)
            if not listed:
                break
        self._turned["last"] = today
        return ended

    def _end(self, records: Database, some: Sequence[int], today: date) -> int:
        """One transaction: what is due for some customers, and then how they count. Returns how many permissions ended."""
        with records.writing() as connection:
            lock(connection, EVENTS)
            words = self._due(connection, some, today, None)
            settling.write(connection, words, self.named)
            # Ages after words: whoever is grown up keeps the day until a parent's yes has ended.
            lives = lives_in(ask(connection, [Question(LIVES, some)])[0])
            self.note(connection, {who: self._counts_as(life, today) for who, life in lives.items()}, today)
        return len(words)

    def _counts_as(self, life: Life, today: date) -> date | None:
        """Until when somebody is to stand as a minor from today on."""
        until = self.stands(life)
        grown_up = until is not None and until <= today
        nobody_asks = until == UNKNOWN and not self.ages.unknown_is_minor
        return None if grown_up or nobody_asks else until

    def _other_ages(self, connection: Connection, today: date, limit: int) -> list[int]:
        """Whoever came of age, and whoever counts otherwise since the programme says so of people it knows nothing about."""
        if self.ages.unknown_is_minor:
            return identity.of_age(connection, today, limit) + identity.nobody_knows(connection, limit)
        return identity.of_age(connection, today, limit) + identity.minors_until(connection, UNKNOWN, limit)

    def stands(self, life: Life) -> date | None:
        """Until when somebody counts as a minor now; none for who does not."""
        nobody_knows = not life.person and life.minor_until is None
        return UNKNOWN if nobody_knows and self.ages.unknown_is_minor else life.minor_until

    def settle(self, connection: Connection, who: Iterable[int], today: date) -> int:
        """Ends what is due for some customers, in the caller's transaction, which holds the ledger."""
        words = self._due(connection, sorted(set(who)), today, None)
        settling.write(connection, words, self.named)
        return len(words)

    def note(self, connection: Connection, until: Mapping[int, date | None], today: date) -> None:
        """Keeps the coarse day of some customers where it is another than before, each with its event."""
        known = identity.ages_of(connection, until)
        changed = {who: day for who, day in until.items() if who in known and known[who][1] != day}
        if not changed:
            return
        identity.keep_ages(connection, changed)
        append(
            connection,
            EVENTS,
            [
                Event("minor", who, day=today, detail={"minor_until": day.isoformat() if day else None})
                for who, day in sorted(changed.items())
            ],
        )

    def _due(self, connection: Connection, who: Sequence[int] | None, today: date, limit: int | None) -> list[Word]:
        """The yeses of minors that end today, and how."""
        query = (
            select(permissions, customers.c.country, customers.c.minor_until)
            .join(customers, customers.c.customer == permissions.c.customer)
            .where(
                customers.c.minor_until.is_not(None),
                permissions.c.kind.in_(sorted(PERMITTING)),
                permissions.c.purpose.in_(sorted(self.ages.consent | self.ages.profiling_ads)),
            )
            .order_by(permissions.c.customer, permissions.c.purpose, permissions.c.recipient)
        )
        if who is None:
            # Where few have a day at all, they are looked up; a database would go through everybody's permissions to find them.
            aged = select(customers.c.customer).where(customers.c.minor_until.is_not(None)).limit(FEW + 1)
            few = [int(customer) for (customer,) in connection.execute(aged)]
            who = sorted(few) if len(few) <= FEW else None
        rows: list[RowMapping] = []
        for some in [None] if who is None else [who[start : start + 500] for start in range(0, len(who), 500)]:
            found = query if some is None else query.where(permissions.c.customer.in_(some))
            rows += connection.execute(found).mappings().all()
        by_parents = given_by_parents(connection, [row["seq"] for row in rows])
        words = []
        for row in rows:
            until = date.fromisoformat(row["minor_until"])
            kind = self.ages.ends(row["purpose"], row["seq"] in by_parents, until, row["country"], today)
            if kind is not None:
                why = {"why": "age"}
                words.append(Word(row["customer"], row["purpose"], row["recipient"], kind, row["text"], today, why))
            if limit is not None and len(words) == limit:
                break
        return words
