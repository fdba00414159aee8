"""Processes for the proof of rotation: one changes the key-encryption key, one goes on making and reading customers."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.support.shop import Shop
from volens.databases.connect import connect
from volens.identity.keyring import KeyRing


def main(role: str, records: str, customer_keys: str, folder: str, name: str, seconds: str) -> None:
    """`rotate` once, or `work` until the time is over: every customer it ever made opens, at every instant."""
    shop = Shop(connect(records), connect(customer_keys), Path(folder))
    if role == "rotate":
        KeyRing(shop.keys, shop.records, shop.key_store, shop.hand.clock, "FR").rotate()
        return
    until, made = time.monotonic() + float(seconds), list[tuple[int, bytes]]()
    while time.monotonic() < until:
        customer = shop.vault.identify("card", [f"{name}-{len(made)}"])[0].customer
        made.append((customer, shop.vault.seal(customer, b"hers")))
        for one, sealed in made[-20:]:
            assert shop.vault.open(one, sealed) == b"hers"


if __name__ == "__main__":
    main(*sys.argv[1:])
