"""A small year: eighty of the source's households, in a folder that looks like the package's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.support.needs import require

from volens.demo import source
from volens.demo.source import Journey
from volens.errors import BadInput
from volens.invented import HEROINE

AS_OF = date(2025, 6, 1)


@pytest.fixture(scope="session")
def package() -> Path:
    """The installed package's data folder."""
    try:
        return source.folder()
    except BadInput as error:
        require("journey", error.what)
        raise


@pytest.fixture(scope="session")
def whole(package: Path) -> Journey:
    """The whole year."""
    return source.read(AS_OF)


@pytest.fixture(scope="session")
def small(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same two files with the heroine and 79 other households."""
    folder = tmp_path_factory.mktemp("journey")
    lines = pq.ParquetFile(package / "transactions.parquet").read()
    households = pa.array([*range(1, 80), HEROINE], pa.int64())
    pq.write_table(lines.filter(pc.is_in(lines.column("household_id"), value_set=households)), folder / "transactions.parquet")
    (folder / "products.parquet").write_bytes((package / "products.parquet").read_bytes())
    return folder


@pytest.fixture(scope="session")
def journey(small: Path) -> Journey:
    """The small year, moved."""
    return source.read(AS_OF, small)
