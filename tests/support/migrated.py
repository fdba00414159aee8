"""Migrated databases, made once a process and copied: running the migrations anew for every test took half of the tests' time.

What is copied is what the migrations made: the same tables, indexes, constraints, triggers and rows, under the same names.
`unit/databases/test_migrations.py` holds that to what the code declares.

On PostgreSQL a copy that a test gives back goes to the next one, emptied, since making and dropping two hundred tables takes
longer than most tests. One whose tables, constraints, triggers or functions are not as they were is dropped
(`unit/databases/test_given_back.py`).
"""

from __future__ import annotations

import atexit
import secrets
import shutil
import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from tests.support.needs import POSTGRES_URL, Schemas, fresh_schemas
from volens.databases.connect import SqlDatabase, connect, make_schema
from volens.databases.migrate import at_head
from volens.databases.migrate import upgrade as migrate

CLONE = """
do $clone$
declare one record;
begin
  for one in select tablename as name from pg_tables where schemaname = '{source}' loop
    execute format('create table {target}.%%I (like {source}.%%I including defaults including identity)', one.name, one.name);
    execute format('insert into {target}.%%I select * from {source}.%%I', one.name, one.name);
  end loop;
  for one in select c.relname as name, n.conname as key, pg_get_constraintdef(n.oid) as said
             from pg_constraint n join pg_class c on c.oid = n.conrelid
             where n.connamespace = '{source}'::regnamespace and n.contype in ('p', 'u', 'c') loop
    execute format('alter table {target}.%%I add constraint %%I %%s', one.name, one.key, one.said);
  end loop;
  for one in select indexdef as said from pg_indexes i where schemaname = '{source}'
             and not exists (select from pg_constraint n
                             where n.connamespace = '{source}'::regnamespace and n.conname = i.indexname) loop
    execute replace(one.said, '{source}.', '{target}.');
  end loop;
  for one in select c.relname as name, n.conname as key, pg_get_constraintdef(n.oid) as said
             from pg_constraint n join pg_class c on c.oid = n.conrelid
             where n.connamespace = '{source}'::regnamespace and n.contype = 'f' loop
    execute format('alter table {target}.%%I add constraint %%I %%s', one.name, one.key,
                   replace(one.said, '{source}.', '{target}.'));
  end loop;
  for one in select pg_get_functiondef(oid) as said from pg_proc where pronamespace = '{source}'::regnamespace loop
    execute replace(one.said, '{source}.', '{target}.');
  end loop;
  for one in select pg_get_triggerdef(t.oid) as said from pg_trigger t join pg_class c on c.oid = t.tgrelid
             where c.relnamespace = '{source}'::regnamespace and not t.tgisinternal loop
    execute replace(one.said, '{source}.', '{target}.');
  end loop;
end $clone$
"""

EMPTIED = """
do $emptied$
declare one record; filled boolean;
begin
  set local session_replication_role = replica;
  for one in select tablename as name from pg_tables where schemaname = '{target}' loop
    execute format('select exists (select from {target}.%%I)', one.name) into filled;
    if filled then execute format('delete from {target}.%%I', one.name); end if;
    execute format('select exists (select from {source}.%%I)', one.name) into filled;
    if filled then execute format('insert into {target}.%%I select * from {source}.%%I', one.name, one.name); end if;
  end loop;
end $emptied$
"""
"""As replica: what is only ever added to, in this house, is emptied too."""

MADE_OF = """
select array[
  (select string_agg(concat_ws(' ', c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull, a.attnum), ';'
                     order by c.relname, a.attnum)
   from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace = :name ::regnamespace and a.attnum > 0),
  (select string_agg(concat_ws(' ', c.relname, n.conname, n.contype, n.convalidated, n.conkey, f.relname), ';'
                     order by c.relname, n.conname)
   from pg_constraint n join pg_class c on c.oid = n.conrelid left join pg_class f on f.oid = n.confrelid
   where n.connamespace = :name ::regnamespace),
  (select string_agg(concat_ws(' ', c.relname, t.tgname, t.tgenabled, t.tgtype), ';' order by c.relname, t.tgname)
   from pg_trigger t join pg_class c on c.oid = t.tgrelid
   where c.relnamespace = :name ::regnamespace and not t.tgisinternal),
  (select string_agg(concat_ws(' ', proname, prosrc), ';' order by proname)
   from pg_proc where pronamespace = :name ::regnamespace)]
"""
LARGEST = 16_000_000
"""Bytes in tables (an empty one has none, or a page): a copy that grew larger is dropped, not emptied."""

