"""The tables of asking: questions that were put and answered, sign-up forms on their way, printed forms, and their scans.

1. A row follows from its `requested` event and from the event of its answer; the audit compares them.
2. A question is found by the hash of its token, which only whoever was asked holds; a visit by a keyed hash.
3. A scan is sealed under the person's key; the hash of what is sealed stands in its event.
4. Rows about somebody go with her.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from volens.asking.budget import NOES, Past
from volens.evidence import groups, log
from volens.evidence.journeys import streamed
from volens.evidence.log import EVENTS
from volens.identity import links

if TYPE_CHECKING:
    from sqlalchemy import Connection

metadata = MetaData()

questions = Table(
    "questions",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # of its `requested` event
    Column("token", String(64), nullable=False, unique=True),  # SHA-256 of what the person's browser holds
    Column("customer", Integer, nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("text", String(80), nullable=False),
    Column("language", String(8), nullable=False),
    Column("moment", String(64), nullable=False),
    Column("visit", String(64), nullable=False),
    Column("surface", String(64), nullable=False),
    Column("rendered", String(64), nullable=False),
    Column("day", String(10), nullable=False),
    Column("answer", String(8)),  # yes, no or later; none until there is one
    Column("answered", BigInteger),  # seq of the newest answer
    Index("questions_by_visit", "customer", "visit"),
)


joinings = Table(
    "joinings",
    metadata,
    Column("token", String(64), primary_key=True),  # SHA-256 of the form's own number
    Column("card", String(64), nullable=False, unique=True),  # keyed hash of the number that was given to it
    Column("tried", Integer, nullable=False),
    Column("customer", Integer),  # none until the form is done
    Column("done", BigInteger),  # seq of its first choice
    Column("day", String(10), nullable=False),
    Index("joinings_by_customer", "customer"),
)

forms = Table(
    "paper_forms",
    metadata,
    Column("code", String(16), primary_key=True),
    Column("language", String(8), nullable=False),
    Column("sections", Text, nullable=False),  # purpose → text and digest of what is printed of it
    Column("seq", BigInteger, nullable=False),  # in the public tree
    Column("day", String(10), nullable=False),
)

scans = Table(
    "scans",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # of its own event
    Column("customer", Integer, nullable=False),
    Column("found_by", String(64), nullable=False, unique=True),  # keyed hash of whose it is and its content
    Column("choice", BigInteger, nullable=False),  # seq of the first choice that it proves
    Column("media", String(32), nullable=False),
    Column("day", String(10), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # under the customer's key
    Index("scans_by_customer", "customer"),
)


@dataclass(frozen=True)
class Joining:
    """A sign-up form on its way."""

    token: str
    card: str
    tried: int
    customer: int | None
    done: int | None
    day: str


@dataclass(frozen=True)
class Form:
    """A paper form that was printed. `sections`: purpose → (text, digest of what is printed of it)."""

    code: str
    language: str
    sections: Mapping[str, tuple[str, str]]
    seq: int
    day: str


@dataclass(frozen=True)
class Scan:
    """A scan of a form, sealed."""

    seq: int
    customer: int
    found_by: str
    choice: int
    media: str
    day: str
    sealed: bytes


@dataclass(frozen=True)
class Put:
    """A question that was put."""

    seq: int
    token: str
    customer: int
    purpose: str
    text: str
    language: str
    moment: str
    visit: str
    surface: str
    rendered: str
    day: str
    answer: str | None = None
    answered: int | None = None


def keep(connection: Connection, question: Put) -> None:
    """Stores a question; part of the transaction that records it."""
    connection.execute(insert(questions).values(**vars(question)))


def by_token(connection: Connection, token: str) -> Put | None:
    """The question with a hashed token."""
    return _one(connection, questions.c.token == token)


def of_visit(connection: Connection, customer: int, visit: str) -> Put | None:
    """What somebody was asked in a visit: there is at most one."""
    return _one(connection, (questions.c.customer == customer) & (questions.c.visit == visit))


def answered(connection: Connection, question: Put, answer: str, seq: int) -> bool:
    """Notes an answer, if nobody noted another since `question` was read; whether it did."""
    before = questions.c.answered.is_(None) if question.answered is None else questions.c.answered == question.answered
    changed = connection.execute(
        update(questions).where(questions.c.seq == question.seq, before).values(answer=answer, answered=seq)
    )
    return changed.rowcount == 1


def joining(connection: Connection, token: str) -> Joining | None:
    """The form with a hashed token."""
    row = connection.execute(select(joinings).where(joinings.c.token == token)).mappings().first()
    return Joining(**row) if row is not None else None


def claim(connection: Connection, row: Joining) -> bool:
    """Stores a form on its way, unless it or its card number is there; the caller holds the ledger. Whether it did."""
    there = select(joinings.c.token).where((joinings.c.token == row.token) | (joinings.c.card == row.card))
    if connection.execute(there).first() is not None:
        return False
    connection.execute(insert(joinings).values(**vars(row)))
    return True


def joined(connection: Connection, token: str, customer: int, seq: int) -> bool:
    """Notes that a form is done, unless it was; whether it did."""
    open_one = (joinings.c.token == token) & joinings.c.done.is_(None)
    return connection.execute(update(joinings).where(open_one).values(customer=customer, done=seq)).rowcount == 1


def all_joinings(connection: Connection) -> list[Joining]:
    """Every form on its way or done, for the audit."""
    return [Joining(**row) for row in connection.execute(select(joinings).order_by(joinings.c.token)).mappings()]


def forget_joinings(connection: Connection, before: str) -> None:
    """Deletes the rows of forms from before a day."""
    connection.execute(delete(joinings).where(joinings.c.day < before))


def keep_form(connection: Connection, form: Form) -> None:
    """Stores a printed form; part of the transaction that records it."""
    connection.execute(insert(forms).values(**{**vars(form), "sections": json.dumps(form.sections, sort_keys=True)}))


def form(connection: Connection, code: str) -> Form | None:
    """The printed form with a code."""
    return next(iter(_forms(connection, select(forms).where(forms.c.code == code))), None)


def all_forms(connection: Connection) -> list[Form]:
    """Every printed form, newest first."""
    return _forms(connection, select(forms).order_by(forms.c.seq.desc()))


def _forms(connection: Connection, query: Any) -> list[Form]:
    return [
        Form(**{**row, "sections": {name: (told[0], told[1]) for name, told in json.loads(row["sections"]).items()}})
        for row in connection.execute(query).mappings()
    ]


def keep_scan(connection: Connection, scan: Scan) -> None:
    """Stores a scan; part of the transaction that records what it proves."""
    connection.execute(insert(scans).values(**vars(scan)))


def scan_by(connection: Connection, found_by: str) -> Scan | None:
    """The scan with a keyed hash of whose it is and its content."""
    row = connection.execute(select(scans).where(scans.c.found_by == found_by)).mappings().first()
    return Scan(**row) if row is not None else None


def scans_of(connection: Connection, customer: int) -> list[Scan]:
    """Every scan of a customer's forms, oldest first."""
    rows = connection.execute(select(scans).where(scans.c.customer == customer).order_by(scans.c.seq)).mappings()
    return [Scan(**row) for row in rows]


