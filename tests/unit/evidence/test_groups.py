"""Events made of many rows: one leaf, a small tree below it, and a short proof for each row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.shop import STATISTICS, Shop

from volens.errors import NotFound
from volens.evidence import groups, log
from volens.evidence.groups import IMPORT, MAX_ROWS, GroupRow, append_group, prepare, row_proof
from volens.evidence.log import EVENTS
from volens.evidence.merkle import canonical_json, leaf_hash, verify_inclusion


def rows(how_many: int) -> list[GroupRow]:
    words = ('a "quoted"\nword', "é\\", "plain")
    return [
        GroupRow("given", number + 1, STATISTICS, "*", words[number % 3], "2026-03-02", bytes([number % 256]) * 32 or None)
        for number in range(how_many)
    ]


def test_many_entries_at_once_are_what_one_entry_is() -> None:
    some = [*rows(7), replace(rows(1)[0], commitment=None)]
    assert prepare(some).leaves == tuple(leaf_hash(canonical_json(row.open_part())) for row in some)


def test_a_row_is_shown_by_two_short_proofs(shop: Shop) -> None:
    shop.people(3)
    with shop.records.writing() as connection:
        seq = append_group(connection, IMPORT, prepare(rows(5)), {"file": "x"})
    shop.people(5)
    with shop.records.reading() as connection:
        proof = row_proof(connection, seq, 3)
        event = log.one(connection, EVENTS, seq)
        leaves = log.leaves(connection, EVENTS)
        root = log.head(connection, EVENTS).root
    assert event is not None
    assert proof.holds()
    assert proof.row["customer"] == 4
    assert event.said() == {"file": "x", "rows": 5, "root": proof.root.hex()}
    from volens.evidence.merkle import inclusion_proof

    assert verify_inclusion(leaf_hash(event.entry()), seq, len(leaves), inclusion_proof(leaves, seq), root)
    assert not replace(proof, row={**proof.row, "kind": "withdrawn"}).holds()
    assert not replace(proof, place=2).holds()


def test_a_row_that_is_not_there_has_no_proof(shop: Shop) -> None:
    with shop.records.writing() as connection:
        seq = append_group(connection, IMPORT, prepare(rows(2)), {})
    with shop.records.reading() as connection:
        for wrong in (-1, 2):
            with pytest.raises(NotFound):
                row_proof(connection, seq, wrong)


def test_who_is_in_a_group_counts_as_somebody_about_whom_something_was_said(shop: Shop) -> None:
    people = shop.people(3)
    with shop.records.writing() as connection:
        seq = append_group(connection, IMPORT, prepare(rows(2)), {})
    with shop.records.reading() as connection:
        assert groups.customers_since(connection, seq) == {1, 2}
        assert groups.customers_since(connection, seq + 1) == set()
        assert groups.customers_since(connection, 0) == set(people)


def test_a_group_has_a_limit() -> None:
    assert len(prepare(rows(MAX_ROWS)).leaves) == MAX_ROWS
    for wrong in (0, MAX_ROWS + 1):
        with pytest.raises(ValueError, match="5000"):
            prepare(rows(wrong))
