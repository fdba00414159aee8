"""Fixtures that every kind of test shares: fresh records on each database."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.checked import checked_programme
from tests.support.migrated import files, give_back, upgrade
from tests.support.needs import fresh_schemas
from tests.support.shop import Shop
from volens.databases.connect import SqlDatabase, connect, make_schema

POSTGRES_AMONG_PROOFS = (
    "tests/web/", "tests/unit/audit/test_tampering.py", "tests/unit/doorways/",
    "tests/unit/audiences/", "tests/unit/publishing/", "tests/unit/devices/", "tests/unit/campaigns/",
    "tests/unit/sponsored/", "tests/unit/offering/", "tests/unit/wallet/", "tests/unit/licensing/",
    "tests/unit/referring/test_inviting.py", "tests/unit/app/test_baskets.py", "tests/unit/reminding/test_forgotten.py",
    "tests/unit/messaging/test_noes.py", "tests/unit/messaging/test_sending.py", "tests/broken/",
)  # fmt: skip
"""Where the same statements run as in many other tests: on PostgreSQL they are run by `make prove`, on SQLite by both."""


settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # no test fails because the machine was busy
LONGEST = "tests/ways/test_demo.py"
"""It comes first: at the end one worker would wait for the other."""
SAMPLED = ("tests/browser/test_every_page.py", "tests/browser/test_keyboard.py")
"""The full matrix of pages, of which `make test` sees the usual corner."""
SAMPLE_ONE_IN = 3
"""So many runs of `make prove` see each of these once, on average: a run has an hour, and they repeat what ran elsewhere."""
SAMPLE = os.environ.setdefault("VOLENS_SAMPLE", secrets.token_hex(8))
"""What is drawn follows from it; workers inherit it. `all` draws everything."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the long way of what `make test` runs in its short form, and draws a third of what only repeats."""
    left_out = []
    for item in items:
        repeats = bool(item.get_closest_marker("postgres")) and item.nodeid.startswith(POSTGRES_AMONG_PROOFS)
        if repeats:
            item.add_marker(pytest.mark.prove)
        matrix = bool(item.get_closest_marker("prove")) and item.nodeid.startswith(SAMPLED)
        if (repeats or matrix) and SAMPLE != "all" and "prove" in (config.option.markexpr or "") and not _drawn(item.nodeid):
            left_out.append(item)
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_report_header() -> str:
    """With this, the same tests are drawn again."""
    return f"one in {SAMPLE_ONE_IN} of what repeats on PostgreSQL or in another theme: VOLENS_SAMPLE={SAMPLE}"


def _drawn(name: str) -> bool:
    return hashlib.sha256(f"{SAMPLE}/{name}".encode()).digest()[0] % SAMPLE_ONE_IN == 0


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
        give_back(schemas)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both SQLite stores, migrated once."""
    return files(tmp_path_factory.mktemp("migrated"))


@pytest.fixture(scope="session", autouse=True)
def checked_once() -> Iterator[None]:
    """The same programme on the same day is checked once a process."""
    with pytest.MonkeyPatch.context() as patch:
        for place in ("opening", "house"):
            patch.setattr(f"volens.app.{place}.checked_programme", checked_programme)
        yield


@pytest.fixture(autouse=True)
def migrated_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Houses that tests make get copies of databases that were migrated once, except where every write is broken."""
    if "broken" not in request.path.parts:
        monkeypatch.setattr("volens.app.opening.upgrade", upgrade)


@pytest.fixture
def records(urls: Urls) -> Iterator[SqlDatabase]:
    """Migrated records."""
    database = _opened(urls.records, "records")
    yield database
    database.dispose()


@pytest.fixture
def key_store(urls: Urls) -> Iterator[SqlDatabase]:
    """A migrated store of customer keys."""
    database = _opened(urls.customer_keys, "customer_keys")
    yield database
    database.dispose()


def _opened(url: str, history: str) -> SqlDatabase:
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
