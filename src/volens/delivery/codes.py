"""Short codes that people read from paper and type: no letter that looks like another, in any case, with any dashes.

The alphabet is Crockford's base 32: without I, L, O and U; who types I or L means 1, who types O means 0.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans("ILO", "110", " -\u00a0\u202f\u2011.·")


def written(number: int, length: int) -> str:
    """A number in so many characters."""
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


def read(text: str, length: int) -> int | None:
    """The number that somebody typed; none if it cannot be one."""
    meant = text.upper().translate(_MEANT)
    if len(meant) != length or not set(meant) <= set(ALPHABET):
        return None
    number = 0
    for letter in meant:
        number = number << 5 | ALPHABET.index(letter)
    return number


def fresh(length: int) -> str:
    """A code by chance: five bits a character."""
    return written(secrets.randbits(5 * length), length)


def grouped(code: str, size: int) -> str:
    """With a dash after each few characters, so that it can be read aloud."""
    return "-".join(code[start : start + size] for start in range(0, len(code), size))
