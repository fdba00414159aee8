"""Taking in choices that were made elsewhere: line by line judged, sealed, and appended as events of many rows.

Rules:
1. A line becomes a choice with its proof, or waits in quarantine with its place and reason. There is no third way, and none
   in which a doubt becomes a yes (`permissions.judge`).
2. An imported choice ranks by the day on which it was said (`permissions.state`, rule 5).
3. Each event, its rows, the permissions that follow and how far the file was taken in are one transaction. A run that was
   killed is taken up by the same command; the same file again changes nothing; a line that another file brought is known.
4. Judging and sealing are done before the head row is taken; between two events it is let go for `PAUSE_SECONDS` at least.
   A withdrawal waits for one event at most.
5. Memory is that of one piece of the file, however long the file.
"""

from __future__ import annotations

import hashlib
import json
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from volens.clock import Clock, legal_day
from volens.errors import BadInput
from volens.evidence import log
from volens.evidence.groups import GROUPS, IMPORT, GroupRow, append_group, prepare
from volens.evidence.journeys import Question, ask, rows_about, together
from volens.evidence.log import EVENTS, require_programme, texts_ended
from volens.evidence.merkle import canonical_json
from volens.holders import Database, Keys
from volens.identity import links
from volens.identity import store as identity
from volens.permissions import imports, settling, store
from volens.permissions.endings import PAUSE_SECONDS, TIDY_EVERY
from volens.permissions.imports import PLACED_LINES, SEALED_LINES, Progress
from volens.permissions.judge import PAYMENT, Imported, Judge
from volens.permissions.layout import Line, Mapped, read
from volens.permissions.ledger import People, Terms
from volens.permissions.state import KINDS, PERMITTING, Said

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from volens.holders import Sealer

CHOOSING = KINDS | frozenset(GROUPS) | {imports.REFUSED, imports.DONE}
"""Events that change nothing about who people are."""
ROWS_AT_ONCE = 100
"""Lines of one event. Up to 5,000 would be possible; a withdrawal waits for one event at most, and this is what it can bear."""
EXPLAINED_LINES = 10_000
EXAMPLES = 20

Told = Callable[[float, int], None]
"""Called with the share of the file that was read, and how many lines."""


class Account(Protocol):
    """Where a card or e-mail led."""

    @property
    def customer(self) -> int:
        """The number of whoever holds it."""

    @property
    def account(self) -> int:
        """Its own number; numbers are given in order and never again."""


class Directory(People, Protocol):
    """What an import needs of the vault on top: who is behind an account. It makes nobody."""

    def known(self, kind: str, values: Sequence[str]) -> Mapping[str, Account]:
        """Those of some cards or e-mails that lead to somebody."""


@dataclass
class Summary:
    """What became of a file."""

    file_name: str
    lines: int = 0
    taken: int = 0
    known: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str]] = field(default_factory=list)
    """The first refused lines: number and reason."""
    nothing_new: bool = False
    """The file had been taken in whole before."""

    def to_dict(self) -> dict[str, Any]:
        """For scripts."""
        return {
            **{name: value for name, value in vars(self).items() if name not in ("reasons", "kinds", "examples")},
            "reasons": dict(self.reasons.most_common()),
            "kinds": dict(self.kinds.most_common()),
            "examples": [{"line": line, "reason": reason} for line, reason in self.examples],
        }


