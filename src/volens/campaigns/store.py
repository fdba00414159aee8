"""The steps of campaigns, each with its public event.

Rules:
1. A step and its event are one transaction, under the public tree's head row.
2. The event says which campaign and which role; a salted commitment binds who it was and the whole content: the plan with its seed,
   the launch, the result. Salt and content stand here, and `volens audit` holds one against the other.
3. Nothing here is about a single customer.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, MetaData, String, Table, Text, insert, select

from volens.campaigns.workflow import EVENTS
from volens.evidence import log
from volens.evidence.log import PUBLIC, SALT_BYTES, Event, append, commit_to
from volens.evidence.merkle import canonical_json
from volens.publishing.workflow import Person

metadata = MetaData()

steps = Table(
    "campaign_steps",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # its event in the public tree
    Column("about", String(64), nullable=False),  # a campaign's id, or prices:PURPOSE
    Column("state", String(16), nullable=False),
    Column("role", String(16), nullable=False),
    Column("actor", Text, nullable=False),
    Column("day", String(10), nullable=False),
    Column("content", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Index("campaign_steps_by_about", "about", "seq"),
)


@dataclass(frozen=True)
class Step:
    """One step that a person took."""

    seq: int
    about: str
    state: str
    role: str
    actor: str
    day: str
    content: str
    salt: bytes

    def said(self) -> dict[str, Any]:
        """The content."""
        found: dict[str, Any] = json.loads(self.content)
        return found

    @property
    def commitment(self) -> bytes:
        """What the event must hold."""
        return commit_to({"actor": self.actor, "content": self.content}, self.salt)


def hold(connection: Connection) -> None:
    """Takes the public tree's head row: from here to the commit nobody else takes a step."""
    log.lock(connection, PUBLIC)


def take(
    connection: Connection, about: str, state: str, person: Person, day: date, content: Mapping[str, Any], purpose: str
) -> Step:
    """One step with its public event, in the caller's transaction."""
    text, salt = canonical_json(content).decode(), secrets.token_bytes(SALT_BYTES)
    unplaced = Step(-1, about, state, person.role, person.name, day.isoformat(), text, salt)
    detail = {"about": about, "role": person.role}
    event = Event(EVENTS[state], purpose=purpose, day=day, detail=detail, commitment=unplaced.commitment)
    seq = append(connection, PUBLIC, [event])
    connection.execute(insert(steps).values(**{**vars(unplaced), "seq": seq}))
    return Step(seq, *list(vars(unplaced).values())[1:])


def steps_of(connection: Connection, about: str | None = None) -> list[Step]:
    """Every step, or those about one thing, in order."""
    query = select(steps).order_by(steps.c.seq)
    if about is not None:
        query = query.where(steps.c.about == about)
    return [Step(**{**row, "salt": bytes(row["salt"])}) for row in connection.execute(query).mappings()]
