"""What a test needs of its machine. In CI, what is required and missing fails; elsewhere the test is skipped with its reason."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
from dataclasses import dataclass
from functools import cache

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

AT_ONCE = "-csynchronous_commit=off"
"""No test cuts the server's power, so commits need not wait for its disk. What is committed still survives killed clients."""
POSTGRES_URL = os.environ.get("VOLENS_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


def require(name: str, missing: str) -> None:
    """Fails if `VOLENS_REQUIRE` names this need, else skips; `missing` says what was not found."""
    if name in os.environ.get("VOLENS_REQUIRE", "").split(","):
        pytest.fail(f"{name} is required here and missing: {missing}")
    pytest.skip(f"needs {name}: {missing}")


@cache
def postgres_answers() -> str:
    """An empty string if a PostgreSQL server answers, else why not."""
    try:
        engine = create_engine(POSTGRES_URL, connect_args={"connect_timeout": 3})
        with engine.connect() as connection:
            connection.execute(text("select 1"))
        engine.dispose()
    except SQLAlchemyError as error:
        return type(error).__name__
    return ""


def chromium_program() -> str:
    """Where Chromium lies. Skips or fails the test when it, Playwright or axe is missing."""
    program = os.environ.get("VOLENS_CHROMIUM") or shutil.which("chromium")
    missing = [name for name in ("playwright", "axe_playwright_python") if importlib.util.find_spec(name) is None]
    if program is None or missing:
        absent = ["chromium (apt install chromium, or VOLENS_CHROMIUM)"] if program is None else []
        require("browser", ", ".join([*absent, *missing]) + "; pip install 'volens[browser]'")
    assert program is not None
    return program


@dataclass(frozen=True)
class Schemas:
    """Two fresh schemas of one PostgreSQL database, as two URLs, and the names of all that a house makes of them."""

    records: str
    customer_keys: str
    names: tuple[str, ...]

    def drop(self) -> None:
        """Takes the schemas away again."""
        engine = create_engine(POSTGRES_URL)
        with engine.begin() as connection:
            for name in self.names:
                connection.execute(text(f'drop schema if exists "{name}" cascade'))
        engine.dispose()


def fresh_schemas() -> Schemas:
    """Skips or fails the test when there is no PostgreSQL server."""
    missing = postgres_answers()
    if missing:
        require("postgres", f"no server at {make_url(POSTGRES_URL).host} ({missing})")
    stem = f"volens_test_{secrets.token_hex(6)}"
    names = (stem, f"{stem}_keys")
    urls = [
        make_url(POSTGRES_URL)
        .update_query_dict({"options": f"{AT_ONCE} -csearch_path={name}"})
        .render_as_string(hide_password=False)
        for name in names
    ]
    return Schemas(urls[0], urls[1], (*names, f"{stem}_customer_keys", f"{stem}_purchases_catalog"))
