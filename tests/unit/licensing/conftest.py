"""A studio on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.licensing import Studio, settle, settled


@pytest.fixture
def studio(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """Everybody, and an offer with a licence."""
    if urls.records.startswith("sqlite"):
        made = settled(tmp_path)
    else:
        monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
        made = settle(tmp_path, urls.records)
    yield made
    made.house.close()
