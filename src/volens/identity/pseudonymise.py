"""A reference on a receipt becomes a customer number and a basket key. From here on nobody is named.

Rules:
1. A value is looked up by keyed hash; it is stored only sealed under its customer's key.
2. A basket's key is a keyed hash of source, store, till, day and receipt number: nobody without the key can make or undo it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from volens.holders import Keys
from volens.identity.vault import Vault


@dataclass(frozen=True)
class Pseudonymiser:
    """What `ingest` is given instead of the vault: it can turn references into numbers, and nothing back."""

    vault: Vault
    keys: Keys

    def identify(self, kind: str, values: Sequence[str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Customers and accounts, one of each for each value, in order. New references get new numbers."""
        found = self.vault.identify(kind, values)
        numbers = np.array(found, dtype=np.int32).reshape(-1, 2)
        return numbers[:, 0], numbers[:, 1]

    def basket_keys(self, identities: Sequence[bytes]) -> npt.NDArray[np.int64]:
        """Keyed 64-bit hashes of receipt identities: equal for equal receipts of one house only."""
        joined = b"".join(self.keys.macs("basket", identities))  # 32 bytes each, of which the first 8 are the key
        return np.frombuffer(joined, dtype=">i8")[::4].astype(np.int64)

    def seal(self, row: bytes) -> bytes:
        """Encrypts a row that goes to quarantine."""
        return self.keys.seal_intake(row)

    def mark(self, row: bytes) -> bytes:
        """A keyed hash of a refused line, to know it again when it comes again."""
        return self.keys.mac("quarantine", row)[:16]
