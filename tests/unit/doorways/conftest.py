"""The house of these tests, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.doors import START, Doors, made
from tests.support.shop import HandClock


@pytest.fixture
def doors(urls: Urls, tmp_path: Path) -> Iterator[Doors]:
    """A fresh house."""
    url = None if urls.records.startswith("sqlite") else urls.records
    with made(tmp_path / "house", url, HandClock(START)) as found:
        yield found
