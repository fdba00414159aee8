"""A PostgreSQL database whose rows are kept and put back: a database made anew for each try would wait for the server's disk."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from sqlalchemy.engine import make_url

from tests.support.needs import AT_ONCE, POSTGRES_URL

SCHEMAS = ("records", "customer_keys", "records_purchases_catalog")
TABLES = """
select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname = any(%s) order by schemaname, tablename
"""


@dataclass
class Rows:
    """The database `name`, with one schema for records and one for customer keys."""

    name: str
    kept: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Of each state, what is in each table; tables are there when a house is."""

    def __post_init__(self) -> None:
        self._administer(f'create database "{self.name}"')

    def url(self, schema: str) -> str:
        """As SQLAlchemy opens it."""
        place = make_url(POSTGRES_URL).set(database=self.name)
        return place.update_query_dict({"options": f"{AT_ONCE} -csearch_path={schema}"}).render_as_string(hide_password=False)

    def save(self, state: str) -> None:
        """Keeps what is in every table."""
        with self._open() as connection:
            found = {}
            for table in self._tables(connection):
                with connection.cursor().copy(f"copy {table} to stdout (format binary)") as rows:
                    found[table] = b"".join(map(bytes, rows))
        self.kept[state] = found
        if found and not self._has_template():
            self._administer(f'create database "{self.name}_tables" template "{self.name}"')

    def load(self, state: str) -> None:
        """Puts it back. Where tables are not those that there were, they are made anew first."""
        wanted = self.kept[state]
        with self._open() as connection:
            there = self._tables(connection)
        if wanted and there != list(wanted):
            self._administer(
                f'drop database "{self.name}" with (force)', f'create database "{self.name}" template "{self.name}_tables"'
            )
        with self._open() as connection:
            if not wanted:
                for schema in SCHEMAS:
                    connection.execute(f'drop schema if exists "{schema}" cascade')
            connection.execute("set local session_replication_role = replica")  # also what is only ever added to
            for table, content in wanted.items():
                if connection.execute(f"select exists (select from {table})").fetchone() == (True,):
                    connection.execute(f"delete from {table}")
                with connection.cursor().copy(f"copy {table} from stdin (format binary)") as rows:
                    rows.write(content)

    def drop(self) -> None:
        """Takes it away."""
        self._administer(*(f'drop database if exists "{name}" with (force)' for name in (self.name, f"{self.name}_tables")))

    def _tables(self, connection: psycopg.Connection[tuple[str]]) -> list[str]:
        return [name for (name,) in connection.execute(TABLES, [list(SCHEMAS)])]

    def _has_template(self) -> bool:
        with self._open("postgres") as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [f"{self.name}_tables"])
            return found.fetchone() is not None

    def _open(self, name: str = "") -> psycopg.Connection[tuple[str]]:
        place = make_url(POSTGRES_URL).set(drivername="postgresql", database=name or self.name)
        return psycopg.connect(place.render_as_string(hide_password=False))

    def _administer(self, *statements: str) -> None:
        place = make_url(POSTGRES_URL).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(place, autocommit=True) as connection:
            for one in statements:
                connection.execute(one)
