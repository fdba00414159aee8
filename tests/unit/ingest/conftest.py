"""The house that ingest's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.ingest.ingest_house import House, make_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A fresh house on SQLite."""
    made = make_house(tmp_path / "house")
    yield made
    made.close()
