"""A house with an offer for invitations, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.inviting import Inviting, settle


@pytest.fixture
def shop(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inviting]:
    """Everybody; nobody is invited yet."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = settle(tmp_path, urls.records)
    yield made
    made.house.close()
