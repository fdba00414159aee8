"""The invented shop's purchases as they would rest in a house: a purchases table of its own, without the way through the intake.

Customer and product numbers are the simulated ones plus one, as a house would give them in the order of the files. The lines
are those that `volens simulate` writes for the tills. Memory: two million lines; the others wait on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from volens.purchases.lines import LINES
from volens.purchases.store import PurchasesStore
from volens.simulate import Shop
from volens.simulate.draws import mix
from volens.simulate.shop import Piece


def write_table(
    shop: Shop, folder: Path, progress: Callable[[str, int, int], None] = lambda step, done, total: None
) -> PurchasesStore:
    """A new purchases table in `folder` with all of a shop's lines, one file a bucket and month. Close it after use."""
    store = PurchasesStore.create(folder, customers=shop.customers)

    def pieces() -> Iterator[pa.Table]:
        done = 0
        for part in shop.parts:
            yield lines_of(shop.piece(*part), shop, store.buckets)
            done += part[2]
            progress("lines", done, shop.lines)

    store.append(pieces(), "simulated")
    return store


def lines_of(piece: Piece, shop: Shop, buckets: int) -> pa.Table:
    """A piece's lines with the columns of `LINES`."""
    customer = (piece.customer[piece.basket] + 1).astype(np.int32)
    day = int(np.datetime64(piece.day).astype(np.int64))
    second = piece.second[piece.basket]
    receipt = mix(piece.receipt + day * 1_000_000_000, shop.seed).view(np.int64)
    weighed = pa.array(shop.products.weighed[piece.product])
    count = piece.lines
    columns = {
        "customer": pa.array(customer),
        "account": pa.array(customer),
        "bucket": pa.array(customer % np.int32(buckets)),
        "basket": pa.array(receipt[piece.basket]),
        "product": pa.array(piece.product + np.int32(1)),
        "store": pa.array((piece.store[piece.basket] + 1).astype(np.int32)),
        "channel": pa.repeat("loyalty", count),
        # The clock of a shop in Paris, read as UTC: the engines look at days alone.
        "ts": pa.array((day * 86_400 + second) * 1_000_000).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")),
        "day": pa.repeat(pa.scalar(piece.day), count),
        "minute": pa.array((second // 60).astype(np.int32)),
        "quantity": pa.array(piece.quantity),
        "unit": _words(("piece", "kg"), weighed),
        "amount": pa.array(piece.amount),
        "discount": pa.array(piece.discount),
        "currency": pa.repeat("EUR", count),
    }
    return pa.table([columns[name] for name in LINES.names], schema=LINES)


def _words(words: tuple[str, str], second: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(second.cast(pa.int8()).cast(pa.int32()), pa.array(words)).cast(pa.string())
