"""RFC 9162 trees: known answers, then everything up to 70 leaves, then every kind of broken proof."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volens.evidence.merkle import (
    EMPTY_ROOT,
    Frontier,
    canonical_json,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The eight entries and the roots for sizes 0 to 8 that implementations of RFC 6962 have tested against since
# 2013.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
KNOWN = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]
LEAVES = [leaf_hash(f"leaf {number}".encode()) for number in range(71)]


def grown(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(len(value), "big")


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert root_of(KNOWN[:size]).hex() == ROOTS[size]
    assert grown(KNOWN[:size]).root.hex() == ROOTS[size]


def test_known_inclusion_proof() -> None:
    proof = inclusion_proof(KNOWN, 5)
    assert [step.hex() for step in proof] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_known_consistency_proof() -> None:
    proof = consistency_proof(KNOWN, 6, 8)
    assert [step.hex() for step in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def recursive_root(leaves: list[bytes]) -> bytes:
    """The definition of the RFC, word for word and slow: the judge of the fast one."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


def test_every_size_has_the_defined_root_and_every_leaf_is_proven() -> None:
    for size in range(71):
        root = root_of(LEAVES[:size])
        assert root == recursive_root(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(LEAVES, index, size)
            assert verify_inclusion(LEAVES[index], index, size, proof, root)
            assert not verify_inclusion(LEAVES[index], index, size, (*proof, root), root)
            assert not verify_inclusion(LEAVES[index - 1], index, size, proof, root) or size == 1
            if proof:
                assert not verify_inclusion(LEAVES[index], index, size, proof[:-1], root)
                assert not verify_inclusion(LEAVES[index], index, size, proof[1:], root)


def test_every_pair_of_sizes_is_consistent_and_no_other_tree_is() -> None:
    roots = [root_of(LEAVES[:size]) for size in range(71)]
    for new_size in range(71):
        for old_size in range(new_size + 1):
            proof = consistency_proof(LEAVES, old_size, new_size)
            old_root, new_root = roots[old_size], roots[new_size]
            assert verify_consistency(old_size, new_size, old_root, new_root, proof)
            assert not verify_consistency(old_size, new_size, flipped(old_root, 3), new_root, proof)
            if old_size:
                assert not verify_consistency(old_size, new_size, old_root, flipped(new_root, 3), proof)
            assert not verify_consistency(old_size, new_size, old_root, new_root, (*proof, new_root))
            if proof:
                assert not verify_consistency(old_size, new_size, old_root, new_root, proof[:-1])
                assert not verify_consistency(old_size, new_size, old_root, new_root, proof[1:])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_flipped_bit_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 255))
    root, proof = root_of(LEAVES[:size]), inclusion_proof(LEAVES, index, size)
    at = data.draw(st.integers(0, len(proof) - 1))
    broken = (*proof[:at], flipped(proof[at], bit), *proof[at + 1 :])
    assert not verify_inclusion(LEAVES[index], index, size, broken, root)
    assert not verify_inclusion(flipped(LEAVES[index], bit), index, size, proof, root)
    assert not verify_inclusion(LEAVES[index], index, size, proof, flipped(root, bit))
    old_size = data.draw(st.integers(1, size - 1))
    old_root, path = root_of(LEAVES[:old_size]), consistency_proof(LEAVES, old_size, size)
    at = data.draw(st.integers(0, len(path) - 1))
    broken = (*path[:at], flipped(path[at], bit), *path[at + 1 :])
    assert not verify_consistency(old_size, size, old_root, root, broken)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=8))
def test_a_frontier_grown_in_any_steps_is_the_same_tree(steps: list[int]) -> None:
    frontier = Frontier()
    for step in steps:
        frontier = Frontier.from_bytes(frontier.to_bytes())
        for leaf in LEAVES[frontier.size : min(frontier.size + step, 70)]:
            frontier.append(leaf)
        assert frontier.root == root_of(LEAVES[: frontier.size])
    assert frontier == grown(LEAVES[: frontier.size])
    assert frontier != grown(LEAVES[: frontier.size + 1])


@pytest.mark.parametrize("stored", [b"", b"\0" * 7, b"\0" * 9, b"\0" * 8 + b"x" * 32, (1).to_bytes(8, "big")])
def test_a_broken_frontier_cannot_be_built(stored: bytes) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_bytes(stored)


def test_a_frontier_takes_only_hashes() -> None:
    frontier = grown(LEAVES[:3])
    with pytest.raises(ValueError, match="32 bytes"):
        frontier.extend([LEAVES[3], b"short"])
    assert frontier == grown(LEAVES[:3])


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (8, 8, ()),
        (-1, 8, ()),
        (0, 0, ()),
        (0, -1, ()),
        (True, 8, ()),
        ("0", 8, ()),
        (0, None, ()),
        (0, 1 << 70, ()),
        (0, 8, None),
        (0, 8, "text"),
        (0, 8, (b"short",)),
        (0, 8, ("a" * 32,) * 3),
        (0, 8, (b"\0" * 32,) * 5000),
    ],
)
def test_malformed_inclusion_is_no_and_never_an_exception(index: object, size: object, proof: object) -> None:
    arguments = (KNOWN[0], index, size, proof, root_of(KNOWN))
    assert verify_inclusion(*arguments) is False  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old_size", "new_size", "proof"),
    [
        (9, 8, ()),
        (-1, 8, ()),
        (3, 8, ()),
        (4, 8, ()),
        (0, 8, (b"\0" * 32,)),
        (8, 8, (b"\0" * 32,)),
        (3, 8, None),
        (3, 8, [None]),
        ("3", 8, ()),
        (3, 8.0, ()),
    ],
)
def test_malformed_consistency_is_no_and_never_an_exception(old_size: object, new_size: object, proof: object) -> None:
    arguments = (old_size, new_size, root_of(KNOWN[:3]), root_of(KNOWN), proof)
    assert verify_consistency(*arguments) is False  # type: ignore[arg-type]


def test_malformed_hashes_are_no() -> None:
    proof = inclusion_proof(KNOWN, 0)
    assert verify_inclusion(b"", 0, 8, proof, root_of(KNOWN)) is False
    assert verify_inclusion(KNOWN[0], 0, 8, proof, None) is False  # type: ignore[arg-type]
    assert verify_consistency(0, 8, b"", root_of(KNOWN), ()) is False


def test_proofs_of_what_is_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="no leaf 8"):
        inclusion_proof(KNOWN, 8)
    with pytest.raises(ValueError, match="no leaf 2"):
        inclusion_proof(KNOWN, 2, 2)
    with pytest.raises(ValueError, match="no trees"):
        consistency_proof(KNOWN, 3, 9)


def test_canonical_json_is_one_byte_string() -> None:
    assert canonical_json({"b": None, "a": "é", "c": [1]}) == '{"a":"é","b":null,"c":[1]}'.encode()
    with pytest.raises(ValueError, match="not JSON"):
        canonical_json({"a": float("nan")})
