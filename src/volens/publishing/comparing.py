"""Comparing two texts of one purpose: starting, assigning, ending. What decides stands in `trials`.

Rules:
1. Starting publishes the other text by its second person, and puts it beside the one in force; the house takes both over.
2. While a trial runs nobody sees a result: how many were asked so far is all there is.
3. A text that ends in the middle is shown to nobody any more, whoever it was assigned to.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import EVENTS
from volens.holders import Database
from volens.permissions.state import PERMITTING
from volens.programme.edition import files_of
from volens.programme.model import Programme, Text
from volens.publishing import store, symmetry, trials
from volens.publishing.adoption import told
from volens.publishing.store import TRIAL_ENDED, TRIAL_STARTED, Trial
from volens.publishing.trials import Arm, Progress
from volens.publishing.workflow import EVENTS as STEPS
from volens.publishing.workflow import PUBLISHED, Person, Stands, check_move

if TYPE_CHECKING:
    from sqlalchemy import Connection

Component = Callable[[Text, str], str]
"""(text, language) → the question's HTML, exactly as customers get it."""


@dataclass(frozen=True)
class Running:
    """A trial as staff see it: how far it is, and what came out when it was over."""

    trial: Trial
    asked: tuple[int, int]
    over: bool
    """Whether it can be concluded."""
    arms: tuple[Arm, Arm] | None


