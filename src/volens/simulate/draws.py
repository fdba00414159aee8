"""Numbers that are drawn, and are yet the same every time.

1. Every draw comes from a Philox stream (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") keyed by the
   seed and by what is drawn, and placed by the number of the piece: pieces can be made in any order, or some alone.
2. Only the stream's raw 64-bit words are used. NumPy promises that these never change; its distributions may.
3. A word becomes a value by looking its bits up in a table made of whole numbers: no floating point at the moment of drawing.

These draws are for invented data. Noise, keys and secrets come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
METHOD = "volens-simulate/1"
"""Name of everything that decides the bytes. Changing any of it needs another name."""


class Stream:
    """The words of one piece of one matter, from its first on."""

    def __init__(self, seed: int, matter: str, piece: int) -> None:
        digest = blake2b(f"{METHOD}/{matter}/{seed}".encode(), digest_size=16).digest()
        # The piece stands in the upper half of the counter: two pieces are 2¹²⁸ blocks apart.
        self._bits = np.random.Philox(key=int.from_bytes(digest, "big"), counter=piece << 128)

    def words(self, count: int) -> Words:
        """The next `count` uint64 words."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)


def bits(words: Words, low: int, width: int) -> Integers:
    """`width` bits of each word, from bit `low` on, as whole numbers."""
    return ((words >> np.uint64(low)) & np.uint64((1 << width) - 1)).astype(np.int64)


def mix(values: npt.NDArray[np.integer], salt: int) -> Words:
    """A uint64 of each whole number that is always the same: the finalizer of SplitMix64 (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        word = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt & 0xFFFFFFFFFFFFFFFF)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(word ^ (word >> np.uint64(31)))


def apportion(weights: Sequence[float] | npt.NDArray[np.float64], total: int) -> Integers:
    """`total` in parts that are whole and in proportion to `weights`: largest remainders, the earlier one first."""
    # Whole weights first: from here on no machine rounds otherwise than another.
    whole = [round(float(weight) * (1 << 32)) for weight in weights]
    everything = sum(whole)
    if everything <= 0 or total < 0:
        raise ValueError("something must have a weight, and the total cannot be negative")
    parts = [weight * total // everything for weight in whole]
    left = total - sum(parts)
    rest = [-(weight * total % everything) for weight in whole]
    for place in sorted(range(len(parts)), key=lambda at: (rest[at], at))[:left]:
        parts[place] += 1
    return np.asarray(parts, dtype=np.int64)


def table(weights: Sequence[float] | npt.NDArray[np.float64], width: int) -> npt.NDArray[np.int32]:
    """2^width slots, each the number of a value, as many of each as its weight says: `table[bits]` draws one.

    A value whose weight is too small for a slot is never drawn.
    """
    slots = apportion(weights, 1 << width)
    return np.repeat(np.arange(len(slots), dtype=np.int32), slots)
