"""A house that writes to its customers, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.letters import Letters, settle


@pytest.fixture
def letters(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Letters]:
    """Everybody permits every channel."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = settle(tmp_path, urls.records if urls.records.startswith("postgresql") else None)
    yield made
    made.house.close()
