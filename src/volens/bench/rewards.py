"""Variants of writing about money: rewards that are promised and earned, vouchers that are redeemed; durable when it returns.

A claim is a transaction that sets a reward aside and one that earns it: three events and two postings. A redemption is one
transaction with one of each. Bare commits to hold them against are in `choices`.
"""

from __future__ import annotations

import re
import secrets
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from volens import app
from volens.bench.choices import WRITERS, Options, Work, on_postgresql
from volens.bench.data import Size
from volens.clock import legal_day, system
from volens.ingest.master import Person
from volens.offers.document import Amount
from volens.wallet import claims
from volens.wallet.claims import Promise

OFFER, COUNTRY, PEOPLE = "bench", "FR", 50
VOUCHERS_A_CLAIM, WORTH = 20, 20_00


def claim(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Eight writers, each promising and earning one reward after the other."""
    house = _house(work, options, stack)
    today, made = legal_day(house.clock.now(), COUNTRY), [0] * WRITERS

    def write(number: int, until: float) -> None:
        while time.monotonic() < until:
            _claim(house, f"bench:{number}:{made[number]}", 1 + made[number] % PEOPLE, Amount(500, 0), today)
            made[number] += 1

    def write_all_together() -> dict[str, Any]:
        seconds = _together(write, options["seconds"])
        return {"claims": sum(made), "per_second": sum(made) / seconds}

    return write_all_together


def redeem(work: Path, size: Size, options: Options, stack: ExitStack) -> Work:
    """Eight tills, each redeeming one voucher after the other."""
    house = _house(work, options, stack)
    today, codes = legal_day(house.clock.now(), COUNTRY), list[str]()
    for number in range(options["vouchers"] // VOUCHERS_A_CLAIM):
        amount = Amount(0, VOUCHERS_A_CLAIM * WORTH)
        _claim(house, f"bench:{number}", 1 + number % PEOPLE, amount, today)
    house.wallet.mature()
    for customer in range(1, PEOPLE + 1):
        codes += [one.code for purse in house.wallet.of(customer) for one in purse.vouchers]
    done = [0] * WRITERS

    def write(number: int, until: float) -> None:
        for code in codes[number::WRITERS]:
            if time.monotonic() > until:
                return
            house.wallet.vouchers.redeem(f"till-{number}", code, f"basket-{done[number]}")
            done[number] += 1

    def redeem_all_together() -> dict[str, Any]:
        seconds = _together(write, options["seconds"])
        return {"redemptions": sum(done), "per_second": sum(done) / seconds}

    return redeem_all_together


def _claim(house: app.House, key: str, customer: int, amount: Amount, today: Any) -> None:
    records = house._stores.records
    with records.writing() as connection:
        claims.reserve(connection, Promise(key, OFFER, 1, COUNTRY, "EUR", amount), day=today)
    with records.writing() as connection:
        claims.earn(
            connection, key, customer, earned=today, matures=today + timedelta(days=0 if amount.voucher_cents else 30),
            voucher_days=365 if amount.voucher_cents else 0, why="referral",
        )  # fmt: skip


def _house(work: Path, options: Options, stack: ExitStack) -> app.House:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
    records = _own_schema(options["records"], stack) if "records" in options else None
    house = stack.enter_context(app.initialise(folder / "house", records_url=records, customers=1_000, clock=system()))
    lines = [Person(card=f"C{number:05}", email=f"p{number}@example.org", country=COUNTRY, details={}) for number in range(PEOPLE)]
    house.customers.enrol(lines)
    with house._stores.records.writing() as connection:
        claims.set_budget(connection, OFFER, COUNTRY, 10_000_000_00, "EUR", by="bench", day=legal_day(house.clock.now(), COUNTRY))
    return house


def _own_schema(url: str, stack: ExitStack) -> str:
    """A schema beside the one that was named, which goes when the measurement is over."""
    name = f"bench_rewards_{secrets.token_hex(4)}"
    for schema in (name, f"{name}_customer_keys", f"{name}_purchases_catalog"):
        stack.callback(on_postgresql, url, f'drop schema if exists "{schema}" cascade')
    found, times = re.subn(r"(search_path(?:=|%3D))\w+", rf"\g<1>{name}", url)
    return found if times else f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{name}"


def _together(write: Any, seconds: float) -> float:
    """Runs eight threads for so long; how long it really took."""
    began = time.monotonic()
    threads = [threading.Thread(target=write, args=(number, began + seconds)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began
