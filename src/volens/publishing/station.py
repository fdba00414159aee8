"""`house.publishing`: what people are asked comes into force by two people.

Rules:
1. The folder is read again for every step, so that what is approved is what lies there now; a programme with errors is
   approved by nobody.
2. Steps are checked under the public tree's head row: two people who act at the same moment act one after the other.
3. Publishing records the text and nothing else. It comes into force when the house takes the new edition over (`renew`), as
   any change of the programme: whoever still works by the old one is refused. A server takes it over by itself within seconds
   (`House.keep_up`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from volens.clock import Clock, legal_day
from volens.errors import BadInput, NotFound, NotNow
from volens.evidence import log
from volens.evidence.log import PUBLIC
from volens.holders import Database
from volens.permissions import counts as choice_counts
from volens.programme.edition import InForce, edition, files_of
from volens.programme.model import Programme, Text
from volens.publishing import counts, store, trials
from volens.publishing.adoption import told
from volens.publishing.comparing import Comparing, Component, Running
from volens.publishing.comprehension import Outcome, Question, Understanding
from volens.publishing.figures import BY, Table, table
from volens.publishing.store import Trial
from volens.publishing.workflow import APPROVED, DECLINED, EVENTS, PUBLISHED, Person, Stands, check_move

if TYPE_CHECKING:
    from sqlalchemy import Connection

REASON_CHARACTERS_MAX = 500


@dataclass(frozen=True)
class Shown:
    """One text as staff see it: the text, where it stands, and whether people are asked under it today."""

    text: Text
    stands: Stands
    current: bool
    ended: bool
    """Invalidated: no yes under it counts."""


class Publishing:
    """Approves, publishes and declines texts. Durable when a method returns."""

    def __init__(
        self,
        records: Database,
        programme: Programme,
        clock: Clock,
        read: Callable[[], Programme],
        renew: Callable[[], None],
        mac: Callable[[str, bytes], bytes],
    ) -> None:
        """`programme` is the folder as it was read last, drafts and all; `read` reads it again, and raises what is wrong;
        `renew` makes the house take over the edition that is in force."""
        self._records, self._clock, self._read, self._renew = records, clock, read, renew
        self.edition = self._in_force(programme)
        """The part of the programme that is in force."""
        self._understanding = Understanding(records, self.edition, mac, clock)
        self._comparing = Comparing(records, self.edition, clock, read, self._standing)

    def read_again(self) -> Programme:
        """The part that is in force by now: the folder as it lies there, and what was published since. Changes nothing."""
        return self._in_force(self._read())

    def _in_force(self, programme: Programme) -> Programme:
        with self._records.reading() as connection:
            if log.latest(connection, PUBLIC, "programme") is None:
                return programme
            aside, compared = trials.in_force(store.all_trials(connection))
            record = InForce(store.published(store.text_events(connection)), aside, compared)
        return edition(programme, record)

    def texts(self) -> list[Shown]:
        """Every text that lies in the folder now, by purpose and version."""
        folder, today = self._read(), self._today()
        with self._records.reading() as connection:
            standing = self._standing(connection, folder)
            ended = log.texts_ended(connection)
        shown = []
        for text in sorted(folder.texts.values(), key=lambda one: (one.purpose, one.version)):
            in_force = self.edition.texts.get(text.id)
            current = (
                in_force is not None
                and text.id not in ended
                and any(one.id == text.id for one in self._current(text.purpose, today))
            )
            over = text.id in ended or (text.invalidated_on is not None and text.invalidated_on <= today)
            shown.append(Shown(text, standing[text.id], current, over))
        return shown

    def folder(self) -> Programme:
        """The programme folder as it lies there now, drafts and all. Raises what is wrong with it."""
        return self._read()

    def approve(self, texts: Sequence[str], person: Person) -> None:
        """One person says: these words, as they lie in the folder now. All of them or none."""
        self._move(texts, APPROVED, person)

    def decline(self, texts: Sequence[str], person: Person, why: str) -> None:
        """One person turns texts back before they are published, and says why."""
        if not why.strip() or len(why) > REASON_CHARACTERS_MAX:
            raise BadInput("Why?", f"Say it in at most {REASON_CHARACTERS_MAX} characters; it stands on the public record.")
        self._move(texts, DECLINED, person, why=why.strip())

    def publish(self, texts: Sequence[str], person: Person) -> None:
        """A second person, of the other role, publishes what was approved. The house then takes the new edition over."""
        self._move(texts, PUBLISHED, person)
        self._renew()

    def text_for(self, purpose: str, customer: int, today: date) -> Text:
        """The text to ask somebody under. `NotFound` if nobody can be asked for the purpose."""
        return self._comparing.text_for(purpose, customer, today)

    def comprehension_question(
        self, text: str, language: str, *, surface: str, customer: int | None = None
    ) -> Question | None:
        """The question to put after a choice under a text, or none. Call it once a choice, where the choice was recorded.

        `customer` decides whether she takes part in a trial, in which everybody is asked who said yes. It is not kept.
        """
        trial = self._comparing.trial_of(text, customer) if customer is not None else ""
        return self._understanding.question(text, language, surface=surface, trial=trial)

    def comprehension_again(self, token: str) -> Question | None:
        """The same question for a page that is loaded again; none when it is over."""
        return self._understanding.again(token)

    def comprehension_answer(self, token: str, answer: str) -> Outcome:
        """Counts an answer, or that somebody passed by. Changes no permission, and keeps nothing of the person."""
        return self._understanding.answer(token, answer)

    def centre_opened(self, customer: int, *, surface: str, language: str) -> bool:
        """Notes that a customer opened the permission centre; counted the first time, of which it returns whether it was."""
        with self._records.reading() as connection:
            if counts.ever_opened(connection, customer):
                return False
        with self._records.writing() as connection:
            first = counts.first_time(connection, customer)
            if first:
                choice_counts.add_opened(connection, self._today(), language, surface)
        return first

    def trials(self) -> list[Running]:
        """Every comparison of two texts."""
        return self._comparing.all()

    def start_trial(self, text: str, person: Person, *, people: int, days: int, component: Component) -> Trial:
        """Publishes an approved text beside the one in force, to be compared with it. `component` renders as customers see it."""
        started = self._comparing.start(text, person, people, days, component)
        self._renew()
        return started

    def conclude_trial(self, trial: str, person: Person) -> str | None:
        """Ends a comparison that is over by its result; returns the text that won, if one did."""
        won = self._comparing.conclude(trial, person)
        self._renew()
        return won

    def stop_trial(self, trial: str, person: Person, why: str) -> None:
        """Ends a comparison without a result."""
        self._comparing.stop(trial, person, why)
        self._renew()

    def figures(self, by: str = "purpose", purpose: str | None = None) -> Table:
        """What was asked and said, of the weeks that are over: rounded, and by one thing of `figures.BY`."""
        if by not in BY:
            raise BadInput(f"Nothing is counted by {by!r}.", f"Use one of: {', '.join(BY)}.")
        if purpose is not None:
            self.edition.purpose(purpose)
        week = choice_counts.week_of(self._today())
        with self._records.reading() as connection:
            choices = choice_counts.all_cells(connection, before=week)
            answers = counts.all_cells(connection, before=week)
        return table(choices, answers, by, week, purpose=purpose, compared=self._comparing.compared)

    def _move(self, texts: Sequence[str], to: str, person: Person, **detail: str) -> None:
        folder, today = self._read(), self._today()
        wanted = [folder.text(id) for id in dict.fromkeys(texts)]
        if not wanted:
            raise NotFound("Which text?", "Name one; volens texts list shows them.")
        with self._records.writing() as connection:
            store.hold(connection)
            standing = self._standing(connection, folder)
            if to == PUBLISHED:
                _require_not_compared(wanted, store.all_trials(connection))
            # Who takes a step again that she took has taken it: the answer to the first try may have been lost.
            left = [text for text in wanted if not _took(standing[text.id], to, person)]
            for text in left:
                check_move(standing[text.id], to, person)
                if to == PUBLISHED:
                    self._require_next(text, standing)
            for text in left:
                said = {**told(text), "files": files_of(folder, text), **detail}
                store.take(connection, EVENTS[to], text.id, person, today, said, text.purpose, text.id)

    def _standing(self, connection: Connection, folder: Programme) -> dict[str, Stands]:
        now = {text.id: files_of(folder, text) for text in folder.texts.values()}
        return store.stand(store.text_events(connection), store.all_steps(connection), now)

    @staticmethod
    def _require_next(text: Text, standing: dict[str, Stands]) -> None:
        """An older version that is published after a newer one would be in force for nobody, and look as if it were."""
        newer = [
            id for id, one in standing.items()
            if one.state == PUBLISHED and id.split("/")[0] == text.purpose and int(id.split("/")[1]) > text.version
        ]  # fmt: skip
        if newer:
            raise NotNow(f"{', '.join(sorted(newer))} is published already.", "Give the text the next number.")

    def _current(self, purpose: str, today: date) -> list[Text]:
        try:
            return [self.edition.current_text(purpose, today)]
        except NotFound:
            return []

    def _today(self) -> date:
        return legal_day(self._clock.now(), self.edition.country)


def _took(stands: Stands, to: str, person: Person) -> bool:
    return stands.state == to and stands.by is not None and person.is_same(stands.by.name) and person.role == stands.by.role


def _require_not_compared(texts: Sequence[Text], trials_: Sequence[Trial]) -> None:
    """A comparison decides by itself, while it runs and afterwards."""
    aside, running = trials.in_force(list(trials_))
    for text in texts:
        if text.purpose in running:
            raise NotNow(f"Two texts of {text.purpose} are being compared.", "Wait for the end, or stop it.")
        if text.id in aside:
            raise NotNow(f"{text.id} was compared with the text in force and did not win.", "Write its next version.")
