"""How fast choices come in: from a file, with withdrawals from another process meanwhile; and from eight writers.

    python -m benchmarks.choices import   --rows 1000000 [--postgres]
    python -m benchmarks.choices writers  --seconds 10   [--postgres]

Prints rows a second, CPU and peak memory, and how long the withdrawals took. Everything is invented and removed again.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.needs import fresh_schemas
from tests.support.shop import REMINDERS, STATISTICS, Shop, terms

from volens.databases.connect import connect, make_schema
from volens.databases.migrate import upgrade
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
    took, customer = [], 1
    while not until.exists():
        began = time.perf_counter()
        shop.ledger.record([Choice(customer, STATISTICS, "withdrawn")])
        took.append(time.perf_counter() - began)
        customer = customer % 1000 + 1
        time.sleep(0.01)
    took = sorted(took[20:])
    if took:
        print(
            f"withdrawals meanwhile: {len(took):,}, median {took[len(took) // 2] * 1e3:.1f} ms, "
            f"p90 {took[int(len(took) * 0.9)] * 1e3:.1f} ms, "
            f"p99 {took[int(len(took) * 0.99)] * 1e3:.1f} ms, longest {took[-1] * 1e3:.1f} ms",
            flush=True,
        )


def bench_import(rows: int, postgres: bool, quiet: bool) -> None:
    """One file, one run."""
    folder = Path(tempfile.mkdtemp(prefix="volens-bench-"))
    where, drop = urls(folder, postgres)
    shop = opened(where, folder)
    customers = (rows + 7) // 8
    for start in range(0, customers, 20_000):
        shop.vault.identify("card", [f"card-{n}" for n in range(start, min(start + 20_000, customers))])
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
        print(f"records {size / 1e6:,.0f} MB, {size / rows:.0f} bytes a row")
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
    parser.add_argument("--quiet", action="store_true", help="No withdrawals meanwhile.")
    asked = parser.parse_args()
    if asked.what == "import":
        bench_import(asked.rows, asked.postgres, asked.quiet)
    else:
        bench_writers(asked.threads, asked.seconds, asked.postgres)
