"""A shop on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.adverts import Shop, settle

from volens.gate import resident
from volens.sponsored import deciding


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks waits for the answer, on however busy a machine."""
    monkeypatch.setattr(deciding, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(resident, "ANSWER_SECONDS", 30.0)


@pytest.fixture
def shop(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unhurried: None) -> Iterator[Shop]:
    """Everybody, their purchases and their word."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    made = settle(tmp_path, urls.records)
    yield made
    made.house.close()
