"""Reading which account belongs to which customer number: nothing here can open a name, so others than the vault may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volens.identity.vault import linked

if TYPE_CHECKING:
    from sqlalchemy import Connection


def everything(connection: Connection) -> dict[int, tuple[int, str]]:
    """Customer number and kind of every account, by account number."""
    return linked(connection)
