"""Merkle trees as in RFC 9162, section 2.1: hashing, growing, and two kinds of proof.

1. Pure: values in, values out; only the standard library. The stand-alone verifier is made of this file.
2. A leaf hash and a node hash can never be mistaken for each other (prefixes 0x00 and 0x01).
3. Making a proof of something that is not there is an error (`ValueError`). Checking a proof never raises:
   whatever is malformed (a wrong length, an index past the end, something that is not bytes) is simply not a
   proof.

All hashes are SHA-256, 32 bytes. Positions and sizes count leaves from 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
# A tree of 2**63 leaves is past any log; the limit makes the size fit the eight bytes of a stored frontier.
SIZE_LIMIT = 1 << 63


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf whose content is `entry`."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children's hashes."""
    return sha256(b"\x01" + left + right).digest()


def canonical_json(value: object) -> bytes:
    """The one byte string for a JSON value: sorted keys, no spaces, UTF-8. Entries of the log are made of it.

    Raises `ValueError` for what JSON cannot say (not-a-number) and `TypeError` for what is no JSON value.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


class Frontier:
    """What must be kept of a tree to let it grow: its size and the roots of its complete subtrees.

    `peaks` are ordered from the left and largest to the right and smallest: one for each bit set in `size`.
    It grows in place; nothing else about it changes. Raises `ValueError` for what is no frontier or no hash.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self._size, self._peaks = size, list(peaks)
        if not 0 <= size < SIZE_LIMIT:
            raise ValueError("a frontier's size lies between 0 and 2**63 - 1")
        if len(self._peaks) != size.bit_count():
            raise ValueError("a frontier has one peak for each bit set in its size")
        if not _are_hashes(self._peaks):
            raise ValueError("a frontier's peaks are hashes of 32 bytes")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frontier) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # it grows, so it is no key

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Adds one leaf hash at the right."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Adds leaf hashes at the right, in their order. A wrong one leaves the frontier as it was."""
        peaks, size = list(self._peaks), self._size
        for leaf in leaves:
            if not _is_hash(leaf):
                raise ValueError("a leaf hash has 32 bytes")
            carry, rest = leaf, size
            while rest & 1:  # two complete subtrees of the same height become one
                carry = sha256(b"\x01" + peaks.pop() + carry).digest()
                rest >>= 1
            peaks.append(carry)
            size += 1
        self._peaks, self._size = peaks, size

    @property
    def root(self) -> bytes:
        """The root hash of the whole tree."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def to_bytes(self) -> bytes:
        """Eight bytes of size, most significant first, then the peaks."""
        return self._size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Frontier:
        """Read what `to_bytes` wrote; `ValueError` for anything else."""
        if len(stored) < 8 or (len(stored) - 8) % HASH_BYTES:
            raise ValueError("a stored frontier is eight bytes of size and whole hashes")
        peaks = tuple(stored[at : at + HASH_BYTES] for at in range(8, len(stored), HASH_BYTES))
        return cls(int.from_bytes(stored[:8], "big"), peaks)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes. Level by level: about a second for a million leaves."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int | None = None) -> tuple[bytes, ...]:
    """The path of leaf `index` in the tree of the first `size` leaves (all, if not said), leaf end first."""
    size = len(leaves) if size is None else size
    if not 0 <= index < size <= len(leaves):
        raise ValueError(f"no leaf {index} in a tree of {size} out of {len(leaves)} leaves")
    return tuple(root_of(leaves[start:end]) for start, end in inclusion_ranges(index, size))


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees [start, end) whose roots are the path of leaf `index`, leaf end first (RFC 9162, 2.1.3.1).

    Whoever keeps the roots of subtrees makes a proof of them without touching all leaves.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _largest_power_below(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows `leaf` at `index` in the tree of this size and root (RFC 9162, 2.1.3.2)."""
    if not _is_position(index) or not _is_position(size) or index >= size:
        return False
    if not _are_hashes((leaf, root)) or not _are_hashes(proof):
        return False
    node, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(step, found)
            while not node & 1 and node:  # levels at which this node was the lone last one
                node >>= 1
                last >>= 1
        else:
            found = node_hash(found, step)
        node >>= 1
        last >>= 1
    return last == 0 and found == root


def consistency_proof(leaves: Sequence[bytes], old_size: int, new_size: int | None = None) -> tuple[bytes, ...]:
    """What shows that the tree of the first `new_size` leaves begins with that of the first `old_size`.

    From and to the same size, and from the empty tree, nothing needs to be shown: the proof is empty.
    """
    new_size = len(leaves) if new_size is None else new_size
    if not 0 <= old_size <= new_size <= len(leaves):
        raise ValueError(f"no trees of {old_size} and {new_size} within {len(leaves)} leaves")
    return tuple(root_of(leaves[start:end]) for start, end in consistency_ranges(old_size, new_size))


def consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """The subtrees [start, end) whose roots are that proof, in its order (RFC 9162, 2.1.4.1)."""
    if not 0 <= old_size <= new_size:
        raise ValueError(f"no tree of {old_size} within one of {new_size}")
    if old_size in (0, new_size):
        return []
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new_size, True
    # Walk down the right flank of the old tree; `whole` says that the old tree still begins at this subtree's
    # start and therefore that its root is known to whoever holds the old root.
    while old_size != end:
        split = start + _largest_power_below(end - start)
        if old_size <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start, whole = split, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if not _is_position(old_size) or not _is_position(new_size) or old_size > new_size:
        return False
    if not _are_hashes((old_root, new_root)) or not _are_hashes(proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # the old tree is complete: its root is the first node
        path.insert(0, old_root)
    if not path:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old_found = new_found = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_found = node_hash(step, old_found)
            new_found = node_hash(step, new_found)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new_found = node_hash(new_found, step)
        node >>= 1
        last >>= 1
    return last == 0 and old_found == old_root and new_found == new_root


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    """Parents of one level of nodes; a lone last node rises unchanged."""
    pairs = zip(level[::2], level[1::2], strict=False)
    above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    if len(level) & 1:
        above.append(level[-1])
    return above


def _largest_power_below(count: int) -> int:
    """The largest power of two smaller than `count`, for a count of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == HASH_BYTES


def _are_hashes(values: object) -> bool:
    return isinstance(values, tuple | list) and all(_is_hash(value) for value in values)


def _is_position(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < SIZE_LIMIT
