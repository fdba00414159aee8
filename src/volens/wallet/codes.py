"""Codes that are worth money: sixteen symbols by chance, and one that finds a slip of the pen.

Rules:
1. The sixteen are 80 bits from `secrets`: nobody guesses one. The house keeps SHA-256 of a code, never the code.
2. The last symbol is Crockford's check modulo 37: any one wrong symbol, and any two neighbours that changed places, are found
   before anybody looks the code up. Codes whose check symbol would not be one of the 32 are not given out.
3. Who types I or L means 1, who types O means 0; dashes and blanks mean nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from volens.delivery.codes import ALPHABET, grouped, read, written

SYMBOLS, GROUP = 16, 4
MODULUS = 37


def fresh() -> str:
    """A new code by chance."""
    while True:
        found = _whole(secrets.randbits(5 * SYMBOLS))
        if found is not None:
            return found


def following(mac: Callable[[bytes], bytes], of: int) -> str:
    """The code of a number that follows from a key: the same each time."""
    for attempt in range(1_000):
        found = _whole(int.from_bytes(mac(b"%d/%d" % (of, attempt))[:10], "big"))
        if found is not None:
            return found
    raise AssertionError("a code has one of 32 check symbols with 32 chances in 37")


def meant(typed: str) -> str | None:
    """The code that somebody typed, in its one form; none if it cannot be one."""
    if len(typed) > 4 * SYMBOLS:
        return None
    number = read(typed, SYMBOLS + 1)
    if number is None or number >> 5 >= 1 << 5 * SYMBOLS or (number >> 5) % MODULUS != number & 31:
        return None
    return written(number, SYMBOLS + 1)


def hashed(code: str) -> bytes:
    """What is kept of a code."""
    return hashlib.sha256(code.encode()).digest()


def spoken(code: str) -> str:
    """A code as people read it: in fours."""
    return grouped(code, GROUP)


def _whole(number: int) -> str | None:
    check = number % MODULUS
    return written(number, SYMBOLS) + ALPHABET[check] if check < len(ALPHABET) else None
