"""Hashes kept on disk: roots and proofs are those of the plain functions over all leaves, at every size around a tile's edge."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.shop import Shop

from volens.errors import Tampered
from volens.evidence import merkle
from volens.evidence.kept import TILE, KeptTree
from volens.evidence.log import EVENTS

LEAVES = [sha256(str(number).encode()).digest() for number in range(70_000)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> KeptTree:
    """Three levels of tiles, grown in uneven steps."""
    tree = KeptTree(tmp_path_factory.mktemp("kept"))
    start = 0
    for size in (1, 255, 256, 257, 600, 65_535, 65_536, 65_537, len(LEAVES)):
        tree.extend(start, LEAVES[start:size])
        start = size
    return tree


def test_a_frontier_is_that_of_all_leaves(large: KeptTree) -> None:
    for size in (0, 1, 2, 3, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792, len(LEAVES)):
        plain = merkle.Frontier()
        plain.extend(LEAVES[:size])
        assert large.frontier(size) == plain, size


@pytest.mark.parametrize("size", [1, 2, 256, 257, 700, 65_536, 69_999])
def test_an_inclusion_proof_verifies_and_is_short(large: KeptTree, size: int) -> None:
    root = merkle.root_of(LEAVES[:size])
    for index in {0, size // 2, size - 1, min(size - 1, 255), min(size - 1, 256)}:
        proof = large.inclusion(index, size)
        assert merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
        assert len(proof) <= 17


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_500), st.integers(0, 1_500))
def test_a_consistency_proof_is_the_plain_one(large: KeptTree, one: int, other: int) -> None:
    old, new = sorted((one, other))
    assert large.consistency(old, new) == merkle.consistency_proof(LEAVES[:new], old)


def test_what_a_killed_run_left_is_written_over(tmp_path: Path) -> None:
    tree = KeptTree(tmp_path)
    tree.extend(0, LEAVES[:300])
    tree.extend(300, LEAVES[50_000:51_000])  # signed never
    tree.extend(300, LEAVES[300:900])
    assert tree.leaves(900) == LEAVES[:900]
    assert tree.frontier(900).root == merkle.root_of(LEAVES[:900])
    assert (tmp_path / "nodes" / "1").stat().st_size == (900 // TILE) * 32


def test_nodes_that_are_gone_or_wrong_are_made_anew_and_leaves_never(shop: Shop) -> None:
    for known in range(50, 401, 50):  # a hundred at once would be one event
        shop.people(known)
    shop.outside.publish(shop.records)
    nodes, leaves = (shop.folder / "checkpoints" / EVENTS / name for name in ("nodes/1", "leaves"))
    honest = nodes.read_bytes()
    for broken in (b"", b"x" * len(honest)):
        nodes.write_bytes(broken)
        shop.say(shop.people(1)[0], "given")
        shop.outside.publish(shop.records)
        assert nodes.read_bytes()[: len(honest)] == honest
    kept = leaves.read_bytes()
    leaves.write_bytes(b"y" * 32 + kept[32:])
    nodes.unlink()
    shop.say(1, "withdrawn")
    with pytest.raises(Tampered, match="do not give the signed root"):
        shop.outside.publish(shop.records)


def test_too_few_leaves_are_said(tmp_path: Path) -> None:
    tree = KeptTree(tmp_path)
    assert tree.leaf(0) == b""
    with pytest.raises(Tampered, match="fewer"):
        tree.leaves(1)
