"""Copies of receipts are told from new ones whatever their order."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa

from volens.ingest.receipts import STAGED, compare, identities, repeated_blocks, several_customers, starts

STORED = STAGED


def staged(*rows: tuple[int, int, int, int | None]) -> pa.Table:
    """(basket, copy, product, position) of each line."""
    fixed = {
        "customer": 1, "account": 1, "bucket": 1, "store": 1, "channel": "loyalty", "minute": 600, "quantity": 1000,
        "ts": datetime(2025, 5, 1, 8, tzinfo=UTC), "day": date(2025, 5, 1), "unit": "piece", "amount": 100,
        "discount": 0, "currency": "EUR", "file_number": 0, "place": 0,
    }  # fmt: skip
    out = [
        {**fixed, "basket": basket, "copy": copy, "product": product, "position": position, "line_number": line}
        for line, (basket, copy, product, position) in enumerate(rows)
    ]
    return pa.Table.from_pylist(out, schema=STAGED)


NOTHING = staged()


def kept(table: pa.Table, stored: pa.Table = NOTHING) -> tuple[list[int], list[int]]:
    found = compare(table, stored)
    return found.new.column("line_number").to_pylist(), found.contradicting.column("line_number").to_pylist()


def test_the_first_copy_counts_and_the_order_of_lines_does_not() -> None:
    assert kept(staged((7, 0, 1, None), (7, 0, 2, None), (7, 1, 2, None), (7, 1, 1, None))) == ([0, 1], [])


def test_another_copy_with_other_lines_contradicts() -> None:
    assert kept(staged((7, 0, 1, None), (7, 1, 2, None), (8, 2, 2, None))) == ([0, 2], [1])
    assert kept(staged((7, 0, 1, None), (7, 0, 1, None), (7, 1, 1, None))) == ([0, 1], [2])


def test_numbered_lines_tell_copies_apart_inside_one_block() -> None:
    table = staged((7, 0, 1, 1), (7, 0, 1, 2), (7, 0, 1, 1), (7, 0, 1, 2))
    assert kept(table) == ([0, 1], [])
    assert kept(staged((7, 0, 1, 1), (7, 0, 1, 2), (7, 0, 1, 1))) == ([0, 1], [2])


def test_what_is_stored_is_compared_in_the_same_way() -> None:
    stored = staged((7, 0, 2, None), (7, 0, 1, None))
    assert kept(staged((7, 0, 1, None), (7, 0, 2, None), (8, 1, 1, None)), stored) == ([2], [])
    assert kept(staged((7, 0, 1, None)), stored) == ([], [0])


def test_counts_add_up() -> None:
    found = compare(staged((7, 0, 1, None), (7, 1, 1, None), (7, 2, 2, None), (8, 3, 1, None)), NOTHING)
    assert (found.receipts, found.duplicate_receipts, found.duplicate_lines) == (2, 1, 1)
    assert compare(NOTHING, NOTHING).receipts == 0


def blocks(copy: list[int], product: list[int], digest: list[int] | None = None) -> list[bool]:
    lines = np.array(digest or product, dtype=np.uint64)
    return repeated_blocks(np.array(copy), np.array(product, dtype=np.uint64), lambda: lines).tolist()


def test_a_block_that_repeats_is_a_copy_and_one_line_that_repeats_is_not() -> None:
    assert blocks([0, 0, 0, 0], [1, 2, 1, 2]) == [False, False, True, False]
    assert blocks([0] * 6, [1, 2, 1, 2, 1, 2]) == [False, False, True, False, True, False]
    assert blocks([0, 0], [1, 1]) == [False, False]  # two bottles, scanned one by one
    assert blocks([0, 0, 0, 0], [1, 1, 2, 2]) == [False] * 4
    assert blocks([0, 0, 0, 0], [1, 2, 1, 2], [1, 2, 1, 3]) == [False] * 4  # another amount
    assert blocks([0, 0, 1, 1, 1, 1], [1, 2, 1, 2, 1, 2]) == [False, False, False, False, True, False]
    assert blocks([], []) == []


def table_of(**columns: list[object]) -> pa.Table:
    base = {"file_number": [0, 0], "line_number": [2, 3], "store": ["1", "1"], "till": ["1", "1"], "receipt": ["1", "1"],
            "day": [date(2025, 5, 1)] * 2}  # fmt: skip
    return pa.table({**base, **columns})


def test_where_a_copy_begins() -> None:
    assert starts(table_of(), by_line=False).tolist() == [True, False]
    assert starts(table_of(), by_line=True).tolist() == [True, True]
    assert starts(table_of(till=[None, "1"]), by_line=False).tolist() == [True, True]
    assert starts(table_of(file_number=[0, 1]), by_line=False).tolist() == [True, True]


def test_identities_are_unambiguous() -> None:
    found = identities(table_of(store=["1", "11"], till=["11", "1"]), "tills")
    assert len(set(found)) == 2
    assert identities(table_of(), "tills") != identities(table_of(), "other")


def test_a_receipt_of_two_people_is_seen() -> None:
    customers = pa.array(["a", "b", "c", "c", "d"])
    assert several_customers(customers, np.array([0, 0, 1, 1, 2])).tolist() == [True, True, False, False, False]
