"""How fast sponsored slots are filled over HTTP, by one server, while pages of people who permit, refuse, or are nobody ask.

    python -m benchmarks.ads [--rate 100] [--seconds 30] [--customers 2000] [--postgres]

Pages are asked for by the clock, whether or not earlier ones were answered; an answer's time counts from when its page was due,
so that a server that falls behind is seen to. Prints p50, p90, p99 and the longest, by who asked, and how many slots were filled.
Demanded is a p99 below 20 ms at 100 pages a second. Everything is invented and removed again.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.support.adverts import PRODUCTS, PURPOSE, document
from tests.support.house import FIRST_DAY, Line, sell
from tests.support.needs import fresh_schemas

from volens.app import House, initialise
from volens.clock import legal_day, system
from volens.ingest.master import Person
from volens.permissions.ledger import Choice
from volens.sponsored.placement import read

SERVE = "from volens.cli.main import main; main()"
CLIENTS, SLOTS = 8, 3
DEMANDED_MS = 20
PLACEMENTS = 20
WAYS = ("permits", "refused", "nobody")


@dataclass
class Asked:
    """What one client measured."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    slots: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    personal: int = 0
    failed: int = 0


def furnish(house: House, folder: Path, customers: int) -> str:
    """People of whom the odd ones permit it and the even ones refused, placements, profiles; the key of a machine."""
    (folder / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    house.load_products(folder / "products.csv")
    cards = range(1, customers + 1)
    born = {"birth_date": "1980-01-01"}
    house.customers.enrol([Person(card=f"C{card:05}", email=None, country="FR", details=born) for card in cards])
    today = legal_day(house.clock.now(), "FR")
    day = (today - FIRST_DAY).days
    sell(house, folder / "feed", [Line(card, day - 1 - card % 300 - ago, "J1") for card in cards for ago in (0, 7)])
    said = [
        Choice(house.customer("card", f"C{card:05}").customer, PURPOSE, "given" if card % 2 else "refused", surface="bench")
        for card in cards
    ]
    house.permissions.record(said)
    days = {"from": today.isoformat(), "until": (today + timedelta(days=90)).isoformat()}
    cap = {"day": 50, "campaign": 1_000, "visit": 100}
    for place in range(PLACEMENTS):
        one = read(document(placement=f"placement-{place}", products=["J1" if place % 2 else "J4"], cap=cap, **days))
        house.sponsored.define(one, by="Claire Exemple")
        house.sponsored.approve(one.id, by="Bruno Modèle")
    house.sponsored.learn()
    expires = today + timedelta(days=30)
    return house.access.machines.add("site", scopes=["ads"], recipient=None, expires=expires, by="Alice Exemple").secret


@contextmanager
def serving(home: Path) -> Iterator[int]:
    """One server of the house, as it is run."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    command = [sys.executable, "-W", "ignore", "-c", SERVE, "serve", "--house", str(home), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def ask(port: int, key: str, customers: int, due: list[float], seed: int, told: Asked) -> None:
    """One client: asks when a page is due."""
    draw, headers = random.Random(seed), {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for at in due:
        way = draw.choice(WAYS)
        body = {"slots": SLOTS, "category": "jus-frais", "visit": f"visit-{draw.randrange(1 << 40)}"}
        if way != "nobody":
            card = draw.randrange(1, customers, 2) + (way == "refused")
            body["card"] = f"C{card:05}"
        time.sleep(max(0.0, at - time.monotonic()))
        connection.request("POST", "/v1/ads", json.dumps(body), headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        told.seconds[way].append(time.monotonic() - at)
        if answer.status != 200:
            told.failed += 1
            continue
        told.slots[way] += len(found["ads"])
        told.personal += sum(one["personal"] for one in found["ads"])
    connection.close()


def measure(port: int, key: str, customers: int, rate: int, seconds: int) -> list[Asked]:
    """All clients together, a page every so often."""
    begin = time.monotonic() + 0.5
    due = [begin + place / rate for place in range(rate * seconds)]
    told = [Asked() for _ in range(CLIENTS)]
    threads = [
        threading.Thread(target=ask, args=(port, key, customers, due[place::CLIENTS], place, told[place]))
        for place in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def report(told: list[Asked]) -> bool:
    """Prints what was measured; whether what is demanded was met."""
    everything = list[float]()
    for way in WAYS:
        times = sorted(one for each in told for one in each.seconds[way])
        everything += times
        filled = sum(each.slots[way] for each in told) / max(1, len(times))
        print(f"  {way:8} {len(times):>7,} pages  {_told(times)}  {filled:.2f} slots a page")
    everything.sort()
    print(f"  all      {len(everything):>7,} pages  {_told(everything)}")
    print(f"  {sum(each.personal for each in told):,} chosen by purchases, {sum(each.failed for each in told):,} failed")
    met = bool(everything) and _at(everything, 0.99) * 1_000 < DEMANDED_MS
    print(f"  demanded: p99 below {DEMANDED_MS} ms: {'met' if met else 'MISSED'}")
    return met


def _told(times: list[float]) -> str:
    if not times:
        return "nothing"
    named = [f"{name} {_at(times, share) * 1_000:6.1f}" for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))]
    return "  ".join([*named, f"max {times[-1] * 1_000:6.1f} ms"])


def _at(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]


def main() -> None:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    schemas = fresh_schemas() if given.postgres else None
    try:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "house"
            url = schemas.records if schemas else None
            with initialise(home, records_url=url, customers=given.customers, clock=system()) as house:
                key = furnish(house, Path(folder), given.customers)
            with serving(home) as port:
                measure(port, key, given.customers, given.rate, 3)  # the first seconds load what stays
                told = measure(port, key, given.customers, given.rate, given.seconds)
            database = "PostgreSQL" if given.postgres else "SQLite"
            print(f"{given.rate} pages a second for {given.seconds} s, {given.customers:,} people, {database}")
            sys.exit(0 if report(told) else 1)
    finally:
        if schemas:
            schemas.drop()


if __name__ == "__main__":
    main()
