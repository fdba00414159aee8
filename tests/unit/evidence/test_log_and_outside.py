"""Appending events and keeping checkpoints outside: one order, one transaction, and a crash at any step is clean."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.shop import Shop

from volens.databases.connect import SqlDatabase
from volens.errors import Tampered
from volens.evidence import log
from volens.evidence.log import EVENTS, PUBLIC, Event
from volens.evidence.merkle import root_of


def append(records: SqlDatabase, *kinds: str) -> int:
    with records.writing() as connection:
        return log.append(connection, EVENTS, [Event(kind) for kind in kinds])


def test_seq_is_dense_from_zero_and_the_head_follows(records: SqlDatabase) -> None:
    assert (append(records, "a", "b"), append(records, "c")) == (0, 2)
    with records.reading() as connection:
        assert [row.seq for row in log.rows(connection, EVENTS)] == [0, 1, 2]
        assert log.head(connection, EVENTS).root == root_of(log.leaves(connection, EVENTS))


def test_what_is_undone_leaves_no_gap(records: SqlDatabase) -> None:
    append(records, "a")

    def killed_before_the_commit() -> None:
        with records.writing() as connection:
            log.append(connection, EVENTS, [Event("never")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        killed_before_the_commit()
    assert append(records, "b") == 1


def test_many_writers_make_one_order(records: SqlDatabase) -> None:
    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(lambda number: append(records, f"k{number}", f"k{number}"), range(24)))
    assert sorted(firsts) == list(range(0, 48, 2))
    with records.reading() as connection:
        kinds = [row.kind for row in log.rows(connection, EVENTS)]
    assert all(kinds[place] == kinds[place + 1] for place in range(0, 48, 2)), "two events of one writer stay together"


def test_private_details_need_a_customer_and_a_sealer(records: SqlDatabase) -> None:
    with pytest.raises(ValueError, match="customer"):
        Event("given", private={"surface": "till"})
    with pytest.raises(ValueError, match="sealer"), records.writing() as connection:
        log.append(connection, EVENTS, [Event("given", customer=1, private={"surface": "till"})])
    with pytest.raises(ValueError, match="nothing"), records.writing() as connection:
        log.append(connection, EVENTS, [])


def test_the_same_private_detail_never_gives_the_same_commitment(shop: Shop) -> None:
    one, two = shop.people(2)
    seqs = [shop.say(one, "given"), shop.say(two, "given"), shop.say(one, "withdrawn"), shop.say(one, "given")]
    with shop.records.reading() as connection:
        commitments = {row.commitment for seq in seqs if (row := log.one(connection, EVENTS, seq)) is not None}
    assert len(commitments) == 4


def test_a_tree_that_did_not_grow_gets_no_new_checkpoint(shop: Shop) -> None:
    shop.people(1)
    first = shop.outside.publish(shop.records)
    assert shop.outside.publish(shop.records) == first
    shop.people(2)
    assert shop.outside.publish(shop.records).size == first.size + 1, "the public tree commits to the new one of events"


def test_a_crash_after_the_leaves_and_before_the_note_is_clean(shop: Shop) -> None:
    shop.people(1)
    shop.outside.publish(shop.records)
    leaves = shop.folder / "checkpoints" / EVENTS / "leaves"
    with leaves.open("ab") as file:
        file.write(b"x" * 50)  # half of what a killed run wrote
    shop.people(3)
    shop.outside.publish(shop.records)
    with shop.records.reading() as connection:
        assert leaves.read_bytes() == b"".join(log.leaves(connection, EVENTS))


def test_a_crash_after_the_note_and_before_latest_is_clean(shop: Shop) -> None:
    shop.people(1)
    shop.outside.publish(shop.records)
    latest = shop.folder / "checkpoints" / PUBLIC / "latest.note"
    before = latest.read_bytes()
    shop.people(3)
    shop.outside.publish(shop.records)
    latest.write_bytes(before)
    shop.people(4)
    signed = shop.outside.publish(shop.records)
    assert signed == shop.outside.latest(PUBLIC)


def test_a_note_of_another_key_or_log_is_refused(shop: Shop) -> None:
    shop.people(1)
    shop.outside.publish(shop.records)
    latest = shop.folder / "checkpoints" / EVENTS / "latest.note"
    latest.write_bytes((shop.folder / "checkpoints" / PUBLIC / "latest.note").read_bytes())
    with pytest.raises(Tampered, match="another log"):
        shop.outside.latest(EVENTS)
    latest.write_text("nonsense", encoding="utf-8")
    with pytest.raises(Tampered, match="not this house's"):
        shop.outside.latest(EVENTS)
