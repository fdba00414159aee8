"""Variants of writing choices, and of bare commits to hold them against. Their time is spent waiting for the disk."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from volens import app
from volens.bench.data import Size
from volens.clock import system
from volens.permissions.ledger import Choice
from volens.simulate import Simulated, write_all
from volens.simulate.files import people_mapping
from volens.simulate.people import customer_pieces

Options = Mapping[str, Any]
Work = Callable[[], dict[str, Any]]
WRITERS = 8
PEOPLE = Size(20_000)
IMPORTED = 60_000
CHOOSERS = 400
"""Customers who choose, over and over."""
PURPOSE = "supplier-statistics"


def choose(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Eight writers, each saying one thing after the other; every call has returned, so every choice is durable."""
    house = _house_with_people(work, options, stack)
    said = [0] * WRITERS

    def write(number: int, until: float) -> None:
        at = number
        while time.monotonic() < until:
            kind = "withdrawn" if said[number] % 2 else "given"
            house.permissions.record([Choice(1 + at % CHOOSERS, PURPOSE, kind, surface="bench")])
            at += WRITERS
            said[number] += 1

    def write_all_together() -> dict[str, Any]:
        began = time.monotonic()
        _together(write, began + options["seconds"])
        return {"choices": sum(said), "per_second": sum(said) / (time.monotonic() - began)}

    return write_all_together


def withdraw(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """One withdrawal after the other, for as long as a file of existing choices is being taken in."""
    house = _house_with_people(work, options, stack)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
    many = folder / "choices.parquet"
    pq.write_table(_existing(), many)
    took: list[float] = []
    imported = [0]

    def take_in() -> None:
        imported[0] = house.imports.take_in(many).taken

    def wait_for_each() -> dict[str, Any]:
        importing = threading.Thread(target=take_in)
        importing.start()
        while importing.is_alive():
            began = time.monotonic()
            house.permissions.record([Choice(1 + len(took) % CHOOSERS, PURPOSE, "withdrawn", surface="bench")])
            took.append(time.monotonic() - began)
            time.sleep(0.01)
        importing.join()
        return {
            "withdrawals": len(took),
            "imported": imported[0],
            "p50_ms": 1000 * float(np.percentile(took, 50)),
            "p99_ms": 1000 * float(np.percentile(took, 99)),
        }

    return wait_for_each


def _existing() -> pa.Table:
    """What the simulated people said, over and over, a minute later each time."""
    ((_, said),) = customer_pieces(PEOPLE.shop)
    times = pc.strptime(said["time"], format="%Y-%m-%dT%H:%M:%SZ", unit="s")
    return pa.concat_tables(
        said.set_column(
            said.column_names.index("time"),
            "time",
            pc.strftime(pc.add(times, pa.scalar(60 * again, pa.duration("s"))), format="%Y-%m-%dT%H:%M:%SZ"),
        )
        for again in range(IMPORTED // said.num_rows)
    )


def _together(write: Callable[[int, float], None], until: float) -> None:
    threads = [threading.Thread(target=write, args=(number, until)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _house_with_people(work: Path, options: Options, stack: ExitStack) -> app.House:
    """A house with a few hundred customers, on the records asked for; nothing of it stays."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
    house = stack.enter_context(
        app.initialise(folder / "house", records_url=options.get("records"), customers=1_000, clock=system())
    )
    made: Simulated = write_all(PEOPLE.shop, folder / "people")
    house.take_in_people(made.people, people_mapping("parquet"))
    shutil.rmtree(folder / "people")
    return house


def bare(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Eight writers that each commit one row after the other, and nothing else: what the database and the disk can do."""
    records = options.get("records")
    written = [0] * WRITERS
    if records is None:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work))) / "bare.db"
        _on_sqlite(file, "create table said (writer integer, what text)")
    else:
        on_postgresql(records, "create table bare_commits (writer integer, what text)")
        stack.callback(on_postgresql, records, "drop table bare_commits")

    def write(number: int, until: float) -> None:
        if records is None:
            connection = sqlite3.connect(file, isolation_level=None, timeout=60)
            connection.execute("pragma synchronous = full")
            while time.monotonic() < until:
                connection.execute("begin immediate")
                connection.execute("insert into said values (?, ?)", (number, "x" * 400))
                connection.execute("commit")
                written[number] += 1
            connection.close()
            return
        with psycopg.connect(_plain_url(records), autocommit=True) as server:
            while time.monotonic() < until:
                server.execute("insert into bare_commits values (%s, %s)", (number, "x" * 400))
                written[number] += 1

    def commit() -> dict[str, Any]:
        began = time.monotonic()
        _together(write, began + options["seconds"])
        return {"commits": sum(written), "per_second": sum(written) / (time.monotonic() - began)}

    return commit


def _on_sqlite(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute("pragma journal_mode = wal")
    connection.execute(statement)
    connection.close()


def on_postgresql(url: str, statement: str) -> None:
    """Runs one statement."""
    with psycopg.connect(_plain_url(url), autocommit=True) as server:
        server.execute(statement)


def _plain_url(url: str) -> str:
    """As the driver wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
