"""How far followers are: who has not yet acknowledged whose no, and since when.

1. Nothing is kept of what waits: it is looked up in the ledger, from what a follower acknowledged.
2. A no is overdue when it was not acknowledged within the recipient's declared hours, 24 at most, from when the house noticed
   it: at most half a minute after it was said while a server runs.
3. Somebody's no that follows from other rules waits until the follower has acknowledged those rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.evidence import log
from volens.evidence.log import EVENTS, require_programme
from volens.followers import store
from volens.followers.feed import Cursor, Feed, Page, allows, ever_permitted, rules_mark
from volens.followers.store import Follower
from volens.gate.policy import Rulebook, accepted_from
from volens.gate.store import in_force
from volens.holders import Database
from volens.permissions import store as permissions
from volens.permissions.ledger import Ledger
from volens.programme.model import Programme

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOMENT = timedelta(seconds=30)
PAGES_LOOKED_THROUGH = 200
PAGE = 500


@dataclass(frozen=True)
class Standing:
    """How far a follower is. `waiting_since` is none for one that has acknowledged every no."""

    follower: Follower
    waiting_since: datetime | None
    due: datetime | None
    overdue: bool

    def to_dict(self) -> dict[str, Any]:
        """For scripts and pages."""
        one = self.follower
        return {
            "follower": one.name, "recipient": one.recipient, "purposes": list(one.purposes), "webhook": one.webhook,
            "acknowledged": one.acknowledged, "waiting_since": _iso(self.waiting_since), "due": _iso(self.due),
            "overdue": self.overdue, "tried": one.tried, "outcome": one.outcome,
        }  # fmt: skip


@dataclass(frozen=True)
class Awaiting:
    """A follower that has not yet acknowledged a customer's no to some purposes."""

    follower: str
    recipient: str
    legal_name: str
    purposes: tuple[str, ...]
    since: datetime
    overdue: bool


