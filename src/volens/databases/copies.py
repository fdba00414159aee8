"""A consistent copy of a database while others work, and a database made again from a copy.

Rules:
1. A copy is one snapshot. SQLite: `VACUUM INTO`, which leaves out what was deleted (freed pages of a file still hold it).
   PostgreSQL: `COPY` of every table of the schema in one repeatable-read transaction.
2. Putting a copy in place is one step: SQLite replaces the file, PostgreSQL drops, makes and fills the tables in one
   transaction. Killed anywhere, there is the old database or the new one.
3. A copy fits one kind of database. It may be put under another file or schema name.

`COPY` and not `pg_dump`: the latter writes the schema's name into its files and wants a client of the server's version on
both machines; our own migrations make the tables, so rows are all that a copy needs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, delete, inspect, literal, select, text
from sqlalchemy import table as named
from sqlalchemy.engine import make_url

from volens.databases.connect import SqlDatabase, connect
from volens.databases.migrate import upgrade, upgrade_in

T = TypeVar("T")
FILE = "copy.db"
CHUNK = 1 << 20
VERSIONS = "alembic_version"


@dataclass(frozen=True)
class Copied:
    """What a folder holds: the kind of database, its migration, and rows by table (PostgreSQL)."""

    kind: str
    revision: str
    tables: dict[str, list[str]]
    """Columns of each table, in the order of its file."""


def copy_out(database: SqlDatabase, folder: Path, look: Callable[[Connection], T]) -> tuple[Copied, T]:
    """Writes a copy into an empty folder. `look` is asked inside the very snapshot that is copied."""
    folder.mkdir(parents=True, mode=0o700)
    if database.name == "sqlite":
        return _out_of_sqlite(database, folder, look)
    with database.reading() as connection:
        found = inspect(connection)
        tables = {
            table: [str(column["name"]) for column in found.get_columns(table)]
            for table in sorted(found.get_table_names())
            if table != VERSIONS
        }
        for table, columns in tables.items():
            statement = _copy(table, columns, "to stdout")
            with (folder / f"{table}.copy").open("wb") as target, _cursor(connection).copy(statement) as rows:
                for piece in rows:
                    target.write(piece)
        return Copied(database.name, _revision(connection), tables), look(connection)


def _out_of_sqlite(database: SqlDatabase, folder: Path, look: Callable[[Connection], T]) -> tuple[Copied, T]:
    raw = database.engine.raw_connection()
    try:
        raw.cursor().execute("vacuum into ?", (str(folder / FILE),))
    finally:
        raw.close()
    (folder / FILE).chmod(0o600)
    copy = connect(f"sqlite:///{folder / FILE}", create=False)
    try:
        with copy.reading() as connection:
            copied = Copied("sqlite", _revision(connection), {}), look(connection)
    finally:
        copy.dispose()
    for left in folder.glob(f"{FILE}-*"):  # looking at it leaves a journal, which holds nothing
        left.unlink()
    return copied


def put_in_place(url: str, folder: Path, copied: Copied, history: str) -> None:
    """Makes the database at `url` again from a copy, whatever was there, and brings it to the newest migration."""
    if copied.kind == "sqlite":
        _into_sqlite(Path(str(make_url(url).database)), folder / FILE)
        database = connect(url, create=False)
    else:
        database = connect(url)
        with database.writing() as connection:
            _into_postgresql(connection, folder, copied, history)
    try:
        upgrade(database, history)
    finally:
        database.dispose()


def _into_sqlite(target: Path, source: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(target.name + ".restoring")
    with source.open("rb") as copy, aside.open("wb") as fresh:
        aside.chmod(0o600)
        shutil.copyfileobj(copy, fresh, CHUNK)
        fresh.flush()
        os.fsync(fresh.fileno())
    for journal in ("-wal", "-shm", "-journal"):  # of the old file; with the new one they would be somebody else's
        target.with_name(target.name + journal).unlink(missing_ok=True)
    aside.replace(target)


TRIGGER_FUNCTIONS = """
select p.oid::regprocedure::text from pg_proc p
where p.pronamespace = current_schema()::regnamespace and p.prorettype = 'trigger'::regtype
and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
"""


def _into_postgresql(connection: Connection, folder: Path, copied: Copied, history: str) -> None:
    for table in inspect(connection).get_table_names():
        connection.execute(text(f'drop table "{table}" cascade'))
    for function in connection.execute(text(TRIGGER_FUNCTIONS)).scalars().all():  # a restore that was cut short left them
        connection.execute(text(f"drop function {function}"))
    upgrade_in(connection, history, copied.revision)
    for table, columns in copied.tables.items():
        # Migrations put first rows into some. What is only ever added to refuses to be emptied, and is empty.
        if connection.execute(select(literal(1)).select_from(named(table)).limit(1)).first() is not None:
            connection.execute(delete(named(table)))
        statement = _copy(table, columns, "from stdin")
        with (folder / f"{table}.copy").open("rb") as source, _cursor(connection).copy(statement) as rows:
            while piece := source.read(CHUNK):
                rows.write(piece)


def _copy(table: str, columns: list[str], direction: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'copy "{table}" ({names}) {direction}'


def _cursor(connection: Connection):  # type: ignore[no-untyped-def]
    """psycopg's own cursor, inside the transaction of `connection`: SQLAlchemy has no COPY."""
    return connection.connection.driver_connection.cursor()  # type: ignore[union-attr]


def _revision(connection: Connection) -> str:
    return str(connection.execute(text("select version_num from alembic_version")).scalar_one())
