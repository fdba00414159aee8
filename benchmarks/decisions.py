"""Decisions over HTTP in a house of many millions: what `volens bench choices-http` measures, with customers added who only stand.

    volens bench choices-http --lines 22.6m --rounds 1 --work FOLDER        makes a house of a million who have chosen
    python -m benchmarks.decisions --folder FOLDER --more 9000000           adds nine million, and measures

Those who are added have a card, a yes to supplier statistics, and nothing else: no event, no key. Decisions meet them as any
others; an audit of that house would not. Asked about are cards that were made in the ordinary way.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from benchmarks.choices import Bulk

from volens import app
from volens.bench.data import Size
from volens.bench.entries import OVER_HTTP
from volens.bench.run import child
from volens.bench.served import PURPOSE, RECIPIENT, house_folder
from volens.clock import system

MADE = 22_600_000
"""Lines of the shop whose customers have chosen: 22.6 a card and year."""


def add(home: Path, more: int) -> None:
    """Adds customers to a house's records."""
    with app.open_house(home, clock=system()) as house:
        records = house._stores.records
        with records.reading() as connection:
            ask = connection.exec_driver_sql
            customer = ask("select max(customer) from customers").scalar_one()
            account = ask("select max(account) from accounts").scalar_one()
            seq = ask("select max(seq) from permissions").scalar_one()
        bulk, who = Bulk(records), f"{customer} + 1 + g"
        bulk.rows("customers", "customer, country", more, f"{who}, 'FR'")
        bulk.rows("accounts", "account, customer, kind, found_by, value", more,
                  f"{account} + 1 + g, {who}, 'card', {bulk.blob(32)}, {bulk.blob(41)}")  # fmt: skip
        yes = f"'{PURPOSE}', '{RECIPIENT}', 'given', '{PURPOSE}/1', '2026-10-01', {seq}"
        bulk.rows("permissions", "customer, purpose, recipient, kind, text, day, seq", more, f"{who}, {yes}")
        bulk.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="The --work of volens bench.")
    parser.add_argument("--more", type=int, default=0, help="Customers to add, once.")
    parser.add_argument("--warm", type=int, default=15, help="Seconds of questions before what is measured.")
    given = parser.parse_args()
    size = Size(MADE)
    if given.more:
        add(house_folder(given.folder, size) / "house", given.more)
    for variant in OVER_HTTP.variants:
        warm = {**variant.options, "warm": given.warm}
        found = child(replace(variant, options=warm), given.folder, size)
        told = ", ".join(f"{name} {value:,.1f}" for name, value in found.items() if name in ("per_second", "p50_ms", "p99_ms"))
        print(f"{variant.name:24} {told}   load {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
