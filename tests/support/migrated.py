"""Migrated databases, made once a process and copied: running the migrations anew for every test took half of the tests' time.

What is copied is what the migrations made: the same tables, indexes, constraints, triggers and rows, under the same names.
`unit/databases/test_migrations.py` holds that to what the code declares.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import text

from tests.support.needs import fresh_schemas
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


def upgrade(database: SqlDatabase, history: str) -> None:
    """As `databases.migrate.upgrade`; a database without anything in it gets a copy of one that was migrated before."""
    if not _empty(database):
        migrate(database, history)
    elif database.name == "sqlite":
        _copy_file(database, history)
    else:
        with database.engine.begin() as connection:
            target = connection.execute(text("select current_schema()")).scalar_one()
            connection.exec_driver_sql(CLONE.format(source=_schema(history), target=target))
    assert at_head(database, history)


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
