"""A shop with an offer, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.taking_part import Shop, again, settle


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house on SQLite, settled once and closed."""
    folder = tmp_path_factory.mktemp("offers")
    made = settle(folder)
    made.put()
    made.house.close()
    return folder


@pytest.fixture
def shop(urls: Urls, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Everybody, and the offer in force and launched in France."""
    if urls.records.startswith("sqlite"):
        made = again(tmp_path / "copy", template)
    else:
        monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
        made = settle(tmp_path, urls.records)
        made.put()
    yield made
    made.house.close()
