"""What was answered after choices, as counts; and who opened the permission centre, as numbers without a date.

Rules:
1. An answer is one more in a cell: week, text, language, surface, wording of the question, trial, answer. No row here says who, and
   none can be led back to somebody.
2. A question that was put can be answered once: the hash of its number is kept until it can no longer be answered, and
   nothing else of it.
3. `centre_opened` holds the numbers of customers who opened the centre at least once, so that each counts once. No day, no
   place; erased with the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, String, Table, Text, delete, insert, select
from sqlalchemy.exc import IntegrityError

from volens.evidence.journeys import insert_rows

metadata = MetaData()

answers = Table(
    "comprehension_counts",
    metadata,
    Column("week", String(10), primary_key=True),
    Column("text", Text, primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("surface", String(32), primary_key=True),
    Column("question", String(8), primary_key=True),
    Column("trial", String(32), primary_key=True),  # empty outside of one
    Column("answer", String(8), primary_key=True),
    Column("n", BigInteger, nullable=False),
)

answered = Table(
    "comprehension_answered",
    metadata,
    Column("question", String(64), primary_key=True),
    Column("until", String(10), nullable=False),
)

centre_opened = Table("centre_opened", metadata, Column("customer", Integer, primary_key=True, autoincrement=False))

PUT, RIGHT, WRONG, UNKNOWN, SKIPPED = "put", "right", "wrong", "unknown", "skipped"
_KEY = ("week", "text", "language", "surface", "question", "trial", "answer")


@dataclass(frozen=True)
class Cell:
    """One count of answers; `answer` is one of the five words above."""

    week: str
    text: str
    language: str
    surface: str
    question: str
    """Which wording (`programme.understanding.Check.name`)."""
    answer: str
    n: int
    trial: str = ""
    """Of which comparison, if the question was put because of one."""


def add(connection: Connection, cell: Cell) -> None:
    """Adds to a cell."""
    row = (cell.week, cell.text, cell.language, cell.surface, cell.question, cell.trial, cell.answer, cell.n)
    insert_rows(connection, answers, (*_KEY, "n"), [row], _KEY, adding=True)


def take_once(connection: Connection, question: str, until: str) -> bool:
    """Marks a question as answered; false if it was. In the transaction that counts the answer."""
    try:
        with connection.begin_nested():
            connection.execute(insert(answered).values(question=question, until=until))
    except IntegrityError:
        return False
    return True


def is_answered(connection: Connection, question: str) -> bool:
    """Whether a question was answered or passed by."""
    return connection.execute(select(answered.c.question).where(answered.c.question == question)).first() is not None


def forget_answered(connection: Connection, before: str) -> None:
    """Drops the marks of questions that can no longer be answered."""
    connection.execute(delete(answered).where(answered.c.until < before))


def all_cells(connection: Connection, before: str | None = None) -> list[Cell]:
    """Every count, of the weeks before a Monday, or all."""
    query = select(answers).order_by(*(answers.c[name] for name in _KEY))
    if before is not None:
        query = query.where(answers.c.week < before)
    return [Cell(**row) for row in connection.execute(query).mappings()]


def first_time(connection: Connection, customer: int) -> bool:
    """Notes that a customer opened the centre; true if it was the first time."""
    if connection.execute(select(centre_opened.c.customer).where(centre_opened.c.customer == customer)).first() is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(centre_opened).values(customer=customer))
    except IntegrityError:
        return False
    return True


def ever_opened(connection: Connection, customer: int) -> bool:
    """Whether a customer ever opened the centre."""
    return connection.execute(select(centre_opened.c.customer).where(centre_opened.c.customer == customer)).first() is not None


def who_opened(connection: Connection) -> list[int]:
    """Everybody who ever did, for the audit."""
    return [int(who) for (who,) in connection.execute(select(centre_opened.c.customer).order_by(centre_opened.c.customer))]


def forget(connection: Connection, customer: int, _accounts: Sequence[int] = ()) -> None:
    """What goes with a person."""
    connection.execute(delete(centre_opened).where(centre_opened.c.customer == customer))
