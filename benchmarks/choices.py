"""How fast choices come in: from a file, with withdrawals from another process meanwhile; and from eight writers.

    python -m benchmarks.choices import   --rows 1000000 [--standing 40000000] [--postgres]
    python -m benchmarks.choices writers  --seconds 10   [--postgres]

Prints rows a second, CPU and peak memory, and how long the withdrawals took. Everything is invented and removed again.

`--standing` first makes records in which so many choices stand already: rows of true sizes in the true tables, with their
indices, by the database itself, since taking 40 million in takes an hour. Hashes and sealed words in them are random, so
such records would not pass an audit; what they weigh on those who write is the same.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, text
from tests.support.needs import fresh_schemas
from tests.support.shop import JUICE, REMINDERS, SOAP, STATISTICS, Shop, terms

from volens.databases.connect import SqlDatabase, connect, make_schema
from volens.databases.migrate import upgrade
from volens.evidence.merkle import Frontier
from volens.ingest.payment_numbers import holds_payment_number
from volens.permissions.importing import Importer
from volens.permissions.ledger import Choice

PURPOSES = ((STATISTICS, "given", "statistics/2"), (REMINDERS, "notified", "reminders/1"))


def urls(folder: Path, postgres: bool) -> tuple[tuple[str, str], Callable[[], None]]:
    """Where records and keys of one run rest, and what takes them away again."""
    if not postgres:
        return (f"sqlite:///{folder}/records.db", f"sqlite:///{folder}/keys.db"), lambda: None
    schemas = fresh_schemas()
    for url in (schemas.records, schemas.customer_keys):
        make_schema(url)
    return (schemas.records, schemas.customer_keys), schemas.drop


def opened(where: tuple[str, str], folder: Path) -> Shop:
    """A small house over two databases, migrated."""
    stores = [connect(url) for url in where]
    for store, history in zip(stores, ("records", "customer_keys"), strict=True):
        upgrade(store, history)
    return Shop(stores[0], stores[1], folder)


class Bulk:
    """Statements that write many invented rows at once, in either database's words, without waiting for the disk."""

    def __init__(self, store: SqlDatabase) -> None:
        self.lite = store.name == "sqlite"
        store.engine.dispose()  # SQLite's journal can be changed only while nobody else is connected
        self.engine = create_engine(store.engine.url, isolation_level="AUTOCOMMIT")
        self.connection = self.engine.connect()
        for setting in (
            ("pragma journal_mode=off", "pragma synchronous=off", "pragma cache_size=-2000000")
            if self.lite
            else ("set synchronous_commit = off", "set maintenance_work_mem = '1GB'")
        ):
            self.connection.exec_driver_sql(setting)

    def blob(self, size: int) -> str:
        """So many bytes; the first 32 are random."""
        if self.lite:
            return f"randomblob({size})"
        drawn = "sha256(int8send((random() * 9e18)::bigint))"
        return drawn if size == 32 else f"substr({drawn} || decode(repeat('5a', {size}), 'hex'), 1, {size})"

    def rows(self, table: str, columns: str, stop: int, values: str, step: int = 1_000_000) -> None:
        """One row for each number g from 0 to before `stop`."""
        values = values if self.lite else values.replace("%", "%%")  # psycopg's own sign
        for first in range(0, stop, step):
            last = min(first + step, stop) - 1
            drawn = f"with recursive s(g) as (select {first} union all select g + 1 from s where g < {last}) " if self.lite else ""
            source = "s" if self.lite else f"generate_series({first}::bigint, {last}) s(g)"
            self.connection.exec_driver_sql(f"insert into {table} ({columns}) {drawn}select {values} from {source}")

    def close(self) -> None:
        """As it was before: SQLite writes ahead again as soon as somebody opens it."""
        for statement in ("analyze", "pragma journal_mode=wal") if self.lite else ("vacuum analyze",):
            self.connection.exec_driver_sql(statement)
        self.connection.close()
        self.engine.dispose()


