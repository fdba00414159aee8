"""The ledger of choices: appended with its proof, in force when the call returns.

Rules:
1. A choice, its leaf and the state that follows are one transaction. Calls that arrive together share it.
2. A yes is only taken under a text that is in force and names the recipient; a no is taken under any text, or none:
   saying no is never harder than saying yes.
3. The state that is stored is `permissions.state`'s fold and nothing else; `volens audit` rebuilds it from the events.
4. Whatever is unknown (purpose, recipient, text, customer, kind) is refused with what would be right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow, Unavailable
from volens.evidence import groups, log
from volens.evidence.groups import IMPORT
from volens.evidence.journeys import Question, ask, together
from volens.evidence.log import EVENTS, SALT_BYTES, Event, append, require_programme
from volens.holders import Database, Sealer
from volens.identity import links
from volens.identity import store as identity
from volens.identity.store import Life
from volens.permissions import counts, parents, settling, store
from volens.permissions.ages import PARENT, PROXY, Ages
from volens.permissions.complete import complete
from volens.permissions.endings import PAUSE_SECONDS, Endings, end_now
from volens.permissions.minors import Minors
from volens.permissions.state import ALL, KINDS, PERMITTING, Permission, Said
from volens.permissions.together import Job, Together

if TYPE_CHECKING:
    from sqlalchemy import Connection

NOBODY = "A choice names a customer who does not exist."
MAX_CHOICES = 100
"""Choices of one transaction: what a withdrawal may have to wait behind."""
Also = Callable[["Connection", list[int]], object]
"""What happens in the transaction of some choices: gets the connection and their seqs."""


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
    store: str = ""
    """The shop in which it was said, for a till or a form."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"There is no choice of kind {self.kind!r}.", f"Use one of: {', '.join(sorted(KINDS))}.")
        if self.actor in (PARENT, PROXY) and self.kind in PERMITTING and not self.proof:
            raise BadInput("A yes for somebody else needs to be shown.", "Say how the parent or proxy was verified: --proof.")
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
    country: str = "FR"
    """The house's, whose legal day is the day on which ages end."""
    ages: Ages = field(default_factory=Ages)
    """Who may say yes to what alone."""
    periods: Mapping[str, tuple[date, date | None]] = field(default_factory=dict)
    """Of each text, oldest version first: the first day on which it counts, and the first on which it no longer does."""
    compared: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Purposes of which two texts are shown side by side, each to some people: a yes under either is one."""

    def in_force(self, purpose: str, day: date) -> str | None:
        """The text that was shown for a purpose on a day: the newest that counted then."""
        standing = [
            text
            for text, (first, end) in self.periods.items()
            if text.split("/")[0] == purpose and first <= day and (end is None or day < end)
        ]
        return standing[-1] if standing else None


class People(Protocol):
    """What the ledger needs of the vault: countries, and sealing under a person's key."""

    def country_of(self, connection: Connection, wanted: Iterable[int]) -> dict[int, str]:
        """Country of each customer that exists."""

    def sealer(self, wanted: Iterable[int]) -> AbstractContextManager[Sealer]:
        """Seals under the keys of some customers, for one block; `NotFound` for a customer whose key is destroyed."""

    def reveal(self, sealed: Sequence[tuple[int, bytes]]) -> list[bytes | None]:
        """Opens what was sealed; None without a key, b"" where something does not open."""


@dataclass(frozen=True)
class Spoken:
    """One line of a customer's history: a choice, and how it was said where that can still be opened."""

    seq: int
    kind: str
    purpose: str
    recipient: str
    text: str
    day: str
    imported: bool
    how: Mapping[str, Any]
    """`at`, `language`, `surface`, `actor`, `proof`; empty for what time or the house brought about."""
    place: int | None = None
    """Among the rows of one event; none for an event of its own."""