class Comparing:
    """Trials of one house. Durable when a method returns."""

    def __init__(
        self, records: Database, edition: Programme, clock: Clock, read: Callable[[], Programme],
        standing: Callable[[Connection, Programme], dict[str, Stands]],
    ) -> None:  # fmt: skip
        self._records, self._edition, self._clock, self._read, self._standing = records, edition, clock, read, standing
        with records.reading() as connection:
            self._trials = store.all_trials(connection)
            self._running = {
                one.purpose: Progress(one, store.events_from(connection, one.trial)) for one in self._trials if one.running
            }

    @property
    def compared(self) -> frozenset[str]:
        """The texts of trials that run."""
        return frozenset(text for one in self._trials if one.running for text in one.texts)

    def text_for(self, purpose: str, customer: int, today: date) -> Text:
        """The text to ask somebody under: the one in force, or in a trial the one that is hers."""
        current = self._edition.current_text(purpose, today)
        progress = self._running.get(purpose)
        if progress is None:
            return current
        with self._records.reading() as connection:
            progress.read(connection)
            ended = log.texts_ended(connection)
        theirs = assigned = trials.assigned(progress.trial, customer)
        if progress.takes_part(customer) is None and len(progress.asked[assigned]) >= progress.trial.people:
            theirs = current.id
        return current if theirs in ended else self._edition.text(theirs)

    def trial_of(self, text: str, customer: int) -> str:
        """The trial because of which somebody who just said yes under a text is asked whether it was understood; or none.

        Once for each who takes part: after the first yes, within the time.
        """
        progress = self._running.get(text.split("/")[0])
        if progress is None:
            return ""
        with self._records.reading() as connection:
            progress.read(connection)
            if progress.takes_part(customer) != text:
                return ""
            seq, day = progress.asked[text][customer]
            said = [
                row for row in log.rows(connection, EVENTS, start=seq + 1, customer=customer)
                if row.purpose == progress.trial.purpose and row.kind in PERMITTING
            ]  # fmt: skip
        in_time = self._today() <= date.fromisoformat(day) + timedelta(days=progress.trial.days)
        return progress.trial.trial if len(said) == 1 and said[0].text == text and in_time else ""

    def start(self, text: str, person: Person, people: int, days: int, component: Component) -> Trial:
        """Publishes a text that was approved, beside the one in force. `component` renders a question as customers get it."""
        trials.require_sizes(people, days)
        folder, today = self._read(), self._today()
        other = folder.text(text)
        first = self._edition.current_text(other.purpose, today)
        trials.require_comparable(first, other)
        found = [
            f"in {language}: {fault}"
            for language in sorted(other.bodies)
            for fault in symmetry.unlike(component(first, language), component(other, language), language)
        ]
        if found:
            raise BadInput(f"{text} cannot be compared with {first.id}: {'; '.join(found)}.", "Mend it; see docs/texts.md.")
        said = {
            "trial": f"{other.purpose[:20]}-{other.version}-{secrets.token_hex(3)}", "texts": [first.id, other.id],
            "people": people, "days": days, "seed": secrets.token_hex(16),
        }  # fmt: skip
        with self._records.writing() as connection:
            store.hold(connection)
            begun = [one for one in store.all_trials(connection) if one.running and one.texts == (first.id, other.id)]
            if begun and (begun[0].people, begun[0].days, begun[0].by) == (people, days, person.role):
                return begun[0]  # the answer to a first try was lost
            check_move(self._standing(connection, folder)[text], PUBLISHED, person)
            if any(one.running and one.purpose == other.purpose for one in store.all_trials(connection)):
                raise NotNow(f"Two texts of {other.purpose} are being compared already.", "Wait for the end, or stop it.")
            store.take(connection, STEPS[PUBLISHED], text, person, today, {**told(other), "files": files_of(folder, other)},
                       other.purpose, text)  # fmt: skip
            trial = str(said["trial"])
            seq = store.take(connection, TRIAL_STARTED, trial, person, today, said, other.purpose)
            store.note_trial(connection, trial, seq)
        return Trial(trial, other.purpose, (first.id, other.id), people, days, str(said["seed"]), today.isoformat(), person.role)

    def conclude(self, trial: str, person: Person) -> str | None:
        """Ends a trial that is over by its result; returns the text that won, if one did. Nobody decides here."""
        progress, today = self._progress(trial), self._today()
        with self._records.writing() as connection:
            store.hold(connection)
            self._require_running(connection, trial)
            progress.read(connection)
            if not progress.over(today):
                raise NotNow("This comparison is not over: there is no result before.", "Wait, or stop it without one.")
            first, other = trials.outcome(connection, progress)
            won = trials.winner(first, other)
            said = {"trial": trial, "counts": trials.as_result(first, other), "winner": won, "why": "over"}
            store.take(connection, TRIAL_ENDED, trial, person, today, said, progress.trial.purpose)
        return won

    def stop(self, trial: str, person: Person, why: str) -> None:
        """Ends a trial without a result; the text in force stays."""
        progress = self._progress(trial)
        if not why.strip() or len(why) > 500:
            raise BadInput("Why?", "Say it in at most 500 characters; it stands on the public record.")
        with self._records.writing() as connection:
            store.hold(connection)
            self._require_running(connection, trial)
            said: dict[str, Any] = {"trial": trial, "counts": {}, "winner": None, "why": f"stopped: {why.strip()}"}
            store.take(connection, TRIAL_ENDED, trial, person, self._today(), said, progress.trial.purpose)

    def all(self) -> list[Running]:
        """Every trial, oldest first."""
        found = []
        with self._records.reading() as connection:
            for one in self._trials:
                progress = self._running.get(one.purpose) if one.running else None
                if progress is not None:
                    progress.read(connection)
                asked = [len(progress.asked[text]) if progress is not None else 0 for text in one.texts]
                over = progress is not None and progress.over(self._today())
                found.append(Running(one, (asked[0], asked[1]), over, trials.arms_of(one)))
        return found

    def _progress(self, trial: str) -> Progress:
        found = next((one for one in self._running.values() if one.trial.trial == trial), None)
        if found is None:
            raise NotFound(f"No comparison {trial!r} is running.", "volens texts trial list shows them.")
        return found

    @staticmethod
    def _require_running(connection: Connection, trial: str) -> None:
        if not any(one.trial == trial and one.running for one in store.all_trials(connection)):
            raise NotNow("This comparison has ended already.", "Look at its result.")

    def _today(self) -> date:
        return legal_day(self._clock.now(), self._edition.country)
