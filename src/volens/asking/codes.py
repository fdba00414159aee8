"""Codes of paper forms: what is printed in a corner and typed at the desk. Pure.

A code follows from what is printed: another text, language or wording is another code. Its alphabet has no letter that is read
as a digit; the ninth sign is a check, which finds every single mistyped sign and every two neighbours that changed places.
"""

from __future__ import annotations

import hashlib

ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
SIGNS = 8


def code_of(content: bytes) -> str:
    """The code of what is printed, such as `K7QF-2M9D-X`."""
    number = int.from_bytes(hashlib.sha256(content).digest(), "big")
    signs = ""
    for _ in range(SIGNS):
        number, sign = divmod(number, len(ALPHABET))
        signs += ALPHABET[sign]
    return f"{signs[:4]}-{signs[4:]}-{_check(signs)}"


def read(written: str) -> str | None:
    """The code that somebody typed, as it is printed; none if it cannot be one."""
    signs = "".join(written.upper().replace("-", " ").split())
    if len(signs) != SIGNS + 1 or not set(signs) <= set(ALPHABET) or _check(signs[:SIGNS]) != signs[SIGNS]:
        return None
    return f"{signs[:4]}-{signs[4:SIGNS]}-{signs[SIGNS]}"


def _check(signs: str) -> str:
    # 31 is a prime above every weight, so that no single change and no exchange of neighbours leaves the sum as it was.
    return ALPHABET[sum((place + 1) * ALPHABET.index(sign) for place, sign in enumerate(signs)) % len(ALPHABET)]
