"""The code of a short address: computed from a card's account and the house's keys, kept in no store.

Rules:
1. A code is account (31 bits), generation (8) and 21 zeros, enciphered as one number of 60 bits and written in 12 characters.
   The cipher is a balanced Feistel network of ten rounds over HMAC-SHA-256, the shape of NIST SP 800-38G's FF1: what is
   enciphered together with its zeros cannot be made by whoever lacks the key, so a mistyped or invented code is told at once.
2. It says nothing: codes of neighbouring accounts have nothing in common, and the records hold none. Without the house's
   lookup key nobody finds the card behind a code, nor the code of a card.
3. A new generation ends the codes before it. After 255 of them a card has no other code: it is replaced by a new card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from volens.delivery import codes

CHARACTERS, GROUP = 12, 4
ROUNDS = 10
HALF_BITS = 30
HALF = (1 << HALF_BITS) - 1
ACCOUNT_BITS, GENERATION_BITS, ZERO_BITS = 31, 8, 21
GENERATIONS = 1 << GENERATION_BITS

Mac = Callable[[str, bytes], bytes]


@dataclass(frozen=True)
class Opened:
    """What a code says. Whether it is in force is another question."""

    account: int
    generation: int


def make(mac: Mac, account: int, generation: int) -> str:
    """The code of an account's generation, in 12 characters without dashes."""
    if not (0 <= account < 1 << ACCOUNT_BITS and 0 <= generation < GENERATIONS):
        raise ValueError("no such account or generation")
    number = (account << GENERATION_BITS | generation) << ZERO_BITS
    left, right = number >> HALF_BITS, number & HALF
    for step in range(ROUNDS):
        left, right = right, left ^ _round(mac, step, right)
    return codes.written(left << HALF_BITS | right, CHARACTERS)


def read(mac: Mac, text: str) -> Opened | None:
    """What a code says; none for what the house never made."""
    number = codes.read(text, CHARACTERS)
    if number is None:
        return None
    left, right = number >> HALF_BITS, number & HALF
    for step in reversed(range(ROUNDS)):
        left, right = right ^ _round(mac, step, left), left
    number = left << HALF_BITS | right
    if number & (1 << ZERO_BITS) - 1:
        return None
    said = number >> ZERO_BITS
    return Opened(said >> GENERATION_BITS, said & GENERATIONS - 1)


def shown(code: str) -> str:
    """As people read it: ABCD-EFGH-JKLM."""
    return codes.grouped(code, GROUP)


def _round(mac: Mac, step: int, half: int) -> int:
    return int.from_bytes(mac("doorway", bytes([step]) + half.to_bytes(4, "big"))[:4], "big") & HALF
