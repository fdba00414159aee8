"""Fixtures that every kind of test shares: fresh records on each database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.needs import fresh_schemas
from tests.support.shop import Shop
from volens.databases.connect import SqlDatabase, connect, make_schema
from volens.databases.migrate import upgrade


@dataclass(frozen=True)
class Urls:
    """Where a test's records and customer keys rest."""

    records: str
    customer_keys: str


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Urls]:
    """URLs of empty databases, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield Urls(f"sqlite:///{tmp_path / 'records.db'}", f"sqlite:///{tmp_path / 'customer-keys.db'}")
        return
    schemas = fresh_schemas()
    try:
        yield Urls(schemas.records, schemas.customer_keys)
    finally:
        schemas.drop()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both SQLite stores, migrated once: running the migrations for each test took a third of the tests' time."""
    folder = tmp_path_factory.mktemp("migrated")
    for name, history in (("records", "records"), ("customer-keys", "customer_keys")):
        database = connect(f"sqlite:///{folder / name}.db")
        upgrade(database, history)
        database.dispose()
    return folder


@pytest.fixture
def records(urls: Urls, migrated: Path) -> Iterator[SqlDatabase]:
    """Migrated records."""
    database = _opened(urls.records, "records", migrated / "records.db")
    yield database
    database.dispose()


@pytest.fixture
def key_store(urls: Urls, migrated: Path) -> Iterator[SqlDatabase]:
    """A migrated store of customer keys."""
    database = _opened(urls.customer_keys, "customer_keys", migrated / "customer-keys.db")
    yield database
    database.dispose()


def _opened(url: str, history: str, template: Path) -> SqlDatabase:
    if url.startswith("sqlite"):
        shutil.copy(template, url.removeprefix("sqlite:///"))
        return connect(url)
    make_schema(url)
    database = connect(url)
    upgrade(database, history)
    return database


@pytest.fixture
def shop(records: SqlDatabase, key_store: SqlDatabase, tmp_path: Path) -> Iterator[Shop]:
    """A small house on each database."""
    opened = Shop(records, key_store, tmp_path)
    yield opened
    opened.close()
