"""A shop with an offer, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.taking_part import Shop, settle


@pytest.fixture
def shop(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Everybody, and the offer in force and launched in France."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = settle(tmp_path, urls.records)
    made.put()
    yield made
    made.house.close()
