"""A PostgreSQL copy that goes from test to test is as new each time, or does not go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text
from tests.support import migrated
from tests.support.needs import Schemas, fresh_schemas

from volens.databases.connect import SqlDatabase, connect, make_schema

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def nothing_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What waits is another test's."""
    monkeypatch.setattr(migrated, "_ready", {})
    yield
    migrated._drop_ready()


def copy(schemas: Schemas) -> SqlDatabase:
    make_schema(schemas.records)
    database = connect(schemas.records)
    migrated.upgrade(database, "records")
    return database


def rows(connection: Connection) -> dict[str, int]:
    tables = connection.execute(text("select tablename from pg_tables where schemaname = current_schema()")).scalars()
    return {name: connection.execute(text(f'select count(*) from "{name}"')).scalar_one() for name in sorted(tables)}


def use(change: Callable[[Connection], object]) -> tuple[dict[str, int], dict[str, int], dict[str, int], bool]:
    """(rows at first, rows after a change, rows of the next copy, whether the copy went on)."""
    first = fresh_schemas()
    database = copy(first)
    with database.engine.begin() as connection:
        before = rows(connection)
        change(connection)
        changed = rows(connection)
    database.dispose()
    migrated.give_back(first)
    went_on = bool(migrated._ready.get("records"))
    second = fresh_schemas()
    database = copy(second)
    with database.engine.begin() as connection:
        after = rows(connection)
    database.dispose()
    migrated.give_back(second)
    return before, changed, after, went_on


def an_event(connection: Connection) -> None:
    """Of the record that is only ever added to."""
    connection.execute(text("update heads set frontier = 'ff'::bytea"))
    connection.execute(text(
        "insert into events (tree, seq, kind, detail, leaf) values ('events', 0, 'checked', '{}', ''::bytea)"
    ))  # fmt: skip


def test_rows_are_gone() -> None:
    before, changed, after, went_on = use(an_event)
    assert changed["events"] == 1
    assert went_on
    assert after == before


@pytest.mark.parametrize("statement", [
    "drop table wallet_entries cascade",
    "alter table wallet_entries disable trigger user",
    "create table left_behind (one integer)",
    "alter table events add column more text",
    "create function left_behind() returns integer language sql as 'select 1'",
])  # fmt: skip
def test_a_copy_that_was_built_on_does_not_go_on(statement: str) -> None:
    before, _, after, went_on = use(lambda connection: connection.execute(text(statement)))
    assert not went_on
    assert after == before