class Ledger:
    """Appends choices and keeps the state that follows. In force for every read that starts after the call returned."""

    def __init__(self, records: Database, people: People, terms: Terms, clock: Clock) -> None:
        self._records, self._people, self._terms, self._clock = records, people, terms, clock
        self._together: Together[Sequence[Choice], list[int]] = Together(self._commit, MAX_CHOICES)
        self._endings = Endings(records, terms.texts)
        self.minors = Minors(terms.ages, terms.texts)
        self._programme_seen = -1
        self._ended_seen: tuple[int | None, frozenset[str]] = (None, frozenset())

    def record(self, choices: Sequence[Choice], also: Also | None = None) -> list[int]:
        """Appends choices and returns their seqs in order. Durable when it returns.

        All or none of each `MAX_CHOICES`: of more, those before the one that is refused stay, so that nobody who withdraws
        meanwhile waits for all of them. Threads that call at the same time share a transaction; each learns only of its own
        mistakes.

        also: what has to happen in the same transaction, after the choices; it gets their seqs, and raises to undo all of it.
        Then there may be no more than `MAX_CHOICES`, and the transaction is shared with nobody.
        """
        whole = [complete(choice, self._terms) for choice in choices]
        if also is not None:
            return self._record_with(whole, also)
        seqs: list[int] = []
        for start in range(0, len(whole), MAX_CHOICES):
            if start:
                self._records.rest(PAUSE_SECONDS)
            seqs += self._record(whole[start : start + MAX_CHOICES])
        return seqs

    def _record_with(self, whole: Sequence[Choice], also: Also) -> list[int]:
        if not 0 < len(whole) <= MAX_CHOICES:
            raise BadInput(f"One transaction holds 1 to {MAX_CHOICES} choices.", "Record them in several calls.")
        self.turn(legal_day(self._clock.now(), self._terms.country))
        job: Job[Sequence[Choice], list[int]] = Job(whole)
        self._commit([job], also)
        return job.result()

    def _record(self, whole: Sequence[Choice]) -> list[int]:
        """One transaction."""
        self.turn(legal_day(self._clock.now(), self._terms.country))
        return self._together.submit(whole, len(whole))

    def refuse_everything(self, customer: int, *, surface: str, actor: str = "the person", language: str = "fr") -> list[int]:
        """No to every purpose that can be refused, statistics that are sold included. One transaction."""
        said = self.refusals(customer, surface=surface, actor=actor, language=language)
        return self._record([complete(choice, self._terms) for choice in said]) if said else []

    def refusals(
        self, customer: int, purposes: Collection[str] | None = None, *, surface: str, actor: str = "the person",
        language: str = "fr", proof: Mapping[str, Any] | None = None,
    ) -> list[Choice]:  # fmt: skip
        """What to record so that everything, or each of some purposes, is refused.

        A standing yes is withdrawn, or objected to where the basis is legitimate interest; the rest is refused. What
        rests on a contract or on a legal obligation has no choice to refuse.
        """
        with self._records.reading() as connection:
            permitted = {row.purpose for row in store.of_customers(connection, [customer]) if row.permits}
        said = []
        for purpose in sorted(self._terms.kinds if purposes is None else self._terms.kinds.keys() & set(purposes)):
            kinds = self._terms.kinds[purpose]
            if "given" in kinds:
                kind = "withdrawn" if purpose in permitted else "refused"
            elif "notified" in kinds:
                kind = "objected"
            else:
                continue
            said.append(
                Choice(customer, purpose, kind, surface=surface, actor=actor, language=language, proof=proof or {})
            )
        return said

    def of_customer(self, customer: int) -> list[Permission]:
        """What stands for one customer, by purpose and recipient."""
        with self._records.reading() as connection:
            found = [row for row in store.of_customers(connection, [customer]) if row.recipient != ALL]
        return sorted(found, key=lambda row: (row.purpose, row.recipient))

    def newest(self, customer: int) -> int:
        """The number of the last word that stands between a customer and any use; 0 for somebody who never said one."""
        with self._records.reading() as connection:
            return max((row.seq for row in store.of_customers(connection, [customer])), default=0)

    def end_all(self, connection: Connection, customer: int, kind: str, today: date) -> int:
        """Ends every standing yes of a customer by an event of a kind that denies, in the caller's transaction, which holds
        the ledger. Needs no key of hers. Returns how many."""
        standing = [row for row in store.of_customers(connection, [customer]) if row.permits]
        if standing:
            end_now(connection, standing, kind, today, self._terms.texts)
        return len(standing)

    def end_everything(self, today: date) -> int:
        """Ends every standing yes of everybody: after a loss, whether a no was said since is not known. Returns how many."""
        return self._endings.end_everything(today)

    def history(self, customer: int) -> list[Spoken]:
        """Everything that was ever recorded of one customer's choices, in order."""
        with self._records.reading() as connection:
            single = [row for row in log.rows(connection, EVENTS, customer=customer) if row.kind in KINDS]
            grouped = groups.of_customer(connection, customer)
            imports = groups.among(connection, {row.seq for row in grouped}, IMPORT)
        rows: list[tuple[int, int, Any]] = [(row.seq, 0, row) for row in single] + [
            (row.seq, row.place, row) for row in grouped
        ]
        rows.sort(key=lambda one: one[:2])
        opened = self._people.reveal([(customer, row.sealed or b"") for _, _, row in rows])
        return [
            Spoken(seq, row.kind, row.purpose or "", row.recipient or "", row.text or "", row.day or "", seq in imports,
                   json.loads(plain[SALT_BYTES:]) if plain else {}, getattr(row, "place", None))
            for (seq, _, row), plain in zip(rows, opened, strict=True)
        ]  # fmt: skip

    def _commit(self, jobs: list[Job[Sequence[Choice], list[int]]], also: Also | None = None) -> None:
        """One transaction for all of them. What is wrong with one job is noted on it, and the others go on."""
        who = {choice.customer for job in jobs for choice in job.work}
        now = self._clock.now()
        sealed: dict[int, list[Event]] = {}
        with self._people.sealer(who) as sealer:
            for place, job in enumerate(jobs):
                try:
                    sealed[place] = [log.sealed_beforehand(_event(one, now.isoformat()), sealer) for one in job.work]
                except NotFound as error:
                    job.error = NotFound(NOBODY, error.remedy)
        if not sealed:
            return
        first: dict[int, int] = {}
        asks_yes = any(choice.kind in PERMITTING for job in jobs for choice in job.work)
        with self._records.writing() as connection:
            # Once the head row is ours, what is read after it is what the writer before us committed.
            questions = [log.HEADS[EVENTS], *(Question(asked, who) for asked in (identity.LIVES, links.MOVED, store.STANDING))]
            head, lives, moved, standing, *rules = ask(connection, [*questions, *[log.RULES] * asks_yes])
            held, known, moves = log.frontier_of(EVENTS, head), identity.lives_in(lives), links.moves_in(moved)
            days = {customer: legal_day(now, life.country) for customer, life in known.items()}
            self._refuse_strangers(jobs, known.keys())
            if rules:
                self._refuse_old_yeses(connection, jobs, *rules[0][0])
                self._refuse_by_lives(jobs, known, {former for some in moves.values() for former in some}, days)
            able = [place for place in sealed if jobs[place].error is None]
            if able:
                happened, history = list[Event](), list[Said]()
                for place in able:
                    first[place] = held.size + len(happened)
                    for one, event in zip(jobs[place].work, sealed[place], strict=True):
                        seq, day = held.size + len(happened), days[one.customer]
                        happened.append(replace(event, day=day))
                        history.append(Said(seq, one.customer, one.purpose, one.recipient, one.kind, str(one.text), day))
                with together(connection):
                    append(connection, EVENTS, happened, held=held)
                    store.keep(connection, history, self._terms.texts, store.permissions_in(standing))
                    counts.add(connection, [(one, days[one.customer]) for place in able for one in jobs[place].work])
                parents.note(connection, self._by_parents(first, jobs))
                settling.reach_moved_lines(connection, history, self._terms.texts, moves)
                if also is not None:
                    also(connection, [said.seq for said in history])
        # Only here, after the commit, is anybody told that it is done.
        for place, start in first.items():
            jobs[place].answer = list(range(start, start + len(jobs[place].work)))

    def _refuse_strangers(self, jobs: list[Job[Sequence[Choice], list[int]]], there: Collection[int]) -> None:
        """Said before an enrolment or after an erasure, a choice would be about somebody who does not exist."""
        for job in jobs:
            if job.error is None and any(choice.customer not in there for choice in job.work):
                job.error = NotFound(NOBODY, "Ingest the customer master first; or they may just have been erased.")

    def _refuse_old_yeses(
        self, connection: Connection, jobs: list[Job[Sequence[Choice], list[int]]], newest: int | None, newest_end: int | None
    ) -> None:
        """A yes is not taken by old rules, nor under a text that was invalidated meanwhile. A no always is."""
        asking = [job for job in jobs if job.error is None and any(choice.kind in PERMITTING for choice in job.work)]
        if not asking:
            return
        trouble: Unavailable | None = None
        if newest is None or newest != self._programme_seen:
            try:
                require_programme(connection, self._terms.programme)
                self._programme_seen = newest if newest is not None else -1
            except Unavailable as error:
                trouble = error
        if newest_end != self._ended_seen[0]:
            self._ended_seen = (newest_end, log.texts_ended(connection))
        ended = self._ended_seen[1]
        for job in asking:
            under = {str(choice.text) for choice in job.work if choice.kind in PERMITTING} & ended
            if trouble is not None:
                job.error = trouble
            elif under:
                job.error = BadInput(
                    f"The text {', '.join(sorted(under))} was invalidated: nobody can accept it any more.",
                    "Write a new version of it, and ask again; a no is taken at any time.",
                )

    def _refuse_by_lives(
        self, jobs: list[Job[Sequence[Choice], list[int]]], known: Mapping[int, Life], in_front: Collection[int],
        days: Mapping[int, date],
    ) -> None:  # fmt: skip
        """A yes that the person is too young for, or that would open lines of somebody else's card, is not taken."""
        for job in jobs:
            for choice in job.work if job.error is None else ():
                if choice.kind not in PERMITTING:
                    continue
                life = known[choice.customer]
                parent = choice.actor == PARENT and choice.purpose in self._terms.ages.consent
                wrong = self._terms.ages.against(
                    choice.purpose, parent, self.minors.stands(life), life.country, days[choice.customer]
                )
                if wrong is not None:
                    job.error = BadInput(wrong[0], wrong[1])
                elif choice.customer in in_front:
                    job.error = NotNow(
                        "Purchases of a card that belongs to somebody else now still stand under this customer's number.",
                        "Run: volens customer relabel. Then record the yes; a no is taken at any time.",
                    )

    @staticmethod
    def _by_parents(first: Mapping[int, int], jobs: list[Job[Sequence[Choice], list[int]]]) -> list[int]:
        yes = [(seq, one) for place, start in first.items() for seq, one in enumerate(jobs[place].work, start)]
        return [seq for seq, choice in yes if choice.actor == PARENT and choice.kind in PERMITTING]

    def turn(self, today: date) -> None:
        """Ends what ages end on a legal day; before the first read, hand-over or record of that day."""
        self.minors.turn(self._records, today)

    def expire(self, purpose: str, accepted_before: date, today: date) -> int:
        """Appends `expired` for every yes to `purpose` that was given before a day. Returns how many."""
        return self._endings.expire(purpose, accepted_before, today)

    def standing_under(self, text: str) -> int:
        """How many customers have a yes that stands under a text: what ending it would end."""
        with self._records.reading() as connection:
            return store.count_under(connection, text)

    def invalidate(
        self, text: str, today: date, *, why: str, by: str, progress: Callable[[int], None] = lambda done: None
    ) -> int:
        """Ends one version of a text: from the first commit on no yes under it counts. Returns how many yeses ended."""
        return self._endings.invalidate(text, today, why=why, by=by, progress=progress)


def _event(choice: Choice, at: str) -> Event:
    """The choice without its day: the person's country says it, and is asked when the head row is held."""
    return Event(
        choice.kind,
        customer=choice.customer,
        purpose=choice.purpose,
        recipient=choice.recipient,
        text=choice.text,
        detail={"by": "parent"} if choice.actor == PARENT and choice.kind in PERMITTING else {},
        private={
            "at": at,
            "language": choice.language,
            "surface": choice.surface,
            "actor": choice.actor,
            "proof": dict(choice.proof),
            **({"store": choice.store} if choice.store else {}),
        },
    )
