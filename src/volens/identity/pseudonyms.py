"""What a recipient calls a customer: a name of its own, that no other recipient ever receives.

Rules:
1. A pseudonym is the customer's number, encrypted as one block of AES-128 under a key that is the recipient's own. Within a
   recipient no two customers share one; to two recipients the same customer is two names that nothing ties together.
2. There is no table of them. Whoever holds the house's lookup key can make one and read one back; nobody else can do either.
3. A block that is nobody's name (a guess, or another recipient's name) reads back as none: of its 128 bits, 97 must be zero.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from volens.holders import Keys

BLOCK_BYTES = 16
NUMBER_BYTES = 4
LENGTH = 22
"""Characters of a pseudonym: 16 bytes in base64url without padding."""


class Pseudonyms:
    """Makes and reads the names under which recipients know customers. Holds one derived key a recipient."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._ciphers: dict[str, Cipher[modes.ECB]] = {}

    def of(self, recipient: str, customer: int) -> str:
        """One customer's name for one recipient."""
        return self.many(recipient, (customer,))[0]

    def many(self, recipient: str, customers: Iterable[int]) -> list[str]:
        """The same for many, in their order."""
        plain = b"".join(int(one).to_bytes(BLOCK_BYTES, "big") for one in customers)
        encryptor = self._cipher(recipient).encryptor()
        sealed = encryptor.update(plain) + encryptor.finalize()
        return [
            base64.urlsafe_b64encode(sealed[start : start + BLOCK_BYTES])[:LENGTH].decode()
            for start in range(0, len(sealed), BLOCK_BYTES)
        ]

    def customer(self, recipient: str, pseudonym: str) -> int | None:
        """Who is behind a name that this recipient was given; none for anything else."""
        if len(pseudonym) != LENGTH or not pseudonym.isascii():
            return None
        try:
            block = base64.b64decode(pseudonym + "==", altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        if base64.urlsafe_b64encode(block)[:LENGTH].decode() != pseudonym:
            return None  # two ways to write one block would be two names
        decryptor = self._cipher(recipient).decryptor()
        number = int.from_bytes(decryptor.update(block) + decryptor.finalize(), "big")
        return number if 0 < number < 1 << (8 * NUMBER_BYTES - 1) else None

    def customers(self, recipient: str, pseudonyms: Sequence[str]) -> list[int | None]:
        """The same for many, in their order."""
        return [self.customer(recipient, one) for one in pseudonyms]

    def _cipher(self, recipient: str) -> Cipher[modes.ECB]:
        if recipient not in self._ciphers:
            key = self._keys.mac("pseudonym", recipient.encode())[:BLOCK_BYTES]
            # One block a customer, and every number once: of a block cipher this is the permutation itself, not its misuse.
            self._ciphers[recipient] = Cipher(algorithms.AES(key), modes.ECB())
        return self._ciphers[recipient]