def fill(shop: Shop, rows: int) -> None:
    """Records in which `rows` imported choices stand: eight a customer, a hundred an event, as `write_file` has them."""
    with shop.records.reading() as connection:
        ask = connection.exec_driver_sql
        base = ask("select size from heads where tree = 'events'").scalar_one()
        last = ask("select last from numbers where name = 'customer'").scalar_one()
        account = ask("select last from numbers where name = 'account'").scalar_one()
        value = ask("select max(length(value)) from accounts").scalar_one()
    with shop.key_store.reading() as connection:
        wrapped = connection.exec_driver_sql("select max(length(wrapped)) from customer_keys").scalar_one()
    records, keys = Bulk(shop.records), Bulk(shop.key_store)
    people, events = rows // 8, rows // 100
    hashed, salt = records.blob(32), "5a" * 16
    who = f"{last} + 1 + g"
    keys.rows("customer_keys", "customer, wrapped", people, f"{who}, {keys.blob(wrapped)}")
    records.rows("customers", "customer, country", people, f"{who}, 'FR'")
    records.rows("accounts", "account, customer, kind, found_by, value", people,
                 f"{account} + 1 + g, {who}, 'card', {hashed}, {records.blob(value)}")  # fmt: skip
    linked = f"""'{{"account":' || g || ',"country":"FR","kind":"card","salt":"{salt}"}}'"""
    records.rows("events", "tree, seq, kind, customer, day, detail, leaf", people,
                 f"'events', {base} + g, 'linked', {who}, '2025-03-02', {linked}, {hashed}")  # fmt: skip
    base += people
    taken = f"""'{{"first":' || g || '00,"import":"{salt * 2}","last":' || g || '99,"root":"{salt * 2}","rows":100}}'"""
    records.rows("events", "tree, seq, kind, day, detail, leaf", events,
                 f"'events', {base} + g, 'import', '2026-03-02', {taken}, {hashed}")  # fmt: skip
    purpose = "case when g % 2 = 0 then 'statistics' else 'reminders' end"
    shown = "case when g % 2 = 0 then 'statistics/2' else 'reminders/1' end"
    kind = "case when g % 7 = 0 then 'refused' when g % 2 = 0 then 'given' else 'notified' end"
    records.rows("group_rows", "seq, place, kind, customer, purpose, recipient, text, day, commitment, leaf, sealed", rows,
                 f"{base} + g / 100, g % 100, {kind}, {last} + 1 + g / 8, {purpose}, '*', {shown}, '2025-06-03', {hashed}, "
                 f"{hashed}, {records.blob(175)}")  # fmt: skip
    for stands in (("statistics", JUICE, "given", "statistics/2"), ("statistics", SOAP, "given", "statistics/2"),
                   ("reminders", "shop", "notified", "reminders/1")):  # fmt: skip
        words = ", ".join(f"'{word}'" for word in stands)
        records.rows("permissions", "customer, purpose, recipient, kind, text, day, seq", people,
                     f"{who}, {words}, '2025-10-07', {base} + g * 8 / 100")  # fmt: skip
    size = base + events
    frontier = Frontier(size, [bytes(32)] * size.bit_count())
    records.connection.execute(
        text("update heads set size = :size, frontier = :frontier where tree = 'events'"),
        {"size": size, "frontier": frontier.to_bytes()},
    )
    records.connection.exec_driver_sql(f"update numbers set last = last + {people} where name in ('customer', 'account')")
    for bulk in (records, keys):
        bulk.close()


def write_file(file: Path, rows: int) -> None:
    """Eight choices for each customer, in the order of customers; one line in a thousand lacks its text."""
    with file.open("w") as out:
        out.write("card,purpose,recipient,kind,text,language,time,surface,actor,proof\n")
        for row in range(rows):
            purpose, yes, text = PURPOSES[row % 2]
            kind = "refused" if row % 7 == 0 else yes
            shown = "" if row % 1000 == 999 else text
            day = 1 + row % 28
            out.write(f"card-{row // 8},{purpose},*,{kind},{shown},fr,2025-{4 + row % 8:02}-{day:02}T10:00:00+02:00,app,,F-{row}\n")


def withdraw(where: tuple[str, str], folder: Path, until: Path) -> None:
    """Another process: a withdrawal, 10 ms of rest, and so on until a file appears; prints how long they took after the
    first 20, with which the process warms up."""
    shop = Shop(connect(where[0]), connect(where[1]), folder)
    with shop.key_store.reading() as connection:  # those whose keys are true, from one end of the table to the other
        first, last = connection.exec_driver_sql("select min(customer), max(customer) from customer_keys").one()
    people = [*range(first, first + 500), *range(last - 499, last + 1)]
    random.shuffle(people)
    took = []
    while not until.exists():
        began = time.perf_counter()
        shop.ledger.record([Choice(people[len(took) % len(people)], STATISTICS, "withdrawn")])
        took.append(time.perf_counter() - began)
        time.sleep(0.01)
    took = sorted(took[20:])
    if took:
        print(
            f"withdrawals meanwhile: {len(took):,}, median {took[len(took) // 2] * 1e3:.1f} ms, "
            f"p90 {took[int(len(took) * 0.9)] * 1e3:.1f} ms, "
            f"p99 {took[int(len(took) * 0.99)] * 1e3:.1f} ms, longest {took[-1] * 1e3:.1f} ms",
            flush=True,
        )


