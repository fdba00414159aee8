"""Linking: a card or login turns out to be another customer's. Its moving and all that follows is one transaction.

Rules:
1. An account belongs to one customer at a time. From the commit of a link the stricter permission counts for both, old
   and new customer: wherever one of them has no yes that counts, none of them has one (`permissions.stricter`). It is
   done by events about both, so that gate, door, fold and audit see it as they see every other choice.
2. Lines follow at night (`relabel`). Until then they stand under the old number, and a no of the new holder is repeated there.
3. Unlinking gives the account back at once and the words when its lines are back: each side has then its own last word,
   with its own text and day, unless something was said since. A no that either said meanwhile is a no of both.
4. What an unlinking cannot tell apart stays no.
5. A crash leaves a link whole or not at all; a relabelling that was killed is run again, and lines are written once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence.log import EVENTS, Event, append, lock
from volens.gate.policy import Rulebook, counts, tells_no_more
from volens.gate.store import in_force
from volens.holders import Database
from volens.identity import links
from volens.identity import store as identity
from volens.identity.links import Link, Pending
from volens.identity.people import Lines
from volens.permissions import settling, store
from volens.permissions.state import DENYING, Permission
from volens.permissions.stricter import Judge, Word, stricter

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.identity.vault import Vault
    from volens.permissions.minors import Minors

Key = tuple[int, str, str]
"""Customer, purpose, recipient."""
SAID_BY_TIME = frozenset({"expired", "invalidated"})
"""Kinds of no that nobody said."""

Progress = Callable[[str, int, int], None]
"""Step, done, total."""
Relabel = Callable[[Mapping[int, int], Progress], int]
"""Rewrites the lines of accounts for their customers, durably; how many lines it moved. The same again moves none."""


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""



@dataclass(frozen=True)
class Linked:
    """What came of a link: `seq` is none when the account already belonged to the customer and nothing changed."""

    seq: int | None
    account: int
    former: int
    customer: int
    revoked: int
    """Permissions that ended, of both."""


@dataclass(frozen=True)
class Followed:
    """What a relabelling did."""

    accounts: int
    lines: int
    restored: int
    """Words that were given back after an unlinking."""


class Linking:
    """Moves accounts, and lets permissions and lines follow."""

    def __init__(
        self,
        records: Database,
        vault: Vault,
        rules: Rulebook,
        minors: Minors,
        clock: Clock,
        country: str,
        relabel: Relabel,
    ) -> None:
        self._records, self._vault, self._rules = records, vault, rules
        self._minors, self._named = minors, minors.named
        self._clock, self._country, self._relabel = clock, country, relabel

    def link(
        self, account: int, customer: int, *, by: str, reason: str = "", former: int | None = None
    ) -> Linked:
        """Gives an account to another customer. To its own customer: nothing happens. `NotFound` for whoever was erased.

        `former` is whose the account was when somebody decided this: if it moved meanwhile, it stays there (`NotNow`).
        """
        _require(by)
        with self._records.writing() as connection:
            lock(connection, EVENTS)
            if former is not None and _holder(connection, account)[0] not in (former, customer):
                raise NotNow("Somebody else moved this card or login meanwhile.", "Look again: volens customer show")
            return self._link(connection, account, customer, {"by": by, "reason": reason})

    def _link(self, connection: Connection, account: int, customer: int, private: Mapping[str, Any]) -> Linked:
        former, kind = _holder(connection, account)
        if former == customer:
            return Linked(None, account, former, customer, 0)
        if not self._vault.country_of(connection, [customer]):
            raise NotFound("There is no such customer to link to.", "Look the customer up: volens customer show")
        self._vault.warm([former, customer])
        self._vault.move(connection, account, former, customer)
        self._move_line(connection, account, former, customer)
        detail = {"account": account, "kind": kind, "country": None, "from": former}
        event = Event("linked", customer, day=self._today(), detail=detail, private=private)
        seq = append(connection, EVENTS, [event], self._vault)
        links.note_link(connection, seq, account, former, customer)
        words = self._stricter(connection, {former, customer}, seq)
        self._ages_of_both(connection, {former, customer})
        self._vault.warm(())
        return Linked(seq, account, former, customer, sum(word.kind == "revoked" for word in words))

    def unlink(self, account: int, *, by: str, reason: str = "") -> Linked:
        """Gives an account back to whom it belonged before its newest link. Words follow when its lines are back."""
        _require(by)
        with self._records.writing() as connection:
            lock(connection, EVENTS)
            _, kind = _holder(connection, account)
            undone = links.newest(connection, account)
            if undone is None:
                raise BadInput("This card or login was never linked to another customer.", "There is nothing to take back.")
            self._vault.warm([undone.former, undone.customer])
            self._vault.move(connection, account, undone.customer, undone.former)
            self._move_line(connection, account, undone.customer, undone.former)
            detail = {"account": account, "kind": kind, "country": None, "from": undone.customer, "undoes": undone.link}
            event = Event("unlinked", undone.former, day=self._today(), detail=detail, private={"by": by, "reason": reason})
            seq = append(connection, EVENTS, [event], self._vault)
            links.note_unlink(connection, undone, seq)
            self._vault.warm(())
        return Linked(seq, account, undone.customer, undone.former, 0)

    def relabel(self, progress: Progress = silent) -> Followed:
        """Lets the lines of moved accounts follow, and gives back words after unlinkings. Nothing to do: nothing happens.

        Call it under the purchases lease. Killed at any place: run it again.
        """
        with self._records.reading() as connection:
            waiting = links.pending(connection)
        if not waiting:
            return Followed(0, 0, 0)
        lines = self._relabel({row.account: row.customer for row in waiting}, progress)
        # From here on a crash is clean: the lines stand where they belong, and rewriting them again moves none.
        restored = 0
        with self._records.writing() as connection:
            lock(connection, EVENTS)
            moved = []
            for account in sorted({row.account for row in waiting}):
                ours = [row for row in waiting if row.account == account]
                held = identity.account(connection, account)
                if held is not None and held[0] != ours[0].customer:
                    continue  # it moved again while its lines were written: the next run follows
                links.done(connection, ours)
                moved.append(ours)
            still = {row.account for row in links.pending(connection)}
            for ours in moved:
                restored += self._followed(connection, ours, complete=ours[0].account not in still)
        return Followed(len(moved), lines, restored)

    def pending(self) -> list[Pending]:
        """Whose lines have not followed yet."""
        with self._records.reading() as connection:
            return links.pending(connection)

    def of_customer(self, customer: int) -> list[Link]:
        """Every link that had a customer on a side, oldest first."""
        with self._records.reading() as connection:
            return links.of_customer(connection, customer)

    # What follows

    def _move_line(self, connection: Connection, account: int, former: int, customer: int) -> None:
        """What the customer master said about a card goes with the card, sealed under the key of its new holder."""
        people = identity.persons(connection, [former, customer])
        lines = {who: Lines.read(self._vault.open(who, sealed) if sealed else None) for who, (_, sealed) in people.items()}
        line = lines[former].take(account)
        if line is None:
            return
        lines[customer].by_card[account] = line
        if lines[customer].current is None:
            lines[customer].current = account
        rows = {who: (people[who][0], self._vault.seal(who, of_one.write())) for who, of_one in lines.items()}
        identity.keep_persons(connection, rows)
        said = [
            Event("person", customer=who, private={"country": country, "person": identity.hashed(sealed)})
            for who, (country, sealed) in sorted(rows.items())
        ]
        append(connection, EVENTS, said, self._vault)

    def _own_ages(self, connection: Connection, sides: Iterable[int]) -> None:
        """Whoever was as young as the other side of a link that ended is as old as she is; while others stand, as they are."""
        today, until = self._today(), dict[int, date | None]()
        for who in sides:
            tied = {side for link in links.standing(connection, [who]) for side in (link.former, link.customer)} | {who}
            days = [self._own_age(connection, one, today) for one in tied]
            until[who] = max((day for day in days if day is not None), default=None)
        self._minors.note(connection, until, today)

    def _own_age(self, connection: Connection, customer: int, today: date) -> date | None:
        country, sealed = identity.persons(connection, [customer]).get(customer, (self._country, None))
        line = Lines.read(self._vault.open(customer, sealed) if sealed else None).line
        return self._minors.ages.minor_until(line.details.get("birth_date") if line else None, country, today)

    def _ages_of_both(self, connection: Connection, sides: Iterable[int]) -> None:
        """While a link stands both sides are as young as the younger of them; then what a minor could not give ends."""
        known = identity.ages_of(connection, sides)
        until = max((day for _, day in known.values() if day is not None), default=None)
        today = self._today()
        self._minors.note(connection, dict.fromkeys(known, until), today)
        self._minors.settle(connection, known, today)

    def _followed(self, connection: Connection, ours: list[Pending], *, complete: bool) -> int:
        """The lines of an account followed: says so, and gives words back if it was taken back from somebody."""
        given_back = links.to_restore(connection, ours[0].account) if complete else []
        detail = {
            "account": ours[0].account,
            "from": [[row.former, row.since] for row in ours],
            "restored": [link.link for link in given_back],
        }
        seq = append(connection, EVENTS, [Event("relabelled", ours[0].customer, day=self._today(), detail=detail)])
        words = 0
        for link in given_back:
            words += self._restore(connection, link)
            links.note_restored(connection, link.link, seq)
        return words

    def _restore(self, connection: Connection, link: Link) -> int:
        """Each side of a link that was taken back gets its own last word again (rules 3 and 4)."""
        sides = {link.former, link.customer}
        made = settling.made(connection)
        # A link reaches further than its sides where lines of theirs stood under the number of somebody else again.
        reached = links.connected(connection, sides)
        standing = list(store.of_customers(connection, reached))
        undone = link.undone or 0
        refused = {
            (row.customer, row.purpose, row.recipient)
            for row in standing
            if row.customer in sides
            and row.kind in DENYING - SAID_BY_TIME
            and link.link < row.seq < undone
            and not made(row).keys() & set(settling.MADE)
        }
        refused = {(side, purpose, recipient) for _, purpose, recipient in refused for side in sides}
        there = self._vault.country_of(connection, reached)  # nobody who was erased gets anything back
        standing = [row for row in standing if row.customer in there]
        words = [word for row in standing if (word := self._own_again(row, made(row), link, refused)) is not None]
        settling.write(connection, words, self._named)
        self._own_ages(connection, {link.former, link.customer} & there.keys())
        given_back = {
            (word.customer, word.purpose, word.recipient): int(word.detail["restores"]) for word in words if word.kind != "revoked"
        }
        for other in links.standing(connection, reached):
            # Words that are older than a link that still stands are under it; what was said after it counts as it was said.
            under = {key for key, seq in given_back.items() if seq < other.link}
            self._stricter(connection, {other.former, other.customer}, other.link, only=under)
        return len(given_back)

    def _own_again(
        self, row: Permission, made: Mapping[str, Any], link: Link, refused: set[Key]
    ) -> Word | None:
        detail: dict[str, Any] = {"unlink": link.undone}
        if (row.customer, row.purpose, row.recipient) in refused:
            if not row.permits:
                return None
            return Word(row.customer, row.purpose, row.recipient, "revoked", row.text, self._today(), detail)
        repeated_since = "holder" in made and row.seq > (link.undone or 0)
        if made.get("link") != link.link and not repeated_since:
            return None
        own = made["own"]
        day = date.fromisoformat(own["day"])
        return Word(row.customer, row.purpose, row.recipient, own["kind"], own["text"], day, {**detail, "restores": own["seq"]})

    def _stricter(
        self, connection: Connection, sides: Iterable[int], link: int, only: Collection[Key] | None = None
    ) -> list[Word]:
        """Makes the stricter permission count for both sides of a link, and wherever lines of theirs may still stand.

        With `only`, nothing else than those permissions is changed.
        """
        group = set(sides)
        while more := {one for some in links.behind(connection, group).values() for one in some} - group:
            group |= more
        rows: dict[int, list[Permission]] = {customer: [] for customer in group}
        for row in store.of_customers(connection, group):
            rows[row.customer].append(row)
        today = self._today()
        rules = in_force(connection, self._rules)
        judge = Judge(lambda row: counts(row, rules, today), lambda text, other: tells_no_more(text, other, rules))
        words = stricter(rows, judge, today, {"link": link}, settling.made(connection))
        if only is not None:
            words = [word for word in words if (word.customer, word.purpose, word.recipient) in only]
        settling.write(connection, words, self._named)
        return words

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._country)


def _holder(connection: Connection, account: int) -> tuple[int, str]:
    found = identity.account(connection, account)
    if found is None:
        raise NotFound("There is no such card or login.", "Look the customer up: volens customer show")
    return found


def _require(by: str) -> None:
    if not by.strip():
        raise BadInput("Somebody decides that two cards are one person's.", "Say who, with --by.")