def all_scans(connection: Connection) -> Iterable[Scan]:
    """Every scan, for the audit."""
    for row in streamed(connection, select(scans).order_by(scans.c.seq), at_once=50):
        yield Scan(**row)


def past(connection: Connection, customer: int, before: int | None = None) -> list[Past]:
    """What was said by and asked of somebody, or anybody who was ever linked to her, in events below `before`."""
    found = []
    for who in sorted(links.connected(connection, [customer])):
        rows: list[Any] = [*log.rows(connection, EVENTS, customer=who, kinds=sorted(NOES)), *groups.of_customer(connection, who)]
        found += [
            Past(row.kind, row.purpose, date.fromisoformat(row.day))
            for row in rows
            if row.purpose and row.day and (before is None or row.seq < before)
        ]
    return found


def forget(connection: Connection, customer: int, accounts: Sequence[int]) -> None:
    """Deletes what these tables say about somebody; part of an erasure."""
    for table in (questions, joinings, scans):
        connection.execute(delete(table).where(table.c.customer == customer))


def everything(connection: Connection) -> Iterable[Put]:
    """Every question, for the audit."""
    for row in streamed(connection, select(questions).order_by(questions.c.seq)):
        yield Put(**row)


def _one(connection: Connection, where: Any) -> Put | None:
    row = connection.execute(select(questions).where(where)).mappings().first()
    return Put(**row) if row is not None else None