class Importer:
    """Brings choices in from files."""

    def __init__(
        self, records: Database, people: Directory, keys: Keys, terms: Terms, clock: Clock, country: str,
        payment: Callable[[str], bool],
    ) -> None:  # fmt: skip
        """`payment`: whether a payment number stands anywhere in a text."""
        self._records, self._people, self._keys = records, people, keys
        self._terms, self._clock, self._country, self._payment = terms, clock, country, payment
        self._rules_at: tuple[int | None, int | None] = (None, None)
        self._judged_at = 0
        self._turn, self._let_go_at = 0, 0.0

    def take_in(
        self,
        path: Path,
        mapped: Mapped | None = None,
        told: Told = lambda share, lines: None,
        *,
        again: bool = False,
    ) -> Summary:
        """Takes a file of choices in. The same file with the same mapping again changes nothing.

        `again` judges a file that was taken in once more, because a customer is known now or a text was added: what is on
        record is known, what waited may become a choice.
        """
        mapped, now = mapped or Mapped(), self._clock.now()
        today, file = legal_day(now, self._country), _hash(path, mapped)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            imports.expire(connection, today)
            reached = imports.begin(connection, file, path.name, now)
            run = 0
            while again and reached.state == "done":
                run += 1
                reached = imports.begin(connection, hashlib.sha256(f"{file}/{run}".encode()).hexdigest(), path.name, now)
            seen_before = imports.others(connection, reached.file)
        summary = Summary(path.name, reached.lines, reached.taken, reached.known, reached.refused)
        if reached.state == "done":
            summary.nothing_new = True
            return summary
        judge = self._judge(mapped)
        begun_at = reached.lines
        for lines, share in read(path, mapped):
            fresh = [line for line in lines if line.number > begun_at]
            if fresh:
                reached = self._take_piece(fresh, judge, reached, seen_before, summary, today)
            told(share, reached.lines)
        with self._records.writing() as connection:
            log.lock(connection, EVENTS)
            imports.finish(connection, replace(reached, state="done"), today)
        return summary

    def explain(self, path: Path, mapped: Mapped | None = None) -> Summary:
        """What would become of the first 10,000 lines of a file. Writes nothing."""
        mapped = mapped or Mapped()
        judge, summary = self._judge(mapped), Summary(path.name)
        for lines, _ in read(path, mapped):
            for one in self._judged(lines, judge):
                summary.lines += 1
                _count(summary, one)
            if summary.lines >= EXPLAINED_LINES:
                break
        return summary

    def waiting(self) -> list[imports.RefusedLine]:
        """Lines in quarantine: file, line, reason and the day until which they are kept."""
        with self._records.reading() as connection:
            return imports.waiting(connection)

    def words(self, line: imports.RefusedLine) -> dict[str, Any]:
        """What a line in quarantine said; empty if its words were not kept."""
        if line.sealed is None:
            return {}
        said: dict[str, Any] = json.loads(self._keys.open_intake(bytes(line.sealed)))
        return said

    def _judge(self, mapped: Mapped) -> Judge:
        with self._records.reading() as connection:
            ended, self._rules_at = texts_ended(connection), log.newest_rules(connection)
            require_programme(connection, self._terms.programme)
        return Judge(self._terms, mapped, self._clock.now(), ended, self._payment)

    def _judged(self, lines: Sequence[Line], judge: Judge) -> Iterator[Imported | tuple[Line, str]]:
        """Each line as a choice, or with the reason against it."""
        accounts = {line.number: judge.account(line) for line in lines}
        held: dict[tuple[str, str], Account] = {}
        for kind in ("card", "email"):
            values = {account[1] for account in accounts.values() if account is not None and account[0] == kind}
            if values:
                found = self._people.known(kind, sorted(values))
                held |= {(kind, value): account for value, account in found.items()}
        with self._records.reading() as connection:
            self._judged_at = log.size(connection, EVENTS)
            countries = self._people.country_of(connection, {one.customer for one in held.values()})
            erasures = _erasures(connection)
        for line in lines:
            account = accounts[line.number]
            who = held.get(account) if account is not None else None
            if who is None:
                verdict = judge.judge(line, None, self._country)
            else:
                earlier = bisect_left(erasures, (who.account, date.min))
                until = erasures[earlier - 1][1] if earlier else None
                verdict = judge.judge(line, who.customer, countries.get(who.customer, self._country), until)
            yield verdict if isinstance(verdict, Imported) else (line, verdict)

    def _take_piece(
        self, lines: Sequence[Line], judge: Judge, reached: Progress, seen_before: bool, summary: Summary, today: date
    ) -> Progress:
        judged = self._without_the_young(list(self._judged(lines, judge)), lines, today)
        good = [one for one in judged if isinstance(one, Imported)]
        fresh = self._unknown(good) if seen_before and good else {one.line for one in good}
        with self._people.sealer({one.customer for one in good}) as sealer:
            for start in range(0, len(judged), ROWS_AT_ONCE):
                some = judged[start : start + ROWS_AT_ONCE]
                # Sealing is done in the pause that the others are owed: they hold the ledger meanwhile.
                rows = {one.line: _sealed(one, sealer) for one in some if isinstance(one, Imported) and one.line in fresh}
                reached = self._take_event(some, rows, judge, reached, today)
        for one in judged:
            _count(summary, one)
        summary.lines, summary.taken, summary.known, summary.refused = (
            reached.lines, reached.taken, reached.known, reached.refused,
        )  # fmt: skip
        return reached

    def _take_event(
        self, judged: Sequence[Imported | tuple[Line, str]], sealed: Mapping[int, GroupRow], judge: Judge, reached: Progress,
        today: date,
    ) -> Progress:  # fmt: skip
        """One transaction: some lines as rows of one event, and those that wait."""
        good = [one for one in judged if isinstance(one, Imported) and one.line in sealed]
        bad = [one for one in judged if not isinstance(one, Imported)]
        rows = [sealed[one.line] for one in good]
        refused, last = self._refused(bad, reached.refused), judged[-1]
        reached = replace(
            reached, lines=last.line if isinstance(last, Imported) else last[0].number, taken=reached.taken + len(good),
            known=reached.known + len(judged) - len(good) - len(bad), refused=reached.refused + len(bad),
        )  # fmt: skip
        prepared = prepare(rows) if rows else None
        self._turn = self._turn % TIDY_EVERY + 1
        owed = PAUSE_SECONDS - (time.perf_counter() - self._let_go_at)
        self._records.rest(max(0.0, owed), tidy=self._turn == TIDY_EVERY)
        who = {row.customer for row in rows}
        days = {row.day: date.fromisoformat(row.day) for row in rows}
        with self._records.writing() as connection:
            head, rules, other, standing, moved = ask(
                connection,
                [log.HEADS[EVENTS], log.RULES, log.others_since(self._judged_at, CHOOSING), Question(store.STANDING, who),
                 Question(links.MOVED, who)],
            )  # fmt: skip
            held = log.frontier_of(EVENTS, head)
            self._require_as_judged(connection, good, rows, judge, today, tuple(rules[0]), bool(other))
            history = [
                Said(held.size, row.customer, row.purpose, row.recipient, row.kind, row.text, days[row.day], True, place)
                for place, row in enumerate(rows)
            ]
            with together(connection):
                if prepared is not None:
                    detail = {"import": reached.file, "first": good[0].line, "last": good[-1].line}
                    append_group(connection, IMPORT, prepared, detail, held=held, day=today)
                    store.keep(connection, history, self._terms.texts, store.permissions_in(standing))
                imports.advance(connection, reached)
            settling.reach_moved_lines(connection, history, self._terms.texts, links.moves_in(moved))
            if bad:
                imports.refuse(connection, reached.file, refused, len(bad), today)
        self._let_go_at = time.perf_counter()
        return reached

    def _without_the_young(
        self, judged: list[Imported | tuple[Line, str]], lines: Sequence[Line], today: date
    ) -> list[Imported | tuple[Line, str]]:
        """Takes out what `Ledger.record` would not take either: see there."""
        asked = [one for one in judged if isinstance(one, Imported) and one.kind in PERMITTING]
        with self._records.reading() as connection:
            against = self._against_lives(connection, asked, today)
        if not against:
            return judged
        at = {line.number: line for line in lines}
        return [
            (at[one.line], reason) if isinstance(one, Imported) and (reason := against.get(one.line)) else one for one in judged
        ]

    def _against_lives(self, connection: Connection, asked: Sequence[Imported], today: date) -> dict[int, str]:
        """By line: yeses of people who are too young for them, or that would open lines of somebody else's card."""
        who = {one.customer for one in asked}
        known, in_front = identity.ages_of(connection, who), links.in_front(connection, who)
        found = {}
        for one in asked:
            country, until = known.get(one.customer, (self._country, None))
            if until is not None and self._terms.ages.against(one.purpose, False, until, country, today) is not None:
                found[one.line] = "too-young"
            elif one.customer in in_front:
                found[one.line] = "card-moved"
        return found

    def _require_as_judged(
        self, connection: Connection, good: Sequence[Imported], rows: Sequence[GroupRow], judge: Judge, today: date,
        rules: tuple[int | None, int | None], others: bool,
    ) -> None:  # fmt: skip
        """What the lines were judged by must still be so; else nothing of the piece is taken in, and it can be run again."""
        asked = [one for one in good if one.kind in PERMITTING]
        if asked and rules != self._rules_at:
            require_programme(connection, self._terms.programme)
            if texts_ended(connection) != judge.ended:
                raise BadInput("A text was invalidated while the file was read.", "Run the same command again: it goes on.")
        if not others:
            return  # nothing but choices was recorded since the lines were judged: nobody moved, grew up or was erased
        if self._against_lives(connection, asked, today):
            raise BadInput("A card moved while the file was read.", "Run the same command again: it goes on.")
        who = {row.customer for row in rows}
        if len(self._people.country_of(connection, who)) < len(who):
            raise BadInput("A customer was erased while the file was read.", "Run the same command again: it goes on.")

    def _unknown(self, good: Sequence[Imported]) -> set[int]:
        """The lines that no earlier import has brought."""
        statement = "select customer, kind, purpose, recipient, text, day from group_rows where customer in (?)"
        with self._records.reading() as connection:
            known = {tuple(row) for row in rows_about(connection, statement, {one.customer for one in good})}
        return {
            one.line for one in good if (one.customer, one.kind, one.purpose, one.recipient, one.text, one.day) not in known
        }

    def _refused(self, bad: Sequence[tuple[Line, str]], before: int) -> list[tuple[int, str, bytes | None]]:
        found = []
        for place, (line, reason) in enumerate(bad[: max(0, PLACED_LINES - before)]):
            words = None
            if before + place < SEALED_LINES and line.said is not None and reason != PAYMENT:
                words = self._keys.seal_intake(json.dumps(line.said, ensure_ascii=False, default=str).encode())
            found.append((line.number, reason, words))
        return found


