"""Ports that several stations need: what a database of records promises, and what a keeper of keys promises.

An implementation that cannot keep a sentence below is not one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Database(Protocol):
    """Records that survive a power cut once a transaction has ended without an error."""

    @property
    def name(self) -> str:
        """`sqlite` or `postgresql`: for messages, never for logic outside `databases`."""

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction: durable when the block ends, undone whole when it raises.

        Ordered: whoever holds the head row of a tree is alone with it until the end.
        """

    def reading(self) -> AbstractContextManager[Connection]:
        """One snapshot: all statements in the block see the same committed state."""

    def rest(self, seconds: float, *, tidy: bool = False) -> None:
        """For bulk work between two transactions: lets everybody else write for a while. Now and then it says `tidy`: then
        what would else be tidied up in somebody's turn is tidied up outside it."""

    def looking(self) -> AbstractContextManager[Connection]:
        """For one statement, which is its own snapshot and writes nothing: spares two round trips."""

    def watch(self) -> Watch:
        """For one thread that asks the same all day."""


class Watch(Protocol):
    """One connection that is kept, with nothing between its thread and the driver. Nothing is ever written through it."""

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """What one statement finds, which is its own snapshot; a `?` in it for each value. `Unavailable` when nothing answers:
        then the next call connects anew."""

    def close(self) -> None:
        """Gives the connection back. Twice is harmless."""


class Keys(Protocol):
    """The house's keys. They never rest in a database and never leave the keeper."""

    def wrap(self, key: bytes, under: str = "") -> bytes:
        """Encrypts a 32-byte customer key under a key-encryption key (RFC 3394), by default the keeper's own newest.

        `under` names another of the keeper's keys, as the store of customer keys says while one is changed for the other.
        """

    def unwrap(self, wrapped: bytes) -> bytes:
        """Gives back what `wrap` took; raises `Tampered` if it is not what `wrap` made."""

    def mac(self, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA-256 under the lookup key, apart for each `purpose`: the same twice for the same input."""

    def macs(self, purpose: str, values: Iterable[bytes]) -> list[bytes]:
        """`mac` of many values, in their order."""

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature by the log key."""

    def seal_intake(self, plaintext: bytes) -> bytes:
        """Encrypts a quarantined row under the intake key (AES-256-GCM)."""

    def open_intake(self, sealed: bytes) -> bytes:
        """Gives back what `seal_intake` took."""


class Sealer(Protocol):
    """Seals what only the customer's key opens; after that key is destroyed nobody opens it."""

    def seal(self, customer: int, plaintext: bytes) -> bytes:
        """AES-256-GCM under the customer's own key; a fresh nonce each time."""
