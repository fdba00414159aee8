"""The followers as the house hands them out (`house.followers`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from volens.clock import Clock
from volens.errors import BadInput
from volens.followers import store
from volens.followers.deciding import Deciding
from volens.followers.export import Exports, PermittedSet
from volens.followers.feed import PAGE, PAGE_MOST, Cursor, Feed, Page, References
from volens.followers.progress import Awaiting, Progress, Standing
from volens.followers.questions import Reader
from volens.followers.registry import Registry
from volens.followers.store import Follower
from volens.gate.barrier import Barrier
from volens.gate.policy import Rulebook
from volens.gate.reads import Gate
from volens.holders import Database, Keys
from volens.identity.pseudonyms import Pseudonyms
from volens.permissions.ledger import Ledger
from volens.programme.model import Programme


@dataclass(frozen=True)
class Given:
    """A page with its cursor as the follower gets it."""

    page: Page
    cursor: str

    def to_dict(self) -> dict[str, Any]:
        """As it is sent."""
        return {
            "changes": [one.to_dict() for one in self.page.changes],
            "resync": self.page.resync,
            "cursor": self.cursor,
            "position": self.page.position,
            "more": self.page.more,
        }


class Followers:
    """Decisions, changes and acknowledgements for systems of the house and of recipients. Durable when a method returns."""

    def __init__(
        self,
        records: Database,
        gate: Gate,
        barrier: Barrier,
        ledger: Ledger,
        rules: Rulebook,
        programme: Programme,
        keys: Keys,
        clock: Clock,
        found_by: Reader,
        references: References,
    ) -> None:
        self._records, self._clock = records, clock
        self.pseudonyms = Pseudonyms(keys)
        self.decisions = Deciding(records, gate, programme, clock, found_by, self.pseudonyms)
        self._feed = Feed(keys, self.pseudonyms, references)
        self._registry = Registry(records, programme, keys, clock)
        self._progress = Progress(records, ledger, rules, programme, clock, self._feed)
        self._exports = Exports(barrier, gate, programme, keys, clock, self.pseudonyms)

    # Who follows

    def add(
        self, name: str, purposes: Iterable[str], *, recipient: str, by: str, webhook: str | None = None
    ) -> Follower:
        """A new follower, or another form of one (`Registry.add`)."""
        return self._registry.add(name, purposes, recipient=recipient, by=by, webhook=webhook)

    def renew_secret(self, name: str, *, by: str) -> Follower:
        """Another webhook secret (`Registry.renew_secret`)."""
        return self._registry.renew_secret(name, by=by)

    def end(self, name: str, *, by: str) -> None:
        """It follows no more: nothing is sent, and nobody waits for it."""
        self._registry.end(name, by=by)

    def there(self, name: str) -> Follower:
        """A follower by name; `NotFound` if it does not follow."""
        return self._registry.there(name)

    def all(self) -> list[Follower]:
        """Everybody who follows, by name."""
        return self._registry.all()

    def secrets(self, follower: Follower) -> tuple[str, ...]:
        """The webhook secrets by which deliveries are signed, newest first, in the form of Standard Webhooks."""
        return self._registry.secrets(follower)

    # What changed

    def changes(self, name: str, after: str | None = None, limit: int = PAGE) -> Given:
        """The next page for a follower: after a cursor that it was given, or after what it has acknowledged."""
        if not 1 <= limit <= PAGE_MOST:
            raise BadInput(f"A page has 1 to {PAGE_MOST:,} changes.", f"Ask for {PAGE}.")
        page = self._progress.page(self.there(name), self._feed.read(name, after) if after else None, limit)
        return Given(page, self._feed.write(name, page.after))

    def unacknowledged(self, follower: Follower) -> Given | None:
        """The first page that a follower has not acknowledged and that has something in it; none if there is none now."""
        page = self._progress.unacknowledged(follower)
        return Given(page, self._feed.write(follower.name, page.after)) if page is not None else None

    def acknowledge(self, name: str, cursor: str) -> int:
        """A follower has dealt with everything up to a cursor that it was given. Returns the seq up to which it has."""
        return self._registry.acknowledge(name, self._feed.read(name, cursor))

    def permitted_set(self, name: str, purpose: str) -> PermittedSet:
        """Who permits a purpose to a follower's recipient, handed over at the door, under its pseudonyms."""
        follower = self.there(name)
        mark = self._progress.mark(follower)
        return self._exports.make(follower, purpose, lambda seq: self._feed.write(name, Cursor(seq, mark)))

    # Who is behind

    def notice(self) -> None:
        """Notes when the ledger had which size, and when rules changed. While a server runs it does so every second."""
        self._progress.notice()

    def standing(self) -> list[Standing]:
        """How far everybody is, by name."""
        return self._progress.standing()

    def overdue(self) -> list[Standing]:
        """Those who have not acknowledged somebody's no in time; longest first."""
        return self._progress.overdue()

    def awaiting(self, customer: int) -> list[Awaiting]:
        """Who has not yet acknowledged this customer's no, to what, since when. Empty when all of them have."""
        return self._progress.awaiting(customer)

    def note(self, name: str, outcome: str) -> None:
        """What came of a delivery; for whoever looks why a follower is behind."""
        with self._records.writing() as connection:
            store.note_try(connection, name, self._clock.now().isoformat(), outcome)

    def close(self) -> None:
        """Writes the counts that are left."""
        self.decisions.close()