class Progress:
    """Looks where followers stand, and makes their pages."""

    def __init__(
        self, records: Database, ledger: Ledger, rules: Rulebook, programme: Programme, clock: Clock, feed: Feed
    ) -> None:
        self._records, self._ledger, self._rules = records, ledger, rules
        self._programme, self._clock, self._feed = programme, clock, feed
        self._empty_until: dict[str, Cursor] = {}

    def page(self, follower: Follower, cursor: Cursor | None, limit: int = PAGE) -> Page:
        """The next page after a cursor, or after what the follower has acknowledged."""
        self._end_what_the_day_ends(follower.purposes)
        with self._records.reading() as connection:
            return self._page(connection, follower, cursor or Cursor(follower.acknowledged, follower.under), limit)

    def unacknowledged(self, follower: Follower) -> Page | None:
        """The first page that a follower has not acknowledged and that has something in it; none if there is none now."""
        self._end_what_the_day_ends(follower.purposes)
        start = self._start(follower)
        for _ in range(PAGES_LOOKED_THROUGH):
            with self._records.reading() as connection:
                page = self._page(connection, follower, start, PAGE)
            if page.changes or page.resync:
                return page
            start = self._empty_until[follower.name] = page.after
            if not page.more:
                break
        return None

    def mark(self, follower: Follower) -> str:
        """The mark of the rules that are in force for a follower."""
        self._end_what_the_day_ends(follower.purposes)
        with self._records.reading() as connection:
            return rules_mark(in_force(connection, self._rules), follower, self._today())

    def notice(self) -> None:
        """Notes when the ledger had which size, and when rules changed. While a server runs it does so every second."""
        now = self._clock.now()
        with self._records.reading() as connection:
            following = store.all_followers(connection)
            if not following:
                return
            position, newest = log.size(connection, EVENTS), store.newest_moment(connection)
            noted = store.noticed(connection, newest - 1) if newest is not None else None
            rules = in_force(connection, self._rules)
        marks = {one.name: rules_mark(rules, one, self._today()) for one in following}
        other = [one for one in following if one.rules != marks[one.name]]
        due = newest is None or (newest < position and (noted is None or now - datetime.fromisoformat(noted) >= MOMENT))
        if not due and not other:
            return
        with self._records.writing() as connection:
            if due:
                store.note_moment(connection, position, now.isoformat(), min(one.acknowledged for one in following))
            for one in other:
                store.note_rules(connection, one.name, marks[one.name], now.isoformat())

    def standing(self) -> list[Standing]:
        """How far everybody is, by name."""
        self.notice()
        return [self._stands(one) for one in self._all()]

    def overdue(self) -> list[Standing]:
        """Those who have not acknowledged somebody's no in time; longest first."""
        late = [one for one in self.standing() if one.overdue]
        return sorted(late, key=lambda one: (one.due or self._clock.now(), one.follower.name))

    def awaiting(self, customer: int) -> list[Awaiting]:
        """Who has not yet acknowledged this customer's no, to what, since when. Empty when all of them have."""
        now, found = self._clock.now(), list[Awaiting]()
        with self._records.reading() as connection:
            rules, today = in_force(connection, self._rules), self._today()
            for one in store.all_followers(connection):
                waiting = self._awaited(connection, one, customer, rules, today)
                if waiting:
                    since = min(waiting.values())
                    overdue = now > since + self._allowed(one)
                    recipient = self._programme.recipients.get(one.recipient)
                    name = recipient.legal_name if recipient is not None else one.recipient
                    found.append(Awaiting(one.name, one.recipient, name, tuple(sorted(waiting)), since, overdue))
        return found

    def _all(self) -> list[Follower]:
        with self._records.reading() as connection:
            return store.all_followers(connection)

    def _awaited(
        self, connection: Connection, follower: Follower, customer: int, rules: Rulebook, today: date
    ) -> Mapping[str, datetime]:
        """The purposes of a follower whose no it has not acknowledged, and since when that no stands."""
        rows = {row.purpose: row for row in permissions.of_customers(connection, [customer], follower.purposes)
                if row.recipient == follower.recipient}  # fmt: skip
        mark, since = rules_mark(rules, follower, today), dict[str, datetime]()
        for purpose in follower.purposes:
            row = rows.get(purpose)
            if row is None or allows(follower, row, purpose, rules, today):
                continue
            if not ever_permitted(connection, follower, rules, purpose, [customer]):
                continue
            said = store.last_said(connection, customer, purpose, follower.recipient)
            if row.permits and mark != follower.under:
                since[purpose] = self._rules_since(follower, mark)
            elif not row.permits and said is not None and said >= follower.acknowledged:
                since[purpose] = self._noticed(connection, said)
        return since

    def _stands(self, follower: Follower) -> Standing:
        since = self._waiting_since(follower)
        if since is None:
            return Standing(follower, None, None, False)
        due = since + self._allowed(follower)
        return Standing(follower, since, due, self._clock.now() > due)

    def _waiting_since(self, follower: Follower) -> datetime | None:
        """Since when the oldest unacknowledged no of a follower stands."""
        today, start, since = self._today(), self._start(follower), list[datetime]()
        self._end_what_the_day_ends(follower.purposes)
        for _ in range(PAGES_LOOKED_THROUGH):
            with self._records.reading() as connection:
                page = self._page(connection, follower, start, PAGE)
                if page.resync and not since:
                    since.append(self._rules_since(follower, rules_mark(in_force(connection, self._rules), follower, today)))
                noes = [one.seq for one in page.changes if not one.permitted]
                if noes:
                    since.append(self._noticed(connection, min(noes)))
            if noes or not page.more:
                break
            start = page.after
        return min(since, default=None)

    def _noticed(self, connection: Connection, seq: int) -> datetime:
        at = store.noticed(connection, seq)
        return datetime.fromisoformat(at) if at is not None else self._clock.now()

    def _rules_since(self, follower: Follower, mark: str) -> datetime:
        return datetime.fromisoformat(follower.rules_at) if follower.rules == mark else self._clock.now()

    def _allowed(self, follower: Follower) -> timedelta:
        recipient = self._programme.recipients.get(follower.recipient)
        return timedelta(hours=recipient.obeys_within_hours if recipient is not None else 24)

    def _start(self, follower: Follower) -> Cursor:
        """Where to look from: what it acknowledged, or further where there was nothing for it since."""
        acknowledged = Cursor(follower.acknowledged, follower.under)
        empty = self._empty_until.get(follower.name)
        return empty if empty is not None and empty.seq >= acknowledged.seq and empty.rules == acknowledged.rules else acknowledged

    def _page(self, connection: Connection, follower: Follower, cursor: Cursor, limit: int) -> Page:
        require_programme(connection, self._programme.digest)
        return self._feed.page(connection, follower, in_force(connection, self._rules), self._today(), cursor, limit)

    def _end_what_the_day_ends(self, purposes: Collection[str]) -> None:
        today = self._today()
        self._ledger.turn(today)
        for purpose in purposes:
            rule = self._rules.get(purpose)
            if rule is not None and rule.renew_months is not None:
                self._ledger.expire(purpose, accepted_from(rule.renew_months, today), today)

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._programme.country)


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant is not None else None
