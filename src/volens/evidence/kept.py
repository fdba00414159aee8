"""A tree's hashes on disk: the leaves as they were signed, and the roots of their complete subtrees.

    leaves      32 bytes a leaf, in order
    nodes/1     32 bytes for each complete 256 leaves: the root over them
    nodes/2     the same for each 256 of those, and so on (the tiles of C2SP tlog-tiles, as plain files)

Rules:
1. A root or a proof reads at most 256 hashes a level, whatever the size: a million leaves are three levels.
2. `nodes` follow from `leaves` and are believed by nobody: whoever uses a root or a proof compares it with a signed root, and
   asks for `rebuild` when it does not fit.
3. Leaves are durable before nodes, nodes before whatever is signed over them. What lies past the newest checkpoint is
   what a killed run left, and is written over.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from volens.errors import Tampered
from volens.evidence.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    node_hash,
    root_of,
)

TILE_BITS = 8
TILE = 1 << TILE_BITS
REBUILT_AT_ONCE = TILE * TILE


@dataclass(frozen=True)
class KeptTree:
    """The folder of one tree, `checkpoints/<tree>`."""

    folder: Path

    def leaves(self, size: int) -> list[bytes]:
        """The first `size` leaf hashes. Raises `Tampered` if there are fewer."""
        return self._read(0, 0, size)

    def leaf(self, seq: int) -> bytes:
        """One leaf hash, without reading the others; nothing (b"") if it is not there."""
        try:
            return self._read(0, seq, 1)[0]
        except Tampered:
            return b""

    def root(self, start: int, end: int) -> bytes:
        """The root of the subtree over leaves [start, end), a subtree of RFC 9162: `start` is a multiple of its width."""
        width = end - start
        if width == 0:
            return EMPTY_ROOT
        if width & (width - 1):  # not complete: a complete left part, and the rest
            split = start + (1 << (width.bit_length() - 1))
            return node_hash(self.root(start, split), self.root(split, end))
        level = (width.bit_length() - 1) // TILE_BITS
        shift = level * TILE_BITS
        return root_of(self._read(level, start >> shift, width >> shift))

    def frontier(self, size: int) -> Frontier:
        """What lets the tree of the first `size` leaves grow. Read from `nodes`: compare its root with a signed one."""
        peaks, start = [], 0
        for bit in range(size.bit_length() - 1, -1, -1):
            if size >> bit & 1:
                peaks.append(self.root(start, start + (1 << bit)))
                start += 1 << bit
        return Frontier(size, peaks)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The path of leaf `index` in the tree of the first `size` leaves."""
        return tuple(self.root(start, end) for start, end in inclusion_ranges(index, size))

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """What shows that the tree of `new_size` leaves begins with that of `old_size`."""
        return tuple(self.root(start, end) for start, end in consistency_ranges(old_size, new_size))

    def extend(self, start: int, fresh: Sequence[bytes]) -> None:
        """Puts leaves after the first `start`, in place of whatever lies there, and the nodes that they complete."""
        self._write(0, start, fresh)
        self._complete(start, start + len(fresh))

    def rebuild(self, size: int) -> None:
        """Makes all nodes anew from the leaves: for a folder that was copied without them, or whose nodes were changed."""
        for start in range(0, size, REBUILT_AT_ONCE):
            self._complete(start, min(size, start + REBUILT_AT_ONCE))

    def _complete(self, start: int, end: int) -> None:
        """The nodes over tiles that were completed between two sizes."""
        level = 1
        while end >> (level * TILE_BITS):
            shift = level * TILE_BITS
            first, last = start >> shift, end >> shift
            children = self._read(level - 1, first << TILE_BITS, (last - first) << TILE_BITS)
            roots = [root_of(children[place : place + TILE]) for place in range(0, len(children), TILE)]
            self._write(level, first, roots)
            level += 1

    def _file(self, level: int) -> Path:
        return self.folder / "nodes" / str(level) if level else self.folder / "leaves"

    def _read(self, level: int, first: int, count: int) -> list[bytes]:
        file = self._file(level)
        data = b""
        if count and file.is_file():
            with file.open("rb") as hashes:
                hashes.seek(first * HASH_BYTES)
                data = hashes.read(count * HASH_BYTES)
        if len(data) < count * HASH_BYTES:
            raise Tampered(
                f"The hashes kept in {file.parent.name}/{file.name} are fewer than was signed.", f"Restore {file} from a copy."
            )
        return [data[place : place + HASH_BYTES] for place in range(0, count * HASH_BYTES, HASH_BYTES)]

    def _write(self, level: int, first: int, hashes: Sequence[bytes]) -> None:
        file = self._file(level)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("r+b" if file.exists() else "w+b") as kept:
            kept.seek(first * HASH_BYTES)
            kept.write(b"".join(hashes))
            kept.truncate()
            kept.flush()
            os.fsync(kept.fileno())
