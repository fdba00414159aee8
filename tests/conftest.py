"""Fixtures that every kind of test shares: fresh records on each database."""

from __future__ import annotations

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


@pytest.fixture
def records(urls: Urls) -> Iterator[SqlDatabase]:
    """Migrated records."""
    make_schema(urls.records)
    database = connect(urls.records)
    upgrade(database, "records")
    yield database
    database.dispose()


@pytest.fixture
def key_store(urls: Urls) -> Iterator[SqlDatabase]:
    """A migrated store of customer keys."""
    make_schema(urls.customer_keys)
    database = connect(urls.customer_keys)
    upgrade(database, "customer_keys")
    yield database
    database.dispose()


@pytest.fixture
def shop(records: SqlDatabase, key_store: SqlDatabase, tmp_path: Path) -> Iterator[Shop]:
    """A small house on each database."""
    opened = Shop(records, key_store, tmp_path)
    yield opened
    opened.close()