def bench_import(rows: int, postgres: bool, quiet: bool, standing: int, place: Path | None) -> None:
    """One file, one run."""
    folder = Path(tempfile.mkdtemp(prefix="volens-bench-", dir=place))
    where, drop = urls(folder, postgres)
    shop = opened(where, folder)
    customers = (rows + 7) // 8
    half = customers // 2
    for begin, end in ((0, half), (half, customers)):
        for start in range(begin, end, 20_000):
            shop.vault.identify("card", [f"card-{n}" for n in range(start, min(start + 20_000, end))])
        if standing and end == half:
            began = time.perf_counter()
            fill(shop, standing)
            print(f"{standing:,} choices stand, made in {time.perf_counter() - began:,.0f} s", flush=True)
    file, stop = folder / "choices.csv", folder / "stop"
    write_file(file, rows)
    beside = None
    if not quiet:
        beside = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.choices", "withdraw", *where, str(folder), str(stop)], cwd=Path.cwd()
        )
        time.sleep(3)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    summary = Importer(shop.records, shop.vault, shop.keys, terms(), shop.hand.clock, "FR", holds_payment_number).take_in(file)
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    stop.touch()
    if beside is not None:
        beside.wait()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    name = "postgresql" if postgres else "sqlite"
    print(
        f"{name}: {rows:,} rows ({summary.taken:,} taken, {summary.refused:,} waiting) in {took:.1f} s, "
        f"{rows / took:,.0f} rows/s, {cpu / rows * 1e6:.0f} µs CPU a row, peak {after.ru_maxrss / 1024:.0f} MB, "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    if not postgres:
        size = sum(path.stat().st_size for path in folder.glob("records.db*"))
        print(f"records {size / 1e6:,.0f} MB, {size / (rows + standing):.0f} bytes a row")
    shop.close()
    shop.records.dispose()
    shop.key_store.dispose()
    drop()
    shutil.rmtree(folder)


def bench_writers(threads: int, seconds: float, postgres: bool) -> None:
    """One choice a call from several threads of one process; every call returns only when durable."""
    folder = Path(tempfile.mkdtemp(prefix="volens-bench-"))
    where, drop = urls(folder, postgres)
    shop = opened(where, folder)
    people, took, stop = shop.people(2_000), list[float](), time.perf_counter() + seconds

    def write(place: int) -> None:
        turn = place
        while time.perf_counter() < stop:
            began = time.perf_counter()
            kind = ("given", "withdrawn")[turn // 2_000 % 2]
            shop.ledger.record([Choice(people[turn % 2_000], STATISTICS, kind)])
            took.append(time.perf_counter() - began)
            turn += threads

    cpu, began = time.process_time(), time.perf_counter()
    workers = [threading.Thread(target=write, args=(place,)) for place in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    elapsed, cpu, took = time.perf_counter() - began, time.process_time() - cpu, sorted(took)
    name = "postgresql" if postgres else "sqlite"
    print(
        f"{name}, {threads} writers: {len(took) / elapsed:,.0f} durable choices/s, {cpu / len(took) * 1e6:.0f} µs CPU each, "
        f"median {took[len(took) // 2] * 1e3:.1f} ms, p99 {took[int(len(took) * 0.99)] * 1e3:.1f} ms, load {os.getloadavg()[0]:.1f}"
    )
    shop.close()
    shop.records.dispose()
    shop.key_store.dispose()
    drop()
    shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.argv[1] == "withdraw":
        withdraw((sys.argv[2], sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["import", "writers"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--standing", type=int, default=0, help="Choices that stand before.")
    parser.add_argument("--folder", type=Path, help="Where the records rest while they are measured.")
    parser.add_argument("--quiet", action="store_true", help="No withdrawals meanwhile.")
    asked = parser.parse_args()
    if asked.what == "import":
        bench_import(asked.rows, asked.postgres, asked.quiet, asked.standing, asked.folder)
    else:
        bench_writers(asked.threads, asked.seconds, asked.postgres)
