"""One way to open records, the same promises on SQLite and PostgreSQL.

Rules:
1. A write is one transaction and durable when its block ends (SQLite: WAL with synchronous=FULL; PostgreSQL: its default).
2. SQLite writes begin with BEGIN IMMEDIATE: a transaction that will write never has to upgrade and fail half-way.
3. PostgreSQL writes are read committed: what is read after the head row is locked is what the holder before committed.
4. A read is one snapshot (SQLite: a deferred transaction in WAL; PostgreSQL: repeatable read, read only).
5. On SQLite writers of all processes queue at a file lock: SQLite itself makes a waiting writer look again after ever longer
   sleeps, so that somebody who asks often passes it by for seconds. The queue is only about fairness; SQLite's own lock
   still decides who writes. A checkpoint of the WAL is made by bulk work outside its turn (`rest`).
6. Whatever the driver says, callers see `Unavailable`: who asked for data gets none. Constraint violations pass through,
   since they are answers, not failures.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, IntegrityError, SQLAlchemyError

from volens.errors import BadInput, Unavailable

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for somebody outside the queue who holds an SQLite file, before it says that it does not answer."""
CHECKPOINT_PAGES = 4_000
"""Pages in SQLite's WAL after which whoever commits moves them to their place. Bulk work does so before it comes to that."""
REST_SECONDS = 1.0
"""A connection to PostgreSQL that was not used for longer is asked whether it still is one."""


@dataclass(frozen=True)
class SqlDatabase:
    """Records behind one SQLAlchemy engine; implements `holders.Database`."""

    engine: Engine
    queue: Path | None = None
    """Where writers of an SQLite file wait for their turn."""

    @property
    def name(self) -> str:
        return self.engine.dialect.name

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        options = {"volens_writing": True} if self.name == "sqlite" else {"isolation_level": "READ COMMITTED"}
        with self._turn(), self._transaction(options) as connection:
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Waits in the queue of writers; whoever is killed leaves it."""
        if self.queue is None:
            yield
            return
        with self.queue.open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield  # closing the file ends the turn

    def rest(self, seconds: float, *, tidy: bool = False) -> None:
        if tidy and self.queue is not None:
            # What was committed is moved to its place outside anybody's turn: within one, all writers would wait for it.
            with self.engine.connect() as connection:
                connection.exec_driver_sql("pragma wal_checkpoint(passive)")
        time.sleep(seconds)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        options: dict[str, Any] = {} if self.name == "sqlite" else {
            "isolation_level": "REPEATABLE READ", "postgresql_readonly": True
        }
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        options: dict[str, Any] = {} if self.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[Connection]:
        try:
            with self.engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
        except IntegrityError:
            raise
        except self.engine.dialect.loaded_dbapi.IntegrityError as error:
            # Said by the driver to `evidence.journeys`, which asks it without anybody between.
            raise IntegrityError(None, None, error) from error
        except (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error) as error:
            raise self.unavailable(error) from error

    def watch(self) -> KeptConnection:
        return KeptConnection(self)

    def unavailable(self, error: Exception) -> Unavailable:
        """What callers see of a failure. The driver's text may hold a row; only its kind goes on."""
        return Unavailable(
            f"The records ({self.name}) do not answer: {type(error).__name__}.",
            "Check that the database runs and that its migrations are applied: volens init --upgrade.",
        )

    def dispose(self) -> None:
        """Closes the pool; for tests and for the end of a process."""
        self.engine.dispose()


class KeptConnection:
    """See `holders.Watch`. The layers above the driver would cost ten times the statement."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database
        self._connection: Connection | None = None

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        lite = self._database.name == "sqlite"
        try:
            if self._connection is None:
                connection = self._database.engine.connect()
                self._connection = connection if lite else connection.execution_options(isolation_level="AUTOCOMMIT")
            raw: Any = self._connection.connection.driver_connection
            cursor = raw.execute(statement if lite else statement.replace("?", "%b"), tuple(values))
            found: list[Any] = cursor.fetchall()
        except (SQLAlchemyError, self._database.engine.dialect.loaded_dbapi.Error) as error:
            self._drop()
            raise self._database.unavailable(error) from error
        return found

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def connect(url: str, *, create: bool = True) -> SqlDatabase:
    """Opens records at a SQLAlchemy URL (`sqlite:///…` or `postgresql+psycopg://…`). Creates no table.

    Without `create`, an SQLite file that is not there is `Unavailable`, and never made: a house without its history would
    open as an empty one. A new file can be read by its owner alone.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInput("The records URL cannot be read.", "Write sqlite:///file.db or postgresql+psycopg://…") from error
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            file = Path(parsed.database)
            if not file.exists() and not create:
                raise Unavailable(f"The records {file.name} are gone.", "Restore them from their newest back-up.")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600, exist_ok=True)
        engine = create_engine(parsed)
        _teach_sqlite(engine)
        queue = None
        if parsed.database and parsed.database != ":memory:":
            queue = Path(f"{parsed.database}-queue")
            queue.touch(mode=0o600, exist_ok=True)
        return SqlDatabase(engine, queue)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"))
        _teach_postgresql(engine)
        _look_after_rests(engine)
        return SqlDatabase(engine)
    raise BadInput(f"Records cannot rest in {parsed.get_backend_name()}.", "Use SQLite or PostgreSQL.")


def _teach_sqlite(engine: Engine) -> None:
    """Takes transactions out of the driver's hands, which would begin them late and deferred."""

    @event.listens_for(engine, "connect")
    def on_connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        raw.execute(f"pragma busy_timeout={BUSY_TIMEOUT_MS}")
        raw.execute("pragma journal_mode=wal")
        raw.execute("pragma synchronous=full")
        raw.execute(f"pragma wal_autocheckpoint={CHECKPOINT_PAGES}")
        raw.execute("pragma foreign_keys=on")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("volens_writing")
        connection.exec_driver_sql("begin immediate" if writing else "begin deferred")


def _teach_postgresql(engine: Engine) -> None:
    """Statements are parsed once and planned each time: a plan made while a table was small would read all of it for ever."""

    @event.listens_for(engine, "connect")
    def on_connect(raw: Any, _record: Any) -> None:
        raw.execute("set plan_cache_mode = force_custom_plan")
        raw.commit()


def _look_after_rests(engine: Engine) -> None:
    """Asks a connection that has rested whether it still is one, and takes another if not. Asking every time, as the pool can,
    would cost each choice two more round trips."""

    @event.listens_for(engine, "checkin")
    def on_checkin(_raw: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def on_checkout(raw: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) > REST_SECONDS:
            try:
                engine.dialect.do_ping(raw)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error


def make_schema(url: str) -> None:
    """For PostgreSQL: creates the schema that the URL's search path names, if it is not there."""
    parsed = make_url(url)
    options = str(parsed.query.get("options", ""))
    if "search_path=" not in options:
        return
    schema = options.split("search_path=", 1)[1].split()[0]
    if not schema.replace("_", "").isalnum():
        raise BadInput("The schema in the URL's search path has odd characters.", "Use letters, digits and _ only.")
    engine = create_engine(parsed.set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text(f'create schema if not exists "{schema}"'))
    engine.dispose()