def _erasures(connection: Connection) -> list[tuple[int, date]]:
    """Of each erasure, oldest first: the last account that was there, and the day. Accounts beyond it were met afterwards."""
    rows = log.rows(connection, EVENTS, kinds=["erased"])
    return sorted((int(row.said().get("last_account", 0)), date.fromisoformat(str(row.day))) for row in rows)


def _sealed(one: Imported, sealer: Sealer) -> GroupRow:
    commitment, sealed = log.seal(one.customer, one.how, sealer)
    return GroupRow(one.kind, one.customer, one.purpose, one.recipient, one.text, one.day, commitment, sealed)


def _count(summary: Summary, one: Imported | tuple[Line, str]) -> None:
    if isinstance(one, Imported):
        summary.kinds[one.kind] += 1
        return
    summary.reasons[one[1]] += 1
    if len(summary.examples) < EXAMPLES:
        summary.examples.append((one[0].number, one[1]))


def _hash(path: Path, mapped: Mapped) -> str:
    """The file by its content and by how it is read: a copy under another name is the same, with another mapping it is not."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Name a CSV, Parquet or JSON Lines file.")
    with path.open("rb") as file:
        whole = hashlib.file_digest(file, "sha256")
    whole.update(canonical_json(vars(mapped)))
    return whole.hexdigest()
