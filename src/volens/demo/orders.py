"""Baskets as web orders: one schema.org `Order` a line, built column by column.

An offer's price is that of all its pieces; one piece and no discount are not written. Times carry their offset; one that
the shop's clock showed twice, or skipped, is the later of the two instants it can mean, as Volens takes it from the tills.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volens.demo.source import ZONE
from volens.demo.texts import decimal_text
from volens.ingest.local_time import instants

NUMBER_PREFIX = "LP-"


def as_json(lines: pa.Table, starts: np.ndarray, emails: pa.Array) -> list[str]:
    """One text an order. `lines`: `source.LINES`; `starts`: where each basket begins; `emails`: one for each basket."""
    quantity, discount = (lines.column(name).combine_chunks() for name in ("quantity", "discount"))
    several = pc.binary_join_element_wise(
        ',"eligibleQuantity":{"@type":"QuantitativeValue","value":', quantity.cast(pa.string()), "}", ""
    )
    reduced = pc.binary_join_element_wise(',"discount":"', decimal_text(lines.column("discount"), "."), '"', "")
    items = pc.binary_join_element_wise(
        '{"@type":"Offer","itemOffered":{"@type":"Product","sku":"',
        lines.column("product").cast(pa.string()).combine_chunks(),
        '"}',
        pc.if_else(pc.equal(quantity, 1), "", several),
        ',"price":"',
        decimal_text(lines.column("amount"), "."),
        '","priceCurrency":"EUR"',
        pc.if_else(pc.equal(discount, 0), "", reduced),
        "}",
        "",
    )
    # items: one text a line
    offsets = pa.array(np.append(starts, lines.num_rows).astype(np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, items), ",")
    # joined: one text an order
    firsts = lines.take(pa.array(starts))
    orders = pc.binary_join_element_wise(
        f'{{"@context":"https://schema.org","@type":"Order","orderNumber":"{NUMBER_PREFIX}',
        firsts.column("basket").cast(pa.string()).combine_chunks(),
        '","orderDate":"',
        with_offset(firsts.column("time").combine_chunks()),
        '","orderStatus":"https://schema.org/OrderDelivered","customer":{"@type":"Person","email":"',
        emails,
        '"},"acceptedOffer":[',
        joined,
        "]}",
        "",
    )
    out: list[str] = orders.to_pylist()
    return out


def with_offset(local: pa.Array) -> pa.Array:
    """What the shop's clock showed as text with its offset from UTC: 2026-01-26T04:01:20+01:00."""
    micro = local.cast(pa.timestamp("us"))
    instant, _, _ = instants(micro, pa.nulls(len(micro), pa.timestamp("us", tz="UTC")), ZONE)
    shown = pc.local_timestamp(instant.cast(pa.timestamp("us", tz=ZONE)))
    ahead = pc.subtract(shown.cast(pa.int64()), instant.cast(pa.int64()))
    hours = pc.utf8_lpad(pc.divide(ahead, 3_600_000_000).cast(pa.string()), 2, "0")
    clock = pc.strftime(shown.cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%S")
    return pc.binary_join_element_wise(clock, "+", hours, ":00", "")
