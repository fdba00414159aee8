"""Processes for the proof of promise 3: some change their minds, some read and draw. Each writes down what it saw happen."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.shop import Shop
from volens.databases.connect import connect
from volens.gate.barrier import Leaving


def main(role: str, records: str, customer_keys: str, folder: str, log: str, seed: str, seconds: str) -> None:
    """Works until the time is over or somebody kills the process. Every line of the log is on its way when it is written."""
    shop = Shop(connect(records), connect(customer_keys), Path(folder))
    chosen, until = random.Random(int(seed)), time.monotonic() + float(seconds)  # reproducible histories, no secret
    with Path(log).open("a", encoding="utf-8", buffering=1) as history:

        def note(**what: object) -> None:
            history.write(json.dumps(what) + "\n")

        while time.monotonic() < until:
            (_change_minds if role == "mind" else _read_and_draw)(shop, chosen, note)


def _change_minds(shop: Shop, chosen: random.Random, note: Callable[..., None]) -> None:
    customer = chosen.choice(shop.people(24))
    kind = chosen.choice(("given", "withdrawn", "withdrawn"))
    seq = shop.say(customer, kind)
    note(what="said", customer=customer, kind=kind, seq=seq, acknowledged=time.monotonic())


def _read_and_draw(shop: Shop, chosen: random.Random, note: Callable[..., None]) -> None:
    began = time.monotonic()
    with shop.gate.open_purchases(shop.request()) as reading:
        counted = opened_set = reading.opened.permitted
        note(what="read", began=began, customers=list(opened_set), position=reading.opened.position)
        reading.saw(opened_set)
    time.sleep(chosen.random() / 50)  # the pack is being computed
    opened = reading.opened
    while isinstance(outcome := shop.barrier.draw(opened, counted, {}), Leaving):
        counted = counted - outcome.customers
        opened = opened.without(outcome.customers, outcome.position)
    note(what="drawn", seq=outcome.seq, customers=list(counted))
    handed = shop.barrier.hand_over(shop.request(), list(counted), {})
    note(what="handed_over", seq=handed.seq, customers=list(handed.customers))


if __name__ == "__main__":
    main(*sys.argv[1:])
