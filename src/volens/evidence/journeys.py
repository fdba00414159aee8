"""Statements on the way of every choice: fixed words, few journeys to the server, past the layers that look at each value.

Rules:
1. The words are constants of this house. Only whole numbers and bound values ever come into them.
2. Where a server answers, questions that are asked together make one journey (PostgreSQL's pipeline). They run in their
   order, each on what is committed when it runs: what stands behind a lock is read after the lock was got.
3. Many rows are one statement there: a list for each column; a few are written value by value, which costs the driver half. On
   SQLite, which is no journey away, they go one by one.
4. The driver's errors come out as they are; the transaction around (`databases.connect`) says what callers see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping, Select, Table

AT_ONCE = 500
"""Numbers named in one statement."""
FEW = 3
"""Rows that are sent value by value."""
_TYPES = {int: "bigint", str: "text", bytes: "bytea"}
"""What a column's values are sent as. Wider than the column: the server refuses what does not fit instead of cutting it."""


@dataclass(frozen=True)
class Question:
    """One statement that reads."""

    statement: str
    """Says `in (?)` where it is about some numbers, as often as it likes."""
    about: Collection[int] = ()
    locks: bool = False
    """Takes the rows until the end of the transaction, where rows are taken one by one."""


def ask(connection: Connection, questions: Sequence[Question]) -> list[list[Any]]:
    """The rows that answer each question, in one journey."""
    if connection.dialect.name == "sqlite":
        return [
            list(connection.exec_driver_sql(asked.statement.replace("in (?)", f"in ({_written(asked.about)})")))
            for asked in questions
        ]
    raw: Any = connection.connection.driver_connection
    with raw.pipeline():
        cursors = [
            raw.execute(
                asked.statement.replace("in (?)", "= any(%(about)s)") + (" for update" if asked.locks else ""),
                {"about": sorted(map(int, asked.about))} if "in (?)" in asked.statement else None,
            )
            for asked in questions
        ]
    return [cursor.fetchall() for cursor in cursors]


def rows_about(connection: Connection, statement: str, numbers: Iterable[int]) -> Iterator[Any]:
    """Runs a statement that says `in (?)` for some whole numbers, a few hundred at a time."""
    listed = sorted(int(number) for number in numbers)
    for start in range(0, len(listed), AT_ONCE):
        yield from ask(connection, [Question(statement, listed[start : start + AT_ONCE])])[0]


def streamed(connection: Connection, query: Select[Any], at_once: int = 5_000) -> Iterator[RowMapping]:
    """The rows of a long answer, `at_once` in memory. Whoever leaves before the end leaves no cursor open on a server."""
    with connection.execute(query.execution_options(yield_per=at_once)) as found:
        yield from found.mappings()


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """What is told within (`tell`, `insert_rows`, and nothing else) makes one journey; all of it was done when this ends."""
    if connection.dialect.name == "sqlite":
        yield
        return
    raw: Any = connection.connection.driver_connection
    with raw.pipeline():
        yield


def tell(connection: Connection, statement: str, values: Sequence[Any]) -> None:
    """Runs one statement that writes, with a `?` for each value."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(statement, tuple(values))
    else:
        raw: Any = connection.connection.driver_connection
        raw.execute(statement.replace("?", "%b"), tuple(values))


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    key: Sequence[str] = (),
    adding: bool = False,
) -> None:
    """Inserts rows given as tuples in the order of `columns`: numbers, text, bytes, nothing. A row whose `key` is there
    already takes its place, if a key is named, or with `adding` is added to it; no two rows may have the same."""
    few = len(rows) if len(rows) <= FEW else 0
    lite = connection.dialect.name == "sqlite"
    statement = _insertion(table, tuple(columns), tuple(key), lite, adding, 0 if lite else few)
    if lite:
        connection.exec_driver_sql(statement, list(map(tuple, rows)))
        return
    raw: Any = connection.connection.driver_connection
    raw.execute(statement, [value for row in rows for value in row] if few else [list(each) for each in zip(*rows, strict=True)])


@cache
def _insertion(table: Table, columns: tuple[str, ...], key: tuple[str, ...], lite: bool, adding: bool, few: int) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    types = [_TYPES[table.c[name].type.python_type] for name in columns]
    if lite:
        source = f"values ({', '.join('?' * len(columns))})"
    elif few:
        source = "values " + ", ".join([f"({', '.join(f'%b::{one}' for one in types)})"] * few)
    else:
        source = f"select * from unnest({', '.join(f'%b::{one}[]' for one in types)})"  # noqa: S608  # our own words
    statement = f"insert into {table.name} ({names}) {source}"
    if key:
        before = f'{table.name}."{{}}" + ' if adding else ""
        new = ", ".join(f'"{name}" = {before.format(name)}excluded."{name}"' for name in columns if name not in key)
        statement += f" on conflict ({', '.join(key)}) do update set {new}"
    return statement


def _written(numbers: Collection[int]) -> str:
    """Numbers written out: a list of parameters is written anew by every layer above the driver, at ten times the cost."""
    return ",".join(map(str, sorted(map(int, numbers))))
