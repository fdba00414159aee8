"""Reading which account belongs to which customer number: nothing here can open a name, so others than the vault may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from volens.identity import store

if TYPE_CHECKING:
    from sqlalchemy import Connection


def everything(connection: Connection) -> dict[int, tuple[int, str]]:
    """Customer number and kind of every account, by account number."""
    return store.linked(connection)


def customers(connection: Connection) -> dict[int, tuple[str, str | None]]:
    """Country of every customer, and the hash of what is sealed about the person."""
    return store.all_customers(connection)


def numbers_given(connection: Connection) -> dict[str, int]:
    """The last number given, of customers and of accounts."""
    return store.numbers_given(connection)


def closings(connection: Connection) -> dict[int, str]:
    """The day of every closed account."""
    return store.all_closings(connection)


def ages(connection: Connection) -> dict[int, str]:
    """`minor_until` of everybody who has one."""
    return store.all_ages(connection)
