"""Brings a database to the newest migration. Two histories: the records, and the customer keys in their own store."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from volens.databases.connect import SqlDatabase

HISTORIES = ("records", "customer_keys")


def upgrade(database: SqlDatabase, history: str) -> None:
    """Applies what is missing of `history`, in one transaction. Twice the same: nothing happens."""
    with database.writing() as connection:
        upgrade_in(connection, history, "head")


def upgrade_in(connection: Connection, history: str, to: str) -> None:
    """The same up to one migration, in the caller's transaction."""
    if history not in HISTORIES:
        raise ValueError(f"unknown history {history!r}")
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations" / history))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def at_head(database: SqlDatabase, history: str) -> bool:
    """Whether the newest migration has been applied; a database without tables is not at head."""
    scripts = Path(__file__).parent / "migrations" / history / "versions"
    newest = max(file.stem.split("_", 1)[0] for file in scripts.glob("[0-9]*.py"))
    with database.reading() as connection:
        if "alembic_version" not in inspect(connection).get_table_names():
            return False
        return connection.execute(text("select version_num from alembic_version")).scalar() == newest
