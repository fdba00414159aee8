"""Texts on their way into force: the steps that people took, and their public events.

Rules:
1. A step and its event are one transaction, under the public tree's head row.
2. The public tree names roles, not staff; it holds a salted commitment to the name, whose salt stands here.
3. What is in force is read from the public tree alone: no row here can put a text into force.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, String, Table, Text, insert, select

from volens.evidence import log
from volens.evidence.log import EVENTS as EVENTS_TREE
from volens.evidence.log import PUBLIC, SALT_BYTES, Event, Row, append, commit_to
from volens.publishing.workflow import APPROVED, DECLINED, EVENTS, PUBLISHED, WRITTEN, Person, Stands

metadata = MetaData()

steps = Table(
    "publishing_steps",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # its event in the public tree
    Column("about", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("actor", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)

trials = Table(
    "trials",
    metadata,
    Column("trial", String(32), primary_key=True),
    Column("seq", BigInteger, nullable=False),  # its event in the public tree, which says all the rest
    Column("events_from", BigInteger, nullable=False),  # who was asked from here on takes part
)

TRIAL_STARTED, TRIAL_ENDED = "trial-started", "trial-ended"

_STATES: Mapping[str, str] = {event: state for state, event in EVENTS.items()}


@dataclass(frozen=True)
class Step:
    """One step that a person took."""

    seq: int
    about: str
    role: str
    actor: str
    salt: bytes


def hold(connection: Connection) -> None:
    """Takes the public tree's head row: from here to the commit nobody else takes a step."""
    log.lock(connection, PUBLIC)


def take(
    connection: Connection,
    kind: str,
    about: str,
    person: Person,
    day: date,
    detail: Mapping[str, Any],
    purpose: str,
    text: str | None = None,
) -> int:
    """One step about a text or a trial with its public event, in the caller's transaction. Returns the event's seq."""
    salt = secrets.token_bytes(SALT_BYTES)
    commitment = commit_to({"actor": person.name}, salt)
    event = Event(kind, purpose=purpose, text=text, day=day, detail={**detail, "role": person.role}, commitment=commitment)
    seq = append(connection, PUBLIC, [event])
    row = {"seq": seq, "about": about, "role": person.role, "actor": person.name, "salt": salt}
    connection.execute(insert(steps).values(**row))
    return seq


def all_steps(connection: Connection) -> dict[int, Step]:
    """Every step, by the seq of its event."""
    return {row["seq"]: Step(**row) for row in connection.execute(select(steps).order_by(steps.c.seq)).mappings()}


def text_events(connection: Connection) -> list[Row]:
    """Everything on the public record about texts, in order."""
    return list(log.rows(connection, PUBLIC, kinds=sorted(EVENTS.values())))


def stand(rows: Iterable[Row], people: Mapping[int, Step], now: Mapping[str, str]) -> dict[str, Stands]:
    """Where every text stands. `now` gives the digest of the files of each text that lies in the folder."""
    found = {text: Stands(text, WRITTEN) for text in now}
    for row in rows:
        if row.kind not in _STATES or row.text is None:
            continue
        step, state = people.get(row.seq), _STATES[row.kind]
        said = row.said()
        if state in (APPROVED, DECLINED) and said.get("files") != now.get(row.text):
            continue  # about words that are not there any more
        by = Person(step.actor, step.role) if step is not None else None
        found[row.text] = Stands(row.text, state, by, row.day or "")
    return found


@dataclass(frozen=True)
class Trial:
    """Two texts side by side: what was fixed before the start, and what came out."""

    trial: str
    purpose: str
    texts: tuple[str, str]
    """The one in force at the start, and the other."""
    people: int
    """How many are asked under each."""
    days: int
    """How long each has to answer."""
    seed: str
    """Says who is shown which."""
    started: str
    by: str
    """The role of who started it."""
    result: Mapping[str, Any] | None = None
    """Counts by text, the winner, and why it ended; none while it runs."""

    @property
    def running(self) -> bool:
        """Whether people are still assigned."""
        return self.result is None


def all_trials(connection: Connection) -> list[Trial]:
    """Every trial on the public record, in order."""
    found: dict[str, Trial] = {}
    for row in log.rows(connection, PUBLIC, kinds=[TRIAL_STARTED, TRIAL_ENDED]):
        said = row.said()
        if row.kind == TRIAL_ENDED:
            if said["trial"] in found:
                result = {name: said[name] for name in ("counts", "winner", "why")}
                found[said["trial"]] = replace(found[said["trial"]], result={**result, "day": row.day})
            continue
        found[said["trial"]] = Trial(
            said["trial"], str(row.purpose), (said["texts"][0], said["texts"][1]), said["people"], said["days"], said["seed"],
            str(row.day), said["role"],
        )  # fmt: skip
    return list(found.values())


def note_trial(connection: Connection, trial: str, seq: int) -> None:
    """From where on in the other tree its people are asked. No count of events leaves by the public tree."""
    connection.execute(insert(trials).values(trial=trial, seq=seq, events_from=log.size(connection, EVENTS_TREE)))


def events_from(connection: Connection, trial: str) -> int:
    """The first event that can belong to a trial."""
    return int(connection.execute(select(trials.c.events_from).where(trials.c.trial == trial)).scalar_one())


def published(rows: Iterable[Row]) -> dict[str, date | None]:
    """Every text on the public record with the day of its publication; none for those of the first programme."""
    return {
        str(row.text): date.fromisoformat(row.day) if row.day is not None else None
        for row in rows
        if row.kind == EVENTS[PUBLISHED] and row.text is not None
    }