_made_of = dict[str, list[str]]()
"""What a copy of each history is made of."""
_taken = dict[str, str]()
"""Copies in the hands of tests, and of which history."""
_ready = dict[str, list[str]]()
"""Copies that wait for the next test, of each history."""


def upgrade(database: SqlDatabase, history: str) -> None:
    """As `databases.migrate.upgrade`; a database without anything in it gets a copy of one that was migrated before."""
    if not _empty(database):
        migrate(database, history)
    elif database.name == "sqlite":
        _copy_file(database, history)
    else:
        with database.engine.begin() as connection:
            target = connection.execute(text("select current_schema()")).scalar_one()
            if _ready.get(history):
                connection.execute(text(f'drop schema "{target}"'))
                connection.execute(text(f'alter schema "{_ready[history].pop()}" rename to "{target}"'))
            else:
                connection.exec_driver_sql(CLONE.format(source=_schema(history), target=target))
        _taken[target] = history
    assert at_head(database, history)


def give_back(schemas: Schemas) -> None:
    """What a test did with its copies is over: the next one gets them, empty, if they are what they were."""
    engine = create_engine(POSTGRES_URL)
    for name in schemas.names:
        history = _taken.pop(name, None)
        try:
            with engine.begin() as connection:
                if history is not None and _emptied(connection, name, history):
                    waits = f"volens_ready_{secrets.token_hex(6)}"
                    connection.execute(text(f'alter schema "{name}" rename to "{waits}"'))
                    _ready.setdefault(history, []).append(waits)
        except SQLAlchemyError:
            continue  # somebody holds one of its tables, or it is gone: dropped below
    engine.dispose()
    schemas.drop()


def _emptied(connection: Connection, name: str, history: str) -> bool:
    """Whether this copy is as it was made."""
    connection.execute(text("set local lock_timeout = '5s'"))
    source = _schema(history)
    if history not in _made_of:
        _made_of[history] = connection.execute(text(MADE_OF), {"name": source}).scalar_one()
    size = connection.execute(
        text("select coalesce(sum(pg_relation_size(oid)), 0) from pg_class where relnamespace = :name ::regnamespace"),
        {"name": name},
    ).scalar_one()
    if size > LARGEST or connection.execute(text(MADE_OF), {"name": name}).scalar_one() != _made_of[history]:
        return False
    connection.exec_driver_sql(EMPTIED.format(source=source, target=name))
    return True


def files(folder: Path) -> Path:
    """A folder with both SQLite stores, migrated: for tests that copy them by themselves."""
    for history, name in (("records", "records.db"), ("customer_keys", "customer-keys.db")):
        shutil.copy(_file(history), folder / name)
    return folder


def _empty(database: SqlDatabase) -> bool:
    tables = "sqlite_master" if database.name == "sqlite" else "pg_tables where schemaname = current_schema()"
    with database.engine.connect() as connection:
        return connection.exec_driver_sql(f"select count(*) from {tables}").scalar_one() == 0


def _copy_file(database: SqlDatabase, history: str) -> None:
    source = sqlite3.connect(_file(history))
    with database.engine.connect() as connection:
        target = connection.connection.driver_connection
        assert isinstance(target, sqlite3.Connection)
        source.backup(target)
    source.close()


@cache
def _file(history: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="volens-migrated-"))
    database = connect(f"sqlite:///{folder}/{history}.db")
    migrate(database, history)
    database.dispose()
    return folder / f"{history}.db"


@cache
def _schema(history: str) -> str:
    schemas = fresh_schemas()
    atexit.register(schemas.drop)
    make_schema(schemas.records)
    database = connect(schemas.records)
    migrate(database, history)
    database.dispose()
    return schemas.names[0]


@atexit.register
def _drop_ready() -> None:
    for waiting in _ready.values():
        if waiting:
            Schemas("", "", tuple(waiting)).drop()
