"""Who can read a code or a bank account: the key of its person, and after her erasure a key of the number that is left.

Rules:
1. While somebody is there, hers is the key. What is sealed by it is unreadable from her erasure on.
2. What the house still owes then is owed to whoever holds the bearer's code, which is shown in the answer to the erasure. Her
   unused codes, and the account of a transfer that is on its way, are sealed anew under a key that follows from the house's own.
3. The row in `wallet_bearers` is written under the head row before her key is destroyed: whoever seals looks at it under the same
   lock, so that nothing is ever sealed under a key that is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from volens.errors import NotFound, Tampered
from volens.holders import Sealer
from volens.identity.keys import HeldKeys, decrypt
from volens.wallet import codes, out_store

if TYPE_CHECKING:
    from sqlalchemy import Connection


class People(Sealer, Protocol):
    """What the wallet needs of the vault."""

    def open(self, customer: int, sealed: bytes) -> bytes:
        """Gives back what `seal` took; `NotFound` if the customer's key is destroyed."""

    def read_keys(self, wanted: Iterable[int]) -> dict[int, bytes]:
        """The keys of those who are there."""


class Envelope:
    """Seals and opens for people, and for numbers that stand for nobody any more."""

    def __init__(self, people: People, mac: Callable[[str, bytes], bytes]) -> None:
        self._people, self._mac = people, mac

    def keys(self, customers: Collection[int]) -> Mapping[int, bytes]:
        """The keys of those of some customers who are there, for a bulk of seals."""
        return self._people.read_keys(customers)

    def seal(self, customer: int, plaintext: bytes, keys: Mapping[int, bytes], bearers: Collection[int]) -> bytes:
        """Seals for somebody, or for whoever holds her bearer's code if she is, or is about to be, erased."""
        if customer in bearers or customer not in keys:
            return self._of_bearer(customer).seal(customer, plaintext)
        return HeldKeys({customer: keys[customer]}).seal(customer, plaintext)

    def seal_now(self, connection: Connection, customer: int, plaintext: bytes) -> bytes:
        """The same for one, by a caller who holds the head row of the events."""
        return self.seal(customer, plaintext, self.keys([customer]), out_store.bearers_among(connection, [customer]))

    def open(self, customer: int, sealed: bytes) -> bytes:
        """Gives back what `seal` took."""
        try:
            return self._people.open(customer, sealed)
        except (NotFound, Tampered):
            return decrypt(self._of_bearer(customer).keys[customer], sealed, b"customer:%d" % customer)

    def code_of(self, customer: int) -> str:
        """The bearer's code of a number."""
        return codes.following(lambda said: self._mac("wallet/bearer-code", said), customer)

    def _of_bearer(self, customer: int) -> HeldKeys:
        return HeldKeys({customer: self._mac("wallet/bearer-key", b"%d" % customer)})
