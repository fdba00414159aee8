"""Customers' own cards and e-mails, opened for whoever the customers let know them: delivery, and followers.

1. Who asks says for which customers, and has their permission for that field; this module does not judge it.
2. What is closed is not given: a card that was handed in, an e-mail that now leads to nobody.
3. A customer whose key is destroyed has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from volens.identity.keys import decrypt
from volens.identity.store import sealed_accounts
from volens.identity.vault import Vault

if TYPE_CHECKING:
    from sqlalchemy import Connection


class References:
    """Opens accounts. Safe beside other threads."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def of(
        self, connection: Connection, customers: Collection[int], kinds: Collection[str]
    ) -> Mapping[int, Mapping[str, list[str]]]:
        """The open cards and e-mails of some customers, by customer and kind; who has none is left out."""
        stored = sealed_accounts(connection, customers, kinds)
        keys = self._vault.read_keys({customer for customer, _, _ in stored})
        found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for customer, kind, value in stored:
            if customer in keys:
                found[customer][kind].append(decrypt(keys[customer], value, b"customer:%d" % customer).decode())
        return {customer: {kind: sorted(values) for kind, values in by_kind.items()} for customer, by_kind in found.items()}
